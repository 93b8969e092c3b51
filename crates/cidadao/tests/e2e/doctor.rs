//! The doctor says in words what is wrong, and changes nothing.

use std::path::PathBuf;

use testkit::files::{self, Purchase};
use testkit::house::files_below;
use testkit::{House, Run};

fn house_with_data() -> House {
    let house = House::new();
    let _ = house.ingested(&[&house.file("c.csv", files::purchases(&[Purchase::new(1, "1,0000")]))], 0);
    house
}

fn doctor(house: &House) -> Run {
    house.program().arg("doctor").run()
}

fn a_segment(house: &House) -> PathBuf {
    files_below(&house.data().join("lake/contracts")).remove(0)
}

#[track_caller]
fn finds(house: &House, words: &[&str]) {
    let before: Vec<Vec<u8>> = house.data_files().iter().map(|p| std::fs::read(p).unwrap_or_default()).collect();
    let run = doctor(house);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    for word in words {
        assert!(run.stdout.contains(word), "nothing is said of {word}:\n{}", run.stdout);
    }
    assert!(run.stdout.contains('→'), "what to do is said:\n{}", run.stdout);
    assert_eq!(house.problems().len(), 1, "{:?}", house.problems());
    let after: Vec<Vec<u8>> = house.data_files().iter().map(|p| std::fs::read(p).unwrap_or_default()).collect();
    assert_eq!(before.len(), after.len(), "the doctor makes and removes no file");
}

#[test]
fn a_sound_folder_is_found_sound() {
    let house = house_with_data();
    let run = doctor(&house).ends_with(0);
    assert!(run.stdout.contains("sound") && run.stdout.contains("contracts: 1"), "{}", run.stdout);
    assert!(run.stdout.contains("BR01 cannot be computed"), "what is not there is said:\n{}", run.stdout);
}

#[test]
fn a_missing_segment_is_named() {
    let house = house_with_data();
    std::fs::remove_file(a_segment(&house)).unwrap();
    finds(&house, &["contracts/portal-compras/2024-02", "missing"]);
}

#[test]
fn an_altered_segment_is_named() {
    let house = house_with_data();
    let path = a_segment(&house);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    finds(&house, &["contracts/portal-compras/2024-02", "SHA-256"]);
    bytes.pop();
    std::fs::write(&path, &bytes).unwrap();
    finds(&house, &["contracts/portal-compras/2024-02", "size"]);
}

#[test]
fn a_damaged_segment_is_written_anew_by_the_next_ingest_or_by_repair() {
    let house = house_with_data();
    let sound = house.state();
    let path = a_segment(&house);
    std::fs::remove_file(&path).unwrap();
    let again = house.ingested(&[&house.file("c.csv", files::purchases(&[Purchase::new(1, "1,0000")]))], 0);
    assert!(again["rebuilt"][0].as_str().unwrap().contains("contracts/portal-compras/2024-02"), "{again}");
    assert_eq!(house.problems(), Vec::<String>::new());
    testkit::state::assert_same(&sound, &house.state(), "a missing segment written anew");
    let path = a_segment(&house);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let run = house.program().args(["doctor", "--repair", "--json"]).run().ends_with(0).json();
    assert!(run["repaired"][0].as_str().unwrap().contains("SHA-256"), "{run}");
    assert_eq!(house.problems(), Vec::<String>::new());
    testkit::state::assert_same(&sound, &house.state(), "an altered segment written anew");
}

#[test]
fn a_server_that_starts_over_a_damaged_segment_says_so() {
    let house = house_with_data();
    std::fs::remove_file(a_segment(&house)).unwrap();
    let server = house.serve();
    assert!(server.log().contains("contracts/portal-compras/2024-02"), "{}", server.log());
}

#[test]
fn a_file_that_nobody_knows_in_the_lake_counts_for_nothing_and_is_removed_by_the_next_ingest() {
    let house = house_with_data();
    let orphan = house.data().join("lake/contracts/portal-compras/2024-02/99999999.parquet");
    std::fs::write(&orphan, "half a segment").unwrap();
    let run = doctor(&house).ends_with(0);
    assert!(run.stdout.contains("no manifest row names"), "{}", run.stdout);
    let _ = house.ingested(&[&house.file("d.csv", files::purchases(&[Purchase::new(2, "1,0000")]))], 0);
    assert!(!orphan.exists());
    let _ = house.state();
}

#[test]
fn a_foreign_file_in_the_place_of_the_database_is_told_from_a_database() {
    let house = House::new();
    std::fs::create_dir_all(house.data()).unwrap();
    std::fs::write(house.data().join("cidadao.db"), "this is no database, but a note to self ".repeat(400)).unwrap();
    finds(&house, &["cidadao.db", "not a database"]);
    let run = house.ingest(&[&house.file("c.csv", files::purchases(&[Purchase::new(1, "1,0000")]))]).ends_with(1);
    assert!(run.stderr.contains("not a database"), "{}", run.stderr);
    assert!(std::fs::read_to_string(house.data().join("cidadao.db")).unwrap().starts_with("this is no database"));
}

#[test]
fn a_folder_that_is_not_there_yet_is_no_problem() {
    let house = House::new();
    let run = doctor(&house).ends_with(0);
    assert!(run.stdout.contains("not there yet"), "{}", run.stdout);
    assert!(!house.data().exists(), "looking makes no folder");
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let house = house_with_data();
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    finds(&house, &["99", "newer"]);
    let run = house.program().args(["flags", "coverage"]).run().ends_with(1);
    assert!(run.stderr.contains("newer"), "{}", run.stderr);
}

#[test]
fn a_damaged_database_is_named() {
    let house = House::new();
    let rows: Vec<Purchase> = (1..400).map(|n| Purchase::new(n, "1,0000")).collect();
    let _ = house.ingested(&[&house.file("c.csv", files::purchases(&rows))], 0);
    let path = house.data().join("cidadao.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 60_000].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let run = doctor(&house);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stdout.contains("PROBLEMA") && run.stdout.contains("copy"), "{}", run.stdout);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn a_house_that_another_program_writes_to_is_said_to_be_busy() {
    let house = house_with_data();
    let lock = std::fs::OpenOptions::new().write(true).open(house.data().join("writer.lock")).unwrap();
    lock.lock().unwrap();
    let run = doctor(&house).ends_with(0);
    assert!(run.stdout.contains("another program is writing"), "{}", run.stdout);
}
