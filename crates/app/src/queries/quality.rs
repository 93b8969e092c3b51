//! The quality of what a source states: which fields its rows have, which months lack rows, what that keeps flags from.

use std::collections::{BTreeMap, BTreeSet};

use flags::Catalogue;
use store::{CoverageRow, Segment, SourceMonth};

use crate::App;
use crate::views::{Duplicates, Gaps, Presence};

/// The fields of each table that people and flags lean on; the board says how many rows have them.
pub(crate) const IMPORTANT: &[(&str, &[&str])] = &[
    (
        "tenders",
        &[
            "number",
            "object",
            "modality",
            "regime",
            "status",
            "buyer_id",
            "published_on",
            "opened_on",
            "closes_on",
            "result_on",
            "value_estimated",
            "value_awarded",
            "bidders",
            "criterion",
            "activity",
        ],
    ),
    (
        "contracts",
        &[
            "number",
            "object",
            "modality",
            "legal_basis",
            "regime",
            "buyer_id",
            "supplier_id",
            "signed_on",
            "published_on",
            "starts_on",
            "ends_on",
            "value_initial",
            "value_final",
            "activity",
            "tender_id",
        ],
    ),
    (
        "items",
        &[
            "contract_id",
            "tender_id",
            "buyer_id",
            "category",
            "description",
            "catalog_code",
            "unit",
            "quantity",
            "unit_price",
            "total",
            "supplier_id",
        ],
    ),
    ("bids", &["tender_id", "item_number", "bidder_id", "won", "value", "unit_price", "rank", "valid", "submitted_on"]),
    ("amendments", &["contract_id", "number", "nature", "signed_on", "value", "value_after", "ends_on"]),
    (
        "payments",
        &[
            "contract_id",
            "buyer_id",
            "supplier_id",
            "issued_on",
            "value",
            "value_settled",
            "value_paid",
            "modality_as_stated",
        ],
    ),
    (
        "sanctions",
        &[
            "kind",
            "supplier_id",
            "starts_on",
            "ends_on",
            "body",
            "body_sphere",
            "scope_as_stated",
            "legal_basis",
            "listed_on",
        ],
    ),
    (
        "registrations",
        &[
            "cnpj",
            "status",
            "status_on",
            "opened_on",
            "size",
            "capital",
            "main_activity",
            "state",
            "municipality",
            "address_key",
        ],
    ),
];

/// The most months that are named; of more gaps the newest.
const GAPS_MAX: usize = 120;

/// The important fields of a table.
pub(crate) fn important(table: &str) -> &'static [&'static str] {
    IMPORTANT.iter().find(|(name, _)| *name == table).map_or(&[], |(_, fields)| fields)
}

/// Rows counted and rows that lack the field, by field; of each source and table.
type Counts = BTreeMap<(String, String), BTreeMap<&'static str, (u64, u64)>>;

impl App {
    /// How many rows of each source and table have each important field. A segment whose footer cannot be read is left
    /// out; `rows` says how many rows were counted.
    pub(super) fn presence(&self) -> crate::Result<BTreeMap<(String, String), BTreeMap<String, Presence>>> {
        let live = self.store().segments_live()?;
        self.null_counts().keep_only(&live);
        let mut counts = Counts::new();
        for segment in live.iter().filter(|s| !important(&s.table).is_empty()) {
            self.count_segment(segment, &mut counts);
        }
        let shares = counts.into_iter().map(|(key, fields)| {
            let fields = fields.into_iter();
            (key, fields.map(|(field, (rows, lacking))| (field.to_owned(), Presence::new(rows, lacking))).collect())
        });
        Ok(shares.collect())
    }

    fn count_segment(&self, segment: &Segment, counts: &mut Counts) {
        let Ok(nulls) = self.null_counts().of(self.lake(), segment) else { return };
        let fields = counts.entry((segment.source.clone(), segment.table.clone())).or_default();
        for field in important(&segment.table) {
            // A segment written before the field existed has none of it.
            let Some(lacking) = nulls.nulls.get(*field).copied().unwrap_or(Some(nulls.rows)) else { continue };
            let (rows, sum) = fields.entry(field).or_default();
            *rows += nulls.rows;
            *sum += lacking;
        }
    }
}

/// The months between the first and the last with rows that have none.
pub(super) fn gaps(months: &[&SourceMonth]) -> Gaps {
    let held: BTreeSet<i32> = months.iter().filter_map(|month| month_number(&month.partition)).collect();
    let (Some(first), Some(last)) = (held.first(), held.last()) else { return Gaps::default() };
    let missing: Vec<i32> = (*first..=*last).rev().filter(|month| !held.contains(month)).collect();
    let named = missing.iter().take(GAPS_MAX).rev().map(|n| format!("{:04}-{:02}", n / 12, n % 12 + 1)).collect();
    Gaps { months: named, total: missing.len() }
}

fn month_number(partition: &str) -> Option<i32> {
    let (year, month) = partition.split_once('-')?;
    let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
    (1..=12).contains(&month).then(|| year * 12 + month - 1)
}

/// The repeats of a table, as the notes and the files' accounts count them.
pub(super) fn duplicates(unchanged: i64, told_apart: Option<i64>) -> Duplicates {
    Duplicates { unchanged, told_apart }
}

/// Which flags cannot judge some rows of a source's table, by the missing field: those that need a field that some rows
/// lack, and those whose last run said so. A field of another table stands with its table's name.
pub(super) fn not_computable(
    catalogue: &Catalogue,
    source: &str,
    table: &str,
    fields: &BTreeMap<String, Presence>,
    coverage: &[CoverageRow],
) -> BTreeMap<String, BTreeSet<String>> {
    let mut blocked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for flag in catalogue.flags() {
        for need in &flag.needs {
            let Some((of, field)) = need.split_once('.') else { continue };
            if of == table && fields.get(field).is_some_and(|presence| presence.missing > 0) {
                blocked.entry(field.to_owned()).or_default().insert(flag.code.clone());
            }
        }
        // A flag's subject is what its first need speaks of.
        let judges = flag.needs.first().and_then(|need| need.split_once('.')).map(|(of, _)| of);
        for row in coverage.iter().filter(|row| row.flag == flag.code && row.source == source && row.n > 0) {
            let Some((of, field)) = row.field.split_once('.').filter(|_| row.outcome == "not_computable") else {
                continue;
            };
            if of == table {
                blocked.entry(field.to_owned()).or_default().insert(flag.code.clone());
            } else if judges == Some(table) {
                blocked.entry(row.field.clone()).or_default().insert(flag.code.clone());
            }
        }
    }
    blocked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(partition: &str) -> SourceMonth {
        SourceMonth { source: "x".into(), table: "contracts".into(), partition: partition.into(), rows: 1 }
    }

    #[test]
    fn every_important_field_is_a_column() {
        for (name, fields) in IMPORTANT {
            let table = model::TABLES.iter().find(|table| table.name == *name).unwrap();
            for field in *fields {
                assert!(table.columns.iter().any(|column| column.name == *field), "{name}.{field}");
            }
        }
    }

    #[test]
    fn every_column_that_a_flag_needs_is_important() {
        for flag in Catalogue::embedded().unwrap().flags() {
            for need in &flag.needs {
                // A flag may need a table as a whole.
                let Some((of, field)) = need.split_once('.') else { continue };
                let Some(table) = model::TABLES.iter().find(|table| table.name == of) else { continue };
                let is_column = table.columns.iter().any(|column| column.name == field);
                if is_column && !["buyers", "suppliers", "partners", "terms"].contains(&of) {
                    assert!(important(of).contains(&field), "{} needs {need}", flag.code);
                }
            }
        }
    }

    #[test]
    fn months_without_a_row_are_named_across_years() {
        let held = [month("2023-11"), month("2024-02"), month("undated"), month("all")];
        let gaps = gaps(&held.iter().collect::<Vec<_>>());
        assert_eq!((gaps.months, gaps.total), (vec!["2023-12".to_owned(), "2024-01".to_owned()], 2));
    }

    #[test]
    fn of_many_gaps_the_newest_are_named() {
        let held = [month("0202-03"), month("2024-02")];
        let gaps = gaps(&held.iter().collect::<Vec<_>>());
        assert_eq!((gaps.months.len(), gaps.months.last().unwrap().as_str()), (GAPS_MAX, "2024-01"));
        assert_eq!(gaps.total, (2024 * 12 + 1) - (202 * 12 + 2) - 1);
    }

    #[test]
    fn a_share_is_never_rounded_up_to_whole() {
        let share = Presence::new(10_000_000, 1);
        assert!(share.present < 1.0);
        assert!((Presence::new(4, 1).present - 0.75).abs() < f64::EPSILON);
        assert!((Presence::new(0, 0).present).abs() < f64::EPSILON);
    }
}
