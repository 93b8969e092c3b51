//! A folder that a version-1 program left is taken over as it stands.
//!
//! `fixtures/version-1.sql` and `fixtures/version-1-lake` were written by such a program over [`files_of`]; see
//! `the_fixture_is_written`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};
use testkit::House;
use testkit::files::{self, Bought, Purchase, Sanctioned};
use testkit::house::{files_below, totals};
use testkit::server::encoded;
use testkit::state::{assert_same, only};

const SHADOWS: [&str; 4] = ["data", "idx", "docsize", "config"];

fn fixtures() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("tests/e2e/fixtures")
}

fn purchases() -> Vec<Purchase> {
    let mut rows: Vec<Purchase> = (1..=4).map(|n| Purchase::new(n, &format!("{n}00,0000"))).collect();
    // Two contracts under one number, and one whose value is none.
    let mut other = Purchase::new(4, "44,5000");
    other.object = "Objeto: Locação de veículos".into();
    rows.push(other);
    rows.push(Purchase::new(5, "a combinar"));
    rows
}

fn amendments() -> Vec<u8> {
    files::latin1(
        "\"Número Contrato\";\"Código Órgão Superior\";\"Nome Órgão Superior\";\"Código Órgão\";\"Nome Órgão\";\"Código UG\";\
         \"Nome UG\";\"Número Termo Aditivo\";\"Data Publicação\";\"Objeto\"\n\
         \"000012024\";\"26000\";\"Ministério Fictício da Educação\";\"26999\";\"Universidade Fictícia\";\"900901\";\
         \"UNIDADE FICTÍCIA 901\";\"00001\";\"20/02/2024\";\"Objeto: Prorrogação por doze meses\"\n",
    )
}

/// The files, in the two lots in which they came: what came first, and what corrects it.
fn files_of(house: &House) -> [Vec<PathBuf>; 2] {
    let bought: Vec<Bought> = [("000012024", "1"), ("000012024", "2"), ("000022024", "1")]
        .map(|(contract, code)| Bought {
            contract: contract.into(),
            ug: "900901".into(),
            code: code.into(),
            unit: "RESMA".into(),
            quantity: "10,0000".into(),
            total: "50,0000".into(),
        })
        .to_vec();
    let page = |records: &[Value]| files::pncp_page(records);
    let mut broken = files::pncp_contract(3, "2025-07-01T10:00:00", 70.0);
    broken["dataAssinatura"] = json!("nunca");
    let first = vec![
        house.file("202402_Compras.csv", files::purchases(&purchases())),
        house.file("202402_ItemCompra.csv", files::bought(&bought)),
        house.file("202402_TermoAditivo.csv", amendments()),
        house.file("20250801_CEIS.csv", files::ceis(&[Sanctioned::new(1, &files::cnpj(1))])),
        house.file(
            "pncp/contratos_1.json",
            page(&[
                files::pncp_contract(1, "2025-07-01T10:00:00", 1000.0),
                files::pncp_contract(2, "2025-07-01T10:00:00", 500.0),
                broken,
            ]),
        ),
    ];
    let mut corrected = purchases();
    corrected[1].r#final = "250,5000".into();
    corrected[1].object = "Objeto: Aquisição de papel reciclado".into();
    let second = vec![
        house.file("corrigido/202402_Compras.csv", files::purchases(&corrected)),
        house.file("pncp/contratos_2.json", page(&[files::pncp_contract(1, "2025-08-01T10:00:00", 1100.0)])),
    ];
    [first, second]
}

fn ingest_in_lots(house: &House) {
    for lot in files_of(house) {
        let lot: Vec<&Path> = lot.iter().map(PathBuf::as_path).collect();
        let _ = house.ingested(&lot, 3);
    }
}

/// A house as the version-1 program left it.
fn old_house() -> House {
    let house = House::new();
    std::fs::create_dir_all(house.data()).unwrap();
    let db = Connection::open(house.data().join("cidadao.db")).unwrap();
    db.execute_batch("pragma page_size = 8192; pragma journal_mode = wal;").unwrap();
    db.execute_batch(&std::fs::read_to_string(fixtures().join("version-1.sql")).unwrap()).unwrap();
    drop(db);
    let lake = fixtures().join("version-1-lake");
    for path in files_below(&lake) {
        let into = house.data().join("lake").join(path.strip_prefix(&lake).unwrap());
        std::fs::create_dir_all(into.parent().unwrap()).unwrap();
        std::fs::copy(&path, into).unwrap();
    }
    house
}

/// A house of this program with the same files.
fn fresh_house() -> House {
    let house = House::new();
    ingest_in_lots(&house);
    house
}

fn version_of(house: &House) -> i64 {
    let db = Connection::open(house.data().join("cidadao.db")).unwrap();
    db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn a_version_1_folder_is_found_sound_and_loses_nothing() {
    let old = old_house();
    assert_eq!(version_of(&old), 1);
    assert_eq!(old.problems(), Vec::<String>::new());
    assert_eq!(version_of(&old), 9);
    let _ = old.json(&["flags", "run"]);
    let fresh = fresh_house();
    let tables =
        ["contracts", "items", "amendments", "buyers", "suppliers", "sanctions", "shared_keys", "coverage", "outcomes"];
    assert_same(&only(&fresh.state(), &tables), &only(&old.state(), &tables), "a migrated folder");
    let (fresh, old) = (fresh.serve(), old.serve());
    for list in ["contracts", "contracts?q=papel", "contracts?q=reciclado", "suppliers", "buyers"] {
        let [fresh, old] = [&fresh, &old].map(|server| without_times(server.walk(list, 2)));
        assert_eq!(fresh, old, "{list}");
        assert!(!fresh.is_empty(), "{list}");
    }
    let findings = [&fresh, &old].map(|server| without_times(server.walk("findings", 10)));
    assert_eq!(findings[0], findings[1]);
    assert!(!findings[0].is_empty());
}

/// Without what tells when and in which folder it was made.
fn without_times(mut rows: Vec<Value>) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !name.ends_with("_at"));
                if let Some(Value::String(file)) = fields.get_mut("file") {
                    *file = file.split_once("/in/").map_or(file.clone(), |(_, name)| name.to_owned());
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    rows.iter_mut().for_each(strip);
    rows
}

#[test]
fn versions_of_a_version_1_folder_are_still_reachable() {
    let (old, fresh) = (old_house().serve(), fresh_house().serve());
    for contract in fresh.walk("contracts", 10) {
        let path = format!("contracts/{}", encoded(contract["id"].as_str().unwrap()));
        let stated = |server: &testkit::Server| -> Vec<Value> {
            let versions = server.json(&path)["versions"].as_array().unwrap().clone();
            versions.iter().map(|v| json!([v["line"], v["fields"]["object"], v["fields"]["value_final"]])).collect()
        };
        assert_eq!(stated(&fresh), stated(&old), "{path}");
    }
    let contract = old.json(&format!("contracts/{}", encoded(&purchases()[1].id())));
    assert_eq!(contract["versions"].as_array().unwrap().len(), 1, "{contract:#}");
    assert_eq!(contract["versions"][0]["fields"]["object"], "Objeto: Aquisição de papel A4, lote 2");
}

#[test]
fn files_that_the_older_program_read_are_known_and_so_are_their_rows() {
    let old = old_house();
    let lots = files_of(&old).concat();
    let all: Vec<&Path> = lots.iter().map(PathBuf::as_path).collect();
    let report = old.ingested(&all, 0);
    let read = totals(&report)[0];
    assert_eq!(totals(&report), [read, 0, read, 0, 0]);
    assert!(report["files"].as_array().unwrap().iter().all(|file| file["status"] == "seen_before"), "{report:#}");
    // The same rows in files that nobody saw, with one row more.
    let mut rows = purchases();
    rows[1].r#final = "250,5000".into();
    rows[1].object = "Objeto: Aquisição de papel reciclado".into();
    rows.push(Purchase::new(6, "600,0000"));
    let purchases = old.file("depois/202402_Compras.csv", files::purchases(&rows));
    let page = files::pncp_page(&[
        files::pncp_contract(2, "2025-07-01T10:00:00", 500.0),
        files::pncp_contract(1, "2025-08-01T10:00:00", 1100.0),
    ]);
    let page = old.file("depois/contratos.json", page);
    let sanction = Sanctioned::new(1, &files::cnpj(1));
    let ceis =
        old.file("depois/20250801_CEIS.csv", files::ceis(&[sanction.clone(), Sanctioned { code: 2, ..sanction }]));
    let fresh = fresh_house();
    for house in [&old, &fresh] {
        let report = house.ingested(&[&purchases, &page, &ceis], 3);
        assert_eq!(totals(&report), [11, 2, 8, 0, 1], "{report:#}");
    }
    assert_eq!(old.problems(), Vec::<String>::new());
    let mut states = [fresh.state(), old.state()];
    for state in &mut states {
        // What was replaced has the columns of its time.
        state.remove("versions");
        state.retain(|table, _| !table.starts_with("finding"));
    }
    assert_same(&states[0], &states[1], "after one ingest more");
    let (fresh, old) = (fresh.serve(), old.serve());
    for list in ["contracts", "sources", "findings"] {
        let [fresh, old] = [&fresh, &old].map(|server| without_times(server.walk(list, 10)));
        assert_eq!(fresh, old, "{list}");
    }
}

#[test]
fn after_the_next_ingest_no_segment_lacks_a_column() {
    let old = old_house();
    let _ = old.ingested(&[&old.file("mais.csv", files::purchases(&[Purchase::new(7, "1,0000")]))], 0);
    let db = Connection::open(old.data().join("cidadao.db")).unwrap();
    let mut statement =
        db.prepare("select path from segments where tbl = 'contracts' and valid_to is null order by path").unwrap();
    let paths = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let session = lake::Session::of_rows(&std::collections::BTreeMap::new()).unwrap();
    for path in paths.map(Result::unwrap) {
        let file = lake::Literal::Text(old.data().join("lake").join(&path).to_string_lossy().into_owned());
        let mut currencies = Vec::new();
        let sql = format!("select distinct currency as c from read_parquet({})", file.sql());
        let taken = session.rows(&sql, &mut |row: &lake::TextRow| {
            currencies.push(row.get("c").map(str::to_owned));
            Ok(())
        });
        taken.unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(currencies, [Some("BRL".to_owned())], "{path}");
    }
}

#[test]
fn segments_that_went_missing_before_the_migration_are_written_anew() {
    let old = old_house();
    std::fs::remove_dir_all(old.data().join("lake")).unwrap();
    let repaired = old.program().args(["doctor", "--repair", "--json"]).run().ends_with(0).json();
    assert!(!repaired["repaired"].as_array().unwrap().is_empty());
    assert_eq!(old.problems(), Vec::<String>::new());
    let fresh = fresh_house();
    let tables = ["contracts", "items", "sanctions", "coverage", "outcomes"];
    assert_same(&only(&fresh.state(), &tables), &only(&old.state(), &tables), "a lake written anew");
}

#[test]
fn quarantined_rows_of_a_version_1_folder_are_kept_with_their_reason() {
    let old = old_house();
    let reasons = |house: &House| -> Vec<Value> {
        let rows = house.json(&["quarantine", "list"])["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| json!([row["line"], row["column"], row["reason"], row["source"]])).collect()
    };
    let before = reasons(&old);
    assert_eq!(before, reasons(&fresh_house()));
    let report = old.program().args(["quarantine", "retry", "--json"]).run().ends_with(3).json();
    // Of a CSV file the header was not kept, so that its rows cannot be read by themselves.
    assert_eq!((&report["tried"], &report["released"], &report["not_whole"]), (&3.into(), &0.into(), &2.into()));
    assert_eq!(before, reasons(&old), "for the same reasons as before");
}

#[test]
fn an_older_program_leaves_a_newer_schema_alone() {
    let old = old_house();
    let path = old.data().join("cidadao.db");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = std::fs::read(&path).unwrap();
    for command in [&["flags", "run"][..], &["quarantine", "list"], &["serve", "--listen", "127.0.0.1:0"]] {
        let run = old.program().args(command).run().ends_with(1);
        assert!(run.stderr.contains("99") && run.stderr.contains("newer"), "{command:?}: {}", run.stderr);
    }
    assert!(before == std::fs::read(&path).unwrap(), "the database is as it was");
}

/// Writes the fixture anew. Needs the program of commit 6746088:
/// `CIDADAO_BIN=that cargo test --release -p cidadao --test e2e -- --ignored the_fixture_is_written`.
#[test]
#[ignore = "needs the version-1 program"]
fn the_fixture_is_written() {
    let house = House::new();
    ingest_in_lots(&house);
    let db = Connection::open(house.data().join("cidadao.db")).unwrap();
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 1, "CIDADAO_BIN is not the version-1 program");
    std::fs::create_dir_all(fixtures()).unwrap();
    std::fs::write(fixtures().join("version-1.sql"), dump(&db)).unwrap();
    let into = fixtures().join("version-1-lake");
    let _ = std::fs::remove_dir_all(&into);
    let lake = house.data().join("lake");
    for path in files_below(&lake) {
        let copy = into.join(path.strip_prefix(&lake).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(&path, copy).unwrap();
    }
}

/// A database as SQL, without what SQLite keeps for itself. Full-text tables are made as such, and then given the content of the tables behind them.
fn dump(db: &Connection) -> String {
    let mut sql = "begin;\n".to_owned();
    let listed = "select name, sql, type from sqlite_master where sql is not null and name not like 'sqlite_%'
                  order by type <> 'table', rowid";
    let mut statement = db.prepare(listed).unwrap();
    let objects: Vec<(String, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let is_shadow = |name: &str| SHADOWS.iter().any(|s| name.ends_with(&format!("_fts_{s}")));
    for (name, made_by, kind) in &objects {
        if !is_shadow(name) {
            writeln!(sql, "{made_by};").unwrap();
        }
        if kind == "table" && !made_by.to_lowercase().starts_with("create virtual") {
            if is_shadow(name) {
                writeln!(sql, "delete from {name};").unwrap();
            }
            write_rows(db, name, &mut sql);
        }
    }
    sql.push_str("pragma user_version = 1;\ncommit;\n");
    sql
}

fn write_rows(db: &Connection, table: &str, sql: &mut String) {
    let mut statement = db.prepare(&format!("select * from {table}")).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        // Nulls are left out, so that the file stays short.
        let held: Vec<usize> = (0..columns.len()).filter(|at| row.get_ref(*at).unwrap() != ValueRef::Null).collect();
        let names: Vec<&str> = held.iter().map(|at| columns[*at].as_str()).collect();
        let values: Vec<String> = held.iter().map(|at| literal(row.get_ref(*at).unwrap())).collect();
        writeln!(sql, "insert into {table} ({}) values ({});", names.join(","), values.join(",")).unwrap();
    }
}

fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(n) => n.to_string(),
        ValueRef::Text(text) => format!("'{}'", std::str::from_utf8(text).unwrap().replace('\'', "''")),
        ValueRef::Blob(bytes) => {
            let mut text = "x'".to_owned();
            for byte in bytes {
                write!(text, "{byte:02x}").unwrap();
            }
            text + "'"
        }
    }
}
