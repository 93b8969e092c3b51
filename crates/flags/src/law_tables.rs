//! The derived tables that hold the law: dated limits and the calendar, from the model's data, and the forms of buyers
//! for which it has limits of their own.
//!
//! Legal limits stand in `model`'s data alone; a flag that needs one names its table under `derived` and joins it by
//! regime and day. `until_on` is the last day, 9999-12-31 where the row has no end.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lake::{Literal, Session};
use model::law::{Change, CompanySize, Comparison, ContractKind, Procedure, ProposalKind, law};

use crate::{Error, Flag, Result};

/// Rows of one INSERT.
const LOT: usize = 5_000;
/// The day on which the count of business days starts.
const CALENDAR_FROM: (i32, u32, u32) = (2003, 1, 1);
/// The day on which it ends.
const CALENDAR_TO: (i32, u32, u32) = (2060, 12, 31);

/// Makes the temporary table `name`; `false` when it is none of those made here.
pub(crate) fn make(session: &Session, name: &str) -> Result<bool> {
    let sql = match name {
        "business_days" => Some(business_days()),
        "buyer_forms" => {
            Some(concat!("create or replace temp table buyer_forms as ", include_str!("buyer_forms.sql")).to_owned())
        }
        _ => None,
    };
    if let Some(sql) = sql {
        session.run(&sql)?;
        return Ok(true);
    }
    let Some((columns, rows)) = limits(name) else { return Ok(false) };
    session.run(&format!("create or replace temp table {name} ({columns})"))?;
    for lot in rows.chunks(LOT) {
        session.run(&format!("insert into {name} values {}", lot.join(",")))?;
    }
    Ok(true)
}

/// The rows of dated limits, by table; every value as text.
pub type LawTables = BTreeMap<String, Vec<BTreeMap<String, String>>>;

/// Whether a derived table holds dated limits of the law.
#[must_use]
pub fn is_law_table(name: &str) -> bool {
    limits(name).is_some()
}

/// The rows of those of `names` that hold dated limits, as this program has them.
///
/// # Errors
/// The session cannot hold them.
pub fn law_tables(session: &Session, names: &[String]) -> Result<LawTables> {
    let mut tables = LawTables::new();
    for name in names.iter().filter(|name| is_law_table(name)) {
        make(session, name)?;
        let mut rows = Vec::new();
        session.rows(&format!("select * from {name} order by all"), |row| {
            rows.push(row.columns().map(|(k, v)| (k.to_owned(), v.unwrap_or_default().to_owned())).collect());
            Ok(())
        })?;
        tables.insert(name.clone(), rows);
    }
    Ok(tables)
}

/// Makes the temporary table `name` of the limits that are given instead of this program's own.
pub(crate) fn make_given(session: &Session, flag: &Flag, name: &str, law: Option<&LawTables>) -> Result<()> {
    let wrong =
        |because: &str| Error::Folder { flag: flag.code.clone(), because: format!("law.json: {name}: {because}") };
    let rows = law.and_then(|law| law.get(name)).ok_or_else(|| wrong("is missing"))?;
    let (columns, _) = limits(name).ok_or_else(|| wrong("is no table of limits"))?;
    session.run(&format!("create or replace temp table {name} ({columns})"))?;
    let names: Vec<&str> = columns.split(", ").filter_map(|column| column.split(' ').next()).collect();
    for row in rows {
        if row.len() != names.len() {
            return Err(wrong("a row has other columns"));
        }
        let values = names
            .iter()
            .map(|name| row.get(*name).map(|value| text(value)).ok_or_else(|| wrong("a row lacks a column")));
        let values: Vec<String> = values.collect::<Result<_>>()?;
        session.run(&format!("insert into {name} values ({})", values.join(", ")))?;
    }
    Ok(())
}

/// Columns and rows of a table of dated limits.
fn limits(name: &str) -> Option<(&'static str, Vec<String>)> {
    Some(match name {
        "waiver_limits" => waiver_limits(),
        "vehicle_repair_limits" => vehicle_repair_limits(),
        "amendment_shares" => amendment_shares(),
        "proposal_windows" => proposal_windows(),
        "publication_deadlines" => publication_deadlines(),
        "publication_exemptions" => publication_exemptions(),
        "revenue_limits" => revenue_limits(),
        "regimes" => regimes(),
        _ => return None,
    })
}

fn text(value: &str) -> String {
    Literal::Text(value.to_owned()).sql()
}

fn period(from: NaiveDate, to: Option<NaiveDate>) -> String {
    format!("date '{from}', date '{}'", to.map_or_else(|| "9999-12-31".to_owned(), |to| to.to_string()))
}

/// Whether the limit itself is still allowed.
fn inclusive(comparison: Comparison) -> bool {
    comparison == Comparison::UpTo
}

fn waiver_limits() -> (&'static str, Vec<String>) {
    let mut rows = Vec::new();
    for row in &law().waivers {
        for kind in &row.kinds {
            let kind = match kind {
                ContractKind::Works => "works",
                ContractKind::VehicleUpkeep => "vehicle_upkeep",
                ContractKind::Other => "other",
            };
            rows.push(format!(
                "({}, '{kind}', {}, {}, {}, {}, {}, {})",
                text(row.regime.code()),
                period(row.from, row.to),
                row.value,
                inclusive(row.comparison),
                !row.doubled_for.is_empty(),
                text(&row.article),
                text(&row.act)
            ));
        }
    }
    (
        "regime varchar, kind varchar, from_on date, until_on date, amount decimal(18,4), inclusive boolean, doubles boolean, article varchar, act varchar",
        rows,
    )
}

fn vehicle_repair_limits() -> (&'static str, Vec<String>) {
    let rows = law()
        .vehicle_repairs
        .iter()
        .map(|row| {
            format!(
                "({}, {}, {}, {}, {}, {})",
                text(row.regime.code()),
                period(row.from, row.to),
                row.value,
                inclusive(row.comparison),
                text(&row.article),
                text(&row.act)
            )
        })
        .collect();
    (
        "regime varchar, from_on date, until_on date, amount decimal(18,4), inclusive boolean, article varchar, act varchar",
        rows,
    )
}

fn amendment_shares() -> (&'static str, Vec<String>) {
    let rows = law()
        .amendments
        .iter()
        .map(|row| {
            let change = match row.change {
                Change::Addition => "addition",
                Change::AdditionInRenovation => "addition_in_renovation",
                Change::Reduction => "reduction",
            };
            format!(
                "({}, '{change}', {}, {}, {}, {})",
                text(row.regime.code()),
                period(row.from, row.to),
                row.share,
                text(&row.article),
                text(&row.act)
            )
        })
        .collect();
    (
        "regime varchar, change varchar, from_on date, until_on date, share decimal(18,4), article varchar, act varchar",
        rows,
    )
}

fn proposal_windows() -> (&'static str, Vec<String>) {
    let rows = law()
        .windows
        .iter()
        .map(|row| {
            let kind = match row.kind {
                ProposalKind::GoodsLowestPrice => "goods_lowest_price",
                ProposalKind::GoodsOther => "goods_other",
                ProposalKind::CommonServices => "common_services",
                ProposalKind::SpecialServices => "special_services",
                ProposalKind::IntegratedContracting => "integrated_contracting",
                ProposalKind::SemiIntegratedOrOther => "semi_integrated_or_other",
                ProposalKind::HighestBid => "highest_bid",
                ProposalKind::Technique => "technique",
            };
            format!(
                "({}, '{kind}', {}, {}, {}, {}, {})",
                text(row.regime.code()),
                period(row.from, row.to),
                row.business_days,
                row.least_business_days(true),
                text(&row.article),
                text(&row.act)
            )
        })
        .collect();
    (
        "regime varchar, kind varchar, from_on date, until_on date, days bigint, days_sus bigint, article varchar, act varchar",
        rows,
    )
}

fn publication_deadlines() -> (&'static str, Vec<String>) {
    let rows = law()
        .publication
        .iter()
        .map(|row| {
            let procedure = match row.procedure {
                Procedure::Tender => "tender",
                Procedure::DirectAward => "direct_award",
            };
            format!(
                "({}, '{procedure}', {}, {}, {}, {})",
                text(row.regime.code()),
                period(row.from, row.to),
                row.business_days,
                text(&row.article),
                text(&row.act)
            )
        })
        .collect();
    ("regime varchar, procedure varchar, from_on date, until_on date, days bigint, article varchar, act varchar", rows)
}

fn publication_exemptions() -> (&'static str, Vec<String>) {
    let rows = law()
        .publication_exemptions
        .iter()
        .map(|row| {
            format!(
                "({}, {}, {}, {})",
                row.population_max,
                period(row.from, row.to),
                text(&row.article),
                text(&row.act)
            )
        })
        .collect();
    ("population_max bigint, from_on date, until_on date, article varchar, act varchar", rows)
}

fn revenue_limits() -> (&'static str, Vec<String>) {
    let rows = law()
        .companies
        .iter()
        .map(|row| {
            let size = match row.size {
                CompanySize::Mei => "MEI",
                CompanySize::Me => "ME",
                CompanySize::Epp => "EPP",
            };
            format!(
                "('{size}', {}, {}, {}, {}, {})",
                period(row.from, row.to),
                row.revenue,
                inclusive(row.comparison),
                text(&row.article),
                text(&row.act)
            )
        })
        .collect();
    (
        "size varchar, from_on date, until_on date, amount decimal(18,4), inclusive boolean, article varchar, act varchar",
        rows,
    )
}

fn regimes() -> (&'static str, Vec<String>) {
    let rows = law()
        .regimes
        .iter()
        .map(|row| {
            format!("({}, {}, {}, {})", text(row.code.code()), row.general, period(row.from, row.to), text(&row.act))
        })
        .collect();
    ("regime varchar, general boolean, from_on date, until_on date, act varchar", rows)
}

/// How many business days lie between the calendar's start and a day, that day included: the difference of two is the
/// count of the law, the first day left out and the last counted. The engine counts; the holidays are the model's.
fn business_days() -> String {
    let day = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).expect("the calendar's ends are days");
    let (first, last) = (day(CALENDAR_FROM), day(CALENDAR_TO));
    let holidays: Vec<String> = first
        .iter_days()
        .take_while(|on| *on <= last)
        .filter(|on| model::calendar::holiday_on(*on).is_some())
        .map(|on| format!("date '{on}'"))
        .collect();
    format!(
        "create or replace temp table business_days as
         select on_day, cast(sum(case when isodow(on_day) < 6 and on_day not in ({}) then 1 else 0 end) over (order by on_day) as bigint) as ordinal
         from (select cast(unnest(generate_series(date '{first}', date '{last}', interval 1 day)) as date) as on_day) as days",
        holidays.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_in_the_session_counts_as_the_model_does() {
        let session = Session::of_rows(&std::collections::BTreeMap::new()).unwrap();
        assert!(make(&session, "business_days").unwrap());
        for (from, to) in [("2024-03-01", "2024-04-22"), ("2023-12-29", "2024-01-02"), ("2024-11-19", "2024-11-21")] {
            let (a, b): (NaiveDate, NaiveDate) = (from.parse().unwrap(), to.parse().unwrap());
            let sql = format!(
                "select (select ordinal from business_days where on_day = date '{to}') - (select ordinal from business_days where on_day = date '{from}')"
            );
            assert_eq!(session.count(&sql).unwrap(), model::calendar::business_days_between(a, b), "{from} {to}");
        }
    }

    #[test]
    fn every_row_of_the_law_is_in_the_session() {
        let session = Session::of_rows(&std::collections::BTreeMap::new()).unwrap();
        for (table, rows) in [
            ("waiver_limits", law().waivers.iter().map(|w| w.kinds.len()).sum::<usize>()),
            ("vehicle_repair_limits", law().vehicle_repairs.len()),
            ("amendment_shares", law().amendments.len()),
            ("proposal_windows", law().windows.len()),
            ("publication_deadlines", law().publication.len()),
            ("publication_exemptions", law().publication_exemptions.len()),
            ("revenue_limits", law().companies.len()),
            ("regimes", law().regimes.len()),
        ] {
            assert!(make(&session, table).unwrap());
            let held = session.count(&format!("select count(*) from {table} where until_on >= from_on")).unwrap();
            assert_eq!(held, i64::try_from(rows).unwrap(), "{table}");
        }
        assert!(!make(&session, "no_such_table").unwrap());
    }
}
