//! The operator of the machine, who may everything while there is no account (`authority` has the rule).
//!
//! The request must come over loopback, name a loopback host (so that no page on the web can reach it through a name
//! that it controls), and not come from a page of another origin.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};

use crate::problem::Problem;

/// What a proxy adds.
pub const FORWARDING: [&str; 4] = ["x-forwarded-for", "x-real-ip", "forwarded", "via"];

/// A request that came from the machine itself.
pub struct Operator;

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        let refused = || Problem::forbidden("only a program on this machine may ask this, over loopback");
        if !peer.is_some_and(|ip| ip.to_canonical().is_loopback()) {
            return Err(refused());
        }
        // Who asks through a proxy on this machine is not on it.
        if FORWARDING.iter().any(|name| parts.headers.contains_key(*name)) {
            return Err(refused());
        }
        let host = host_of(&parts.headers, &parts.uri).ok_or_else(refused)?;
        if !is_loopback_name(&host) {
            return Err(refused());
        }
        let origin = parts.headers.get(ORIGIN);
        let same = origin.is_none_or(|origin| {
            let origin = origin.to_str().unwrap_or_default();
            origin.strip_prefix("http://").or(origin.strip_prefix("https://")) == Some(host.as_str())
        });
        if same { Ok(Self) } else { Err(refused()) }
    }
}

fn host_of(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(HOST).and_then(|host| host.to_str().ok());
    header.or(uri.authority().map(axum::http::uri::Authority::as_str)).map(str::to_owned)
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost:8080", "127.0.0.1", "127.0.0.1:80", "[::1]:8080", "LOCALHOST"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in ["example.org", "127.0.0.1.example.org", "10.0.0.1:80", "", "localhost.example"] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
