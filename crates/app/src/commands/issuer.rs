//! The key that signs evidence bundles: made at first need, kept in the data folder, readable by its owner alone.

use report::{Issuer, Seal};

use crate::key_file::key_in;
use crate::views::EvidenceKey;
use crate::{App, Error, Result};

const KEY_FILE: &str = "evidence.key";

impl App {
    /// The public half of the key that signs this folder's bundles.
    ///
    /// # Errors
    /// The key cannot be read or made.
    pub fn evidence_key(&self) -> Result<EvidenceKey> {
        let issuer = self.seal()?.issuer();
        Ok(EvidenceKey {
            algorithm: "Ed25519",
            public_key: issuer.hex(),
            pem: issuer.pem(),
            fingerprint: issuer.fingerprint(),
        })
    }

    /// The key that signs; made when it is not there yet.
    pub(crate) fn seal(&self) -> Result<Seal> {
        Ok(Seal::of_seed(&key_in(&self.folder().join(KEY_FILE))?))
    }
}

/// The key that `--key` names: 64 hex digits, PEM, or a file that holds either.
///
/// # Errors
/// `Invalid` when it is none of them.
pub fn issuer_named(text: &str) -> Result<Issuer> {
    let held = Issuer::parse(text).or_else(|| Issuer::parse(&std::fs::read_to_string(text).ok()?));
    held.ok_or_else(|| Error::invalid("--key", "not a public key: 64 hex digits, a PEM text, or a file with one"))
}
