//! The program on PostgreSQL, from outside: the same answers as on SQLite, a server that goes away and comes back, its connections,
//! several processes, and the way there from a file.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::files::{pncp_contract, pncp_page};
use testkit::postgres;
use testkit::{House, PostgresServer, RedisServer, Server};

use super::investigations::{ASK, DAY, ask, ended, follow};
use super::short_sample;

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Without instants and durations, which are of the run that made them.
fn timeless(value: Value) -> Value {
    let is_instant =
        |text: &str| text.len() > 18 && text.as_bytes().get(10) == Some(&b'T') && text.as_bytes()[4] == b'-';
    match value {
        // Each folder signs with a key of its own.
        Value::String(text) if is_instant(&text) || text.contains("(-03:00)") || text.contains("SHA256:") => json!("…"),
        Value::Array(all) => all.into_iter().map(timeless).collect(),
        Value::Object(all) => {
            // Who did it, where and at what cost is of the run too.
            let of_the_run = ["seconds", "next_cursor", "account", "signature", "signed_by"];
            let kept = all.into_iter().filter(|(name, _)| !of_the_run.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name, timeless(value))).collect())
        }
        other => other,
    }
}

/// The same files, one after the other: a sample, then records of which some come corrected, late and twice.
fn filled(house: &House) {
    let sample = short_sample(house, 800, 41);
    let page = |records: &[(u32, &str, f64)]| {
        let all: Vec<Value> = records.iter().map(|(number, at, value)| pncp_contract(*number, at, *value)).collect();
        pncp_page(&all)
    };
    let first = house.file("a.json", page(&[(1, "2026-03-01T10:00:00", 100.0), (2, "2026-03-01T10:00:00", 200.0)]));
    let second = house.file("b.json", page(&[(1, "2026-04-01T10:00:00", 150.0), (3, "2026-03-02T10:00:00", 300.0)]));
    let third = house.file("c.json", page(&[(1, "2026-02-01T10:00:00", 90.0), (3, "2026-03-02T10:00:00", 300.0)]));
    let _ = house.ingest(&[&sample]).ends_with(3);
    for path in [first, second, third] {
        let _ = house.ingest(&[&path]);
    }
}

/// Everything that the doors show of what is held, by its path.
fn shown(house: &House) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for args in
        [&["flags", "coverage"][..], &["sources"], &["entities", "list"], &["quarantine", "list"], &["audit", "verify"]]
    {
        let run = house.program().args(args).arg("--json").run();
        all.push((args.join(" "), serde_json::from_str(&run.stdout).unwrap_or_else(|_| json!(run.stderr))));
    }
    let server = house.serve();
    let lists = [
        "contracts",
        "contracts?sort=value",
        "contracts?sort=-value",
        "contracts?q=aquisicao%20de%20material",
        "contracts?q=servicos&sort=-value",
        "contracts?q=nenhumapalavraassim",
        "contracts?value_min=100000&modality=dispensa",
        "suppliers",
        "suppliers?q=comercio",
        "buyers",
        "buyers?state=SP",
        "buyers?q=municipio&sort=-name",
        "findings",
        "findings?sort=amount",
        "findings?state=withdrawn",
        "tenders",
        "sources",
        "stats/coverage",
    ];
    for list in lists {
        let first = server.get(&format!("/api/v1/{list}"));
        if first.status != 200 || first.json()["page"].is_null() {
            all.push((list.to_owned(), json!([first.status, first.text()])));
            continue;
        }
        let rows = server.walk(list, 37);
        for row in rows.iter().take(6) {
            let kind = list.split('?').next().unwrap();
            if let Some(id) = row["id"].as_str() {
                for more in ["", "/evidence", "/dossier", "/versions"] {
                    let path = format!("{kind}/{}{more}", testkit::server::encoded(id));
                    let answer = server.get(&format!("/api/v1/{path}"));
                    let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
                    all.push((path, json!([answer.status, body])));
                }
            }
        }
        all.push((list.to_owned(), rows.into()));
    }
    let of = server.walk("findings", 100)[0]["id"].as_str().unwrap().to_owned();
    for (verdict, reason) in [("confirmed", "sim"), ("dismissed", "não, é o mesmo lote")] {
        let body = json!({"verdict": verdict, "reason": reason, "who": "Ana"});
        let answer = server.post(&format!("/api/v1/findings/{of}/verdict"), &body);
        all.push((format!("verdict {verdict}"), json!([answer.status, answer.json()])));
    }
    all.push(("dismissed".to_owned(), server.walk("findings?verdict=dismissed", 10).into()));
    let id = ask(&server, &json!({"scope": {"modality": "dispensa"}, "who": "Ana"}));
    let mut investigation = ended(&server, &id);
    investigation["id"] = json!("…");
    all.push(("investigation".to_owned(), investigation));
    all.push(("found".to_owned(), server.walk(&format!("investigations/{id}/findings"), 7).into()));
    all.into_iter().map(|(path, value)| (path, timeless(value))).collect()
}

#[test]
fn what_is_asked_is_answered_the_same_on_both_databases() {
    let (file, server) = (House::new(), House::on(&PostgresServer::shared().database()));
    filled(&file);
    filled(&server);
    assert!(!server.data().join("cidadao.db").exists());
    let told =
        |house: &House, value: Value| Value::String(value.to_string().replace(house.root().to_str().unwrap(), "…"));
    let (wanted, given) = (shown(&file), shown(&server));
    assert_eq!(wanted.len(), given.len());
    for list in ["contracts", "contracts?q=aquisicao%20de%20material", "findings", "suppliers?q=comercio", "found"] {
        let rows = wanted.iter().find(|(path, _)| path == list).map(|(_, rows)| rows.as_array().map_or(0, Vec::len));
        assert!(rows > Some(0), "the sample has too few {list}: {rows:?}");
    }
    for ((path, wanted), (other, given)) in wanted.into_iter().zip(given) {
        assert_eq!(path, other);
        assert_eq!(told(&server, given), told(&file, wanted), "{path}");
    }
}

#[test]
fn a_server_that_goes_away_is_told_and_comes_back_without_a_restart() {
    let mut database = PostgresServer::start();
    let house = House::on(&database.url());
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let server = house.serve();
    let finding = server.walk("findings", 100)[0]["id"].as_str().unwrap().to_owned();
    let verdict = |reason: &str| {
        let body = json!({"verdict": "confirmed", "reason": reason, "who": "Ana"});
        server.post(&format!("/api/v1/findings/{finding}/verdict"), &body)
    };
    assert_eq!(verdict("antes").status, 201);
    assert_eq!(server.get("/health/ready").status, 200);
    database.stop();
    for answer in [verdict("enquanto"), server.post(ASK, &json!({"scope": {}}))] {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
    }
    assert_eq!(server.get("/health/ready").status, 503);
    assert_eq!(server.get("/health/live").status, 200);
    database.go();
    until("it answers again", || server.get("/health/ready").status == 200);
    assert_eq!(verdict("depois").status, 201);
    let history = server.json(&format!("findings/{finding}"))["verdict_history"].clone();
    let reasons: Vec<&str> = history.as_array().unwrap().iter().filter_map(|v| v["reason"].as_str()).collect();
    assert!(reasons.contains(&"antes") && reasons.contains(&"depois") && !reasons.contains(&"enquanto"), "{history}");
}

#[test]
fn twenty_connections_are_kept_and_up_to_thirty_more_closed_when_they_come_back() {
    let url = PostgresServer::shared().database();
    let house = House::on(&url).with("DB_POOL_SIZE", "50");
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let server = house.serve();
    let open = || -> usize {
        let sql =
            "select count(*) from pg_stat_activity where application_name = 'cidadao' and datname = current_database()";
        postgres::ask(&url, sql).trim().parse().unwrap()
    };
    let held = {
        let url = url.clone();
        std::thread::spawn(move || postgres::ask(&url, "begin; lock table contracts; select pg_sleep(4); commit"))
    };
    std::thread::sleep(Duration::from_millis(500));
    let most = std::thread::scope(|scope| {
        let askers: Vec<_> = (0..70)
            .map(|n| {
                let server = &server;
                scope.spawn(move || server.get(&format!("/api/v1/contracts?limit={}", n % 50 + 1)).status)
            })
            .collect();
        let mut most = 0;
        while !held.is_finished() {
            most = most.max(open());
            std::thread::sleep(Duration::from_millis(200));
        }
        for asker in askers {
            let status = asker.join().unwrap();
            assert!([200, 503].contains(&status), "{status}");
        }
        most
    });
    assert!(most > 40 && most <= 50, "{most} connections under load");
    until("only those that are kept are left", || open() == 20);
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("cidadao_ai_database_connections{state=\"idle\"} 20"), "{metrics}");
}

/// A worker; killed when dropped.
struct Worker(Child);

impl Worker {
    fn start(house: &House) -> Self {
        let mut command = house.program().args(["serve", "--roles", "worker"]).into_command();
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that answers and does not work.
fn api_only(house: &House) -> Server {
    Server::start_as(house.program(), "api")
}

#[test]
fn any_number_of_processes_share_the_work_and_one_that_is_killed_is_replaced_by_another() {
    let redis = RedisServer::start();
    let house = House::on(&PostgresServer::shared().database()).with("REDIS_URL", &redis.url());
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    let (first, second) = (api_only(&house), api_only(&house));
    let id = ask(&first, &json!({"scope": {}, "as_of": DAY}));
    std::thread::sleep(Duration::from_millis(700));
    let waiting = second.json(&format!("investigations/{id}"));
    assert_eq!((&waiting["status"], &waiting["phase"]), (&json!("active"), &json!("requested")), "nobody works");
    let workers = [Worker::start(&house), Worker::start(&house)];
    let path = format!("investigations/{id}/events");
    let mut judged = 0;
    let told = second.follow(&path, 0, |event| {
        judged += u32::from(event.kind == "flag_judged");
        judged > 1 && event.kind == "flag_started"
    });
    let [killed, _left] = workers;
    drop(killed);
    let at = Instant::now();
    let seen = told.last().unwrap().id;
    let told = first.follow(&path, seen, |_| false);
    let again = told.iter().any(|event| event.kind == "flag_started" && event.data["attempt"] == 2);
    assert!(told.iter().all(|event| event.kind != "flag_failed"), "{told:#?}");
    println!("a task was taken over: {again}, ended after {:?}", at.elapsed());
    let shown = ended(&second, &id);
    assert_eq!(shown["status"], "completed", "{shown}");
    let events = follow(&first, &id);
    let mut judged: Vec<&str> =
        events.iter().filter(|e| e.kind == "flag_judged").map(|e| e.data["flag"].as_str().unwrap()).collect();
    judged.sort_unstable();
    let flags: Vec<&str> = shown["plan"]["flags"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    assert_eq!(judged, flags, "each flag is judged once");
    // One that is told to stop leaves at once, and what is asked then waits for the next.
    let verified = house.json(&["audit", "verify"]);
    assert_eq!(verified["faults"], json!([]));
}

#[test]
fn questions_go_to_a_replica_that_is_near_enough_and_to_the_primary_when_none_is() {
    let mut primary = PostgresServer::start();
    let house = House::on(&primary.url());
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let mut replica = primary.replica();
    // Answers that are kept ask no database.
    let house = house.with("DATABASE_REPLICA_URLS", &replica.url()).with("CACHE_STRATEGY", "off");
    let server = house.serve();
    let reads = |to: &str, because: &str| -> f64 {
        let name = format!("cidadao_ai_database_reads_total{{because=\"{because}\",to=\"{to}\"}} ");
        let text = server.get("/metrics").text();
        text.lines().find_map(|line| line.strip_prefix(&name)?.trim().parse().ok()).unwrap_or(0.0)
    };
    let finding = server.walk("findings", 100)[0]["id"].as_str().unwrap().to_owned();
    let answered_by = |to: &str, because: &str| {
        let before = reads(to, because);
        // Who is asking a replica in the moment it goes away is told to come again.
        let status = server.get("/api/v1/contracts?limit=7").status;
        assert!([200, 503].contains(&status), "{status}");
        status == 200 && reads(to, because) > before
    };
    until("the replica answers", || answered_by("replica", "near"));
    // Who has just written reads it, every time, though the replica follows as it can.
    for n in 0..20 {
        let body = json!({"verdict": "confirmed", "reason": format!("vez {n}"), "who": "Ana"});
        assert_eq!(server.post(&format!("/api/v1/findings/{finding}/verdict"), &body).status, 201);
        assert_eq!(server.json(&format!("findings/{finding}"))["verdict"]["reason"], format!("vez {n}"));
    }
    assert!(reads("primary", "written") > 0.0);
    until("the replica has it too", || answered_by("replica", "near"));
    // One that stands still while the primary goes on is passed over, and taken again when it has caught up.
    let _ = replica.ask("select pg_wal_replay_pause()");
    let _ = primary.ask("create table moved as select generate_series(1, 1000) as n");
    until("it is too far behind", || answered_by("primary", "behind"));
    let _ = replica.ask("select pg_wal_replay_resume()");
    until("it has caught up", || answered_by("replica", "near"));
    replica.stop();
    until("it is away", || answered_by("primary", "away"));
    replica.go();
    until("it is back", || answered_by("replica", "near"));
    primary.stop();
    assert_eq!(server.get("/api/v1/contracts?limit=7").status, 200, "a replica answers while the primary is away");
    primary.go();
}

#[test]
fn a_file_is_copied_to_a_server_whole_and_only_into_an_empty_one() {
    let file = House::new();
    filled(&file);
    let url = PostgresServer::shared().database();
    let finding = {
        let server = file.serve();
        let finding = server.walk("findings", 100)[0]["id"].as_str().unwrap().to_owned();
        let body = json!({"verdict": "confirmed", "reason": "sim", "who": "Ana"});
        assert_eq!(server.post(&format!("/api/v1/findings/{finding}/verdict"), &body).status, 201);
        finding
    };
    let report = file.json(&["copy", "--to", &url]);
    let tables = report["tables"].as_array().unwrap();
    let rows = |table: &str| tables.iter().find(|t| t["table"] == table).unwrap()["rows"].as_u64().unwrap();
    assert_eq!((rows("events"), rows("verdicts")), (1, 1));
    for table in ["contracts", "suppliers", "findings", "segments"] {
        let held = postgres::ask(&url, &format!("select count(*) from {table}"));
        assert_eq!(held.trim().parse::<u64>().unwrap(), rows(table), "{table}");
        assert!(rows(table) > 0, "{table}");
    }
    let again = file.program().args(["copy", "--to", &url]).run();
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("not empty"), "{}", again.stderr);
    let lists = ["contracts?q=aquisicao", "findings", "suppliers?q=comercio", "buyers"];
    let read = |server: &Server| lists.map(|list| server.walk(list, 50));
    let wanted = read(&file.serve());
    let over = Server::start(file.program().env("DATABASE_URL", &url));
    assert_eq!(read(&over), wanted);
    // New rows are numbered behind those that came.
    let body = json!({"verdict": "dismissed", "reason": "não", "who": "Ana"});
    assert_eq!(over.post(&format!("/api/v1/findings/{finding}/verdict"), &body).status, 201);
    drop(over);
    let verified =
        file.program().env("DATABASE_URL", &url).args(["audit", "verify", "--json"]).run().ends_with(0).json();
    assert_eq!(verified["events"], 2);
}

#[test]
fn a_schema_is_made_at_start_and_a_newer_one_refused() {
    let url = PostgresServer::shared().database();
    let house = House::on(&url);
    let status = |house: &House| house.json(&["migrate", "--status"]);
    let before = status(&house);
    assert_eq!((&before["database"], &before["held"]), (&json!("postgres"), &json!(0)));
    assert_eq!(postgres::ask(&url, "select count(*) from pg_tables where schemaname = 'public'").trim(), "0");
    // Several that start at once make it once.
    let starts: Vec<PathBuf> = (0..4).map(|_| house.data()).collect();
    std::thread::scope(|scope| {
        for _ in &starts {
            scope.spawn(|| house.json(&["sources"]));
        }
    });
    let made = status(&house);
    assert_eq!(made["held"], made["known"]);
    let _ = postgres::ask(&url, "insert into schema_versions (version) values (999)");
    let refused = house.program().args(["sources"]).run();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("newer program"), "{}", refused.stderr);
    let file = House::new();
    assert_eq!(file.json(&["migrate", "--status"])["held"], 0);
    assert_eq!(file.json(&["migrate"])["held"], made["known"]);
}

#[test]
fn what_is_kept_is_given_as_stale_while_the_server_is_away() {
    let mut server = PostgresServer::start();
    let house = House::on(&server.url());
    let _ = house.ingest(&[&short_sample(&house, 200, 41)]).ends_with(3);
    let door = house.serve();
    let list = || door.get("/api/v1/contracts?limit=3");
    let held = list();
    assert_eq!(list().header("cache-status"), "cidadao; hit; detail=l1");
    server.stop();
    until("it is marked", || list().header("cache-status").contains("ttl=-"));
    let stale = list();
    assert_eq!((stale.status, stale.text()), (200, held.text()));
    assert_ne!(stale.header("age"), "");
    assert_eq!(door.get("/api/v1/contracts?limit=4").status, 503);
    server.go();
    until("it is in sight again", || list().header("cache-status") == "cidadao; hit; detail=l1");
}
