//! The handshake of a WebSocket (RFC 6455, 4.2) and of permessage-deflate (RFC 7692).

use axum::body::Body;
use axum::http::header::{
    CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::problem::Problem;

/// What is put behind a client's key before it is hashed (RFC 6455, 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// No side keeps its window between messages: so one compressed frame serves all, and a connection that waits holds none.
const DEFLATE: HeaderValue =
    HeaderValue::from_static("permessage-deflate; server_no_context_takeover; client_no_context_takeover");

/// A handshake that may be answered.
#[derive(Debug)]
pub struct Handshake {
    accept: HeaderValue,
    /// Whether permessage-deflate was agreed on.
    pub deflates: bool,
}

impl Handshake {
    /// Reads a request.
    ///
    /// # Errors
    /// It is none; another version; an origin that is not named.
    pub fn read(method: &Method, headers: &HeaderMap, origins: &[String]) -> Result<Self, Problem> {
        if method != Method::GET || !has(headers, &UPGRADE, "websocket") || !has(headers, &CONNECTION, "upgrade") {
            return Err(not_here());
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Problem::upgrade_required());
        }
        check_origin(headers, origins)?;
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
        if STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
            return Err(Problem::invalid("Sec-WebSocket-Key", "must be 16 bytes in Base64"));
        }
        let hash = sha1_smol::Sha1::from([key, GUID].concat()).digest().bytes();
        let accept = HeaderValue::try_from(STANDARD.encode(hash)).map_err(|_| Problem::internal())?;
        Ok(Self { accept, deflates: offers_deflate(headers) })
    }

    /// The answer, behind which the connection is a WebSocket.
    pub fn answer(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        if self.deflates {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, DEFLATE);
        }
        response
    }
}

/// What is said to who does not ask for a WebSocket over HTTP/1.1.
pub fn not_here() -> Problem {
    Problem::invalid(
        "Upgrade",
        "this is a WebSocket: it takes GET over HTTP/1.1 with `Connection: Upgrade` and `Upgrade: websocket`",
    )
}

/// A page may connect from this server's own origin, and from those that the settings name; what is no page names none.
pub fn check_origin(headers: &HeaderMap, origins: &[String]) -> Result<(), Problem> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let bytes = origin.as_bytes();
    let host = headers.get(HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    let own = [&b"http://"[..], b"https://"].iter().any(|scheme| bytes.strip_prefix(*scheme) == Some(host));
    let named = origins.iter().any(|named| named.as_bytes() == bytes);
    if own || named { Ok(()) } else { Err(Problem::forbidden("pages of this origin may not connect")) }
}

fn has(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Whether one of the offers can be taken: the window is always the largest, for it is shared.
fn offers_deflate(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("permessage-deflate")) && can_take(parts)
    })
}

fn can_take<'a>(parameters: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = Vec::new();
    for parameter in parameters {
        let (name, value) = parameter.split_once('=').map_or((parameter, None), |(name, value)| (name, Some(value)));
        let (name, value) = (name.trim(), value.map(|value| value.trim().trim_matches('"')));
        let fits = match (name, value) {
            ("server_no_context_takeover" | "client_no_context_takeover" | "client_max_window_bits", None) => true,
            ("client_max_window_bits", Some(bits)) => bits.parse().is_ok_and(|bits: u8| (8..=15).contains(&bits)),
            _ => false,
        };
        if !fits || seen.contains(&name) {
            return false;
        }
        seen.push(name);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflates(offer: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_str(offer).unwrap());
        offers_deflate(&headers)
    }

    #[test]
    fn an_offer_is_taken_when_the_largest_window_is_allowed() {
        for taken in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "x, Permessage-Deflate",
            "permessage-deflate; client_max_window_bits=\"10\"; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        ] {
            assert!(deflates(taken), "{taken}");
        }
        for left in [
            "",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; unknown",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
        ] {
            assert!(!deflates(left), "{left}");
        }
    }
}
