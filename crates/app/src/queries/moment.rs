//! What the flags say at two dates: of the facts up to a day (`as_of`), as they were held at an instant (`known_at`), with
//! the parameters of the catalogue or others. Nothing of it is stored.
//!
//! The same catalogue, parameters, law and segments give the same bytes. Over HTTP a judgement is kept in memory for whoever
//! asks again or turns the page; it is named by all that it depends on, so it never goes stale.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{NaiveDate, Utc};
use flags::{Flag, Hit, Outcomes};
use lake::{SegmentSet, Session};
use utoipa::IntoParams;

use super::coverage::counted;
use super::page::Walk;
use super::{PageLimit, PageQuery};
use crate::views::{Finding, FlagAtMoment, FlagCoverage, Judged, JudgedAt, List, MomentReport};
use crate::{App, Error, Result, VERSION};

/// The most findings of a judgement that are kept for pages, gravest first; all are counted.
pub const FINDINGS_KEPT_MAX: usize = 1_000;
/// The most judgements kept in memory.
const JUDGEMENTS_MAX: usize = 32;
/// The most bytes of findings kept in memory.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// Values of parameters that are not the catalogue's, by flag and name.
pub type Parameters = BTreeMap<String, BTreeMap<String, f64>>;

/// Which facts, as held when.
#[derive(Debug, Clone, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MomentQuery {
    /// Only facts that stood by this day (default: all).
    #[param(value_type = Option<String>, format = Date)]
    pub as_of: Option<NaiveDate>,
    /// As they were held at this instant, RFC 3339 with offset (default: now).
    #[param(example = "2026-11-01T00:00:00-03:00")]
    pub known_at: Option<String>,
}

impl MomentQuery {
    /// Reads `known_at`.
    ///
    /// # Errors
    /// `Invalid` when it is no instant, or one to come: what will be held then is not known.
    pub fn new(as_of: Option<NaiveDate>, known_at: Option<&str>) -> Result<Self> {
        let known_at = known_at.map(instant).transpose()?;
        Ok(Self { as_of, known_at })
    }
}

fn instant(text: &str) -> Result<String> {
    let at = model::dates::parse_instant(text).map_err(|e| Error::invalid("known_at", e.to_string()))?;
    if at > Utc::now() {
        return Err(Error::invalid("known_at", "lies in the future: what will be held then is not known"));
    }
    Ok(model::dates::at_text(at))
}

/// A moment with the segments that answer for it.
struct Moment {
    as_of: Option<NaiveDate>,
    known_at: Option<String>,
    segments: Vec<store::Segment>,
}

/// What one flag's judgement came to.
struct Outcome {
    coverage: FlagCoverage,
    hits: Vec<Hit>,
}

impl App {
    /// Judges flags (all when none is named) at a moment, with the parameters given. The findings that are stored stay as
    /// they are.
    ///
    /// # Errors
    /// `NotFound` for a flag, `Invalid` for a parameter or instant; `Lake` when segments of then are gone; the analysis
    /// fails.
    pub fn judge_at(
        &self,
        codes: &[String],
        query: &MomentQuery,
        parameters: &Parameters,
        tell: &mut dyn FnMut(&str),
    ) -> Result<MomentReport> {
        let flags = self.flags_with(codes, parameters)?;
        let moment = self.moment(query)?;
        let segments = SegmentSet::of(&moment.segments);
        let session = self.session_at(&moment)?;
        let mut report =
            MomentReport { at: self.judged_at(&moment, segments, &session)?, flags: Vec::new(), findings: Vec::new() };
        for flag in flags {
            tell(&flag.code);
            let outcome = self.outcome_of(&session, &flag)?;
            for hit in outcome.hits {
                report.findings.push(Finding::at_moment(&hit, moment.known_at.as_deref())?);
            }
            report.flags.push(FlagAtMoment {
                code: flag.code.clone(),
                version: flag.version,
                parameters: flag.values(),
                counts: outcome.coverage,
            });
        }
        Ok(report)
    }

    /// What one flag finds at a moment, for one who can be stopped: `begun` gets the session before it is asked anything.
    ///
    /// # Errors
    /// As [`App::judge_at`].
    pub(crate) fn hits_at(
        &self,
        code: &str,
        query: &MomentQuery,
        begun: impl FnOnce(&Session) -> Result<()>,
    ) -> Result<(JudgedAt, FlagCoverage, Vec<Hit>)> {
        let flag = self.catalogue().flag(code).ok_or_else(|| Error::not_found("flag", code))?;
        let moment = self.moment(query)?;
        let session = self.session_at(&moment)?;
        begun(&session)?;
        let at = self.judged_at(&moment, SegmentSet::of(&moment.segments), &session)?;
        let Outcome { coverage, hits } = self.outcome_of(&session, flag)?;
        Ok((at, coverage, hits))
    }

    /// One page of what a flag finds at a moment, gravest first. At most [`FINDINGS_KEPT_MAX`] can be paged through.
    ///
    /// # Errors
    /// As [`App::judge_at`]; `Invalid` for a cursor of another flag, moment or state of the data.
    pub fn findings_at(&self, code: &str, query: &MomentQuery, page: &PageQuery) -> Result<Judged> {
        let flag = self.catalogue().flag(code).ok_or_else(|| Error::not_found("flag", code))?;
        let moment = self.moment(query)?;
        let segments = SegmentSet::of(&moment.segments);
        let question = (&flag.code, moment.as_of, &moment.known_at, &segments.sha256);
        let walk = Walk::new("flag-findings", &question, page, PageLimit::default())?;
        let key = serde_json::to_string(&question).map_err(store::Error::from)?;
        let kept = self.judgements().get_or(&key, || self.judge_once(flag, &moment, segments))?;
        let List { data, page, .. } = walk.slice(kept.findings.clone())?;
        Ok(Judged {
            data,
            page,
            at: kept.at.clone(),
            total: kept.total,
            total_paged: kept.findings.len(),
            counts: kept.counts.clone(),
        })
    }

    fn judge_once(&self, flag: &Flag, moment: &Moment, segments: SegmentSet) -> Result<Kept> {
        let session = self.session_at(moment)?;
        let at = self.judged_at(moment, segments, &session)?;
        let Outcome { coverage, hits } = self.outcome_of(&session, flag)?;
        let shown = hits.iter().take(FINDINGS_KEPT_MAX);
        Ok(Kept {
            at,
            total: hits.len(),
            bytes: shown.clone().map(|hit| hit.body.len()).sum(),
            findings: shown.map(|hit| Finding::at_moment(hit, moment.known_at.as_deref())).collect::<Result<_>>()?,
            counts: coverage,
        })
    }

    /// The flags named, or all, with the parameters given.
    fn flags_with(&self, codes: &[String], parameters: &Parameters) -> Result<Vec<Flag>> {
        let catalogue = self.catalogue();
        if let Some(code) = codes.iter().chain(parameters.keys()).find(|code| catalogue.flag(code).is_none()) {
            return Err(Error::not_found("flag", code));
        }
        let named = |flag: &&Flag| codes.is_empty() || codes.iter().any(|code| flag.code.eq_ignore_ascii_case(code));
        let with = |flag: &Flag| -> Result<Flag> {
            let values = parameters.iter().filter(|(code, _)| flag.code.eq_ignore_ascii_case(code));
            values.map(|(_, values)| values).try_fold(flag.clone(), |flag, values| {
                flag.with(values).map_err(|error| Error::invalid("param", error.to_string()))
            })
        };
        catalogue.flags().iter().filter(named).map(with).collect()
    }

    /// The moment with its segments. Without an instant it is the one since which all that is held has been held.
    fn moment(&self, query: &MomentQuery) -> Result<Moment> {
        let known_at = match &query.known_at {
            Some(instant) => Some(instant.clone()),
            None => self.store().held_since()?,
        };
        let segments = match &known_at {
            Some(instant) => self.lake().segments_at(self.store(), instant)?,
            None => Vec::new(),
        };
        Ok(Moment { as_of: query.as_of, known_at, segments })
    }

    fn session_at(&self, moment: &Moment) -> Result<Session> {
        let limits = self.session_limits();
        Ok(self.lake().session_over(self.store(), moment.segments.clone(), moment.as_of, &limits)?)
    }

    fn judged_at(&self, moment: &Moment, segments: SegmentSet, session: &Session) -> Result<JudgedAt> {
        let undated = session.undated()?.into_iter().map(|(table, n)| (table.to_owned(), n)).collect();
        Ok(JudgedAt {
            as_of: moment.as_of.map(|day| day.to_string()),
            known_at: moment.known_at.clone(),
            catalogue_version: self.catalogue().version().to_owned(),
            program_version: VERSION.to_owned(),
            law_version: model::law::LAW_VERSION.to_string(),
            segments,
            undated,
        })
    }

    /// Judges a flag in a session over everything; what it says of every subject goes into a file that is removed again.
    fn outcome_of(&self, session: &Session, flag: &Flag) -> Result<Outcome> {
        let file = Passing::new(&self.folder().join("spill"))?;
        let outcomes = Outcomes { before: None, after: &file.0 };
        let judged = self.with_room(session, flag, || flags::judge(session, flag, outcomes))?;
        let mut hits = judged.map(|judged| judged.hits).unwrap_or_default();
        hits.sort_by(|a, b| b.gravity.cmp(&a.gravity).then_with(|| a.id.cmp(&b.id)));
        let mut coverage = FlagCoverage::default();
        for row in flags::outcomes_of(session, &file.0)? {
            counted(&mut coverage, &row.source, &row.outcome, &row.field, row.n);
        }
        Ok(Outcome { coverage, hits })
    }
}

/// A file that goes away when it is no longer needed.
struct Passing(PathBuf);

impl Passing {
    fn new(folder: &Path) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, &e))?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self(folder.join(format!("judged-{}-{number}.parquet", std::process::id()))))
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // What cannot be removed is emptied with the rest of the folder.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A judgement in memory.
struct Kept {
    at: JudgedAt,
    total: usize,
    bytes: usize,
    findings: Vec<Finding>,
    counts: FlagCoverage,
}

/// Judgements in memory, those asked for last at the end; bounded in number and bytes.
#[derive(Default)]
pub(crate) struct Judgements {
    kept: Mutex<VecDeque<(String, Arc<Kept>)>>,
    /// Held by the one who judges: one at a time, and who waits for the same finds it kept.
    judging: Mutex<()>,
}

impl Judgements {
    fn get_or(&self, key: &str, judge: impl FnOnce() -> Result<Kept>) -> Result<Arc<Kept>> {
        if let Some(kept) = self.get(key) {
            return Ok(kept);
        }
        let _judging = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        match self.get(key) {
            Some(kept) => Ok(kept),
            None => Ok(self.keep(key.to_owned(), judge()?)),
        }
    }

    fn get(&self, key: &str) -> Option<Arc<Kept>> {
        let mut held = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|(other, _)| other == key)?;
        let entry = held.remove(at)?;
        let kept = Arc::clone(&entry.1);
        held.push_back(entry);
        Some(kept)
    }

    fn keep(&self, key: String, kept: Kept) -> Arc<Kept> {
        let kept = Arc::new(kept);
        let mut held = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        held.push_back((key, Arc::clone(&kept)));
        while held.len() > JUDGEMENTS_MAX || held.iter().map(|(_, kept)| kept.bytes).sum::<usize>() > KEPT_BYTES_MAX {
            held.pop_front();
        }
        kept
    }
}
