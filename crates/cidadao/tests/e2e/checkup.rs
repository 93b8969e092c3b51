//! `cidadao doctor URL` on systems that really are ill: each trouble is set up from outside, and found.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::postgres::PostgresServer;
use testkit::proxy::Proxy;
use testkit::{House, Program, Server};

use super::investigations::{ask, ended, judged_house};
use super::serving::house_of;
use super::short_sample;

/// The doctor's answer, which ends as its problems say.
fn checks(server: &Server) -> Vec<Value> {
    let run = Program::new().args(["doctor", server.address(), "--json"]).run();
    let checks = run.json()["checks"].as_array().unwrap().clone();
    let has_problem = checks.iter().any(|check| check["gravity"] == "problem");
    let _ = run.ends_with(i32::from(has_problem));
    checks
}

fn problems(checks: &[Value]) -> Vec<&str> {
    checks.iter().filter(|check| check["gravity"] == "problem").map(|check| check["id"].as_str().unwrap()).collect()
}

fn check<'a>(checks: &'a [Value], id: &str) -> &'a Value {
    checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id} is not checked: {checks:?}"))
}

#[test]
fn a_system_that_is_well_gets_a_clean_bill_and_every_check_is_in_the_list_for_people() {
    let house = house_of(300);
    let server = house.serve();
    let seen = checks(&server);
    assert_eq!(problems(&seen), Vec::<&str>::new(), "{seen:?}");
    for check in &seen {
        let (found, figure) = (&check["found"], check["figure"].as_str().unwrap());
        assert!(!found["pt"].as_str().unwrap().is_empty() && found["pt"] != found["en"], "{check}");
        assert!(!figure.is_empty(), "{check}");
    }
    for id in ["response-times", "database-pool", "compression", "memory-limit", "http2", "agent-pool"] {
        assert_eq!(check(&seen, id)["gravity"], "ok", "{id}");
    }
    assert_eq!(check(&seen, "hit-rate")["gravity"], "not_measured", "too few questions to say");

    let manual = include_str!("../../../../docs/operations.md");
    let list = manual.split("\n## Looking at a running system").nth(1).expect("the list for people");
    let list = list.split("\n## ").next().unwrap();
    let headings: Vec<&str> = list.lines().filter_map(|line| line.strip_prefix("#### ")).collect();
    let ids: Vec<&str> = seen.iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(headings, ids, "docs/operations.md has the doctor's list, in its order");

    let told = Program::new().args(["doctor", server.address()]).run().ends_with(0).stdout;
    assert!(told.contains("ok          http2: fala HTTP/2"), "{told}");
}

#[test]
fn a_cache_that_is_off_bodies_as_they_are_and_no_http2_are_found() {
    let house = house_of(300);
    let program =
        house.program().env("CACHE_STRATEGY", "off").env("COMPRESSION_LEVEL", "0").env("HTTP2_ENABLED", "false");
    let server = Server::start(program);
    let seen = checks(&server);
    assert_eq!(problems(&seen), ["hit-rate", "compression", "http2"], "{seen:?}");
    for (id, setting) in
        [("hit-rate", "CACHE_STRATEGY"), ("compression", "COMPRESSION_LEVEL"), ("http2", "HTTP2_ENABLED")]
    {
        assert!(check(&seen, id)["advice"]["pt"].as_str().unwrap().contains(setting), "{id}");
    }
    let told = Program::new().args(["doctor", server.address()]).run().ends_with(1).stdout;
    assert!(told.contains("PROBLEMA    hit-rate") && told.contains("en: "), "{told}");
}

#[test]
fn a_cache_that_seldom_helps_is_found() {
    let house = house_of(300);
    let server = house.serve();
    for n in 0..120 {
        assert_eq!(server.get(&format!("/api/v1/contracts?limit={}&value_min={n}", n % 50 + 1)).status, 200);
    }
    let seen = checks(&server);
    assert_eq!(problems(&seen), ["hit-rate"], "{seen:?}");
    assert!(check(&seen, "hit-rate")["advice"]["en"].as_str().unwrap().contains("cache.l1_entries"));
}

#[test]
fn agents_that_tasks_wait_for_are_found() {
    let house = judged_house();
    let tasks = |wait_ms: &str| {
        let program = house.program().env("AGENT_POOL_SIZE", "1").env("CIDADAO_WORK_WORKERS", "4");
        let server = Server::start(program.env("CIDADAO_AGENTS_ACQUIRE_TIMEOUT_MS", wait_ms));
        let asked = json!({"scope": {}, "flags": ["BR05", "BR10", "BR19"], "as_of": "2025-06-30"});
        assert_eq!(ended(&server, &ask(&server, &asked))["status"], "completed");
        let pools = server.walk("agents/pool", 100);
        let zumbi = pools.into_iter().find(|pool| pool["agent"] == "zumbi").unwrap();
        let missed = zumbi["missed"].as_u64().unwrap();
        (server, missed)
    };
    let (server, missed) = tasks("30000");
    assert_eq!(missed, 0, "who waits long enough gets its turn");
    assert!(!problems(&checks(&server)).contains(&"agent-pool"));
    drop(server);
    let (server, missed) = tasks("20");
    assert!(missed > 0, "a task was put back");
    let seen = checks(&server);
    assert_eq!(problems(&seen), Vec::<&str>::new(), "what is over is no problem: {seen:?}");
    let told = check(&seen, "agent-pool");
    assert_eq!(told["gravity"], "note", "{told}");
    assert!(told["advice"]["en"].as_str().unwrap().contains("AGENT_POOL_SIZE"), "{told}");
    // And while it goes on.
    let is_over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut asked = json!({"scope": {}, "flags": ["BR05", "BR10", "BR19"]});
            for day in (1..=28).cycle() {
                asked["as_of"] = json!(format!("2025-05-{day:02}"));
                assert_eq!(ended(&server, &ask(&server, &asked))["status"], "completed");
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let seen = checks(&server);
        is_over.store(true, Ordering::Relaxed);
        seen
    });
    assert!(problems(&seen).contains(&"agent-pool"), "{seen:?}");
}

#[test]
fn memory_near_its_limit_is_found() {
    let house = house_of(300);
    let held = {
        let server = house.serve();
        let _ = checks(&server);
        server.memory_mib()
    };
    let server = Server::start(house.program().env("CIDADAO_LIMITS_MEMORY_MIB", (held / 2).to_string()));
    let seen = checks(&server);
    assert!(problems(&seen).contains(&"memory-limit"), "{seen:?}");
    assert!(check(&seen, "memory-limit")["figure"].as_str().unwrap().contains("MiB"));
}

#[test]
fn a_database_that_is_slow_and_one_that_is_away_are_found() {
    let shared = PostgresServer::shared();
    let proxy = Proxy::to(shared.port());
    let through = shared.database().replace(&shared.port().to_string(), &proxy.port().to_string());
    let house = House::on(&through);
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let server = house.serve();
    assert!(!problems(&checks(&server)).contains(&"response-times"));
    proxy.delay(Duration::from_millis(150));
    let seen = checks(&server);
    for id in ["response-times", "slow-queries"] {
        assert!(problems(&seen).contains(&id), "{id}: {seen:?}");
    }
    proxy.delay(Duration::ZERO);
    proxy.cut();
    let seen = checks(&server);
    let found = problems(&seen);
    assert!(found.contains(&"ready") && found.contains(&"database-pool"), "{seen:?}");
}

#[test]
fn where_nothing_answers_or_something_else_it_says_so() {
    let run = Program::new().args(["doctor", "http://127.0.0.1:1", "--json"]).run().ends_with(1).json();
    assert_eq!(problems(run["checks"].as_array().unwrap()), ["ready"]);
    let other = testkit::origin::Origin::start(|_, _| testkit::origin::Reply::json("{}"));
    let run = Program::new().args(["doctor", &other.url(), "--json"]).run().ends_with(1);
    assert!(run.stdout.contains("nothing of this program"), "{}", run.stdout);
    let run = Program::new().args(["doctor", "127.0.0.1:8080"]).run().ends_with(2);
    assert!(run.stderr.contains("http://"), "{}", run.stderr);
    for url in ["http://ana:S3gredo@127.0.0.1:1", "ana:S3gredo@127.0.0.1:1"] {
        let run = Program::new().args(["doctor", url]).run().ends_with(2);
        assert!(run.stderr.contains("URL") && !run.stderr.contains("S3gredo"), "{}", run.stderr);
    }
}
