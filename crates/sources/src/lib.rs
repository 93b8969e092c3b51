//! One module per foreign format; each maps to canonical records and quarantines what it cannot.
//!
//! A format is known by its content, never by its file name. Files are streamed: memory does not grow with them.
//! Every row of a file comes out as exactly one [`Event`], a record or a quarantined row, so that the account of an
//! ingest can always be closed.

mod again;
mod comprasgov;
mod comprasgov_contracts;
mod contact;
mod contratosgov;
mod contratosgov_tables;
mod csv_rows;
mod detect;
mod discover;
mod encoding;
mod error;
mod fields;
mod ifms;
mod json_fields;
mod json_formats;
mod json_loose;
mod json_rows;
mod json_tree;
mod licitacon;
pub mod live;
mod local;
mod mapped;
mod mapping;
mod mg_compras;
mod mg_empenhos;
mod mojibake;
mod ocds;
mod pncp;
mod pncp_control;
mod pncp_df;
mod pncp_items;
mod pncp_terms;
mod portal_api;
mod portal_api_sanctions;
mod portal_compras;
mod portal_despesas;
mod portal_licitacoes;
mod portal_ui;
mod read;
mod receita;
mod receita_shape;
mod recife;
mod sagres;
mod sagres_bids;
mod sanction_lists;
mod sanctions;
mod siasg;
mod sp_capital;
mod unit;

use model::{Buyer, Sourced, Supplier};

pub use again::{Again, read_again};
pub use csv_rows::RAW_BYTES_MAX;
pub use detect::{Format, SOURCES};
pub use discover::{Input, discover};
pub use error::{Error, Reason};
pub use mapping::Mapping;
pub use read::{Header, How, identify, read};

/// A row that could be mapped.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The record, with its natural id.
    pub sourced: Sourced,
    /// The buyer that the row names, with its id.
    pub buyer: Option<(String, Buyer)>,
    /// The supplier that the row names, with its id.
    pub supplier: Option<(String, Supplier)>,
    /// What else the row states.
    pub more: Vec<Also>,
}

/// Something that a row states beside its first record.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "they stand in a list that most rows leave empty")]
pub enum Also {
    /// Another record.
    Record(Sourced),
    /// Another buyer, with its id.
    Buyer(String, Buyer),
    /// Another supplier, with its id.
    Supplier(String, Supplier),
}

/// A row that could not be mapped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Line of the file (1 is the first), or ordinal of the record in a JSON page.
    pub line: u64,
    /// The column at fault, where one is.
    pub column: Option<String>,
    /// Why, as a code that can be counted.
    pub reason: Reason,
    /// Why, in words.
    pub detail: String,
    /// The row as it came, decoded, CPFs masked, cut at [`RAW_BYTES_MAX`].
    pub raw: String,
}

/// What one row became.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A record.
    Row(Box<Parsed>),
    /// A quarantined row.
    Bad(Quarantined),
}
