//! What the pools and strategies cost, beside bare tokio in the same run: `cargo bench -p agents`.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use agents::pool::{AgentPoolConfig, Breed, Pool};
use agents::strategy::{Bounds, Stage, map_reduce, pipeline, round_robin, scatter_gather};
use futures_util::{StreamExt, stream};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;

const TASKS: u64 = 100_000;
const WORKERS: usize = 16;
const ROUNDS: usize = 5;

struct Desks;

impl Breed for Desks {
    type Agent = u64;

    async fn make(&self) -> Result<u64, String> {
        Ok(0)
    }

    async fn probe(&self, _: &mut u64) -> Result<(), String> {
        Ok(())
    }
}

/// The median of some rounds, in nanoseconds for each of `n`.
fn median(n: u64, mut round: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| round()).collect();
    times.sort_unstable();
    times[ROUNDS / 2].as_secs_f64() * 1e9 / n as f64
}

fn tell(what: &str, ns: f64, bare: f64) {
    println!("{what:<44} {ns:>9.0} ns  {:>6.2} × bare", ns / bare);
}

fn pools() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = Pool::start(
            AgentPoolConfig { uses_max: u64::MAX, ..AgentPoolConfig::default() },
            Desks,
            &Handle::current(),
        );
        drop(pool.acquire(Duration::from_secs(1)).await.unwrap());
        let mut all = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            for _ in 0..TASKS {
                let mut desk = pool.acquire(Duration::from_secs(1)).await.unwrap();
                *desk += 1;
                black_box(&desk);
            }
            all.push(started.elapsed());
        }
        all.sort_unstable();
        println!(
            "{:<44} {:>9.0} ns",
            "acquire and give back, uncontended",
            all[ROUNDS / 2].as_secs_f64() * 1e9 / TASKS as f64
        );
        // 64 tasks for 10 instances.
        let started = Instant::now();
        let mut users = JoinSet::new();
        for _ in 0..64 {
            let pool = pool.clone();
            users.spawn(async move {
                for _ in 0..TASKS / 64 {
                    let desk = pool.acquire(Duration::from_secs(10)).await.unwrap();
                    tokio::task::yield_now().await;
                    drop(desk);
                }
            });
        }
        while users.join_next().await.is_some() {}
        println!(
            "{:<44} {:>9.0} ns",
            "acquire and give back, 64 for 10",
            started.elapsed().as_secs_f64() * 1e9 / TASKS as f64
        );
        let figures = pool.figures();
        println!("  {figures:?}");
    });
}

fn strategies(threads: usize) {
    println!("\n{TASKS} tasks that do nothing, {WORKERS} at once, {threads} thread(s); of each, by task:");
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
    let timed = |work: &dyn Fn() -> Duration| median(TASKS, work);
    let joinset = || {
        runtime.block_on(async {
            let started = Instant::now();
            let mut running = JoinSet::new();
            let mut sum = 0;
            for at in 0..TASKS {
                if running.len() == WORKERS {
                    sum += running.join_next().await.unwrap().unwrap();
                }
                running.spawn(async move { black_box(at) });
            }
            while let Some(done) = running.join_next().await {
                sum += done.unwrap();
            }
            black_box(sum);
            started.elapsed()
        })
    };
    // Once unheard, so that nobody pays for the start.
    let _ = timed(&joinset);
    let bare = timed(&joinset);
    tell("bare: JoinSet, as many at once", bare, bare);
    let unordered = timed(&|| {
        runtime.block_on(async {
            let started = Instant::now();
            let spawned = stream::iter(0..TASKS).map(|at| tokio::spawn(async move { black_box(at) }));
            let sum = spawned.buffer_unordered(WORKERS).fold(0, async |sum, done| sum + done.unwrap()).await;
            black_box(sum);
            started.elapsed()
        })
    });
    tell("bare: spawn in buffer_unordered", unordered, bare);
    let bounds = Bounds::workers(WORKERS);
    let ns = timed(&|| {
        runtime.block_on(async {
            let started = Instant::now();
            black_box(scatter_gather(0..TASKS, &bounds, |at, _| async move { Ok::<_, String>(black_box(at)) }).await);
            started.elapsed()
        })
    });
    tell("scatter_gather", ns, bare);
    let ns = timed(&|| {
        runtime.block_on(async {
            let started = Instant::now();
            black_box(round_robin(0..TASKS, &bounds, |at, _| async move { Ok::<_, String>(black_box(at)) }).await);
            started.elapsed()
        })
    });
    tell("round_robin", ns, bare);
    let ns = timed(&|| {
        runtime.block_on(async {
            let started = Instant::now();
            let map = |at, _| async move { Ok::<_, String>(black_box(at)) };
            black_box(map_reduce(0..TASKS, &bounds, map, 0, |sum, at| sum + at).await.value);
            started.elapsed()
        })
    });
    tell("map_reduce", ns, bare);
    let stage: Stage<u64> = std::sync::Arc::new(|at, _| Box::pin(async move { Ok(black_box(at)) }));
    let ns = timed(&|| {
        runtime.block_on(async {
            let started = Instant::now();
            black_box(pipeline(0..TASKS, &bounds, std::slice::from_ref(&stage)).await);
            started.elapsed()
        })
    });
    tell("pipeline of one stage", ns, bare);
    tell("bare: JoinSet, once more", timed(&joinset), bare);
}

fn main() {
    // Under `cargo test` a bench is only compiled.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    pools();
    strategies(1);
    strategies(2);
}
