//! A person's full CPF goes in and is nowhere: not on the disk, not in any answer.

use std::collections::BTreeMap;

use lake::{Literal, Session};
use testkit::House;
use testkit::files::{self, Purchase, Sanctioned};
use testkit::server::encoded;

/// Valid numbers; the program keeps the middle six digits only.
const PEOPLE: [(&str, &str); 3] =
    [("52998224725", "529.982.247-25"), ("11144477735", "111.444.777-35"), ("39053344705", "390.533.447-05")];

fn holds_a_cpf(bytes: &[u8]) -> Option<&'static str> {
    PEOPLE
        .iter()
        .flat_map(|(plain, dotted)| [*plain, *dotted])
        .find(|cpf| bytes.windows(cpf.len()).any(|w| w == cpf.as_bytes()))
}

fn house_of_people() -> House {
    let house = House::new();
    let mut rows: Vec<Purchase> = (1..=6).map(|n| Purchase::new(n, "100,0000")).collect();
    (rows[0].supplier, rows[0].supplier_name) = (PEOPLE[0].1.into(), "JOÃO DE EXEMPLO".into());
    rows[1].supplier_name = format!("MARIA DE EXEMPLO {}", PEOPLE[1].0);
    rows[2].object = format!("Objeto: diárias de {} (CPF {})", PEOPLE[2].1, PEOPLE[2].0);
    (rows[3].supplier, rows[3].supplier_name) = (PEOPLE[1].0.into(), "MARIA DE EXEMPLO".into());
    // In a quarantined row, in its text and in the column at fault.
    (rows[4].supplier, rows[4].supplier_name, rows[4].signed) =
        (PEOPLE[0].0.into(), format!("JOÃO {}", PEOPLE[0].1), "00/00/0000".into());
    rows[5].r#final = PEOPLE[2].1.into();
    house.file("202402_Compras.csv", files::purchases(&rows));
    let mut record = files::pncp_contract(1, "2025-06-24T00:30:04", 10.5);
    record["niFornecedor"] = PEOPLE[0].0.into();
    record["tipoPessoa"] = "PF".into();
    record["nomeRazaoSocialFornecedor"] = "JOÃO DE EXEMPLO".into();
    record["informacaoComplementar"] = format!("responsável: {}", PEOPLE[1].1).into();
    let mut broken = record.clone();
    broken["valorInicial"] = PEOPLE[2].0.into();
    broken["numeroControlePNCP"] = "99950000000110-2-000002/2025".into();
    house.file("pagina.json", files::pncp_page(&[record, broken]));
    let mut sanction = Sanctioned::new(1, PEOPLE[0].0);
    sanction.name = "JOÃO DE EXEMPLO".into();
    let mut other = Sanctioned::new(2, PEOPLE[1].1);
    (other.name, other.ends) = (format!("MARIA DE EXEMPLO {}", PEOPLE[1].0), "99/99/9999".into());
    house.file("ceis.csv", files::ceis(&[sanction, other]));
    let run = house.ingest(&[&house.root().join("in")]).ends_with(3);
    assert_eq!(holds_a_cpf(run.stdout.as_bytes()), None);
    assert_eq!(holds_a_cpf(run.stderr.as_bytes()), None);
    house
}

#[test]
fn a_full_cpf_is_in_no_byte_of_the_data_folder() {
    let house = house_of_people();
    for path in house.data_files() {
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(holds_a_cpf(&bytes), None, "{}", path.display());
    }
    // The lake is compressed: decoded too.
    let session = Session::of_rows(&BTreeMap::new()).unwrap();
    let mut rows = 0;
    for path in house.data_files().iter().filter(|p| p.extension().is_some_and(|e| e == "parquet")) {
        let sql = format!(
            "select columns(*)::varchar from read_parquet({})",
            Literal::Text(path.to_string_lossy().into_owned()).sql()
        );
        let mut look = |row: &lake::TextRow| {
            rows += 1;
            for (column, value) in row.with_prefix("") {
                assert_eq!(holds_a_cpf(value.unwrap_or_default().as_bytes()), None, "{column} in {}", path.display());
            }
            Ok(())
        };
        session.rows(&sql, &mut look).unwrap();
    }
    assert!(rows > 10);
    // What is quarantined is masked, not dropped.
    let state = house.state();
    assert_eq!(state["quarantine"].len(), 4, "{:#?}", state["quarantine"]);
    assert!(state["quarantine"].iter().any(|row| row.contains("***.982.247-**")), "{:#?}", state["quarantine"]);
    assert!(state["suppliers"].iter().any(|row| row.contains("***.982.247-**")));
}

#[test]
fn a_full_cpf_is_in_no_answer() {
    let house = house_of_people();
    let server = house.serve();
    let mut asked = Vec::new();
    for list in ["contracts", "suppliers", "buyers", "findings", "sources", "flags"] {
        for row in server.walk(list, 100) {
            if let (Some(id), false) = (row["id"].as_str(), matches!(list, "sources" | "flags")) {
                asked.push(format!("{list}/{}", encoded(id)));
                if list == "findings" {
                    asked.push(format!("{list}/{}/evidence", encoded(id)));
                }
            }
            assert_eq!(holds_a_cpf(row.to_string().as_bytes()), None, "{list}: {row}");
        }
    }
    assert!(asked.iter().any(|a| a.ends_with("/evidence")), "a person is found sanctioned: {asked:?}");
    for path in asked {
        assert_eq!(holds_a_cpf(server.json(&path).to_string().as_bytes()), None, "{path}");
    }
    // Nor can one be asked for.
    assert_eq!(server.json(&format!("contracts?q={}", PEOPLE[0].0))["data"].as_array().unwrap().len(), 0);
    let answer = server.get(&format!("/api/v1/contracts?cnpj={}", PEOPLE[0].0));
    assert_eq!(answer.status, 400);
    assert_eq!(holds_a_cpf(server.log().as_bytes()), None, "{}", server.log());
    // The same person stands under one key, wherever the number came from.
    let people = server.walk("suppliers?kind=person", 100);
    assert_eq!(people.iter().filter(|p| p["masked_cpf"] == "***.982.247-**").count(), 1, "{people:#?}");
}
