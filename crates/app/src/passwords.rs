//! Passwords: Argon2id (19 MiB, two passes, as OWASP has it), each with a salt of its own.
//!
//! Hashing takes tens of milliseconds of a processor and its memory: who calls bounds how many do it at once.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use unicode_normalization::UnicodeNormalization as _;

use crate::secret::random;
use crate::{Error, Result};

/// The fewest characters of a password.
pub(crate) const CHARS_MIN: usize = 12;
/// The most bytes of one.
const BYTES_MAX: usize = 1_024;

/// What is compared with where there is no account, so that its absence takes as long to find out.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    let random = random::<32>().unwrap_or_default();
    hash_with(&random, &random[..16]).unwrap_or_default()
});

/// The text to keep of a password.
///
/// # Errors
/// It is too short or too long; the system gives no salt.
pub(crate) fn hash(password: &str) -> Result<String> {
    let password = normal(password);
    if password.chars().count() < CHARS_MIN || password.len() > BYTES_MAX {
        let because = format!("must have at least {CHARS_MIN} characters and at most {BYTES_MAX} bytes");
        return Err(Error::invalid("password", because));
    }
    hash_with(password.as_bytes(), &random::<16>()?)
}

fn hash_with(password: &[u8], salt: &[u8]) -> Result<String> {
    let hashed: std::result::Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password, salt);
    hashed.map(|hash| hash.to_string()).map_err(|e| Error::Failed(format!("a password could not be hashed: {e}")))
}

/// Whether a password is the one of which `kept` was kept; takes as long, and says no, where nothing was.
pub(crate) fn is_right(password: &str, kept: Option<&str>) -> bool {
    let password = normal(password);
    let is_right = Argon2::default().verify_password(password.as_bytes(), kept.unwrap_or(&NOBODYS)).is_ok();
    is_right && kept.is_some() && password.len() <= BYTES_MAX
}

/// A password as it is hashed, however the keyboard composed its accents.
fn normal(password: &str) -> String {
    password.nfc().take(BYTES_MAX + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_however_its_accents_were_composed_and_no_other_is() {
        let kept = hash("licitação pública").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_right("licitac\u{327}a\u{303}o pu\u{301}blica", Some(&kept)));
        assert!(!is_right("licitacao publica", Some(&kept)) && !is_right("", Some(&kept)));
        assert_ne!(hash("licitação pública").unwrap(), kept, "each has a salt of its own");
        assert!(!is_right("licitação pública", None) && !is_right("x", Some("damaged")));
        for wrong in ["", "onze letras", &"x".repeat(1_025)] {
            assert!(hash(wrong).is_err(), "{wrong}");
        }
    }
}
