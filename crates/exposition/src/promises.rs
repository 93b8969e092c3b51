//! What is promised of a running program, and of what: the same as `deploy/prometheus/alerts.toml` watches.

use crate::{Exposition, Histogram};

/// 95 of 100 requests are answered within, in seconds.
pub const P95_MAX_S: f64 = 0.2;
/// 99 of 100 requests are answered within, in seconds.
pub const P99_MAX_S: f64 = 0.5;
/// The share of requests for what can be kept that the cache answers.
pub const HIT_RATIO_MIN: f64 = 0.9;
/// 90 of 100 statements of requests take at most, in seconds.
pub const QUERY_P90_MAX_S: f64 = 0.1;
/// A process holds less, in bytes.
pub const MEMORY_MAX_BYTES: f64 = 2e9;

/// How long requests took: without those of who runs the program, and streams, which last as long as somebody listens.
#[must_use]
pub fn requests(told: &Exposition) -> Option<Histogram> {
    told.histogram("cidadao_ai_request_duration_seconds", |sample| {
        let route = sample.label("route");
        let is_stream = route.starts_with("/api/v1/") && route.ends_with("/events");
        route != "/metrics" && !route.starts_with("/health/") && !is_stream
    })
}

/// How long statements took: without those that write in bulk, which nobody waits for at a door.
#[must_use]
pub fn statements(told: &Exposition) -> Option<Histogram> {
    told.histogram("cidadao_ai_db_query_duration_seconds", |sample| sample.label("over") != "bulk")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_is_what_the_alerts_watch() {
        let alerts = include_str!("../../../deploy/prometheus/alerts.toml");
        for said in [
            r#"cidadao_ai_request_duration_seconds_bucket{le="0.2",route!~"/metrics|/health/.*|/api/v1/.*/events"}"#,
            r#"cidadao_ai_request_duration_seconds_bucket{le="0.5",route!~"/metrics|/health/.*|/api/v1/.*/events"}"#,
            r#"cidadao_ai_db_query_duration_seconds_bucket{le="0.1",over!="bulk"}"#,
            "bound = 2e9",
        ] {
            assert!(alerts.contains(said), "{said}");
        }
        let told = Exposition::read(
            "cidadao_ai_request_duration_seconds_bucket{route=\"/metrics\",le=\"+Inf\"} 1\n\
             cidadao_ai_request_duration_seconds_bucket{route=\"/health/live\",le=\"+Inf\"} 2\n\
             cidadao_ai_request_duration_seconds_bucket{route=\"/api/v1/investigations/{id}/events\",le=\"+Inf\"} 4\n\
             cidadao_ai_request_duration_seconds_bucket{route=\"/api/v1/contracts\",le=\"+Inf\"} 8\n\
             cidadao_ai_db_query_duration_seconds_bucket{over=\"bulk\",le=\"+Inf\"} 1\n\
             cidadao_ai_db_query_duration_seconds_bucket{over=\"reader\",le=\"+Inf\"} 2\n",
        );
        assert_eq!((requests(&told).unwrap().count(), statements(&told).unwrap().count()), (8.0, 2.0));
    }
}
