//! What Receita's register says of a supplier is shown with it; ways to reach people never are; amounts say their currency.

use testkit::House;
use testkit::files::{self, Purchase};

/// Rows as the Receita writes them: quoted, `;`, no header.
fn receita(rows: &[&str]) -> String {
    rows.iter().map(|row| format!("\"{}\"\n", row.replace('|', "\";\""))).collect()
}

#[test]
fn a_supplier_shows_its_registration_with_its_date_and_its_partners() {
    let house = House::new();
    let establishment = "00000000|0001|91|1|EXEMPLO|04|20230510|63|||19660801|6422100|6499999|AVENIDA|DE EXEMPLO|1000|SALA 1|CENTRO|01310100|SP|7107|11|33334444|||||contato@exemplo.com.br||";
    let purchase = Purchase { supplier: "00.000.000/0001-91".to_owned(), ..Purchase::new(1, "1,0000") };
    let paths = [
        house.file("202402_Compras.csv", files::purchases(&[purchase])),
        house.file("K3241.K03200Y0.D40914.ESTABELE", receita(&[establishment])),
        house.file("K3241.K03200Y0.D40914.EMPRECSV", receita(&["00000000|EXEMPLO SA|2038|10|120000,00|05|"])),
        house.file(
            "K3241.K03200Y0.D40914.SOCIOCSV",
            receita(&["00000000|2|JOSE DA SILVA|***982247**|49|20200115||***000000**||00|4"]),
        ),
    ];
    for path in &paths {
        let _ = house.ingested(&[path], 0);
    }
    let server = house.serve();
    let supplier = server.json("suppliers/cnpj%3A00000000000191");
    let registrations = supplier["registrations"].as_array().unwrap();
    let found = |scope: &str| registrations.iter().find(|r| r["scope"] == scope).unwrap();
    let establishment = found("establishment");
    assert_eq!((&establishment["status"], &establishment["status_on"]), (&"unfit".into(), &"2023-05-10".into()));
    assert_eq!(
        (&establishment["opened_on"], &establishment["main_activity"]),
        (&"1966-08-01".into(), &"6422100".into())
    );
    assert_eq!(establishment["published_on"], "2024-09-14");
    assert_eq!(found("company")["capital"], "120000.0000");
    assert_eq!(supplier["partners"][0]["name"], "JOSE DA SILVA");
    assert_eq!(supplier["partners"][0]["since_on"], "2020-01-15");
    let text = supplier.to_string();
    for hidden in ["33334444", "contato@", "DE EXEMPLO", "address_key", "phone_keys", "email_key"] {
        assert!(!text.contains(hidden), "{hidden} is shown: {text}");
    }
}

#[test]
fn an_amount_in_another_currency_says_so_and_is_in_no_sum_of_reais() {
    let house = House::new();
    let release = r#"{"ocid":"ocds-zz0000-7","id":"r1","date":"2025-03-10T10:00:00Z","tag":["contract"],
        "parties":[{"id":"B","name":"Town of Example","roles":["buyer"],"identifier":{"scheme":"XX-REG","id":"1"}},
                   {"id":"S","name":"Example Ltd","roles":["supplier"],"identifier":{"scheme":"XX-REG","id":"2"}}],
        "buyer":{"id":"B","name":"Town of Example"},
        "awards":[{"id":"a","status":"active","suppliers":[{"id":"S","name":"Example Ltd"}],"value":{"amount":10.5,"currency":"MDL"}}],
        "contracts":[{"id":"c","awardID":"a","status":"active","dateSigned":"2025-03-01T00:00:00Z","value":{"amount":10.5,"currency":"MDL"}}]}"#;
    let path = house.file("r.jsonl", release.replace('\n', " "));
    let _ = house.ingested(&[&path], 0);
    let server = house.serve();
    let contracts = server.walk("contracts", 10);
    assert_eq!(contracts.len(), 1, "{contracts:?}");
    assert_eq!((&contracts[0]["currency"], &contracts[0]["value_initial"]), (&"MDL".into(), &"10.5000".into()));
    let supplier = contracts[0]["supplier"]["id"].as_str().unwrap().replace(':', "%3A");
    let totals = &server.json(&format!("suppliers/{supplier}"))["totals"];
    assert_eq!((&totals["contracts"], &totals["value"]), (&1.into(), &serde_json::Value::Null), "{totals}");
}
