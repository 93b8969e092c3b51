//! Counting, after an ingest, what no mapping knows and which records share a key, for the sources and tables it
//! touched; the board of sources then reads these counts and never the rows.

use std::collections::HashMap;

use lake::{Literal, Session};
use store::QualityNote;

use crate::{App, Result};

/// The most values that are noted per source, table and field.
pub(crate) const VALUES_MAX: usize = 20;
/// The field under which records that share a key are counted.
pub(crate) const TOLD_APART: &str = "told_apart";
/// The most characters of a value.
const VALUE_CHARS_MAX: usize = 200;

/// Values kept as they came: table, field of the board, column with the source's words, and the column that is null
/// when no mapping knows them. Where we have no mapping at all, every value is one that none knows.
const AS_THEY_CAME: &[(&str, &str, &str, Option<&str>)] = &[
    ("tenders", "modality", "modality_as_stated", Some("modality")),
    ("tenders", "legal_basis", "legal_basis", Some("regime")),
    ("tenders", "status", "status", None),
    ("contracts", "modality", "modality_as_stated", Some("modality")),
    ("contracts", "legal_basis", "legal_basis", Some("regime")),
    ("contracts", "status", "status", None),
    ("items", "unit", "unit", None),
    ("items", "status", "status", None),
    ("bids", "status", "status", None),
    ("sanctions", "kind", "kind_as_stated", Some("kind")),
    ("registrations", "status", "status_as_stated", Some("status")),
];

impl App {
    /// Writes the notes that are due. Who calls holds the folder's lock.
    pub(crate) fn note_quality(&self) -> Result<()> {
        let noted = self.store().noted()?;
        if noted.stale.is_empty() {
            return Ok(());
        }
        let session = self.session()?;
        let mut notes = Vec::new();
        let mut by_table: HashMap<&str, Vec<&str>> = HashMap::new();
        for (source, table) in &noted.stale {
            by_table.entry(table).or_default().push(source);
        }
        for (table, sources) in by_table {
            let of_sources: Vec<String> =
                sources.iter().map(|source| Literal::Text((*source).to_owned()).sql()).collect();
            let of_sources = format!("source in ({})", of_sources.join(", "));
            for (_, field, stated, known) in AS_THEY_CAME.iter().filter(|(of, ..)| *of == table) {
                let unknown = known.map_or_else(|| "true".to_owned(), |column| format!("{column} is null"));
                let sql = format!(
                    "select source, value, n from (
                       select source, left({stated}, {VALUE_CHARS_MAX}) as value, count(*) as n from {table}
                       where {of_sources} and {stated} is not null and {unknown} group by 1, 2)
                     qualify row_number() over (partition by source order by n desc, value) <= {VALUES_MAX}"
                );
                count(&session, &sql, table, field, &mut notes)?;
            }
            let sql = format!(
                "select source, '' as value, count(*) as n from {table}
                 where {of_sources} and regexp_matches(id, '~[0-9a-f]{{12}}$') group by 1"
            );
            count(&session, &sql, table, TOLD_APART, &mut notes)?;
        }
        Ok(self.store().write_quality_notes(&noted, &notes)?)
    }
}

fn count(session: &Session, sql: &str, table: &str, field: &str, notes: &mut Vec<QualityNote>) -> Result<()> {
    session.rows(sql, |row| {
        let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
        notes.push(QualityNote {
            source: text("source"),
            table: table.to_owned(),
            field: field.to_owned(),
            value: text("value"),
            n: text("n").parse().unwrap_or(0),
        });
        Ok(())
    })?;
    Ok(())
}
