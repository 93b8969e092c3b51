//! The door from the inside: the router over a small data folder, one request at a time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod house;

use axum::http::StatusCode;
use house::House;

#[tokio::test]
async fn a_list_is_walked_to_its_end_without_gap_or_repeat() {
    let house = House::new();
    for sort in ["-signed_on", "signed_on", "-value", "value"] {
        let mut seen = Vec::new();
        let mut path = format!("/api/v1/contracts?limit=7&sort={sort}");
        loop {
            let answer = house.get(&path).await;
            let rows = answer.json["data"].as_array().unwrap().iter();
            seen.extend(rows.map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = answer.json["page"]["next_cursor"].as_str() else { break };
            path = format!("/api/v1/contracts?limit=7&sort={sort}&cursor={cursor}");
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), count), (house::CONTRACTS, house::CONTRACTS), "{sort}");
    }
}

#[tokio::test]
async fn a_cursor_is_refused_for_another_question() {
    let house = House::new();
    let first = house.get("/api/v1/contracts?limit=3").await;
    let cursor = first.json["page"]["next_cursor"].as_str().unwrap();
    for other in ["contracts?limit=3&sort=value", "contracts?limit=3&q=limpeza", "suppliers?limit=3"] {
        let answer = house.get(&format!("/api/v1/{other}&cursor={cursor}")).await;
        assert_eq!((answer.status, answer.field()), (StatusCode::BAD_REQUEST, "cursor"), "{other}");
    }
    // The limit is no part of the question.
    assert_eq!(house.get(&format!("/api/v1/contracts?limit=5&cursor={cursor}")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let house = House::new();
    let refused = [
        ("contracts?colour=red", "colour"),
        ("contracts?q=limpeza&q=obra", "q"),
        ("contracts?q=de", "q"),
        ("contracts?limit=0", "limit"),
        ("contracts?limit=101", "limit"),
        ("contracts?limit=x", "limit"),
        ("contracts?cursor=abc", "cursor"),
        ("contracts?cnpj=12345678000100", "cnpj"),
        ("contracts?sort=price", "sort"),
        ("contracts?modality=Preg%C3%A3o", "modality"),
        ("contracts?state=XX", "state"),
        ("contracts?signed_from=2024-02-30", "signed_from"),
        ("contracts?signed_to=01/02/2024", "signed_to"),
        ("contracts?value_min=1,5", "value_min"),
        ("contracts?buyer_id=", "buyer_id"),
        ("suppliers?kind=alien", "kind"),
        ("buyers?sphere=X", "sphere"),
        ("findings?severity=huge", "severity"),
        ("findings?kind=proof", "kind"),
        ("findings?state=closed", "state"),
        ("findings?flag=NOPE", "flag"),
        ("flags?q=x", "q"),
        ("sources?limit=0", "limit"),
        ("entities/links?state=sure", "state"),
        ("entities/links?kind=person", "kind"),
        ("contracts/x?q=1", "q"),
    ];
    for (path, field) in refused {
        let answer = house.get(&format!("/api/v1/{path}")).await;
        assert_eq!((answer.status, answer.field()), (StatusCode::BAD_REQUEST, field), "{path}");
        assert_eq!(answer.json["type"], "/problems/invalid-parameter", "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
    let long = house.get(&format!("/api/v1/contracts?q={}", "a".repeat(201))).await;
    assert_eq!(long.field(), "q");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let house = House::new();
    for path in
        ["contracts/x%3Ay", "suppliers/x", "buyers/x", "flags/x", "findings/x", "findings/x/evidence", "nothing"]
    {
        let answer = house.get(&format!("/api/v1/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
    let answer = house.send("POST", "/api/v1/contracts", &[]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json["type"], "/problems/method-not-allowed");
    assert!(answer.header("allow").contains("GET"));
    let large = house.send("POST", "/api/v1/contracts", &[("content-length", "999999999")]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let long = house.get(&format!("/api/v1/contracts?source={}", "a".repeat(9_000))).await;
    assert_eq!(long.status, StatusCode::URI_TOO_LONG);
}

#[tokio::test]
async fn a_contract_is_found_by_its_encoded_id_and_tells_where_it_came_from() {
    let house = House::new();
    let answer = house.get("/api/v1/contracts/test%3A1~%7C%2F%20*").await;
    assert_eq!(answer.status, StatusCode::OK);
    let contract = &answer.json;
    assert_eq!(contract["id"], "test:1~|/ *");
    assert_eq!(contract["value_final"], "1000.5000");
    assert_eq!(contract["published_on"], serde_json::Value::Null);
    assert_eq!(contract["provenance"]["file"], "a.csv");
    assert_eq!(contract["provenance"]["line"], 3);
    for list in ["items", "amendments", "findings", "versions", "truncated"] {
        assert!(contract[list].is_array(), "{list}");
    }
}

#[tokio::test]
async fn contracts_are_found_by_the_suppliers_cnpj_in_any_punctuation() {
    let house = House::new();
    for cnpj in ["00.000.000%2F0001-91", "00000000000191"] {
        let answer = house.get(&format!("/api/v1/contracts?limit=100&cnpj={cnpj}")).await;
        assert_eq!(answer.json["data"].as_array().unwrap().len(), house::CONTRACTS - 1, "{cnpj}");
    }
    let none = house.get("/api/v1/contracts?cnpj=00000000000191&supplier_id=cnpj%3A11222333000181").await;
    assert_eq!((none.status, none.json["data"].as_array().unwrap().len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn a_person_is_shown_masked_and_kept_from_robots() {
    let house = House::new();
    let answer = house.get("/api/v1/suppliers/cpf%3A%2A%2A%2A.982.247-%2A%2A%7Cmaria%20da%20silva").await;
    assert_eq!(answer.json["masked_cpf"], "***.982.247-**");
    assert_eq!(answer.json["totals"]["contracts"], 1);
    assert_eq!(answer.header("x-robots-tag"), "noindex");
    let page = house.send("GET", "/fornecedores/cpf%3Ax", &[("accept", "text/html")]).await;
    assert_eq!((page.status, page.header("x-robots-tag")), (StatusCode::OK, "noindex"));
    let page = house.send("GET", "/fornecedores/cnpj%3A00000000000191", &[("accept", "text/html")]).await;
    assert_eq!((page.status, page.header("x-robots-tag")), (StatusCode::OK, ""));
}

#[tokio::test]
async fn a_body_that_the_client_holds_is_not_sent_again() {
    let house = House::new();
    let path = "/api/v1/contracts?limit=20";
    let plain = house.get(path).await;
    let packed = house.send("GET", path, &[("accept-encoding", "br")]).await;
    assert_eq!(packed.header("content-encoding"), "br");
    assert_ne!(plain.header("etag"), packed.header("etag"));
    for etag in [plain.header("etag"), packed.header("etag")] {
        let again = house.send("GET", path, &[("if-none-match", etag)]).await;
        assert_eq!((again.status, again.size), (StatusCode::NOT_MODIFIED, 0));
    }
    let other = house.send("GET", path, &[("if-none-match", "\"other\"")]).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_too_large_is_refused_as_a_problem() {
    let house = House::new();
    let body = house.send("GET", "/api/v1/contracts", &[("content-length", "1048577")]).await;
    assert_eq!(body.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(house.send("GET", "/api/v1/contracts", &[("content-length", "0")]).await.status, StatusCode::OK);
    let target = house.get(&format!("/api/v1/contracts?q={}", "a".repeat(8_192))).await;
    assert_eq!(target.status, StatusCode::URI_TOO_LONG);
    let id = house.get(&format!("/api/v1/contracts/{}", "a".repeat(513))).await;
    assert!(id.status.is_client_error(), "{}", id.status);
    for answer in [body, target, id] {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json["status"], answer.status.as_u16());
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let house = House::new();
    for path in ["/", "/api/v1/flags", "/api/v1/nothing", "/health/live", "/docs", "/assets/none.js"] {
        let answer = house.get(path).await;
        assert!(answer.header("content-security-policy").starts_with("default-src 'self'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_ne!(answer.header("referrer-policy"), "", "{path}");
    }
    assert_eq!(house.get("/assets/none.js").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.send("GET", "/x.png", &[("accept", "image/png")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn operators_see_health_and_metrics() {
    let house = House::new();
    assert_eq!(house.get("/health/live").await.json["status"], "ok");
    assert_eq!(house.get("/health/ready").await.status, StatusCode::OK);
    house.get("/api/v1/contracts/x").await;
    let text = house.get("/metrics").await;
    let line =
        "cidadao_ai_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/contracts/{id}\",status=\"4xx\"} 1";
    assert!(text.text.contains(line), "{}", text.text);
    std::fs::remove_dir_all(house.folder().join("lake")).unwrap();
    let ready = house.get("/health/ready").await;
    assert_eq!((ready.status, &ready.json["lake"]), (StatusCode::SERVICE_UNAVAILABLE, &false.into()));
}

#[test]
fn the_description_names_every_route_and_its_refusals() {
    let document = serde_json::to_value(api::document()).unwrap();
    let routes = [
        "contracts",
        "contracts/{id}",
        "suppliers",
        "suppliers/{id}",
        "buyers",
        "buyers/{id}",
        "flags",
        "flags/{code}",
        "findings",
        "findings/{id}",
        "findings/{id}/evidence",
        "sources",
        "entities/links",
        "evidence/key",
    ];
    for route in routes {
        let answers = &document["paths"][format!("/api/v1/{route}")]["get"]["responses"];
        assert!(answers["200"]["content"]["application/json"]["schema"].is_object(), "{route}");
        assert!(answers["400"]["content"]["application/problem+json"].is_object(), "{route}");
    }
    let shapes = document["components"]["schemas"].as_object().unwrap();
    let mut named = Vec::new();
    references(&document, &mut named);
    for name in named {
        assert!(shapes.contains_key(&name), "{name} is referred to and not described");
    }
}

fn references(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => fields.iter().for_each(|(key, inner)| match inner.as_str() {
            Some(path) if key == "$ref" => found.push(path.rsplit('/').next().unwrap_or_default().to_owned()),
            _ => references(inner, found),
        }),
        serde_json::Value::Array(all) => all.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

#[tokio::test]
async fn a_stop_ends_listening_and_open_connections() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = House::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = std::sync::Arc::new(tokio::sync::Notify::new());
    let stopped = std::sync::Arc::clone(&stop);
    let server =
        tokio::spawn(api::serve(house.app(), listener, api::Doors::All, async move || stopped.notified().await));
    let silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut head = [0; 15];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stop.notify_one();
    tokio::time::timeout(std::time::Duration::from_secs(5), server).await.unwrap().unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    drop(silent);
}
