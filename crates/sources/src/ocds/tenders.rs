//! The tender of a process and the items that it asks for.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::NaiveDate;
use model::activity::activity_of_text;
use model::law::Regime;
use model::{Buyer, Currency, Item, Modality, Money, Record, Tender};

use super::Process;
use super::bids::Awards;
use crate::json_tree::Part;

/// Lots by the items that they list.
pub(super) type Lots<'a> = HashMap<Cow<'a, str>, String>;

/// What an item belongs to.
pub(super) struct Owner<'o, 'a> {
    /// Id of the record whose item it is, as far as the item's own id.
    pub prefix: &'o str,
    pub contract_id: Option<&'o str>,
    pub tender_id: Option<&'o str>,
    pub buyer_id: Option<&'o str>,
    pub supplier_id: Option<&'o str>,
    pub supplier_name: Option<&'o str>,
    pub currency: Currency,
    pub partition_on: Option<NaiveDate>,
    pub lots: Lots<'a>,
}

/// What an object's text speaks of.
pub(super) fn object_of(part: Part<'_, '_>) -> Option<String> {
    part.text("description").or_else(|| part.text("title"))
}

impl<'t, 'a> Process<'t, 'a> {
    pub(super) fn tender(&self, buyer: Option<&(String, Buyer)>, awards: &Awards<'t, 'a>) -> Tender {
        let result_on = awards.result_on();
        let stated = Tender {
            buyer_id: buyer.map(|(id, _)| id.clone()),
            buyer_name: buyer.map(|(_, b)| b.name.clone()).filter(|name| !name.is_empty()),
            currency: self.currency,
            result_on,
            partition_on: result_on.or(self.day),
            ..Tender::default()
        };
        let Some(tender) = self.release.object("tender") else { return stated };
        let period = tender.object("tenderPeriod");
        let opened_on = period.and_then(|p| p.day("startDate"));
        let closes_on = period.and_then(|p| p.day("endDate"));
        let published_on = tender.day("datePublished").or(opened_on);
        let object = object_of(tender);
        let activity = self.activity(object.as_deref());
        let (modality, modality_as_stated) = modality_of(tender);
        let legal_basis =
            tender.object("legalBasis").and_then(|basis| basis.text("description").or_else(|| basis.text("id")));
        let estimate = self.estimate(tender);
        let currency = estimate.map_or(self.currency, |(_, currency)| currency);
        Tender {
            number: tender.text("id"),
            activity,
            activity_basis: activity.map(|_| "text"),
            object,
            modality,
            modality_as_stated,
            regime: legal_basis.as_deref().and_then(Regime::from_legal_basis).map(|r| r.code()),
            legal_basis,
            status: tender.text("status"),
            published_on,
            opened_on,
            closes_on,
            value_estimated: estimate.map(|(amount, _)| amount),
            value_awarded: self.awarded(awards, currency),
            bidders: tender.integer("numberOfTenderers").filter(|n| *n >= 0),
            criterion: tender.text("awardCriteria").or_else(|| tender.text("awardCriteriaDetails")),
            currency,
            partition_on: published_on.or(closes_on).or(result_on).or(self.day),
            ..stated
        }
    }

    pub(super) fn activity(&self, object: Option<&str>) -> Option<&'static str> {
        // The rules know Portuguese words only.
        object.filter(|_| self.is_brazilian()).and_then(activity_of_text).map(|a| a.code())
    }

    /// The estimate; one of zero is none, and stays in the metadata.
    fn estimate(&self, tender: Part<'t, 'a>) -> Option<(Money, Currency)> {
        let value = tender.object("value")?;
        let estimate = self.value(Some(value))?;
        if estimate.0 == Money::ZERO {
            value.get("amount").inspect(|p| p.leave());
            return None;
        }
        Some(estimate)
    }

    /// The sum of all awards, where the release is whole and each states an amount in the tender's currency.
    fn awarded(&self, awards: &Awards<'t, 'a>, currency: Currency) -> Option<Money> {
        if !self.is_whole {
            return None;
        }
        let mut sum = None;
        for award in awards.active() {
            let (amount, _) = award.value.filter(|(_, of)| *of == currency)?;
            sum = Some(sum.unwrap_or(Money::ZERO).checked_add(amount)?);
        }
        sum
    }

    pub(super) fn push_tender_items(&mut self, buyer: Option<&(String, Buyer)>, record: &Tender) {
        let Some(tender) = self.release.object("tender") else { return };
        let (prefix, tender_id) = (format!("{}:tender", self.id), self.id.clone());
        let owner = Owner {
            prefix: &prefix,
            contract_id: None,
            tender_id: Some(&tender_id),
            buyer_id: buyer.map(|(id, _)| id.as_str()),
            supplier_id: None,
            supplier_name: None,
            currency: record.currency,
            partition_on: record.partition_on,
            lots: lots_of(tender),
        };
        self.push_items(tender, &owner);
    }

    /// Items of a tender carry estimates, those of a contract prices.
    pub(super) fn push_items(&mut self, of: Part<'t, 'a>, owner: &Owner<'_, 'a>) {
        for item in of.objects("items") {
            let Some(number) = item.peek("id") else { continue };
            let id = format!("{}:item:{number}", owner.prefix);
            if !self.is_new(&id) {
                continue;
            }
            let unit = item.object("unit");
            let price = self.value(unit.and_then(|u| u.object("value")));
            let amount = price.map(|(amount, _)| amount);
            let is_price = owner.contract_id.is_some();
            let unit_name = unit.and_then(|u| u.text("name").or_else(|| u.text("id")));
            let lot = item.text("relatedLot").or_else(|| owner.lots.get(&number).cloned());
            let record = Item {
                contract_id: owner.contract_id.map(str::to_owned),
                tender_id: owner.tender_id.map(str::to_owned),
                buyer_id: owner.buyer_id.map(str::to_owned),
                number: item.text("id"),
                lot,
                description: item.text("description"),
                catalog_code: item.object("classification").and_then(catalog_code),
                unit_basis: unit_name.as_ref().map(|_| "stated"),
                unit: unit_name,
                quantity: item.quantity("quantity"),
                unit_price: amount.filter(|_| is_price),
                price_basis: amount.filter(|_| is_price).map(|_| "stated"),
                unit_estimate: amount.filter(|_| !is_price),
                currency: price.map_or(owner.currency, |(_, currency)| currency),
                supplier_id: owner.supplier_id.map(str::to_owned),
                supplier_name: owner.supplier_name.map(str::to_owned),
                partition_on: owner.partition_on,
                ..Item::default()
            };
            self.push(id, Record::Item(record));
        }
    }
}

/// The method and its details as stated; the modality where Brazilian words say which.
pub(super) fn modality_of(tender: Part<'_, '_>) -> (Option<&'static str>, Option<String>) {
    let (method, details) = (tender.text("procurementMethod"), tender.text("procurementMethodDetails"));
    let by_words = |words: &Option<String>| words.as_deref().and_then(Modality::from_words).map(Modality::code);
    let modality = by_words(&details).or_else(|| by_words(&method));
    let stated = match (method, details) {
        (Some(method), Some(details)) => Some(format!("{method}: {details}")),
        (method, details) => method.or(details),
    };
    (modality, stated)
}

/// CATMAT and CATSER codes stand bare; others have their scheme before them, so that no two catalogues mix.
fn catalog_code(classification: Part<'_, '_>) -> Option<String> {
    let (scheme, code) = (classification.peek("scheme")?, classification.peek("id")?);
    for key in ["scheme", "id"] {
        classification.get(key).inspect(|p| p.keep());
    }
    let is_brazilian = ["CATMAT", "CATSER"].iter().any(|name| name.eq_ignore_ascii_case(&scheme));
    Some(if is_brazilian { code.into_owned() } else { format!("{scheme}:{code}") })
}

/// The lot of each item, where lots list their items.
pub(super) fn lots_of<'a>(part: Part<'_, 'a>) -> Lots<'a> {
    let mut lots = Lots::new();
    for lot in part.objects("lots") {
        let (Some(id), Some(items)) = (lot.peek("id"), lot.get("items")) else { continue };
        for item in items.inner() {
            if let Some(number) = item.peek_text() {
                item.keep();
                lots.entry(number).or_insert_with(|| id.clone().into_owned());
            }
        }
    }
    lots
}
