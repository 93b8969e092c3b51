//! São Paulo, the city: extracts of contracts and their changes as its gazette published them, 2005 to 2014.
//!
//! The writer never quotes. A `;` inside a text gives a row a field too many, and a row without a term of days has one
//! too few. Both are put right only where the typed columns (CNPJ, value, kind of extract, day of signature, days)
//! leave one reading; else the row is quarantined.

use model::{Amendment, Contract, Modality, Record};

use crate::csv_rows::Form;
use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Decimals, Row, columns};
use crate::local::{Home, activity, ids_of, key_of_name, party};

const HOME: Home = Home { source: "sp-capital", sphere: Some("M"), state: "SP", municipality: Some("São Paulo") };

columns! {
    /// `Contratos-AAAA.csv`.
    Extracts {
        buyer required ["orgao"],
        supplier required ["fornecedor"],
        supplier_code required ["cnpj"],
        object required ["objeto"],
        value required ["valor r"],
        kind required ["modalidade"],
        number required ["contrato"],
        signed_on required ["data de assinatura"],
        days required ["vigencia dias"],
        tender required ["licitacao"],
    }
}

/// How the writer forms its rows.
pub(crate) const FORM: Form = Form::unquoted(split_column);

const COLUMNS: usize = 10;
/// What an extract can be of.
const EXTRACTS: &[&[u8]] =
    &[b"CONTRATO", b"ADITAMENTO", b"COMPRA", b"NIO", b"REGISTRO DE PRE\xC7O", "REGISTRO DE PREÇO".as_bytes()];

/// The one column that can hold the extra separators, when only one can.
fn split_column(fields: &[&[u8]]) -> Option<usize> {
    let extra = fields.len().checked_sub(COLUMNS).filter(|extra| *extra > 0)?;
    let mut fitting = (0..COLUMNS).filter(|column| fits(fields, *column, extra));
    let only = fitting.next()?;
    fitting.next().is_none().then_some(only)
}

/// Whether every typed column holds what it must when `column` is put together from `extra` fields more.
fn fits(fields: &[&[u8]], column: usize, extra: usize) -> bool {
    // A typed column put together from two fields holds a separator, which none of them can.
    let typed = [2, 4, 5, 7, 8];
    if typed.contains(&column) {
        return false;
    }
    let field = |at: usize| fields[if at > column { at + extra } else { at }];
    is_party(field(2))
        && is_made_of(field(4), b"0123456789.,")
        && is_extract(field(5))
        && is_made_of(field(7), b"0123456789/")
        && field(7).iter().filter(|b| **b == b'/').count() == 2
        && (field(8).is_empty() || is_made_of(field(8), b"0123456789"))
}

fn is_made_of(field: &[u8], allowed: &[u8]) -> bool {
    !field.is_empty() && field.iter().all(|b| allowed.contains(b))
}

/// A CNPJ or CPF as written: fourteen or eighteen places.
fn is_party(field: &[u8]) -> bool {
    matches!(field.len(), 14 | 18) && is_made_of(field, b"0123456789./-*")
}

fn is_extract(field: &[u8]) -> bool {
    EXTRACTS.iter().any(|end| field.ends_with(end))
}

/// The modality and what the extract is of: `PREGÃO PRESENCIAL EXTRATO DE CONTRATO`.
fn modality_and_instrument(kind: &str) -> (Option<String>, Option<String>) {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    match kind.find("EXTRATO D") {
        Some(at) => (given(&kind[..at]), given(&kind[at..])),
        None => (given(kind), None),
    }
}

/// Maps extracts.
pub(crate) struct MapExtracts {
    columns: Extracts,
    place: Place,
}

impl MapExtracts {
    pub(crate) fn new(columns: Extracts, place: Place) -> Self {
        Self { columns, place }
    }

    /// The days of validity, which say nothing of when it begins; where the field was left out, the number of
    /// the tender stands in its place.
    fn keep_term_and_tender(&self, row: &Row<'_>) {
        let c = &self.columns;
        let days = row.code(c.days);
        if !days.bytes().all(|b| b.is_ascii_digit()) && row.code(c.tender).is_empty() {
            row.leave_under_name_of(c.days, c.tender);
            return;
        }
        row.leave_in_metadata(c.days);
        row.leave_in_metadata(c.tender);
    }
}

impl Mapper for MapExtracts {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        row.key(c.buyer)?;
        let buyer_name = row.text(c.buyer).unwrap_or_default();
        let signed_on = row.date_of_short_form(c.signed_on)?;
        let partition_on = signed_on.or(self.place.file_month);
        let supplier = party(row.code(c.supplier_code), row.code(c.supplier), partition_on);
        let value = row.amount_in(c.value, Decimals::CommaGrouped)?;
        let number = row.text(c.number);
        let object = row.text(c.object);
        let (modality, instrument) = modality_and_instrument(&row.text(c.kind).unwrap_or_default());
        self.keep_term_and_tender(row);
        let who = supplier.as_ref().map_or_else(|| key_of_name(row.code(c.supplier)), |(id, _)| id.clone());
        let buyer_id = HOME.named_body(&buyer_name);
        let key = format!(
            "{}:{}:{who}:{}",
            key_of_name(&buyer_name),
            number.as_deref().map_or_else(|| format!("unnumbered-{}", key_of_name(row.code(c.tender))), key_of_name),
            signed_on.map(|day| day.to_string()).unwrap_or_default()
        );
        let buyer = Some((buyer_id.clone(), HOME.buyer(buyer_name.clone(), None, partition_on)));
        if instrument.as_deref().is_some_and(|i| i.ends_with("ADITAMENTO")) {
            for column in [c.supplier, c.supplier_code, c.kind] {
                row.leave_in_metadata(column);
            }
            let amendment = Amendment {
                number,
                kind: "amendment",
                object,
                buyer_id: Some(buyer_id),
                signed_on,
                value,
                partition_on,
                ..Amendment::default()
            };
            let id = format!("sp-capital:amendment:{key}");
            return Ok(Draft { buyer, supplier, ..Draft::of(id, Record::Amendment(amendment)) });
        }
        let (activity, activity_basis) = activity(object.as_deref());
        let (supplier_id, supplier_root) = ids_of(supplier.as_ref());
        // The tender that the row names, or the process of what had none; no file holds it.
        let tender_id = row
            .text(c.tender)
            .map(|tender| format!("sp-capital:tender:{}:{}", key_of_name(&buyer_name), key_of_name(&tender)));
        let contract = Contract {
            number,
            tender_id,
            modality: modality.as_deref().and_then(Modality::from_words).map(Modality::code),
            modality_as_stated: modality,
            buyer_id: Some(buyer_id),
            buyer_name: Some(buyer_name),
            supplier_id,
            supplier_root,
            supplier_name: row.text(c.supplier),
            signed_on,
            value_initial: value,
            instrument,
            activity,
            activity_basis,
            object,
            partition_on,
            ..Contract::default()
        };
        Ok(Draft { buyer, supplier, ..Draft::of(format!("sp-capital:contract:{key}"), Record::Contract(contract)) })
    }
}
