//! BR04: amendments that add more than the law's share, and those that only look so.

use serde_json::json;

use super::{CaseKey, Facts, Named, Plan, Source, Wanted, YEARS, in_hundredths, weekday, year_of};
use crate::days::Month;
use crate::portal::{Change, ChangeKind, Terms};
use crate::rng::Rng;
use crate::world::{World, activity_of};

/// What is changed and by which share of the initial value.
type Changes = &'static [(ChangeKind, f64)];

const KINDS: [(&str, &str, bool, Changes); 9] = [
    ("two_additions_above_a_quarter", "hit", false, &[(ChangeKind::Addition, 0.19), (ChangeKind::Addition, 0.17)]),
    ("addition_is_not_netted", "hit", false, &[(ChangeKind::Addition, 0.31), (ChangeKind::Reduction, -0.14)]),
    ("renovation_above_half", "hit", true, &[(ChangeKind::Addition, 0.4), (ChangeKind::Addition, 0.16)]),
    ("a_fifth", "clear", false, &[(ChangeKind::Addition, 0.2)]),
    ("renovation_two_fifths", "clear", true, &[(ChangeKind::Addition, 0.4)]),
    ("price_adjustment", "clear", false, &[(ChangeKind::Adjustment, 0.32)]),
    ("renewal_for_a_year", "clear", false, &[(ChangeKind::Renewal, 1.0)]),
    ("state_company", "not_computable", false, &[(ChangeKind::Addition, 0.4)]),
    ("addition_without_value", "not_computable", false, &[(ChangeKind::AdditionWithoutValue, 0.0)]),
];
/// Building upkeep.
const UPKEEP: u8 = 10;

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng) {
    for year_index in 0..YEARS {
        for _ in 0..world.cases {
            for (case, expect, renovation, changes) in KINDS {
                plant_one(
                    plan,
                    world,
                    rng,
                    CaseKey { flag: "BR04", year: year_of(year_index), case, expect },
                    renovation,
                    changes,
                );
            }
        }
    }
}

fn plant_one(plan: &mut Plan, world: &World, rng: &mut Rng, key: CaseKey, renovation: bool, changes: Changes) {
    let (unit, party) = (Plan::unit_of(world, rng, key.case == "state_company"), plan.party());
    let day = weekday(rng, key.year, (1, 8), (7, 30));
    let activity = if renovation { UPKEEP } else { World::activity(rng, None) };
    let cents = in_hundredths(activity_of(activity).typical * rng.uniform(0.4, 1.5));
    let share = |part: f64| (cents as f64 * part).round() as i64;
    let facts = Facts {
        terms: Some(Terms::concorrencia(Terms::law_of(Month::containing(day)))),
        added: changes.iter().map(|(_, part)| share(*part)).sum(),
        ..Facts::default()
    };
    let mut wanted = Wanted { facts, ..Wanted::plain(rng, Source::Portal, unit, day, party, activity, cents) };
    if renovation {
        wanted.object = format!("Reforma de edifício: {}", wanted.object);
    }
    let Named { id, sequence, .. } = plan.sign(world, wanted);
    for (at, (kind, part)) in changes.iter().enumerate() {
        let signed = day.plus(40 + 45 * at as u32).on_a_weekday(day);
        let (month, change) = Change::planted((unit, sequence, day), at as u8 + 1, *kind, signed, share(*part));
        plan.changes[month].push(change);
    }
    plan.note(key, Source::Portal, json!({"subject_id": id}));
}
