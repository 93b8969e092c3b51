//! Limits in business days: from publication to proposals, and from signature to PNCP.
//!
//! Count them with [`crate::calendar::business_days_between`]. Local holidays are unknown to us: who judges must
//! leave room for them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Dated, Regime, in_force, law};
use crate::Quantity;

/// What is bought and how it is judged, as far as the window tells it apart (Lei 14.133/2021, art. 55).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalKind {
    /// Goods, by lowest price or largest discount.
    GoodsLowestPrice,
    /// Goods, by another criterion.
    GoodsOther,
    /// Common services and common works and engineering services, by lowest price or largest discount.
    CommonServices,
    /// Special services and special works and engineering services, by lowest price or largest discount.
    SpecialServices,
    /// Works under integrated contracting.
    IntegratedContracting,
    /// Works under semi-integrated contracting, and services or works that fit no other row.
    SemiIntegratedOrOther,
    /// The highest bid.
    HighestBid,
    /// Technique and price, or best technique or artistic content.
    Technique,
}

/// The least business days from the publication of the notice to the proposals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProposalWindow {
    /// The law of the tender.
    pub regime: Regime,
    /// What is bought and how.
    pub kind: ProposalKind,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// Business days.
    pub business_days: u16,
    /// The share that the Ministry of Health must keep to within SUS (art. 55, § 2).
    pub sus_share: Quantity,
    /// The article.
    pub article: String,
    /// The act.
    pub act: String,
}

impl ProposalWindow {
    /// The least whole business days; `within_sus` is a tender of the Ministry of Health within SUS.
    #[must_use]
    pub fn least_business_days(&self, within_sus: bool) -> u16 {
        if !within_sus {
            return self.business_days;
        }
        let scaled = i64::from(self.business_days) * self.sus_share.scaled();
        let one = 10_000;
        u16::try_from((scaled + one - 1) / one).unwrap_or(self.business_days)
    }
}

/// The window for a kind of tender under `regime` on a day; `None` for laws whose windows we do not hold.
#[must_use]
pub fn proposal_window(regime: Regime, kind: ProposalKind, on: NaiveDate) -> Option<&'static ProposalWindow> {
    in_force(&law().windows, on).find(|row| row.regime == regime && row.kind == kind)
}

/// How a contract came about, as far as its publication tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Procedure {
    /// After a tender.
    Tender,
    /// A direct award: dispensa or inexigibilidade.
    DirectAward,
}

/// Business days after the signature within which a contract must stand in PNCP (Lei 14.133/2021, art. 94).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PublicationDeadline {
    /// The law of the tender.
    pub regime: Regime,
    /// How the contract came about.
    pub procedure: Procedure,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force.
    pub to: Option<NaiveDate>,
    /// Business days.
    pub business_days: u16,
    /// The article.
    pub article: String,
    /// The act.
    pub act: String,
}

/// The publication deadline under `regime` on the day of signature.
#[must_use]
pub fn publication_deadline(
    regime: Regime,
    procedure: Procedure,
    on: NaiveDate,
) -> Option<&'static PublicationDeadline> {
    in_force(&law().publication, on).find(|row| row.regime == regime && row.procedure == procedure)
}

/// Small municipalities that need not publish in PNCP yet (Lei 14.133/2021, art. 176).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PublicationExemption {
    /// The largest population that is exempt.
    pub population_max: u32,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// The article.
    pub article: String,
    /// The act.
    pub act: String,
}

/// The exemption of a municipality of `population` people on a day, if it has one.
#[must_use]
pub fn publication_exemption(population: u32, on: NaiveDate) -> Option<&'static PublicationExemption> {
    in_force(&law().publication_exemptions, on).find(|row| population <= row.population_max)
}

impl Dated for ProposalWindow {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec![format!("{} {:?}", self.regime.code(), self.kind)]
    }
}

impl Dated for PublicationDeadline {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec![format!("{} {:?}", self.regime.code(), self.procedure)]
    }
}

impl Dated for PublicationExemption {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec!["municipalities".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::tests::on;

    #[test]
    fn windows_are_those_of_article_55_and_half_within_sus() {
        for (kind, days, within_sus) in [
            (ProposalKind::GoodsLowestPrice, 8, 4),
            (ProposalKind::GoodsOther, 15, 8),
            (ProposalKind::CommonServices, 10, 5),
            (ProposalKind::SpecialServices, 25, 13),
            (ProposalKind::IntegratedContracting, 60, 30),
            (ProposalKind::SemiIntegratedOrOther, 35, 18),
            (ProposalKind::HighestBid, 15, 8),
            (ProposalKind::Technique, 35, 18),
        ] {
            let window = proposal_window(Regime::Lei14133, kind, on("2021-04-01")).unwrap();
            assert_eq!(window.least_business_days(false), days, "{kind:?}");
            assert_eq!(window.least_business_days(true), within_sus, "{kind:?}");
        }
    }

    #[test]
    fn earlier_laws_have_no_window_here() {
        assert!(proposal_window(Regime::Lei14133, ProposalKind::GoodsOther, on("2021-03-31")).is_none());
        assert!(proposal_window(Regime::Lei10520, ProposalKind::GoodsOther, on("2022-03-31")).is_none());
    }

    #[test]
    fn a_contract_stands_in_pncp_after_twenty_or_ten_days() {
        let days = |regime, procedure, day| publication_deadline(regime, procedure, on(day)).map(|r| r.business_days);
        assert_eq!(days(Regime::Lei14133, Procedure::Tender, "2021-04-01"), Some(20));
        assert_eq!(days(Regime::Lei14133, Procedure::DirectAward, "2026-04-01"), Some(10));
        assert_eq!(days(Regime::Lei14133, Procedure::Tender, "2021-03-31"), None);
        assert_eq!(days(Regime::Lei8666, Procedure::Tender, "2022-03-31"), None);
    }

    #[test]
    fn small_towns_are_exempt_until_april_2027() {
        assert!(publication_exemption(20_000, on("2027-04-01")).is_some());
        assert!(publication_exemption(20_000, on("2027-04-02")).is_none());
        assert!(publication_exemption(20_001, on("2025-04-01")).is_none());
        assert!(publication_exemption(800, on("2021-04-01")).is_some());
    }
}
