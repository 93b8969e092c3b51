//! Tenders, what was sought in them and who bid.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{CURRENCY, Item, Provenance, Version, take_text};

/// A tender: what is to be bought, and how.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Tender {
    /// `source:natural-key`.
    pub id: String,
    /// The source it came from.
    pub source: String,
    /// As stated.
    pub number: Option<String>,
    /// Administrative process.
    pub process: Option<String>,
    /// What is to be bought.
    pub object: Option<String>,
    /// Our code of the modality; null when the source's words are unknown to us.
    pub modality: Option<String>,
    /// As the source writes it.
    pub modality_as_stated: Option<String>,
    /// As the source writes it.
    pub legal_basis: Option<String>,
    /// The law of the tender, from its legal basis.
    pub regime: Option<String>,
    /// As the source writes it.
    pub status: Option<String>,
    /// Who buys.
    pub buyer_id: Option<String>,
    /// As this row names the buyer.
    pub buyer_name: Option<String>,
    /// Publication of the notice.
    pub published_on: Option<String>,
    /// Proposals are received from, or the session opens.
    pub opened_on: Option<String>,
    /// Deadline of proposals.
    pub closes_on: Option<String>,
    /// Result.
    pub result_on: Option<String>,
    /// Estimate; null when secret or zero.
    pub value_estimated: Option<String>,
    /// Awarded.
    pub value_awarded: Option<String>,
    /// Of both values.
    #[schema(example = "BRL")]
    pub currency: String,
    /// How many took part, where the source states a number.
    pub bidders: Option<i64>,
    /// What decides the award, as the source writes it.
    pub criterion: Option<String>,
    /// Where it came from.
    pub provenance: Provenance,
}

/// A tender with all that belongs to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TenderDetail {
    /// The tender.
    #[serde(flatten)]
    pub tender: Tender,
    /// What is to be bought.
    pub items: Vec<Item>,
    /// Who bid.
    pub bids: Vec<Bid>,
    /// Its older forms, newest first.
    pub versions: Vec<Version>,
    /// Which of `items`, `bids` hold more than is shown here.
    pub truncated: Vec<&'static str>,
}

/// A bid.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Bid {
    /// `source:natural-key`.
    pub id: Option<String>,
    /// The tender.
    pub tender_id: Option<String>,
    /// The item or lot.
    pub item_number: Option<String>,
    /// As the source writes it.
    pub item_description: Option<String>,
    /// Who.
    pub bidder_id: Option<String>,
    /// As this row names the bidder, CPFs masked.
    pub bidder_name: Option<String>,
    /// Won this item; null when not stated.
    pub won: Option<bool>,
    /// For all, where published.
    pub value: Option<String>,
    /// How many are offered.
    pub quantity: Option<String>,
    /// The price of one.
    pub unit_price: Option<String>,
    /// Of both.
    pub currency: String,
    /// Place among the bids; 1 is the first.
    pub rank: Option<i64>,
    /// As the source writes it.
    pub status: Option<String>,
    /// Counted in the contest; null when not stated.
    pub valid: Option<bool>,
    /// Day on which it was handed in.
    pub submitted_on: Option<String>,
    /// Where it came from.
    pub provenance: Provenance,
}

impl From<Map<String, Value>> for Tender {
    fn from(mut row: Map<String, Value>) -> Self {
        let provenance = Provenance::take(&mut row);
        let bidders = row.get("bidders").and_then(Value::as_i64);
        let mut text = |column: &str| take_text(&mut row, column);
        Self {
            id: text("id").unwrap_or_default(),
            source: text("source").unwrap_or_default(),
            number: text("number"),
            process: text("process"),
            object: text("object"),
            modality: text("modality"),
            modality_as_stated: text("modality_as_stated"),
            legal_basis: text("legal_basis"),
            regime: text("regime"),
            status: text("status"),
            buyer_id: text("buyer_id"),
            buyer_name: text("buyer_name"),
            published_on: text("published_on"),
            opened_on: text("opened_on"),
            closes_on: text("closes_on"),
            result_on: text("result_on"),
            value_estimated: text("value_estimated"),
            value_awarded: text("value_awarded"),
            currency: text("currency").unwrap_or_else(|| CURRENCY.to_owned()),
            bidders,
            criterion: text("criterion"),
            provenance,
        }
    }
}

impl From<Map<String, Value>> for Bid {
    fn from(mut row: Map<String, Value>) -> Self {
        let provenance = Provenance::take(&mut row);
        let (won, valid) = (row.get("won").and_then(Value::as_bool), row.get("valid").and_then(Value::as_bool));
        let rank = row.get("rank").and_then(Value::as_i64);
        let mut text = |column: &str| take_text(&mut row, column);
        Self {
            id: text("id"),
            tender_id: text("tender_id"),
            item_number: text("item_number"),
            item_description: text("item_description"),
            bidder_id: text("bidder_id"),
            bidder_name: text("bidder_name"),
            won,
            value: text("value"),
            quantity: text("quantity"),
            unit_price: text("unit_price"),
            currency: text("currency").unwrap_or_else(|| CURRENCY.to_owned()),
            rank,
            status: text("status"),
            valid,
            submitted_on: text("submitted_on"),
            provenance,
        }
    }
}
