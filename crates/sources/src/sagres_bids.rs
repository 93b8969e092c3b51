//! SAGRES (TCE-PB): who took part in a tender, and what was offered for its items.
//!
//! The court's tables of participants and proposals have the tender's three parts and the number of who took part. Losers
//! are in both. No real file was at hand: the names of the columns are those of the court's database.

use model::{Bid, Record};

use crate::detect::{Draft, Mapper, Place};
use crate::error::{Fault, Reason};
use crate::fields::{Decimals, Row, columns};
use crate::local::{ids_of, party};
use crate::sagres::{month, tender_id};

columns! {
    /// Who took part, one row for each.
    Participants {
        unit required ["cd ugestora"],
        tender required ["nu licitacao"],
        kind required ["tp licitacao"],
        bidder required ["nu cpfcnpj", "nu cpf cnpj"],
        name optional ["no participante", "nome", "no fornecedor", "no credor"],
        month optional ["dt mesano", "dt mes ano"],
    }
}

columns! {
    /// What was offered for an item.
    Proposals {
        unit required ["cd ugestora"],
        tender required ["nu licitacao"],
        kind required ["tp licitacao"],
        bidder required ["nu cpfcnpj", "nu cpf cnpj"],
        item required ["cd item", "nu item"],
        group optional ["cd subgrupoitem", "cd sub grupo item"],
        quantity optional ["qt ofertada"],
        price required ["vl ofertado"],
        status optional ["st proposta"],
        name optional ["no participante", "nome", "no fornecedor", "no credor"],
        month optional ["dt mesano", "dt mes ano"],
    }
}

/// Maps participants.
pub(crate) struct MapParticipants {
    columns: Participants,
    place: Place,
}

impl MapParticipants {
    pub(crate) fn new(columns: Participants, place: Place) -> Self {
        Self { columns, place }
    }
}

/// Who a row names; a number that names nobody by itself (a masked CPF without a name) stands for itself in the id.
fn who(row: &Row<'_>, id: Option<&String>, bidder: crate::fields::Col) -> Result<String, Fault> {
    match id {
        Some(id) => Ok(id.clone()),
        None => row.key(bidder).map_err(|fault| Fault { reason: Reason::RequiredField, ..fault }),
    }
}

impl Mapper for MapParticipants {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let tender = tender_id(&row.key(c.unit)?, &row.key(c.kind)?, &row.key(c.tender)?);
        let seen_on = month(row.code(c.month)).or(self.place.file_month);
        let supplier = party(row.code(c.bidder), row.code(c.name), seen_on);
        let (bidder_id, bidder_root) = ids_of(supplier.as_ref());
        let who = who(row, bidder_id.as_ref(), c.bidder)?;
        if bidder_id.is_none() {
            row.leave_in_metadata(c.bidder);
        }
        row.leave_in_metadata(c.month);
        let bid = Bid {
            tender_id: Some(tender.clone()),
            bidder_id,
            bidder_root,
            bidder_name: row.text(c.name),
            partition_on: seen_on,
            ..Bid::default()
        };
        Ok(Draft { supplier, ..Draft::of(format!("{tender}:bidder:{who}"), Record::Bid(bid)) })
    }
}

/// Maps proposals.
pub(crate) struct MapProposals {
    columns: Proposals,
    place: Place,
}

impl MapProposals {
    pub(crate) fn new(columns: Proposals, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapProposals {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let tender = tender_id(&row.key(c.unit)?, &row.key(c.kind)?, &row.key(c.tender)?);
        let item = row.key(c.item)?;
        let group = row.code(c.group);
        let item = if group.is_empty() { item } else { format!("{group}-{item}") };
        let seen_on = month(row.code(c.month)).or(self.place.file_month);
        let supplier = party(row.code(c.bidder), row.code(c.name), seen_on);
        let (bidder_id, bidder_root) = ids_of(supplier.as_ref());
        let who = who(row, bidder_id.as_ref(), c.bidder)?;
        if bidder_id.is_none() {
            row.leave_in_metadata(c.bidder);
        }
        row.leave_in_metadata(c.month);
        let bid = Bid {
            tender_id: Some(tender.clone()),
            item_number: Some(item.clone()),
            bidder_id,
            bidder_root,
            bidder_name: row.text(c.name),
            quantity: row.quantity_in(c.quantity, Decimals::Dot)?,
            // Whether the column is the price of one or of all is not said: it is the bid as offered.
            value: row.amount_in(c.price, Decimals::Dot)?,
            status: row.text(c.status),
            partition_on: seen_on,
            ..Bid::default()
        };
        Ok(Draft { supplier, ..Draft::of(format!("{tender}:bid:{item}:{who}"), Record::Bid(bid)) })
    }
}
