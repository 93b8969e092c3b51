//! Buckets in Redis, shared by every process: one script takes and tells, by Redis's own clock.
//!
//! A request waits for Redis no longer than [`ANSWER_MAX`]. One that does not answer, or not in time, is left alone for [`LEFT_ALONE`]:
//! until then each process counts for itself.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use app::identity::Rate;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Script};

use super::bucket::{Left, Standing, interval_us};

/// How long Redis may take to answer, or a connection to come about.
const ANSWER_MAX: Duration = Duration::from_millis(100);
/// How long one that did not is not asked.
const LEFT_ALONE: Duration = Duration::from_secs(2);

/// Buckets in Redis.
pub struct Shared {
    client: Client,
    /// What names the buckets of this store.
    name: String,
    script: Script,
    link: Mutex<Link>,
}

#[derive(Default)]
struct Link {
    connection: Option<MultiplexedConnection>,
    left_alone_until: Option<Instant>,
}

impl Shared {
    /// Buckets in the Redis at `url`, under the store's name.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn at(url: &str, name: String) -> redis::RedisResult<Self> {
        let script = Script::new(include_str!("take.lua"));
        Ok(Self { client: Client::open(url)?, name, script, link: Mutex::default() })
    }

    /// Takes from the bucket of `who`; nothing when Redis does not answer.
    pub async fn take(&self, who: &str, rate: Rate, cost: u32) -> Option<Standing> {
        let until = self.link().left_alone_until;
        if until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let taken = tokio::time::timeout(ANSWER_MAX, self.ask(who, rate, cost)).await;
        match taken {
            Ok(Ok(standing)) => {
                if until.is_some() {
                    tracing::info!("Redis answers again: limits are shared");
                    self.link().left_alone_until = None;
                }
                Some(standing)
            }
            failed => {
                let because =
                    failed.map_or("no answer in time".to_owned(), |e| e.err().map_or(String::new(), |e| e.to_string()));
                if until.is_none() {
                    tracing::warn!(because, "Redis is away: each process counts limits for itself");
                }
                *self.link() = Link { connection: None, left_alone_until: Some(Instant::now() + LEFT_ALONE) };
                None
            }
        }
    }

    async fn ask(&self, who: &str, rate: Rate, cost: u32) -> redis::RedisResult<Standing> {
        let mut connection = self.connection().await?;
        let mut call = self.script.key(format!("cidadao:{}:rate:{who}", self.name));
        call.arg(interval_us(rate)).arg(rate.burst).arg(rate.per_minute).arg(cost);
        let (allowed, burst, burst_whole, minute, minute_whole, retry_us): (u8, u32, u64, u32, u64, u64) =
            call.invoke_async(&mut connection).await?;
        Ok(Standing {
            is_allowed: allowed == 1,
            burst: Left { remaining: burst, whole_in_s: burst_whole },
            minute: Left { remaining: minute, whole_in_s: minute_whole },
            retry_us,
        })
    }

    /// The one connection, over which any number of questions go at once.
    async fn connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        if let Some(connection) = self.link().connection.clone() {
            return Ok(connection);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_MAX))
            .set_response_timeout(Some(ANSWER_MAX));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        self.link().connection = Some(connection.clone());
        Ok(connection)
    }

    fn link(&self) -> std::sync::MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
