//! Minas Gerais, purchases of the state in the pandemic: what was bought, from whom, at which reference and which price.
//!
//! The same data stand in three editions. Two give a row for each item and differ in their names: with `_` they have
//! decimal dots and days as `AAAA-MM-DD`, else grouped decimal commas and days as `DD/MM/AAAA` or `DD/MM/AA`. The third gives
//! a row for each process and supplier, with totals only. A process is known by its number, which commitments name too.

use chrono::NaiveDate;
use model::{Contract, Item, Modality, Record, Supplier, Tender};

use crate::detect::{Draft, Mapper, Place, Stated};
use crate::error::Fault;
use crate::fields::{Col, Decimals, Row, columns};
use crate::local::{Home, activity, ids_of, party};

const HOME: Home = Home { source: "mg-compras", sphere: Some("E"), state: "MG", municipality: None };

columns! {
    /// `compras-coronavirus.csv` and `contratacaocoronavirus.csv`: items.
    Items {
        process required ["numero processo compra", "numero processo formatado"],
        registered_on required ["data cadastramento processo", "data criacao processo"],
        object required ["objeto processo"],
        buyer_code required ["codigo orgao demandante", "codigo orgao entidade pedido"],
        buyer_name required ["orgao demandante", "nome orgao entidade pedido"],
        status required ["situacao processo"],
        modality required ["procedimento contratacao", "procedimento contratacao detalhamento 1"],
        contract required ["numero contrato"],
        contract_body_code required ["codigo orgao contrato", "codigo orgao entidade contratante"],
        contract_body_name required ["orgao contrato", "nome orgao entidade contratante"],
        published_on required ["data publicacao", "data publicacao contrato"],
        starts_on required ["inicio vigencia", "data inicio vigencia contrato"],
        first_end required ["fim vigencia", "data limite vigencia contrato"],
        ends_on required ["fim vigencia atualizada", "data termino vigencia contrato"],
        supplier_code required ["cpf cnpj contratado", "cnpj cpf fornecedor formatado"],
        supplier_name required ["contratado", "nome empresarial nome fornecedor"],
        item_code required ["codigo item material servico", "codigo item material servico numerico"],
        description required ["item material servico"],
        quantity required ["quantidade homologada"],
        unit_estimate required ["valor referencia unitario", "valor unitario referencia item processo"],
        unit_price required ["valor homologado unitario", "valor unitario homologado item processo"],
        total required ["valor homologado", "valor total homologado"],
    }
}

columns! {
    /// `_Compras - Programa de enfrentamento COVID-19.csv`: what each supplier won of a process.
    Awards {
        process required ["numero do processo de compra"],
        registered_on required ["data de cadastramento do processo"],
        object required ["objeto do processo"],
        buyer_code required ["codigo orgao demandante"],
        buyer_name required ["orgao demandante"],
        status required ["situacao do processo"],
        modality required ["procedimento de contratacao"],
        contract required ["numero do contrato"],
        contract_body_code required ["codigo orgao"],
        contract_body_name required ["orgao contrato"],
        published_on required ["data da publicacao"],
        starts_on required ["inicio da vigencia"],
        first_end required ["fim da vigencia"],
        ends_on required ["fim da vigencia atualizada"],
        supplier_code required ["cpf cnpj do contratado"],
        supplier_name required ["contratado"],
        total required ["valor homologado"],
    }
}

/// The id of a purchasing process, its number without blanks.
pub(crate) fn tender_id(process: &str) -> String {
    format!("mg-compras:{process}")
}

/// The columns that all editions have.
#[derive(Debug, Clone, Copy)]
struct Shared {
    process: Col,
    registered_on: Col,
    object: Col,
    buyer_code: Col,
    buyer_name: Col,
    status: Col,
    modality: Col,
    contract: Col,
    contract_body_code: Col,
    contract_body_name: Col,
    published_on: Col,
    starts_on: Col,
    first_end: Col,
    ends_on: Col,
    supplier_code: Col,
    supplier_name: Col,
}

macro_rules! shared {
    ($c:ident) => {
        Shared {
            process: $c.process,
            registered_on: $c.registered_on,
            object: $c.object,
            buyer_code: $c.buyer_code,
            buyer_name: $c.buyer_name,
            status: $c.status,
            modality: $c.modality,
            contract: $c.contract,
            contract_body_code: $c.contract_body_code,
            contract_body_name: $c.contract_body_name,
            published_on: $c.published_on,
            starts_on: $c.starts_on,
            first_end: $c.first_end,
            ends_on: $c.ends_on,
            supplier_code: $c.supplier_code,
            supplier_name: $c.supplier_name,
        }
    };
}

/// What a row says of its process, its contract and its parties.
struct Purchase {
    tender_id: String,
    tender: Tender,
    contract: Option<(String, Contract)>,
    supplier: Option<(String, Supplier)>,
    buyer_id: String,
    more: Vec<Stated>,
    on: Option<NaiveDate>,
}

/// A name, unless it says that there is none.
fn named(row: &Row<'_>, col: Col) -> Option<String> {
    row.text(col).filter(|name| !name.eq_ignore_ascii_case("INEXISTENTE"))
}

impl Purchase {
    fn of(row: &Row<'_>, c: Shared, place: Place) -> Result<Self, Fault> {
        let process = row.key(c.process)?;
        let tender_id = tender_id(&process);
        let on = row.date_of_short_form(c.registered_on)?.or(place.file_month);
        row.leave_in_metadata(c.registered_on);
        let supplier_name = named(row, c.supplier_name);
        let supplier = supplier_name.as_deref().and_then(|name| party(row.code(c.supplier_code), name, on));
        if supplier.is_none() {
            row.leave_in_metadata(c.supplier_code);
        }
        let buyer_code = row.key(c.buyer_code)?;
        let buyer_id = HOME.body(&buyer_code);
        let object = row.text(c.object);
        let (activity, activity_basis) = activity(object.as_deref());
        let words = row.text(c.modality);
        let modality = words.as_deref().and_then(Modality::from_words).map(Modality::code);
        let tender = Tender {
            number: row.text(c.process),
            object: object.clone(),
            modality,
            modality_as_stated: words.clone(),
            status: row.text(c.status),
            buyer_id: Some(buyer_id.clone()),
            buyer_name: row.text(c.buyer_name),
            price_registration: words.as_deref().and_then(price_registration),
            activity,
            activity_basis,
            partition_on: on,
            ..Tender::default()
        };
        let mut more = Vec::new();
        if let Some(name) = row.text(c.buyer_name) {
            more.push(Stated::Buyer(buyer_id.clone(), HOME.buyer(name, Some(buyer_code), on)));
        }
        let mut purchase = Self { tender_id, tender, contract: None, supplier, buyer_id, more, on };
        purchase.contract = purchase.contract_of(row, c, supplier_name)?;
        Ok(purchase)
    }

    fn contract_of(
        &mut self,
        row: &Row<'_>,
        c: Shared,
        supplier_name: Option<String>,
    ) -> Result<Option<(String, Contract)>, Fault> {
        let number = row.code(c.contract);
        if number.is_empty() || number == "0" {
            return Ok(None);
        }
        let code = row.code(c.contract_body_code);
        let body_id = if code.is_empty() { self.buyer_id.clone() } else { HOME.body(code) };
        let body_name = named(row, c.contract_body_name);
        let published_on = row.date_of_short_form(c.published_on)?;
        let starts_on = row.date_of_short_form(c.starts_on)?;
        let first_end = row.date_of_short_form(c.first_end)?;
        let ends_on = row.date_of_short_form(c.ends_on)?.or(first_end);
        row.leave_in_metadata(c.first_end);
        if let Some(name) = &body_name
            && !code.is_empty()
        {
            let buyer = HOME.buyer(name.clone(), Some(code.to_owned()), self.on);
            self.more.push(Stated::Buyer(body_id.clone(), buyer));
        }
        let (supplier_id, supplier_root) = ids_of(self.supplier.as_ref());
        let contract = Contract {
            number: Some(number.to_owned()),
            object: self.tender.object.clone(),
            modality: self.tender.modality,
            modality_as_stated: self.tender.modality_as_stated.clone(),
            buyer_id: Some(body_id),
            buyer_name: body_name,
            supplier_id,
            supplier_root,
            supplier_name,
            published_on,
            starts_on,
            ends_on,
            tender_id: Some(self.tender_id.clone()),
            activity: self.tender.activity,
            activity_basis: self.tender.activity_basis,
            partition_on: published_on.or(starts_on).or(self.on),
            ..Contract::default()
        };
        Ok(Some((format!("mg-compras:contract:{number}"), contract)))
    }

    /// An item of this purchase, not yet described.
    fn item(&self, row: &Row<'_>, c: Shared) -> Item {
        Item {
            tender_id: Some(self.tender_id.clone()),
            contract_id: self.contract.as_ref().map(|(id, _)| id.clone()),
            buyer_id: Some(self.buyer_id.clone()),
            supplier_id: self.supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_name: named(row, c.supplier_name),
            partition_on: self.on,
            ..Item::default()
        }
    }

    /// The draft whose own record is an item; process and contract come beside it.
    fn with_item(mut self, id: String, item: Item) -> Draft {
        self.more.push(Stated::Record(self.tender_id, Record::Tender(self.tender)));
        if let Some((id, contract)) = self.contract {
            self.more.push(Stated::Record(id, Record::Contract(contract)));
        }
        Draft { supplier: self.supplier, more: self.more, ..Draft::of(id, Record::Item(item)) }
    }

    fn who(&self) -> String {
        self.supplier.as_ref().map(|(id, _)| id.clone()).unwrap_or_default()
    }
}

/// Whether a procedure registers prices, which its words say (`REGISTRO DE PRECOS REALIZADO NO SIRP`) or leave open.
fn price_registration(words: &str) -> Option<bool> {
    model::text::fold(words).starts_with("registro de preco").then_some(true)
}

/// Maps items.
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
        let decimals = if row.name(c.total).contains('_') { Decimals::Dot } else { Decimals::CommaGrouped };
        let shared = shared!(c);
        let code = row.key(c.item_code)?;
        let purchase = Purchase::of(row, shared, self.place)?;
        let unit_price = row.amount_in(c.unit_price, decimals)?;
        let item = Item {
            number: Some(code.clone()),
            description: row.text(c.description),
            quantity: row.unless_zero(c.quantity, row.quantity_in(c.quantity, decimals)?),
            unit_estimate: row.amount_in(c.unit_estimate, decimals)?,
            unit_price,
            price_basis: unit_price.map(|_| "stated"),
            total: row.amount_in(c.total, decimals)?,
            ..purchase.item(row, shared)
        };
        let contract = item.contract_id.as_deref().and_then(|id| id.rsplit(':').next()).unwrap_or("0");
        let id = format!("{}:item:{code}:{contract}:{}", purchase.tender_id, purchase.who());
        Ok(purchase.with_item(id, item))
    }
}

/// Maps what suppliers won of processes: an item without a description, for the row has a total only.
pub(crate) struct MapAwards {
    columns: Awards,
    place: Place,
}

impl MapAwards {
    pub(crate) fn new(columns: Awards, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapAwards {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let shared = shared!(c);
        let mut purchase = Purchase::of(row, shared, self.place)?;
        let total = row.amount_in(c.total, Decimals::CommaGrouped)?;
        if purchase.supplier.is_none() {
            // Nobody won: all that the row states is the process.
            let buyer = purchase.more.drain(..).find_map(|stated| match stated {
                Stated::Buyer(id, buyer) => Some((id, buyer)),
                _ => None,
            });
            row.leave_in_metadata(c.total);
            return Ok(Draft { buyer, ..Draft::of(purchase.tender_id, Record::Tender(purchase.tender)) });
        }
        let item = Item { total, ..purchase.item(row, shared) };
        let id = format!("{}:award:{}", purchase.tender_id, purchase.who());
        Ok(purchase.with_item(id, item))
    }
}
