//! Settings whose change is seen from outside, those that no other test is about; and that each setting is in some test.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::files::pncp_contract;
use testkit::origin::{Origin, Reply};
use testkit::postgres::{self, PostgresServer};
use testkit::proxy::Proxy;
use testkit::{House, RedisServer, Server};

use super::investigations::judged_house;
use super::serving::{figure, house_of};
use super::short_sample;

/// A server over a house, with these variables.
fn with(house: &House, variables: &[(&str, &str)]) -> Server {
    Server::start(variables.iter().fold(house.program(), |program, (name, value)| program.env(name, value)))
}

/// The texts of all tests but those about how settings are read and refused, which show nothing of what a setting does.
fn texts_of_tests() -> Vec<String> {
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e")).unwrap().flatten() {
        let path = entry.path();
        if path.is_file() && ["settings.rs", "configuration.rs"].iter().all(|name| !path.ends_with(name)) {
            // What stands before the first test helps all of them.
            tests.extend(std::fs::read_to_string(path).unwrap().split("\n#[test]").map(str::to_owned));
        }
    }
    tests
}

/// The names of all settings.
fn names_of_settings() -> Vec<String> {
    let manual: toml::Table = include_str!("../../../../config/default.toml").parse().unwrap();
    let names = manual.iter().flat_map(|(section, value)| match value.as_table() {
        Some(table) => table.keys().map(|key| format!("{section}.{key}")).collect(),
        None => vec![section.clone()],
    });
    names.collect()
}

/// Whether a test sets a setting: by a variable, as one of a list of names behind a beginning (`CIDADAO_GRAPHQL_{…}`), in a file.
fn is_set_in(test: &str, name: &str) -> bool {
    let whole = |word: &str| test.contains(&format!("\"{word}\""));
    let variable = format!("CIDADAO_{}", name.replace('.', "_").to_ascii_uppercase());
    let hosts_own = include_str!("../../../app/src/settings.rs")
        .lines()
        .find_map(|line| line.trim().strip_suffix(&format!("\", \"{name}\"),"))?.strip_prefix("(\""));
    let is_listed = variable
        .match_indices('_')
        .any(|(at, _)| test.contains(&format!("\"{}{{", &variable[..=at])) && whole(&variable[at + 1..]));
    let is_in_a_file = name
        .split_once('.')
        .is_some_and(|(section, key)| test.contains(&format!("[{section}]")) && test.contains(&format!("{key} = ")));
    whole(&variable) || hosts_own.is_some_and(whole) || is_listed || is_in_a_file
}

/// What a test shows of a setting its own words must say; that there is one at all is seen here.
#[test]
fn each_setting_is_in_a_test() {
    let tests = texts_of_tests();
    let mut missing = names_of_settings();
    // Where the data are is an option of nearly every test.
    missing.retain(|name| name != "data_dir" && !tests.iter().any(|test| is_set_in(test, name)));
    assert_eq!(missing, Vec::<String>::new(), "in no test");
}

#[test]
fn it_listens_where_the_settings_say_and_reads_by_as_many_connections() {
    let house = house_of(10);
    let listening =
        |address: &str| Server::of(house.program().env("CIDADAO_HTTP_LISTEN", address).arg("serve").into_command());
    let port = listening("127.0.0.1:0").address().rsplit(':').next().unwrap().to_owned();
    let server = listening(&format!("127.0.0.1:{port}"));
    assert_eq!(server.address(), format!("http://127.0.0.1:{port}"));
    drop(server);
    let connections = |readers: &str| {
        let server = with(&house, &[("CIDADAO_STORE_READERS", readers), ("CACHE_STRATEGY", "off")]);
        assert_eq!(server.get("/api/v1/contracts?limit=1").status, 200);
        server.open_files(&house.data().join("cidadao.db")).len()
    };
    assert_eq!(connections("9"), connections("2") + 7);
}

#[test]
fn a_body_beyond_its_bound_is_refused() {
    let house = House::new();
    let body = json!({"question": "x".repeat(1_500)});
    let status = |server: &Server| server.post("/api/v1/ask", &body).status;
    assert_ne!(status(&house.serve()), 413);
    assert_eq!(status(&with(&house, &[("CIDADAO_HTTP_BODY_MAX_BYTES", "1024")])), 413);
}

#[test]
fn the_log_is_filtered_and_formed_as_the_settings_say() {
    let house = House::new();
    let started = |variables: &[(&str, &str)]| {
        let server = with(&house, variables);
        let _ = server.get("/api/v1/flags?limit=1");
        std::thread::sleep(Duration::from_millis(200));
        server.log()
    };
    assert!(started(&[]).contains("INFO") && !started(&[]).contains("DEBUG"));
    assert!(started(&[("CIDADAO_LOG_FILTER", "debug")]).contains("answered"));
    assert!(!started(&[("CIDADAO_LOG_FILTER", "error")]).contains("INFO"));
    let lines = started(&[("CIDADAO_LOG_FORMAT", "json")]);
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(line["level"], "INFO", "{lines}");
}

/// A lock on the contracts of a database, held for some seconds.
fn lock_contracts(url: &str, seconds: u32) -> std::thread::JoinHandle<String> {
    let url = url.to_owned();
    let held = std::thread::spawn(move || {
        postgres::ask(&url, &format!("begin; lock table contracts; select pg_sleep({seconds}); commit"))
    });
    std::thread::sleep(Duration::from_millis(500));
    held
}

#[test]
fn a_database_that_waits_is_given_up_told_of_and_queued_for_as_the_settings_say() {
    let url = PostgresServer::shared().database();
    let house = House::on(&url).with("CACHE_STRATEGY", "off");
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let usual = with(&house, &[("CIDADAO_DATABASE_SLOW_QUERY_MS", "3600000")]);
    let no_lock = with(&house, &[("CIDADAO_DATABASE_LOCK_TIMEOUT_MS", "200")]);
    let no_time = with(
        &house,
        &[("CIDADAO_DATABASE_STATEMENT_TIMEOUT_MS", "200"), ("CIDADAO_DATABASE_LOCK_TIMEOUT_MS", "60000")],
    );
    let told = with(&house, &[("CIDADAO_DATABASE_SLOW_QUERY_MS", "1000")]);
    let full = with(&house, &[("CIDADAO_HTTP_QUEUE_MAX", "1"), ("DB_POOL_SIZE", "2")]);
    let held = lock_contracts(&url, 4);
    let ask = |server: &Server, n: usize| server.get(&format!("/api/v1/contracts?limit={n}")).status;
    std::thread::scope(|scope| {
        let patient = [&usual, &told].map(|server| scope.spawn(move || ask(server, 1)));
        let many: Vec<_> = (1..9)
            .map(|n| {
                scope.spawn({
                    let full = &full;
                    move || ask(full, n)
                })
            })
            .collect();
        for server in [&no_lock, &no_time] {
            let status = ask(server, 1);
            assert!(!held.is_finished() && status == 503, "{status}");
        }
        for asked in patient {
            assert_eq!(asked.join().unwrap(), 200, "the usual bounds are longer than the lock");
        }
        let statuses: Vec<u16> = many.into_iter().map(|asked| asked.join().unwrap()).collect();
        let refused = statuses.iter().filter(|status| **status == 503).count();
        assert!(refused >= 5, "two ask, one waits: {statuses:?}");
    });
    held.join().unwrap();
    assert!(told.log().contains("slow query") && !usual.log().contains("slow query"), "{}", told.log());
}

#[test]
fn an_answer_is_given_without_its_database_only_as_long_as_the_settings_say() {
    let shared = PostgresServer::shared();
    let proxy = Proxy::to(shared.port());
    let through = shared.database().replace(&shared.port().to_string(), &proxy.port().to_string());
    let house = House::on(&through).with("CIDADAO_CACHE_L1_TTL_S", "1").with("CIDADAO_CACHE_STALE_S", "0");
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let memory = ("CACHE_STRATEGY", "memory");
    let usual = with(&house, &[memory]);
    let strict = with(&house, &[memory, ("CIDADAO_CACHE_STALE_IF_ERROR_S", "0")]);
    let ask = |server: &Server| server.get("/api/v1/contracts?limit=1").status;
    assert_eq!((ask(&usual), ask(&strict)), (200, 200));
    proxy.cut();
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!((ask(&usual), ask(&strict)), (200, 503));
}

#[test]
fn redis_keeps_as_many_answers_and_as_long_as_the_settings_say() {
    let redis = RedisServer::start();
    let kept = |variables: &[(&str, &str)]| {
        let _ = redis.ask("FLUSHALL");
        let house = house_of(40);
        let server = with(&house, &[&[("REDIS_URL", redis.url().as_str())], variables].concat());
        for n in 1..9 {
            assert_eq!(server.get(&format!("/api/v1/contracts?limit={n}")).status, 200);
        }
        let keys = || {
            redis
                .ask("KEYS cidadao-kept:*")
                .lines()
                .filter(|key| !key.ends_with(":newest"))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        // They are put there behind the answer.
        let started = Instant::now();
        while keys().len() < 3 && started.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(300));
        let answers: Vec<i64> = keys()
            .iter()
            .map(|key| redis.ask(&format!("PTTL {key}")).trim().parse().unwrap())
            .filter(|ttl| *ttl > 0)
            .collect();
        (answers.len(), answers.into_iter().max().unwrap_or_default())
    };
    let (usual, usual_ms) = kept(&[]);
    assert!(usual >= 8 && usual_ms > 3_000_000, "{usual} for {usual_ms} ms");
    let (few, _) = kept(&[("CIDADAO_CACHE_L2_ENTRIES", "3")]);
    // Each has its time beside it.
    assert!(few < usual && few <= 6, "{few} of {usual}");
    let (_, short_ms) = kept(&[("CIDADAO_CACHE_L2_TTL_S", "60")]);
    assert!(short_ms <= 60_000, "{short_ms} ms");
}

#[test]
fn the_disk_keeps_as_much_and_as_long_as_the_settings_say() {
    let house = house_of(100);
    let first = |variables: &[(&str, &str)]| {
        let server = with(&house, variables);
        let status = server.get("/api/v1/contracts?limit=5").header("cache-status").to_owned();
        // It is put there behind the answer.
        std::thread::sleep(Duration::from_millis(500));
        status
    };
    assert!(first(&[]).contains("miss"));
    assert!(first(&[]).contains("hit"), "taken over from the disk");
    std::thread::sleep(Duration::from_millis(1_000));
    assert!(first(&[("CIDADAO_CACHE_L3_TTL_S", "1")]).contains("miss"), "its second is over");

    let held = |variables: &[(&str, &str)]| {
        let server = with(&house, variables);
        for n in 0..500 {
            let path = format!("/api/v1/contracts?limit=100&value_max={}", 100_000 + n);
            assert_eq!(server.get(&path).status, 200);
        }
        std::thread::sleep(Duration::from_millis(500));
        figure(&server, "cidadao_ai_cache_bytes{cache=\"responses\",tier=\"l3\"}")
    };
    let few = held(&[("CIDADAO_CACHE_L3_MIB", "1")]);
    assert!(few > 0.0 && few <= 1_048_576.0, "{few} bytes");
    let usual = held(&[]);
    assert!(usual > 1_048_576.0, "{usual} bytes");
}

#[test]
fn a_source_is_asked_over_as_many_connections_and_with_as_much_patience_as_the_settings_say() {
    let sync = |late_ms: u64, variables: &[(&str, &str)]| {
        let house = House::new();
        let origin = Origin::start(move |target, before| {
            if !target.starts_with("/v1/contratos?") {
                return Reply::Late(Duration::from_millis(60), Box::new(Reply::status(204)));
            }
            let page = json!({"data": [pncp_contract(1, "2025-06-24T00:30:04", 1_000.0)], "totalRegistros": 1,
                "totalPaginas": 1, "numeroPagina": 1, "paginasRestantes": 0, "empty": false});
            let late = if before == 0 { late_ms } else { 0 };
            Reply::Late(Duration::from_millis(late), Box::new(Reply::json(page.to_string())))
        });
        let program = house
            .program()
            .args(["sync", "pncp", "--json", "--from", "2025-06-01", "--to", "2025-06-30"])
            .env("CIDADAO_PNCP_SERVICE", origin.url())
            .env("CIDADAO_OUTBOUND_RATE_PER_S", "1000");
        let report =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run().ends_with(0);
        (origin.open_most(), report.json()["requests"]["again"].as_u64().unwrap())
    };
    let (usual, again) = sync(1_300, &[]);
    assert!(usual > 1 && usual <= 4 && again == 0, "{usual} at once, {again} again");
    let (one, _) = sync(0, &[("CIDADAO_OUTBOUND_PER_ORIGIN", "1")]);
    assert_eq!(one, 1, "per_origin");
    let (one, _) = sync(0, &[("CIDADAO_OUTBOUND_CONNECTIONS_MAX", "1")]);
    assert_eq!(one, 1, "connections_max");
    let (_, again) = sync(1_300, &[("CIDADAO_OUTBOUND_TIMEOUT_S", "1"), ("CIDADAO_OUTBOUND_PER_ORIGIN", "1")]);
    assert!(again >= 1, "an attempt of a second was given up");
}

/// Judges everything again; gives how that ended, and the most threads that it had.
fn judge(house: &House, variables: &[(&str, &str)]) -> (testkit::Run, usize) {
    let program = variables.iter().fold(house.program(), |program, (name, value)| program.env(name, value));
    let mut command = program.args(["flags", "run", "--json"]).into_command();
    let errors = house.root().join("judge.stderr");
    command.stdout(std::process::Stdio::null()).stderr(std::fs::File::create(&errors).unwrap());
    let mut child = command.spawn().unwrap();
    let tasks = format!("/proc/{}/task", child.id());
    let mut threads = 0;
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        threads = threads.max(std::fs::read_dir(&tasks).map_or(0, Iterator::count));
        std::thread::sleep(Duration::from_millis(2));
    };
    let stderr = std::fs::read_to_string(errors).unwrap();
    (testkit::Run { code, stdout: String::new(), stderr }, threads)
}

#[test]
fn flags_are_judged_with_as_much_memory_and_as_many_threads_as_the_settings_say() {
    let house = judged_house();
    let again = "judged again with more memory";
    let (usual, _) = judge(&house, &[]);
    assert!(!usual.ends_with(0).stderr.contains(again));
    let small = ("CIDADAO_ANALYSIS_MEMORY_MIB", "64");
    let (grown, _) = judge(&house, &[small]);
    assert!(grown.ends_with(0).stderr.contains(again));
    let (bounded, _) = judge(&house, &[small, ("CIDADAO_ANALYSIS_MEMORY_MAX_MIB", "64")]);
    assert!(!bounded.ends_with(1).stderr.contains(again), "it may not have more");
    let threads = |n: &str| judge(&house, &[("CIDADAO_ANALYSIS_THREADS", n)]).1;
    let (one, twelve) = (threads("1"), threads("12"));
    assert!(twelve >= one + 8, "{one} threads, {twelve}");
}

/// A language model that answers late, with what it was asked.
struct Model {
    url: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Model {
    fn start(late: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // By this name, so that it is not taken for the server's own address in the log.
        let url = format!("http://localhost:{}/v1", listener.local_addr().unwrap().port());
        let asked = Arc::default();
        let seen: Arc<Mutex<Vec<Value>>> = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                let _ = reader.read_exact(&mut body);
                seen.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                std::thread::sleep(late);
                let said = json!({"choices": [{"delta": {"content": json!({"text": "Há contratos."}).to_string()}}]});
                let used = json!({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 20}});
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {said}\n\ndata: {used}\n\ndata: [DONE]\n\n"
                );
            }
        });
        Self { url, asked }
    }
}

#[test]
fn a_model_is_asked_as_long_and_for_as_much_as_the_settings_say() {
    let house = judged_house();
    let ask = |model: &Model, variables: &[(&str, &str)]| {
        let providers = format!(
            "[{{dialect = \"openai\", base_url = \"{}\", model = \"m\", cents_per_million_in = 1000000, cents_per_million_out = 1000000}}]",
            model.url
        );
        let server = with(&house, &[&[("CIDADAO_LLM_PROVIDERS", providers.as_str())], variables].concat());
        let answer = server.post("/api/v1/ask", &json!({"question": "Quanto foi gasto em SP em 2025?"}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        // Its log comes over a pipe of its own.
        std::thread::sleep(Duration::from_millis(200));
        let (asked, log) = (model.asked.lock().unwrap().clone(), server.log());
        (asked, log)
    };
    let plenty = [("CIDADAO_LLM_CENTS_PER_DAY", "1000000000")];
    let (asked, log) = ask(&Model::start(Duration::ZERO), &plenty);
    assert_eq!((asked.len(), &asked[0]["max_tokens"]), (1, &json!(800)), "{asked:?} {log}");
    let fewer = [plenty[0], ("CIDADAO_LLM_TOKENS_MAX", "64")];
    assert_eq!(ask(&Model::start(Duration::ZERO), &fewer).0[0]["max_tokens"], 64);
    for (name, value) in [("CIDADAO_LLM_TOKENS_PER_DAY", "10"), ("CIDADAO_LLM_CENTS_PER_DAY", "1")] {
        let (asked, log) = ask(&Model::start(Duration::ZERO), &[plenty[0], (name, value)]);
        assert!(asked.is_empty() && log.contains("budget"), "{name}: {asked:?} {log}");
    }
    let slow = Duration::from_millis(1_000);
    let late = "no answer in the time given";
    assert!(!ask(&Model::start(slow), &plenty).1.contains(late));
    let (asked, log) = ask(&Model::start(slow), &[plenty[0], ("CIDADAO_LLM_TIMEOUT_MS", "200")]);
    assert!(asked.len() == 1 && log.contains(late), "{log}");
}
