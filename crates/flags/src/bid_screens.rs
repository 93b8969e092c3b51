//! The derived table `bid_screens`: the screens of every lot that somebody bid for, or what is missing for them.
//!
//! SQL puts the valid prices of each lot together (`bid_lots.sql`), here the screens are reckoned. Lots come in portions,
//! so memory stays flat; their order does not matter, each is reckoned alone.

use lake::{Literal, Session, TextRow};

use crate::Result;
use crate::screens::Screens;

/// Bids read at once, about.
const PART_ROWS: i64 = 200_000;
/// Lots are written in as many at once.
const WRITTEN_AT_ONCE: usize = 1_000;

/// Makes the temporary table `bid_screens` for the markets in `scope`.
pub(crate) fn make(session: &Session) -> Result<()> {
    session.run(
        "create or replace temp table bid_screens (subject_id varchar, tender_id varchar, lot varchar, item varchar,
           source varchar, group_key varchar, bidders integer, missing varchar, lowest double, cv double, spd double,
           diffp double, rd double, skewness double, kurtosis double, ks double)",
    )?;
    let parts = session.count("select count(*) from bids")? / PART_ROWS + 1;
    let select = include_str!("bid_lots.sql").replace("$parts", &parts.to_string());
    session.run(&format!("create or replace temp table bid_lots as {select}"))?;
    // What lacks something has no screens: it need not pass through here.
    session.run(
        "insert into bid_screens by name select subject_id, tender_id, lot, item, source, group_key, bidders, missing
           from bid_lots where missing is not null",
    )?;
    let mut written: Vec<String> = Vec::new();
    for part in 0..parts {
        let lots = format!("select * from bid_lots where part = {part} and missing is null order by subject_id");
        session.rows(&lots, |row| {
            written.push(values_of(row));
            if written.len() >= WRITTEN_AT_ONCE { write(session, &mut written) } else { Ok(()) }
        })?;
    }
    write(session, &mut written)?;
    session.run("drop table bid_lots")?;
    Ok(())
}

fn values_of(row: &TextRow) -> String {
    let text = |name: &str| row.get(name).map_or("null".to_owned(), |text| Literal::Text(text.to_owned()).sql());
    let prices: Vec<f64> =
        row.get("prices").unwrap_or_default().split(',').filter_map(|price| price.parse().ok()).collect();
    let screens = Screens::of(&prices);
    let number = |value: Option<f64>| value.map_or("null".to_owned(), |value| format!("{value:.9}"));
    // Prices without any spread have no shape to compare.
    let missing = if screens.skewness.is_none() { "'bids.spread'" } else { "null" };
    let mut values: Vec<String> = ["subject_id", "tender_id", "lot", "item", "source", "group_key"].map(text).to_vec();
    values.push(row.get("bidders").unwrap_or("null").to_owned());
    values.push(missing.to_owned());
    values.push(number(prices.first().copied()));
    values.extend(screens.values().map(number));
    format!("({})", values.join(", "))
}

fn write(session: &Session, written: &mut Vec<String>) -> lake::Result<()> {
    if written.is_empty() {
        return Ok(());
    }
    session.run(&format!("insert into bid_screens values {}", written.join(",")))?;
    written.clear();
    Ok(())
}
