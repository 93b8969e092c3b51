//! BR01: contracts signed with a sanctioned supplier, and those that only look so.

use serde_json::json;

use super::{CaseKey, Named, Plan, Source, weekday, year_of};
use crate::days::Day;
use crate::objects::object;
use crate::party::Party;
use crate::places::UFS;
use crate::rng::Rng;
use crate::sanctions::{Authority, Penalty, Register, Sanction, Scope, number_of};
use crate::world::{World, activity_of};

/// A kind of case.
struct Kind {
    case: &'static str,
    expect: &'static str,
    /// Where it can stand; `None`: cases take turns.
    source: Option<Source>,
    build: fn(&mut Build) -> Sanction,
}

/// What a kind's sanction is made from.
struct Build<'a> {
    world: &'a World,
    rng: &'a mut Rng,
    source: Source,
    buyer: usize,
    signed: Day,
    party: Party,
}

const KINDS: &[Kind] = &[
    Kind {
        case: "inidoneidade_in_force",
        expect: "hit",
        source: None,
        build: |b| b.nationwide((30, 300), Some((60, 700))),
    },
    Kind { case: "inidoneidade_without_end", expect: "hit", source: None, build: |b| b.nationwide((30, 300), None) },
    Kind {
        case: "impedimento_federal_buyer",
        expect: "hit",
        source: Some(Source::Portal),
        build: |b| b.impediment(Build::federal),
    },
    Kind {
        case: "impedimento_same_town",
        expect: "hit",
        source: Some(Source::Pncp),
        build: |b| b.impediment(Build::own_body),
    },
    Kind {
        case: "masked_person_same_name",
        expect: "hit",
        source: None,
        build: |b| b.nationwide((30, 300), Some((60, 700))),
    },
    Kind {
        case: "signed_on_start_day",
        expect: "hit",
        source: None,
        build: |b| b.nationwide((0, 0), Some((200, 700))),
    },
    Kind { case: "signed_on_end_day", expect: "hit", source: None, build: |b| b.nationwide((200, 500), Some((0, 0))) },
    Kind { case: "ended_day_before", expect: "clear", source: None, build: |b| b.ended_the_day_before() },
    Kind { case: "started_day_after", expect: "clear", source: None, build: |b| b.started_the_day_after() },
    Kind { case: "fine_only", expect: "clear", source: None, build: |b| b.fine() },
    Kind {
        case: "federal_impedimento_local_buyer",
        expect: "clear",
        source: Some(Source::Pncp),
        build: |b| b.impediment(Build::federal),
    },
    Kind { case: "suspension_other_body", expect: "clear", source: None, build: |b| b.suspension() },
    Kind {
        case: "masked_person_other_name",
        expect: "clear",
        source: None,
        build: |b| b.nationwide((30, 300), Some((60, 700))),
    },
    Kind {
        case: "unknown_scope_other_body",
        expect: "not_computable",
        source: None,
        build: |b| b.prohibition_of_unknown_scope(),
    },
];

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    for kind in KINDS {
        for at in 0..world.cases {
            let source = kind.source.unwrap_or_else(|| Source::of_case(at, year_index));
            if source == Source::Pncp && year_index == 0 {
                continue;
            }
            let buyer = match source {
                Source::Portal => world.free_unit(rng),
                Source::Pncp => world.free_local(rng, true),
            };
            let signed = weekday(rng, year, (2, 10), (11, 28));
            let masked = kind.case.starts_with("masked");
            let party = if masked { plan.person() } else { plan.party() };
            let mut sanction = (kind.build)(&mut Build { world, rng, source, buyer, signed, party });
            sanction.number = number_of(plan.sanctions.len());
            let party = match party {
                Party::Person { digits, name } if kind.case.ends_with("other_name") => {
                    Party::Person { digits, name: name + 1 }
                }
                party => party,
            };
            let activity = World::activity(rng, None);
            let text = object(rng, Some(activity_of(activity)), year);
            let cents = World::target_cents(rng, activity, 1.0);
            let Named { id, subject, .. } =
                plan.contract(world, source, buyer, signed, party, activity, text, (Vec::new(), cents));
            let key = CaseKey { flag: "BR01", year, case: kind.case, expect: kind.expect };
            let facts =
                json!({"subject": subject, "subject_id": id, "supplier": party.code(), "sanction": sanction.number});
            plan.note(key, source, facts);
            plan.sanctions.push(sanction);
        }
    }
}

impl Build<'_> {
    fn days(&mut self, low: u32, high: u32) -> u32 {
        self.rng.between(low, high)
    }

    fn sanction(&self, penalty: Penalty, scope: Scope, by: Authority, start: Day, end: Option<Day>) -> Sanction {
        Sanction::new(Register::Ceis, self.party, penalty, scope, by, start, end)
    }

    /// A declaration of unfitness, begun `before` days before the signature and ending `after` days after.
    fn nationwide(&mut self, before: (u32, u32), after: Option<(u32, u32)>) -> Sanction {
        let by = self.federal();
        let start = self.signed.minus(self.rng.between(before.0, before.1));
        let end = after.map(|after| self.signed.plus(self.rng.between(after.0, after.1)));
        self.sanction(Penalty::Inidoneidade, Scope::Everywhere, by, start, end)
    }

    fn ended_the_day_before(&mut self) -> Sanction {
        let (by, start) = (self.federal(), self.signed.minus(self.rng.between(200, 700)));
        self.sanction(Penalty::Inidoneidade, Scope::Everywhere, by, start, Some(self.signed.minus(1)))
    }

    fn started_the_day_after(&mut self) -> Sanction {
        let (by, end) = (self.federal(), self.signed.plus(self.rng.between(200, 700)));
        self.sanction(Penalty::Inidoneidade, Scope::Everywhere, by, self.signed.plus(1), Some(end))
    }

    fn impediment(&mut self, by: fn(&mut Self) -> Authority) -> Sanction {
        let by = by(self);
        let (start, end) = (self.signed.minus(self.days(20, 200)), self.signed.plus(self.days(40, 400)));
        self.sanction(Penalty::Impedimento, Scope::Sphere, by, start, Some(end))
    }

    /// By a body of another sphere than the buyer's.
    fn suspension(&mut self) -> Sanction {
        let by = match self.source {
            Source::Portal => self.some_town(),
            Source::Pncp => self.federal(),
        };
        let (start, end) = (self.signed.minus(self.days(20, 200)), self.signed.plus(self.days(40, 400)));
        self.sanction(Penalty::Suspensao, Scope::Body, by, start, Some(end))
    }

    fn fine(&mut self) -> Sanction {
        let by = self.federal();
        let start = self.signed.minus(self.days(20, 200));
        let mut sanction = Sanction::new(Register::Cnep, self.party, Penalty::Multa, Scope::NotStated, by, start, None);
        sanction.fine_cents = Some(i64::from(self.rng.between(500_000, 90_000_000)));
        sanction
    }

    fn prohibition_of_unknown_scope(&mut self) -> Sanction {
        let uf = self.rng.below(UFS.len() as u32) as usize;
        let by = Authority { name: "TRIBUNAL DE JUSTIÇA FICTÍCIO DO ESTADO".to_owned(), uf, sphere: "ESTADUAL" };
        let (start, end) = (self.signed.minus(self.days(20, 200)), self.signed.plus(self.days(40, 400)));
        self.sanction(Penalty::Proibicao, Scope::NotStated, by, start, Some(end))
    }

    /// The ministry above some federal unit; the buyer's own where the buyer is one.
    fn federal(&mut self) -> Authority {
        let unit = if self.source == Source::Portal { self.buyer } else { self.world.free_unit(self.rng) };
        Authority { name: self.world.units[unit].superior.to_owned(), uf: 0, sphere: "FEDERAL" }
    }

    /// The town that buys.
    fn own_body(&mut self) -> Authority {
        let local = &self.world.locals[self.buyer];
        Authority { name: local.body_name.clone(), uf: local.uf, sphere: "MUNICIPAL" }
    }

    fn some_town(&mut self) -> Authority {
        let local = &self.world.locals[self.world.free_local(self.rng, true)];
        Authority { name: local.body_name.clone(), uf: local.uf, sphere: "MUNICIPAL" }
    }
}
