//! Values of fields that are kept across queries: each record, list below a record and sum, under what was asked.
//!
//! A second query over the same things asks the database only for what the first did not. What is kept bears the stamp of the house from
//! before it was read, as whole answers do: new data are a new epoch in which nothing of it counts, a verdict drops what names its
//! finding. The clock drops it too, after the time that its type's hint and the settings allow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::limit_settings::GraphqlSettings;
use app::queries::Below;
use cache::{Stamp, Tag, World, tag};
use prometheus::{IntCounter, IntGauge};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::Value;

use super::hints::Hint;
use super::load::{Kind, Loaded};
use crate::metrics::Metrics;

/// What one entry takes beside its JSON.
const ENTRY_BYTES: u64 = 256;
/// How many times its text a value of JSON takes in memory, about.
const OF_TEXT: u64 = 3;

struct Held {
    loaded: Loaded,
    stamp: Stamp,
    tags: Vec<Tag>,
    made: Instant,
    bytes: u64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(Kind, String), Arc<Held>> for ByBytes {
    fn weight(&self, _: &(Kind, String), held: &Arc<Held>) -> u64 {
        held.bytes
    }
}

/// The values that are kept.
pub struct FieldValues {
    held: Cache<(Kind, String), Arc<Held>, ByBytes>,
    world: Arc<World>,
    ttl: Duration,
    hits: IntCounter,
    misses: IntCounter,
    bytes: IntGauge,
}

impl FieldValues {
    /// As the settings say; nothing when they say so.
    pub fn of(settings: &GraphqlSettings, world: Arc<World>) -> Option<Self> {
        let bytes_max = settings.fields_mib << 20;
        if bytes_max == 0 || settings.fields_ttl_s == 0 {
            return None;
        }
        let entries = usize::try_from(bytes_max / 4_096).unwrap_or(usize::MAX);
        let counter = |name, says| IntCounter::new(name, says).expect("a metric's name is well formed");
        let gauge = |name, says| IntGauge::new(name, says).expect("a metric's name is well formed");
        Some(Self {
            held: Cache::with_weighter(entries, bytes_max, ByBytes),
            world,
            ttl: Duration::from_secs(settings.fields_ttl_s),
            hits: counter("cidadao_ai_graphql_fields_hits_total", "Values of fields that were at hand."),
            misses: counter("cidadao_ai_graphql_fields_misses_total", "Values of fields that had to be asked for."),
            bytes: gauge("cidadao_ai_graphql_fields_bytes", "Bytes that values of fields take, about."),
        })
    }

    /// Shows its figures among these.
    ///
    /// # Errors
    /// They stand there already.
    pub fn measure_in(&self, metrics: &Metrics) -> prometheus::Result<()> {
        metrics.add(&[&self.hits, &self.misses])?;
        metrics.add(&[&self.bytes])
    }

    /// How the house stands, for what is read from here on.
    pub fn now(&self) -> Stamp {
        self.world.stamp()
    }

    /// What is kept of a question, if it still holds.
    pub fn get(&self, kind: Kind, id: &str) -> Option<Loaded> {
        let held = self.held.get(&(kind, id.to_owned())).filter(|held| {
            let ttl = self.ttl.min(Duration::from_secs(hint_of(kind).ttl_s));
            !self.world.is_blind() && held.made.elapsed() < ttl && self.world.holds(held.stamp, &held.tags)
        });
        if held.is_some() {
            self.hits.inc();
        } else {
            self.misses.inc();
        };
        held.map(|held| held.loaded.clone())
    }

    /// Keeps what a question came to; `stamp` is from before it was asked.
    pub fn put(&self, kind: Kind, id: &str, stamp: Stamp, loaded: &Loaded) {
        if hint_of(kind).ttl_s == 0 {
            return;
        }
        let mut bytes = Counted(0);
        rows_of(loaded, |row| drop(serde_json::to_writer(&mut bytes, row)));
        let mut tags = Vec::new();
        if matches!(kind, Kind::Findings(..)) {
            rows_of(loaded, |row| tags.extend(row["id"].as_str().map(tag)));
        }
        let bytes = bytes.0 * OF_TEXT + id.len() as u64 + ENTRY_BYTES;
        let held = Held { loaded: loaded.clone(), stamp, tags, made: Instant::now(), bytes };
        self.held.insert((kind, id.to_owned()), Arc::new(held));
        self.bytes.set(i64::try_from(self.held.weight()).unwrap_or(i64::MAX));
    }
}

fn rows_of(loaded: &Loaded, mut each: impl FnMut(&Value)) {
    match loaded {
        Loaded::Nothing => {}
        Loaded::One(row) => each(row),
        Loaded::Page(page) => page.rows.iter().for_each(|row| each(row)),
        Loaded::Rows(rows) => rows.iter().for_each(|row| each(row)),
    }
}

/// The hint of the type that a question's answer has.
fn hint_of(kind: Kind) -> Hint {
    Hint::of(match kind {
        Kind::Buyer => "Buyer",
        Kind::Supplier => "Supplier",
        Kind::Contract | Kind::Contracts(..) => "Contract",
        Kind::Tender => "Tender",
        Kind::Findings(..) | Kind::Finding => "Finding",
        Kind::Investigation => "Investigation",
        Kind::Rows(Below::AmendmentsOfContract, _) => "Amendment",
        Kind::Rows(Below::BidsOfTender, _) => "Bid",
        Kind::Rows(..) => "Item",
        Kind::Totals(_) => "Totals",
        Kind::Sanctions => "Sanction",
        Kind::Registrations => "Registration",
        Kind::Partners => "Partner",
    })
}

/// Counts bytes, and keeps none.
struct Counted(u64);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
