//! A city's own CSV, read by a mapping: from the command line to the record, the report and the errors.

use serde_json::Value;
use testkit::house::totals;
use testkit::{House, Run};

const MAPPING: &str = r#"source = "exemplo-cidade"
table = "contracts"
key = ["Contrato"]
[file]
skip_lines = 1
[style]
decimal = ","
nothing = ["-"]
[columns]
number = "Contrato"
object = "Objeto"
modality_as_stated = "Modalidade"
signed_on = "Assinatura"
value_initial = "Valor"
[constants]
sphere = "M"
state = "SP"
[buyer]
name = "Secretaria"
[supplier]
number = "CNPJ"
name = "Fornecedor"
"#;
const FILE: &str = "Cidade de Exemplo;contratos;;;;;;\n\
    Contrato;Objeto;Modalidade;Assinatura;Valor;Secretaria;CNPJ;Fornecedor\n\
    1/2024;Aquisição de papel A4;Pregão Eletrônico;05/02/2024;1.234,56;Saúde;00.000.000/0001-91;EXEMPLO SA\n\
    2/2024;Serviços de limpeza;Carona;06/02/2024;10,00;Saúde;529.982.247-25;MARIA DE EXEMPLO\n\
    3/2024;Café;Dispensa;00/00/0000;10,00;Saúde;-;-\n";

fn ingest_by(house: &House, mapping: &str, file: &str) -> Run {
    let mapping = house.file("map/mapping.toml", mapping);
    let file = house.file("csv/contratos.csv", file);
    house.program().args(["ingest", "--json"]).arg(&file).arg("--map").arg(&mapping).run()
}

fn held(house: &House, sql: &str) -> Vec<String> {
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_mapped_file_becomes_records_with_an_account_that_closes() {
    let house = House::new();
    let report: Value = ingest_by(&house, MAPPING, FILE).ends_with(3).json();
    assert_eq!(totals(&report), [3, 2, 0, 0, 1], "{report:#}");
    let file = &report["files"][0];
    assert_eq!((file["source"].as_str(), file["status"].as_str()), (Some("exemplo-cidade"), Some("ingested")));
    assert_eq!(file["unknown_words"], serde_json::json!({"modality: Carona": 1}));
    let ids = held(&house, "select id from contracts order by id");
    assert_eq!(ids, ["exemplo-cidade:contract:1/2024", "exemplo-cidade:contract:2/2024"]);
    assert_eq!(held(&house, "select format from files"), ["mapped/contracts"]);
    assert_eq!(held(&house, "select reason || ' ' || col || ' ' || line from quarantine"), ["date Assinatura 5"]);
    assert_eq!(held(&house, "select id from buyers"), ["exemplo-cidade:ug:saude"]);
    assert_eq!(
        held(&house, "select id from suppliers order by id"),
        ["cnpj:00000000000191", "cpf:***.982.247-**|maria de exemplo"]
    );
    assert_eq!(house.problems(), Vec::<String>::new());
}

#[test]
fn a_mapped_record_is_shown_by_the_server() {
    let house = House::new();
    let _ = ingest_by(&house, MAPPING, FILE).ends_with(3);
    let server = house.serve();
    let text = server.json("contracts?q=papel").to_string();
    assert!(text.contains("exemplo-cidade:contract:1/2024") && text.contains("1234.56"), "{text}");
}

#[test]
fn the_same_mapped_file_twice_changes_nothing_and_a_corrected_mapping_reads_it_anew() {
    let house = House::new();
    let _ = ingest_by(&house, MAPPING, FILE).ends_with(3);
    let before = house.state();
    let report: Value = ingest_by(&house, MAPPING, FILE).ends_with(0).json();
    assert_eq!(report["files"][0]["status"], "seen_before");
    testkit::state::assert_same(&before, &house.state(), "seen before");
    let changed = MAPPING.replace("object = \"Objeto\"\n", "");
    let report: Value = ingest_by(&house, &changed, FILE).ends_with(3).json();
    assert_eq!(totals(&report)[2..], [0, totals(&report)[0] - 1, 1], "every row is read anew: {report:#}");
    let other = House::new();
    let _ = ingest_by(&other, &changed, FILE).ends_with(3);
    let records = testkit::state::records;
    testkit::state::assert_same(
        &records(&other.state()),
        &records(&house.state()),
        "as if it had been so from the start",
    );
}

#[test]
fn a_corrected_file_replaces_what_was_mapped() {
    let house = House::new();
    let _ = ingest_by(&house, MAPPING, FILE).ends_with(3);
    let corrected = FILE.replace("1.234,56", "1.234,57").replace("00/00/0000", "07/02/2024");
    let report: Value = ingest_by(&house, MAPPING, &corrected).ends_with(0).json();
    assert_eq!(totals(&report), [3, 1, 1, 1, 0], "{report:#}");
}

#[test]
fn a_wrong_mapping_is_wrong_use_and_nothing_is_read() {
    let house = House::new();
    for (wrong, words) in [
        (MAPPING.replace("object =", "objeto ="), ["line 11", "contracts have no field `objeto`"]),
        (MAPPING.replace("exemplo-cidade", "pncp"), ["line 1", "`pncp` is taken"]),
        ("no toml".to_owned(), ["line 1", "mapping.toml"]),
    ] {
        let run = ingest_by(&house, &wrong, FILE).ends_with(2);
        assert!(run.stderr.contains("mapping.toml") && words.iter().all(|w| run.stderr.contains(w)), "{}", run.stderr);
        assert!(run.stdout.is_empty());
    }
    let file = house.file("csv/contratos.csv", FILE);
    let missing = house.program().args(["ingest", "--map", "/nowhere.toml"]).arg(&file).run().ends_with(2);
    assert!(missing.stderr.contains("/nowhere.toml"), "{}", missing.stderr);
    let both = house.program().args(["ingest", "--source", "pncp", "--map", "m.toml"]).arg(&file).run().ends_with(2);
    assert!(both.stderr.contains("--map") && both.stderr.contains("--source"), "{}", both.stderr);
}

#[test]
fn a_file_that_does_not_fit_its_mapping_fails_and_names_what_is_missing() {
    let house = House::new();
    let report: Value = ingest_by(&house, MAPPING, &FILE.replace("Objeto", "Assunto")).ends_with(1).json();
    let said = report["files"][0]["error"].as_str().unwrap();
    assert!(said.contains("contratos.csv") && said.contains("these columns are missing: Objeto"), "{said}");
    // What merely lies in the folder need not fit.
    let folder = house.file("folder/contratos.csv", FILE);
    house.file("folder/LEIAME.txt", "nada disso");
    let mapping = house.file("map/mapping.toml", MAPPING);
    let run = house.program().args(["ingest", "--json"]).arg(folder.parent().unwrap()).arg("--map").arg(&mapping).run();
    let report: Value = run.ends_with(3).json();
    let statuses: Vec<_> = report["files"].as_array().unwrap().iter().map(|f| f["status"].as_str().unwrap()).collect();
    assert!(statuses.contains(&"ingested") && statuses.contains(&"not_recognised"), "{report:#}");
}
