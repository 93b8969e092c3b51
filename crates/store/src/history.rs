//! The manifest in the past: which segments counted at an instant, and when what is held last changed.
//!
//! Instants are texts as [`model::dates::at_text`] writes them, of one length and one offset, so that they compare as they
//! are. Closed segments are kept; of one whose file was lost it is no longer known what it held.

use crate::db::OptionalExtension;

use crate::{Result, Segment, Store};

impl Store {
    /// The segments that counted at an instant, in a fixed order, those that are lost by now left out.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segments_at(&self, instant: &str) -> Result<Vec<Segment>> {
        self.segments_where("valid_from <= ?1 and (valid_to is null or valid_to > ?1) and not lost", [instant])
    }

    /// The segments that counted at an instant and are lost by now.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segments_lost_at(&self, instant: &str) -> Result<Vec<Segment>> {
        self.segments_where("valid_from <= ?1 and (valid_to is null or valid_to > ?1) and lost", [instant])
    }

    /// When a segment last began or ceased to count: what is held now has been held since. `None` when nothing ever was.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn held_since(&self) -> Result<Option<String>> {
        self.read(|db| {
            let sql = "select max(at) from (select max(valid_from) as at from segments union all select max(valid_to) from segments) as ends";
            Ok(db.prepare(sql)?.query_row([], |row| row.get(0)).optional()?.flatten())
        })
    }

    /// The instant of something that is written now: the clock's, or a microsecond after the newest instant held where the clock
    /// was set back, so that instants order what happened.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn next_instant(&self) -> Result<String> {
        let now = model::dates::now_text();
        Ok(match self.held_since()? {
            Some(last) if last >= now => {
                tracing::warn!(clock = now, last, "the clock is behind what is held: it goes on from there");
                after(&last).unwrap_or(now)
            }
            _ => now,
        })
    }
}

/// A microsecond after an instant.
fn after(instant: &str) -> Option<String> {
    let at = model::dates::parse_instant(instant).ok()?;
    Some(model::dates::at_text(at + std::time::Duration::from_micros(1)))
}
