//! How a purchase is made, and the law it states.

use crate::days::Month;
use crate::rng::Rng;

/// The activity whose waiver limit is that of works.
const WORKS: u8 = 15;

/// The Portal's modality, with the number that only the Portal gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modality {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) competitive: bool,
}

const fn modality(code: &'static str, name: &'static str, competitive: bool) -> Modality {
    Modality { code, name, competitive }
}

const PREGAO: Modality = modality("5", "Pregão", true);
const PREGAO_PRECOS: Modality = modality("-99", "Pregão - Registro de Preço", true);
const CONCORRENCIA: Modality = modality("3", "Concorrência", true);
const TOMADA: Modality = modality("2", "Tomada de Preços", true);
const CONVITE: Modality = modality("1", "Convite", true);
const DISPENSA: Modality = modality("6", "Dispensa de Licitação", false);
const INEXIGIBILIDADE: Modality = modality("7", "Inexigibilidade de Licitação", false);

/// The terms of a purchase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) modality: Modality,
    pub(crate) basis: &'static str,
    new_law: bool,
}

impl Terms {
    /// Ordinary terms, and the waiver limit in reais when the purchase is waived by its value.
    pub(crate) fn draw(rng: &mut Rng, month: Month, activity: u8) -> (Self, Option<f64>) {
        let new_law = is_under_new_law(rng, month);
        match rng.below(100) {
            0..36 => (Self::new(PREGAO, new_law), None),
            36..58 => (Self::new(PREGAO_PRECOS, new_law), None),
            58..61 => (Self::new(CONCORRENCIA, new_law), None),
            61 if !new_law => (Self::new(TOMADA, false), None),
            62 if !new_law => (Self::new(CONVITE, false), None),
            61..63 => (Self::new(PREGAO, new_law), None),
            63..76 => Self::waived_by_value(new_law, month, activity),
            76..87 => {
                let basis = if new_law { "Lei 14.133/2021, Art. 75, VIII" } else { "LEI 8.666/1993, ART. 24, IV" };
                (Self { modality: DISPENSA, basis, new_law }, None)
            }
            _ => {
                let basis = match (new_law, rng.below(2)) {
                    (true, 0) => "Lei 14.133/2021, Art. 74, I",
                    (true, _) => "Lei 14.133/2021, Art. 74, III, f",
                    (false, _) => "LEI 8.666/1993, ART. 25, I",
                };
                (Self { modality: INEXIGIBILIDADE, basis, new_law }, None)
            }
        }
    }

    /// The terms of a purchase that is put to tender.
    pub(crate) fn of_a_tender(rng: &mut Rng, month: Month) -> Self {
        let new_law = is_under_new_law(rng, month);
        Self::new(if rng.below(3) == 0 { PREGAO_PRECOS } else { PREGAO }, new_law)
    }

    /// The same purchase, put to tender after all.
    pub(crate) fn tendered(from: &Self) -> Self {
        Self::new(PREGAO, from.new_law)
    }

    /// A pregão under this law.
    pub(crate) fn pregao(new_law: bool) -> Self {
        Self::new(PREGAO, new_law)
    }

    /// A concorrência under this law, or under Lei 8.666.
    pub(crate) fn concorrencia(new_law: bool) -> Self {
        Self::new(CONCORRENCIA, new_law)
    }

    /// A waiver by value, of goods and services.
    pub(crate) fn waiver(new_law: bool) -> Self {
        let basis = if new_law { "Lei 14.133/2021, Art. 75, II" } else { "LEI 8.666/1993, ART. 24, II" };
        Self { modality: DISPENSA, basis, new_law }
    }

    /// A waiver whose legal basis is not stated.
    pub(crate) fn waiver_without_basis() -> Self {
        Self { modality: DISPENSA, basis: "", new_law: false }
    }

    /// A waiver for an emergency.
    pub(crate) fn emergency(new_law: bool) -> Self {
        let basis = if new_law { "Lei 14.133/2021, Art. 75, VIII" } else { "LEI 8.666/1993, ART. 24, IV" };
        Self { modality: DISPENSA, basis, new_law }
    }

    /// A purchase from the only supplier.
    pub(crate) fn only_supplier(new_law: bool) -> Self {
        let basis = if new_law { "Lei 14.133/2021, Art. 74, I" } else { "LEI 8.666/1993, ART. 25, I" };
        Self { modality: INEXIGIBILIDADE, basis, new_law }
    }

    /// The law that a plot's purchase of this month is made under: the new one as soon as there are planted years of it.
    pub(crate) fn law_of(month: Month) -> bool {
        month.year >= 2022
    }

    fn new(modality: Modality, new_law: bool) -> Self {
        let basis = match (new_law, modality) {
            (true, CONCORRENCIA) => "Lei 14.133/2021, Art. 28, II",
            (true, _) => "Lei 14.133/2021, Art. 28, I",
            (false, PREGAO | PREGAO_PRECOS) => "LEI 10.520/2002, ART. 1º",
            (false, _) => "LEI 8.666/1993, ART. 22",
        };
        Self { modality, basis, new_law }
    }

    fn waived_by_value(new_law: bool, month: Month, activity: u8) -> (Self, Option<f64>) {
        let basis = match (new_law, activity) {
            (true, WORKS) => "Lei 14.133/2021, Art. 75, I",
            (true, _) => "Lei 14.133/2021, Art. 75, II",
            (false, WORKS) => "LEI 8.666/1993, ART. 24, I",
            (false, _) => "LEI 8.666/1993, ART. 24, II",
        };
        (Self { modality: DISPENSA, basis, new_law }, Some(waiver_limit(new_law, month)))
    }
}

/// The limit for goods and services, which that of works exceeds: Lei 8.666 with Decreto 9.412/2018, Lei 14.133
/// art. 75 II with the decrees of each year.
pub(crate) fn waiver_limit(new_law: bool, month: Month) -> f64 {
    match (new_law, month.year) {
        // The pandemic's limit, from 20 March 2020.
        (false, 2020) if month.index >= 3 => 50_000.0,
        (false, _) => 17_600.0,
        (true, 2021) => 50_000.0,
        (true, 2022) => 54_020.41,
        (true, 2023) => 57_208.33,
        (true, 2024) => 59_906.02,
        (true, _) => 62_725.59,
    }
}

/// Both laws stood side by side from April 2021 to the end of 2023; contracts of old tenders came after.
fn is_under_new_law(rng: &mut Rng, month: Month) -> bool {
    let in_hundred = match (month.year, month.index % 12) {
        _ if month.is_before_the_new_law() => 0,
        (2021, _) => 12,
        (2022, _) => 30,
        (2023, _) => 62,
        (2024, _) => 90,
        _ => 96,
    };
    rng.below(100) < in_hundred
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_law_is_not_stated_before_it_was_made() {
        let mut rng = Rng::new(1, 1);
        assert!((0..2_000).all(|_| !Terms::draw(&mut rng, Month::at(14), 0).0.basis.contains("14.133")));
        let overlap: Vec<bool> =
            (0..500).map(|_| Terms::draw(&mut rng, Month::at(40), 0).0.basis.contains("14.133")).collect();
        assert!(overlap.contains(&true) && overlap.contains(&false));
    }

    #[test]
    fn a_waiver_by_value_knows_its_limit() {
        let mut rng = Rng::new(1, 1);
        for _ in 0..500 {
            let (terms, limit) = Terms::draw(&mut rng, Month::at(62), 3);
            assert_eq!(
                limit.is_some(),
                terms.basis.ends_with("75, II") || terms.basis.ends_with("24, II"),
                "{terms:?}"
            );
        }
    }
}
