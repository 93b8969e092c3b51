//! API keys from outside: what opens, what does not any more, and what is left of it in the data folder.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{House, Server};

fn make(house: &House, options: &[&str]) -> (String, String) {
    let made = house.json(&[&["keys", "create"], options].concat());
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn status(server: &Server, key: &str) -> u16 {
    server.get_with("/api/v1/sources", &[("x-api-key", key)]).status
}

/// Who was known is known for a second more.
#[track_caller]
fn is_soon_refused(server: &Server, key: &str) {
    let started = Instant::now();
    while status(server, key) != 401 {
        assert!(started.elapsed() < Duration::from_secs(3), "it still opens");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_key_opens_until_it_is_revoked_and_a_wrong_one_is_never_taken_for_none() {
    let house = House::new();
    let made = house.json(&["keys", "create", "--tier", "pro", "--name", "painel"]);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("cid_") && key.len() == 47, "{key}");
    assert_eq!((&made["tier"], &made["name"]), (&"pro".into(), &"painel".into()));
    assert_eq!(made["scopes"], serde_json::json!(["read", "investigate"]));
    let server = house.serve();
    assert_eq!(status(&server, key), 200);
    for wrong in [
        "",
        "x",
        "cid_",
        &key[..46],
        &format!("{}A", &key[..46]),
        &key.to_uppercase(),
        &format!("cid_{}", "A".repeat(43)),
    ] {
        let answer = server.get_with("/api/v1/sources", &[("x-api-key", wrong)]);
        assert_eq!(answer.status, 401, "{wrong}");
        assert_eq!(answer.json()["type"], "/problems/unauthorized");
        assert_eq!(
            (answer.header("content-type"), answer.header("www-authenticate")),
            ("application/problem+json", "Bearer")
        );
        assert!(wrong.len() < 10 || !answer.text().contains(wrong), "what was given is not told again");
    }
    let both = [("x-api-key", key), ("authorization", "Bearer x")];
    assert_eq!(server.get_with("/api/v1/sources", &both).status, 401);
    assert_eq!(server.get("/api/v1/sources").status, 200, "reading needs no key");
    assert_eq!(
        server.get_with("/health/live", &[("x-api-key", "x")]).status,
        200,
        "health is asked by who has no account"
    );

    let revoked = house.json(&["keys", "revoke", made["id"].as_str().unwrap()]);
    assert!(revoked["keys"][0]["revoked_at"].is_string());
    is_soon_refused(&server, key);
    assert_eq!(house.program().args(["keys", "revoke", "key_none"]).run().code, Some(1));
    assert_eq!(house.program().args(["keys", "create", "--tier", "gold"]).run().code, Some(2));
    assert_eq!(house.program().args(["keys", "create", "--tier", "anonymous"]).run().code, Some(2));
}

#[test]
fn a_replaced_key_opens_for_its_overlap_and_the_new_one_has_all_that_it_had() {
    let house = House::new();
    let (id, old) = make(&house, &["--tier", "basic", "--name", "robô", "--rate", "7/s burst 9, 50/min"]);
    let rotated = house.json(&["keys", "rotate", &id, "--overlap", "1"]);
    let new = rotated["key"].as_str().unwrap();
    assert_ne!(new, old);
    assert_eq!((&rotated["tier"], &rotated["name"]), (&"basic".into(), &"robô".into()));
    assert_eq!(rotated["rate"], "7/s burst 9, 50/min");
    let server = house.serve();
    assert_eq!((status(&server, &old), status(&server, new)), (200, 200));
    assert_eq!(house.program().args(["keys", "rotate", &id]).run().code, Some(1), "once is enough");

    let new_id = rotated["id"].as_str().unwrap();
    let third = house.json(&["keys", "rotate", new_id, "--overlap", "0"]);
    is_soon_refused(&server, new);
    assert_eq!(status(&server, third["key"].as_str().unwrap()), 200);
    let listed = house.json(&["keys", "list"]);
    let of = |id: &str| listed["keys"].as_array().unwrap().iter().find(|k| k["id"] == id).unwrap().clone();
    assert_eq!(of(&id)["rotated_into"], new_id);
    assert!(of(&id)["expires_at"].is_string());
}

#[test]
fn a_key_that_has_expired_is_refused() {
    let house = House::new();
    let soon = chrono::Utc::now() + chrono::TimeDelta::seconds(4);
    let (_, key) = make(&house, &["--expires", &soon.to_rfc3339()]);
    let server = house.serve();
    assert_eq!(status(&server, &key), 200);
    std::thread::sleep((soon - chrono::Utc::now()).to_std().unwrap_or_default());
    is_soon_refused(&server, &key);
    for past in ["2020-01-01", "0d", "amanhã"] {
        assert_eq!(house.program().args(["keys", "create", "--expires", past]).run().code, Some(2), "{past}");
    }
}

#[test]
fn what_a_key_opens_is_nowhere_in_the_data_folder_and_all_that_became_of_it_is_in_the_log() {
    let house = House::new();
    let (id, key) = make(&house, &[]);
    let rotated = house.json(&["keys", "rotate", &id]);
    let _ = house.json(&["keys", "revoke", &id]);
    assert_eq!(status(&house.serve(), rotated["key"].as_str().unwrap()), 200);
    for file in house.data_files() {
        let bytes = std::fs::read(&file).unwrap();
        for secret in [&key, rotated["key"].as_str().unwrap()] {
            let secret = &secret.as_bytes()[12..];
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{} holds the key", file.display());
        }
    }
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let mut statement = db.prepare("select type, payload from events where stream like 'key:%' order by seq").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let events: Vec<(String, String)> = rows.map(Result::unwrap).collect();
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["key.created", "key.rotated", "key.created", "key.revoked"]);
    let second: Value = serde_json::from_str(&events[2].1).unwrap();
    assert_eq!(second["replaces"], id.as_str());
    let _ = house.program().args(["audit", "verify"]).run().ends_with(0);
    let _ = house.program().arg("rebuild").run().ends_with(0);
    assert_eq!(house.json(&["keys", "list"])["keys"].as_array().unwrap().len(), 2, "a rebuild forgets no key");
}
