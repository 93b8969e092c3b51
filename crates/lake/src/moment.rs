//! Two dates: which facts (`as_of`), and as they were held when (`known_at`).
//!
//! `known_at` is answered by the manifest: the segments that counted then. `as_of` is answered row by row: [`RULES`] says
//! for every table which day makes a row a fact of its day, and what of a row that stood by then came later and is hidden.
//! A fact without a day cannot be said to be of any: it is left out and counted. Registers (who somebody is, not what was
//! done) keep their undated rows. See `docs/decisions/006-two-dates.md`.

use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::NaiveDate;
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Segment, Store};

use crate::write::hex;
use crate::{Error, Lake, Result, Session};

/// Segments named in an error; more are counted.
const NAMED_MAX: usize = 20;

/// What a day makes of a table: SQL over its rows, `$day` being the day asked for.
struct Rule {
    table: &'static str,
    /// True for a row that stood by the day.
    keep: &'static str,
    /// True for a row left out because it has no day.
    undated: Option<&'static str>,
    /// Columns that say what may have come after the day, and what is known of them by then.
    hidden: &'static [(&'static str, &'static str)],
}

/// The day of every table. Tables that are not named keep all their rows: buyers, suppliers and terms.
const RULES: &[Rule] = &[
    Rule {
        table: "tenders",
        keep: "coalesce(published_on, opened_on, closes_on, result_on) <= $day",
        undated: Some("coalesce(published_on, opened_on, closes_on, result_on) is null"),
        // A result is known from its day; one without a day is not known to be of then.
        hidden: &[
            ("result_on", "case when result_on <= $day then result_on end"),
            ("value_awarded", "case when result_on <= $day then value_awarded end"),
            ("bidders", "case when result_on <= $day then bidders end"),
            ("status", "case when result_on <= $day then status end"),
        ],
    },
    Rule {
        table: "contracts",
        keep: "coalesce(signed_on, published_on) <= $day",
        undated: Some("coalesce(signed_on, published_on) is null"),
        hidden: &[("published_on", "case when published_on <= $day then published_on end")],
    },
    Rule {
        table: "items",
        // An item is of the day of its contract or tender; one whose contract and tender are not held, of its partition's.
        keep: "coalesce(contract_id in (select id from contracts), false) or coalesce(tender_id in (select id from tenders), false)
               or (not coalesce(contract_id in (select id from held_contracts), false) and not coalesce(tender_id in (select id from held_tenders), false)
                   and partition_on <= $day)",
        undated: None,
        // What a tender's item was awarded for is known with the tender's result.
        hidden: &[
            ("unit_price", "case when contract_id is not null or tender_id in (select id from tenders where result_on is not null) then unit_price end"),
            ("price_basis", "case when contract_id is not null or tender_id in (select id from tenders where result_on is not null) then price_basis end"),
            ("total", "case when contract_id is not null or tender_id in (select id from tenders where result_on is not null) then total end"),
            ("supplier_id", "case when contract_id is not null or tender_id in (select id from tenders where result_on is not null) then supplier_id end"),
            ("supplier_name", "case when contract_id is not null or tender_id in (select id from tenders where result_on is not null) then supplier_name end"),
        ],
    },
    Rule {
        table: "bids",
        keep: "(coalesce(tender_id in (select id from tenders), false) and coalesce(submitted_on <= $day, true))
               or (not coalesce(tender_id in (select id from held_tenders), false) and coalesce(submitted_on, partition_on) <= $day)",
        undated: None,
        hidden: &[
            ("won", "case when tender_id in (select id from tenders where result_on is not null) then won end"),
            ("rank", "case when tender_id in (select id from tenders where result_on is not null) then rank end"),
        ],
    },
    Rule {
        table: "amendments",
        keep: "coalesce(signed_on, published_on) <= $day",
        undated: Some("coalesce(signed_on, published_on) is null"),
        hidden: &[("published_on", "case when published_on <= $day then published_on end")],
    },
    Rule {
        table: "payments",
        keep: "issued_on <= $day",
        undated: Some("issued_on is null"),
        // These are sums up to the day the source was read.
        hidden: &[
            ("value_settled", "cast(null as decimal(18,4))"),
            ("value_paid", "cast(null as decimal(18,4))"),
        ],
    },
    Rule {
        table: "sanctions",
        // Without a first day a sanction never makes a hit; it stays, so that what it leaves open stays open.
        keep: "coalesce(starts_on <= $day, true)",
        undated: None,
        hidden: &[
            ("published_on", "case when published_on <= $day then published_on end"),
            ("listed_on", "least(listed_on, $day)"),
        ],
    },
    Rule {
        table: "registrations",
        keep: "coalesce(opened_on <= $day, true)",
        undated: None,
        // The register holds the present status alone: before its day, the status is not known.
        hidden: &[
            ("status", "case when status_on <= $day then status end"),
            ("status_as_stated", "case when status_on <= $day then status_as_stated end"),
            ("status_reason", "case when status_on <= $day then status_reason end"),
            ("status_on", "case when status_on <= $day then status_on end"),
            ("simples_from", "case when simples_from <= $day then simples_from end"),
            ("simples_until", "case when simples_until <= $day then simples_until end"),
            ("mei_from", "case when mei_from <= $day then mei_from end"),
            ("mei_until", "case when mei_until <= $day then mei_until end"),
        ],
    },
    Rule { table: "partners", keep: "coalesce(since_on <= $day, true)", undated: None, hidden: &[] },
];

/// The views of a table whose rows are `held`: as they stood by `day`, or all of them.
pub(crate) fn views_at(table: &str, held: &str, day: Option<NaiveDate>) -> String {
    let Some(day) = day else { return format!("create view {table} as {held};") };
    let Some(rule) = RULES.iter().find(|rule| rule.table == table) else {
        return format!("create view held_{table} as {held}; create view {table} as from held_{table};");
    };
    let mut hidden = String::new();
    for (column, known) in rule.hidden {
        let comma = if hidden.is_empty() { "" } else { ", " };
        write!(hidden, "{comma}{known} as {column}").expect("writing to a string cannot fail");
    }
    let replaced = if hidden.is_empty() { String::new() } else { format!("replace ({hidden})") };
    let day = format!("date '{day}'");
    let keep = rule.keep;
    format!(
        "create view held_{table} as {held}; create view {table} as select * {replaced} from held_{table} where {keep};"
    )
    .replace("$day", &day)
}

/// Which segments were read: enough to see whether another run read the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct SegmentSet {
    /// How many.
    pub count: usize,
    /// Their rows.
    pub rows: u64,
    /// SHA-256 over table, source, partition and content of each, in hex.
    pub sha256: String,
}

impl SegmentSet {
    /// The set of `segments`.
    #[must_use]
    pub fn of(segments: &[Segment]) -> Self {
        let mut lines: Vec<String> = segments
            .iter()
            .map(|s| format!("{}\u{1f}{}\u{1f}{}\u{1f}{}\n", s.table, s.source, s.partition, s.sha256))
            .collect();
        lines.sort();
        let mut hash = Sha256::new();
        for line in &lines {
            hash.update(line);
        }
        let rows = segments.iter().map(|s| s.rows).sum();
        Self { count: segments.len(), rows, sha256: hex(&hash.finalize()) }
    }
}

impl Lake {
    /// The segments that counted at an instant (as [`model::dates::at_text`] writes it), each with its file in place.
    ///
    /// # Errors
    /// [`Error::SegmentsGone`] when the file of one is lost, missing or of another size.
    pub fn segments_at(&self, store: &Store, instant: &str) -> Result<Vec<Segment>> {
        let mut gone: Vec<String> = store.segments_lost_at(instant)?.into_iter().map(|s| s.path).collect();
        let segments = store.segments_at(instant)?;
        for segment in &segments {
            let path: PathBuf = self.root().join(&segment.path);
            if !path.metadata().is_ok_and(|file| file.len() == segment.bytes) {
                gone.push(segment.path.clone());
            }
        }
        if gone.is_empty() {
            return Ok(segments);
        }
        gone.sort();
        let count = gone.len();
        gone.truncate(NAMED_MAX);
        Err(Error::SegmentsGone { known_at: instant.to_owned(), count, paths: gone })
    }
}

impl Session {
    /// How many facts of which table are left out because no day is known of them; nothing where no day was asked for.
    ///
    /// # Errors
    /// DuckDB said no.
    pub fn undated(&self) -> Result<Vec<(&'static str, i64)>> {
        let mut counts = Vec::new();
        if self.as_of().is_none() {
            return Ok(counts);
        }
        for rule in RULES {
            let Some(undated) = rule.undated else { continue };
            let n = self.count(&format!("select count(*) from held_{} where {undated}", rule.table))?;
            if n > 0 {
                counts.push((rule.table, n));
            }
        }
        Ok(counts)
    }
}
