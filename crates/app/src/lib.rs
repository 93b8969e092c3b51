//! Every use case once: commands that write and queries that read. The doors (HTTP, command line) are thin.
//!
//! A data folder holds `cidadao.db` (the store), `lake/` (segments), `spill/` (what analysis cannot keep in memory)
//! and `writer.lock`, which whoever writes holds.

pub mod agent_settings;
mod agents;
mod asked;
mod commands;
mod error;
mod folder;
pub mod identity;
mod key_file;
mod layers;
pub mod limit_settings;
pub mod live_settings;
pub mod llm_settings;
pub mod machine;
mod models;
mod names;
mod passwords;
pub mod queries;
mod reload;
mod rephrase;
mod results;
mod risks;
mod secret;
pub mod settings;
mod telemetry;
pub mod telemetry_settings;
mod tokens;
pub mod views;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use flags::Catalogue;
use lake::{Lake, NullCounts};
use store::Store;

pub use crate::agents::{AgentPool, AgentShape};
pub use ::agents::plan::StepEdit;
pub use ::agents::pool::PoolFigures;
pub use ::agents::roster::{Agent, Roster, name_of as name_of_agent};
pub use ::agents::strategy::{Policy, Strategy};
pub use commands::audit::AuditReport;
pub use commands::checkup::{Check, Said, State as CheckState, check_up};
pub use commands::database::{CopiedTable, CopyReport, SchemaStatus, copy_to, migrate, schema_status, wait_for_schema};
pub use commands::decide::Answer;
pub use commands::demo::{DemoReport, write_sample};
pub use commands::doctor::{Advice, Gravity};
pub use commands::entities::DecideLink;
pub use commands::evaluate::{LabelledFile, ScreensReport, evaluate_screens};
pub use commands::evaluate_sample::{
    CaseEvaluation, FlagEvaluation, Got, Otherwise, SampleEvaluation, evaluate_sample,
};
pub use commands::ingest::{FileReport, IngestProgress, IngestReport, IngestRequest, load_mapping};
pub use commands::ingest_jobs::Job;
pub use commands::investigations::{AskInvestigation, EditPlan, RunOptions, Scope, Split};
pub use commands::issuer::issuer_named;
pub use commands::judge::JudgeReport;
pub use commands::keys::MakeKey;
pub use commands::letters::DeadLetter;
pub use commands::profile::{ProfileForm, Profiling, SECONDS_MAX};
pub use commands::quarantine::RetryReport;
pub use commands::sessions::SignedIn;
pub use commands::statements::{MakeStatement, WithdrawStatement};
pub use commands::sync::{FailedWindow, Requests, SyncProgress, SyncReport, SyncRequest, today};
pub use commands::users::ChangeUser;
pub use commands::verdicts::{Conclusion, GiveVerdict};
pub use commands::verify::{Checked, verify_bundle, verify_file};
pub use commands::verify_dossier::{DossierSaid, DossierVerdict, DossierVerification};
pub use commands::work::Workers;
pub use error::{Error, Result};
pub use events::CommandKey;
pub use folder::WriterLock;
pub use layers::{Origin, Told};
pub use llm::mask::mask as without_personal_data;
pub use machine::{Machine, Sized};
pub use queries::coverage::CountedFlag;
pub use reload::Reloaded;
pub use secret::make_password;
pub use settings::Settings;
pub use store::{QuarantineFilter, Quarantined};
pub use telemetry::Exporter;
pub use watch::{Change, Watch};

use crate::agents::Agents;
use commands::ingest_jobs::Jobs;
use commands::work::Held;
use events::{Bell, Redis};
use queries::moment::Judgements;
use results::Results;
use tokens::Tokens;

/// Analyses at once: each may take the memory that `analysis.memory_mib` allows.
pub const ANALYSES_MAX: usize = 2;

/// The program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Statements that this thread has asked of the database.
#[must_use]
pub fn statements_here() -> u64 {
    store::db::listen::counted_here()
}

/// How long statements of this process took.
#[must_use]
pub fn statement_durations() -> &'static prometheus::HistogramVec {
    store::db::timing::durations()
}

/// Opens the database that the settings name.
pub(crate) fn open_store(settings: &Settings) -> Result<Store> {
    if !settings.database.migrate {
        commands::database::refuse_old_schema(settings)?;
    }
    let database = &settings.database;
    store::db::slow::tell_from(std::time::Duration::from_millis(database.slow_query_ms), database.slow_plans_per_min);
    Ok(match settings.database.server() {
        Some(server) => Store::connect(server, settings.database.replicas())?,
        None => Store::open(&settings.data_dir.join("cidadao.db"), settings.store.readers)?,
    })
}

/// An open data folder with everything that works on it.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    settings: Settings,
    reloads: reload::Reloads,
    store: Store,
    lake: Lake,
    catalogue: Catalogue,
    jobs: Jobs,
    nulls: NullCounts,
    judgements: Judgements,
    bell: Bell,
    held: Held,
    redis: Option<Redis>,
    results: Results,
    tokens: OnceLock<Tokens>,
    agents: Agents,
    roster: OnceLock<Roster>,
    names: names::Names,
    rephrasing: rephrase::Rephrasing,
    asked: asked::Asked,
}

impl App {
    /// Opens a data folder, making it when it is not there.
    ///
    /// # Errors
    /// The folder cannot be made or read; its database is damaged or written by a newer program.
    pub fn open(settings: Settings) -> Result<Self> {
        store::db::timing::time_statements(settings.metrics.enabled);
        let folder = settings.data_dir.clone();
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
        let store = open_store(&settings)?;
        let lake = Lake::open(&folder.join("lake"))?;
        let catalogue = Catalogue::embedded()?;
        let (jobs, nulls, judgements) = (Jobs::default(), NullCounts::default(), Judgements::default());
        let (bell, held) = (Bell::default(), Held::default());
        let redis = settings.redis.address().map(|url| Redis::at(url, &store)).transpose()?;
        let (results, tokens) = (Results::default(), OnceLock::new());
        let (agents, roster) = (Agents::default(), OnceLock::new());
        let inner = Inner {
            folder,
            reloads: reload::Reloads::of(&settings),
            settings,
            store,
            lake,
            catalogue,
            jobs,
            nulls,
            judgements,
            bell,
            held,
            redis,
            results,
            tokens,
            agents,
            roster,
            names: names::Names::default(),
            rephrasing: rephrase::Rephrasing::default(),
            asked: asked::Asked::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Names every segment whose file is missing or has another size, in the log. Contents are looked at by the doctor.
    ///
    /// # Errors
    /// The manifest cannot be read.
    pub fn look_at_segments(&self) -> Result<()> {
        for damage in self.lake().damage(self.store(), false)? {
            tracing::error!("{damage}; `cidadao doctor --repair` or the next ingest writes it anew");
        }
        Ok(())
    }

    /// Asks `question`; what it still asks of the database after `deadline` is interrupted and gives an error.
    pub fn within<T>(&self, deadline: std::time::Instant, question: impl FnOnce(&Self) -> T) -> T {
        store::within(deadline, || question(self))
    }

    pub(crate) fn asked(&self) -> &asked::Asked {
        &self.inner.asked
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// The settings that the program started with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The red flags that this program knows.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.inner.catalogue
    }

    /// What tells this data folder's store from others that share one Redis.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn store_name(&self) -> Result<String> {
        Ok(self.store().name()?)
    }

    /// What makes and reads access tokens, with this folder's key.
    pub(crate) fn tokens(&self) -> Result<&Tokens> {
        if let Some(tokens) = self.inner.tokens.get() {
            return Ok(tokens);
        }
        let tokens = Tokens::of(self.folder())?;
        Ok(self.inner.tokens.get_or_init(|| tokens))
    }

    /// The folder's lock for a decision, where the database is a file in it. A server has locks of its own.
    pub(crate) fn lock_for_decision(&self, patience: std::time::Duration) -> Result<Option<WriterLock>> {
        if self.store().is_server() { Ok(None) } else { WriterLock::take(self.folder(), patience).map(Some) }
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.inner.bell
    }

    /// Where tasks are handed on to, if not to workers of this store alone.
    pub(crate) fn redis(&self) -> Option<&Redis> {
        self.inner.redis.as_ref()
    }

    /// The tasks that this process is at.
    pub(crate) fn held(&self) -> &Held {
        &self.inner.held
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn lake(&self) -> &Lake {
        &self.inner.lake
    }

    pub(crate) fn results(&self) -> &Results {
        &self.inner.results
    }

    pub(crate) fn rephrasing(&self) -> &rephrase::Rephrasing {
        &self.inner.rephrasing
    }

    pub(crate) fn names(&self) -> &names::Names {
        &self.inner.names
    }

    pub(crate) fn judgements(&self) -> &Judgements {
        &self.inner.judgements
    }

    pub(crate) fn null_counts(&self) -> &NullCounts {
        &self.inner.nulls
    }
}
