//! Killed at any moment, the same command again ends as if nothing had happened.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use testkit::House;
use testkit::seed::Seed;
use testkit::state::assert_same;

use super::short_sample;

const MOMENTS: usize = 20;
const CONTRACTS: u32 = 4_000;

fn start(house: &House, folder: &std::path::Path) -> Child {
    let mut command = house.program().args(["ingest", "--json"]).arg(folder).into_command();
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_killed_ingest_run_again_ends_as_if_undisturbed() {
    let mut seed = Seed::printed("a_killed_ingest_run_again_ends_as_if_undisturbed");
    let place = House::new();
    let files = short_sample(&place, CONTRACTS, 11);
    let undisturbed = House::new();
    let started = Instant::now();
    let _ = start(&undisturbed, &files).wait().unwrap();
    let whole = started.elapsed();
    let expected = undisturbed.state();
    assert!(!expected["findings"].is_empty(), "the sample has findings");
    let mut killed = 0;
    for round in 0..MOMENTS {
        let house = House::new();
        let moment = Duration::from_micros(seed.below(u64::try_from(whole.as_micros()).unwrap()));
        let mut child = start(&house, &files);
        std::thread::sleep(moment);
        // SIGKILL: nothing is flushed, nothing is caught.
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        let again = house.ingest(&[&files]);
        // Killed after its commit, it finds every file seen before and has only the judging to do.
        assert!([Some(0), Some(3)].contains(&again.code), "{}", again.stderr);
        let _ = testkit::house::totals(&again.json());
        // Orphans and damage are looked for on the way.
        assert_same(&expected, &house.state(), &format!("round {round}, killed after {moment:?} of {whole:?}"));
        assert_eq!(house.problems(), Vec::<String>::new(), "round {round}, killed after {moment:?}");
    }
    println!("{killed} of {MOMENTS} ingests were killed before their end");
    assert!(killed >= MOMENTS / 2, "too few were killed in time");
}

#[test]
fn an_ingest_killed_again_and_again_over_held_data_loses_nothing() {
    let mut seed = Seed::printed("an_ingest_killed_again_and_again_over_held_data_loses_nothing");
    let place = House::new();
    let (first, second) = (short_sample(&place, 300, 5), short_sample(&place, CONTRACTS, 6));
    let expected = {
        let house = House::new();
        let _ = house.ingest(&[&first]);
        let _ = house.ingest(&[&second]);
        house.state()
    };
    let house = House::new();
    let _ = house.ingest(&[&first]);
    let held = house.state();
    for _ in 0..5 {
        let mut child = start(&house, &second);
        std::thread::sleep(Duration::from_millis(100 + seed.below(500)));
        child.kill().unwrap();
        let _ = child.wait().unwrap();
        let db = rusqlite::Connection::open_with_flags(
            house.data().join("cidadao.db"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .unwrap();
        let contracts: i64 = db.query_row("select count(*) from contracts", [], |row| row.get(0)).unwrap();
        assert!(
            [held["contracts"].len(), expected["contracts"].len()].contains(&usize::try_from(contracts).unwrap()),
            "an ingest is visible as a whole or not at all"
        );
    }
    let _ = house.ingest(&[&second]);
    assert_same(&expected, &house.state(), "killed five times");
}
