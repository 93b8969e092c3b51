//! The dated limits of the procurement laws, as data.
//!
//! Every limit stands in `law/*.toml` with the days it was in force, its article and its act; no limit stands in code
//! or in SQL. The files are part of the program, read once and checked when first asked for: rows of one rule are in
//! order and do not overlap, so a date finds one row or none. None means that we hold no limit for that law on that
//! day: the caller then answers *not computable*, and never takes a neighbouring row.
//!
//! What a date means is the caller's to know. The law of a contract is its tender's ([`Regime`]), for life.

mod contracts;
mod deadlines;
mod regime;
mod values;

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use xxhash_rust::xxh3::xxh3_64;

use crate::Modality;

pub use contracts::{AmendmentShare, BidFloor, Change, Consequence, amendment_share, bid_floor};
pub use deadlines::{
    Procedure, ProposalKind, ProposalWindow, PublicationDeadline, PublicationExemption, proposal_window,
    publication_deadline, publication_exemption,
};
pub use regime::{Regime, RegimeRow, regime_by_date};
pub use values::{
    BuyerForm, CompanySize, Comparison, ContractKind, ModalityLimit, RepairLimit, RevenueLimit, WaiverLimit,
    modality_limit, revenue_limit, vehicle_repair_limit, waiver_limit,
};

const FILES: [(&str, &str); 10] = [
    ("amendments", include_str!("../law/amendments.toml")),
    ("bid_floors", include_str!("../law/bid_floors.toml")),
    ("companies", include_str!("../law/companies.toml")),
    ("modalities", include_str!("../law/modalities.toml")),
    ("modality_limits", include_str!("../law/modality_limits.toml")),
    ("publication", include_str!("../law/publication.toml")),
    ("regimes", include_str!("../law/regimes.toml")),
    ("vehicle_repairs", include_str!("../law/vehicle_repairs.toml")),
    ("waivers", include_str!("../law/waivers.toml")),
    ("windows", include_str!("../law/windows.toml")),
];

/// Names the state of all legal data, holidays included: 16 hexadecimal digits that change with any byte of it.
///
/// Every run of the flags records it, so that a finding can be made again with the law it was made with.
pub static LAW_VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut all = String::from(crate::calendar::HOLIDAYS_TOML);
    for (name, text) in FILES {
        all.push('\0');
        all.push_str(name);
        all.push('\0');
        all.push_str(text);
    }
    format!("{:016x}", xxh3_64(all.as_bytes()))
});

static LAW: LazyLock<Law> =
    LazyLock::new(|| Law::read(&FILES).expect("law/*.toml is part of the program and its tests read it"));

/// All tables. Prefer the lookups; this is for showing the tables and for loading them into an engine.
#[must_use]
pub fn law() -> &'static Law {
    &LAW
}

/// Why a table of legal limits is not right.
#[derive(Debug, Error)]
pub enum LawError {
    /// A table that is not there.
    #[error("the table `{0}` is missing")]
    Missing(&'static str),
    /// A text that is not such a table.
    #[error("the table `{table}` cannot be read")]
    Parse {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        #[source]
        cause: toml::de::Error,
    },
    /// A heading that no table has.
    #[error("the table `{table}` has a heading `{heading}` that is not known")]
    Heading {
        /// The table.
        table: &'static str,
        /// The heading.
        heading: String,
    },
    /// A row that ends before it begins.
    #[error("the table `{table}` has a row of `{rule}` from {from} that ends before it begins")]
    Backwards {
        /// The table.
        table: &'static str,
        /// The rule.
        rule: String,
        /// Its first day.
        from: NaiveDate,
    },
    /// Two rows of one rule that overlap or stand in the wrong order.
    #[error("the table `{table}` has a row of `{rule}` from {from} that does not begin after the one before it ends")]
    Overlap {
        /// The table.
        table: &'static str,
        /// The rule.
        rule: String,
        /// The later row's first day.
        from: NaiveDate,
    },
}

/// The tables.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Law {
    /// Shares that amendments may reach.
    pub amendments: Vec<AmendmentShare>,
    /// Shares of the estimate under which a bid is too low.
    pub bid_floors: Vec<BidFloor>,
    /// Revenue limits of company sizes.
    pub companies: Vec<RevenueLimit>,
    /// Limits of the modalities of Lei 8.666.
    pub modality_limits: Vec<ModalityLimit>,
    /// PNCP's numbers for modalities.
    pub pncp_modalities: Vec<SourceModality>,
    /// The Portal da Transparência's numbers for modalities.
    pub portal_modalities: Vec<SourceModality>,
    /// Deadlines for publication in PNCP.
    pub publication: Vec<PublicationDeadline>,
    /// Who need not publish in PNCP yet.
    pub publication_exemptions: Vec<PublicationExemption>,
    /// The laws themselves.
    pub regimes: Vec<RegimeRow>,
    /// Small vehicle repairs.
    pub vehicle_repairs: Vec<RepairLimit>,
    /// Waivers by value.
    pub waivers: Vec<WaiverLimit>,
    /// Windows from publication to proposals.
    pub windows: Vec<ProposalWindow>,
    pub(crate) emergency: Vec<regime::EmergencyLaw>,
    pub(crate) bare_articles: Vec<regime::BareArticles>,
}

impl Law {
    fn read(files: &[(&str, &str)]) -> Result<Self, LawError> {
        let source = Source(files);
        Ok(Self {
            amendments: checked("amendments", source.rows("amendments", "share")?)?,
            bid_floors: checked("bid_floors", source.rows("bid_floors", "floor")?)?,
            companies: checked("companies", source.rows("companies", "limit")?)?,
            modality_limits: checked("modality_limits", source.rows("modality_limits", "limit")?)?,
            pncp_modalities: source.rows("modalities", "pncp")?,
            portal_modalities: source.rows("modalities", "portal")?,
            publication: checked("publication", source.rows("publication", "deadline")?)?,
            publication_exemptions: checked("publication", source.rows("publication", "exemption")?)?,
            regimes: checked("regimes", source.rows("regimes", "regime")?)?,
            vehicle_repairs: checked("vehicle_repairs", source.rows("vehicle_repairs", "repair")?)?,
            waivers: checked("waivers", source.rows("waivers", "waiver")?)?,
            windows: checked("windows", source.rows("windows", "window")?)?,
            emergency: source.rows("regimes", "emergency")?,
            bare_articles: source.rows("regimes", "bare_article")?,
        })
    }
}

/// How one source numbers the ways of buying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SourceModality {
    /// The source's number.
    pub code: i64,
    /// The source's words.
    pub name: String,
    /// Whether the purchase registers prices (*registro de preços*) by this number alone.
    #[serde(default)]
    pub price_registration: bool,
}

impl SourceModality {
    /// The modality it means.
    #[must_use]
    pub fn modality(&self) -> Option<Modality> {
        Modality::from_words(&self.name)
    }
}

/// What PNCP means by a `modalidadeId`.
#[must_use]
pub fn pncp_modality(code: i64) -> Option<&'static SourceModality> {
    law().pncp_modalities.iter().find(|row| row.code == code)
}

/// What the Portal da Transparência means by a *Código Modalidade Compra*; only the numbers we are sure of.
#[must_use]
pub fn portal_modality(code: i64) -> Option<&'static SourceModality> {
    law().portal_modalities.iter().find(|row| row.code == code)
}

/// A row with the days it is in force, both ends included.
pub(crate) trait Dated {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>);

    /// The rules it is a version of: no two rows of one rule are in force on one day.
    fn rules(&self) -> Vec<String>;

    fn is_in_force(&self, on: NaiveDate) -> bool {
        let (from, to) = self.days();
        from <= on && to.is_none_or(|to| on <= to)
    }
}

pub(crate) fn in_force<T: Dated>(rows: &[T], on: NaiveDate) -> impl Iterator<Item = &T> {
    rows.iter().filter(move |row| row.is_in_force(on))
}

fn checked<T: Dated>(table: &'static str, rows: Vec<T>) -> Result<Vec<T>, LawError> {
    let mut ends: Vec<(String, Option<NaiveDate>)> = Vec::new();
    for row in &rows {
        let (from, to) = row.days();
        for rule in row.rules() {
            if to.is_some_and(|to| to < from) {
                return Err(LawError::Backwards { table, rule, from });
            }
            match ends.iter_mut().find(|(known, _)| *known == rule) {
                None => ends.push((rule, to)),
                Some((_, end)) if end.is_some_and(|end| end < from) => *end = to,
                Some(_) => return Err(LawError::Overlap { table, rule, from }),
            }
        }
    }
    Ok(rows)
}

struct Source<'a>(&'a [(&'a str, &'a str)]);

/// Every heading a file may hold, so that a misspelt one is an error and not a lost row.
const HEADINGS: [&str; 13] = [
    "bare_article",
    "deadline",
    "emergency",
    "exemption",
    "floor",
    "limit",
    "pncp",
    "portal",
    "regime",
    "repair",
    "share",
    "waiver",
    "window",
];

impl Source<'_> {
    fn rows<T: DeserializeOwned>(&self, table: &'static str, heading: &'static str) -> Result<Vec<T>, LawError> {
        let (_, text) = self.0.iter().find(|(name, _)| *name == table).ok_or(LawError::Missing(table))?;
        let mut file: toml::Table = toml::from_str(text).map_err(|cause| LawError::Parse { table, cause })?;
        if let Some(heading) = file.keys().find(|heading| !HEADINGS.contains(&heading.as_str())) {
            return Err(LawError::Heading { table, heading: heading.clone() });
        }
        let rows = file.remove(heading).ok_or(LawError::Missing(heading))?;
        rows.try_into().map_err(|cause| LawError::Parse { table, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// A day, from `AAAA-MM-DD`.
    pub(crate) fn on(day: &str) -> NaiveDate {
        day.parse().unwrap()
    }

    fn with(table: &str, text: &str) -> Result<Law, LawError> {
        let files: Vec<(&str, &str)> =
            FILES.iter().map(|(name, old)| (*name, if *name == table { text } else { *old })).collect();
        Law::read(&files)
    }

    const REPAIR: &str =
        "value = \"1.00\"\ncomparison = \"<=\"\narticle = \"a\"\nact = \"b\"\nregime = \"lei_14133\"\n";

    fn repairs(periods: &[(&str, Option<&str>)]) -> Result<Law, LawError> {
        let rows: Vec<String> = periods
            .iter()
            .map(|(from, to)| {
                let to = to.map(|to| format!("to = \"{to}\"\n")).unwrap_or_default();
                format!("[[repair]]\n{REPAIR}from = \"{from}\"\n{to}")
            })
            .collect();
        with("vehicle_repairs", &rows.join("\n"))
    }

    #[test]
    fn the_tables_of_the_program_are_right() {
        let law = Law::read(&FILES).unwrap();
        assert_eq!(law.waivers.len(), 20);
        assert_eq!(law.windows.len(), 8);
        assert_eq!(&law, super::law());
    }

    #[test]
    fn rows_that_touch_are_right_and_rows_that_overlap_are_refused() {
        assert!(repairs(&[("2025-01-01", Some("2025-12-31")), ("2026-01-01", None)]).is_ok());
        let overlap = repairs(&[("2025-01-01", Some("2026-01-01")), ("2026-01-01", None)]);
        assert!(matches!(overlap, Err(LawError::Overlap { .. })));
        let open = repairs(&[("2025-01-01", None), ("2026-01-01", None)]);
        assert!(matches!(open, Err(LawError::Overlap { .. })));
        let unsorted = repairs(&[("2026-01-01", Some("2026-12-31")), ("2025-01-01", Some("2025-12-31"))]);
        assert!(matches!(unsorted, Err(LawError::Overlap { .. })));
        let backwards = repairs(&[("2026-01-01", Some("2025-12-31"))]);
        assert!(matches!(backwards, Err(LawError::Backwards { .. })));
    }

    #[test]
    fn a_misspelt_table_is_refused() {
        assert!(matches!(with("windows", "[[windw]]\n"), Err(LawError::Heading { .. })));
        assert!(matches!(with("windows", ""), Err(LawError::Missing(_))));
        assert!(matches!(with("windows", "[[window]]\nday = 1\n"), Err(LawError::Parse { .. })));
        assert!(matches!(with("windows", "[["), Err(LawError::Parse { .. })));
    }

    #[test]
    fn pncp_and_the_portal_number_modalities_each_their_own_way() {
        assert_eq!(law().pncp_modalities.len(), 13);
        for row in &law().pncp_modalities {
            assert!(row.modality().is_some());
            assert_eq!(row.modality(), Modality::from_pncp(row.code), "{}", row.name);
        }
        let portal = |code| portal_modality(code).and_then(SourceModality::modality);
        assert_eq!(portal(5), Some(Modality::Pregao));
        assert_eq!(portal(6), Some(Modality::Dispensa));
        assert_eq!(portal(7), Some(Modality::Inexigibilidade));
        assert_eq!(portal(-99), Some(Modality::Pregao));
        assert!(portal_modality(-99).unwrap().price_registration);
        assert_eq!(portal(8), None);
        assert_eq!(pncp_modality(6).map(|row| row.name.as_str()), Some("Pregão eletrônico"));
        assert_eq!(pncp_modality(14), None);
        let codes: HashSet<i64> = law().pncp_modalities.iter().map(|row| row.code).collect();
        assert_eq!(codes.len(), 13);
    }

    #[test]
    fn the_version_is_sixteen_digits_and_stands_still() {
        assert_eq!(LAW_VERSION.len(), 16);
        assert!(LAW_VERSION.bytes().all(|b| b.is_ascii_hexdigit()));
    }
}
