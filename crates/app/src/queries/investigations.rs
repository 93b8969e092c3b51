//! Investigations: the list, one of them whole, its findings, what happened to it.

use events::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::InvestigationFilter;
use utoipa::{IntoParams, ToSchema};

use super::page::Walk;
use super::{PageLimit, PageQuery};
use crate::commands::investigations::stream_of;
use crate::views::{Finding, Investigation, InvestigationDetail, List};
use crate::{App, Error, Result};

/// The findings that stand in an investigation.
const FINDINGS_SHOWN: usize = 20;
/// Events told at once.
const EVENTS_LOT: usize = 200;

/// Where an investigation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum InvestigationStatus {
    Active,
    Completed,
    Failed,
    Cancelled,
}

/// Which investigations are wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvestigationQuery {
    /// Where they stand.
    #[param(inline)]
    pub status: Option<InvestigationStatus>,
    /// Who asked, as they said.
    pub user: Option<String>,
}

/// Something that happened, as it is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// Its number; 1 is the first.
    pub seq: u64,
    /// What it is.
    pub kind: String,
    /// What there is to say of it.
    pub data: Value,
}

impl InvestigationStatus {
    fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl App {
    /// One page of investigations, newest first.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn investigations(&self, query: &InvestigationQuery, page: &PageQuery) -> Result<List<Investigation>> {
        let walk = Walk::new("investigations", query, page, PageLimit::default())?;
        let status = query.status.map(|status| status.code().to_owned());
        let filter = InvestigationFilter { status, user: query.user.clone() };
        walk.list(self.store().investigations(&filter, walk.after.as_ref(), walk.limit)?)
    }

    /// One investigation, whole.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn investigation(&self, id: &str) -> Result<InvestigationDetail> {
        let row = self.held_investigation(id)?;
        let findings = self.store().investigation_findings(id, None, FINDINGS_SHOWN)?.rows;
        let findings = findings.into_iter().map(Finding::try_from).collect::<Result<_>>()?;
        InvestigationDetail::new(row, self.store().investigation_flags(id)?, findings)
    }

    /// One page of the findings of an investigation, gravest first.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a cursor of another list; the database cannot be read.
    pub fn investigation_findings(&self, id: &str, page: &PageQuery) -> Result<List<Finding>> {
        self.held_investigation(id)?;
        let walk = Walk::new("investigation-findings", &id, page, PageLimit::default())?;
        walk.list(self.store().investigation_findings(id, walk.after.as_ref(), walk.limit)?)
    }

    /// What happened to an investigation after event `since`, and whether nothing more will.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn investigation_events(&self, id: &str, since: u64) -> Result<(Vec<Told>, bool)> {
        // Looked at first: an event that comes after it is told the next time.
        let status = self.held_investigation(id)?.status;
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        let events = self.log().stream(&stream_of(id), since, EVENTS_LOT)?;
        let ended = status != "active" && events.len() < EVENTS_LOT;
        Ok((events.into_iter().map(told).collect(), ended))
    }

    fn held_investigation(&self, id: &str) -> Result<store::InvestigationRow> {
        self.store().investigation(id)?.ok_or_else(|| Error::not_found("investigation", id))
    }
}

/// An event of an investigation, as it is told.
pub(super) fn told(mut event: Event) -> Told {
    if let Some(payload) = event.payload.as_object_mut() {
        // Findings are counted here; they are read under /findings.
        payload.shift_remove("attached");
        payload.insert("at".to_owned(), event.recorded_at.into());
    }
    let kind = event.kind.split_once('.').map_or(event.kind.as_str(), |(_, what)| what).to_owned();
    Told { seq: event.version.cast_unsigned(), kind, data: event.payload }
}
