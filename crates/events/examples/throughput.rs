//! Measures log and queue, embedded and over Redis Streams: events appended and tasks delivered a second, and how long an event is
//! on its way from its transaction to its acknowledgement. Beside it what nothing here can beat: the same rows as plain inserts, and
//! the same entries through XADD, XREADGROUP and XACK by hand. It starts a Redis of its own.
//!
//! `cargo run --release -p events --example throughput -- 20000`

#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement that cannot go on fails")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use events::{Bell, Event, Expected, Group, NewEvent, ReadModels, Redis, transact};
use serde_json::json;
use store::{Db, Store};
use testkit::RedisServer;

const GROUPS: [Group; 1] = [Group { topic: "bench", kinds: &["bench.happened"] }];

struct NoModels;

impl ReadModels for NoModels {
    fn apply(&self, _: &Db, _: &Event) -> store::Result<()> {
        Ok(())
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }
}

fn main() {
    let count: u32 = std::env::args().nth(1).map_or(20_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("bench.db"), 4).unwrap();
    let bell = Bell::default();
    let log = events::open(&store, &NoModels, &bell, None);

    let plain =
        store.write(|db| db.execute_batch("create table plain (id integer primary key, payload text not null)"));
    plain.unwrap();
    let started = Instant::now();
    for n in 0..count {
        let insert = store.write(|db| {
            let sql = "insert into plain (payload) values (?1)";
            db.prepare(sql).and_then(|mut s| s.execute([json!({"n": n}).to_string()]))
        });
        insert.unwrap();
    }
    let limit = rate(count, started);
    println!("plain inserts, a transaction each: {limit:.0}/s");

    let started = Instant::now();
    for n in 0..count {
        append(&*log, n);
    }
    let appended = rate(count, started);
    println!("events, a transaction each: {appended:.0}/s ({:.2} of the plain inserts)", appended / limit);
    let embedded = deliver(&*log, count);
    println!("delivered and acknowledged by two workers: {embedded:.0}/s");
    on_its_way(&*log, &bell, 2_000);

    let server = RedisServer::start();
    let by_hand = by_hand(&server.url(), count);
    println!("by hand, XADD one by one, then XREADGROUP and XACK one by one by two: {by_hand:.0}/s");
    let redis = Redis::at(&server.url(), &store).unwrap();
    let log = events::open(&store, &NoModels, &bell, Some(&redis));
    for n in 0..count {
        append(&*log, n);
    }
    let streams = deliver(&*log, count);
    println!(
        "over Redis, delivered and acknowledged by two workers: {streams:.0}/s ({:.2} of by hand)",
        streams / by_hand
    );
    on_its_way(&*log, &bell, 2_000);
}

/// Published and worked off by two, a second.
fn deliver(log: &dyn events::Backend, count: u32) -> f64 {
    events::relay(log, &GROUPS).unwrap();
    let delivered = Instant::now();
    let done = AtomicU32::new(0);
    std::thread::scope(|threads| {
        for worker in ["a", "b"] {
            let done = &done;
            threads.spawn(move || {
                while done.load(Ordering::Relaxed) < count {
                    if let Some(task) = log.take(&["bench"], worker, Duration::from_secs(60)).unwrap() {
                        assert!(log.ack(&task, worker).unwrap());
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    rate(count, delivered)
}

/// What Redis can do: as many entries added, read and acknowledged, one by one.
fn by_hand(url: &str, count: u32) -> f64 {
    let client = redis::Client::open(url).unwrap();
    let mut adds = client.get_connection().unwrap();
    let _: () = redis::cmd("XGROUP").arg(&["CREATE", "hand", "g", "0", "MKSTREAM"]).query(&mut adds).unwrap();
    let started = Instant::now();
    for n in 0..count {
        let _: String = redis::cmd("XADD").arg(&["hand", "*", "task", &n.to_string()]).query(&mut adds).unwrap();
    }
    std::thread::scope(|threads| {
        for worker in ["a", "b"] {
            let mut reads = client.get_connection().unwrap();
            threads.spawn(move || {
                loop {
                    type Read = Option<Vec<(String, Vec<(String, Vec<String>)>)>>;
                    let read = ["GROUP", "g", worker, "COUNT", "1", "STREAMS", "hand", ">"];
                    let read: Read = redis::cmd("XREADGROUP").arg(&read).query(&mut reads).unwrap();
                    let Some(read) = read else { return };
                    let _: i64 = redis::cmd("XACK").arg(&["hand", "g", &read[0].1[0].0]).query(&mut reads).unwrap();
                }
            });
        }
    });
    rate(count, started)
}

/// From the transaction to the acknowledgement, at some 200 events a second.
fn on_its_way(log: &dyn events::Backend, bell: &Bell, count: u32) {
    let (done, started) = (AtomicBool::new(false), Instant::now());
    let mut took: Vec<Duration> = std::thread::scope(|threads| {
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let heard = bell.rings();
                if log.lag(events::CURSOR).unwrap() == 0 || events::relay(log, &GROUPS).unwrap() == 0 {
                    bell.wait(heard, Duration::from_millis(500));
                }
            }
        });
        let worker = threads.spawn(|| {
            let mut took = Vec::new();
            while took.len() < count as usize {
                let heard = bell.rings();
                match log.take(&["bench"], "a", Duration::from_secs(60)).unwrap() {
                    None => bell.wait(heard, Duration::from_millis(500)),
                    Some(task) => {
                        let event = &log
                            .stream(
                                task.body["stream"].as_str().unwrap(),
                                task.body["version"].as_i64().unwrap() - 1,
                                1,
                            )
                            .unwrap()[0];
                        assert!(log.ack(&task, "a").unwrap());
                        let sent = Duration::from_nanos(event.payload["sent_ns"].as_u64().unwrap());
                        took.push(started.elapsed().saturating_sub(sent));
                    }
                }
            }
            done.store(true, Ordering::Relaxed);
            bell.ring();
            took
        });
        for n in 0..count {
            let sent = u64::try_from(started.elapsed().as_nanos()).unwrap();
            let event = NewEvent::new("bench.happened", json!({"sent_ns": sent}));
            transact(log, |unit| unit.append(&format!("way:{n}"), Expected::Any, &[event])).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        worker.join().unwrap()
    });
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!("on its way: p50 {:?}, p90 {:?}, p99 {:?}", at(0.5), at(0.9), at(0.99));
}

fn append(log: &dyn events::Backend, n: u32) {
    let event = NewEvent::new("bench.happened", json!({"n": n}));
    transact(log, |unit| unit.append(&format!("bench:{}", n % 1_000), Expected::Any, &[event])).unwrap();
}

fn rate(count: u32, since: Instant) -> f64 {
    f64::from(count) / since.elapsed().as_secs_f64()
}
