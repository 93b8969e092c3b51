//! What happens, told as it happens: to whom it is told, from where on, and what it costs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::files::{self, Purchase, Sanctioned};
use testkit::socket::Socket;
use testkit::{House, PostgresServer, RedisServer, Server, wire};

use super::investigations::{DAY, ask, ended, judged_house};

/// A house in which one supplier is barred.
pub fn house_of_a_sanction() -> House {
    let house = House::new();
    let _ = house
        .ingested(&[&house.file("ceis.csv", files::ceis(&[Sanctioned::new(1, &Purchase::new(1, "1,0").supplier)]))], 0);
    house
}

/// What that supplier sold, from the program beside the server.
pub fn sold(house: &House, name: &str, numbers: std::ops::RangeInclusive<u32>, signed: &str) {
    let row = |n| {
        let mut row = Purchase::new(n, "100,0000");
        row.signed = signed.into();
        row
    };
    let rows: Vec<Purchase> = numbers.map(row).collect();
    let _ = house.ingested(&[&house.file(name, files::purchases(&rows))], 0);
}

fn seq(message: &Value) -> u64 {
    message["seq"].as_u64().unwrap()
}

#[test]
fn findings_are_told_as_they_are_found_and_withdrawn_whoever_judges() {
    let house = house_of_a_sanction();
    let server = house.serve();
    let mut socket = Socket::open(&server);
    socket.follow("findings?flag=BR01", None);
    socket.follow("findings?flag=BR05", None);
    sold(&house, "a.csv", 1..=1, "01/01/2024");
    let found = socket.messages(|_| true).remove(0);
    assert_eq!((&found["type"], &found["topic"]), (&json!("found"), &json!("findings?flag=BR01")), "{found}");
    let shown = server.json(&format!("findings/{}", found["data"]["id"].as_str().unwrap()));
    for field in ["id", "flag", "severity", "title", "summary", "amount", "buyer", "supplier", "contract_ids"] {
        assert_eq!(found["data"][field], shown[field], "{field}");
    }
    // The day was wrong: the sanction had not begun.
    sold(&house, "b.csv", 1..=1, "31/12/2023");
    let gone = socket.messages(|_| true).remove(0);
    assert_eq!((&gone["type"], &gone["data"]["state"]), (&json!("withdrawn"), &json!("withdrawn")));
    assert_eq!(gone["data"]["id"], found["data"]["id"]);
    assert!(seq(&gone) > seq(&found));
    // Who comes back is told what it missed, at this process and at another.
    drop(server);
    let server = house.serve();
    let mut back = Socket::open(&server);
    back.follow("findings?flag=BR01", Some(seq(&found)));
    assert_eq!(back.messages(|_| true), std::slice::from_ref(&gone));
    let mut open = Socket::open(&server);
    open.follow("findings?flag=BR01&state=open", Some(0));
    sold(&house, "c.csv", 1..=1, "02/01/2024");
    let again = open.messages(|_| true).remove(0);
    assert_eq!(
        (&again["type"], &again["data"]["id"]),
        (&json!("changed"), &found["data"]["id"]),
        "and nothing before it"
    );
    let told = server.follow("findings/events?flag=BR01", seq(&gone), |_| true);
    assert_eq!((told[0].id, told[0].kind.as_str(), &told[0].data), (seq(&again), "changed", &again["data"]));
    let refused = server.get("/api/v1/findings/events?flag=NONE");
    assert_eq!((refused.status, refused.json()["field"].as_str()), (400, Some("flag")));
}

#[test]
fn an_investigation_is_told_from_any_place_to_its_end() {
    let house = judged_house();
    let server = house.serve();
    let mut socket = Socket::open(&server);
    socket.follow("agents", None);
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR01", "BR05"]}));
    let topic = format!("investigation:{id}");
    let mut follower = Socket::open(&server);
    follower.follow(&topic, Some(0));
    let all = follower.messages(|message| message["type"] == "completed");
    let places: Vec<u64> = all.iter().map(seq).collect();
    assert_eq!(places, (1..=all.len() as u64).collect::<Vec<_>>(), "none is left out, none told twice");
    assert_eq!(all[0]["type"], "requested");
    // The same by another door.
    let told = server.follow(&format!("investigations/{id}/events"), 0, |_| false);
    let same = |told: &testkit::Told, message: &Value| {
        told.id == seq(message) && message["type"] == told.kind.as_str() && message["data"] == told.data
    };
    assert_eq!(told.len(), all.len());
    assert!(told.iter().zip(&all).all(|(told, message)| same(told, message)));
    let mut late = Socket::open(&server);
    late.follow(&topic, Some(3));
    assert_eq!(late.messages(|message| message["type"] == "completed"), all[3..]);
    // A place that is not there yet: where to read it is said as it is asked for.
    let mut beyond = Socket::open(&server);
    beyond.follow(&topic, Some(1_000_000));
    let gap = beyond.messages(|_| true).remove(0);
    assert_eq!((&gap["type"], &gap["data"]["read"]), (&json!("gap"), &json!(format!("/api/v1/investigations/{id}"))));
    // Who worked on it was told meanwhile.
    let work = socket.messages(|message| message["type"] == "ended" && message["data"]["flag"] == "BR05");
    let began = work.iter().find(|message| message["type"] == "began").unwrap();
    assert_eq!(began["data"]["investigation"].as_str(), Some(id.as_str()));
    assert!(
        work[0]["type"] == "pools" && work[0]["data"]["pools"].as_array().unwrap().len() > 3,
        "first how it stands"
    );
}

#[test]
fn two_hundred_streams_cost_the_database_what_one_costs() {
    let house = judged_house().with("CIDADAO_LIVE_CONNECTIONS_PER_ADDRESS", "250");
    let server = house.serve();
    let cost_of = |streams: usize| {
        let id = ask(&server, &json!({"scope": {}, "flags": ["BR05"], "hold": true}));
        let path = format!("/api/v1/investigations/{id}/events");
        let (looks, statements) = (looks(&server), server.metric("cidadao_ai_db_statements_total"));
        let open = |_| {
            let mut stream = wire::connect(&server);
            stream.write_all(&wire::request("GET", &path, &[("accept-encoding", "gzip")], b"")).unwrap();
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).unwrap();
            }
            reader
        };
        let streams: Vec<_> = (0..streams).map(open).collect();
        let cancelled = server.post(&format!("/api/v1/investigations/{id}/cancel"), &json!({}));
        assert_eq!(cancelled.status, 200, "{}", cancelled.text());
        for mut stream in streams {
            let mut rest = Vec::new();
            let _ = std::io::Read::read_to_end(&mut stream, &mut rest);
            assert!(rest.ends_with(b"0\r\n\r\n"), "it ends by itself");
        }
        (looks_since(&server, looks), server.metric("cidadao_ai_db_statements_total") - statements)
    };
    let (one, statements_of_one) = cost_of(1);
    let (many, statements_of_many) = cost_of(200);
    assert!(one >= 1.0 && many <= one + 3.0, "looks: {one} for one, {many} for 200");
    // Looks that find nothing are counted among statements too, and 200 take longer.
    assert!(statements_of_many <= statements_of_one + 200.0, "statements: {statements_of_one}, {statements_of_many}");
}

fn looks(server: &Server) -> f64 {
    ["events", "findings", "freshness", "replay"]
        .iter()
        .map(|what| server.metric(&format!("cidadao_ai_live_looks_total{{for=\"{what}\"}}")))
        .sum()
}

fn looks_since(server: &Server, before: f64) -> f64 {
    looks(server) - before
}

#[test]
fn a_place_that_cannot_be_gone_on_from_is_told_as_a_gap() {
    let house = house_of_a_sanction();
    sold(&house, "a.csv", 1..=1, "01/01/2024");
    let server = house.serve();
    let mut socket = Socket::open(&server);
    socket.follow("findings", None);
    let first = server.json("findings?flag=BR01");
    assert_eq!(first["data"].as_array().unwrap().len(), 1);
    // More than can be told one by one.
    sold(&house, "b.csv", 2..=1_200, "01/01/2024");
    let gap = socket.messages(|_| true).remove(0);
    assert_eq!((&gap["type"], &gap["data"]["read"]), (&json!("gap"), &json!("/api/v1/findings")));
    // From there it goes on: another supplier, whose findings are few; others' sums change before.
    let mut other = Purchase::new(2_000, "100,0000");
    other.supplier = "11222333000181".into();
    let barred = house.file("ceis-2.csv", files::ceis(&[Sanctioned::new(2, &other.supplier)]));
    let _ = house.ingested(&[&barred, &house.file("c.csv", files::purchases(&[other]))], 0);
    let next = socket.messages(|message| message["type"] == "found").pop().unwrap();
    assert!(seq(&next) > seq(&gap), "{next}");
    // Long gone, and of other data: both are said, and then it goes on from now.
    for since in [1, seq(&next) + 1_000] {
        let mut back = Socket::open(&server);
        back.follow("findings", Some(since));
        let gap = back.messages(|_| true).remove(0);
        assert_eq!((&gap["type"], &gap["data"]["since"]), (&json!("gap"), &json!(since)));
        assert_eq!(seq(&gap), gap["data"]["to"].as_u64().unwrap());
        let mut after = Socket::open(&server);
        after.follow("findings", Some(seq(&next)));
        let pong = after.asks(&json!({"type": "ping", "id": 7}));
        assert_eq!(pong, json!({"type": "pong", "id": 7}), "nothing came since");
    }
}

#[test]
fn what_follows_soon_waits_for_others_as_long_as_the_settings_say() {
    let batches = |milliseconds: &str| {
        let house = judged_house().with("CIDADAO_LIVE_BATCH_TIMEOUT_MS", milliseconds);
        let server = house.serve();
        let id = ask(&server, &json!({"scope": {}, "as_of": DAY}));
        let mut socket = Socket::open(&server);
        socket.follow(&format!("investigation:{id}"), Some(0));
        let mut n = 0;
        loop {
            n += 1;
            let batch = socket.hear();
            assert!(batch["count"].as_u64().unwrap() <= 50);
            if batch["messages"].as_array().unwrap().iter().any(|message| message["type"] == "completed") {
                return n;
            }
        }
    };
    let (patient, hasty) = (batches("10000"), batches("1"));
    assert!(patient < hasty, "{patient} batches, {hasty} without waiting");
}

#[test]
fn a_stop_is_told_and_ends_everyone() {
    let house = judged_house();
    let server = house.serve();
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05"], "hold": true}));
    let mut socket = Socket::open(&server);
    socket.follow("system", None);
    assert_eq!(socket.messages(|_| true)[0]["type"], "standing");
    let mut stream = wire::connect(&server);
    stream.write_all(&wire::request("GET", &format!("/api/v1/investigations/{id}/events"), &[], b"")).unwrap();
    let mut lines = BufReader::new(stream).lines();
    assert!(lines.any(|line| line.unwrap().contains("requested")));
    let began = Instant::now();
    let code = server.stop();
    assert_eq!(code, Some(0));
    // Not held up until those who follow go away, which they never would.
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(socket.messages(|_| true)[0]["type"], "shutdown");
    assert_eq!(socket.code(), 1001);
    assert!(lines.map_while(Result::ok).count() < 20, "the stream ended");
}

#[test]
fn redis_may_be_away_what_happens_is_told() {
    let (house, mut redis) = (judged_house(), RedisServer::start());
    let server = Server::start(house.program().env("REDIS_URL", redis.url()));
    let mut socket = Socket::open(&server);
    redis.stop();
    let id = ask(&server, &json!({"scope": {}, "flags": ["BR05"]}));
    socket.follow(&format!("investigation:{id}"), Some(0));
    assert_eq!(socket.messages(|_| true)[0]["type"], "requested", "Redis is away");
    redis.go();
    let rest = socket.messages(|message| message["type"] == "completed");
    assert_eq!(rest.first().map(seq), Some(2), "nothing was lost: {rest:?}");
    assert_eq!(ended(&server, &id)["status"], "completed");
}

#[test]
fn what_another_process_does_over_postgresql_is_told_here() {
    let postgres = PostgresServer::shared();
    let house = House::on(&postgres.database());
    let rows: Vec<Purchase> = (1..=20).map(|n| Purchase::new(n, "100,0000")).collect();
    let _ = house.ingested(&[&house.file("c.csv", files::purchases(&rows))], 0);
    let (here, there) = (Server::start_as(house.program(), "api"), house.serve());
    let mut socket = Socket::open(&here);
    socket.follow("agents", None);
    let id = ask(&there, &json!({"scope": {}, "flags": ["BR05"]}));
    let mut follower = Socket::open(&here);
    follower.follow(&format!("investigation:{id}"), Some(0));
    let told = follower.messages(|message| message["type"] == "completed");
    assert_eq!(told.iter().map(seq).collect::<Vec<_>>(), (1..=told.len() as u64).collect::<Vec<_>>());
    let _ = socket.messages(|message| message["type"] == "ended" && message["data"]["investigation"] == id.as_str());
}
