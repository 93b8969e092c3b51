//! Batches from outside: what each operation gets, in which order, and what a batch may not do.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, House, Server};

use super::short_sample;

fn filled() -> House {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 400, 43)]).ends_with(3);
    house
}

fn send(server: &Server, operations: &Value) -> Answer {
    server.post("/api/v1/batch", &json!({"operations": operations}))
}

/// The results of a batch that was done.
#[track_caller]
fn results(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["results"].as_array().unwrap().clone()
}

/// The start of the answer to a batch that says how long it is, and does not come.
fn stated(server: &Server, bytes: usize) -> String {
    let address = server.address().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "content-type: application/json\r\nconnection: close";
    write!(stream, "POST /api/v1/batch HTTP/1.1\r\nhost: {address}\r\n{head}\r\ncontent-length: {bytes}\r\n\r\n")
        .unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    String::from_utf8_lossy(&start).into_owned()
}

fn statuses(results: &[Value]) -> Vec<u64> {
    results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

#[test]
fn each_operation_gets_what_it_would_get_alone_in_the_order_asked_for() {
    let house = filled();
    let server = house.serve();
    let paths = [
        "/api/v1/contracts?limit=3",
        "/api/v1/flags/BR05",
        "/api/v1/contracts/none",
        "/api/v1/contracts?limit=0",
        "/api/v1/nothing",
        "/api/v1/suppliers?q=comercio&limit=2",
        "/api/v1/flags/BR05/findings?as_of=2025-06-30&limit=1",
    ];
    let operations: Vec<Value> = paths
        .iter()
        .enumerate()
        .map(|(n, path)| json!({"id": format!("op {n} \"é\""), "method": "GET", "path": path}))
        .collect();
    let answer = send(&server, &json!(operations));
    let results = results(&answer);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(statuses(&results), [200, 200, 404, 400, 404, 200, 200]);
    for (n, path) in paths.iter().enumerate() {
        assert_eq!(results[n]["id"], format!("op {n} \"é\""));
        assert_eq!(results[n]["body"], server.get(path).json(), "{path}");
    }
}

#[test]
fn equal_reads_are_done_once_and_each_gets_the_answer() {
    let house = filled();
    let server = house.serve();
    let mut operations: Vec<Value> =
        (0..60).map(|n| json!({"id": format!("{n}"), "path": "/api/v1/contracts?limit=2"})).collect();
    operations.push(json!({"id": "other", "path": "/api/v1/contracts?limit=3"}));
    let results = results(&send(&server, &json!(operations)));
    assert!(results[..60].iter().all(|result| result["status"] == 200 && result["body"] == results[0]["body"]));
    assert_eq!(results[60]["body"]["data"].as_array().unwrap().len(), 3);
    let counted = |how: &str| server.metric(&format!("cidadao_ai_batch_operations_total{{how=\"{how}\"}}"));
    assert_eq!((counted("asked"), counted("shared")), (2.0, 59.0));
}

#[test]
fn the_highest_priority_is_done_first_and_commands_are_done_each_under_its_key() {
    let house = filled();
    let server = Server::start(house.program().env("CIDADAO_BATCH_CONCURRENCY", "1"));
    let ask = |id: &str, priority: i32, key: Option<&str>| {
        json!({"id": id, "method": "POST", "path": "/api/v1/investigations", "priority": priority,
            "body": {"flags": ["BR05"], "who": id}, "idempotency_key": key})
    };
    let first =
        results(&send(&server, &json!([ask("low", -5, None), ask("middle", 0, Some("k1")), ask("high", 9, None)])));
    assert_eq!(statuses(&first), [202, 202, 202]);
    let listed = server.json("investigations?limit=3");
    let newest_first: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|one| one["user"].as_str().unwrap()).collect();
    assert_eq!(newest_first, ["low", "middle", "high"]);
    let again = results(&send(&server, &json!([ask("middle", 0, Some("k1")), ask("low", 0, None)])));
    assert_eq!(again[0]["body"]["id"], first[1]["body"]["id"], "the same key is the same command");
    assert_ne!(again[1]["body"]["id"], first[0]["body"]["id"]);
}

#[test]
fn an_operation_that_takes_too_long_is_given_up_and_the_others_are_not() {
    let house = filled();
    let server = Server::start(house.program().env("CIDADAO_BATCH_OPERATION_TIMEOUT_MS", "10"));
    let slow = "/api/v1/flags/BR18/findings?as_of=2025-03-31";
    let found =
        results(&send(&server, &json!([{"id": "slow", "path": slow}, {"id": "quick", "path": "/api/v1/flags/BR05"}])));
    assert_eq!(found[0]["status"], 503, "{}", found[0]);
    assert_eq!(found[0]["body"]["type"], "/problems/timed-out");
    let quick = (0..20)
        .any(|_| results(&send(&server, &json!([{"id": "quick", "path": "/api/v1/flags/BR05"}])))[0]["status"] == 200);
    assert!(quick, "nothing is quick enough");
}

#[test]
fn so_many_at_once_as_the_setting_says() {
    let house = filled();
    let most_at_once = |concurrency: &str| {
        // Answers that are kept ask the database nothing.
        let program = house.program().env("CACHE_STRATEGY", "off");
        let server = Server::start(program.env("CIDADAO_BATCH_CONCURRENCY", concurrency));
        let words = ["comercio", "servicos", "papel", "cafe", "obra", "limpeza", "material", "saude"];
        let operations: Vec<Value> = (0..96)
            .map(|n| json!({"id": n.to_string(), "path": format!("/api/v1/contracts?limit={}&q={}", 100 - n, words[n % 8])}))
            .collect();
        let (mut most, started): (f64, _) = (0.0, Instant::now());
        while started.elapsed() < Duration::from_secs(20)
            && most < 2.0
            && (concurrency != "1" || started.elapsed() < Duration::from_secs(3))
        {
            std::thread::scope(|scope| {
                let batch = scope.spawn(|| results(&send(&server, &json!(operations))));
                while !batch.is_finished() {
                    most = most.max(server.metric("cidadao_ai_questions_running{gate=\"database\"}"));
                }
            });
        }
        most
    };
    assert_eq!(most_at_once("1"), 1.0);
    assert!(most_at_once("8") >= 2.0);
}

#[test]
fn what_cannot_be_part_of_a_batch_is_refused_by_itself_and_what_cannot_be_a_batch_as_a_whole() {
    let house = filled();
    let server = house.serve();
    let operation = |method: &str, path: &str| json!({"id": format!("{method} {path:.80}"), "method": method, "path": path, "body": null});
    let refused = [
        operation("POST", "/api/v1/batch"),
        operation("GET", "/api/v1/batch"),
        operation("POST", "/api/v1/batch/"),
        operation("POST", "/api/v1/%62atch"),
        operation("POST", "/api/v1/auth/login"),
        operation("GET", "/api/v1/investigations/x/events"),
        operation("DELETE", "/api/v1/contracts"),
        operation("GET", "/metrics"),
        operation("GET", "http://example.org/api/v1/contracts"),
        operation("GET", "//example.org/api/v1/contracts"),
        operation("GET", "contracts"),
        operation("GET", ""),
        operation("GET", &format!("/api/v1/contracts?q={}", "x".repeat(9_000))),
        json!({"id": "body of a read", "path": "/api/v1/contracts", "body": {}}),
        operation("GET", "/api/v1/sources"),
    ];
    let found = results(&send(&server, &json!(refused)));
    assert_eq!(statuses(&found), [400, 400, 404, 404, 400, 400, 400, 400, 400, 400, 400, 400, 414, 400, 200]);
    for result in &found[..14] {
        assert!(result["body"]["type"].as_str().unwrap().starts_with("/problems/"), "{result}");
    }
    let one = operation("GET", "/api/v1/sources");
    for wrong in [
        json!({"operations": []}),
        json!({}),
        json!([one]),
        json!({"operations": [one, one]}),
        json!({"operations": [{"id": "", "path": "/api/v1/sources"}]}),
        json!({"operations": [{"id": "x".repeat(101), "path": "/api/v1/sources"}]}),
        json!({"operations": [{"id": "a", "path": "/api/v1/sources", "priority": 101}]}),
        json!({"operations": [{"id": "a", "path": "/api/v1/sources", "priority": 1000}]}),
        json!({"operations": [{"id": "a", "path": "/api/v1/sources", "headers": {}}]}),
        json!({"operations": (0..101).map(|n| json!({"id": n.to_string(), "path": "/api/v1/sources"})).collect::<Vec<_>>()}),
    ] {
        assert_eq!(server.post("/api/v1/batch", &wrong).status, 400, "{wrong}");
    }
    let keyed = server.post_with("/api/v1/batch", &json!({"operations": [one]}), &[("idempotency-key", "k")]);
    assert_eq!(keyed.status, 400);
    assert_eq!(stated(&server, 1_048_577), "HTTP/1.1 413");
    assert_eq!(server.get("/api/v1/batch").status, 405);
}

#[test]
fn how_long_a_batch_may_be_is_a_setting_with_two_names() {
    let house = House::new();
    let three: Vec<Value> = (0..3).map(|n| json!({"id": n.to_string(), "path": "/api/v1/sources"})).collect();
    for name in ["BATCH_SIZE", "CIDADAO_BATCH_OPERATIONS_MAX"] {
        let server = Server::start(house.program().env(name, "2"));
        assert_eq!(send(&server, &json!(three)).status, 400, "{name}");
        assert_eq!(send(&server, &json!(three[1..])).status, 200, "{name}");
        assert!(server.log().contains(&format!("batch.operations_max = 2 ({name})")), "{}", server.log());
    }
    for (name, wrong) in [
        ("BATCH_SIZE", "many"),
        ("BATCH_SIZE", "0"),
        ("CIDADAO_BATCH_CONCURRENCY", "0"),
        ("CIDADAO_BATCH_OPERATION_TIMEOUT_MS", "1"),
    ] {
        let run = house.program().env(name, wrong).arg("sources").run().ends_with(2);
        assert!(run.stderr.contains(name) || run.stderr.contains("batch."), "{}", run.stderr);
    }
}

#[test]
fn a_batch_costs_what_its_operations_cost_and_is_done_whole_or_not_at_all() {
    let house = filled();
    let key = house.json(&["keys", "create", "--rate", "1/s burst 20, 30/min"])["key"].as_str().unwrap().to_owned();
    let server = house.serve();
    let with = [("x-api-key", key.as_str())];
    let batch = |n: usize, path: &str| {
        let operations: Vec<Value> = (0..n).map(|n| json!({"id": n.to_string(), "path": path})).collect();
        server.post_with("/api/v1/batch", &json!({"operations": operations}), &with)
    };
    let first = batch(4, "/api/v1/contracts?q=papel");
    assert_eq!(first.status, 200);
    assert!(first.header("ratelimit").contains("\"minute\";r=22;"), "{}", first.header("ratelimit"));
    let refused = batch(23, "/api/v1/contracts");
    assert_eq!((refused.status, refused.json()["type"].as_str()), (429, Some("/problems/rate-limited")));
    assert!(
        batch(3, "/api/v1/contracts").header("ratelimit").contains("\"minute\";r=19;"),
        "what was refused cost nothing"
    );
}

#[test]
fn operations_are_the_callers_own() {
    let house = filled();
    let server = house.serve();
    let id = server.json("findings?limit=1")["data"][0]["id"].as_str().unwrap().to_owned();
    let verdict = |who: Value| {
        json!({"operations": [
            {"id": "v", "method": "POST", "path": format!("/api/v1/findings/{id}/verdict"), "body": {"verdict": "confirmed", "reason": "sim", "who": who}},
            {"id": "r", "path": "/api/v1/sources"},
        ]})
    };
    let both = |answer: &Answer| statuses(&results(answer));
    assert_eq!(
        both(&server.post("/api/v1/batch", &verdict(json!("Operadora")))),
        [201, 200],
        "as the machine's operator may"
    );
    let abroad = server.post_with("/api/v1/batch", &verdict(json!("x")), &[("host", "example.org")]);
    assert_eq!(both(&abroad), [403, 200]);
    let proxied = server.post_with("/api/v1/batch", &verdict(json!("x")), &[("x-forwarded-for", "192.0.2.1")]);
    assert_eq!(both(&proxied), [403, 200]);
    let _ = house.json(&["users", "add", "ana", "--role", "analyst"]);
    assert_eq!(both(&server.post("/api/v1/batch", &verdict(json!("Operadora")))), [401, 200]);
    let key = |scopes: &str| {
        let made = house.json(&["keys", "create", "--tier", "pro", "--scope", scopes, "--user", "ana"]);
        made["key"].as_str().unwrap().to_owned()
    };
    let with = |key: &str| both(&server.post_with("/api/v1/batch", &verdict(json!("ana")), &[("x-api-key", key)]));
    assert_eq!(with(&key("read,verdict")), [201, 200]);
    assert_eq!(with(&key("read")), [403, 200]);
    assert_eq!(with(&key("verdict")), [201, 403]);
    assert_eq!(server.post_with("/api/v1/batch", &verdict(json!("ana")), &[("x-api-key", "cid_x")]).status, 401);
}
