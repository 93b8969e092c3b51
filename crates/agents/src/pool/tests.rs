//! A pool under a clock that jumps: everything that can happen to it, by seeds that are printed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::*;

/// How instances of a test behave.
#[derive(Default)]
struct World {
    alive: AtomicUsize,
    most_alive: AtomicUsize,
    unwell: AtomicBool,
    hangs: AtomicBool,
    barren: AtomicBool,
}

/// An instance, counted while it lives.
struct Worker {
    world: Arc<World>,
    sick: bool,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.world.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Workers(Arc<World>);

impl Breed for Workers {
    type Agent = Worker;

    async fn make(&self) -> Result<Worker, String> {
        if self.0.barren.load(Ordering::SeqCst) {
            return Err("nothing to make it of".to_owned());
        }
        let alive = self.0.alive.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_alive.fetch_max(alive, Ordering::SeqCst);
        Ok(Worker { world: Arc::clone(&self.0), sick: false })
    }

    async fn probe(&self, agent: &mut Worker) -> Result<(), String> {
        if self.0.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if agent.sick || self.0.unwell.load(Ordering::SeqCst) { Err("unwell".to_owned()) } else { Ok(()) }
    }
}

fn pool(config: AgentPoolConfig) -> (Pool<Workers>, Arc<World>) {
    let world = Arc::new(World::default());
    (Pool::start(config, Workers(Arc::clone(&world)), &Handle::current()), world)
}

fn small(min_size: usize, max_size: usize) -> AgentPoolConfig {
    AgentPoolConfig { min_size, max_size, ..AgentPoolConfig::default() }
}

const SOON: Duration = Duration::from_secs(1);

async fn a_while() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn the_least_are_there_before_anyone_asks_and_one_that_is_dropped_is_lent_again() {
    let (pool, _) = pool(small(2, 10));
    a_while().await;
    assert_eq!(pool.figures().idle, 2);
    let first = pool.acquire(SOON).await.unwrap().id();
    assert_eq!(pool.acquire(SOON).await.unwrap().id(), first);
    assert_eq!(pool.figures().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn who_asks_first_is_served_first_and_the_deadline_is_told() {
    let (pool, _) = pool(small(1, 1));
    let held = pool.acquire(SOON).await.unwrap();
    let served = Rc::new(RefCell::new(Vec::new()));
    let local = tokio::task::LocalSet::new();
    for n in 0..20 {
        let (pool, served) = (pool.clone(), Rc::clone(&served));
        local.spawn_local(async move {
            // Every third leaves the line before it is served.
            let within = if n % 3 == 0 { Duration::from_millis(10) } else { SOON };
            match pool.acquire(within).await {
                Ok(_guard) => served.borrow_mut().push(n),
                Err(error) => assert_eq!((n % 3, error), (0, AcquireError::Deadline)),
            }
        });
    }
    local.run_until(sleep(Duration::from_millis(50))).await;
    assert_eq!((pool.figures().waiting, pool.figures().missed), (13, 7));
    drop(held);
    local.await;
    assert_eq!(*served.borrow(), (0..20).filter(|n| n % 3 != 0).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn it_grows_when_the_line_stands_and_shrinks_when_nobody_comes_for_long() {
    let (pool, world) = pool(small(2, 6));
    a_while().await;
    let mut guards = Vec::new();
    for _ in 0..6 {
        guards.push(pool.acquire(SOON).await.unwrap());
    }
    assert_eq!(pool.acquire(SOON).await.err(), Some(AcquireError::Deadline));
    assert_eq!(world.most_alive.load(Ordering::SeqCst), 6);
    guards.clear();
    sleep(Duration::from_secs(290)).await;
    assert_eq!(pool.figures().idle + pool.figures().preparing, 6, "idle, but not for long enough");
    sleep(Duration::from_secs(20)).await;
    assert_eq!((pool.figures().idle, pool.figures().let_go), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_uses_any_more_is_let_go_though_nothing_else_happens() {
    let config = AgentPoolConfig { max_idle_time: SOON, ..small(0, 10) };
    let (pool, _) = pool(config);
    let held = pool.acquire(SOON).await.unwrap();
    sleep(SOON / 2).await;
    drop(held);
    sleep(2 * SOON).await;
    assert_eq!((pool.figures().idle, pool.figures().let_go), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_short_wait_makes_no_new_instance() {
    let (pool, world) = pool(small(1, 10));
    let held = pool.acquire(SOON).await.unwrap();
    let waits = tokio::spawn({
        let pool = pool.clone();
        async move { pool.acquire(SOON).await.map(|guard| guard.id()) }
    });
    sleep(Duration::from_millis(15)).await;
    let id = held.id();
    drop(held);
    assert_eq!(waits.await.unwrap().unwrap(), id);
    sleep(SOON).await;
    assert_eq!(world.most_alive.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_instance_whose_use_panicked_is_thrown_away() {
    let (pool, world) = pool(small(1, 1));
    let guard = pool.acquire(SOON).await.unwrap();
    let id = guard.id();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let _ = catch_unwind(AssertUnwindSafe(move || {
        let _used = guard;
        panic!("in use");
    }));
    std::panic::set_hook(hook);
    assert_ne!(pool.acquire(SOON).await.unwrap().id(), id);
    assert_eq!((pool.figures().panicked, world.alive.load(Ordering::SeqCst)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_never_given_back_is_written_off_and_replaced_and_comes_back_for_nothing() {
    let (pool, _) = pool(small(1, 1));
    let leaked = pool.acquire(SOON).await.unwrap();
    let (id, stop) = (leaked.id(), leaked.stop().clone());
    std::mem::forget(leaked);
    let hung = pool.acquire(Duration::from_secs(700)).await.unwrap();
    assert!(stop.is_cancelled() && hung.id() != id);
    sleep(Duration::from_secs(1_300)).await;
    assert!(hung.stop().is_cancelled());
    let hung_id = hung.id();
    drop(hung);
    assert_ne!(pool.acquire(SOON).await.unwrap().id(), hung_id);
    assert_eq!((pool.figures().written_off, pool.figures().in_use), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_its_probes_is_kept_apart_and_comes_back_when_it_is_well() {
    let (pool, world) = pool(small(2, 2));
    a_while().await;
    world.unwell.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(130)).await;
    assert!(pool.figures().quarantined > 0, "{:?}", pool.figures());
    world.unwell.store(false, Ordering::SeqCst);
    sleep(Duration::from_secs(130)).await;
    let figures = pool.figures();
    assert_eq!((figures.quarantined, figures.idle + figures.preparing), (0, 2), "{figures:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_in_its_probe_is_thrown_away_in_the_end() {
    let (pool, world) = pool(small(1, 2));
    a_while().await;
    world.hangs.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(600)).await;
    world.hangs.store(false, Ordering::SeqCst);
    assert!(pool.figures().unfit > 0 && world.alive.load(Ordering::SeqCst) <= 4, "{:?}", pool.figures());
    assert!(pool.acquire(SOON).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_that_lies_in_its_probe_is_found_out_by_its_uses() {
    let (pool, _) = pool(small(1, 1));
    let liar = pool.acquire(SOON).await.unwrap().id();
    for _ in 0..5 {
        let mut guard = pool.acquire(SOON).await.unwrap();
        assert_eq!(guard.id(), liar);
        guard.failed();
    }
    assert_ne!(pool.acquire(SOON).await.unwrap().id(), liar);
    assert_eq!(pool.figures().unfit, 1);
}

#[tokio::test(start_paused = true)]
async fn age_and_uses_wear_one_out() {
    let (pool, world) = pool(AgentPoolConfig { uses_max: 3, ..small(1, 1) });
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..9 {
        ids.insert(pool.acquire(SOON).await.unwrap().id());
    }
    assert_eq!((ids.len(), pool.figures().recycled), (3, 3));
    sleep(Duration::from_secs(3_700)).await;
    assert_eq!((pool.figures().recycled, world.alive.load(Ordering::SeqCst)), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn while_none_can_be_made_the_deadline_is_told_and_later_all_is_well() {
    let (pool, world) = pool(small(1, 2));
    world.barren.store(true, Ordering::SeqCst);
    assert_eq!(pool.acquire(SOON).await.err(), Some(AcquireError::Deadline));
    world.barren.store(false, Ordering::SeqCst);
    assert!(pool.acquire(Duration::from_secs(61)).await.is_ok());
    pool.close();
    assert_eq!(pool.acquire(SOON).await.err(), Some(AcquireError::Closed));
}

/// What the simulation knows of who asked.
#[derive(Default)]
struct Told {
    /// Who stands in line: when they asked, and until when they wait.
    line: std::collections::BTreeMap<u64, Instant>,
    asked: u64,
    served: u64,
    missed: u64,
}

async fn simulate(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let config = AgentPoolConfig {
        min_size: random.random_range(0..4),
        max_size: random.random_range(1..8),
        uses_max: random.random_range(1..50),
        age_max: Duration::from_secs(random.random_range(5..100)),
        use_max: Duration::from_secs(10),
        max_idle_time: Duration::from_secs(random.random_range(1..30)),
        health_check_interval: Duration::from_secs(random.random_range(1..10)),
        grow_after: Duration::from_millis(random.random_range(0..50)),
        ..AgentPoolConfig::default()
    };
    let max_size = config.max_size;
    let (pool, world) = pool(config);
    let told = Rc::new(RefCell::new(Told::default()));
    let local = tokio::task::LocalSet::new();
    for _ in 0..300 {
        let (pool, told, world) = (pool.clone(), Rc::clone(&told), Arc::clone(&world));
        let start = Duration::from_millis(random.random_range(0..60_000));
        let (within, hold) = (random.random_range(1..3_000), random.random_range(0..400));
        let what = random.random_range(0..100);
        local.spawn_local(async move {
            sleep(start).await;
            let asked_at = Instant::now();
            let within = Duration::from_millis(within);
            let place = {
                let told = &mut *told.borrow_mut();
                told.asked += 1;
                told.line.insert(told.asked, asked_at + within);
                told.asked
            };
            let mut guard = match pool.acquire(within).await {
                Ok(guard) => guard,
                Err(error) => {
                    assert_eq!(error, AcquireError::Deadline);
                    assert!(asked_at.elapsed() >= within);
                    let told = &mut *told.borrow_mut();
                    told.line.remove(&place);
                    told.missed += 1;
                    return;
                }
            };
            assert!(asked_at.elapsed() <= within + Duration::from_millis(1), "served after the deadline");
            {
                let told = &mut *told.borrow_mut();
                told.line.remove(&place);
                let before = told.line.range(..place).find(|(_, until)| **until > Instant::now());
                assert!(before.is_none(), "{place} was served before {before:?}");
                told.served += 1;
            }
            let figures = pool.figures();
            assert!(figures.in_use + figures.idle + figures.preparing <= max_size, "{figures:?}");
            sleep(Duration::from_millis(hold)).await;
            match what {
                0..5 => drop(catch_unwind(AssertUnwindSafe(move || {
                    let _used = guard;
                    panic!("in use");
                }))),
                5..10 => guard.failed(),
                10..13 => std::mem::forget(guard),
                13..16 => {
                    // It hangs, until it is told to stop.
                    guard.stop().clone().cancelled().await;
                }
                16..20 => guard.sick = true,
                20..22 => world.unwell.store(true, Ordering::SeqCst),
                22..30 => world.unwell.store(false, Ordering::SeqCst),
                30..32 => world.hangs.store(true, Ordering::SeqCst),
                32..40 => world.hangs.store(false, Ordering::SeqCst),
                40..42 => world.barren.store(true, Ordering::SeqCst),
                42..50 => world.barren.store(false, Ordering::SeqCst),
                _ => {}
            }
        });
    }
    local.await;
    let ended = told.borrow().served + told.borrow().missed;
    assert_eq!(ended, 300, "everyone was served or told of the deadline");
    for broken in [&world.unwell, &world.hangs, &world.barren] {
        broken.store(false, Ordering::SeqCst);
    }
    sleep(Duration::from_secs(200)).await;
    let figures = pool.figures();
    assert_eq!((figures.waiting, figures.in_use), (0, 0), "{figures:?}");
    assert!(figures.idle + figures.preparing >= figures.min_size, "{figures:?}");
    let mut guards = Vec::new();
    for _ in 0..max_size {
        guards.push(pool.acquire(SOON).await.expect("a pool that was left alone is well"));
    }
    assert!(pool.try_acquire().is_none());
}

#[test]
fn whatever_happens_everyone_is_served_or_told_and_never_more_than_the_most_are_there() {
    let first = std::env::var("CIDADAO_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = first.map_or(1..61, |seed: u64| seed..seed + 1);
    let hook = std::panic::take_hook();
    for seed in seeds {
        println!("seed {seed} (CIDADAO_SEED={seed} repeats it)");
        std::panic::set_hook(Box::new(|told| {
            if told.payload().downcast_ref() != Some(&"in use") {
                eprintln!("{told}");
            }
        }));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(simulate(seed));
    }
    std::panic::set_hook(hook);
}
