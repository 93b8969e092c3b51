//! The items of a contract: how many, in which unit and at what price.

use crate::bytes::push_number;
use crate::catalog::ItemRef;
use crate::rng::Rng;
use crate::world::activity_of;

/// Items of one contract, at most.
const LINES_MAX: usize = 6;
/// Ordinary prices stay within this many standard deviations of their typical price.
const PRICE_BOUND: f64 = 1.6;

/// One item of a contract.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) item: ItemRef,
    /// Sold in the item's other unit.
    pub(crate) pack: bool,
    /// Whether the row says in which unit.
    pub(crate) unit_stated: bool,
    pub(crate) quantity: u32,
    /// Quantity times unit price.
    pub(crate) cents: i64,
    pub(crate) brand: u8,
}

impl Line {
    /// As much of an item as comes close to `target` cents at a price of `reais` a unit.
    pub(crate) fn worth(item: ItemRef, pack: bool, reais: f64, target: i64, rng: &mut Rng) -> Self {
        let quantity = (target as f64 / 100.0 / reais).round().clamp(1.0, 9_999_999.0) as u32;
        let cents = (f64::from(quantity) * reais * 100.0).round() as i64;
        Self { item, pack, unit_stated: true, quantity, cents, brand: rng.below(90) as u8 }
    }

    /// The unit of supply.
    pub(crate) fn unit(self) -> &'static str {
        let good = self.item.good();
        match good.pack {
            Some((unit, _)) if self.pack => unit,
            _ => good.unit,
        }
    }

    /// The complementary description, where the unit of supply stands.
    pub(crate) fn push_details(self, out: &mut Vec<u8>) {
        if self.unit_stated {
            out.extend_from_slice(b"UNIDADE DE FORNECIMENTO: ");
            out.extend_from_slice(self.unit().as_bytes());
            out.extend_from_slice(b" | ");
        }
        out.extend_from_slice("MARCA: FICTÍCIA ".as_bytes());
        push_number(out, u64::from(self.brand) + 1);
    }
}

/// The typical price of an item in its unit, in reais.
pub(crate) fn typical_price(item: ItemRef, pack: bool, year_index: usize, uf: usize) -> f64 {
    let times = match item.good().pack {
        Some((_, times)) if pack => times,
        _ => 1.0,
    };
    item.price(year_index, uf) * times
}

/// Fills `lines` with ordinary items worth about `target` cents; gives their exact sum.
pub(crate) fn fill(
    rng: &mut Rng,
    lines: &mut Vec<Line>,
    activity: u8,
    target: i64,
    year_index: usize,
    uf: usize,
) -> i64 {
    const HOW_MANY: [u32; LINES_MAX] = [45, 28, 14, 7, 4, 2];
    lines.clear();
    let count = rng.weighted(&HOW_MANY) + 1;
    let goods = activity_of(activity).goods.len();
    let start = rng.below(goods as u32) as usize;
    let mut sum = 0;
    for at in 0..count {
        let item = ItemRef { activity, item: ((start + at) % goods) as u8 };
        let pack = item.good().pack.is_some() && rng.below(4) == 0;
        let spread = (item.sigma() * rng.normal_within(PRICE_BOUND)).exp();
        let reais = typical_price(item, pack, year_index, uf) * spread;
        let share = target as f64 / count as f64 * rng.uniform(0.6, 1.4);
        let mut line = Line::worth(item, pack, reais, share as i64, rng);
        line.unit_stated = !rng.in_ten_thousand(1_000);
        sum += line.cents;
        lines.push(line);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_unit_prices_stay_near_the_typical_one() {
        let (mut rng, mut lines) = (Rng::new(1, 1), Vec::new());
        for _ in 0..2_000 {
            let activity = rng.below(16) as u8;
            let sum = fill(&mut rng, &mut lines, activity, 5_000_000, 2, 3);
            assert_eq!(sum, lines.iter().map(|line| line.cents).sum::<i64>());
            for line in &lines {
                let paid = line.cents as f64 / 100.0 / f64::from(line.quantity);
                let off = (paid / typical_price(line.item, line.pack, 2, 3)).ln().abs();
                assert!(off < PRICE_BOUND * line.item.sigma() + 0.03, "{off} {line:?}");
            }
        }
    }

    #[test]
    fn a_unit_is_stated_in_words() {
        let item = ItemRef { activity: 0, item: 0 };
        let mut out = Vec::new();
        Line { item, pack: false, unit_stated: true, quantity: 1, cents: 1, brand: 4 }.push_details(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "UNIDADE DE FORNECIMENTO: RESMA 500 FOLHAS | MARCA: FICTÍCIA 5");
    }
}
