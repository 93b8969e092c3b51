//! Giving a verdict: a person looked at a finding and says what it came to.

use events::{CommandKey, Expected, NewEvent};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{FindingRow, VerdictRow, verdicts};
use utoipa::ToSchema;

use super::decide::Answer;
use super::said::{self, LOCK_PATIENCE, WHO_CHARS_MAX};
use crate::identity::Account;
use crate::views::{GivenOn, Verdict};
use crate::{App, Error, Result};

/// The most characters of a reason.
const REASON_CHARS_MAX: usize = 2_000;

/// What a person concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// The finding points to something that deserved to be found.
    Confirmed,
    /// It does not: there is an innocent explanation, or the data are wrong.
    Dismissed,
}

/// A verdict that someone gives.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveVerdict {
    /// What was concluded.
    pub verdict: Conclusion,
    /// Why; shown with it (at most 2,000 characters).
    #[schema(max_length = 2000)]
    pub reason: String,
    /// Who gives it; shown with it (at most 200 characters). The name of the account, of who has signed in, and may be left out then; else as
    /// they say.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub who: String,
    /// How many verdicts the finding had when its caller looked (`verdict.version`, 0 for none): refused when it has others by
    /// now.
    #[serde(default)]
    pub expected_version: Option<i64>,
    /// The id of the account that gives it.
    #[serde(skip)]
    pub account: Option<String>,
}

impl GiveVerdict {
    /// Signed with the account that gives it, if it is one.
    ///
    /// # Errors
    /// It says to be someone else's.
    pub fn signed(mut self, account: Option<&Account>) -> Result<Self> {
        if let Some(account) = account {
            self.who = said::signed_by(&self.who, account)?;
            self.account = Some(account.id.clone());
        }
        Ok(self)
    }
}

impl Conclusion {
    fn code(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }
}

impl App {
    /// Gives a verdict on a finding. It stands until another is given; all are kept.
    ///
    /// # Errors
    /// No such finding, no reason or no name, a text that is too long, another writer; `Conflict` when the finding has other
    /// verdicts than its caller saw.
    pub fn give_verdict(&self, finding: &str, given: &GiveVerdict, key: Option<&CommandKey>) -> Result<Answer> {
        let reason = said::text("reason", &given.reason, REASON_CHARS_MAX)?;
        let who = said::line("who", &given.who, WHO_CHARS_MAX)?;
        let expected = given.expected_version.map_or(Expected::Any, Expected::Version);
        let _lock = self.lock_for_decision(LOCK_PATIENCE)?;
        let held = self.store().finding(finding)?.ok_or_else(|| Error::not_found("finding", finding))?;
        self.once(key, |unit| {
            let stream = verdicts::stream_of(finding);
            let verdict = verdict_on(&held, given.verdict, reason, who, unit.version(&stream)? + 1)?;
            let mut event = NewEvent::new(verdicts::VERDICT_GIVEN, verdicts::payload(finding, &verdict));
            if let Some(account) = &given.account {
                event.metadata = json!({"account": account});
            }
            unit.append(&stream, expected, &[event])?;
            Verdict::new(verdict, &held)
        })
    }
}

/// The verdict as it is kept, with what the finding says now.
fn verdict_on(
    held: &FindingRow,
    conclusion: Conclusion,
    reason: String,
    who: String,
    version: i64,
) -> Result<VerdictRow> {
    let on = GivenOn::of(held)?;
    Ok(VerdictRow {
        verdict: conclusion.code().to_owned(),
        reason,
        who,
        given_at: model::dates::now_text(),
        flag: held.flag.clone(),
        flag_version: on.version,
        given_on: serde_json::to_string(&on).map_err(store::Error::from)?,
        version,
    })
}
