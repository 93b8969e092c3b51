//! Accounts from outside: signing in and out, who may do what, and what the log says of it.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, House, Server};

use super::short_sample;

/// An account with a password of the program's making.
fn add(house: &House, name: &str, role: &str) -> String {
    let made = house.json(&["users", "add", name, "--role", role]);
    assert_eq!((&made["name"], &made["role"]), (&json!(name), &json!(role)));
    made["password"].as_str().unwrap().to_owned()
}

fn login(server: &Server, name: &str, password: &str) -> Answer {
    server.post("/api/v1/auth/login", &json!({"name": name, "password": password}))
}

fn refresh(server: &Server, token: &str) -> Answer {
    server.post("/api/v1/auth/refresh", &json!({"refresh_token": token}))
}

/// The access and the refresh token of an answer.
#[track_caller]
fn tokens(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    (format!("Bearer {}", body["access_token"].as_str().unwrap()), body["refresh_token"].as_str().unwrap().to_owned())
}

fn me(server: &Server, bearer: &str) -> Answer {
    server.get_with("/api/v1/auth/me", &[("authorization", bearer)])
}

/// Who was known is known for a second more.
#[track_caller]
fn is_soon_refused(server: &Server, bearer: &str) {
    let started = Instant::now();
    while me(server, bearer).status != 401 {
        assert!(started.elapsed() < Duration::from_secs(3), "it still opens");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn events(house: &House) -> Vec<(String, String)> {
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let mut statement = db.prepare("select type, payload from events order by seq").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn who_signs_in_gets_tokens_and_a_wrong_name_and_a_wrong_password_get_one_answer() {
    let house = House::new();
    let password = add(&house, "ana", "analyst");
    let server = house.serve();
    let answer = login(&server, "ana", &password);
    assert_eq!(
        (answer.json()["token_type"].as_str(), answer.json()["expires_in"].as_u64()),
        (Some("Bearer"), Some(900))
    );
    assert_eq!((answer.json()["name"].as_str(), answer.json()["role"].as_str()), (Some("ana"), Some("analyst")));
    assert_eq!(answer.header("cache-control"), "no-store");
    let (bearer, _) = tokens(&answer);
    let who = me(&server, &bearer).json();
    assert_eq!(
        who,
        json!({"name": "ana", "role": "analyst", "key": null, "scopes": null, "tier": "basic", "rate": "20/s burst 40, 600/min"})
    );

    let timed = |name: &str, password: &str| {
        let started = Instant::now();
        let answer = login(&server, name, password);
        (answer.status, answer.text(), started.elapsed())
    };
    let (mut wrong, mut unknown) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..4 {
        let (by_password, by_name) = (timed("ana", "outra coisa qualquer"), timed("bia", "outra coisa qualquer"));
        assert_eq!((by_password.0, &by_password.1), (by_name.0, &by_name.1));
        assert_eq!(by_password.0, 401);
        (wrong, unknown) = (wrong + by_password.2, unknown + by_name.2);
    }
    let ratio = wrong.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.3..3.0).contains(&ratio), "the time tells who has an account: {wrong:?} and {unknown:?}");
    let _ = house.json(&["users", "disable", "ana"]);
    assert_eq!(login(&server, "ana", &password).text(), timed("bia", "x").1, "a closed account is nobody's either");
    assert!(login(&server, &"x".repeat(500_000), "y").status == 401);
    for body in [
        json!({}),
        json!({"name": "ana"}),
        json!({"name": 1, "password": "x"}),
        json!({"name": "ana", "password": "x", "role": "admin"}),
    ] {
        assert_eq!(server.post("/api/v1/auth/login", &body).status, 400, "{body}");
    }
    assert_eq!(server.get("/api/v1/auth/me").status, 401);
}

#[test]
fn a_refresh_token_is_good_once_and_one_that_comes_twice_ends_the_sign_in() {
    let house = House::new();
    let password = add(&house, "ana", "reader");
    let server = house.serve();
    let (bearer, first) = tokens(&login(&server, "ana", &password));
    let (_, other_sign_in) = tokens(&login(&server, "ana", &password));
    let (next_bearer, second) = tokens(&refresh(&server, &first));
    assert_eq!((me(&server, &bearer).status, me(&server, &next_bearer).status), (200, 200));

    let reused = refresh(&server, &first);
    assert_eq!((reused.status, reused.json()["type"].as_str()), (401, Some("/problems/unauthorized")));
    assert_eq!(refresh(&server, &second).status, 401, "the one who has the next is shut out too");
    is_soon_refused(&server, &next_bearer);
    is_soon_refused(&server, &bearer);
    assert_eq!(server.metric("cidadao_ai_refresh_reused_total"), 1.0);
    let (third_bearer, _) = tokens(&refresh(&server, &other_sign_in));

    let out = server.post_with("/api/v1/auth/logout", &json!({}), &[("authorization", &third_bearer)]);
    assert_eq!(out.status, 204);
    is_soon_refused(&server, &third_bearer);
    assert_eq!(server.post("/api/v1/auth/logout", &json!({})).status, 401);
    for wrong in ["", "cir_x", &first.replace("cir_", "cid_"), "\u{0}"] {
        assert_eq!(refresh(&server, wrong).status, 401, "{wrong}");
    }
    let kinds: Vec<String> = events(&house).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["user.created", "login.ok", "login.ok", "session.reused", "session.ended"]);
}

#[test]
fn sign_ins_that_fail_are_slowed_down_by_name_and_by_address() {
    let house = House::new();
    let (ana, bia) = (add(&house, "ana", "reader"), add(&house, "bia", "reader"));
    let program = house.program().env("CIDADAO_LIMITS_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start(
        program.env("CIDADAO_IDENTITY_FAILURES_PER_ACCOUNT", "3").env("CIDADAO_IDENTITY_FAILURES_PER_ADDRESS", "8"),
    );
    let try_from = |address: &str, name: &str, password: &str| {
        let body = json!({"name": name, "password": password});
        server.post_with("/api/v1/auth/login", &body, &[("x-forwarded-for", address)])
    };
    let statuses = |address: &str, name: &str, n: usize| -> Vec<u16> {
        (0..n).map(|_| try_from(address, name, "uma senha errada").status).collect()
    };
    assert_eq!(statuses("192.0.2.1", "ana", 4), [401, 401, 401, 429]);
    let refused = try_from("192.0.2.2", "ana", &ana);
    assert_eq!((refused.status, refused.json()["type"].as_str()), (429, Some("/problems/sign-in-refused")));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((840..=901).contains(&wait), "{wait}");
    assert_eq!(
        statuses("192.0.2.1", "nobody", 4),
        [401, 401, 401, 429],
        "whether there is such an account shows nowhere"
    );
    assert_eq!(try_from("192.0.2.1", "bia", &bia).status, 200);
    assert_eq!(statuses("192.0.2.1", "a1", 1), [401]);
    assert_eq!(statuses("192.0.2.1", "a2", 2), [401, 429], "eight of one address");
    assert_eq!(try_from("192.0.2.1", "bia", &bia).status, 429);
    assert_eq!(try_from("192.0.2.2", "bia", &bia).status, 200);
    for (outcome, n) in [("ok", 2.0), ("failed", 8.0), ("refused", 5.0)] {
        assert_eq!(server.metric(&format!("cidadao_ai_logins_total{{outcome=\"{outcome}\"}}")), n, "{outcome}");
    }
}

#[test]
fn with_the_first_account_loopback_alone_opens_nothing_and_roles_do() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 400, 43)]).ends_with(3);
    let server = house.serve();
    let id = server.json("findings?limit=1")["data"][0]["id"].as_str().unwrap().to_owned();
    let verdict = format!("/api/v1/findings/{id}/verdict");
    let with_who = json!({"verdict": "confirmed", "reason": "sim", "who": "Operadora"});
    assert_eq!(server.post(&verdict, &with_who).status, 201, "while there is no account, as before");
    assert_eq!(server.get("/api/v1/admin/dlq").status, 200);
    let forwarded = [("x-forwarded-for", "198.51.100.1")];
    assert_eq!(
        server.get_with("/api/v1/admin/dlq", &forwarded).status,
        403,
        "who comes through a proxy is not on this machine"
    );

    let passwords = ["reader", "analyst", "admin"].map(|role| add(&house, role, role));
    assert_eq!(server.post(&verdict, &with_who).status, 401);
    assert_eq!(server.get("/api/v1/admin/dlq").status, 401);
    assert_eq!(server.get("/api/v1/findings").status, 200, "reading needs no account");
    let bearers = ["reader", "analyst", "admin"].map(|name| {
        let at = ["reader", "analyst", "admin"].iter().position(|n| *n == name).unwrap();
        tokens(&login(&server, name, &passwords[at])).0
    });
    let bare = json!({"verdict": "dismissed", "reason": "não"});
    let statement = json!({"who": "Fornecedora Fictícia", "text": "explicamos"});
    let expected = [("reader", 403, 403, 403), ("analyst", 201, 201, 403), ("admin", 201, 201, 200)];
    for ((role, gives, records, admins), bearer) in expected.into_iter().zip(&bearers) {
        let with = [("authorization", bearer.as_str())];
        assert_eq!(server.post_with(&verdict, &bare, &with).status, gives, "{role}");
        let path = format!("/api/v1/findings/{id}/statements");
        assert_eq!(server.post_with(&path, &statement, &with).status, records, "{role}");
        assert_eq!(server.get_with("/api/v1/admin/dlq", &with).status, admins, "{role}");
        assert_eq!(server.get_with("/api/v1/admin/ingests", &with).status, admins, "{role}");
    }
    let analyst = [("authorization", bearers[1].as_str())];
    assert_eq!(server.post_with(&verdict, &with_who, &analyst).status, 400, "nobody signs with another's name");
    let own = json!({"verdict": "confirmed", "reason": "sim", "who": "analyst"});
    assert_eq!(server.post_with(&verdict, &own, &analyst).status, 201);
    let finding = server.json(&format!("findings/{id}"));
    let said: Vec<&str> =
        finding["verdict_history"].as_array().unwrap().iter().map(|v| v["who"].as_str().unwrap()).collect();
    assert_eq!(said, ["analyst", "admin", "analyst", "Operadora"]);
    assert_eq!(
        finding["statements"][0]["who"], "Fornecedora Fictícia",
        "a statement is its author's, whoever records it"
    );
    let asked = server.post_with("/api/v1/investigations", &json!({"flags": ["BR05"]}), &analyst);
    assert_eq!(asked.status, 202, "{}", asked.text());
    let path = format!("/api/v1/investigations/{}", asked.json()["id"].as_str().unwrap());
    assert_eq!(server.get(&path).json()["user"], "analyst");
    assert_eq!(server.post(&format!("{path}/cancel"), &json!({})).status, 401);
    assert_eq!(server.post_with(&format!("{path}/cancel"), &json!({}), &analyst).status, 200);

    // What waits for a person waits for an analyst, who alone can start it.
    let held = json!({"flags": ["BR05"], "hold": true});
    let reader = [("authorization", bearers[0].as_str())];
    assert_eq!(server.post("/api/v1/investigations", &held).status, 401);
    assert_eq!(server.post_with("/api/v1/investigations", &held, &reader).status, 403);
    let waits = server.post_with("/api/v1/investigations", &held, &analyst);
    assert_eq!(waits.status, 202, "{}", waits.text());
    let path = format!("/api/v1/investigations/{}", waits.json()["id"].as_str().unwrap());
    let start = format!("{path}/start");
    let started = Instant::now();
    while server.get(&path).json()["phase"] != "planned" {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", server.get(&path).text());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.post(&start, &json!({})).status, 401);
    assert_eq!(server.post_with(&start, &json!({}), &reader).status, 403);
    assert_eq!(server.post_with(&start, &json!({}), &analyst).status, 200);

    // One key, one body, two callers: two commands.
    let keyed = |bearer: &str| {
        server.post_with(&verdict, &bare, &[("authorization", bearer), ("idempotency-key", "k1")]).json()["version"]
            .clone()
    };
    let (first, again, other) = (keyed(&bearers[1]), keyed(&bearers[1]), keyed(&bearers[2]));
    assert_eq!(first, again);
    assert_ne!(first, other);

    // What changes counts at once, whatever the token says.
    let _ = house.json(&["users", "role", "analyst", "reader"]);
    let started = Instant::now();
    while server.post_with(&verdict, &bare, &analyst).status != 403 {
        assert!(started.elapsed() < Duration::from_secs(3), "the old role still counts");
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = house.json(&["users", "disable", "admin"]);
    is_soon_refused(&server, &bearers[2]);
    let _ = house.json(&["users", "password", "reader"]);
    is_soon_refused(&server, &bearers[0]);
    assert_eq!(login(&server, "reader", &passwords[0]).status, 401);
}

#[test]
fn a_key_acts_for_its_account_within_its_scopes() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 400, 43)]).ends_with(3);
    let _ = (add(&house, "ana", "analyst"), add(&house, "rui", "reader"));
    let make = |scopes: &str, user: &[&str]| {
        house.program().args(["keys", "create", "--json", "--tier", "pro", "--scope", scopes]).args(user).run()
    };
    for (scopes, user) in
        [("verdict", &[][..]), ("admin", &[]), ("verdict", &["--user", "rui"]), ("admin", &["--user", "ana"])]
    {
        let _ = make(scopes, user).ends_with(2);
    }
    assert_eq!(make("read", &["--user", "nobody"]).code, Some(1));
    let key = |scopes: &str| {
        let made = make(scopes, &["--user", "ana"]).ends_with(0).json();
        (made["id"].as_str().unwrap().to_owned(), made["key"].as_str().unwrap().to_owned())
    };
    let (all, read, ask) = (key("read,verdict"), key("read"), key("investigate"));
    let server = house.serve();
    let id = server.json("findings?limit=1")["data"][0]["id"].as_str().unwrap().to_owned();
    let bare = json!({"verdict": "confirmed", "reason": "sim"});
    let statuses = |(_, key): &(String, String)| {
        let with = [("x-api-key", key.as_str())];
        [
            server.get_with("/api/v1/findings", &with).status,
            server.post_with("/api/v1/investigations", &json!({"flags": ["BR05"]}), &with).status,
            server.post_with(&format!("/api/v1/findings/{id}/verdict"), &bare, &with).status,
            server.get_with("/api/v1/admin/dlq", &with).status,
        ]
    };
    assert_eq!(statuses(&all), [200, 403, 201, 403]);
    assert_eq!(statuses(&read), [200, 403, 403, 403]);
    assert_eq!(statuses(&ask), [403, 202, 403, 403]);
    assert_eq!(server.json(&format!("findings/{id}"))["verdict"]["who"], "ana");
    let who = server.get_with("/api/v1/auth/me", &[("x-api-key", &all.1)]).json();
    assert_eq!(
        (&who["name"], &who["key"], &who["scopes"]),
        (&json!("ana"), &json!(all.0), &json!(["read", "verdict"]))
    );
    let _ = house.json(&["users", "disable", "ana"]);
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(statuses(&all), [401; 4], "the account's keys are shut with it");
    let _ = house.json(&["users", "enable", "ana"]);
    assert_eq!(statuses(&all)[0], 200);
}

#[test]
fn what_is_no_token_of_ours_is_refused_and_never_taken_for_nothing() {
    let house = House::new();
    let password = add(&house, "ana", "reader");
    let server = house.serve();
    let (bearer, _) = tokens(&login(&server, "ana", &password));
    let good = bearer.strip_prefix("Bearer ").unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    // {"typ":"JWT","alg":"none"}
    let none = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0";
    for wrong in [
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][1..]),
        "..".to_owned(),
        "x".repeat(7_000),
    ] {
        let answer = server.get_with("/api/v1/sources", &[("authorization", &format!("Bearer {wrong}"))]);
        assert_eq!(answer.status, 401, "{wrong}");
    }
    for other in ["Basic YW5hOng=", "Bearer", "bearer ", good] {
        assert_eq!(server.get_with("/api/v1/sources", &[("authorization", other)]).status, 401, "{other}");
    }
    drop(server);
    // The key of tokens is the folder's: with another one, none of the old opens.
    std::fs::remove_file(house.data().join("tokens.key")).unwrap();
    assert_eq!(me(&house.serve(), &bearer).status, 401);
}

#[test]
fn accounts_are_made_and_listed_and_no_secret_is_left_anywhere() {
    let house = House::new();
    let made = add(&house, "ana", "admin");
    let chosen = "minha senha é comprida";
    let mut command = house.program().args(["users", "add", "bia", "--password-stdin", "--json"]).into_command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{chosen}\n").as_bytes()).unwrap();
    let told = child.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&told["role"], &told["password"]),
        (&json!("reader"), &Value::Null),
        "a chosen password is not told again"
    );
    for wrong in ["a", "Ana", "ana maria", "52998224725", "x/y", ""] {
        let _ = house.program().args(["users", "add", wrong]).run().ends_with(2);
    }
    assert_eq!(house.program().args(["users", "add", "ana"]).run().code, Some(1), "the name is taken");
    let names: Vec<Value> =
        house.json(&["users", "list"])["users"].as_array().unwrap().iter().map(|user| user["name"].clone()).collect();
    assert_eq!(names, ["ana", "bia"]);

    let (bearer, token) = {
        let server = house.serve();
        assert_eq!(login(&server, "ana", "uma senha errada").status, 401);
        assert_eq!(login(&server, "ninguém", chosen).status, 401);
        let _ = tokens(&login(&server, "bia", chosen));
        tokens(&login(&server, "ana", &made))
    };
    let secrets = [made.as_str(), chosen, &bearer[7..], &token];
    for file in house.data_files() {
        let bytes = std::fs::read(&file).unwrap();
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds {secret}", file.display());
        }
    }
    let events = events(&house);
    let kinds: Vec<&str> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["user.created", "user.created", "login.failed", "login.failed", "login.ok", "login.ok"]);
    assert!(events.iter().all(|(_, payload)| !payload.contains("argon2") && !payload.contains("ninguém")));
    assert!(events[2].1.contains("127.0.0.0/24"), "{}", events[2].1);
    let _ = house.program().args(["audit", "verify"]).run().ends_with(0);
    let _ = house.program().arg("rebuild").run().ends_with(0);
    assert_eq!(house.json(&["users", "list"])["users"].as_array().unwrap().len(), 2, "a rebuild forgets nobody");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(house.data().join("tokens.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn settings_of_identity_are_seen() {
    let house = House::new();
    let password = add(&house, "ana", "reader");
    let program = house.program().env("CIDADAO_IDENTITY_ACCESS_MINUTES", "2").env("CIDADAO_IDENTITY_SESSION_DAYS", "3");
    let server = Server::start(program.env("CIDADAO_IDENTITY_HASHES_MAX", "1"));
    assert_eq!(login(&server, "ana", &password).json()["expires_in"], 120);
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let days: f64 = db
        .query_row("select julianday(expires_at) - julianday(created_at) from sessions", [], |row| row.get(0))
        .unwrap();
    assert!((days - 3.0).abs() < 0.001, "{days}");
    let most = std::thread::scope(|scope| {
        let logins: Vec<_> = (0..6).map(|_| scope.spawn(|| login(&server, "ana", &password).status)).collect();
        let mut most: f64 = 0.0;
        while logins.iter().any(|login| !login.is_finished()) {
            most = most.max(server.metric("cidadao_ai_questions_running{gate=\"passwords\"}"));
        }
        assert!(logins.into_iter().all(|login| matches!(login.join().unwrap(), 200 | 429)));
        most
    });
    assert!(most <= 1.0, "{most} passwords were hashed at once");
    for (name, wrong) in [
        ("ACCESS_MINUTES", "0"),
        ("SESSION_DAYS", "366"),
        ("HASHES_MAX", "0"),
        ("FAILURES_PER_ACCOUNT", "0"),
        ("FAILURES_PER_ADDRESS", "0"),
    ] {
        let run = house.program().env(&format!("CIDADAO_IDENTITY_{name}"), wrong).arg("sources").run().ends_with(2);
        assert!(run.stderr.contains(&name.to_lowercase()), "{}", run.stderr);
    }
}

#[test]
fn an_admin_makes_keys_and_accounts_over_http_and_the_log_says_who() {
    let house = House::new();
    let password = add(&house, "rita", "admin");
    let server = house.serve();
    let (bearer, _) = tokens(&login(&server, "rita", &password));
    let rita = [("authorization", bearer.as_str()), ("accept-encoding", "gzip")];
    let post = |path: &str, body: Value| server.post_with(&format!("/api/v1/admin/{path}"), &body, &rita);
    let patch = |name: &str, body: Value| {
        let bytes = serde_json::to_vec(&body).unwrap();
        let path = format!("/api/v1/admin/users/{name}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        testkit::wire::ask(&server, "PATCH", &path, &headers, &bytes)
    };

    assert_eq!(server.post("/api/v1/admin/keys", &json!({"name": "x", "tier": "free"})).status, 401);
    let made =
        post("keys", json!({"name": "painel", "tier": "free", "expires": "30d", "rate": "5/s burst 10, 50/min"}));
    assert_eq!((made.status, made.header("cache-control"), made.header("content-encoding")), (201, "no-store", ""));
    let (key, id) = (made.json()["key"].as_str().unwrap().to_owned(), made.json()["id"].as_str().unwrap().to_owned());
    let opens = |key: &str| server.get_with("/api/v1/contracts", &[("x-api-key", key)]).status;
    assert_eq!(opens(&key), 200);
    let next = post(&format!("keys/{id}/rotate"), json!({"overlap_hours": 1})).json();
    let (next_key, next_id) = (next["key"].as_str().unwrap(), next["id"].as_str().unwrap());
    assert_eq!((opens(&key), opens(next_key)), (200, 200), "both open for an hour");
    assert_eq!(post(&format!("keys/{next_id}/revoke"), json!({})).status, 200);
    let started = Instant::now();
    while opens(next_key) != 401 {
        assert!(started.elapsed() < Duration::from_secs(3), "it still opens");
    }
    let listed = server.get_with("/api/v1/admin/keys", &rita[..1]).text();
    assert!(listed.contains(&id) && !listed.contains(&key), "{listed}");
    for (body, field) in [
        (json!({"name": "x", "tier": "anonymous"}), "tier"),
        (json!({"name": "x", "tier": "free", "scopes": ["admin"]}), "scope"),
        (json!({"name": "x", "tier": "free", "rate": "many"}), "rate"),
    ] {
        let refused = post("keys", body);
        assert_eq!(refused.status, 400, "{field}: {}", refused.text());
        assert!(refused.text().contains(field), "{field}: {}", refused.text());
    }

    let ana = post("users", json!({"name": "ana", "role": "reader"})).json();
    let (bearer_of_ana, _) = tokens(&login(&server, "ana", ana["password"].as_str().unwrap()));
    assert_eq!(patch("ana", json!({"role": "analyst"})).json()["role"], "analyst");
    assert_eq!(me(&server, &bearer_of_ana).json()["role"], "analyst");
    assert_eq!(patch("ana", json!({})).status, 400);
    assert_eq!(patch("rita", json!({"disabled": true})).status, 409, "nobody shuts themselves out");
    assert_eq!(patch("nobody", json!({"disabled": true})).status, 404);
    assert_eq!(patch("ana", json!({"disabled": true})).status, 200);
    is_soon_refused(&server, &bearer_of_ana);
    drop(server);
    let told = events(&house);
    for kind in ["key.created", "key.rotated", "key.revoked", "user.role_changed", "user.disabled"] {
        let by: Vec<&str> = told.iter().filter(|(of, _)| of == kind).map(|(_, about)| about.as_str()).collect();
        assert!(!by.is_empty() && by.iter().all(|about| about.contains("\"by\":\"account:rita\"")), "{kind}: {by:?}");
    }
}
