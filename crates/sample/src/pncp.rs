//! PNCP's answers: contracts of towns and states, and the purchases behind them, page by page.
//!
//! A page says how many records and pages its query has, so each month's numbers are fixed before its first
//! page is written; one page of each kind is in memory at a time.

mod contracts;
mod pages;
mod purchases;

use std::io;
use std::path::Path;

use serde_json::json;

use crate::FileSummary;
use crate::days::{Day, MONTHS, Month, allot};
use crate::objects::push_object;
use crate::party::Party;
use crate::plan::{Plan, Source, YEARS};
use crate::rng::Rng;
use crate::world::{ACTIVITY_COUNT, World, activity_of};
use contracts::Agreement;
use pages::Pages;

/// Records of a page of contracts and of purchases.
const PAGE: (u64, u64) = (500, 50);
/// How PNCP's use grew from year to year; it began in 2021.
const YEAR_WEIGHTS: [f64; YEARS] = [0.0, 0.3, 0.6, 1.0, 1.4, 1.7];
/// January 2021; PNCP holds nothing from before.
const FIRST_MONTH: usize = 12;
/// Every so many ordinary contracts one comes again corrected, or again as it was: (every, first).
const CORRECTED: (u64, u64) = (997, 150);
const REPEATED: (u64, u64) = (1_999, 77);

/// What is wrong with a record that must not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breakage {
    NoControlNumber,
    ZeroDate,
    NotANumber,
}

impl Breakage {
    const ALL: [Self; 3] = [Self::NoControlNumber, Self::ZeroDate, Self::NotANumber];

    const fn case(self) -> &'static str {
        match self {
            Self::NoControlNumber => "no_control_number",
            Self::ZeroDate => "impossible_date",
            Self::NotANumber => "value_not_a_number",
        }
    }
}

/// Writes PNCP's months.
pub(crate) struct Pncp<'a> {
    world: &'a World,
    plan: &'a Plan,
    rng: Rng,
    contract_numbers: Vec<[u32; YEARS]>,
    purchase_numbers: Vec<[u32; YEARS]>,
    /// What a unit has bought by value waiver this year, by activity, in reais.
    waived: Vec<[f32; ACTIVITY_COUNT]>,
    object: Vec<u8>,
    /// Ordinary contracts so far, over all months.
    ordinary: u64,
    pub(crate) files: Vec<FileSummary>,
    pub(crate) truth: Vec<String>,
}

impl<'a> Pncp<'a> {
    pub(crate) fn new(world: &'a World, plan: &'a Plan) -> Self {
        Self {
            world,
            plan,
            rng: world.rng(0x9C_49),
            contract_numbers: plan.pncp_numbers.clone(),
            purchase_numbers: plan.purchase_numbers.clone(),
            waived: vec![[0.0; ACTIVITY_COUNT]; world.locals.len()],
            object: Vec::with_capacity(512),
            ordinary: 0,
            files: Vec::new(),
            truth: Vec::new(),
        }
    }

    /// Writes all months; `tick` is told how many contracts are done since it was last told.
    pub(crate) fn write(&mut self, out: &Path, ordinary: u64, broken: u64, tick: &dyn Fn(u64)) -> io::Result<()> {
        let contracts = allot(ordinary, YEAR_WEIGHTS);
        let purchases = allot(self.world.contracts / 10, YEAR_WEIGHTS);
        const MONTHS_HELD: u64 = (MONTHS - FIRST_MONTH) as u64;
        for index in FIRST_MONTH..MONTHS {
            let from = broken * (index - FIRST_MONTH) as u64 / MONTHS_HELD;
            let until = broken * (index - FIRST_MONTH + 1) as u64 / MONTHS_HELD;
            let breakages: Vec<Breakage> = (from..until).map(|at| Breakage::ALL[at as usize % 3]).collect();
            self.write_month(out, Month::at(index), contracts[index], purchases[index], &breakages, tick)?;
        }
        Ok(())
    }

    fn write_month(
        &mut self,
        out: &Path,
        month: Month,
        ordinary: u64,
        purchases: u64,
        breakages: &[Breakage],
        tick: &dyn Fn(u64),
    ) -> io::Result<()> {
        if month.index.is_multiple_of(12) {
            self.waived.iter_mut().for_each(|sums| sums.fill(0.0));
        }
        let plan = self.plan;
        let planned = &plan.pncp[month.index];
        let extra = count_of(CORRECTED, self.ordinary, ordinary) + count_of(REPEATED, self.ordinary, ordinary);
        let total = ordinary + extra + (planned.len() + breakages.len()) as u64;
        let mut contracts =
            Pages::new(out, format!("pncp/contratos_{}", month.label()), "pncp-contratos", PAGE.0, total);
        let announced_by_plan = planned.iter().filter(|case| case.facts.purchase.is_some()).count() as u64;
        let name = format!("pncp/contratacoes_{}", month.label());
        let mut bought = Pages::new(out, name, "pncp-contratacoes", PAGE.1, purchases + announced_by_plan);
        let (mut done, mut announced, mut placed, mut spoilt, mut told) = (0u64, 0u64, 0usize, 0usize, 0u64);
        while done < ordinary || announced < purchases || placed < planned.len() || spoilt < breakages.len() {
            let due = |count: usize, at: usize| (at as u64 + 1) * ordinary <= done * (count as u64 + 1);
            if placed < planned.len() && (done == ordinary || due(planned.len(), placed)) {
                let case = &planned[placed];
                self.object.clear();
                self.object.extend_from_slice(case.object.as_bytes());
                let agreement = Agreement {
                    buyer: case.buyer,
                    sequence: case.sequence,
                    day: case.day,
                    party: case.party,
                    cents: case.cents,
                    category: activity_of(case.activity).category,
                    purchase: case.facts.purchase.map(|purchase| purchase.number),
                    published: case.facts.published,
                    term_days: case.facts.term_days,
                    ..Agreement::default()
                };
                if let Some(purchase) = &case.facts.purchase {
                    self.write_announced(&mut bought, case.buyer, purchase)?;
                }
                self.write_contract(&mut contracts, &agreement)?;
                placed += 1;
            } else if spoilt < breakages.len() && (done == ordinary || due(breakages.len(), spoilt)) {
                let breakage = breakages[spoilt];
                let mut agreement = self.draw_alone(month);
                agreement.breakage = Some(breakage);
                let (file, record) = contracts.place();
                self.write_contract(&mut contracts, &agreement)?;
                let truth = json!({
                    "flag": "quarantine", "year": month.year, "case": breakage.case(), "expect": "quarantined",
                    "source": Source::Pncp.name(), "file": file, "record": record,
                });
                self.truth.push(truth.to_string());
                spoilt += 1;
            } else if announced < purchases && announced * ordinary.max(1) <= done * purchases {
                done += self.write_purchase(&mut contracts, &mut bought, month, ordinary - done)?;
                announced += 1;
            } else if done < ordinary {
                let agreement = self.draw_alone(month);
                self.write_ordinary(&mut contracts, &agreement)?;
                done += 1;
            } else {
                self.write_purchase(&mut contracts, &mut bought, month, 0)?;
                announced += 1;
            }
            if done - told >= 8_192 {
                tick(done - told);
                told = done;
            }
        }
        tick(done - told + planned.len() as u64);
        contracts.finish(&mut self.files)?;
        bought.finish(&mut self.files)
    }

    /// A contract whose purchase is not among the files; its object is left in `self.object`.
    fn draw_alone(&mut self, month: Month) -> Agreement {
        let world = self.world;
        let buyer = world.local(&mut self.rng);
        let income = self.rng.below(1_000) < 38;
        let activity = World::activity(&mut self.rng, world.locals[buyer].reserved);
        let party = self.draw_party(activity);
        self.object.clear();
        if income {
            self.object.extend_from_slice("Alienação de bens inservíveis da administração: ".as_bytes());
        }
        let plain = !income && self.rng.below(10) > 0;
        push_object(&mut self.object, &mut self.rng, plain.then(|| activity_of(activity)), month.year);
        let day = month.first.plus(self.rng.below(month.length())).on_a_weekday(month.first);
        Agreement {
            buyer,
            sequence: self.next_contract(buyer, month),
            day,
            party,
            cents: World::target_cents(&mut self.rng, activity, world.locals[buyer].scale * 0.6),
            category: if income {
                (11, "Alienação de bens móveis/imóveis")
            } else {
                activity_of(activity).category
            },
            income,
            ..Agreement::default()
        }
    }

    fn draw_party(&mut self, activity: u8) -> Party {
        match self.rng.below(1_000) {
            0 => Party::Foreign(self.rng.below(400)),
            _ => self.world.market.supplier(&mut self.rng, activity),
        }
    }

    fn next_contract(&mut self, buyer: usize, month: Month) -> u32 {
        let number = &mut self.contract_numbers[self.world.locals[buyer].body][month.year_index()];
        *number += 1;
        *number
    }

    /// Writes an ordinary contract, and sometimes once more: corrected by a later date, or just again.
    fn write_ordinary(&mut self, contracts: &mut Pages, agreement: &Agreement) -> io::Result<()> {
        let at = self.ordinary;
        self.ordinary += 1;
        // Drawn once, so that a repeated record is the same to the byte.
        let before = self.rng.clone();
        self.write_contract(contracts, agreement)?;
        if at % REPEATED.0 == REPEATED.1 {
            let after = std::mem::replace(&mut self.rng, before.clone());
            self.write_contract(contracts, agreement)?;
            self.rng = after;
        }
        if at % CORRECTED.0 == CORRECTED.1 {
            let after = std::mem::replace(&mut self.rng, before);
            let corrected =
                Agreement { cents: agreement.cents + agreement.cents / 20, correction: 1, ..agreement.clone() };
            self.write_contract(contracts, &corrected)?;
            self.rng = after;
        }
        Ok(())
    }
}

/// How many of the next `count` numbers after `from` are `first` more than a multiple of `every`.
fn count_of((every, first): (u64, u64), from: u64, count: u64) -> u64 {
    let below = |limit: u64| (limit + every - 1 - first) / every;
    below(from + count) - below(from)
}

/// A date and a time of day, as PNCP writes them.
fn push_moment(out: &mut Vec<u8>, day: Day, second: u32) {
    use crate::bytes::push_padded;
    out.push(b'"');
    out.extend_from_slice(day.iso());
    out.push(b'T');
    push_padded::<2>(out, u64::from(second / 3_600 % 24));
    out.push(b':');
    push_padded::<2>(out, u64::from(second / 60 % 60));
    out.push(b':');
    push_padded::<2>(out, u64::from(second % 60));
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_before_they_are_written() {
        for (from, count) in [(0, 10), (0, 151), (140, 20), (900, 2_500), (151, 996)] {
            let slow = (from..from + count).filter(|at| at % 997 == 150).count() as u64;
            assert_eq!(count_of(CORRECTED, from, count), slow, "{from} {count}");
        }
    }
}
