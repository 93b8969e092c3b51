//! Where a piece of work belongs.
//!
//! A [`Place`] is a trace's context as W3C writes it. What a process does for one request, or one task, is a [`Work`]; the thread
//! that is at it holds it as [`current`], a future takes it along with [`within`], and another thread with [`carried`]. Steps of a
//! work ([`step`]) are always counted into its [`Times`]; they become spans only in the few works that are recorded, and spans wait
//! in one bounded queue until somebody takes them to a collector ([`otlp`]).
//!
//! Nothing here does I/O, and a work that is not recorded costs a number drawn and a few words of memory.

mod current;
pub mod otlp;
mod place;
mod queue;
mod span;

pub use current::{Current, Entered, Phase, Times, Within, carried, count, current, within, within_current};
pub use place::Place;
pub use queue::{Figures, count_lost, count_sent, figures, take};
pub use span::{Kind, Span, Told, step, step_of};

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

/// Which works are recorded.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Whether anyone takes spans; otherwise none is recorded.
    pub records: bool,
    /// Of a million works that nobody decided about, how many.
    pub per_million: u32,
    /// Works recorded in one second, at most, whoever decided.
    pub per_s_max: u32,
    /// Spans that wait to be taken, at most.
    pub waiting_max: usize,
}

static SETTINGS: OnceLock<Settings> = OnceLock::new();

/// Says once which works are recorded; without it none is.
pub fn set(settings: Settings) {
    let _ = SETTINGS.set(settings);
}

fn settings() -> Option<&'static Settings> {
    SETTINGS.get().filter(|settings| settings.records)
}

/// Whether a work that comes from nowhere is to be recorded, drawn by chance.
fn is_drawn() -> bool {
    settings().is_some_and(|s| s.per_million > 0 && rand::random_range(0..1_000_000) < s.per_million)
}

/// The second of the process in the upper half, works recorded in it in the lower.
static THIS_SECOND: AtomicU64 = AtomicU64::new(0);

/// Takes one of the works that may be recorded in this second.
fn may_record() -> bool {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let Some(settings) = settings() else { return false };
    let second = BEGUN.get_or_init(Instant::now).elapsed().as_secs();
    let taken = THIS_SECOND.try_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
        let taken = if held >> 32 == second { held & u64::from(u32::MAX) } else { 0 };
        (taken < u64::from(settings.per_s_max)).then_some(second << 32 | (taken + 1))
    });
    if taken.is_err() {
        queue::count_passed_over();
    }
    taken.is_ok()
}

/// Nanoseconds since 1970, as collectors count.
fn unix_ns(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
