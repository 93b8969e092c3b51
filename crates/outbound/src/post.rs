//! One question with a body, answered piece by piece. It is asked once: what it costs is the caller's to spend again.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use tokio::time::Instant;

use crate::answer::failure_of;
use crate::call::Call;
use crate::origin::Turn;
use crate::{Error, Failure, Outbound, Result};

/// Bytes of a refusal that are read.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// An answer as it comes.
pub struct Pieces {
    url: String,
    body: Incoming,
    deadline: Instant,
    left: usize,
    bytes_max: usize,
    quiet_max: Duration,
    _turn: Turn,
}

impl Outbound {
    /// Sends JSON and gives the answer as it comes. A failure counts for the breaker; nothing is tried again.
    ///
    /// # Errors
    /// As [`Error`] lists them; 429 and 5xx are `Failed`.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(HeaderName, HeaderValue)],
        json: Vec<u8>,
        deadline: Instant,
    ) -> Result<Pieces> {
        let (uri, origin) = self.place_of(url)?;
        let settings = self.settings();
        if deadline <= Instant::now() {
            // It is not the origin's fault that there is no time left.
            return Err(Error::Deadline { url: url.to_owned(), attempts: 0, last: None });
        }
        let failed = |because: String| Error::Failed { url: url.to_owned(), because, attempts: 1 };
        let late = || Error::Deadline { url: url.to_owned(), attempts: 1, last: None };
        let span = Call::begin("POST", &uri);
        let mut request = span
            .marked(Request::post(&uri))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "text/event-stream, application/json")
            .header(USER_AGENT, &settings.user_agent);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::from(json)).map_err(|_| Error::Address { url: url.to_owned() })?;
        let turn = tokio::time::timeout_at(deadline, origin.turn()).await.map_err(|_| late())??;
        let Ok(answered) = tokio::time::timeout_at(deadline, self.client().request(request)).await else {
            origin.failed();
            return Err(late());
        };
        let response = answered.map_err(|error| {
            origin.failed();
            failed(error.to_string())
        })?;
        let (head, body) = response.into_parts();
        span.answered(head.status);
        if !head.status.is_success() {
            let said = http_body_util::Limited::new(body, REFUSAL_BYTES_MAX).collect();
            let said = tokio::time::timeout_at(deadline, said).await.ok().and_then(std::result::Result::ok);
            let said = said.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            return Err(match failure_of(url, head.status, &head.headers, &said) {
                Failure::Final(error) => error,
                Failure::Passing { because, retry_after, throttled } => {
                    match (throttled, retry_after) {
                        (true, wait) => origin.pause(wait.unwrap_or(settings.backoff)),
                        (false, _) => origin.failed(),
                    }
                    failed(because)
                }
            });
        }
        origin.is_well();
        Ok(Pieces {
            url: url.to_owned(),
            body,
            deadline,
            left: settings.body_max,
            bytes_max: settings.body_max,
            quiet_max: settings.attempt_timeout,
            _turn: turn,
        })
    }
}

impl Pieces {
    /// The next piece; nothing at the end.
    ///
    /// # Errors
    /// It broke off, is longer than is accepted, or was silent for too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let until = self.deadline.min(Instant::now() + self.quiet_max);
        loop {
            let late = || Error::Deadline { url: self.url.clone(), attempts: 1, last: None };
            let frame = tokio::time::timeout_at(until, self.body.frame()).await.map_err(|_| late())?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| {
                let because = format!("the answer broke off: {error}");
                Error::Failed { url: self.url.clone(), because, attempts: 1 }
            })?;
            let Ok(data) = frame.into_data() else { continue };
            self.left = self
                .left
                .checked_sub(data.len())
                .ok_or_else(|| Error::TooLong { url: self.url.clone(), bytes_max: self.bytes_max })?;
            return Ok(Some(data));
        }
    }
}
