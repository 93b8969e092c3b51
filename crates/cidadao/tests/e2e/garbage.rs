//! What nobody should send, sent where who calls is found out: it is refused, in time, and breaks nothing.

use serde_json::{Value, json};
use testkit::seed::Seed;
use testkit::{House, Server};

/// A value of a kind that may not be expected here.
fn value(seed: &mut Seed, depth: u32) -> Value {
    match seed.below(if depth > 4 { 7 } else { 9 }) {
        0 => Value::Null,
        1 => json!(seed.number().is_multiple_of(2)),
        2 => json!(seed.number()),
        3 => json!(-1.5e300),
        4 => json!(""),
        5 => json!("\u{0}\u{202e}%2e%2e/é\u{1f600}".repeat(1 + seed.below(40) as usize)),
        6 => json!(format!(
            "/api/v1/{}",
            ["batch", "contracts?limit=x", "findings/%00/verdict", "auth/login", "%", "flags//"]
                [seed.below(6) as usize]
        )),
        7 => (0..seed.below(4)).map(|_| value(seed, depth + 1)).collect(),
        _ => object(seed, depth + 1),
    }
}

/// An object with names that are known somewhere.
fn object(seed: &mut Seed, depth: u32) -> Value {
    const NAMES: [&str; 10] =
        ["operations", "id", "method", "path", "body", "priority", "name", "password", "refresh_token", "__proto__"];
    let names: Vec<&str> = (0..seed.below(6)).map(|_| NAMES[seed.below(10) as usize]).collect();
    names.into_iter().map(|name| (name.to_owned(), value(seed, depth))).collect()
}

/// A body: nearly right, cut off, changed in one byte, or bytes of chance.
fn body(seed: &mut Seed) -> Vec<u8> {
    let mut bytes = match seed.below(4) {
        0 => return seed.bytes(1 + seed.clone().below(300) as usize),
        1 => json!({"operations": [object(seed, 0), {"id": "a", "path": value(seed, 9), "body": value(seed, 2)}]}),
        2 => json!({"name": value(seed, 9), "password": value(seed, 9)}),
        _ => object(seed, 0),
    }
    .to_string()
    .into_bytes();
    match seed.below(3) {
        0 => bytes.truncate(seed.below(bytes.len() as u64 + 1) as usize),
        1 => {
            let at = seed.below(bytes.len() as u64) as usize;
            bytes[at] = seed.bytes(1)[0];
        }
        _ => {}
    }
    bytes
}

#[test]
fn garbage_is_refused_and_breaks_nothing() {
    let house = House::new();
    let made = house.json(&["users", "add", "ana"]);
    let server = Server::start(house.program().env("CIDADAO_IDENTITY_FAILURES_PER_ADDRESS", "5"));
    let mut seed = Seed::printed("garbage");
    for n in 0..900 {
        let path = ["/api/v1/batch", "/api/v1/auth/login", "/api/v1/auth/refresh", "/api/v1/auth/logout"][n % 4];
        let sent = body(&mut seed);
        let answer = server.post_bytes(path, &sent, &[]);
        assert!(answer.status < 500, "{path}: {} for {}", answer.text(), String::from_utf8_lossy(&sent));
        let is_problem = answer.header("content-type") == "application/problem+json";
        assert!(is_problem || (answer.status == 200 && path.ends_with("batch")), "{path}: {}", answer.text());
        let given: String = seed.bytes(40).into_iter().map(|byte| char::from(0x21 + byte % 94)).collect();
        for header in ["x-api-key", "authorization"] {
            assert_eq!(server.get_with("/api/v1/sources", &[(header, &given)]).status, 401, "{header}: {given}");
        }
    }
    let deep = format!("{{\"operations\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(server.post_bytes("/api/v1/batch", deep.as_bytes(), &[]).status, 400);
    assert_eq!(server.get("/api/v1/sources").status, 200);
    drop(server);
    let right = json!({"name": "ana", "password": made["password"]});
    assert_eq!(house.serve().post("/api/v1/auth/login", &right).status, 200);
}
