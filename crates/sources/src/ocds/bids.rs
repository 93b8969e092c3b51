//! Awards, and who took part: bids, tenderers, and the suppliers of awards.
//!
//! An award is no record of its own. It says who won; its supplier and value go to its contract, and where the process
//! is told to its end without one, it stands in for the contract (see `contracts`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use chrono::NaiveDate;
use model::{Bid, Currency, Money, Record, Tender};

use super::Process;
use super::parties::Party;
use crate::json_tree::{Kind, Part};

/// An award of a release.
pub(super) struct Award<'t, 'a> {
    pub part: Part<'t, 'a>,
    pub id: Option<Cow<'a, str>>,
    pub date: Option<NaiveDate>,
    /// In force: `active`, or without a status.
    pub is_active: bool,
    pub value: Option<(Money, Currency)>,
    pub suppliers: Vec<(Part<'t, 'a>, Rc<Party>)>,
    lots: Vec<Cow<'a, str>>,
    bids: Vec<Cow<'a, str>>,
}

/// All awards of a release.
pub(super) struct Awards<'t, 'a> {
    pub all: Vec<Award<'t, 'a>>,
    by_id: HashMap<Cow<'a, str>, usize>,
    /// The awards of each supplier, by the supplier's id.
    by_supplier: HashMap<String, Vec<usize>>,
}

impl<'t, 'a> Awards<'t, 'a> {
    pub(super) fn active(&self) -> impl Iterator<Item = &Award<'t, 'a>> {
        self.all.iter().filter(|award| award.is_active)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Award<'t, 'a>> {
        self.by_id.get(id).map(|at| &self.all[*at])
    }

    /// The day of the last award in force.
    pub(super) fn result_on(&self) -> Option<NaiveDate> {
        let last = self.active().filter_map(|award| award.date).max()?;
        for award in self.active().filter(|award| award.date == Some(last)) {
            award.part.get("date").inspect(|p| p.keep());
        }
        Some(last)
    }

    /// Whether a bidder won, and with which of its bids; `None` where the release does not say.
    fn won(&self, bidder: &str, bid: Option<&str>, lots: &[Cow<'_, str>]) -> Option<bool> {
        let shared = |award: &Award<'_, '_>| {
            award.lots.is_empty() || lots.is_empty() || award.lots.iter().any(|l| lots.contains(l))
        };
        let named: &[usize] = self.by_supplier.get(bidder).map_or(&[], Vec::as_slice);
        let mut is_named = false;
        for award in named.iter().map(|at| &self.all[*at]) {
            let is_bid = award.bids.is_empty() || bid.is_none_or(|bid| award.bids.iter().any(|b| b == bid));
            if award.is_active && is_bid && shared(award) {
                return Some(true);
            }
            is_named |= !award.is_active;
        }
        if is_named {
            return None;
        }
        let decided = |lot: Option<&Cow<'_, str>>| {
            let covers =
                |award: &Award<'_, '_>| award.lots.is_empty() || lot.is_some_and(|lot| award.lots.contains(lot));
            self.active().any(|award| !award.suppliers.is_empty() && covers(award))
        };
        let all_decided = if lots.is_empty() { decided(None) } else { lots.iter().all(|lot| decided(Some(lot))) };
        all_decided.then_some(false)
    }
}

fn texts<'a>(part: Part<'_, 'a>, keys: &[&str]) -> Vec<Cow<'a, str>> {
    let mut found = Vec::new();
    for value in keys.iter().filter_map(|key| part.get(key)) {
        if value.kind() == Kind::Array {
            found.extend(value.inner().filter_map(Part::peek_text));
        } else {
            found.extend(value.peek_text());
        }
    }
    found
}

impl<'t, 'a> Process<'t, 'a> {
    /// Reads the awards; marks nothing but amounts and days, which are read once.
    pub(super) fn awards(&self) -> Awards<'t, 'a> {
        let mut awards = Awards { all: Vec::new(), by_id: HashMap::new(), by_supplier: HashMap::new() };
        for part in self.release.objects("awards") {
            let suppliers: Vec<_> = part.objects("suppliers").filter_map(|s| Some((s, self.party(s)?))).collect();
            for (_, party) in &suppliers {
                awards.by_supplier.entry(party.id.clone()).or_default().push(awards.all.len());
            }
            let id = part.peek("id");
            if let Some(id) = &id {
                awards.by_id.entry(id.clone()).or_insert(awards.all.len());
            }
            let date = part.day("date");
            if date.is_some() {
                part.get("date").inspect(|p| p.leave());
            }
            awards.all.push(Award {
                part,
                id,
                date,
                is_active: part.peek("status").is_none_or(|status| status == "active"),
                value: self.peek_value(part.object("value")),
                suppliers,
                lots: texts(part, &["relatedLots", "relatedLot"]),
                bids: texts(part, &["relatedBids", "relatedBid"]),
            });
        }
        awards
    }

    fn peek_value(&self, value: Option<Part<'t, 'a>>) -> Option<(Money, Currency)> {
        let found = self.value(value)?;
        for key in ["amount", "currency"] {
            value.and_then(|v| v.get(key)).inspect(|p| p.leave());
        }
        Some(found)
    }

    /// The bids; then, each in a row without a value, tenderers and winners of whom no bid is told.
    pub(super) fn push_bids(&mut self, awards: &Awards<'t, 'a>, tender: &Tender) {
        if let Some(bids) = self.release.get("bids") {
            let details = if bids.kind() == Kind::Array { "" } else { "details" };
            let listed: Vec<_> =
                if details.is_empty() { bids.inner().collect() } else { bids.objects(details).collect() };
            for bid in listed {
                self.push_bid(bid, awards, tender);
            }
        }
        let tenderers = self.release.object("tender").into_iter().flat_map(|tender| tender.objects("tenderers"));
        for tenderer in tenderers {
            self.push_tenderer(tenderer, awards, tender);
        }
        for award in awards.active() {
            for (supplier, _) in &award.suppliers {
                self.push_tenderer(*supplier, awards, tender);
            }
        }
    }

    fn push_bid(&mut self, bid: Part<'t, 'a>, awards: &Awards<'t, 'a>, tender: &Tender) {
        let status = bid.peek("status");
        let Some(number) = bid.peek("id") else { return };
        // An invitation is no bid.
        if status.as_deref() == Some("invited") {
            return;
        }
        let id = format!("{}:bid:{number}", self.id);
        if !self.is_new(&id) {
            return;
        }
        bid.get("id").inspect(|p| p.keep());
        let lots = texts(bid, &["relatedLots", "relatedLot"]);
        for lot in ["relatedLots", "relatedLot"].iter().filter_map(|key| bid.get(key)) {
            lot.inner().chain([lot]).for_each(Part::keep);
        }
        let value = self.value(bid.object("value"));
        let submitted_on = bid.day("date");
        let row = Bid {
            tender_id: Some(self.id.clone()),
            lot: (!lots.is_empty()).then(|| lots.join(",")),
            rank: bid.integer("rank"),
            valid: match status.as_deref() {
                Some("valid") => Some(true),
                Some("disqualified" | "withdrawn") => Some(false),
                _ => None,
            },
            status: bid.text("status"),
            submitted_on,
            currency: value.map_or(tender.currency, |(_, currency)| currency),
            partition_on: submitted_on.or(tender.partition_on),
            ..Bid::default()
        };
        let mut value = value.map(|(amount, _)| amount);
        let bidders: Vec<_> = bid.objects("tenderers").filter_map(|t| self.push_supplier(t)).collect();
        if bidders.is_empty() {
            self.push(id, Record::Bid(Bid { value, ..row }));
            return;
        }
        for (at, bidder) in bidders.into_iter().enumerate() {
            self.is_new(&tenderer_id(&self.id, &bidder));
            // Of a bid handed in together, each has a row; the first has the value, which was offered once.
            let id = if at == 0 { id.clone() } else { format!("{id}:{}", bidder.id) };
            if at > 0 && !self.is_new(&id) {
                continue;
            }
            let won = awards.won(&bidder.id, Some(&number), &lots);
            let row = Bid { won, value: value.take(), ..row.clone() };
            self.push(id, Record::Bid(named(row, &bidder)));
        }
    }

    fn push_tenderer(&mut self, reference: Part<'t, 'a>, awards: &Awards<'t, 'a>, tender: &Tender) {
        let Some(party) = self.push_supplier(reference) else { return };
        let id = tenderer_id(&self.id, &party);
        if !self.is_new(&id) {
            return;
        }
        let row = Bid {
            tender_id: Some(self.id.clone()),
            won: awards.won(&party.id, None, &[]),
            currency: tender.currency,
            partition_on: tender.partition_on,
            ..Bid::default()
        };
        self.push(id, Record::Bid(named(row, &party)));
    }
}

fn named(row: Bid, bidder: &Party) -> Bid {
    Bid {
        bidder_name: bidder.name(),
        bidder_id: Some(bidder.id.clone()),
        bidder_root: bidder.supplier.cnpj_root.clone(),
        ..row
    }
}

fn tenderer_id(process: &str, party: &Party) -> String {
    format!("{process}:tenderer:{}", party.id)
}
