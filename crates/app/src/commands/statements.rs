//! Statements: whom a finding is about says something to it, and may take it back.

use events::{Expected, NewEvent};
use serde::Deserialize;
use serde_json::json;
use store::NewStatement;
use utoipa::ToSchema;

use super::said::{self, LOCK_PATIENCE, WHO_CHARS_MAX};
use crate::identity::Account;
use crate::queries::STATEMENTS_MAX;
use crate::views::Statement;
use crate::{App, Error, Result};

/// The most characters of a statement.
const TEXT_CHARS_MAX: usize = 5_000;
/// The most characters of how its author is reached.
const CONTACT_CHARS_MAX: usize = 200;
/// The most characters of why it is withdrawn.
const REASON_CHARS_MAX: usize = 1_000;

/// A statement that someone makes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeStatement {
    /// Who makes it, as they say, whichever account records it; shown with it (at most 200 characters).
    #[schema(max_length = 200)]
    pub who: String,
    /// What they say, as plain text; shown beside the finding (at most 5,000 characters).
    #[schema(max_length = 5000)]
    pub text: String,
    /// How they are reached; kept and never shown (at most 200 characters).
    #[serde(default)]
    #[schema(max_length = 200)]
    pub contact: Option<String>,
}

/// A statement that its author takes back.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawStatement {
    /// Who takes it back: the name under which it was made.
    #[schema(max_length = 200)]
    pub who: String,
    /// Why; shown in its place (at most 1,000 characters).
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

impl App {
    /// Makes a statement to a finding.
    ///
    /// # Errors
    /// No such finding, no name or no text, a text that is too long, too many statements to one finding, another writer.
    pub fn make_statement(&self, finding: &str, made: &MakeStatement, by: Option<&Account>) -> Result<Statement> {
        let who = said::line("who", &made.who, WHO_CHARS_MAX)?;
        let text = said::text("text", &made.text, TEXT_CHARS_MAX)?;
        let contact = made.contact.as_deref().map(|c| said::line("contact", c, CONTACT_CHARS_MAX)).transpose()?;
        let _lock = self.lock_for_decision(LOCK_PATIENCE)?;
        if self.store().finding(finding)?.is_none() {
            return Err(Error::not_found("finding", finding));
        }
        if self.store().statements(finding, STATEMENTS_MAX)?.len() == STATEMENTS_MAX {
            return Err(Error::invalid("text", format!("this finding has {STATEMENTS_MAX} statements already")));
        }
        let made_at = model::dates::now_text();
        let contact = contact.as_deref();
        let statement = NewStatement { finding_id: finding, who: &who, text: &text, contact, made_at: &made_at };
        let id = self.store().add_statement(&statement)?;
        self.note_statement(id, "statement.made", finding, by)?;
        self.held_statement(id)
    }

    /// Takes a statement back: its text is shown no longer, but that it was made and withdrawn is.
    ///
    /// # Errors
    /// No such statement, another name than its author's, another writer.
    pub fn withdraw_statement(&self, id: i64, asked: &WithdrawStatement, by: Option<&Account>) -> Result<Statement> {
        let who = said::line("who", &asked.who, WHO_CHARS_MAX)?;
        let reason = asked.reason.as_deref().map(|r| said::text("reason", r, REASON_CHARS_MAX)).transpose()?;
        let _lock = self.lock_for_decision(LOCK_PATIENCE)?;
        let held = self.store().statement(id)?.ok_or_else(|| Error::not_found("statement", &id.to_string()))?;
        if held.who != who {
            return Err(Error::invalid("who", "only who made a statement may withdraw it, under the same name"));
        }
        self.store().withdraw_statement(id, reason.as_deref(), &model::dates::now_text())?;
        self.note_statement(id, "statement.withdrawn", "", by)?;
        self.held_statement(id)
    }

    /// Tells the log which account recorded it. Its author is who it says: an analyst records what a supplier says, and does not say it.
    fn note_statement(&self, id: i64, kind: &'static str, finding: &str, by: Option<&Account>) -> Result<()> {
        let Some(account) = by else { return Ok(()) };
        let event = NewEvent::new(kind, json!({"finding_id": finding, "account": account.id}));
        self.decide(|unit| {
            unit.append(&format!("statement:{id}"), Expected::Any, &[event])?;
            Ok(())
        })
    }

    fn held_statement(&self, id: i64) -> Result<Statement> {
        let row = self.store().statement(id)?.ok_or_else(|| Error::not_found("statement", &id.to_string()))?;
        Ok(row.into())
    }
}
