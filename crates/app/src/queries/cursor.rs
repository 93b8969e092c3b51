//! Cursors: where a page ended, sealed with the question it belongs to.
//!
//! A cursor is opaque, holds no more than the last row's sort value and number, and opens only for the same list,
//! filters and sort: its seal is a hash of all of them. The seal guards against mistakes, not against malice; a forged
//! cursor could only skip rows that anyone may read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::{Error, Result};

/// Bytes of the seal.
const SEAL_BYTES: usize = 8;

/// The list, filters and sort to which a cursor belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question(u64);

impl Question {
    /// The question that asks `list` for `filters` (sort among them).
    pub(crate) fn new(list: &str, filters: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(&(list, filters)).map_err(store::Error::from)?;
        Ok(Self(xxh3_64(text.as_bytes())))
    }

    /// The text that opens to `cursor` for this question only.
    pub(crate) fn seal(self, cursor: &store::Cursor) -> Result<String> {
        let payload = serde_json::to_vec(cursor).map_err(store::Error::from)?;
        let mut bytes = xxh3_64_with_seed(&payload, self.0).to_le_bytes().to_vec();
        bytes.extend_from_slice(&payload);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens a cursor of this question.
    ///
    /// # Errors
    /// Not a cursor, or one of another list, filter or sort.
    pub(crate) fn open(self, text: &str) -> Result<store::Cursor> {
        let refused = || Error::invalid("cursor", "not a cursor of this list with these filters and this sort");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        let (seal, payload) = bytes.split_at_checked(SEAL_BYTES).ok_or_else(refused)?;
        if seal != xxh3_64_with_seed(payload, self.0).to_le_bytes() {
            return Err(refused());
        }
        serde_json::from_slice(payload).map_err(|_| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_for_its_own_question_only() {
        let cursor: store::Cursor = serde_json::from_str(r#"{"v": "2024-03-12", "r": 42}"#).unwrap();
        let question = Question::new("contracts", &("pregao", "-signed_on")).unwrap();
        let sealed = question.seal(&cursor).unwrap();
        assert_eq!(question.open(&sealed).unwrap(), cursor);
        let other = Question::new("contracts", &("pregao", "signed_on")).unwrap();
        assert!(other.open(&sealed).is_err());
        assert!(question.open("").is_err());
        assert!(question.open("!!").is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert!(question.open(std::str::from_utf8(&altered).unwrap()).is_err(), "byte {at}");
        }
    }
}
