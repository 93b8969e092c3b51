//! What is kept of answers, as a client sees it: hits, what a write outdates, one recompute, tiers, sizes on the wire.

use std::io::{Read as _, Write as _};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::files::{self, Purchase};
use testkit::{Answer, House, RedisServer, Server, wire};

use super::short_sample;

pub fn house_of(contracts: u32) -> House {
    let house = House::new();
    let rows: Vec<Purchase> = (1..=contracts).map(|n| Purchase::new(n, "100,0000")).collect();
    let _ = house.ingested(&[&house.file("c.csv", files::purchases(&rows))], 0);
    house
}

fn status(server: &Server, path: &str) -> String {
    let answer = wire::get(server, path, &[]);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.header("cache-status").to_owned()
}

/// A figure of `/metrics`.
pub fn figure(server: &Server, name: &str) -> f64 {
    let text = server.get("/metrics").text();
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    found.unwrap_or_else(|| panic!("{name} is not in:\n{text}"))
}

fn recomputes(server: &Server) -> f64 {
    figure(server, "cidadao_ai_cache_recomputes_total{cache=\"responses\"}")
}

/// A body out of its coding.
pub fn decoded(answer: &Answer) -> Vec<u8> {
    let (mut out, body) = (Vec::new(), &answer.body[..]);
    match answer.header("content-encoding") {
        "br" => drop(brotli::Decompressor::new(body, 4_096).read_to_end(&mut out).unwrap()),
        "zstd" => out = zstd::decode_all(body).unwrap(),
        "gzip" => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut out).unwrap()),
        _ => out.extend(body),
    }
    out
}

#[test]
fn a_question_is_answered_once_and_then_from_memory() {
    let house = house_of(40);
    let server = house.serve();
    let path = "/api/v1/contracts?limit=5&sort=value";
    assert_eq!(status(&server, path), "cidadao; fwd=miss; stored");
    assert_eq!(status(&server, path), "cidadao; hit; detail=l1");
    assert_eq!(status(&server, "/api/v1/contracts?sort=value&limit=5"), "cidadao; hit; detail=l1");
    assert_eq!(recomputes(&server), 1.0);
    assert_eq!(figure(&server, "cidadao_ai_cache_short_hits_total{cache=\"responses\"}"), 2.0, "before the routes");
    let hit = wire::get(&server, path, &[]);
    assert_eq!(hit.header("surrogate-key"), "data contracts");
    assert!(hit.header("cache-control").contains("s-maxage=5, stale-while-revalidate=30"), "{:?}", hit.headers);
    assert!(hit.header("vary").contains("accept-encoding") && hit.header("etag").starts_with('"'));
    for header in ["content-security-policy", "x-content-type-options", "x-robots-tag", "x-request-id"] {
        assert!(!hit.header(header).is_empty(), "a hit lacks {header}");
    }
    // What is nowhere is remembered too, for a while; what is refused, and what is another's, is not.
    for (path, first, second) in [
        ("/api/v1/contracts/nowhere", "cidadao; fwd=miss; stored", "cidadao; hit; detail=l1"),
        ("/api/v1/contracts?limit=0", "cidadao; fwd=miss", "cidadao; fwd=miss"),
        ("/api/v1/investigations", "cidadao; fwd=bypass", "cidadao; fwd=bypass"),
        ("/health/live", "cidadao; fwd=bypass", "cidadao; fwd=bypass"),
    ] {
        for expected in [first, second] {
            assert_eq!(wire::get(&server, path, &[]).header("cache-status"), expected, "{path}");
        }
    }
    assert!(figure(&server, "cidadao_ai_cache_hit_ratio{cache=\"responses\"}") > 0.3);
    assert!(figure(&server, "cidadao_ai_cache_entries{cache=\"responses\",tier=\"l1\"}") >= 2.0);
    assert!(
        figure(&server, "cidadao_ai_cache_duration_seconds_bucket{cache=\"responses\",tier=\"l1\",le=\"0.001\"}")
            >= 2.0
    );
}

#[test]
fn a_verdict_is_seen_by_who_gave_it_and_outdates_nothing_else() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    let server = house.serve();
    let rows = server.walk("findings", 100);
    let ids: Vec<String> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let path = |id: &str| format!("/api/v1/findings/{id}");
    let flag = format!("/api/v1/flags/{}", rows[0]["flag"].as_str().unwrap());
    let lists = ["/api/v1/findings?limit=100", &flag, "/api/v1/findings?verdict=confirmed"];
    let others = [path(&ids[1]), "/api/v1/contracts".to_owned(), "/api/v1/sources".to_owned()];
    for round in 0..2 {
        for path in lists.iter().map(|p| (*p).to_owned()).chain(others.clone()).chain([path(&ids[0])]) {
            let answer = wire::get(&server, &path, &[]);
            assert!(round == 0 || answer.header("cache-status").contains("hit"), "{path}: {:?}", answer.headers);
        }
    }
    for n in 0..20 {
        let (verdict, id) = (if n % 2 == 0 { "confirmed" } else { "dismissed" }, &ids[0]);
        let given =
            server.post(&format!("{}/verdict", path(id)), &json!({"verdict": verdict, "reason": "x", "who": "Ana"}));
        assert_eq!(given.status, 201);
        let seen = wire::get(&server, &path(id), &[]).json();
        assert_eq!((&seen["verdict"]["verdict"], &seen["verdict"]["version"]), (&json!(verdict), &json!(n + 1)));
    }
    let named = wire::get(&server, &lists[0].replace("limit=100", "limit=99"), &[]);
    for list in lists {
        assert_eq!(status(&server, list), "cidadao; fwd=miss; stored", "{list}");
    }
    for other in &others {
        assert_eq!(status(&server, other), "cidadao; hit; detail=l1", "{other}");
    }
    assert_eq!(named.header("surrogate-key"), "data findings");
    // From another process it is seen too.
    let args = ["flags", "verdict", &ids[1], "confirmed", "--reason", "y", "--who", "Bia"];
    let _ = house.json(&args);
    assert_eq!(wire::get(&server, &path(&ids[1]), &[]).json()["verdict"]["verdict"], "confirmed");
}

#[test]
fn an_answer_survives_a_restart_and_an_ingest_ends_it() {
    let house = house_of(40);
    let path = "/api/v1/contracts?limit=7";
    let server = house.serve();
    let before = wire::get(&server, path, &[]).text();
    let started = Instant::now();
    while figure(&server, "cidadao_ai_cache_entries{cache=\"responses\",tier=\"l3\"}") < 1.0 {
        assert!(started.elapsed() < Duration::from_secs(10), "nothing is kept on the disk");
    }
    assert_eq!(server.stop(), Some(0));
    let server = house.serve();
    assert_eq!(status(&server, path), "cidadao; hit; detail=l1", "warmed up");
    assert_eq!(wire::get(&server, path, &[]).text(), before);
    drop(server);
    // Memory for one answer, which warming up fills with the newest.
    let small = || Server::start(house.program().env("CIDADAO_CACHE_L1_ENTRIES", "1").env("CIDADAO_CACHE_L1_MIB", "1"));
    let server = small();
    let _ = wire::get(&server, "/api/v1/buyers", &[]);
    std::thread::sleep(Duration::from_millis(300));
    drop(server);
    let server = small();
    assert_eq!(status(&server, path), "cidadao; hit; detail=l3");
    drop(server);
    let row = [Purchase::new(41, "100,0000")];
    let _ = house.ingested(&[&house.file("d.csv", files::purchases(&row))], 0);
    let server = house.serve();
    assert_eq!(status(&server, path), "cidadao; fwd=miss; stored");
    drop(server);
    // It is no fact: it may go at any time, or be damaged.
    std::fs::write(house.data().join("cache.db"), [0xff; 5_000]).unwrap();
    let server = house.serve();
    assert_eq!(status(&server, path), "cidadao; fwd=miss; stored");
    assert_eq!(house.problems(), Vec::<String>::new());
}

#[test]
fn what_is_old_by_the_clock_is_given_once_more_and_made_anew() {
    let house = house_of(10);
    let settings = [("CACHE_STRATEGY", "memory"), ("CIDADAO_CACHE_L1_TTL_S", "1"), ("CIDADAO_CACHE_STALE_S", "60")];
    let server =
        Server::start(settings.iter().fold(house.program(), |program, (name, value)| program.env(name, value)));
    assert_eq!(status(&server, "/api/v1/contracts"), "cidadao; fwd=miss; stored");
    std::thread::sleep(Duration::from_millis(1_500));
    let old = wire::get(&server, "/api/v1/contracts", &[]);
    assert_eq!((old.status, old.header("age")), (200, "1"));
    assert!(old.header("cache-status").starts_with("cidadao; hit; ttl=-"), "{:?}", old.headers);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(status(&server, "/api/v1/contracts"), "cidadao; hit; detail=l1");
    assert_eq!(recomputes(&server), 2.0);
}

#[test]
fn the_strategy_says_which_tiers_there_are() {
    let house = house_of(10);
    let with = |strategy: &str| Server::start(house.program().env("CACHE_STRATEGY", strategy));
    let server = with("off");
    for _ in 0..2 {
        assert_eq!(status(&server, "/api/v1/contracts"), "cidadao; fwd=bypass");
    }
    drop(server);
    assert!(!house.data().join("cache.db").exists());
    let server = with("memory");
    assert_eq!(status(&server, "/api/v1/contracts"), "cidadao; fwd=miss; stored");
    assert_eq!(status(&server, "/api/v1/contracts"), "cidadao; hit; detail=l1");
    drop(server);
    assert!(!house.data().join("cache.db").exists());
    let _ = status(&with("multi_tier"), "/api/v1/contracts");
    assert!(house.data().join("cache.db").exists());
    let run = house.program().env("CACHE_STRATEGY", "all").arg("doctor").run().ends_with(2);
    assert!(run.stderr.contains("multi_tier"), "{}", run.stderr);
}

#[test]
fn a_thousand_misses_on_one_key_over_two_processes_are_one_recompute() {
    let (house, redis) = (house_of(200), RedisServer::start());
    let start = || Server::start(house.program().env("REDIS_URL", redis.url()).env("CIDADAO_WORK_WORKERS", "1"));
    let servers = [start(), start()];
    let path = "/api/v1/contracts?limit=100&q=servico";
    let barrier = Barrier::new(1_000);
    let bodies: Vec<(String, Vec<u8>)> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..1_000)
            .map(|n| {
                let (server, barrier) = (&servers[n % 2], &barrier);
                let work = move || {
                    let mut stream = wire::connect(server);
                    barrier.wait();
                    stream.write_all(&wire::request("GET", path, &[], b"")).unwrap();
                    let answer = wire::read(&mut stream);
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    (answer.header("cache-status").to_owned(), answer.body)
                };
                std::thread::Builder::new().stack_size(128 << 10).spawn_scoped(scope, work).unwrap()
            })
            .collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(bodies.iter().all(|(_, body)| *body == bodies[0].1), "all got the same");
    assert_eq!(servers.iter().map(recomputes).sum::<f64>(), 1.0);
    let made = bodies.iter().filter(|(status, _)| status == "cidadao; fwd=miss; stored").count();
    assert_eq!(made, 1, "one of them had it made");
    drop(servers);
    // A process that comes later finds it in Redis.
    let third = Server::start(house.program().env("REDIS_URL", redis.url()).env("CIDADAO_CACHE_L1_ENTRIES", "1"));
    let _ = wire::get(&third, "/api/v1/buyers", &[]);
    let _ = wire::get(&third, "/api/v1/sources", &[]);
    assert_eq!(status(&third, path), "cidadao; hit; detail=l2");
    assert!(redis.ask("KEYS *kept:*").lines().count() >= 2);
}

#[test]
fn a_redis_that_hangs_or_is_gone_costs_no_answer() {
    let (house, mut redis) = (house_of(40), RedisServer::start());
    let server = Server::start(house.program().env("REDIS_URL", redis.url()));
    assert_eq!(status(&server, "/api/v1/contracts?limit=1"), "cidadao; fwd=miss; stored");
    redis.hang();
    let started = Instant::now();
    for limit in 2..12 {
        assert_eq!(status(&server, &format!("/api/v1/contracts?limit={limit}")), "cidadao; fwd=miss; stored");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    redis.go_on();
    redis.stop();
    assert_eq!(status(&server, "/api/v1/contracts?limit=20"), "cidadao; fwd=miss; stored");
    assert_eq!(status(&server, "/api/v1/contracts?limit=1"), "cidadao; hit; detail=l1");
}

#[test]
fn what_is_asked_for_often_is_made_as_small_as_it_gets() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    let server = house.serve();
    let path = "/api/v1/contracts?limit=100";
    let plain = wire::get(&server, path, &[]).body;
    let get = |coding: &str| wire::get(&server, path, &[("accept-encoding", coding)]);
    let first = get("br");
    for coding in ["gzip", "br", "zstd"] {
        let answer = get(coding);
        assert_eq!((answer.header("content-encoding"), decoded(&answer)), (coding, plain.clone()));
        let saved = 100 - answer.body.len() * 100 / plain.len();
        assert!((70..=98).contains(&saved), "{coding} saves {saved} %");
    }
    let started = Instant::now();
    let dense = loop {
        let answer = get("br");
        if answer.body.len() < first.body.len() {
            break answer;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it was never made smaller");
    };
    assert_eq!(decoded(&dense), plain);
    let mut own = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &plain[..], &mut own, &params).unwrap();
    assert!(dense.body.len() <= own.len() * 101 / 100, "{} against brotli -q 11: {}", dense.body.len(), own.len());
    assert_ne!(dense.header("etag"), first.header("etag"), "a strong ETag names bytes");
    for held in [first.header("etag"), dense.header("etag"), "\"x\", *"] {
        let again = wire::get(&server, path, &[("accept-encoding", "gzip"), ("if-none-match", held)]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{held}");
        assert!(again.header("cache-status").contains("hit") && !again.header("etag").is_empty());
    }
}

#[test]
fn what_caches_before_us_may_keep_and_how_soon_an_answer_is_made_small_are_the_settings() {
    let house = house_of(40);
    let path = "/api/v1/contracts?limit=30";
    let usual = house.serve();
    assert!(wire::get(&usual, path, &[]).header("cache-control").contains("s-maxage=5,"));
    drop(usual);
    let program = house.program().env("CIDADAO_CACHE_EDGE_S", "77").env("CIDADAO_CACHE_DENSE_AFTER", "2");
    let server = Server::start(program.env("CIDADAO_CACHE_NEGATIVE_TTL_S", "1"));
    let br = || wire::get(&server, path, &[("accept-encoding", "br")]);
    let first = br();
    assert!(first.header("cache-control").contains("s-maxage=77,"), "{}", first.header("cache-control"));
    let started = Instant::now();
    while br().body.len() >= first.body.len() {
        assert!(started.elapsed() < Duration::from_secs(20), "it stays as large as it was");
        std::thread::sleep(Duration::from_millis(20));
    }
    let absent = || wire::get(&server, "/api/v1/contracts/nope", &[]).header("cache-status").to_owned();
    assert_eq!((absent(), absent()), ("cidadao; fwd=miss; stored".to_owned(), "cidadao; hit; detail=l1".to_owned()));
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(absent().contains("ttl=-1"), "that there is none is believed for a second");
}
