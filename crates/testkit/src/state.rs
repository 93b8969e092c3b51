//! What a data folder holds, in a form that two folders can be compared in.
//!
//! Numbers that depend on the way there (row ids, ingest and run numbers, times) are left out; a file is named by its
//! content. On the way everything that must hold of any folder is checked: what segments say against what the rows say,
//! hashes of files, the full-text index, the account of outcomes against the findings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lake::{Literal, Session};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use crate::house::files_below;

/// Tables, each with its rows as sorted texts.
pub type State = BTreeMap<String, Vec<String>>;

/// Reads a data folder. A folder without a database holds nothing.
#[must_use]
pub fn state_of(folder: &Path) -> State {
    let database = folder.join("cidadao.db");
    if !database.exists() {
        return State::new();
    }
    let db = Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut state = State::new();
    for table in model::TABLES {
        state.insert(table.name.to_owned(), rows(&db, &select_of(table)));
    }
    let file = "(select sha256 || '!' || member from files f where f.id = file_id) as file";
    let tables = [
        ("versions", format!("select tbl, record_id, row_hash, line, {file}, fields from versions")),
        ("quarantine", format!("select line, col, reason, detail, raw, {file} from quarantine")),
        ("files", "select sha256, member, source, format, complete, read, kept + unchanged + replaced as taken, quarantined from files".to_owned()),
        ("shared_keys", "select tbl, idh from shared_keys".to_owned()),
        ("coverage", "select flag, source, outcome, field, n from coverage".to_owned()),
        (
            "findings",
            "select id, flag, severity, kind, state, gravity, amount, as_of, group_key, subject_id, buyer_id, supplier_id, body from findings"
                .to_owned(),
        ),
        ("finding_contracts", "select contract_id, finding_id from finding_contracts".to_owned()),
    ];
    for (name, sql) in tables {
        state.insert(name.to_owned(), rows(&db, &sql));
    }
    check_segments(&db, folder);
    check_words(&db);
    state.insert("outcomes".to_owned(), outcomes(&db, folder));
    state
}

/// Only these tables of it.
#[must_use]
pub fn only(state: &State, tables: &[&str]) -> State {
    tables.iter().map(|t| ((*t).to_owned(), state[*t].clone())).collect()
}

/// The canonical tables of it.
#[must_use]
pub fn records(state: &State) -> State {
    let names: Vec<&str> = model::TABLES.iter().map(|t| t.name).collect();
    only(state, &names)
}

/// Fails where two states differ, naming the rows.
#[track_caller]
pub fn assert_same(left: &State, right: &State, what: &str) {
    let tables: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for table in tables {
        let empty = Vec::new();
        let (l, r) = (left.get(table).unwrap_or(&empty), right.get(table).unwrap_or(&empty));
        if l == r {
            continue;
        }
        let gone: Vec<&String> = l.iter().filter(|row| !r.contains(row)).take(3).collect();
        let new: Vec<&String> = r.iter().filter(|row| !l.contains(row)).take(3).collect();
        panic!(
            "{what}: {table} differs ({} and {} rows)\nonly left: {gone:#?}\nonly right: {new:#?}",
            l.len(),
            r.len()
        );
    }
}

/// Buyers and suppliers are put together from many rows: which of them came last is no part of what they are.
fn select_of(table: &model::Table) -> String {
    let derived = matches!(table.name, "buyers" | "suppliers");
    let columns: Vec<&str> = model::ENVELOPE
        .iter()
        .chain(table.columns)
        .map(|c| c.name)
        .filter(|name| !(matches!(*name, "file_id" | "ingest_id") || derived && matches!(*name, "line" | "source")))
        .collect();
    let file = if derived { "null" } else { "(select sha256 || '!' || member from files f where f.id = file_id)" };
    format!("select {}, partition, {file} as file from {}", columns.join(", "), table.name)
}

fn rows(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let width = statement.column_count();
    let mut found = statement.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let mut text = String::new();
        for at in 0..width {
            match row.get_ref(at).unwrap() {
                ValueRef::Null => text.push('∅'),
                ValueRef::Integer(n) => text.push_str(&n.to_string()),
                ValueRef::Real(n) => text.push_str(&n.to_string()),
                ValueRef::Text(t) => text.push_str(std::str::from_utf8(t).unwrap()),
                ValueRef::Blob(b) => text.push_str(&format!("{b:?}")),
            }
            text.push('|');
        }
        rows.push(text);
    }
    rows.sort();
    rows
}

fn texts(db: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = db.prepare(sql).unwrap();
    let width = statement.column_count();
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Text(t) => String::from_utf8(t.to_vec()).unwrap(),
        _ => String::new(),
    };
    let rows = statement.query_map([], |row| (0..width).map(|at| Ok(text(row.get_ref(at)?))).collect()).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

/// Live segments are there with their hash, hold exactly the rows of the store, and no other Parquet file lies about.
fn check_segments(db: &Connection, folder: &Path) {
    let lake = folder.join("lake");
    let mut named = BTreeSet::new();
    for row in texts(db, "select path, sha256, bytes from segments where not lost") {
        let path = lake.join(&row[0]);
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("segment {}: {e}", row[0]));
        let hash: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!((hash.as_str(), bytes.len().to_string()), (row[1].as_str(), row[2].clone()), "segment {}", row[0]);
        named.insert(path);
    }
    for path in files_below(&lake) {
        assert!(named.contains(&path), "{} is named by no manifest row", path.display());
    }
    let session = Session::of_rows(&BTreeMap::new()).unwrap();
    for table in model::TABLES {
        let paths: Vec<String> =
            texts(db, &format!("select path from segments where tbl = '{}' and valid_to is null", table.name))
                .iter()
                .map(|row| Literal::Text(lake.join(&row[0]).to_string_lossy().into_owned()).sql())
                .collect();
        let mut in_lake = Vec::new();
        if !paths.is_empty() {
            let sql = format!(
                "select id, row_hash, cast(line as varchar) as line from read_parquet([{}], union_by_name = true)",
                paths.join(", ")
            );
            let mut take = |row: &lake::TextRow| {
                in_lake.push(["id", "row_hash", "line"].map(|c| row.get(c).unwrap().to_owned()).to_vec());
                Ok(())
            };
            session.rows(&sql, &mut take).unwrap();
        }
        let mut in_store = texts(db, &format!("select id, row_hash, line from {}", table.name));
        in_lake.sort();
        in_store.sort();
        assert!(
            in_lake == in_store,
            "{}: the lake holds {} rows, the store {}, or others",
            table.name,
            in_lake.len(),
            in_store.len()
        );
    }
}

/// Every contract, supplier and buyer stands in the full-text index, and nothing else.
fn check_words(db: &Connection) {
    for table in ["contracts", "suppliers", "buyers"] {
        let differ = format!(
            "select count(*) from (select rid from {table} except select rowid from {table}_fts
             union all select * from (select rowid from {table}_fts except select rid from {table}))"
        );
        assert_eq!(texts(db, &differ)[0][0], "0", "{table} and their full-text index differ");
    }
}

/// Every outcome of every flag; hits must be the open findings, and the counts those of the coverage.
fn outcomes(db: &Connection, folder: &Path) -> Vec<String> {
    let session = Session::of_rows(&BTreeMap::new()).unwrap();
    let mut all = Vec::new();
    for row in texts(db, "select substr(key, 10), value from meta where key like 'outcomes:%'") {
        let path = folder.join("outcomes").join(&row[1]);
        let mut hits = BTreeSet::new();
        let mut subjects = BTreeSet::new();
        let sql = format!(
            "select subject_id, group_key, source, outcome, missing, round(measure, 4) as measure from read_parquet({})",
            Literal::Text(path.to_string_lossy().into_owned()).sql()
        );
        let mut take = |outcome: &lake::TextRow| {
            let cells = ["subject_id", "group_key", "source", "outcome", "missing", "measure"]
                .map(|c| outcome.get(c).unwrap_or("∅").to_owned());
            assert!(subjects.insert(cells[0].clone()), "{} judged {} twice", row[0], cells[0]);
            if cells[3] == "hit" {
                hits.insert(cells[0].clone());
            }
            all.push(format!("{}|{}", row[0], cells.join("|")));
            Ok(())
        };
        session.rows(&sql, &mut take).unwrap();
        let open = texts(db, &format!("select subject_id from findings where flag = '{}' and state = 'open'", row[0]));
        let open: BTreeSet<String> = open.into_iter().map(|mut r| r.remove(0)).collect();
        assert_eq!(hits, open, "{}: hits and open findings", row[0]);
        let counted = texts(db, &format!("select coalesce(sum(n), 0) from coverage where flag = '{}'", row[0]));
        assert_eq!(counted[0][0], subjects.len().to_string(), "{}: coverage and outcomes", row[0]);
    }
    all.sort();
    all
}
