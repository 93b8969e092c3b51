//! What is held, in numbers.

use std::collections::BTreeMap;

use app::App;
use async_graphql::dynamic::TypeRef;
use serde_json::{Value, json};

use super::build::{Types, field};
use super::limits::Cost;
use super::refusal::Refusal;
use super::resolve::{Resolve, one};
use super::shapes::{Holds, ShapeField};

/// Kinds of records, as their tables are named.
const TABLES: [&str; 8] = ["contracts", "tenders", "items", "bids", "amendments", "suppliers", "buyers", "sanctions"];

/// Adds `stats` to the root.
pub fn add(types: &mut Types<'_>) {
    let scalar = |key: &str, scalar, description: &str| ShapeField {
        key: key.to_owned(),
        name: super::names::camel(key),
        description: Some(description.to_owned()),
        holds: Holds::Scalar(scalar),
        is_list: false,
        is_id: false,
    };
    types.add("FlagCount", "Open findings of one flag.");
    for (key, kind, description) in [("flag", "String", "The flag's code."), ("open", "Long", "How many are open.")] {
        types.shape_field("FlagCount", &scalar(key, kind, description), Cost::Scalar);
    }
    types.add("Stats", "What is held, in numbers: rows of all sources, whether or not two of them are of one thing.");
    for table in TABLES {
        types.shape_field("Stats", &scalar(table, "Long", "Rows held."), Cost::Scalar);
    }
    let total = scalar("open_findings", "Long", "Findings that hold now, context among them.");
    types.shape_field("Stats", &total, Cost::Scalar);
    let by_flag = ShapeField {
        key: "open_findings_by_flag".to_owned(),
        name: "openFindingsByFlag".to_owned(),
        description: Some("The same by flag; those without any are not named.".to_owned()),
        holds: Holds::Object("FlagCount".to_owned()),
        is_list: true,
        is_id: false,
    };
    types.shape_field("Stats", &by_flag, Cost::Object("FlagCount".to_owned()));
    let answer = Resolve::Root(Box::new(|asking| Ok(one(figures(asking.app)?))));
    let field = field("stats", TypeRef::named("Stats"));
    types.field("Query", "stats", Cost::Object("Stats".to_owned()), answer, field);
}

fn figures(app: &App) -> Result<Value, Refusal> {
    let figures = app.counts()?;
    let mut rows: BTreeMap<String, i64> = TABLES.iter().map(|table| ((*table).to_owned(), 0)).collect();
    for (table, n) in figures.rows {
        *rows.entry(table).or_default() += n;
    }
    let total: i64 = figures.open_findings.iter().map(|(_, open)| open).sum();
    let by_flag = figures.open_findings.iter().map(|(flag, open)| json!({"flag": flag, "open": open}));
    let mut stats = json!(rows);
    stats["open_findings_by_flag"] = by_flag.collect();
    stats["open_findings"] = total.into();
    Ok(stats)
}
