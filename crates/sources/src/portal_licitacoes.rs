//! Portal da Transparência, bulk tenders: tenders, their items, who took part, and the commitments behind them.
//!
//! A tender is known by managing unit, modality and number: the same number stands once per modality. The Portal
//! publishes no day of publication and no estimate; what it calls the tender's value is the result's, so it is
//! kept as awarded only where a day of result stands, and otherwise left in the metadata.

use model::activity::activity_of_text;
use model::text::normal_name;
use model::{Bid, Item, Modality, Payment, Record, Tender};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Col, Row, columns};
use crate::portal_compras::{BuyerColumns, buyer, modality, seen, tender_id};

columns! {
    /// `AAAAMM_Licitação.csv`.
    Tenders {
        number required ["numero licitacao", "numero da licitacao"],
        unit_code required ["codigo ug"],
        unit_name required ["nome ug"],
        modality_code required ["codigo modalidade compra", "codigo modalidade"],
        modality required ["modalidade compra", "modalidade"],
        process optional ["numero processo", "numero do processo"],
        object required ["objeto"],
        status required ["situacao licitacao", "situacao"],
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["nome orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["nome orgao"],
        state optional ["uf"],
        municipality optional ["municipio"],
        result_on required ["data resultado compra", "data resultado"],
        opened_on required ["data abertura", "data de abertura"],
        value required ["valor licitacao", "valor da licitacao"],
    }
}

columns! {
    /// `AAAAMM_ItemLicitação.csv`.
    Items {
        number required ["numero licitacao", "numero da licitacao"],
        unit_code required ["codigo ug"],
        unit_name optional ["nome ug"],
        modality_code required ["codigo modalidade compra", "codigo modalidade"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["nome orgao"],
        item required ["codigo item compra", "codigo item"],
        description required ["descricao", "descricao item compra", "descricao item"],
        quantity required ["quantidade item", "quantidade"],
        total required ["valor item", "valor do item"],
        supplier_code required ["codigo vencedor", "cpf cnpj vencedor", "cnpj vencedor"],
        supplier_name required ["nome vencedor"],
    }
}

columns! {
    /// `AAAAMM_ParticipantesLicitação.csv`.
    Bids {
        number required ["numero licitacao", "numero da licitacao"],
        unit_code required ["codigo ug"],
        unit_name optional ["nome ug"],
        modality_code required ["codigo modalidade compra", "codigo modalidade"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["nome orgao"],
        item required ["codigo item compra", "codigo item"],
        description optional ["descricao item compra", "descricao item", "descricao"],
        bidder_code required ["codigo participante", "cpf cnpj participante", "cnpj participante"],
        bidder_name required ["nome participante"],
        won required ["flag vencedor", "vencedor"],
    }
}

columns! {
    /// `AAAAMM_EmpenhosRelacionados.csv`.
    Commitments {
        number required ["numero licitacao", "numero da licitacao"],
        unit_code required ["codigo ug"],
        unit_name optional ["nome ug"],
        modality_code required ["codigo modalidade compra", "codigo modalidade"],
        commitment required ["codigo empenho", "numero empenho", "empenho"],
        issued_on required ["data emissao empenho", "data emissao", "data de emissao empenho"],
        note optional ["observacao empenho", "observacao"],
        value required ["valor empenho r", "valor empenho", "valor do empenho r"],
    }
}

/// The three parts of a tender's key, checked.
struct TenderKey {
    id: String,
    unit: String,
    number: String,
}

impl TenderKey {
    fn of(row: &Row<'_>, unit: Col, modality: Col, number: Col) -> Result<Self, Fault> {
        let (unit, number) = (row.key(unit)?, row.key(number)?);
        let modality = row.key(modality)?;
        Ok(Self { id: tender_id(&unit, &modality, &number), unit, number })
    }
}

/// Maps tenders.
pub(crate) struct MapTenders {
    columns: Tenders,
    place: Place,
}

impl MapTenders {
    pub(crate) fn new(columns: Tenders, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapTenders {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let key = TenderKey::of(row, c.unit_code, c.modality_code, c.number)?;
        let (opened_on, result_on) = (row.date(c.opened_on)?, row.date(c.result_on)?);
        let value = row.amount(c.value)?;
        if result_on.is_none() {
            row.leave_in_metadata(c.value);
        }
        let words = row.text(c.modality);
        let object = row.text(c.object);
        let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
        let seen_on = opened_on.max(result_on).or(self.place.file_month);
        let buyer_columns = BuyerColumns {
            unit_name: c.unit_name,
            parent_code: c.parent_code,
            parent_name: c.parent_name,
            superior_code: c.superior_code,
            superior_name: c.superior_name,
            state: c.state,
            municipality: c.municipality,
        };
        let tender = Tender {
            process: row.text(c.process),
            modality: modality(words.as_deref(), row.code(c.modality_code)).map(Modality::code),
            price_registration: price_registration(row.code(c.modality_code)),
            modality_as_stated: words,
            status: row.text(c.status),
            buyer_id: Some(format!("uasg:{}", key.unit)),
            buyer_name: row.text(c.unit_name),
            opened_on,
            result_on,
            value_awarded: value.filter(|_| result_on.is_some()),
            activity,
            activity_basis: activity.map(|_| "text"),
            object,
            partition_on: opened_on.or(result_on).or(self.place.file_month),
            number: Some(key.number),
            ..Tender::default()
        };
        Ok(Draft { buyer: buyer(row, &key.unit, buyer_columns, seen_on), ..Draft::of(key.id, Record::Tender(tender)) })
    }
}

/// The Portal has two numbers for a pregão: with price registration and without. Of others it says nothing.
fn price_registration(code: &str) -> Option<bool> {
    match code {
        "-99" => Some(true),
        "5" => Some(false),
        _ => None,
    }
}

/// Maps items of tenders.
pub(crate) struct MapItems {
    columns: Items,
    place: Place,
}

impl MapItems {
    pub(crate) fn new(columns: Items, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapItems {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let key = TenderKey::of(row, c.unit_code, c.modality_code, c.number)?;
        let code = row.key(c.item)?;
        let (quantity, total) = (row.quantity(c.quantity)?, row.amount(c.total)?);
        let unit_price = total.zip(quantity).and_then(|(total, quantity)| total.per(quantity));
        let supplier = model::supplier(row.code(c.supplier_code), row.code(c.supplier_name));
        let item = Item {
            buyer_id: Some(format!("uasg:{}", key.unit)),
            number: Some(code.clone()),
            description: row.text(c.description),
            quantity,
            unit_price,
            price_basis: unit_price.map(|_| "derived"),
            total,
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_name: row.text(c.supplier_name),
            partition_on: self.place.file_month,
            tender_id: Some(key.id.clone()),
            ..Item::default()
        };
        let buyer_columns = BuyerColumns {
            unit_name: c.unit_name,
            parent_code: c.parent_code,
            parent_name: c.parent_name,
            ..BuyerColumns::default()
        };
        Ok(Draft {
            buyer: buyer(row, &key.unit, buyer_columns, self.place.file_month),
            supplier: seen(supplier, self.place.file_month),
            ..Draft::of(format!("{}:item:{code}", key.id), Record::Item(item))
        })
    }
}

/// Maps bids.
pub(crate) struct MapBids {
    columns: Bids,
    place: Place,
}

impl MapBids {
    pub(crate) fn new(columns: Bids, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapBids {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let key = TenderKey::of(row, c.unit_code, c.modality_code, c.number)?;
        let item = row.key(c.item)?;
        let bidder = model::supplier(row.code(c.bidder_code), row.code(c.bidder_name));
        let who = match &bidder {
            Some((id, _)) => id.clone(),
            None => format!("name:{}", normal_name(row.code(c.bidder_name))),
        };
        let bid = Bid {
            item_number: Some(item.clone()),
            item_description: row.text(c.description),
            bidder_id: bidder.as_ref().map(|(id, _)| id.clone()),
            bidder_root: bidder.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            bidder_name: row.text(c.bidder_name),
            won: yes_or_no(row.code(c.won)),
            partition_on: self.place.file_month,
            tender_id: Some(key.id.clone()),
            ..Bid::default()
        };
        let buyer_columns = BuyerColumns {
            unit_name: c.unit_name,
            parent_code: c.parent_code,
            parent_name: c.parent_name,
            ..BuyerColumns::default()
        };
        Ok(Draft {
            buyer: buyer(row, &key.unit, buyer_columns, self.place.file_month),
            supplier: seen(bidder, self.place.file_month),
            ..Draft::of(format!("{}:bid:{item}:{who}", key.id), Record::Bid(bid))
        })
    }
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_uppercase().as_str() {
        "SIM" | "S" => Some(true),
        "NÃO" | "NAO" | "N" => Some(false),
        _ => None,
    }
}

/// Maps commitments.
pub(crate) struct MapCommitments {
    columns: Commitments,
    place: Place,
}

impl MapCommitments {
    pub(crate) fn new(columns: Commitments, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapCommitments {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let key = TenderKey::of(row, c.unit_code, c.modality_code, c.number)?;
        let number = row.key(c.commitment)?;
        let issued_on = row.date(c.issued_on)?;
        let payment = Payment {
            buyer_id: Some(format!("uasg:{}", key.unit)),
            kind: "commitment",
            issued_on,
            value: row.amount(c.value)?,
            note: row.text(c.note),
            partition_on: issued_on.or(self.place.file_month),
            number: Some(number.clone()),
            tender_id: Some(key.id.clone()),
            ..Payment::default()
        };
        let buyer_columns = BuyerColumns { unit_name: c.unit_name, ..BuyerColumns::default() };
        Ok(Draft {
            buyer: buyer(row, &key.unit, buyer_columns, issued_on.or(self.place.file_month)),
            ..Draft::of(format!("{}:commitment:{number}", key.id), Record::Payment(payment))
        })
    }
}
