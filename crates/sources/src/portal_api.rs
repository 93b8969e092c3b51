//! Portal da Transparência, REST answers (`/api-de-dados/…`): contracts, tenders, who took part, documents of expense.
//!
//! A page is a bare array. The answers know a record by the Portal's own number, which the bulk files do not have, so
//! ids here do not meet theirs. Days come as `DD/MM/AAAA` or `AAAA-MM-DD`, amounts as numbers or as Brazilian texts.

use chrono::NaiveDate;
use model::activity::activity_of_text;
use model::law::Regime;
use model::text::{fold, normal_name};
use model::{Bid, Buyer, Cnpj, Contract, Modality, Payment, Record, Supplier, Tender};

use crate::detect::Draft;
use crate::error::{Fault, Reason};
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;
use crate::json_loose::above_zero;
use crate::portal_compras::{modality, seen, tender_id};
use crate::portal_despesas::{receiver, signed_by_species};

/// Whether a record is a contract.
pub(crate) fn is_contract(record: &Members<'_>) -> bool {
    record.has("valorInicialCompra") && record.has("fornecedor")
}

/// Whether a record is a tender.
pub(crate) fn is_tender(record: &Members<'_>) -> bool {
    record.has("licitacao") && record.has("modalidadeLicitacao")
}

/// Whether a record is someone who took part in a tender.
pub(crate) fn is_participant(record: &Members<'_>) -> bool {
    WON.iter().any(|key| record.has(key)) && BIDDER.iter().any(|key| record.has(key))
}

/// Whether a record is a document of expense.
pub(crate) fn is_document(record: &Members<'_>) -> bool {
    record.has("documento") && record.has("fase")
}

/// The managing unit inside a record, with the bodies above it.
struct Unit<'a> {
    unit: Members<'a>,
    body: Members<'a>,
    superior: Members<'a>,
}

impl<'a> Unit<'a> {
    fn of(record: &Members<'a>) -> Result<Self, Fault> {
        let unit = record.object("unidadeGestora", "unidadeGestora.")?;
        let body = unit.object("orgaoVinculado", "unidadeGestora.orgaoVinculado.")?;
        let superior = unit.object("orgaoMaximo", "unidadeGestora.orgaoMaximo.")?;
        Ok(Self { unit, body, superior })
    }

    fn id(&self) -> Result<Option<String>, Fault> {
        Ok(self.unit.code_as_written("codigo")?.map(|code| format!("uasg:{code}")))
    }

    fn buyer(&self, seen_on: Option<NaiveDate>) -> Result<Option<(String, Buyer)>, Fault> {
        let (Some(id), Some(name)) = (self.id()?, self.unit.text("nome")?) else { return Ok(None) };
        let power = self.unit.text("descricaoPoder")?.map(|power| fold(&power));
        let branch = match power.as_deref() {
            Some("executivo") => Some("E"),
            Some("legislativo") => Some("L"),
            Some("judiciario") => Some("J"),
            _ => None,
        };
        if branch.is_none() {
            self.unit.leave_in_metadata("descricaoPoder");
        }
        let cnpj = self.body.text("cnpj")?.and_then(|cnpj| Cnpj::parse(&cnpj).ok());
        if cnpj.is_none() {
            self.body.leave_in_metadata("cnpj");
        }
        let buyer = Buyer {
            name,
            code: self.unit.code_as_written("codigo")?,
            cnpj: cnpj.map(|cnpj| cnpj.to_string()),
            sphere: Some("F".to_owned()),
            branch: branch.map(str::to_owned),
            parent_code: self.body.code_as_written("codigoSIAFI")?,
            parent_name: self.body.text("nome")?,
            superior_code: self.superior.code_as_written("codigo")?,
            superior_name: self.superior.text("nome")?,
            seen_on,
            ..Buyer::default()
        };
        Ok(Some((id, buyer)))
    }

    fn push_leftovers(&self, metadata: &mut String) {
        let mapped = ["codigo", "nome", "descricaoPoder", "orgaoVinculado", "orgaoMaximo"];
        self.unit.push_leftovers(&mapped, metadata);
        self.body.push_leftovers(&["codigoSIAFI", "nome", "cnpj"], metadata);
        self.superior.push_leftovers(&["codigo", "nome"], metadata);
    }
}

/// Names of the numbers that a person may have: a company's, a natural person's, the one given to foreigners.
const NUMBERS: [&str; 4] = ["cnpjFormatado", "cpfFormatado", "codigoFormatado", "numeroInscricaoSocial"];
/// What of a person is mapped.
pub(crate) const PERSON: [&str; 5] =
    ["cnpjFormatado", "cpfFormatado", "codigoFormatado", "numeroInscricaoSocial", "nome"];

/// The first number that a person has; the others stay in the metadata.
pub(crate) fn number_of(person: &Members<'_>) -> Result<String, Fault> {
    let mut first = None;
    for key in NUMBERS {
        match person.code_as_written(key)? {
            Some(number) if first.is_none() => first = Some(number),
            _ => person.leave_in_metadata(key),
        }
    }
    Ok(first.unwrap_or_default())
}

/// Sends a person's numbers to the metadata, where they led to nobody.
pub(crate) fn leave_numbers(person: &Members<'_>) {
    for key in NUMBERS {
        person.leave_in_metadata(key);
    }
}

/// Maps a contract.
pub(crate) fn map_contract(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let id = record.key_as_written("id")?;
    let unit = Unit::of(record)?;
    let (signed_on, published_on) =
        (record.date_of_any_form("dataAssinatura")?, record.date_of_any_form("dataPublicacaoDOU")?);
    let seen_on = signed_on.or(published_on);
    let person = record.object("fornecedor", "fornecedor.")?;
    let name = person.text("nome")?;
    let supplier = seen(model::supplier(&number_of(&person)?, name.as_deref().unwrap_or("")), seen_on);
    if supplier.is_none() {
        leave_numbers(&person);
    }
    let purchase = record.object("compra", "compra.")?;
    let object = record.text("objeto")?.or(purchase.text("objeto")?);
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let words = record.label("modalidadeCompra")?;
    let legal_basis = record.label("fundamentoLegal")?;
    let starts_on = record.date_of_any_form("dataInicioVigencia")?;
    let contract = Contract {
        number: record.code_as_written("numero")?,
        process: record.text("numeroProcesso")?.or(purchase.text("numeroProcesso")?),
        modality: modality(words.as_deref(), "").map(Modality::code),
        modality_as_stated: words,
        regime: legal_basis.as_deref().and_then(Regime::from_legal_basis).map(Regime::code),
        legal_basis,
        status: record.label("situacaoContrato")?,
        buyer_id: unit.id()?,
        buyer_name: unit.unit.text("nome")?,
        supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
        supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
        supplier_name: name,
        signed_on,
        published_on,
        starts_on,
        ends_on: record.date_of_any_form("dataFimVigencia")?,
        value_initial: record.money_of_any_style("valorInicialCompra")?,
        value_final: record.money_of_any_style("valorFinalCompra")?,
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: seen_on.or(starts_on),
        ..Contract::default()
    };
    let mapped = [
        "id",
        "numero",
        "objeto",
        "numeroProcesso",
        "fundamentoLegal",
        "situacaoContrato",
        "modalidadeCompra",
        "unidadeGestora",
        "fornecedor",
        "compra",
        "dataAssinatura",
        "dataPublicacaoDOU",
        "dataInicioVigencia",
        "dataFimVigencia",
        "valorInicialCompra",
        "valorFinalCompra",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    unit.push_leftovers(&mut metadata);
    person.push_leftovers(&PERSON, &mut metadata);
    // What the purchase repeats of the contract is no news; how to reach people is not kept.
    purchase.push_leftovers(&["objeto", "numeroProcesso", "contatoResponsavel"], &mut metadata);
    let buyer = unit.buyer(seen_on)?;
    let draft = Draft::of(format!("portal-api:contrato:{id}"), Record::Contract(contract));
    Ok(Draft { buyer, supplier, metadata: closed(metadata), ..draft })
}

/// Maps a tender.
pub(crate) fn map_tender(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let id = record.key_as_written("id")?;
    let unit = Unit::of(record)?;
    let inner = record.object("licitacao", "licitacao.")?;
    let place = record.object("municipio", "municipio.")?;
    let state = place.object("uf", "municipio.uf.")?;
    let published_on = record.date_of_any_form("dataPublicacao")?;
    let (opened_on, result_on) =
        (record.date_of_any_form("dataAbertura")?, record.date_of_any_form("dataResultadoCompra")?);
    let seen_on = opened_on.or(published_on).or(result_on);
    let value = above_zero(record, "valor")?;
    if result_on.is_none() {
        record.leave_in_metadata("valor");
    }
    let words = record.label("modalidadeLicitacao")?;
    let legal_basis = record.label("instrumentoLegal")?;
    let object = inner.text("objeto")?;
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let tender = Tender {
        number: inner.code_as_written("numero")?,
        process: inner.code_as_written("numeroProcesso")?,
        modality: modality(words.as_deref(), "").map(Modality::code),
        price_registration: words.as_deref().filter(|w| fold(w).contains("registro de prec")).map(|_| true),
        modality_as_stated: words,
        regime: legal_basis.as_deref().and_then(Regime::from_legal_basis).map(Regime::code),
        legal_basis,
        status: record.label("situacaoCompra")?,
        buyer_id: unit.id()?,
        buyer_name: unit.unit.text("nome")?,
        published_on,
        opened_on,
        result_on,
        value_awarded: value.filter(|_| result_on.is_some()),
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: seen_on,
        ..Tender::default()
    };
    let buyer = match unit.buyer(seen_on)? {
        Some((id, buyer)) => {
            let municipality = place.text("nomeIBGE")?;
            Some((id, Buyer { state: state.text("sigla")?, municipality, ..buyer }))
        }
        None => None,
    };
    let mapped = [
        "id",
        "licitacao",
        "municipio",
        "unidadeGestora",
        "dataPublicacao",
        "dataAbertura",
        "dataResultadoCompra",
        "valor",
        "modalidadeLicitacao",
        "instrumentoLegal",
        "situacaoCompra",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    inner.push_leftovers(&["numero", "numeroProcesso", "objeto", "contatoResponsavel"], &mut metadata);
    place.push_leftovers(&["nomeIBGE", "uf"], &mut metadata);
    unit.push_leftovers(&mut metadata);
    let draft = Draft::of(format!("portal-api:licitacao:{id}"), Record::Tender(tender));
    Ok(Draft { buyer, metadata: closed(metadata), ..draft })
}

/// Names under which an answer says whether a participant won.
const WON: &[&str] = &["vencedor", "flagVencedor"];
/// Names under which it says who took part.
const BIDDER: &[&str] = &["cpfCnpjParticipante", "codigoParticipante", "cpfCnpj", "participante"];

/// The tender that a participant's record names, by the Portal's number or by the three parts of the bulk files' key.
fn tender_of_participant(record: &Members<'_>) -> Result<Option<String>, Fault> {
    if let Some(id) = record.code_as_written("idLicitacao")? {
        return Ok(Some(format!("portal-api:licitacao:{id}")));
    }
    let unit = record.code_as_written("codigoUG")?;
    let kind = record.code_as_written("codigoModalidade")?;
    let number = record.code_as_written("numeroLicitacao")?.or(record.code_as_written("numero")?);
    Ok(match (unit, kind, number) {
        (Some(unit), Some(kind), Some(number)) => Some(tender_id(&unit, &kind, &number)),
        _ => None,
    })
}

fn won(record: &Members<'_>) -> Result<Option<bool>, Fault> {
    let Some(key) = WON.iter().find(|key| record.has(key)) else { return Ok(None) };
    if let Ok(won) = record.boolean(key) {
        return Ok(won);
    }
    let answer = match record.text(key)?.map(|text| fold(&text)).as_deref() {
        Some("sim" | "s") => Some(true),
        Some("nao" | "n") => Some(false),
        _ => None,
    };
    if answer.is_none() {
        record.leave_in_metadata(key);
    }
    Ok(answer)
}

/// Maps someone who took part in a tender.
pub(crate) fn map_participant(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let Some(tender) = tender_of_participant(record)? else {
        return Err(record.fault(
            "idLicitacao",
            Reason::RequiredField,
            "the record does not say which tender it is of",
        ));
    };
    let person = record.object("participante", "participante.")?;
    let mut number = number_of(&person)?;
    for key in &BIDDER[..3] {
        number = record.code_as_written(key)?.unwrap_or(number);
    }
    let name = match record.text("nomeParticipante")? {
        Some(name) => Some(name),
        None => person.text("nome")?.or(record.text("nome")?),
    };
    let bidder = seen(model::supplier(&number, name.as_deref().unwrap_or("")), None);
    if bidder.is_none() {
        leave_numbers(&person);
        BIDDER[..3].iter().for_each(|key| record.leave_in_metadata(key));
    }
    let who = match &bidder {
        Some((id, _)) => id.clone(),
        None => format!("name:{}", normal_name(name.as_deref().unwrap_or(""))),
    };
    let item = record.code_as_written("codigoItemCompra")?;
    let bid = Bid {
        item_description: record.text("descricaoItemCompra")?,
        bidder_id: bidder.as_ref().map(|(id, _)| id.clone()),
        bidder_root: bidder.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
        bidder_name: name,
        won: won(record)?,
        partition_on: element.place.file_month,
        tender_id: Some(tender.clone()),
        item_number: item.clone(),
        ..Bid::default()
    };
    let mut mapped = vec![
        "idLicitacao",
        "codigoUG",
        "codigoModalidade",
        "numeroLicitacao",
        "numero",
        "nomeParticipante",
        "nome",
        "codigoItemCompra",
        "descricaoItemCompra",
    ];
    mapped.extend(WON.iter().chain(BIDDER));
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    person.push_leftovers(&PERSON, &mut metadata);
    let id = format!("{tender}:bid:{}:{who}", item.unwrap_or_default());
    Ok(Draft { supplier: bidder, metadata: closed(metadata), ..Draft::of(id, Record::Bid(bid)) })
}

/// Code and name of `39 - Outros Serviços de Terceiros`; a text without a code is a name.
pub(crate) fn code_and_name(text: Option<String>) -> (Option<String>, Option<String>) {
    let Some(text) = text else { return (None, None) };
    match text.split_once(" - ") {
        Some((code, name)) if code.bytes().all(|b| b.is_ascii_digit()) => {
            (Some(code.to_owned()), Some(name.trim().to_owned()))
        }
        _ => (None, Some(text)),
    }
}

fn unit_of_document(record: &Members<'_>, on: Option<NaiveDate>) -> Result<Option<(String, Buyer)>, Fault> {
    let (Some(code), Some(name)) = (record.code_as_written("codigoUg")?, record.text("ug")?) else { return Ok(None) };
    let buyer = Buyer {
        name,
        code: Some(code.clone()),
        sphere: Some("F".to_owned()),
        parent_code: record.code_as_written("codigoOrgao")?,
        parent_name: record.text("orgao")?,
        superior_code: record.code_as_written("codigoOrgaoSuperior")?,
        superior_name: record.text("orgaoSuperior")?,
        seen_on: on,
        ..Buyer::default()
    };
    Ok(Some((format!("uasg:{code}"), buyer)))
}

fn supplier_of_document(
    record: &Members<'_>,
    name: Option<&str>,
    on: Option<NaiveDate>,
) -> Result<Option<(String, Supplier)>, Fault> {
    let code = record.code_as_written("codigoFavorecido")?.unwrap_or_default();
    let supplier = receiver(&code, name.unwrap_or(""), on);
    if supplier.is_none() {
        record.leave_in_metadata("codigoFavorecido");
    }
    Ok(supplier)
}

/// Maps a document of expense.
pub(crate) fn map_document(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let code = record.key("documento")?;
    let phase = record.key("fase")?;
    let kind = match fold(&phase).as_str() {
        "empenho" => "commitment",
        "liquidacao" => "settlement",
        "pagamento" => "payment",
        _ => return Err(record.fault("fase", Reason::Type, "not Empenho, Liquidação or Pagamento")),
    };
    let issued_on = record.date_of_any_form("data")?;
    let supplier_name = record.text("nomeFavorecido")?.or(record.text("favorecido")?);
    let supplier = supplier_of_document(record, supplier_name.as_deref(), issued_on)?;
    let stated = record.money_of_any_style("valor")?;
    let species = record.text("especie")?.unwrap_or_default();
    let value = stated.and_then(|value| signed_by_species(&species, value));
    if value != stated {
        record.leave_in_metadata("valor");
    }
    let (expense_code, expense_name) = code_and_name(record.text("elemento")?);
    let payment = Payment {
        buyer_id: record.code_as_written("codigoUg")?.map(|code| format!("uasg:{code}")),
        buyer_name: record.text("ug")?,
        supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
        supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
        supplier_name,
        number: record.text("documentoResumido")?.or_else(|| Some(code.clone())),
        kind,
        issued_on,
        value,
        expense_code,
        expense_name,
        process: record.code_as_written("numeroProcesso")?,
        note: record.text("observacao")?,
        partition_on: issued_on.or(element.place.file_month),
        ..Payment::default()
    };
    let mapped = [
        "documento",
        "documentoResumido",
        "fase",
        "data",
        "codigoFavorecido",
        "nomeFavorecido",
        "valor",
        "elemento",
        "codigoUg",
        "ug",
        "codigoOrgao",
        "orgao",
        "codigoOrgaoSuperior",
        "orgaoSuperior",
        "numeroProcesso",
        "observacao",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    let day = issued_on.map(|day| format!(":{day}")).unwrap_or_default();
    let id = format!("portal-api:documento:{code}{day}");
    let buyer = unit_of_document(record, issued_on)?;
    Ok(Draft { buyer, supplier, metadata: closed(metadata), ..Draft::of(id, Record::Payment(payment)) })
}
