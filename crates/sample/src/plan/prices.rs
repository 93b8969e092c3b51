//! BR05: a unit price far above its peers, and prices that are high for a reason.
//!
//! Each case brings its own peers, spread evenly over the item's ordinary prices, so that the group is large
//! enough however small the sample. Every peer contract sells the item in both of its units.

use serde_json::json;

use super::{CaseKey, Named, Plan, Source, weekday, year_of};
use crate::catalog::{ItemRef, items};
use crate::lines::{Line, typical_price};
use crate::objects::object;
use crate::rng::{Rng, normal_quantile};
use crate::world::{World, activity_of};

/// Peers that a case brings.
const PEERS: usize = 18;

pub(super) fn plant(plan: &mut Plan, world: &World, rng: &mut Rng, year_index: usize) {
    let packed: Vec<ItemRef> = items().filter(|i| i.good().pack.is_some_and(|(_, times)| times >= 6.0)).collect();
    for at in 0..world.cases {
        let group = Group {
            item: packed[(year_index * 7 + at * 11) % packed.len()],
            uf: world.units[world.free_unit(rng)].uf,
            year_index,
        };
        for peer in 0..PEERS {
            let part = 0.055 + 0.89 * (peer as f64 + 0.5) / PEERS as f64;
            let spread = (group.item.sigma() * normal_quantile(part)).exp();
            let lines = [false, true].map(|pack| group.line(rng, pack, spread)).to_vec();
            group.sign(plan, world, rng, lines);
        }
        let times = rng.uniform(6.5, 11.5);
        let mut without_unit = group.line(rng, false, times * 0.9);
        without_unit.unit_stated = false;
        let judged = [
            ("six_to_twelve_times", "hit", group.line(rng, false, times)),
            ("another_unit", "clear", group.line(rng, true, 1.0)),
            ("a_third_dearer", "clear", group.line(rng, false, 1.3)),
            ("unit_missing", "not_computable", without_unit),
        ];
        for (case, expect, line) in judged {
            let Named { id, mut subject, .. } = group.sign(plan, world, rng, vec![line]);
            let code = group.item.code().to_string();
            subject["catalog_code"] = json!(code);
            let key = CaseKey { flag: "BR05", year: year_of(year_index), case, expect };
            let unit = line.unit_stated.then(|| line.unit());
            let facts = json!({
                "subject": subject, "subject_id": id, "contract_id": id, "catalog_code": code, "unit": unit,
                "uf": crate::places::UFS[group.uf].code,
            });
            plan.note(key, Source::Portal, facts);
        }
    }
}

/// Peers: one item, one state, one year.
struct Group {
    item: ItemRef,
    uf: usize,
    year_index: usize,
}

impl Group {
    fn line(&self, rng: &mut Rng, pack: bool, times: f64) -> Line {
        let reais = typical_price(self.item, pack, self.year_index, self.uf) * times;
        let target = rng.between(600_000, 2_400_000).max((reais * 1_500.0) as u32);
        Line::worth(self.item, pack, reais, i64::from(target), rng)
    }

    /// Signs an ordinary-looking contract of these lines with some unit of the state.
    fn sign(&self, plan: &mut Plan, world: &World, rng: &mut Rng, lines: Vec<Line>) -> Named {
        let buyer = loop {
            let at = world.free_unit(rng);
            if world.units[at].uf == self.uf {
                break at;
            }
        };
        let activity = self.item.activity;
        let day = weekday(rng, year_of(self.year_index), (1, 11), (12, 18));
        let party = world.market.supplier(rng, activity);
        let text = object(rng, Some(activity_of(activity)), year_of(self.year_index));
        let cents = lines.iter().map(|line| line.cents).sum();
        plan.contract(world, Source::Portal, buyer, day, party, activity, text, (lines, cents))
    }
}
