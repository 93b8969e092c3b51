//! What is planted, and the truth about it.
//!
//! All cases are thought out before the first row is written: their contracts get their numbers, days and
//! suppliers here, and the writers only put them among the ordinary rows of their month. So the truth file can
//! name every contract, and a case may span months while files are written one after another. The plan is the
//! only thing that is held in memory whole; its size is bounded by the cap on cases (40 of a kind a year).

mod amendments;
mod companies;
mod concentration;
mod contests;
mod duplicates;
mod notices;
mod prices;
mod sanctioned;
mod series;
mod texts;
mod waivers;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::days::{Day, MONTHS, Month, YEAR_MIN};
use crate::lines::Line;
use crate::party::Party;
use crate::payments::Payment;
use crate::portal::{Change, Terms};
use crate::receita::Registered;
use crate::rng::Rng;
use crate::sanctions::Sanction;
use crate::world::{World, activity_of};

/// Years planted in.
pub(crate) const YEARS: usize = MONTHS / 12;

/// Plants the cases of some flags in all years.
type Plot = fn(&mut Plan, &World, &mut Rng);

const PLOTS: &[Plot] = &[
    waivers::plant,
    amendments::plant,
    notices::plant,
    companies::plant,
    contests::plant,
    series::plant,
    texts::plant,
];

/// Which source a planted contract stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Portal,
    Pncp,
}

impl Source {
    /// Cases that fit both take turns; PNCP began in 2021.
    fn of_case(at: usize, year_index: usize) -> Self {
        if (at + year_index).is_multiple_of(2) || year_index == 0 { Self::Portal } else { Self::Pncp }
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
    pub(crate) facts: Facts,
}

/// What a planted contract states beyond that; what is `None` is drawn as for any other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// How it is bought.
    pub(crate) terms: Option<Terms>,
    /// Its tender in the Portal's files.
    pub(crate) tender: Option<Contest>,
    /// What its amendments add in the end, in cents.
    pub(crate) added: i64,
    /// No tender is written for it.
    pub(crate) alone: bool,
    /// Days from signature to the end of its term.
    pub(crate) term_days: Option<u32>,
    /// Its purchase in PNCP's files.
    pub(crate) purchase: Option<Announced>,
    /// The day on which PNCP published it.
    pub(crate) published: Option<Day>,
}

/// A tender of the Portal with its bidders; the contract's supplier won.
#[derive(Debug, Clone)]
pub(crate) struct Contest {
    pub(crate) number: u32,
    pub(crate) opened: Day,
    pub(crate) result: Day,
    pub(crate) losers: Vec<Party>,
}

/// A purchase of PNCP with its days and amounts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Announced {
    pub(crate) number: u32,
    pub(crate) published: Day,
    pub(crate) closed: Day,
    /// In cents; 0 where it is sealed.
    pub(crate) estimate: i64,
    pub(crate) awarded: i64,
    /// By a tender (*pregão*), or by a waiver for an emergency.
    pub(crate) tendered: bool,
}

/// A contract that a plot wants signed.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) source: Source,
    pub(crate) buyer: usize,
    pub(crate) day: Day,
    pub(crate) party: Party,
    pub(crate) activity: u8,
    pub(crate) object: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) cents: i64,
    pub(crate) facts: Facts,
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
    /// Tender numbers taken, by federal unit and year.
    pub(crate) tender_numbers: Vec<[u32; YEARS]>,
    /// Purchase numbers taken, by local body and year.
    pub(crate) purchase_numbers: Vec<[u32; YEARS]>,
    /// Amendments and notes of the planted contracts, by the month in which they are signed.
    pub(crate) changes: Vec<Vec<Change>>,
    /// What the register says of planted suppliers, where it is out of the ordinary; `None`: nothing.
    pub(crate) registered: BTreeMap<u32, Option<Registered>>,
    /// Payments of the planted series.
    pub(crate) payments: Vec<Payment>,
    special: usize,
    entries: u32,
    /// What each planted supplier sells, by its number: a bit for each activity.
    activities: Vec<u16>,
    pub(crate) parties: u32,
    persons: u32,
}

/// A contract's name in the lake and in the truth file.
struct Named {
    id: String,
    sequence: u32,
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
            tender_numbers: vec![[0; YEARS]; world.units.len()],
            purchase_numbers: vec![[0; YEARS]; world.locals.len().div_ceil(2)],
            changes: vec![Vec::new(); MONTHS],
            registered: BTreeMap::new(),
            payments: Vec::new(),
            special: 0,
            entries: 0,
            activities: vec![0],
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
        let mut rng = world.rng(0x91B0);
        for plant in PLOTS {
            plant(&mut plan, world, &mut rng);
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
        self.activities.push(0);
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
        let facts = Facts::default();
        self.sign(world, Wanted { source, buyer, day, party, activity, object, lines, cents, facts })
    }

    /// Puts a contract with facts of its own into its month and names it.
    fn sign(&mut self, world: &World, wanted: Wanted) -> Named {
        let Wanted { source, buyer, day, party, activity, object, lines, cents, facts } = wanted;
        let month = Month::containing(day);
        let (numbers, months) = match source {
            Source::Portal => (&mut self.portal_numbers[buyer], &mut self.portal),
            Source::Pncp => (&mut self.pncp_numbers[world.locals[buyer].body], &mut self.pncp),
        };
        if let Party::Planted(number) = party {
            self.activities[number as usize] |= 1 << activity;
        }
        numbers[month.year_index()] += 1;
        let sequence = numbers[month.year_index()];
        months[month.index].push(Planned { buyer, sequence, day, party, activity, object, lines, cents, facts });
        match source {
            Source::Portal => {
                let (ug, contract) = (world.units[buyer].code.to_string(), format!("{sequence:05}{}", month.year));
                Named {
                    sequence,
                    id: format!("portal-compras:{ug}-{contract}"),
                    subject: json!({"ug": ug, "contract": contract}),
                }
            }
            Source::Pncp => {
                let control = format!("{}-2-{sequence:06}/{}", world.locals[buyer].cnpj, month.year);
                let id = format!("pncp:{}", control.replace('/', "-"));
                Named { id, sequence, subject: json!({"numeroControlePNCP": control}) }
            }
        }
    }

    /// The number of a tender of the Portal, for a contract signed in that year.
    fn tender_number(&mut self, unit: usize, signed: Day) -> u32 {
        let number = &mut self.tender_numbers[unit][Month::containing(signed).year_index()];
        *number += 1;
        *number
    }

    /// The number of a purchase of PNCP, for a contract signed in that year.
    fn purchase_number(&mut self, world: &World, local: usize, signed: Day) -> u32 {
        let number = &mut self.purchase_numbers[world.locals[local].body][Month::containing(signed).year_index()];
        *number += 1;
        *number
    }

    /// Whether a federal unit signs anything at all.
    pub(crate) fn signs(&self, world: &World, unit: usize) -> bool {
        unit < world.ordinary_units() || unit >= world.units.len() - self.special
    }

    /// A federal unit that signs nothing but what a plot has it sign.
    fn special_unit(&mut self, world: &World) -> usize {
        self.special += 1;
        assert!(self.special <= world.special, "the world holds too few units for the plots");
        world.units.len() - self.special
    }

    /// A supplier with an entry of its own in the register.
    fn registered_party(&mut self, registered: Registered) -> Party {
        let party = self.party();
        self.registered.insert(self.parties, Some(registered));
        party
    }

    /// A supplier that the register does not know.
    fn unregistered_party(&mut self) -> Party {
        let party = self.party();
        self.registered.insert(self.parties, None);
        party
    }

    /// An ordinary entry of the register, as the next supplier would have it.
    fn ordinary_entry(&mut self, world: &World, activity: u8) -> Registered {
        // Two entries may be drawn before either has a supplier.
        self.entries += 1;
        Registered::of_a_case(self.entries, world.market.trade(activity))
    }

    /// The trades that a planted supplier without an entry of its own is registered for, the main one first.
    pub(crate) fn trades_of_party(&self, world: &World, number: u32) -> Vec<u8> {
        let sold = self.activities[number as usize];
        let mut trades: Vec<u8> = Vec::new();
        for activity in (0..16).filter(|activity| sold & (1 << activity) != 0) {
            let trade = world.market.trade(activity);
            if !trades.contains(&trade) {
                trades.push(trade);
            }
        }
        if trades.is_empty() {
            trades.push(world.market.trade(0));
        }
        trades
    }

    /// Any unit but those of state companies, or one of theirs.
    fn unit_of(world: &World, rng: &mut Rng, state_company: bool) -> usize {
        let drawn = (0..1_000).map(|_| world.free_unit(rng)).find(|at| world.units[*at].state_company == state_company);
        drawn.unwrap_or_else(|| world.free_unit(rng))
    }

    /// Notes a case. `facts` are the fields that tell what is judged.
    fn note(&mut self, key: CaseKey, source: Source, facts: Value) {
        self.note_in(key, source.name(), facts);
    }

    /// Notes a case of any source.
    pub(crate) fn note_in(&mut self, key: CaseKey, source: &str, facts: Value) {
        *self.counts.entry(key).or_default() += 1;
        let mut line = json!({
            "flag": key.flag, "year": key.year, "case": key.case, "expect": key.expect, "source": source,
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

/// An amount in reais as cents, never a round one.
fn in_hundredths(reais: f64) -> i64 {
    let cents = (reais * 100.0).round() as i64;
    if cents % 100_000 == 0 { cents + 1_337 } else { cents }
}

/// The day itself or the Monday after it.
fn next_monday(day: Day) -> Day {
    use chrono::Datelike;
    day.plus((7 - day.date().weekday().num_days_from_monday()) % 7)
}

/// The id of a tender of the Portal in the lake.
fn tender_id(world: &World, unit: usize, terms: Terms, number: u32, year: i32) -> String {
    format!("portal-licitacoes:{}-{}-{number:05}{year}", world.units[unit].code, terms.modality.code)
}

impl Wanted {
    /// A contract whose text names its activity, and nothing else out of the ordinary.
    fn plain(rng: &mut Rng, source: Source, buyer: usize, day: Day, party: Party, activity: u8, cents: i64) -> Self {
        let object = crate::objects::object(rng, Some(activity_of(activity)), day.year());
        Self { source, buyer, day, party, activity, object, lines: Vec::new(), cents, facts: Facts::default() }
    }
}

/// The calendar year of a year index.
fn year_of(year_index: usize) -> i32 {
    YEAR_MIN + year_index as i32
}
