//! Following a topic as server-sent events, from where the client says it was.
//!
//! However many follow a topic, one source feeds them, and what goes out is put into bytes once for all of them: also compressed, for each
//! batch of events is a part of a gzip stream that refers to nothing before it. A client that takes no gzip is compressed for alone, by the
//! layer that does it for every answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::Crc;

use crate::caller::Calling;
use crate::coding::{Coding, Wanted};
use crate::door::Door;
use crate::live::{Batch, Events, Named, Receiver, events_of};
use crate::problem::Problem;
use crate::ws::Ticket;

/// Tells proxies to pass each event on at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// After how many milliseconds a client comes back, told at the start.
const START: &[u8] = b"retry: 2000\n\n";
/// What is sent while nothing happens.
const HEARTBEAT: &[u8] = b":\n\n";
/// The head of a gzip stream without name and time (RFC 1952).
const GZIP_HEAD: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The last block of a deflate stream, which holds nothing.
const LAST_BLOCK: [u8; 2] = [3, 0];

/// Follows a topic behind `Last-Event-ID`; without it behind `since`, or from now on.
///
/// # Errors
/// `Last-Event-ID` is no number; there is no such thing to be followed; there are as many streams and WebSockets as may be.
pub async fn follow(
    door: &Door,
    (calling, headers): (&Calling, &HeaderMap),
    named: &Named,
    since: Option<u64>,
) -> Result<Response, Problem> {
    let seen = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?").trim()) {
        None | Some("") => since,
        Some(text) => Some(text.parse().map_err(|_| Problem::invalid("Last-Event-ID", "not the id of an event"))?),
    };
    let ticket = door.sockets().enter_stream(calling.address)?;
    let mut receiver = door.live().receiver(calling.address);
    let attached = receiver.subscribe(named, seen).await?;
    let packs = door.http().compression_level > 0 && Wanted::of(headers).takes(Coding::Gzip);
    let stream = Follower {
        receiver,
        heartbeat: Duration::from_secs(door.heartbeat_s()),
        has_ended: attached.is_ended,
        ends: attached.is_ended,
        _ticket: ticket,
        gzip: packs.then(Crc::new),
        state: State::Start,
    };
    let body = futures_util::stream::unfold(stream, async |mut follower| {
        let piece = follower.next().await?;
        Some((Ok::<_, Infallible>(piece), follower))
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    if packs {
        headers.insert(CONTENT_ENCODING, Coding::Gzip.header());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    Ok(response)
}

enum State {
    Start,
    Going,
    Ended,
}

/// One who follows.
struct Follower {
    receiver: Receiver,
    heartbeat: Duration,
    /// It had ended before it was followed.
    has_ended: bool,
    /// When everything that waits was told, nothing more will happen.
    ends: bool,
    _ticket: Ticket,
    /// What was sent so far, where it is compressed.
    gzip: Option<Crc>,
    state: State,
}

impl Follower {
    /// The next piece of the body.
    async fn next(&mut self) -> Option<Bytes> {
        match self.state {
            State::Start => {
                self.state = State::Going;
                let piece = self.piece(&events_of(START.to_vec()));
                Some(if self.gzip.is_some() { [GZIP_HEAD, &piece].concat().into() } else { piece })
            }
            State::Going => match self.told().await {
                Some(piece) => Some(piece),
                None => {
                    self.state = State::Ended;
                    self.gzip.take().map(|crc| gzip_end(&crc))
                }
            },
            State::Ended => None,
        }
    }

    /// What happens next, or that nothing did for a while; `None` when nothing more will.
    async fn told(&mut self) -> Option<Bytes> {
        if self.ends && !self.receiver.has_more() {
            return None;
        }
        match tokio::time::timeout(self.heartbeat, self.receiver.told()).await {
            Ok(Ok(batch)) => {
                // What ended meanwhile may be opened again.
                self.ends = self.has_ended || ends(&batch);
                Some(self.piece(batch.events()))
            }
            Ok(Err(_)) => None,
            Err(_) => Some(self.piece(&events_of(HEARTBEAT.to_vec()))),
        }
    }

    fn piece(&mut self, events: &Events) -> Bytes {
        match &mut self.gzip {
            None => events.plain.clone(),
            Some(crc) => {
                crc.combine(&events.crc);
                events.deflated.clone()
            }
        }
    }
}

/// Whether nothing happens behind a batch.
fn ends(batch: &Arc<Batch>) -> bool {
    batch.messages.last().is_some_and(|last| last.is_end)
}

fn gzip_end(crc: &Crc) -> Bytes {
    [&LAST_BLOCK[..], &crc.sum().to_le_bytes(), &crc.amount().to_le_bytes()].concat().into()
}
