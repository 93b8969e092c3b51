//! Workers: threads that take tasks, do them, and acknowledge after the effect.
//!
//! A worker holds a task for a lease that a pulse renews while it works; when its process dies the lease runs out and another
//! takes the task over. What fails is tried again later, and in the end recorded where people look (the investigation) and
//! put among the dead letters. Whoever finds its task taken back or taken over stops at once and leaves no effect.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use agents::pool::Guard;
use events::{Backoff, Clock, Fate, Group, Task};
use trace::{Current, Kind, Span};

use super::investigations::{FLAG, PART, PLAN, STEP, WRITE, unit_of};
use super::shift::Shift;
use super::watching::Because;
pub(crate) use super::watching::Watch;
use crate::agents::Desks;
use crate::{App, Error, Result};

/// Which events are whose task.
const GROUPS: [Group; 2] = [
    Group { topic: PLAN, kinds: &["investigation.requested"] },
    Group { topic: WRITE, kinds: &["investigation.writing"] },
];
/// What workers take, first things first.
const TOPICS: [&str; 5] = [WRITE, PLAN, STEP, PART, FLAG];
/// How often workers look for tasks of other processes, whose bell they do not hear.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often it is seen to it that tasks are still their workers'.
const PULSE: Duration = Duration::from_millis(250);
/// How long a stop waits for workers.
const GRACE: Duration = Duration::from_secs(8);
/// The longest wait before another attempt.
const BACKOFF_MAX: Duration = Duration::from_secs(60);

/// Whether it was told that the database is away: once is enough.
static DATABASE_AWAY: AtomicBool = AtomicBool::new(false);

/// A task that this process is at.
struct HeldTask {
    task: Task,
    worker: String,
    watch: Arc<Watch>,
    renewed: Instant,
}

/// The tasks that this process is at.
#[derive(Default)]
pub(crate) struct Held {
    tasks: Mutex<Vec<HeldTask>>,
    /// Threads that work tasks off.
    workers: AtomicU64,
}

impl Held {
    fn tasks(&self) -> MutexGuard<'_, Vec<HeldTask>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.tasks().len()
    }

    /// Stops those whose key starts so, or all; again and again for who does not listen between two queries.
    pub(crate) fn stop_those_of(&self, prefix: &str) {
        for held in self.tasks().iter().filter(|held| held.task.key.starts_with(prefix)) {
            held.watch.stop();
        }
    }
}

/// The workers of a process.
pub struct Workers {
    app: App,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Lets every worker put its task back, and waits for them, for a while: who is still at it then leaves its task to its lease.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.app.bell().ring();
        self.app.held().stop_those_of("");
        // Who waits in line is told too.
        self.app.stop_agents();
        let deadline = Instant::now() + GRACE;
        while self.threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl App {
    /// Starts as many workers as the settings say, with the relay and the pulse that they need.
    #[must_use]
    pub fn start_workers(&self) -> Workers {
        self.start_workers_at_least(1)
    }

    /// As [`App::start_workers`], and so many threads at least.
    #[must_use]
    pub fn start_workers_at_least(&self, threads_min: u64) -> Workers {
        self.start_agents();
        if let Err(error) = self.log().take_over() {
            self.note_trouble("taking over tasks", &error.into());
        }
        self.mend_times();
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        let mut start = |name: String, work: fn(&Self, &AtomicBool)| {
            let (app, stop) = (self.clone(), Arc::clone(&stop));
            match std::thread::Builder::new().name(name).spawn(move || work(&app, &stop)) {
                Ok(thread) => threads.push(thread),
                Err(error) => tracing::error!(%error, "a thread could not be started"),
            }
        };
        start("relay".to_owned(), Self::keep_relaying);
        start("pulse".to_owned(), Self::keep_pulse);
        let workers = self.settings().work.workers.max(threads_min);
        self.held().workers.store(workers, Ordering::Relaxed);
        for n in 1..=workers {
            start(format!("worker-{n}"), Self::keep_working);
        }
        Workers { app: self.clone(), stop, threads }
    }

    /// Threads that work tasks off in this process.
    pub(crate) fn workers_max(&self) -> u64 {
        self.held().workers.load(Ordering::Relaxed)
    }

    fn keep_relaying(&self, stop: &AtomicBool) {
        let (mut away, mut clock) = (false, Clock::default());
        while !stop.load(Ordering::Acquire) {
            if clock.was_set() {
                tracing::warn!("the machine's clock was set: waiting tasks are given hours of the new one");
                self.mend_times();
            }
            let heard = self.bell().rings();
            let log = self.log();
            // Most looks find nothing: those need not become writers.
            let published = match log.lag(events::CURSOR) {
                Ok(0) => Ok(0),
                lag => lag.and_then(|_| events::relay(&*log, &GROUPS)),
            };
            let handed_on = published.and_then(|published| Ok(published + log.hand_on()?));
            self.tell_of_redis(&handed_on, &mut away);
            if handed_on.is_ok() && DATABASE_AWAY.swap(false, Ordering::AcqRel) {
                tracing::info!("the database is back: tasks are worked off");
            }
            match handed_on {
                Ok(0) => self.bell().wait(heard, LOOK_EVERY),
                Ok(_) => {}
                Err(error) => self.note_trouble("the relay", &error.into()),
            }
        }
    }

    /// Who waits for an hour of a clock that was set back waits no longer than it should.
    fn mend_times(&self) {
        if let Err(error) = self.log().mend_times(BACKOFF_MAX, self.lease()) {
            self.note_trouble("mending times", &error.into());
        }
    }

    /// Says once that Redis is away, and once that it is back.
    fn tell_of_redis(&self, handed_on: &events::Result<usize>, away: &mut bool) {
        match handed_on {
            Err(events::Error::Redis(because)) if !std::mem::replace(away, true) => {
                tracing::warn!(because, "Redis is away: tasks wait in the database");
            }
            Ok(_) if self.redis().is_some() && std::mem::replace(away, false) => {
                tracing::info!("Redis is back: tasks are handed on");
            }
            _ => {}
        }
    }

    /// Renews leases before they run out, and stops who lost its task.
    fn keep_pulse(&self, stop: &AtomicBool) {
        let lease = self.lease();
        while !stop.load(Ordering::Acquire) || !self.held().tasks().is_empty() {
            std::thread::sleep(PULSE);
            let held: Vec<(Task, String, Arc<Watch>, bool)> = self
                .held()
                .tasks()
                .iter()
                .map(|h| (h.task.clone(), h.worker.clone(), Arc::clone(&h.watch), h.renewed.elapsed() > lease / 3))
                .collect();
            for (task, worker, watch, due) in held {
                watch.look();
                // Who does not listen loses its task when its lease runs out.
                let due = due && !matches!(watch.because(), Some(because) if because != Because::Taken);
                let log = self.log();
                let still = if due { log.renew(&task, &worker, lease) } else { log.is_held(&task, &worker) };
                match still {
                    Ok(true) if due => {
                        let mut tasks = self.held().tasks();
                        if let Some(held) = tasks.iter_mut().find(|held| held.task.id == task.id) {
                            held.renewed = Instant::now();
                        }
                    }
                    Ok(true) => {}
                    Ok(false) => watch.stop(),
                    // Nobody can take it over meanwhile.
                    Err(events::Error::Redis(error)) => tracing::debug!(error, "a lease could not be renewed"),
                    Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
                }
                if stop.load(Ordering::Acquire) {
                    watch.stop();
                }
            }
        }
    }

    fn keep_working(&self, stop: &AtomicBool) {
        let worker = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
        while !stop.load(Ordering::Acquire) {
            let heard = self.bell().rings();
            match self.log().take(&TOPICS, &worker, self.lease()) {
                Ok(Some(task)) => self.do_task(&task, &worker, stop),
                Ok(None) => self.bell().wait(heard, LOOK_EVERY),
                Err(error) => self.note_trouble("a worker", &error.into()),
            }
        }
    }

    fn do_task(&self, task: &Task, worker: &str, stop: &AtomicBool) {
        let watch = Arc::new(Watch::default());
        let held = HeldTask {
            task: task.clone(),
            worker: worker.to_owned(),
            watch: Arc::clone(&watch),
            renewed: Instant::now(),
        };
        self.held().tasks().push(held);
        if stop.load(Ordering::Acquire) {
            watch.stop();
        }
        let agent = self.agent_of(task);
        let (place, started) = (task.place(), Instant::now());
        let work = Current::begin(place, None);
        let mut span = Span::first(&work, place, Kind::Consumer).map(|span| span.named(task.topic.clone()));
        let _here = work.enter();
        let ended = match self.agent_for_work(&agent) {
            Ok(desk) => self.do_with(task, worker, stop, &watch, &agent, desk),
            Err(error) => {
                // No attempt is lost by waiting in line.
                tracing::info!(topic = task.topic, key = task.key, %error, "a task is put back");
                self.log().release(task, worker).map_err(Error::from)
            }
        };
        self.held().tasks().retain(|held| held.task.id != task.id || held.worker != worker);
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(topic = task.topic, key = task.key, attempt = task.attempt, agent, took_ms, "a task ended");
        if let Some(span) = &mut span {
            span.tell("messaging.destination.name", task.topic.clone());
            span.tell("cidadao.task", task.key.clone());
            span.tell("cidadao.agent", agent);
            span.tell("cidadao.attempt", i64::from(task.attempt));
            if ended.is_err() {
                span.fail();
            }
        }
        if let Err(error) = ended
            && !matches!(error, Error::Stopped)
        {
            // Its lease runs out, and it is done again.
            self.note_trouble("a task's end", &error);
        }
    }

    /// Does a task with its agent, and says how it ended.
    fn do_with(
        &self,
        task: &Task,
        worker: &str,
        stop: &AtomicBool,
        watch: &Watch,
        agent: &str,
        desk: Option<Guard<Desks>>,
    ) -> Result<()> {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            // Within, so that an instance whose work panics is thrown away.
            let mut desk = desk;
            let shift = Shift::begin(agent, desk.as_ref().map(Guard::id));
            if let Some(desk) = &desk {
                watch.is_done_by(desk.stop());
            }
            let done = self.perform(task, watch, &shift);
            if let (Some(desk), Err(error)) = (&mut desk, &done)
                && !matches!(error, Error::Stopped)
            {
                desk.failed();
            }
            done
        }));
        let done = done.unwrap_or_else(|_| Err(Error::Failed("failed inside; the cause is in the log".to_owned())));
        match &done {
            Ok(()) => self.patiently(watch, || Ok(self.log().ack(task, worker).map(|_| ())?)),
            Err(Error::Stopped) if stop.load(Ordering::Acquire) => {
                self.log().release(task, worker).map_err(Error::from)
            }
            Err(Error::Stopped) => match watch.because() {
                Some(Because::Hung) => {
                    let took = self.settings().agents.use_max_s;
                    self.end_failed(task, worker, &Error::Failed(format!("its agent took more than {took} s")))
                }
                Some(because @ (Because::TaskDeadline | Because::TotalDeadline)) => {
                    self.until_written(|| self.end_late(task, because)).and_then(|()| {
                        self.log().ack(task, worker)?;
                        Ok(())
                    })
                }
                // Taken back, or taken over.
                _ => Ok(()),
            },
            Err(error) => self.patiently(watch, || self.end_failed(task, worker, error)),
        }
    }

    /// Whose task it is.
    fn agent_of(&self, task: &Task) -> String {
        let said = task.body["agent"].as_str();
        let of_flag = || self.roster().of_flag(flag_of(&task.body).1).map(|agent| agent.key);
        match task.topic.as_str() {
            PLAN => "abaporu",
            WRITE => "tiradentes",
            _ => said.or_else(of_flag).unwrap_or("abaporu"),
        }
        .to_owned()
    }

    fn perform(&self, task: &Task, watch: &Watch, shift: &Shift) -> Result<()> {
        if task.attempt > self.now().work.attempts_max {
            let because = format!("its worker died at each of {} attempts", task.attempt - 1);
            return Err(Error::Failed(because));
        }
        match task.topic.as_str() {
            FLAG | PART | STEP => {
                let unit = unit_of(&task.topic, &task.body);
                let unit = unit.ok_or_else(|| Error::Failed("a task that says not what to do".to_owned()))?;
                self.work_on(flag_of(&task.body).0, &unit, task.attempt, watch, shift)
            }
            PLAN => self.patiently(watch, || self.plan_investigation(investigation_of(&task.body), shift)),
            WRITE => self.write_up_investigation(investigation_of(&task.body), watch, shift),
            other => Err(Error::Failed(format!("nobody does `{other}`"))),
        }
    }

    /// Tries again later; or records the failure first, and puts the task among the dead letters then.
    fn end_failed(&self, task: &Task, worker: &str, error: &Error) -> Result<()> {
        let fate = match error {
            Error::NotFound { .. } | Error::Invalid { .. } => Fate::Dead,
            _ => self.backoff().after(task.attempt),
        };
        tracing::warn!(topic = task.topic, key = task.key, attempt = task.attempt, %error, ?fate, "a task failed");
        if fate == Fate::Dead {
            self.record_failure(task, &error.to_string())?;
        }
        self.log().fail(task, worker, &error.to_string(), fate)?;
        Ok(())
    }

    /// A deadline passed while a task was worked on.
    fn end_late(&self, task: &Task, because: Because) -> Result<()> {
        let id = flag_of(&task.body).0;
        match (because, unit_of(&task.topic, &task.body)) {
            (Because::TaskDeadline, Some(unit)) => {
                self.give_up_unit(id, &unit, task.attempt, "the deadline for one task passed")
            }
            _ => self.run_out_investigation(id),
        }
    }

    fn record_failure(&self, task: &Task, error: &str) -> Result<()> {
        let recorded = match unit_of(&task.topic, &task.body) {
            Some(unit) => self.give_up_unit(flag_of(&task.body).0, &unit, task.attempt, error),
            None => self.fail_investigation(investigation_of(&task.body), error),
        };
        match recorded {
            // A letter about nothing is a letter still.
            Err(Error::NotFound { .. }) => Ok(()),
            recorded => recorded,
        }
    }

    /// Does `work` again while another writer holds the database, unless it is stopped.
    pub(crate) fn patiently<T>(&self, watch: &Watch, work: impl Fn() -> Result<T>) -> Result<T> {
        loop {
            watch.check()?;
            match work() {
                Err(Error::Locked(_)) => {}
                Err(Error::Store(error)) if error.is_away() => std::thread::sleep(LOOK_EVERY),
                Err(Error::Store(error)) if error.is_busy() => {}
                done => return done,
            }
        }
    }

    /// Does `work` again until no other writer is in its way.
    pub(crate) fn until_written(&self, work: impl Fn() -> Result<()>) -> Result<()> {
        self.patiently(&Watch::default(), work)
    }

    fn note_trouble(&self, who: &str, error: &Error) {
        if matches!(error, Error::Store(error) if error.is_away()) {
            if !DATABASE_AWAY.swap(true, Ordering::AcqRel) {
                tracing::warn!(%error, "the database is away: tasks wait for it");
            }
        } else if matches!(error, Error::Store(error) if error.is_busy()) {
            tracing::debug!("{who} waits for another writer");
        } else if matches!(error, Error::Redis(_)) {
            // Which the relay tells, once.
            tracing::debug!(%error, "{who} waits for Redis");
        } else {
            tracing::error!(%error, "{who} could not go on; it tries again");
        }
        std::thread::sleep(LOOK_EVERY);
    }

    fn lease(&self) -> Duration {
        Duration::from_secs(self.settings().work.lease_s)
    }

    fn backoff(&self) -> Backoff {
        let work = self.now().work.clone();
        Backoff { first: Duration::from_millis(work.backoff_ms), longest: BACKOFF_MAX, attempts_max: work.attempts_max }
    }
}

pub(crate) fn flag_of(body: &serde_json::Value) -> (&str, &str) {
    (body["investigation"].as_str().unwrap_or_default(), body["flag"].as_str().unwrap_or_default())
}

pub(crate) fn investigation_of(body: &serde_json::Value) -> &str {
    let stream = body["stream"].as_str().unwrap_or_default();
    stream.split_once(':').map_or(stream, |(_, id)| id)
}
