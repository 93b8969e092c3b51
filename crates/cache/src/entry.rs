//! An entry as it lies in Redis and on the disk: a version, a hash of what follows, then fields one after the other.
//!
//! Another version, a length that does not fit or a hash that differs make it a miss: it is read, never believed.

use crate::{Stamp, Tag};

/// The version of the format.
pub const FORMAT: u8 = 1;

/// A value with all that says whether it may still be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The text of its key.
    pub key: String,
    /// How long it took to make, in milliseconds.
    pub delta_ms: u32,
    /// When it was made, milliseconds since 1970.
    pub created_ms: u64,
    /// How long it is fresh from then on, in milliseconds, in the tier with the longest time.
    pub ttl_ms: u64,
    /// How the house stood before it was read.
    pub stamp: Stamp,
    /// What it depends on.
    pub tags: Vec<Tag>,
    /// The value, as its type writes it.
    pub value: Vec<u8>,
}

impl Entry {
    /// As bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.value.len() + self.key.len() + self.tags.len() * 8 + 64);
        out.extend([FORMAT, 0, 0, 0, 0, 0, 0, 0, 0]);
        out.extend(self.delta_ms.to_le_bytes());
        for number in [self.created_ms, self.ttl_ms, self.stamp.epoch, self.stamp.seq] {
            out.extend(number.to_le_bytes());
        }
        put_length(&mut out, self.key.len());
        out.extend(self.key.as_bytes());
        put_length(&mut out, self.tags.len());
        for tag in &self.tags {
            out.extend(tag.to_le_bytes());
        }
        out.extend(&self.value);
        let hash = xxhash_rust::xxh3::xxh3_64(&out[9..]);
        out[1..9].copy_from_slice(&hash.to_le_bytes());
        out
    }

    /// Out of bytes; `None` for any that are not a whole entry of this version.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&version, rest) = bytes.split_first()?;
        let (hash, rest) = rest.split_first_chunk()?;
        if version != FORMAT || xxhash_rust::xxh3::xxh3_64(rest) != u64::from_le_bytes(*hash) {
            return None;
        }
        let mut reader = Reader(rest);
        let delta_ms = reader.u32()?;
        let (created_ms, ttl_ms) = (reader.u64()?, reader.u64()?);
        let stamp = Stamp { epoch: reader.u64()?, seq: reader.u64()? };
        let key_length = reader.u32()? as usize;
        let key = String::from_utf8(reader.take(key_length)?.to_vec()).ok()?;
        let tags_length = reader.u32()? as usize;
        let tags = reader.take(tags_length.checked_mul(8)?)?;
        let tags = tags.chunks_exact(8).map(|b| Tag::from_le_bytes(b.try_into().unwrap_or_default())).collect();
        Some(Self { key, delta_ms, created_ms, ttl_ms, stamp, tags, value: reader.0.to_vec() })
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn entries()(
            key in ".{0,40}", delta_ms: u32, created_ms: u64, ttl_ms: u64, epoch: u64, seq: u64,
            tags in prop::collection::vec(any::<u64>(), 0..20), value in prop::collection::vec(any::<u8>(), 0..300),
        ) -> Entry {
            Entry { key, delta_ms, created_ms, ttl_ms, stamp: Stamp { epoch, seq }, tags, value }
        }
    }

    proptest! {
        #[test]
        fn an_entry_comes_back_as_it_was(entry in entries()) {
            prop_assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
        }

        #[test]
        fn an_entry_that_was_altered_is_none(entry in entries(), at: prop::sample::Index, flip in 1_u8..) {
            let mut bytes = entry.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_eq!(Entry::from_bytes(&bytes), None);
        }

        #[test]
        fn an_entry_that_was_cut_is_none(entry in entries(), at: prop::sample::Index) {
            let bytes = entry.to_bytes();
            prop_assert_eq!(Entry::from_bytes(&bytes[..at.index(bytes.len())]), None);
        }

        #[test]
        fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Entry::from_bytes(&bytes);
        }
    }
}
