//! Dead letters: tasks that failed for good; looked at, tried again, or dropped.

use events::Dead;
use serde::Serialize;
use serde_json::Value;
use store::{Cursor, Page};
use utoipa::ToSchema;

use super::investigations::{FLAG, PART, PLAN, Reopen, STEP, WRITE};
use super::work::{flag_of, investigation_of};
use crate::queries::{PageLimit, PageQuery};
use crate::views::List;
use crate::{App, Error, Result};

/// A task that failed for good.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadLetter {
    /// Its number.
    pub id: i64,
    /// Whose task it was: `investigations.plan`, `.step`, `.part`, `.flag` or `.write`.
    pub topic: String,
    /// Its name within its topic.
    pub key: String,
    /// What was to be done.
    #[schema(value_type = Object)]
    pub body: Value,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed at last.
    pub error: String,
    /// When it was enqueued.
    pub enqueued_at: String,
    /// When it failed for good.
    pub died_at: String,
}

impl From<Dead> for DeadLetter {
    fn from(dead: Dead) -> Self {
        let Dead { id, topic, key, body, attempts, error, enqueued_at, died_at } = dead;
        Self { id, topic, key, body, attempts, error, enqueued_at, died_at }
    }
}

impl App {
    /// One page of dead letters, oldest first.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list; the database cannot be read.
    pub fn dead_letters(&self, page: &PageQuery) -> Result<List<DeadLetter>> {
        let walk = crate::queries::Walk::new("dead-letters", &(), page, PageLimit::default())?;
        let after = walk.after.as_ref().map_or(0, |cursor| cursor.rid);
        let mut rows = self.log().dead(after, walk.limit + 1)?;
        let more = rows.len() > walk.limit;
        rows.truncate(walk.limit);
        let next = rows.last().filter(|_| more).map(|last| Cursor { value: None, rid: last.id });
        let marks = rows.iter().map(|row| Cursor { value: None, rid: row.id }).collect();
        walk.list(Page { rows, marks, next })
    }

    /// Makes a dead letter a task again, and opens what it belongs to again.
    ///
    /// # Errors
    /// No such letter; `Conflict` when nothing waits for it any more.
    pub fn replay_letter(&self, id: i64) -> Result<DeadLetter> {
        let letter = self.dead_letter(id)?;
        let (investigation, flag) = flag_of(&letter.body);
        match letter.topic.as_str() {
            FLAG => self.reopen_investigation(investigation, Reopen::Flag(flag))?,
            PLAN => self.reopen_investigation(investigation_of(&letter.body), Reopen::Plan)?,
            WRITE => self.reopen_investigation(investigation_of(&letter.body), Reopen::Write)?,
            PART | STEP => {
                let because = "what this part or step was of went on without it: it can only be dropped";
                return Err(Error::Conflict(because.to_owned()));
            }
            _ => {}
        }
        self.log().replay(id)?;
        Ok(letter.into())
    }

    /// Forgets a dead letter.
    ///
    /// # Errors
    /// No such letter.
    pub fn drop_letter(&self, id: i64) -> Result<DeadLetter> {
        let letter = self.dead_letter(id)?;
        self.log().drop_dead(id)?;
        Ok(letter.into())
    }

    fn dead_letter(&self, id: i64) -> Result<Dead> {
        self.log().dead_letter(id)?.ok_or_else(|| Error::not_found("dead letter", &id.to_string()))
    }
}
