//! What people and strangers take away: the evidence bundle of one judgement, and the dossier of many.
//!
//! This crate knows the formats and nothing of what is judged: how the members of a bundle are packed and unpacked within
//! limits ([`Bundle`]), what its manifest says ([`Manifest`]), who signed it ([`Seal`], [`Issuer`]) and the words that go
//! with it ([`readme`]); what a [`dossier`] is made of, and how it is written as HTML, Markdown, PDF, CSV and JSON. It reads
//! no folder and asks no network.

mod bundle;
pub mod dossier;
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
