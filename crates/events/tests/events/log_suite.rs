//! What the log promises.

use std::sync::atomic::{AtomicUsize, Ordering};

use events::{
    Backend, CommandKey, Error, Event, Expected, Group, NewEvent, NewTask, Snapshot, relay, transact, verify,
};
use serde_json::json;

use super::{depth, on_every_backend};

fn happened(n: u32) -> NewEvent {
    NewEvent::new("thing.happened", json!({"n": n}))
}

fn append(log: &dyn Backend, stream: &str, expected: Expected, events: &[NewEvent]) -> events::Result<Vec<Event>> {
    transact(log, |unit| unit.append(stream, expected, events))
}

#[test]
fn versions_count_within_a_stream_and_places_within_the_log() {
    on_every_backend(|log, _| {
        append(log, "a:1", Expected::Version(0), &[happened(1), happened(2)]).unwrap();
        append(log, "a:2", Expected::Version(0), &[happened(3)]).unwrap();
        let last = append(log, "a:1", Expected::Version(2), &[happened(4)]).unwrap();
        assert_eq!((last[0].seq, last[0].version), (4, 3));
        let seen: Vec<_> =
            log.stream("a:1", 1, 10).unwrap().iter().map(|e| (e.version, e.payload["n"].clone())).collect();
        assert_eq!(seen, [(2, json!(2)), (3, json!(4))]);
        assert_eq!(log.stream("a:3", 0, 10).unwrap(), []);
    });
}

#[test]
fn who_has_not_seen_the_last_event_appends_nothing() {
    on_every_backend(|log, models| {
        append(log, "a:1", Expected::Version(0), &[happened(1)]).unwrap();
        let late = append(log, "a:1", Expected::Version(0), &[happened(2)]);
        assert!(matches!(late, Err(Error::Conflict { expected: 0, found: 1, .. })), "{late:?}");
        append(log, "a:1", Expected::Any, &[happened(3)]).unwrap();
        assert_eq!(models(), ["a:1 {\"n\":3} 2"]);
    });
}

#[test]
fn an_error_undoes_events_tasks_read_models_and_answers() {
    on_every_backend(|log, models| {
        let key = CommandKey { command: "POST /x".into(), key: "k".into(), body_hash: "h".into() };
        let task = NewTask { topic: "t".into(), key: "1".into(), lane: None, body: json!({}) };
        let refused: events::Result<()> = transact(log, |unit| {
            unit.append("a:1", Expected::Any, &[happened(1)])?;
            unit.enqueue(&task)?;
            unit.note_answer(&key, "{}")?;
            Err(Error::KeyReused)
        });
        assert!(matches!(refused, Err(Error::KeyReused)));
        assert_eq!((log.rows(0, 10).unwrap().len(), depth(log, "t"), models().len()), (0, 0, 0));
        assert_eq!(transact(log, |unit| unit.answer_to(&key)).unwrap(), None);
    });
}

#[test]
fn a_key_gives_the_first_answer_again_and_refuses_another_body() {
    on_every_backend(|log, _| {
        let key = |command: &str, body: &str| CommandKey {
            command: command.to_owned(),
            key: "k".to_owned(),
            body_hash: body.to_owned(),
        };
        transact(log, |unit| unit.note_answer(&key("POST /x", "h"), "{\"id\":1}")).unwrap();
        let again = transact(log, |unit| unit.answer_to(&key("POST /x", "h"))).unwrap();
        assert_eq!(again.unwrap().0, "{\"id\":1}");
        let other = transact(log, |unit| unit.answer_to(&key("POST /x", "other")));
        assert!(matches!(other, Err(Error::KeyReused)));
        assert_eq!(transact(log, |unit| unit.answer_to(&key("POST /y", "other"))).unwrap(), None);
    });
}

#[test]
fn the_chain_of_many_writers_at_once_is_sound_and_without_gaps() {
    on_every_backend(|log, _| {
        let conflicts = AtomicUsize::new(0);
        std::thread::scope(|threads| {
            for writer in 0..4 {
                let conflicts = &conflicts;
                threads.spawn(move || {
                    for n in 0..50 {
                        append(log, &format!("own:{writer}"), Expected::Version(n), &[happened(1)]).unwrap();
                        let shared = append(log, "shared:1", Expected::Version(n), &[happened(1)]);
                        if shared.is_err() {
                            conflicts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let audit = verify(log).unwrap();
        assert_eq!(audit.faults, []);
        let shared = log.stream("shared:1", 0, 1_000).unwrap();
        assert_eq!(shared.len() + conflicts.load(Ordering::Relaxed), 200);
        assert_eq!(audit.events, 200 + shared.len() as u64);
        assert!(shared.len() >= 50 && shared.iter().zip(1..).all(|(event, version)| event.version == version));
    });
}

#[test]
fn read_models_made_anew_are_what_they_were() {
    on_every_backend(|log, models| {
        for n in 0..20 {
            append(log, &format!("a:{}", n % 7), Expected::Any, &[happened(n)]).unwrap();
        }
        let before = models();
        assert_eq!(log.rebuild().unwrap(), 20);
        assert_eq!(models(), before);
        assert_eq!(before.len(), 7);
    });
}

#[test]
fn a_relay_gives_each_group_what_it_wants_once() {
    const GROUPS: [Group; 2] =
        [Group { topic: "wants", kinds: &["thing.happened"] }, Group { topic: "other", kinds: &["thing.else"] }];
    on_every_backend(|log, _| {
        for n in 0..450 {
            append(log, &format!("a:{n}"), Expected::Any, &[happened(n)]).unwrap();
        }
        append(log, "a:1", Expected::Any, &[NewEvent::new("thing.else", json!({}))]).unwrap();
        std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| relay(log, &GROUPS).unwrap());
            }
        });
        assert_eq!((depth(log, "wants"), depth(log, "other")), (450, 1));
        assert_eq!((relay(log, &GROUPS).unwrap(), log.lag(events::CURSOR).unwrap()), (0, 0));
    });
}

#[test]
fn a_snapshot_is_kept_for_its_format_alone_and_a_rebuild_throws_it_away() {
    on_every_backend(|log, _| {
        append(log, "a:1", Expected::Any, &[happened(1), happened(2), happened(3)]).unwrap();
        let snapshot = Snapshot { version: 2, state: "{\"n\":2}".into() };
        transact(log, |unit| unit.keep_snapshot("a:1", 1, &snapshot)).unwrap();
        let seen = |format: u32| -> (Option<Snapshot>, Vec<i64>) {
            transact(log, |unit| {
                let held = unit.snapshot("a:1", format)?;
                let after = unit.stream_after("a:1", held.as_ref().map_or(0, |held| held.version))?;
                Ok::<_, Error>((held, after.iter().map(|event| event.version).collect()))
            })
            .unwrap()
        };
        assert_eq!(seen(1), (Some(snapshot.clone()), vec![3]));
        assert_eq!(seen(2), (None, vec![1, 2, 3]), "another program's snapshot is none");
        transact(log, |unit| unit.keep_snapshot("a:1", 2, &Snapshot { version: 3, ..snapshot.clone() })).unwrap();
        assert_eq!((seen(1).0, seen(2).1), (None, vec![]));
        assert_eq!(log.rebuild().unwrap(), 3);
        assert_eq!(seen(2), (None, vec![1, 2, 3]));
    });
}
