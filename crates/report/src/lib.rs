//! The evidence bundle: everything a stranger needs to redo one judgement, in one signed archive.
//!
//! This crate knows the format and nothing of what is judged: how members are packed and unpacked within limits
//! ([`Bundle`]), what the manifest says ([`Manifest`]), who signed it ([`Seal`], [`Issuer`]) and the words that go
//! with it ([`readme`]). It reads no folder and asks no network.

mod bundle;
mod manifest;
mod readme;
mod seal;

pub use bundle::{Broken, Bundle, pack};
pub use manifest::{FORMAT, Manifest, Member, SegmentRead, Words};
pub use readme::readme;
pub use seal::{Issuer, Seal};

/// SHA-256, in hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
