//! The agents of this process: their pools, and the one thread that keeps them.
//!
//! An instance is a desk: a number under which work is done and accounted for. What is heavy (the store's connections, the lake,
//! the catalogue) is the application's and shared by all of them. A pool bounds how many of an agent work at once in this process,
//! and sees to it that who hangs or breaks is replaced.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use agents::pool::{AgentPoolConfig, Breed, Guard, Pool, PoolFigures};
use agents::roster::{Agent, Roster};
use serde::Serialize;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use utoipa::ToSchema;

use crate::queries::Walk;
use crate::queries::{PageLimit, PageQuery};
use crate::views::{List, Text};
use crate::{App, Error, Inner, Result};

/// An instance of an agent.
pub(crate) struct Desk;

/// How desks of one agent are made and probed.
pub(crate) struct Desks {
    app: Weak<Inner>,
}

impl Desks {
    /// It can work when the database answers and the lake is there.
    async fn look(&self) -> std::result::Result<(), String> {
        let Some(inner) = self.app.upgrade() else { return Err("the program ends".to_owned()) };
        let readiness = tokio::task::spawn_blocking(move || App { inner }.readiness()).await;
        match readiness {
            Ok(readiness) if readiness.is_ready() => Ok(()),
            Ok(readiness) => Err(format!("database: {}, lake: {}", readiness.database, readiness.lake)),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Breed for Desks {
    type Agent = Desk;

    async fn make(&self) -> std::result::Result<Desk, String> {
        self.look().await.map(|()| Desk)
    }

    async fn probe(&self, _: &mut Desk) -> std::result::Result<(), String> {
        self.look().await
    }
}

/// The pools, once they run.
#[derive(Default)]
pub(crate) struct Agents(Mutex<Option<Arc<Running>>>);

struct Running {
    pools: Vec<(&'static str, Pool<Desks>)>,
    handle: Handle,
    end: Mutex<Option<oneshot::Sender<()>>>,
}

/// How the pool of one agent stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgentPool {
    /// The agent's key.
    pub agent: String,
    /// Its name.
    pub name: String,
    /// Whether it runs in this process; a process that only answers requests has no agents at work.
    pub running: bool,
    /// Sizes, and what happened since the start.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub figures: PoolFigures,
}

/// An agent, as the description of the API shows it.
#[derive(Debug, ToSchema)]
#[schema(as = Agent)]
#[allow(dead_code, missing_docs, reason = "read by the description alone; docs/api.md says what each is")]
pub struct AgentShape {
    key: String,
    name: String,
    does: Text,
    #[schema(value_type = Vec<Object>)]
    actions: Vec<()>,
    flags: Vec<String>,
    evidence: Text,
    pooled: bool,
}

impl Agents {
    fn running(&self) -> Option<Arc<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl App {
    /// Who there is.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        self.inner.roster.get_or_init(|| {
            Roster::of(self.catalogue().flags().iter().map(|flag| (flag.code.as_str(), flag.agent.as_str())))
        })
    }

    /// One agent, by key or name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn agent(&self, name: &str) -> Result<Agent> {
        self.roster().agent(name).cloned().ok_or_else(|| Error::not_found("agent", name))
    }

    /// How the pools of this process stand.
    #[must_use]
    pub fn agent_pools(&self) -> Vec<AgentPool> {
        let running = self.inner.agents.running();
        let of = |agent: &Agent| {
            let pool = running.iter().flat_map(|running| &running.pools).find(|(key, _)| *key == agent.key);
            let (min_size, max_size) = self.settings().agents.sizes();
            AgentPool {
                agent: agent.key.to_owned(),
                name: agent.name.to_owned(),
                running: pool.is_some(),
                figures: pool.map_or_else(
                    || PoolFigures { min_size, max_size, ..PoolFigures::default() },
                    |(_, pool)| pool.figures(),
                ),
            }
        };
        self.roster().agents().iter().filter(|agent| agent.pooled).map(of).collect()
    }

    /// One page of the roster.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list.
    pub fn agents(&self, page: &PageQuery) -> Result<List<Agent>> {
        Walk::new("agents", &(), page, PageLimit::MAX)?.slice(self.roster().agents().to_vec())
    }

    /// One page of the pools.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list.
    pub fn pools(&self, page: &PageQuery) -> Result<List<AgentPool>> {
        Walk::new("agent-pools", &(), page, PageLimit::MAX)?.slice(self.agent_pools())
    }

    /// Starts the pools; their first instances are made while others go on.
    pub(crate) fn start_agents(&self) {
        let mut held = self.inner.agents.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return;
        }
        let runtime = match Builder::new_current_thread().enable_time().max_blocking_threads(8).build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(%error, "the agents have no runtime: work goes on without their pools");
                return;
            }
        };
        let (handle, (end, ended)) = (runtime.handle().clone(), oneshot::channel());
        let config = self.settings().agents.pool();
        let pools = self.roster().agents().iter().filter(|agent| agent.pooled);
        let pools = pools
            .map(|agent| (agent.key, Pool::start(config.clone(), Desks { app: Arc::downgrade(&self.inner) }, &handle)));
        *held = Some(Arc::new(Running { pools: pools.collect(), handle, end: Mutex::new(Some(end)) }));
        let thread = std::thread::Builder::new().name("agents".to_owned());
        let kept = thread.spawn(move || {
            let _ = runtime.block_on(ended);
            // A probe that hangs does not hold up the end.
            runtime.shutdown_background();
        });
        if let Err(error) = kept {
            tracing::error!(%error, "the agents have no thread: work goes on without their pools");
            *held = None;
        }
    }

    /// Ends the pools: who works is told to stop.
    pub(crate) fn stop_agents(&self) {
        let running = self.inner.agents.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(running) = running else { return };
        for (_, pool) in &running.pools {
            pool.close();
        }
        let end = running.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(end) = end {
            let _ = end.send(());
        }
    }

    /// An instance of this agent, when one is free in time; `None` where no pools run.
    pub(crate) fn agent_for_work(&self, key: &str) -> Result<Option<Guard<Desks>>> {
        let Some(running) = self.inner.agents.running() else { return Ok(None) };
        let Some((_, pool)) = running.pools.iter().find(|(held, _)| *held == key) else { return Ok(None) };
        let within = Duration::from_millis(self.now().agents.acquire_timeout_ms);
        let guard = pool.acquire_blocking(&running.handle, within);
        guard.map(Some).map_err(|error| Error::Failed(format!("{key}: {error}")))
    }
}

/// What the settings make of a pool.
pub(crate) fn pool_of(settings: &crate::agent_settings::AgentSettings) -> AgentPoolConfig {
    let seconds = Duration::from_secs;
    let (min_size, max_size) = settings.sizes();
    AgentPoolConfig {
        min_size,
        max_size,
        max_idle_time: seconds(settings.max_idle_time_s),
        health_check_interval: seconds(settings.health_check_interval_s),
        uses_max: settings.uses_max,
        age_max: seconds(settings.age_max_s),
        use_max: seconds(settings.use_max_s),
        ..AgentPoolConfig::default()
    }
}
