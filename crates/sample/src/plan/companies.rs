//! What the register of companies tells of a supplier at signature: BR08 (young), BR09 (irregular), BR15 (a new firm for
//! a sanctioned one), BR20 (another trade), BR21 (too small for what it won).

use serde_json::json;

use super::{CaseKey, Facts, Plan, Source, Wanted, YEARS, in_hundredths, weekday, year_of};
use crate::catalog::{ItemRef, items};
use crate::days::Day;
use crate::lines::{Line, typical_price};
use crate::party::Party;
use crate::receita::{BAKERY, HAIRDRESSER, Registered, Size, Status};
use crate::rng::Rng;
use crate::sanctions::{Authority, Penalty, Register, Sanction, Scope, number_of};
use crate::world::{World, activity_of};

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng) {
    for year_index in 0..YEARS {
        for at in 0..world.cases {
            let source = Source::of_case(at, year_index);
            let mut scene =
                Scene { plan: &mut *plan, world, rng: &mut *rng, source, year_index, year: year_of(year_index) };
            scene.young();
            scene.irregular();
            scene.evasion();
            scene.over_capacity();
            if at < world.cases.div_ceil(2) {
                scene.another_trade();
            }
        }
    }
}

/// One case of each kind in one year, in one source.
struct Scene<'a> {
    plan: &'a mut Plan,
    world: &'a World,
    rng: &'a mut Rng,
    source: Source,
    year_index: usize,
    year: i32,
}

impl Scene<'_> {
    fn buyer(&mut self) -> usize {
        match self.source {
            Source::Pncp => self.world.free_local(self.rng, true),
            Source::Portal => self.world.free_unit(self.rng),
        }
    }

    fn key(&self, flag: &'static str, case: &'static str, expect: &'static str) -> CaseKey {
        CaseKey { flag, year: self.year, case, expect }
    }

    /// An ordinary entry of the register, for a plot to change.
    fn entry(&mut self, activity: u8) -> Registered {
        self.plan.ordinary_entry(self.world, activity)
    }

    /// Signs a contract with a supplier and gives its id.
    fn sign(&mut self, party: Party, activity: u8, day: Day, cents: i64, facts: Facts) -> String {
        let buyer = self.buyer();
        let wanted = Wanted::plain(self.rng, self.source, buyer, day, party, activity, cents);
        self.plan.sign(self.world, Wanted { facts, ..wanted }).id
    }

    fn sign_as_usual(&mut self, party: Party, activity: u8, day: Day) -> String {
        let cents = World::target_cents(self.rng, activity, 0.7);
        self.sign(party, activity, day, cents, Facts { term_days: Some(300), ..Facts::default() })
    }

    fn young(&mut self) {
        let kinds: [(&str, &str, u32, u32); 4] = [
            ("opened_within_a_month", "hit", 4, 28),
            ("opened_within_half_a_year", "hit", 35, 170),
            ("opened_two_years_before", "clear", 500, 900),
            ("old_company_with_a_new_branch", "clear", 0, 0),
        ];
        for (case, expect, from, to) in kinds {
            let (activity, day) = (World::activity(self.rng, None), weekday(self.rng, self.year, (1, 10), (12, 10)));
            let mut entry = self.entry(activity);
            if to > 0 {
                entry.opened = day.minus(self.rng.between(from, to));
                entry.status_on = entry.opened;
                entry.partners.iter_mut().for_each(|(_, since)| *since = Some(entry.opened));
            } else {
                entry.branch = Some(day.minus(self.rng.between(10, 60)));
            }
            let party = self.plan.registered_party(entry);
            let id = self.sign_as_usual(party, activity, day);
            self.plan.note(
                self.key("BR08", case, expect),
                self.source,
                json!({"subject_id": id, "supplier": party.code()}),
            );
        }
        let (activity, day) = (World::activity(self.rng, None), weekday(self.rng, self.year, (1, 10), (12, 10)));
        let party = self.plan.unregistered_party();
        let id = self.sign_as_usual(party, activity, day);
        let key = self.key("BR08", "not_in_the_register", "not_computable");
        self.plan.note(key, self.source, json!({"subject_id": id, "supplier": party.code()}));
    }

    fn irregular(&mut self) {
        let kinds: [(&str, &str, Status, bool); 6] = [
            ("closed_before", "hit", Status::Closed, true),
            ("unfit_before", "hit", Status::Unfit, true),
            ("suspended_before", "hit", Status::Suspended, true),
            ("closed_after_signature", "clear", Status::Closed, false),
            ("unfit_after_signature", "clear", Status::Unfit, false),
            ("active_again_after_signature", "not_computable", Status::Active, false),
        ];
        for (case, expect, status, before) in kinds {
            let (activity, day) = (World::activity(self.rng, None), weekday(self.rng, self.year, (1, 10), (11, 20)));
            let mut entry = self.entry(activity);
            entry.status = status;
            entry.status_on = match before {
                true => day.minus(self.rng.between(5, 500)),
                false => day.plus(self.rng.between(5, 38)),
            };
            let party = self.plan.registered_party(entry);
            let id = self.sign_as_usual(party, activity, day);
            self.plan.note(
                self.key("BR09", case, expect),
                self.source,
                json!({"subject_id": id, "supplier": party.code()}),
            );
        }
    }

    /// A sanctioned company, and a new one that shares a partner with it or only looks so.
    fn evasion(&mut self) {
        struct Kind {
            case: &'static str,
            expect: &'static str,
            /// Days from the sanction to the new company.
            opened_after: u32,
            partner: bool,
            since: bool,
            address: bool,
            activity: bool,
            /// Whether the sanction is over at signature.
            over: bool,
        }
        let hit = Kind {
            case: "partner_and_address",
            expect: "hit",
            opened_after: 90,
            partner: true,
            since: true,
            address: true,
            activity: true,
            over: false,
        };
        let kinds = [
            Kind { case: "partner_and_activity", opened_after: 200, address: false, ..hit },
            Kind { case: "opened_two_years_after", expect: "clear", opened_after: 760, ..hit },
            Kind { case: "no_partner_in_common", expect: "clear", partner: false, ..hit },
            Kind { case: "nothing_but_a_partner", expect: "clear", address: false, activity: false, ..hit },
            Kind { case: "sanction_over_at_signature", expect: "clear", over: true, ..hit },
            Kind { case: "partner_since_unknown", expect: "not_computable", since: false, ..hit },
            hit,
        ];
        for kind in kinds {
            let (activity, day) = (World::activity(self.rng, None), weekday(self.rng, self.year, (1, 20), (11, 28)));
            let start = day.minus(kind.opened_after + self.rng.between(240, 420));
            let end = if kind.over { day.minus(self.rng.between(3, 20)) } else { day.plus(self.rng.between(100, 900)) };
            let mut old_entry = self.entry(activity);
            if !kind.activity {
                old_entry.activity = BAKERY;
            }
            let mut entry = self.entry(activity);
            entry.opened = start.plus(kind.opened_after);
            entry.status_on = entry.opened;
            entry.partners.iter_mut().for_each(|(_, since)| *since = Some(entry.opened));
            if kind.partner {
                entry.partners.push((old_entry.partners[0].0, kind.since.then_some(entry.opened)));
            }
            if kind.address {
                entry.address = old_entry.address;
            }
            let old = self.plan.registered_party(old_entry);
            let unit = self.world.free_unit(self.rng);
            let by = Authority { name: self.world.units[unit].superior.to_owned(), uf: 0, sphere: "FEDERAL" };
            let mut sanction =
                Sanction::new(Register::Ceis, old, Penalty::Inidoneidade, Scope::Everywhere, by, start, Some(end));
            sanction.number = number_of(self.plan.sanctions.len());
            let number = sanction.number;
            self.plan.sanctions.push(sanction);
            let party = self.plan.registered_party(entry);
            let id = self.sign_as_usual(party, activity, day);
            let facts =
                json!({"subject_id": id, "supplier": party.code(), "sanctioned": old.code(), "sanction": number});
            self.plan.note(self.key("BR15", kind.case, kind.expect), self.source, facts);
        }
    }

    fn over_capacity(&mut self) {
        // Case, expectation, size, capital, value and days of the term.
        let kinds: [(&str, &str, Size, u64, f64, u32); 6] = [
            ("micro_company", "hit", Size::Micro, 60_000, 900_000.0, 360),
            ("one_person_firm", "hit", Size::Individual, 12_000, 160_000.0, 330),
            ("next_to_no_capital", "hit", Size::Other, 1_000, 350_000.0, 300),
            ("small_company_within_its_size", "clear", Size::Small, 60_000, 900_000.0, 360),
            ("micro_company_over_five_years", "clear", Size::Micro, 60_000, 1_200_000.0, 1_825),
            ("size_not_stated", "not_computable", Size::NotStated, 60_000, 900_000.0, 360),
        ];
        for (case, expect, size, capital, reais, term) in kinds {
            let (activity, day) = (World::activity(self.rng, None), weekday(self.rng, self.year, (1, 10), (12, 10)));
            let mut entry = self.entry(activity);
            (entry.size, entry.capital) = (size, capital);
            entry.opened = entry.opened.min(Day::of(2014, 6, 1));
            let party = self.plan.registered_party(entry);
            let cents = in_hundredths(reais * self.rng.uniform(0.95, 1.1));
            self.sign(party, activity, day, cents, Facts { term_days: Some(term), ..Facts::default() });
            let subject = format!("{:08}|{}", party.root(), self.year);
            self.plan.note(
                self.key("BR21", case, expect),
                self.source,
                json!({"subject_id": subject, "supplier": party.code()}),
            );
        }
    }

    /// A seller of what hardly anyone of its trade sells. The item is one that many sell.
    fn another_trade(&mut self) {
        let all: Vec<ItemRef> = items().filter(|item| item.item < 2 && [1, 2, 3, 8].contains(&item.activity)).collect();
        let item = all[(self.year_index * 5 + self.rng.below(3) as usize) % all.len()];
        let kinds: [(&str, &str, Option<u8>); 4] = [
            ("bakery", "hit", Some(BAKERY)),
            ("hairdresser", "hit", Some(HAIRDRESSER)),
            ("same_trade", "clear", None),
            ("not_in_the_register", "not_computable", None),
        ];
        // Enough others sell it too, whatever the size of the sample.
        for _ in 0..45 {
            let party = self.plan.party();
            self.sell(party, item);
        }
        for (case, expect, trade) in kinds {
            let mut entry = self.entry(item.activity);
            entry.activity = trade.unwrap_or(entry.activity);
            let party = match expect {
                "not_computable" => self.plan.unregistered_party(),
                _ => self.plan.registered_party(entry),
            };
            self.sell(party, item);
            let subject = format!("portal-compras||{}|{:08}", item.code(), party.root());
            let key = self.key("BR20", case, expect);
            self.plan.note(key, Source::Portal, json!({"subject_id": subject, "supplier": party.code()}));
        }
    }

    fn sell(&mut self, party: Party, item: ItemRef) {
        let unit = self.world.free_unit(self.rng);
        let day = weekday(self.rng, self.year, (1, 10), (12, 10));
        let reais = typical_price(item, false, self.year_index, self.world.units[unit].uf)
            * (item.sigma() * self.rng.normal_within(1.6)).exp();
        let target = in_hundredths(activity_of(item.activity).typical * self.rng.uniform(0.2, 0.8));
        let line = Line::worth(item, false, reais, target, self.rng);
        let facts = Facts { alone: true, ..Facts::default() };
        let wanted = Wanted::plain(self.rng, Source::Portal, unit, day, party, item.activity, line.cents);
        self.plan.sign(self.world, Wanted { facts, lines: vec![line], ..wanted });
    }
}
