//! Settings as seen from outside: what overrides what, and what stops the start.

use testkit::{House, Program};

#[test]
fn an_unknown_key_stops_the_start_by_name() {
    let house = House::new();
    let file = house.file("c.toml", "[http]\nlisten = \"127.0.0.1:0\"\ncolour = \"red\"\n");
    let run = house.program().arg("--config").arg(&file).arg("doctor").run().ends_with(2);
    assert!(run.stderr.contains("http.colour") && run.stderr.contains("c.toml"), "{}", run.stderr);
    let run = house.program().env("CIDADAO_HTTP_COLOUR", "red").arg("doctor").run().ends_with(2);
    assert!(run.stderr.contains("CIDADAO_HTTP_COLOUR"), "{}", run.stderr);
}

#[test]
fn a_value_that_cannot_be_stops_the_start_by_name() {
    let house = House::new();
    for (text, name) in [
        ("[store]\nreaders = 0\n", "store.readers"),
        ("[analysis]\nmemory_mib = 1\n", "analysis.memory_mib"),
        ("[http]\nrequest_timeout_s = \"soon\"\n", "request_timeout_s"),
        ("[log]\nformat = \"xml\"\n", "log.format"),
        ("[redis]\nurl = \"localhost\"\n", "redis.url"),
    ] {
        let run = house.program().arg("--config").arg(house.file("c.toml", text)).arg("doctor").run().ends_with(2);
        assert!(run.stderr.contains(name) || run.stderr.contains("invalid type"), "{name}: {}", run.stderr);
    }
    let broken = house.program().arg("--config").arg(house.file("c.toml", "[http\n")).arg("doctor").run().ends_with(2);
    assert!(broken.stderr.contains("c.toml"), "{}", broken.stderr);
    let gone = house.program().args(["--config", "/nowhere/c.toml", "doctor"]).run();
    assert!(gone.code != Some(0) && gone.stderr.contains("/nowhere/c.toml"), "{gone:?}");
    let run = house.program().env("CIDADAO_STORE_READERS", "many").arg("doctor").run().ends_with(2);
    assert!(run.stderr.contains("CIDADAO_STORE_READERS"), "{}", run.stderr);
}

#[test]
fn the_environment_overrides_the_file_and_the_start_says_so() {
    let house = House::new();
    let file = house.file("c.toml", "[http]\nlisten = \"127.0.0.1:9\"\n[store]\nreaders = 2\n");
    let folder = house.root().join("elsewhere");
    let run = Program::new()
        .env("CIDADAO_DATA_DIR", &folder)
        .env("CIDADAO_HTTP_LISTEN", "127.0.0.1:0")
        .arg("--config")
        .arg(&file)
        .args(["doctor", "--json"])
        .run()
        .ends_with(0);
    let said: Vec<String> =
        run.json()["checks"].as_array().unwrap().iter().map(|c| c["found"].as_str().unwrap().to_owned()).collect();
    let has = |words: &[&str]| said.iter().any(|s| words.iter().all(|w| s.contains(w)));
    assert!(has(&["http.listen", "127.0.0.1:0", "CIDADAO_HTTP_LISTEN"]), "{said:?}");
    assert!(has(&["store.readers", "2", "c.toml"]), "{said:?}");
    assert!(has(&["elsewhere", "not there yet"]), "{said:?}");
    assert!(run.stderr.contains("store.readers = 2"), "the start says what is not the default: {}", run.stderr);
}

#[test]
fn the_command_line_overrides_the_environment() {
    let house = House::new();
    let run = house
        .program()
        .env("CIDADAO_DATA_DIR", "/nowhere/at/all")
        .args(["flags", "coverage", "--json"])
        .run()
        .ends_with(0);
    assert!(!run.json()["flags"].as_array().unwrap().is_empty());
    assert!(house.data().is_dir());
}
