//! Server-sent events, read strictly: lines of UTF-8, events of a bounded size, nothing guessed.

/// The most bytes of one event.
const EVENT_BYTES_MAX: usize = 256 << 10;

/// Why a stream is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event is too long.
    #[error("an event is longer than {EVENT_BYTES_MAX} bytes")]
    TooLong,
    /// A line is not UTF-8.
    #[error("a line is not UTF-8")]
    NotText,
    /// A line is neither a field nor a comment.
    #[error("a line is no field of an event")]
    NotAField,
}

/// Reads events out of pieces, however they are cut.
#[derive(Debug, Default)]
pub struct Sse {
    line: Vec<u8>,
    data: Vec<String>,
    bytes: usize,
    after_return: bool,
}

impl Sse {
    /// Takes a piece and tells the data of each event that ends in it.
    ///
    /// # Errors
    /// As [`SseError`] lists them.
    pub fn push(&mut self, piece: &[u8], mut tell: impl FnMut(String)) -> Result<(), SseError> {
        for &byte in piece {
            // A line ends with LF, CR, or both.
            if self.after_return && byte == b'\n' {
                self.after_return = false;
                continue;
            }
            self.after_return = byte == b'\r';
            if byte == b'\n' || byte == b'\r' {
                self.end_line(&mut tell)?;
                continue;
            }
            self.bytes += 1;
            if self.bytes > EVENT_BYTES_MAX {
                return Err(SseError::TooLong);
            }
            self.line.push(byte);
        }
        Ok(())
    }

    fn end_line(&mut self, tell: &mut impl FnMut(String)) -> Result<(), SseError> {
        let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| SseError::NotText)?;
        if line.is_empty() {
            self.bytes = 0;
            if !self.data.is_empty() {
                tell(std::mem::take(&mut self.data).join("\n"));
            }
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        match field {
            "data" => self.data.push(value.strip_prefix(' ').unwrap_or(value).to_owned()),
            "" | "event" | "id" | "retry" => {}
            _ => return Err(SseError::NotAField),
        }
        Ok(())
    }
}
