//! Who bids against whom, in the Portal's tenders: BR06 (one bidder), BR14 (rivals with ties), BR16 (a pair of which one
//! always wins), BR17 (wins in turn).

use serde_json::json;

use super::{CaseKey, Contest, Facts, Plan, Source, Wanted, YEARS, tender_id, weekday, year_of};
use crate::catalog::ItemRef;
use crate::days::{Day, Month};
use crate::lines::{Line, typical_price};
use crate::objects::object_about;
use crate::party::Party;
use crate::portal::Terms;
use crate::receita::SHARED_EMAIL;
use crate::rng::Rng;
use crate::world::{World, activity_of};

/// Activities that are bought often, so that every large state has a market of them, and the core of their texts.
const MARKETS: [(u8, usize); 4] = [(0, 1), (2, 0), (4, 0), (8, 0)];
/// The largest states come first.
const LARGE_STATES: usize = 4;

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng) {
    for year_index in 0..YEARS {
        for at in 0..world.cases {
            single(plan, world, rng, year_index);
            ties(plan, world, rng, year_index);
            if at < world.cases.div_ceil(2) {
                pair(plan, world, rng, year_index);
            }
        }
    }
    // Rotations are long: every other year begins with one.
    for year_index in [0, 2, 4] {
        for _ in 0..world.cases.div_ceil(2) {
            rotation(plan, world, rng, year_index);
        }
    }
}

/// One tender to be held.
struct Held<'a> {
    unit: usize,
    activity: u8,
    core: usize,
    day: Day,
    winner: Party,
    losers: &'a [Party],
    with_items: bool,
    terms: Terms,
}

/// Holds a tender, signs its contract, and gives the tender's id.
fn hold(plan: &mut Plan, world: &World, rng: &mut Rng, held: &Held<'_>) -> String {
    let Held { unit, activity, core, day, winner, terms, .. } = *held;
    let number = plan.tender_number(unit, day);
    let result = day.minus(rng.between(2, 9));
    let contest = Contest { number, opened: result.minus(rng.between(8, 40)), result, losers: held.losers.to_vec() };
    let item = ItemRef { activity, item: 1 };
    let reais = typical_price(item, false, Month::containing(day).year_index(), world.units[unit].uf);
    // Prices spread as all ordinary ones do.
    let reais = reais * (item.sigma() * rng.normal_within(1.6)).exp();
    let line = Line::worth(item, false, reais, World::target_cents(rng, activity, 0.5), rng);
    let facts = Facts { terms: Some(terms), tender: Some(contest), ..Facts::default() };
    let wanted = Wanted::plain(rng, Source::Portal, unit, day, winner, activity, line.cents);
    let object = object_about(rng, activity_of(activity).cores[core], day.year());
    let lines = if held.with_items { vec![line] } else { Vec::new() };
    plan.sign(world, Wanted { facts, object, lines, ..wanted });
    tender_id(world, unit, terms, number, day.year())
}

fn terms_of(day: Day) -> Terms {
    Terms::pregao(Terms::law_of(Month::containing(day)))
}

fn single(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    let kinds: [(&str, &str, usize, bool, bool); 4] = [
        ("one_bidder", "hit", 0, true, true),
        ("two_bidders", "clear", 1, true, true),
        ("only_supplier_without_a_tender", "not_judged", 0, true, false),
        ("bidders_not_listed", "not_computable", 0, false, true),
    ];
    for (case, expect, losers, with_items, tendered) in kinds {
        let day = weekday(rng, year, (2, 10), (12, 10));
        let terms = if tendered { terms_of(day) } else { Terms::only_supplier(Terms::law_of(Month::containing(day))) };
        let losers: Vec<Party> = (0..losers).map(|_| plan.party()).collect();
        let (unit, activity) = (world.free_unit(rng), World::activity(rng, None));
        let held = Held { unit, activity, core: 0, day, winner: plan.party(), losers: &losers, with_items, terms };
        let id = hold(plan, world, rng, &held);
        plan.note(CaseKey { flag: "BR06", year, case, expect }, Source::Portal, json!({"subject_id": id}));
    }
}

fn ties(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    let kinds = [
        ("partner_in_common", "hit"),
        ("same_address", "hit"),
        ("same_accountant", "clear"),
        ("partner_came_later", "clear"),
        ("partner_since_unknown", "not_computable"),
    ];
    for (case, expect) in kinds {
        let (unit, activity) = (world.free_unit(rng), World::activity(rng, None));
        let day = weekday(rng, year, (3, 10), (12, 10));
        let mut one = plan.ordinary_entry(world, activity);
        let mut other = plan.ordinary_entry(world, activity);
        let person = one.partners[0].0;
        match case {
            "partner_in_common" => other.partners.push((person, Some(Day::of(2016, 5, 2)))),
            "partner_came_later" => other.partners.push((person, Some(day.plus(20)))),
            "partner_since_unknown" => other.partners.push((person, None)),
            "same_address" => other.address = one.address,
            _ => {
                one.email = SHARED_EMAIL;
                other.email = SHARED_EMAIL;
            }
        }
        let (winner, rival) = (plan.registered_party(one), plan.registered_party(other));
        let losers = [rival, plan.party()];
        let held =
            Held { unit, activity, core: 0, day, winner, losers: &losers, with_items: true, terms: terms_of(day) };
        let id = hold(plan, world, rng, &held);
        plan.note(CaseKey { flag: "BR14", year, case, expect }, Source::Portal, json!({"subject_id": id}));
    }
}

/// A unit of a large state.
fn unit_in(world: &World, rng: &mut Rng, state: usize) -> usize {
    (0..1_000)
        .map(|_| world.free_unit(rng))
        .find(|unit| world.units[*unit].uf == state)
        .unwrap_or_else(|| world.free_unit(rng))
}

fn pair(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let year = year_of(year_index);
    let kinds: [(&str, &str, &str); 3] = [
        ("one_always_wins", "hit", "aaaaaa"),
        ("each_wins_half", "clear", "abbaab"),
        ("four_meetings_only", "clear", "aaaa"),
    ];
    for (case, expect, wins) in kinds {
        let (activity, core) = rng.pick(&MARKETS);
        let state = rng.below(LARGE_STATES as u32) as usize;
        let pair = [plan.party(), plan.party()];
        for win in wins.bytes() {
            let (unit, day) = (unit_in(world, rng, state), weekday(rng, year, (2, 10), (12, 10)));
            let won = usize::from(win == b'b');
            let losers = [pair[1 - won], plan.party()];
            let (winner, terms) = (pair[won], terms_of(day));
            let held = Held { unit, activity, core, day, winner, losers: &losers, with_items: true, terms };
            hold(plan, world, rng, &held);
        }
        note_bidders(plan, CaseKey { flag: "BR16", year, case, expect }, &pair);
    }
}

fn note_bidders(plan: &mut Plan, key: CaseKey, bidders: &[Party]) {
    let mut roots: Vec<String> = bidders.iter().map(|party| format!("{:08}", party.root())).collect();
    roots.sort();
    plan.note(key, Source::Portal, json!({"bidders": roots}));
}

fn rotation(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let kinds: [(&str, &str, u32, bool); 3] = [
        ("wins_in_turn", "hit", 36, true),
        ("wins_in_blocks", "clear", 36, false),
        ("six_tenders_only", "not_computable", 6, true),
    ];
    for (case, expect, count, in_turn) in kinds {
        let (activity, core) = rng.pick(&MARKETS);
        let state = rng.below(LARGE_STATES as u32) as usize;
        let firms: Vec<Party> = (0..4).map(|_| plan.party()).collect();
        let first = weekday(rng, year_of(year_index), (2, 10), (3, 20));
        for at in 0..count {
            // Seventeen days apart, so that results come in this order.
            let day = first.plus(17 * at).on_a_weekday(first);
            let won = if in_turn { at as usize % 4 } else { at as usize / 9 };
            let losers: Vec<Party> = firms.iter().copied().filter(|firm| *firm != firms[won]).collect();
            let unit = unit_in(world, rng, state);
            let held = Held {
                unit,
                activity,
                core,
                day,
                winner: firms[won],
                losers: &losers,
                with_items: true,
                terms: terms_of(day),
            };
            hold(plan, world, rng, &held);
        }
        note_bidders(plan, CaseKey { flag: "BR17", year: year_of(year_index), case, expect }, &firms);
    }
}
