//! PNCP: the terms that change a contract (amendments, apostilles, rescissions).
//!
//! A term does not say of which contract it is: that comes from the record, from the contract around it, or from
//! the name of the file or folder. What PNCP calls the global value of a term is not said to be the contract's new
//! value, so it stays in the metadata.

use model::{Amendment, Record};

use crate::detect::{Draft, Stated};
use crate::error::{Fault, Reason};
use crate::json_fields::{Members, closed, joined};
use crate::json_formats::Element;
use crate::pncp::{Unit, id_of};
use crate::pncp_control::Kind;
use crate::pncp_items::{finished, gathered, stated_number};

/// Members that state the contract's number.
const CONTROL_KEYS: &[&str] = &["numeroControlePNCPContrato", "numeroControlePncpContrato", "numeroControlePNCP"];
/// The member of a contract that holds its terms.
const LIST: &str = "termos";

/// Whether a record is a term of a contract.
pub(crate) fn is_term(record: &Members<'_>) -> bool {
    // The log of what was done to a contract names terms too.
    record.has("numeroTermoContrato") && !record.has("tipoLogManutencao")
}

/// Whether a record is a contract of which nothing stands there but its number, with its terms in it.
pub(crate) fn is_contract(record: &Members<'_>) -> bool {
    CONTROL_KEYS.iter().any(|key| record.has(key)) && record.has_list(LIST)
}

/// The list of terms, where a contract has it.
pub(crate) fn lists_in(record: &Members<'_>) -> &'static [&'static str] {
    if record.has_list(LIST) { &[LIST] } else { &[] }
}

/// The terms inside a contract.
pub(crate) fn stated_in(record: &Members<'_>, contract: &str, buyer: Option<&String>) -> Result<Vec<Stated>, Fault> {
    let terms = drafts_in(record, contract, buyer)?;
    Ok(terms.into_iter().map(|term| Stated::Inner(Box::new(term))).collect())
}

fn drafts_in(record: &Members<'_>, contract: &str, buyer: Option<&String>) -> Result<Vec<Draft>, Fault> {
    if !record.has_list(LIST) {
        return Ok(Vec::new());
    }
    record.objects(LIST, "termos.")?.iter().map(|term| draft(term, contract, buyer)).collect()
}

fn contract_of(element: &Element<'_>) -> Result<String, Fault> {
    let record = &element.members;
    stated_number(record, CONTROL_KEYS, Kind::Contract)?
        .or_else(|| element.place.control?.of_kind(Kind::Contract).map(id_of))
        .ok_or_else(|| record.fault(CONTROL_KEYS[2], Reason::RequiredField, "of which contract is not stated"))
}

/// Maps a term.
pub(crate) fn map_term(element: &Element<'_>) -> Result<Draft, Fault> {
    draft(&element.members, &contract_of(element)?, None)
}

/// Maps the terms of a contract of which only the number stands there.
pub(crate) fn map_contract(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let terms = drafts_in(record, &contract_of(element)?, None)?;
    let mut own = String::new();
    record.push_leftovers(&[CONTROL_KEYS, &[LIST]].concat(), &mut own);
    gathered(terms, closed(own), LIST)
}

fn draft(record: &Members<'_>, contract: &str, buyer_id: Option<&String>) -> Result<Draft, Fault> {
    let number = record.code("numeroTermoContrato")?;
    let which = match record.code("sequencialTermoContrato")? {
        Some(sequential) => sequential,
        None => record.key_code("numeroTermoContrato")?,
    };
    let unit = Unit::under(record, "unidade", "unidade.")?;
    let buyer = unit.buyer()?;
    let (signed_on, published_on) = (record.date("dataAssinatura")?, record.date("dataPublicacaoPncp")?);
    let nature = record.text("tipoTermoContratoNome")?;
    let is_apostille = nature.as_deref().is_some_and(|n| model::text::fold(n).contains("apostil"));
    let amendment = Amendment {
        contract_id: Some(contract.to_owned()),
        number,
        kind: if is_apostille { "apostille" } else { "amendment" },
        object: record.text("objetoTermoContrato")?,
        nature,
        buyer_id: buyer.as_ref().map(|(id, _)| id).or(buyer_id).cloned(),
        signed_on,
        published_on,
        value: record.amount("valorAcrescido")?,
        starts_on: record.date("dataVigenciaInicio")?,
        ends_on: record.date("dataVigenciaFim")?,
        partition_on: signed_on.or(published_on),
        ..Amendment::default()
    };
    let mut mapped = vec![
        "sequencialTermoContrato",
        "numeroTermoContrato",
        "tipoTermoContratoNome",
        "objetoTermoContrato",
        "orgaoEntidade",
        "unidade",
        "dataAssinatura",
        "dataPublicacaoPncp",
        "valorAcrescido",
        "dataVigenciaInicio",
        "dataVigenciaFim",
        "dataAtualizacao",
    ];
    mapped.extend_from_slice(CONTROL_KEYS);
    let id = format!("{contract}:term:{which}");
    let finished = finished(record, &mapped, Draft { buyer, ..Draft::of(id, Record::Amendment(amendment)) })?;
    let mut of_unit = String::new();
    unit.push_leftovers(&mut of_unit);
    Ok(Draft { metadata: joined(finished.metadata, closed(of_unit)), ..finished })
}
