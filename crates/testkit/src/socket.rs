//! A WebSocket by hand: frames as a test wants them, right or wrong, and those that came back.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::{Server, wire};

/// Opcodes.
pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// The client's end of one.
pub struct Socket {
    stream: BufReader<TcpStream>,
    /// The answer to the handshake.
    pub head: String,
}

/// A frame that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    /// Of one that closes, its code; 0 without.
    #[must_use]
    pub fn code(&self) -> u16 {
        assert_eq!(self.first, 0x80 | CLOSE, "{self:?}");
        self.payload.first_chunk::<2>().map_or(0, |code| u16::from_be_bytes(*code))
    }
}

impl Socket {
    /// Opens `/api/v1/ws`.
    #[must_use]
    pub fn open(server: &Server) -> Self {
        let socket = Self::ask(server, &[]);
        assert!(socket.head.starts_with("HTTP/1.1 101"), "{}", socket.head);
        socket
    }

    /// Asks for one with these headers too; the head says what was answered.
    #[must_use]
    pub fn ask(server: &Server, headers: &[(&str, &str)]) -> Self {
        Self::at(server, "/api/v1/ws", headers)
    }

    /// Opens `/graphql/ws` with these headers too, and is acknowledged.
    #[must_use]
    pub fn graphql(server: &Server, headers: &[(&str, &str)]) -> Self {
        let headers = [headers, &[("sec-websocket-protocol", "graphql-transport-ws")]].concat();
        let mut socket = Self::at(server, "/graphql/ws", &headers);
        assert!(socket.head.starts_with("HTTP/1.1 101"), "{}", socket.head);
        assert_eq!(socket.asks(&serde_json::json!({"type": "connection_init"}))["type"], "connection_ack");
        socket
    }

    fn at(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = BufReader::new(wire::connect(server));
        let mut text = format!("GET {path} HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n");
        let usual =
            [("host", "127.0.0.1"), ("sec-websocket-version", "13"), ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")];
        for (name, value) in usual.iter().filter(|(name, _)| headers.iter().all(|(other, _)| other != name)) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
        Self { stream, head }
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        // The other side may be gone already.
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends a frame, masked.
    pub fn send(&mut self, first: u8, payload: &[u8]) {
        self.send_raw(&masked(first, payload));
    }

    /// Says something.
    pub fn say(&mut self, message: &Value) {
        self.send(0x80 | TEXT, message.to_string().as_bytes());
    }

    /// The next frame; nothing when the connection ended.
    pub fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        assert_eq!(head[1] & 0x80, 0, "a server masks nothing");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length).ok()?;
                u64::from(u16::from_be_bytes(length))
            }
            127 => {
                let mut length = [0; 8];
                self.stream.read_exact(&mut length).ok()?;
                u64::from_be_bytes(length)
            }
            short => short.into(),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).ok()?;
        Some(Frame { first: head[0], payload })
    }

    /// What is said next; pings are answered.
    ///
    /// # Panics
    /// The connection ends.
    pub fn hear(&mut self) -> Value {
        loop {
            let frame = self.frame().expect("the connection goes on");
            match frame.first & 0x0f {
                TEXT => return serde_json::from_slice(&frame.payload).unwrap(),
                PING => self.send(0x80 | PONG, &frame.payload),
                _ => panic!("{frame:?}"),
            }
        }
    }

    /// Says something and gives what is said next.
    pub fn asks(&mut self, message: &Value) -> Value {
        self.say(message);
        self.hear()
    }

    /// Follows a topic.
    #[track_caller]
    pub fn follow(&mut self, topic: &str, since: Option<u64>) -> Value {
        let answer = self.asks(&serde_json::json!({"type": "subscribe", "topic": topic, "since": since}));
        assert_eq!(answer["type"], "subscribed", "{answer}");
        answer
    }

    /// The next messages, until one of them is enough.
    pub fn messages(&mut self, mut enough: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let batch = self.hear();
            assert_eq!(batch["type"], "batch", "{batch}");
            for message in batch["messages"].as_array().unwrap() {
                all.push(message.clone());
                if enough(message) {
                    return all;
                }
            }
        }
    }

    /// The code with which it is ended.
    pub fn code(&mut self) -> u16 {
        loop {
            match self.frame() {
                None => return 0,
                Some(frame) if frame.first & 0x0f == CLOSE => return frame.code(),
                Some(_) => {}
            }
        }
    }

    /// How long it waits for what comes.
    pub fn waits(&mut self, patience: Duration) {
        self.stream.get_ref().set_read_timeout(Some(patience)).unwrap();
    }
}

/// A frame as a client sends it.
#[must_use]
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..=125), _) => out.push(0x80 | short),
        (_, Ok(medium)) => {
            out.push(0x80 | 126);
            out.extend(medium.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    let mask = [3, 141, 59, 26];
    out.extend(mask);
    out.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    out
}
