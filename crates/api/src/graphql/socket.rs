//! One connection of a client that follows: the protocol graphql-transport-ws, as the npm package `graphql-ws` speaks it.
//!
//! One task holds the connection: it reads what the client says and writes what is to be told. Each operation is a task of its own, which ends
//! with the connection. While the client does not read, their short queue is full and they wait; what happens meanwhile waits in the hub's
//! bounded queues, which say what they let go.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::body::to_bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Graphql;
use super::http::answer_over_socket;
use super::query::{Asked, Ready, follows, ready, tell};
use super::refusal::Refusal;
use super::subscriptions::row_of;
use crate::authority::may_read;
use crate::caller::{Calling, known_by, recognise};
use crate::door::Door;
use crate::live::{Ending, Message as Happened, Named, Receiver};
use crate::problem::Problem;
use crate::rate::admit;
use crate::ws::{Allowance, Ticket, check_origin};

/// The protocol's name.
pub const PROTOCOL: &str = "graphql-transport-ws";
/// The most bytes of an answer to a query.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// The most characters of the name that a client gives an operation.
const ID_CHARS_MAX: usize = 128;
/// The most bytes of the reason for which it is closed (RFC 6455, 5.5.1).
const REASON_BYTES_MAX: usize = 120;
/// Bytes that a connection holds to read into.
const READ_BYTES: usize = 4 << 10;
/// After how long an event is asked about again for which there was no place among the questions.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
/// How long a client may take to answer that it ends.
const CLOSE_MAX: Duration = Duration::from_secs(2);
/// Messages of all operations together that wait to be written.
const WAITING_MAX: usize = 16;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Map<String, Value>>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Value>,
    },
    Pong {},
    Subscribe {
        id: String,
        payload: Asked,
    },
    Complete {
        id: String,
    },
}

/// What an operation has to say.
enum Word {
    Next(Vec<u8>),
    Error(Value),
    Complete,
    Close(u16, &'static str),
}

/// Where an operation says it: which one it is, under which name, and in which of its lives.
#[derive(Clone)]
struct Mouth {
    id: Arc<str>,
    life: u64,
    words: mpsc::Sender<(Arc<str>, u64, Word)>,
}

impl Mouth {
    /// Says something; false when nobody listens any more.
    async fn say(&self, word: Word) -> bool {
        self.words.send((Arc::clone(&self.id), self.life, word)).await.is_ok()
    }
}

/// One connection.
struct Connection {
    door: Door,
    graphql: Arc<Graphql>,
    parts: Parts,
    calling: Calling,
    /// By what the caller is known, and is found again before each operation.
    known_by: HeaderMap,
    allowance: Allowance,
    is_acknowledged: bool,
    running: HashMap<Arc<str>, (u64, AbortHandle)>,
    tasks: JoinSet<()>,
    lives: u64,
    words: mpsc::Sender<(Arc<str>, u64, Word)>,
}

/// Where it is spoken, and counted.
struct Line {
    socket: WebSocket,
    /// Who does not read for so long is given up.
    patience: Duration,
    ticket: Ticket,
}

type Flow = ControlFlow<(u16, String)>;

fn close(code: u16, reason: impl Into<String>) -> Flow {
    ControlFlow::Break((code, reason.into()))
}

/// Opens a connection for those who speak the protocol.
///
/// # Errors
/// It is no handshake of a WebSocket, or of another protocol, or by a page of another origin; there are as many as may be.
pub async fn open(
    State(door): State<Door>,
    Extension(graphql): Extension<Arc<Graphql>>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &door).await;
    let upgrade = upgrade.map_err(|no| Problem::invalid("Upgrade", format!("not a WebSocket's handshake: {no}")))?;
    let offered = parts.headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    if !offered.flat_map(|value| value.split(',')).any(|name| name.trim() == PROTOCOL) {
        return Err(Problem::invalid("Sec-WebSocket-Protocol", format!("must offer `{PROTOCOL}`")));
    }
    check_origin(&parts.headers, &door.origins())?;
    let ticket = door.sockets().enter(Calling::of(&parts.extensions).address)?;
    // A query with its variables, however it is escaped.
    let message_max = usize::try_from(graphql.limits.query_bytes_max).unwrap_or(usize::MAX).saturating_mul(4);
    let upgrade = upgrade.protocols([PROTOCOL]).max_message_size(message_max).max_frame_size(message_max);
    // Each message is written at once: what waits is one of them, and a control frame.
    let upgrade = upgrade.read_buffer_size(READ_BYTES).write_buffer_size(0).max_write_buffer_size(2 * ANSWER_BYTES_MAX);
    let opened = upgrade.on_upgrade(move |socket| async move {
        let patience = Duration::from_secs(door.live_settings().heartbeat_s);
        let mut line = Line { socket, patience, ticket };
        let code = serve(&mut line, door, graphql, parts).await;
        let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        line.ticket.meters().closed.with_label_values(&[&code]).inc();
    });
    Ok(opened.into_response())
}

/// Speaks with a client until one of both has enough; gives the code by which it was closed, if it was by us.
async fn serve(line: &mut Line, door: Door, graphql: Arc<Graphql>, parts: Parts) -> Option<u16> {
    let (words, mut said) = mpsc::channel(WAITING_MAX);
    let calling = Calling::of(&parts.extensions);
    let (known_by, heartbeat) = (known_by(&parts.headers), line.patience);
    let allowance = Allowance::new(door.live_settings().messages_per_s);
    let init = Instant::now() + Duration::from_secs(graphql.limits.init_timeout_s);
    let (is_acknowledged, running, tasks) = (false, HashMap::new(), JoinSet::new());
    let mut connection = Connection {
        door,
        graphql,
        parts,
        calling,
        known_by,
        allowance,
        is_acknowledged,
        running,
        tasks,
        lives: 0,
        words,
    };
    let (mut heard, mut pinged) = (Instant::now(), false);
    let (code, reason) = loop {
        let silent = heard + if pinged { heartbeat * 2 } else { heartbeat };
        let next = if connection.is_acknowledged { silent } else { silent.min(init) };
        let flow = tokio::select! {
            word = said.recv() => match word {
                Some((id, life, word)) => connection.write(line, &id, life, word).await,
                None => return None,
            },
            message = line.socket.recv() => {
                (heard, pinged) = (Instant::now(), false);
                match message {
                    Some(Ok(_)) if !connection.allowance.take() => close(1008, "too many messages"),
                    Some(Ok(Message::Text(text))) => {
                        line.heard(text.len());
                        connection.hear(line, text.as_str()).await
                    }
                    Some(Ok(Message::Binary(_))) => close(4400, "messages are text"),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Flow::Continue(()),
                    Some(Err(error)) if error.to_string().contains("too long") => close(1009, "the message is too long"),
                    Some(Ok(Message::Close(_))) => {
                        // The answer to it goes out with what is heard next, which is the end.
                        let _ = timeout(heartbeat, line.socket.recv()).await;
                        return None;
                    }
                    Some(Err(_)) | None => return None,
                }
            }
            () = connection.tasks_end() => Flow::Continue(()),
            () = sleep_until(next) => {
                if !connection.is_acknowledged && Instant::now() >= init {
                    close(4408, "Connection initialisation timeout")
                } else if pinged {
                    return None;
                } else {
                    pinged = true;
                    line.send(Message::Ping(Vec::new().into())).await
                }
            }
        };
        if let ControlFlow::Break(why) = flow {
            break why;
        }
    };
    connection.tasks.abort_all();
    let mut reason = reason;
    reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
    let frame = CloseFrame { code, reason: reason.into() };
    let _ = timeout(heartbeat, line.socket.send(Message::Close(Some(frame)))).await;
    // What the client still sends is read away, so that our word is not lost.
    let _ = timeout(CLOSE_MAX, async { while let Some(Ok(_)) = line.socket.recv().await {} }).await;
    Some(code)
}

impl Line {
    /// Writes.
    async fn send(&mut self, message: Message) -> Flow {
        let (bytes, is_text) = match &message {
            Message::Text(text) => (text.len(), true),
            _ => (0, false),
        };
        match timeout(self.patience, self.socket.send(message)).await {
            Ok(Ok(())) => {
                let meters = self.ticket.meters();
                meters.sent.inc_by(is_text.into());
                meters.sent_bytes.inc_by(bytes as u64);
                Flow::Continue(())
            }
            _ => close(1001, ""),
        }
    }

    /// Counts a message that came.
    fn heard(&self, bytes: usize) {
        let meters = self.ticket.meters();
        meters.received.inc();
        meters.received_bytes.inc_by(bytes as u64);
    }
}

impl Connection {
    /// Lets go of tasks that are done.
    async fn tasks_end(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    async fn hear(&mut self, line: &mut Line, text: &str) -> Flow {
        let said = match serde_json::from_str(text) {
            Ok(said) => said,
            Err(error) => return close(4400, format!("not a message of {PROTOCOL}: {error}")),
        };
        match said {
            Said::ConnectionInit { .. } if self.is_acknowledged => close(4429, "Too many initialisation requests"),
            Said::ConnectionInit { payload } => match self.identify(&payload.unwrap_or_default()).await {
                Ok(()) => {
                    self.is_acknowledged = true;
                    line.send(Message::Text("{\"type\":\"connection_ack\"}".into())).await
                }
                Err(problem) => close(4403, format!("Forbidden: {}", Refusal::from(problem).message)),
            },
            Said::Ping { payload } => {
                let pong = match payload {
                    Some(payload) => json!({"type": "pong", "payload": payload}),
                    None => json!({"type": "pong"}),
                };
                line.send(Message::Text(pong.to_string().into())).await
            }
            Said::Pong {} => Flow::Continue(()),
            Said::Subscribe { .. } if !self.is_acknowledged => close(4401, "Unauthorized"),
            Said::Subscribe { id, .. } if id.is_empty() || id.chars().count() > ID_CHARS_MAX => {
                close(4400, format!("an id has 1 to {ID_CHARS_MAX} characters"))
            }
            Said::Subscribe { id, .. } if self.running.contains_key(id.as_str()) => {
                close(4409, format!("Subscriber for {id} already exists"))
            }
            Said::Subscribe { id, payload } => {
                self.begin(id.into(), payload);
                Flow::Continue(())
            }
            Said::Complete { id } => {
                if let Some((_, task)) = self.running.remove(id.as_str()) {
                    task.abort();
                }
                Flow::Continue(())
            }
        }
    }

    /// Finds out who it is that speaks: by what stands in `connectionParams`, or else by the headers of the request.
    async fn identify(&mut self, params: &Map<String, Value>) -> Result<(), Problem> {
        let mut headers = HeaderMap::new();
        for (name, value) in params {
            let name = name.to_ascii_lowercase();
            if let ("authorization" | "x-api-key", Some(value)) = (name.as_str(), value.as_str()) {
                let wrong = || Problem::unauthorized(format!("`{name}` cannot be a header"));
                let value = HeaderValue::from_str(value).map_err(|_| wrong())?;
                headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
            }
        }
        if !headers.is_empty() {
            self.calling.caller = recognise(&self.door, &headers, self.calling.address).await?;
            self.parts.extensions.insert(self.calling.clone());
            self.known_by = headers;
        }
        may_read(&self.calling.caller)
    }

    /// Begins an operation.
    fn begin(&mut self, id: Arc<str>, asked: Asked) {
        self.lives += 1;
        let mouth = Mouth { id: Arc::clone(&id), life: self.lives, words: self.words.clone() };
        let (max, n) = (self.graphql.limits.subscriptions_max, self.running.len() as u64 + 1);
        let mut operation = Operation {
            door: self.door.clone(),
            graphql: Arc::clone(&self.graphql),
            parts: self.parts.clone(),
            calling: self.calling.clone(),
            known_by: self.known_by.clone(),
            mouth,
        };
        let task = self.tasks.spawn(async move {
            let over = (n > max).then(|| Refusal::limit("subscriptions", max, n));
            let word = operation.run(asked, over).await.map_or_else(Word::Error, |()| Word::Complete);
            operation.mouth.say(word).await;
        });
        self.running.insert(id, (self.lives, task));
    }

    async fn write(&mut self, line: &mut Line, id: &str, life: u64, word: Word) -> Flow {
        // What the client has let go says nothing more, nor does a former operation of the same name.
        if self.running.get(id).is_none_or(|(current, _)| *current != life) {
            return Flow::Continue(());
        }
        let id_as_json = Value::from(id);
        let text = match word {
            Word::Next(payload) => {
                let payload = String::from_utf8(payload).unwrap_or_default();
                format!("{{\"id\":{id_as_json},\"type\":\"next\",\"payload\":{payload}}}")
            }
            Word::Error(errors) => {
                self.running.remove(id);
                json!({"id": id, "type": "error", "payload": errors}).to_string()
            }
            Word::Complete => {
                self.running.remove(id);
                json!({"id": id, "type": "complete"}).to_string()
            }
            Word::Close(code, reason) => return close(code, reason),
        };
        line.send(Message::Text(text.into())).await
    }
}

fn errors_of(refusals: &[Refusal]) -> Value {
    refusals.iter().map(Refusal::to_json).collect()
}

/// One operation of a client.
struct Operation {
    door: Door,
    graphql: Arc<Graphql>,
    parts: Parts,
    calling: Calling,
    known_by: HeaderMap,
    mouth: Mouth,
}

impl Operation {
    /// Does it to its end, unless it is one too many.
    ///
    /// # Errors
    /// What stands in `errors` when nothing of it is done.
    async fn run(&mut self, asked: Asked, over: Option<Refusal>) -> Result<(), Value> {
        // Their key may be revoked by now, their sign-in at an end.
        let caller = recognise(&self.door, &self.known_by, self.calling.address).await;
        self.calling.caller = caller.map_err(|no| errors_of(&[no.into()]))?;
        self.parts.extensions.insert(self.calling.clone());
        let graphql = &self.graphql;
        let ready = over.map_or_else(|| ready(asked, graphql), Err);
        // What is refused costs what a request costs.
        let cost = ready.as_ref().map_or(1, |ready| ready.cost());
        if let Err(refusal) = admit(&self.door, &self.calling, cost).await {
            return Err(json!([error_of(refusal).await]));
        }
        let ready = ready.map_err(|no| errors_of(&[no]))?;
        if ready.found.kind == OperationType::Subscription {
            return self.follow(ready).await;
        }
        let response = answer_over_socket(&self.door, graphql, &mut self.parts.clone(), ready).await;
        let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX).await;
        let body = body.map_err(|_| errors_of(&[Problem::internal().into()]))?;
        // Refused as a whole it has no data, not even none.
        if body.starts_with(b"{\"errors\"") {
            let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
            return Err(body["errors"].take());
        }
        self.mouth.say(Word::Next(body.to_vec())).await;
        Ok(())
    }

    async fn follow(&self, ready: Arc<Ready>) -> Result<(), Value> {
        let (named, since, asks) = follows(&self.graphql, &ready).map_err(|no| errors_of(&no))?;
        let mut receiver: Receiver = self.door.live().receiver(self.calling.address);
        let begun = receiver.subscribe(&named, since).await;
        let begun = begun.map_err(|problem| errors_of(&[problem.into()]))?;
        loop {
            // Of what has ended there is only what waits already.
            let told = if begun.is_ended { receiver.told().now_or_never() } else { Some(receiver.told().await) };
            let batch = match told {
                None => return Ok(()),
                Some(Ok(batch)) => batch,
                Some(Err(Ending::Slow)) => {
                    self.mouth.say(Word::Close(4008, "what is told is not read")).await;
                    return Ok(());
                }
                Some(Err(Ending::GoingAway)) => {
                    self.mouth.say(Word::Close(1001, "the program stops")).await;
                    return Ok(());
                }
            };
            // What has ended may be opened again: it goes on as long as something waits behind the end.
            let ends = batch.messages.last().is_some_and(|last| last.is_end) && !receiver.has_more();
            // How things stand is asked by a query.
            for message in batch.messages.iter().filter(|message| !message.is_state) {
                let payload = self.told(&ready, &named, message, asks).await.map_err(|no| errors_of(&[no.into()]))?;
                if !self.mouth.say(Word::Next(payload)).await {
                    return Ok(());
                }
            }
            if ends {
                return Ok(());
            }
        }
    }

    /// An event as the operation wants it; behind the gate of the database's questions when it asks for more than came with it.
    async fn told(
        &self,
        ready: &Arc<Ready>,
        named: &Named,
        message: &Happened,
        asks: bool,
    ) -> Result<Vec<u8>, Problem> {
        loop {
            let row = row_of(named, message.seq, &message.kind, &message.value());
            let (graphql, ready) = (Arc::clone(&self.graphql), Arc::clone(ready));
            let work = move |app: &app::App| tell(app, &graphql, &ready, &row);
            if !asks {
                return Ok(self.door.at_once(work));
            }
            match self.door.ask_for(move |app| Ok(work(app))).await {
                // It waits as long as the client does: what happens meanwhile waits in the bounded queue.
                Err(problem) if problem.is_too_busy() => sleep(AGAIN_AFTER).await,
                told => return told,
            }
        }
    }
}

/// A refusal of another layer as it stands in `errors`.
async fn error_of(refusal: Response) -> Value {
    let body = to_bytes(refusal.into_body(), 1 << 16).await.unwrap_or_default();
    let mut problem: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let message = problem.remove("detail").unwrap_or_default();
    json!({"message": message, "extensions": problem})
}
