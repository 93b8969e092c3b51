//! BR19: one purchase contracted twice, and purchases that rightly look alike.

use serde_json::json;

use super::{CaseKey, Plan, Source, weekday, year_of};
use crate::days::Day;
use crate::objects::object;
use crate::rng::Rng;
use crate::world::{World, activity_of};

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let kinds: [(&str, &str, Draw); 5] = [
        ("contracted_twice", "hit", twice),
        ("contracted_twice_reworded", "hit", reworded),
        ("monthly_instalments", "clear", instalments),
        ("two_hundred_days_apart", "clear", far_apart),
        ("a_fifth_dearer", "clear", dearer),
    ];
    for (case, expect, series) in kinds {
        for at in 0..world.cases {
            let source = Source::of_case(at, year_index);
            let buyer = match source {
                Source::Portal => world.free_unit(rng),
                Source::Pncp => world.free_local(rng, false),
            };
            let (party, activity) = (plan.party(), World::activity(rng, None));
            let text = object(rng, Some(activity_of(activity)), year_of(year_index) - 1);
            let series = series(rng, year_of(year_index));
            let cents = (activity_of(activity).typical * rng.uniform(0.1, 0.4) * 100.0).round() as i64;
            let ids: Vec<String> = series
                .into_iter()
                .map(|(day, times, ending)| {
                    let cents = (cents as f64 * times).round() as i64;
                    let text = format!("{text}{ending}");
                    plan.contract(world, source, buyer, day, party, activity, text, (Vec::new(), cents)).id
                })
                .collect();
            let key = CaseKey { flag: "BR19", year: year_of(year_index), case, expect };
            plan.note(key, source, json!({"subject": {"contracts": ids}, "subject_ids": ids}));
        }
    }
}

/// Day, times the value, and what is added to the text.
type Series = Vec<(Day, f64, &'static str)>;

/// Draws a case's series within a year.
type Draw = fn(&mut Rng, i32) -> Series;

fn twice(rng: &mut Rng, year: i32) -> Series {
    let first = weekday(rng, year, (1, 12), (9, 30));
    let second = first.plus(rng.between(4, 80)).on_a_weekday(first);
    vec![(first, 1.0, ""), (second, 1.0, "")]
}

fn reworded(rng: &mut Rng, year: i32) -> Series {
    let first = weekday(rng, year, (1, 12), (9, 30));
    let second = first.plus(rng.between(4, 80)).on_a_weekday(first);
    vec![(first, 1.0, ""), (second, rng.uniform(1.002, 1.007), " Item único")]
}

/// Twelve from July to June, so that neither year holds more than six; nine in 2020 and 2021, before which one of the sources has none.
fn instalments(rng: &mut Rng, year: i32) -> Series {
    let day = rng.between(4, 16);
    let months: Vec<(i32, u32)> = if year <= 2021 {
        (1..=9).map(|month| (year, month)).collect()
    } else {
        (7..=12).map(|month| (year - 1, month)).chain((1..=6).map(|month| (year, month))).collect()
    };
    months.into_iter().map(|(year, month)| (Day::of(year, month, day), 1.0, "")).collect()
}

fn far_apart(rng: &mut Rng, year: i32) -> Series {
    let first = weekday(rng, year, (1, 12), (5, 20));
    vec![(first, 1.0, ""), (first.plus(200).on_a_weekday(first), 1.0, "")]
}

fn dearer(rng: &mut Rng, year: i32) -> Series {
    let first = weekday(rng, year, (1, 12), (9, 30));
    vec![(first, 1.0, ""), (first.plus(rng.between(10, 80)).on_a_weekday(first), 1.2, "")]
}
