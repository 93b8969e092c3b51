//! The layer that takes a request's cost, and what it tells about it.

use app::identity::Rate;
use axum::extract::{Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::memory::Pressure;
use super::{Standing, cost_of};
use crate::caller::{Calling, is_operational};
use crate::door::Door;
use crate::problem::Problem;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Takes what a request costs, or refuses it.
pub async fn charge(State(door): State<Door>, request: Request, next: Next) -> Response {
    let uri = request.uri();
    if is_operational(uri.path()) {
        return next.run(request).await;
    }
    // What is answered from memory costs nothing.
    if door.answers().is_some_and(|answers| answers.has(&request)) {
        return next.run(request).await;
    }
    let cost = cost_of(request.method(), uri.path(), uri.query());
    let calling = Calling::of(request.extensions());
    match admit(&door, &calling, cost).await {
        Ok(standing) => told(next.run(request).await, standing),
        Err(refusal) => refusal,
    }
}

/// Takes `cost` from who calls; gives how they stand then, where anything limits them.
///
/// # Errors
/// The answer with which the request is refused: 503 when memory runs out, 429 when the caller has not enough left.
pub async fn admit(door: &Door, calling: &Calling, cost: u32) -> Result<Option<(Rate, Standing)>, Response> {
    if cost == 0 {
        return Ok(None);
    }
    let rates = door.rates();
    let shed = match rates.memory.pressure() {
        Pressure::Low => None,
        Pressure::High if cost == 1 => None,
        Pressure::High => Some("high"),
        Pressure::Over => Some("over"),
    };
    if let Some(pressure) = shed {
        rates.metrics.shed.with_label_values(&[pressure]).inc();
        return Err(Problem::overloaded().into_response());
    }
    let Some(rate) = rates.rate_of(calling) else { return Ok(None) };
    let standing = rates.take(&calling.payer(), rate, cost).await;
    if standing.is_allowed {
        return Ok(Some((rate, standing)));
    }
    rates.metrics.limited.with_label_values(&[calling.caller.tier.code()]).inc();
    Err(refused(rate, standing, cost))
}

/// Takes `cost` from one who asks over a connection that is there already.
///
/// # Errors
/// As [`admit`], as a problem: there is no answer whose headers could tell more.
pub async fn charge_connected(door: &Door, calling: &Calling, cost: u32) -> Result<(), Problem> {
    let Err(refusal) = admit(door, calling, cost).await else { return Ok(()) };
    if refusal.status() == StatusCode::SERVICE_UNAVAILABLE {
        return Err(Problem::overloaded());
    }
    let seconds = refusal.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok()).unwrap_or(1);
    Err(Problem::rate_limited(format!("too much was asked; try again in {seconds} s"), seconds))
}

fn refused(rate: Rate, standing: Standing, cost: u32) -> Response {
    let seconds = standing.retry_us.div_ceil(1_000_000).max(1);
    let because = format!("at most {rate} may be asked for, and this request costs {cost}; try again in {seconds} s");
    told(Problem::rate_limited(because, seconds).into_response(), Some((rate, standing)))
}

/// The answer with how its caller stands: `RateLimit` and `RateLimit-Policy` as the IETF's draft has them.
pub fn told(mut response: Response, standing: Option<(Rate, Standing)>) -> Response {
    let Some((rate, standing)) = standing else { return response };
    let window = rate.burst.div_ceil(rate.per_second);
    let policy = format!("\"burst\";q={};w={window}, \"minute\";q={};w=60", rate.burst, rate.per_minute);
    let left = format!(
        "\"burst\";r={};t={}, \"minute\";r={};t={}",
        standing.burst.remaining, standing.burst.whole_in_s, standing.minute.remaining, standing.minute.whole_in_s
    );
    for (name, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, left)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
