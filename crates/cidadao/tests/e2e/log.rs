//! The log from outside: what was tampered with is named, and what is read of it can be made anew.

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};
use testkit::House;

use super::short_sample;

/// A house with verdicts, investigations and an ingest in its log.
fn busy_house() -> House {
    let house = House::new();
    let files = short_sample(&house, 400, 41);
    let server = house.serve();
    let asked = server.post("/api/v1/admin/ingests", &json!({"paths": [files]}));
    assert_eq!(asked.status, 202, "{}", asked.text());
    let events = server.follow("admin/ingests/1/events", 0, |_| false);
    assert_eq!(events.last().unwrap().kind, "done");
    let findings = server.walk("findings", 100);
    for (n, finding) in findings.iter().take(3).enumerate() {
        let path = format!("/api/v1/findings/{}/verdict", finding["id"].as_str().unwrap());
        for verdict in ["confirmed", "dismissed"].iter().take(n + 1) {
            assert_eq!(server.post(&path, &json!({"verdict": verdict, "reason": "r", "who": "Ana"})).status, 201);
        }
    }
    for body in [json!({"scope": {"state": "SP"}}), json!({"scope": {}, "flags": ["BR05"], "as_of": "2025-06-30"})] {
        let id = server.post("/api/v1/investigations", &body).json()["id"].as_str().unwrap().to_owned();
        let _ = server.follow(&format!("investigations/{id}/events"), 0, |_| false);
    }
    assert_eq!(server.stop(), Some(0));
    house
}

fn database(house: &House) -> Connection {
    Connection::open(house.data().join("cidadao.db")).unwrap()
}

/// Every row of the tables that are made of the log, byte for byte.
fn read_models(house: &House) -> Vec<String> {
    let db = database(house);
    let tables = [
        "verdicts",
        "standing_verdicts",
        "investigations",
        "investigation_flags",
        "investigation_findings",
        "ingest_jobs",
    ];
    let mut rows = Vec::new();
    for table in tables {
        let mut statement = db.prepare(&format!("select * from {table} order by 1, 2")).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        let before = rows.len();
        while let Some(row) = found.next().unwrap() {
            let cells: Vec<String> = (0..columns)
                .map(|n| match row.get_ref(n).unwrap() {
                    ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                    other => format!("{other:?}"),
                })
                .collect();
            rows.push(format!("{table}: {}", cells.join(" | ")));
        }
        assert!(rows.len() > before, "{table} is empty: it shows nothing");
    }
    rows
}

fn faults(house: &House, code: i32) -> Vec<(i64, String)> {
    let report = house.program().args(["audit", "verify", "--json"]).run().ends_with(code).json();
    let faults = report["faults"].as_array().unwrap();
    faults.iter().map(|f| (f["seq"].as_i64().unwrap(), f["kind"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_rebuild_makes_every_read_model_as_it_was() {
    let house = busy_house();
    let before = read_models(&house);
    let said = house.json(&["rebuild"]);
    assert!(said["events"].as_u64().unwrap() > 40, "{said}");
    assert_eq!(read_models(&house), before);
    // Also out of ruins.
    database(&house)
        .execute_batch(
            "delete from standing_verdicts; update verdicts set reason = 'x'; delete from investigations where rid = 1;
             delete from investigation_findings; update ingest_jobs set status = 'queued';",
        )
        .unwrap();
    let _ = house.json(&["rebuild"]);
    assert_eq!(read_models(&house), before);
}

#[test]
fn an_audit_names_the_row_that_was_changed_is_missing_or_swapped() {
    let house = busy_house();
    assert_eq!(faults(&house, 0), []);
    let whole = house.json(&["audit", "verify"]);
    let head = (whole["head"]["seq"].as_i64().unwrap(), whole["head"]["hash"].as_str().unwrap().to_owned());
    let noted = format!("{}:{}", head.0, head.1);
    let _ = house.program().args(["audit", "verify", "--head", &noted]).run().ends_with(0);
    let (changed, kind) = database(&house)
        .query_row("select seq, type from events where type = 'verdict.given' order by seq limit 1", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .unwrap();
    assert_eq!(kind, "verdict.given");
    // Each harm is done to the log as it was, and undone.
    let keep = house.root().join("kept.db");
    let path = house.data().join("cidadao.db");
    std::fs::copy(&path, &keep).unwrap();
    let after = |harm: &str| {
        std::fs::copy(&keep, &path).unwrap();
        database(&house).execute_batch(harm).unwrap();
        faults(&house, 1)
    };
    let of = |seq: i64, kind: &str| vec![(seq, kind.to_owned())];
    let edit = format!("update events set payload = replace(payload, 'Ana', 'Bia') where seq = {changed}");
    assert_eq!(after(&edit), of(changed, "changed"));
    assert_eq!(after(&format!("delete from events where seq = {changed}")), of(changed, "missing"));
    let swap = format!(
        "update events set seq = -1 where seq = {changed}; update events set seq = {changed} where seq = {changed} + 1;
         update events set seq = {changed} + 1 where seq = -1;"
    );
    let swapped = after(&swap);
    assert_eq!(swapped[0], (changed, "out_of_place".to_owned()), "{swapped:?}");
    assert_eq!(after(&format!("delete from events where seq > {}", head.0 - 2)), of(head.0, "cut_off"));
    // Who removes the end and says it was never there is found by a head that was noted elsewhere.
    std::fs::copy(&keep, &path).unwrap();
    database(&house)
        .execute_batch(&format!(
            "delete from events where seq = {}; update meta set value = (select seq || ' ' || hash from events order by seq desc limit 1) where key = 'events_head'",
            head.0
        ))
        .unwrap();
    assert_eq!(faults(&house, 0), []);
    let _ = house.program().args(["audit", "verify", "--head", &noted]).run().ends_with(1);
    // What is not sound is not spread.
    std::fs::copy(&keep, &path).unwrap();
    database(&house).execute_batch(&edit).unwrap();
    let refused = house.program().arg("rebuild").run().ends_with(1);
    assert!(refused.stderr.contains(&format!("event {changed}")), "{}", refused.stderr);
}

#[test]
fn a_verdict_on_what_has_changed_meanwhile_is_refused_and_a_repeated_one_is_given_once() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 400, 41)]).ends_with(3);
    let server = house.serve();
    let id = server.walk("findings", 100)[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/findings/{id}/verdict");
    let given =
        |verdict: &str, seen: i64| json!({"verdict": verdict, "reason": "r", "who": "Ana", "expected_version": seen});
    let first = server.post_with(&path, &given("confirmed", 0), &[("idempotency-key", "v1")]);
    assert_eq!((first.status, &first.json()["version"]), (201, &json!(1)));
    let again = server.post_with(&path, &given("confirmed", 0), &[("idempotency-key", "v1")]);
    assert_eq!((again.status, &again.body), (201, &first.body));
    let late = server.post(&path, &given("dismissed", 0));
    assert_eq!((late.status, late.json()["type"].as_str()), (409, Some("/problems/conflict")));
    assert_eq!(server.post(&path, &given("dismissed", 1)).json()["version"], 2);
    let said: Vec<Value> = server.json(&format!("findings/{id}"))["verdict_history"].as_array().unwrap().clone();
    let said: Vec<_> = said.iter().map(|verdict| (verdict["version"].clone(), verdict["verdict"].clone())).collect();
    assert_eq!(said, [(json!(2), json!("dismissed")), (json!(1), json!("confirmed"))]);
}

#[test]
fn ingests_that_were_asked_for_are_remembered_and_one_whose_server_was_killed_is_interrupted() {
    let house = House::new();
    let files = super::sample(&house, 3_000, 3);
    let body = json!({"paths": [files]});
    {
        let server = house.serve();
        let key = [("idempotency-key", "i1")];
        let asked = server.post_with("/api/v1/admin/ingests", &body, &key);
        assert_eq!((asked.status, asked.header("location")), (202, "/api/v1/admin/ingests/1"));
        assert_eq!(server.post_with("/api/v1/admin/ingests", &body, &key).body, asked.body);
        let _ = server.follow("admin/ingests/1/events", 0, |event| event.kind == "reading");
    }
    let server = house.serve();
    let job = server.json("admin/ingests/1");
    assert_eq!(job["status"], "interrupted", "{job}");
    let asked = server.post("/api/v1/admin/ingests", &body).json();
    assert_eq!(asked["id"], 2);
    let _ = server.follow("admin/ingests/2/events", 0, |_| false);
    let done = server.json("admin/ingests/2");
    assert_eq!(done["status"], "done", "{done}");
    drop(server);
    let server = house.serve();
    assert_eq!(server.json("admin/ingests/2")["report"]["totals"], done["report"]["totals"]);
    assert_eq!(server.json("admin/ingests")["data"].as_array().unwrap().len(), 2);
    assert_eq!(server.follow("admin/ingests/2/events", 0, |_| false).last().unwrap().kind, "done");
    assert_eq!(faults(&house, 0), []);
}

#[test]
fn verdicts_of_a_version_3_folder_enter_the_log_and_come_out_of_it_as_they_were() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 400, 41)]).ends_with(3);
    let ids: Vec<String> = {
        let rows = house.serve().walk("findings", 100);
        rows.iter().take(2).map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    for (id, verdict) in [(&ids[0], "confirmed"), (&ids[1], "dismissed"), (&ids[0], "dismissed")] {
        let _ = house.json(&["flags", "verdict", id, verdict, "--reason", "r", "--who", "Ana"]);
    }
    let verdicts = |house: &House| -> Vec<String> {
        let db = database(house);
        let sql = "select v.id || ' ' || v.finding_id || ' ' || v.verdict || ' ' || v.given_at || ' ' || v.given_on || ' ' || v.version
                       || ' ' || (v.id = s.verdict_id)
                   from verdicts v left join standing_verdicts s on s.finding_id = v.finding_id order by v.id";
        let mut statement = db.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(|row| row.unwrap()).collect()
    };
    let before = verdicts(&house);
    assert_eq!(before.len(), 3);
    database(&house)
        .execute_batch(
            "drop table events; drop table command_answers; drop table outbox_cursors; drop table tasks;
             drop table investigations; drop table investigation_flags; drop table investigation_findings;
             drop table ingest_jobs; delete from meta where key = 'events_head';
             alter table verdicts drop column version; pragma user_version = 3;",
        )
        .unwrap();
    assert_eq!(faults(&house, 0), []);
    assert_eq!(house.json(&["audit", "verify"])["events"], 3);
    assert_eq!(verdicts(&house), before);
    assert_eq!(house.json(&["rebuild"])["events"], 3);
    assert_eq!(verdicts(&house), before);
}
