//! Settings that may stand but seldom should: named at start, by `config check` and by the doctor. None stops anything.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::identity::Tier;
use crate::limit_settings::ranges;
use crate::settings::CacheStrategy;
use crate::{ANALYSES_MAX, Settings};

/// Connections that a PostgreSQL server takes unless it is told otherwise, three of them for its operator.
const SERVERS_CONNECTIONS: usize = 97;
/// The prefix of a range of IPv4 that is most of the world.
const PREFIX_WIDE: u8 = 4;

impl Settings {
    /// What is risky in them, a sentence each with the settings' names.
    #[must_use]
    pub fn risks(&self) -> Vec<String> {
        let mut risks = Vec::new();
        self.risks_of_reach(&mut risks);
        self.risks_of_size(&mut risks);
        risks
    }

    /// Who can reach it, and what they can do or hear then.
    fn risks_of_reach(&self, risks: &mut Vec<String>) {
        let (http, limits) = (&self.http, &self.limits);
        let is_public = !is_loopback(&http.listen);
        let has_tls = !http.tls_certificate.as_os_str().is_empty();
        let proxies = ranges(&limits.trusted_proxies).unwrap_or_default();
        if is_public && limits.anonymous == Tier::Unlimited {
            risks.push(format!(
                "http.listen = \"{}\" with limits.anonymous = \"unlimited\": anyone may ask without end",
                http.listen
            ));
        }
        if is_public && !has_tls && proxies.is_empty() {
            risks.push(format!(
                "http.listen = \"{}\" without http.tls_certificate or a proxy in limits.trusted_proxies: passwords and keys travel in the clear",
                http.listen
            ));
        }
        if proxies.iter().any(|range| range.prefix_len() <= PREFIX_WIDE) {
            risks.push(format!(
                "limits.trusted_proxies = \"{}\" is most of the world: anyone can say for whom they ask, and so pass limits.allow, limits.deny and every limit",
                limits.trusted_proxies
            ));
        }
        if proxies.iter().any(|range| range.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST))) {
            risks.push(
                "limits.trusted_proxies holds this machine: until there is an account, what its proxy passes on without its header counts as the operator's; `cidadao users add`"
                    .to_owned(),
            );
        }
        for origin in http.cors_origins.iter().filter(|origin| is_clear_elsewhere(origin)) {
            risks.push(format!("http.cors_origins = \"{origin}\": who is on its way can change that page"));
        }
        for provider in &self.llm.providers {
            let has_key = !provider.key_env.is_empty() || !provider.key_file.as_os_str().is_empty();
            if has_key && is_clear_elsewhere(&provider.base_url) {
                let place = crate::layers::told(&provider.base_url);
                risks.push(format!("llm.providers: the key of {} travels in the clear to {place}", provider.model));
            }
        }
        #[cfg(unix)]
        if has_tls && is_readable_by_others(&http.tls_key) {
            risks.push(format!("http.tls_key = \"{}\" can be read by everybody here", http.tls_key.display()));
        }
    }

    /// What does not fit together, or the machine.
    fn risks_of_size(&self, risks: &mut Vec<String>) {
        let (cache, limits, analysis) = (&self.cache, &self.limits, &self.analysis);
        if cache.strategy == CacheStrategy::Off {
            risks.push("cache.strategy = \"off\": every request asks the database".to_owned());
        }
        if self.http.compression_level == 0 {
            risks.push("http.compression_level = 0: every answer is sent as long as it is".to_owned());
        }
        if self.database.server().is_some() && self.database.pool_size > SERVERS_CONNECTIONS {
            risks.push(format!(
                "database.pool_size = {}: a PostgreSQL server takes {SERVERS_CONNECTIONS} connections of all processes together unless its max_connections is raised",
                self.database.pool_size
            ));
        }
        let Some(found) = self.sized.machine else { return };
        if u64::from(analysis.threads) > found.processors {
            let (threads, processors) = (analysis.threads, found.processors);
            risks.push(format!("analysis.threads = {threads}, where there are {processors} processors"));
        }
        let Some(machine) = found.memory_mib else { return };
        if limits.memory_mib > machine {
            risks.push(format!(
                "limits.memory_mib = {}, where the machine or its container has {machine}: it is killed before it sheds",
                limits.memory_mib
            ));
        }
        let limit = limits.memory_mib;
        let worst = cache.l1_mib + u64::from(analysis.memory_mib);
        if worst > limit {
            risks.push(format!(
                "cache.l1_mib and analysis.memory_mib come to {worst} MiB, where limits.memory_mib lets the process hold {limit}: a single analysis makes it shed requests"
            ));
        }
        let all = cache.l1_mib + u64::from(analysis.memory_mib) * ANALYSES_MAX as u64;
        if worst <= limit && all > machine {
            risks.push(format!(
                "analysis.memory_mib = {}: {ANALYSES_MAX} analyses at once and cache.l1_mib come to {all} MiB, where the machine or its container has {machine}",
                analysis.memory_mib
            ));
        }
    }
}

/// Whether only this machine can reach an address to listen on.
fn is_loopback(listen: &str) -> bool {
    let by_name = || listen.rsplit_once(':').is_some_and(|(host, _)| host == "localhost");
    listen.parse::<SocketAddr>().map_or_else(|_| by_name(), |address| address.ip().to_canonical().is_loopback())
}

/// Whether an address is another machine's, and not under TLS.
fn is_clear_elsewhere(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    !is_loopback(&with_port)
}

#[cfg(unix)]
fn is_readable_by_others(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}
