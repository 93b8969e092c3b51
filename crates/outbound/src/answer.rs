//! One request and its answer.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, RETRY_AFTER, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;

use crate::call::Call;
use crate::connection::Connector;
use crate::{Error, Failure, Settings};

/// Characters of a refusal that are told.
const EXCERPT_CHARS: usize = 200;
/// The longest pause that a source may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

/// What a source answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status, 2xx.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// Whether it came over HTTP/2.
    pub is_http2: bool,
}

/// Asks once.
pub(crate) async fn ask(
    client: &Client<Connector, Full<Bytes>>,
    url: &str,
    uri: &Uri,
    settings: &Settings,
) -> Result<Answer, Failure> {
    let passing = |because: String| Failure::Passing { because, retry_after: None, throttled: false };
    let span = Call::begin("GET", uri);
    let request = span
        .marked(Request::get(uri))
        .header(ACCEPT, "application/json, */*;q=0.5")
        .header(ACCEPT_ENCODING, "gzip")
        .header(USER_AGENT, &settings.user_agent)
        .body(Full::default())
        .map_err(|_| Failure::Final(Error::Address { url: url.to_owned() }))?;
    let response = client.request(request).await.map_err(|error| passing(whole(&error)))?;
    let (head, body) = response.into_parts();
    span.answered(head.status);
    let too_long = || Failure::Final(Error::TooLong { url: url.to_owned(), bytes_max: settings.body_max });
    let body = match Limited::new(body, settings.body_max).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(too_long()),
        Err(error) => return Err(passing(format!("the answer broke off: {error}"))),
    };
    if !head.status.is_success() {
        return Err(failure_of(url, head.status, &head.headers, &body));
    }
    let body = match head.headers.get(CONTENT_ENCODING).map(|value| value.as_bytes()) {
        None | Some(b"identity") => body,
        Some(b"gzip") => {
            unzipped(&body, settings.body_max).map_err(|e| passing(e.to_string()))?.ok_or_else(too_long)?
        }
        Some(other) => {
            let because = format!("encoded as {}, which was not asked for", String::from_utf8_lossy(other));
            return Err(passing(because));
        }
    };
    let is_http2 = head.version == hyper::Version::HTTP_2;
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body, is_http2 })
}

pub(crate) fn failure_of(url: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let passing = matches!(status.as_u16(), 408 | 425 | 429) || status.is_server_error();
    if !passing {
        let said = String::from_utf8_lossy(body);
        let excerpt = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(EXCERPT_CHARS).collect();
        return Failure::Final(Error::Refused { url: url.to_owned(), status: status.as_u16(), excerpt });
    }
    let retry_after = retry_after(headers, Utc::now());
    let throttled = status == StatusCode::TOO_MANY_REQUESTS || retry_after.is_some();
    Failure::Passing { because: format!("answered {}", status.as_u16()), retry_after, throttled }
}

/// What `Retry-After` says (RFC 9110, section 10.2.3): seconds, or a date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = DateTime::parse_from_rfc2822(text).ok()?;
            (at.to_utc() - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// `None` when it is longer than `bytes_max`.
fn unzipped(body: &[u8], bytes_max: usize) -> std::io::Result<Option<Bytes>> {
    let mut whole = Vec::new();
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    flate2::read::MultiGzDecoder::new(body).take(most).read_to_end(&mut whole)?;
    Ok((whole.len() <= bytes_max).then(|| whole.into()))
}

/// An error with what caused it.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_read_as_seconds_or_as_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-11-26T12:00:00Z").unwrap().to_utc();
        let said = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(said("7"), Some(Duration::from_secs(7)));
        assert_eq!(said("Thu, 26 Nov 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(said("Thu, 26 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(said("99999999"), Some(RETRY_AFTER_MAX));
        assert_eq!(said("soon"), None);
    }
}
