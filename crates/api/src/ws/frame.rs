//! Frames that come from a client (RFC 6455, 5), strictly: what breaks the protocol ends the connection with the code that says how.
//!
//! Nothing is kept while nothing is under way: bytes of a frame or a message that is not whole yet, and those are bounded.

use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};

use crate::live::put_head;

/// The most frames of one message.
const FRAMES_MAX: u32 = 128;
/// The longest payload of a control frame.
const CONTROL_BYTES_MAX: usize = 125;
/// How much of a message is inflated at once.
const INFLATE_BYTES: usize = 4_096;

/// Codes with which a connection ends.
pub mod code {
    /// It was to end.
    pub const NORMAL: u16 = 1000;
    /// The program stops.
    pub const GOING_AWAY: u16 = 1001;
    /// The protocol was broken.
    pub const PROTOCOL: u16 = 1002;
    /// What is no text is not taken.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text is no UTF-8, or was not compressed as agreed.
    pub const INVALID: u16 = 1007;
    /// Too many messages.
    pub const POLICY: u16 = 1008;
    /// A message is too long.
    pub const TOO_BIG: u16 = 1009;
    /// It is read too slowly.
    pub const SLOW: u16 = 4008;
    /// Nothing was heard for too long.
    pub const SILENT: u16 = 4009;
}

/// What was heard.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A whole message.
    Text(String),
    /// To be answered by the same.
    Ping(Vec<u8>),
    /// An answer to a ping, or one unasked.
    Pong,
    /// It is to end, with this code; without one when none was said.
    Close(Option<u16>),
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// The code.
    pub code: u16,
    /// In words.
    pub because: &'static str,
}

const fn broken(code: u16, because: &'static str) -> Broken {
    Broken { code, because }
}

/// What came and is not whole yet.
pub struct Inbox {
    bytes_max: usize,
    deflates: bool,
    /// Of a frame.
    partial: Vec<u8>,
    message: Option<Message>,
}

struct Message {
    bytes: Vec<u8>,
    is_deflated: bool,
    frames: u32,
}

/// A frame's head.
struct Head {
    fin: bool,
    deflated: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Of the head, and of the payload.
    lengths: (usize, usize),
}

const CONTINUED: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Inbox {
    /// For messages of at most so many bytes.
    pub fn new(bytes_max: usize, deflates: bool) -> Self {
        Self { bytes_max, deflates, partial: Vec::new(), message: None }
    }

    /// Takes bytes as they came; gives what they, with those before, make whole.
    ///
    /// # Errors
    /// The protocol is broken, or a limit: the connection ends.
    pub fn take(&mut self, bytes: &[u8]) -> (Vec<Heard>, Result<(), Broken>) {
        let mut held = std::mem::take(&mut self.partial);
        let (heard, result) = if held.is_empty() {
            let (heard, used, result) = self.steps(bytes);
            held = bytes[used..].to_vec();
            (heard, result)
        } else {
            held.extend(bytes);
            let (heard, used, result) = self.steps(&held);
            held.drain(..used);
            (heard, result)
        };
        // Never more than one frame's head and payload, for each was bounded before it was waited for; and nothing where nothing waits.
        self.partial = if held.is_empty() { Vec::new() } else { held };
        (heard, result)
    }

    /// All frames that are whole: what they made whole, how many bytes they took, and whether the next breaks something.
    fn steps(&mut self, bytes: &[u8]) -> (Vec<Heard>, usize, Result<(), Broken>) {
        let (mut heard, mut used) = (Vec::new(), 0);
        loop {
            match self.step(&bytes[used..]) {
                Ok(Some((more, one))) => {
                    heard.extend(one);
                    used += more;
                }
                Ok(None) => return (heard, used, Ok(())),
                Err(broken) => return (heard, used, Err(broken)),
            }
        }
    }

    /// One frame, if it is whole: how many bytes it took, and what it made whole.
    fn step(&mut self, bytes: &[u8]) -> Result<Option<(usize, Option<Heard>)>, Broken> {
        let Some(head) = self.head(bytes)? else { return Ok(None) };
        let (start, length) = head.lengths;
        let Some(payload) = bytes.get(start..start + length) else { return Ok(None) };
        let mut payload = payload.to_vec();
        for (at, byte) in payload.iter_mut().enumerate() {
            *byte ^= head.mask[at % 4];
        }
        let heard = match head.opcode {
            PING => Some(Heard::Ping(payload)),
            PONG => Some(Heard::Pong),
            CLOSE => Some(Heard::Close(close_code(&payload)?)),
            _ => self.data(&head, payload)?,
        };
        Ok(Some((start + length, heard)))
    }

    fn head(&self, bytes: &[u8]) -> Result<Option<Head>, Broken> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
        let (fin, deflated, opcode) = (first & 0x80 != 0, first & 0x40 != 0, first & 0x0f);
        let is_control = opcode >= CLOSE;
        if first & 0x30 != 0 || (deflated && !(self.deflates && matches!(opcode, TEXT | BINARY))) {
            return Err(broken(code::PROTOCOL, "a reserved bit is set"));
        }
        if !matches!(opcode, CONTINUED | TEXT | BINARY | CLOSE | PING | PONG) {
            return Err(broken(code::PROTOCOL, "unknown opcode"));
        }
        if second & 0x80 == 0 {
            return Err(broken(code::PROTOCOL, "a client's frame must be masked"));
        }
        let short = usize::from(second & 0x7f);
        if is_control && (!fin || short > CONTROL_BYTES_MAX) {
            return Err(broken(code::PROTOCOL, "a control frame is whole and has at most 125 bytes"));
        }
        if !is_control && (opcode == CONTINUED) != self.message.is_some() {
            return Err(broken(code::PROTOCOL, "a message begins with text, and goes on with continuations"));
        }
        if opcode == BINARY {
            return Err(broken(code::UNSUPPORTED, "messages are text"));
        }
        let (length, rest, start) = match short {
            126 => match rest.split_first_chunk::<2>() {
                Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest, 8),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk::<8>() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest, 14),
                None => return Ok(None),
            },
            short => (short as u64, rest, 6),
        };
        if length >> 63 != 0 {
            return Err(broken(code::PROTOCOL, "a length has 63 bits"));
        }
        let held = self.message.as_ref().map_or(0, |message| message.bytes.len());
        let length = usize::try_from(length).ok().filter(|length| is_control || held + length <= self.bytes_max);
        let length = length.ok_or(broken(code::TOO_BIG, "the message is too long"))?;
        let Some(mask) = rest.first_chunk::<4>() else { return Ok(None) };
        Ok(Some(Head { fin, deflated, opcode, mask: *mask, lengths: (start, length) }))
    }

    fn data(&mut self, head: &Head, payload: Vec<u8>) -> Result<Option<Heard>, Broken> {
        let message = match &mut self.message {
            Some(message) => {
                message.bytes.extend(payload);
                message.frames += 1;
                message
            }
            None => self.message.insert(Message { bytes: payload, is_deflated: head.deflated, frames: 1 }),
        };
        if message.frames > FRAMES_MAX {
            return Err(broken(code::POLICY, "the message has too many frames"));
        }
        if !head.fin {
            return Ok(None);
        }
        let Some(message) = self.message.take() else { return Ok(None) };
        let bytes = if message.is_deflated { inflate(message.bytes, self.bytes_max)? } else { message.bytes };
        let text = String::from_utf8(bytes).map_err(|_| broken(code::INVALID, "a text is no UTF-8"))?;
        Ok(Some(Heard::Text(text)))
    }
}

/// The code in a frame that closes.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Broken> {
    let Some((said, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { Ok(None) } else { Err(broken(code::PROTOCOL, "a code has two bytes")) };
    };
    let said = u16::from_be_bytes(*said);
    if !matches!(said, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(broken(code::PROTOCOL, "no such code"));
    }
    std::str::from_utf8(reason).map_err(|_| broken(code::INVALID, "the reason is no UTF-8"))?;
    Ok(Some(said))
}

/// Inflates a message of at most so many bytes: a bomb is put out where it would grow beyond them.
fn inflate(mut deflated: Vec<u8>, bytes_max: usize) -> Result<Vec<u8>, Broken> {
    thread_local! {
        static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
    }
    const NOT_DEFLATED: Broken = broken(code::INVALID, "a message was not compressed as agreed");
    deflated.extend([0, 0, 0xff, 0xff]);
    INFLATER.with_borrow_mut(|inflater| {
        inflater.reset(false);
        let mut out = Vec::new();
        loop {
            let read = usize::try_from(inflater.total_in()).unwrap_or(usize::MAX);
            let rest = deflated.get(read..).unwrap_or_default();
            out.reserve(INFLATE_BYTES);
            let before = out.len();
            let status = inflater.decompress_vec(rest, &mut out, FlushDecompress::Sync).map_err(|_| NOT_DEFLATED)?;
            if out.len() > bytes_max {
                return Err(broken(code::TOO_BIG, "the message is too long"));
            }
            let stands = out.len() == before && inflater.total_in() == read as u64;
            if status == Status::StreamEnd || stands || (rest.is_empty() && out.len() < out.capacity()) {
                return Ok(out);
            }
        }
    })
}

/// A frame of text, uncompressed.
pub fn text(text: &str) -> Vec<u8> {
    frame(0x80 | TEXT, text.as_bytes())
}

/// The answer to a ping.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    frame(0x80 | PONG, payload)
}

/// A ping.
pub fn ping() -> Vec<u8> {
    frame(0x80 | PING, b"")
}

/// A frame that closes.
pub fn close(code: Option<u16>, because: &str) -> Vec<u8> {
    let code = code.map(u16::to_be_bytes);
    let reason = if code.is_some() { because.as_bytes() } else { b"" };
    frame(0x80 | CLOSE, &[code.as_ref().map_or(&b""[..], |code| &code[..]), reason].concat())
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 10);
    put_head(&mut out, first, payload.len());
    out.extend(payload);
    out
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_head(&mut out, first, payload.len());
        out[1] |= 0x80;
        let mask = [7, 77, 177, 217];
        out.extend(mask);
        out.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        out
    }

    fn deflated(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(plain.len() + 100);
        Compress::new(Compression::best(), false).compress_vec(plain, &mut out, FlushCompress::Sync).unwrap();
        out.truncate(out.len() - 4);
        out
    }

    #[test]
    fn a_bomb_is_put_out_and_a_message_of_the_same_length_is_not() {
        let take = |bytes: usize| {
            let mut inbox = Inbox::new(10_000, true);
            inbox.take(&masked(0xc1, &deflated(&vec![b'x'; bytes])))
        };
        assert_eq!(take(10_000), (vec![Heard::Text("x".repeat(10_000))], Ok(())));
        assert_eq!(take(10_001).1.unwrap_err().code, code::TOO_BIG);
        assert_eq!(take(50_000_000).1.unwrap_err().code, code::TOO_BIG);
        let mut inbox = Inbox::new(10_000, true);
        assert_eq!(inbox.take(&masked(0xc1, b"\xff\xff\xff\xff")).1.unwrap_err().code, code::INVALID);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_whatever_pieces_is_bounded_and_never_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..600), piece in 1_usize..40,
        ) {
            let mut inbox = Inbox::new(300, true);
            for piece in bytes.chunks(piece) {
                if inbox.take(piece).1.is_err() {
                    break;
                }
                prop_assert!(inbox.partial.len() <= 300 + 14);
                prop_assert!(inbox.message.as_ref().map_or(0, |message| message.bytes.len()) <= 300);
            }
        }

        #[test]
        fn a_message_is_the_same_in_whatever_frames_and_pieces_it_comes(
            text in ".{0,200}", cuts in 1_usize..50, piece in 1_usize..30, packs: bool,
        ) {
            let body = if packs { deflated(text.as_bytes()) } else { text.as_bytes().to_vec() };
            let parts: Vec<&[u8]> = if body.is_empty() { vec![&[]] } else { body.chunks(cuts.max(body.len() / 100 + 1)).collect() };
            let mut bytes = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                let fin = if at + 1 == parts.len() { 0x80 } else { 0 };
                let first = if at == 0 { TEXT | if packs { 0x40 } else { 0 } } else { CONTINUED };
                bytes.extend(masked(fin | first, part));
                bytes.extend(masked(0x80 | PONG, b"between"));
            }
            let mut inbox = Inbox::new(2_000, true);
            let mut heard = Vec::new();
            for piece in bytes.chunks(piece) {
                let (more, result) = inbox.take(piece);
                prop_assert_eq!(result, Ok(()));
                heard.extend(more);
            }
            heard.retain(|one| *one != Heard::Pong);
            prop_assert_eq!(heard, vec![Heard::Text(text)]);
        }
    }
}
