//! Settings: `config/default.toml` is the manual and the default; a file and the environment override it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use store::PoolSettings;

use crate::agent_settings::AgentSettings;
use crate::layers::{Layers, Origin, Told, told};
use crate::limit_settings::{BatchSettings, GraphqlSettings, IdentitySettings, LimitSettings};
use crate::llm_settings::LlmSettings;
use crate::telemetry_settings::TelemetrySettings;
use crate::{Error, Result};

/// The annotated defaults.
pub const DEFAULT: &str = include_str!("../../../config/default.toml");

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
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
    pub metrics: MetricsSettings,
    pub limits: LimitSettings,
    pub identity: IdentitySettings,
    pub batch: BatchSettings,
    pub llm: LlmSettings,
    pub graphql: GraphqlSettings,
    pub live: crate::live_settings::LiveSettings,
    pub telemetry: TelemetrySettings,
    /// Settings that are not the default, as `name = value (where from)`.
    #[serde(skip)]
    pub changed: Vec<String>,
    /// Every setting and where it comes from.
    #[serde(skip)]
    pub told: Vec<Told>,
    /// What the machine gave to settings that are 0.
    #[serde(skip)]
    pub sized: crate::Sized,
}

/// Section `[metrics]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct MetricsSettings {
    pub enabled: bool,
}

/// Section `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct Http {
    pub listen: String,
    pub drain_s: u64,
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
    pub migrate: bool,
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
                // The password may be what the address could not be read for, or what was taken for the end of one.
                let is_own = url == self.url.trim();
                let name = if is_own { "database.url" } else { "database.replica_urls" };
                let whole = if is_own { &self.url } else { &self.replica_urls };
                return Err(Error::Settings(format!("{name} = \"{}\": {because}", told(whole))));
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
    pub listen: String,
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
        let refused = |because: String| Err(Error::Settings(format!("redis.url = \"{}\": {because}", told(&self.url))));
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

impl Log {
    /// A word that is no level would be taken for the name of a part of the program, and silence all others.
    fn check(&self) -> Result<()> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let lone = self.filter.split(',').map(str::trim).find(|part| !part.contains('=') && !LEVELS.contains(part));
        let Some(word) = lone.filter(|_| !self.filter.contains(['[', '{'])) else { return Ok(()) };
        let because = format!("`{word}` is none of {}, nor of the form part=level", LEVELS.join(", "));
        Err(Error::Settings(format!("log.filter = \"{}\": {because}", self.filter)))
    }
}

impl Settings {
    /// The settings of `file` (if any) and `environment` over the defaults.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value of another type or out of its range; the message says which, where it stands
    /// and what is allowed.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        Self::load_under(file, environment, &[])
    }

    /// The same under `options` of the command line: each its name, the setting's, and the value.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load_under(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        options: &[(&'static str, &str, String)],
    ) -> Result<Self> {
        let mut layers = Layers::of(DEFAULT)?;
        if let Some(path) = file {
            layers.file(path)?;
        }
        // First, so that our own name for it has the last word; and a value before the file that may be named in its place.
        let hosts_own = |name: &str| HOSTS_OWN.iter().find(|(host, _)| *host == name).map(|(_, setting)| *setting);
        let mut variables: Vec<(String, String)> = environment.collect();
        variables.sort_by_key(|(name, _)| (Layers::is_ours(name), name.ends_with("_FILE")));
        for (name, value) in variables {
            if let Some(setting) = hosts_own(&name) {
                layers.variable(&name, &value, Some(setting))?;
            } else if let Some(setting) = Layers::in_file(&name, HOSTS_OWN) {
                layers.secret(setting, &name, Path::new(&value))?;
            } else if Layers::is_ours(&name) && !NOT_SETTINGS.contains(&name.as_str()) {
                layers.variable(&name, &value, None)?;
            }
        }
        for (option, name, value) in options {
            layers.set(name, toml::Value::String(value.clone()), Origin::Option(option))?;
        }
        let refused = |e: toml::de::Error| {
            let text = e.to_string();
            let name = text.rsplit_once("in `").map_or("", |(_, rest)| rest.trim_end().trim_end_matches('`'));
            let allowed = if text.contains("expected one of") { String::new() } else { layers.allowed(name) };
            layers.place(Error::Settings(format!("{name}: {}{allowed}", e.message())))
        };
        let mut settings: Self = layers.table().try_into().map_err(refused)?;
        settings.size_by(crate::Machine::look());
        settings.check().map_err(|error| layers.place(error))?;
        settings.changed = layers.changed();
        settings.told = layers.told(&|name| crate::reload::RELOADS.contains(&name));
        for told in &mut settings.told {
            if let Some(share) = settings.sized.share(&told.name) {
                told.in_force = share.into();
            }
        }
        Ok(settings)
    }

    /// An error about a setting that only its user can judge, with the place where its value stands.
    #[must_use]
    pub fn refuse(&self, because: String) -> Error {
        let placed = self.told.iter().find(|told| because.starts_with(&format!("{} ", told.name)));
        match placed.filter(|told| told.from != "default") {
            Some(told) => Error::Settings(format!("{}: {because}", told.at)),
            None => Error::Settings(because),
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let within = |name: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::Settings(format!("{name} = {value}: must lie between {low} and {high}")))
            }
        };
        within("http.drain_s", self.http.drain_s, 0, 3_600)?;
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
            let told = told(&self.pncp.service);
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
        self.log.check()?;
        let is_address = |listen: &str| {
            listen.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        };
        for (name, listen, may_be_empty) in
            [("http.listen", &self.http.listen, false), ("work.listen", &self.work.listen, true)]
        {
            let is_right = is_address(listen) || (may_be_empty && listen.is_empty());
            if !is_right {
                let because = "must be an address and a port, such as 127.0.0.1:8080";
                return Err(Error::Settings(format!("{name} = \"{listen}\": {because}")));
            }
        }
        self.live.check(&within)?;
        self.telemetry.check(&within)?;
        if !["text", "json"].contains(&self.log.format.as_str()) {
            return Err(Error::Settings(format!("log.format = \"{}\": must be \"text\" or \"json\"", self.log.format)));
        }
        Ok(())
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
