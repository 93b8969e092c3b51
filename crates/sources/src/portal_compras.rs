//! Portal da Transparência, bulk purchases: contracts, their items, amendments and apostilles.
//!
//! The Portal is federal. A contract is known by its managing unit (UG) and its number; the four files name it so.

use std::collections::HashMap;

use chrono::NaiveDate;
use model::activity::activity_of_text;
use model::law::Regime;
use model::{Amendment, Buyer, Contract, Item, Modality, Record};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Col, Row, columns};
use crate::unit::unit_of_text;

/// Longest code of the federal catalogue (CATMAT, CATSER); a longer number is that of the item in its purchase.
const CATALOG_DIGITS_MAX: usize = 9;

columns! {
    /// `AAAAMM_Compras.csv`.
    Contracts {
        number required ["numero do contrato", "numero contrato"],
        object required ["objeto"],
        legal_basis required ["fundamento legal"],
        modality required ["modalidade compra"],
        modality_code optional ["codigo modalidade compra"],
        status required ["situacao contrato"],
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["nome orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["nome orgao"],
        unit_code required ["codigo ug"],
        unit_name required ["nome ug"],
        signed_on required ["data assinatura contrato", "data de assinatura contrato", "data assinatura do contrato"],
        published_on required ["data publicacao dou", "data de publicacao dou"],
        starts_on required ["data inicio vigencia", "data de inicio vigencia"],
        ends_on required ["data fim vigencia", "data de fim vigencia"],
        supplier_code required ["codigo contratado", "cnpj contratado", "cpf cnpj contratado", "cpf cnpj do contratado"],
        supplier_name required ["nome contratado", "nome do contratado"],
        value_initial required ["valor inicial compra", "valor inicial"],
        value_final required ["valor final compra", "valor final"],
        process optional ["numero processo", "numero do processo"],
        tender_number optional ["numero licitacao", "numero da licitacao"],
        tender_unit optional ["codigo ug licitacao"],
        tender_modality optional ["codigo modalidade compra licitacao", "codigo modalidade licitacao"],
    }
}

columns! {
    /// `AAAAMM_ItemCompra.csv`.
    Items {
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["nome orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["nome orgao"],
        unit_code required ["codigo ug"],
        unit_name optional ["nome ug"],
        contract required ["numero contrato", "numero do contrato"],
        item required ["codigo item compra", "codigo item"],
        description required ["descricao item compra", "descricao item", "descricao"],
        detail required ["descricao complementar item compra", "descricao complementar item", "descricao complementar"],
        quantity required ["quantidade item", "quantidade"],
        total required ["valor item", "valor do item"],
    }
}

columns! {
    /// `AAAAMM_TermoAditivo.csv`.
    Amendments {
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["nome orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["nome orgao"],
        unit_code required ["codigo ug"],
        unit_name optional ["nome ug"],
        contract required ["numero contrato", "numero do contrato"],
        number required ["numero termo aditivo", "numero do termo aditivo", "numero aditivo"],
        object optional ["objeto", "objeto termo aditivo", "descricao"],
        signed_on optional ["data assinatura", "data assinatura termo aditivo", "data de assinatura"],
        published_on optional ["data publicacao", "data publicacao dou", "data publicacao termo aditivo"],
        value optional ["valor", "valor termo aditivo", "valor aditivo", "valor do termo aditivo"],
    }
}

columns! {
    /// `AAAAMM_Apostilamento.csv`.
    Apostilles {
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["nome orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["nome orgao"],
        unit_code required ["codigo ug"],
        unit_name optional ["nome ug"],
        contract required ["numero contrato", "numero do contrato"],
        number required ["numero apostilamento", "numero do apostilamento", "numero apostila"],
        object optional ["objeto", "descricao", "descricao apostilamento", "objeto apostilamento"],
        signed_on optional ["data assinatura", "data apostilamento", "data assinatura apostilamento", "data de assinatura"],
        published_on optional ["data publicacao", "data publicacao dou", "data publicacao apostilamento"],
        value optional ["valor", "valor apostilamento", "valor do apostilamento"],
    }
}

/// The columns by which the Portal's files name a buyer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BuyerColumns {
    pub unit_name: Col,
    pub parent_code: Col,
    pub parent_name: Col,
    pub superior_code: Col,
    pub superior_name: Col,
    pub state: Col,
    pub municipality: Col,
}

/// The managing unit that a row of the Portal names; `None` when the row has its code but no name.
pub(crate) fn buyer(
    row: &Row<'_>,
    unit: &str,
    columns: BuyerColumns,
    seen_on: Option<NaiveDate>,
) -> Option<(String, Buyer)> {
    let buyer = Buyer {
        name: row.text(columns.unit_name)?,
        code: Some(unit.to_owned()),
        sphere: Some("F".to_owned()),
        state: row.text(columns.state).map(|s| s.to_ascii_uppercase()),
        municipality: row.text(columns.municipality),
        parent_code: row.text(columns.parent_code),
        parent_name: row.text(columns.parent_name),
        superior_code: row.text(columns.superior_code),
        superior_name: row.text(columns.superior_name),
        seen_on,
        ..Buyer::default()
    };
    Some((format!("uasg:{unit}"), buyer))
}

/// A modality from the Portal's words, else from its number; both may be missing.
pub(crate) fn modality(words: Option<&str>, code: &str) -> Option<Modality> {
    words.and_then(Modality::from_words).or_else(|| portal_modality(code)).or_else(|| portal_modality(words?))
}

/// The Portal's numbers of modalities; they are not PNCP's. The first three come from SIASG, which the Portal copies.
fn portal_modality(code: &str) -> Option<Modality> {
    match code.trim().parse().ok()? {
        1 => Some(Modality::Convite),
        2 => Some(Modality::TomadaDePrecos),
        3 => Some(Modality::Concorrencia),
        code => model::law::portal_modality(code)?.modality(),
    }
}

/// The id of a tender of the Portal.
pub(crate) fn tender_id(unit: &str, modality: &str, number: &str) -> String {
    format!("portal-licitacoes:{unit}-{modality}-{number}")
}

/// The tender that a contract says it came from, when it states all three parts of its key.
fn tender_of(row: &Row<'_>, columns: &Contracts) -> Option<String> {
    let unit = row.key(columns.tender_unit).ok()?;
    let number = row.key(columns.tender_number).ok()?;
    let modality = row.code(columns.tender_modality);
    (!modality.is_empty() && modality != "-1" && modality != "-11").then(|| tender_id(&unit, modality, &number))
}

/// Remembers what a text means: files repeat a few texts over and over. Bounded: a full memory starts afresh.
#[derive(Debug, Default)]
pub(crate) struct Memo<T> {
    known: HashMap<String, T>,
}

impl<T: Copy> Memo<T> {
    const TEXTS_MAX: usize = 4096;

    pub(crate) fn get(&mut self, text: &str, find: impl Fn(&str) -> T) -> T {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        if self.known.len() >= Self::TEXTS_MAX {
            self.known.clear();
        }
        let found = find(text);
        self.known.insert(text.to_owned(), found);
        found
    }
}

/// Maps contracts.
pub(crate) struct MapContracts {
    columns: Contracts,
    buyer: BuyerColumns,
    place: Place,
    regimes: Memo<Option<Regime>>,
    modalities: Memo<Option<Modality>>,
}

impl MapContracts {
    pub(crate) fn new(columns: Contracts, place: Place) -> Self {
        let buyer = BuyerColumns {
            unit_name: columns.unit_name,
            parent_code: columns.parent_code,
            parent_name: columns.parent_name,
            superior_code: columns.superior_code,
            superior_name: columns.superior_name,
            ..BuyerColumns::default()
        };
        Self { columns, buyer, place, regimes: Memo::default(), modalities: Memo::default() }
    }
}

impl Mapper for MapContracts {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let unit = row.key(c.unit_code)?;
        let number = row.key(c.number)?;
        let signed_on = row.date(c.signed_on)?;
        let published_on = row.date(c.published_on)?;
        let partition_on = signed_on.or(published_on).or(self.place.file_month);
        let supplier = model::supplier(row.code(c.supplier_code), row.code(c.supplier_name));
        let supplier = seen(supplier, signed_on.or(published_on));
        let words = row.text(c.modality);
        let legal_basis = row.text(c.legal_basis);
        let object = row.text(c.object);
        let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
        let regime = legal_basis.as_deref().and_then(|text| self.regimes.get(text, Regime::from_legal_basis));
        let of_words = words.as_deref().and_then(|words| self.modalities.get(words, Modality::from_words));
        let modality = of_words.or_else(|| modality(words.as_deref(), row.code(c.modality_code)));
        let contract = Contract {
            process: row.text(c.process),
            modality: modality.map(Modality::code),
            modality_as_stated: words,
            regime: regime.map(Regime::code),
            legal_basis,
            status: row.text(c.status),
            buyer_id: Some(format!("uasg:{unit}")),
            buyer_name: row.text(c.unit_name),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name: row.text(c.supplier_name),
            signed_on,
            published_on,
            starts_on: row.date(c.starts_on)?,
            ends_on: row.date(c.ends_on)?,
            value_initial: row.amount(c.value_initial)?,
            value_final: row.amount(c.value_final)?,
            tender_id: tender_of(row, c),
            activity,
            activity_basis: activity.map(|_| "text"),
            object,
            partition_on,
            number: Some(number.clone()),
            ..Contract::default()
        };
        Ok(Draft {
            buyer: buyer(row, &unit, self.buyer, signed_on.or(published_on)),
            supplier,
            ..Draft::of(format!("portal-compras:{unit}-{number}"), Record::Contract(contract))
        })
    }
}

/// A supplier with the day on which it was seen.
pub(crate) fn seen(
    supplier: Option<(String, model::Supplier)>,
    on: Option<NaiveDate>,
) -> Option<(String, model::Supplier)> {
    supplier.map(|(id, mut supplier)| {
        supplier.seen_on = on;
        (id, supplier)
    })
}

/// Maps items of contracts.
pub(crate) struct MapItems {
    columns: Items,
    buyer: BuyerColumns,
    place: Place,
}

impl MapItems {
    pub(crate) fn new(columns: Items, place: Place) -> Self {
        let buyer = BuyerColumns {
            unit_name: columns.unit_name,
            parent_code: columns.parent_code,
            parent_name: columns.parent_name,
            superior_code: columns.superior_code,
            superior_name: columns.superior_name,
            ..BuyerColumns::default()
        };
        Self { columns, buyer, place }
    }
}

impl Mapper for MapItems {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let unit = row.key(c.unit_code)?;
        let contract = row.key(c.contract)?;
        let code = row.key(c.item)?;
        let (quantity, total) = (row.quantity(c.quantity)?, row.amount(c.total)?);
        let unit_price = total.zip(quantity).and_then(|(total, quantity)| total.per(quantity));
        let detail = row.text(c.detail);
        let unit_of_supply = unit_of_text(row.code(c.detail));
        let in_catalog = code.len() <= CATALOG_DIGITS_MAX && code.bytes().all(|b| b.is_ascii_digit());
        let contract_id = format!("portal-compras:{unit}-{contract}");
        let item = Item {
            buyer_id: Some(format!("uasg:{unit}")),
            number: (!in_catalog).then(|| code.clone()),
            catalog_code: in_catalog.then(|| code.clone()),
            description: row.text(c.description),
            detail,
            unit_basis: unit_of_supply.as_ref().map(|_| "text"),
            unit: unit_of_supply,
            quantity,
            unit_price,
            price_basis: unit_price.map(|_| "derived"),
            total,
            partition_on: self.place.file_month,
            contract_id: Some(contract_id.clone()),
            ..Item::default()
        };
        Ok(Draft {
            buyer: buyer(row, &unit, self.buyer, self.place.file_month),
            ..Draft::of(format!("{contract_id}:item:{code}"), Record::Item(item))
        })
    }
}

/// Maps amendments and apostilles.
pub(crate) struct MapAmendments {
    kind: &'static str,
    unit_code: Col,
    contract: Col,
    number: Col,
    object: Col,
    signed_on: Col,
    published_on: Col,
    value: Col,
    buyer: BuyerColumns,
    place: Place,
}

macro_rules! amendments_of {
    ($kind:literal, $columns:ident, $place:ident) => {
        Self {
            kind: $kind,
            unit_code: $columns.unit_code,
            contract: $columns.contract,
            number: $columns.number,
            object: $columns.object,
            signed_on: $columns.signed_on,
            published_on: $columns.published_on,
            value: $columns.value,
            buyer: BuyerColumns {
                unit_name: $columns.unit_name,
                parent_code: $columns.parent_code,
                parent_name: $columns.parent_name,
                superior_code: $columns.superior_code,
                superior_name: $columns.superior_name,
                ..BuyerColumns::default()
            },
            place: $place,
        }
    };
}

impl MapAmendments {
    #[allow(clippy::needless_pass_by_value, reason = "all mappers are built alike")]
    pub(crate) fn amendments(columns: Amendments, place: Place) -> Self {
        amendments_of!("amendment", columns, place)
    }

    #[allow(clippy::needless_pass_by_value, reason = "all mappers are built alike")]
    pub(crate) fn apostilles(columns: Apostilles, place: Place) -> Self {
        amendments_of!("apostille", columns, place)
    }
}

impl Mapper for MapAmendments {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let unit = row.key(self.unit_code)?;
        let contract = row.key(self.contract)?;
        let number = row.key(self.number)?;
        let contract_id = format!("portal-compras:{unit}-{contract}");
        let (signed_on, published_on) = (row.date(self.signed_on)?, row.date(self.published_on)?);
        let seen_on = signed_on.or(published_on);
        let amendment = Amendment {
            number: Some(number.clone()),
            kind: self.kind,
            object: row.text(self.object),
            signed_on,
            published_on,
            value: row.amount(self.value)?,
            partition_on: seen_on.or(self.place.file_month),
            contract_id: Some(contract_id.clone()),
            buyer_id: Some(format!("uasg:{unit}")),
            ..Amendment::default()
        };
        Ok(Draft {
            buyer: buyer(row, &unit, self.buyer, seen_on.or(self.place.file_month)),
            ..Draft::of(format!("{contract_id}:{}:{number}", self.kind), Record::Amendment(amendment))
        })
    }
}
