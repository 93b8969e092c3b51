//! A profile as `pprof` reads it (profile.proto, gzipped): protocol buffers written by hand, for they are few.

use std::collections::HashMap;
use std::io::Write;
use std::time::SystemTime;

use crate::{Error, Profile, Result};

/// A message being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    fn number(&mut self, field: u64, value: i64) {
        self.varint(field << 3);
        self.varint(value.cast_unsigned());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// Numbers packed into one field.
    fn numbers(&mut self, field: u64, values: impl Iterator<Item = i64>) {
        let mut packed = Self::default();
        values.for_each(|value| packed.varint(value.cast_unsigned()));
        self.bytes(field, &packed.0);
    }
}

/// Each text once, by its number; number 0 is the empty one.
struct Texts {
    numbers: HashMap<String, i64>,
    texts: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: &str) -> i64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = i64::try_from(self.texts.len()).unwrap_or(i64::MAX);
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

impl Profile {
    /// As `pprof` reads it.
    ///
    /// # Errors
    /// It cannot be compressed.
    pub fn pprof(&self) -> Result<Vec<u8>> {
        let mut texts = Texts { numbers: HashMap::from([(String::new(), 0)]), texts: vec![String::new()] };
        let mut out = Message::default();
        let mut kind_of = |kind: &str, unit: &str| {
            let mut message = Message::default();
            message.number(1, texts.number(kind));
            message.number(2, texts.number(unit));
            message.0
        };
        for (kind, unit) in &self.kinds {
            out.bytes(1, &kind_of(kind, unit));
        }
        let (kind, unit, period) = self.period;
        out.bytes(11, &kind_of(kind, unit));
        out.number(12, period);
        // Functions are places here: without lines there is nothing else to a place.
        let mut functions: HashMap<&str, i64> = HashMap::new();
        for (frames, counted) in &self.stacks {
            let mut places = Vec::with_capacity(frames.len());
            for frame in frames {
                let next = i64::try_from(functions.len()).unwrap_or(i64::MAX) + 1;
                let id = *functions.entry(frame).or_insert(next);
                if id == next {
                    let (mut function, mut line, mut place) =
                        (Message::default(), Message::default(), Message::default());
                    function.number(1, id);
                    function.number(2, texts.number(frame));
                    line.number(1, id);
                    place.number(1, id);
                    place.bytes(4, &line.0);
                    out.bytes(5, &function.0);
                    out.bytes(4, &place.0);
                }
                places.push(id);
            }
            let mut sample = Message::default();
            sample.numbers(1, places.into_iter());
            sample.numbers(2, counted.iter().copied());
            out.bytes(2, &sample.0);
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        out.number(9, i64::try_from(now.saturating_sub(self.took).as_nanos()).unwrap_or_default());
        out.number(10, i64::try_from(self.took.as_nanos()).unwrap_or_default());
        if self.left_out > 0 {
            out.number(13, texts.number(&format!("{} looks found no room", self.left_out)));
        }
        for text in &texts.texts {
            out.bytes(6, text.as_bytes());
        }
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let written = packed.write_all(&out.0).and_then(|()| packed.finish());
        written.map_err(|error| Error::Failed(error.to_string()))
    }
}
