//! Deciding which ids are one: what the program finds after an ingest, and what a person merges or undoes.

use serde::Deserialize;
use store::{Decision, LinkedReport};
use utoipa::ToSchema;

use super::said;
use crate::identity::Account;
use crate::views::Entity;
use crate::{App, Error, Result};

/// The most characters of a reason.
const REASON_CHARS_MAX: usize = 1_000;

/// What a person decides on two ids.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideLink {
    /// The id that is, or was, merged into the other.
    pub from: String,
    /// The other.
    pub into: String,
    /// Why (at most 1,000 characters).
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub reason: String,
}

impl App {
    /// Links what an ingest brought. Who calls holds the folder's lock.
    pub(crate) fn link_entities(&self) -> Result<LinkedReport> {
        Ok(self.store().link_entities(&self.store().next_instant()?)?)
    }

    /// Merges two ids of one buyer or of one supplier; gives the entity that they are now.
    ///
    /// # Errors
    /// An id that is not held, ids of different kinds or twice the same, no reason, another writer.
    pub fn merge_entities(&self, from: &str, into: &str, reason: &str, by: Option<&Account>) -> Result<Entity> {
        let reason = checked(reason)?;
        if reason.is_empty() {
            return Err(Error::invalid("reason", "a merge needs one"));
        }
        if from == into {
            return Err(Error::invalid("into", "the same id twice"));
        }
        let kind = self.kind_of(from)?;
        if kind != self.kind_of(into)? {
            return Err(Error::invalid("into", "a buyer and a supplier cannot be one"));
        }
        let _lock = self.lock_for_decision(said::LOCK_PATIENCE)?;
        let (at, who) = (self.store().next_instant()?, said::by(by));
        let by = Decision { state: "merged", by: &who, at: &at, reason };
        self.store().merge_by_hand(kind, from, into, &by)?;
        self.entity(into)
    }

    /// Undoes a merge or turns a proposal down; gives the entity that `from` is now. The program never merges the pair
    /// again.
    ///
    /// # Errors
    /// An id that is not held, no link between the two, another writer.
    pub fn undo_entities(&self, from: &str, into: &str, reason: &str, by: Option<&Account>) -> Result<Entity> {
        let reason = checked(reason)?;
        let kind = self.kind_of(from)?;
        let _lock = self.lock_for_decision(said::LOCK_PATIENCE)?;
        let (at, who) = (self.store().next_instant()?, said::by(by));
        let by = Decision { state: "undone", by: &who, at: &at, reason };
        if !self.store().undo_link(kind, from, into, &by)? {
            return Err(Error::not_found("link", &format!("{from} – {into}")));
        }
        self.entity(from)
    }
}

fn checked(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(Error::invalid("reason", format!("longer than {REASON_CHARS_MAX} characters")));
    }
    Ok(reason)
}
