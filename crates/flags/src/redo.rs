//! Judging one subject anew, and comparing what comes out with what was said.

use std::collections::{BTreeMap, BTreeSet};

use lake::{Literal, Session};
use serde::Serialize;
use serde_json::Value;

use crate::finding::hit_of;
use crate::judge::{peer_values, prepare_under, set_scope, sql_with_parameters};
use crate::law_tables::LawTables;
use crate::{Error, Flag, Result};

/// Binary fractions come out alike to this share of their size: their sums depend on the order of the rows.
const SHARE_APART_MAX: f64 = 1e-9;

/// What a judgement of one subject gave.
#[derive(Debug, Clone)]
pub struct Redone {
    /// The row of the flag's SQL, column by column, as text.
    pub row: BTreeMap<String, Option<String>>,
    /// The finding, when it is a hit.
    pub finding: Option<Value>,
}

/// A value that came out otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Where: `finding.measure`, `judged.ev_total`.
    pub what: String,
    /// What was said.
    pub said: Value,
    /// What came out.
    pub redone: Value,
}

/// Judges `subject` of `group` over what the session holds, under the limits of `law` or this program's own. `None` when it
/// is not judged at all.
///
/// # Errors
/// The analysis fails.
pub fn redo(
    session: &Session,
    flag: &Flag,
    group: &str,
    subject: &str,
    law: Option<&LawTables>,
) -> Result<Option<Redone>> {
    let failed = |cause: lake::Error| Error::Analysis { flag: flag.code.clone(), cause };
    let text = |text: &str| Literal::Text(text.to_owned()).sql();
    set_scope(session, Some(&format!("select {} as k", text(group)))).map_err(failed)?;
    prepare_under(session, flag, law)?;
    session
        .run(&format!(
            "create or replace temp table judged as select * from ({}\n) as judged where subject_id = {}",
            sql_with_parameters(flag, &flag.sql)?,
            text(subject)
        ))
        .map_err(failed)?;
    let peers = peer_values(session, flag).map_err(failed)?;
    let mut redone = None;
    session
        .rows("select * from judged", |row| {
            let values = row.get("peer_key").and_then(|key| peers.get(key)).map_or(&[][..], Vec::as_slice);
            let hit = (row.get("outcome") == Some("hit")).then(|| hit_of(flag, row, values));
            redone = Some(Redone {
                row: row.columns().map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect(),
                finding: hit.and_then(|hit| serde_json::from_str(&hit.body).ok()),
            });
            Ok(())
        })
        .map_err(failed)?;
    Ok(redone)
}

/// What came out otherwise than `said` (both JSON), named from `what` down. What stands in `said` alone is not
/// compared unless it lies within something that is.
#[must_use]
pub fn differences(what: &str, said: &Value, redone: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(what, said, redone, &mut found);
    found
}

fn compare(what: &str, said: &Value, redone: &Value, found: &mut Vec<Difference>) {
    match (said, redone) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let get = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                compare(&format!("{what}.{name}"), &get(a), &get(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{what}[{at}]"), a, b, found);
            }
        }
        _ if said == redone => {}
        (Value::String(a), Value::String(b)) if are_one_fraction(a, b) => {}
        _ => found.push(Difference { what: what.to_owned(), said: said.clone(), redone: redone.clone() }),
    }
}

/// Two texts of binary fractions that differ by no more than the order of a sum can make. Money, with its four decimals
/// at most, is compared as it is written.
fn are_one_fraction(a: &str, b: &str) -> bool {
    let long = |text: &str| text.contains(['e', 'E']) || text.split_once('.').is_some_and(|(_, after)| after.len() > 4);
    let (Ok(x), Ok(y)) = (a.parse::<f64>(), b.parse::<f64>()) else { return false };
    (long(a) || long(b)) && (x - y).abs() <= SHARE_APART_MAX * x.abs().max(y.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_difference_is_named_and_nothing_else() {
        let said =
            json!({"measure": "10.0000", "peers": {"n": 3, "values": ["1", "2"]}, "share": "0.33333333333333331"});
        let mut redone = said.clone();
        redone["share"] = json!("0.33333333333333337");
        assert_eq!(differences("finding", &said, &redone), []);
        redone["measure"] = json!("10.0001");
        redone["peers"]["values"][1] = json!("3");
        let named: Vec<String> = differences("finding", &said, &redone).into_iter().map(|d| d.what).collect();
        assert_eq!(named, ["finding.measure", "finding.peers.values[1]"]);
        redone["peers"] = json!(null);
        assert_eq!(differences("finding", &said, &redone).len(), 2);
    }

    #[test]
    fn money_is_compared_to_the_last_decimal() {
        assert!(!are_one_fraction("99999999999999.0000", "99999999999999.0001"));
        assert!(!are_one_fraction("100000000000.01", "100000000000.02"));
        assert!(are_one_fraction("0.123456789012345", "0.123456789012346"));
        assert!(!are_one_fraction("0.12345", "0.12346"));
    }
}
