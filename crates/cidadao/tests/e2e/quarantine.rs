//! Rows that could not be kept are listed, shown, exported, and read again once the mapping is mended.

use serde_json::Value;
use testkit::House;
use testkit::files::{self, Purchase};
use testkit::house::totals;

const WRONG: &str = "source = \"exemplo\"\ntable = \"contracts\"\nkey = [\"Contrato\"]\n[style]\ndecimal = \",\"\ndate = \"%d/%m/%Y\"\n[columns]\n\
    number = \"Contrato\"\nsigned_on = \"Assinatura\"\nvalue_final = \"Valor\"\n[supplier]\nnumber = \"CNPJ\"\nname = \"Fornecedor\"\n";
const FILE: &str = "Contrato;Assinatura;Valor;CNPJ;Fornecedor\n\
    1/2024;2024-02-05;1.234,56;00.000.000/0001-91;EXEMPLO SA\n\
    2/2024;2024-02-06;10,00;00.000.000/0001-91;EXEMPLO SA\n\
    3/2024;07/02/2024;12,00;00.000.000/0001-91;EXEMPLO SA\n\
    4/2024;nunca;5,00;00.000.000/0001-91;JOSE 529.982.247-25\n";

fn house_with_quarantine() -> House {
    let house = House::new();
    let mapping = house.file("mapping.toml", WRONG);
    let file = house.file("cidade.csv", FILE);
    let run = house.program().args(["ingest", "--json"]).arg(&file).arg("--map").arg(&mapping).run().ends_with(3);
    assert_eq!(totals(&run.json()), [4, 1, 0, 0, 3]);
    house
}

#[test]
fn quarantined_rows_are_counted_by_source_and_reason_and_each_can_be_seen() {
    let house = house_with_quarantine();
    let list = house.json(&["quarantine", "list"]);
    assert_eq!(list["counts"]["exemplo"]["date"], 3);
    let rows = list["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (&rows[0]["line"], &rows[0]["column"], &rows[0]["reason"]),
        (&2.into(), &"Assinatura".into(), &"date".into())
    );
    let shown = house.json(&["quarantine", "show", &rows[0]["id"].to_string()]);
    assert_eq!(shown["raw"], "1/2024;2024-02-05;1.234,56;00.000.000/0001-91;EXEMPLO SA");
    assert!(shown["detail"].as_str().unwrap().contains("2024-02-05"));
    assert_eq!(shown["whole"], true);
    assert_eq!(house.json(&["quarantine", "list", "--reason", "amount"])["rows"].as_array().unwrap().len(), 0);
    let page = house.json(&["quarantine", "list", "--limit", "2"]);
    let next = page["next_after"].to_string();
    let rest = house.json(&["quarantine", "list", "--limit", "2", "--after", &next]);
    assert_eq!((rest["rows"].as_array().unwrap().len(), &rest["next_after"]), (1, &Value::Null));
    assert_eq!(house.program().args(["quarantine", "show", "999"]).run().code, Some(1));
}

#[test]
fn an_export_is_json_lines_without_a_whole_cpf() {
    let house = house_with_quarantine();
    let out = house.root().join("out.jsonl");
    let run = house.program().args(["quarantine", "export", "--out"]).arg(&out).arg("--json").run().ends_with(0);
    assert_eq!(run.json()["rows"], 3);
    let text = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert!(!text.contains("529.982.247-25") && text.contains("***.982.247-**"), "{text}");
    let stdout = house.program().args(["quarantine", "export", "--reason", "date"]).run().ends_with(0).stdout;
    assert_eq!(stdout.lines().count(), 3);
}

#[test]
fn a_mended_mapping_empties_the_quarantine_as_if_it_had_been_right_from_the_start() {
    let house = house_with_quarantine();
    let mended = WRONG
        .replace("date = \"%d/%m/%Y\"", "date = [\"%d/%m/%Y\", \"%Y-%m-%d\"]")
        .replace("[columns]", "nothing = [\"nunca\"]\n[columns]");
    let mapping = house.file("mended.toml", &mended);
    let retry = |house: &House| house.program().args(["quarantine", "retry", "--json", "--map"]).arg(&mapping).run();
    let unmended = house.program().args(["quarantine", "retry", "--json"]).run().ends_with(3).json();
    assert_eq!((&unmended["released"], &unmended["still_quarantined"]), (&0.into(), &3.into()));
    assert_eq!(unmended["reasons"]["date"], 3);
    let report = retry(&house).ends_with(0).json();
    assert_eq!((&report["tried"], &report["released"]), (&3.into(), &3.into()), "{report}");
    assert_eq!(house.json(&["quarantine", "list"])["rows"].as_array().unwrap().len(), 0);
    let straight = House::new();
    let file = straight.file("cidade.csv", FILE);
    let _ = straight.program().args(["ingest", "--json"]).arg(&file).arg("--map").arg(&mapping).run().ends_with(0);
    let tables = ["contracts", "suppliers", "quarantine", "findings"];
    testkit::state::assert_same(
        &testkit::state::only(&straight.state(), &tables),
        &testkit::state::only(&house.state(), &tables),
        "after the retry",
    );
    assert_eq!(retry(&house).ends_with(0).json()["tried"], 0, "nothing is left");
}

#[test]
fn a_retry_never_puts_an_older_row_over_a_newer_files() {
    let house = House::new();
    let mapping = house.file("mapping.toml", WRONG);
    let ingest = |name: &str, text: &str| {
        let file = house.file(name, text);
        let _ = house.program().args(["ingest", "--json"]).arg(&file).arg("--map").arg(&mapping).run();
    };
    ingest("a.csv", "Contrato;Assinatura;Valor;CNPJ;Fornecedor\n1/2024;2024-02-05;1,00;00.000.000/0001-91;VELHA\n");
    ingest("b.csv", "Contrato;Assinatura;Valor;CNPJ;Fornecedor\n1/2024;05/02/2024;2,00;00.000.000/0001-91;NOVA\n");
    let mended = house.file("mended.toml", WRONG.replace("\"%d/%m/%Y\"", "[\"%d/%m/%Y\", \"%Y-%m-%d\"]"));
    let report =
        house.program().args(["quarantine", "retry", "--json", "--map"]).arg(&mended).run().ends_with(0).json();
    assert_eq!(report["released"], 1);
    let server = house.serve();
    let contracts = server.walk("contracts", 10);
    assert_eq!(contracts.len(), 1);
    assert_eq!(contracts[0]["value_final"], "2.0000", "{contracts:?}");
}

#[test]
fn rows_of_built_in_formats_are_read_again_too() {
    let house = House::new();
    let good = files::purchases(&[Purchase::new(1, "1,0000"), Purchase::new(2, "x")]);
    let _ = house.ingested(&[&house.file("202402_Compras.csv", good)], 3);
    let report = house.program().args(["quarantine", "retry", "--json"]).run().ends_with(3).json();
    assert_eq!((&report["tried"], &report["still_quarantined"]), (&1.into(), &1.into()));
    assert_eq!(report["reasons"]["amount"], 1, "for the same reason as in its file: {report}");
}
