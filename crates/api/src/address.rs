//! From which address a request comes, and whether that address is answered.
//!
//! It is the connection's own, unless that is a trusted proxy's: then it is the last one in the proxy's header that no trusted proxy has.
//! What others write there is never believed. Only the header that the settings name is read: a proxy that adds `X-Forwarded-For` passes
//! `Forwarded` on as its client wrote it, and the other way round.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use app::limit_settings::{ForwardedHeader, LimitSettings, ranges};
use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// The most entries of it that are looked at, from the last.
const HOPS_MAX: usize = 32;

/// Which addresses are believed and answered.
pub struct Addresses {
    trusted: Vec<IpNet>,
    header: ForwardedHeader,
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
}

impl Addresses {
    /// As the settings say, which were seen to be readable at start.
    pub fn of(settings: &LimitSettings) -> Self {
        let read = |text: &str| ranges(text).unwrap_or_default();
        Self {
            trusted: read(&settings.trusted_proxies),
            header: settings.forwarded_header,
            allow: read(&settings.allow),
            deny: read(&settings.deny),
        }
    }

    /// The address of who asks over a connection from `peer`.
    pub fn of_client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if self.trusted.is_empty() {
            return client;
        }
        let (name, read): (HeaderName, fn(&str) -> Option<IpAddr>) = match self.header {
            ForwardedHeader::XForwardedFor => (HeaderName::from_static("x-forwarded-for"), address_in),
            ForwardedHeader::Forwarded => (FORWARDED, forwarded_for),
        };
        let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX);
        while has(&self.trusted, client) {
            // What is no address was not written by the proxy that is trusted: it stands for who wrote it.
            let Some(hop) = hops.next().and_then(read) else { break };
            client = hop;
        }
        client
    }

    /// Whether there is no address that is not answered.
    pub fn are_all_answered(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty()
    }

    /// Whether an address is answered.
    pub fn answer(&self, client: IpAddr) -> bool {
        (self.allow.is_empty() || has(&self.allow, client)) && !has(&self.deny, client)
    }
}

fn has(ranges: &[IpNet], address: IpAddr) -> bool {
    ranges.iter().any(|range| range.contains(&address))
}

/// The address in an entry, with or without a port.
fn address_in(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse::<IpAddr>().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|at| at.ip()))?;
    Some(address.to_canonical())
}

/// The address in an element of `Forwarded`, such as `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address_in(node.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(node))
}

/// The address under which use is counted: of IPv6 the network, for each customer has a whole one.
pub fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

    fn addresses(trusted: &str, header: ForwardedHeader) -> Addresses {
        Addresses { trusted: ranges(trusted).unwrap(), header, allow: Vec::new(), deny: Vec::new() }
    }

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        addresses(trusted, ForwardedHeader::XForwardedFor).of_client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let proxies = "127.0.0.1, 10.0.0.0/8, fd00::/8";
        for (peer, forwarded, is) in [
            ("203.0.113.5", &["198.51.100.1"][..], "203.0.113.5"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["1.2.3.4", "198.51.100.1, 10.1.1.1"], "198.51.100.1"),
            ("127.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("::ffff:127.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("127.0.0.1", &["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            ("127.0.0.1", &["1.2.3.4, unknown, 10.2.2.2"], "10.2.2.2"),
            ("127.0.0.1", &[""], "127.0.0.1"),
            ("127.0.0.1", &["1.2.3.4,"], "127.0.0.1"),
        ] {
            assert_eq!(client(proxies, peer, forwarded), is, "{peer} {forwarded:?}");
        }
        assert_eq!(client("", "127.0.0.1", &["198.51.100.1"]), "127.0.0.1", "none is trusted unless it is named");
    }

    #[test]
    fn forwarded_is_read_where_the_settings_name_it() {
        let client = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static("1.2.3.4"));
            headers.append(FORWARDED, HeaderValue::from_str(line).unwrap());
            let addresses = addresses("127.0.0.1, 10.0.0.0/8", ForwardedHeader::Forwarded);
            addresses.of_client("127.0.0.1".parse().unwrap(), &headers).to_string()
        };
        for (line, is) in [
            ("for=198.51.100.1", "198.51.100.1"),
            ("for=1.1.1.1, For=198.51.100.1;proto=https;by=10.0.0.1, for=10.2.2.2", "198.51.100.1"),
            ("proto=http; for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=\"198.51.100.1:80\"", "198.51.100.1"),
            ("for=\"1.1.1.1, for=198.51.100.1", "198.51.100.1"),
            ("for=1.1.1.1, for=_hidden", "127.0.0.1"),
            ("for=unknown", "127.0.0.1"),
            ("by=198.51.100.1", "127.0.0.1"),
            ("198.51.100.1", "127.0.0.1"),
        ] {
            assert_eq!(client(line), is, "{line}");
        }
    }

    #[test]
    fn the_denied_are_not_answered_though_they_are_allowed() {
        let all = |allow: &str, deny: &str, address: &str| {
            let (allow, deny) = (ranges(allow).unwrap(), ranges(deny).unwrap());
            Addresses { allow, deny, ..addresses("", ForwardedHeader::Forwarded) }.answer(address.parse().unwrap())
        };
        assert!(all("", "", "1.2.3.4"));
        assert!(all("1.2.3.0/24", "", "1.2.3.4") && !all("1.2.3.0/24", "", "1.2.4.4"));
        assert!(!all("1.2.3.0/24", "1.2.3.4", "1.2.3.4") && !all("", "2001:db8::/32", "2001:db8::1"));
    }

    #[test]
    fn an_ipv6_network_is_one_caller() {
        let counted = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("198.51.100.7"), "198.51.100.7");
    }

    proptest! {
        /// Whatever is sent before the entry that the trusted proxy added, the client is that entry.
        #[test]
        fn what_a_client_writes_never_changes_who_it_is(sent in "[ -~]{0,200}") {
            let line = format!("{sent}, 198.51.100.1");
            prop_assert_eq!(client("127.0.0.1", "127.0.0.1", &[&line]), "198.51.100.1");
            prop_assert_eq!(client("10.0.0.0/8", "127.0.0.1", &[&line]), "127.0.0.1");
        }
    }
}
