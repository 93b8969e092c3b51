//! What is asked of a running system, once, before anything is concluded.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exposition::Exposition;
use outbound::{Answer, Outbound, Settings};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::{Error, Result, VERSION};

/// How long one question may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Questions that were not asked before, as far as can be known, and repetitions of the last of them.
const TIMED: usize = 5;
/// How long the system is left to itself between two looks at its metrics.
const PAUSE: Duration = Duration::from_secs(2);
/// How an HTTP/2 connection starts without TLS (RFC 9113, section 3.4), with empty SETTINGS.
const HTTP2_START: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The type of the frame that must come first.
const SETTINGS_FRAME: u8 = 4;

/// What was seen.
pub(super) struct Look {
    /// Why it is not ready, if it is not.
    pub unready: Option<String>,
    /// The metrics when it was first seen, and after everything was asked.
    pub before: Exposition,
    pub after: Exposition,
    /// Seconds between the two.
    pub seconds: f64,
    /// Seconds that questions took that are not kept, and the same question again; or why there is none.
    pub fresh: std::result::Result<Vec<f64>, String>,
    pub again: Vec<f64>,
    /// The last answer's `Cache-Status`.
    pub cache_status: String,
    /// Whether a long body came compressed; nothing when it did not come.
    pub compressed: Option<bool>,
    /// The pools of agents.
    pub pools: Option<Value>,
    /// What there is to ask.
    pub openapi: Option<Value>,
    /// Whether HTTP/2 is spoken; nothing when that could not be found out.
    pub http2: Option<bool>,
}

impl Look {
    /// By how much a counter grew while it was looked at: what happened before may be mended since.
    pub fn grown(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.after.sum(name, labels).unwrap_or_default() - self.before.sum(name, labels).unwrap_or_default()
    }
}

/// Asks everything.
///
/// # Errors
/// Nothing answers, or something that tells no metrics of ours.
pub(super) async fn look_at(base: &str) -> Result<Look> {
    let settings = Settings {
        retries: 0,
        // Who asks for patience is ill, and that is what is to be told.
        heeds_pauses: false,
        rate_per_s: 1_000,
        attempt_timeout: ANSWER_MAX,
        connect_timeout: ANSWER_MAX,
        breaker_failures: u32::MAX,
        user_agent: format!("cidadao-doctor/{VERSION}"),
        ..Settings::default()
    };
    let outbound =
        Outbound::new(settings).map_err(|e| Error::Failed(format!("the certificates of the system: {e}")))?;
    let ask = async |path: &str| outbound.get(&format!("{base}{path}"), Instant::now() + ANSWER_MAX).await;
    let told = ask("/metrics").await.map_err(|e| Error::Failed(e.to_string()))?;
    let before = Exposition::read(&String::from_utf8_lossy(&told.body));
    if before.sum("cidadao_ai_build_info", &[]).is_none() {
        return Err(Error::Failed(format!("{base}/metrics tells nothing of this program")));
    }
    let started = Instant::now();
    let unready = ask("/health/ready").await.err().map(|error| error.to_string());
    let openapi = ask("/openapi.json").await.ok();
    let compressed = openapi.as_ref().map(|answer| answer.headers.contains_key("content-encoding"));
    let pools = ask("/api/v1/agents/pool").await.ok().and_then(|answer| json(&answer));
    let (mut fresh, mut again, mut cache_status) = (Ok(Vec::new()), Vec::new(), String::new());
    let mut path = String::new();
    for n in 0..TIMED {
        path = format!("/api/v1/contracts?limit={}&value_min={}", n + 1, unlikely());
        let asked = Instant::now();
        match (ask(&path).await, &mut fresh) {
            (Ok(_), Ok(took)) => took.push(asked.elapsed().as_secs_f64()),
            (Err(error), _) => {
                fresh = Err(error.to_string());
                break;
            }
            (Ok(_), Err(_)) => {}
        }
    }
    for _ in 0..if fresh.is_ok() { TIMED } else { 0 } {
        let asked = Instant::now();
        if let Ok(answer) = ask(&path).await {
            again.push(asked.elapsed().as_secs_f64());
            let status = answer.headers.get("cache-status").and_then(|status| status.to_str().ok());
            cache_status = status.unwrap_or_default().to_owned();
        }
    }
    let http2 = match base.strip_prefix("http://") {
        Some(place) => speaks_http2(place).await,
        None => Some(told.is_http2),
    };
    tokio::time::sleep(PAUSE).await;
    let after = ask("/metrics").await.map_err(|e| Error::Failed(e.to_string()))?;
    Ok(Look {
        unready,
        before,
        after: Exposition::read(&String::from_utf8_lossy(&after.body)),
        seconds: started.elapsed().as_secs_f64(),
        fresh,
        again,
        cache_status,
        compressed,
        pools,
        openapi: openapi.as_ref().and_then(json),
        http2,
    })
}

fn json(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

/// A sum in reais that nobody has asked about, so that the answer has to be made: the clock's last digits, below 1,000.
fn unlikely() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let cents = since.as_micros() % 100_000;
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Starts HTTP/2 as one does who knows that the other speaks it, and looks what comes first.
async fn speaks_http2(place: &str) -> Option<bool> {
    let authority = place.split('/').next().unwrap_or_default();
    let with_port = if authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect(with_port).await.ok()?;
        stream.write_all(HTTP2_START).await.ok()?;
        let mut first = [0; 9];
        // Who does not speak it closes, or says so in HTTP/1.1.
        let read = stream.read_exact(&mut first).await;
        Some(read.is_ok() && first[3] == SETTINGS_FRAME)
    };
    tokio::time::timeout(ANSWER_MAX, asked).await.ok().flatten()
}
