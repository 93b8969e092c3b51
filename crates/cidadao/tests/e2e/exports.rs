//! Lists as files, read back with other people's readers.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type};
use serde_json::Value;
use testkit::files::{self, Purchase};
use testkit::{House, Server, wire};

/// More than one page of an export.
const CONTRACTS: u32 = 2_345;

fn answering() -> (House, Server) {
    let house = House::new();
    let rows: Vec<Purchase> =
        (1..=CONTRACTS).map(|n| Purchase::new(n, if n == 7 { "1234567,8900" } else { "100,0000" })).collect();
    let _ = house.ingested(&[&house.file("c.csv", files::purchases(&rows))], 0);
    let server = house.serve();
    (house, server)
}

fn export(server: &Server, name: &str) -> Vec<u8> {
    let answer = wire::get(server, &format!("/api/v1/exports/{name}"), &[]);
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    assert!(answer.header("content-disposition").contains("contracts."), "{:?}", answer.headers);
    answer.body
}

fn walked(server: &Server) -> Vec<Value> {
    server.walk("contracts", 100)
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The sum of the final values in ten-thousandths, and the ids.
fn told(batches: &[RecordBatch]) -> (i128, BTreeSet<String>) {
    let (mut sum, mut ids) = (0, BTreeSet::new());
    for batch in batches {
        let of = |name: &str| batch.column_by_name(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(of("value_final").data_type(), &DataType::Decimal128(19, 4));
        let values = of("value_final").as_primitive::<Decimal128Type>();
        sum += values.iter().flatten().sum::<i128>();
        ids.extend(of("id").as_string::<i32>().iter().map(|id| id.unwrap().to_owned()));
        assert!(of("signed_on").as_primitive::<Date32Type>().iter().flatten().all(|day| day > 15_000));
        assert_eq!(of("published_on").null_count(), batch.num_rows(), "what is not stated is null");
    }
    (sum, ids)
}

#[test]
fn every_form_holds_every_row_exactly() {
    let (_house, server) = answering();
    let rows = walked(&server);
    assert_eq!(rows.len(), CONTRACTS as usize);
    let sum = i128::from(CONTRACTS - 1) * 1_000_000 + 12_345_678_900;

    let mut csv = csv::Reader::from_reader(Cursor::new(export(&server, "contracts.csv")));
    let header = csv.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let records: Vec<csv::StringRecord> = csv.records().map(|record| record.unwrap()).collect();
    let found: BTreeSet<String> = records.iter().map(|record| record[place("id")].to_owned()).collect();
    assert_eq!(found, ids(&rows));
    assert!(records.iter().any(|record| &record[place("value_final")] == "1234567.8900"));

    let lines = String::from_utf8(export(&server, "contracts.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, rows, "the rows of the list, in its order");

    let parquet = bytes::Bytes::from(export(&server, "contracts.parquet"));
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(parquet, 1_000).unwrap();
    assert_eq!(told(&reader.map(|batch| batch.unwrap()).collect::<Vec<_>>()), (sum, ids(&rows)));

    let arrow =
        arrow_ipc::reader::StreamReader::try_new(Cursor::new(export(&server, "contracts.arrow")), None).unwrap();
    assert_eq!(told(&arrow.map(|batch| batch.unwrap()).collect::<Vec<_>>()), (sum, ids(&rows)));

    let mut book = zip::ZipArchive::new(Cursor::new(export(&server, "contracts.xlsx"))).unwrap();
    let mut sheet = String::new();
    let _ = book.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut sheet).unwrap();
    assert_eq!(sheet.matches("<row ").count(), CONTRACTS as usize + 1);
    assert!(sheet.contains("<v>1234567.89</v>") && !sheet.contains("<f>"));
}

#[test]
fn filters_narrow_an_export_and_what_cannot_be_is_refused() {
    let (_house, server) = answering();
    let few = String::from_utf8(export(&server, "contracts.csv?value_min=1000")).unwrap();
    assert_eq!(few.lines().count(), 2);
    let none = String::from_utf8(export(&server, "contracts.csv?value_min=99999999")).unwrap();
    assert!(none.starts_with("id,source,") && none.lines().count() == 1, "a header, and no rows: {none}");
    for (name, status) in [
        ("contracts.csv?colour=red", 400),
        ("contracts.csv?limit=5", 400),
        ("contracts.csv?value_min=x", 400),
        ("contracts.pdf", 404),
        ("suppliers.csv", 404),
    ] {
        assert_eq!(wire::get(&server, &format!("/api/v1/exports/{name}"), &[]).status, status, "{name}");
    }
}

#[test]
fn a_list_takes_the_same_forms_by_accept_a_page_at_a_time() {
    let (_house, server) = answering();
    let csv = |path: &str| wire::get(&server, path, &[("accept", "text/csv")]);
    let (mut path, mut rows) = ("/api/v1/contracts?limit=100&value_max=1000".to_owned(), 0);
    loop {
        let answer = csv(&path);
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/csv"), "{}", answer.text());
        rows += answer.text().lines().count() - 1;
        let Some(next) = answer.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""))
        else {
            break;
        };
        path = next.to_owned();
    }
    assert_eq!(rows, CONTRACTS as usize - 1);
    // Who asks for JSON of the same list gets JSON, whoever asked before.
    assert_eq!(
        wire::get(&server, "/api/v1/contracts?limit=100", &[("accept", "application/json")]).header("content-type"),
        "application/json"
    );
    assert_eq!(csv("/api/v1/contracts?limit=100").header("content-type"), "text/csv");
    assert_eq!(
        wire::get(&server, "/api/v1/findings", &[("accept", "application/vnd.apache.parquet")]).body[..4],
        *b"PAR1"
    );
}
