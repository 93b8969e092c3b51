//! The one client for the world outside.
//!
//! Whatever is fetched from a public source goes through here: a bounded number of connections that are kept and used
//! again, few requests at a time and a rate for each origin, attempts again with growing waits out of a budget, a
//! pause where a source asks for one, a breaker for one that is down, and the caller's deadline over all of it.

mod answer;
mod call;
mod connection;
mod error;
mod origin;
mod post;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use connection::Connector;
use origin::Origin;

pub use answer::Answer;
pub use error::{Error, Result};
pub use hyper::header;
pub use post::Pieces;

/// How the world outside is asked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Connections open at once, idle ones included.
    pub connections_max: usize,
    /// Idle connections kept for each origin.
    pub keep_alive: usize,
    /// How long an idle one is kept.
    pub idle: Duration,
    /// How long the opening of a connection may take.
    pub connect_timeout: Duration,
    /// How long one attempt may take, to the last byte of the answer.
    pub attempt_timeout: Duration,
    /// Requests under way at one origin.
    pub per_origin: usize,
    /// Requests a second at one origin.
    pub rate_per_s: u32,
    /// Attempts after the first.
    pub retries: u32,
    /// Attempts again per hundred requests, over a few that are always there.
    pub retry_percent: u32,
    /// Whether a source that says when to come again is heeded: by this request, as often as its deadline lets it, and by all others.
    pub heeds_pauses: bool,
    /// The wait before the first attempt again, doubled with each; the real one is drawn from below it.
    pub backoff: Duration,
    /// The longest of these waits.
    pub backoff_max: Duration,
    /// Failures in a row after which an origin is left alone.
    pub breaker_failures: u32,
    /// For how long.
    pub breaker_pause: Duration,
    /// After which time without an answer a second attempt starts beside the first; `None` is never.
    pub hedge_after: Option<Duration>,
    /// Bytes of one answer, after decompression.
    pub body_max: usize,
    /// Who asks.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections_max: 100,
            keep_alive: 20,
            idle: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(10),
            attempt_timeout: Duration::from_secs(60),
            per_origin: 4,
            rate_per_s: 10,
            retries: 6,
            retry_percent: 20,
            heeds_pauses: true,
            backoff: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            breaker_failures: 8,
            breaker_pause: Duration::from_secs(30),
            hedge_after: None,
            body_max: 64 << 20,
            user_agent: concat!("cidadao/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What happened so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Connections opened.
    pub opened: u64,
    /// Connections open now, idle or not.
    pub open: usize,
    /// By origin, in the order of their names.
    pub origins: Vec<OriginFigures>,
}

/// The same of one origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginFigures {
    /// Scheme, host and port.
    pub origin: String,
    /// Attempts sent.
    pub requests: u64,
    /// Of which attempts again after a failure.
    pub retries: u64,
    /// Of which second attempts beside a slow first.
    pub hedges: u64,
    /// How often it asked for a pause.
    pub throttled: u64,
    /// How often it was not asked because it failed before.
    pub left_alone: u64,
    /// Whether it is left alone now.
    pub is_left_alone: bool,
}

/// The client. Copies share everything.
#[derive(Clone)]
pub struct Outbound {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    connector: Connector,
    client: Client<Connector, Full<Bytes>>,
    origins: Mutex<HashMap<String, Arc<Origin>>>,
}

/// Why an attempt gave nothing.
enum Failure {
    /// Trying again may help; the source may have said when.
    Passing { because: String, retry_after: Option<Duration>, throttled: bool },
    /// It would not.
    Final(Error),
}

impl Outbound {
    /// Makes the client. Nothing is opened yet.
    ///
    /// # Errors
    /// The system has no certificates that can be read.
    pub fn new(settings: Settings) -> std::io::Result<Self> {
        let connector = Connector::new(settings.connections_max.max(1), settings.connect_timeout)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(settings.keep_alive)
            .pool_idle_timeout(settings.idle)
            .build(connector.clone());
        Ok(Self { shared: Arc::new(Shared { settings, connector, client, origins: Mutex::default() }) })
    }

    /// Asks for a resource until it is there, it is refused, or `deadline` has come.
    ///
    /// An answer of 2xx is given back, also an empty one. 408, 425, 429 and 5xx, time-outs, resets and answers that break off are
    /// tried again. What else the source says is its last word.
    ///
    /// # Errors
    /// As [`Error`] lists them.
    pub async fn get(&self, url: &str, deadline: Instant) -> Result<Answer> {
        let (uri, origin) = self.place_of(url)?;
        let settings = &self.shared.settings;
        let (mut attempts, mut last) = (0, None);
        loop {
            let over = |last| Error::Deadline { url: url.to_owned(), attempts, last };
            let Ok(answered) = tokio::time::timeout_at(deadline, self.hedged(&origin, url, &uri)).await else {
                origin.failed();
                return Err(over(last));
            };
            let wait = match answered {
                Ok(answer) => {
                    origin.is_well();
                    return Ok(answer);
                }
                // Who has time waits until it may be asked again.
                Err(Failure::Final(Error::LeftAlone { wait, .. })) if Instant::now() + wait < deadline => wait,
                Err(Failure::Final(error)) => {
                    if matches!(error, Error::Refused { .. }) {
                        origin.is_well();
                    }
                    return Err(error);
                }
                Err(Failure::Passing { because, retry_after, throttled }) => {
                    attempts += 1;
                    let throttled = throttled && settings.heeds_pauses;
                    let wait = retry_after.unwrap_or_else(|| backoff(settings, attempts));
                    match throttled {
                        true => origin.pause(wait),
                        false => origin.failed(),
                    }
                    // One that says when to come again is not failing: it may say so as often as the deadline lets it.
                    let may = (throttled || attempts <= settings.retries) && origin.take_retry_unless(throttled);
                    if !may {
                        return Err(Error::Failed { url: url.to_owned(), because, attempts });
                    }
                    if Instant::now() + wait >= deadline {
                        return Err(Error::Deadline { url: url.to_owned(), attempts, last: Some(because) });
                    }
                    origin.retries.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(url = without_query(url), because, wait_s = wait.as_secs_f64(), "asked again");
                    last = Some(because);
                    wait
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Shared { settings, connector, origins, .. } = &*self.shared;
        let origins = origins.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut by_origin: Vec<OriginFigures> = origins
            .values()
            .map(|o| OriginFigures {
                origin: o.name.clone(),
                requests: o.requests.load(Ordering::Relaxed),
                retries: o.retries.load(Ordering::Relaxed),
                hedges: o.hedges.load(Ordering::Relaxed),
                throttled: o.throttled.load(Ordering::Relaxed),
                left_alone: o.left_alone.load(Ordering::Relaxed),
                is_left_alone: o.is_left_alone(),
            })
            .collect();
        by_origin.sort_by(|a, b| a.origin.cmp(&b.origin));
        Figures {
            opened: connector.opened(),
            open: settings.connections_max.max(1) - connector.free(),
            origins: by_origin,
        }
    }

    fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    fn client(&self) -> &Client<Connector, Full<Bytes>> {
        &self.shared.client
    }

    fn place_of(&self, url: &str) -> Result<(Uri, Arc<Origin>)> {
        let wrong = || Error::Address { url: url.to_owned() };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let (scheme, authority) = (uri.scheme_str().ok_or_else(wrong)?, uri.authority().ok_or_else(wrong)?);
        if !matches!(scheme, "http" | "https") {
            return Err(wrong());
        }
        let name = format!("{scheme}://{authority}");
        let mut origins = self.shared.origins.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let origin = origins.entry(name.clone()).or_insert_with(|| Arc::new(Origin::new(name, &self.shared.settings)));
        let origin = Arc::clone(origin);
        drop(origins);
        Ok((uri, origin))
    }

    /// One attempt, and another beside it when the first is slow and the budget has one; the first answer counts.
    async fn hedged(&self, origin: &Arc<Origin>, url: &str, uri: &Uri) -> std::result::Result<Answer, Failure> {
        let first = self.attempt(origin, url, uri);
        let Some(after) = self.shared.settings.hedge_after else { return first.await };
        tokio::pin!(first);
        tokio::select! {
            answered = &mut first => return answered,
            () = tokio::time::sleep(after) => {}
        }
        if !origin.take_retry() {
            return first.await;
        }
        origin.hedges.fetch_add(1, Ordering::Relaxed);
        let second = self.attempt(origin, url, uri);
        tokio::pin!(second);
        tokio::select! {
            answered = &mut first => match answered { Ok(answer) => Ok(answer), Err(_) => second.await },
            answered = &mut second => match answered { Ok(answer) => Ok(answer), Err(_) => first.await },
        }
    }

    async fn attempt(&self, origin: &Arc<Origin>, url: &str, uri: &Uri) -> std::result::Result<Answer, Failure> {
        let _turn = origin.turn().await.map_err(Failure::Final)?;
        let settings = &self.shared.settings;
        let asked = answer::ask(&self.shared.client, url, uri, settings);
        tokio::time::timeout(settings.attempt_timeout, asked).await.unwrap_or_else(|_| {
            let because = format!("no answer in {} s", settings.attempt_timeout.as_secs_f64());
            Err(Failure::Passing { because, retry_after: None, throttled: false })
        })
    }
}

impl Origin {
    /// Takes one attempt from the budget, unless the origin itself said when to come again.
    fn take_retry_unless(&self, throttled: bool) -> bool {
        throttled || self.take_retry()
    }
}

/// An address without what is asked of it: that may name people.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The wait before an attempt: drawn evenly from the upper half of what is due, so that many do not come together.
fn backoff(settings: &Settings, attempts: u32) -> Duration {
    let due = settings.backoff.saturating_mul(1 << (attempts - 1).min(16)).min(settings.backoff_max);
    due.mul_f64(rand::random_range(0.5..=1.0))
}
