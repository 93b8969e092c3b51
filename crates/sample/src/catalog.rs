//! What is bought: sixteen lines of activity, each with its catalogue items and its ways of being described.
//!
//! Codes, prices and texts are invented. A code is `9`, two digits of the activity and three of the item, which
//! no real catalogue uses. Descriptions name their activity in plain words, as real ones do, so that a rule over
//! texts can find it; the words common to all objects (see [`crate::objects`]) name none.

mod goods;
mod services;

/// A line of activity.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Its name in the truth file.
    pub(crate) key: &'static str,
    /// How often it is bought, relative to the others.
    pub(crate) weight: u32,
    /// The typical contract, in reais.
    pub(crate) typical: f64,
    /// PNCP's `categoriaProcesso`.
    pub(crate) category: (u32, &'static str),
    /// The heart of an object's description; each names the activity.
    pub(crate) cores: &'static [&'static str],
    pub(crate) goods: &'static [Good],
}

/// A catalogue item.
#[derive(Debug)]
pub(crate) struct Good {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Another unit in which it is sold, and how many times dearer that is.
    pub(crate) pack: Option<(&'static str, f64)>,
    /// The typical price of 2021 in reais.
    pub(crate) price: f64,
}

impl Good {
    const fn new(name: &'static str, unit: &'static str, price: f64) -> Self {
        Self { name, unit, pack: None, price }
    }

    const fn pack(mut self, unit: &'static str, times: f64) -> Self {
        self.pack = Some((unit, times));
        self
    }
}

/// All activities; their place here is their number everywhere in this crate.
pub(crate) static ACTIVITIES: [&Activity; 16] = [
    &goods::STATIONERY,
    &goods::FOOD,
    &goods::MEDICINES,
    &goods::HOSPITAL,
    &goods::COMPUTERS,
    &goods::FUEL,
    &goods::FURNITURE,
    &goods::CAR_PARTS,
    &services::CLEANING,
    &services::GUARDING,
    &services::BUILDING_UPKEEP,
    &services::CAR_HIRE,
    &services::TRAINING,
    &services::NOTICES,
    &services::GARDENING,
    &services::PAVING,
];

/// An item by activity and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ItemRef {
    pub(crate) activity: u8,
    pub(crate) item: u8,
}

impl ItemRef {
    pub(crate) fn good(self) -> &'static Good {
        &ACTIVITIES[usize::from(self.activity)].goods[usize::from(self.item)]
    }

    /// The catalogue code, six digits.
    pub(crate) fn code(self) -> u32 {
        900_000 + (u32::from(self.activity) + 10) * 1000 + u32::from(self.item) + 1
    }

    /// The spread of the logarithm of its price among ordinary purchases, 0.15 to 0.27.
    pub(crate) fn sigma(self) -> f64 {
        0.15 + f64::from((u32::from(self.activity) * 5 + u32::from(self.item) * 3) % 7) * 0.02
    }

    /// Its typical price in a year and a state, in reais: 5 % dearer each year, up to 8 % apart between states.
    pub(crate) fn price(self, year_index: usize, uf: usize) -> f64 {
        self.good().price * 1.05f64.powi(year_index as i32 - 1) * (0.92 + 0.02 * ((uf * 5) % 9) as f64)
    }
}

/// Every item of the catalogue.
pub(crate) fn items() -> impl Iterator<Item = ItemRef> {
    (0u8..)
        .zip(ACTIVITIES)
        .flat_map(|(activity, of)| (0..of.goods.len()).map(move |item| ItemRef { activity, item: item as u8 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_has_about_two_hundred_items_with_codes_of_their_own() {
        let mut codes: Vec<u32> = items().map(ItemRef::code).collect();
        let count = codes.len();
        codes.dedup();
        assert!((190..=220).contains(&count) && codes.len() == count, "{count}");
        assert!(codes.iter().all(|code| (900_000..1_000_000).contains(code)));
    }

    #[test]
    fn every_description_names_its_activity() {
        let words = [
            "expediente",
            "gêneros alimentícios",
            "medicamento",
            "hospitalar",
            "informática",
            "combustív",
            "mobiliário",
            "pneus|peças automotivas|autopeças",
            "limpeza",
            "vigilância",
            "manutenção predial",
            "locação de veículos",
            "treinamento",
            "publicação",
            "jardinagem",
            "pavimentação",
        ];
        for (activity, words) in ACTIVITIES.iter().zip(words) {
            for core in activity.cores {
                assert!(words.split('|').any(|word| core.contains(word)), "{core}");
            }
        }
    }

    #[test]
    fn enough_items_are_sold_by_the_pack() {
        assert!(items().filter(|item| item.good().pack.is_some()).count() >= 40);
    }
}
