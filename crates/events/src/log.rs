//! The log as a trait: what is decided in one transaction, and what can be read.

use store::Db;
use store::chain::EventRow;

use crate::{Error, Event, Expected, NewEvent, NewTask, Result};

/// Tables that are made of the log alone.
pub trait ReadModels: Sync {
    /// Brings them up to date with an event, in its transaction.
    ///
    /// # Errors
    /// The database cannot be written.
    fn apply(&self, db: &Db, event: &Event) -> store::Result<()>;

    /// Their names; a rebuild empties them.
    fn tables(&self) -> &'static [&'static str];
}

/// A command that is done once, however often it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Which command, with what it is about: `POST /api/v1/investigations`.
    pub command: String,
    /// The key that the caller chose.
    pub key: String,
    /// A hash of what was asked.
    pub body_hash: String,
}

/// What a command with a key was answered before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered(pub String);

/// What the events of a stream came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// After how many events.
    pub version: i64,
    /// The aggregate, as its format writes it.
    pub state: String,
}

/// What can be done within one transaction.
pub trait Unit {
    /// How many events a stream has.
    ///
    /// # Errors
    /// The database cannot be read.
    fn version(&mut self, stream: &str) -> Result<i64>;

    /// The events of a stream behind `version`, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    fn stream_after(&mut self, stream: &str, version: i64) -> Result<Vec<Event>>;

    /// What the events of a stream came to, as it was last kept in this format; none is kept in another.
    ///
    /// # Errors
    /// The database cannot be read.
    fn snapshot(&mut self, stream: &str, format: u32) -> Result<Option<Snapshot>>;

    /// Keeps what the events of a stream came to. It may be thrown away at any time, and is when the read models are made anew.
    ///
    /// # Errors
    /// The database cannot be written.
    fn keep_snapshot(&mut self, stream: &str, format: u32, snapshot: &Snapshot) -> Result<()>;

    /// Appends events to a stream and brings the read models up to date.
    ///
    /// # Errors
    /// [`Error::Conflict`]; the database cannot be written.
    fn append(&mut self, stream: &str, expected: Expected, events: &[NewEvent]) -> Result<Vec<Event>>;

    /// Enqueues a task, unless its topic has one with this key; says whether it did.
    ///
    /// # Errors
    /// The database cannot be written.
    fn enqueue(&mut self, task: &NewTask) -> Result<bool>;

    /// Takes back the tasks of a topic whose key starts with `prefix`, also those that are being worked on; gives their
    /// number.
    ///
    /// # Errors
    /// The database cannot be written.
    fn withdraw(&mut self, topic: &str, prefix: &str) -> Result<usize>;

    /// What this command was answered before, if it was within the last 24 hours.
    ///
    /// # Errors
    /// [`Error::KeyReused`]; the database cannot be read.
    fn answer_to(&mut self, command: &CommandKey) -> Result<Option<Answered>>;

    /// Notes what this command is answered.
    ///
    /// # Errors
    /// The database cannot be written.
    fn note_answer(&mut self, command: &CommandKey, answer: &str) -> Result<()>;

    /// How far a relay has come.
    ///
    /// # Errors
    /// The database cannot be read.
    fn cursor(&mut self, name: &str) -> Result<i64>;

    /// Notes how far a relay has come.
    ///
    /// # Errors
    /// The database cannot be written.
    fn set_cursor(&mut self, name: &str, seq: i64) -> Result<()>;

    /// Up to `limit` events of the log behind `seq`.
    ///
    /// # Errors
    /// The database cannot be read.
    fn log(&mut self, seq: i64, limit: usize) -> Result<Vec<Event>>;

    /// The embedded database, for read models that a decision looks at.
    fn db(&self) -> &Db;
}

/// The log.
pub trait EventStore: Send + Sync {
    /// Does `work` in one transaction; an error undoes all of it. Through [`transact`] it may give something.
    ///
    /// # Errors
    /// Whatever `work` gives; the database cannot be written.
    fn transact(&self, work: &mut dyn FnMut(&mut dyn Unit) -> Result<()>) -> Result<()>;

    /// Up to `limit` events of a stream behind `version`, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    fn stream(&self, stream: &str, version: i64, limit: usize) -> Result<Vec<Event>>;

    /// Up to `limit` rows of the log behind `seq`, as they are stored.
    ///
    /// # Errors
    /// The database cannot be read.
    fn rows(&self, seq: i64, limit: usize) -> Result<Vec<EventRow>>;

    /// Position and hash of the last event, as noted when it was appended.
    ///
    /// # Errors
    /// The database cannot be read.
    fn noted_head(&self) -> Result<Option<(i64, String)>>;

    /// How many events a relay has not published yet.
    ///
    /// # Errors
    /// The database cannot be read.
    fn lag(&self, cursor: &str) -> Result<i64>;

    /// Makes every read model anew from the log, in one transaction; gives the number of events.
    ///
    /// # Errors
    /// The database cannot be written; what was there before stands then.
    fn rebuild(&self) -> Result<u64>;
}

/// Does `work` in one transaction and gives what it gives; an error undoes all of it.
///
/// # Errors
/// Whatever `work` gives; the database cannot be written.
pub fn transact<T, E: From<Error>>(
    log: &dyn EventStore,
    work: impl FnOnce(&mut dyn Unit) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let (mut work, mut given) = (Some(work), None);
    let committed = log.transact(&mut |unit| {
        let Some(work) = work.take() else { return Err(Error::RolledBack) };
        match work(unit) {
            Ok(done) => {
                given = Some(Ok(done));
                Ok(())
            }
            Err(refused) => {
                given = Some(Err(refused));
                Err(Error::RolledBack)
            }
        }
    });
    match (committed, given) {
        (Ok(()), Some(done)) | (Err(_), Some(done @ Err(_))) => done,
        (Err(error), _) => Err(error.into()),
        (Ok(()), None) => Err(Error::RolledBack.into()),
    }
}
