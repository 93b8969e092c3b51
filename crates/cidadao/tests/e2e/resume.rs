//! An ingest of many batches, broken off and continued: it ends as if nothing had happened.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use testkit::House;
use testkit::house::totals;
use testkit::seed::Seed;
use testkit::state::assert_same;

use super::every_format;
use super::short_sample;

/// Rounds of killing; `CIDADAO_KILLS=200` for the long run.
fn kills() -> usize {
    std::env::var("CIDADAO_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(12)
}

fn start(house: &House, paths: &[&Path], batch_rows: u32) -> Child {
    let mut command = house.program().args(["ingest", "--json"]).args(paths).into_command();
    command.env("CIDADAO_INGEST_BATCH_ROWS", batch_rows.to_string());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn finish(house: &House, paths: &[&Path], batch_rows: u32) -> [u64; 5] {
    let mut command = house.program().args(["ingest", "--json"]).args(paths).into_command();
    command.env("CIDADAO_INGEST_BATCH_ROWS", batch_rows.to_string());
    let run: testkit::Run = command.output().unwrap().into();
    assert!([Some(0), Some(3)].contains(&run.code), "{}", run.stderr);
    totals(&run.json())
}

/// Files of every format that the program knows, and a sample beside them.
fn all_files(place: &House) -> [PathBuf; 2] {
    [every_format::write(place), short_sample(place, 300, 5)]
}

#[test]
fn killed_at_any_moment_over_all_formats_it_ends_undisturbed() {
    let mut seed = Seed::printed("killed_at_any_moment_over_all_formats_it_ends_undisturbed");
    let place = House::new();
    let files = all_files(&place);
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let undisturbed = House::new();
    let started = Instant::now();
    let expected_totals = finish(&undisturbed, &paths, 1_000_000);
    let whole = started.elapsed();
    let expected = undisturbed.state();
    let mut killed = 0;
    for round in 0..kills() {
        let house = House::new();
        let batch_rows = [1, 7, 40, 400][round % 4];
        // One to three kills before it may end.
        for _ in 0..=seed.below(3) {
            let moment = Duration::from_micros(seed.below(u64::try_from(whole.as_micros()).unwrap() * 5 / 4));
            let mut child = start(&house, &paths, batch_rows);
            std::thread::sleep(moment);
            child.kill().unwrap();
            killed += usize::from(!child.wait().unwrap().success());
        }
        let ended = finish(&house, &paths, batch_rows);
        assert_eq!(ended[0], expected_totals[0], "round {round}: rows read");
        assert_same(&expected, &house.state(), &format!("round {round}, batches of {batch_rows}"));
        assert_eq!(house.problems(), Vec::<String>::new(), "round {round}");
    }
    println!("{killed} ingests were killed before their end");
    assert!(killed * 2 >= kills(), "too few were killed in time");
}

#[test]
fn ctrl_c_keeps_what_was_read_and_the_same_command_goes_on() {
    let place = House::new();
    let files = short_sample(&place, 3_000, 9);
    let expected = {
        let house = House::new();
        let _ = finish(&house, &[&files], 1_000_000);
        house.state()
    };
    let house = House::new();
    let mut child = start(&house, &[&files], 50);
    let database = house.data().join("cidadao.db");
    let started = Instant::now();
    let rows_saved = || {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = rusqlite::Connection::open_with_flags(&database, flags).ok()?;
        db.query_row("select sum(rows_done) from files", [], |row| row.get::<_, Option<i64>>(0)).ok()?
    };
    while rows_saved().unwrap_or(0) < 500 {
        assert!(started.elapsed() < Duration::from_secs(60), "no batch was committed");
        std::thread::sleep(Duration::from_millis(5));
    }
    let signalled = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert_eq!(child.wait().unwrap().code(), Some(1), "an interrupted ingest has not done its work");
    let kept = rows_saved().unwrap();
    assert!(kept >= 500);
    let problems = house.problems();
    assert!(problems.iter().any(|p| p.contains("broken off")), "the doctor says so: {problems:?}");
    let _ = finish(&house, &[&files], 50);
    assert_same(&expected, &house.state(), "after Ctrl-C");
    assert_eq!(house.problems(), Vec::<String>::new());
}

#[test]
fn two_ingests_at_once_wait_for_each_other_and_lose_nothing() {
    let place = House::new();
    let (a, b) = (short_sample(&place, 1_500, 21), short_sample(&place, 1_500, 22));
    let house = House::new();
    let mut children = [start(&house, &[&a], 300), start(&house, &[&b], 300)];
    for child in &mut children {
        assert!([Some(0), Some(3)].contains(&child.wait().unwrap().code()));
    }
    let in_turn = |first: &Path, second: &Path| {
        let other = House::new();
        let _ = finish(&other, &[first], 1_000_000);
        let _ = finish(&other, &[second], 1_000_000);
        testkit::state::records(&other.state())
    };
    let held = testkit::state::records(&house.state());
    assert!(held == in_turn(&a, &b) || held == in_turn(&b, &a), "the rows are not those of either order");
    assert_eq!(house.problems(), Vec::<String>::new());
}
