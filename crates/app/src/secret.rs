//! Secrets that the program makes: 256 random bits, shown once, kept as their hash.
//!
//! SHA-256 without salt or stretching is right here and wrong for passwords: what is hashed is random, so that there is no list of
//! likely ones to try, and the hash must cost little, for it is made at every request.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Bytes of a secret.
const BYTES: usize = 32;
/// Characters of a secret behind its prefix.
const CHARS: usize = 43;
/// Characters of a secret that may be shown later, its prefix among them: to tell it by, not to guess it from.
const SHOWN_CHARS: usize = 12;

/// A secret on its way to the one who gets it.
pub(crate) struct Secret(String);

impl Secret {
    /// A new one behind `prefix`.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub(crate) fn make(prefix: &str) -> Result<Self> {
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random::<BYTES>()?))))
    }

    /// What to show, once.
    pub(crate) fn shown(self) -> String {
        self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        hash(&self.0)
    }

    /// Its first characters.
    pub(crate) fn start(&self) -> &str {
        &self.0[..SHOWN_CHARS]
    }
}

/// The hash of a secret that was given, if it has the form of one.
pub(crate) fn hash_of(prefix: &str, given: &str) -> Option<String> {
    let random = given.strip_prefix(prefix)?;
    let formed = random.len() == CHARS && random.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    formed.then(|| hash(given))
}

/// A password of 128 random bits, for an account whose owner did not choose one.
///
/// # Errors
/// The system gives no random bytes.
pub fn make_password() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random::<16>()?))
}

/// A new id behind `prefix`.
///
/// # Errors
/// The system gives no random bytes.
pub(crate) fn make_id(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}{}", hex(&random::<8>()?)))
}

/// Random bytes of the system.
///
/// # Errors
/// It gives none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let given = rand::rngs::SysRng.try_fill_bytes(&mut bytes);
    given.map_err(|e| Error::Failed(format!("the system gives no random bytes: {e}")))?;
    Ok(bytes)
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        hex
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_what_has_the_form_of_a_key_is_looked_for(text in "\\PC{0,60}", random in "[A-Za-z0-9_-]{40,46}") {
            prop_assert_eq!(hash_of("cid_", &text).is_some(), text.len() == 47 && text.starts_with("cid_") && text[4..].bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            prop_assert_eq!(hash_of("cid_", &format!("cid_{random}")).is_some(), random.len() == 43);
        }
    }

    #[test]
    fn a_secret_is_known_by_its_hash_and_what_is_none_is_not_hashed() {
        let secret = Secret::make("cid_").unwrap();
        let kept = secret.hash();
        let shown = secret.shown();
        assert_eq!(hash_of("cid_", &shown), Some(kept.clone()));
        assert!(!shown.contains(&kept) && kept.len() == 64);
        for wrong in
            ["", "cid_", &shown[1..], &shown[..shown.len() - 1], &format!("{shown}A"), &shown.replace("cid", "sk")]
        {
            assert_eq!(hash_of("cid_", wrong), None, "{wrong}");
        }
        assert_eq!(hash_of("cid_", &format!("cid_{}", "é".repeat(21) + "a")), None);
    }
}
