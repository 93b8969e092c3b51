//! One WebSocket from its handshake to its end.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;

use super::allowance::Allowance;
use super::frame::{self, Broken, Heard, Inbox, code};
use super::sockets::Ticket;
use super::wire::{Answer, Said};
use crate::authority::{may_read, may_run};
use crate::caller::{API_KEY, Calling, known_by, recognise};
use crate::door::Door;
use crate::live::{Batch, Ending, Named, Receiver};
use crate::problem::Problem;
use crate::rate::charge_connected;

/// What a thread lends to read into.
const SCRATCH_BYTES: usize = 16_384;
/// How long a write may take before the connection is given up.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// How long a client may take to answer that it ends.
const CLOSE_MAX: Duration = Duration::from_secs(2);
/// Frames that are written at once.
const TOGETHER_MAX: usize = 16;

/// One WebSocket.
pub struct Session {
    door: Door,
    calling: Calling,
    /// By what the caller is known, and is found again before each topic.
    known_by: HeaderMap,
    is_operator: bool,
    deflates: bool,
    receiver: Receiver,
    inbox: Inbox,
    allowance: Allowance,
    ticket: Ticket,
}

/// Why it ends: with this code, or (without) by a connection that is gone.
type End = Option<Broken>;

impl Session {
    /// Of who called.
    pub fn new(door: Door, parts: &Parts, is_operator: bool, deflates: bool, ticket: Ticket) -> Self {
        let (calling, known_by) = (Calling::of(&parts.extensions), known_by(&parts.headers));
        let live = door.live_settings();
        let inbox = Inbox::new(live.message_max_bytes, deflates);
        let allowance = Allowance::new(live.messages_per_s);
        let receiver = door.live().receiver(calling.address);
        Self { door, calling, known_by, is_operator, deflates, receiver, inbox, allowance, ticket }
    }

    /// Talks until it ends.
    pub async fn converse(mut self, mut io: impl AsyncRead + AsyncWrite + Unpin + Send) {
        let end = self.until_end(&mut io).await;
        let meters = self.ticket.meters();
        let said = end.map_or_else(|| "none".to_owned(), |end| end.code.to_string());
        meters.closed.with_label_values(&[&said]).inc();
        if let Some(Broken { code, because }) = end {
            let _ = tokio::time::timeout(CLOSE_MAX, part(&mut io, frame::close(Some(code), because))).await;
        }
    }

    async fn until_end(&mut self, io: &mut (impl AsyncRead + AsyncWrite + Unpin + Send)) -> End {
        let every = Duration::from_secs(self.door.heartbeat_s());
        let (mut heard_something, mut was_pinged) = (true, false);
        let mut beat = std::pin::pin!(tokio::time::sleep(every));
        loop {
            let inbox = &mut self.inbox;
            tokio::select! {
                heard = std::future::poll_fn(|context| poll_heard(io, inbox, context)) => {
                    let (bytes, heard, result) = heard.ok()?;
                    (heard_something, was_pinged) = (true, false);
                    self.ticket.meters().received_bytes.inc_by(bytes as u64);
                    for one in heard {
                        if let Err(end) = Box::pin(self.answer(one, io)).await {
                            return end;
                        }
                        // What a new topic tells of before would else wait together with that of the next.
                        while let Some(batch) = self.receiver.next_at_hand() {
                            self.tell(batch, io).await.ok()?;
                        }
                    }
                    if let Err(broken) = result {
                        return Some(broken);
                    }
                }
                told = self.receiver.told() => match told {
                    Ok(batch) => self.tell(batch, io).await.ok()?,
                    Err(Ending::Slow) => return Some(Broken { code: code::SLOW, because: "too slow" }),
                    Err(Ending::GoingAway) => return Some(Broken { code: code::GOING_AWAY, because: "the program stops" }),
                },
                () = beat.as_mut() => {
                    beat.as_mut().reset(Instant::now() + every);
                    if was_pinged {
                        return Some(Broken { code: code::SILENT, because: "nothing was heard" });
                    }
                    if !std::mem::take(&mut heard_something) {
                        was_pinged = true;
                        self.send(io, &[frame::ping().into()]).await.ok()?;
                    }
                }
            }
        }
    }

    /// Tells a batch, and those that wait behind it.
    async fn tell(&mut self, first: std::sync::Arc<Batch>, io: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let threshold = self.door.live_settings().compression_threshold;
        let frame_of = |batch: &Batch| if self.deflates { batch.frame_deflated(threshold) } else { batch.frame() };
        if !self.receiver.has_more() {
            // By far the most frequent.
            self.send(io, &[frame_of(&first)]).await?;
            self.ticket.meters().sent.inc_by(first.messages.len() as u64);
            return Ok(());
        }
        let mut batches = vec![first];
        while batches.len() < TOGETHER_MAX
            && let Some(next) = self.receiver.next_at_hand()
        {
            batches.push(next);
        }
        let frames: Vec<Bytes> = batches.iter().map(|batch| frame_of(batch)).collect();
        self.send(io, &frames).await?;
        let messages: usize = batches.iter().map(|batch| batch.messages.len()).sum();
        self.ticket.meters().sent.inc_by(messages as u64);
        Ok(())
    }

    async fn send(&self, io: &mut (impl AsyncWrite + Unpin), frames: &[Bytes]) -> io::Result<()> {
        let bytes: usize = frames.iter().map(Bytes::len).sum();
        let written = tokio::time::timeout(WRITE_MAX, write_all(io, frames)).await;
        written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.ticket.meters().sent_bytes.inc_by(bytes as u64);
        Ok(())
    }

    /// Answers what was heard; an error ends the connection.
    async fn answer(&mut self, heard: Heard, io: &mut (impl AsyncWrite + Unpin)) -> Result<(), End> {
        if !self.allowance.take() {
            return Err(Some(Broken { code: code::POLICY, because: "too many messages" }));
        }
        let reply = match heard {
            Heard::Pong => return Ok(()),
            Heard::Ping(payload) => frame::pong(&payload),
            Heard::Close(said) => {
                let _ = self.send(io, &[frame::close(said.or(Some(code::NORMAL)), "").into()]).await;
                return Err(None);
            }
            Heard::Text(text) => {
                self.ticket.meters().received.inc();
                frame::text(&self.reply(&text).await)
            }
        };
        self.send(io, &[reply.into()]).await.map_err(|_| None)
    }

    async fn reply(&mut self, text: &str) -> String {
        let said = Said::read(text);
        let topic = match &said {
            Ok(Said::Subscribe { topic, .. } | Said::Unsubscribe { topic }) => Some(topic.clone()),
            _ => None,
        };
        let done = match said {
            Ok(Said::Subscribe { topic, since }) => self.subscribe(&topic, since).await,
            Ok(Said::Unsubscribe { topic }) => self.unsubscribe(&topic),
            Ok(Said::Authenticate { token, key }) => self.authenticate(token, key).await,
            Ok(Said::Ping { id }) => Ok(written(&Answer::Pong { id })),
            Err(problem) => Err(problem),
        };
        done.unwrap_or_else(|error| written(&Answer::Error { topic: topic.as_deref(), error: &error }))
    }

    async fn subscribe(&mut self, topic: &str, since: Option<u64>) -> Result<String, Problem> {
        charge_connected(&self.door, &self.calling, 1).await?;
        let named = Named::parse(topic)?;
        // Their key may be revoked by now, their sign-in at an end.
        self.calling.caller = recognise(&self.door, &self.known_by, self.calling.address).await?;
        may_read(&self.calling.caller)?;
        if named.kind().is_private() {
            may_run(&self.door, &self.calling.caller, self.is_operator).await?;
        }
        let most = self.door.live_settings().topics_per_connection;
        if self.receiver.topics() >= most {
            return Err(Problem::invalid("topic", format!("one connection follows at most {most} topics")));
        }
        let attached = self.receiver.subscribe(&named, since).await?;
        Ok(written(&Answer::Subscribed { topic: &named.name, at: attached.at }))
    }

    fn unsubscribe(&mut self, topic: &str) -> Result<String, Problem> {
        let named = Named::parse(topic)?;
        if !self.receiver.unsubscribe(&named.name) {
            return Err(Problem::invalid("topic", "is not followed"));
        }
        Ok(written(&Answer::Unsubscribed { topic: &named.name }))
    }

    async fn authenticate(&mut self, token: Option<String>, key: Option<String>) -> Result<String, Problem> {
        let mut headers = HeaderMap::new();
        let given = match (token, key) {
            (Some(token), None) => (axum::http::header::AUTHORIZATION, format!("Bearer {token}")),
            (None, Some(key)) => (API_KEY, key),
            _ => return Err(Problem::unauthorized("give a token or a key")),
        };
        let value = given.1.try_into().map_err(|_| Problem::unauthorized("this is nobody's"))?;
        headers.insert(given.0, value);
        self.calling.caller = recognise(&self.door, &headers, self.calling.address).await?;
        self.known_by = headers;
        let caller = &self.calling.caller;
        let user = caller.account.as_ref().map(|account| account.name.as_str());
        Ok(written(&Answer::Authenticated { tier: caller.tier.code(), user }))
    }
}

fn written(answer: &Answer<'_>) -> String {
    // Nothing in it can fail to be JSON.
    serde_json::to_string(answer).unwrap_or_default()
}

/// What comes next: its bytes' number, what they make whole, and whether they break the protocol. Bytes are read into what the thread lends.
#[allow(clippy::type_complexity, reason = "it is taken apart where it is used")]
fn poll_heard(
    io: &mut (impl AsyncRead + Unpin),
    inbox: &mut Inbox,
    context: &mut Context<'_>,
) -> Poll<io::Result<(usize, Vec<Heard>, Result<(), Broken>)>> {
    thread_local! {
        static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into());
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(io).poll_read(context, &mut buffer))?;
        let bytes = buffer.filled();
        if bytes.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let (heard, result) = inbox.take(bytes);
        Poll::Ready(Ok((bytes.len(), heard, result)))
    })
}

/// Writes frames, as many at once as the system takes.
async fn write_all(io: &mut (impl AsyncWrite + Unpin), frames: &[Bytes]) -> io::Result<()> {
    if let [one] = frames {
        io.write_all(one).await?;
    } else {
        let mut slices: Vec<IoSlice<'_>> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
        let mut left = &mut slices[..];
        while !left.is_empty() {
            let written = io.write_vectored(left).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut left, written);
        }
    }
    io.flush().await
}

/// Says that it ends, and waits until the other side has heard it: what it still sends is read away, so that our word is not lost.
async fn part(io: &mut (impl AsyncRead + AsyncWrite + Unpin), close: Vec<u8>) -> io::Result<()> {
    io.write_all(&close).await?;
    io.shutdown().await?;
    let mut away = [0; 1_024];
    while tokio::io::AsyncReadExt::read(io, &mut away).await? > 0 {}
    Ok(())
}
