//! Watching what changes, for who keeps answers: how the house stands, and what each change outdates.
//!
//! An answer depends on the data as a whole, and on what people say of the findings that it names. New data (an ingest, a judgement, a
//! link, a statement) are a new epoch, in which nothing from before counts. A verdict is an event, and outdates only what names its
//! finding, counts its flag's verdicts or asks for findings by verdict.

use std::sync::Arc;

use store::CacheStore;

use crate::{App, Result};

/// How the house stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Another when the data changed.
    pub epoch: u64,
    /// The last event.
    pub seq: u64,
    /// What is outdated since: the event, and the name of what it touched.
    pub touched: Vec<(u64, String)>,
}

/// One who watches.
pub struct Watch(store::Watch);

impl Watch {
    /// The event behind which everything is told.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.0.since()
    }

    /// Has a database server asked now, so that the next look tells what was written before this. Takes a question's time there.
    pub fn refresh(&self) {
        self.0.refresh();
    }

    /// What changed since the look before; nothing when nothing was written. Takes microseconds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn look(&mut self) -> Result<Option<Change>> {
        let change = match self.0.look() {
            Ok(change) => change,
            // It is being written to in a way that lets nobody look: it stands as it did.
            Err(error) if error.is_busy() && !error.is_away() => None,
            Err(error) => return Err(error.into()),
        };
        Ok(change.map(|store::Change { epoch, seq, events }| {
            let touched =
                events.into_iter().flat_map(|(seq, stream, flag)| touched(&stream, flag).map(move |t| (seq, t)));
            Change { epoch, seq, touched: touched.collect() }
        }))
    }
}

/// What an event outdates.
fn touched(stream: &str, flag: Option<String>) -> impl Iterator<Item = String> + use<> {
    let finding = stream.strip_prefix("finding:").map(str::to_owned);
    let of_verdicts = finding.is_some().then(|| [Some("verdicts".to_owned()), flag.map(|code| format!("flag:{code}"))]);
    finding.into_iter().chain(of_verdicts.into_iter().flatten().flatten())
}

impl App {
    /// One who watches this house.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch(&self) -> Result<Watch> {
        Ok(Watch(self.store().watch()?))
    }

    /// What tells apart answers of this house, as this program makes them, from all others.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn house_mark(&self) -> Result<String> {
        let name = self.store_name()?;
        let built = std::env::current_exe().and_then(std::fs::metadata).map(|file| (file.len(), file.modified().ok()));
        let program = xxhash_rust::xxh3::xxh3_64(format!("{} {:?}", crate::VERSION, built.ok()).as_bytes());
        Ok(format!("{name}:{}:{program:016x}", self.catalogue().version()))
    }

    /// The file in the data folder that keeps answers, of at most so many bytes.
    ///
    /// # Errors
    /// It can be neither opened nor made.
    pub fn kept_answers(&self, bytes_max: u64) -> Result<Arc<CacheStore>> {
        Ok(Arc::new(CacheStore::open(&self.folder().join("cache.db"), bytes_max)?))
    }
}
