//! What handlers hold: the application, the gates before it, the metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::App;
use serde::Serialize;
use trace::{Kind, Phase, Span};

use crate::address::Addresses;
use crate::answer::{Answer, Encoded};
use crate::caller::Callers;
use crate::gate::Gate;
use crate::kept::Answers;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::rate::Rates;
use crate::sign_in::SignIns;

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
    questions: Gate,
    analyses: Gate,
    passwords: Gate,
    sign_ins: SignIns,
    metrics: Metrics,
    answers: Option<Answers>,
    callers: Callers,
    addresses: Addresses,
    rates: Rates,
}

impl Door {
    /// The door to `app`.
    ///
    /// # Panics
    /// Never: the names of metrics are constants that the tests have seen accepted.
    pub fn new(app: App) -> Self {
        let limits = Limits::of(app.settings());
        let gate = |name, limits| Gate::new(name, limits).expect("a gate's metric names are well formed");
        let (questions, analyses) = (gate("database", limits.questions), gate("analysis", limits.analyses));
        let passwords = gate("passwords", limits.passwords);
        let metrics =
            Metrics::new(&[&questions, &analyses, &passwords]).expect("metric names are well formed and differ");
        // Without the store's name limits are each process's own, which is what they are when Redis is away.
        let rates = Rates::new(app.settings(), app.store_name().ok(), &metrics).expect("metric names are well formed");
        let callers = Callers::new(limits.anonymous, &metrics).expect("metric names are well formed and differ");
        let sign_ins = SignIns::new(app.settings(), &metrics).expect("metric names are well formed and differ");
        let addresses = Addresses::of(&app.settings().limits);
        let answers = Answers::of(&app).unwrap_or_else(|error| {
            tracing::warn!(%error, "answers are not kept");
            None
        });
        if let Some(answers) = &answers {
            metrics.add_cache(answers.meters()).expect("metric names are well formed and differ");
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
            rates,
        };
        Self { inner: Arc::new(inner) }
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

    /// Sign-ins of late.
    pub fn sign_ins(&self) -> &SignIns {
        &self.inner.sign_ins
    }

    /// Callers that were known just now.
    pub fn callers(&self) -> &Callers {
        &self.inner.callers
    }

    /// From which address a request comes, and which are answered.
    pub fn addresses(&self) -> &Addresses {
        &self.inner.addresses
    }

    /// What callers may ask for.
    pub fn rates(&self) -> &Rates {
        &self.inner.rates
    }
}
