//! Findings: the list with its filters, one finding whole, and those that stand under a contract or a party.

use serde::{Deserialize, Serialize};
use store::FindingFilter;
use utoipa::{IntoParams, ToSchema};

use super::page::Walk;
use super::{PageLimit, PageQuery, VerdictGiven};
use crate::views::{Finding, FindingSummary, List};
use crate::{App, Error, Result};

/// The order of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub enum FindingSort {
    /// Severity first, money second.
    #[default]
    #[serde(rename = "-gravity")]
    GravestFirst,
    /// Money at stake.
    #[serde(rename = "-amount")]
    DearestFirst,
    /// The day of the facts.
    #[serde(rename = "-as_of")]
    NewestFirst,
}

/// How grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// What a finding rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A limit of the law.
    Rule,
    /// Out of the pattern of its peers.
    Signal,
    /// Something to know beside others.
    Context,
}

/// Whether findings still hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// They hold.
    #[default]
    Open,
    /// They held once.
    Withdrawn,
    /// Either.
    All,
}

/// Which findings are wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FindingQuery {
    /// The flag's code.
    #[param(example = "BR05")]
    pub flag: Option<String>,
    /// How grave.
    #[param(inline)]
    pub severity: Option<Severity>,
    /// What it rests on.
    #[param(inline)]
    pub kind: Option<FindingKind>,
    /// Whether it still holds (default `open`).
    #[param(value_type = Option<FindingState>, inline)]
    pub state: FindingState,
    /// The buyer's id.
    pub buyer_id: Option<String>,
    /// The supplier's id.
    pub supplier_id: Option<String>,
    /// The contract's id.
    pub contract_id: Option<String>,
    /// What people concluded of it; `none` when nobody looked.
    #[param(inline)]
    pub verdict: Option<VerdictGiven>,
    /// The order (default `-gravity`).
    #[param(value_type = Option<FindingSort>, inline)]
    pub sort: FindingSort,
}

impl From<FindingSort> for store::FindingSort {
    fn from(sort: FindingSort) -> Self {
        match sort {
            FindingSort::GravestFirst => Self::GravestFirst,
            FindingSort::DearestFirst => Self::DearestFirst,
            FindingSort::NewestFirst => Self::NewestFirst,
        }
    }
}

impl Severity {
    fn code(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FindingKind {
    fn code(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Signal => "signal",
            Self::Context => "context",
        }
    }
}

impl FindingState {
    /// Its code in the table; `None` for either.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Open => Some("open"),
            Self::Withdrawn => Some("withdrawn"),
            Self::All => None,
        }
    }
}

impl FindingQuery {
    /// What the store is asked for.
    ///
    /// # Errors
    /// `Invalid` for a flag that the catalogue does not hold.
    pub(super) fn filter(&self, app: &App) -> Result<FindingFilter> {
        if let Some(code) = &self.flag
            && app.catalogue().flag(code).is_none()
        {
            return Err(Error::invalid("flag", "not a flag of the catalogue"));
        }
        Ok(FindingFilter {
            flag: self.flag.clone(),
            severity: self.severity.map(|s| s.code().to_owned()),
            kind: self.kind.map(|k| k.code().to_owned()),
            state: self.state.code().map(str::to_owned),
            buyer_id: self.buyer_id.clone(),
            supplier_id: self.supplier_id.clone(),
            contract_id: self.contract_id.clone(),
            verdict: self.verdict.map(Into::into),
        })
    }
}

impl App {
    /// One page of findings.
    ///
    /// # Errors
    /// `Invalid` for a flag that the catalogue does not hold (an empty page would read as "nothing found") or a cursor
    /// of another question; the database cannot be read.
    pub fn findings(&self, query: &FindingQuery, page: &PageQuery) -> Result<List<Finding>> {
        let walk = Walk::new("findings", query, page, PageLimit::default())?;
        let filter = query.filter(self)?;
        let ask = || walk.list(self.store().findings(&filter, query.sort.into(), walk.after.as_ref(), walk.limit)?);
        if page.is_usual() { self.recalled("findings", &(query, page), ask) } else { ask() }
    }

    /// One finding, whole, with what people said of it.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn finding(&self, id: &str) -> Result<Finding> {
        let held = self.store().finding(id)?.ok_or_else(|| Error::not_found("finding", id))?;
        let (verdicts, statements) = self.said_of(&held)?;
        Finding::try_from(held)?.with_said(&verdicts, &statements)
    }

    /// At most `shown` open findings, gravest first, and whether there are more.
    pub(crate) fn open_findings(&self, about: FindingFilter, shown: usize) -> Result<(Vec<FindingSummary>, bool)> {
        let filter = FindingFilter { state: Some("open".to_owned()), ..about };
        let page = self.store().findings(&filter, store::FindingSort::GravestFirst, None, shown)?;
        let more = page.next.is_some();
        Ok((page.rows.into_iter().map(FindingSummary::try_from).collect::<Result<_>>()?, more))
    }
}
