//! One buyer under several ids: certain links are merged visibly, a person merges and undoes, history stays.

use serde_json::{Value, json};
use testkit::House;
use testkit::files::{self, Purchase};
use testkit::server::encoded;

const UASG: &str = "uasg:153000";

/// A contract of PNCP by a federal unit with this code.
fn federal(number: u32, code: &str, name: &str) -> Value {
    let mut contract = files::pncp_contract(number, "2025-06-24T00:30:04", 250.0);
    contract["orgaoEntidade"]["esferaId"] = json!("F");
    contract["orgaoEntidade"]["razaoSocial"] = json!("UNIVERSIDADE FICTICIA");
    contract["unidadeOrgao"]["codigoUnidade"] = json!(code);
    contract["unidadeOrgao"]["nomeUnidade"] = json!(name);
    contract
}

/// A federal unit that the Portal calls by its UASG and PNCP by CNPJ and unit, and a municipal one beside it.
fn held_twice() -> (House, String) {
    let house = House::new();
    let mut rows: Vec<Purchase> = (1..=3).map(|n| Purchase::new(n, "100,0000")).collect();
    for row in &mut rows {
        row.ug = "153000".into();
    }
    let purchases = house.file("202403_Compras.csv", files::purchases(&rows));
    let records = [
        federal(1, "153000", "UNIDADE FICTÍCIA"),
        federal(2, "153000", "UNIDADE FICTÍCIA"),
        files::pncp_contract(3, "2025-06-24T00:30:04", 9.0),
    ];
    let page = house.file("pncp.json", files::pncp_page(&records));
    house.ingested(&[&purchases, &page], 0);
    let pncp = format!("pncp:{}-153000", files::cnpj(90));
    (house, pncp)
}

#[test]
fn a_uasg_that_pncp_gives_is_merged_visibly_and_shown_as_one() {
    let (house, pncp) = held_twice();
    let server = house.serve();
    let links = server.walk("entities/links?kind=buyer&state=merged", 1);
    assert_eq!(links.len(), 1, "{links:?}");
    let link = &links[0];
    assert_eq!((link["from_id"].as_str(), link["into_id"].as_str()), (Some(pncp.as_str()), Some(UASG)));
    assert_eq!(
        (&link["basis"], &link["confidence"], &link["decided_by"]),
        (&json!("code"), &json!(1.0), &json!("program"))
    );
    for (id, other) in [(UASG, pncp.as_str()), (pncp.as_str(), UASG)] {
        let buyer = server.json(&format!("buyers/{}", encoded(id)));
        assert_eq!(buyer["id"], id);
        assert_eq!(buyer["same_as"], json!([other]));
        assert_eq!((&buyer["totals"]["contracts"], &buyer["totals"]["value"]), (&json!(5), &json!("800.0000")));
        assert_eq!(buyer["contracts"].as_array().unwrap().len(), 5);
        assert_eq!(server.walk(&format!("contracts?buyer_id={}", encoded(id)), 2).len(), 5);
    }
    // Records keep the id that their source gave.
    let ids: Vec<Value> = server.walk("contracts?source=pncp", 10).iter().map(|c| c["buyer"]["id"].clone()).collect();
    assert!(ids.contains(&json!(pncp)), "{ids:?}");
}

#[test]
fn what_is_undone_comes_apart_stays_apart_and_keeps_its_history() {
    let (house, pncp) = held_twice();
    let apart = house.json(&["entities", "undo", UASG, &pncp, "--reason", "são dois órgãos"]);
    assert_eq!(apart["same_as"], json!([]));
    let more = house.file("mais.json", files::pncp_page(&[federal(7, "153000", "UNIDADE FICTÍCIA RENOMEADA")]));
    house.ingested(&[&more], 0);
    let entity = house.json(&["entities", "show", &pncp]);
    assert_eq!(entity["same_as"], json!([]), "an ingest does not merge again what a person parted");
    let states: Vec<&str> =
        entity["history"].as_array().unwrap().iter().map(|h| h["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["merged", "undone"]);
    assert_eq!(entity["links"][0]["reason"], "são dois órgãos");
    let again = house.json(&["entities", "merge", &pncp, UASG, "--reason", "conferido"]);
    assert_eq!((&again["entity_id"], &again["same_as"]), (&json!(UASG), &json!([pncp])));
    assert_eq!(house.serve().json(&format!("buyers/{}", encoded(UASG)))["totals"]["contracts"], 6);
}

#[test]
fn a_name_is_only_proposed_and_what_cannot_be_merged_is_refused() {
    let house = House::new();
    let rows = [Purchase::new(1, "100,0000")];
    let purchases = house.file("202403_Compras.csv", files::purchases(&rows));
    let tender = house.file("202403_Licitação.csv", files::tenders(&[(&rows[0].ug, "SC", "12/03/2024")]));
    let mut contract = federal(1, "7", "UNIDADE FICTÍCIA");
    contract["unidadeOrgao"]["municipioNome"] = json!("Cidade Fictícia");
    let page = house.file("pncp.json", files::pncp_page(&[contract]));
    house.ingested(&[&purchases, &tender, &page], 0);
    let links = house.json(&["entities", "list", "--state", "proposed"]);
    let link = &links["links"][0];
    assert_eq!((&link["basis"], &link["state"]), (&json!("name"), &json!("proposed")), "{links}");
    assert!(link["confidence"].as_f64().unwrap() < 1.0);
    let (from, into) = (link["from_id"].as_str().unwrap(), link["into_id"].as_str().unwrap());
    let alone = house.json(&["entities", "show", into]);
    assert_eq!(alone["same_as"], json!([]), "a proposal merges nothing");
    let refused = |args: &[&str]| {
        let run = house.program().args(["entities"]).args(args).run();
        assert_ne!(run.code, Some(0), "{args:?}");
    };
    refused(&["merge", from, into]);
    refused(&["merge", from, into, "--reason", "  "]);
    refused(&["merge", from, from, "--reason", "x"]);
    refused(&["merge", from, "uasg:000000", "--reason", "x"]);
    refused(&["merge", from, &format!("cnpj:{}", files::cnpj(2)), "--reason", "x"]);
    refused(&["undo", from, "uasg:000000"]);
    let merged = house.json(&["entities", "merge", from, into, "--reason", "conferido no portal"]);
    assert_eq!(merged["same_as"], json!([from]));
}

#[test]
fn a_person_decides_on_links_over_http_under_their_name() {
    let (house, pncp) = held_twice();
    let made = house.json(&["users", "add", "ana", "--role", "analyst"]);
    let server = house.serve();
    let login = json!({"name": "ana", "password": made["password"]});
    let token = server.post("/api/v1/auth/login", &login).json()["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let decide = |what: &str, reason: &str, headers: &[(&str, &str)]| {
        let body = json!({"from": pncp, "into": UASG, "reason": reason});
        server.post_with(&format!("/api/v1/entities/links/{what}"), &body, headers)
    };
    let ana = [("authorization", bearer.as_str())];
    assert_eq!(decide("undo", "são dois", &[]).status, 401);
    let undone = decide("undo", "são dois", &ana);
    assert_eq!((undone.status, &undone.json()["same_as"]), (200, &json!([])), "{}", undone.text());
    assert_eq!(decide("merge", "", &ana).status, 400, "a merge needs a reason");
    let merged = decide("merge", "o cadastro diz que é um só", &ana).json();
    assert_eq!(merged["same_as"], json!([pncp]));
    let links = server.walk("entities/links?kind=buyer&state=merged", 10);
    assert_eq!(links[0]["decided_by"], "account:ana", "{links:?}");
}
