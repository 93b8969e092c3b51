//! Queries that clients name by their hash once they have sent them: Apollo's automatic persisted queries.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;
use crate::recent::Recent;

/// Queries that are kept; with [`BYTES_MAX`] some 16 MiB at most.
const QUERIES_MAX: usize = 1_000;
/// Longer ones are sent whole each time.
const BYTES_MAX: usize = 16 << 10;

/// Queries by their hash.
pub struct Persisted(Mutex<Recent<String, Arc<str>>>);

impl Default for Persisted {
    fn default() -> Self {
        Self(Mutex::new(Recent::new(QUERIES_MAX)))
    }
}

impl Persisted {
    /// The query that a request means: the one that it sends, or the one that its hash names.
    ///
    /// # Errors
    /// The hash is another query's; nothing is kept under it; there is no query.
    pub fn query(
        &self,
        query: Option<String>,
        extensions: Option<&Value>,
    ) -> Result<(Arc<str>, Option<String>), Refusal> {
        let asked = extensions.map(|extensions| &extensions["persistedQuery"]).filter(|asked| !asked.is_null());
        let Some(asked) = asked else {
            let query = query.filter(|query| !query.trim().is_empty());
            return query.map(|query| (query.into(), None)).ok_or_else(|| Refusal::invalid("there is no `query`"));
        };
        let hash = asked["sha256Hash"].as_str().unwrap_or_default().to_ascii_lowercase();
        if asked["version"] != 1 || hash.len() != 64 {
            return Err(Refusal::invalid("persistedQuery has `version` 1 and `sha256Hash`, 64 hexadecimal digits"));
        }
        match query {
            Some(query) if hash_of(&query) == hash => Ok((query.into(), Some(hash))),
            Some(_) => Err(Refusal::invalid("`sha256Hash` is not the hash of this query")),
            None => {
                let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                kept.touch(&hash).map(|query| (Arc::clone(query), None)).ok_or_else(Refusal::not_persisted)
            }
        }
    }

    /// Keeps a query that was seen to be one.
    pub fn keep(&self, hash: String, query: &Arc<str>) {
        if query.len() <= BYTES_MAX {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).put(hash, Arc::clone(query));
        }
    }
}

/// The hash of a text, in hex.
pub fn hash_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_named_once_it_was_sent() {
        let kept = Persisted::default();
        let query = "{ stats { contracts } }".to_owned();
        let named = json!({"persistedQuery": {"version": 1, "sha256Hash": hash_of(&query)}});
        assert_eq!(kept.query(None, Some(&named)).unwrap_err().message, "PersistedQueryNotFound");
        let (sent, hash) = kept.query(Some(query.clone()), Some(&named)).unwrap();
        kept.keep(hash.unwrap(), &sent);
        assert_eq!(&*kept.query(None, Some(&named)).unwrap().0, query);
        assert!(kept.query(Some("{ me { name } }".to_owned()), Some(&named)).is_err(), "another query's hash");
        for wrong in [json!({"version": 2, "sha256Hash": hash_of(&query)}), json!({"version": 1, "sha256Hash": "ab"})] {
            assert!(kept.query(None, Some(&json!({"persistedQuery": wrong}))).is_err());
        }
        assert!(kept.query(Some(" ".to_owned()), None).is_err());
    }
}
