//! Contracts, their items, amendments and older versions.

use serde::Serialize;
use serde_json::{Map, Value};
use store::{ContractRow, RowVersion};
use utoipa::ToSchema;

use super::{CURRENCY, FindingSummary, LineKind, Provenance, money, take_text};

/// A contract.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Contract {
    /// `source:natural-key`.
    pub id: String,
    /// The source it came from.
    pub source: String,
    /// As stated.
    pub number: Option<String>,
    /// Administrative process.
    pub process: Option<String>,
    /// What is bought.
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
    /// As the source writes it (Serviços, Obras …).
    pub category: Option<String>,
    /// Who buys; null when the source does not say.
    pub buyer: Option<ContractBuyer>,
    /// Who sells; null when the source does not say.
    pub supplier: Option<ContractSupplier>,
    /// Signature.
    pub signed_on: Option<String>,
    /// Publication.
    pub published_on: Option<String>,
    /// In force from.
    pub starts_on: Option<String>,
    /// In force until.
    pub ends_on: Option<String>,
    /// At signature.
    #[schema(example = "29200.0000")]
    pub value_initial: Option<String>,
    /// With amendments.
    #[schema(example = "29200.0000")]
    pub value_final: Option<String>,
    /// Of both values.
    #[schema(example = "BRL")]
    pub currency: String,
    /// Income of the public purse, not spending.
    pub income: bool,
    /// Line of activity.
    pub activity: Option<String>,
    /// What the line of activity was taken from.
    pub activity_basis: Option<String>,
    /// The tender it came from.
    pub tender_id: Option<String>,
    /// Where it came from.
    pub provenance: Provenance,
}

/// The buyer of a contract, as the contract's row names it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractBuyer {
    /// Null when the row has a name but no code.
    pub id: Option<String>,
    /// As stated.
    pub name: Option<String>,
    /// Two letters.
    pub state: Option<String>,
}

/// The supplier of a contract, as the contract's row names it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractSupplier {
    /// Null when the row has a name but no number.
    pub id: Option<String>,
    /// As stated, CPFs masked.
    pub name: Option<String>,
}

/// A contract with all that belongs to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractDetail {
    /// The contract.
    #[serde(flatten)]
    pub contract: Contract,
    /// What we do not map, as it came.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// What was bought.
    pub items: Vec<Item>,
    /// How it changed.
    pub amendments: Vec<Amendment>,
    /// Open findings that speak of it, gravest first.
    pub findings: Vec<FindingSummary>,
    /// Its older forms, newest first.
    pub versions: Vec<Version>,
    /// Which of `items`, `amendments`, `findings` hold more than is shown here.
    pub truncated: Vec<&'static str>,
}

/// One thing bought.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Item {
    /// `source:natural-key`.
    pub id: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// CATMAT or CATSER code.
    pub catalog_code: Option<String>,
    /// Unit of supply.
    pub unit: Option<String>,
    /// `stated`, or `text` when read from the detail.
    pub unit_basis: Option<String>,
    /// How many.
    pub quantity: Option<String>,
    /// BRL each.
    pub unit_price: Option<String>,
    /// BRL for all.
    pub total: Option<String>,
    /// Of price and total.
    pub currency: String,
    /// Where it came from.
    pub provenance: Provenance,
}

/// A change of a contract.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Amendment {
    /// `source:natural-key`.
    pub id: Option<String>,
    /// As stated.
    pub number: Option<String>,
    /// `amendment` or `apostille`.
    pub kind: Option<String>,
    /// Signature.
    pub signed_on: Option<String>,
    /// BRL, negative for a reduction.
    pub value: Option<String>,
    /// Of the value.
    pub currency: String,
    /// What changes.
    pub description: Option<String>,
    /// Where it came from.
    pub provenance: Provenance,
}

/// An older form of a record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Version {
    /// Hash of the raw row.
    pub row_hash: String,
    /// When we came to hold it.
    pub valid_from: String,
    /// When another form took its place.
    pub valid_to: String,
    /// The file it stood in.
    pub file: String,
    /// The line it stood on, or the ordinal of its record.
    pub line: i64,
    /// Which of the two `line` is.
    pub line_kind: LineKind,
    /// The record as it was.
    #[schema(value_type = Object)]
    pub fields: Value,
}

impl From<ContractRow> for Contract {
    fn from(row: ContractRow) -> Self {
        let has_buyer = row.buyer_id.is_some() || row.buyer_name.is_some();
        let has_supplier = row.supplier_id.is_some() || row.supplier_name.is_some();
        Self {
            id: row.id,
            source: row.source,
            number: row.number,
            process: row.process,
            object: row.object,
            modality: row.modality,
            modality_as_stated: row.modality_as_stated,
            legal_basis: row.legal_basis,
            regime: row.regime,
            status: row.status,
            category: row.category,
            buyer: has_buyer.then_some(ContractBuyer {
                id: row.buyer_id,
                name: row.buyer_name,
                state: row.buyer_state,
            }),
            supplier: has_supplier.then_some(ContractSupplier { id: row.supplier_id, name: row.supplier_name }),
            signed_on: row.signed_on,
            published_on: row.published_on,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            value_initial: money(row.value_initial),
            value_final: money(row.value_final),
            currency: row.currency.unwrap_or_else(|| CURRENCY.to_owned()),
            income: row.income,
            activity: row.activity,
            activity_basis: row.activity_basis,
            tender_id: row.tender_id,
            provenance: Provenance {
                line_kind: Some(LineKind::of(&row.file)),
                file: Some(row.file),
                line: Some(row.line),
                file_sha256: Some(row.file_sha256),
                row_hash: Some(row.row_hash),
                fetched_at: Some(row.fetched_at),
            },
        }
    }
}

impl From<Map<String, Value>> for Item {
    fn from(mut row: Map<String, Value>) -> Self {
        let provenance = Provenance::take(&mut row);
        let mut text = |column: &str| take_text(&mut row, column);
        Self {
            id: text("id"),
            description: text("description"),
            catalog_code: text("catalog_code"),
            unit: text("unit"),
            unit_basis: text("unit_basis"),
            quantity: text("quantity"),
            unit_price: text("unit_price"),
            total: text("total"),
            currency: text("currency").unwrap_or_else(|| CURRENCY.to_owned()),
            provenance,
        }
    }
}

impl From<Map<String, Value>> for Amendment {
    fn from(mut row: Map<String, Value>) -> Self {
        let provenance = Provenance::take(&mut row);
        let mut text = |column: &str| take_text(&mut row, column);
        Self {
            id: text("id"),
            number: text("number"),
            kind: text("kind"),
            signed_on: text("signed_on"),
            value: text("value"),
            currency: text("currency").unwrap_or_else(|| CURRENCY.to_owned()),
            description: text("object"),
            provenance,
        }
    }
}

impl TryFrom<RowVersion> for Version {
    type Error = crate::Error;

    fn try_from(row: RowVersion) -> crate::Result<Self> {
        let fields = serde_json::from_str(&row.fields).map_err(store::Error::from)?;
        Ok(Self {
            row_hash: row.row_hash,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            line_kind: LineKind::of(&row.file),
            file: row.file,
            line: row.line,
            fields,
        })
    }
}
