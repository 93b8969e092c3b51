//! SQL that computes fewer columns, made by the engine's own parser.
//!
//! DuckDB computes every column of a subquery that has a table expression it materialises, whether anyone asks for the column or
//! not. So what is not asked for is taken out of the statement itself.

use serde_json::Value;

use crate::{Error, Result, Session};

impl Session {
    /// The statement with those columns of its outermost SELECTs that `keep` names (by alias, else by the column's name).
    /// Whatever the parser gives that is not a SELECT or a union of them comes back as it is. `cross join` comes back as a
    /// comma, which binds less than the joins after it: write `join … on true`.
    ///
    /// # Errors
    /// It is not one SELECT.
    pub fn only_columns(&self, sql: &str, keep: impl Fn(&str) -> bool) -> Result<String> {
        let parsed: String =
            self.connection()
                .query_row("select cast(json_serialize_sql(?::varchar) as varchar)", [sql], |row| row.get(0))?;
        let mut parsed: Value = serde_json::from_str(&parsed).unwrap_or_default();
        let Some(node) = parsed.pointer_mut("/statements/0/node") else {
            return Err(Error::Refused(
                parsed["error_message"].as_str().unwrap_or("not SQL that can be read").to_owned(),
            ));
        };
        narrow(node, &keep);
        Ok(self
            .connection()
            .query_row("select json_deserialize_sql(?::json)", [parsed.to_string()], |row| row.get(0))?)
    }
}

fn narrow(node: &mut Value, keep: &impl Fn(&str) -> bool) {
    if let Some(columns) = node.get_mut("select_list").and_then(Value::as_array_mut) {
        columns.retain(|column| column["type"] == "STAR" || keep(name_of(column)));
        return;
    }
    for side in ["left", "right"] {
        if let Some(side) = node.get_mut(side) {
            narrow(side, keep);
        }
    }
    for child in node.get_mut("children").and_then(Value::as_array_mut).into_iter().flatten() {
        narrow(child, keep);
    }
}

/// The alias of a column, else the last part of its name.
fn name_of(column: &Value) -> &str {
    match column["alias"].as_str() {
        Some(alias) if !alias.is_empty() => alias,
        _ => column["column_names"].as_array().and_then(|names| names.last()?.as_str()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn only_what_is_asked_for_is_computed() {
        let session = Session::of_rows(&BTreeMap::new()).unwrap();
        let sql = "with c as materialized (select 1 as x) select x, x + 1 as y, c.x as z from c union all by name select 3 as x, 'a' as t";
        let narrow = session.only_columns(sql, |name| name == "x").unwrap();
        assert!(!narrow.contains(" y") && !narrow.contains(" z") && !narrow.contains("'a'"), "{narrow}");
        assert_eq!(session.count(&format!("select cast(sum(x) as bigint) from ({narrow}) as q")).unwrap(), 4);
        assert_eq!(session.only_columns("from contracts", |_| false).unwrap(), "SELECT * FROM contracts");
        assert!(session.only_columns("drop table contracts", |_| true).is_err());
    }
}
