//! Investigations from outside: asked for, followed, stopped, killed in the middle and finished by who comes next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, House, Server, Told};

use super::short_sample;

pub(super) const ASK: &str = "/api/v1/investigations";
/// Facts up to this day: every flag is judged anew for it, which takes a while.
pub(super) const DAY: &str = "2026-12-31";

pub(super) fn judged_house() -> House {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    house
}

/// A server whose dead workers' tasks are soon taken over.
fn with_short_leases(house: &House) -> Server {
    // On a busy machine a lease of a second may run out though its worker lives: that must not use up the attempts.
    Server::start(house.program().env("CIDADAO_WORK_LEASE_S", "1").env("CIDADAO_WORK_ATTEMPTS_MAX", "50"))
}

/// A server that gives a task up soon.
fn impatient(house: &House) -> Server {
    Server::start(house.program().env("CIDADAO_WORK_ATTEMPTS_MAX", "2").env("CIDADAO_WORK_BACKOFF_MS", "10"))
}

fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("{ASK}/{id}"));
    id
}

pub(super) fn ask(server: &Server, body: &Value) -> String {
    id_of(&server.post(ASK, body))
}

pub(super) fn follow(server: &Server, id: &str) -> Vec<Told> {
    server.follow(&format!("investigations/{id}/events"), 0, |_| false)
}

pub(super) fn ended(server: &Server, id: &str) -> Value {
    let events = follow(server, id);
    let last = &events.last().unwrap().kind;
    assert!(["completed", "failed", "cancelled"].contains(&last.as_str()), "{last}");
    server.json(&format!("investigations/{id}"))
}

pub(super) fn ids_of(findings: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = findings.iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn kinds(events: &[Told]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

/// The state whose buyers the most findings name.
fn state_with_findings(server: &Server) -> String {
    let of_buyer: BTreeMap<String, Value> = server
        .walk("buyers", 100)
        .into_iter()
        .map(|buyer| (buyer["id"].as_str().unwrap().to_owned(), buyer["state"].clone()))
        .collect();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for finding in server.walk("findings", 100) {
        let state = finding["buyer"]["id"].as_str().and_then(|id| of_buyer.get(id)?.as_str());
        if let Some(state) = state {
            *counts.entry(state.to_owned()).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(_, n)| *n).unwrap().0
}

#[test]
fn an_investigation_of_a_state_finds_what_the_list_of_findings_holds_of_it() {
    let house = judged_house();
    let server = house.serve();
    let state = state_with_findings(&server);
    let buyers = server.walk(&format!("buyers?state={state}"), 100);
    let buyers: BTreeSet<&str> = buyers.iter().map(|buyer| buyer["id"].as_str().unwrap()).collect();
    let mut wanted = Vec::new();
    for flag in server.walk("flags", 100) {
        let code = flag["code"].as_str().unwrap();
        let of_flag = server.walk(&format!("findings?flag={code}"), 100);
        wanted.extend(of_flag.into_iter().filter(|f| f["buyer"]["id"].as_str().is_some_and(|id| buyers.contains(id))));
    }
    assert!(wanted.len() > 1, "the sample has too few");
    let id = ask(&server, &json!({"scope": {"state": state.to_lowercase()}, "who": "Ana"}));
    let events = follow(&server, &id);
    let told = kinds(&events);
    assert_eq!(
        (told[0], told[1], told[told.len() - 2], told[told.len() - 1]),
        ("requested", "planned", "writing", "completed")
    );
    assert!(events.iter().zip(1..).all(|(event, n)| event.id == n), "numbered without a gap");
    let shown = server.json(&format!("investigations/{id}"));
    assert_eq!((&shown["status"], &shown["phase"], &shown["user"]), (&json!("completed"), &Value::Null, &json!("Ana")));
    assert_eq!(shown["findings_total"], wanted.len());
    assert_eq!(shown["progress"]["done"], shown["progress"]["total"]);
    let found = server.walk(&format!("investigations/{id}/findings"), 7);
    assert_eq!(ids_of(&found), ids_of(&wanted));
    assert!(found.iter().all(|finding| finding["changed_since_attached"] == false));
}

#[test]
fn each_filter_narrows_as_it_says() {
    let house = judged_house();
    let server = house.serve();
    let all = server.walk("findings?flag=BR05", 100);
    let one = &all[0];
    let (buyer, day) = (one["buyer"]["id"].as_str().unwrap(), one["as_of"].as_str().unwrap());
    let amount = |finding: &Value| finding["amount"].as_str().unwrap().parse::<f64>().unwrap();
    let least = amount(one);
    let contract =
        server.json(&format!("contracts/{}", testkit::server::encoded(one["contract_ids"][0].as_str().unwrap())));
    let object: Vec<&str> = contract["object"].as_str().unwrap().split_whitespace().take(6).collect();
    let object = object.join(" ");
    let finds = |scope: Value| {
        let id = ask(&server, &json!({"scope": scope, "flags": ["BR05"]}));
        let shown = ended(&server, &id);
        assert_eq!(shown["coverage"].as_array().unwrap().len(), 1);
        ids_of(&server.walk(&format!("investigations/{id}/findings"), 100))
    };
    let of = |keep: &dyn Fn(&Value) -> bool| ids_of(&all.iter().filter(|f| keep(f)).cloned().collect::<Vec<_>>());
    assert_eq!(finds(json!({"buyers": [buyer]})), of(&|f| f["buyer"]["id"] == buyer));
    assert_eq!(finds(json!({"from": day, "to": day})), of(&|f| f["as_of"] == day));
    assert_eq!(finds(json!({"value_min": one["amount"]})), of(&|f| amount(f) >= least));
    let by_words = finds(json!({"q": object}));
    assert!(by_words.contains(&one["id"].as_str().unwrap().to_owned()), "{by_words:?}");
    assert!(finds(json!({"modality": "leilao"})).is_empty());
    for (scope, field) in [
        (json!({"buyers": ["uasg:nope"]}), "scope.buyers"),
        (json!({"municipality": "Lugar Nenhum"}), "scope.municipality"),
        (json!({"state": "XX"}), "state"),
        (json!({"value_min": "1e3"}), "scope.value_min"),
        (json!({"from": "2025-01-01", "to": "2024-01-01"}), "scope.from"),
        (json!({"nope": 1}), "body"),
    ] {
        let refused = server.post(ASK, &json!({"scope": scope}));
        assert_eq!((refused.status, refused.json()["field"].as_str()), (400, Some(field)), "{}", refused.text());
    }
    assert_eq!(server.post(ASK, &json!({"flags": ["BR99"]})).json()["field"], "flags");
}

#[test]
fn a_question_becomes_filters_and_says_what_it_did_not_understand() {
    let house = judged_house();
    let server = house.serve();
    let question = "Quais dispensas acima de R$ 50 mil em SP, de 2024 a 2025, com sobrepreço e quimbembeque?";
    let asked = server.post(ASK, &json!({"question": question})).json();
    assert_eq!(
        asked["scope"],
        json!({"state": "SP", "from": "2024-01-01", "to": "2025-12-31", "value_min": "50000.0000", "modality": "dispensa"})
    );
    assert_eq!((&asked["flags"], &asked["not_understood"]), (&json!(["BR05"]), &json!(["quimbembeque"])));
    // Many places have a fund of this name: with its place it is one, without it nobody can say which.
    let funds = server.walk("buyers", 100);
    let fund = funds.iter().find(|b| b["name"] == "FUNDO MUNICIPAL FICTÍCIO DE SAÚDE").unwrap();
    let (name, place) = (fund["name"].as_str().unwrap(), fund["municipality"].as_str().unwrap());
    let named = server.post(ASK, &json!({"question": format!("contratos de {name} em {place}")})).json();
    assert_eq!(
        (&named["scope"]["buyers"], &named["scope"]["municipality"]),
        (&json!([fund["id"]]), &json!(place)),
        "{named}"
    );
    let several = server.post(ASK, &json!({"question": format!("contratos de {name}")}));
    assert_eq!(several.status, 400);
    assert!(several.json()["detail"].as_str().unwrap().contains(place), "{}", several.text());
    let body = funds.iter().find_map(|b| b["superior_name"].as_str()).unwrap();
    let of_body = server.post(ASK, &json!({"question": format!("contratos do {body}")})).json();
    assert_eq!(of_body["scope"], json!({"bodies": [body]}));
    let nothing = server.post(ASK, &json!({"question": "quimbembeque de zumbaia?"}));
    assert_eq!((nothing.status, nothing.json()["field"].as_str()), (400, Some("question")));
    assert!(nothing.json()["detail"].as_str().unwrap().contains("quimbembeque zumbaia"), "{}", nothing.text());
}

#[test]
fn the_same_key_asks_once_and_refuses_another_body() {
    let house = judged_house();
    let server = house.serve();
    let body = json!({"scope": {"state": "SP"}, "flags": ["BR05"]});
    let key = [("idempotency-key", "pedido-1")];
    let first = server.post_with(ASK, &body, &key);
    let again = server.post_with(ASK, &body, &key);
    assert_eq!(id_of(&first), id_of(&again));
    assert_eq!(first.body, again.body);
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    let other = server.post_with(ASK, &json!({"scope": {"state": "RJ"}}), &key);
    assert_eq!((other.status, other.json()["type"].as_str()), (422, Some("/problems/key-reused")));
    assert_eq!(server.post_with(ASK, &body, &[("idempotency-key", " ")]).status, 400);
    // Ten at once are one.
    let ids: BTreeSet<String> = std::thread::scope(|threads| {
        let asked: Vec<_> = (0..10)
            .map(|_| threads.spawn(|| id_of(&server.post_with(ASK, &body, &[("idempotency-key", "pedido-2")]))))
            .collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 1);
    assert_eq!(server.walk("investigations", 1).len(), 2);
    // A restart does not forget it.
    drop(server);
    assert_eq!(id_of(&house.serve().post_with(ASK, &body, &key)), id_of(&first));
    // A day later it is another request.
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    db.execute("update command_answers set answered_ms = answered_ms - 24 * 60 * 60 * 1000", []).unwrap();
    drop(db);
    assert_ne!(id_of(&house.serve().post_with(ASK, &body, &key)), id_of(&first));
}

#[test]
fn a_stream_goes_on_behind_the_event_that_was_seen() {
    let house = judged_house();
    let server = house.serve();
    let id = ask(&server, &json!({"scope": {}}));
    let whole = follow(&server, &id);
    assert!(whole.len() > 20);
    let path = format!("investigations/{id}/events");
    let seen = whole[whole.len() / 2].id;
    assert_eq!(server.follow(&path, seen, |_| false), whole[whole.len() / 2 + 1..]);
    // Broken off while it runs, and taken up again: nothing twice, nothing missing.
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY, "flags": ["BR01", "BR05", "BR06", "BR19"]}));
    let path = format!("investigations/{id}/events");
    let mut told = server.follow(&path, 0, |event| event.kind == "flag_started");
    let rest = server.follow(&path, told.last().unwrap().id, |_| false);
    told.extend(rest);
    assert_eq!(told, follow(&server, &id));
    let bad = server.get_with(&format!("/api/v1/{path}"), &[("last-event-id", "x")]);
    assert_eq!(bad.status, 400);
}

#[test]
fn a_cancelled_investigation_stops_what_runs_and_what_waits() {
    let house = judged_house();
    let server = house.serve();
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY}));
    let path = format!("investigations/{id}/events");
    let _ = server.follow(&path, 0, |event| event.kind == "flag_judged");
    let before = Instant::now();
    let cancelled = server.post(&format!("{ASK}/{id}/cancel"), &json!({})).json();
    assert_eq!(cancelled["status"], "cancelled");
    let events = follow(&server, &id);
    assert_eq!(events.last().unwrap().kind, "cancelled");
    assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
    let states: BTreeSet<&str> =
        cancelled["coverage"].as_array().unwrap().iter().map(|flag| flag["state"].as_str().unwrap()).collect();
    assert_eq!(states, BTreeSet::from(["cancelled", "judged"]));
    // Whoever was at it is free for the next, and nothing comes after the end.
    let next = ask(&server, &json!({"scope": {}, "flags": ["BR01"]}));
    assert_eq!(ended(&server, &next)["status"], "completed");
    assert_eq!(follow(&server, &id), events);
    assert_eq!(server.post(&format!("{ASK}/{id}/cancel"), &json!({})).json()["version"], cancelled["version"]);
    assert_eq!(server.post(&format!("{ASK}/inv_none/cancel"), &json!({})).status, 404);
    assert_eq!(server.post_with(&format!("{ASK}/{id}/cancel"), &json!({}), &[("origin", "https://a.org")]).status, 403);
    let active = server.walk("investigations?status=active", 100);
    let of_ana = server.walk("investigations?user=Ana", 100);
    assert_eq!((active.len(), of_ana.len(), server.walk("investigations?status=cancelled", 100).len()), (0, 0, 1));
}

/// What all flags find at a moment, without an investigation.
pub(super) fn found_at(house: &House, known_at: &str) -> Vec<String> {
    let report = house.json(&["flags", "run", "--as-of", DAY, "--known-at", known_at]);
    ids_of(report["findings"].as_array().unwrap())
}

#[test]
fn killed_in_the_middle_it_goes_on_and_attaches_each_finding_once() {
    let house = judged_house();
    let mut server = with_short_leases(&house);
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY}));
    let mut before = Vec::new();
    for kill_after in [1, 3, 6] {
        let mut judged = 0;
        let told = server.follow(&format!("investigations/{id}/events"), 0, |event| {
            judged += u32::from(event.kind == "flag_judged");
            judged == kill_after
        });
        assert_eq!(told[..before.len()], before, "what had happened stands");
        before = told;
        // Dropped, it is killed with -9.
        drop(server);
        server = with_short_leases(&house);
    }
    let shown = ended(&server, &id);
    assert_eq!(shown["status"], "completed", "{shown}");
    let events = follow(&server, &id);
    assert_eq!(events[..before.len()], before, "what had happened stands");
    let mut judged: Vec<&str> =
        events.iter().filter(|e| e.kind == "flag_judged").map(|e| e.data["flag"].as_str().unwrap()).collect();
    judged.sort_unstable();
    let flags: Vec<&str> = shown["plan"]["flags"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    assert_eq!(judged, flags, "each flag is judged once");
    let found = ids_of(&server.walk(&format!("investigations/{id}/findings"), 100));
    drop(server);
    assert!(!found.is_empty());
    assert_eq!(found, found_at(&house, shown["plan"]["known_at"].as_str().unwrap()));
}

#[test]
fn a_killed_servers_tasks_are_finished_by_another_beside_it() {
    let house = judged_house();
    let (first, second) = (with_short_leases(&house), with_short_leases(&house));
    let id = ask(
        &first,
        &json!({"scope": {}, "as_of": DAY, "flags": ["BR01", "BR02", "BR05", "BR06", "BR11", "BR19", "BR28"]}),
    );
    let path = format!("investigations/{id}/events");
    let _ = first.follow(&path, 0, |event| event.kind == "flag_started");
    let killed = Instant::now();
    drop(first);
    let shown = ended(&second, &id);
    assert_eq!((&shown["status"], &shown["progress"]["done"]), (&json!("completed"), &json!(7)), "{shown}");
    assert!(killed.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_flag_that_cannot_be_judged_is_named_and_can_be_replayed_from_the_dead_letters() {
    let house = judged_house();
    let segment = house.data_files().into_iter().find(|path| {
        let path = path.to_string_lossy();
        path.contains("/lake/") && path.contains("contracts") && path.ends_with(".parquet")
    });
    let (segment, aside) = (segment.unwrap(), house.root().join("aside.parquet"));
    let server = impatient(&house);
    std::fs::rename(&segment, &aside).unwrap();
    let id = ask(&server, &json!({"scope": {}, "as_of": DAY, "flags": ["BR01", "BR05"]}));
    let shown = ended(&server, &id);
    assert_eq!((&shown["status"], &shown["findings_total"]), (&json!("failed"), &json!(0)));
    for flag in shown["coverage"].as_array().unwrap() {
        assert_eq!((&flag["state"], &flag["attempts"]), (&json!("failed"), &json!(2)), "{flag}");
        assert!(flag["error"].as_str().unwrap().contains(".parquet"), "{flag}");
    }
    let letters = server.walk("admin/dlq", 1);
    let keys: Vec<String> = letters.iter().map(|letter| letter["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(BTreeSet::from_iter(keys), BTreeSet::from([format!("{id}/BR01"), format!("{id}/BR05")]));
    let number = |flag: &str| {
        let letter = letters.iter().find(|letter| letter["body"]["flag"] == flag).unwrap();
        letter["id"].as_i64().unwrap().to_string()
    };

    std::fs::rename(&aside, &segment).unwrap();
    assert_eq!(server.post(&format!("/api/v1/admin/dlq/{}/replay", number("BR05")), &json!({})).status, 200);
    let shown = ended(&server, &id);
    assert_eq!(shown["status"], "completed", "{shown}");
    let failed = shown["summary"]["flags_failed"].as_array().unwrap();
    assert_eq!((failed.len(), &failed[0]["flag"]), (1, &json!("BR01")), "completed, with the failure named");
    assert!(shown["findings_total"].as_i64().unwrap() > 0);

    // The command line sees the same letters, and a running server does what it replays.
    let listed = house.json(&["dlq", "list"]);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let _ = house.program().args(["dlq", "replay", &number("BR01")]).run().ends_with(0);
    let started = Instant::now();
    let shown = loop {
        let shown = server.json(&format!("investigations/{id}"));
        if shown["status"] == "completed" && shown["summary"]["flags_failed"] == json!([]) {
            break shown;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{shown}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(shown["coverage"].as_array().unwrap().iter().all(|flag| flag["state"] == "judged"));
    assert_eq!(house.json(&["dlq", "list"])["data"], json!([]));
    let _ = house.program().args(["dlq", "drop", "999"]).run().ends_with(1);
}

#[test]
fn the_command_line_investigates_and_prints_what_it_found() {
    let house = judged_house();
    let run = house.program().args(["investigate", "--scope", "state=SP", "--flag", "BR01,BR05", "--json"]).run();
    let run = run.ends_with(0);
    let found = run.json();
    assert_eq!(found["status"], "completed");
    assert_eq!(found["findings"].as_array().unwrap().len(), found["findings_total"].as_u64().unwrap() as usize);
    assert!(run.stderr.contains("BR05:") && run.stderr.contains("completed"), "{}", run.stderr);
    let run = house.program().args(["investigate", "sobrepreço em SP com quimbembeque"]).run().ends_with(0);
    assert!(run.stderr.contains("não entendido: quimbembeque"), "{}", run.stderr);
    assert!(run.stdout.contains("não prova de irregularidade"), "{}", run.stdout);
    let _ = house.program().args(["investigate", "--scope", "estado=SP"]).run().ends_with(2);
}
