//! The program where it is deployed: within bounds of memory and processors, told to stop, its roles apart, its schema brought up to
//! date by another, and what packages carry beside it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::group::Group;
use testkit::{House, PostgresServer, Program, RedisServer, Run, Server};

use super::investigations::{ASK, DAY, ask, ended};
use super::short_sample;

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What the doctor says of the machine.
fn machine(run: Run) -> String {
    let checks = run.ends_with(0).json();
    let machine = checks["checks"].as_array().unwrap().iter().find(|check| check["about"] == "machine");
    machine.unwrap()["found"].as_str().unwrap().to_owned()
}

#[test]
fn within_bounds_of_its_container_the_program_takes_its_share_of_them() {
    let (house, group) = (House::new(), Group::of(512, 1));
    let doctor = || house.program().args(["doctor", "--json"]).into_command();
    let within = |command: Command| Run::from(group.around(&command).output().unwrap());
    let told = machine(within(doctor()));
    assert!(told.contains("1 processor(s), 512 MiB (cgroup v"), "{told}");
    for share in [
        "limits.memory_mib = 459",
        "analysis.threads = 1",
        "work.workers = 1",
        "analysis.memory_mib = 64",
        "l1_mib = 14",
    ] {
        assert!(told.contains(share), "{share} is not in {told}");
    }
    let without = machine(doctor().output().unwrap().into());
    assert!(!without.contains("512 MiB") && !without.contains("analysis.memory_mib = 64,"), "{without}");
    let mut said = doctor();
    said.env("CIDADAO_ANALYSIS_MEMORY_MIB", "100").env("CIDADAO_WORK_WORKERS", "7");
    let told = machine(within(said));
    assert!(!told.contains("analysis.memory_mib") && !told.contains("workers"), "what was said stands: {told}");
    // Two processors are two threads, and a start says so.
    let two = Group::of(1_024, 2);
    let mut serve = house.program().args(["serve", "--listen", "127.0.0.1:0"]).into_command();
    serve.env("CIDADAO_LIMITS_ANONYMOUS", "unlimited");
    let server = Server::of(two.around(&serve));
    assert!(server.log().contains("1024 MiB (cgroup v"), "{}", server.log());
    assert_eq!(server.get("/health/ready").status, 200);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_server_that_is_told_to_stop_is_not_ready_first_then_finishes_what_is_in_flight() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let server = Server::start(house.program().env("CIDADAO_HTTP_DRAIN_S", "3600"));
    let address = server.address().trim_start_matches("http://").to_owned();
    assert_eq!(server.get("/health/ready").status, 200);
    let body = json!({"scope": {}, "flags": ["BR05"], "as_of": DAY}).to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let mut in_flight = TcpStream::connect(&address).unwrap();
    let head = format!("content-type: application/json\r\ncontent-length: {}", body.len());
    write!(in_flight, "POST /{ASK_PATH} HTTP/1.1\r\nhost: {address}\r\n{head}\r\n\r\n{first}").unwrap();
    server.ask_to_stop();
    until("it says that it leaves", || server.get("/health/ready").status == 503);
    assert_eq!(server.get("/health/ready").json()["status"], "leaving");
    // Who has not heard of it is answered, over a new connection too.
    assert_eq!(server.get("/health/live").status, 200);
    let mut late = TcpStream::connect(&address).unwrap();
    write!(late, "GET /api/v1/contracts HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    late.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    // The second time it waits no longer.
    server.ask_to_stop();
    until("nobody listens any more", || TcpStream::connect(&address).is_err());
    in_flight.write_all(rest.as_bytes()).unwrap();
    let mut answer = Vec::new();
    in_flight.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(server.ended(), Some(0));
    // And a wait that nobody cuts short ends by itself.
    let server = Server::start(house.program().env("CIDADAO_HTTP_DRAIN_S", "1"));
    let _ = server.json("contracts");
    assert_eq!(server.stop(), Some(0));
}

const ASK_PATH: &str = "api/v1/investigations";

#[test]
fn answers_and_work_are_apart_and_a_worker_tells_how_it_is_and_nothing_else() {
    let redis = RedisServer::start();
    let house = House::on(&PostgresServer::shared().database()).with("REDIS_URL", &redis.url());
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let api = Server::start_as(house.program(), "api");
    assert_eq!(ASK, format!("/{ASK_PATH}"));
    let id = ask(&api, &json!({"scope": {}, "as_of": DAY, "flags": ["BR01", "BR05"]}));
    std::thread::sleep(Duration::from_millis(700));
    let waiting = api.json(&format!("investigations/{id}"));
    assert_eq!((&waiting["status"], &waiting["phase"]), (&json!("active"), &json!("requested")), "nobody works");
    let worker = house.program().env("CIDADAO_WORK_LISTEN", "127.0.0.1:0").args(["serve", "--roles", "worker"]);
    let worker = Server::of(worker.into_command());
    assert_eq!((worker.get("/health/live").status, worker.get("/health/ready").status), (200, 200));
    assert_eq!(ended(&api, &id)["status"], "completed");
    for path in ["/", "/api/v1/contracts", "/graphql", "/openapi.json", "/docs"] {
        assert_eq!(worker.get(path).status, 404, "{path}");
    }
    assert_eq!(worker.post(ASK, &json!({"scope": {}})).status, 404);
    let used = |server: &Server| {
        let text = server.get("/metrics").text();
        let uses =
            text.lines().filter(|line| line.contains("agent_pool_events_total{") && line.contains("what=\"used\""));
        uses.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>()
    };
    assert!(used(&worker) >= 2.0 && used(&api) == 0.0, "{} {}", used(&worker), used(&api));
    assert_eq!(worker.stop(), Some(0));
    // Without an address it opens none, beside a server on the usual one.
    let mut silent = house.program().args(["serve", "--roles", "worker"]).into_command();
    let mut silent = silent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(silent.try_wait().unwrap().is_none());
    let _ = silent.kill();
    let _ = silent.wait();
}

fn held(house: &House) -> Value {
    house.json(&["migrate", "--status"])["held"].clone()
}

#[test]
fn a_start_that_may_not_change_the_schema_waits_for_or_names_who_does() {
    for house in [House::new(), House::on(&PostgresServer::shared().database())] {
        let serve =
            || house.program().env("CIDADAO_DATABASE_MIGRATE", "false").args(["serve", "--listen", "127.0.0.1:0"]);
        let refused = serve().run().ends_with(1);
        assert!(refused.stderr.contains("version 0") && refused.stderr.contains("cidadao migrate"), "{refused:?}");
        let late = house.program().args(["migrate", "--wait", "1"]).run().ends_with(1);
        assert!(late.stderr.contains("cidadao migrate"), "{late:?}");
        assert_eq!(held(&house), 0, "neither changed anything");
        let mut waits = house.program().args(["migrate", "--wait", "60", "--json"]).into_command();
        let waits = waits.stdout(Stdio::piped()).spawn().unwrap();
        // The job's settings are those of the others.
        let job = house.program().env("CIDADAO_DATABASE_MIGRATE", "false").args(["migrate", "--json"]).run();
        let known = job.ends_with(0).json()["known"].clone();
        let waited = Run::from(waits.wait_with_output().unwrap()).ends_with(0);
        assert_eq!(waited.json()["held"], known);
        let server = Server::of(serve().into_command());
        assert_eq!(server.get("/health/ready").status, 200);
    }
}

#[test]
fn shells_complete_commands_and_every_command_has_a_manual_page() {
    let program = testkit::program::binary();
    let path = program.parent().unwrap().display().to_string();
    let script = "source <(cidadao completions bash); COMP_WORDS=(cidadao migr); COMP_CWORD=1; \
                  _cidadao cidadao migr cidadao; echo \"${COMPREPLY[@]}\"; \
                  COMP_WORDS=(cidadao serve --roles ''); COMP_CWORD=3; _cidadao cidadao '' --roles; echo \"${COMPREPLY[@]}\"";
    let path = format!("{path}:{}", std::env::var("PATH").unwrap());
    let bash = Command::new("bash").args(["-c", script]).env("PATH", path).output().unwrap();
    let completed = String::from_utf8_lossy(&bash.stdout).into_owned();
    assert_eq!(completed.lines().collect::<Vec<_>>(), ["migrate", "api worker all"], "{bash:?}");
    for (shell, first) in [("zsh", "#compdef cidadao"), ("fish", "# Print an optspec")] {
        let run = Program::new().args(["completions", shell]).run().ends_with(0);
        assert!(run.stdout.starts_with(first) && run.stdout.contains("migrate"), "{shell}: {}", run.stdout);
    }
    // Neither needs settings, nor a data folder.
    let broken = Program::new().env("CIDADAO_NOPE", "1");
    let page = broken.arg("man").run().ends_with(0).stdout;
    let house = House::new();
    let folder = house.root().join("man");
    let _ = Program::new().arg("man").arg("--out").arg(&folder).run().ends_with(0);
    let help = Program::new().arg("--help").run().ends_with(0).stdout;
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next().filter(|_| !line.starts_with("   ")))
        .collect();
    assert!(commands.len() > 20 && commands.contains(&"serve"), "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let own = std::fs::read_to_string(folder.join(format!("cidadao-{command}.1"))).unwrap();
        assert!(own.contains(".SH SYNOPSIS"), "{command}");
        assert!(page.contains(&format!("cidadao\\-{command}(1)")), "{command} is not in the page: {page}");
    }
}
