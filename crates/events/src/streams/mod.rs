//! The queue over Redis Streams.
//!
//! A task stays in the store until it is done: there it is enqueued in the transaction that decides, waits for its lane, and is
//! deleted once its effect happened. Redis says who does it, and when: each topic is a stream with a group of workers. So a Redis
//! that is away holds nothing up but the work, and one that forgot everything is filled again.
//!
//! Each task that is handed on gets the next number of its stream from the store, and the entry is added under that number: handed on
//! twice it is one entry, and a stream that has come less far than the store knows has forgotten something. An entry counts only if
//! its task bears its number.
//!
//! Leases and waits are Redis's own idle times: who takes an entry, or puts it off, sets how long it has been idle already, so that it
//! counts as left ([`LEFT`]) just when its lease or its wait is over. One `XAUTOCLAIM` finds both, by Redis's clock alone. Attempts
//! are its count of deliveries.

mod publish;
mod queue;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::{Client, Connection, FromRedisValue, Script};
use store::Store;

use crate::local::Embedded;
use crate::{Error, Result};

/// The group of a stream's workers.
const GROUP: &str = "workers";
/// The reader under whose name entries wait for another attempt.
const WAITING: &str = "-";
/// An entry that has been idle for so long is anyone's.
const LEFT: Duration = Duration::from_secs(3_600);
/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How long one that did not answer in time is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(2);
/// What is said of one that does not answer.
const HANGS: &str = "it does not answer";
/// Connections that are kept.
const KEPT_MAX: usize = 32;

static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static HOLD: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("hold.lua")));
static PUBLISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("publish.lua")));
static RENUMBER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renumber.lua")));
static TRIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("trim.lua")));
static FIGURES: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("figures.lua")));

/// A Redis, with connections to it as they are needed.
pub struct Redis {
    client: Client,
    /// What names the streams of its store.
    name: String,
    kept: Mutex<Vec<Connection>>,
    /// Counts losses: a connection from before one is not kept.
    lost: AtomicU64,
    /// Until when it is not asked, for it did not answer in time: who asks would wait for nothing.
    hangs_until: Mutex<Option<Instant>>,
}

impl Redis {
    /// The Redis at `redis://[user:password@]host[:port][/database]`, for the tasks of this store; it need not be there yet.
    ///
    /// # Errors
    /// The address, or the database, cannot be read.
    pub fn at(url: &str, store: &Store) -> Result<Self> {
        let client = Client::open(url)?;
        let name = store.name()?;
        Ok(Self { client, name, kept: Mutex::default(), lost: AtomicU64::new(0), hangs_until: Mutex::default() })
    }

    /// Whether an address can be read.
    ///
    /// # Errors
    /// [`Error::Redis`], with the reason.
    pub fn check(url: &str) -> Result<()> {
        Client::open(url)?;
        Ok(())
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`Error::Redis`], with the reason.
    pub fn ping(&self) -> Result<()> {
        self.with(|redis| redis::cmd("PING").query(redis))
    }

    fn with<T>(&self, ask: impl FnOnce(&mut Connection) -> redis::RedisResult<T>) -> Result<T> {
        if self.hangs().is_some_and(|until| Instant::now() < until) {
            return Err(Error::Redis(HANGS.to_owned()));
        }
        self.ask(ask).map_err(|error| {
            // A read that timed out comes as "would block".
            let hangs = error.is_timeout();
            if hangs {
                *self.hangs() = Some(Instant::now() + LEFT_ALONE);
            }
            if hangs { Error::Redis(HANGS.to_owned()) } else { error.into() }
        })
    }

    fn hangs(&self) -> MutexGuard<'_, Option<Instant>> {
        self.hangs_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Connection) -> redis::RedisResult<T>) -> redis::RedisResult<T> {
        let before = self.lost.load(Ordering::Acquire);
        let mut connection = match self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(kept) => kept,
            None => self.connect()?,
        };
        let answer = ask(&mut connection);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            // The others were cut with it.
            Err(error) if error.is_io_error() || error.is_connection_dropped() || error.is_timeout() => {
                self.lost.fetch_add(1, Ordering::AcqRel);
                kept.clear();
            }
            _ if kept.len() < KEPT_MAX && before == self.lost.load(Ordering::Acquire) => kept.push(connection),
            _ => {}
        }
        answer
    }

    fn connect(&self) -> redis::RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(CONNECT_MAX)?;
        connection.set_read_timeout(Some(ANSWER_MAX))?;
        connection.set_write_timeout(Some(ANSWER_MAX))?;
        Ok(connection)
    }

    fn run<T: FromRedisValue>(&self, script: &Script, stream: &str, arguments: &[&str]) -> Result<T> {
        self.with(|redis| {
            let mut call = script.key(stream);
            for argument in arguments {
                call.arg(*argument);
            }
            call.invoke(redis)
        })
    }
}

/// Log and outbox in the store, the queue in Redis.
pub(crate) struct Streams<'a> {
    pub(crate) local: Embedded<'a>,
    pub(crate) redis: &'a Redis,
}

impl Streams<'_> {
    fn key(&self, topic: &str) -> String {
        format!("cidadao:{}:{topic}", self.redis.name)
    }
}
