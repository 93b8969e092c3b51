//! Limits in money: waivers, vehicle repairs, modalities of Lei 8.666, company sizes.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Dated, Regime, in_force, law};
use crate::{Modality, Money};

/// What a contract is for, as far as limits by value tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractKind {
    /// Works and engineering services.
    Works,
    /// Upkeep of motor vehicles: with works under Lei 14.133 (art. 75, I), with the rest under Lei 8.666.
    VehicleUpkeep,
    /// Other goods and services.
    Other,
}

/// How a value must stand to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// *Inferior a*: the limit itself is already too much.
    #[serde(rename = "<")]
    Below,
    /// *Até*: the limit itself is still allowed.
    #[serde(rename = "<=")]
    UpTo,
}

impl Comparison {
    /// Whether `value` keeps within `limit`.
    #[must_use]
    pub fn holds<T: Ord>(self, value: &T, limit: &T) -> bool {
        match self {
            Self::Below => value < limit,
            Self::UpTo => value <= limit,
        }
    }

    /// The sign, for arithmetic that people read.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::UpTo => "≤",
        }
    }
}

/// Forms of buyer for which a law doubles the waiver limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuyerForm {
    /// A public consortium.
    Consortium,
    /// An autarchy or foundation qualified as executive agency.
    ExecutiveAgency,
    /// A state company or mixed-capital company, while Lei 8.666 ruled it (art. 24, § 1).
    StateCompany,
}

/// The value to which a tender may be waived. Lei 14.133/2021, art. 75, I and II; Lei 8.666/1993, art. 24, I and II.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WaiverLimit {
    /// The law under which the waiver is made.
    pub regime: Regime,
    /// The kinds of contract it is for.
    pub kinds: Vec<ContractKind>,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// The limit in BRL, before doubling.
    pub value: Money,
    /// How a value must stand to the limit.
    pub comparison: Comparison,
    /// The buyers whose limit is twice `value`.
    pub doubled_for: Vec<BuyerForm>,
    /// The article that waives.
    pub article: String,
    /// The act that set the value.
    pub act: String,
}

impl WaiverLimit {
    /// The limit for a buyer, doubled where the law doubles it. `None` is a buyer of no special form.
    #[must_use]
    pub fn value_for(&self, buyer: Option<BuyerForm>) -> Money {
        if buyer.is_some_and(|form| self.doubled_for.contains(&form)) {
            return self.value.checked_add(self.value).expect("twice a legal limit is far from the largest amount");
        }
        self.value
    }

    /// Whether a waiver of `value` by `buyer` keeps within the limit.
    #[must_use]
    pub fn allows(&self, value: Money, buyer: Option<BuyerForm>) -> bool {
        self.comparison.holds(&value, &self.value_for(buyer))
    }
}

/// The limit of a waiver by value under `regime` on a day.
///
/// `None` for laws without such a waiver in our tables: Lei 13.303 has limits of each company's own (art. 29), and a
/// pregão is no waiver.
#[must_use]
pub fn waiver_limit(regime: Regime, kind: ContractKind, on: NaiveDate) -> Option<&'static WaiverLimit> {
    in_force(&law().waivers, on).find(|row| row.regime == regime && row.kinds.contains(&kind))
}

/// The value up to which repairs of the buyer's vehicles stay outside the sum (Lei 14.133/2021, art. 75, § 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RepairLimit {
    /// The law whose sum it is about.
    pub regime: Regime,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// The limit in BRL.
    pub value: Money,
    /// How a value must stand to the limit.
    pub comparison: Comparison,
    /// The article.
    pub article: String,
    /// The act that set the value.
    pub act: String,
}

/// The limit of small vehicle repairs on a day.
#[must_use]
pub fn vehicle_repair_limit(regime: Regime, on: NaiveDate) -> Option<&'static RepairLimit> {
    in_force(&law().vehicle_repairs, on).find(|row| row.regime == regime)
}

/// The largest estimate for which a modality of Lei 8.666 may be chosen (Lei 8.666/1993, art. 23).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModalityLimit {
    /// The law.
    pub regime: Regime,
    /// The modality, by [`Modality::code`].
    pub modality: String,
    /// The kinds of contract it is for.
    pub kinds: Vec<ContractKind>,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// The limit in BRL.
    pub value: Money,
    /// How the estimate must stand to the limit.
    pub comparison: Comparison,
    /// The article.
    pub article: String,
    /// The act that set the value.
    pub act: String,
}

/// The limit of a modality under `regime` on a day; `None` for modalities without one, such as concorrência.
#[must_use]
pub fn modality_limit(
    regime: Regime,
    modality: Modality,
    kind: ContractKind,
    on: NaiveDate,
) -> Option<&'static ModalityLimit> {
    in_force(&law().modality_limits, on)
        .find(|row| row.regime == regime && row.modality == modality.code() && row.kinds.contains(&kind))
}

/// Sizes of company that the law favours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompanySize {
    /// Microempreendedor individual.
    Mei,
    /// Microempresa.
    Me,
    /// Empresa de pequeno porte.
    Epp,
}

/// The largest gross revenue of a calendar year for a size of company (Lei Complementar 123/2006).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RevenueLimit {
    /// The size.
    pub size: CompanySize,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// Gross revenue in BRL per calendar year.
    pub revenue: Money,
    /// How the revenue must stand to the limit.
    pub comparison: Comparison,
    /// The article.
    pub article: String,
    /// The act.
    pub act: String,
}

/// The revenue limit of a size of company on a day.
#[must_use]
pub fn revenue_limit(size: CompanySize, on: NaiveDate) -> Option<&'static RevenueLimit> {
    in_force(&law().companies, on).find(|row| row.size == size)
}

impl Dated for WaiverLimit {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        self.kinds.iter().map(|kind| format!("{} {kind:?}", self.regime.code())).collect()
    }
}

impl Dated for RepairLimit {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec![self.regime.code().to_owned()]
    }
}

impl Dated for ModalityLimit {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        self.kinds.iter().map(|kind| format!("{} {} {kind:?}", self.regime.code(), self.modality)).collect()
    }
}

impl Dated for RevenueLimit {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec![format!("{:?}", self.size)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::tests::on;

    fn waiver(regime: Regime, kind: ContractKind, day: &str) -> Option<(String, Comparison)> {
        waiver_limit(regime, kind, on(day)).map(|row| (row.value.to_string(), row.comparison))
    }

    fn below(value: &str) -> Option<(String, Comparison)> {
        Some((format!("{value}00"), Comparison::Below))
    }

    fn up_to(value: &str) -> Option<(String, Comparison)> {
        Some((format!("{value}00"), Comparison::UpTo))
    }

    #[test]
    fn the_limits_of_lei_14133_change_with_each_decree() {
        let steps = [
            ("2021-04-01", "2021-12-31", "100000.00", "50000.00"),
            ("2022-01-01", "2022-12-31", "108040.82", "54020.41"),
            ("2023-01-01", "2023-12-31", "114416.65", "57208.33"),
            ("2024-01-01", "2024-12-31", "119812.02", "59906.02"),
            ("2025-01-01", "2025-12-31", "125451.15", "62725.59"),
            ("2026-01-01", "2026-12-31", "130984.20", "65492.11"),
        ];
        for (first, last, works, other) in steps {
            for day in [first, last] {
                assert_eq!(waiver(Regime::Lei14133, ContractKind::Works, day), below(works), "{day}");
                assert_eq!(waiver(Regime::Lei14133, ContractKind::VehicleUpkeep, day), below(works), "{day}");
                assert_eq!(waiver(Regime::Lei14133, ContractKind::Other, day), below(other), "{day}");
            }
        }
        for day in ["2021-03-31", "2027-01-01"] {
            assert_eq!(waiver(Regime::Lei14133, ContractKind::Other, day), None, "{day}");
        }
    }

    #[test]
    fn the_limits_of_lei_8666_rise_in_2018_and_for_the_pandemic() {
        let steps = [
            ("1998-05-28", "2018-07-18", "15000.00", "8000.00"),
            ("2018-07-19", "2020-03-19", "33000.00", "17600.00"),
            ("2020-03-20", "2020-12-31", "100000.00", "50000.00"),
            ("2021-01-01", "2024-02-01", "33000.00", "17600.00"),
        ];
        for (first, last, works, other) in steps {
            for day in [first, last] {
                assert_eq!(waiver(Regime::Lei8666, ContractKind::Works, day), up_to(works), "{day}");
                assert_eq!(waiver(Regime::Lei8666, ContractKind::VehicleUpkeep, day), up_to(other), "{day}");
                assert_eq!(waiver(Regime::Lei8666, ContractKind::Other, day), up_to(other), "{day}");
            }
        }
        assert_eq!(waiver(Regime::Lei8666, ContractKind::Other, "1998-05-27"), None);
    }

    #[test]
    fn laws_without_a_waiver_by_value_have_no_limit() {
        for regime in [Regime::Lei10520, Regime::Lei12462, Regime::Lei13303] {
            assert_eq!(waiver(regime, ContractKind::Other, "2020-01-10"), None);
        }
    }

    #[test]
    fn the_limit_itself_is_too_much_now_and_was_allowed_before() {
        let money = |text| Money::parse(text).unwrap();
        let new = waiver_limit(Regime::Lei14133, ContractKind::Other, on("2024-05-02")).unwrap();
        assert!(new.allows(money("59906.01"), None));
        assert!(!new.allows(money("59906.02"), None));
        let old = waiver_limit(Regime::Lei8666, ContractKind::Other, on("2019-05-02")).unwrap();
        assert!(old.allows(money("17600.00"), None));
        assert!(!old.allows(money("17600.01"), None));
    }

    #[test]
    fn some_buyers_have_the_double() {
        let new = waiver_limit(Regime::Lei14133, ContractKind::Other, on("2025-05-02")).unwrap();
        assert_eq!(new.value_for(Some(BuyerForm::Consortium)), Money::parse("125451.18").unwrap());
        assert_eq!(new.value_for(Some(BuyerForm::ExecutiveAgency)), Money::parse("125451.18").unwrap());
        assert_eq!(new.value_for(Some(BuyerForm::StateCompany)), new.value);
        let old = waiver_limit(Regime::Lei8666, ContractKind::Works, on("2015-05-02")).unwrap();
        assert_eq!(old.value_for(Some(BuyerForm::StateCompany)), Money::parse("30000").unwrap());
        let pandemic = waiver_limit(Regime::Lei8666, ContractKind::Works, on("2020-05-02")).unwrap();
        assert_eq!(pandemic.value_for(Some(BuyerForm::Consortium)), pandemic.value);
    }

    #[test]
    fn small_repairs_are_known_for_2025_and_2026() {
        let repair = |day| vehicle_repair_limit(Regime::Lei14133, on(day)).map(|row| row.value.to_string());
        assert_eq!(repair("2024-12-31"), None);
        assert_eq!(repair("2025-01-01").as_deref(), Some("10036.1000"));
        assert_eq!(repair("2025-12-31").as_deref(), Some("10036.1000"));
        assert_eq!(repair("2026-01-01").as_deref(), Some("10478.7400"));
        assert_eq!(repair("2027-01-01"), None);
    }

    #[test]
    fn the_modalities_of_lei_8666_have_their_limits() {
        let limit = |modality, kind, day| {
            modality_limit(Regime::Lei8666, modality, kind, on(day)).map(|row| row.value.to_string())
        };
        for (modality, kind, before, after) in [
            (Modality::Convite, ContractKind::Works, "150000.0000", "330000.0000"),
            (Modality::Convite, ContractKind::Other, "80000.0000", "176000.0000"),
            (Modality::TomadaDePrecos, ContractKind::Works, "1500000.0000", "3300000.0000"),
            (Modality::TomadaDePrecos, ContractKind::Other, "650000.0000", "1430000.0000"),
        ] {
            assert_eq!(limit(modality, kind, "2018-07-18").as_deref(), Some(before));
            assert_eq!(limit(modality, kind, "2018-07-19").as_deref(), Some(after));
        }
        assert_eq!(limit(Modality::Concorrencia, ContractKind::Works, "2019-01-02"), None);
    }

    #[test]
    fn company_sizes_changed_with_2018() {
        let revenue = |size, day| revenue_limit(size, on(day)).map(|row| row.revenue.to_string());
        for (size, before, after) in [
            (CompanySize::Mei, "60000.0000", "81000.0000"),
            (CompanySize::Me, "360000.0000", "360000.0000"),
            (CompanySize::Epp, "3600000.0000", "4800000.0000"),
        ] {
            assert_eq!(revenue(size, "2011-12-31"), None);
            assert_eq!(revenue(size, "2017-12-31").as_deref(), Some(before));
            assert_eq!(revenue(size, "2018-01-01").as_deref(), Some(after));
        }
    }

    #[test]
    fn a_comparison_is_written_as_its_sign() {
        assert_eq!(serde_json::to_string(&Comparison::Below).unwrap(), "\"<\"");
        assert_eq!((Comparison::Below.sign(), Comparison::UpTo.sign()), ("<", "≤"));
    }
}
