//! Sections `[limits]`, `[identity]` and `[batch]` of the settings: who may ask for how much.

use ipnet::IpNet;
use serde::Deserialize;

use crate::identity::{Rate, Tier};
use crate::{Error, Result};

/// Section `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct LimitSettings {
    pub anonymous: Tier,
    pub tier_anonymous: String,
    pub tier_free: String,
    pub tier_basic: String,
    pub tier_pro: String,
    pub tier_enterprise: String,
    pub callers_max: usize,
    pub trusted_proxies: String,
    pub forwarded_header: ForwardedHeader,
    pub allow: String,
    pub deny: String,
    pub memory_mib: u64,
}

/// Where a proxy says for whom it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the headers' own")]
pub enum ForwardedHeader {
    XForwardedFor,
    Forwarded,
}

/// Section `[identity]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct IdentitySettings {
    pub access_minutes: u64,
    pub session_days: u64,
    pub hashes_max: usize,
    pub failures_per_account: u32,
    pub failures_per_address: u32,
}

/// Section `[batch]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct BatchSettings {
    pub operations_max: usize,
    pub concurrency: usize,
    pub operation_timeout_ms: u64,
}

/// Section `[graphql]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct GraphqlSettings {
    pub depth_max: u64,
    pub complexity_max: u64,
    pub aliases_max: u64,
    pub directives_max: u64,
    pub tokens_max: u64,
    pub query_bytes_max: u64,
    pub batch_max: u64,
    pub fields_mib: u64,
    pub fields_ttl_s: u64,
    pub subscriptions_max: u64,
    pub init_timeout_s: u64,
}

/// How a setting's range is checked.
type Within<'a> = &'a dyn Fn(&str, u64, u64, u64) -> Result<()>;

impl LimitSettings {
    /// How much a tier may ask for; nothing limits the unlimited.
    ///
    /// # Errors
    /// The setting cannot be read; [`LimitSettings::check`] has seen that it can.
    pub fn rate(&self, tier: Tier) -> Result<Option<Rate>> {
        let text = match tier {
            Tier::Anonymous => &self.tier_anonymous,
            Tier::Free => &self.tier_free,
            Tier::Basic => &self.tier_basic,
            Tier::Pro => &self.tier_pro,
            Tier::Enterprise => &self.tier_enterprise,
            Tier::Unlimited => return Ok(None),
        };
        let refused = |e: Error| Error::Settings(format!("limits.tier_{} = \"{text}\": {e}", tier.code()));
        text.parse().map(Some).map_err(refused)
    }

    pub(crate) fn check(&self, within: Within<'_>) -> Result<()> {
        for tier in Tier::ALL {
            self.rate(tier)?;
        }
        for (name, text) in [("trusted_proxies", &self.trusted_proxies), ("allow", &self.allow), ("deny", &self.deny)] {
            ranges(text).map_err(|because| Error::Settings(format!("limits.{name} = \"{text}\": {because}")))?;
        }
        within("limits.callers_max", self.callers_max as u64, 100, 10_000_000)?;
        if self.memory_mib != 0 {
            within("limits.memory_mib", self.memory_mib, 4, 1_048_576)?;
        }
        Ok(())
    }
}

impl IdentitySettings {
    pub(crate) fn check(&self, within: Within<'_>) -> Result<()> {
        within("identity.access_minutes", self.access_minutes, 1, 60)?;
        within("identity.session_days", self.session_days, 1, 365)?;
        within("identity.hashes_max", self.hashes_max as u64, 1, 64)?;
        within("identity.failures_per_account", self.failures_per_account.into(), 1, 1_000)?;
        within("identity.failures_per_address", self.failures_per_address.into(), 1, 1_000)
    }
}

impl BatchSettings {
    pub(crate) fn check(&self, within: Within<'_>) -> Result<()> {
        within("batch.operations_max", self.operations_max as u64, 1, 1_000)?;
        within("batch.concurrency", self.concurrency as u64, 1, 64)?;
        within("batch.operation_timeout_ms", self.operation_timeout_ms, 10, 300_000)
    }
}

impl GraphqlSettings {
    pub(crate) fn check(&self, within: Within<'_>) -> Result<()> {
        within("graphql.depth_max", self.depth_max, 1, 20)?;
        within("graphql.complexity_max", self.complexity_max, 1, 100_000)?;
        within("graphql.aliases_max", self.aliases_max, 0, 1_000)?;
        within("graphql.directives_max", self.directives_max, 0, 1_000)?;
        within("graphql.tokens_max", self.tokens_max, 100, 20_000)?;
        within("graphql.query_bytes_max", self.query_bytes_max, 1_024, 262_144)?;
        within("graphql.batch_max", self.batch_max, 1, 100)?;
        within("graphql.fields_mib", self.fields_mib, 0, 65_536)?;
        within("graphql.fields_ttl_s", self.fields_ttl_s, 0, 86_400)?;
        within("graphql.subscriptions_max", self.subscriptions_max, 1, 1_000)?;
        within("graphql.init_timeout_s", self.init_timeout_s, 1, 3_600)
    }
}

/// The addresses and ranges of a list parted by commas.
///
/// # Errors
/// Which of them is neither.
pub fn ranges(text: &str) -> std::result::Result<Vec<IpNet>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let address = || part.parse::<std::net::IpAddr>().ok().map(IpNet::from);
            part.parse::<IpNet>().ok().or_else(address).ok_or_else(|| format!("`{part}` is no address or range"))
        })
        .collect()
}
