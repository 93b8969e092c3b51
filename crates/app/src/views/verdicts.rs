//! What people said of a finding: verdicts with what they were given on, and statements.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{FindingRow, StatementRow, VerdictRow};
use utoipa::ToSchema;

/// What a person concluded of a finding, and on which form of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Verdict {
    /// Its number among the verdicts of its finding; 1 is the first.
    pub version: i64,
    /// `confirmed` or `dismissed`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// Who gave it, as they said.
    pub who: String,
    /// When it was given.
    pub when: String,
    /// What the finding said then.
    pub given_on: GivenOn,
    /// What of the finding is another now: fields of `given_on`, or `details` for what else it says; empty when it is as it
    /// was.
    pub changed_since: Vec<String>,
}

/// What a finding said when a verdict was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenOn {
    /// Of the flag.
    pub version: i64,
    /// `open` or `withdrawn`.
    pub state: String,
    /// How grave.
    pub severity: String,
    /// What was measured.
    pub measure: Option<String>,
    /// Beyond this it is a hit.
    pub threshold: Option<String>,
    /// Of measure and threshold.
    pub unit: Option<String>,
    /// Money at stake.
    pub amount: Option<String>,
    /// The day of the facts.
    pub as_of: Option<String>,
    /// Hash over everything that it said.
    pub hash: String,
}

impl GivenOn {
    /// What the finding says as it is held.
    ///
    /// # Errors
    /// It is damaged.
    pub(crate) fn of(held: &FindingRow) -> crate::Result<Self> {
        let body: Value = serde_json::from_str(&held.body).map_err(store::Error::from)?;
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Ok(Self {
            version: body["version"].as_i64().unwrap_or_default(),
            state: held.state.clone(),
            severity: held.severity.clone(),
            measure: text("measure"),
            threshold: text("threshold"),
            unit: text("unit"),
            amount: text("amount"),
            as_of: text("as_of"),
            hash: format!("{:032x}", xxhash_rust::xxh3::xxh3_128(held.body.as_bytes())),
        })
    }

    /// Names what is another in `now`.
    fn changed(&self, now: &Self) -> Vec<String> {
        let fields = [
            ("version", self.version != now.version),
            ("state", self.state != now.state),
            ("severity", self.severity != now.severity),
            ("measure", self.measure != now.measure),
            ("threshold", self.threshold != now.threshold),
            ("unit", self.unit != now.unit),
            ("amount", self.amount != now.amount),
            ("as_of", self.as_of != now.as_of),
        ];
        let mut changed: Vec<String> =
            fields.iter().filter(|(_, differs)| *differs).map(|(name, _)| (*name).to_owned()).collect();
        // The state stands beside what the hash is over.
        if self.hash != now.hash && changed.iter().all(|name| name == "state") {
            changed.push("details".to_owned());
        }
        changed
    }
}

impl Verdict {
    /// A verdict as it stands beside the finding that is held now.
    ///
    /// # Errors
    /// What is stored is damaged.
    pub(crate) fn new(row: VerdictRow, held: &FindingRow) -> crate::Result<Self> {
        let given_on: GivenOn = serde_json::from_str(&row.given_on).map_err(store::Error::from)?;
        Ok(Self {
            version: row.version,
            changed_since: given_on.changed(&GivenOn::of(held)?),
            verdict: row.verdict,
            reason: row.reason,
            who: row.who,
            when: row.given_at,
            given_on,
        })
    }
}

/// What someone whom a finding is about says to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Statement {
    /// Its number.
    pub id: i64,
    /// Who made it, as they said.
    pub who: String,
    /// Plain text; null once it is withdrawn.
    pub text: Option<String>,
    /// When it was made.
    pub made_at: String,
    /// `standing` or `withdrawn`.
    pub state: String,
    /// When its author withdrew it.
    pub withdrawn_at: Option<String>,
    /// Why, where that was said.
    pub withdrawn_because: Option<String>,
}

impl From<StatementRow> for Statement {
    fn from(row: StatementRow) -> Self {
        let withdrawn = row.withdrawn_at.is_some();
        Self {
            id: row.id,
            who: row.who,
            text: (!withdrawn).then_some(row.text),
            made_at: row.made_at,
            state: if withdrawn { "withdrawn" } else { "standing" }.to_owned(),
            withdrawn_at: row.withdrawn_at,
            withdrawn_because: row.withdrawn_because,
        }
    }
}
