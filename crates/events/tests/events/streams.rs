//! What only the queue over Redis promises: that Redis may be away or forget everything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use events::{Backend, Bell, Error, Expected, Fate, Group, NewEvent, NewTask, Redis, relay, transact};
use serde_json::json;
use store::Store;
use testkit::RedisServer;

use super::{LastOfStream, depth};

const LEASE: Duration = Duration::from_secs(60);
const GROUPS: [Group; 1] = [Group { topic: "t", kinds: &["thing.happened"] }];

fn over_redis(test: impl Fn(&dyn Backend, &mut RedisServer)) {
    let mut server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("log.db"), 4).unwrap();
    let redis = Redis::at(&server.url(), &store).unwrap();
    let bell = Bell::default();
    test(&*events::open(&store, &LastOfStream, &bell, Some(&redis)), &mut server);
}

fn happen(log: &dyn Backend, stream: &str, n: u32) {
    let event = NewEvent::new("thing.happened", json!({"n": n}));
    transact(log, |unit| unit.append(stream, Expected::Any, &[event])).unwrap();
}

fn enqueue(queue: &dyn Backend, key: &str) {
    let task = NewTask { topic: "t".into(), key: key.into(), lane: None, body: json!({}) };
    assert!(transact(queue, |unit| unit.enqueue(&task)).unwrap());
}

fn take(queue: &dyn Backend) -> Option<events::Task> {
    queue.take(&["t"], "a", LEASE).unwrap()
}

/// Works everything off; gives the versions of each stream in the order in which they came.
fn work_off(log: &dyn Backend, done: &mut BTreeMap<String, Vec<i64>>) {
    while let Some(task) = take(log) {
        let stream = task.body["stream"].as_str().unwrap().to_owned();
        done.entry(stream).or_default().push(task.body["version"].as_i64().unwrap());
        assert!(log.ack(&task, "a").unwrap());
    }
}

#[test]
fn what_is_decided_while_redis_is_away_is_done_in_order_when_it_is_back_empty() {
    over_redis(|log, server| {
        let mut done = BTreeMap::new();
        for n in 0..20 {
            happen(log, &format!("a:{}", n % 3), n);
        }
        relay(log, &GROUPS).unwrap();
        log.hand_on().unwrap();
        let begun = take(log).unwrap();
        server.stop();
        for n in 20..40 {
            happen(log, &format!("a:{}", n % 3), n);
        }
        assert_eq!(relay(log, &GROUPS).unwrap(), 20, "the log is published into the outbox all the same");
        assert!(matches!(log.take(&["t"], "a", LEASE), Err(Error::Redis(_))));
        assert!(matches!(log.hand_on(), Err(Error::Redis(_))));
        assert_eq!(depth(log, "t"), 40);
        // What was being done when it went is done.
        done.insert(begun.body["stream"].as_str().unwrap().to_owned(), vec![1]);
        assert!(log.ack(&begun, "a").unwrap());
        server.go();
        log.hand_on().unwrap();
        work_off(log, &mut done);
        assert_eq!(depth(log, "t"), 0);
        for (stream, versions) in &done {
            let all: Vec<i64> = (1..=log.stream(stream, 0, 100).unwrap().len() as i64).collect();
            assert_eq!(versions, &all, "{stream}: each once, in order");
        }
        assert_eq!(done.values().map(Vec::len).sum::<usize>(), 40);
    });
}

#[test]
fn an_emptied_redis_is_filled_again_and_who_was_at_a_task_has_lost_it() {
    over_redis(|queue, server| {
        for key in ["1", "2", "3"] {
            enqueue(queue, key);
        }
        let lost = take(queue).unwrap();
        let dead = take(queue).unwrap();
        assert!(queue.fail(&dead, "a", "no", Fate::Dead).unwrap());
        queue.hand_on().unwrap();
        assert_eq!(server.streams(), [("dead".to_owned(), 1), ("t".to_owned(), 3)]);
        assert!(server.ask("FLUSHALL").contains("OK"));
        assert_eq!(server.streams(), []);
        assert!(!queue.is_held(&lost, "a").unwrap() && !queue.ack(&lost, "a").unwrap());
        queue.hand_on().unwrap();
        assert_eq!(queue.counts().unwrap().iter().map(|(.., n)| n).sum::<i64>(), 3);
        assert_eq!(server.streams()[0], ("dead".to_owned(), 1), "the dead letter too");
        let mut keys = Vec::new();
        while let Some(task) = take(queue) {
            keys.push(task.key.clone());
            assert!(queue.ack(&task, "a").unwrap());
        }
        keys.sort();
        assert_eq!(keys, ["1", "3"]);
    });
}

#[test]
fn one_that_hangs_holds_nobody_up_for_long() {
    over_redis(|queue, server| {
        enqueue(queue, "1");
        queue.hand_on().unwrap();
        server.hang();
        let started = Instant::now();
        enqueue(queue, "2");
        assert!(started.elapsed() < Duration::from_secs(1), "a command does not ask Redis");
        for _ in 0..10 {
            let refused = queue.hand_on().unwrap_err();
            assert!(matches!(&refused, Error::Redis(because) if because == "it does not answer"), "{refused}");
        }
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        server.go_on();
        std::thread::sleep(Duration::from_millis(2_100));
        queue.hand_on().unwrap();
        assert_eq!((take(queue).unwrap().key.as_str(), take(queue).unwrap().key.as_str()), ("1", "2"));
    });
}

#[test]
fn a_redis_that_went_back_to_an_earlier_state_gives_what_it_lost_and_not_what_is_done() {
    over_redis(|queue, server| {
        enqueue(queue, "done");
        enqueue(queue, "waits");
        queue.hand_on().unwrap();
        let key = server.ask("KEYS cidadao:*:t").trim().to_owned();
        let copy = server.ask(&format!("COPY {key} before"));
        assert_eq!(copy.trim(), "1");
        let task = take(queue).unwrap();
        assert_eq!(task.key, "done");
        assert!(queue.ack(&task, "a").unwrap());
        enqueue(queue, "later");
        queue.hand_on().unwrap();
        assert_eq!(server.ask(&format!("RENAME before {key}")).trim(), "OK");
        queue.hand_on().unwrap();
        let mut keys = Vec::new();
        while let Some(task) = take(queue) {
            keys.push(task.key.clone());
            assert!(queue.ack(&task, "a").unwrap());
        }
        keys.sort();
        assert_eq!(keys, ["later", "waits"]);
    });
}

#[test]
fn a_stream_keeps_what_some_group_has_not_read_and_no_more() {
    over_redis(|queue, server| {
        for n in 0..50 {
            enqueue(queue, &n.to_string());
        }
        queue.hand_on().unwrap();
        let key = server.ask("KEYS cidadao:*:t").trim().to_owned();
        assert_eq!(queue.lags().unwrap(), [("t".to_owned(), 50)]);
        let held = take(queue).unwrap();
        for _ in 0..29 {
            let task = take(queue).unwrap();
            assert!(queue.ack(&task, "a").unwrap());
        }
        assert_eq!(queue.lags().unwrap(), [("t".to_owned(), 20)]);
        queue.hand_on().unwrap();
        assert_eq!(server.streams()[0].1, 50, "the first is not acknowledged");
        assert!(server.ask(&format!("XGROUP CREATE {key} others 0")).contains("OK"));
        assert!(queue.ack(&held, "a").unwrap());
        queue.hand_on().unwrap();
        assert_eq!(server.streams()[0].1, 50, "the other group has read nothing");
        let _ = server.ask(&format!("XREADGROUP GROUP others x COUNT 10 NOACK STREAMS {key} >"));
        queue.hand_on().unwrap();
        assert_eq!(server.streams()[0].1, 40);
        assert!(server.ask(&format!("XGROUP DESTROY {key} others")).contains('1'));
        queue.hand_on().unwrap();
        assert_eq!(server.streams()[0].1, 20);
        while let Some(task) = take(queue) {
            assert!(queue.ack(&task, "a").unwrap());
        }
        queue.hand_on().unwrap();
        assert_eq!(server.streams()[0].1, 0);
    });
}

#[test]
fn dead_letters_are_a_stream_that_loses_what_is_replayed_or_dropped() {
    over_redis(|queue, server| {
        for key in ["1", "2", "3"] {
            enqueue(queue, key);
            let task = take(queue).unwrap();
            assert!(queue.fail(&task, "a", &format!("no {key}"), Fate::Dead).unwrap());
        }
        queue.hand_on().unwrap();
        let key = server.ask("KEYS cidadao:*:dead").trim().to_owned();
        let letters = server.ask(&format!("XRANGE {key} - +"));
        assert!(letters.contains("t 1: no 1") && letters.contains("t 3: no 3"), "{letters}");
        let dead = queue.dead(0, 10).unwrap();
        assert!(queue.replay(dead[0].id).unwrap() && queue.drop_dead(dead[2].id).unwrap());
        queue.hand_on().unwrap();
        let letters = server.ask(&format!("XRANGE {key} - +"));
        assert!(letters.contains("t 2: no 2") && !letters.contains("no 1") && !letters.contains("no 3"), "{letters}");
        assert_eq!(take(queue).unwrap().key, "1");
    });
}

#[test]
fn many_who_hand_on_at_once_hand_each_task_on_once() {
    over_redis(|queue, server| {
        std::thread::scope(|threads| {
            for writer in 0..4 {
                threads.spawn(move || {
                    for n in 0..100 {
                        enqueue(queue, &format!("{writer}/{n}"));
                        queue.hand_on().unwrap();
                    }
                });
            }
        });
        assert_eq!(server.streams(), [("t".to_owned(), 400)]);
        let mut keys = std::collections::BTreeSet::new();
        while let Some(task) = take(queue) {
            assert!(keys.insert(task.key.clone()) && queue.ack(&task, "a").unwrap());
        }
        assert_eq!(keys.len(), 400);
    });
}

#[test]
fn two_stores_share_a_redis_and_a_store_from_before_goes_on() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let bell = Bell::default();
    let with = |name: &str, work: &dyn Fn(&dyn Backend)| {
        let store = Store::open(&path(name), 2).unwrap();
        let redis = Redis::at(&server.url(), &store).unwrap();
        work(&*events::open(&store, &LastOfStream, &bell, Some(&redis)));
    };
    with("one.db", &|queue| enqueue(queue, "of one"));
    std::fs::copy(path("one.db"), path("before.db")).unwrap();
    with("two.db", &|queue| enqueue(queue, "of two"));
    with("one.db", &|queue| {
        for key in ["more", "and more"] {
            enqueue(queue, key);
        }
        let first = take(queue).unwrap();
        assert_eq!(first.key, "of one");
    });
    with("two.db", &|queue| {
        assert_eq!((take(queue).unwrap().key.as_str(), take(queue)), ("of two", None));
    });
    // Restored from a copy: Redis is further than it, and what the copy has to do is done.
    with("before.db", &|queue| {
        let started = Instant::now();
        let task = loop {
            queue.hand_on().unwrap();
            if let Some(task) = take(queue) {
                break task;
            }
            assert!(started.elapsed() < Duration::from_secs(5), "it never comes");
        };
        assert_eq!(task.key, "of one");
        assert_eq!(take(queue), None);
    });
}

#[test]
fn without_redis_again_the_tasks_are_the_stores_own() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("log.db"), 2).unwrap();
    let bell = Bell::default();
    let redis = Redis::at(&server.url(), &store).unwrap();
    let over = events::open(&store, &LastOfStream, &bell, Some(&redis));
    for key in ["1", "2"] {
        enqueue(&*over, key);
    }
    let taken = take(&*over).unwrap();
    let own = events::open(&store, &LastOfStream, &bell, None);
    own.take_over().unwrap();
    assert!(!over.ack(&taken, "a").unwrap());
    let keys: Vec<String> = std::iter::from_fn(|| take(&*own)).map(|task| task.key).collect();
    assert_eq!(keys, ["1", "2"]);
    assert_eq!(take(&*over), None);
}
