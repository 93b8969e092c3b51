//! Content codings: which one a client wants (RFC 9110, in full), and the work of each.

use std::io::{self, Read, Write};

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};
use flate2::write::GzEncoder;

/// Effort for a body that is made for one answer.
const BR_LEVEL: u32 = 4;
const ZSTD_LEVEL: i32 = 3;
const GZIP_LEVEL: u32 = 6;
/// The largest window of what is read, in bits: RFC 9659 allows no more on the web.
const ZSTD_WINDOW_MAX: u32 = 23;
/// The least and the greatest window of brotli, in bits: it takes memory by its window, whatever the body.
const BR_WINDOWS: (u32, u32) = (12, 22);
/// The body for whose length a window is taken when it comes piece by piece.
const BR_PIECES_BYTES: usize = 1 << 19;
/// What a compressor gathers before it writes.
const BUFFER_BYTES: usize = 4_096;

/// How a body is written on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// Zstandard.
    Zstd,
    /// Brotli.
    Br,
    /// Gzip.
    Gzip,
}

/// Of equal weight, for a body that is kept: what is smallest comes first.
pub const SMALLEST_FIRST: [Coding; 4] = [Coding::Br, Coding::Zstd, Coding::Gzip, Coding::Identity];
/// Of equal weight, for a body that is made for one answer: what is made fastest comes first.
pub const FASTEST_FIRST: [Coding; 4] = [Coding::Zstd, Coding::Br, Coding::Gzip, Coding::Identity];

impl Coding {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Zstd, Self::Br, Self::Gzip];

    /// Its name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Zstd => "zstd",
            Self::Br => "br",
            Self::Gzip => "gzip",
        }
    }

    /// As a header's value.
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(self.name())
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
        Self::ALL.into_iter().find(|coding| coding.name().eq_ignore_ascii_case(name))
    }

    /// A body in this coding, with the effort for one answer.
    pub fn encode(self, body: &[u8]) -> Vec<u8> {
        self.encode_at(body, BR_LEVEL, ZSTD_LEVEL, GZIP_LEVEL)
    }

    /// … with the effort of what is kept: brotli's level, and gzip's as far as it goes.
    pub fn encode_densely(self, body: &[u8], level: u32) -> Vec<u8> {
        self.encode_at(body, level, ZSTD_LEVEL, level.clamp(1, 9))
    }

    fn encode_at(self, body: &[u8], br: u32, zstd: i32, gzip: u32) -> Vec<u8> {
        let Some(mut encoder) = Encoder::at(self, body.len(), br, zstd, gzip) else { return body.to_vec() };
        // Writing into memory does not fail.
        let _ = encoder.write(body);
        encoder.finish()
    }

    /// A body out of this coding, of at most so many bytes.
    ///
    /// # Errors
    /// It is not in this coding, or larger (`FileTooLarge`).
    pub fn decode(self, body: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
        let reader: Box<dyn Read + '_> = match self {
            Self::Identity => Box::new(body),
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(body)),
            Self::Br => Box::new(brotli::Decompressor::new(body, BUFFER_BYTES)),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::new(body)?;
                decoder.window_log_max(ZSTD_WINDOW_MAX)?;
                Box::new(decoder)
            }
        };
        let mut out = Vec::new();
        reader.take(bytes_max as u64 + 1).read_to_end(&mut out)?;
        if out.len() > bytes_max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(out) }
    }
}

/// A body on its way into a coding, piece by piece.
pub enum Encoder {
    /// Brotli.
    Br(Box<brotli::CompressorWriter<Vec<u8>>>),
    /// Zstandard.
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
    /// Gzip.
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Encoder {
    /// Into a coding; nothing for identity.
    pub fn new(coding: Coding) -> Option<Self> {
        Self::at(coding, BR_PIECES_BYTES, BR_LEVEL, ZSTD_LEVEL, GZIP_LEVEL)
    }

    fn at(coding: Coding, length: usize, br: u32, zstd: i32, gzip: u32) -> Option<Self> {
        match coding {
            Coding::Identity => None,
            Coding::Br => {
                let window = length.next_power_of_two().trailing_zeros().clamp(BR_WINDOWS.0, BR_WINDOWS.1);
                let writer = brotli::CompressorWriter::new(Vec::new(), BUFFER_BYTES, br, window);
                Some(Self::Br(Box::new(writer)))
            }
            Coding::Zstd => zstd::stream::write::Encoder::new(Vec::new(), zstd).ok().map(|e| Self::Zstd(Box::new(e))),
            Coding::Gzip => Some(Self::Gzip(Box::new(GzEncoder::new(Vec::new(), flate2::Compression::new(gzip))))),
        }
    }

    /// Takes a piece.
    ///
    /// # Errors
    /// None: it writes into memory.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Br(encoder) => encoder.write_all(piece),
            Self::Zstd(encoder) => encoder.write_all(piece),
            Self::Gzip(encoder) => encoder.write_all(piece),
        }
    }

    /// Writes out what it has gathered, so that all pieces so far can be read.
    ///
    /// # Errors
    /// None: it writes into memory.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Br(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }

    /// What was written so far.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Br(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        })
    }

    /// The end.
    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Br(encoder) => encoder.into_inner(),
            Self::Zstd(encoder) => encoder.finish().unwrap_or_default(),
            Self::Gzip(encoder) => encoder.finish().unwrap_or_default(),
        }
    }
}

/// What a client wants: a weight for each coding, in thousandths; 0 is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted([u16; 4]);

impl Wanted {
    /// What `Accept-Encoding` says.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(ACCEPT_ENCODING).iter().peekable();
        if lines.peek().is_none() {
            // Who does not say gets what everybody can read.
            return Self([1_000, 0, 0, 0]);
        }
        let (mut said, mut others) = ([None; 4], None);
        for member in lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')) {
            let (name, weight) = match member.split_once(';') {
                None => (member.trim(), Some(1_000)),
                Some((name, parameter)) => (name.trim(), weight(parameter)),
            };
            let Some(weight) = weight else { continue };
            if name == "*" {
                others = others.or(Some(weight));
            } else if let Some(coding) = Coding::named(name) {
                said[coding as usize].get_or_insert(weight);
            }
        }
        let mut weights = said.map(|weight| weight.or(others).unwrap_or(0));
        if said[Coding::Identity as usize].is_none() {
            // Nobody need name it; whoever names another coding likes that better.
            weights[Coding::Identity as usize] = others.map_or(1, |weight| weight.min(1));
        }
        Self(weights)
    }

    /// Whether a coding may be used.
    pub fn takes(self, coding: Coding) -> bool {
        self.0[coding as usize] > 0
    }

    /// The one it likes best, of equal ones the first in `order`; nothing when it refuses all.
    pub fn best(self, order: [Coding; 4]) -> Option<Coding> {
        let mut best = None;
        for coding in order {
            let weight = self.0[coding as usize];
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((coding, weight));
            }
        }
        best.map(|(coding, _)| coding)
    }
}

/// `q=0.5` in thousandths; nothing when it is no weight.
fn weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.trim().split_once('=')?;
    let value = value.trim();
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    if !name.trim().eq_ignore_ascii_case("q") || part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = format!("{part:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::try_from(accept).unwrap());
        Wanted::of(&headers).best(SMALLEST_FIRST)
    }

    #[test]
    fn the_client_chooses() {
        use Coding::{Br, Gzip, Identity, Zstd};
        assert_eq!(Wanted::of(&HeaderMap::new()).best(SMALLEST_FIRST), Some(Identity));
        for (accept, coding) in [
            ("", Some(Identity)),
            ("gzip, deflate, br, zstd", Some(Br)),
            ("gzip;q=1.0, br;q=0.8", Some(Gzip)),
            ("br;q=0.2, zstd;q=0.3, *;q=0.1", Some(Zstd)),
            ("GZIP", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("gzip;q=0", Some(Identity)),
            ("br;q=0, *", Some(Zstd)),
            ("*", Some(Br)),
            ("*;q=0", None),
            ("*;q=0, gzip", Some(Gzip)),
            ("identity;q=0", None),
            ("identity;q=0, gzip;q=0.1", Some(Gzip)),
            ("identity;q=0, deflate", None),
            ("identity, gzip;q=0.5", Some(Identity)),
            ("identity;q=0.5, gzip;q=0.5", Some(Gzip)),
            ("deflate", Some(Identity)),
            ("gzip ; q = 0.5 , br;q=0.499", Some(Gzip)),
            ("gzip;q=2, br;q=x", Some(Identity)),
            ("gzip;q=0.0001", Some(Identity)),
        ] {
            assert_eq!(wanted(accept), coding, "{accept:?}");
        }
    }

    #[test]
    fn what_was_encoded_comes_back_and_no_more_than_was_allowed() {
        let body = "fornecedor, objeto, valor; ".repeat(400).into_bytes();
        for coding in Coding::ALL {
            for encoded in [coding.encode(&body), coding.encode_densely(&body, 11)] {
                assert_eq!(coding.decode(&encoded, body.len()).unwrap(), body);
                let refused = coding.decode(&encoded, body.len() - 1).unwrap_err();
                assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge, "{coding:?}");
            }
        }
    }

    #[test]
    fn each_piece_can_be_read_once_it_is_flushed() {
        for coding in [Coding::Br, Coding::Zstd, Coding::Gzip] {
            let mut encoder = Encoder::new(coding).unwrap();
            let mut sent = Vec::new();
            for n in 0..3 {
                encoder.write(format!("data: {n}\n\n").as_bytes()).unwrap();
                encoder.flush().unwrap();
                let piece = encoder.take();
                assert!(!piece.is_empty(), "{coding:?} {n}");
                sent.extend(piece);
            }
            sent.extend(encoder.finish());
            assert_eq!(coding.decode(&sent, 1_000).unwrap(), b"data: 0\n\ndata: 1\n\ndata: 2\n\n");
        }
    }
}
