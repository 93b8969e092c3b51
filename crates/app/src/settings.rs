//! Settings: `config/default.toml` is the manual and the default; a file and the environment override it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use store::PoolSettings;

use crate::agent_settings::AgentSettings;
use crate::limit_settings::{BatchSettings, GraphqlSettings, IdentitySettings, LimitSettings};
use crate::llm_settings::LlmSettings;
use crate::telemetry_settings::TelemetrySettings;
use crate::{Error, Result};

/// The annotated defaults.
pub const DEFAULT: &str = include_str!("../../../config/default.toml");

/// The prefix of environment variables that override settings.
const PREFIX: &str = "CIDADAO_";

/// Variables with the prefix that are no settings: they steer tests, builds and benches.
const NOT_SETTINGS: &[&str] = &[
    "CIDADAO_REAL_DATA",
    "CIDADAO_FUZZ_SECONDS",
    "CIDADAO_BIN",
    "CIDADAO_CONFIG",
    "CIDADAO_SEED",
    "CIDADAO_KILLS",
    "CIDADAO_EVENTS",
];

/// Variables by which hosts name what they offer, and the setting that each is.
const HOSTS_OWN: &[(&str, &str)] = &[
    ("REDIS_URL", "redis.url"),
    ("DATABASE_URL", "database.url"),
    ("DATABASE_REPLICA_URLS", "database.replica_urls"),
    ("DB_POOL_SIZE", "database.pool_size"),
    ("BATCH_SIZE", "batch.operations_max"),
    ("CACHE_STRATEGY", "cache.strategy"),
    ("COMPRESSION_LEVEL", "http.compression_level"),
    ("HTTP2_ENABLED", "http.http2"),
    ("JSON_ENCODER", "http.json_encoder"),
    ("AGENT_POOL_SIZE", "agents.max_size"),
];

/// Every setting, in force.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Settings {
    pub data_dir: PathBuf,
    pub http: Http,
    pub store: StoreSettings,
    pub database: Database,
    pub ingest: IngestSettings,
    pub analysis: Analysis,
    pub work: Work,
    pub agents: AgentSettings,
    pub redis: RedisSettings,
    pub outbound: OutboundLimits,
    pub pncp: Pncp,
    pub cache: CacheSettings,
    pub log: Log,
    pub limits: LimitSettings,
    pub identity: IdentitySettings,
    pub batch: BatchSettings,
    pub llm: LlmSettings,
    pub graphql: GraphqlSettings,
    pub telemetry: TelemetrySettings,
    /// Settings that are not the default, as `name = value (where from)`.
    #[serde(skip)]
    pub changed: Vec<String>,
}

/// Section `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Http {
    pub listen: String,
    pub request_timeout_s: u64,
    pub body_max_bytes: usize,
    pub queue_max: usize,
    pub http2: bool,
    pub tls_certificate: PathBuf,
    pub tls_key: PathBuf,
    pub head_timeout_s: u64,
    pub body_timeout_s: u64,
    pub cors_origins: Vec<String>,
    pub compression_level: u32,
    pub json_encoder: JsonEncoder,
    pub slow_request_ms: u64,
}

/// By what JSON is written; the bytes are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonEncoder {
    /// The fast one.
    #[serde(alias = "orjson")]
    Sonic,
    /// The usual one.
    Serde,
}

/// Section `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct StoreSettings {
    pub readers: usize,
}

/// Section `[database]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Database {
    pub url: String,
    pub replica_urls: String,
    pub pool_size: usize,
    pub statement_timeout_ms: u64,
    pub lock_timeout_ms: u64,
    pub slow_query_ms: u64,
    pub slow_plans_per_min: u32,
}

impl Database {
    /// The server, if one is set.
    #[must_use]
    pub fn server(&self) -> Option<PoolSettings> {
        (!self.url.is_empty()).then(|| self.at(&self.url))
    }

    /// Its replicas.
    #[must_use]
    pub fn replicas(&self) -> Vec<PoolSettings> {
        self.replica_urls.split(',').map(str::trim).filter(|url| !url.is_empty()).map(|url| self.at(url)).collect()
    }

    fn at(&self, url: &str) -> PoolSettings {
        PoolSettings {
            url: url.to_owned(),
            size: self.pool_size,
            statement_timeout: Duration::from_millis(self.statement_timeout_ms),
            lock_timeout: Duration::from_millis(self.lock_timeout_ms),
            slow: Duration::from_millis(self.slow_query_ms),
        }
    }

    fn check(&self) -> Result<()> {
        let urls = std::iter::once(&*self.url)
            .filter(|url| !url.is_empty())
            .chain(self.replica_urls.split(','))
            .map(str::trim);
        for url in urls.filter(|url| !url.is_empty()) {
            let known = url.starts_with("postgres://") || url.starts_with("postgresql://");
            let because = if known {
                store::check_address(url).err().map(|error| error.to_string())
            } else {
                Some("must be of the form postgres://user@host:5432/database".to_owned())
            };
            if let Some(because) = because {
                let told = shown("database.url", &toml::Value::String(url.to_owned()));
                return Err(Error::Settings(format!("database.url = {told}: {because}")));
            }
        }
        if self.url.is_empty() && !self.replica_urls.is_empty() {
            let because = "replicas are of a server: set database.url (DATABASE_URL) too";
            return Err(Error::Settings(format!("database.replica_urls: {because}")));
        }
        Ok(())
    }
}

/// Section `[ingest]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct IngestSettings {
    pub batch_rows: u64,
}

/// Section `[analysis]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Analysis {
    pub memory_mib: u32,
    pub memory_max_mib: u32,
    pub threads: u32,
}

/// Section `[work]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Work {
    pub workers: u64,
    pub lease_s: u64,
    pub attempts_max: u32,
    pub backoff_ms: u64,
}

/// Section `[redis]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct RedisSettings {
    pub url: String,
}

impl RedisSettings {
    /// The address, if one is set.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        Some(self.url.as_str()).filter(|url| !url.is_empty())
    }

    fn check(&self) -> Result<()> {
        let told = shown("redis.url", &toml::Value::String(self.url.clone()));
        let refused = |because: String| Err(Error::Settings(format!("redis.url = {told}: {because}")));
        match self.address() {
            Some(url) if !url.starts_with("redis://") && !url.starts_with("redis+unix://") => {
                refused("must be of the form redis://host:6379".to_owned())
            }
            Some(url) => events::Redis::check(url).or_else(|error| refused(error.to_string())),
            None => Ok(()),
        }
    }
}

/// Section `[outbound]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct OutboundLimits {
    pub connections_max: usize,
    pub per_origin: usize,
    pub rate_per_s: u32,
    pub hedge_after_ms: u64,
    pub timeout_s: u64,
    pub patience_s: u64,
}

/// Section `[pncp]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Pncp {
    pub service: String,
}

/// Section `[cache]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct CacheSettings {
    pub strategy: CacheStrategy,
    pub l1_entries: usize,
    pub l1_mib: u64,
    pub l1_ttl_s: u64,
    pub l2_entries: usize,
    pub l2_ttl_s: u64,
    pub l3_mib: u64,
    pub l3_ttl_s: u64,
    pub negative_ttl_s: u64,
    pub stale_s: u64,
    pub stale_if_error_s: u64,
    pub edge_s: u64,
    pub dense_after: u32,
}

/// Which tiers the cache has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheStrategy {
    /// Memory, Redis where one is set, and the disk.
    MultiTier,
    /// Memory only.
    Memory,
    /// None.
    Off,
}

/// Section `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Log {
    pub filter: String,
    pub format: String,
}

impl Settings {
    /// The settings of `file` (if any) and `environment` over the defaults.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value of another type or out of its range; the message says which.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let mut table: toml::Table =
            toml::from_str(DEFAULT).map_err(|e| Error::Settings(format!("embedded defaults: {e}")))?;
        let mut changed = BTreeMap::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, &e))?;
            let over: toml::Table =
                toml::from_str(&text).map_err(|e| Error::Settings(format!("{}: {e}", path.display())))?;
            merge(&mut table, over, "", &path.display().to_string(), &mut changed)?;
        }
        // First, so that our own name for it has the last word.
        let hosts_own = |name: &str| HOSTS_OWN.iter().find(|(host, _)| *host == name);
        let (hosts, own): (Vec<_>, Vec<_>) = environment.partition(|(name, _)| hosts_own(name).is_some());
        for (name, value) in hosts.into_iter().chain(own) {
            if let Some((_, setting)) = hosts_own(&name) {
                let variable = format!("{PREFIX}{}", setting.replace('.', "_").to_ascii_uppercase());
                set_from_environment(&mut table, &variable, &value, &mut changed)
                    .map_err(|e| Error::Settings(e.to_string().replace(&variable, &name)))?;
                changed.entry((*setting).to_owned()).and_modify(|told| *told = told.replace(&variable, &name));
            } else if name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()) {
                set_from_environment(&mut table, &name, &value, &mut changed)?;
            }
        }
        let mut settings: Self =
            table.try_into().map_err(|e: toml::de::Error| Error::Settings(format!("settings: {}", e.message())))?;
        settings.changed = changed.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
        settings.check()?;
        Ok(settings)
    }

    pub(crate) fn check(&self) -> Result<()> {
        let within = |name: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::Settings(format!("{name} = {value}: must lie between {low} and {high}")))
            }
        };
        within("http.request_timeout_s", self.http.request_timeout_s, 1, 300)?;
        within("http.body_max_bytes", self.http.body_max_bytes as u64, 1_024, 67_108_864)?;
        within("http.queue_max", self.http.queue_max as u64, 1, 100_000)?;
        within("store.readers", self.store.readers as u64, 1, 64)?;
        within("ingest.batch_rows", self.ingest.batch_rows, 1, 10_000_000)?;
        within("analysis.memory_mib", self.analysis.memory_mib.into(), 64, 1_048_576)?;
        let least = self.analysis.memory_mib.into();
        within("analysis.memory_max_mib", self.analysis.memory_max_mib.into(), least, 1_048_576)?;
        within("analysis.threads", self.analysis.threads.into(), 0, 256)?;
        within("work.workers", self.work.workers, 1, 64)?;
        within("work.lease_s", self.work.lease_s, 1, 300)?;
        within("work.attempts_max", self.work.attempts_max.into(), 1, 100)?;
        within("work.backoff_ms", self.work.backoff_ms, 1, 60_000)?;
        within("database.pool_size", self.database.pool_size as u64, 2, 1_000)?;
        within("database.statement_timeout_ms", self.database.statement_timeout_ms, 100, 3_600_000)?;
        within("database.lock_timeout_ms", self.database.lock_timeout_ms, 100, 600_000)?;
        within("database.slow_query_ms", self.database.slow_query_ms, 0, 3_600_000)?;
        within("database.slow_plans_per_min", self.database.slow_plans_per_min.into(), 0, 1_000)?;
        within("http.slow_request_ms", self.http.slow_request_ms, 0, 300_000)?;
        self.database.check()?;
        self.redis.check()?;
        within("outbound.connections_max", self.outbound.connections_max as u64, 1, 10_000)?;
        within("outbound.per_origin", self.outbound.per_origin as u64, 1, 100)?;
        within("outbound.rate_per_s", self.outbound.rate_per_s.into(), 1, 1_000)?;
        within("outbound.hedge_after_ms", self.outbound.hedge_after_ms, 0, 600_000)?;
        within("outbound.timeout_s", self.outbound.timeout_s, 1, 600)?;
        within("outbound.patience_s", self.outbound.patience_s, 1, 86_400)?;
        if !["http://", "https://"].iter().any(|scheme| self.pncp.service.starts_with(scheme)) {
            let told = &self.pncp.service;
            return Err(Error::Settings(format!("pncp.service = \"{told}\": must begin with http:// or https://")));
        }
        within("llm.timeout_ms", self.llm.timeout_ms, 100, 60_000)?;
        within("llm.tokens_max", self.llm.tokens_max, 50, 8_192)?;
        self.llm.providers.iter().try_for_each(crate::llm_settings::LlmProvider::check)?;
        within("http.head_timeout_s", self.http.head_timeout_s, 1, 300)?;
        within("http.body_timeout_s", self.http.body_timeout_s, 1, 300)?;
        within("http.compression_level", self.http.compression_level.into(), 0, 11)?;
        if self.http.tls_certificate.as_os_str().is_empty() != self.http.tls_key.as_os_str().is_empty() {
            return Err(Error::Settings("http.tls_certificate and http.tls_key: one without the other".to_owned()));
        }
        for origin in &self.http.cors_origins {
            let bare = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if bare.is_none_or(|host| host.is_empty() || host.contains(['/', '*', ' '])) {
                let because = "must be origins such as \"https://exemplo.org\", without path or `*`";
                return Err(Error::Settings(format!("http.cors_origins = \"{origin}\": {because}")));
            }
        }
        let cache = &self.cache;
        within("cache.l1_entries", cache.l1_entries as u64, 1, 10_000_000)?;
        within("cache.l1_mib", cache.l1_mib, 1, 1_048_576)?;
        within("cache.l2_entries", cache.l2_entries as u64, 1, 100_000_000)?;
        within("cache.l3_mib", cache.l3_mib, 1, 1_048_576)?;
        for (name, value) in [
            ("cache.l1_ttl_s", cache.l1_ttl_s),
            ("cache.l2_ttl_s", cache.l2_ttl_s),
            ("cache.l3_ttl_s", cache.l3_ttl_s),
            ("cache.negative_ttl_s", cache.negative_ttl_s),
        ] {
            within(name, value, 1, 31_536_000)?;
        }
        for (name, value) in [
            ("cache.stale_s", cache.stale_s),
            ("cache.stale_if_error_s", cache.stale_if_error_s),
            ("cache.edge_s", cache.edge_s),
        ] {
            within(name, value, 0, 31_536_000)?;
        }
        within("cache.dense_after", cache.dense_after.into(), 0, 1_000_000)?;
        self.limits.check(&within)?;
        self.agents.check(&within)?;
        self.identity.check(&within)?;
        self.batch.check(&within)?;
        self.graphql.check(&within)?;
        self.telemetry.check(&within)?;
        if !["text", "json"].contains(&self.log.format.as_str()) {
            return Err(Error::Settings(format!("log.format = \"{}\": must be \"text\" or \"json\"", self.log.format)));
        }
        Ok(())
    }
}

fn merge(
    into: &mut toml::Table,
    from: toml::Table,
    path: &str,
    origin: &str,
    changed: &mut BTreeMap<String, String>,
) -> Result<()> {
    for (key, value) in from {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(over)) => merge(inner, over, &name, origin, changed)?,
            (Some(held), value) => {
                if *held != value {
                    let told = shown(&name, &value);
                    changed.insert(name, format!("{told} ({origin})"));
                }
                *held = value;
            }
            (None, _) => return Err(Error::Settings(format!("{origin}: unknown setting `{name}`"))),
        }
    }
    Ok(())
}

/// An address as it is told.
pub(crate) fn told(url: &str) -> String {
    shown("url", &toml::Value::String(url.to_owned())).trim_matches('"').to_owned()
}

/// A value as it is told: an address without the name and password in it.
fn shown(name: &str, value: &toml::Value) -> String {
    let Some(text) = value.as_str().filter(|_| name.ends_with("url") || name.ends_with("urls")) else {
        return value.to_string();
    };
    let hidden = text.split(',').map(|one| match one.split_once("://") {
        Some((kind, rest)) => match rest.rsplit_once('@') {
            Some((_, place)) => format!("{kind}://…@{}", without_password(place)),
            None => format!("{kind}://{}", without_password(rest)),
        },
        None => one.to_owned(),
    });
    format!("\"{}\"", hidden.collect::<Vec<_>>().join(","))
}

/// An address whose password stands among its parameters.
fn without_password(place: &str) -> String {
    place.split_inclusive(['?', '&']).filter(|part| !part.starts_with("password=")).collect()
}

fn set_from_environment(
    table: &mut toml::Table,
    variable: &str,
    text: &str,
    changed: &mut BTreeMap<String, String>,
) -> Result<String> {
    let wanted = variable[PREFIX.len()..].to_ascii_lowercase();
    let unknown = || Error::Settings(format!("{variable}: no setting has this name"));
    let (section, key) = if table.contains_key(&wanted) {
        (None, wanted)
    } else {
        let (section, key) = wanted.split_once('_').ok_or_else(unknown)?;
        (Some(section.to_owned()), key.to_owned())
    };
    let holder = match &section {
        None => table,
        Some(section) => table.get_mut(section).and_then(toml::Value::as_table_mut).ok_or_else(unknown)?,
    };
    let held = holder.get_mut(&key).ok_or_else(unknown)?;
    let value = match held {
        toml::Value::Integer(_) => toml::Value::Integer(
            text.trim().parse().map_err(|_| Error::Settings(format!("{variable}={text}: must be a whole number")))?,
        ),
        toml::Value::Boolean(_) => toml::Value::Boolean(
            said(text).ok_or_else(|| Error::Settings(format!("{variable}={text}: must be true or false")))?,
        ),
        toml::Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            toml::Value::Array(parts.map(|part| toml::Value::String(part.to_owned())).collect())
        }
        _ => toml::Value::String(text.to_owned()),
    };
    let name = section.map_or_else(|| key.clone(), |section| format!("{section}.{key}"));
    if *held != value {
        let told = shown(&name, &value);
        changed.insert(name.clone(), format!("{told} ({variable})"));
    }
    *held = value;
    Ok(name)
}

/// Yes or no, as people write it in the environment.
fn said(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Settings> {
        Settings::load(None, variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_defaults_are_whole() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.http.listen, "127.0.0.1:8080");
        assert!(settings.changed.is_empty());
    }

    #[test]
    fn the_environment_overrides_and_says_so() {
        let settings = load(&[("CIDADAO_STORE_READERS", "7"), ("CIDADAO_DATA_DIR", "/x"), ("OTHER", "1")]).unwrap();
        assert_eq!((settings.store.readers, settings.data_dir.as_path()), (7, Path::new("/x")));
        assert_eq!(settings.changed.len(), 2);
    }

    #[test]
    fn a_redis_is_named_by_its_own_variable_and_its_password_is_not_told() {
        assert_eq!(load(&[]).unwrap().redis.address(), None);
        for name in ["REDIS_URL", "CIDADAO_REDIS_URL"] {
            let settings = load(&[(name, "redis://ana:segredo@10.0.0.1:6380/2")]).unwrap();
            assert_eq!(settings.redis.address(), Some("redis://ana:segredo@10.0.0.1:6380/2"));
            assert!(settings.changed[0].contains("10.0.0.1:6380/2"), "{:?}", settings.changed);
            let refused = load(&[(name, "http://ana:segredo@10.0.0.1")]).unwrap_err().to_string();
            for told in [&settings.changed[0], &refused] {
                assert!(told.contains("redis.url") && !told.contains("segredo"), "{told}");
            }
        }
    }

    #[test]
    fn what_cannot_be_stops_the_start_with_its_name() {
        for (name, value) in [
            ("CIDADAO_STORE_READERS", "0"),
            ("CIDADAO_STORE_READERS", "x"),
            ("CIDADAO_NOPE", "1"),
            ("CIDADAO_STORE_NOPE", "1"),
            ("CIDADAO_LOG_FORMAT", "xml"),
        ] {
            let error = load(&[(name, value)]).unwrap_err().to_string().to_lowercase();
            let key = name.rsplit('_').next().unwrap().to_lowercase();
            assert!(error.contains(&key), "{name}={value}: {error}");
        }
    }
}
