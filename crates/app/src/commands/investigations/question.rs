//! A question in Portuguese becomes the scope of an investigation; what was not understood is said.

use agents::question::{Reading, read};
use serde_json::Value;

use super::{Asked, RunOptions, Scope};
use crate::names::HeldHere;
use crate::{App, Error, Result};

impl App {
    /// What a question is read as, by the names that are held.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn reading_of(&self, question: &str) -> Result<Reading> {
        let gazetteer = self.gazetteer()?;
        let held = HeldHere::of(self);
        let reading = read(question, &gazetteer, &held, crate::today());
        held.checked()?;
        Ok(reading)
    }

    /// The filters that a question's words become.
    ///
    /// # Errors
    /// `Invalid` when nothing was understood; the database cannot be read.
    pub(super) fn read_question(&self, question: &str) -> Result<Asked> {
        let reading = self.reading_of(question)?;
        let not_understood: Vec<String> = reading.not_understood.iter().map(|left| left.words.clone()).collect();
        if reading.is_empty() {
            let mut because = format!("nothing of it became a filter; not understood: {}", not_understood.join(" "));
            for doubt in &reading.doubts {
                let names: Vec<&str> = doubt.candidates.iter().map(|candidate| candidate.name.as_str()).collect();
                because.push_str(&format!("; `{}` may be {}", doubt.words, names.join(", ")));
            }
            return Err(Error::invalid("question", because));
        }
        let scope = Scope::of(&reading)?.checked(self)?;
        let understood: Vec<Value> = reading
            .understood
            .iter()
            .map(serde_json::to_value)
            .collect::<std::result::Result<_, _>>()
            .map_err(store::Error::from)?;
        Ok(Asked {
            question: None,
            scope,
            flags: reading.flags,
            as_of: None,
            known_at: None,
            understood,
            not_understood,
            run: RunOptions::default(),
        })
    }
}

impl Scope {
    /// The scope that a question was read as.
    pub(crate) fn of(reading: &Reading) -> Result<Self> {
        // Filters have one name on both sides.
        let read = serde_json::to_value(&reading.scope).map_err(store::Error::from)?;
        Ok(serde_json::from_value(read).map_err(store::Error::from)?)
    }
}
