//! SAGRES, the system of the court of accounts of Paraíba (TCE-PB): tenders, contracts, amendments, commitments,
//! payments and the list of managing units.
//!
//! A managing unit is a code of six digits whose last three are the town's. A tender is known by unit, kind (`tp_Licitacao`)
//! and number, for numbers repeat within a unit; a contract by unit and number. The court publishes kinds as codes
//! without a list of their meanings, so the modality stays unknown and the code is kept as stated.

use chrono::NaiveDate;
use model::text::squeeze;
use model::{Amendment, Contract, Payment, Record, Tender, Term};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Col, Decimals, Row, columns};
use crate::local::{Home, activity, ids_of, party};

const HOME: Home = Home { source: "sagres-pb", sphere: None, state: "PB", municipality: None };

columns! {
    /// Tenders, one row each.
    Tenders {
        unit required ["cd ugestora"],
        number required ["nu licitacao"],
        kind required ["tp licitacao"],
        result_on required ["dt homologacao"],
        value required ["vl licitacao"],
        object required ["de obs"],
        bidders optional ["nu propostas"],
    }
}

columns! {
    /// Contracts.
    Contracts {
        unit required ["cd ugestora"],
        number required ["nu contrato"],
        tender required ["nu licitacao"],
        kind optional ["tp licitacao"],
        object required ["de obscontrato", "de obs contrato"],
        supplier required ["nu cpfcnpj"],
        value required ["vl totalcontrato", "vl total contrato"],
        signed_on optional ["dt assinatura"],
        month optional ["dt mesanocontrato", "dt mes ano contrato", "dt mesano"],
    }
}

columns! {
    /// Amendments; a second edition has a column of row numbers without a name before them.
    Amendments {
        unit required ["cd ugestora"],
        contract required ["nu contrato"],
        number required ["nu aditivo"],
        signed_on required ["dt assinatura"],
        object required ["de motivo"],
        value required ["vl aditivo"],
        ends_on required ["dt aditado"],
    }
}

columns! {
    /// Commitments.
    Commitments {
        unit required ["cd ugestora"],
        year required ["dt anoempenho", "dt ano"],
        tender optional ["nu licitacao"],
        kind optional ["tp licitacao"],
        number required ["nu empenho"],
        budget_unit required ["cd unidorcamentaria"],
        value required ["vl empenho"],
        issued_on required ["dt empenho"],
    }
}

columns! {
    /// Payments of commitments, in instalments.
    Payments {
        unit required ["cd ugestora"],
        year required ["dt ano", "dt anoempenho"],
        number required ["nu empenho"],
        budget_unit required ["cd unidorcamentaria"],
        part required ["nu parcela"],
        value required ["vl pagamento"],
        paid_on required ["dt pagamento"],
    }
}

columns! {
    /// Managing units; one edition gives a row for each year.
    Units {
        code required ["cd ugestora"],
        name required ["de ugestora"],
        year optional ["dt ano"],
        cnpj optional ["nu cnpj"],
        municipality optional ["de municipio"],
    }
}

pub(crate) fn tender_id(unit: &str, kind: &str, number: &str) -> String {
    format!("sagres-pb:{unit}-{kind}-{number}")
}

/// The tender that a row names, when it states all three parts of its key.
fn tender_of(row: &Row<'_>, unit: &str, kind: Col, number: Col) -> Option<String> {
    let (kind, number) = (row.key(kind).ok()?, row.key(number).ok()?);
    Some(tender_id(unit, &kind, &number))
}

fn contract_id(unit: &str, number: &str) -> String {
    format!("sagres-pb:{unit}:contract:{number}")
}

/// The first day of `MMAAAA`; editions that lost the month (`002013`) have none.
pub(crate) fn month(text: &str) -> Option<NaiveDate> {
    let (month, year) = (text.get(..2)?, text.get(2..)?);
    model::dates::parse_iso(&format!("{year}-{month}-01")).ok()
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
        let (unit, kind, number) = (row.key(c.unit)?, row.key(c.kind)?, row.key(c.number)?);
        let result_on = row.date_of_either_form(c.result_on)?;
        let value = row.amount_in(c.value, Decimals::Dot)?;
        if result_on.is_none() {
            row.leave_in_metadata(c.value);
        }
        let object = row.text(c.object);
        let (activity, activity_basis) = activity(object.as_deref());
        let id = tender_id(&unit, &kind, &number);
        let tender = Tender {
            modality_as_stated: Some(kind),
            buyer_id: Some(HOME.body(&unit)),
            result_on,
            value_awarded: value.filter(|_| result_on.is_some()),
            bidders: row.count(c.bidders),
            activity,
            activity_basis,
            object,
            partition_on: result_on.or(self.place.file_month),
            number: Some(number),
            ..Tender::default()
        };
        Ok(Draft::of(id, Record::Tender(tender)))
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
        let (unit, number) = (row.key(c.unit)?, row.key(c.number)?);
        let signed_on = row.date_of_short_form(c.signed_on)?;
        let seen_on = signed_on.or_else(|| month(row.code(c.month))).or(self.place.file_month);
        let supplier = party(row.code(c.supplier), "", seen_on);
        if supplier.is_none() {
            row.leave_in_metadata(c.supplier);
        }
        let (supplier_id, supplier_root) = ids_of(supplier.as_ref());
        let tender_id = tender_of(row, &unit, c.kind, c.tender);
        if tender_id.is_none() {
            row.leave_in_metadata(c.tender);
        }
        row.leave_in_metadata(c.month);
        let object = row.text(c.object);
        let (activity, activity_basis) = activity(object.as_deref());
        let id = contract_id(&unit, &number);
        let contract = Contract {
            modality_as_stated: row.text(c.kind),
            buyer_id: Some(HOME.body(&unit)),
            supplier_id,
            supplier_root,
            signed_on,
            value_initial: row.amount_in(c.value, Decimals::Dot)?,
            tender_id,
            activity,
            activity_basis,
            object,
            partition_on: seen_on,
            number: Some(number),
            ..Contract::default()
        };
        Ok(Draft { supplier, ..Draft::of(id, Record::Contract(contract)) })
    }
}

/// Maps amendments.
pub(crate) struct MapAmendments {
    columns: Amendments,
    place: Place,
}

impl MapAmendments {
    pub(crate) fn new(columns: Amendments, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapAmendments {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let (unit, contract) = (row.key(c.unit)?, row.key(c.contract)?);
        let signed_on = row.date_of_short_form(c.signed_on)?;
        let contract_id = contract_id(&unit, &contract);
        let number = row.key(c.number).ok();
        let amendment = Amendment {
            kind: "amendment",
            object: row.text(c.object),
            buyer_id: Some(HOME.body(&unit)),
            signed_on,
            value: row.amount_in(c.value, Decimals::Comma)?,
            ends_on: row.date_of_short_form(c.ends_on)?,
            partition_on: signed_on.or(self.place.file_month),
            number: number.clone(),
            contract_id: Some(contract_id.clone()),
            ..Amendment::default()
        };
        let key = number.or_else(|| signed_on.map(|day| format!("of-{day}"))).unwrap_or_default();
        Ok(Draft::of(format!("{contract_id}:amendment:{key}"), Record::Amendment(amendment)))
    }
}

fn commitment_id(unit: &str, year: &str, budget_unit: &str, number: &str) -> String {
    format!("sagres-pb:{unit}:commitment:{year}-{budget_unit}-{number}")
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
        let (unit, year) = (row.key(c.unit)?, row.key(c.year)?);
        let (budget_unit, number) = (row.key(c.budget_unit)?, row.key(c.number)?);
        let id = commitment_id(&unit, &year, &budget_unit, &number);
        let issued_on = row.date_of_either_form(c.issued_on)?;
        let payment = Payment {
            kind: "commitment",
            tender_id: tender_of(row, &unit, c.kind, c.tender),
            buyer_id: Some(HOME.body(&unit)),
            issued_on,
            value: row.amount_in(c.value, Decimals::Dot)?,
            modality_as_stated: row.text(c.kind),
            partition_on: issued_on.or(self.place.file_month),
            number: Some(number),
            ..Payment::default()
        };
        row.leave_in_metadata(c.budget_unit);
        Ok(Draft::of(id, Record::Payment(payment)))
    }
}

/// Maps payments.
pub(crate) struct MapPayments {
    columns: Payments,
    place: Place,
}

impl MapPayments {
    pub(crate) fn new(columns: Payments, place: Place) -> Self {
        Self { columns, place }
    }
}

impl Mapper for MapPayments {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let (unit, year) = (row.key(c.unit)?, row.key(c.year)?);
        let (budget_unit, number) = (row.key(c.budget_unit)?, row.key(c.number)?);
        let part = row.key(c.part)?;
        let id = format!("{}:payment:{part}", commitment_id(&unit, &year, &budget_unit, &number));
        let issued_on = row.date_of_either_form(c.paid_on)?;
        let payment = Payment {
            kind: "payment",
            buyer_id: Some(HOME.body(&unit)),
            issued_on,
            value: row.amount_in(c.value, Decimals::Dot)?,
            partition_on: issued_on.or(self.place.file_month),
            number: Some(number),
            ..Payment::default()
        };
        row.leave_in_metadata(c.budget_unit);
        row.leave_in_metadata(c.part);
        Ok(Draft::of(id, Record::Payment(payment)))
    }
}

/// Maps managing units: a term of the court's list, and the buyer that other rows name by code only.
pub(crate) struct MapUnits {
    columns: Units,
}

impl MapUnits {
    pub(crate) fn new(columns: Units, _: Place) -> Self {
        Self { columns }
    }
}

impl Mapper for MapUnits {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let code = row.key(c.code)?;
        row.key(c.name)?;
        let name = squeeze(row.code(c.name));
        let year = row.code(c.year);
        let seen_on = model::dates::parse_iso(&format!("{year}-01-01")).ok();
        let municipality = row.text(c.municipality);
        let cnpj = model::Cnpj::parse(row.code(c.cnpj)).ok().map(|cnpj| cnpj.to_string());
        if cnpj.is_none() {
            row.leave_in_metadata(c.cnpj);
        }
        let buyer = model::Buyer { cnpj, municipality, ..HOME.buyer(name.clone(), Some(code.clone()), seen_on) };
        let id =
            if year.is_empty() { format!("sagres-pb:unit:{code}") } else { format!("sagres-pb:unit:{code}-{year}") };
        let term = Term { list: "managing_unit", code: code.clone(), meaning: name };
        Ok(Draft { buyer: Some((HOME.body(&code), buyer)), ..Draft::of(id, Record::Term(term)) })
    }
}
