//! Shares of a contract's value or of its estimate: amendments and bids too low to be carried out.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Comparison, Dated, Regime, in_force, law};
use crate::{Money, Quantity};

/// One, in the ten-thousandths that shares are kept in.
const ONE: i128 = 10_000;

/// What an amendment does to the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// More of the object.
    Addition,
    /// More, in the renovation of a building or of equipment.
    AdditionInRenovation,
    /// Less of the object; never set off against additions.
    Reduction,
}

/// The share of the updated initial value that amendments of one direction may reach, and not pass.
///
/// Lei 14.133/2021, art. 125; Lei 8.666/1993, art. 65, § 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AmendmentShare {
    /// The law of the tender.
    pub regime: Regime,
    /// The direction.
    pub change: Change,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// A share of one: `0.25` is 25 %.
    pub share: Quantity,
    /// The article.
    pub article: String,
    /// The act.
    pub act: String,
}

/// The share for one direction of change under `regime` on a day.
#[must_use]
pub fn amendment_share(regime: Regime, change: Change, on: NaiveDate) -> Option<&'static AmendmentShare> {
    in_force(&law().amendments, on).find(|row| row.regime == regime && row.change == change)
}

/// What follows from a bid far under the estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// The bid counts as impossible to carry out.
    Unworkable,
    /// The winner gives an extra guarantee.
    ExtraGuarantee,
}

/// The share of the estimate under which a bid for works or engineering services has a consequence.
///
/// Lei 14.133/2021, art. 59, §§ 4 and 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BidFloor {
    /// The law of the tender.
    pub regime: Regime,
    /// What follows.
    pub consequence: Consequence,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// A share of one: `0.75` is 75 %.
    pub share: Quantity,
    /// How the bid stands to the share when the consequence follows.
    pub comparison: Comparison,
    /// The article.
    pub article: String,
    /// The act.
    pub act: String,
}

impl BidFloor {
    /// Whether `bid` against `estimate` has the consequence; `None` without a positive estimate.
    #[must_use]
    pub fn strikes(&self, bid: Money, estimate: Money) -> Option<bool> {
        if estimate <= Money::ZERO {
            return None;
        }
        // Whole numbers on both sides, so that nothing is rounded at the border.
        let bid = i128::from(bid.scaled()) * ONE;
        let floor = i128::from(estimate.scaled()) * i128::from(self.share.scaled());
        Some(self.comparison.holds(&bid, &floor))
    }
}

/// The floor with one consequence under `regime` on a day.
#[must_use]
pub fn bid_floor(regime: Regime, consequence: Consequence, on: NaiveDate) -> Option<&'static BidFloor> {
    in_force(&law().bid_floors, on).find(|row| row.regime == regime && row.consequence == consequence)
}

impl Dated for AmendmentShare {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec![format!("{} {:?}", self.regime.code(), self.change)]
    }
}

impl Dated for BidFloor {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec![format!("{} {:?}", self.regime.code(), self.consequence)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::tests::on;

    #[test]
    fn a_quarter_may_change_and_half_may_be_added_in_renovations() {
        let share = |regime, change, day| amendment_share(regime, change, on(day)).map(|row| row.share.to_string());
        for (regime, before, first) in [
            (Regime::Lei14133, "2021-03-31", "2021-04-01"),
            (Regime::Lei8666, "1993-06-21", "1993-06-22"),
            (Regime::Lei10520, "2002-07-17", "2002-07-18"),
        ] {
            assert_eq!(share(regime, Change::Addition, before), None);
            assert_eq!(share(regime, Change::Addition, first).as_deref(), Some("0.2500"));
            assert_eq!(share(regime, Change::Reduction, first).as_deref(), Some("0.2500"));
            assert_eq!(share(regime, Change::AdditionInRenovation, first).as_deref(), Some("0.5000"));
        }
        assert_eq!(share(Regime::Lei13303, Change::Addition, "2020-01-01"), None);
    }

    #[test]
    fn a_bid_at_the_floor_is_workable_and_a_cent_less_is_not() {
        let money = |text| Money::parse(text).unwrap();
        let floor = |consequence| bid_floor(Regime::Lei14133, consequence, on("2021-04-01")).unwrap();
        let unworkable = floor(Consequence::Unworkable);
        assert_eq!(unworkable.strikes(money("750000"), money("1000000")), Some(false));
        assert_eq!(unworkable.strikes(money("749999.99"), money("1000000")), Some(true));
        assert_eq!(unworkable.strikes(money("1"), Money::ZERO), None);
        assert_eq!(floor(Consequence::ExtraGuarantee).strikes(money("849999.99"), money("1000000")), Some(true));
        assert!(bid_floor(Regime::Lei14133, Consequence::Unworkable, on("2021-03-31")).is_none());
        assert!(bid_floor(Regime::Lei8666, Consequence::Unworkable, on("2022-01-01")).is_none());
    }
}
