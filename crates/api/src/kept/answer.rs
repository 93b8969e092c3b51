//! One answer that is kept: its body in every coding that someone asked for, each with its head made once.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use app::Settings;
use axum::body::{Body, Bytes};
use axum::http::header::{
    AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use cache::{From, Got, Tier, Value};
use prometheus::Histogram;

use crate::answer::{etag_of, is_held_by_client};
use crate::coding::{Coding, SMALLEST_FIRST, Wanted};
use crate::limits::UNCOMPRESSED_BYTES_MAX;
use crate::problem::Problem;
use crate::stack;

/// Says where an answer came from (RFC 9211).
pub const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// What caches before this server may drop it by.
const SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");
/// The version of an answer's bytes in deeper tiers.
const FORMAT: u8 = 1;
/// The largest body that is taken from a deeper tier.
const BODY_BYTES_MAX: usize = 1 << 28;

/// A response that has all of its headers, and is not to be compressed or compared any more.
#[derive(Clone, Copy)]
pub struct Finished;

/// What stands in the head of every answer that is kept.
#[derive(Clone)]
pub struct Words {
    cache_control: HeaderValue,
    vary: HeaderValue,
    /// Brotli's level for what is kept; 0 when nothing is compressed.
    pub level: u32,
}

impl Words {
    /// As the settings say.
    pub fn of(settings: &Settings) -> Self {
        let kept = &settings.cache;
        let control = format!("public, max-age=0, s-maxage={}, stale-while-revalidate={}", kept.edge_s, kept.stale_s);
        let vary = if settings.http.cors_origins.is_empty() {
            "accept, accept-encoding"
        } else {
            "accept, accept-encoding, origin"
        };
        Self {
            cache_control: HeaderValue::try_from(control).unwrap_or_else(|_| HeaderValue::from_static("no-cache")),
            vary: HeaderValue::from_static(vary),
            level: settings.http.compression_level,
        }
    }
}

/// A body in one coding, with its head.
struct Form {
    head: HeaderMap,
    body: Bytes,
}

/// An answer that is kept.
pub struct Kept {
    status: StatusCode,
    kind: HeaderValue,
    surrogate: HeaderValue,
    /// The route's template, for metrics.
    route: Arc<str>,
    etag: HeaderValue,
    plain: Bytes,
    forms: [Option<Arc<Form>>; 4],
    hits: Arc<AtomicU32>,
    is_dense: bool,
    timer: Arc<OnceLock<Histogram>>,
}

impl Kept {
    /// An answer with its body as it is; how it goes out comes with who asks.
    pub fn new(status: StatusCode, kind: HeaderValue, surrogate: HeaderValue, route: Arc<str>, plain: Bytes) -> Self {
        let (hits, timer, etag) = (Arc::default(), Arc::default(), etag_of(&plain));
        Self { status, kind, surrogate, route, etag, plain, forms: [const { None }; 4], hits, is_dense: false, timer }
    }

    /// With its body in one coding more; `mark` tells one effort's bytes from another's.
    fn marked(&self, coding: Coding, body: Bytes, mark: &str, words: &Words) -> Self {
        let mut head = HeaderMap::with_capacity(16);
        stack::seal_head(&mut head);
        head.insert(crate::robots::X_ROBOTS_TAG, crate::robots::NOINDEX);
        head.insert(CONTENT_TYPE, self.kind.clone());
        head.insert(VARY, words.vary.clone());
        if self.status == StatusCode::OK {
            head.insert(CACHE_CONTROL, words.cache_control.clone());
            head.insert(SURROGATE_KEY, self.surrogate.clone());
            let bare = self.etag.to_str().unwrap_or_default().trim_matches('"');
            let name = if coding == Coding::Identity { String::new() } else { format!("-{}{mark}", coding.name()) };
            head.insert(ETAG, HeaderValue::try_from(format!("\"{bare}{name}\"")).unwrap_or(self.etag.clone()));
        } else {
            head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if coding != Coding::Identity {
            head.insert(CONTENT_ENCODING, coding.header());
        }
        head.insert(CONTENT_LENGTH, body.len().into());
        // What differs from one answer to the next has its place already: a clone of the head need not grow.
        head.insert(CACHE_STATUS, HIT);
        head.insert(stack::X_REQUEST_ID, HeaderValue::from_static("-"));
        let mut forms = self.forms.clone();
        forms[coding as usize] = Some(Arc::new(Form { head, body }));
        Self {
            status: self.status,
            kind: self.kind.clone(),
            surrogate: self.surrogate.clone(),
            route: Arc::clone(&self.route),
            etag: self.etag.clone(),
            plain: self.plain.clone(),
            forms,
            hits: Arc::clone(&self.hits),
            is_dense: self.is_dense,
            timer: Arc::clone(&self.timer),
        }
    }

    /// With its body in a coding, made with the effort for one answer.
    pub fn with(&self, coding: Coding, body: Bytes, words: &Words) -> Self {
        self.marked(coding, body, "", words)
    }

    /// With its body in brotli and gzip, made with all effort.
    pub fn made_dense(&self, words: &Words) -> Self {
        let mark = words.level.to_string();
        let dense = |coding: Coding| Bytes::from(coding.encode_densely(self.plain(), words.level));
        let kept = self.marked(Coding::Br, dense(Coding::Br), &mark, words);
        let kept = kept.marked(Coding::Gzip, dense(Coding::Gzip), &mark, words);
        Self { is_dense: true, ..kept }
    }

    /// The coding in which it goes out; nothing when the client takes none.
    pub fn coding_for(&self, wanted: Wanted, words: &Words) -> Option<Coding> {
        let small = self.plain().len() as u64 <= UNCOMPRESSED_BYTES_MAX || words.level == 0;
        if small && wanted.takes(Coding::Identity) { Some(Coding::Identity) } else { wanted.best(SMALLEST_FIRST) }
    }

    /// Whether its body is there in a coding.
    pub fn has(&self, coding: Coding) -> bool {
        self.forms[coding as usize].is_some()
    }

    /// The body as it is.
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// Counts a hit; whether it is one after which it is worth all effort.
    pub fn is_worth_effort(&self, after: u32) -> bool {
        let hits = self.hits.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        hits.is_multiple_of(after) && !self.is_dense && self.plain().len() as u64 > UNCOMPRESSED_BYTES_MAX
    }

    /// Its route's template.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// What times its hits under its route's template, made by `make` the first time.
    pub fn timer(&self, make: impl FnOnce(&str, u16) -> Histogram) -> &Histogram {
        self.timer.get_or_init(|| make(&self.route, self.status.as_u16()))
    }
}

impl Value for Kept {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        out.extend(self.status.as_u16().to_le_bytes());
        for text in [self.kind.as_bytes(), self.surrogate.as_bytes(), self.route.as_bytes()] {
            out.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
            out.extend(&text[..text.len().min(u16::MAX.into())]);
        }
        match &self.forms[Coding::Zstd as usize] {
            Some(form) => out.extend(&form.body),
            None => out.extend(Coding::Zstd.encode(self.plain())),
        }
        out
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (format, rest) = bytes.split_first()?;
        let (status, mut rest) = rest.split_first_chunk::<2>()?;
        let mut text = || -> Option<&[u8]> {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(u16::from_le_bytes(*length).into())?;
            rest = after;
            Some(text)
        };
        let kind = HeaderValue::from_bytes(text()?).ok()?;
        let surrogate = HeaderValue::from_bytes(text()?).ok()?;
        let route = std::str::from_utf8(text()?).ok()?.into();
        let body = Coding::Zstd.decode(rest, BODY_BYTES_MAX).ok()?;
        let status = StatusCode::from_u16(u16::from_le_bytes(*status)).ok()?;
        (*format == FORMAT).then(|| Self::new(status, kind, surrogate, route, body.into()))
    }

    fn weight(&self) -> usize {
        let coded = |form: &Arc<Form>| if form.body.len() == self.plain.len() { 0 } else { form.body.len() };
        self.plain.len() + self.forms.iter().flatten().map(|form| coded(form) + 1_024).sum::<usize>()
    }
}

/// By far the most frequent place that answers come from.
const HIT: HeaderValue = HeaderValue::from_static("cidadao; hit; detail=l1");

/// An answer on its way to who asked.
pub fn respond(got: &Got<Kept>, coding: Coding, held: &HeaderMap) -> Response {
    let kept = &got.held.value;
    let Some(form) = &kept.forms[coding as usize] else { return Problem::internal().into_response() };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = kept.status;
    *response.headers_mut() = form.head.clone();
    let headers = response.headers_mut();
    if !got.is_fresh() {
        headers.insert(AGE, got.age_s().into());
    }
    if got.from != From::Tier(Tier::L1) || !got.is_fresh() {
        headers.insert(CACHE_STATUS, status_of(got));
    }
    if kept.status == StatusCode::OK && held.contains_key(IF_NONE_MATCH) && is_held_by_client(held, &kept.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        for header in [CONTENT_LENGTH, CONTENT_TYPE, CONTENT_ENCODING] {
            response.headers_mut().remove(header);
        }
    } else {
        *response.body_mut() = Body::from(form.body.clone());
    }
    response
}

/// Where an answer came from, in words.
fn status_of(got: &Got<Kept>) -> HeaderValue {
    let fresh = got.is_fresh();
    match got.from {
        From::Made => HeaderValue::from_static("cidadao; fwd=miss; stored"),
        From::Collapsed => HeaderValue::from_static("cidadao; fwd=miss; collapsed"),
        From::Tier(Tier::L1) if fresh => HIT,
        From::Tier(Tier::L2) if fresh => HeaderValue::from_static("cidadao; hit; detail=l2"),
        From::Tier(Tier::L3) if fresh => HeaderValue::from_static("cidadao; hit; detail=l3"),
        From::Tier(tier) => {
            let text = format!("cidadao; hit; ttl={}; detail={}", got.ttl_s().min(-1), tier.name());
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("cidadao; hit"))
        }
    }
}
