//! A data folder that holds canonical rows given by hand: for what no fictitious file of ours contains.

use std::collections::BTreeMap;
use std::path::Path;

use lake::Lake;
use model::{Kind, Money, Record, Sourced, Value as Cell};
use serde_json::{Map, Value};
use store::{NewFile, Progress, Store};

/// Rows by table, as the cases of a flag have them.
pub type Rows = BTreeMap<String, Vec<Map<String, Value>>>;

/// A row with the table it belongs to.
type RowOf<'a> = (&'a str, &'a Map<String, Value>);

/// Puts rows into the data folder as an ingest would, without judging; a row of an id that is held replaces it. What a
/// record cannot hold (a word that is no code) is the error.
pub fn hold(data: &Path, rows: &Rows, round: u32) -> Result<(), String> {
    std::fs::create_dir_all(data).unwrap();
    let store = Store::open(&data.join("cidadao.db"), 2).unwrap();
    let lake = Lake::open(&data.join("lake")).unwrap();
    let mut ingest = store.begin_ingest("2026-01-01T00:00:00-03:00", 0).unwrap();
    // Rows of one list stand in one file: some flags ask until when a list speaks.
    let mut files: BTreeMap<(String, i64), Vec<RowOf<'_>>> = BTreeMap::new();
    for (table, rows) in rows {
        for row in rows {
            let source = row.get("source").and_then(Value::as_str).unwrap_or("test").to_owned();
            let file = row.get("file_id").and_then(Value::as_i64).unwrap_or(0);
            files.entry((source, file)).or_default().push((table, row));
        }
    }
    for ((source, file), rows) in files {
        let name = format!("{source}-{file}-{round}.csv");
        let sha256 = format!("{:064x}", store::id_hash(&name).unsigned_abs());
        let new = NewFile {
            name: &name,
            sha256: &sha256,
            member: "",
            source: &source,
            format: "test",
            head: "",
            mapping: "",
            reader: "test",
        };
        ingest.begin_file(&new).unwrap();
        for (line, (table, row)) in (2..).zip(rows) {
            put(&mut ingest, table, row, &source, line)?;
        }
        ingest.end_file(&Progress::default(), None).unwrap();
    }
    ingest.finish_rows().unwrap();
    lake.write_segments(&store, &ingest, "2026-01-01T00:00:00-03:00").unwrap();
    ingest.commit("2026-01-01T00:00:01-03:00").unwrap();
    Ok(())
}

fn put(
    ingest: &mut store::Ingest,
    table: &str,
    row: &Map<String, Value>,
    source: &str,
    line: u64,
) -> Result<(), String> {
    let mut record = Record::blank(table).unwrap();
    let columns = record.table().columns;
    for column in columns {
        let Some(value) = row.get(column.name) else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cell = match column.kind {
            _ if value.is_null() => Cell::Null,
            Kind::Text => Cell::Text(&text),
            Kind::Int => Cell::Int(text.parse().unwrap()),
            Kind::Bool => Cell::Bool(text == "true"),
            Kind::Date => Cell::Date(model::dates::parse_iso(&text).unwrap()),
            Kind::Decimal => Cell::Decimal(Money::parse(&text).unwrap().scaled()),
        };
        record.set(column.name, cell).map_err(|e| format!("{table}.{} = {value}: {e}", column.name))?;
    }
    let id = row["id"].as_str().unwrap().to_owned();
    match record {
        Record::Buyer(buyer) => ingest.see_buyer(&id, source, line, buyer).unwrap(),
        Record::Supplier(supplier) => ingest.see_supplier(&id, source, line, supplier).unwrap(),
        record => {
            let row_hash = format!("{:032x}", store::id_hash(&serde_json::to_string(row).unwrap()).unsigned_abs());
            let updated_at = row.get("updated_at").and_then(Value::as_str).map(str::to_owned);
            let mut sourced = Sourced { id, line, row_hash, updated_at, metadata: None, partial: false, record };
            ingest.put(source, &mut sourced).unwrap();
        }
    }
    Ok(())
}
