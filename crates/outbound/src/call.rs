//! An attempt as a part of a trace: who is asked is told where it belongs (`traceparent`), and how it ended is recorded.
//!
//! A caller's `tracestate` is not handed on: what others wrote there is not ours to tell to a third.

use std::cell::RefCell;

use hyper::header::{HeaderName, HeaderValue};
use hyper::http::request::Builder;
use hyper::{StatusCode, Uri};
use trace::{Kind, Place, Span};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// An attempt; it is over when this is dropped, and failed unless it was answered.
pub(crate) struct Call {
    place: Option<Place>,
    span: RefCell<Option<Span>>,
}

impl Call {
    pub(crate) fn begin(method: &'static str, uri: &Uri) -> Self {
        let span = Span::below(Kind::Client).map(|span| {
            let mut span = span.named(method);
            span.tell("http.request.method", method);
            // Only where: paths and queries of sources may name people.
            span.tell("server.address", uri.host().unwrap_or_default().to_owned());
            if let Some(port) = uri.port_u16() {
                span.tell("server.port", i64::from(port));
            }
            span
        });
        let place = span.as_ref().map(Span::current).or_else(trace::current).map(|current| current.place());
        Self { place, span: RefCell::new(span) }
    }

    /// The request, with the place that it is asked from.
    pub(crate) fn marked(&self, request: Builder) -> Builder {
        match self.place.and_then(|place| HeaderValue::try_from(place.traceparent()).ok()) {
            Some(place) => request.header(TRACEPARENT, place),
            None => request,
        }
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(mut span) = self.span.take() {
            span.tell("http.response.status_code", i64::from(status.as_u16()));
            if status.is_client_error() || status.is_server_error() {
                span.fail();
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(span) = self.span.get_mut() {
            span.fail();
        }
    }
}
