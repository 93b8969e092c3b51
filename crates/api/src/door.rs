//! What handlers hold: the application, the gates before it, the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use app::queries::Figures;
use app::{AgentPool, App, Settings};
use arc_swap::{ArcSwap, Guard};
use axum::http::HeaderMap;
use serde::Serialize;
use trace::{Kind, Phase, Span};

use crate::address::Addresses;
use crate::answer::{Answer, Encoded};
use crate::caller::Callers;
use crate::gate::Gate;
use crate::kept::Answers;
use crate::limits::Limits;
use crate::live::Hub;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::rate::Rates;
use crate::sign_in::SignIns;
use crate::ws::Sockets;

/// How long after a request was given up its question is interrupted.
const AFTER_TIMEOUT: Duration = Duration::from_millis(250);

/// The state of every handler; a clone is a pointer.
#[derive(Clone)]
pub struct Door {
    inner: Arc<Inner>,
}

struct Inner {
    app: App,
    limits: Limits,
    questions: Arc<Gate>,
    analyses: Gate,
    passwords: Gate,
    sign_ins: SignIns,
    metrics: Metrics,
    answers: Option<Answers>,
    callers: Callers,
    addresses: ArcSwap<Addresses>,
    origins: ArcSwap<Vec<String>>,
    rates: Arc<Rates>,
    leaving: AtomicBool,
    live: Hub,
    sockets: Sockets,
}

impl Inner {
    /// Goes by these settings from now on, as far as they change while the program runs.
    fn change(&self, settings: &Settings) {
        self.addresses.store(Arc::new(Addresses::of(&settings.limits)));
        self.origins.store(Arc::new(settings.http.cors_origins.clone()));
        self.callers.change(settings.limits.anonymous);
        self.rates.change(&settings.limits);
        if let Some(answers) = &self.answers {
            answers.change(settings);
        }
    }
}

impl Door {
    /// The door to `app`.
    ///
    /// # Panics
    /// Never: the names of metrics are constants that the tests have seen accepted.
    pub fn new(app: App) -> Self {
        let limits = Limits::of(app.settings());
        let gate = |name, limits| Gate::new(name, limits).expect("a gate's metric names are well formed");
        let (questions, analyses) = (Arc::new(gate("database", limits.questions)), gate("analysis", limits.analyses));
        let passwords = gate("passwords", limits.passwords);
        let metrics = Metrics::new(&[&questions, &analyses, &passwords], app.settings().metrics.enabled)
            .expect("metric names are well formed and differ");
        // Without the store's name limits are each process's own, which is what they are when Redis is away.
        let rates = Rates::new(app.settings(), app.store_name().ok(), &metrics).expect("metric names are well formed");
        let callers = Callers::new(limits.anonymous, &metrics).expect("metric names are well formed and differ");
        let sign_ins = SignIns::new(app.settings(), &metrics).expect("metric names are well formed and differ");
        let (rates, waits_max) = (Arc::new(rates), limits.request_timeout + AFTER_TIMEOUT);
        let live = Hub::new(app.clone(), Arc::clone(&rates), Arc::clone(&questions), waits_max, &metrics);
        let live = live.expect("metric names are well formed and differ");
        let sockets = Sockets::new(&app.settings().live, &metrics).expect("metric names are well formed and differ");
        let addresses = ArcSwap::from_pointee(Addresses::of(&app.settings().limits));
        let origins = ArcSwap::from_pointee(app.settings().http.cors_origins.clone());
        let answers = Answers::of(&app).unwrap_or_else(|error| {
            tracing::warn!(%error, "answers are not kept");
            None
        });
        if let Some(answers) = &answers {
            metrics.add_cache(answers.meters()).expect("metric names are well formed and differ");
            answers.register(&metrics).expect("metric names are well formed and differ");
        }
        crate::answer::write_json_by(app.settings().http.json_encoder);
        let inner = Inner {
            app,
            limits,
            questions,
            analyses,
            passwords,
            sign_ins,
            metrics,
            answers,
            callers,
            addresses,
            origins,
            rates,
            leaving: AtomicBool::new(false),
            live,
            sockets,
        };
        let inner = Arc::new(inner);
        let held = Arc::downgrade(&inner);
        inner.app.on_reload(move |settings| {
            if let Some(inner) = held.upgrade() {
                inner.change(settings);
            }
        });
        Self { inner }
    }

    /// Asks what the database answers.
    ///
    /// # Errors
    /// Too busy; whatever the question's error is as a problem; internal when it panicked.
    pub async fn ask<T: Serialize>(&self, question: impl FnOnce(&App) -> app::Result<T> + Send + 'static) -> Answer {
        self.ask_through(&self.inner.questions, question).await
    }

    /// Asks what takes an analysis of the lake: fewer at once, for each may take much memory.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub async fn analyse<T: Serialize>(
        &self,
        question: impl FnOnce(&App) -> app::Result<T> + Send + 'static,
    ) -> Answer {
        self.ask_through(&self.inner.analyses, question).await
    }

    /// Asks what the database answers, for a door that makes something else of it than JSON.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub async fn ask_for<T: Send + 'static>(
        &self,
        question: impl FnOnce(&App) -> app::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        self.behind(&self.inner.questions, |app| question(app).map_err(Problem::from)).await?
    }

    /// Does here and now what asks the database nothing.
    pub fn at_once<T>(&self, work: impl FnOnce(&App) -> T) -> T {
        work(&self.inner.app)
    }

    /// Asks for bytes that take an analysis of the lake.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub async fn fetch(
        &self,
        question: impl FnOnce(&App) -> app::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Vec<u8>, Problem> {
        Ok(self.behind(&self.inner.analyses, question).await??)
    }

    /// Asks on a thread that may block, and encodes the answer there too.
    async fn ask_through<T: Serialize>(
        &self,
        gate: &Gate,
        question: impl FnOnce(&App) -> app::Result<T> + Send + 'static,
    ) -> Answer {
        let answered = self.behind(gate, |app| {
            let answer = question(app)?;
            trace::step_of(Phase::Encoding, || Encoded::json(&answer))
        });
        answered.await?
    }

    /// Does `work` behind a gate, on a thread that may block, as a part of the request.
    async fn behind<T: Send + 'static>(
        &self,
        gate: &Gate,
        work: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let came = Instant::now();
        let deadline = came + self.inner.limits.request_timeout + AFTER_TIMEOUT;
        let waits = Span::below(Kind::Internal).map(|span| span.named("queue"));
        let place = gate.enter().await.map_err(|_| Problem::too_busy())?;
        let app = self.inner.app.clone();
        let work = trace::carried(move || {
            drop(waits);
            trace::count(Phase::Queue, came.elapsed());
            let _place = place;
            app.within(deadline, work)
        });
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
    }

    /// Asks what takes the hash of a password: few at once, for each takes a processor and its memory.
    ///
    /// # Errors
    /// Too busy; internal when it panicked.
    pub async fn hash<T: Send + 'static>(
        &self,
        question: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = self.inner.passwords.enter().await.map_err(|_| Problem::too_busy())?;
        self.inspect(move |app| {
            let _place = place;
            question(app)
        })
        .await
    }

    /// Runs what operators ask, past the gates: it must be answered when they are full.
    ///
    /// # Errors
    /// Internal when it panicked.
    pub async fn inspect<T: Send + 'static>(
        &self,
        question: impl FnOnce(&App) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.inner.app.clone();
        let question = trace::carried(move || question(&app));
        tokio::task::spawn_blocking(question).await.map_err(|_| Problem::internal())
    }

    /// Says from now on that it is not ready: the process was told to stop.
    pub fn leave(&self) {
        self.inner.leaving.store(true, Ordering::Release);
    }

    /// Whether the process was told to stop.
    pub fn is_leaving(&self) -> bool {
        self.inner.leaving.load(Ordering::Acquire)
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// The answers that are kept, if any are.
    pub fn answers(&self) -> Option<&Answers> {
        self.inner.answers.as_ref()
    }

    /// What the settings say of HTTP.
    pub fn http(&self) -> &app::settings::Http {
        &self.inner.app.settings().http
    }

    /// What the settings limit of GraphQL.
    pub fn graphql(&self) -> &app::limit_settings::GraphqlSettings {
        &self.inner.app.settings().graphql
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// All metrics as text in the form that these headers ask for, and its `Content-Type`; what is not counted as it happens is looked at.
    pub fn measured(&self, asked: &HeaderMap, figures: &Figures, pools: &[AgentPool]) -> (&'static str, Vec<u8>) {
        let Inner { metrics, answers, callers, rates, sign_ins, .. } = &*self.inner;
        let _ = answers.as_ref().map(Answers::meters);
        for (table, (entries, entries_max)) in
            [("callers", callers.held()), ("rates", rates.held()), ("sign_ins", sign_ins.held())]
        {
            metrics.hold_table(table, entries, entries_max);
        }
        metrics.text(asked, figures, pools, rates.memory_max())
    }

    /// Sign-ins of late.
    pub fn sign_ins(&self) -> &SignIns {
        &self.inner.sign_ins
    }

    /// Callers that were known just now.
    pub fn callers(&self) -> &Callers {
        &self.inner.callers
    }

    /// From which address a request comes, and which are answered.
    pub fn addresses(&self) -> Guard<Arc<Addresses>> {
        self.inner.addresses.load()
    }

    /// The origins whose pages may read answers.
    pub fn origins(&self) -> Guard<Arc<Vec<String>>> {
        self.inner.origins.load()
    }

    /// What callers may ask for.
    pub fn rates(&self) -> &Rates {
        &self.inner.rates
    }

    /// After how many seconds of silence those who follow something are sent a sign.
    pub fn heartbeat_s(&self) -> u64 {
        self.live_settings().heartbeat_s
    }

    /// What the settings say of how what happens is told.
    pub fn live_settings(&self) -> &app::live_settings::LiveSettings {
        &self.inner.app.settings().live
    }

    /// The WebSockets that are open.
    pub fn sockets(&self) -> &Sockets {
        &self.inner.sockets
    }

    /// What happens, for those who follow it.
    pub fn live(&self) -> &Hub {
        &self.inner.live
    }
}
