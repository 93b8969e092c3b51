//! What GraphQL keeps: whole answers for as long, and for whom, as the hints of their types say; values of fields across queries.

use std::time::Instant;

use serde_json::{Value, json};
use testkit::postgres::PostgresServer;
use testkit::{Answer, House, Server};

use super::short_sample;

fn filled() -> House {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 600, 47)]).ends_with(3);
    house
}

#[track_caller]
fn send(server: &Server, query: &str) -> Answer {
    let answer = server.post("/graphql", &json!({"query": query}));
    assert_eq!((answer.status, answer.json().get("errors")), (200, None), "{query}: {}", answer.text());
    answer
}

/// The statements that a query took.
#[track_caller]
fn statements(server: &Server, query: &str) -> (Value, f64) {
    let before = server.metric("cidadao_ai_graphql_statements_total");
    let answer = send(server, query).json()["data"].take();
    (answer, server.metric("cidadao_ai_graphql_statements_total") - before)
}

#[test]
fn the_shortest_and_most_private_hint_of_what_an_answer_shows_is_its_own() {
    let house = filled();
    let edge = Server::start(house.program().env("CIDADAO_CACHE_EDGE_S", "1000"));
    let control = |server: &Server, query: &str| send(server, query).header("cache-control").to_owned();
    for (query, ttl) in [
        ("{ contracts(first: 2) { nodes { id supplier { name } } } }", Some(300)),
        ("{ contracts(first: 2) { nodes { id supplier { name findings(first: 1) { nodes { id } } } } } }", Some(30)),
        ("{ ...S } fragment S on Query { stats { contracts } }", Some(30)),
        ("{ __schema { types { name } } }", Some(1000)),
        ("{ contracts(first: 2) { nodes { id } } me { name } }", None),
        ("{ investigations(first: 1) { nodes { id } } }", None),
    ] {
        let expected = ttl.map_or("private, no-store".to_owned(), |ttl| format!("public, max-age=0, s-maxage={ttl}"));
        let said = control(&edge, query);
        assert!(said.starts_with(&expected), "{query}: {said}");
        // A second time it is at hand, if it is everybody's, and says the same.
        let again = send(&edge, query);
        assert_eq!(again.header("cache-control"), said, "{query}");
        let from = if ttl.is_some() { "cidadao; hit; detail=l1" } else { "cidadao; fwd=method" };
        assert_eq!(again.header("cache-status"), from, "{query}");
    }
    drop(edge);
    let usual = house.serve();
    let said = control(&usual, "{ stats { contracts } }");
    assert!(said.starts_with("public, max-age=0, s-maxage=5,"), "the setting is shorter than the hint: {said}");
}

#[test]
fn another_query_over_the_same_things_asks_only_for_what_is_not_at_hand() {
    let house = filled();
    let server = house.serve();
    let tree = |name: &str| {
        format!(
            "{{ {name}: buyers(first: 10) {{ nodes {{ contracts(first: 5) {{ nodes {{ id supplier {{ name findings(first: 2) {{ nodes {{ id verdict {{ verdict }} }} }} }} }} }} }} }} }}"
        )
    };
    let (first, cold) = statements(&server, &tree("a"));
    let (second, warm) = statements(&server, &tree("b"));
    assert_eq!(first["a"], second["b"]);
    assert!(cold >= 5.0 && warm <= cold - 3.0, "{cold} statements, then {warm}");
    // A query that was never seen, over suppliers that were.
    let other = "{ buyers(first: 10) { nodes { name contracts(first: 5) { nodes { object supplier { cnpj } } } } } }";
    let (_, known) = statements(&server, other);
    assert!(known <= warm, "{known}");
    let hits = server.metric("cidadao_ai_graphql_fields_hits_total");
    assert!(hits > 20.0, "{hits}");
    assert!(server.metric("cidadao_ai_graphql_fields_bytes") > 1_000.0);

    // What someone says of a finding is seen at once, in whichever query.
    let finding = server.json("findings?limit=100")["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| first.to_string().contains(finding["id"].as_str().unwrap()))
        .expect("the tree shows a finding")["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let verdict = json!({"verdict": "dismissed", "reason": "preço de tabela", "who": "Ana"});
    assert_eq!(server.post(&format!("/api/v1/findings/{finding}/verdict"), &verdict).status, 201);
    let (third, _) = statements(&server, &tree("c"));
    let shown = third.to_string();
    let at = shown.find(&finding).expect("it is still among the gravest");
    assert!(
        shown[at..].starts_with(&format!("{finding}\",\"verdict\":{{\"verdict\":\"dismissed\"}}")),
        "{}",
        &shown[at..at + 200]
    );

    // New data drop everything.
    let _ = house.ingest(&[&super::sample(&house, 300, 5)]).ends_with(3);
    let (_, anew) = statements(&server, &tree("d"));
    assert!(anew >= cold - 1.0, "{anew} after an ingest, {cold} at first");
    drop(server);

    for (setting, value) in
        [("CIDADAO_GRAPHQL_FIELDS_MIB", "0"), ("CIDADAO_GRAPHQL_FIELDS_TTL_S", "0"), ("CACHE_STRATEGY", "off")]
    {
        let server = Server::start(house.program().env(setting, value));
        let (_, first) = statements(&server, &tree("a"));
        let (_, second) = statements(&server, &tree("b"));
        assert_eq!(first, second, "{setting}={value} keeps none");
    }
}

#[test]
fn what_is_kept_of_fields_stays_within_its_bytes() {
    let house = filled();
    let server = Server::start(house.program().env("CIDADAO_GRAPHQL_FIELDS_MIB", "1"));
    // Nothing is kept under an id that is longer than any.
    let long = "x".repeat(513);
    for field in ["contract(id", "supplier(id", "finding(id", "bids(tenderId", "items(contractId"] {
        let shown = if field.contains("s(") { "nodes { id }" } else { "id" };
        let answer = server.post("/graphql", &json!({"query": format!("{{ {field}: \"{long}\") {{ {shown} }} }}")}));
        assert_eq!(answer.json()["errors"][0]["message"], "no id is this long", "{field}: {}", answer.text());
    }
    assert_eq!(server.metric("cidadao_ai_graphql_fields_bytes"), 0.0);
    let suppliers = server.walk("suppliers", 100);
    for (n, lot) in suppliers.chunks(20).enumerate() {
        let asked: String = lot
            .iter()
            .enumerate()
            .map(|(at, one)| format!("s{at}: supplier(id: {}) {{ name contracts(first: 30) {{ nodes {{ object }} }} n{n}: __typename }} ", one["id"]))
            .collect();
        let _ = send(&server, &format!("{{ {asked} }}"));
    }
    let bytes = server.metric("cidadao_ai_graphql_fields_bytes");
    assert!(bytes > 500_000.0 && bytes <= f64::from(1 << 20), "{bytes}");
}

#[test]
fn an_answer_at_hand_asks_a_database_server_nothing_and_what_is_decided_is_seen_at_once() {
    let house = House::on(&PostgresServer::shared().database());
    let _ = house.ingest(&[&short_sample(&house, 600, 47)]).ends_with(3);
    let server = house.serve();
    let finding = server.json("findings?limit=1")["data"][0]["id"].as_str().unwrap().to_owned();
    let query = format!("{{ finding(id: \"{finding}\") {{ verdict {{ reason }} }} }}");
    assert_eq!(send(&server, &query).json()["data"]["finding"]["verdict"], Value::Null);
    let statements = || server.metric("cidadao_ai_db_statements_total");
    let (before, asked, began) = (statements(), 2_000, Instant::now());
    for _ in 0..asked {
        assert!(send(&server, &query).header("cache-status").contains("hit"));
    }
    // What it asks by itself, some thirty times a second, whoever asks it.
    let own = began.elapsed().as_secs_f64() * 100.0 + 100.0;
    let more = statements() - before;
    assert!(more < own.max(f64::from(asked) / 2.0), "{more} statements for {asked} answers at hand");
    let give = format!(
        "mutation {{ giveVerdict(findingId: \"{finding}\", verdict: \"dismissed\", reason: \"visto\", who: \"Ana\") {{ who }} }}"
    );
    let _ = send(&server, &give);
    assert_eq!(send(&server, &query).json()["data"]["finding"]["verdict"]["reason"], "visto");
}
