//! The machine's clock is set while the program runs, or between two runs: nothing is lost, done twice, or out of order.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::files::{self, Purchase};
use testkit::{House, Server, SetClock};

use super::investigations::{DAY, ask, follow, found_at, ids_of, judged_house};

const HOUR_S: i64 = 3600;

/// It completed, each flag was judged once, and it holds what judging without an investigation finds.
#[track_caller]
fn is_whole(house: &House, server: Server, id: &str) {
    let events = follow(&server, id);
    assert_eq!(events.last().unwrap().kind, "completed");
    let shown = server.json(&format!("investigations/{id}"));
    let mut judged: Vec<&str> =
        events.iter().filter(|e| e.kind == "flag_judged").map(|e| e.data["flag"].as_str().unwrap()).collect();
    judged.sort_unstable();
    let flags: Vec<&str> = shown["plan"]["flags"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    assert_eq!(judged, flags, "each flag is judged once");
    let found = ids_of(&server.walk(&format!("investigations/{id}/findings"), 100));
    drop(server);
    assert_eq!(found, found_at(house, shown["plan"]["known_at"].as_str().unwrap()));
}

#[test]
fn a_clock_that_jumps_to_and_fro_changes_nothing_that_an_investigation_finds() {
    let (house, clock) = (judged_house(), SetClock::new());
    let server = Server::start(clock.of(house.program()));
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY}));
    let mut jumps = [-HOUR_S, HOUR_S, -26 * HOUR_S, 5, 0].into_iter();
    let mut jumped = 0;
    let _ = server.follow(&format!("investigations/{id}/events"), 0, |event| {
        if event.kind == "flag_judged"
            && let Some(ahead) = jumps.next()
        {
            clock.set(ahead);
            jumped += 1;
        }
        jumped == 5
    });
    assert_eq!(jumped, 5);
    is_whole(&house, server, &id);
}

#[test]
fn a_task_that_its_dead_worker_held_until_tomorrow_is_taken_over_at_once() {
    let (house, clock) = (judged_house(), SetClock::new());
    clock.set(24 * HOUR_S);
    let first = Server::start(clock.of(house.program()));
    let id = ask(&first, &json!({"scope": {}, "as_of": DAY}));
    let _ = first.follow(&format!("investigations/{id}/events"), 0, |event| event.kind == "flag_started");
    // Dropped, it is killed with -9.
    drop(first);
    clock.set(0);
    let second = Server::start(clock.of(house.program()));
    let started = Instant::now();
    let _ = second.follow(&format!("investigations/{id}/events"), 0, |event| event.kind == "flag_judged");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    is_whole(&house, second, &id);
}

#[test]
fn what_is_ingested_after_the_clock_was_set_back_is_held_later_all_the_same() {
    let (house, clock) = (House::new(), SetClock::new());
    let ingest = |name: &str, value: &str| -> Value {
        let file = house.file(name, files::purchases(&[Purchase::new(1, value)]));
        let run = clock.of(house.program()).args(["--json", "ingest"]).arg(file).run();
        run.ends_with(0).json()
    };
    let id = Purchase::new(1, "100,0000").id();
    let held = |server: &Server| server.json(&format!("contracts/{}", testkit::server::encoded(&id)));
    let _ = ingest("202402_Compras.csv", "100,0000");
    clock.set(-48 * HOUR_S);
    let report = ingest("b/202402_Compras.csv", "250,0000");
    assert_eq!(report["totals"]["replaced"], 1, "{report}");
    let server = house.serve();
    let shown = held(&server);
    assert_eq!(shown["value_final"], "250.0000", "{shown}");
    let version = &shown["versions"][0];
    let (from, to) = (version["valid_from"].as_str().unwrap(), version["valid_to"].as_str().unwrap());
    assert!(from < to, "the older form ended after it began: {version}");
    drop(server);
    assert_eq!(house.problems(), Vec::<String>::new());
}
