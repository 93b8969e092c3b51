//! What log and queue promise, asked of every backend.
//!
//! `log_suite` and `queue_suite` know only the traits: a backend is one more row in [`on_every_backend`].

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on fails")]

mod faults;
mod log_suite;
mod queue_suite;
mod streams;

use events::{Backend, Bell, Event, ReadModels, Redis};
use std::time::Duration;

use store::{Db, PoolSettings, Store};
use testkit::{PostgresServer, RedisServer};

/// A read model that keeps the last payload of each stream.
struct LastOfStream;

impl ReadModels for LastOfStream {
    fn apply(&self, db: &Db, event: &Event) -> store::Result<()> {
        db.execute(
            "insert into investigations (id, user_id, status, asked, findings, created_at, updated_at, version)
             values (?1, '', 'active', ?2, 0, '', '', ?3)
             on conflict (id) do update set asked = ?2, version = ?3",
            (&event.stream, event.payload.to_string(), event.version),
        )?;
        Ok(())
    }

    fn tables(&self) -> &'static [&'static str] {
        &["investigations"]
    }
}

/// Runs a test on each backend, each time on a fresh one. `models` says what the read models hold.
fn on_every_backend(test: impl Fn(&dyn Backend, &dyn Fn() -> Vec<String>)) {
    for (on_server, over_redis) in [(false, false), (false, true), (true, false), (true, true)] {
        println!("PostgreSQL: {on_server}, over Redis: {over_redis}");
        let server = over_redis.then(RedisServer::start);
        let folder = tempfile::tempdir().unwrap();
        let store = if on_server { on_postgres(6) } else { Store::open(&folder.path().join("log.db"), 4).unwrap() };
        let redis = server.as_ref().map(|server| Redis::at(&server.url(), &store).unwrap());
        let bell = Bell::default();
        let models = || {
            let read = |db: &Db| {
                let mut statement =
                    db.prepare("select id || ' ' || asked || ' ' || version from investigations order by id")?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<Vec<String>, _>>()?)
            };
            store.read(read).unwrap()
        };
        test(&*events::open(&store, &LastOfStream, &bell, redis.as_ref()), &models);
    }
}

/// A store on a new database of a PostgreSQL server.
fn on_postgres(connections: usize) -> Store {
    at_server(&PostgresServer::shared().database(), connections).unwrap()
}

fn at_server(url: &str, connections: usize) -> store::Result<Store> {
    let limit = Duration::from_secs(30);
    let settings =
        PoolSettings { url: url.to_owned(), size: connections, statement_timeout: limit, lock_timeout: limit };
    Store::connect(settings, Vec::new())
}

/// How many tasks of a topic wait or are worked on.
fn depth(queue: &dyn Backend, topic: &str) -> i64 {
    let counts = queue.counts().unwrap();
    counts.iter().filter(|(of, state, _)| of == topic && state != "dead").map(|(.., n)| n).sum()
}
