//! The Portal da Transparência's bulk files: contracts with items, amendments and notes, and the tenders behind
//! them, month by month.
//!
//! One month is open at a time. What crosses months is small: running numbers per unit, the waivers of the year,
//! and the amendments still to come.

mod changes;
mod contracts;
mod tables;
mod tenders;
mod terms;

use std::io;
use std::path::Path;

use serde_json::json;

use crate::FileSummary;
use crate::days::{Day, MONTHS, Month, allot};
use crate::lines::{Line, fill};
use crate::objects::push_object;
use crate::party::Party;
use crate::plan::{Plan, Planned, Source, YEARS};
use crate::rng::Rng;
use crate::world::{ACTIVITY_COUNT, World, activity_of};
pub(crate) use changes::{Change, Kind as ChangeKind};
use tables::Tables;
pub(crate) use terms::Terms;
pub(crate) use terms::waiver_limit;

/// What is wrong with a row that must not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breakage {
    FieldCount,
    ZeroDate,
    NotANumber,
    ItemNotANumber,
}

impl Breakage {
    const ALL: [Self; 4] = [Self::FieldCount, Self::ZeroDate, Self::NotANumber, Self::ItemNotANumber];

    const fn case(self) -> &'static str {
        match self {
            Self::FieldCount => "wrong_field_count",
            Self::ZeroDate => "impossible_date",
            Self::NotANumber | Self::ItemNotANumber => "value_not_a_number",
        }
    }
}

/// A contract about to be written.
#[derive(Debug)]
pub(crate) struct Deal {
    sequence: u32,
    day: Day,
    party: Party,
    cents: i64,
    lines: Vec<Line>,
    /// Planted contracts carry none of the quirks.
    planted: bool,
    breakage: Option<Breakage>,
    /// What an amendment has added, and how long its term is, where a plot says so.
    added: i64,
    term_days: Option<u32>,
}

/// Writes the Portal's months.
pub(crate) struct Portal<'a> {
    world: &'a World,
    plan: &'a Plan,
    rng: Rng,
    contract_numbers: Vec<[u32; YEARS]>,
    tender_numbers: Vec<[u32; YEARS]>,
    /// What a unit has bought by value waiver this year, by activity, in reais.
    waived: Vec<[f32; ACTIVITY_COUNT]>,
    /// Amendments and notes by the month in which they are signed.
    changes: Vec<Vec<Change>>,
    object: Vec<u8>,
    prefix: Vec<u8>,
    bidders: Vec<(Party, Vec<u8>)>,
    /// What was written, and the truth about rows that must not be read.
    pub(crate) files: Vec<FileSummary>,
    pub(crate) truth: Vec<String>,
}

impl<'a> Portal<'a> {
    pub(crate) fn new(world: &'a World, plan: &'a Plan) -> Self {
        Self {
            world,
            plan,
            rng: world.rng(0xF0_27A1),
            contract_numbers: plan.portal_numbers.clone(),
            tender_numbers: plan.tender_numbers.clone(),
            waived: vec![[0.0; ACTIVITY_COUNT]; world.units.len()],
            changes: plan.changes.clone(),
            object: Vec::with_capacity(512),
            prefix: Vec::with_capacity(256),
            bidders: (0..6).map(|_| (Party::NotStated, Vec::with_capacity(96))).collect(),
            files: Vec::new(),
            truth: Vec::new(),
        }
    }

    /// Writes all months; `tick` is told how many contracts are done since it was last told.
    pub(crate) fn write(&mut self, out: &Path, ordinary: u64, broken: u64, tick: &dyn Fn(u64)) -> io::Result<()> {
        let planted = self.plan.planted(Source::Portal);
        // A contract is whole although one of its items is not.
        let with_spoilt_item = broken / 4;
        let months = allot(ordinary - with_spoilt_item, [0.97, 1.0, 1.03, 1.06, 1.09, 1.12]);
        let tenders = (self.world.contracts / 4) as f64 / (ordinary + planted).max(1) as f64;
        for (index, ordinary) in months.into_iter().enumerate() {
            // Broken rows are spread over the months, each kind in turn.
            let from = broken * index as u64 / MONTHS as u64;
            let until = broken * (index as u64 + 1) / MONTHS as u64;
            let breakages: Vec<Breakage> = (from..until).map(|at| Breakage::ALL[at as usize % 4]).collect();
            self.write_month(out, Month::at(index), ordinary, tenders, &breakages, tick)?;
        }
        Ok(())
    }

    fn write_month(
        &mut self,
        out: &Path,
        month: Month,
        ordinary: u64,
        tenders: f64,
        breakages: &[Breakage],
        tick: &dyn Fn(u64),
    ) -> io::Result<()> {
        if month.index.is_multiple_of(12) {
            self.waived.iter_mut().for_each(|sums| sums.fill(0.0));
        }
        let mut tables = Tables::create(out, month)?;
        if month.index == 0 {
            (0..self.world.units.len())
                .filter(|unit| self.plan.signs(self.world, *unit))
                .try_for_each(|unit| self.open_unit(&mut tables, month, unit))?;
        }
        let plan = self.plan;
        let planned = &plan.portal[month.index];
        let (mut done, mut placed, mut spoilt, mut linked) = (0u64, 0usize, 0usize, 0u64);
        let mut told = 0;
        let mut group: Vec<Deal> = Vec::with_capacity(3);
        while done < ordinary || placed < planned.len() || spoilt < breakages.len() {
            let due = |count: usize, at: usize| (at as u64 + 1) * ordinary <= done * (count as u64 + 1);
            if placed < planned.len() && (done == ordinary || due(planned.len(), placed)) {
                self.write_planned(&mut tables, month, &planned[placed], &mut group)?;
                placed += 1;
                continue;
            }
            if spoilt < breakages.len() && (done == ordinary || due(breakages.len(), spoilt)) {
                self.write_ordinary(&mut tables, month, &mut group, 1, false, Some(breakages[spoilt]))?;
                spoilt += 1;
                continue;
            }
            let by_tender = (linked as f64) < tenders * (done + 1) as f64;
            let most = if by_tender { [1, 1, 1, 2, 2, 3][self.rng.below(6) as usize] } else { 1 };
            let count = (ordinary - done).min(most) as usize;
            self.write_ordinary(&mut tables, month, &mut group, count, by_tender, None)?;
            linked += u64::from(by_tender);
            done += count as u64;
            if done - told >= 8_192 {
                tick(done - told);
                told = done;
            }
        }
        self.write_changes(&mut tables, month)?;
        tick(done - told + planned.len() as u64);
        tables.finish(out, month, &mut self.files)
    }

    /// One to three contracts of one unit about one thing.
    fn write_ordinary(
        &mut self,
        tables: &mut Tables,
        month: Month,
        group: &mut Vec<Deal>,
        count: usize,
        by_tender: bool,
        breakage: Option<Breakage>,
    ) -> io::Result<()> {
        let world = self.world;
        let unit_at = world.unit(&mut self.rng);
        let unit = &world.units[unit_at];
        let activity = World::activity(&mut self.rng, unit.reserved);
        let (mut terms, limit) = Terms::draw(&mut self.rng, month, activity);
        let result = month.first.plus(self.rng.below(month.length() - 7)).on_a_weekday(month.first);
        let room = month.last.since(result);
        resize(group, count);
        for at in 0..count {
            let target = match limit {
                // Waivers thin out towards the limit.
                Some(limit) => (limit * (0.98 - 0.92 * self.rng.unit().sqrt()) * 100.0) as i64,
                // What is bought without a tender is smaller than what is put to one.
                None if !terms.modality.competitive => World::target_cents(&mut self.rng, activity, unit.scale * 0.7),
                None => World::target_cents(&mut self.rng, activity, unit.scale),
            };
            let lines = &mut group[at].lines;
            let with_lines = self.rng.below(4) > 0 || breakage == Some(Breakage::ItemNotANumber);
            let cents = if with_lines {
                fill(&mut self.rng, lines, activity, target, month.year_index(), unit.uf)
            } else {
                lines.clear();
                // Some agree on a round sum.
                if self.rng.below(5) == 0 { (target / 100_000).max(1) * 100_000 } else { target }
            };
            let party = loop {
                let party = world.market.supplier_or_quirk(&mut self.rng, activity);
                if group[..at].iter().all(|other| other.party != party) {
                    break party;
                }
            };
            self.contract_numbers[unit_at][month.year_index()] += 1;
            let after = self.rng.between(1, 9).min(room);
            let deal = &mut group[at];
            deal.sequence = self.contract_numbers[unit_at][month.year_index()];
            deal.day = result.plus(after).on_a_weekday(result);
            (deal.party, deal.cents, deal.planted, deal.breakage) = (party, cents, false, breakage);
            (deal.added, deal.term_days) = (0, None);
        }
        if let Some(limit) = limit {
            // The year's waivers of a unit in one activity stay below the limit; what does not fit is tendered.
            let sum: f64 = group.iter().map(|deal| deal.cents as f64 / 100.0).sum();
            let waived = &mut self.waived[unit_at][usize::from(activity)];
            if f64::from(*waived) + sum < 0.9 * limit {
                *waived += sum as f32;
            } else {
                terms = Terms::tendered(&terms);
            }
        }
        let vague = self.rng.below(10) == 0;
        self.object.clear();
        push_object(&mut self.object, &mut self.rng, (!vague).then(|| activity_of(activity)), month.year);
        self.write_group(tables, month, unit_at, &terms, result, group, by_tender, activity)
    }

    fn write_planned(
        &mut self,
        tables: &mut Tables,
        month: Month,
        planned: &Planned,
        group: &mut Vec<Deal>,
    ) -> io::Result<()> {
        resize(group, 1);
        let deal = &mut group[0];
        (deal.sequence, deal.day, deal.party) = (planned.sequence, planned.day, planned.party);
        (deal.cents, deal.planted, deal.breakage) = (planned.cents, true, None);
        (deal.added, deal.term_days) = (planned.facts.added, planned.facts.term_days);
        deal.lines.clone_from(&planned.lines);
        self.object.clear();
        self.object.extend_from_slice(planned.object.as_bytes());
        let terms = planned.facts.terms.unwrap_or_else(|| Terms::of_a_tender(&mut self.rng, month));
        if let Some(contest) = &planned.facts.tender {
            self.write_contest(tables, month, planned.buyer, &terms, contest, group)?;
            return self.write_contract(tables, month, planned.buyer, &terms, &group[0], Some(contest.number));
        }
        let by_tender = !planned.facts.alone && self.rng.below(10) < 6;
        let result = planned.day.minus(self.rng.between(1, 9));
        self.write_group(tables, month, planned.buyer, &terms, result, group, by_tender, planned.activity)
    }

    /// Writes contracts that have their object (in `self.object`), and the tender they come from.
    #[allow(clippy::too_many_arguments, reason = "they are the facts of one purchase")]
    fn write_group(
        &mut self,
        tables: &mut Tables,
        month: Month,
        unit: usize,
        terms: &Terms,
        result: Day,
        group: &[Deal],
        by_tender: bool,
        activity: u8,
    ) -> io::Result<()> {
        let tender = if by_tender {
            self.tender_numbers[unit][month.year_index()] += 1;
            let number = self.tender_numbers[unit][month.year_index()];
            self.write_tender(tables, month, unit, terms, result, group, number, activity)?;
            Some(number)
        } else {
            None
        };
        group.iter().try_for_each(|deal| self.write_contract(tables, month, unit, terms, deal, tender))
    }

    /// Notes a row that must land in quarantine.
    fn note_broken(&mut self, month: Month, breakage: Breakage, table: &str, line: u64) {
        let truth = json!({
            "flag": "quarantine", "year": month.year, "case": breakage.case(), "expect": "quarantined",
            "source": Source::Portal.name(), "file": format!("compras/{}_{table}.csv", month.label()), "line": line,
        });
        self.truth.push(truth.to_string());
    }
}

fn resize(group: &mut Vec<Deal>, count: usize) {
    group.resize_with(count, || Deal {
        sequence: 0,
        day: Day::of(2021, 1, 1),
        party: Party::NotStated,
        cents: 0,
        lines: Vec::new(),
        planted: false,
        breakage: None,
        added: 0,
        term_days: None,
    });
}
