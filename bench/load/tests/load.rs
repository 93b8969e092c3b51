//! The load from outside: what it refuses, what it prints, and that a server which stalls is charged for all whom it let wait.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::origin::{Origin, Reply};
use testkit::program::binary;

fn load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_load")).args(arguments).output().unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn only_this_machine_is_asked() {
    for url in ["http://192.0.2.1:80", "http://exemplo.org:80", "https://127.0.0.1:80", "127.0.0.1:80"] {
        let output = load(&["--url", url]);
        assert_eq!(output.status.code(), Some(2), "{url}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(url), "{url}");
    }
    for (option, value) in [("--duration", "601"), ("--rate", "5001"), ("--mix", "all")] {
        assert_eq!(load(&[option, value]).status.code(), Some(2), "{option} {value}");
    }
}

#[test]
fn a_program_of_its_own_is_asked_and_measured_beside_the_promises() {
    let program = binary();
    let common = ["--program", program.to_str().unwrap(), "--contracts", "300", "--rate", "60", "--duration", "2"];
    let output = load(&[&common[..], &["--json"]].concat());
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!((&report["requests"], &report["errors"]), (&120.into(), &0.into()));
    assert_eq!(report["statuses"][0]["status"], 200);
    let promises = report["promises"].as_array().unwrap();
    let names: Vec<&str> = promises.iter().map(|promise| promise["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["P95", "P99", "cache", "DB P90", "memória / memory"]);
    let measured = |at: usize| promises[at]["measured"].as_f64().unwrap();
    assert!(measured(0) > 0.0 && measured(0) <= measured(1) && measured(2) > 0.0 && measured(4) > 0.0, "{report}");
    let table = load(&[&common[..], &["--mix", "one"]].concat());
    let told = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(told.contains("P99.9") && told.contains("< 200 ms") && told.contains("> 90 %"), "{told}");
}

#[test]
fn who_waits_for_a_stalled_server_counts_from_when_it_was_due() {
    let first = OnceLock::new();
    let origin = Origin::start(move |target, _| {
        if target == "/metrics" {
            return Reply::Whole(200, Vec::new(), b"cidadao_ai_build_info 1\n".to_vec());
        }
        // Nothing is answered in the first one and a half seconds.
        let until = *first.get_or_init(|| Instant::now() + Duration::from_millis(1_500));
        Reply::Late(until.saturating_duration_since(Instant::now()), Box::new(Reply::json("{\"data\":[]}")))
    });
    let output = load(&["--url", &origin.url(), "--mix", "one", "--rate", "200", "--duration", "2", "--json"]);
    let report = report(&output);
    assert_eq!((&report["requests"], &report["errors"]), (&400.into(), &0.into()), "{report}");
    // Three of four were due while it stalled. Who counts from when each was sent sees 64 slow ones, and a quick middle.
    assert!(report["latency_ms"]["p50"].as_f64().unwrap() > 200.0, "{report}");
    let of =
        |name: &str| report["promises"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap()["kept"].clone();
    assert_eq!((of("P95"), of("cache")), (false.into(), Value::Null), "what is not told is not measured");
}

#[test]
fn what_is_refused_is_an_error() {
    let origin = Origin::start(|target, before| match target {
        "/metrics" => Reply::Whole(200, Vec::new(), b"cidadao_ai_build_info 1\n".to_vec()),
        _ if before % 2 == 0 => Reply::status(503),
        _ => Reply::json("{}"),
    });
    let output = load(&["--url", &origin.url(), "--mix", "one", "--rate", "50", "--duration", "1", "--json"]);
    let report = report(&output);
    assert_eq!((output.status.code(), report["errors"].as_u64().unwrap() > 10), (Some(1), true), "{report}");
}
