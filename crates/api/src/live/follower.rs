//! The one thread that follows what happens, for all of a process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use app::queries::{Topic, now_text};
use serde_json::{Value, json};

use super::batch::Message;
use super::hub::Inner;
use super::{Kind, Named};
use crate::problem::Problem;
use crate::rate::Pressure;

/// How often the house is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// How often what stands in no log is looked at: pools of agents, ingests under way.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How often, at most, it is asked how fresh sources are.
const FRESHNESS_EVERY: Duration = Duration::from_secs(1);
/// After a look that failed.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How long one without anything to do sleeps.
const SLEEP: Duration = Duration::from_secs(1);
/// Findings that are told one by one of those that a run touched; of more it is said that they are many.
const FINDINGS_MAX: usize = 1_000;

/// Starts it; says whether it could.
pub(super) fn start(inner: &Arc<Inner>) -> bool {
    let weak = Arc::downgrade(inner);
    let thread = std::thread::Builder::new().name("live".to_owned());
    let started = thread.spawn(move || Follower::default().work(&weak));
    if let Err(error) = &started {
        tracing::error!(%error, "what happens cannot be followed: there is no thread");
    }
    started.is_ok()
}

/// What the thread remembers.
#[derive(Default)]
struct Follower {
    asked_at: Option<Instant>,
    pools: Value,
    progress: Value,
    pressure: Option<Pressure>,
    fresh_at: Option<Instant>,
    /// Sources changed since it was last told how fresh they are.
    is_fresher: bool,
    /// Findings may have been touched.
    has_new_data: bool,
    failed: bool,
}

impl Follower {
    fn work(mut self, hub: &Weak<Inner>) {
        loop {
            let Some(inner) = hub.upgrade() else { return };
            if !inner.is_wanted(SLEEP) {
                inner.rest_if_unused();
                continue;
            }
            let began = Instant::now();
            // There is no other thread that would go on.
            let pause = match catch_unwind(AssertUnwindSafe(|| self.look(&inner))) {
                Ok(Ok(more)) => {
                    self.failed = false;
                    if more { Duration::ZERO } else { LOOK_EVERY }
                }
                Ok(Err(error)) => self.pause_after(&inner, &error.to_string()),
                Err(_) => self.pause_after(&inner, "it failed inside"),
            };
            let next = inner.flush();
            drop(inner);
            let until = (began + pause).min(next.unwrap_or(began + pause));
            std::thread::sleep(until.saturating_duration_since(Instant::now()));
        }
    }

    fn pause_after(&mut self, inner: &Inner, error: &str) -> Duration {
        inner.meters.failed.inc();
        if !std::mem::replace(&mut self.failed, true) {
            tracing::warn!(error, "what happens cannot be followed for now");
        }
        AFTER_FAILURE
    }

    /// Looks at everything that is followed; says whether there is more at once.
    fn look(&mut self, inner: &Inner) -> app::Result<bool> {
        let more = self.look_at_log(inner)?;
        self.look_at_findings(inner)?;
        let due = |at: Option<Instant>, every| at.is_none_or(|at: Instant| at.elapsed() >= every);
        if due(self.asked_at, ASK_EVERY) {
            self.asked_at = Some(Instant::now());
            self.look_at_agents(inner);
            self.look_at_memory(inner);
            self.look_at_ingests(inner)?;
        }
        if self.is_fresher && due(self.fresh_at, FRESHNESS_EVERY) {
            self.tell_freshness(inner)?;
        }
        Ok(more)
    }

    fn look_at_log(&mut self, inner: &Inner) -> app::Result<bool> {
        let news = {
            let mut following = inner.following();
            let awake = following.is_awake;
            let Some(follow) = following.follow.as_mut().filter(|_| awake) else { return Ok(false) };
            follow.look(&inner.app)?
        };
        if !news.told.is_empty() || news.has_new_data {
            inner.meters.looks.with_label_values(&["events"]).inc();
        }
        for (topic, told) in &news.told {
            match topic {
                Topic::Investigation(id) => inner.note(&format!("investigation:{id}"), told),
                Topic::Agents => inner.note("agents", told),
                Topic::Sources => inner.note("sources", told),
                Topic::System => inner.note("system", told),
                Topic::Findings(_) | Topic::Ingest(_) => {}
            }
        }
        inner.advance_log(news.seen);
        if news.has_new_data {
            (self.has_new_data, self.is_fresher) = (true, true);
            inner.with("system", |channel| {
                channel.note_state(Message::state(channel.to, "data", &json!({"at": now_text()})));
            });
        }
        Ok(news.more)
    }

    fn look_at_findings(&mut self, inner: &Inner) -> app::Result<()> {
        let all = self.has_new_data;
        let due = inner.followed(|channel| channel.named.kind() == Kind::Findings && (all || channel.is_stale));
        for (named, to) in due {
            let Topic::Findings(query) = &named.topic else { continue };
            inner.meters.looks.with_label_values(&["findings"]).inc();
            let stretch = inner.app.findings_touched(query, to, FINDINGS_MAX)?;
            inner.with(&named.name, |channel| {
                channel.is_stale = false;
                if stretch.from > to {
                    channel.note_gap(stretch.to);
                }
            });
            for told in &stretch.told {
                inner.note(&named.name, told);
            }
            inner.with(&named.name, |channel| channel.advance(stretch.to));
            // What others wait for does not wait for the topics behind this one.
            inner.flush();
        }
        self.has_new_data = false;
        Ok(())
    }

    fn look_at_agents(&mut self, inner: &Inner) {
        if inner.followed(|channel| channel.named.kind() == Kind::Agents).is_empty() {
            return;
        }
        let pools = pools_of(inner);
        if pools != self.pools {
            inner.with("agents", |channel| channel.note_state(Message::state(channel.to, "pools", &pools)));
            self.pools = pools;
        }
    }

    /// Tells when what is dear begins to be refused, and when no more.
    fn look_at_memory(&mut self, inner: &Inner) {
        let pressure = inner.rates.pressure();
        if self.pressure.replace(pressure).unwrap_or(Pressure::Low) != pressure {
            inner.with("system", |channel| channel.note_state(pressure_at(pressure, channel.to)));
        }
    }

    fn look_at_ingests(&mut self, inner: &Inner) -> app::Result<()> {
        for (named, to) in inner.followed(|channel| channel.named.kind() == Kind::Ingest && !channel.is_ended) {
            for told in inner.app.stretch(&named.topic, Some(to), usize::MAX)?.told {
                inner.note(&named.name, &told);
            }
        }
        let progress = json!({"ingests": inner.app.ingests_under_way()});
        if progress != self.progress {
            inner.with("sources", |channel| channel.note_state(Message::state(channel.to, "progress", &progress)));
            self.progress = progress;
        }
        Ok(())
    }

    fn tell_freshness(&mut self, inner: &Inner) -> app::Result<()> {
        self.fresh_at = Some(Instant::now());
        if inner.followed(|channel| channel.named.kind() == Kind::Sources).is_empty() {
            self.is_fresher = false;
            return Ok(());
        }
        inner.meters.looks.with_label_values(&["freshness"]).inc();
        let fresh = inner.app.freshness()?;
        self.is_fresher = false;
        inner.with("sources", |channel| channel.note_state(Message::state(channel.to, "freshness", &fresh)));
        Ok(())
    }
}

fn pools_of(inner: &Inner) -> Value {
    let pools = inner.app.agent_pools();
    let pools = pools.iter().map(|pool| {
        let f = &pool.figures;
        json!({"agent": pool.agent, "name": pool.name, "running": pool.running, "in_use": f.in_use, "idle": f.idle, "waiting": f.waiting})
    });
    json!({"pools": pools.collect::<Vec<_>>()})
}

/// What is refused because memory runs out: nothing, what is dear, or all that costs something.
fn pressure_at(pressure: Pressure, at: u64) -> Message {
    let refused = match pressure {
        Pressure::Low => "nothing",
        Pressure::High => "dear",
        Pressure::Over => "all",
    };
    Message::state(at, "shedding", &json!({"refused": refused, "at": now_text()}))
}

/// How a topic stands, for those who come to it.
pub(super) fn states_of(inner: &Inner, named: &Named, at: u64) -> Result<Vec<Message>, Problem> {
    Ok(match named.topic {
        Topic::Agents => vec![Message::state(at, "pools", &pools_of(inner))],
        Topic::Sources => {
            inner.meters.looks.with_label_values(&["freshness"]).inc();
            vec![Message::state(at, "freshness", &inner.app.freshness()?)]
        }
        Topic::System => {
            let standing = Message::state(at, "standing", &json!({"version": app::VERSION, "at": now_text()}));
            vec![standing, pressure_at(inner.rates.pressure(), at)]
        }
        Topic::Investigation(_) | Topic::Ingest(_) | Topic::Findings(_) => Vec::new(),
    })
}
