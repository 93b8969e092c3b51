//! Compresses what is not kept: the body in one piece where it is at hand, piece by piece where it comes so.
//!
//! Left as they are: small bodies, types that are compressed already, parts of a body, what says `no-transform`, and what says `no-store`
//! or sets a cookie, for there a secret may stand beside what the asker sent, and its length would tell of it (BREACH).

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE, SET_COOKIE,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Frame;

use crate::coding::{Coding, Encoder, FASTEST_FIRST, Wanted};
use crate::door::Door;
use crate::kept::Finished;
use crate::limits::UNCOMPRESSED_BYTES_MAX;
use crate::problem::Problem;

/// A body of at most so many bytes is compressed in one piece.
const WHOLE_BYTES_MAX: u64 = 16 << 20;

/// Compresses an answer as its asker wants it.
pub async fn pack(State(door): State<Door>, request: Request, next: Next) -> Response {
    let wanted = Wanted::of(request.headers());
    let part = request.headers().contains_key(RANGE) || *request.method() == Method::HEAD;
    let transforms = !says(request.headers(), "no-transform");
    let response = next.run(request).await;
    if response.extensions().get::<Finished>().is_some() || door.http().compression_level == 0 {
        return response;
    }
    if part || !transforms || !may_change(&response) {
        return response;
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let events = kind.starts_with("text/event-stream");
    let small = response.body().size_hint().upper().is_some_and(|bytes| bytes <= UNCOMPRESSED_BYTES_MAX);
    let coding = if is_packed(kind) || (small && wanted.takes(Coding::Identity)) {
        Some(Coding::Identity)
    } else {
        wanted.best(FASTEST_FIRST)
    };
    match coding {
        None if response.status() == StatusCode::OK => Problem::not_acceptable().into_response(),
        None => response,
        Some(Coding::Identity) => varied(response),
        Some(coding) => varied(packed(response, coding, events).await),
    }
}

/// Whether an answer may be written otherwise than it is.
fn may_change(response: &Response) -> bool {
    let headers = response.headers();
    let secret = headers.contains_key(SET_COOKIE) || says(headers, "no-store") || says(headers, "private");
    let as_it_is = headers.contains_key(CONTENT_ENCODING) || headers.contains_key(CONTENT_RANGE);
    let bodiless = response.status().is_informational()
        || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT);
    !(secret || as_it_is || bodiless || says(headers, "no-transform"))
}

fn says(headers: &HeaderMap, directive: &str) -> bool {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|said| said.trim().eq_ignore_ascii_case(directive))
}

/// Whether bodies of this type are compressed already.
fn is_packed(kind: &str) -> bool {
    const PACKED: [&str; 9] = [
        "video/",
        "audio/",
        "font/",
        "application/zip",
        "application/gzip",
        "application/zstd",
        "application/octet-stream",
        "application/vnd.apache.parquet",
        "application/vnd.openxmlformats",
    ];
    let image = kind.starts_with("image/") && !kind.starts_with("image/svg");
    image || PACKED.iter().any(|packed| kind.starts_with(packed))
}

fn varied(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let there = headers.get_all(VARY).iter().any(|value| value.as_bytes().windows(15).any(|w| w == b"accept-encoding"));
    if !there {
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

async fn packed(response: Response, coding: Coding, flushes: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(ACCEPT_RANGES);
    parts.headers.insert(CONTENT_ENCODING, coding.header());
    let whole = body.size_hint().exact().filter(|bytes| *bytes <= WHOLE_BYTES_MAX);
    let body = match whole {
        Some(bytes) => match axum::body::to_bytes(body, usize::try_from(bytes).unwrap_or(usize::MAX)).await {
            Ok(plain) => {
                let encode = move || trace::step_of(trace::Phase::Encoding, || coding.encode(&plain));
                match tokio::task::spawn_blocking(trace::carried(encode)).await {
                    Ok(encoded) => Body::from(encoded),
                    Err(_) => return Problem::internal().into_response(),
                }
            }
            Err(_) => return Problem::internal().into_response(),
        },
        None => Body::new(Packing { body, encoder: Encoder::new(coding), flushes }),
    };
    Response::from_parts(parts, body)
}

/// A body that is compressed as it comes.
struct Packing {
    body: Body,
    /// Until the end was written.
    encoder: Option<Encoder>,
    /// Each piece is to be readable at once.
    flushes: bool,
}

impl HttpBody for Packing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            let Some(mut encoder) = self.encoder.take() else { return Poll::Ready(None) };
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => {
                    self.encoder = Some(encoder);
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(piece) = frame.into_data() {
                        encoder.write(&piece).map_err(axum::Error::new)?;
                        if self.flushes {
                            encoder.flush().map_err(axum::Error::new)?;
                        }
                    }
                    let out = encoder.take();
                    self.encoder = Some(encoder);
                    if !out.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(out.into()))));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(Some(Ok(Frame::data(encoder.finish().into())))),
            }
        }
    }
}
