//! The second tier, and the lock by which one process of many makes what all of them want.
//!
//! An entry is put only under a fence: the number that its lock got. A process that was slow, lost its lock and comes late does not put
//! what it read in the place of something newer. A Redis that does not answer in time is left alone for a while: it costs a miss, never an
//! answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisResult, Script};

use crate::now_ms;

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_millis(500);
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_millis(250);
/// How long one that did not answer is left alone.
const LEFT_ALONE_MS: u64 = 1_000;

static PUT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("put.lua")));
static LOCK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("lock.lua")));
static UNLOCK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("unlock.lua")));

/// What a lock gave: its own word, and the fence under which to put.
#[derive(Debug, Clone)]
pub(crate) struct Locked {
    token: u64,
    fence: u64,
}

/// Redis as a tier.
pub struct RedisTier {
    client: Client,
    /// Before every key: another program, catalogue or house has other entries.
    prefix: String,
    entries_max: usize,
    connection: Mutex<Option<ConnectionManager>>,
    away_until_ms: AtomicU64,
}

impl RedisTier {
    /// The Redis at an address, which need not be there yet; `prefix` parts what does not belong together.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn at(url: &str, prefix: String, entries_max: usize) -> RedisResult<Self> {
        let (client, connection) = (Client::open(url)?, Mutex::default());
        Ok(Self { client, prefix, entries_max, connection, away_until_ms: AtomicU64::new(0) })
    }

    pub(crate) async fn get(&self, key: &str) -> RedisResult<Option<Vec<u8>>> {
        let mut command = redis::cmd("GET");
        command.arg(self.name(key));
        let mut connection = self.connection().await?;
        self.noted(command.query_async(&mut connection).await)
    }

    /// Puts an entry; gives how many there are.
    pub(crate) async fn put(&self, key: &str, entry: &[u8], ttl: Duration, fence: u64) -> RedisResult<i64> {
        let mut connection = self.connection().await?;
        let mut call = PUT.prepare_invoke();
        call.key(self.name(key)).key(format!("{}newest", self.prefix)).arg(entry).arg(fence).arg(millis(ttl));
        call.arg(now_ms()).arg(self.entries_max);
        self.noted(call.invoke_async(&mut connection).await)
    }

    /// Takes the lock of a key for at most so long; nothing when another has it.
    pub(crate) async fn lock(&self, key: &str, at_most: Duration) -> RedisResult<Option<Locked>> {
        let token: u64 = rand::random::<u64>() >> 1;
        let mut connection = self.connection().await?;
        let mut call = LOCK.prepare_invoke();
        call.key(format!("{}:lock", self.name(key)))
            .key(format!("{}fence", self.prefix))
            .arg(token)
            .arg(millis(at_most));
        let fence: u64 = self.noted(call.invoke_async(&mut connection).await)?;
        Ok((fence > 0).then_some(Locked { token, fence }))
    }

    /// Gives a lock back, if it is still ours.
    pub(crate) async fn unlock(&self, key: &str, locked: &Locked) -> RedisResult<()> {
        let mut connection = self.connection().await?;
        let mut call = UNLOCK.prepare_invoke();
        call.key(format!("{}:lock", self.name(key))).arg(locked.token);
        self.noted(call.invoke_async::<i64>(&mut connection).await).map(|_| ())
    }

    fn name(&self, key: &str) -> String {
        format!("{}{:032x}", self.prefix, xxhash_rust::xxh3::xxh3_128(key.as_bytes()))
    }

    async fn connection(&self) -> RedisResult<ConnectionManager> {
        if now_ms() < self.away_until_ms.load(Ordering::Relaxed) {
            return Err((redis::ErrorKind::Io, "left alone for a while").into());
        }
        if let Some(made) = self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(made);
        }
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_MAX))
            .set_response_timeout(Some(ANSWER_MAX))
            .set_number_of_retries(0);
        let made = self.noted(self.client.get_connection_manager_with_config(config).await)?;
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    fn noted<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        if let Err(error) = &answer {
            tracing::debug!(%error, "the cache's Redis");
            self.away_until_ms.store(now_ms() + LEFT_ALONE_MS, Ordering::Relaxed);
        }
        answer
    }
}

impl Locked {
    pub(crate) fn fence(&self) -> u64 {
        self.fence
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
