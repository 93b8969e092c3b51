//! What only many amounts of one unit tell: BR22 (December), BR24 (round sums), BR25 (digits), BR27 (a hidden period).
//!
//! All units of this module do nothing else, so that their series are exactly those planted.

use serde_json::json;

use super::{CaseKey, Facts, Plan, Source, Wanted, YEARS, buyer_id, in_hundredths, weekday, year_of};
use crate::days::Day;
use crate::payments::Payment;
use crate::rng::Rng;
use crate::world::{World, activity_of};

/// Contracts a year of a unit of BR22.
const CONTRACTS_A_YEAR: u32 = 22;
/// Weeks of a series of BR27, more than the two years that it needs.
const WEEKS: u32 = 200;

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng) {
    for at in 0..world.cases.div_ceil(2) {
        december(plan, world, rng);
        digits(plan, world, rng);
        periods(plan, world, rng);
        for year_index in 0..YEARS {
            if at == 0 || year_index % 2 == 1 {
                round(plan, world, rng, year_index);
            }
        }
    }
}

/// Notes a case of a unit, known by its id within whatever subject the flag judges.
fn note(plan: &mut Plan, world: &World, key: CaseKey, unit: usize) {
    let (buyer, year) = (buyer_id(world, Source::Portal, unit), key.year);
    plan.note(key, Source::Portal, json!({"buyer_id": buyer, "of_year": year}));
}

fn sign(plan: &mut Plan, world: &World, rng: &mut Rng, unit: usize, day: Day, cents: i64) {
    let (activity, party) = (World::activity(rng, None), plan.party());
    let wanted = Wanted::plain(rng, Source::Portal, unit, day, party, activity, cents);
    plan.sign(world, Wanted { facts: Facts { alone: true, ..Facts::default() }, ..wanted });
}

/// The last year against the five before it.
fn december(plan: &mut Plan, world: &World, rng: &mut Rng) {
    let last = year_of(YEARS - 1);
    for (case, expect, months) in [("half_in_december", "hit", 11), ("as_every_year", "clear", 2)] {
        let unit = plan.special_unit(world);
        for year_index in 0..YEARS {
            let year = year_of(year_index);
            for at in 0..CONTRACTS_A_YEAR {
                // Two a month but one in January and in July; a few Decembers hold a third.
                let month = at % 11 + 1;
                let day = weekday(rng, year, (month, 3), (month, 26));
                let cents = in_hundredths(60_000.0 * rng.uniform(0.8, 1.2));
                sign(plan, world, rng, unit, day, cents);
            }
            let many = if year == last { months } else { 2 };
            for _ in 0..many {
                let day = weekday(rng, year, (12, 2), (12, 22));
                let times = if many > 2 { 2.0 } else { rng.uniform(0.9, 1.1) };
                sign(plan, world, rng, unit, day, in_hundredths(60_000.0 * times));
            }
        }
        note(plan, world, CaseKey { flag: "BR22", year: last, case, expect }, unit);
    }
}

fn round(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    let kinds: [(&str, &str, u32, u32); 3] = [
        ("nearly_all_round", "hit", 46, 38),
        ("few_round", "clear", 46, 2),
        ("twelve_contracts_only", "not_computable", 12, 12),
    ];
    for (case, expect, count, rounded) in kinds {
        let unit = plan.special_unit(world);
        for at in 0..count {
            let reais = activity_of(World::activity(rng, None)).typical * (0.6 * rng.normal_within(2.0)).exp();
            let cents = if at < rounded { (reais / 1_000.0).ceil() as i64 * 100_000 } else { in_hundredths(reais) };
            let day = weekday(rng, year, (1, 10), (12, 16));
            sign(plan, world, rng, unit, day, cents);
        }
        note(plan, world, CaseKey { flag: "BR24", year, case, expect }, unit);
    }
}

/// Payments over three orders of magnitude: their first digits all alike, or as Benford has it.
fn digits(plan: &mut Plan, world: &World, rng: &mut Rng) {
    let kinds: [(&str, &str, u32); 4] = [
        ("digits_all_alike", "hit", 460),
        ("digits_as_benford", "clear", 460),
        ("all_of_one_order", "not_computable", 460),
        ("eighty_payments_only", "not_computable", 80),
    ];
    let year = year_of(YEARS - 1);
    for (case, expect, count) in kinds {
        let unit = plan.special_unit(world);
        for at in 0..count {
            let part = (f64::from(at) + 0.5) / f64::from(count);
            // 191 and 460 share no divisor: the amounts come in no order.
            let reais = match case {
                "all_of_one_order" => 1_000.0 + 8_000.0 * part,
                "digits_all_alike" => (1.0 + 9.0 * part) * 10f64.powi(2 + (at % 3) as i32),
                _ => 10f64.powf(2.0 + 3.0 * part),
            };
            let day = Day::of(year, 1, 8).plus(at * 191 % 340).on_a_weekday(Day::of(year, 1, 8));
            let activity = World::activity(rng, None);
            let party = world.market.supplier(rng, activity);
            plan.payments.push(Payment { unit, day, party, cents: (reais * 100.0).round() as i64 });
        }
        note(plan, world, CaseKey { flag: "BR25", year, case, expect }, unit);
    }
}

/// Weekly payments: a wave of five weeks, a bill each month, or one year only.
fn periods(plan: &mut Plan, world: &World, rng: &mut Rng) {
    let kinds: [(&str, &str, u32, f64); 3] = [
        ("wave_of_five_weeks", "hit", WEEKS, 5.0),
        ("bill_of_each_month", "clear", WEEKS, 0.0),
        ("one_year_only", "not_computable", 52, 5.0),
    ];
    let first = Day::of(2021, 1, 4);
    for (case, expect, weeks, period) in kinds {
        let unit = plan.special_unit(world);
        for week in 0..weeks {
            let day = first.plus(week * 7 + rng.below(5));
            let wave = if period > 0.0 { 1.2 * (f64::from(week) * std::f64::consts::TAU / period).sin() } else { 0.0 };
            let reais = 9_000.0 * (wave + 0.4 * rng.normal_within(2.5)).exp();
            let monthly = period == 0.0 && chrono::Datelike::day(&day.date()) <= 7;
            let activity = World::activity(rng, None);
            let party = world.market.supplier(rng, activity);
            let times = if monthly { 6.0 } else { 1.0 };
            plan.payments.push(Payment { unit, day, party, cents: in_hundredths(reais * times) });
        }
        let year = year_of(if weeks == WEEKS { 4 } else { 1 });
        note(plan, world, CaseKey { flag: "BR27", year, case, expect }, unit);
    }
}
