//! Language models: which, and what they may cost.

use std::path::PathBuf;

use llm::{Dialect, Key, Price, Provider};
use serde::Deserialize;

use crate::{Error, Result};

/// Section `[llm]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct LlmSettings {
    pub providers: Vec<LlmProvider>,
    pub timeout_ms: u64,
    pub tokens_max: u64,
    pub tokens_per_day: u64,
    pub cents_per_day: u64,
}

/// One of `llm.providers`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct LlmProvider {
    pub dialect: Dialect,
    pub base_url: String,
    pub model: String,
    #[serde(default)]
    pub key_env: String,
    #[serde(default)]
    pub key_file: PathBuf,
    #[serde(default)]
    pub cents_per_million_in: u64,
    #[serde(default)]
    pub cents_per_million_out: u64,
}

impl LlmProvider {
    pub(crate) fn check(&self) -> Result<()> {
        let refused = |because: &str| Err(Error::Settings(format!("llm.providers: {}: {because}", self.model)));
        let rest = self.base_url.strip_prefix("https://").or_else(|| self.base_url.strip_prefix("http://"));
        match rest {
            None => refused("base_url must begin with http:// or https://"),
            // It would be printed with the address.
            Some(rest) if rest.contains('@') => refused("base_url holds no key or password: use key_env or key_file"),
            Some(_) if self.model.is_empty() => refused("model must be given"),
            Some(_) if !self.key_env.is_empty() && !self.key_file.as_os_str().is_empty() => {
                refused("key_env or key_file, not both")
            }
            Some(_) => Ok(()),
        }
    }

    /// With its key read.
    pub(crate) fn open(&self) -> Result<Provider> {
        let key = if !self.key_env.is_empty() {
            let missing = |_| Error::Settings(format!("llm.providers: the variable {} is not set", self.key_env));
            Key::new(&std::env::var(&self.key_env).map_err(missing)?)
        } else if self.key_file.as_os_str().is_empty() {
            Key::default()
        } else {
            Key::new(&std::fs::read_to_string(&self.key_file).map_err(|error| Error::io(&self.key_file, &error))?)
        };
        Ok(Provider {
            name: self.model.clone(),
            dialect: self.dialect,
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            key,
            price: Price { tokens_in: self.cents_per_million_in, tokens_out: self.cents_per_million_out },
        })
    }
}
