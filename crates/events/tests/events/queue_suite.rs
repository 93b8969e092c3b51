//! What the queue promises.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use events::{Backend, Fate, NewTask, Task, transact};
use serde_json::json;

use super::{depth, on_every_backend};

const LEASE: Duration = Duration::from_secs(60);

fn enqueue(queue: &dyn Backend, key: &str, lane: Option<&str>) -> bool {
    let lane = lane.map(str::to_owned);
    let task = NewTask { topic: "t".into(), key: key.into(), lane, body: json!({"key": key}) };
    transact(queue, |unit| unit.enqueue(&task)).unwrap()
}

fn take(queue: &dyn Backend, worker: &str) -> Option<Task> {
    queue.take(&["t"], worker, LEASE).unwrap()
}

#[test]
fn a_task_is_taken_by_one_and_gone_once_acknowledged() {
    on_every_backend(|queue, _| {
        assert!(enqueue(queue, "1", None));
        assert!(!enqueue(queue, "1", None), "one task for one key");
        let task = take(queue, "a").unwrap();
        assert_eq!((task.key.as_str(), task.attempt, &task.body), ("1", 1, &json!({"key": "1"})));
        assert_eq!(take(queue, "b"), None);
        assert!(!queue.ack(&task, "b").unwrap(), "not another's to acknowledge");
        assert!(queue.ack(&task, "a").unwrap());
        assert_eq!((take(queue, "b"), depth(queue, "t")), (None, 0));
    });
}

#[test]
fn a_dead_workers_task_is_taken_over_and_the_dead_can_do_nothing_to_it() {
    on_every_backend(|queue, _| {
        enqueue(queue, "1", None);
        let first = queue.take(&["t"], "dead", Duration::from_millis(30)).unwrap().unwrap();
        std::thread::sleep(Duration::from_millis(60));
        let second = take(queue, "b").unwrap();
        assert_eq!((second.id, second.attempt), (first.id, 2));
        assert!(!queue.is_held(&first, "dead").unwrap());
        assert!(!queue.renew(&first, "dead", LEASE).unwrap());
        assert!(!queue.fail(&first, "dead", "x", Fate::Dead).unwrap());
        assert!(!queue.ack(&first, "dead").unwrap());
        assert!(queue.is_held(&second, "b").unwrap() && queue.ack(&second, "b").unwrap());
    });
}

#[test]
fn who_renews_keeps_its_task() {
    on_every_backend(|queue, _| {
        enqueue(queue, "1", None);
        let task = queue.take(&["t"], "a", Duration::from_millis(200)).unwrap().unwrap();
        assert!(queue.renew(&task, "a", LEASE).unwrap());
        std::thread::sleep(Duration::from_millis(250));
        assert_eq!(take(queue, "b"), None);
    });
}

#[test]
fn a_failed_task_comes_again_when_its_wait_is_over_and_not_before() {
    on_every_backend(|queue, _| {
        enqueue(queue, "1", None);
        let task = take(queue, "a").unwrap();
        let failed = Instant::now();
        assert!(queue.fail(&task, "a", "no", Fate::Again(Duration::from_millis(150))).unwrap());
        let again = loop {
            if let Some(again) = take(queue, "a") {
                break again;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(failed.elapsed() >= Duration::from_millis(149), "{:?}", failed.elapsed());
        assert_eq!(again.attempt, 2);
        queue.release(&again, "a").unwrap();
        assert_eq!(take(queue, "b").unwrap().attempt, 2, "a task put back untried is not charged");
    });
}

#[test]
fn a_dead_letter_is_listed_replayed_with_all_attempts_and_dropped() {
    on_every_backend(|queue, _| {
        for key in ["1", "2"] {
            enqueue(queue, key, None);
            let task = take(queue, "a").unwrap();
            assert!(queue.fail(&task, "a", &format!("no {key}"), Fate::Dead).unwrap());
        }
        assert_eq!((take(queue, "a"), depth(queue, "t")), (None, 0));
        let dead = queue.dead(0, 10).unwrap();
        let said: Vec<_> = dead.iter().map(|d| (d.key.as_str(), d.error.as_str(), d.attempts)).collect();
        assert_eq!(said, [("1", "no 1", 1), ("2", "no 2", 1)]);
        assert_eq!(queue.dead(dead[0].id, 10).unwrap().len(), 1);
        assert!(queue.replay(dead[0].id).unwrap() && !queue.replay(dead[0].id).unwrap());
        let again = take(queue, "a").unwrap();
        assert_eq!((again.key.as_str(), again.attempt), ("1", 1));
        assert!(queue.drop_dead(dead[1].id).unwrap() && !queue.drop_dead(dead[1].id).unwrap());
        assert_eq!(queue.dead(0, 10).unwrap(), []);
    });
}

#[test]
fn a_lane_is_worked_off_in_order_and_lanes_do_not_wait_for_each_other() {
    on_every_backend(|queue, _| {
        for (key, lane) in [("1", "x"), ("2", "x"), ("3", "y")] {
            enqueue(queue, key, Some(lane));
        }
        let first = take(queue, "a").unwrap();
        let other = take(queue, "b").unwrap();
        assert_eq!((first.key.as_str(), other.key.as_str()), ("1", "3"));
        assert_eq!(take(queue, "c"), None, "2 waits for 1");
        queue.fail(&first, "a", "no", Fate::Again(Duration::ZERO)).unwrap();
        let first = take(queue, "a").unwrap();
        assert_eq!(first.key, "1", "still before 2");
        queue.ack(&first, "a").unwrap();
        let second = take(queue, "c").unwrap();
        assert_eq!(second.key, "2");
        // A dead letter does not hold its lane up; replayed, it waits for the one under way.
        enqueue(queue, "4", Some("x"));
        queue.fail(&second, "c", "no", Fate::Dead).unwrap();
        let fourth = take(queue, "c").unwrap();
        assert_eq!(fourth.key, "4");
        assert!(queue.replay(second.id).unwrap());
        assert_eq!(take(queue, "d"), None);
        queue.ack(&fourth, "c").unwrap();
        assert_eq!(take(queue, "d").unwrap().key, "2");
    });
}

#[test]
fn what_is_taken_back_is_nobodys_any_more() {
    on_every_backend(|queue, _| {
        for key in ["inv_a/1", "inv_a/2", "inv_b/1"] {
            enqueue(queue, key, None);
        }
        let running = take(queue, "a").unwrap();
        assert_eq!(transact(queue, |unit| unit.withdraw("t", "inv_a/")).unwrap(), 2);
        assert!(!queue.is_held(&running, "a").unwrap());
        assert_eq!(take(queue, "b").unwrap().key, "inv_b/1");
        assert_eq!(take(queue, "b"), None);
        for key in ["x/1", "y/1"] {
            enqueue(queue, key, Some("lane"));
        }
        transact(queue, |unit| unit.withdraw("t", "x/")).unwrap();
        assert_eq!(take(queue, "b").unwrap().key, "y/1", "what waited for it goes on");
    });
}

/// Workers that die at random (the seed is printed) leave each effect once: effects are idempotent by their key, as a real handler's.
#[test]
fn every_effect_happens_though_workers_die() {
    on_every_backend(|queue, _| {
        let seed: u64 = std::env::var("CIDADAO_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(7);
        println!("CIDADAO_SEED={seed}");
        for n in 0..300 {
            enqueue(queue, &n.to_string(), Some(&(n % 11).to_string()));
        }
        let effects: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
        std::thread::scope(|threads| {
            for worker in 0..4_u64 {
                let effects = &effects;
                threads.spawn(move || {
                    let (mut state, mut life) = (seed + worker + 1, 0);
                    while depth(queue, "t") > 0 {
                        let name = format!("{worker}-{life}");
                        let Some(task) = queue.take(&["t"], &name, Duration::from_millis(40)).unwrap() else {
                            std::thread::sleep(Duration::from_millis(2));
                            continue;
                        };
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let fate = (state >> 33) % 10;
                        if fate == 0 {
                            life += 1; // Dies before its effect.
                            continue;
                        }
                        *effects.lock().unwrap().entry(task.key.clone()).or_default() += 1;
                        if fate == 1 {
                            life += 1; // Dies between effect and acknowledgement.
                            continue;
                        }
                        queue.ack(&task, &name).unwrap();
                    }
                });
            }
        });
        let effects = effects.into_inner().unwrap();
        assert_eq!(effects.len(), 300, "none is missing");
        assert!(effects.values().any(|n| *n > 1), "the seed lets nobody die after an effect: the test shows nothing");
    });
}

/// A long queue is as quick as a short one: with a look at every task that waits this would take minutes.
#[test]
fn a_backlog_is_worked_off_in_order_and_in_time() {
    on_every_backend(|queue, _| {
        let count = 20_000;
        transact(queue, |unit| {
            for n in 0..count {
                let lane = (n % 2 == 0).then(|| "one".to_owned());
                let task = NewTask { topic: "t".into(), key: format!("{n:05}"), lane, body: json!({}) };
                unit.enqueue(&task)?;
            }
            Ok::<_, events::Error>(())
        })
        .unwrap();
        let started = Instant::now();
        let mut lane = Vec::new();
        while let Some(task) = take(queue, "a") {
            if task.key.parse::<u32>().unwrap() % 2 == 0 {
                lane.push(task.key.clone());
            }
            assert!(queue.ack(&task, "a").unwrap());
        }
        assert_eq!(lane.len(), count / 2);
        assert!(lane.is_sorted());
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    });
}
