//! What the judgement of one subject reads: the canonical rows of its peer group, so that a stranger can redo it.
//!
//! `inputs.sql` of a flag gives them as `tbl` and `id`; the buyers of the contracts and tenders among them come by
//! themselves. A flag without it needs the tables that its SQL names as a whole. Whoever makes a bundle redoes the
//! judgement over these rows alone before handing it out, so rows that do not suffice are found there and then.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lake::{Literal, Session, TextRow};
use model::{ENVELOPE, Kind, TABLES, Table};
use serde_json::{Map, Value};

use crate::judge::{set_scope, sql_with_parameters};
use crate::{Error, Flag, Result};

/// The hashes of contact data: they are compared, never shown. A hash of a telephone is found by trying them all, so
/// numbers stand in their place that are alike where the hashes are.
const CONTACTS: &[&str] = &["address_key", "phone_keys", "email_key"];
/// Columns that say nothing outside of this program's folder, or that no flag reads.
const LEFT_OUT: &[&str] = &["ingest_id", "metadata"];

/// Ids written at once.
const LOT: usize = 1_000;

/// The rows that a judgement reads.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// By table, as JSON: whole numbers and yes or no as such, everything else as text; nulls are left out.
    pub tables: BTreeMap<String, Vec<Map<String, Value>>>,
    /// Whether these are whole tables, not a peer group.
    pub whole_tables: bool,
}

/// Gathers what the judgement of `subject` in `group` reads.
///
/// # Errors
/// `TooLarge` when it is more than `rows_max` rows; the analysis fails.
pub fn gather_inputs(session: &Session, flag: &Flag, group: &str, subject: &str, rows_max: i64) -> Result<Inputs> {
    let failed = |cause: lake::Error| Error::Analysis { flag: flag.code.clone(), cause };
    let subject = Literal::Text(subject.to_owned()).sql();
    set_scope(session, Some(&format!("select {} as k", Literal::Text(group.to_owned()).sql()))).map_err(failed)?;
    let select = match &flag.inputs_sql {
        Some(sql) => sql_with_parameters(flag, sql)?.replace("$subject", &subject),
        None => whole_tables(flag),
    };
    session
        .run(&format!(
            "create or replace temp table judged_inputs as select distinct tbl, id from ({select}) as wanted where id is not null"
        ))
        .map_err(failed)?;
    let rows = session.count("select count(*) from judged_inputs").map_err(failed)?;
    if rows > rows_max {
        return Err(Error::TooLarge { flag: flag.code.clone(), rows, rows_max });
    }
    let mut inputs = Inputs { whole_tables: flag.inputs_sql.is_none(), ..Inputs::default() };
    // Buyers come last: which of them are needed stands in the contracts and tenders.
    for table in TABLES.iter().filter(|t| t.name != "buyers").chain(TABLES.iter().filter(|t| t.name == "buyers")) {
        if table.name == "buyers" {
            add_buyers(session, &inputs).map_err(failed)?;
        }
        let rows = rows_of(session, table).map_err(failed)?;
        if !rows.is_empty() {
            inputs.tables.insert(table.name.to_owned(), rows);
        }
    }
    Ok(inputs)
}

/// Adds the buyers of the contracts and tenders among the inputs.
fn add_buyers(session: &Session, inputs: &Inputs) -> lake::Result<()> {
    let rows = ["contracts", "tenders"].iter().filter_map(|table| inputs.tables.get(*table)).flatten();
    let ids: BTreeSet<&str> = rows.filter_map(|row| row.get("buyer_id")?.as_str()).collect();
    for lot in ids.into_iter().collect::<Vec<_>>().chunks(LOT) {
        let values: Vec<String> =
            lot.iter().map(|id| format!("('buyers', {})", Literal::Text((*id).to_owned()).sql())).collect();
        session.run(&format!("insert into judged_inputs values {}", values.join(",")))?;
    }
    Ok(())
}

/// The wanted rows of a table, by id. A table of which none is wanted is not read.
fn rows_of(session: &Session, table: &Table) -> lake::Result<Vec<Map<String, Value>>> {
    let name = table.name;
    let mut rows = Vec::new();
    if session.count(&format!("select count(*) from judged_inputs where tbl = '{name}'"))? == 0 {
        return Ok(rows);
    }
    let mut contacts = Contacts::default();
    let sql =
        format!("select * from {name} where id in (select id from judged_inputs where tbl = '{name}') order by id");
    session.rows(&sql, |row| {
        rows.push(row_of(table, row, &mut contacts));
        Ok(())
    })?;
    Ok(rows)
}

/// Every row of the tables that the flag's files name.
fn whole_tables(flag: &Flag) -> String {
    let mut text = format!("{} {} {}", flag.sql, flag.peers_sql.as_deref().unwrap_or_default(), flag.touched);
    // The derived tables read these, whether the flag's own SQL names them or not.
    if flag.derived.iter().any(|derived| !crate::is_law_table(derived)) {
        text.push_str(" contracts tenders bids");
    }
    let words: std::collections::HashSet<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let selects: Vec<String> = TABLES
        .iter()
        .map(|table| table.name)
        .filter(|name| words.contains(name) || words.contains(format!("changed_{name}").as_str()))
        .map(|name| format!("select '{name}' as tbl, id from {name}"))
        .collect();
    selects.join(" union all ")
}

/// What stands in the place of contact hashes, in the order in which they come.
#[derive(Default)]
struct Contacts(HashMap<String, usize>);

impl Contacts {
    fn number(&mut self, column: &str, keys: &str) -> String {
        let numbers = keys.split(',').map(|key| {
            let next = self.0.len() + 1;
            self.0.entry(format!("{column}{key}")).or_insert(next).to_string()
        });
        numbers.collect::<Vec<_>>().join(",")
    }
}

fn row_of(table: &Table, row: &TextRow, contacts: &mut Contacts) -> Map<String, Value> {
    let mut fields = Map::new();
    for column in ENVELOPE.iter().chain(table.columns).filter(|c| !LEFT_OUT.contains(&c.name)) {
        let Some(text) = row.get(column.name) else { continue };
        let value = match column.kind {
            Kind::Int => text.parse::<i64>().map_or(Value::Null, Value::from),
            Kind::Bool => Value::from(text == "true"),
            _ if table.name == "registrations" && CONTACTS.contains(&column.name) => {
                contacts.number(column.name, text).into()
            }
            _ => text.into(),
        };
        fields.insert(column.name.to_owned(), value);
    }
    fields
}
