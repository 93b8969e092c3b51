//! Ingests over HTTP: asked for, followed, stopped; for programs on the same machine only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{House, Server};

use super::sample;

/// A request by hand, so that every header is ours; gives status and body.
fn ask(server: &Server, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let address = address_of(server);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let host = if headers.to_lowercase().contains("host:") { String::new() } else { format!("host: {address}\r\n") };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\n{host}{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

fn address_of(server: &Server) -> &str {
    server.address().strip_prefix("http://").unwrap()
}

const JSON: &str = "content-type: application/json\r\n";

fn wait_for(server: &Server, id: u64, status: &str) -> Value {
    let started = Instant::now();
    loop {
        let (_, body) = ask(server, "GET", &format!("/api/v1/admin/ingests/{id}"), "", "");
        let job: Value = serde_json::from_str(&body).unwrap();
        if job["status"] == status {
            return job;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{job}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The events of a job behind `seen`, as (id, kind, data).
fn follow(server: &Server, id: u64, seen: u64) -> Vec<(u64, String, Value)> {
    let address = address_of(server);
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "GET /api/v1/admin/ingests/{id}/events HTTP/1.0\r\nhost: {address}\r\nlast-event-id: {seen}\r\n\r\n"
    )
    .unwrap();
    let (mut events, mut current) = (Vec::new(), (0, String::new()));
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        if let Some(id) = line.strip_prefix("id: ") {
            current.0 = id.parse().unwrap();
        } else if let Some(kind) = line.strip_prefix("event: ") {
            kind.clone_into(&mut current.1);
        } else if let Some(data) = line.strip_prefix("data: ") {
            events.push((current.0, current.1.clone(), serde_json::from_str(data).unwrap()));
        }
    }
    events
}

#[test]
fn an_ingest_asked_for_over_http_is_followed_to_its_report() {
    let house = House::new();
    let files = sample(&house, 500, 3);
    let server = house.serve();
    let (status, body) = ask(&server, "POST", "/api/v1/admin/ingests", JSON, &json!({"paths": [files]}).to_string());
    assert_eq!(status, 202, "{body}");
    let job: Value = serde_json::from_str(&body).unwrap();
    let id = job["id"].as_u64().unwrap();
    let events = follow(&server, id, 0);
    let kinds: Vec<&str> = events.iter().map(|e| e.1.as_str()).collect();
    assert_eq!((kinds.first(), kinds.last()), (Some(&"queued"), Some(&"done")), "{kinds:?}");
    for kind in ["reading", "writing", "judging"] {
        assert!(kinds.contains(&kind), "{kind} is missing: {kinds:?}");
    }
    assert!(events.windows(2).all(|pair| pair[0].0 < pair[1].0), "events are numbered in order");
    let middle = events[events.len() / 2].0;
    let again = follow(&server, id, middle);
    assert!(again.iter().all(|e| e.0 > middle) && again.last() == events.last(), "resumed behind {middle}");
    let job = wait_for(&server, id, "done");
    let read = testkit::house::totals(&job["report"])[0];
    assert!(read > 500, "{job}");
    let contracts = server.get("/api/v1/contracts?limit=1").json();
    assert_eq!(contracts["data"].as_array().unwrap().len(), 1, "what was ingested is served");
}

#[test]
fn only_a_program_on_this_machine_may_ask() {
    let house = House::new();
    let server = house.serve();
    let body = json!({"paths": [house.root()]}).to_string();
    let ask_with = |headers: &str| ask(&server, "POST", "/api/v1/admin/ingests", &format!("{JSON}{headers}"), &body).0;
    assert_eq!(ask_with("host: example.org\r\n"), 403, "a name that someone else may own");
    assert_eq!(ask_with("origin: http://example.org\r\n"), 403, "a page of another origin");
    assert_eq!(ask(&server, "GET", "/api/v1/admin/ingests", "host: example.org\r\n", "").0, 403);
}

#[test]
fn what_cannot_be_ingested_is_refused_with_words() {
    let house = House::new();
    let server = house.serve();
    let refused = |body: &str| {
        let (status, answer) = ask(&server, "POST", "/api/v1/admin/ingests", JSON, body);
        assert_eq!(status, 400, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()
    };
    assert!(refused(r#"{"paths":["/nowhere/at/all"]}"#)["detail"].as_str().unwrap().contains("/nowhere/at/all"));
    assert!(refused(r#"{"paths":[]}"#)["field"] == "paths");
    assert!(refused(r#"{"paths":["/"],"source":"nope"}"#)["field"] == "source");
    assert!(refused(r#"{"path":"/"}"#)["detail"].as_str().unwrap().contains("path"));
    assert!(refused("{")["field"] == "body");
    assert_eq!(ask(&server, "GET", "/api/v1/admin/ingests/99", "", "").0, 404);
    assert_eq!(ask(&server, "GET", "/api/v1/admin/ingests/x/events", "", "").0, 404);
}

#[test]
fn ingests_wait_in_a_queue_with_an_end() {
    let house = House::new();
    let files = sample(&house, 2_000, 3);
    let server = house.serve();
    let body = json!({"paths": [files]}).to_string();
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(ask(&server, "POST", "/api/v1/admin/ingests", JSON, &body).0);
    }
    assert!(answers.contains(&202) && answers.contains(&503), "{answers:?}");
    let (_, body) = ask(&server, "GET", "/api/v1/admin/ingests", "", "");
    let jobs: Value = serde_json::from_str(&body).unwrap();
    for job in jobs["data"].as_array().unwrap() {
        let path = format!("/api/v1/admin/ingests/{}/cancel", job["id"]);
        assert_eq!(ask(&server, "POST", &path, "", "").0, 200);
    }
    for job in jobs["data"].as_array().unwrap() {
        let id = job["id"].as_u64().unwrap();
        let events = follow(&server, id, 0);
        assert!(["done", "interrupted"].contains(&events.last().unwrap().1.as_str()), "{events:?}");
    }
}
