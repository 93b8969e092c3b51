//! What is held, in numbers.

use std::collections::BTreeMap;

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, TypeRef};
use serde_json::json;

use super::build::Types;
use super::limits::Cost;
use super::shapes::{Holds, ShapeField};
use super::values::{field_of, loads, or_nothing};

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
        types.field("FlagCount", key, Cost::Scalar, field_of(&scalar(key, kind, description)));
    }
    types.add("Stats", "What is held, in numbers: rows of all sources, whether or not two of them are of one thing.");
    for table in TABLES {
        types.field("Stats", table, Cost::Scalar, field_of(&scalar(table, "Long", "Rows held.")));
    }
    let total = scalar("open_findings", "Long", "Findings that hold now, context among them.");
    types.field("Stats", "openFindings", Cost::Scalar, field_of(&total));
    let by_flag = ShapeField {
        key: "open_findings_by_flag".to_owned(),
        name: "openFindingsByFlag".to_owned(),
        description: Some("The same by flag; those without any are not named.".to_owned()),
        holds: Holds::Object("FlagCount".to_owned()),
        is_list: true,
        is_id: false,
    };
    types.field("Stats", "openFindingsByFlag", Cost::Object("FlagCount".to_owned()), field_of(&by_flag));
    let field = Field::new("stats", TypeRef::named("Stats"), |context| {
        FieldFuture::new(async move {
            let answered = (|| {
                let figures = loads(&context)?.app().counts()?;
                let mut rows: BTreeMap<String, i64> = TABLES.iter().map(|table| ((*table).to_owned(), 0)).collect();
                for (table, n) in figures.rows {
                    *rows.entry(table).or_default() += n;
                }
                let total: i64 = figures.open_findings.iter().map(|(_, open)| open).sum();
                let by_flag = figures.open_findings.iter().map(|(flag, open)| json!({"flag": flag, "open": open}));
                let mut stats = json!(rows);
                stats["open_findings_by_flag"] = by_flag.collect();
                stats["open_findings"] = total.into();
                Ok(Some(FieldValue::owned_any(stats)))
            })();
            or_nothing(&context, answered)
        })
    });
    types.field("Query", "stats", Cost::Object("Stats".to_owned()), field);
}
