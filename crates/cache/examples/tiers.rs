//! What a hit costs in memory and in Redis beside their bare selves, and what early recomputing saves beside a plain time to live.
//!
//! `tiers [redis://…]`: prints Markdown. `redis-benchmark` is asked for the same values over the same wire.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench that cannot go on fails"
)]

use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cache::{Cache, Config, Made, Meters, Outcome, RedisTier, Stamp, Value, World};

const KEYS: usize = 1_000;
const VALUE_BYTES: usize = 1_024;
const LOOKS: usize = 2_000_000;
const ROUNDS: usize = 5;

struct Bytes(Vec<u8>);

impl Value for Bytes {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.to_vec()))
    }

    fn weight(&self) -> usize {
        self.0.len()
    }
}

type Answers = Arc<Cache<Bytes, ()>>;

fn config(entries: usize, ttl: Duration) -> Config {
    let hour = Duration::from_secs(3_600);
    Config {
        l1_entries: entries,
        l1_bytes: (entries * VALUE_BYTES * 4) as u64,
        l1_ttl: ttl,
        l2_ttl: hour,
        l3_ttl: hour,
        negative_ttl: ttl,
        stale: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        lock: Duration::from_secs(5),
    }
}

fn cache(entries: usize, ttl: Duration, redis: Option<RedisTier>) -> Answers {
    let world = Arc::new(World::since(0));
    world.look(Stamp { epoch: 1, seq: 1 }, []);
    Arc::new(Cache::new(config(entries, ttl), world, Meters::new("bench").unwrap(), redis, None))
}

fn keep() -> Made<Bytes, ()> {
    Made::Keep { value: Bytes(vec![7; VALUE_BYTES]), tags: Vec::new(), negative: false }
}

fn key(n: usize) -> String {
    format!("/api/v1/contracts?cursor={n:08}")
}

/// Nanoseconds of a look, as one of `threads` sees it: the median of some rounds.
fn looks(threads: usize, look: &(dyn Fn(usize) + Sync)) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            std::thread::scope(|scope| {
                for thread in 0..threads {
                    scope.spawn(move || (0..LOOKS).for_each(|n| look((n * 7 + thread * 131) % KEYS)));
                }
            });
            started.elapsed().as_nanos() as f64 / LOOKS as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

async fn memory() {
    let ours = cache(KEYS * 2, Duration::from_secs(3_600), None);
    let bare: quick_cache::sync::Cache<Arc<str>, Arc<Vec<u8>>> = quick_cache::sync::Cache::new(KEYS * 2);
    let keys: Vec<String> = (0..KEYS).map(key).collect();
    for key in &keys {
        let _ = ours.get_or_make(key, async { keep() }).await;
        bare.insert(Arc::from(key.as_str()), Arc::new(vec![7; VALUE_BYTES]));
    }
    println!("| threads | hit in memory, ns | quick_cache bare, ns | ratio | ours: looks/s |\n|---|---|---|---|---|");
    for threads in [1, 2, 4] {
        let own = looks(threads, &|n| assert!(black_box(ours.peek(&keys[n], Instant::now())).is_some()));
        let their = looks(threads, &|n| assert!(black_box(bare.get(keys[n].as_str())).is_some()));
        let rate = threads as f64 * 1e9 / own;
        println!("| {threads} | {own:.0} | {their:.0} | {:.2} | {rate:.2e} |", own / their);
    }
}

fn quantile(sorted: &[Duration], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
}

async fn second_tier(url: &str) {
    let ours = cache(1, Duration::from_secs(3_600), Some(RedisTier::at(url, "bench:".into(), KEYS * 2).unwrap()));
    for n in 0..KEYS {
        let _ = ours.get_or_make(&key(n), async { keep() }).await;
    }
    println!(
        "\n| callers | hit in Redis: /s, p50, p99 ms | `redis-benchmark` GET: /s, p50 ms | ratio of /s |\n|---|---|---|---|"
    );
    for callers in [1, 50] {
        let (total, made) = (20_000 * callers.min(5), Arc::new(AtomicUsize::new(0)));
        let started = Instant::now();
        let tasks: Vec<_> = (0..callers)
            .map(|caller| {
                let (ours, made) = (Arc::clone(&ours), Arc::clone(&made));
                tokio::spawn(async move {
                    let mut took = Vec::new();
                    for n in 0..total / callers {
                        let (asked, made) = (Instant::now(), Arc::clone(&made));
                        let key = key((n * 7 + caller * 13) % KEYS);
                        let found = ours.get_or_make(&key, async move {
                            made.fetch_add(1, Ordering::Relaxed);
                            keep()
                        });
                        assert!(matches!(found.await, Outcome::Got(_)));
                        took.push(asked.elapsed());
                    }
                    took
                })
            })
            .collect();
        let mut took = Vec::new();
        for task in tasks {
            took.extend(task.await.unwrap());
        }
        let rate = took.len() as f64 / started.elapsed().as_secs_f64();
        took.sort();
        let (their, their_p50) = bare_redis(url, callers, total);
        println!(
            "| {callers} | {rate:.0}, {:.3}, {:.3} | {their:.0}, {their_p50:.3} | {:.2} |",
            quantile(&took, 0.5),
            quantile(&took, 0.99),
            rate / their
        );
        assert!(made.load(Ordering::Relaxed) * 50 < total, "{made:?} of {total} were not hits");
    }
}

fn bare_redis(url: &str, callers: usize, total: usize) -> (f64, f64) {
    let port = url.rsplit(':').next().unwrap().trim_end_matches('/');
    let run = Command::new("redis-benchmark")
        .args(["-p", port, "-t", "set,get", "-d", &VALUE_BYTES.to_string(), "-r", &KEYS.to_string(), "--csv"])
        .args(["-c", &callers.to_string(), "-n", &total.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8(run.stdout).unwrap();
    let get = said.lines().find(|line| line.starts_with("\"GET\"")).unwrap();
    let fields: Vec<f64> = get.split(',').skip(1).map(|field| field.trim_matches('"').parse().unwrap()).collect();
    (fields[0], fields[3])
}

/// How long callers waited, and how often it was made.
async fn callers<F, Fut>(ask: F) -> (Vec<Duration>, usize)
where
    F: Fn(Arc<AtomicUsize>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let made = Arc::new(AtomicUsize::new(0));
    let until = Instant::now() + Duration::from_secs(8);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (ask, made) = (ask.clone(), Arc::clone(&made));
            tokio::spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < until {
                    let asked = Instant::now();
                    ask(Arc::clone(&made)).await;
                    took.push(asked.elapsed());
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    took.sort();
    let made = made.load(Ordering::Relaxed);
    (took, made)
}

const TTL: Duration = Duration::from_millis(250);
const COST: Duration = Duration::from_millis(40);

async fn make(made: Arc<AtomicUsize>) {
    made.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(COST).await;
}

async fn early() {
    println!(
        "\n| one key, 250 ms to live, 40 ms to make, 16 callers, 8 s | made | p50 ms | p99 ms | longest ms |\n|---|---|---|---|---|"
    );
    let tell = |name: &str, (took, made): (Vec<Duration>, usize)| {
        println!(
            "| {name} | {made} | {:.3} | {:.2} | {:.1} |",
            quantile(&took, 0.5),
            quantile(&took, 0.99),
            quantile(&took, 1.0)
        );
    };
    let ours = cache(10, TTL, None);
    let asked = callers(move |made| {
        let ours = Arc::clone(&ours);
        async move {
            let made = async move {
                make(made).await;
                keep()
            };
            let _ = ours.get_or_make("k", made).await;
        }
    });
    tell("made early by one (XFetch)", asked.await);
    let alone = Arc::new(tokio::sync::Mutex::new(Instant::now()));
    let asked = callers(move |made| {
        let alone = Arc::clone(&alone);
        async move {
            let mut expires = alone.lock().await;
            if *expires <= Instant::now() {
                make(made).await;
                *expires = Instant::now() + TTL;
            }
        }
    });
    tell("plain time to live, one makes it and all wait", asked.await);
    let plain = Arc::new(Mutex::new(Instant::now()));
    let asked = callers(move |made| {
        let plain = Arc::clone(&plain);
        async move {
            let expired = *plain.lock().unwrap() <= Instant::now();
            if expired {
                make(made).await;
                *plain.lock().unwrap() = Instant::now() + TTL;
            }
        }
    });
    tell("plain time to live, whoever misses makes it", asked.await);
}

#[tokio::main]
async fn main() {
    memory().await;
    if let Some(url) = std::env::args().nth(1) {
        second_tier(&url).await;
    }
    early().await;
}
