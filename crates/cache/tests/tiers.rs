//! The tiers from outside the crate: one recompute, what is outdated, what stands in for a failure.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cache::{Cache, Config, From, Got, Made, Meters, Outcome, Persistent, Stamp, Tier, Value, World, tag};

#[derive(Debug, Clone, PartialEq)]
struct Text(String);

impl Value for Text {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.clone().into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }

    fn weight(&self) -> usize {
        self.0.len()
    }
}

#[derive(Default)]
struct Disk(Mutex<HashMap<u128, Vec<u8>>>);

impl Persistent for Disk {
    fn get(&self, key: u128) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(&key).cloned()
    }

    fn put(&self, key: u128, entry: &[u8]) {
        self.0.lock().unwrap().insert(key, entry.to_vec());
    }

    fn newest(&self, _: usize) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().values().cloned().collect()
    }

    fn held(&self) -> (u64, u64) {
        (self.0.lock().unwrap().len() as u64, 0)
    }
}

type Answers = Arc<Cache<Text, &'static str>>;

fn config(ttl_ms: u64) -> Config {
    Config {
        l1_entries: 100,
        l1_bytes: 1 << 20,
        l1_ttl: Duration::from_millis(ttl_ms),
        l2_ttl: Duration::from_secs(60),
        l3_ttl: Duration::from_secs(60),
        negative_ttl: Duration::from_millis(ttl_ms),
        stale: Duration::from_secs(5),
        stale_if_error: Duration::from_secs(60),
        lock: Duration::from_secs(5),
    }
}

fn over(world: &Arc<World>, ttl_ms: u64, disk: Option<&Arc<Disk>>) -> Answers {
    let disk = disk.map(|disk| Arc::clone(disk) as Arc<dyn Persistent>);
    Arc::new(Cache::new(config(ttl_ms), Arc::clone(world), Meters::new("test").unwrap(), None, disk))
}

fn world() -> Arc<World> {
    let world = Arc::new(World::since(0));
    world.look(Stamp { epoch: 1, seq: 1 }, []);
    world
}

fn keep(text: &str, tags: &[&str]) -> Made<Text, &'static str> {
    Made::Keep { value: Text(text.to_owned()), tags: tags.iter().map(|name| tag(name)).collect(), negative: false }
}

#[track_caller]
fn got(outcome: Outcome<Text, &'static str>) -> Got<Text> {
    match outcome {
        Outcome::Got(got) => got,
        Outcome::Passed(own) => panic!("passed {own}"),
        Outcome::Lost => panic!("lost"),
    }
}

async fn ask(answers: &Answers, text: &'static str) -> Got<Text> {
    got(answers.get_or_make("k", async move { keep(text, &["a"]) }).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_who_ask_at_once_have_it_made_once() {
    let (answers, made) = (over(&world(), 60_000, None), Arc::new(AtomicUsize::new(0)));
    let asked: Vec<_> = (0..100)
        .map(|_| {
            let (answers, made) = (Arc::clone(&answers), Arc::clone(&made));
            tokio::spawn(async move {
                let make = async move {
                    made.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    keep("x", &[])
                };
                got(answers.get_or_make("k", make).await).held.value.clone()
            })
        })
        .collect();
    for one in asked {
        assert_eq!(one.await.unwrap(), Text("x".to_owned()));
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
    assert_eq!(answers.peek("k", Instant::now()).unwrap().from, From::Tier(Tier::L1));
}

#[tokio::test]
async fn one_who_goes_away_stops_nobodys_answer() {
    let answers = over(&world(), 60_000, None);
    let slow = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        keep("made", &[])
    };
    assert!(tokio::time::timeout(Duration::from_millis(5), answers.get_or_make("k", slow)).await.is_err());
    let waited = ask(&answers, "never made").await;
    assert_eq!((&waited.held.value.0[..], waited.from), ("made", From::Collapsed));
}

#[tokio::test]
async fn a_maker_that_panics_leaves_nobody_waiting() {
    let answers = over(&world(), 60_000, None);
    let outcome = answers.get_or_make("k", async { panic!("on purpose") }).await;
    assert!(matches!(outcome, Outcome::Lost));
    assert_eq!(ask(&answers, "after").await.held.value.0, "after");
}

#[tokio::test]
async fn what_changed_makes_it_anew_and_only_that() {
    let world = world();
    let answers = over(&world, 60_000, None);
    ask(&answers, "one").await;
    world.look(Stamp { epoch: 1, seq: 2 }, [(2, tag("b"))]);
    assert_eq!(ask(&answers, "two").await.held.value.0, "one");
    world.look(Stamp { epoch: 1, seq: 3 }, [(3, tag("a"))]);
    assert!(answers.peek("k", Instant::now()).is_none());
    assert_eq!(ask(&answers, "three").await.held.value.0, "three");
    world.look(Stamp { epoch: 2, seq: 3 }, []);
    assert_eq!(ask(&answers, "four").await.held.value.0, "four");
}

#[tokio::test]
async fn what_was_read_before_a_change_is_not_given_after_it() {
    let world = world();
    let answers = over(&world, 60_000, None);
    let slow = {
        let answers = Arc::clone(&answers);
        tokio::spawn(async move {
            let make = async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                keep("before", &["a"])
            };
            got(answers.get_or_make("k", make).await).held.value.clone()
        })
    };
    tokio::time::sleep(Duration::from_millis(10)).await;
    world.look(Stamp { epoch: 1, seq: 2 }, [(2, tag("a"))]);
    // It boards the flight that began before the change, and does not take what lands.
    assert_eq!(ask(&answers, "after").await.held.value.0, "after");
    assert_eq!(slow.await.unwrap().0, "before");
    assert_eq!(ask(&answers, "again").await.held.value.0, "after");
}

#[tokio::test]
async fn what_is_old_is_given_once_more_while_it_is_made_anew() {
    let answers = over(&world(), 30, None);
    ask(&answers, "one").await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let old = ask(&answers, "two").await;
    assert_eq!((&old.held.value.0[..], old.is_fresh()), ("one", false));
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(ask(&answers, "three").await.held.value.0, "two");
}

#[tokio::test]
async fn what_was_there_stands_in_for_a_failure() {
    let world = world();
    let answers = over(&world, 60_000, None);
    let fail = |answers: Answers| async move { answers.get_or_make("k", async { Made::Fail("broken") }).await };
    assert!(matches!(fail(Arc::clone(&answers)).await, Outcome::Passed("broken")));
    ask(&answers, "one").await;
    world.look(Stamp { epoch: 2, seq: 1 }, []);
    let stood_in = got(fail(Arc::clone(&answers)).await);
    assert_eq!((&stood_in.held.value.0[..], stood_in.is_fresh()), ("one", false));
    assert_eq!(ask(&answers, "two").await.held.value.0, "two");
    world.lose_sight();
    assert!(answers.peek("k", Instant::now()).is_none());
    let unseen = ask(&answers, "three").await;
    assert_eq!((&unseen.held.value.0[..], unseen.is_fresh()), ("two", false), "nobody can say whether it is true");
    world.look(Stamp { epoch: 2, seq: 1 }, []);
    assert!(ask(&answers, "four").await.is_fresh());
}

#[tokio::test]
async fn what_is_passed_is_kept_by_nobody() {
    let answers = over(&world(), 60_000, None);
    for _ in 0..2 {
        let outcome = answers.get_or_make("k", async { Made::Pass("own") }).await;
        assert!(matches!(outcome, Outcome::Passed("own")));
    }
}

#[tokio::test]
async fn the_disk_gives_it_back_if_it_still_holds() {
    let (world, disk) = (world(), Arc::new(Disk::default()));
    ask(&over(&world, 60_000, Some(&disk)), "one").await;
    while disk.held().0 == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let found = ask(&over(&world, 60_000, Some(&disk)), "two").await;
    assert_eq!((&found.held.value.0[..], found.from), ("one", From::Tier(Tier::L3)));
    let warm = over(&world, 60_000, Some(&disk));
    assert_eq!((warm.warm_up(), warm.peek("k", Instant::now()).map(|got| got.from)), (1, Some(From::Tier(Tier::L1))));
    world.look(Stamp { epoch: 1, seq: 2 }, [(2, tag("a"))]);
    assert_eq!(over(&world, 60_000, Some(&disk)).warm_up(), 0);
    assert_eq!(ask(&over(&world, 60_000, Some(&disk)), "three").await.held.value.0, "three");
}

#[tokio::test]
async fn memory_stays_within_its_entries() {
    let answers = over(&world(), 60_000, None);
    for n in 0..1_000 {
        got(answers.get_or_make(&format!("k{n}"), async { keep("x", &[]) }).await);
    }
    let held = (0..1_000).filter(|n| answers.peek(&format!("k{n}"), Instant::now()).is_some()).count();
    assert!((50..=100).contains(&held), "{held}");
}
