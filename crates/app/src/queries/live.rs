//! What happens, told by topic to those who follow it, from a place on.
//!
//! A place is a number that every process over the same data gives alike, so that who followed at one goes on at another, also after a
//! restart: of an investigation its event's own number, of findings the run that touched them and their row, of agents and sources the place
//! in the log. Between two places nothing is left out; what is too much to be told is said to be.

use std::collections::VecDeque;

use events::Event;
use serde_json::{Map, Value, json};
use store::chain::EventRow;

use super::{FindingQuery, Told};
use crate::views::FindingSummary;
use crate::{App, Result};

/// Rows of the log that are read at once.
const LOT: usize = 1_000;
/// Rows of the log that are read for one who comes back; who was away for longer is told so.
const LOG_BEHIND_MAX: usize = 5_000;
/// Bits of a place among findings that are the row's; the run's stand before them.
const ROW_BITS: u32 = 32;

/// What can be followed.
#[derive(Debug, Clone)]
pub enum Topic {
    /// What happens to one investigation.
    Investigation(String),
    /// What happens to one ingest that was asked for.
    Ingest(i64),
    /// Findings of this kind that are made, changed or withdrawn.
    Findings(Box<FindingQuery>),
    /// Agents that begin and end work.
    Agents,
    /// Ingests, and how fresh sources are.
    Sources,
    /// The installation as a whole.
    System,
}

/// Everything of a topic from one place to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stretch {
    /// What happened, in order.
    pub told: VecDeque<Told>,
    /// Behind this place nothing is left out.
    pub from: u64,
    /// Up to this place.
    pub to: u64,
    /// Nothing more will happen.
    pub ended: bool,
}

/// A change that someone followed.
#[derive(Debug, Clone, Default)]
pub struct News {
    /// What the log's new events tell, each under its topic.
    pub told: Vec<(Topic, Told)>,
    /// The data, or what was judged of them, are others than before.
    pub has_new_data: bool,
    /// Up to this place of the log everything was told.
    pub seen: u64,
    /// There may be more: look again at once.
    pub more: bool,
}

/// One who follows everything, for all of a process.
pub struct Follow {
    watch: store::Watch,
    epoch: Option<u64>,
    /// The last event of the log that was told.
    seen: u64,
    /// The last event that there is.
    head: u64,
    /// The data changed, and it was not told yet.
    has_new_data: bool,
}

impl Follow {
    /// From now on; what was written before is not told.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn restart(&mut self, app: &App) -> Result<()> {
        let head = app.log_head()?;
        (self.seen, self.head) = (head, self.head.max(head));
        Ok(())
    }

    /// What changed since the look before. While nothing was written it takes microseconds.
    ///
    /// # Errors
    /// The database cannot be read; the next look tells all the same.
    pub fn look(&mut self, app: &App) -> Result<News> {
        let mut news = News::default();
        match self.watch.look() {
            Ok(Some(change)) => {
                self.head = self.head.max(change.seq);
                self.has_new_data |= self.epoch.replace(change.epoch).is_some_and(|before| before != change.epoch);
            }
            Ok(None) => {}
            // It is being written to in a way that lets nobody look.
            Err(error) if error.is_busy() && !error.is_away() => {}
            Err(error) => return Err(error.into()),
        }
        if self.seen < self.head {
            let rows = app.log().rows(self.seen.cast_signed(), LOT)?;
            for row in &rows {
                news.told.extend(readable(row));
            }
            self.seen = rows.last().map_or(self.seen, |last| last.seq.cast_unsigned());
            news.more = rows.len() == LOT;
        }
        news.seen = self.seen;
        news.has_new_data = std::mem::take(&mut self.has_new_data);
        Ok(news)
    }
}

impl App {
    /// One who follows everything from now on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn follow(&self) -> Result<Follow> {
        let mut follow = Follow { watch: self.store().watch()?, epoch: None, seen: 0, head: 0, has_new_data: false };
        follow.restart(self)?;
        Ok(follow)
    }

    fn log_head(&self) -> Result<u64> {
        let head = self.log().noted_head()?;
        Ok(head.map_or(0, |(seq, _)| seq.cast_unsigned()))
    }

    /// The last `most` things that happened to a topic behind `since`; without it, of an investigation or an ingest from its beginning, of
    /// all else from now on.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a flag that the catalogue does not hold; the database cannot be read.
    pub fn stretch(&self, topic: &Topic, since: Option<u64>, most: usize) -> Result<Stretch> {
        match topic {
            Topic::Investigation(id) => self.stretch_of_investigation(id, most),
            Topic::Ingest(id) => {
                let (told, ended) = self.ingest_events(*id, since.unwrap_or(0))?;
                Ok(last_of(told, since.unwrap_or(0), most, ended))
            }
            Topic::Findings(query) => self.stretch_of_findings(query, since, most),
            Topic::Agents | Topic::Sources | Topic::System => self.stretch_of_log(topic, since, most),
        }
    }

    fn stretch_of_investigation(&self, id: &str, most: usize) -> Result<Stretch> {
        let mut stretch = Stretch::default();
        loop {
            let (told, ended) = self.investigation_events(id, stretch.to)?;
            if told.is_empty() {
                stretch.ended = ended;
                return Ok(stretch);
            }
            for one in told {
                stretch.to = one.seq;
                stretch.told.push_back(one);
                if stretch.told.len() > most {
                    stretch.from = stretch.told.pop_front().map_or(stretch.from, |gone| gone.seq);
                }
            }
            if ended {
                stretch.ended = true;
                return Ok(stretch);
            }
        }
    }

    fn stretch_of_findings(&self, query: &FindingQuery, since: Option<u64>, most: usize) -> Result<Stretch> {
        let filter = query.filter(self)?;
        let (run, rid) = self.store().last_touched()?;
        let now = place_of(run, rid);
        let Some(since) = since.filter(|since| *since < now) else {
            // A place that is not there yet is of other data: nothing of before is known.
            return Ok(Stretch { from: now, to: now, ..Stretch::default() });
        };
        let (rows, more) = self.store().findings_behind(&filter, parts_of(since), most)?;
        if more {
            return Ok(Stretch { from: now, to: now, ..Stretch::default() });
        }
        let told = rows.into_iter().map(|(rid, row)| told_of_finding(rid, row)).collect::<Result<VecDeque<_>>>()?;
        let to = told.back().map_or(now, |last| last.seq.max(now));
        Ok(Stretch { told, from: since, to, ended: false })
    }

    fn stretch_of_log(&self, topic: &Topic, since: Option<u64>, most: usize) -> Result<Stretch> {
        let now = self.log_head()?;
        let mut stretch = Stretch { from: now, to: now, ..Stretch::default() };
        let Some(since) = since.filter(|since| *since < now) else { return Ok(stretch) };
        if now - since > LOG_BEHIND_MAX as u64 {
            return Ok(stretch);
        }
        let rows = self.log().rows(since.cast_signed(), LOG_BEHIND_MAX)?;
        let mut told = Vec::new();
        for row in &rows {
            stretch.to = stretch.to.max(row.seq.cast_unsigned());
            let here = readable(row).into_iter().filter(|(of, _)| of.is_same_kind(topic));
            told.extend(here.map(|(_, told)| told));
        }
        Ok(Stretch { to: stretch.to, ..last_of(told, since, most, false) })
    }

    /// Up to `most` findings of a kind that runs behind a place touched, and whether there are more.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn findings_touched(&self, query: &FindingQuery, since: u64, most: usize) -> Result<Stretch> {
        self.stretch_of_findings(query, Some(since), most)
    }

    /// How fresh the sources are, as it is told to those who follow them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn freshness(&self) -> Result<Value> {
        let board = self.board()?;
        let row = |source: &crate::views::Source| json!({"source": source.source, "table": source.table, "rows": source.rows, "last_ingest_at": source.last_ingest_at});
        Ok(json!({"sources": board.iter().map(row).collect::<Vec<_>>()}))
    }
}

impl Topic {
    fn is_same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// The last `most` of what happened behind `since`.
fn last_of(told: Vec<Told>, since: u64, most: usize, ended: bool) -> Stretch {
    let mut told = VecDeque::from(told);
    let beyond = told.len().saturating_sub(most);
    let from = told.drain(..beyond).next_back().map_or(since, |gone| gone.seq);
    let to = told.back().map_or(from, |last| last.seq);
    Stretch { told, from, to, ended }
}

fn place_of(run: i64, rid: i64) -> u64 {
    (run.cast_unsigned() << ROW_BITS) | rid.cast_unsigned()
}

fn parts_of(place: u64) -> (i64, i64) {
    ((place >> ROW_BITS).cast_signed(), (place & ((1 << ROW_BITS) - 1)).cast_signed())
}

fn told_of_finding(rid: i64, row: store::FindingRow) -> Result<Told> {
    let seq = place_of(row.run_id, rid);
    let kind = match row.state.as_str() {
        "withdrawn" => "withdrawn",
        _ if row.first_seen_at == row.updated_at => "found",
        _ => "changed",
    };
    let body: Map<String, Value> = serde_json::from_str(&row.body).map_err(store::Error::from)?;
    let (id, at) = (row.id.clone(), row.updated_at.clone());
    let summary = serde_json::to_value(FindingSummary::try_from(row)?).map_err(store::Error::from)?;
    let mut data = match summary {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    for field in ["buyer", "supplier", "contract_ids"] {
        data.insert(field.to_owned(), body.get(field).cloned().unwrap_or_default());
    }
    data.insert("at".to_owned(), at.into());
    data.insert("links".to_owned(), json!({"self": format!("/api/v1/findings/{id}")}));
    Ok(Told { seq, kind: kind.to_owned(), data: data.into() })
}

/// The same as [`told_of`]; an event that cannot be read is passed over, for it would stand before all that come behind it.
fn readable(row: &EventRow) -> Vec<(Topic, Told)> {
    told_of(row).unwrap_or_else(|error| {
        tracing::warn!(seq = row.seq, stream = row.stream, %error, "an event cannot be read, and is not told");
        Vec::new()
    })
}

/// What an event of the log tells, under which topics.
fn told_of(row: &EventRow) -> Result<Vec<(Topic, Told)>> {
    let Some((kind, id)) = row.stream.split_once(':') else { return Ok(Vec::new()) };
    if !matches!(kind, "investigation" | "ingest") {
        return Ok(Vec::new());
    }
    let payload: Value = serde_json::from_str(&row.payload).map_err(store::Error::from)?;
    let what = row.kind.split_once('.').map_or(row.kind.as_str(), |(_, what)| what);
    let seq = row.seq.cast_unsigned();
    let mut told = Vec::new();
    if kind == "ingest" {
        // Its paths are the installation's own.
        let data = json!({"ingest": id.parse::<i64>().ok(), "status": payload["status"],
            "totals": payload["report"]["totals"], "at": row.recorded_at});
        told.push((Topic::Sources, Told { seq, kind: format!("ingest_{what}"), data }));
        return Ok(told);
    }
    if let Some(work) = work_of(what) {
        let mut data = Map::new();
        data.insert("investigation".to_owned(), id.into());
        let account = &payload["account"];
        for field in ["agent", "instance", "step", "part", "flag", "ms", "error"] {
            let value = if payload[field].is_null() { &account[field] } else { &payload[field] };
            if !value.is_null() {
                data.insert(field.to_owned(), value.clone());
            }
        }
        data.insert("at".to_owned(), row.recorded_at.clone().into());
        told.push((Topic::Agents, Told { seq, kind: work.to_owned(), data: data.into() }));
    }
    let event = Event {
        seq: row.seq,
        stream: row.stream.clone(),
        version: row.version,
        kind: row.kind.clone(),
        payload,
        recorded_at: row.recorded_at.clone(),
        place: None,
    };
    told.push((Topic::Investigation(id.to_owned()), super::investigations::told(event)));
    Ok(told)
}

/// What an agent did by an investigation's event, if one did.
fn work_of(what: &str) -> Option<&'static str> {
    match what {
        "flag_started" | "part_started" | "step_started" => Some("began"),
        "flag_judged" | "part_judged" | "step_ended" => Some("ended"),
        "flag_failed" | "part_failed" => Some("failed"),
        _ => None,
    }
}

/// Whether after this event of an investigation nothing more happens, unless it is opened again.
#[must_use]
pub fn is_end(kind: &str) -> bool {
    matches!(kind, "completed" | "failed" | "cancelled")
}

/// Now, as texts say it.
#[must_use]
pub fn now_text() -> String {
    model::dates::now_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_among_findings_is_exact_in_javascript_and_in_the_order_of_runs() {
        assert!(place_of(1, 4_000_000_000) < place_of(2, 1));
        assert_eq!(parts_of(place_of(77, 12_345)), (77, 12_345));
        assert!(place_of(2_000_000, 4_000_000_000) < 1 << 53);
    }

    #[test]
    fn of_more_than_may_be_told_the_last_is_and_the_rest_is_said_to_be_missing() {
        let told = |seq| Told { seq, kind: "x".to_owned(), data: Value::Null };
        let stretch = last_of((3..=9).map(told).collect(), 2, 3, false);
        assert_eq!((stretch.from, stretch.to, stretch.told.len()), (6, 9, 3));
        let stretch = last_of(Vec::new(), 2, 3, false);
        assert_eq!((stretch.from, stretch.to), (2, 2));
    }
}
