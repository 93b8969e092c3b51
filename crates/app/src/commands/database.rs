//! The database as such: its schema's version, and the copy of a file's database into a server's.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use serde::Serialize;
use store::Store;

use crate::{Error, Result, Settings, WriterLock, open_store};

/// How long a copy waits for who writes.
const LOCK_PATIENCE: Duration = Duration::from_secs(600);
/// Between two looks at a schema that another brings up to date.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The version of a database's schema.
#[derive(Debug, Clone, Serialize)]
pub struct SchemaStatus {
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// Of what is held; 0 when nothing is.
    pub held: i64,
    /// The newest that this program knows.
    pub known: i64,
}

/// What a copy did.
#[derive(Debug, Clone, Serialize)]
pub struct CopyReport {
    /// The server, without its password.
    pub to: String,
    /// Every table, in the order in which they were copied.
    pub tables: Vec<CopiedTable>,
}

/// A table that was copied, and found the same on both sides.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct CopiedTable {
    pub table: String,
    pub rows: u64,
    /// Over every value, in the order of the rows' keys.
    pub sha256: String,
}

/// Says which version the database's schema has; changes nothing.
///
/// # Errors
/// The database cannot be read.
pub fn schema_status(settings: &Settings) -> Result<SchemaStatus> {
    let server = settings.database.server();
    let database = if server.is_some() { "postgres" } else { "sqlite" };
    let held = match server {
        Some(server) => store::schema_at(server)?,
        None => store::schema_in(&settings.data_dir.join("cidadao.db"))?,
    };
    Ok(SchemaStatus { database, held, known: store::SCHEMA_VERSION })
}

/// Brings the database's schema up to date.
///
/// # Errors
/// The database cannot be written, or was written by a newer program.
pub fn migrate(settings: &Settings) -> Result<SchemaStatus> {
    if settings.database.server().is_none() {
        std::fs::create_dir_all(&settings.data_dir).map_err(|e| Error::io(&settings.data_dir, &e))?;
    }
    let mut settings = settings.clone();
    settings.database.migrate = true;
    drop(open_store(&settings)?);
    schema_status(&settings)
}

/// Waits until another has brought the schema up to date; changes nothing.
///
/// # Errors
/// It is not so after `patience`, or will never be: a newer program wrote it.
pub fn wait_for_schema(settings: &Settings, patience: Duration) -> Result<SchemaStatus> {
    let until = Instant::now() + patience;
    loop {
        let status = schema_status(settings);
        match status {
            Ok(status) if status.held >= status.known => return status.as_known().map(|()| status),
            Ok(status) if Instant::now() >= until => return status.as_known().map(|()| status),
            Err(error) if Instant::now() >= until => return Err(error),
            _ => std::thread::sleep(LOOK_EVERY),
        }
    }
}

impl SchemaStatus {
    /// # Errors
    /// The schema is not the one that this program knows; the message says what to do.
    fn as_known(&self) -> Result<()> {
        let (held, known) = (self.held, self.known);
        let what_to_do = match held.cmp(&known) {
            Ordering::Equal => return Ok(()),
            Ordering::Less => "`cidadao migrate` brings it up to date",
            Ordering::Greater => "it was written by a newer program",
        };
        Err(Error::Failed(format!(
            "the database's schema is version {held}, and this program needs {known}: {what_to_do}"
        )))
    }
}

/// Where a start may not change the schema.
pub(crate) fn refuse_old_schema(settings: &Settings) -> Result<()> {
    schema_status(settings)?.as_known()
}

/// Copies everything that the data folder's file holds into an empty database of a server, and compares the two.
///
/// # Errors
/// There is no file; the server holds something, or cannot be written: nothing is copied then.
pub fn copy_to(settings: &Settings, to: &str, tell: &mut dyn FnMut(&str)) -> Result<CopyReport> {
    let path = settings.data_dir.join("cidadao.db");
    if !path.is_file() {
        return Err(Error::Settings(format!("{}: there is no database to copy", path.display())));
    }
    let mut target = settings.clone();
    to.clone_into(&mut target.database.url);
    target.check()?;
    let _lock = WriterLock::take(&settings.data_dir, LOCK_PATIENCE)?;
    let from = Store::open(&path, 1)?;
    target.database.migrate = true;
    let into = open_store(&target)?;
    let copied = from.copy_into(&into, tell)?;
    let tables = copied.into_iter().map(|t| CopiedTable { table: t.table, rows: t.rows, sha256: t.sha256 }).collect();
    Ok(CopyReport { to: crate::layers::told(to), tables })
}
