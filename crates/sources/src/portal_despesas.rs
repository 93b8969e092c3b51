//! Portal da Transparência, bulk expenses: commitments, settlements and payments of the federal budget.
//!
//! The Portal's own files have `;`, windows-1252, days as `DD/MM/AAAA` and decimal commas. Copies made by programs have
//! commas, names in snake case, ISO days and decimal dots; the names are the same when folded.
//!
//! A commitment's amount is always positive, also that of a note that annuls: the note's species says which way it
//! goes. Here an annulment is negative, so that amounts can be added up; where the species does not tell the way
//! (`ESTORNO` may undo either), no amount is given and the stated one stays in the metadata.

use chrono::NaiveDate;
use model::{Money, Payment, Record, Supplier};

use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Col, Row, columns};
use crate::portal_compras::{BuyerColumns, buyer, seen};

/// A managing unit's code has six digits; a unit that receives is no supplier.
const UNIT_DIGITS: usize = 6;
/// A column that a layout does not have.
const NONE: Col = Col(None);

columns! {
    /// `AAAAMMDD_Despesas_Empenho.csv`.
    Commitments {
        code required ["codigo empenho"],
        number optional ["codigo empenho resumido"],
        issued_on required ["data emissao", "data de emissao"],
        species optional ["especie empenho"],
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["orgao"],
        unit_code required ["codigo unidade gestora", "codigo ug"],
        unit_name required ["unidade gestora", "nome ug"],
        supplier_code required ["codigo favorecido"],
        supplier_name required ["favorecido"],
        note optional ["observacao"],
        expense_code optional ["codigo elemento de despesa"],
        expense_name optional ["elemento de despesa"],
        process optional ["processo"],
        modality optional ["modalidade de licitacao"],
        law optional ["amparo"],
        article optional ["referencia de dispensa ou inexigibilidade"],
        value required ["valor do empenho convertido pra r", "valor do empenho convertido para r"],
    }
}

columns! {
    /// `AAAAMMDD_Despesas_Liquidacao.csv`.
    Settlements {
        code required ["codigo liquidacao"],
        number optional ["codigo liquidacao resumido"],
        issued_on required ["data emissao", "data de emissao"],
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["orgao"],
        unit_code required ["codigo unidade gestora", "codigo ug"],
        unit_name required ["unidade gestora", "nome ug"],
        supplier_code required ["codigo favorecido"],
        supplier_name required ["favorecido"],
        note optional ["observacao"],
        expense_code optional ["codigo elemento de despesa"],
        expense_name optional ["elemento de despesa"],
        process optional ["processo"],
        value optional ["valor da liquidacao convertido pra r", "valor da liquidacao convertido para r", "valor liquidado r", "valor da liquidacao", "valor"],
    }
}

columns! {
    /// `AAAAMMDD_Despesas_Pagamento.csv`.
    Payments {
        code required ["codigo pagamento"],
        number optional ["codigo pagamento resumido"],
        issued_on required ["data emissao", "data de emissao"],
        superior_code optional ["codigo orgao superior"],
        superior_name optional ["orgao superior"],
        parent_code optional ["codigo orgao"],
        parent_name optional ["orgao"],
        unit_code required ["codigo unidade gestora", "codigo ug"],
        unit_name required ["unidade gestora", "nome ug"],
        supplier_code required ["codigo favorecido"],
        supplier_name required ["favorecido"],
        note optional ["observacao"],
        expense_code optional ["codigo elemento de despesa"],
        expense_name optional ["elemento de despesa"],
        process optional ["processo"],
        value required ["valor do pagamento convertido pra r", "valor do pagamento convertido para r", "valor pago r", "valor do pagamento", "valor"],
    }
}

/// Maps the rows of the three files.
pub(crate) struct MapExpenses {
    kind: &'static str,
    code: Col,
    number: Col,
    issued_on: Col,
    species: Col,
    unit_code: Col,
    supplier_code: Col,
    supplier_name: Col,
    note: Col,
    expense_code: Col,
    expense_name: Col,
    process: Col,
    modality: Col,
    law: Col,
    article: Col,
    value: Col,
    buyer: BuyerColumns,
    place: Place,
}

macro_rules! expenses_of {
    ($kind:literal, $columns:ident, $place:ident, $species:expr, $modality:expr, $law:expr, $article:expr) => {
        Self {
            kind: $kind,
            code: $columns.code,
            number: $columns.number,
            issued_on: $columns.issued_on,
            unit_code: $columns.unit_code,
            supplier_code: $columns.supplier_code,
            supplier_name: $columns.supplier_name,
            note: $columns.note,
            expense_code: $columns.expense_code,
            expense_name: $columns.expense_name,
            process: $columns.process,
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
            species: $species,
            modality: $modality,
            law: $law,
            article: $article,
        }
    };
}

impl MapExpenses {
    #[allow(clippy::needless_pass_by_value, reason = "all mappers are built alike")]
    pub(crate) fn commitments(columns: Commitments, place: Place) -> Self {
        expenses_of!("commitment", columns, place, columns.species, columns.modality, columns.law, columns.article)
    }

    #[allow(clippy::needless_pass_by_value, reason = "all mappers are built alike")]
    pub(crate) fn settlements(columns: Settlements, place: Place) -> Self {
        expenses_of!("settlement", columns, place, NONE, NONE, NONE, NONE)
    }

    #[allow(clippy::needless_pass_by_value, reason = "all mappers are built alike")]
    pub(crate) fn payments(columns: Payments, place: Place) -> Self {
        expenses_of!("payment", columns, place, NONE, NONE, NONE, NONE)
    }

    fn value(&self, row: &Row<'_>) -> Result<Option<Money>, Fault> {
        // Copies with commas are made by programs that write decimal dots.
        let stated =
            if self.place.separator == b',' { row.amount_with_dot(self.value)? } else { row.amount(self.value)? };
        let value = stated.and_then(|value| signed_by_species(row.code(self.species), value));
        if value != stated {
            row.leave_in_metadata(self.value);
        }
        Ok(value)
    }
}

/// An amount with the sign that its note's species gives it; `None` where the species does not tell.
pub(crate) fn signed_by_species(species: &str, value: Money) -> Option<Money> {
    match model::text::fold(species).as_str() {
        "anulacao" | "cancelamento" if value > Money::ZERO => Money::ZERO.checked_sub(value),
        "estorno" | "invalido" => None,
        _ => Some(value),
    }
}

/// Who receives, unless it is a managing unit of the administration itself.
pub(crate) fn receiver(code: &str, name: &str, on: Option<NaiveDate>) -> Option<(String, Supplier)> {
    if is_unit(code) {
        return None;
    }
    seen(model::supplier(code, name), on)
}

fn is_unit(code: &str) -> bool {
    code.len() == UNIT_DIGITS && code.bytes().all(|b| b.is_ascii_digit())
}

/// A text, unless it is one of the Portal's codes for "nothing".
fn said(row: &Row<'_>, col: Col) -> Option<String> {
    row.text(col).filter(|text| !matches!(text.as_str(), "-1" | "-2" | "-3" | "-7" | "-8" | "-9" | "-11" | "SI"))
}

impl Mapper for MapExpenses {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let unit = row.key(self.unit_code)?;
        let code = row.key(self.code)?;
        let issued_on = row.date_of_either_form(self.issued_on)?;
        let seen_on = issued_on.or(self.place.file_day).or(self.place.file_month);
        let supplier = receiver(row.code(self.supplier_code), row.code(self.supplier_name), seen_on);
        if supplier.is_none() {
            row.leave_in_metadata(self.supplier_code);
        }
        row.leave_in_metadata(self.species);
        let article = said(row, self.article);
        if article.is_some() {
            row.leave_in_metadata(self.law);
        }
        let payment = Payment {
            buyer_id: Some(format!("uasg:{unit}")),
            buyer_name: row.text(self.buyer.unit_name),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name: row.text(self.supplier_name),
            number: row.text(self.number).or_else(|| Some(code.clone())),
            kind: self.kind,
            issued_on,
            value: self.value(row)?,
            expense_code: said(row, self.expense_code),
            expense_name: row.text(self.expense_name),
            process: said(row, self.process),
            modality_as_stated: row.text(self.modality),
            legal_basis: article.or_else(|| said(row, self.law)),
            note: row.text(self.note),
            partition_on: seen_on,
            ..Payment::default()
        };
        // Since 2021 one note is written to again on later days; each writing is a row with an amount of its own.
        let day = issued_on.map(|day| format!(":{day}")).unwrap_or_default();
        let id = format!("portal-despesas:{}:{code}{day}", self.kind);
        Ok(Draft { buyer: buyer(row, &unit, self.buyer, seen_on), supplier, ..Draft::of(id, Record::Payment(payment)) })
    }
}
