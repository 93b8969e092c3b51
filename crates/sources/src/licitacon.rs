//! LicitaCon, the system of the court of accounts of Rio Grande do Sul (TCE-RS): tenders, their items, who took part,
//! what was bid, contracts and their items.
//!
//! Two editions are read by one set of columns: the court's own tables (`LICITACAO`, `ITEM`, `LICITANTE`, `ITEM_PROP`,
//! `CONTRATO`, `ITEM_CON`), and the extract on school meals of 2017 to 2019 whose names begin with `info_`. A tender is
//! known by body, year, number and, where the edition states it, modality; a contract by body, year and number. Numbers have
//! decimal dots and days are `AAAA-MM-DD`.

use model::text::normal_name;
use model::{Bid, Contract, Item, Modality, Record, Tender};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Col, Decimals, Row, columns};
use crate::local::{Home, activity, ids_of, party};

const HOME: Home = Home { source: "licitacon-rs", sphere: None, state: "RS", municipality: None };

columns! {
    /// `LICITACAO.csv`, `info_licitacoes.csv`.
    Tenders {
        body required ["cd orgao", "id orgao"],
        body_name optional ["nm orgao"],
        number required ["nr licitacao"],
        year required ["ano licitacao"],
        modality optional ["cd tipo modalidade"],
        object required ["ds objeto", "descricao objeto"],
        criterion required ["tp licitacao", "tipo licitacao"],
        process optional ["nr processo"],
        process_year optional ["ano processo"],
        legal_basis optional ["ds lei"],
        status optional ["tp resultado global"],
        opened_on optional ["dt abertura"],
        awarded_on optional ["dt adjudicacao", "data adjudicacao"],
        confirmed_on optional ["dt homologacao"],
        value_estimated optional ["vl licitacao", "vl estimado licitacao"],
        value_awarded optional ["vl homologado"],
        bidders optional ["total concorrentes"],
    }
}

columns! {
    /// `ITEM.csv`, `info_item_licitacao.csv`.
    TenderItems {
        body required ["cd orgao", "id orgao"],
        number required ["nr licitacao"],
        year required ["ano licitacao"],
        modality optional ["cd tipo modalidade"],
        lot optional ["nr lote"],
        item required ["nr item"],
        description required ["ds item"],
        quantity required ["qt itens", "qt itens licitacao"],
        unit required ["sg unidade medida"],
        unit_estimate optional ["vl unitario estimado"],
        unit_price required ["vl unitario homologado"],
        total required ["vl total homologado"],
        status optional ["tp resultado item"],
        winner_code optional ["nr documento vencedor", "nr documento fornecedor"],
        winner_name optional ["nm vencedor", "nm fornecedor"],
    }
}

columns! {
    /// `ITEM_PROP.csv`: what was bid for each item, losers included.
    Bids {
        body required ["cd orgao"],
        number required ["nr licitacao"],
        year required ["ano licitacao"],
        modality required ["cd tipo modalidade"],
        lot optional ["nr lote"],
        item required ["nr item"],
        bidder_code required ["nr documento licitante", "nr documento"],
        bidder_name optional ["nm licitante", "nm pessoa"],
        unit_price required ["vl unitario"],
        total required ["vl total item"],
        status optional ["tp resultado proposta"],
        won optional ["bl vencedor"],
        rank optional ["nr classificacao", "nr ordem classificacao"],
    }
}

columns! {
    /// `LICITANTE.csv`: who took part, and whether they were qualified.
    Bidders {
        body required ["cd orgao"],
        number required ["nr licitacao"],
        year required ["ano licitacao"],
        modality required ["cd tipo modalidade"],
        bidder_code required ["nr documento licitante", "nr documento"],
        bidder_name optional ["nm licitante", "nm pessoa"],
        status required ["tp resultado habilitacao"],
    }
}

columns! {
    /// `CONTRATO.csv`, `info_contratos.csv`.
    Contracts {
        body required ["cd orgao", "id orgao"],
        body_name optional ["nm orgao"],
        tender_number required ["nr licitacao"],
        tender_year required ["ano licitacao"],
        modality optional ["cd tipo modalidade"],
        number required ["nr contrato"],
        year required ["ano contrato"],
        instrument required ["tp instrumento contrato", "tipo instrumento contrato", "tp instrumento"],
        process optional ["nr processo"],
        process_year optional ["ano processo"],
        supplier_code required ["nr documento contratado", "nr documento"],
        supplier_name optional ["nm contratado", "nm pessoa"],
        signed_on optional ["dt assinatura"],
        starts_on required ["dt inicio vigencia"],
        ends_on required ["dt final vigencia"],
        value required ["vl contrato"],
        object required ["ds objeto", "descricao objeto contrato"],
    }
}

columns! {
    /// `ITEM_CON.csv`, `info_item_contrato.csv`.
    ContractItems {
        body required ["cd orgao", "id orgao"],
        tender_number required ["nr licitacao"],
        tender_year required ["ano licitacao"],
        modality optional ["cd tipo modalidade"],
        number required ["nr contrato"],
        year required ["ano contrato"],
        lot required ["nr lote"],
        item required ["nr item"],
        quantity required ["qt itens", "qt itens contrato"],
        unit_price required ["vl item", "vl item contrato"],
        total required ["vl total item", "vl total item contrato"],
    }
}

/// The tender that a row names.
struct TenderKey {
    id: String,
    body: String,
    buyer_id: String,
    number: String,
}

impl TenderKey {
    fn of(row: &Row<'_>, body: Col, year: Col, number: Col, modality: Col) -> Result<Self, Fault> {
        let (body, year, number) = (row.key(body)?, row.key(year)?, row.key(number)?);
        let id = match row.key(modality) {
            Ok(modality) => format!("licitacon-rs:{body}-{modality}-{year}-{number}"),
            Err(_) => format!("licitacon-rs:{body}-{year}-{number}"),
        };
        Ok(Self { id, buyer_id: HOME.body(&body), number: format!("{number}/{year}"), body })
    }
}

/// A number with its year, as people write it.
fn of_year(row: &Row<'_>, number: Col, year: Col) -> Option<String> {
    let number = row.text(number)?;
    Some(row.text(year).map_or_else(|| number.clone(), |year| format!("{number}/{year}")))
}

fn contract_id(body: &str, year: &str, number: &str) -> String {
    format!("licitacon-rs:{body}:contract:{year}-{number}")
}

/// Who is bid for or sold by, as part of an id: a person without a name has no id of its own.
fn who(row: &Row<'_>, code: Col, party: Option<&(String, model::Supplier)>) -> Result<String, Fault> {
    party.map_or_else(|| row.key(code), |(id, _)| Ok(id.clone()))
}

/// The court's codes of modalities; those that we are not sure of stay unknown.
fn modality(code: &str) -> Option<Modality> {
    Some(match code {
        "PRE" | "PRP" => Modality::Pregao,
        "CNC" | "CNE" => Modality::Concorrencia,
        "CNS" => Modality::Concurso,
        "CNV" => Modality::Convite,
        "LEI" | "LEE" => Modality::Leilao,
        "MAI" => Modality::ManifestacaoDeInteresse,
        "PRD" => Modality::Dispensa,
        "PRI" => Modality::Inexigibilidade,
        "RDC" | "RDE" => Modality::Rdc,
        "TMP" => Modality::TomadaDePrecos,
        _ => return None,
    })
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
        let key = TenderKey::of(row, c.body, c.year, c.number, c.modality)?;
        let opened_on = row.date_of_either_form(c.opened_on)?;
        let awarded_on = row.date_of_either_form(c.awarded_on)?;
        let result_on = row.date_of_either_form(c.confirmed_on)?.or(awarded_on);
        let partition_on = opened_on.or(result_on).or(self.place.file_month);
        let object = row.text(c.object);
        let (activity, activity_basis) = activity(object.as_deref());
        let legal_basis = row.text(c.legal_basis);
        let buyer_name = row.text(c.body_name);
        let buyer = buyer_name
            .clone()
            .map(|name| (key.buyer_id.clone(), HOME.buyer(name, Some(key.body.clone()), opened_on.or(result_on))));
        let tender = Tender {
            number: Some(key.number),
            process: of_year(row, c.process, c.process_year),
            modality: modality(row.code(c.modality)).map(Modality::code),
            modality_as_stated: row.text(c.modality),
            regime: legal_basis.as_deref().and_then(model::law::Regime::from_legal_basis).map(|r| r.code()),
            legal_basis,
            status: row.text(c.status),
            buyer_id: Some(key.buyer_id),
            buyer_name,
            opened_on,
            result_on,
            value_estimated: row.unless_zero(c.value_estimated, row.amount_in(c.value_estimated, Decimals::Dot)?),
            value_awarded: row.unless_zero(c.value_awarded, row.amount_in(c.value_awarded, Decimals::Dot)?),
            bidders: row.count(c.bidders),
            criterion: row.text(c.criterion),
            activity,
            activity_basis,
            object,
            partition_on,
            ..Tender::default()
        };
        Ok(Draft { buyer, ..Draft::of(key.id, Record::Tender(tender)) })
    }
}

/// Maps items of tenders.
pub(crate) struct MapTenderItems {
    columns: TenderItems,
    place: Place,
}

impl MapTenderItems {
    pub(crate) fn new(columns: TenderItems, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapTenderItems {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let key = TenderKey::of(row, c.body, c.year, c.number, c.modality)?;
        let number = row.key(c.item)?;
        let lot = row.text(c.lot);
        let supplier = party(row.code(c.winner_code), row.code(c.winner_name), None);
        // A price of zero stands where nothing was awarded.
        let unit_price = row.unless_zero(c.unit_price, row.amount_in(c.unit_price, Decimals::Dot)?);
        let id = format!("{}:item:{}-{number}", key.id, lot.as_deref().unwrap_or_default());
        let item = Item {
            tender_id: Some(key.id),
            buyer_id: Some(key.buyer_id),
            number: Some(number),
            lot,
            description: row.text(c.description),
            unit: row.text(c.unit),
            unit_basis: (!row.code(c.unit).is_empty()).then_some("stated"),
            quantity: row.quantity_in(c.quantity, Decimals::Dot)?,
            unit_price,
            price_basis: unit_price.map(|_| "stated"),
            total: row.unless_zero(c.total, row.amount_in(c.total, Decimals::Dot)?),
            unit_estimate: row.unless_zero(c.unit_estimate, row.amount_in(c.unit_estimate, Decimals::Dot)?),
            status: row.text(c.status),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_name: row.text(c.winner_name),
            partition_on: self.place.file_month.or_else(|| first_of(row.code(c.year))),
            ..Item::default()
        };
        Ok(Draft { supplier, ..Draft::of(id, Record::Item(item)) })
    }
}

/// The first day of a year, for rows that state no other time.
fn first_of(year: &str) -> Option<chrono::NaiveDate> {
    model::dates::parse_iso(&format!("{year}-01-01")).ok()
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
        let key = TenderKey::of(row, c.body, c.year, c.number, c.modality)?;
        let item = row.key(c.item)?;
        let lot = row.text(c.lot);
        let bidder = party(row.code(c.bidder_code), row.code(c.bidder_name), None);
        let who = who(row, c.bidder_code, bidder.as_ref())?;
        let (bidder_id, bidder_root) = ids_of(bidder.as_ref());
        if bidder_id.is_none() {
            row.leave_in_metadata(c.bidder_code);
        }
        let status = row.text(c.status);
        let id = format!("{}:bid:{}-{item}:{who}", key.id, lot.as_deref().unwrap_or_default());
        let bid = Bid {
            tender_id: Some(key.id),
            item_number: Some(item),
            lot,
            bidder_id,
            bidder_root,
            bidder_name: row.text(c.bidder_name),
            won: yes_or_no(row.code(c.won)).or_else(|| won_by_words(status.as_deref()?)),
            value: row.unless_zero(c.total, row.amount_in(c.total, Decimals::Dot)?),
            unit_price: row.unless_zero(c.unit_price, row.amount_in(c.unit_price, Decimals::Dot)?),
            rank: row.count(c.rank),
            valid: status.as_deref().and_then(valid_by_words),
            status,
            partition_on: self.place.file_month.or_else(|| first_of(row.code(c.year))),
            ..Bid::default()
        };
        Ok(Draft { supplier: bidder, ..Draft::of(id, Record::Bid(bid)) })
    }
}

fn yes_or_no(code: &str) -> Option<bool> {
    match code {
        "S" => Some(true),
        "N" => Some(false),
        _ => None,
    }
}

/// Whether a result written out says that the bid won; a code of one letter says nothing to us.
fn won_by_words(status: &str) -> Option<bool> {
    let words = normal_name(status);
    (words.starts_with("vencedor")).then_some(true)
}

/// Whether a result written out says that the bid or bidder counted.
fn valid_by_words(status: &str) -> Option<bool> {
    let words = normal_name(status);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| words.starts_with(prefix));
    if starts(&["desclassificad", "inabilitad"]) {
        return Some(false);
    }
    starts(&["classificad", "habilitad", "vencedor"]).then_some(true)
}

/// Maps who took part: a bid for the tender as a whole, without an amount.
pub(crate) struct MapBidders {
    columns: Bidders,
    place: Place,
}

impl MapBidders {
    pub(crate) fn new(columns: Bidders, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapBidders {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let key = TenderKey::of(row, c.body, c.year, c.number, c.modality)?;
        let bidder = party(row.code(c.bidder_code), row.code(c.bidder_name), None);
        let who = who(row, c.bidder_code, bidder.as_ref())?;
        let (bidder_id, bidder_root) = ids_of(bidder.as_ref());
        if bidder_id.is_none() {
            row.leave_in_metadata(c.bidder_code);
        }
        let status = row.text(c.status);
        let id = format!("{}:bidder:{who}", key.id);
        let bid = Bid {
            tender_id: Some(key.id),
            bidder_id,
            bidder_root,
            bidder_name: row.text(c.bidder_name),
            valid: status.as_deref().and_then(valid_by_words),
            status,
            partition_on: self.place.file_month.or_else(|| first_of(row.code(c.year))),
            ..Bid::default()
        };
        Ok(Draft { supplier: bidder, ..Draft::of(id, Record::Bid(bid)) })
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
        let tender = TenderKey::of(row, c.body, c.tender_year, c.tender_number, c.modality)?;
        let (year, number) = (row.key(c.year)?, row.key(c.number)?);
        let (signed_on, starts_on) = (row.date_of_either_form(c.signed_on)?, row.date_of_either_form(c.starts_on)?);
        let seen_on = signed_on.or(starts_on);
        let supplier = party(row.code(c.supplier_code), row.code(c.supplier_name), seen_on);
        let (supplier_id, supplier_root) = ids_of(supplier.as_ref());
        if supplier_id.is_none() {
            row.leave_in_metadata(c.supplier_code);
        }
        let object = row.text(c.object);
        let (activity, activity_basis) = activity(object.as_deref());
        let buyer_name = row.text(c.body_name);
        let buyer = buyer_name
            .clone()
            .map(|name| (tender.buyer_id.clone(), HOME.buyer(name, Some(tender.body.clone()), seen_on)));
        let contract = Contract {
            number: Some(format!("{number}/{year}")),
            process: of_year(row, c.process, c.process_year),
            modality: modality(row.code(c.modality)).map(Modality::code),
            modality_as_stated: row.text(c.modality),
            buyer_id: Some(tender.buyer_id),
            buyer_name,
            supplier_id,
            supplier_root,
            supplier_name: row.text(c.supplier_name),
            signed_on,
            starts_on,
            ends_on: row.date_of_either_form(c.ends_on)?,
            value_initial: row.amount_in(c.value, Decimals::Dot)?,
            instrument: row.text(c.instrument),
            tender_id: Some(tender.id),
            activity,
            activity_basis,
            object,
            partition_on: seen_on.or(self.place.file_month).or_else(|| first_of(&year)),
            ..Contract::default()
        };
        let id = contract_id(&tender.body, &year, &number);
        Ok(Draft { buyer, supplier, ..Draft::of(id, Record::Contract(contract)) })
    }
}

/// Maps items of contracts.
pub(crate) struct MapContractItems {
    columns: ContractItems,
    place: Place,
}

impl MapContractItems {
    pub(crate) fn new(columns: ContractItems, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapContractItems {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let tender = TenderKey::of(row, c.body, c.tender_year, c.tender_number, c.modality)?;
        let (year, contract) = (row.key(c.year)?, row.key(c.number)?);
        let (lot, number) = (row.key(c.lot)?, row.key(c.item)?);
        let contract_id = contract_id(&tender.body, &year, &contract);
        let unit_price = row.unless_zero(c.unit_price, row.amount_in(c.unit_price, Decimals::Dot)?);
        let id = format!("{contract_id}:item:{lot}-{number}");
        let item = Item {
            contract_id: Some(contract_id),
            tender_id: Some(tender.id),
            buyer_id: Some(tender.buyer_id),
            number: Some(number),
            lot: Some(lot),
            quantity: row.quantity_in(c.quantity, Decimals::Dot)?,
            unit_price,
            price_basis: unit_price.map(|_| "stated"),
            total: row.unless_zero(c.total, row.amount_in(c.total, Decimals::Dot)?),
            partition_on: self.place.file_month.or_else(|| first_of(&year)),
            ..Item::default()
        };
        Ok(Draft::of(id, Record::Item(item)))
    }
}
