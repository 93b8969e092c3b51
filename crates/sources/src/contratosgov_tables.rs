//! Contratos.gov.br: the tables that hang on a contract, as its pages show them: history, commitments, invoices, items.
//!
//! Each record is `{"contrato_id": …, "dados": …}`; `dados` is an object with the page's headings, or an array of values
//! without any. What such a place means was found out from the values: five places that begin with Material or Serviço
//! are an item, five with a day in the second and fourth are an invoice.
//!
//! The row of the history that begins a contract is that contract as it was signed, and no amendment. Guarantees
//! (three places) have no record of ours and are not read.

use chrono::NaiveDate;
use model::text::fold;
use model::{Amendment, Contract, Item, Money, MoneyError, Payment, Quantity, Record, dates};

use crate::detect::Draft;
use crate::error::{Fault, Reason};
use crate::fields::{hash_text, is_far_off_day, json_text};
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;
use crate::json_loose::above_zero;
use crate::portal_api::code_and_name;
use crate::siasg::unit_code;

/// Values of a row that has no headings.
const PLACES: usize = 5;

fn inner<'a>(record: &Members<'a>) -> Option<Members<'a>> {
    if !record.has("contrato_id") {
        return None;
    }
    record.object("dados", "dados.").ok()
}

fn placed(record: &Members<'_>) -> Option<Vec<String>> {
    if !record.has("contrato_id") {
        return None;
    }
    record.places("dados").filter(|places| places.len() == PLACES)
}

/// Whether a record is of a contract's history.
pub(crate) fn is_history(record: &Members<'_>) -> bool {
    inner(record).is_some_and(|row| row.has("Tipo") && row.has("Vlr. Global"))
}

/// Whether a record is a commitment.
pub(crate) fn is_commitment(record: &Members<'_>) -> bool {
    inner(record).is_some_and(|row| row.has("Emp.") && row.has("ND"))
}

/// Whether a record is an item.
pub(crate) fn is_item(record: &Members<'_>) -> bool {
    placed(record).is_some_and(|places| matches!(fold(&places[0]).as_str(), "material" | "servico"))
}

/// Whether a record is an invoice.
pub(crate) fn is_invoice(record: &Members<'_>) -> bool {
    let is_day = |text: &str| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    placed(record).is_some_and(|places| is_day(&places[1]) && is_day(&places[3]))
}

fn contract_of(record: &Members<'_>) -> Result<String, Fault> {
    Ok(format!("contratosgov:{}", record.key_as_written("contrato_id")?))
}

/// Maps a row of the history: the contract's beginning, an amendment, an apostille or a termination.
pub(crate) fn map_history(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let contract_id = contract_of(record)?;
    let row = record.object("dados", "dados.")?;
    let kind = match fold(&row.key("Tipo")?).as_str() {
        "termo aditivo" => "amendment",
        "termo de apostilamento" => "apostille",
        "termo de rescisao" => "termination",
        _ => return map_beginning(element, &row, contract_id),
    };
    let number = row.key("Número")?;
    let signed_on = row.date_of_any_form("Data Assinatura")?;
    let starts_on = row.date_of_any_form("Data Início")?;
    let amendment = Amendment {
        kind,
        object: row.text("Observação")?,
        signed_on,
        value_after: above_zero(&row, "Vlr. Global")?,
        starts_on,
        ends_on: row.date_of_any_form("Data Fim")?,
        partition_on: signed_on.or(starts_on).or(element.place.file_month),
        contract_id: Some(contract_id.clone()),
        number: Some(number.clone()),
        ..Amendment::default()
    };
    let mapped = ["Tipo", "Número", "Data Assinatura", "Observação", "Data Início", "Data Fim", "Vlr. Global"];
    let metadata = leftovers(record, &row, &mapped);
    let id = format!("{contract_id}:{kind}:{number}");
    Ok(Draft { metadata: closed(metadata), ..Draft::of(id, Record::Amendment(amendment)) })
}

/// The contract as it began; the row says neither who sells nor who buys, so it is only part of the contract.
fn map_beginning(element: &Element<'_>, row: &Members<'_>, contract_id: String) -> Result<Draft, Fault> {
    let signed_on = row.date_of_any_form("Data Assinatura")?;
    let starts_on = row.date_of_any_form("Data Início")?;
    let installments = row.code_as_written("Parcelas")?.and_then(|text| text.parse().ok());
    if installments.is_none() {
        row.leave_in_metadata("Parcelas");
    }
    let contract = Contract {
        number: row.text("Número")?,
        signed_on,
        starts_on,
        ends_on: row.date_of_any_form("Data Fim")?,
        value_initial: above_zero(row, "Vlr. Global")?,
        instrument: row.text("Tipo")?,
        installments,
        partition_on: signed_on.or(starts_on).or(element.place.file_month),
        ..Contract::default()
    };
    let mapped = ["Tipo", "Número", "Data Assinatura", "Data Início", "Data Fim", "Vlr. Global", "Parcelas"];
    let metadata = leftovers(&element.members, row, &mapped);
    let draft = Draft::of(contract_id, Record::Contract(contract));
    Ok(Draft { partial: true, metadata: closed(metadata), ..draft })
}

fn leftovers(record: &Members<'_>, row: &Members<'_>, mapped: &[&str]) -> String {
    let mut metadata = String::new();
    record.push_leftovers(&["contrato_id", "dados"], &mut metadata);
    row.push_leftovers(mapped, &mut metadata);
    metadata
}

/// Columns of what was carried over into later years (*restos a pagar*).
const CARRIED: [&str; 4] = ["RP Inscr.", "RP A Liq.", "RP Liq.", "RP Pg"];

/// How much of a commitment was accepted as due, and how much was paid.
///
/// *Liquid.* is what was accepted and not paid, *Pg* what was paid; what was paid as a leftover stands apart. Where
/// something was carried over, the columns overlap and what was accepted cannot be told; where more would be paid than
/// was committed, the columns do not speak of the same amount, and nothing is said.
fn settled_and_paid(row: &Members<'_>, committed: Option<Money>) -> Result<(Option<Money>, Option<Money>), Fault> {
    let (Some(due), Some(paid)) = (row.money_of_any_style("Liquid.")?, row.money_of_any_style("Pg")?) else {
        return Ok((None, None));
    };
    let mut carried = false;
    for key in CARRIED {
        carried |= row.money_of_any_style(key)?.is_some_and(|amount| amount != Money::ZERO);
    }
    let later = row.money_of_any_style("RP Pg")?.unwrap_or(Money::ZERO);
    let within = |amount: &Money| committed.is_some_and(|committed| *amount <= committed);
    let settled = due.checked_add(paid).filter(|_| !carried).filter(within);
    Ok((settled, paid.checked_add(later).filter(within)))
}

/// Maps a commitment.
pub(crate) fn map_commitment(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let contract_id = contract_of(record)?;
    let row = record.object("dados", "dados.")?;
    let Some(number) = row.code_as_written("Número")? else {
        return Err(row.fault(
            "Número",
            Reason::RequiredField,
            "no commitment: the row says that its contract has none",
        ));
    };
    let unit = row.code_as_written("UG")?.map(|code| unit_code(&code));
    let value = row.money_of_any_style("Emp.")?;
    let (value_settled, value_paid) = settled_and_paid(&row, value)?;
    let (nature, expense_name) = code_and_name(row.text("ND")?);
    // The last two of the six digits of a nature of expense are its element.
    let expense_code = nature.as_deref().filter(|code| code.len() == 6).map(|code| code[4..].to_owned());
    let payment = Payment {
        buyer_id: unit.as_ref().map(|unit| format!("uasg:{unit}")),
        kind: "commitment",
        value,
        value_settled,
        value_paid,
        expense_code,
        expense_name: expense_name.filter(|name| name != "-"),
        partition_on: element.place.file_month,
        contract_id: Some(contract_id.clone()),
        number: Some(number.clone()),
        ..Payment::default()
    };
    let metadata = leftovers(record, &row, &["UG", "Número", "Emp."]);
    let id = format!("{contract_id}:commitment:{}-{number}", unit.unwrap_or_default());
    Ok(Draft { metadata: closed(metadata), ..Draft::of(id, Record::Payment(payment)) })
}

/// A number of a row without headings; one that is too precise for us stays in the metadata.
fn number<T>(
    record: &Members<'_>,
    text: &str,
    read: impl Fn(&str) -> Result<T, MoneyError>,
) -> Result<Option<T>, Fault> {
    match read(text) {
        Ok(number) => Ok(Some(number)),
        Err(MoneyError::Empty | MoneyError::TooPrecise(_)) => Ok(None),
        Err(MoneyError::TooLarge(_) | MoneyError::Style(_)) => {
            let shown: String = text.chars().take(40).collect();
            Err(record.fault("dados", Reason::Amount, format!("`{shown}` is not an amount")))
        }
    }
}

/// A day; one of a year that cannot be meant (`0022-10-03`) stays in the metadata.
fn day(record: &Members<'_>, text: &str) -> Result<Option<NaiveDate>, Fault> {
    if text.is_empty() || is_far_off_day(text, &["%Y-%m-%d"]) && dates::parse_iso(text).is_err() {
        return Ok(None);
    }
    let shown: String = text.chars().take(40).collect();
    let fault = |_| record.fault("dados", Reason::Date, format!("`{shown}` is not a day in the form AAAA-MM-DD"));
    dates::parse_iso(text).map(Some).map_err(fault)
}

fn five_places(record: &Members<'_>) -> Result<[String; PLACES], Fault> {
    let places = record.places("dados").and_then(|places| places.try_into().ok());
    places.ok_or_else(|| record.fault("dados", Reason::Type, "not five texts"))
}

/// Adds the values at places that are not mapped, as `dados[3]`.
fn push_places(metadata: &mut String, places: &[(usize, &String)]) {
    for (place, value) in places.iter().filter(|(_, value)| !value.is_empty()) {
        metadata.push(if metadata.is_empty() { '{' } else { ',' });
        metadata.push_str(&format!("{}:{}", json_text(&format!("dados[{place}]")), json_text(value)));
    }
}

/// Maps an invoice. It is no payment: the row says that it was issued, and not that it was paid.
pub(crate) fn map_invoice(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let contract_id = contract_of(record)?;
    let places = five_places(record)?;
    let [code, issued, process, other_day, amount] = &places;
    let issued_on = day(record, issued)?;
    let payment = Payment {
        kind: "invoice",
        issued_on,
        value: number(record, amount, Money::parse)?,
        process: Some(process.clone()).filter(|text| !text.is_empty()),
        partition_on: issued_on.or(element.place.file_month),
        contract_id: Some(contract_id.clone()),
        number: Some(code.clone()).filter(|text| !text.is_empty()),
        ..Payment::default()
    };
    let mut metadata = leftovers(record, &Members::default(), &[]);
    if issued_on.is_none() {
        push_places(&mut metadata, &[(1, issued)]);
    }
    push_places(&mut metadata, &[(3, other_day)]);
    if payment.value.is_none() {
        push_places(&mut metadata, &[(4, amount)]);
    }
    let id = format!("{contract_id}:invoice:{code}:{issued}");
    Ok(Draft { metadata: closed(metadata), ..Draft::of(id, Record::Payment(payment)) })
}

/// Maps an item. Items have no numbers here: an item is known by all that is said of it.
pub(crate) fn map_item(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let contract_id = contract_of(record)?;
    let places = five_places(record)?;
    let [category, description, quantity, price, total] = &places;
    let item = Item {
        category: Some(category.clone()),
        description: Some(description.clone()).filter(|text| !text.is_empty()),
        quantity: number(record, quantity, Quantity::parse)?,
        unit_price: number(record, price, Money::parse)?,
        total: number(record, total, Money::parse)?,
        partition_on: element.place.file_month,
        contract_id: Some(contract_id.clone()),
        ..Item::default()
    };
    let item = Item { price_basis: item.unit_price.map(|_| "stated"), ..item };
    let mut metadata = leftovers(record, &Members::default(), &[]);
    for (place, value, kept) in [
        (2, quantity, item.quantity.is_some()),
        (3, price, item.unit_price.is_some()),
        (4, total, item.total.is_some()),
    ] {
        if !kept {
            push_places(&mut metadata, &[(place, value)]);
        }
    }
    let id = format!("{contract_id}:item:{}", &hash_text(&places.join("\u{1f}"))[..16]);
    Ok(Draft { metadata: closed(metadata), ..Draft::of(id, Record::Item(item)) })
}
