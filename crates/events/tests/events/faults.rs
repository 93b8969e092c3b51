//! Two consumers in processes of their own, over PostgreSQL and Redis, killed at random while the wires to both are cut now and then:
//! each event has its effect exactly once, and none is missing.
//!
//! `CIDADAO_EVENTS` says how many (100000 takes a while), `CIDADAO_SEED` when who dies.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use events::{Bell, Error, Expected, Group, NewEvent, Redis, relay, transact};
use serde_json::json;
use store::Store;
use testkit::postgres::ask;
use testkit::proxy::Proxy;
use testkit::{PostgresServer, RedisServer};

use super::{LastOfStream, at_server};

const GROUPS: [Group; 1] = [Group { topic: "t", kinds: &["thing.happened"] }];
const LEASE: Duration = Duration::from_secs(2);

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What a consumer's process runs; alone it does nothing.
#[test]
fn consumer() {
    let (Ok(database), Ok(redis)) = (std::env::var("CONSUMER_DATABASE"), std::env::var("CONSUMER_REDIS")) else {
        return;
    };
    let Some(store) = patiently(|| at_server(&database, 4).ok()) else { return };
    let Some(redis) = patiently(|| Redis::at(&redis, &store).ok()) else { return };
    let bell = Bell::default();
    let log = events::open(&store, &LastOfStream, &bell, Some(&redis));
    let name = format!("consumer-{}", std::process::id());
    loop {
        // What fails is tried again: a wire is cut, or another is quicker.
        let _ = relay(&*log, &GROUPS).and_then(|_| log.hand_on());
        while let Ok(Some(task)) = log.take(&["t"], &name, LEASE) {
            let effect = NewEvent::new("effect.made", json!({"of": task.key}));
            let made = transact(&*log, |unit| {
                unit.append(&format!("effect:{}", task.key), Expected::Version(0), &[effect])?;
                Ok::<_, Error>(())
            });
            if matches!(made, Ok(()) | Err(Error::Conflict { .. })) {
                let _ = log.ack(&task, &name);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn patiently<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    (0..200).find_map(|_| {
        let done = attempt();
        if done.is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
        done
    })
}

fn start(database: &str, redis: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "faults::consumer", "--nocapture"]);
    command.env("CONSUMER_DATABASE", database).env("CONSUMER_REDIS", redis);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn put_events(store: &Store, count: u64) {
    let bell = Bell::default();
    let log = events::open(store, &LastOfStream, &bell, None);
    for batch in 0..count.div_ceil(500) {
        transact(&*log, |unit| {
            for n in batch * 500..count.min((batch + 1) * 500) {
                let event = NewEvent::new("thing.happened", json!({"n": n}));
                unit.append(&format!("thing:{}", n % 50), Expected::Any, &[event])?;
            }
            Ok::<_, Error>(())
        })
        .unwrap();
    }
}

#[test]
fn each_event_has_its_effect_once_though_consumers_are_killed_and_wires_cut() {
    let (count, seed) = (number("CIDADAO_EVENTS", 1_000), number("CIDADAO_SEED", 11));
    println!("CIDADAO_SEED={seed} CIDADAO_EVENTS={count}");
    let redis = RedisServer::start();
    let url = PostgresServer::shared().database();
    let store = at_server(&url, 4).unwrap();
    put_events(&store, count);
    let wires = [Proxy::to(PostgresServer::shared().port()), Proxy::to(redis.port())];
    let database = url.replace(&PostgresServer::shared().port().to_string(), &wires[0].port().to_string());
    let through = format!("redis://127.0.0.1:{}", wires[1].port());
    let mut consumers = [start(&database, &through), start(&database, &through)];
    let mut state = seed;
    let mut chance = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let made =
        || -> u64 { ask(&url, "select count(*) from events where type = 'effect.made'").trim().parse().unwrap() };
    let (started, mut kills, mut cuts) = (Instant::now(), 0, 0);
    while made() < count {
        assert!(
            started.elapsed() < Duration::from_secs(120 + count / 10),
            "{} of {count} effects after {kills} kills",
            made()
        );
        std::thread::sleep(Duration::from_millis(700 + chance(1_500)));
        match chance(4) {
            0 => {
                let wire = &wires[usize::from(chance(2) == 0)];
                wire.cut();
                std::thread::sleep(Duration::from_millis(300));
                wire.mend();
                cuts += 1;
            }
            1 => {
                wires[usize::from(chance(2) == 0)].delay(Duration::from_millis(chance(3)));
            }
            _ => {
                let consumer = &mut consumers[usize::from(chance(2) == 0)];
                consumer.kill().unwrap();
                consumer.wait().unwrap();
                *consumer = start(&database, &through);
                kills += 1;
            }
        }
    }
    println!("{count} effects in {:?}, {kills} kills, {cuts} cuts", started.elapsed());
    for wire in &wires {
        wire.delay(Duration::ZERO);
    }
    let bell = Bell::default();
    let log = events::open(&store, &LastOfStream, &bell, None);
    let ended = Instant::now();
    while log.counts().unwrap().iter().any(|(_, _, tasks)| *tasks > 0) {
        assert!(ended.elapsed() < Duration::from_secs(60), "tasks are left: {:?}", log.counts());
        std::thread::sleep(Duration::from_millis(100));
    }
    for consumer in &mut consumers {
        consumer.kill().unwrap();
        consumer.wait().unwrap();
    }
    let of = "select count(distinct stream), count(*), max(version) from events where type = 'effect.made'";
    assert_eq!(ask(&url, of).trim(), format!("{count}|{count}|1"), "each once, none missing");
    let audit = events::verify(&*log).unwrap();
    assert_eq!((audit.events, audit.faults.len()), (2 * count, 0));
}
