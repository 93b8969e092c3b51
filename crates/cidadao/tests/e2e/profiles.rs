//! Profiles of the running program, from outside, read with a decoder that we did not write.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use testkit::{Answer, House, Server};

use super::short_sample;

/// What `pprof-format` (npm) reads in a profile.
fn read(house: &House, profile: &Answer) -> Value {
    assert_eq!(
        (profile.status, profile.header("content-type")),
        (200, "application/octet-stream"),
        "{}",
        profile.text()
    );
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/pprof");
    let installed = std::path::Path::new(folder).join("node_modules/pprof-format").exists();
    assert!(installed, "this test needs pprof-format: (cd crates/testkit/pprof && npm ci)");
    let file = house.file("profile.pb.gz", &profile.body);
    let run = Command::new("node").arg("read.js").arg(file).current_dir(folder).output().expect("Node.js is installed");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Does `work` while others ask what takes processor time and memory.
fn under_load<T>(server: &Server, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = server.get("/api/v1/contracts?limit=100");
                let _ = server.get("/api/v1/findings?limit=100");
            }
        });
        let given = work();
        done.store(true, Ordering::Relaxed);
        given
    })
}

#[test]
fn where_time_goes_and_memory_is_asked_for_can_be_seen_while_it_serves() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 400, 5)]).ends_with(3);
    // No limit on the time of a request cuts a profile off.
    let server = Server::start(house.program().env("CACHE_STRATEGY", "off").env("CIDADAO_HTTP_REQUEST_TIMEOUT_S", "1"));
    let sum = |read: &Value, word: &str, kind: usize| -> i64 {
        let sums = read["sums"].as_object().unwrap().iter().filter(|(name, _)| name.contains(word));
        sums.map(|(_, counted)| counted[kind].as_i64().unwrap()).max().unwrap_or_default()
    };
    let get = |path: &str| server.get(&format!("/api/v1/admin/profile/{path}"));
    let cpu = under_load(&server, || read(&house, &get("cpu?seconds=2&format=pprof")));
    assert_eq!(cpu["kinds"].to_string(), "[\"samples/count\",\"cpu/nanoseconds\"]");
    assert!(cpu["seconds"].as_f64().unwrap() >= 2.0, "{}", cpu["seconds"]);
    assert!(sum(&cpu, "", 0) > 5, "somebody was seen: {cpu}");
    assert!(sum(&cpu, "store::", 0) > 0, "and is known by name: {cpu}");
    let memory = under_load(&server, || read(&house, &get("memory?seconds=2&format=pprof")));
    let kinds = "[\"alloc_objects/count\",\"alloc_space/bytes\",\"inuse_objects/count\",\"inuse_space/bytes\"]";
    assert_eq!(memory["kinds"].to_string(), kinds);
    let (asked, held) = (sum(&memory, "", 1), sum(&memory, "", 3));
    assert!(asked > 1 << 20 && held < asked, "{asked} bytes asked for, {held} held");
    for of in ["cpu", "memory"] {
        let svg = under_load(&server, || get(&format!("{of}?seconds=1")));
        assert_eq!((svg.status, svg.header("content-type")), (200, "image/svg+xml"));
        assert!(svg.text().contains("<svg") && svg.text().trim_end().ends_with("</svg>"));
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn one_profile_is_made_at_a_time_for_admins_and_within_its_bounds() {
    let house = House::new();
    let server = house.serve();
    // Of the two that ask one is first, whichever it is.
    let (one, other) = std::thread::scope(|threads| {
        let one = threads.spawn(|| server.get("/api/v1/admin/profile/memory?seconds=3"));
        let other = threads.spawn(|| server.get("/api/v1/admin/profile/cpu?seconds=3"));
        (one.join().unwrap(), other.join().unwrap())
    });
    let (refused, made) = if one.status == 409 { (one, other) } else { (other, one) };
    assert_eq!((refused.status, refused.json()["type"].as_str()), (409, Some("/problems/conflict")));
    assert_eq!(made.status, 200);
    assert_eq!(server.get("/api/v1/admin/profile/cpu?seconds=1").status, 200, "the turn is given back");
    for (query, field) in
        [("seconds=0", "seconds"), ("seconds=61", "seconds"), ("seconds=x", "seconds"), ("format=pdf", "format")]
    {
        let answer = server.get(&format!("/api/v1/admin/profile/cpu?{query}"));
        assert_eq!((answer.status, answer.json()["field"].as_str()), (400, Some(field)), "{query}");
    }
    let forwarded = [("x-forwarded-for", "10.0.0.1")];
    assert_eq!(server.get_with("/api/v1/admin/profile/cpu", &forwarded).status, 403);
}
