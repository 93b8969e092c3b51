//! REST from outside: lists, filters, cursors, full text, problems.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::files::{self, Purchase, cnpj};
use testkit::server::encoded;
use testkit::{House, Server};

use super::sample;

/// A sample, and contracts without a date or value beside it.
fn answering(contracts: u32) -> (House, Server) {
    let house = House::new();
    let files = sample(&house, contracts, 17);
    let mut rows: Vec<Purchase> = (1..=30).map(|n| Purchase::new(n, "100,0000")).collect();
    for row in &mut rows[..12] {
        row.signed = String::new();
    }
    for row in &mut rows[6..18] {
        (row.initial, row.r#final) = (String::new(), String::new());
    }
    rows[20].object = "Objeto: AQUISIÇÃO DE GUARDA-CHUVAS PARA AS ESTAÇÕES METEOROLÓGICAS".into();
    rows[21].object = "Objeto: Serviços técnicos de avaliação de imóveis rurais".into();
    let extra = house.file("extra/contratos.csv", files::purchases(&rows));
    let _ = house.ingest(&[&files, &extra]).ends_with(3);
    let server = house.serve();
    (house, server)
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn a_list_is_walked_to_its_end_and_each_row_is_seen_once_also_those_without_a_date() {
    let (house, server) = answering(300);
    let held = house.state()["contracts"].len();
    for sort in ["-signed_on", "signed_on", "-value", "value"] {
        let rows = server.walk(&format!("contracts?sort={sort}"), 97);
        let distinct: BTreeSet<&str> = ids(&rows).into_iter().collect();
        assert_eq!((rows.len(), distinct.len()), (held, held), "{sort}");
        let column = if sort.contains("value") { "value_final" } else { "signed_on" };
        let known: Vec<&Value> = rows.iter().map(|r| &r[column]).take_while(|v| !v.is_null()).collect();
        assert!(rows[known.len()..].iter().all(|r| r[column].is_null()), "{sort}: those without come last");
        assert!(rows.len() - known.len() >= 12, "{sort}");
        let key = |v: &Value| {
            let text = v.as_str().unwrap();
            if column == "signed_on" {
                text.replace('-', "").parse().unwrap()
            } else {
                text.replace('.', "").parse::<i64>().unwrap()
            }
        };
        let in_order = known
            .windows(2)
            .all(|w| if sort.starts_with('-') { key(w[0]) >= key(w[1]) } else { key(w[0]) <= key(w[1]) });
        assert!(in_order, "{sort}");
    }
    for list in ["suppliers", "suppliers?sort=-name", "buyers", "buyers?sort=-name"] {
        let rows = server.walk(list, 53);
        let table = list.split('?').next().unwrap();
        assert_eq!(ids(&rows).into_iter().collect::<BTreeSet<_>>().len(), house.state()[table].len(), "{list}");
        assert_eq!(rows.len(), house.state()[table].len(), "{list}");
    }
    for sort in ["-gravity", "-amount", "-as_of"] {
        // Findings of kind context come only where they are asked for.
        let rows: Vec<Value> = ["rule", "signal", "context"]
            .iter()
            .flat_map(|kind| server.walk(&format!("findings?state=all&kind={kind}&sort={sort}"), 7))
            .collect();
        assert_eq!(ids(&rows).into_iter().collect::<BTreeSet<_>>().len(), house.state()["findings"].len(), "{sort}");
        assert_eq!(rows.len(), house.state()["findings"].len(), "{sort}");
    }
}

#[test]
fn a_filtered_list_holds_what_the_filter_says_and_nothing_less() {
    let (_house, server) = answering(300);
    let all = server.walk("contracts", 100);
    let some = all
        .iter()
        .find(|c| c["source"] == "pncp" && c["supplier"]["id"].as_str().is_some_and(|s| s.starts_with("cnpj:")))
        .unwrap();
    let supplier = some["supplier"]["id"].as_str().unwrap().to_owned();
    let buyer = some["buyer"]["id"].as_str().unwrap().to_owned();
    let amount = |v: &Value| v.as_str().map(|t| t.replace('.', "").parse::<i64>().unwrap());
    let at_least = |c: &Value, n: i64| amount(&c["value_final"]).is_some_and(|v| v >= n);
    type Test<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let tests: Vec<(String, Test<'_>)> = vec![
        ("source=portal-compras".into(), Box::new(|c| c["source"] == "portal-compras")),
        (format!("supplier_id={}", encoded(&supplier)), Box::new(|c| c["supplier"]["id"] == supplier.as_str())),
        (format!("cnpj={}", &supplier[5..]), Box::new(|c| c["supplier"]["id"] == supplier.as_str())),
        (format!("buyer_id={}", encoded(&buyer)), Box::new(|c| c["buyer"]["id"] == buyer.as_str())),
        ("modality=dispensa".into(), Box::new(|c| c["modality"] == "dispensa")),
        ("state=SP".into(), Box::new(|c| c["buyer"]["state"] == "SP")),
        (
            "signed_from=2024-01-01&signed_to=2024-06-30".into(),
            Box::new(|c| c["signed_on"].as_str().is_some_and(|d| ("2024-01-01"..="2024-06-30").contains(&d))),
        ),
        (
            "value_min=10000&value_max=50000.00".into(),
            Box::new(|c| at_least(c, 100_000_000) && !at_least(c, 500_000_001)),
        ),
        (
            "source=pncp&value_min=10000&sort=value".into(),
            Box::new(|c| c["source"] == "pncp" && at_least(c, 100_000_000)),
        ),
    ];
    for (filter, holds) in tests {
        let rows = server.walk(&format!("contracts?{filter}"), 61);
        let expected: BTreeSet<&str> = all.iter().filter(|c| holds(c)).map(|c| c["id"].as_str().unwrap()).collect();
        assert!(!expected.is_empty(), "{filter} selects something");
        assert_eq!(ids(&rows).into_iter().collect::<BTreeSet<_>>(), expected, "{filter}");
        assert_eq!(rows.len(), expected.len(), "{filter}");
    }
    let findings = server.walk("findings", 100);
    for flag in ["BR01", "BR05", "BR11", "BR19"] {
        let rows = server.walk(&format!("findings?flag={flag}"), 9);
        let expected: BTreeSet<&str> =
            findings.iter().filter(|f| f["flag"] == flag).map(|f| f["id"].as_str().unwrap()).collect();
        assert_eq!(ids(&rows).into_iter().collect::<BTreeSet<_>>(), expected, "{flag}");
    }
    let critical = server.walk("findings?severity=critical&kind=rule", 100);
    assert!(!critical.is_empty() && critical.iter().all(|f| f["severity"] == "critical" && f["kind"] == "rule"));
    let contract = critical[0]["contract_ids"][0].as_str().unwrap();
    let of_contract = server.walk(&format!("findings?contract_id={}", encoded(contract)), 100);
    assert!(ids(&of_contract).contains(&critical[0]["id"].as_str().unwrap()));
    let detail = server.json(&format!("contracts/{}", encoded(contract)));
    assert!(detail["findings"].as_array().unwrap().iter().any(|f| f["id"] == critical[0]["id"]));
}

#[test]
fn words_are_found_without_accents_in_any_case_in_singular_and_plural() {
    let (_house, server) = answering(300);
    let found = |q: &str| {
        server
            .walk(&format!("contracts?q={}", encoded(q)), 100)
            .iter()
            .map(|c| c["number"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for q in [
        "guarda-chuva",
        "GUARDA CHUVAS",
        "estacao meteorologica",
        "estações meteorológicas",
        "Estação meteorológica",
        "aquisicoes guarda chuva estacoes",
    ] {
        assert_eq!(found(q), ["000212024"], "{q}");
    }
    for q in ["imovel rural", "IMÓVEIS RURAIS", "servico tecnico imovel", "avaliações de imóvel"] {
        assert_eq!(found(q), ["000222024"], "{q}");
    }
    assert_eq!(found("guarda-chuva imovel"), Vec::<String>::new(), "every word must be there");
    // A quote or an operator of the engine is text like any other.
    for q in ["\"guarda", "chuva OR imovel", "guarda* NEAR(", "chuva AND NOT x", "'; drop table contracts; --"] {
        let answer = server.get(&format!("/api/v1/contracts?q={}", encoded(q)));
        assert!([200, 400].contains(&answer.status), "{q}: {}", answer.text());
    }
    let suppliers = server.walk("suppliers?q=papelaria%20ficticia", 100);
    assert!(suppliers.iter().any(|s| s["cnpj"] == cnpj(1).as_str()), "{suppliers:?}");
    assert!(!server.walk("buyers?q=unidade%20ficticia%20901", 100).is_empty());
}

#[test]
fn what_cannot_be_asked_is_a_problem_that_names_the_field() {
    let (_house, server) = answering(150);
    let cursor = server.json("contracts?limit=3")["page"]["next_cursor"].as_str().unwrap().to_owned();
    let cursor = encoded(&cursor);
    for (path, field) in [
        ("contracts?colour=red".to_owned(), "colour"),
        ("contracts?limit=0".into(), "limit"),
        ("contracts?limit=101".into(), "limit"),
        ("contracts?limit=-1".into(), "limit"),
        ("contracts?cursor=abc".into(), "cursor"),
        (format!("contracts?sort=value&cursor={cursor}"), "cursor"),
        (format!("suppliers?cursor={cursor}"), "cursor"),
        (format!("contracts?cursor={}", &cursor[..cursor.len() - 2]), "cursor"),
        ("contracts?cnpj=12345678000100".into(), "cnpj"),
        ("contracts?cnpj=123".into(), "cnpj"),
        ("suppliers?cnpj=11.222.333/0001-8X".into(), "cnpj"),
        ("contracts?signed_from=2024-02-30".into(), "signed_from"),
        ("contracts?q=a&q=b".into(), "q"),
        ("contracts?state=".into(), "state"),
        ("findings?flag=BR99".into(), "flag"),
        ("findings?sort=price".into(), "sort"),
    ] {
        let answer = server.get(&format!("/api/v1/{path}"));
        let problem = answer.json();
        assert_eq!((answer.status, problem["field"].as_str()), (400, Some(field)), "{path}: {problem}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(problem["type"], "/problems/invalid-parameter");
        assert_eq!(problem["status"], 400);
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    }
    for (path, kind) in [
        ("contracts/nada%3A1", "/problems/not-found"),
        ("findings/fnd_x/evidence", "/problems/not-found"),
        ("nothing", "/problems/no-such-route"),
    ] {
        let answer = server.get(&format!("/api/v1/{path}"));
        assert_eq!((answer.status, answer.json()["type"].as_str()), (404, Some(kind)), "{path}");
    }
}

#[test]
fn a_supplier_and_a_buyer_tell_their_totals() {
    let (_house, server) = answering(300);
    let all = server.walk("contracts", 100);
    for (list, party) in [("suppliers", "supplier"), ("buyers", "buyer")] {
        let id = all
            .iter()
            .filter_map(|c| c[party]["id"].as_str())
            .max_by_key(|id| all.iter().filter(|c| c[party]["id"] == **id).count())
            .unwrap();
        let own: Vec<&Value> = all.iter().filter(|c| c[party]["id"] == id).collect();
        let detail = server.json(&format!("{list}/{}", encoded(id)));
        assert_eq!(detail["totals"]["contracts"], own.len(), "{id}");
        let amounts: Vec<i64> =
            own.iter().filter_map(|c| c["value_final"].as_str()).map(|v| v.replace('.', "").parse().unwrap()).collect();
        assert_eq!(detail["totals"]["contracts_without_value"], own.len() - amounts.len(), "{id}");
        let sum: i64 = amounts.iter().sum();
        assert_eq!(
            detail["totals"]["value"],
            format!("{}.{:04}", sum / 10_000, sum % 10_000),
            "{id}: exact to the last digit"
        );
        assert!(detail["contracts"].as_array().unwrap().len() <= 20);
    }
}

#[test]
fn the_catalogue_and_the_sources_say_what_was_looked_at() {
    let (house, server) = answering(300);
    let flags = server.json("flags");
    let coverage = house.json(&["flags", "coverage"]);
    for (flag, counted) in flags["data"].as_array().unwrap().iter().zip(coverage["flags"].as_array().unwrap()) {
        assert_eq!(flag["code"], counted["code"]);
        assert_eq!(flag["coverage"]["hit"], counted["hit"]);
        assert_eq!(flag["coverage"]["not_computable"], counted["not_computable"]);
        let open = server.walk(&format!("findings?flag={}", flag["code"].as_str().unwrap()), 100).len();
        assert_eq!(flag["coverage"]["hit"], open, "{}", flag["code"]);
        assert!(
            server.json(&format!("flags/{}", flag["code"].as_str().unwrap()))["sql"]
                .as_str()
                .unwrap()
                .contains("subject_id")
        );
    }
    let state = house.state();
    for row in server.json("sources")["data"].as_array().unwrap() {
        if let Some(table) = row["table"].as_str() {
            let source = format!("|{}|", row["source"].as_str().unwrap());
            let held = state[table].iter().filter(|r| r.contains(&source)).count();
            if !["buyers", "suppliers"].contains(&table) {
                assert_eq!(row["rows"], held, "{row}");
            }
        }
    }
}

#[test]
fn tenders_are_listed_filtered_and_shown_with_items_and_bids() {
    let house = House::new();
    let _ = house.ingest(&[&super::short_sample(&house, 600, 31)]).ends_with(3);
    let server = house.serve();
    let all = server.walk("tenders", 37);
    assert!(all.len() > 50, "{}", all.len());
    let days: Vec<&str> = all.iter().filter_map(|tender| tender["published_on"].as_str()).collect();
    assert!(days.windows(2).all(|pair| pair[0] >= pair[1]), "newest first");
    let oldest = server.json("tenders?sort=published_on&limit=1")["data"][0]["published_on"].clone();
    assert_eq!(oldest.as_str(), days.last().copied());
    let buyer = all.iter().find_map(|tender| tender["buyer_id"].as_str()).unwrap();
    let of = |all: &[Value]| -> std::collections::BTreeSet<String> {
        all.iter().map(|tender| tender["id"].as_str().unwrap().to_owned()).collect()
    };
    let bought = server.walk(&format!("tenders?buyer_id={}", testkit::server::encoded(buyer)), 10);
    let own: Vec<Value> = all.iter().filter(|tender| tender["buyer_id"] == buyer).cloned().collect();
    assert!(of(&bought).is_superset(&of(&own)) && !own.is_empty());
    let from = server.walk("tenders?modality=pregao&published_from=2024-01-01&published_to=2024-06-30", 50);
    let expected = all.iter().filter(|tender| {
        tender["modality"] == "pregao"
            && tender["published_on"].as_str().is_some_and(|day| ("2024-01-01"..="2024-06-30").contains(&day))
    });
    assert_eq!(of(&from), of(&expected.cloned().collect::<Vec<_>>()));
    let mut bids = 0;
    for tender in all.iter().take(60) {
        let id = tender["id"].as_str().unwrap();
        let shown = server.json(&format!("tenders/{}", testkit::server::encoded(id)));
        assert_eq!((&shown["object"], &shown["truncated"]), (&tender["object"], &serde_json::json!([])));
        assert!(shown["provenance"]["file"].is_string() && shown["provenance"]["line"].is_number());
        for bid in shown["bids"].as_array().unwrap() {
            assert_eq!(bid["tender_id"], id);
            bids += 1;
        }
    }
    assert!(bids > 0, "some of them state who bid");
    assert_eq!(server.get("/api/v1/tenders/nope").status, 404);
    assert_eq!(server.get("/api/v1/tenders?colour=red").status, 400);
}

#[test]
fn common_words_are_found_in_every_order_and_none_is_left_out() {
    let house = House::new();
    let rows: Vec<files::Purchase> = (1..=3_000)
        .map(|n| {
            let mut row = files::Purchase::new(n, &format!("{},5000", n * 37 % 9_973 + 1));
            row.object = match n % 7 {
                0 => format!("Serviços de limpeza predial {n}"),
                1..=4 => format!("Aquisição de materiais hospitalares {n}"),
                _ => format!("Locação de veículo {n}"),
            };
            row.signed = format!("{:02}/{:02}/2024", n % 28 + 1, n % 12 + 1);
            row.supplier = files::cnpj(n % 11 + 1);
            row
        })
        .collect();
    house.ingested(&[&house.file("202402_Compras.csv", files::purchases(&rows))], 0);
    let server = house.serve();
    let ids = |list: &str| -> Vec<String> {
        server.walk(list, 97).iter().map(|contract| contract["id"].as_str().unwrap().to_owned()).collect()
    };
    // 3,000 hold the source's own words, 1,716 the hospital's: on both sides of what counts as many.
    for (words, holds) in [("materiais HOSPITALAR", 1..=4), ("unidade", 0..=6), ("limpeza", 0..=0)] {
        let q = testkit::server::encoded(words);
        let fits = |contract: &Value| -> bool {
            let object = contract["object"].as_str().unwrap();
            let n: u64 = object.rsplit(' ').next().unwrap().parse().unwrap();
            let named = format!("{} {}", contract["buyer"]["name"], contract["supplier"]["name"]).to_lowercase();
            if words == "unidade" { named.contains("unidade") } else { holds.contains(&(n % 7)) }
        };
        for filter in ["sort=-signed_on", "sort=signed_on", "sort=-value", "sort=value", "signed_from=2024-06-01"] {
            let expected: Vec<String> = server
                .walk(&format!("contracts?{filter}"), 100)
                .iter()
                .filter(|contract| fits(contract))
                .map(|contract| contract["id"].as_str().unwrap().to_owned())
                .collect();
            assert!(expected.len() > 200, "{words}, {filter}: {}", expected.len());
            assert_eq!(ids(&format!("contracts?q={q}&{filter}")), expected, "{words}, {filter}");
        }
    }
    let supplier = testkit::server::encoded(&format!("cnpj:{}", files::cnpj(3)));
    for sort in ["-value", "value"] {
        let of = server.walk(&format!("contracts?supplier_id={supplier}&sort={sort}"), 10);
        let values: Vec<f64> = of.iter().map(|c| c["value_final"].as_str().unwrap().parse().unwrap()).collect();
        assert!(values.len() > 200 && (values.is_sorted() || values.iter().rev().is_sorted()), "{sort}");
    }
}
