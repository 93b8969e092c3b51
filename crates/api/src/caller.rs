//! Who calls: found out before anything is answered.
//!
//! A request gives one thing to be known by, or nothing. What is given must be somebody's: a wrong, expired or revoked key is refused,
//! never taken for nothing, so that nobody works under other rights than they think. Who was known is not looked up again for
//! [`KNOWN_FOR`]: so long a revoked key may still open.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use app::identity::{Caller, Tier};
use arc_swap::ArcSwap;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus::IntCounter;

use crate::address::counted;
use crate::authority::may_read;
use crate::door::Door;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::rate::{admit, told};
use crate::recent::Recent;

/// The header of an API key.
pub const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// How long a caller is known without being looked up.
const KNOWN_FOR: Duration = Duration::from_secs(1);
/// Callers that are known at once.
const KNOWN_MAX: usize = 10_000;

/// What a request gives to be known by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Given {
    Nothing,
    Key(String),
    Token(String),
}

/// Who calls, and from where; what handlers and limits know of a request.
#[derive(Debug, Clone)]
pub struct Calling {
    /// Who.
    pub caller: Arc<Caller>,
    /// From where; nothing for a request that came over no connection.
    pub address: Option<IpAddr>,
}

impl Calling {
    /// Of a request that went through [`identify`].
    pub fn of(extensions: &Extensions) -> Self {
        let found = extensions.get::<Self>().cloned();
        found.unwrap_or_else(|| Self { caller: Arc::new(Caller::anonymous(Tier::Anonymous)), address: None })
    }

    /// Whether it gave something to be known by.
    pub fn is_known(&self) -> bool {
        self.caller.key.is_some() || self.caller.account.is_some()
    }

    /// Under what its use is counted: its key, else its account, else its address.
    pub fn payer(&self) -> String {
        match (&self.caller.key, &self.caller.account, self.address) {
            (Some(key), ..) => key.id.clone(),
            (None, Some(account), _) => account.id.clone(),
            (None, None, Some(address)) => counted(address).to_string(),
            (None, None, None) => "nowhere".to_owned(),
        }
    }
}

/// Who calls, for a handler.
pub struct Known(pub Calling);

impl<S: Sync> FromRequestParts<S> for Known {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Calling::of(&parts.extensions)))
    }
}

/// Callers that were known just now, and how many were not.
pub struct Callers {
    recent: Mutex<Recent<Given, (Instant, Arc<Caller>)>>,
    anonymous: ArcSwap<Caller>,
    unknown: IntCounter,
    refused_addresses: IntCounter,
}

impl Callers {
    /// None yet but the anonymous, who are of this tier; with their metrics among `metrics`.
    ///
    /// # Errors
    /// A metric that stands twice.
    pub fn new(anonymous: Tier, metrics: &Metrics) -> prometheus::Result<Self> {
        let unknown = IntCounter::new(
            "cidadao_ai_unknown_callers_total",
            "Requests refused because what they gave to be known by is nobody's, or no longer.",
        )?;
        let refused_addresses =
            IntCounter::new("cidadao_ai_addresses_refused_total", "Requests from addresses that are not answered.")?;
        metrics.add(&[&unknown, &refused_addresses])?;
        let (recent, anonymous) =
            (Mutex::new(Recent::new(KNOWN_MAX)), ArcSwap::from_pointee(Caller::anonymous(anonymous)));
        Ok(Self { recent, anonymous, unknown, refused_addresses })
    }

    /// The anonymous are of this tier from now on.
    pub fn change(&self, anonymous: Tier) {
        self.anonymous.store(Arc::new(Caller::anonymous(anonymous)));
    }

    /// How many are known, and how many may be.
    pub fn held(&self) -> (usize, usize) {
        (self.recent.lock().unwrap_or_else(PoisonError::into_inner).len(), KNOWN_MAX)
    }

    fn known(&self, given: &Given) -> Option<Arc<Caller>> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, caller) = recent.touch(given)?;
        (Instant::now() < *until).then(|| Arc::clone(caller))
    }

    fn note(&self, given: Given, caller: &Arc<Caller>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.put(given, (Instant::now() + KNOWN_FOR, Arc::clone(caller)));
    }
}

/// Finds out who calls and tells the handlers, or refuses.
///
/// A wrong key costs its address what a request costs, so that keys cannot be tried faster than pages be read.
pub async fn identify(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    if is_operational(request.uri().path()) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(at)| at.ip());
    let address = peer.map(|peer| door.addresses().of_client(peer, request.headers()));
    if address.is_some_and(|address| !door.addresses().answer(address)) {
        door.callers().refused_addresses.inc();
        return Problem::forbidden("this address is not answered").into_response();
    }
    match caller_of(&door, request.headers()).await {
        Ok(caller) => {
            if let Err(problem) = check_reading(&caller, request.method(), request.uri().path()) {
                return problem.into_response();
            }
            request.extensions_mut().insert(Calling { caller, address });
            next.run(request).await
        }
        Err(problem) => {
            door.callers().unknown.inc();
            let caller = door.callers().anonymous.load_full();
            let paid = admit(&door, &Calling { caller, address }, 1).await;
            paid.map_or_else(|refusal| refusal, |standing| told(problem.into_response(), standing))
        }
    }
}

/// A key must open `read` for reads, but for those under `admin` and `auth`, which have rules of their own.
pub fn check_reading(caller: &Caller, method: &Method, path: &str) -> Result<(), Problem> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    if reads && !path.starts_with("/api/v1/admin/") && !path.starts_with("/api/v1/auth/") {
        may_read(caller)
    } else {
        Ok(())
    }
}

/// Of a request's headers those by which its caller is known: with them they are found again later.
pub fn known_by(headers: &HeaderMap) -> HeaderMap {
    let of =
        |name: &HeaderName| headers.get_all(name).iter().map(|value| (name.clone(), value.clone())).collect::<Vec<_>>();
    [of(&API_KEY), of(&AUTHORIZATION)].concat().into_iter().collect()
}

/// Finds out who someone is who says so over a connection that is there already.
///
/// # Errors
/// They are nobody, which costs their address what a request costs; or they have nothing left.
pub async fn recognise(door: &Door, headers: &HeaderMap, address: Option<IpAddr>) -> Result<Arc<Caller>, Problem> {
    let known = caller_of(door, headers).await;
    if known.is_err() {
        door.callers().unknown.inc();
        let caller = door.callers().anonymous.load_full();
        if admit(door, &Calling { caller, address }, 1).await.is_err() {
            return Err(Problem::rate_limited("too much was asked from this address".to_owned(), 1));
        }
    }
    known
}

async fn caller_of(door: &Door, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
    let given = given(headers)?;
    if given == Given::Nothing {
        return Ok(door.callers().anonymous.load_full());
    }
    if let Some(known) = door.callers().known(&given) {
        return Ok(known);
    }
    let asked = given.clone();
    let caller = door.inspect(move |app| match &asked {
        Given::Key(key) => app.caller_by_key(key),
        Given::Token(token) => app.caller_by_token(token),
        Given::Nothing => Err(app::Error::Unknown("nothing was given to be known by".to_owned())),
    });
    let caller = Arc::new(caller.await??);
    door.callers().note(given, &caller);
    Ok(caller)
}

/// What those ask who look whether the program does well: it is answered whoever asks, and however busy it is.
pub fn is_operational(path: &str) -> bool {
    path.starts_with("/health/") || path == "/metrics"
}

/// What a request gives: an API key, or a bearer's token, or nothing.
fn given(headers: &HeaderMap) -> Result<Given, Problem> {
    let one = |name: &HeaderName, what: &'static str| {
        let mut values = headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::unauthorized(format!("{what} stands more than once")));
        }
        let text = first.map(|value| value.to_str().unwrap_or_default());
        Ok(text)
    };
    match (one(&API_KEY, "X-API-Key")?, one(&AUTHORIZATION, "Authorization")?) {
        (None, None) => Ok(Given::Nothing),
        (Some(key), None) => Ok(Given::Key(key.to_owned())),
        (None, Some(text)) => match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Given::Token(token.trim().to_owned())),
            _ => {
                Err(Problem::unauthorized("Authorization must be `Bearer` and a token, as /api/v1/auth/login gives it"))
            }
        },
        (Some(_), Some(_)) => Err(Problem::unauthorized("give X-API-Key or Authorization, not both")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&HeaderName, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn what_is_given_is_one_thing_or_nothing() {
        let given = |pairs: &[(&HeaderName, &[u8])]| given(&headers(pairs)).ok();
        assert_eq!(given(&[]), Some(Given::Nothing));
        assert_eq!(given(&[(&API_KEY, b"cid_x")]), Some(Given::Key("cid_x".to_owned())));
        assert_eq!(given(&[(&AUTHORIZATION, b"bearer  abc")]), Some(Given::Token("abc".to_owned())));
        assert_eq!(given(&[(&API_KEY, b"")]), Some(Given::Key(String::new())), "an empty key is one, and wrong");
        assert_eq!(given(&[(&API_KEY, b"a"), (&API_KEY, b"b")]), None);
        assert_eq!(given(&[(&API_KEY, b"a"), (&AUTHORIZATION, b"Bearer b")]), None);
        for scheme in [&b"Basic YTpi"[..], b"Bearer", b"", b"\xff\xfe"] {
            assert_eq!(given(&[(&AUTHORIZATION, scheme)]), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_headers_is_never_taken_for_nothing(bytes in "[\\x20-\\x7e\\x80-\\xff]{0,80}", key: bool) {
            let name = if key { &API_KEY } else { &AUTHORIZATION };
            let value: Vec<u8> = bytes.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'x')).collect();
            prop_assert_ne!(given(&headers(&[(name, &value)])).ok(), Some(Given::Nothing));
        }
    }
}
