//! Measures the embedded log and queue: events appended and tasks delivered a second, and how long an event is on its way
//! from its transaction to its acknowledgement; beside it the same rows as plain inserts, which nothing here can beat.
//!
//! `cargo run --release -p events --example throughput -- 20000`

#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement that cannot go on fails")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use events::{Bell, Event, Expected, Group, NewEvent, Queue as _, ReadModels, transact};
use serde_json::json;
use store::{Connection, Store};

const GROUPS: [Group; 1] = [Group { topic: "bench", kinds: &["bench.happened"] }];

struct NoModels;

impl ReadModels for NoModels {
    fn apply(&self, _: &Connection, _: &Event) -> store::Result<()> {
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

    let plain = store.write(|db| {
        db.execute_batch("create table plain (id integer primary key, payload text not null)")
            .map_err(store::Error::from)
    });
    plain.unwrap();
    let started = Instant::now();
    for n in 0..count {
        let insert = store.write(|db| {
            let sql = "insert into plain (payload) values (?1)";
            db.prepare_cached(sql)
                .and_then(|mut s| s.execute([json!({"n": n}).to_string()]))
                .map_err(store::Error::from)
        });
        insert.unwrap();
    }
    let limit = rate(count, started);
    println!("plain inserts, a transaction each: {limit:.0}/s");

    let started = Instant::now();
    for n in 0..count {
        append(&log, n);
    }
    let appended = rate(count, started);
    println!("events, a transaction each: {appended:.0}/s ({:.2} of the plain inserts)", appended / limit);
    events::relay(&log, &GROUPS).unwrap();
    let delivered = Instant::now();
    std::thread::scope(|threads| {
        for worker in ["a", "b"] {
            let log = &log;
            threads.spawn(move || {
                while let Some(task) = log.take(&["bench"], worker, Duration::from_secs(60)).unwrap() {
                    assert!(log.ack(&task, worker).unwrap());
                }
            });
        }
    });
    println!("delivered and acknowledged by two workers: {:.0}/s", rate(count, delivered));
    on_its_way(&log, &bell, 2_000);
}

/// From the transaction to the acknowledgement, at some 200 events a second.
fn on_its_way(log: &impl events::Backend, bell: &Bell, count: u32) {
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

fn append(log: &impl events::Backend, n: u32) {
    let event = NewEvent::new("bench.happened", json!({"n": n}));
    transact(log, |unit| unit.append(&format!("bench:{}", n % 1_000), Expected::Any, &[event])).unwrap();
}

fn rate(count: u32, since: Instant) -> f64 {
    f64::from(count) / since.elapsed().as_secs_f64()
}
