//! IFMS, a federal institute: purchases and contracts flattened to CSV from Compras.gov.br, Contratos.gov.br and PNCP.
//!
//! Purchases keep the purchasing system's seventeen digits, which contracts refer to; so a contract finds its tender.

use model::activity::activity_of_text;
use model::dates::parse_br;
use model::law::Regime;
use model::{Buyer, Contract, Modality, Money, Record, Tender};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Col, Row, columns};
use crate::portal_compras::seen;
use crate::siasg::{modality, unit_code};

columns! {
    /// `compras.csv`.
    Purchases {
        id required ["id compra"],
        process required ["numero processo"],
        number required ["numero compra"],
        unit_code required ["uasg codigo"],
        unit_name required ["uasg nome"],
        modality_code required ["modalidade codigo"],
        modality required ["modalidade nome"],
        new_law optional ["lei 14133"],
        legal_basis required ["amparo legal"],
        status optional ["situacao"],
        object required ["objeto"],
        value_estimated required ["valor estimado"],
        value_awarded required ["valor homologado"],
        published_on required ["data publicacao"],
        opened_on required ["data abertura proposta"],
        closes_on required ["data encerramento proposta"],
        changed_on optional ["data alteracao"],
    }
}

columns! {
    /// `contratos.csv`.
    Contracts {
        extracted optional ["data extracao"],
        id required ["id contrato"],
        purchase required ["id compra"],
        number required ["numero"],
        process required ["processo"],
        unit_code required ["origem uasg"],
        instrument required ["tipo"],
        modality required ["modalidade"],
        modality_code optional ["codigo modalidade"],
        supplier_code required ["fornecedor cnpj"],
        supplier_name required ["fornecedor nome"],
        value required ["valor global"],
        starts_on required ["vigencia inicio"],
        ends_on required ["vigencia fim"],
    }
}

/// Maps purchases.
pub(crate) struct MapPurchases {
    columns: Purchases,
    place: Place,
}

impl MapPurchases {
    pub(crate) fn new(columns: Purchases, place: Place) -> Self {
        Self { columns, place }
    }
}

/// An amount that is something: zero stands for "not stated", and stays in the metadata.
fn above_zero(row: &Row<'_>, col: Col) -> Result<Option<Money>, Fault> {
    let amount = row.amount(col)?;
    if amount == Some(Money::ZERO) {
        row.leave_in_metadata(col);
        return Ok(None);
    }
    Ok(amount)
}

impl Mapper for MapPurchases {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let id = row.key(c.id)?;
        let unit = unit_code(&row.key(c.unit_code)?);
        let words = row.text(c.modality);
        let modality = modality(words.as_deref(), Some(row.code(c.modality_code)));
        if modality.is_none() {
            row.leave_in_metadata(c.modality_code);
        }
        let legal_basis = row.text(c.legal_basis);
        let under_new_law = || (model::text::fold(row.code(c.new_law)) == "sim").then_some(Regime::Lei14133);
        let regime = legal_basis.as_deref().and_then(Regime::from_legal_basis).or_else(under_new_law);
        row.leave_in_metadata(c.new_law);
        let (published_on, opened_on) = (row.date(c.published_on)?, row.date(c.opened_on)?);
        let closes_on = row.date(c.closes_on)?;
        let seen_on = published_on.or(opened_on).or(closes_on).or(self.place.file_month);
        let object = row.text(c.object);
        let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
        let buyer_name = row.text(c.unit_name);
        let buyer_id = format!("uasg:{unit}");
        let buyer = buyer_name.clone().map(|name| {
            let sphere = Some("F".to_owned());
            (buyer_id.clone(), Buyer { name, code: Some(unit), sphere, seen_on, ..Buyer::default() })
        });
        let tender = Tender {
            number: row.text(c.number),
            process: row.text(c.process).filter(|p| p != "0"),
            modality: modality.map(Modality::code),
            modality_as_stated: words,
            legal_basis,
            regime: regime.map(Regime::code),
            status: row.text(c.status),
            buyer_id: Some(buyer_id),
            buyer_name,
            published_on,
            opened_on,
            closes_on,
            value_estimated: above_zero(row, c.value_estimated)?,
            value_awarded: above_zero(row, c.value_awarded)?,
            activity,
            activity_basis: activity.map(|_| "text"),
            object,
            partition_on: seen_on,
            ..Tender::default()
        };
        let updated_at = parse_br(row.code(c.changed_on)).ok().map(|day| day.to_string());
        if updated_at.is_none() {
            row.leave_in_metadata(c.changed_on);
        }
        Ok(Draft { buyer, updated_at, ..Draft::of(format!("ifms:{id}"), Record::Tender(tender)) })
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
        let id = row.key(c.id)?;
        let unit = unit_code(&row.key(c.unit_code)?);
        let words = row.text(c.modality);
        let modality = modality(words.as_deref(), Some(row.code(c.modality_code)));
        if modality.is_none() {
            row.leave_in_metadata(c.modality_code);
        }
        let (starts_on, ends_on) = (row.date(c.starts_on)?, row.date(c.ends_on)?);
        let supplier = seen(model::supplier(row.code(c.supplier_code), row.code(c.supplier_name)), starts_on);
        let contract = Contract {
            number: row.text(c.number),
            process: row.text(c.process),
            modality: modality.map(Modality::code),
            modality_as_stated: words,
            buyer_id: Some(format!("uasg:{unit}")),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name: row.text(c.supplier_name),
            starts_on,
            ends_on,
            value_final: row.amount(c.value)?,
            instrument: row.text(c.instrument),
            tender_id: row.text(c.purchase).map(|purchase| format!("ifms:{purchase}")),
            partition_on: starts_on.or(self.place.file_month),
            ..Contract::default()
        };
        let updated_at = row.text(c.extracted);
        Ok(Draft { supplier, updated_at, ..Draft::of(format!("ifms:contrato:{id}"), Record::Contract(contract)) })
    }
}
