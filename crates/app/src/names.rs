//! The names that questions are read by, made of what is held and made anew when that changes.
//!
//! They are made in a thread of their own. The first question waits for them; later ones too, if they are soon made, and else are read
//! by the names of before while the new ones are made.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use agents::question::{Gazetteer, Held, SUPPLIERS_MAX, UNITS_MAX, Unit};

use crate::{App, Error, Result};

/// Names that took longer than this are waited for only when there are none.
const WAITED_FOR: Duration = Duration::from_millis(200);
/// The longest wait for the first.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The names that are kept.
#[derive(Default)]
pub(crate) struct Names {
    state: Mutex<State>,
    made: Condvar,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    making: bool,
    /// Why the last could not be made.
    failed: Option<String>,
}

#[derive(Clone)]
struct Kept {
    /// How the data stood before they were read.
    epoch: Option<u64>,
    took: Duration,
    gazetteer: Arc<Gazetteer>,
}

impl App {
    /// The names that are held.
    ///
    /// # Errors
    /// The database cannot be read; it took too long.
    pub(crate) fn gazetteer(&self) -> Result<Arc<Gazetteer>> {
        let epoch = self.data_epoch();
        let names = self.names();
        let mut state = names.state.lock().unwrap_or_else(PoisonError::into_inner);
        let until = Instant::now() + WAIT_MAX;
        loop {
            match &state.kept {
                Some(kept) if (epoch.is_some() && kept.epoch == epoch) || (state.making && kept.took > WAITED_FOR) => {
                    return Ok(Arc::clone(&kept.gazetteer));
                }
                _ => {}
            }
            if let Some(because) = state.failed.take() {
                return Err(Error::Failed(because));
            }
            if !state.making {
                state.making = true;
                let app = self.clone();
                std::thread::spawn(move || app.make_names());
                continue;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Failed(
                    "the names by which questions are read are still being made: ask again".to_owned(),
                ));
            }
            state = names.made.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            // Made for this question, even if data came in meanwhile.
            if let (false, Some(kept)) = (state.making, &state.kept) {
                return Ok(Arc::clone(&kept.gazetteer));
            }
        }
    }

    /// Has the names made before anyone asks.
    pub fn prepare_names(&self) {
        let app = self.clone();
        std::thread::spawn(move || {
            if let Err(error) = app.gazetteer() {
                tracing::warn!(%error, "the names by which questions are read were not made");
            }
        });
    }

    fn make_names(&self) {
        let (begun, epoch) = (Instant::now(), self.data_epoch());
        let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.read_names()));
        let names = self.names();
        let mut state = names.state.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(Ok(gazetteer)) => {
                let took = begun.elapsed();
                tracing::debug!(
                    names = gazetteer.len(),
                    took_ms = took.as_millis(),
                    cut = gazetteer.is_cut(),
                    "names made"
                );
                state.failed = None;
                state.kept = Some(Kept { epoch, took, gazetteer: Arc::new(gazetteer) });
            }
            Ok(Err(error)) => state.failed = Some(error.to_string()),
            Err(_) => state.failed = Some("the names could not be read".to_owned()),
        }
        state.making = false;
        drop(state);
        names.made.notify_all();
    }

    fn read_names(&self) -> Result<Gazetteer> {
        let mut gazetteer = Gazetteer::default();
        self.store().each_buyer(UNITS_MAX + 1, |buyer| {
            gazetteer.add_unit(&Unit {
                id: &buyer.id,
                name: buyer.name.as_deref().unwrap_or_default(),
                code: buyer.code.as_deref(),
                parent: buyer.parent.as_deref(),
                superior: buyer.superior.as_deref(),
                state: buyer.state.as_deref(),
                municipality: buyer.municipality.as_deref(),
            });
        })?;
        self.store().each_supplier(SUPPLIERS_MAX + 1, |id, name| gazetteer.add_supplier(id, name))?;
        Ok(gazetteer)
    }
}

/// What is held, for a reader of questions; the first error is kept, and answers none.
pub(crate) struct HeldHere<'a> {
    app: &'a App,
    error: std::cell::RefCell<Option<Error>>,
}

impl<'a> HeldHere<'a> {
    pub(crate) fn of(app: &'a App) -> Self {
        Self { app, error: std::cell::RefCell::default() }
    }

    /// # Errors
    /// The database could not be read.
    pub(crate) fn checked(self) -> Result<()> {
        self.error.into_inner().map_or(Ok(()), Err)
    }

    fn said(&self, answer: store::Result<bool>) -> bool {
        answer.unwrap_or_else(|error| {
            self.error.borrow_mut().get_or_insert(error.into());
            false
        })
    }
}

impl Held for HeldHere<'_> {
    fn objects(&self, words: &str) -> bool {
        self.said(self.app.store().some_contract_holds(words))
    }

    fn objects_of_others(&self, words: &str, supplier: &str) -> bool {
        self.said(self.app.store().some_contract_of_others_holds(words, supplier))
    }

    fn supplier(&self, id: &str) -> bool {
        self.said(self.app.store().supplier(id).map(|row| row.is_some()))
    }

    fn flag(&self, code: &str) -> bool {
        self.app.catalogue().flag(code).is_some()
    }
}
