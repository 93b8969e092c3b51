//! What holds of every strategy, whatever the units do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::*;

/// What a unit does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    Succeeds,
    Fails,
    Panics,
    Hangs,
}

#[derive(Debug, Clone, Copy)]
struct Job {
    ms: u64,
    does: Does,
}

fn jobs() -> impl Strategy_<Value = Vec<Job>> {
    let does = prop_oneof![
        12 => Just(Does::Succeeds), 2 => Just(Does::Fails), 1 => Just(Does::Panics), 1 => Just(Does::Hangs)
    ];
    proptest::collection::vec((0_u64..50, does).prop_map(|(ms, does)| Job { ms, does }), 0..40)
}

use proptest::strategy::Strategy as Strategy_;

fn policies() -> impl Strategy_<Value = Policy> {
    prop_oneof![
        Just(Policy::All),
        Just(Policy::BestEffort),
        Just(Policy::FirstSuccess),
        (1_usize..20).prop_map(Policy::Quorum)
    ]
}

#[derive(Default)]
struct Seen {
    running: AtomicUsize,
    most: AtomicUsize,
    by_worker: Mutex<Vec<(usize, usize)>>,
}

struct Running(Arc<Seen>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn job(at: usize, job: Job, turn: Turn, seen: Arc<Seen>) -> Result<usize, String> {
    assert_eq!(at, turn.unit);
    let running = seen.running.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most.fetch_max(running, Ordering::SeqCst);
    seen.by_worker.lock().unwrap().push((turn.unit, turn.worker));
    let _running = Running(Arc::clone(&seen));
    sleep(Duration::from_millis(job.ms)).await;
    match job.does {
        Does::Succeeds => Ok(at),
        Does::Fails => Err("no".to_owned()),
        Does::Panics => std::panic::panic_any("planned"),
        Does::Hangs => std::future::pending().await,
    }
}

fn quietly<T>(future: impl Future<Output = T>) -> T {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |told| {
            if told.payload().downcast_ref() != Some(&"planned") {
                hook(told);
            }
        }));
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future)
}

/// What the policy must have made of it.
fn check(gathered: &Gathered<usize>, jobs: &[Job], policy: Policy) {
    let (mut done, mut bad) = (0, 0);
    for (at, unit) in gathered.units.iter().enumerate() {
        match (unit, jobs[at].does) {
            (Ended::Done(value), Does::Succeeds) => {
                assert_eq!(*value, at, "results stand in the order of the units");
                done += 1;
            }
            (Ended::Failed(_), Does::Fails | Does::Panics) | (Ended::Late, Does::Hangs) => bad += 1,
            (Ended::Unfinished, _) => {}
            other => panic!("{other:?}"),
        }
    }
    let can = jobs.iter().filter(|job| job.does == Does::Succeeds).count();
    match (policy, gathered.why) {
        (Policy::All, Why::Done) => assert_eq!((done, bad), (jobs.len(), 0)),
        (Policy::All, Why::Lost) => assert!(bad > 0),
        (Policy::BestEffort, Why::Done) => assert_eq!(done, can),
        (Policy::FirstSuccess, Why::Done | Why::Enough) => assert!(done >= 1),
        (Policy::Quorum(n), Why::Done | Why::Enough) => assert!(done >= n),
        (Policy::FirstSuccess, Why::Lost) => assert_eq!(can, 0),
        (Policy::Quorum(n), Why::Lost) => assert!(can < n),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn units_are_bounded_ordered_and_end_by_the_policy(
        jobs in jobs(), workers in 1_usize..8, policy in policies(), in_turn in any::<bool>()
    ) {
        quietly(async {
            let seen = Arc::new(Seen::default());
            let bounds = Bounds { policy, unit_deadline: Some(Duration::from_secs(1)), ..Bounds::workers(workers) };
            let work = |(at, one): (usize, Job), turn: Turn| job(at, one, turn, Arc::clone(&seen));
            let units = jobs.clone().into_iter().enumerate();
            let gathered = if in_turn {
                round_robin(units, &bounds, work).await
            } else {
                scatter_gather(units, &bounds, work).await
            };
            check(&gathered, &jobs, policy);
            assert!(seen.most.load(Ordering::SeqCst) <= workers);
            assert_eq!(seen.running.load(Ordering::SeqCst), 0, "nothing runs on");
            if in_turn {
                assert!(seen.by_worker.lock().unwrap().iter().all(|(unit, worker)| unit % workers == *worker));
            }
        });
    }

    #[test]
    fn a_reduction_is_the_fold_over_what_succeeded_in_order(jobs in jobs(), workers in 1_usize..8) {
        quietly(async {
            let seen = Arc::new(Seen::default());
            let bounds = Bounds { unit_deadline: Some(Duration::from_secs(1)), ..Bounds::workers(workers) };
            let work = |(at, one): (usize, Job), turn: Turn| job(at, one, turn, Arc::clone(&seen));
            let units = jobs.clone().into_iter().enumerate();
            let reduced = map_reduce(units, &bounds, work, Vec::new(), |mut all: Vec<usize>, one| {
                all.push(one);
                all
            })
            .await;
            let wanted: Vec<usize> = (0..jobs.len()).filter(|at| jobs[*at].does == Does::Succeeds).collect();
            assert_eq!(reduced.done, wanted.len());
            assert_eq!(reduced.missing.len(), jobs.len() - wanted.len());
            assert_eq!(reduced.value, wanted);
        });
    }

    #[test]
    fn what_may_be_worked_on_never_exceeds_the_workers_and_gets_to_the_end(
        total in 0_usize..30, workers in 1_usize..8, order in any::<u64>(), at in 0_usize..4
    ) {
        let strategy = super::Strategy::ALL[at];
        let mut ended = vec![false; total];
        let mut order = order;
        let mut handed: Vec<usize> = Vec::new();
        for _ in 0..total {
            let ready = strategy.ready(workers, &ended);
            prop_assert!(!ready.is_empty() && ready.len() <= workers);
            // What was handed out and has not ended is among them still.
            prop_assert!(handed.iter().all(|unit| ended[*unit] || ready.contains(unit)));
            handed.clone_from(&ready);
            order = order.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ended[ready[(order >> 33) as usize % ready.len()]] = true;
        }
        prop_assert!(strategy.ready(workers, &ended).is_empty());
    }
}

#[test]
fn units_are_pulled_only_when_a_worker_is_free() {
    quietly(async {
        let pulled = AtomicUsize::new(0);
        let done = Arc::new(AtomicUsize::new(0));
        let units = std::iter::repeat_with(|| pulled.fetch_add(1, Ordering::SeqCst)).take(1_000);
        let gathered = scatter_gather(units, &Bounds::workers(3), |at, _| {
            let done = Arc::clone(&done);
            async move {
                sleep(Duration::from_millis(1)).await;
                assert!(at < done.fetch_add(1, Ordering::SeqCst) + 3);
                Ok::<_, String>(())
            }
        })
        .await;
        assert_eq!(gathered.why, Why::Done);
        assert!(!gathered.is_partial());
    });
}

#[test]
fn a_slow_unit_holds_back_a_reduction_that_runs_ahead_of_it() {
    quietly(async {
        let pulled = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pulled);
        let units = (0..1_000).inspect(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let bounds = Bounds { total_deadline: Some(Duration::from_secs(5)), ..Bounds::workers(2) };
        let reduced = map_reduce(
            units,
            &bounds,
            |at, _| async move { if at == 0 { std::future::pending().await } else { Ok(1) } },
            0,
            |sum, one| sum + one,
        )
        .await;
        assert_eq!(reduced.why, Why::Deadline);
        assert!(pulled.load(Ordering::SeqCst) <= 9, "{pulled:?}");
        assert_eq!(reduced.missing[0], (0, Ended::Unfinished));
        assert_eq!(reduced.value, reduced.done);
    });
}

#[test]
fn the_deadline_for_all_gives_what_there_is_and_names_it_partial() {
    quietly(async {
        let bounds = Bounds { total_deadline: Some(Duration::from_millis(95)), ..Bounds::workers(2) };
        let started = Instant::now();
        let gathered = scatter_gather(0..100, &bounds, |at, _| async move {
            sleep(Duration::from_millis(10)).await;
            Ok::<_, String>(at)
        })
        .await;
        assert_eq!((gathered.why, started.elapsed().as_millis()), (Why::Deadline, 95));
        assert!(gathered.is_partial());
        assert_eq!(gathered.done().collect::<Vec<_>>(), (0..18).collect::<Vec<_>>());
    });
}

#[tokio::test]
async fn a_stop_from_outside_reaches_work_on_a_thread() {
    let bounds = Bounds::workers(4);
    let noticed = Arc::new(AtomicUsize::new(0));
    let stopper = bounds.stop.clone();
    tokio::spawn(async move {
        sleep(Duration::from_millis(30)).await;
        stopper.cancel();
    });
    let gathered = scatter_gather(0..100, &bounds, |_, turn| {
        let noticed = Arc::clone(&noticed);
        async move {
            let work = move || {
                while !turn.is_over() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                noticed.fetch_add(1, Ordering::SeqCst);
            };
            tokio::task::spawn_blocking(work).await.map_err(|e| e.to_string())
        }
    })
    .await;
    assert_eq!((gathered.why, gathered.units.len()), (Why::Stopped, 4));
    let started = std::time::Instant::now();
    while noticed.load(Ordering::SeqCst) < 4 {
        assert!(started.elapsed() < Duration::from_secs(5), "all four were told");
        sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn a_pipeline_has_one_unit_in_each_stage_and_keeps_their_order() {
    quietly(async {
        let seen: Arc<Mutex<Vec<(usize, u64)>>> = Arc::default();
        let stage = |number: usize, ms: u64| -> Stage<u64> {
            let seen = Arc::clone(&seen);
            let inside = Arc::new(AtomicUsize::new(0));
            Arc::new(move |unit, _| {
                let (seen, inside) = (Arc::clone(&seen), Arc::clone(&inside));
                Box::pin(async move {
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                    sleep(Duration::from_millis(ms)).await;
                    seen.lock().unwrap().push((number, unit));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    Ok(unit)
                })
            })
        };
        let stages = [stage(0, 1), stage(1, 10), stage(2, 1)];
        let started = Instant::now();
        let gathered = pipeline(0..20, &Bounds::workers(3), &stages).await;
        assert_eq!(gathered.done().collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
        // The slowest stage sets the pace: 20 × 10 ms and the ends, not 20 × 12.
        assert!(started.elapsed() < Duration::from_millis(210), "{:?}", started.elapsed());
        for number in 0..3 {
            let order: Vec<u64> = seen.lock().unwrap().iter().filter(|s| s.0 == number).map(|s| s.1).collect();
            assert_eq!(order, (0..20).collect::<Vec<_>>());
        }
    });
}
