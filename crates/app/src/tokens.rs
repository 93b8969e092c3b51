//! Access tokens: JWT, signed with HS256 and nothing else by a key that the data folder makes for itself.
//!
//! A token says only which sign-in it is of; what its account may is looked up, so that a changed role or a closed account counts at
//! once and not when the token runs out.

use std::path::Path;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::key_file::key_in;
use crate::{Error, Result};

/// The file of the key.
const KEY_FILE: &str = "tokens.key";
/// Who makes the tokens, and for whom.
const ISSUER: &str = "cidadao";
/// The most bytes of a token that are looked at; ours have some 250.
const TOKEN_BYTES_MAX: usize = 1_024;

/// What makes and reads tokens.
pub(crate) struct Tokens {
    signs: EncodingKey,
    reads: DecodingKey,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The account.
    sub: String,
    /// The sign-in.
    sid: String,
    iat: i64,
    exp: i64,
}

impl Tokens {
    /// With the key of a data folder.
    ///
    /// # Errors
    /// The key cannot be read or made.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        Ok(Self::with(&key_in(&folder.join(KEY_FILE))?))
    }

    fn with(key: &[u8; 32]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        // In the second in which it runs out it has.
        validation.reject_tokens_expiring_in_less_than = 1;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        Self { signs: EncodingKey::from_secret(key), reads: DecodingKey::from_secret(key), validation }
    }

    /// A token of a sign-in, for so many seconds.
    ///
    /// # Errors
    /// It cannot be signed.
    pub(crate) fn make(&self, account: &str, session: &str, seconds: u64) -> Result<String> {
        let now = chrono::Utc::now().timestamp();
        let exp = now.saturating_add_unsigned(seconds);
        let claims = Claims { iss: ISSUER.into(), sub: account.to_owned(), sid: session.to_owned(), iat: now, exp };
        let made = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signs);
        made.map_err(|e| Error::Failed(format!("a token could not be signed: {e}")))
    }

    /// The account and the sign-in of a token that is ours and still good.
    pub(crate) fn read(&self, token: &str) -> Option<(String, String)> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.reads, &self.validation).ok()?;
        Some((read.claims.sub, read.claims.sid))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn only_our_own_tokens_are_read_and_only_under_our_algorithm() {
        let tokens = Tokens::with(&KEY);
        let good = tokens.make("usr_1", "ses_1", 60).unwrap();
        assert_eq!(tokens.read(&good), Some(("usr_1".to_owned(), "ses_1".to_owned())));
        let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
        let none = B64.encode(r#"{"typ":"JWT","alg":"none"}"#);
        let hs512 = {
            let claims: Claims = serde_json::from_slice(&B64.decode(claims).unwrap()).unwrap();
            jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &EncodingKey::from_secret(&KEY)).unwrap()
        };
        let other = Tokens::with(&[8; 32]).make("usr_1", "ses_1", 60).unwrap();
        let admin = B64
            .encode(B64.decode(claims).map(|json| String::from_utf8(json).unwrap().replace("usr_1", "usr_2")).unwrap());
        for wrong in [
            format!("{none}.{claims}."),
            format!("{none}.{claims}.{signature}"),
            format!("{header}.{admin}.{signature}"),
            format!("{header}.{claims}."),
            format!("{header}.{claims}"),
            hs512,
            other,
            String::new(),
            "..".to_owned(),
            format!("{good}x"),
            "a".repeat(100_000),
        ] {
            assert_eq!(tokens.read(&wrong), None, "{wrong}");
        }
        assert_eq!(tokens.read(&tokens.make("usr_1", "ses_1", 0).unwrap()), None, "it has run out");
    }

    proptest! {
        #[test]
        fn garbage_is_refused_and_breaks_nothing(text in "[ -~]{0,300}", parts in prop::collection::vec("[A-Za-z0-9_-]{0,60}", 3)) {
            let tokens = Tokens::with(&KEY);
            prop_assert_eq!(tokens.read(&text), None);
            prop_assert_eq!(tokens.read(&parts.join(".")), None);
        }

        #[test]
        fn one_changed_character_is_enough(at in 0_usize..200, letter in "[A-Za-z0-9_-]") {
            let tokens = Tokens::with(&KEY);
            let good = tokens.make("usr_1", "ses_1", 60).unwrap();
            // The last character of a part holds bits that mean nothing.
            let at = at % (good.len() - 1);
            prop_assume!(good.as_bytes()[at] != b'.' && good.as_bytes()[at + 1] != b'.');
            let mut changed = good.clone();
            changed.replace_range(at..=at, &letter);
            prop_assume!(changed != good);
            prop_assert_eq!(tokens.read(&changed), None);
        }
    }
}
