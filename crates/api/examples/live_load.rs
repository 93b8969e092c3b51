//! Thousands of clients that follow what happens, and a bare broadcaster to hold the program against. `bench/live/run.py` drives it.
//!
//! `live_load ws ADDRESS CLIENTS DEFLATE TOPIC…` opens WebSockets that follow these topics (none for a peer, which tells without being
//! asked), `live_load sse ADDRESS CLIENTS GZIP PATH` streams of events. It says `ready`, and for each line on its input what came since
//! the line before, as JSON: how many messages and bytes, within how many seconds, and how long after its own `at` each message came.
//! `live_load peer PORT` is tokio-tungstenite with one frame made for all; for a line `COUNT BYTES` it tells so many messages.
#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on stops")]

use std::io::BufRead as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::{Decompress, FlushDecompress};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;

/// Clients that connect at once.
const AT_ONCE: usize = 64;

#[derive(Default)]
struct Seen {
    messages: AtomicU64,
    bytes: AtomicU64,
    first_us: AtomicU64,
    last_us: AtomicU64,
    /// How long after its `at` each message came, in microseconds.
    delays_us: Mutex<Vec<u64>>,
}

fn now_us() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

impl Seen {
    fn note(&self, text: &[u8], messages: u64) {
        let now = now_us();
        self.messages.fetch_add(messages, Ordering::Relaxed);
        let _ = self.first_us.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        self.last_us.fetch_max(now, Ordering::Relaxed);
        let mark = b"\"at\":\"";
        // The last message of a batch waited least; what counts is the first.
        if let Some(at) = text.windows(mark.len()).position(|window| window == mark) {
            let rest = &text[at + mark.len()..];
            let end = rest.iter().position(|byte| *byte == b'"').unwrap();
            let at = chrono::DateTime::parse_from_rfc3339(std::str::from_utf8(&rest[..end]).unwrap()).unwrap();
            let at = u64::try_from(at.timestamp_micros()).unwrap();
            self.delays_us.lock().unwrap().push(now.saturating_sub(at));
        }
    }

    /// What came since it was last asked.
    fn tell(&self) -> String {
        let mut delays = std::mem::take(&mut *self.delays_us.lock().unwrap());
        delays.sort_unstable();
        let at = |q: f64| {
            let place = (delays.len() as f64 * q) as usize;
            delays.get(place.min(delays.len().saturating_sub(1))).map_or(0.0, |us| *us as f64 / 1e3)
        };
        let seconds =
            (self.last_us.swap(0, Ordering::Relaxed) as f64 - self.first_us.swap(0, Ordering::Relaxed) as f64) / 1e6;
        serde_json::json!({
            "messages": self.messages.swap(0, Ordering::Relaxed), "bytes": self.bytes.swap(0, Ordering::Relaxed),
            "seconds": seconds, "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1.0),
        })
        .to_string()
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments[0].as_str() {
        "peer" => runtime.block_on(peer(arguments[1].parse().unwrap())),
        _ => runtime.block_on(clients(arguments)),
    }
}

async fn clients(arguments: Vec<String>) {
    let seen = Arc::new(Seen::default());
    let (count, packs) = (arguments[2].parse::<usize>().unwrap(), arguments[3] == "1");
    let arguments = Arc::new(arguments);
    let open = futures_util::stream::iter(0..count).map(|_| {
        let (arguments, seen) = (Arc::clone(&arguments), Arc::clone(&seen));
        async move {
            let mut stream = TcpStream::connect(&arguments[1]).await.unwrap();
            stream.set_nodelay(true).unwrap();
            if arguments[0] == "sse" {
                let coding = if packs { "accept-encoding: gzip\r\n" } else { "" };
                let request = format!("GET {} HTTP/1.1\r\nhost: 127.0.0.1\r\n{coding}\r\n", arguments[4]);
                stream.write_all(request.as_bytes()).await.unwrap();
                head_of(&mut stream).await;
                tokio::spawn(listen_events(stream, packs, seen));
            } else {
                shake(&mut stream, packs).await;
                for topic in &arguments[4..] {
                    let say = serde_json::json!({"type": "subscribe", "topic": topic}).to_string();
                    stream.write_all(&masked(say.as_bytes())).await.unwrap();
                }
                tokio::spawn(listen(stream, arguments.len() - 4, seen));
            }
        }
    });
    open.buffer_unordered(AT_ONCE).collect::<()>().await;
    println!("ready");
    tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lock().lines() {
            let _ = line.unwrap();
            println!("{}", seen.tell());
        }
    })
    .await
    .unwrap();
    std::process::exit(0);
}

async fn head_of(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101") || head.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&head)
    );
}

async fn shake(stream: &mut TcpStream, packs: bool) {
    let extension = if packs { "sec-websocket-extensions: permessage-deflate\r\n" } else { "" };
    let request = format!(
        "GET /api/v1/ws HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extension}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    head_of(stream).await;
}

fn masked(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut out = vec![0x81];
    if length < 126 {
        out.push(0x80 | length as u8);
    } else {
        out.push(0x80 | 126);
        out.extend(length.to_be_bytes());
    }
    out.extend([0; 4]);
    out.extend(payload);
    out
}

/// Reads frames; the first `replies` of them answer subscriptions.
async fn listen(mut stream: TcpStream, mut replies: usize, seen: Arc<Seen>) {
    let mut held: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 8_192];
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
        held.extend(&buffer[..read]);
        let mut at = 0;
        while let Some((start, end)) = frame_in(&held[at..]) {
            let (first, payload) = (held[at], &held[at + start..at + end]);
            match first & 0x0f {
                1 if replies > 0 && payload.starts_with(b"{\"type\":\"subscribed\"") => replies -= 1,
                1 => {
                    let text = if first & 0x40 == 0 { payload.to_vec() } else { inflated(payload) };
                    seen.bytes.fetch_add(end as u64, Ordering::Relaxed);
                    seen.note(&text, count_of(&text));
                }
                9 => stream.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await.unwrap(),
                _ => return,
            }
            at += end;
        }
        held.drain(..at);
        if held.is_empty() {
            held = Vec::new();
        }
    }
}

fn frame_in(bytes: &[u8]) -> Option<(usize, usize)> {
    let (start, length) = match *bytes.get(1)? {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).unwrap()),
        short => (2, short.into()),
    };
    (bytes.len() >= start + length).then_some((start, start + length))
}

fn inflated(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() * 20 + 1_024);
    let body = [payload, &[0, 0, 0xff, 0xff]].concat();
    Decompress::new(false).decompress_vec(&body, &mut out, FlushDecompress::Sync).unwrap();
    out
}

/// The messages of a batch; a peer's are one each.
fn count_of(text: &[u8]) -> u64 {
    let Some(rest) = text.strip_prefix(b"{\"type\":\"batch\",\"count\":") else { return 1 };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
}

/// Reads events, chunk by chunk; those that are compressed are counted in bytes only.
async fn listen_events(mut stream: TcpStream, packs: bool, seen: Arc<Seen>) {
    let mut buffer = vec![0; 16_384];
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
        let text = &buffer[..read];
        seen.bytes.fetch_add(read as u64, Ordering::Relaxed);
        let events = text.windows(7).filter(|window| window == b"event: ").count();
        if packs || events > 0 {
            seen.note(text, events.max(1) as u64);
        }
    }
}

/// A broadcaster as tokio-tungstenite makes it easy: one text for all, a task for each connection.
async fn peer(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let (tell, _) = broadcast::channel::<Message>(4_096);
    let teller = tell.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let line = line.unwrap();
            let (count, bytes) = line.split_once(' ').unwrap();
            for n in 0..count.parse::<u64>().unwrap() {
                let at = chrono::Utc::now().to_rfc3339();
                let data = "x".repeat(bytes.parse().unwrap());
                let text = format!(r#"{{"seq":{n},"topic":"t","type":"told","data":{{"text":"{data}","at":"{at}"}}}}"#);
                let _ = teller.send(Message::text(text));
            }
            println!("told");
        }
        std::process::exit(0);
    });
    println!("ready");
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut heard = tell.subscribe();
        tokio::spawn(async move {
            let (mut to, mut from) = tokio_tungstenite::accept_async(stream).await.unwrap().split();
            loop {
                tokio::select! {
                    told = heard.recv() => match told {
                        Ok(message) => if to.send(message).await.is_err() { return },
                        Err(_) => return,
                    },
                    said = from.next() => if !matches!(said, Some(Ok(_))) { return },
                }
            }
        });
    }
}
