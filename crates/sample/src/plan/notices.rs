//! Days and amounts of purchases: BR07 (too short a window), BR10 (at the estimate), BR23 (published late), in PNCP;
//! BR28 (decided in haste or not at all) in the Portal's tenders.

use serde_json::json;

use super::{
    Announced, CaseKey, Facts, Plan, Source, Wanted, YEARS, in_hundredths, next_monday, tender_id, weekday, year_of,
};
use crate::days::Day;
use crate::portal::Terms;
use crate::rng::Rng;
use crate::world::{World, activity_of};

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng) {
    for year_index in 0..YEARS {
        for at in 0..world.cases {
            stalled(plan, world, rng, year_of(year_index), at);
            // PNCP began, and Lei 14.133 with it, in 2021.
            if year_index > 0 {
                window(plan, world, rng, year_of(year_index));
                estimate(plan, world, rng, year_of(year_index));
                late(plan, world, rng, year_of(year_index));
            }
        }
    }
}

/// A day from which Lei 14.133 holds all the year.
fn start(year: i32) -> (u32, u32) {
    if year == 2021 { (6, 1) } else { (2, 1) }
}

/// Signs a contract after its purchase and gives the contract's and the purchase's ids.
fn announce(
    plan: &mut Plan,
    world: &World,
    rng: &mut Rng,
    local: usize,
    mut purchase: Announced,
    (signed, published): (Day, Option<Day>),
) -> (String, String) {
    let activity = World::activity(rng, None);
    purchase.number = plan.purchase_number(world, local, signed);
    let facts = Facts { purchase: Some(purchase), published, term_days: Some(300), ..Facts::default() };
    let party = plan.party();
    let wanted = Wanted::plain(rng, Source::Pncp, local, signed, party, activity, purchase.awarded);
    let id = plan.sign(world, Wanted { facts, ..wanted }).id;
    let purchase_id = format!("pncp:{}-1-{:06}-{}", world.locals[local].cnpj, purchase.number, signed.year());
    (id, purchase_id)
}

/// A purchase with ordinary amounts.
fn purchase(rng: &mut Rng, published: Day, closed: Day) -> Announced {
    let activity = World::activity(rng, None);
    let awarded = in_hundredths(activity_of(activity).typical * rng.uniform(0.4, 1.2));
    let estimate = (awarded as f64 / rng.uniform(0.8, 0.95)).round() as i64;
    Announced { number: 0, published, closed, estimate, awarded, tendered: true }
}

fn window(plan: &mut Plan, world: &World, rng: &mut Rng, year: i32) {
    let kinds: [(&str, &str, u32, bool); 5] = [
        ("three_days", "hit", 3, true),
        ("a_week", "hit", 7, true),
        ("four_weeks", "clear", 28, true),
        ("nine_days_of_unknown_kind", "not_computable", 11, true),
        ("emergency_waiver", "not_judged", 2, false),
    ];
    for (case, expect, days, tendered) in kinds {
        let local = world.free_local(rng, true);
        let published = next_monday(weekday(rng, year, start(year), (9, 20)));
        let closed = published.plus(days);
        let it = Announced { tendered, ..purchase(rng, published, closed) };
        let signed = closed.plus(12).on_a_weekday(closed);
        let (_, id) = announce(plan, world, rng, local, it, (signed, None));
        plan.note(CaseKey { flag: "BR07", year, case, expect }, Source::Pncp, json!({"subject_id": id}));
    }
}

fn estimate(plan: &mut Plan, world: &World, rng: &mut Rng, year: i32) {
    let kinds: [(&str, &str, f64); 4] = [
        ("to_the_cent", "hit", 1.0),
        ("above_the_estimate", "hit", 0.96),
        ("a_tenth_below", "clear", 1.11),
        ("secret_budget", "not_computable", 0.0),
    ];
    for (case, expect, times) in kinds {
        let local = world.free_local(rng, true);
        let published = weekday(rng, year, start(year), (9, 20));
        let closed = published.plus(30);
        let mut it = purchase(rng, published, closed);
        it.estimate = (it.awarded as f64 * times).round() as i64;
        let (_, id) = announce(plan, world, rng, local, it, (closed.plus(12).on_a_weekday(closed), None));
        plan.note(CaseKey { flag: "BR10", year, case, expect }, Source::Pncp, json!({"subject_id": id}));
    }
}

fn late(plan: &mut Plan, world: &World, rng: &mut Rng, year: i32) {
    // Case, expectation, days from signature to publication, a state's body, by tender.
    let kinds: [(&str, &str, u32, bool, bool); 5] = [
        ("tender_two_months_late", "hit", 62, true, true),
        ("waiver_a_month_late", "hit", 32, true, false),
        ("tender_in_time", "clear", 20, true, true),
        ("waiver_in_time", "clear", 9, true, false),
        ("town_of_unknown_population", "not_computable", 62, false, true),
    ];
    for (case, expect, days, state, tendered) in kinds {
        let Some(local) = (if state { world.free_state(rng) } else { Some(world.free_local(rng, true)) }) else {
            continue;
        };
        let announced = weekday(rng, year, start(year), (8, 20));
        let closed = announced.plus(30);
        let it = Announced { tendered, ..purchase(rng, announced, closed) };
        let signed = closed.plus(12).on_a_weekday(closed);
        let (id, _) = announce(plan, world, rng, local, it, (signed, Some(signed.plus(days))));
        plan.note(CaseKey { flag: "BR23", year, case, expect }, Source::Pncp, json!({"subject_id": id}));
    }
}

fn stalled(plan: &mut Plan, world: &World, rng: &mut Rng, year: i32, at: usize) {
    // Case, expectation, days from the session to the result (negative: before it), pregão.
    let kinds: [(&str, &str, i32, bool); 5] = [
        ("half_a_year", "hit", 180, true),
        ("two_days_for_a_concorrencia", "hit", 2, false),
        ("two_months", "clear", 60, true),
        ("same_day_for_a_pregao", "clear", 0, true),
        ("result_before_the_session", "not_computable", -5, true),
    ];
    for (case, expect, days, pregao) in kinds {
        let unit = world.free_unit(rng);
        let signed = weekday(rng, year, (2, 10), (12, 10));
        let result = signed.minus(4).on_a_weekday(signed.minus(8));
        let opened = if days < 0 { result.plus(days.unsigned_abs()) } else { result.minus(days.unsigned_abs()) };
        let new_law = Terms::law_of(crate::days::Month::containing(signed));
        let terms = if pregao { Terms::pregao(new_law) } else { Terms::concorrencia(new_law) };
        let activity = World::activity(rng, None);
        let number = plan.tender_number(unit, signed);
        let losers = (0..2 + at % 2).map(|_| plan.party()).collect();
        let contest = super::Contest { number, opened, result, losers };
        let facts = Facts { terms: Some(terms), tender: Some(contest), ..Facts::default() };
        let cents = World::target_cents(rng, activity, 1.0);
        let party = plan.party();
        let wanted = Wanted::plain(rng, Source::Portal, unit, signed, party, activity, cents);
        plan.sign(world, Wanted { facts, ..wanted });
        let subject = tender_id(world, unit, terms, number, signed.year());
        plan.note(CaseKey { flag: "BR28", year, case, expect }, Source::Portal, json!({"subject_id": subject}));
    }
}
