//! A bounded load on loopback, printed beside what is promised.
//!
//! Requests are sent at a rate that is given, whether earlier ones are answered or not, and each is timed from the moment at which it was
//! due: a server that stalls is charged for all whom it let wait. It is asked of this machine alone, for ten minutes at most.

mod client;
mod own;
mod report;

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use client::Client;
use own::Own;
use report::Report;

/// Requests under way at once, at most; one that is due beyond them waits, and its wait counts.
const SENDERS: u64 = 64;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mix {
    /// What visitors of the page ask: mostly the same lists and findings, some searches, few single records.
    Page,
    /// Different questions each time, so that little is kept.
    Fresh,
    /// One question again and again.
    One,
}

/// Asks a running program, or one of its own over fictitious data, at a rate for a time.
///
/// Ends with 1 when a request failed, with 2 when nothing could be asked. A promise that was not kept is printed and ends with 0.
#[derive(Debug, Parser)]
struct Asked {
    /// Where it runs: http://127.0.0.1:PORT. Without it one is started on fictitious data.
    #[arg(long)]
    url: Option<String>,
    /// What is asked for.
    #[arg(long, value_enum, default_value = "page")]
    mix: Mix,
    /// Requests a second.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    rate: u64,
    /// Seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    duration: u64,
    /// The program, when one is to be started.
    #[arg(long, default_value = "target/release/cidadao")]
    program: std::path::PathBuf,
    /// Contracts of its fictitious data.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=100_000))]
    contracts: u64,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Asked::parse()) {
        Ok(report) if report.errors == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(because) => {
            eprintln!("load: {because}");
            ExitCode::from(2)
        }
    }
}

fn run(asked: &Asked) -> Result<Report, String> {
    let own = match &asked.url {
        Some(_) => None,
        None => Some(Own::start(&asked.program, asked.contracts)?),
    };
    let at = match (&asked.url, &own) {
        (Some(url), _) => loopback(url)?,
        (None, Some(own)) => own.at,
        (None, None) => unreachable!("one of its own was started"),
    };
    let paths = asked.mix.paths(at)?;
    let before = report::metrics(at)?;
    let taken = send(at, asked, &paths);
    let after = report::metrics(at)?;
    let report = Report::of(&taken, &before, &after);
    report.print(asked.json, asked.rate, asked.duration);
    Ok(report)
}

/// The address behind a URL, which must be this machine's: this is no tool against others.
fn loopback(url: &str) -> Result<SocketAddr, String> {
    let place = url.strip_prefix("http://").ok_or_else(|| format!("{url}: must begin with http://"))?;
    let place = place.trim_end_matches('/').replace("localhost", "127.0.0.1");
    let at: SocketAddr = place.parse().map_err(|_| format!("{url}: must be an address and a port of this machine"))?;
    if at.ip().to_canonical().is_loopback() {
        Ok(at)
    } else {
        Err(format!("{url}: only this machine is asked, over {}", IpAddr::from([127, 0, 0, 1])))
    }
}

/// Sends all that is due; gives each one's seconds from when it was due, and its status, 0 for none.
fn send(at: SocketAddr, asked: &Asked, paths: &[String]) -> Vec<(f64, u16)> {
    let (next, all) = (AtomicU64::new(0), asked.rate * asked.duration);
    let (taken, started) = (Mutex::new(Vec::new()), Instant::now() + Duration::from_millis(50));
    std::thread::scope(|scope| {
        for _ in 0..SENDERS.min(asked.rate) {
            scope.spawn(|| {
                let (mut client, mut mine) = (Client::to(at), Vec::new());
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= all {
                        break;
                    }
                    let due = started + Duration::from_secs_f64(n as f64 / asked.rate as f64);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let path = asked.mix.pick(paths, n);
                    let status = client.get(&path).map_or(0, |(status, _)| status);
                    mine.push((due.elapsed().as_secs_f64(), status));
                }
                taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(mine);
            });
        }
    });
    taken.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Mix {
    /// What there is to ask, most asked for first.
    fn paths(self, at: SocketAddr) -> Result<Vec<String>, String> {
        let mut paths: Vec<String> =
            ["findings?limit=20", "contracts?limit=20", "flags", "sources", "suppliers?limit=20", "buyers?limit=20"]
                .iter()
                .map(|path| format!("/api/v1/{path}"))
                .collect();
        if self == Self::One {
            paths.truncate(1);
            return Ok(paths);
        }
        let mut client = Client::to(at);
        for list in ["findings", "contracts", "suppliers"] {
            let path = format!("/api/v1/{list}?limit=50");
            let (status, body) = client.get(&path).map_err(|e| format!("{path}: {e}"))?;
            let answer: serde_json::Value =
                serde_json::from_slice(&body).map_err(|e| format!("{path}: {status}: {e}"))?;
            let ids = answer["data"].as_array().into_iter().flatten().filter_map(|row| row["id"].as_str());
            paths.extend(ids.map(|id| format!("/api/v1/{list}/{}", escaped(id))));
        }
        Ok(paths)
    }

    /// The path of the request `n`: of a page's the first are asked for most (as 1/rank), of fresh ones each has a filter of its own.
    fn pick(self, paths: &[String], n: u64) -> String {
        // A fixed sequence that looks like chance: the same run asks the same.
        let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let chance = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
        match self {
            Self::Fresh => format!("/api/v1/contracts?limit=20&value_min={}", n + 1),
            Self::One => paths[0].clone(),
            Self::Page => {
                let at = (paths.len() as f64).powf(chance) - 1.0;
                paths[(at as usize).min(paths.len() - 1)].clone()
            }
        }
    }
}

/// An id as it stands in a path.
fn escaped(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    id.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
