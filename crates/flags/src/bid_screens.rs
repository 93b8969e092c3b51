//! The derived table `bid_screens`: the screens of every lot that somebody bid for, or what is missing for them.
//!
//! SQL puts the valid prices of each lot together (`bid_lots.sql`), here the screens are reckoned. Lots come in portions,
//! so memory stays flat; their order does not matter, each is reckoned alone.

use lake::{Cell, Session, TableWriter, TextRow};

use crate::Result;
use crate::screens::Screens;

/// Bids read at once, about.
const PART_ROWS: i64 = 200_000;

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
    let mut screens = session.fill("bid_screens")?;
    for part in 0..parts {
        let lots = format!("select * from bid_lots where part = {part} and missing is null order by subject_id");
        session.rows(&lots, |row| write(&mut screens, row))?;
    }
    screens.finish()?;
    session.run("drop table bid_lots")?;
    Ok(())
}

fn write(table: &mut TableWriter<'_>, row: &TextRow) -> lake::Result<()> {
    let prices: Vec<f64> =
        row.get("prices").unwrap_or_default().split(',').filter_map(|price| price.parse().ok()).collect();
    let screens = Screens::of(&prices);
    let number = |value: Option<f64>| value.map_or(Cell::Null, |value| Cell::rounded(value, 9));
    let mut cells: Vec<Cell<'_>> = ["subject_id", "tender_id", "lot", "item", "source", "group_key", "bidders"]
        .map(|name| Cell::text(row.get(name)))
        .to_vec();
    // Prices without any spread have no shape to compare.
    cells.push(if screens.skewness.is_none() { Cell::Text("bids.spread") } else { Cell::Null });
    cells.push(number(prices.first().copied()));
    cells.extend(screens.values().map(number));
    table.row(&cells)
}
