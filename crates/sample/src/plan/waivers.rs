//! What units buy without a tender: BR02 (one need split among waivers), BR03 (waivers that crowd under the limit),
//! BR12 (all without a tender) and BR13 (one supplier without a tender again and again).
//!
//! Units of BR02, BR03 and BR12 sign nothing else, so that their sums and shares are exactly those planted.

use serde_json::json;

use super::{CaseKey, Facts, Plan, Source, Wanted, YEARS, buyer_id, in_hundredths, weekday, year_of};
use crate::days::{Day, Month};
use crate::objects::{object, object_about};
use crate::party::Party;
use crate::portal::{Terms, waiver_limit};
use crate::rng::Rng;
use crate::world::{World, activity_of};

/// Activities that every text rule tells apart.
const DISTINCT: [u8; 8] = [0, 1, 2, 5, 6, 9, 12, 13];

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng) {
    for year_index in 0..YEARS {
        for at in 0..world.cases {
            split(plan, world, rng, year_index);
            if at < world.cases.div_ceil(2) {
                direct(plan, world, rng, year_index);
            }
            repeat(plan, world, rng, year_index);
        }
    }
    for _ in 0..world.cases {
        bunch(plan, world, rng);
    }
}

/// A day from which one limit holds for the rest of the year.
fn spring(year: i32) -> (u32, u32) {
    if year == 2020 { (4, 1) } else { (1, 20) }
}

/// A waiver of a unit of one's own.
fn waive(
    plan: &mut Plan,
    world: &World,
    rng: &mut Rng,
    (unit, party, activity): (usize, Party, u8),
    day: Day,
    part: f64,
) -> String {
    let new_law = Terms::law_of(Month::containing(day));
    let reais = waiver_limit(new_law, Month::containing(day)) * part;
    let facts = Facts { terms: Some(Terms::waiver(new_law)), alone: true, ..Facts::default() };
    let object = object_about(rng, activity_of(activity).cores[0], day.year());
    let wanted = Wanted::plain(rng, Source::Portal, unit, day, party, activity, in_hundredths(reais));
    let wanted = Wanted { facts, object, ..wanted };
    plan.sign(world, wanted).id
}

fn split(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    let activity = rng.pick(&DISTINCT);
    let other = DISTINCT[(DISTINCT.iter().position(|a| *a == activity).unwrap_or(0) + 1) % DISTINCT.len()];
    let first = weekday(rng, year, spring(year), (10, 20));
    // Case, expectation, suppliers, days between, and each waiver's activity and part of the limit.
    type Series = (&'static str, &'static str, bool, u32, Vec<(u8, f64)>);
    let kinds: [Series; 4] = [
        ("one_supplier_within_weeks", "hit", true, 7, vec![(activity, 0.44), (activity, 0.41), (activity, 0.46)]),
        (
            "several_suppliers",
            "hit",
            false,
            15,
            vec![(activity, 0.62), (activity, 0.31), (activity, 0.55), (activity, 0.2)],
        ),
        ("below_the_limit_together", "clear", true, 12, vec![(activity, 0.3), (activity, 0.28), (activity, 0.33)]),
        ("two_lines_of_activity", "clear", true, 9, vec![(activity, 0.7), (other, 0.65)]),
    ];
    for (case, expect, same, gap, parts) in kinds {
        let unit = plan.special_unit(world);
        let supplier = plan.party();
        let mut ids = Vec::new();
        for (at, (activity, part)) in parts.into_iter().enumerate() {
            let party = if same { supplier } else { plan.party() };
            let day = first.plus(gap * at as u32).on_a_weekday(first);
            let part = part * rng.uniform(0.98, 1.02);
            ids.push(waive(plan, world, rng, (unit, party, activity), day, part));
        }
        note_split(plan, world, (case, expect, year), unit, &ids);
    }
    // The same purchases for an emergency: another ground than value, which the flag does not judge.
    let (unit, supplier) = (plan.special_unit(world), plan.party());
    let new_law = Terms::law_of(Month::containing(first));
    let mut ids = Vec::new();
    for at in 0..3 {
        let day = first.plus(8 * at).on_a_weekday(first);
        let cents = in_hundredths(waiver_limit(new_law, Month::containing(day)) * 0.45);
        let facts = Facts { terms: Some(Terms::emergency(new_law)), alone: true, ..Facts::default() };
        let wanted = Wanted::plain(rng, Source::Portal, unit, day, supplier, activity, cents + i64::from(at) * 20_000);
        ids.push(plan.sign(world, Wanted { facts, ..wanted }).id);
    }
    note_split(plan, world, ("emergency_waivers", "not_judged", year), unit, &ids);
    let (unit, supplier) = (plan.special_unit(world), plan.party());
    let facts = Facts { terms: Some(Terms::waiver_without_basis()), alone: true, ..Facts::default() };
    let wanted = Wanted::plain(rng, Source::Portal, unit, first, supplier, activity, 1_200_000);
    let id = plan.sign(world, Wanted { facts, ..wanted }).id;
    let key = CaseKey { flag: "BR02", year, case: "no_legal_basis", expect: "not_computable" };
    plan.note(key, Source::Portal, json!({"subject_id": id}));
}

fn note_split(
    plan: &mut Plan,
    world: &World,
    (case, expect, year): (&'static str, &'static str, i32),
    unit: usize,
    ids: &[String],
) {
    let group = format!("portal-compras|{}|{year}", buyer_id(world, Source::Portal, unit));
    plan.note(
        CaseKey { flag: "BR02", year, case, expect },
        Source::Portal,
        json!({"group_key": group, "contracts": ids}),
    );
}

/// Waivers of many lines of activity and years, so that no line's sum exceeds the limit; what crowds is their size.
fn bunch(plan: &mut Plan, world: &World, rng: &mut Rng) {
    let kinds: [(&str, &str, usize, f64); 3] = [
        ("all_in_the_last_tenth", "hit", 30, 1.0),
        ("half_in_the_last_tenth", "clear", 30, 0.5),
        ("nine_waivers_only", "not_computable", 9, 1.0),
    ];
    for (case, expect, count, high) in kinds {
        let unit = plan.special_unit(world);
        let mut ids = Vec::new();
        for at in 0..count {
            let (year, activity) = (year_of(at % YEARS), DISTINCT[at / YEARS]);
            let day = weekday(rng, year, spring(year), (12, 10));
            let in_last_tenth = (at as f64 + 0.5) / count as f64 > 1.0 - high;
            let part = if in_last_tenth { rng.uniform(0.905, 0.995) } else { rng.uniform(0.805, 0.895) };
            let party = plan.party();
            ids.push(waive(plan, world, rng, (unit, party, activity), day, part));
        }
        let subject = format!("portal-compras|{}", buyer_id(world, Source::Portal, unit));
        let key = CaseKey { flag: "BR03", year: year_of(YEARS - 1), case, expect };
        plan.note(key, Source::Portal, json!({"subject_id": subject, "contracts": ids}));
    }
}

fn direct(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    let kinds: [(&str, &str, usize, usize); 3] = [
        ("all_without_a_tender", "hit", 12, 12),
        ("a_quarter_without_a_tender", "clear", 12, 3),
        ("six_contracts_only", "not_computable", 6, 6),
    ];
    for (case, expect, count, direct) in kinds {
        let unit = plan.special_unit(world);
        for at in 0..count {
            let day = weekday(rng, year, (1, 15), (12, 12));
            let new_law = Terms::law_of(Month::containing(day));
            let terms = if at < direct { Terms::emergency(new_law) } else { Terms::pregao(new_law) };
            let facts = Facts { terms: Some(terms), alone: true, ..Facts::default() };
            let activity = World::activity(rng, None);
            // As much as the unit of ordinary size spends in a year, so that it has peers.
            let cents = in_hundredths(4_000_000.0 / count as f64 * rng.uniform(0.8, 1.2));
            let party = plan.party();
            let wanted = Wanted::plain(rng, Source::Portal, unit, day, party, activity, cents);
            plan.sign(world, Wanted { facts, ..wanted });
        }
        let subject = format!("{}|{year}|portal-compras", buyer_id(world, Source::Portal, unit));
        plan.note(CaseKey { flag: "BR12", year, case, expect }, Source::Portal, json!({"subject_id": subject}));
    }
}

fn repeat(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    // Case, expectation, days between, how many, and whether all are for the same.
    let mut kinds = vec![
        ("four_in_a_year", "hit", 100, 4, true),
        ("twice_in_a_year", "clear", 180, 2, true),
        ("four_different_objects", "clear", 95, 4, false),
    ];
    if year <= 2021 {
        kinds.push(("three_in_four_years", "clear", 500, 3, true));
    }
    for (case, expect, gap, count, same) in kinds {
        let (unit, party) = (world.free_unit(rng), plan.party());
        let activity = rng.pick(&DISTINCT);
        let first = weekday(rng, year, (1, 6), (2, 20));
        let text = object(rng, Some(activity_of(activity)), year);
        let mut ids = Vec::new();
        for at in 0..count {
            let day = first.plus(gap * at).on_a_weekday(first);
            let terms = Terms::only_supplier(Terms::law_of(Month::containing(day)));
            let facts = Facts { terms: Some(terms), alone: true, ..Facts::default() };
            let cents = in_hundredths(activity_of(activity).typical * rng.uniform(0.3, 0.9));
            let activity =
                if same { activity } else { DISTINCT[(at as usize * 3 + activity as usize) % DISTINCT.len()] };
            let wanted = Wanted::plain(rng, Source::Portal, unit, day, party, activity, cents);
            let object = if same { format!("{text}, exercício de {}", day.year()) } else { wanted.object };
            ids.push(plan.sign(world, Wanted { facts, object, ..wanted }).id);
        }
        let group = format!("{}|{:08}", buyer_id(world, Source::Portal, unit), party.root());
        plan.note(
            CaseKey { flag: "BR13", year, case, expect },
            Source::Portal,
            json!({"group_key": group, "contracts": ids}),
        );
    }
}
