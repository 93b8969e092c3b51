//! BR11: a buyer whose purchases of one activity go to one supplier, and buyers whose purchases do not.
//!
//! The buyers used here sign nothing else in that activity (see [`crate::buyers`]), so that the number and the
//! shares are exactly those planted.

use serde_json::json;

use super::{CaseKey, Plan, Source, buyer_id, weekday, year_of};
use crate::objects::object;
use crate::party::Party;
use crate::rng::Rng;
use crate::world::{World, activity_of};

/// Draws the suppliers of a case's contracts and each one's part of the value.
type Shares = fn(&mut Plan, &mut Rng) -> Vec<(Party, f64)>;

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let kinds: [(&str, &str, Shares); 3] = [
        ("one_supplier_takes_most", "hit", concentrated),
        ("evenly_spread", "clear", even),
        ("six_contracts_only", "not_computable", few),
    ];
    for (number, (case, expect, shares)) in kinds.into_iter().enumerate() {
        for at in 0..world.cases {
            let source = Source::of_case(at, year_index);
            if year_index == 0 && !at.is_multiple_of(2) {
                continue;
            }
            let (count, reserved) = match source {
                Source::Portal => (world.ordinary_units(), world.units.iter().map(|u| u.reserved).collect::<Vec<_>>()),
                Source::Pncp => (world.locals.len(), world.locals.iter().map(|u| u.reserved).collect()),
            };
            let buyer = world.reserved_unit(count, number, at / 2);
            let activity = reserved[buyer].expect("the last units keep an activity");
            let year = year_of(year_index);
            let scale = activity_of(activity).typical * rng.uniform(0.6, 1.4);
            let contracts: Vec<String> = shares(plan, rng)
                .into_iter()
                .map(|(party, share)| {
                    let day = weekday(rng, year, (1, 8), (12, 19));
                    let text = object(rng, Some(activity_of(activity)), year);
                    let cents = (scale * share * 100.0).round() as i64;
                    plan.contract(world, source, buyer, day, party, activity, text, (Vec::new(), cents)).id
                })
                .collect();
            let id = buyer_id(world, source, buyer);
            let key = CaseKey { flag: "BR11", year, case, expect };
            let subject = json!({"buyer": id, "activity": activity_of(activity).key, "contracts": contracts});
            plan.note(
                key,
                source,
                json!({"subject": subject, "subject_id": id, "activity": activity_of(activity).key}),
            );
        }
    }
}

/// Twelve to twenty contracts, six in ten of them with one supplier, who takes more than 85 % of the value.
fn concentrated(plan: &mut Plan, rng: &mut Rng) -> Vec<(Party, f64)> {
    let count = rng.between(12, 20) as usize;
    let main = count * 6 / 10;
    let (winner, times) = (plan.party(), rng.uniform(7.0, 12.0));
    let others: Vec<(Party, f64)> = (main..count).map(|_| (plan.party(), rng.uniform(0.5, 1.0))).collect();
    let whole: f64 = others.iter().map(|(_, share)| share).sum::<f64>() * times;
    let weights: Vec<f64> = (0..main).map(|_| rng.uniform(0.6, 1.4)).collect();
    let sum: f64 = weights.iter().sum();
    let mut all: Vec<_> = weights.into_iter().map(|weight| (winner, whole * weight / sum)).collect();
    all.extend(others);
    all
}

fn even(plan: &mut Plan, rng: &mut Rng) -> Vec<(Party, f64)> {
    (0..rng.between(12, 20)).map(|_| (plan.party(), rng.uniform(0.75, 1.25))).collect()
}

fn few(plan: &mut Plan, rng: &mut Rng) -> Vec<(Party, f64)> {
    let winner = plan.party();
    (0..6).map(|at| if at < 5 { (winner, rng.uniform(1.0, 2.0)) } else { (plan.party(), 0.4) }).collect()
}
