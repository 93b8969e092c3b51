//! How a command decides: in one transaction over the log, once for each key that its caller gives.

use events::{Answered, Backend, CommandKey, Unit};
use serde::Serialize;
use serde_json::Value;

use crate::models::Models;
use crate::{App, Error, Result};

/// What a command is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The answer, as JSON.
    pub body: Value,
    /// It was given before: the same key came again.
    pub repeated: bool,
}

impl App {
    /// Log and queue of this data folder.
    pub(crate) fn log(&self) -> Box<dyn Backend + '_> {
        events::open(self.store(), &Models, self.bell(), self.redis())
    }

    /// Does `work` in one transaction.
    ///
    /// # Errors
    /// Whatever `work` gives; [`Error::Locked`] when another writer holds the database for too long.
    pub(crate) fn decide<T>(&self, work: impl FnOnce(&mut dyn Unit) -> Result<T>) -> Result<T> {
        events::transact(&*self.log(), work).map_err(|error| match error {
            Error::Store(error) if error.is_busy() && !error.is_away() => Error::Locked(self.folder().to_owned()),
            error => error,
        })
    }

    /// Does a command in one transaction; one with a key that was done before is answered as it was then.
    ///
    /// # Errors
    /// As [`App::decide`]; [`Error::KeyReused`] when the key came with another body.
    pub(crate) fn once<T: Serialize>(
        &self,
        key: Option<&CommandKey>,
        work: impl FnOnce(&mut dyn Unit) -> Result<T>,
    ) -> Result<Answer> {
        self.decide(|unit| {
            if let Some(key) = key
                && let Some(Answered(text)) = unit.answer_to(key)?
            {
                return Ok(Answer { body: serde_json::from_str(&text).map_err(store::Error::from)?, repeated: true });
            }
            let body = serde_json::to_value(work(unit)?).map_err(store::Error::from)?;
            if let Some(key) = key {
                unit.note_answer(key, &body.to_string())?;
            }
            Ok(Answer { body, repeated: false })
        })
    }
}
