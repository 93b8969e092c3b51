//! What came out, beside what is promised.

use std::net::SocketAddr;

use exposition::Exposition;
use exposition::promises::{self, HIT_RATIO_MIN, MEMORY_MAX_BYTES, P95_MAX_S, P99_MAX_S, QUERY_P90_MAX_S};
use serde_json::{Value, json};

use crate::client::Client;

const RESPONSES: (&str, &str) = ("cache", "responses");

/// What came out.
pub struct Report {
    /// Requests sent.
    sent: usize,
    /// Of which answered otherwise than 2xx, or not at all.
    pub errors: usize,
    /// Their statuses, 0 for none, with how many.
    statuses: Vec<(u16, usize)>,
    /// Milliseconds from when each was due, sorted.
    took_ms: Vec<f64>,
    /// The share that the cache answered; nothing where there is none.
    hit_ratio: Option<f64>,
    /// 90 of 100 queries to the database took at most so many milliseconds.
    query_p90_ms: Option<f64>,
    /// MB that the program held.
    memory_mb: Option<f64>,
}

/// What the program tells of itself.
///
/// # Errors
/// It does not answer.
pub fn metrics(at: SocketAddr) -> Result<Exposition, String> {
    let (status, body) = Client::to(at).get("/metrics").map_err(|e| format!("{at}: {e}"))?;
    let told = Exposition::read(&String::from_utf8_lossy(&body));
    if status == 200 && !told.is_empty() { Ok(told) } else { Err(format!("{at}/metrics: {status}, no metrics")) }
}

impl Report {
    /// Of what was sent between two looks at the metrics.
    pub fn of(taken: &[(f64, u16)], before: &Exposition, after: &Exposition) -> Self {
        let mut took_ms: Vec<f64> = taken.iter().map(|(seconds, _)| seconds * 1e3).collect();
        took_ms.sort_by(f64::total_cmp);
        let mut statuses: Vec<(u16, usize)> = Vec::new();
        for (_, status) in taken {
            match statuses.iter_mut().find(|(held, _)| held == status) {
                Some((_, n)) => *n += 1,
                None => statuses.push((*status, 1)),
            }
        }
        statuses.sort_unstable();
        let grown = |name: &str, labels: &[(&str, &str)]| {
            Some(after.sum(name, labels)? - before.sum(name, labels).unwrap_or_default())
        };
        let hits = grown("cidadao_ai_cache_lookups_total", &[RESPONSES, ("outcome", "hit")]);
        let asked = grown("cidadao_ai_cache_requests_total", &[RESPONSES]);
        let hit_ratio = hits.zip(asked).filter(|(_, asked)| *asked > 0.0).map(|(hits, asked)| (hits / asked).min(1.0));
        let queries = promises::statements;
        let since = queries(after).map(|now| queries(before).map_or(now.clone(), |before| now.since(&before)));
        let held = after.sum("cidadao_ai_process_memory_bytes", &[]);
        Self {
            sent: taken.len(),
            errors: taken.iter().filter(|(_, status)| !(200..300).contains(status)).count(),
            statuses,
            took_ms,
            hit_ratio,
            query_p90_ms: since.and_then(|since| since.quantile(0.9)).map(|seconds| seconds * 1e3),
            memory_mb: held.map(|bytes| bytes / 1e6),
        }
    }

    fn quantile(&self, q: f64) -> f64 {
        let at = (self.took_ms.len() as f64 * q).ceil() as usize;
        self.took_ms.get(at.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Prints it.
    pub fn print(&self, as_json: bool, rate: u64, seconds: u64) {
        let promises = [
            ("P95", Some(self.quantile(0.95)), "ms", "<", P95_MAX_S * 1e3),
            ("P99", Some(self.quantile(0.99)), "ms", "<", P99_MAX_S * 1e3),
            ("cache", self.hit_ratio.map(|ratio| ratio * 100.0), "%", ">", HIT_RATIO_MIN * 100.0),
            ("DB P90", self.query_p90_ms, "ms", "<", QUERY_P90_MAX_S * 1e3),
            ("memória / memory", self.memory_mb, "MB", "<", MEMORY_MAX_BYTES / 1e6),
        ];
        if as_json {
            return println!("{:#}", self.as_json(rate, seconds, &promises));
        }
        println!("{} pedidos a {rate}/s em {seconds} s / {} requests at {rate}/s in {seconds} s", self.sent, self.sent);
        println!(
            "latência / latency: P50 {:.1} ms, P90 {:.1} ms, P95 {:.1} ms, P99 {:.1} ms, P99.9 {:.1} ms, máx {:.1} ms",
            self.quantile(0.5),
            self.quantile(0.9),
            self.quantile(0.95),
            self.quantile(0.99),
            self.quantile(0.999),
            self.quantile(1.0)
        );
        let statuses: Vec<String> = self.statuses.iter().map(|(status, n)| format!("{status}: {n}")).collect();
        println!("erros / errors: {} ({})", self.errors, statuses.join(", "));
        println!("\n{:<18} {:>12}   promessa / promise", "", "medido");
        for (name, measured, unit, sign, bound) in promises {
            match measured {
                None => println!("{name:<18} {:>12}   {sign} {bound} {unit}", "não medido"),
                Some(n) => {
                    let mark = if kept(n, sign, bound) { "cumprida / kept" } else { "NÃO cumprida / NOT kept" };
                    println!("{name:<18} {:>12}   {sign} {bound} {unit}   {mark}", format!("{n:.1} {unit}"));
                }
            }
        }
    }

    fn as_json(&self, rate: u64, seconds: u64, promises: &[(&str, Option<f64>, &str, &str, f64)]) -> Value {
        let promises = promises.iter().map(|(name, measured, unit, sign, bound)| {
            let kept = measured.map(|n| kept(n, sign, *bound));
            json!({"name": name, "measured": measured, "unit": unit, "promise": format!("{sign} {bound}"), "kept": kept})
        });
        json!({
            "requests": self.sent, "rate": rate, "seconds": seconds, "errors": self.errors,
            "statuses": self.statuses.iter().map(|(status, n)| json!({"status": status, "requests": n})).collect::<Vec<_>>(),
            "latency_ms": {
                "p50": self.quantile(0.5), "p90": self.quantile(0.9), "p95": self.quantile(0.95),
                "p99": self.quantile(0.99), "p999": self.quantile(0.999), "max": self.quantile(1.0),
            },
            "promises": promises.collect::<Vec<_>>(),
        })
    }
}

fn kept(measured: f64, sign: &str, bound: f64) -> bool {
    if sign == "<" { measured < bound } else { measured > bound }
}
