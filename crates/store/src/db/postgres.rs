//! A connection to a PostgreSQL server, used by one thread at a time.
//!
//! The store is synchronous: each connection has a small runtime of its own that runs only while its user waits, so that nothing
//! is handed from thread to thread between a question and its answer.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::FuturesOrdered;
use futures_util::{SinkExt, StreamExt};
use prometheus::HistogramTimer;
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value};
use tokio::runtime::Runtime;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::{Client, NoTls, RowStream, SimpleQueryMessage};

use super::dialect;
use super::pool::PoolSettings;
use super::row::Rows;
use super::slow;
use super::timing::{self, Role, Timers};
use super::wire::Arg;
use crate::{Error, Result};

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How much longer than the server's own limit an answer is waited for: the network may have swallowed it.
const GRACE: Duration = Duration::from_secs(5);
/// Statements that stay prepared.
const STATEMENTS_MAX: usize = 512;
/// How long a plan may take.
const PLAN_MAX: Duration = Duration::from_secs(1);
/// Rows taken over at once from a long answer.
const CHUNK: usize = 512;

/// A statement that the server knows, and what it says.
#[derive(Clone)]
pub struct Prepared {
    statement: tokio_postgres::Statement,
    sql: Arc<str>,
}

type Answer<T> = std::result::Result<T, tokio_postgres::Error>;

/// A connection.
pub struct Pg {
    /// Taken when it is dropped, which must not wait.
    runtime: Option<Runtime>,
    client: Client,
    statements: RefCell<HashMap<Arc<str>, Prepared>>,
    deadline: Cell<Option<Instant>>,
    patience: Cell<Option<Duration>>,
    pub(crate) timers: Timers,
    in_transaction: Cell<bool>,
    broken: Cell<bool>,
}

impl Pg {
    /// Connects.
    pub(crate) fn connect(config: &tokio_postgres::Config, settings: &PoolSettings) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Away(error.to_string()))?;
        let connect = async { tokio::time::timeout(CONNECT_MAX, config.connect(NoTls)).await };
        let opened = waiting(|| runtime.block_on(connect));
        let (client, connection) = match opened {
            Ok(opened) => opened.map_err(|error| Error::Away(told(&error)))?,
            Err(_) => return Err(Error::Away("it does not answer".to_owned())),
        };
        runtime.spawn(async move {
            // Its end is seen by whoever asks next.
            if let Err(error) = connection.await {
                tracing::warn!(error = told(&error), "a connection to the database was lost");
            }
        });
        Ok(Self {
            runtime: Some(runtime),
            client,
            statements: RefCell::default(),
            deadline: Cell::new(None),
            patience: Cell::new(Some(settings.statement_timeout + GRACE)),
            timers: Timers::of(Role::Reader),
            in_transaction: Cell::new(false),
            broken: Cell::new(false),
        })
    }

    /// For long work (loads, indexes, whole tables): no statement is cut off, and tables may be read through.
    pub(crate) fn be_patient(&self) -> Result<()> {
        self.patience.set(None);
        self.batch("set statement_timeout = 0; set lock_timeout = 0; set enable_seqscan = on; set maintenance_work_mem = '256MB'")
    }

    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        self.deadline.set(deadline);
    }

    /// Whether it may be used by another after this.
    pub(crate) fn is_sound(&self) -> bool {
        !self.broken.get() && !self.client.is_closed() && self.patience.get().is_some()
    }

    /// Whether the server answers.
    pub(crate) fn answers(&self) -> bool {
        self.deadline.set(Some(Instant::now() + CONNECT_MAX));
        let answers = self.batch("").is_ok();
        self.deadline.set(None);
        answers
    }

    /// Undoes what its last user left open.
    pub(crate) fn tidy(&self) -> bool {
        self.deadline.set(None);
        self.is_sound() && (!self.in_transaction.get() || self.batch("rollback").is_ok())
    }

    pub(crate) fn prepare(&self, sql: &str) -> Result<Prepared> {
        if let Some(prepared) = self.statements.borrow().get(sql) {
            return Ok(prepared.clone());
        }
        let text = dialect::postgres(sql);
        let prepared = Prepared { statement: self.run(sql, self.client.prepare(&text))?, sql: sql.into() };
        let mut kept = self.statements.borrow_mut();
        if kept.len() >= STATEMENTS_MAX {
            kept.clear();
        }
        kept.insert(Arc::clone(&prepared.sql), prepared.clone());
        Ok(prepared)
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        let done = self.run(sql, self.client.batch_execute(sql));
        if sql.starts_with("begin") {
            self.in_transaction.set(true);
        } else if sql == "commit" || sql == "rollback" {
            self.in_transaction.set(done.is_err());
        }
        done
    }

    pub(crate) fn execute(&self, prepared: &Prepared, values: &[&dyn ToSql]) -> Result<usize> {
        let args = args(values)?;
        let span = slow::span("postgresql", &prepared.sql);
        let done = match &span {
            None => self.run(&prepared.sql, self.client.execute_raw(&prepared.statement, &args))?,
            Some(span) => {
                let (sql, types) = (commented(prepared, span), prepared.statement.params());
                let typed = args.iter().map(|arg| arg as &(dyn tokio_postgres::types::ToSql + Sync));
                let typed: Vec<_> = typed.zip(types.iter().cloned()).collect();
                self.run(&prepared.sql, self.client.execute_typed(&sql, &typed))?
            }
        };
        Ok(usize::try_from(done).unwrap_or(usize::MAX))
    }

    pub(crate) fn query(&self, prepared: &Prepared, values: &[&dyn ToSql]) -> Result<Vec<tokio_postgres::Row>> {
        let args = args(values)?;
        let span = slow::span("postgresql", &prepared.sql);
        self.run(&prepared.sql, async {
            let mut rows = Box::pin(self.ask(prepared, &args, span.as_ref()).await?);
            let mut all = Vec::new();
            while let Some(row) = rows.next().await {
                all.push(row?);
            }
            Ok(all)
        })
    }

    pub(crate) fn stream(
        &self,
        prepared: &Prepared,
        values: &[&dyn ToSql],
        time: Option<HistogramTimer>,
    ) -> Result<Rows<'_>> {
        let args = args(values)?;
        let span = slow::span("postgresql", &prepared.sql);
        let rows = self.run_and(&prepared.sql, self.ask(prepared, &args, span.as_ref()), false)?;
        let sql = Arc::clone(&prepared.sql);
        let streamed = Streamed { pg: self, sql, rows: Box::pin(rows), ended: false, chunk: Vec::new(), at: 0 };
        Ok(Rows::Postgres(streamed, time))
    }

    /// Asks a statement that is prepared; within what is recorded, the same with its place in the trace as a comment. That text is never the
    /// same again, so it is not prepared: the statements that are stay as they are.
    async fn ask(&self, prepared: &Prepared, args: &[Arg<'_>], span: Option<&trace::Span>) -> Answer<RowStream> {
        match span {
            None => self.client.query_raw(&prepared.statement, args).await,
            Some(span) => {
                let types = prepared.statement.params().iter().cloned();
                self.client.query_typed_raw(&commented(prepared, span), args.iter().zip(types)).await
            }
        }
    }

    /// Runs a statement for each of many rows; up to [`CHUNK`] are on their way at once.
    pub(crate) fn execute_each(&self, sql: &str, mut rows: impl Iterator<Item = Vec<Value>>) -> Result<()> {
        let Some(first) = rows.next() else { return Ok(()) };
        let prepared = self.prepare(sql)?;
        let mut rows = std::iter::once(first).chain(rows).peekable();
        while rows.peek().is_some() {
            let some: Vec<Vec<Arg<'_>>> = rows
                .by_ref()
                .take(CHUNK)
                .map(|row| row.into_iter().map(|value| Arg(ToSqlOutput::Owned(value))).collect())
                .collect();
            self.run(sql, async {
                // Polled together, so that all are sent before the first is answered.
                let done = some.iter().map(|row| self.client.execute_raw(&prepared.statement, row));
                let mut done = done.collect::<FuturesOrdered<_>>();
                while let Some(one) = done.next().await {
                    one?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Sends rows in PostgreSQL's binary form.
    pub(crate) fn copy(&self, sql: &str, rows: BytesMut) -> Result<u64> {
        let prepared = self.prepare(sql)?;
        let _time = timing::begin(&self.timers.timer(sql));
        self.run(sql, async {
            let mut sink = std::pin::pin!(self.client.copy_in::<_, bytes::Bytes>(&prepared.statement).await?);
            let mut rows = rows.freeze();
            while !rows.is_empty() {
                let piece = rows.split_to(rows.len().min(1 << 16));
                sink.send(piece).await?;
            }
            sink.as_mut().finish().await
        })
    }

    /// Whether a plan can be had: not of what is not prepared, nor within a transaction, which a mistake would end.
    fn may_explain(&self, sql: &str) -> bool {
        !self.in_transaction.get() && !self.broken.get() && self.statements.borrow().contains_key(sql)
    }

    /// The server's plan of a statement that is prepared, for any values.
    fn plan_of(&self, sql: &str) -> Option<String> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let values = self.statements.borrow().get(sql)?.statement.params().len();
        let values = if values == 0 { String::new() } else { format!("({})", vec!["null"; values].join(", ")) };
        let name = format!("cidadao_plan_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let asked = format!(
            "set plan_cache_mode = force_generic_plan; prepare {name} as {}; explain execute {name}{values}; deallocate {name}; reset plan_cache_mode",
            dialect::postgres(sql)
        );
        let runtime = self.runtime.as_ref()?;
        let ask = async { tokio::time::timeout(PLAN_MAX, self.client.simple_query(&asked)).await };
        let Ok(answer) = waiting(|| runtime.block_on(ask)) else {
            // What it still does is not known.
            self.broken.set(true);
            return None;
        };
        let answer = answer.map_err(|error| tracing::debug!(error = told(&error), "a plan could not be had")).ok()?;
        let steps = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Some(steps.collect::<Vec<_>>().join("\n"))
    }

    /// Waits for an answer; one that comes too late ends the connection, for what it may still do is not known.
    fn run<T>(&self, sql: &str, work: impl Future<Output = Answer<T>>) -> Result<T> {
        self.run_and(sql, work, true)
    }

    /// The same; no plan is asked for of what leaves rows behind that are still to be read, for it would wait behind them.
    fn run_and<T>(&self, sql: &str, work: impl Future<Output = Answer<T>>, is_whole: bool) -> Result<T> {
        let runtime = self.runtime.as_ref().expect("there until it is dropped");
        let started = Instant::now();
        let own = self.deadline.get();
        let limit = [own, self.patience.get().map(|patience| started + patience)].into_iter().flatten().min();
        let answer = waiting(|| {
            runtime.block_on(async {
                match limit {
                    Some(limit) => tokio::time::timeout_at(limit.into(), work).await.ok(),
                    None => Some(work.await),
                }
            })
        });
        let took = started.elapsed();
        // Long work is long.
        if slow::is_slow(took) && self.patience.get().is_some() {
            // Nor of what still runs at the server.
            let may_explain = is_whole && answer.is_some() && self.may_explain(sql);
            slow::tell(sql, took, may_explain.then_some(|| self.plan_of(sql)));
        }
        match answer {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => {
                self.broken.set(self.broken.get() || error.as_db_error().is_none());
                Err(error.into())
            }
            None => {
                self.broken.set(true);
                let cancel = self.client.cancel_token();
                let cancelled =
                    async { tokio::time::timeout(Duration::from_secs(1), cancel.cancel_query(NoTls)).await };
                let _ = waiting(|| runtime.block_on(cancelled));
                Err(if own.is_some_and(|own| Instant::now() >= own) {
                    Error::Late
                } else {
                    Error::Away("it does not answer".to_owned())
                })
            }
        }
    }
}

impl Drop for Pg {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A word of farewell, where the server listens.
            runtime.shutdown_background();
        }
    }
}

/// A long answer, read piece by piece.
pub struct Streamed<'a> {
    pg: &'a Pg,
    sql: Arc<str>,
    rows: Pin<Box<RowStream>>,
    /// Nothing may be asked of it after its end.
    ended: bool,
    chunk: Vec<tokio_postgres::Row>,
    at: usize,
}

impl Streamed<'_> {
    pub(super) fn next(&mut self) -> Result<Option<&tokio_postgres::Row>> {
        if self.at == self.chunk.len() {
            let (rows, chunk, ended) = (&mut self.rows, &mut self.chunk, &mut self.ended);
            if *ended {
                return Ok(None);
            }
            chunk.clear();
            self.at = 0;
            let next = self.pg.run(&self.sql, async {
                let mut some = Vec::with_capacity(CHUNK);
                while some.len() < CHUNK {
                    match rows.next().await {
                        Some(row) => some.push(row?),
                        None => {
                            *ended = true;
                            break;
                        }
                    }
                }
                Ok(some)
            })?;
            *chunk = next;
        }
        let row = self.chunk.get(self.at);
        self.at += usize::from(row.is_some());
        Ok(row)
    }
}

/// Waits, also on a thread of a server's runtime, whose other work goes on elsewhere meanwhile.
fn waiting<T>(wait: impl FnOnce() -> T) -> T {
    if tokio::runtime::Handle::try_current().is_ok() { tokio::task::block_in_place(wait) } else { wait() }
}

fn args<'a>(values: &'a [&dyn ToSql]) -> Result<Vec<Arg<'a>>> {
    Ok(values.iter().map(|value| value.to_sql().map(Arg)).collect::<rusqlite::Result<_>>()?)
}

/// A statement with its place in a trace, as sqlcommenter writes it.
fn commented(prepared: &Prepared, span: &trace::Span) -> String {
    format!("{} /*traceparent='{}'*/", dialect::postgres(&prepared.sql), span.current().place().traceparent())
}

/// What the server said, or why it could not be asked.
pub(crate) fn told(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(because) = cause {
        text.push_str(&format!(": {because}"));
        cause = because.source();
    }
    text
}
