//! Investigations over Redis Streams, from outside: a worker killed, Redis stopped, Redis emptied.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{House, RedisServer, Server};

use super::investigations::{ASK, DAY, ask, ended, follow, found_at, ids_of, judged_house};

fn over(house: &House, redis: &RedisServer) -> Server {
    Server::start(house.program().env("REDIS_URL", redis.url()))
}

/// A figure of `/metrics`.
fn figure(server: &Server, name: &str) -> Option<f64> {
    let text = server.get("/metrics").text();
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// It completed, each of its flags was judged once, and it holds exactly what judging without an investigation finds.
#[track_caller]
fn is_whole(house: &House, server: Server, id: &str) {
    let shown = ended(&server, id);
    assert_eq!(shown["status"], "completed", "{shown}");
    let events = follow(&server, id);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut judged: Vec<String> =
        events.iter().filter(|e| e.kind == "flag_judged").map(|e| text(&e.data["flag"])).collect();
    judged.sort_unstable();
    let flags: Vec<String> = shown["plan"]["flags"].as_array().unwrap().iter().map(text).collect();
    assert!(events.iter().all(|e| e.kind != "flag_failed"), "{events:#?}");
    assert_eq!(judged, flags, "each flag is judged once");
    let found = ids_of(&server.walk(&format!("investigations/{id}/findings"), 100));
    drop(server);
    assert!(!found.is_empty());
    assert_eq!(found, found_at(house, shown["plan"]["known_at"].as_str().unwrap()));
}

#[test]
fn a_killed_workers_task_is_taken_over_within_15_s_and_each_finding_is_there_once() {
    let (house, redis) = (judged_house(), RedisServer::start());
    let first = over(&house, &redis);
    let id = ask(&first, &json!({"scope": {}, "as_of": DAY}));
    let path = format!("investigations/{id}/events");
    let mut judged = 0;
    let told = first.follow(&path, 0, |event| {
        judged += u32::from(event.kind == "flag_judged");
        judged > 1 && event.kind == "flag_started"
    });
    let begun = told.last().unwrap().data["flag"].clone();
    assert!(redis.streams().iter().any(|(topic, held)| topic == "investigations.flag" && *held > 1), "Redis has them");
    // Dropped, it is killed with -9.
    drop(first);
    let killed = Instant::now();
    let second = over(&house, &redis);
    let seen = told.last().unwrap().id;
    let told = second.follow(&path, seen, |event| event.kind == "flag_started" && event.data["attempt"] == 2);
    assert_eq!(told.last().unwrap().kind, "flag_started", "nobody took a task over");
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
    let starts = |events: &[testkit::Told]| events.iter().filter(|e| e.data["flag"] == begun).count();
    let _ = ended(&second, &id);
    assert!(starts(&follow(&second, &id)) >= 2, "{begun} was begun, and judged by who came after");
    until("what is done is trimmed", || redis.streams().iter().all(|(_, held)| *held == 0));
    is_whole(&house, second, &id);
}

#[test]
fn while_redis_is_stopped_for_30_s_commands_go_on_and_nothing_is_lost() {
    let (house, mut redis) = (judged_house(), RedisServer::start());
    let server = over(&house, &redis);
    assert_eq!(figure(&server, "cidadao_ai_redis_up"), Some(1.0));
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY}));
    let _ = server.follow(&format!("investigations/{id}/events"), 0, |event| event.kind == "flag_judged");
    redis.stop();
    let stopped = Instant::now();
    let asked: Vec<String> =
        (0..5).map(|_| ask(&server, &json!({"scope": {}, "flags": ["BR01", "BR05"], "as_of": DAY}))).collect();
    assert_eq!(figure(&server, "cidadao_ai_redis_up"), Some(0.0));
    assert_eq!(server.get("/health/ready").status, 200);
    let waits = "cidadao_ai_tasks{state=\"outbox\",topic=\"investigations.plan\"}";
    until("the outbox has them", || figure(&server, waits) == Some(5.0));
    while stopped.elapsed() < Duration::from_secs(30) {
        assert_eq!(server.get("/api/v1/contracts?limit=1").status, 200, "reads go on");
        std::thread::sleep(Duration::from_millis(500));
    }
    for id in &asked {
        let shown = server.json(&format!("investigations/{id}"));
        assert_eq!((&shown["status"], &shown["phase"]), (&json!("active"), &json!("requested")));
    }
    let doctor = house.program().env("REDIS_URL", redis.url()).args(["doctor"]).run().ends_with(1);
    assert!(doctor.stdout.contains("REDIS") || doctor.stdout.contains("redis"), "{}", doctor.stdout);
    redis.go();
    for id in &asked {
        let shown = ended(&server, id);
        assert_eq!((&shown["status"], &shown["progress"]["done"]), (&json!("completed"), &json!(2)), "{shown}");
        let versions: Vec<u64> = follow(&server, id).iter().map(|event| event.id).collect();
        assert!(versions.iter().zip(1..).all(|(version, n)| *version == n));
    }
    assert_eq!(server.log().matches("Redis is away").count(), 1, "said once: {}", server.log());
    assert_eq!(server.log().matches("Redis is back").count(), 1);
    is_whole(&house, server, &id);
}

#[test]
fn an_emptied_redis_is_filled_again() {
    let (house, redis) = (judged_house(), RedisServer::start());
    let server = over(&house, &redis);
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY}));
    let mut emptied = 0;
    let _ = server.follow(&format!("investigations/{id}/events"), 0, |event| {
        if event.kind == "flag_judged" && emptied < 3 {
            assert!(redis.ask("FLUSHALL").contains("OK"));
            emptied += 1;
        }
        emptied == 3
    });
    is_whole(&house, server, &id);
}

#[test]
fn a_dead_letter_is_in_the_stream_of_the_dead_until_it_is_replayed() {
    let (house, redis) = (judged_house(), RedisServer::start());
    let segment = house.data_files().into_iter().find(|path| {
        let path = path.to_string_lossy();
        path.contains("/lake/") && path.contains("contracts") && path.ends_with(".parquet")
    });
    let (segment, aside) = (segment.unwrap(), house.root().join("aside.parquet"));
    let program = house.program().env("CIDADAO_WORK_ATTEMPTS_MAX", "2").env("CIDADAO_WORK_BACKOFF_MS", "10");
    let server = Server::start(program.env("REDIS_URL", redis.url()));
    std::fs::rename(&segment, &aside).unwrap();
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY, "flags": ["BR05"]}));
    assert_eq!(ended(&server, &id)["status"], "failed");
    let letters = || redis.ask(&format!("XRANGE {} - +", redis.ask("KEYS cidadao:*:dead").trim()));
    until("the letter is in Redis", || letters().contains(&format!("investigations.flag {id}/BR05: ")));
    let dlq = |args: &[&str]| house.program().env("REDIS_URL", redis.url()).arg("dlq").args(args).run().ends_with(0);
    let listed = dlq(&["list", "--json"]).json();
    assert_eq!((listed["data"][0]["attempts"].as_u64(), listed["data"].as_array().unwrap().len()), (Some(2), 1));
    std::fs::rename(&aside, &segment).unwrap();
    let _ = dlq(&["replay", &listed["data"][0]["id"].to_string()]);
    until("it is judged", || server.json(&format!("investigations/{id}"))["status"] == "completed");
    until("the letter is gone", || letters().trim().is_empty());
    assert_eq!(server.get("/api/v1/admin/dlq").json()["data"], json!([]));
    assert_eq!(server.post(&format!("{ASK}/{id}/cancel"), &json!({})).json()["status"], "completed");
}
