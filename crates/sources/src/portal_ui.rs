//! Portal da Transparência, the export behind the page that lists contracts: fifteen columns, no codes, no object.
//!
//! The export names managing units by name only and numbers repeat inside a unit (per body or kind), so ids here are
//! weaker than those of the bulk files; the ingest tells rows under one id apart by their hash.

use model::text::normal_name;
use model::{Buyer, Contract, Modality, Record};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Row, columns};
use crate::portal_compras::seen;

columns! {
    /// The export's header.
    Contracts {
        signed_on required ["data assinatura contrato"],
        published_on required ["data publicacao dou"],
        starts_on required ["data inicio vigencia"],
        ends_on required ["data fim vigencia"],
        superior_name required ["orgao superior contratante"],
        parent_name required ["orgao entidade vinculada contratante"],
        unit_name required ["unidade gestora contratante"],
        modality required ["forma de contratacao"],
        category required ["grupo de objeto de contratacao"],
        number required ["numero do contrato", "numero contrato"],
        supplier_name required ["nome do fornecedor"],
        supplier_code required ["cpf cnpj do fornecedor"],
        status required ["situacao"],
        value required ["valor contratado"],
    }
}

/// Maps contracts.
pub(crate) struct MapContracts {
    columns: Contracts,
    place: Place,
}

impl MapContracts {
    pub(crate) fn new(columns: Contracts, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapContracts {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        row.key(c.unit_name)?;
        let number = row.key(c.number)?;
        let unit_name = row.text(c.unit_name).unwrap_or_default();
        let unit = normal_name(&unit_name).replace(' ', "_");
        let signed_on = row.date(c.signed_on)?;
        let published_on = row.date(c.published_on)?;
        let seen_on = signed_on.or(published_on);
        let supplier = seen(model::supplier(row.code(c.supplier_code), row.code(c.supplier_name)), seen_on);
        let words = row.text(c.modality);
        let buyer_id = format!("portal-ui:ug:{unit}");
        let buyer = Buyer {
            name: unit_name.clone(),
            sphere: Some("F".to_owned()),
            parent_name: row.text(c.parent_name),
            superior_name: row.text(c.superior_name),
            seen_on,
            ..Buyer::default()
        };
        let contract = Contract {
            number: Some(number.clone()),
            modality: words.as_deref().and_then(Modality::from_words).map(Modality::code),
            modality_as_stated: words,
            status: row.text(c.status),
            category: row.text(c.category),
            buyer_id: Some(buyer_id.clone()),
            buyer_name: Some(unit_name),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name: row.text(c.supplier_name),
            signed_on,
            published_on,
            starts_on: row.date(c.starts_on)?,
            ends_on: row.date(c.ends_on)?,
            value_initial: row.amount(c.value)?,
            partition_on: seen_on.or(self.place.file_month),
            ..Contract::default()
        };
        Ok(Draft {
            buyer: Some((buyer_id, buyer)),
            supplier,
            ..Draft::of(format!("portal-ui:{unit}-{number}"), Record::Contract(contract))
        })
    }
}
