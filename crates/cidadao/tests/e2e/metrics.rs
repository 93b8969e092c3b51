//! What operators see: metrics as Prometheus and others read them, dashboards that show something, alerts that fire.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::origin::{Origin, Reply};
use testkit::{House, PostgresServer, Prometheus, RedisServer, Server, promtool, python, wire};

use crate::short_sample;

/// The metrics that were agreed to: name, type and labels, a line each.
const AGREED: &str = include_str!("../../../api/metrics.txt");
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Name and type of every metric that was agreed to.
fn agreed() -> BTreeMap<&'static str, &'static str> {
    AGREED
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(n, rest)| (n, rest.split(' ').next().unwrap()))
        .collect()
}

/// Names and types that a text 0.0.4 states.
fn typed(text: &str) -> BTreeMap<String, String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// Asks for this and that, well and badly, until it is told to stop.
fn burden(server: &Server, stop: &AtomicBool) {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    while !stop.load(Ordering::Relaxed) {
        let n = NUMBER.fetch_add(1, Ordering::Relaxed);
        let parent = format!("00-{n:032x}-00f067aa0ba902b7-01");
        for path in
            ["contracts?limit=5", "findings?limit=5", "suppliers?q=de+comercio", "contracts/none", "nothing/at/all"]
        {
            let _ = server.get_with(&format!("/api/v1/{path}"), &[("traceparent", &parent)]);
        }
        let _ = server.get(&format!("/api/v1/contracts?limit=20&value_min={n}"));
        let _ = server.post("/api/v1/batch", &json!({"operations": [{"id": "a", "path": "/api/v1/flags"}]}));
        let _ =
            server.post("/graphql", &json!({"query": "{ contracts(first: 3) { nodes { id supplier { name } } } }"}));
        let _ = server.post("/api/v1/auth/login", &json!({"name": format!("n{n}"), "password": "errada"}));
        // Each is much work.
        if n % 16 == 1 {
            let _ = server.post("/api/v1/investigations", &json!({"question": "contratos de 2025 sem licitação"}));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn promtool_and_the_reference_parser_take_what_an_idle_and_a_busy_server_say() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 100, 51)]).ends_with(3);
    let server = house.serve();
    let agreed = agreed();
    for is_busy in [false, true] {
        if is_busy {
            let stop = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| burden(&server, &stop));
                std::thread::sleep(Duration::from_secs(2));
                stop.store(true, Ordering::Relaxed);
            });
        }
        let plain = server.get("/metrics");
        assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(promtool(&["check", "metrics"], house.root(), &plain.text()), Ok(()), "busy: {is_busy}");
        for (name, kind) in typed(&plain.text()) {
            assert_eq!(agreed.get(name.as_str()).copied(), Some(kind.as_str()), "{name}");
        }
        let open = server.get_with("/metrics", &[("accept", OPENMETRICS)]);
        assert_eq!(open.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let file = house.file("metrics.txt", open.text());
        let parse = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n\
                     families = list(parse(open(sys.argv[1]).read()))\n\
                     [print(f.name, f.type, sum(1 for s in f.samples if s.exemplar)) for f in families]";
        let parsed = Command::new(python::program("python")).args(["-c", parse]).arg(&file).output().unwrap();
        assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
        let said = String::from_utf8_lossy(&parsed.stdout).into_owned();
        let families: Vec<Vec<&str>> = said.lines().map(|line| line.split(' ').collect()).collect();
        assert!(families.len() > 60, "{said}");
        for family in &families {
            let (name, kind) = (family[0], family[1]);
            let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
            assert_eq!(agreed.get(name.as_str()).copied(), Some(kind), "{name}");
        }
        let has_examples = families.iter().any(|family| family[2] != "0");
        assert_eq!(has_examples, is_busy, "{said}");
    }
}

#[test]
fn requests_are_counted_by_template_and_class_and_their_traces_are_examples() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 100, 52)]).ends_with(3);
    let server = house.serve();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let _ = server.get_with("/api/v1/contracts/segredo-42", &[("traceparent", &parent)]);
    // The second is a hit that goes past everything.
    for _ in 0..2 {
        let _ = wire::get(
            &server,
            "/api/v1/flags",
            &[("traceparent", "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
        );
    }
    let unsampled = "00-2af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let _ = server.get_with("/api/v1/sources", &[("traceparent", unsampled)]);
    let text = server.get_with("/metrics", &[("accept", OPENMETRICS)]).text();
    let counted = "_count{method=\"GET\",route=\"/api/v1/contracts/{id}\",status=\"4xx\"} 1.0";
    assert!(text.contains(counted) && !text.contains("segredo-42"), "{text}");
    let example = |route: &str, trace: &str| {
        let of = format!("route=\"{route}\"");
        text.lines().any(|line| line.contains(&of) && line.contains(&format!("# {{trace_id=\"{trace}\"}}")))
    };
    assert!(example("/api/v1/contracts/{id}", trace), "{text}");
    assert!(example("/api/v1/flags", "1af7651916cd43dd8448eb211c80319c"), "{text}");
    assert!(!text.contains("2af7651916cd43dd8448eb211c80319c"), "what is not sampled is no example");
    let _ = server.get("/api/v1/nothing/at/all");
    assert!(server.metric("cidadao_ai_problems_total{type=\"no-such-route\"}") == 1.0);
}

#[test]
fn without_metrics_there_is_nothing_to_scrape() {
    let house = House::new().with("CIDADAO_METRICS_ENABLED", "false");
    let server = house.serve();
    let answer = server.get("/metrics");
    assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"));
    assert_eq!(server.get("/health/live").status, 200);
}

/// The metrics that a question to Prometheus names.
fn named(question: &str) -> BTreeSet<String> {
    let words = question.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    words.filter(|word| word.starts_with("cidadao_ai")).map(str::to_owned).collect()
}

fn dashboards() -> Vec<Value> {
    let files = std::fs::read_dir(repository().join("deploy/grafana")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
}

/// Every question of every panel: dashboard, panel, question.
fn questions(dashboards: &[Value]) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let panels = dashboards.iter().flat_map(|of| of["panels"].as_array().unwrap().iter().map(move |panel| (of, panel)));
    let targets =
        panels.flat_map(|(of, panel)| panel["targets"].as_array().unwrap().iter().map(move |t| (of, panel, t)));
    targets.map(|(of, panel, target)| (text(&of["title"]), text(&panel["title"]), text(&target["expr"]))).collect()
}

#[test]
fn dashboards_and_rules_are_what_their_descriptions_say_and_name_only_what_there_is() {
    let repository = repository();
    let check = Command::new("python3").arg(repository.join("scripts/observability.py")).arg("--check").output();
    let check = check.expect("this test needs Python 3.11: apt-get install python3");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let agreed = agreed();
    let is_agreed = |name: &str| {
        let bare = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        name.contains(':') || agreed.contains_key(name) || agreed.get(bare) == Some(&"histogram")
    };
    let dashboards = dashboards();
    let mut titles: Vec<&str> = dashboards.iter().map(|of| of["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    let five = [
        "API Endpoint Latencies",
        "Agent Pool Metrics",
        "Cache Performance",
        "Database Query Analysis",
        "System Performance Overview",
    ];
    assert_eq!(titles, five);
    for of in &dashboards {
        assert!(of["uid"].is_string() && of["schemaVersion"].as_u64() > Some(30), "{}", of["title"]);
        assert_eq!(of["templating"]["list"][0]["type"], "datasource");
        for panel in of["panels"].as_array().unwrap() {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{}", panel["title"]);
        }
    }
    let rules = std::fs::read_to_string(repository.join("deploy/prometheus/rules.yml")).unwrap();
    let asked =
        questions(&dashboards).into_iter().map(|(.., question)| question).chain(rules.lines().map(str::to_owned));
    let unknown: BTreeSet<String> = asked.flat_map(|q| named(&q)).filter(|name| !is_agreed(name)).collect();
    assert!(unknown.is_empty(), "no metric has these names: {unknown:?}");
}

#[test]
fn every_alert_fires_when_it_should_and_only_then_and_has_a_paragraph_that_says_what_to_do() {
    let folder = repository().join("deploy/prometheus");
    assert_eq!(promtool(&["check", "rules", "rules.yml"], &folder, ""), Ok(()));
    assert_eq!(promtool(&["test", "rules", "rules_test.yml"], &folder, ""), Ok(()));
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let (rules, tests) = (read(folder.join("rules.yml")), read(folder.join("rules_test.yml")));
    let manual = read(repository().join("docs/operations.md"));
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 30, "{alerts:?}");
    for alert in alerts {
        let cases: Vec<&str> = tests.split("alertname: ").filter_map(|rest| rest.strip_prefix(alert)).collect();
        let cases: Vec<&str> = cases.iter().filter_map(|rest| rest.trim_start().lines().next()).collect();
        assert!(cases.iter().any(|case| case.contains("exp_labels")), "{alert}: no test in which it fires");
        assert!(cases.contains(&"exp_alerts: []"), "{alert}: no test in which it does not fire");
        assert!(rules.contains(&format!("docs/operations.md#{}\"", alert.to_lowercase())), "{alert}");
        let paragraph = manual.split_once(&format!("\n#### {alert}\n\n")).map(|(_, rest)| rest.lines().next().unwrap());
        assert!(paragraph.is_some_and(|text| text.len() > 60), "{alert}: no paragraph in docs/operations.md");
    }
}

#[test]
fn every_panel_shows_something_of_servers_under_load() {
    let primary = PostgresServer::start();
    let redis = RedisServer::start();
    let on_server = House::on(&primary.url()).with("REDIS_URL", &redis.url());
    let _ = on_server.ingest(&[&short_sample(&on_server, 200, 53)]).ends_with(3);
    let replica = primary.replica();
    // What a start prints is searched for the server's own address: the model goes by another name.
    let model = Origin::start(|_, _| Reply::status(500));
    let settings = format!(
        "[llm]\nproviders = [{{ dialect = \"openai\", base_url = \"{}\", model = \"m\" }}]\n",
        model.url().replace("127.0.0.1", "localhost")
    );
    let file = on_server.file("c.toml", settings);
    let on_server =
        on_server.with("DATABASE_REPLICA_URLS", &replica.url()).with("CIDADAO_CONFIG", file.to_str().unwrap());
    let in_folder = House::new();
    let _ = in_folder.ingest(&[&short_sample(&in_folder, 200, 54)]).ends_with(3);
    let servers = [on_server.serve(), in_folder.serve()];
    let rules = repository().join("deploy/prometheus/rules.yml");
    let prometheus = Prometheus::scraping(&[servers[0].address(), servers[1].address()], &rules);
    let _ = servers[0].post("/api/v1/ask", &json!({"question": "Quanto foi gasto em 2025?"}));
    let stop = AtomicBool::new(false);
    let mut empty = Vec::new();
    std::thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| burden(server, &stop));
        }
        // Panels fill as figures come; whichever is still empty in the end shows nothing.
        let (began, asked) = (Instant::now(), questions(&dashboards()));
        empty = asked;
        while !empty.is_empty() && began.elapsed() < Duration::from_secs(45) {
            std::thread::sleep(Duration::from_secs(4));
            empty.retain(|(.., question)| prometheus.points(&filled(question), 30) == 0);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let targets = prometheus.ask("targets?state=active");
    assert!(empty.is_empty(), "panels that show nothing: {empty:#?}\n{targets}");
    // The rules are reckoned, and examples can be asked for.
    let groups = prometheus.ask("rules?type=record");
    let healths = groups["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    assert!(healths.clone().count() > 20 && healths.clone().all(|rule| rule["health"] == "ok"), "{groups}");
    for slo in ["latency_p95", "latency_p99", "cache_hits", "database_p90", "memory"] {
        assert!(prometheus.points(&format!("cidadao_ai:slo_bad:ratio_rate5m{{slo=\"{slo}\"}}"), 30) > 0, "{slo}");
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let path = format!("query_exemplars?query=cidadao_ai_request_duration_seconds_bucket&start={}&end={now}", now - 60);
    let exemplars = prometheus.ask(&path);
    assert!(
        exemplars[0]["exemplars"][0]["labels"]["trace_id"].as_str().is_some_and(|id| id.len() == 32),
        "{exemplars}"
    );
}

/// A panel's question with its variables filled in, as Grafana does.
fn filled(question: &str) -> String {
    let filled = question.replace("$__rate_interval", "10s").replace("$job", "cidadao").replace("$instance", ".*");
    let filled = filled.replace("$route", ".*");
    assert!(!filled.contains('$'), "{question}");
    filled
}
