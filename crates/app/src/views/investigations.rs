//! Investigations, as they are shown.

use serde::Serialize;
use serde_json::{Map, Value};
use store::{InvestigationFindingRow, InvestigationFlagRow, InvestigationRow};
use utoipa::ToSchema;

use super::{Finding, FindingShape};

/// An investigation: what was asked, where it stands, what it came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Investigation {
    /// Its id.
    pub id: String,
    /// `active`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// While active: `requested`, `planned`, `running` or `writing`.
    pub phase: Option<String>,
    /// Who asked, as they said.
    pub user: Option<String>,
    /// What was asked: `question`, `scope`, `flags`, `as_of`, `known_at`, `understood`, `not_understood`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub asked: Map<String, Value>,
    /// Findings within the scope so far.
    pub findings_total: i64,
    /// Why it failed.
    pub error: Option<String>,
    /// What it came to, once it has ended: figures and a sentence.
    #[schema(value_type = Object)]
    pub summary: Option<Value>,
    /// When it was asked for.
    pub created_at: String,
    /// When something last happened to it.
    pub updated_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// The number of its last event.
    pub version: i64,
}

/// An investigation, whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InvestigationDetail {
    /// The investigation.
    #[serde(flatten)]
    pub investigation: Investigation,
    /// What is done: `steps` (whose, what, how spread over workers, where each stands and its account), `flags`, `known_at` (the
    /// instant that all are judged at, where a moment is asked for), `notes`, `missing`; null until it is planned.
    #[schema(value_type = Object)]
    pub plan: Option<Value>,
    /// Whether something that was asked for is missing, once it has ended: `summary.partial_because` says what.
    pub partial: Option<bool>,
    /// What is remembered of the same subjects: `investigations`, `verdicts`, `statements`; null before it was looked for.
    #[schema(value_type = Object)]
    pub memory: Option<Value>,
    /// How far it is.
    pub progress: Progress,
    /// What became of each flag.
    pub coverage: Vec<InvestigationFlag>,
    /// The gravest findings, at most 20; all are in `/findings`.
    #[schema(value_type = Vec<FindingShape>)]
    pub findings: Vec<Finding>,
}

/// How far an investigation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    /// Flags that were judged, failed or were left out.
    pub done: usize,
    /// All flags.
    pub total: usize,
}

/// What became of a flag.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct InvestigationFlag {
    /// Its code.
    pub flag: String,
    /// `waiting`, `running`, `judged`, `failed`, `skipped` (`error` says why: `enough` or `deadline`), `cancelled`, or `left`: the investigation failed before.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Findings within the scope.
    pub findings: i64,
    /// What it rests on: `basis` (`stored` or `moment`), `judged` (false when the flag never was over these data: then no finding means
    /// nothing), `counts` of all subjects beyond the scope, `unplaced` (findings left out because they lack a field that a
    /// filter asks for), `attached` (at most 500 of the gravest).
    #[schema(value_type = Object)]
    pub outcome: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
}

fn json(text: Option<&str>) -> crate::Result<Option<Value>> {
    Ok(text.map(serde_json::from_str).transpose().map_err(store::Error::from)?)
}

impl TryFrom<InvestigationRow> for Investigation {
    type Error = crate::Error;

    fn try_from(row: InvestigationRow) -> crate::Result<Self> {
        Ok(Self {
            id: row.id,
            status: row.status,
            phase: row.phase,
            user: Some(row.user_id).filter(|user| !user.is_empty()),
            asked: serde_json::from_str(&row.asked).map_err(store::Error::from)?,
            findings_total: row.findings,
            error: row.error,
            summary: json(row.summary.as_deref())?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ended_at: row.ended_at,
            version: row.version,
        })
    }
}

impl TryFrom<InvestigationFlagRow> for InvestigationFlag {
    type Error = crate::Error;

    fn try_from(row: InvestigationFlagRow) -> crate::Result<Self> {
        let outcome = json(row.outcome.as_deref())?;
        let (flag, state, error) = (row.flag, row.state, row.error);
        Ok(Self { flag, state, attempts: row.attempts, findings: row.findings, outcome, error })
    }
}

impl InvestigationDetail {
    /// # Errors
    /// A row is damaged.
    pub(crate) fn new(
        row: InvestigationRow,
        flags: Vec<InvestigationFlagRow>,
        findings: Vec<Finding>,
    ) -> crate::Result<Self> {
        let done = flags.iter().filter(|flag| matches!(flag.state.as_str(), "judged" | "failed" | "skipped")).count();
        let plan = json(row.plan.as_deref())?;
        let summary = json(row.summary.as_deref())?;
        let steps = plan.iter().flat_map(|plan| plan["steps"].as_array()).flatten();
        let recalls = steps.into_iter().find(|step| step["action"] == "recall");
        Ok(Self {
            memory: recalls.map(|step| step["result"].clone()).filter(|memory| !memory.is_null()),
            partial: summary.and_then(|summary| summary["partial"].as_bool()),
            plan,
            progress: Progress { done, total: flags.len() },
            coverage: flags.into_iter().map(InvestigationFlag::try_from).collect::<crate::Result<_>>()?,
            findings,
            investigation: row.try_into()?,
        })
    }
}

impl TryFrom<InvestigationFindingRow> for Finding {
    type Error = crate::Error;

    fn try_from(row: InvestigationFindingRow) -> crate::Result<Self> {
        match (row.stored, row.body) {
            (Some(stored), _) => {
                let changed = row.known_since.as_ref() != Some(&stored.updated_at);
                Ok(Self::try_from(stored)?.with("changed_since_attached", changed.into()))
            }
            (None, Some(body)) => Self::of_text(&body),
            (None, None) => Err(crate::Error::not_found("finding", &row.id)),
        }
    }
}
