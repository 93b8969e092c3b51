//! A request's place in a trace: taken from who asks (`traceparent`), told in the answer (`traceresponse`), and held by whatever the
//! request is made of; and the line of a slow one.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use trace::{Current, Kind, Phase, Place, Span};

/// Where a caller says in which trace it asks (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";
/// Where the answer says under which span it was made (W3C Trace Context, level 2).
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// A request under way.
pub struct Traced {
    current: Current,
    span: Option<Span>,
    started: Instant,
}

impl Traced {
    /// The request with these headers, named `name`.
    pub fn begin(headers: &HeaderMap, name: &HeaderValue, started: Instant) -> Self {
        let parent = parent_in(headers);
        let current = Current::begin(parent, name.to_str().ok());
        let mut span = Span::first(&current, parent, Kind::Server).map(|span| span.since(started));
        // The name of one that its client gives up.
        if let Some(span) = &mut span {
            span.rename("request");
        }
        Self { current, span, started }
    }

    /// Where its parts belong.
    pub fn current(&self) -> Current {
        self.current.clone()
    }

    /// The id of its trace, if anyone records it.
    pub fn example(&self) -> Option<u128> {
        recorded(self.current.place())
    }

    /// It is answered: says so in the answer, in the log when it took `slow` or longer, and to who records.
    pub fn end(self, response: &mut Response, method: &'static str, route: &str, slow: Duration) -> Duration {
        let (status, took) = (response.status().as_u16(), self.started.elapsed());
        tell(response, self.current.place());
        if let Some(span) = self.span {
            close(span, method, route, status);
        }
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let took_ms = ms(took);
        let of = |phase| ms(self.current.times().of(phase));
        let (queue_ms, database_ms, encoding_ms) = (of(Phase::Queue), of(Phase::Database), of(Phase::Encoding));
        let _here = self.current.enter();
        if took >= slow {
            tracing::warn!(method, route, status, took_ms, queue_ms, database_ms, encoding_ms, "slow request");
        } else {
            tracing::debug!(method, route, status, took_ms, "answered");
        }
        took
    }
}

/// Says of a hit in memory where it belongs, if anyone follows it; gives the id of its trace if anyone records it.
pub fn tell_of_hit(headers: &HeaderMap, response: &mut Response, route: &str, started: Instant) -> Option<u128> {
    let parent = parent_in(headers);
    let current = Current::if_followed(parent)?;
    tell(response, current.place());
    if let Some(mut span) = Span::first(&current, parent, Kind::Server).map(|span| span.since(started)) {
        span.tell("cidadao.cache", "l1");
        close(span, "GET", route, response.status().as_u16());
    }
    recorded(current.place())
}

fn recorded(place: Place) -> Option<u128> {
    place.sampled.then_some(place.trace)
}

fn close(mut span: Span, method: &'static str, route: &str, status: u16) {
    span.rename(format!("{method} {route}"));
    span.tell("http.request.method", method);
    span.tell("http.route", route.to_owned());
    span.tell("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.fail();
    }
}

/// Where who asks says it is; two answers are none.
fn parent_in(headers: &HeaderMap) -> Option<Place> {
    let mut said = headers.get_all(TRACEPARENT).iter();
    let parent = Place::parse(said.next()?.to_str().ok()?)?;
    said.next().is_none().then_some(parent)
}

fn tell(response: &mut Response, place: Place) {
    if let Ok(value) = HeaderValue::try_from(place.traceparent()) {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
}
