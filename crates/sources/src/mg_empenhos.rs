//! Minas Gerais, commitments of the state that come from a purchase, and what was paid on each in a year.
//!
//! The state's CSV has names with `_` and decimal commas; its spreadsheets, saved as CSV, have written names and decimal
//! dots. The names decide for the whole file, and a value in the other style is quarantined. `Valor Pago Processado` and
//! `Não Processado` are totals of a budget unit and element that stand again on each of their rows; adding them up
//! would count them many times over, so they stay in the metadata.

use model::{Payment, Record};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Decimals, Row, columns};
use crate::local::{Home, ids_of, key_of_name, party};
use crate::mg_compras;

const HOME: Home = Home { source: "mg-empenhos", sphere: Some("E"), state: "MG", municipality: None };

columns! {
    /// `empenhoAAAA.csv`.
    Commitments {
        exercise required ["ano de exercicio"],
        unit_code required ["unidade orcamentaria codigo"],
        unit_name required ["unidade orcamentaria nome"],
        year required ["ano empenho"],
        number required ["numero empenho"],
        issued_on required ["data registro doc empenho"],
        process required ["numero processo compra siad"],
        modality required ["licitacao descricao da modalidade"],
        supplier_name required ["razao social credor"],
        supplier_code required ["cnpj cpf credor formatado"],
        expense_code required ["elemento despesa codigo"],
        expense_name required ["elemento despesa descricao"],
        paid required ["valor pago financeiro"],
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
        let decimals = if row.name(c.paid).contains('_') { Decimals::Comma } else { Decimals::Dot };
        let (unit, exercise) = (row.key(c.unit_code)?, row.key(c.exercise)?);
        let (year, number) = (row.key(c.year)?, row.key(c.number)?);
        let process = row.key(c.process).ok();
        let issued_on = row.date_of_either_form(c.issued_on)?;
        let partition_on = issued_on.or(self.place.file_month);
        let supplier = party(row.code(c.supplier_code), row.code(c.supplier_name), partition_on);
        let who = supplier.as_ref().map_or_else(|| key_of_name(row.code(c.supplier_name)), |(id, _)| id.clone());
        let (supplier_id, supplier_root) = ids_of(supplier.as_ref());
        let buyer_id = HOME.body(&unit);
        let buyer_name = row.text(c.unit_name);
        let words = row.text(c.modality);
        // Numbers repeat within a budget unit, whose executing units count each for itself.
        let id = format!(
            "mg-empenhos:{exercise}:{unit}-{year}-{number}:{}:{}:{who}:{}",
            issued_on.map(|day| day.to_string()).unwrap_or_default(),
            process.as_deref().unwrap_or_default(),
            row.code(c.expense_code)
        );
        row.leave_in_metadata(c.exercise);
        row.leave_in_metadata(c.year);
        let payment = Payment {
            kind: "commitment",
            tender_id: process.as_deref().map(mg_compras::tender_id),
            buyer_id: Some(buyer_id.clone()),
            buyer_name: buyer_name.clone(),
            supplier_id,
            supplier_root,
            supplier_name: row.text(c.supplier_name),
            number: Some(number),
            issued_on,
            value_paid: row.amount_in(c.paid, decimals)?,
            expense_code: row.text(c.expense_code),
            expense_name: row.text(c.expense_name),
            process: row.text(c.process),
            modality_as_stated: words,
            partition_on,
            ..Payment::default()
        };
        let buyer = buyer_name.map(|name| (buyer_id, HOME.buyer(name, Some(unit), partition_on)));
        Ok(Draft { buyer, supplier, ..Draft::of(id, Record::Payment(payment)) })
    }
}
