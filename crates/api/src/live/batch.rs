//! Messages, and several of them in the bytes that go out: made once, shared by all who get them.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use serde_json::{Value, json};

use super::Kind;

/// Something that happened, ready to be told.
#[derive(Debug)]
pub struct Message {
    /// Its place in its topic.
    pub seq: u64,
    /// What it is: an investigation's `completed`, a finding's `withdrawn`, a `gap` …
    pub kind: Box<str>,
    /// What there is to say of it, as JSON.
    pub data: Bytes,
    /// It does not wait for others.
    pub is_urgent: bool,
    /// Behind it nothing more happens in its topic.
    pub is_end: bool,
    /// It says how things stand now, and has no place of its own to go on from.
    pub is_state: bool,
}

impl Message {
    /// Something that happened.
    pub fn told(of: Kind, told: &app::queries::Told) -> Self {
        let ends = of.ends_with(&told.kind);
        Self { is_urgent: ends, is_end: ends, ..Self::of(told.seq, &told.kind, &told.data) }
    }

    /// How things stand at a place.
    pub fn state(seq: u64, kind: &str, data: &Value) -> Self {
        Self { is_state: true, ..Self::of(seq, kind, data) }
    }

    /// What came behind `since` up to `to` is not told; `missed` of it, where that is known. `read` is where to read how things stand.
    pub fn gap(since: u64, to: u64, missed: Option<usize>, read: &str) -> Self {
        let data = json!({"since": since, "to": to, "missed": missed, "read": read});
        Self { is_urgent: true, ..Self::of(to, "gap", &data) }
    }

    fn of(seq: u64, kind: &str, data: &Value) -> Self {
        let data = Bytes::from(data.to_string());
        Self { seq, kind: kind.into(), data, is_urgent: false, is_end: false, is_state: false }
    }

    /// What it takes in memory, about.
    pub fn bytes(&self) -> i64 {
        i64::try_from(self.data.len() + self.kind.len() + size_of::<Self>()).unwrap_or(i64::MAX)
    }

    /// What there is to say of it.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.data).unwrap_or_default()
    }
}

/// Messages of one topic that go out together.
#[derive(Debug)]
pub struct Batch {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The messages, in order; at least one.
    pub messages: Vec<Arc<Message>>,
    /// A whole frame of text, as a server sends it.
    frame: Bytes,
    /// How many of its bytes are the frame's head.
    head: usize,
    deflated: OnceLock<Option<Bytes>>,
    events: OnceLock<Events>,
}

/// A batch as server-sent events.
#[derive(Debug)]
pub struct Events {
    /// As they are.
    pub plain: Bytes,
    /// As a part of a deflate stream that refers to nothing before it.
    pub deflated: Bytes,
    /// Of the plain bytes.
    pub crc: Crc,
}

impl Batch {
    /// Of these messages.
    pub fn new(topic: &Arc<str>, messages: Vec<Arc<Message>>) -> Arc<Self> {
        let text = text_of(topic, &messages);
        let mut frame = Vec::with_capacity(text.len() + 10);
        put_head(&mut frame, 0x81, text.len());
        let head = frame.len();
        frame.extend(text);
        let (deflated, events) = (OnceLock::new(), OnceLock::new());
        Arc::new(Self { topic: Arc::clone(topic), messages, frame: frame.into(), head, deflated, events })
    }

    /// Its text, as one message of a WebSocket.
    pub fn text(&self) -> Bytes {
        self.frame.slice(self.head..)
    }

    /// A whole frame, uncompressed.
    pub fn frame(&self) -> Bytes {
        self.frame.clone()
    }

    /// A whole frame for who negotiated permessage-deflate without context: compressed where the text has at least so many bytes and
    /// becomes smaller by it.
    pub fn frame_deflated(&self, from_bytes: usize) -> Bytes {
        let text = self.text();
        if text.len() < from_bytes {
            return self.frame();
        }
        let made = self.deflated.get_or_init(|| {
            let mut body = deflate(&text);
            // The tail of a flush is left out on the wire (RFC 7692, 7.2.1).
            body.truncate(body.len().saturating_sub(4));
            let mut frame = Vec::with_capacity(body.len() + 10);
            put_head(&mut frame, 0xc1, body.len());
            frame.extend(body);
            (frame.len() < self.frame.len()).then(|| frame.into())
        });
        made.clone().unwrap_or_else(|| self.frame())
    }

    /// As server-sent events.
    pub fn events(&self) -> &Events {
        self.events.get_or_init(|| {
            let mut plain = Vec::new();
            for message in &self.messages {
                // What has no place of its own is no place to come back to.
                if !message.is_state {
                    let _ = writeln!(plain, "id: {}", message.seq);
                }
                let _ = write!(plain, "event: {}\ndata: ", message.kind);
                plain.extend(&*message.data);
                plain.extend(b"\n\n");
            }
            events_of(plain)
        })
    }
}

/// A piece of an event stream, in every form.
pub fn events_of(plain: Vec<u8>) -> Events {
    let mut crc = Crc::new();
    crc.update(&plain);
    Events { deflated: deflate(&plain).into(), plain: plain.into(), crc }
}

/// `{"type":"batch","count":2,"messages":[{"seq":1,"topic":"agents","type":"began","data":{}}, …]}`
fn text_of(topic: &str, messages: &[Arc<Message>]) -> Vec<u8> {
    let topic = Value::from(topic).to_string();
    let bytes: usize = messages.iter().map(|message| message.data.len() + topic.len() + 80).sum();
    let mut text = Vec::with_capacity(bytes + 64);
    let _ = write!(text, r#"{{"type":"batch","count":{},"messages":["#, messages.len());
    for (at, message) in messages.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let kind = Value::from(&*message.kind);
        let _ = write!(text, r#"{comma}{{"seq":{},"topic":{topic},"type":{kind},"data":"#, message.seq);
        text.extend(&*message.data);
        text.push(b'}');
    }
    text.extend(b"]}");
    text
}

/// The head of an unmasked frame.
pub fn put_head(frame: &mut Vec<u8>, first: u8, length: usize) {
    frame.push(first);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => frame.push(short),
        (_, Ok(medium)) => {
            frame.push(126);
            frame.extend(medium.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
}

/// Deflates on its own, up to the end of a flush.
fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::default(), false);
    let mut out = Vec::with_capacity(plain.len() / 2 + 64);
    loop {
        let read = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let done = compress.compress_vec(&plain[read.min(plain.len())..], &mut out, FlushCompress::Sync);
        // With room left in the buffer everything was written.
        if done.is_err() || out.len() < out.capacity() {
            return out;
        }
        out.reserve(plain.len() / 2 + 64);
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress};

    use super::*;

    fn batch(n: u64) -> Arc<Batch> {
        let message = |seq| Arc::new(Message::state(seq, "x", &json!({"text": "uma frase que volta ".repeat(8)})));
        Batch::new(&"agents".into(), (1..=n).map(message).collect())
    }

    #[test]
    fn the_text_is_what_was_agreed_on() {
        let batch = batch(2);
        let text: Value = serde_json::from_slice(&batch.text()).unwrap();
        assert_eq!((&text["type"], &text["count"]), (&json!("batch"), &json!(2)));
        let message = &text["messages"][1];
        assert_eq!((&message["seq"], &message["topic"], &message["type"]), (&json!(2), &json!("agents"), &json!("x")));
    }

    #[test]
    fn a_deflated_frame_holds_the_same_text() {
        for n in [1, 3, 50, 1_000] {
            let batch = batch(n);
            let frame = batch.frame_deflated(100);
            assert_eq!(frame[0], 0xc1, "compressed");
            assert!(frame.len() < batch.frame().len());
            let head = match frame[1] {
                126 => 4,
                127 => 10,
                _ => 2,
            };
            let mut body = frame[head..].to_vec();
            body.extend([0, 0, 0xff, 0xff]);
            let mut text = Vec::with_capacity(batch.text().len() + 1);
            Decompress::new(false).decompress_vec(&body, &mut text, FlushDecompress::Sync).unwrap();
            assert_eq!(text, batch.text());
        }
        assert_eq!(batch(1).frame_deflated(100_000), batch(1).frame());
    }
}
