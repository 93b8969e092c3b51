//! What people say of findings: verdicts and statements, given over loopback and seen by everyone.

use serde_json::{Value, json};
use testkit::page::rendered;
use testkit::server::encoded;
use testkit::{House, Server};

use super::short_sample;

fn judged_house() -> House {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    house
}

fn open_findings(server: &Server, flag: &str) -> Vec<String> {
    let rows = server.walk(&format!("findings?flag={flag}"), 100);
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn give(server: &Server, id: &str, verdict: &str, reason: &str) -> Value {
    let body = json!({"verdict": verdict, "reason": reason, "who": "Ana Auditora"});
    let answer = server.post(&format!("/api/v1/findings/{id}/verdict"), &body);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

#[test]
fn a_later_verdict_replaces_the_earlier_one_and_both_are_seen() {
    let house = judged_house();
    let server = house.serve();
    let id = &open_findings(&server, "BR05")[0];
    let before = server.json(&format!("findings/{id}"));
    assert_eq!((&before["verdict"], &before["verdict_history"]), (&Value::Null, &json!([])));

    give(&server, id, "confirmed", "o preço é mesmo fora do mercado");
    let second = give(&server, id, "dismissed", "a unidade era caixa com 100, CPF 529.982.247-25");
    let after = server.json(&format!("findings/{id}"));
    assert_eq!(after["verdict"], second);
    assert_eq!(after["verdict"]["verdict"], "dismissed");
    assert_eq!(after["verdict"]["reason"], "a unidade era caixa com 100, CPF ***.982.247-**");
    assert_eq!(after["verdict"]["who"], "Ana Auditora");
    assert_eq!(after["verdict"]["given_on"]["measure"], before["measure"]);
    assert_eq!(after["verdict"]["given_on"]["version"], before["version"]);
    assert_eq!(after["verdict"]["changed_since"], json!([]));
    let history = after["verdict_history"].as_array().unwrap();
    let said: Vec<&Value> = history.iter().map(|verdict| &verdict["verdict"]).collect();
    assert_eq!(said, ["dismissed", "confirmed"]);
    // The finding itself is what it was.
    for field in ["measure", "state", "summary", "explanations", "updated_at"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    // Beside its contract it is not told without what became of it.
    let contract = before["contract_ids"][0].as_str().unwrap();
    let contract = server.json(&format!("contracts/{}", encoded(contract)));
    let beside = contract["findings"].as_array().unwrap().iter().find(|f| f["id"] == id.as_str()).unwrap().clone();
    assert_eq!(beside["verdict"], "dismissed");
}

#[test]
fn findings_are_listed_by_verdict_and_each_is_in_one_of_the_three_lists() {
    let house = judged_house();
    let server = house.serve();
    let ids = open_findings(&server, "BR01");
    assert!(ids.len() >= 3, "the sample has too few");
    give(&server, &ids[0], "confirmed", "sim");
    give(&server, &ids[1], "dismissed", "não");
    give(&server, &ids[1], "confirmed", "sim, afinal");
    give(&server, &ids[2], "dismissed", "não");
    let list = |query: &str| -> Vec<String> {
        let rows = server.walk(&format!("findings?{query}"), 7);
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let (confirmed, dismissed, none) = (list("verdict=confirmed"), list("verdict=dismissed"), list("verdict=none"));
    assert_eq!(confirmed, [ids[0].clone(), ids[1].clone()], "gravest first, as without the filter");
    assert_eq!(dismissed, [ids[2].clone()]);
    assert_eq!(list("verdict=confirmed&flag=BR19"), Vec::<String>::new());
    let mut all: Vec<String> = [confirmed, dismissed, none].concat();
    let mut held = list("sort=-gravity");
    all.sort();
    held.sort();
    assert_eq!(all, held);
    assert_eq!(server.get("/api/v1/findings?verdict=maybe").status, 400);
}

#[test]
fn a_flag_says_how_often_its_findings_are_confirmed() {
    let house = judged_house();
    {
        let server = house.serve();
        assert_eq!(server.json("flags/BR01")["precision"], Value::Null);
        let ids = open_findings(&server, "BR01");
        for id in &ids[..2] {
            give(&server, id, "confirmed", "sim");
        }
        give(&server, &ids[2], "dismissed", "não");
        let flag = server.json("flags/BR01");
        // Wilson for 2 of 3: 0.2077 to 0.9385.
        let share = json!({"confirmed": 2, "dismissed": 1, "n": 3, "precision": 0.6667,
            "interval": {"low": 0.2077, "high": 0.9385}});
        for (name, value) in share.as_object().unwrap() {
            assert_eq!(&flag["precision"][name], value, "{name}");
            assert_eq!(&flag["precision"]["by_version"][0][name], value, "{name}");
        }
        assert_eq!(flag["precision"]["by_version"][0]["version"], flag["version"]);
        assert_eq!(server.json("flags/BR19")["precision"], Value::Null);
    }
    let coverage = house.json(&["flags", "coverage"]);
    let of = |code: &str| coverage["flags"].as_array().unwrap().iter().find(|f| f["code"] == code).unwrap().clone();
    assert_eq!(of("BR01")["precision"]["n"], 3);
    assert_eq!(of("BR19")["precision"], Value::Null);
}

#[test]
fn a_verdict_survives_judging_again_and_says_when_the_finding_has_changed() {
    let house = judged_house();
    let id = { open_findings(&house.serve(), "BR05")[0].clone() };
    let given = house.json(&["flags", "verdict", &id, "confirmed", "--reason", "conferido", "--who", "Ana"]);
    assert_eq!(given["verdict"], "confirmed");
    let _ = house.program().args(["flags", "run"]).run().ends_with(0);
    let again = house.json(&["flags", "finding", &id]);
    assert_eq!((&again["verdict"]["verdict"], &again["verdict"]["changed_since"]), (&json!("confirmed"), &json!([])));

    // As another catalogue would leave it: another measure, then withdrawn.
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let mut body: Value = serde_json::from_str(
        &db.query_row("select body from findings where id = ?1", [&id], |row| row.get::<_, String>(0)).unwrap(),
    )
    .unwrap();
    (body["version"], body["measure"]) = (json!(99), json!("1.5"));
    db.execute("update findings set state = 'withdrawn', body = ?1 where id = ?2", [&body.to_string(), &id]).unwrap();
    drop(db);
    let changed = house.json(&["flags", "finding", &id]);
    assert_eq!(changed["verdict"]["verdict"], "confirmed");
    assert_eq!(changed["verdict"]["changed_since"], json!(["version", "state", "measure"]));
    assert_eq!(changed["verdict"]["given_on"]["measure"], again["measure"]);
    let told = house.program().args(["flags", "finding", &id]).run().ends_with(0).stdout;
    for words in ["confirmado por Ana", "mudou depois deste veredito", "Retirado", "não é prova"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn what_cannot_be_a_verdict_is_refused_and_changes_nothing() {
    let house = judged_house();
    let server = house.serve();
    let id = &open_findings(&server, "BR05")[0];
    let path = format!("/api/v1/findings/{id}/verdict");
    let good = json!({"verdict": "confirmed", "reason": "sim", "who": "Ana"});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (body, why) in [
        (with("verdict", json!("perhaps")), "no such verdict"),
        (with("reason", json!(" \u{200b}\n")), "a reason that cannot be seen"),
        (with("reason", json!("x".repeat(2_001))), "too long"),
        (with("who", json!("")), "nobody"),
        (with("who", json!("x".repeat(201))), "a name that is too long"),
        (with("when", json!("2020-01-01")), "an unknown field"),
        (json!({"verdict": "confirmed", "who": "Ana"}), "no reason"),
        (json!([]), "not an object"),
    ] {
        let answer = server.post(&path, &body);
        assert_eq!(answer.status, 400, "{why}: {}", answer.text());
    }
    assert_eq!(server.post("/api/v1/findings/fnd_none/verdict", &good).status, 404);
    for header in [("host", "example.org"), ("origin", "https://example.org")] {
        assert_eq!(server.post_with(&path, &good, &[header]).status, 403, "{header:?}");
    }
    assert_eq!(server.json(&format!("findings/{id}"))["verdict_history"], json!([]));
    assert_eq!(server.post(&path, &with("reason", json!("x".repeat(2_000)))).status, 201);
}

#[test]
fn a_statement_stands_beside_the_finding_until_its_author_withdraws_it() {
    let house = judged_house();
    let server = house.serve();
    let id = &open_findings(&server, "BR05")[0];
    let path = format!("/api/v1/findings/{id}/statements");
    let text = "<script>alert(1)</script> Eu, CPF 52998224725,\ncompro caixas\u{1b}[31m.";
    let body = json!({"who": "Fornecedora Fictícia", "text": text, "contact": "juridico@ficticia.example"});
    let made = server.post(&path, &body);
    assert_eq!(made.status, 201, "{}", made.text());
    let number = made.json()["id"].as_i64().unwrap();
    let finding = server.get(&format!("/api/v1/findings/{id}"));
    let shown = &finding.json()["statements"][0];
    assert_eq!(shown["text"], "<script>alert(1)</script> Eu, CPF ***982247**,\ncompro caixas[31m.");
    assert_eq!((&shown["who"], &shown["state"]), (&json!("Fornecedora Fictícia"), &json!("standing")));
    let told = house.program().args(["flags", "finding", id]).run().ends_with(0).stdout;
    assert!(told.contains("Manifestação de Fornecedora Fictícia") && told.contains("compro caixas"), "{told}");
    for seen in [made.text(), finding.text(), told] {
        assert!(!seen.contains("juridico@") && !seen.contains("52998224725"), "{seen}");
    }

    let withdraw = format!("/api/v1/statements/{number}/withdraw");
    assert_eq!(server.post(&withdraw, &json!({"who": "Outra Pessoa"})).status, 400, "not its author");
    assert_eq!(server.post("/api/v1/statements/999/withdraw", &json!({"who": "Fornecedora Fictícia"})).status, 404);
    let author = json!({"who": "Fornecedora Fictícia", "reason": "resolvido"});
    assert_eq!(server.post_with(&withdraw, &author, &[("host", "example.org")]).status, 403);
    assert_eq!(server.post(&withdraw, &author).status, 200);
    let shown = server.json(&format!("findings/{id}"))["statements"][0].clone();
    assert_eq!((&shown["state"], &shown["text"]), (&json!("withdrawn"), &Value::Null));
    assert_eq!(shown["withdrawn_because"], "resolvido");
    assert!(shown["withdrawn_at"].is_string());
    // Once more changes nothing.
    assert_eq!(server.post(&withdraw, &json!({"who": "Fornecedora Fictícia"})).status, 200);
    assert_eq!(server.json(&format!("findings/{id}"))["statements"][0], shown);
}

#[test]
fn the_page_shows_statements_and_verdicts_as_plain_text() {
    let house = judged_house();
    let server = house.serve();
    let id = &open_findings(&server, "BR05")[0];
    let said = json!({"who": "Fornecedora Fictícia", "text": "<img src=x onerror=alert(1)> compro em caixas"});
    assert_eq!(server.post(&format!("/api/v1/findings/{id}/statements"), &said).status, 201);
    give(&server, id, "dismissed", "<b>conferido</b> na nota");
    let page = rendered(&format!("{}/achados/{id}", server.address()));
    for shown in [
        "&lt;img src=x onerror=alert(1)&gt; compro em caixas",
        "Fornecedora Fictícia",
        "&lt;b&gt;conferido&lt;/b&gt; na nota",
    ] {
        assert!(page.contains(shown), "{shown} is not shown");
    }
    assert!(!page.contains("<img src=x") && !page.contains("<b>conferido"), "a text became markup");
}

#[test]
fn what_cannot_be_a_statement_is_refused() {
    let house = judged_house();
    let server = house.serve();
    let id = &open_findings(&server, "BR05")[0];
    let path = format!("/api/v1/findings/{id}/statements");
    for (body, why) in [
        (json!({"who": "A", "text": ""}), "no text"),
        (json!({"who": "A", "text": "x".repeat(5_001)}), "too long"),
        (json!({"who": "", "text": "x"}), "nobody"),
        (json!({"who": "A", "text": "x", "contact": "x".repeat(201)}), "a contact that is too long"),
        (json!({"who": "A", "text": "x", "html": "<b>"}), "an unknown field"),
    ] {
        assert_eq!(server.post(&path, &body).status, 400, "{why}");
    }
    let good = json!({"who": "A", "text": "x"});
    assert_eq!(server.post("/api/v1/findings/fnd_none/statements", &good).status, 404);
    assert_eq!(server.post_with(&path, &good, &[("origin", "https://example.org")]).status, 403);
    assert_eq!(server.json(&format!("findings/{id}"))["statements"], json!([]));
}

#[test]
fn a_version_2_folder_takes_verdicts_and_keeps_its_findings() {
    let house = judged_house();
    let findings = { house.serve().walk("findings?state=all", 100) };
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    // What versions 3 to 5 brought is not there in a version-2 folder.
    db.execute_batch(
        "drop table events; drop table command_answers; drop table outbox_cursors; drop table tasks; drop table investigations;
         drop table investigation_flags; drop table investigation_findings; drop table ingest_jobs;
         delete from meta where key = 'events_head';
         drop table verdicts; drop table standing_verdicts; drop table statements; drop table statement_withdrawals;
         alter table runs drop column parameters;
         pragma user_version = 2;",
    )
    .unwrap();
    drop(db);
    let server = house.serve();
    assert_eq!(server.walk("findings?state=all", 100), findings);
    give(&server, findings[0]["id"].as_str().unwrap(), "confirmed", "sim");
    assert_eq!(server.walk("findings?verdict=confirmed&state=all", 100).len(), 1);
}
