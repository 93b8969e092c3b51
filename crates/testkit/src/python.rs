//! Clients in Python that we did not write, in the environment that `scripts/python.sh` makes.

use std::path::PathBuf;

/// A program of that environment (`python`, `schemathesis`).
///
/// # Panics
/// It is not there; the message says how to get it.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache"))).unwrap();
    let program = cache.join("cidadao/python/bin").join(name);
    assert!(program.exists(), "this test needs {name} of Python: run scripts/python.sh");
    program
}
