//! What is planted, and the truth about it.
//!
//! All cases are thought out before the first row is written: their contracts get their numbers, days and
//! suppliers here, and the writers only put them among the ordinary rows of their month. So the truth file can
//! name every contract, and a case may span months while files are written one after another. The plan is the
//! only thing that is held in memory whole; its size is bounded by the cap on cases (40 of a kind a year).

mod concentration;
mod duplicates;
mod prices;
mod sanctioned;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::days::{Day, MONTHS, Month, YEAR_MIN};
use crate::lines::Line;
use crate::party::Party;
use crate::rng::Rng;
use crate::sanctions::Sanction;
use crate::world::World;

/// Years planted in.
pub(crate) const YEARS: usize = MONTHS / 12;

/// Which source a planted contract stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Portal,
    Pncp,
}

impl Source {
    /// Cases that fit both take turns.
    fn of_case(at: usize) -> Self {
        if at.is_multiple_of(2) { Self::Portal } else { Self::Pncp }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal-compras",
            Self::Pncp => "pncp",
        }
    }
}

/// A contract that will be written among the ordinary ones.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// Number of the federal or local unit.
    pub(crate) buyer: usize,
    /// Its running number, by unit (or local body) and year.
    pub(crate) sequence: u32,
    pub(crate) day: Day,
    pub(crate) party: Party,
    pub(crate) activity: u8,
    pub(crate) object: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) cents: i64,
}

/// A kind of case in one year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CaseKey {
    pub(crate) flag: &'static str,
    pub(crate) year: i32,
    pub(crate) case: &'static str,
    pub(crate) expect: &'static str,
}

/// Everything planted.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) portal: Vec<Vec<Planned>>,
    pub(crate) pncp: Vec<Vec<Planned>>,
    pub(crate) sanctions: Vec<Sanction>,
    /// Lines of the truth file.
    pub(crate) truth: Vec<String>,
    pub(crate) counts: BTreeMap<CaseKey, u64>,
    /// Contract numbers taken, by federal unit and year.
    pub(crate) portal_numbers: Vec<[u32; YEARS]>,
    /// Contract numbers taken, by local body and year.
    pub(crate) pncp_numbers: Vec<[u32; YEARS]>,
    parties: u32,
    persons: u32,
}

/// A contract's name in the lake and in the truth file.
struct Named {
    id: String,
    subject: Value,
}

impl Plan {
    pub(crate) fn new(world: &World) -> Self {
        let mut plan = Self {
            portal: vec![Vec::new(); MONTHS],
            pncp: vec![Vec::new(); MONTHS],
            sanctions: Vec::new(),
            truth: Vec::new(),
            counts: BTreeMap::new(),
            portal_numbers: vec![[0; YEARS]; world.units.len()],
            pncp_numbers: vec![[0; YEARS]; world.locals.len().div_ceil(2)],
            parties: 0,
            persons: 0,
        };
        for year_index in 0..YEARS {
            let mut rng = world.rng(0x91A0 + year_index as u64);
            sanctioned::plant(&mut plan, world, &mut rng, year_index);
            prices::plant(&mut plan, world, &mut rng, year_index);
            concentration::plant(&mut plan, world, &mut rng, year_index);
            duplicates::plant(&mut plan, world, &mut rng, year_index);
        }
        plan.portal.iter_mut().chain(&mut plan.pncp).for_each(|month| month.sort_by_key(|planned| planned.day));
        plan
    }

    /// How many contracts are planted in a source.
    pub(crate) fn planted(&self, source: Source) -> u64 {
        let months = if source == Source::Portal { &self.portal } else { &self.pncp };
        months.iter().map(|month| month.len() as u64).sum()
    }

    /// A supplier that no ordinary contract has.
    fn party(&mut self) -> Party {
        self.parties += 1;
        Party::Planted(self.parties)
    }

    /// A natural person that no ordinary contract has; the numbers between two names are left for namesakes.
    fn person(&mut self) -> Party {
        self.persons += 1;
        Party::Person { digits: 900_000 + self.persons % 100_000, name: 50_000_000 + self.persons * 3 }
    }

    /// Puts a contract into its month and names it.
    #[allow(clippy::too_many_arguments, reason = "a contract has this many facts")]
    fn contract(
        &mut self,
        world: &World,
        source: Source,
        buyer: usize,
        day: Day,
        party: Party,
        activity: u8,
        object: String,
        (lines, cents): (Vec<Line>, i64),
    ) -> Named {
        let month = Month::containing(day);
        let (numbers, months) = match source {
            Source::Portal => (&mut self.portal_numbers[buyer], &mut self.portal),
            Source::Pncp => (&mut self.pncp_numbers[world.locals[buyer].body], &mut self.pncp),
        };
        numbers[month.year_index()] += 1;
        let sequence = numbers[month.year_index()];
        months[month.index].push(Planned { buyer, sequence, day, party, activity, object, lines, cents });
        match source {
            Source::Portal => {
                let (ug, contract) = (world.units[buyer].code.to_string(), format!("{sequence:05}{}", month.year));
                Named {
                    id: format!("portal-compras:{ug}-{contract}"),
                    subject: json!({"ug": ug, "contract": contract}),
                }
            }
            Source::Pncp => {
                let control = format!("{}-2-{sequence:06}/{}", world.locals[buyer].cnpj, month.year);
                let id = format!("pncp:{}", control.replace('/', "-"));
                Named { id, subject: json!({"numeroControlePNCP": control}) }
            }
        }
    }

    /// Notes a case. `facts` are the fields that tell what is judged.
    fn note(&mut self, key: CaseKey, source: Source, facts: Value) {
        *self.counts.entry(key).or_default() += 1;
        let mut line = json!({
            "flag": key.flag, "year": key.year, "case": key.case, "expect": key.expect, "source": source.name(),
        });
        if let (Value::Object(line), Value::Object(facts)) = (&mut line, facts) {
            line.extend(facts);
        }
        self.truth.push(line.to_string());
    }
}

/// The id of a buyer in the lake.
fn buyer_id(world: &World, source: Source, buyer: usize) -> String {
    match source {
        Source::Portal => format!("uasg:{}", world.units[buyer].code),
        Source::Pncp => format!("pncp:{}-{}", world.locals[buyer].cnpj, world.locals[buyer].code),
    }
}

/// A weekday between two days of a year, both given as month and day.
fn weekday(rng: &mut Rng, year: i32, from: (u32, u32), to: (u32, u32)) -> Day {
    let (first, last) = (Day::of(year, from.0, from.1), Day::of(year, to.0, to.1));
    first.plus(rng.below(last.since(first) + 1)).on_a_weekday(first)
}

/// The calendar year of a year index.
fn year_of(year_index: usize) -> i32 {
    YEAR_MIN + year_index as i32
}
