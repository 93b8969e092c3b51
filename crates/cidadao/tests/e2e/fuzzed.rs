//! Requests that `schemathesis` makes out of our own OpenAPI, well formed and malformed: none is answered with 5xx, none hangs.
//!
//! `CIDADAO_FUZZ_EXAMPLES` says how many for each operation and phase; 150 make about ten thousand and take ten minutes.

use std::process::{Command, Stdio};

use testkit::{House, Server};

use super::short_sample;

#[test]
fn no_request_made_of_the_description_gets_a_5xx_or_hangs() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 400, 5)]).ends_with(3);
    let server = Server::start(house.program().env("CIDADAO_LIMITS_ANONYMOUS", "unlimited"));
    let examples = std::env::var("CIDADAO_FUZZ_EXAMPLES").unwrap_or_else(|_| "3".to_owned());
    let run = Command::new(testkit::python::program("schemathesis"))
        .args(["run", &format!("{}/openapi.json", server.address()), "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &examples, "--mode", "all", "--checks", "not_a_server_error"])
        .args(["--request-timeout", "30", "--continue-on-failure", "--seed", "7", "--workers", "2"])
        // Whoever runs the program may have any of the machine's files read: not by chance.
        .args(["--exclude-operation-id", "ask_ingest"])
        // They take as many seconds as they are asked for.
        .args(["--exclude-operation-id", "profile_cpu", "--exclude-operation-id", "profile_memory"])
        // It never ends.
        .args(["--exclude-operation-id", "follow_findings"])
        .current_dir(house.root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", server.log());
    let line = said.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    let made: u64 = line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_default();
    println!("{line}");
    assert!(made > 500, "too few requests to say anything: {said}");
    assert_eq!(server.get("/health/ready").status, 200);
}
