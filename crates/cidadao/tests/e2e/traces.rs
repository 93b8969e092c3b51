//! Traces and the log, from outside: what answers, lines and a collector say of a request, and of what it asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{House, PostgresServer, Program, Recorder, RedisServer, Server};

use super::investigations::{DAY, ended};
use super::short_sample;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const RECORDED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNRECORDED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn small_house() -> House {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 100, 7)]).ends_with(3);
    house
}

/// With its log in JSON, down to this level.
fn telling(program: Program, filter: &str) -> Program {
    program.env("CIDADAO_LOG_FORMAT", "json").env("CIDADAO_LOG_FILTER", filter)
}

/// One that sends every span to a collector.
fn recorded(program: Program, collector: &Recorder) -> Program {
    let endpoint = format!("{}/v1/traces", collector.url());
    program.env("CIDADAO_TELEMETRY_ENDPOINT", endpoint).env("CIDADAO_TELEMETRY_RECORDED_PER_S", "100000")
}

/// The lines of a log that are JSON.
fn lines(log: &str) -> Vec<Value> {
    log.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a server has told, once it tells nothing more: its lines come a moment after its answers.
fn told_by(server: &Server) -> Vec<Value> {
    let mut log = String::new();
    until("it is silent", || {
        std::thread::sleep(Duration::from_millis(200));
        let before = std::mem::replace(&mut log, server.log());
        log == before
    });
    lines(&log)
}

fn with_message<'a>(lines: &'a [Value], message: &'a str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| line["fields"]["message"] == message)
}

/// A worker whose log is heard; killed when dropped.
struct Worker {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Worker {
    fn start(program: Program) -> Self {
        let mut command = program.args(["serve", "--roles", "worker"]).into_command();
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (lines, log) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::<Mutex<String>>::default());
        let heard = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *heard.lock().unwrap() += &format!("{line}\n");
            }
        });
        Self { child, log }
    }

    fn lines(&self) -> Vec<Value> {
        lines(&self.log.lock().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_answer_says_in_which_trace_it_was_made_and_lines_say_it_too() {
    let house = small_house();
    let server = Server::start(telling(house.program(), "debug"));
    let path = "/api/v1/contracts?limit=3";
    // Made, then out of memory.
    for _ in 0..2 {
        for (sent, flag) in [(RECORDED, "01"), (UNRECORDED, "00")] {
            let answer = server.get_with(path, &[("traceparent", sent), ("x-request-id", "meu-pedido")]);
            let said: Vec<&str> = answer.header("traceresponse").split('-').collect();
            assert_eq!((answer.status, said.len(), said[0], said[1], said[3]), (200, 4, "00", TRACE, flag));
            assert_ne!(said[2], "00f067aa0ba902b7", "a span of its own");
        }
    }
    // What is malformed, or said twice, is no trace: a new one begins.
    let malformed = format!("{RECORDED}-more");
    for headers in [vec![malformed.as_str()], vec![RECORDED, UNRECORDED], vec![]] {
        let headers: Vec<(&str, &str)> = headers.into_iter().map(|sent| ("traceparent", sent)).collect();
        let answer = server.get_with("/api/v1/suppliers?limit=2&sort=name", &headers);
        assert!(!answer.header("traceresponse").contains(TRACE), "{:?}", answer.headers);
        let made = server.get_with("/health/ready", &headers);
        let said: Vec<String> = made.header("traceresponse").split('-').map(str::to_owned).collect();
        assert_eq!((said[1].len(), said[2].len(), said[3].as_str()), (32, 16, "00"), "nothing is recorded by default");
        assert_ne!(said[1], TRACE);
    }
    let told = told_by(&server);
    let mine: Vec<&Value> = told.iter().filter(|line| line["trace_id"] == TRACE).collect();
    assert!(with_message(&told, "answered").any(|line| line["trace_id"] == TRACE), "{told:#?}");
    assert!(mine.iter().all(|line| line["request_id"] == "meu-pedido"), "{mine:#?}");
    let route = &with_message(&told, "answered").find(|line| line["trace_id"] == TRACE).unwrap()["fields"]["route"];
    assert_eq!(route, "/api/v1/contracts");
    // For people the same, on one line.
    let server = Server::start(house.program().env("CIDADAO_LOG_FILTER", "debug"));
    let _ = server.get_with(path, &[("traceparent", RECORDED), ("x-request-id", "meu-pedido")]);
    let line = format!("trace_id={TRACE} request_id=meu-pedido");
    until("the line is there", || server.log().lines().any(|l| l.contains(" answered ") && l.ends_with(&line)));
}

#[test]
fn nothing_that_names_a_person_or_opens_something_is_in_the_log_at_any_level() {
    let secrets = [
        "52998224725",
        "529.982.247-25",
        "fulana@exemplo.org",
        "segredo-da-fulana",
        "chave-da-fulana",
        "ficha-da-fulana",
        "FULANA DE EXEMPLO",
        "Fulana%20de%20Exemplo",
        "(11) 98765-4321",
    ];
    let postgres = PostgresServer::shared().database();
    for house in [House::new(), House::on(&postgres)] {
        let key = house.json(&["keys", "create"])["key"].as_str().unwrap().to_owned();
        // Every statement is slow, and every request.
        let program = telling(house.program(), "trace")
            .env("CIDADAO_DATABASE_SLOW_QUERY_MS", "0")
            .env("CIDADAO_HTTP_SLOW_REQUEST_MS", "0");
        let server = Server::start(program);
        let bearer = ("authorization", "Bearer ficha-da-fulana");
        let _ = server.get_with("/api/v1/contracts?q=Fulana%20de%20Exemplo+529.982.247-25", &[("x-api-key", &key)]);
        let _ = server.get_with("/api/v1/suppliers?q=fulana@exemplo.org", &[("x-api-key", "chave-da-fulana")]);
        let _ =
            server.get_with("/api/v1/suppliers/cpf:52998224725", &[("cookie", "session=segredo-da-fulana"), bearer]);
        let _ =
            server.get_with("/api/v1/contracts?cursor=52998224725&limit=x", &[("x-request-id", "fulana@exemplo.org")]);
        let _ =
            server.post("/api/v1/auth/login", &json!({"name": "fulana@exemplo.org", "password": "segredo-da-fulana"}));
        let question = "contratos de FULANA DE EXEMPLO, CPF 529.982.247-25, telefone (11) 98765-4321";
        let _ = server.post("/api/v1/ask", &json!({"question": question}));
        let _ = server.post("/api/v1/investigations", &json!({"question": question}));
        let query = "{ contracts(q: \"FULANA DE EXEMPLO 52998224725\") { edges { node { id } } } }";
        let _ = server.post("/graphql", &json!({"query": query}));
        let _ = server.post_bytes("/api/v1/ask", b"{\"question\": \"52998224725 FULANA DE EXEMPLO", &[]);
        std::thread::sleep(Duration::from_millis(300));
        let log = server.log();
        assert!(lines(&log).len() > 30, "it tells much");
        for secret in secrets.into_iter().chain([key.as_str()]) {
            let line = log.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
            assert_eq!(line, None, "{secret}");
        }
        let told = lines(&log);
        for message in ["slow request", "answered"] {
            for line in with_message(&told, message) {
                assert!(line["request_id"].is_string() && line["trace_id"].is_string(), "{line}");
            }
        }
    }
}

#[test]
fn a_slow_request_is_a_line_that_says_on_what_its_time_went() {
    let house = small_house();
    let server = Server::start(telling(house.program(), "info").env("CIDADAO_HTTP_SLOW_REQUEST_MS", "0"));
    let finding = server.walk("findings", 100)[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/findings/{finding}/evidence");
    let answer = server.get_with(&path, &[("traceparent", UNRECORDED)]);
    assert_eq!(answer.status, 200);
    let mut told = Vec::new();
    until("the line of the request is there", || {
        told = lines(&server.log());
        with_message(&told, "slow request").any(|line| line["trace_id"] == TRACE)
    });
    let line = with_message(&told, "slow request").find(|line| line["trace_id"] == TRACE).unwrap();
    let fields = &line["fields"];
    assert_eq!(
        (&line["level"], &fields["route"], &fields["status"]),
        (&json!("WARN"), &json!("/api/v1/findings/{id}/evidence"), &json!(200))
    );
    assert_eq!(line["request_id"], answer.header("x-request-id"));
    let ms = |name: &str| fields[name].as_f64().unwrap();
    let parts = ms("queue_ms") + ms("database_ms") + ms("encoding_ms");
    assert!(ms("database_ms") > 0.0 && ms("encoding_ms") > 0.0 && parts <= ms("took_ms"), "{fields}");
    let patient = Server::start(telling(house.program(), "info").env("CIDADAO_HTTP_SLOW_REQUEST_MS", "300000"));
    assert_eq!(patient.get(&path).status, 200);
    assert_eq!(with_message(&told_by(&patient), "slow request").count(), 0);
    let refused = house.program().env("CIDADAO_HTTP_SLOW_REQUEST_MS", "300001").arg("doctor").run().ends_with(2);
    assert!(refused.stderr.contains("http.slow_request_ms"), "{}", refused.stderr);
}

/// The trace of a request that asks for an investigation goes on in another process, which works it off.
fn goes_on_in_a_worker(house: &House) {
    let source = Recorder::start(|_| 204);
    let program = || {
        telling(house.program(), "debug").env("CIDADAO_AGENTS_FETCH", "true").env("CIDADAO_PNCP_SERVICE", source.url())
    };
    let (api, worker) = (Server::start_as(program(), "api"), Worker::start(program()));
    let asked = |trace: &str, scope: Value| {
        let body = json!({"scope": scope, "flags": ["BR05", "BR06"], "as_of": DAY});
        let sent = UNRECORDED.replace(TRACE, trace);
        let answer = api.post_with("/api/v1/investigations", &body, &[("traceparent", &sent)]);
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let other = TRACE.replace('4', "5");
    // The second asks for days that nobody holds, which are fetched.
    let ids = [asked(TRACE, json!({})), asked(&other, json!({"from": "2011-03-01", "to": "2011-03-02"}))];
    for id in &ids {
        assert_eq!(ended(&api, id)["status"], "completed");
    }
    until("the worker said all", || {
        let told = worker.lines();
        with_message(&told, "a task ended").filter(|line| line["fields"]["topic"] == "investigations.write").count()
            == 2
    });
    for (trace, id) in [(TRACE, &ids[0]), (other.as_str(), &ids[1])] {
        let told = worker.lines();
        let topics: BTreeSet<&str> = with_message(&told, "a task ended")
            .filter(|line| line["trace_id"] == trace)
            .map(|line| line["fields"]["topic"].as_str().unwrap())
            .collect();
        let judged = if trace == TRACE { "investigations.flag" } else { "investigations.write" };
        for topic in ["investigations.plan", "investigations.write", judged] {
            assert!(topics.contains(topic), "{topic} of {id}: {topics:?}\n{told:#?}");
        }
    }
    let came = source.came();
    assert!(!came.is_empty(), "the source was asked");
    for request in came {
        let said = request.header("traceparent");
        assert!(said.starts_with(&format!("00-{other}-")) && said.ends_with("-00"), "{said}");
        assert_eq!(request.header("tracestate"), "");
    }
}

#[test]
fn the_trace_of_who_asked_goes_on_in_another_process_over_the_database() {
    goes_on_in_a_worker(&small_house());
}

#[test]
fn the_trace_of_who_asked_goes_on_in_another_process_over_redis() {
    let redis = RedisServer::start();
    goes_on_in_a_worker(&small_house().with("REDIS_URL", &redis.url()));
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let told = span["attributes"].as_array().unwrap().iter().find(|told| told["key"] == key);
    told.map_or(&Value::Null, |told| &told["value"])
}

#[test]
fn spans_reach_a_collector_whole_and_belong_together() {
    let house = small_house();
    // The first batch is refused for a while, and sent again.
    let collector = Recorder::start(|before| if before == 0 { 503 } else { 200 });
    let program = || recorded(telling(house.program(), "info"), &collector).env("CIDADAO_TELEMETRY_SAMPLE", "0");
    let server = Server::start(program().env("CIDADAO_TELEMETRY_SERVICE", "vigia"));
    for _ in 0..3 {
        let _ = server.get("/api/v1/buyers?limit=2");
    }
    let body = json!({"scope": {}, "flags": ["BR05"], "as_of": DAY});
    let answer = server.post_with("/api/v1/investigations", &body, &[("traceparent", RECORDED)]);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let _ = ended(&server, &id);
    let _ = server.get("/api/v1/buyers?limit=2");
    let hit = server.get_with("/api/v1/buyers?limit=2", &[("traceparent", RECORDED)]);
    until("the collector has them", || {
        let sent = server.metric("cidadao_ai_trace_spans_total{outcome=\"sent\"}");
        collector.spans().iter().any(|span| span["name"] == "investigations.write")
            && collector.spans().iter().filter(|span| span["kind"] == 2).count() >= 2
            && sent > 0.0
    });
    assert_eq!(server.stop(), Some(0), "a stop sends what waits");
    let spans: BTreeMap<String, Value> =
        collector.spans().into_iter().map(|span| (span["spanId"].as_str().unwrap().to_owned(), span)).collect();
    assert!(spans.values().all(|span| span["traceId"] == TRACE), "of others nothing is recorded: {spans:#?}");
    let named =
        |name: &str| spans.values().find(|span| span["name"] == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"));
    let asked = named("POST /api/v1/investigations");
    assert_eq!((&asked["parentSpanId"], &asked["kind"]), (&json!("00f067aa0ba902b7"), &json!(2)));
    assert_eq!(attribute(asked, "http.response.status_code")["intValue"], "202");
    let under = |span: &Value| spans.get(span["parentSpanId"].as_str().unwrap_or_default());
    let mut statements = 0;
    for span in spans.values() {
        // Up to who asked.
        let mut above = span;
        while let Some(next) = under(above) {
            above = next;
        }
        assert_eq!(above["parentSpanId"], "00f067aa0ba902b7", "{span}");
        if span["kind"] == 3 {
            statements += 1;
            assert_eq!(attribute(span, "db.system.name")["stringValue"], "sqlite");
            assert!(under(span).is_some(), "{span}");
        }
    }
    assert!(statements > 5, "{spans:#?}");
    let mut above = named("investigations.plan");
    while above["spanId"] != asked["spanId"] {
        above = under(above).expect("the plan is below who asked");
    }
    assert_eq!(attribute(named("investigations.flag"), "cidadao.task")["stringValue"], format!("{id}/BR05"));
    let hit_span = hit.header("traceresponse").split('-').nth(2).unwrap();
    assert_eq!(
        (&spans[hit_span]["name"], &attribute(&spans[hit_span], "cidadao.cache")["stringValue"]),
        (&json!("GET /api/v1/buyers"), &json!("l1"))
    );
    // OpenTelemetry's own messages read all of it.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/python/otlp.py");
    let mut python = Command::new(testkit::python::program("python"));
    let mut reader = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let bodies: Vec<Vec<u8>> = collector.came().into_iter().map(|came| came.body).collect();
    let mut input = reader.stdin.take().unwrap();
    for body in &bodies {
        input.write_all(body).unwrap();
        input.write_all(b"\n").unwrap();
    }
    drop(input);
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success());
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), collector.spans().len().to_string());
    assert!(bodies.iter().all(|body| String::from_utf8_lossy(body).contains("{\"stringValue\":\"vigia\"}")));
    assert!(collector.came().iter().all(|came| came.target == "/v1/traces" && came.header("traceparent").is_empty()));
}

#[test]
fn the_share_that_is_recorded_is_a_setting_and_so_is_what_a_second_may_take() {
    let house = House::new();
    let collector = Recorder::start(|_| 200);
    let with = |name: &str, value: &str| {
        recorded(house.program(), &collector).env("CIDADAO_TELEMETRY_SAMPLE", "1").env(name, value)
    };
    let ask_often = |server: &Server| (0..200).for_each(|_| drop(server.get("/health/live")));
    let flag = |server: &Server| server.get("/health/live").header("traceresponse").ends_with("-01");
    let all = Server::start(with("CIDADAO_TELEMETRY_RECORDED_PER_S", "100000"));
    assert!(flag(&all), "all are recorded");
    // What we drew ourselves is an example among the metrics too.
    let trace = all.get("/health/live").header("traceresponse").split('-').nth(1).unwrap().to_owned();
    let measured = all.get_with("/metrics", &[("accept", "application/openmetrics-text; version=1.0.0")]).text();
    assert!(measured.contains(&format!("# {{trace_id=\"{trace}\"}}")), "{trace}");
    ask_often(&all);
    until("they were sent", || all.metric("cidadao_ai_trace_spans_total{outcome=\"sent\"}") >= 200.0);
    assert_eq!(all.metric("cidadao_ai_trace_passed_over_total"), 0.0);
    let few = Server::start(with("CIDADAO_TELEMETRY_RECORDED_PER_S", "1"));
    ask_often(&few);
    assert!(few.metric("cidadao_ai_trace_passed_over_total") > 100.0);
    let none = Server::start(with("CIDADAO_TELEMETRY_SAMPLE", "0"));
    ask_often(&none);
    assert!(!flag(&none));
    let sum = |server: &Server| {
        let spans = |what: &str| server.metric(&format!("cidadao_ai_trace_spans_total{what}"));
        spans("_waiting")
            + ["sent", "dropped", "lost"].map(|o| spans(&format!("{{outcome=\"{o}\"}}"))).iter().sum::<f64>()
    };
    assert_eq!(sum(&none), 0.0);
    for (name, value) in [
        ("CIDADAO_TELEMETRY_SAMPLE", "1.5"),
        ("CIDADAO_TELEMETRY_SAMPLE", "muito"),
        ("CIDADAO_TELEMETRY_ENDPOINT", "127.0.0.1:4318"),
        ("CIDADAO_TELEMETRY_RECORDED_PER_S", "0"),
        ("CIDADAO_TELEMETRY_WAITING_MAX", "1"),
        ("CIDADAO_TELEMETRY_SERVICE", ""),
    ] {
        let refused = house.program().env(name, value).arg("doctor").run().ends_with(2);
        let key = name.strip_prefix("CIDADAO_TELEMETRY_").unwrap().to_lowercase();
        assert!(refused.stderr.to_lowercase().contains(&key), "{name}={value}: {}", refused.stderr);
    }
}

#[test]
fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let house = House::new();
    let gone = Recorder::start(|_| 500);
    let program = recorded(house.program(), &gone)
        .env("CIDADAO_TELEMETRY_SAMPLE", "1")
        .env("CIDADAO_TELEMETRY_WAITING_MAX", "64");
    let server = Server::start(program);
    for _ in 0..400 {
        assert_eq!(server.get("/health/live").status, 200);
    }
    let outcome = |outcome: &str| server.metric(&format!("cidadao_ai_trace_spans_total{{outcome=\"{outcome}\"}}"));
    assert!(outcome("dropped") > 0.0, "the queue is bounded");
    assert!(server.metric("cidadao_ai_trace_spans_waiting") <= 64.0);
    until("a batch is given up", || outcome("lost") > 0.0);
    assert_eq!(outcome("sent"), 0.0);
    assert_eq!(server.log().matches("the collector of traces does not take spans").count(), 1, "{}", server.log());
}

/// A house with a table that a search must read much of.
fn asks_slowly(house: &House, has_plan: impl Fn(&str) -> bool) {
    let _ = house.ingest(&[&short_sample(house, 400, 7)]).ends_with(3);
    let slow = |per_min: &str| {
        telling(house.program(), "info")
            .env("CIDADAO_DATABASE_SLOW_QUERY_MS", "0")
            .env("CIDADAO_DATABASE_SLOW_PLANS_PER_MIN", per_min)
            .env("CACHE_STRATEGY", "off")
    };
    let asked = |server: &Server| {
        for n in 1..5 {
            let _ = server
                .get_with(&format!("/api/v1/contracts?q=servi&sort=-value&limit={n}"), &[("traceparent", UNRECORDED)]);
            let _ = server.get_with(&format!("/api/v1/findings?limit={n}"), &[("traceparent", UNRECORDED)]);
            let _ = server.get_with("/api/v1/flags", &[("traceparent", UNRECORDED)]);
        }
        // It is never silent: what it asks by itself is slow too.
        std::thread::sleep(Duration::from_millis(500));
        let told = lines(&server.log());
        let plans = with_message(&told, "slow query").filter(|line| line["fields"]["plan"].is_string()).count();
        let of_mine = |line: &&Value| line["trace_id"] == TRACE || line["fields"]["plan"].is_string();
        (with_message(&told, "slow query").filter(of_mine).cloned().collect::<Vec<_>>(), plans)
    };
    let (told, plans) = asked(&Server::start(slow("3")));
    assert!(told.len() > 3, "{told:#?}");
    assert!((1..=3).contains(&plans), "three a minute: {plans} of {}", told.len());
    for line in &told {
        let fields = &line["fields"];
        assert!(fields["ms"].is_u64() && (line["request_id"].is_string() || fields["plan"].is_string()), "{line}");
        assert!(!fields["sql"].as_str().unwrap().contains("servi"), "values are not told: {line}");
        if let Some(plan) = fields["plan"].as_str() {
            assert!(has_plan(plan) && !plan.contains("servi"), "{plan}");
        }
    }
    let (told, plans) = asked(&Server::start(slow("0")));
    assert!(!told.is_empty() && plans == 0, "{told:#?}");
}

#[test]
fn a_slow_query_is_told_with_sqlites_plan_a_few_times_a_minute() {
    asks_slowly(&House::new(), |plan| plan.contains("SCAN") || plan.contains("SEARCH"));
}

#[test]
fn a_slow_query_is_told_with_postgresqls_plan_a_few_times_a_minute() {
    let house = House::on(&PostgresServer::shared().database());
    asks_slowly(&house, |plan| plan.contains("cost=") && plan.contains("rows="));
}

#[test]
fn a_statement_at_the_server_names_its_trace_and_the_prepared_ones_stay() {
    let postgres = PostgresServer::start_with(&["log_statement=all", "logging_collector=on", "log_filename=all.log"]);
    let house = House::on(&postgres.database());
    let _ = house.ingest(&[&short_sample(&house, 100, 7)]).ends_with(3);
    let collector = Recorder::start(|_| 200);
    let program = recorded(house.program(), &collector)
        .env("CIDADAO_TELEMETRY_SAMPLE", "0")
        .env("DB_POOL_SIZE", "2")
        .env("CACHE_STRATEGY", "off");
    let server = Server::start_as(program, "api");
    let path = "/api/v1/contracts?limit=5";
    // What the server wrote down while this was asked: how statements were executed.
    let asked = |sent: &str| {
        let before = postgres.log().len();
        let shown = server.get_with(path, &[("traceparent", sent)]).json();
        until("it is written down", || postgres.log()[before..].contains("execute "));
        std::thread::sleep(Duration::from_millis(300));
        (shown, postgres.log()[before..].to_owned())
    };
    let (plain, log) = asked(UNRECORDED);
    assert!(log.contains("execute s") && !log.contains("traceparent"), "{log}");
    let (shown, log) = asked(RECORDED);
    assert_eq!(shown, plain, "the same rows");
    let comment = format!("/*traceparent='00-{TRACE}-");
    assert!(log.contains("execute <unnamed>") && log.contains(&comment) && log.contains("-01'*/"), "{log}");
    // Whoever finds it there finds the span with the same id at the collector.
    let span = log.split(&comment).nth(1).unwrap()[..16].to_owned();
    until("the collector has it", || collector.spans().iter().any(|s| s["spanId"] == span.as_str() && s["kind"] == 3));
    let (_, log) = asked(UNRECORDED);
    assert!(log.contains("execute s") && !log.contains("traceparent"), "{log}");
}
