//! The board of sources: how whole the rows are, which months lack rows, and what that keeps flags from.

use serde_json::{Value, json};
use testkit::House;
use testkit::files::{self, Purchase};

fn row(board: &Value, table: &str) -> Value {
    let list = board["data"].as_array().or(board["sources"].as_array()).unwrap();
    list.iter().find(|row| row["table"] == table).unwrap_or_else(|| panic!("{board}")).clone()
}

#[test]
fn the_board_says_how_whole_a_source_is_and_what_cannot_be_judged() {
    let house = House::new();
    let mut rows: Vec<Purchase> = (1..=4).map(|n| Purchase::new(n, "100,0000")).collect();
    rows[0].signed = "10/01/2024".into();
    rows[1].signed = "10/04/2024".into();
    rows[2].signed = String::new();
    rows[3].signed = "15/04/2024".into();
    rows[3].supplier = "-11".into();
    let mut lines: Vec<String> = rows.iter().map(Purchase::line).collect();
    lines.push(lines[0].clone());
    lines[1] = lines[1].replace("Dispensa de Licitação", "Escambo");
    let file = house.file("202404_Compras.csv", files::purchase_lines(&lines));
    house.ingested(&[&file], 0);
    let served = house.serve().json("sources");
    let contracts = row(&served, "contracts");
    assert_eq!(contracts, row(&house.json(&["sources"]), "contracts"), "both doors say the same");
    assert_eq!(contracts["rows"], 4);
    assert_eq!(contracts["fields"]["signed_on"], json!({"present": 0.75, "missing": 1, "rows": 4}));
    assert_eq!(contracts["fields"]["supplier_id"]["missing"], 1);
    assert_eq!(contracts["fields"]["buyer_id"]["present"], 1.0);
    assert_eq!(contracts["duplicates"], json!({"unchanged": 1, "told_apart": 0}));
    assert_eq!(contracts["unknown"]["modality"], json!({"Escambo": 1}));
    let blocked = contracts["not_computable"]["supplier_id"].as_array().unwrap();
    assert!(blocked.contains(&json!("BR11")) && blocked.contains(&json!("BR01")), "{contracts}");
    assert!(contracts["not_computable"].get("buyer_id").is_none(), "{contracts}");
    let months = contracts["gaps"]["months"].as_array().unwrap();
    assert_eq!(contracts["gaps"]["total"], months.len());
    assert!(months.contains(&json!("2024-02")) && months.contains(&json!("2024-03")), "{contracts}");
}

#[test]
fn an_ingest_counts_again_what_it_touches() {
    let house = House::new();
    let first = house.file("202403_Compras.csv", files::purchase_lines(&[Purchase::new(1, "100,0000").line()]));
    house.ingested(&[&first], 0);
    let strange = Purchase::new(2, "100,0000").line().replace("Dispensa de Licitação", "Escambo");
    let second = house.file("202404_Compras.csv", files::purchase_lines(&[strange]));
    house.ingested(&[&second], 0);
    let contracts = row(&house.json(&["sources"]), "contracts");
    assert_eq!((&contracts["rows"], &contracts["unknown"]["modality"]["Escambo"]), (&json!(2), &json!(1)));
    assert_eq!(contracts["fields"]["modality"]["missing"], 1);
}
