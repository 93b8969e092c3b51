//! Every limit of the door in one place: from the settings where people may change it, fixed where they should not.

use std::time::Duration;

use app::identity::Tier;
use app::{ANALYSES_MAX, Settings};

use crate::batch::Bounds;

/// The longest request target (path and query), in bytes.
pub const TARGET_BYTES_MAX: usize = 8_192;
/// The longest id in a path, in characters.
pub const ID_CHARS_MAX: usize = 512;
/// The most connections of HTTP held at once; more wait in the system's queue. WebSockets have a limit of their own.
pub const CONNECTIONS_MAX: usize = 16_384;
/// How long a stop waits for requests in flight.
pub const GRACE: Duration = Duration::from_secs(10);
/// Bodies up to this many bytes are sent as they are.
pub const UNCOMPRESSED_BYTES_MAX: u64 = 1_024;
/// Questions answered at once, for each connection to the database: one reads, the others encode.
const QUESTIONS_PER_READER: usize = 4;
/// Analyses that may wait beyond those.
const ANALYSES_WAITING_MAX: usize = 32;

/// Passwords that may wait to be hashed.
const PASSWORDS_WAITING_MAX: usize = 64;

/// What the settings limit.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A request that takes longer is given up.
    pub request_timeout: Duration,
    /// One that takes as long is a line in the log.
    pub slow_request: Duration,
    /// The largest request body.
    pub body_bytes_max: usize,
    /// Of questions that the database answers.
    pub questions: GateLimits,
    /// Of questions that take an analysis of the lake.
    pub analyses: GateLimits,
    /// Of passwords that are hashed.
    pub passwords: GateLimits,
    /// Of a batch.
    pub batch: Bounds,
    /// The tier of who gives nothing to be known by.
    pub anonymous: Tier,
}

/// How many are let in at once, and how many may wait.
#[derive(Debug, Clone, Copy)]
pub struct GateLimits {
    /// At once.
    pub running_max: usize,
    /// Waiting beyond those.
    pub waiting_max: usize,
}

impl Limits {
    /// As the settings say.
    pub fn of(settings: &Settings) -> Self {
        Self {
            request_timeout: Duration::from_secs(settings.http.request_timeout_s),
            slow_request: Duration::from_millis(settings.http.slow_request_ms),
            body_bytes_max: settings.http.body_max_bytes,
            questions: GateLimits {
                running_max: match settings.database.server() {
                    Some(server) => server.size,
                    None => settings.store.readers * QUESTIONS_PER_READER,
                },
                waiting_max: settings.http.queue_max,
            },
            analyses: GateLimits { running_max: ANALYSES_MAX, waiting_max: ANALYSES_WAITING_MAX },
            passwords: GateLimits { running_max: settings.identity.hashes_max, waiting_max: PASSWORDS_WAITING_MAX },
            batch: Bounds {
                operations_max: settings.batch.operations_max,
                concurrency: settings.batch.concurrency,
                operation_timeout: Duration::from_millis(settings.batch.operation_timeout_ms),
                request_timeout: Duration::from_secs(settings.http.request_timeout_s),
            },
            anonymous: settings.limits.anonymous,
        }
    }
}
