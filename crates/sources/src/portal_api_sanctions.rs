//! Portal da Transparência, REST answers of the registers of sanctions (`/ceis`, `/cnep`).

use model::text::normal_name;
use model::{Record, Sanction, SanctionKind};

use crate::detect::Draft;
use crate::error::{Fault, Reason};
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;
use crate::portal_api::{PERSON, leave_numbers, number_of};
use crate::portal_compras::seen;
use crate::sanctions::{Bodies, name_of, scope, stated_scope};

/// Whether a record is a sanction of CNEP: only these have a fine.
pub(crate) fn is_cnep(record: &Members<'_>) -> bool {
    is_sanction(record) && record.has("valorMulta")
}

/// Whether a record is a sanction of CEIS.
pub(crate) fn is_ceis(record: &Members<'_>) -> bool {
    is_sanction(record) && !record.has("valorMulta")
}

fn is_sanction(record: &Members<'_>) -> bool {
    record.has("tipoSancao") && record.has("orgaoSancionador")
}

/// Maps a sanction of CEIS.
pub(crate) fn map_ceis(element: &Element<'_>) -> Result<Draft, Fault> {
    map(&element.members, "CEIS")
}

/// Maps a sanction of CNEP.
pub(crate) fn map_cnep(element: &Element<'_>) -> Result<Draft, Fault> {
    map(&element.members, "CNEP")
}

/// The legal bases of a record, joined.
fn legal_basis_of(record: &Members<'_>) -> Result<Option<String>, Fault> {
    let mut texts = Vec::new();
    for basis in record.objects("fundamentacao", "")? {
        texts.extend(basis.text("descricao")?.or(basis.text("codigo")?));
    }
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

fn map(record: &Members<'_>, register: &str) -> Result<Draft, Fault> {
    let id = record.key_as_written("id")?;
    let person = record.object("pessoa", "pessoa.")?;
    let sanctioned = record.object("sancionado", "sancionado.")?;
    let names = [sanctioned.text("nome")?, person.text("nome")?, person.text("razaoSocialReceita")?];
    let name = name_of(names.iter().flatten().map(String::as_str)).to_owned();
    let number = match number_of(&person)? {
        number if number.is_empty() => number_of(&sanctioned)?,
        number => number,
    };
    if name.is_empty() && number.is_empty() {
        return Err(record.fault(
            "sancionado",
            Reason::RequiredField,
            "neither a number nor a name: nobody is sanctioned",
        ));
    }
    let kinds = record.object("tipoSancao", "tipoSancao.")?;
    let kind_words = kinds.text("descricaoPortal")?.or(kinds.text("descricaoResumida")?);
    let legal_basis = legal_basis_of(record)?;
    let kind = SanctionKind::from_words(kind_words.as_deref().unwrap_or(""), legal_basis.as_deref().unwrap_or(""));
    let starts_on = record.date_of_any_form("dataInicioSancao")?;
    let published_on = record.date_of_any_form("dataPublicacaoSancao")?;
    let listed_on = [record.date_of_any_form("dataOrigemInformacao")?, record.date_of_any_form("dataReferencia")?]
        .into_iter()
        .fold(starts_on.max(published_on), Ord::max);
    let supplier = seen(model::supplier(&number, &name), listed_on);
    if supplier.is_none() {
        leave_numbers(&person);
        leave_numbers(&sanctioned);
    }
    let body = record.object("orgaoSancionador", "orgaoSancionador.")?;
    let body_name = body.text("nome")?;
    let sphere = body.text("esfera")?.unwrap_or_default();
    let facts = Bodies::default().describe(body_name.as_deref().unwrap_or(""), body.text("siglaUf")?, &sphere);
    let scope_as_stated = record.label("abrangenciaDefinidaDecisaoJudicial")?;
    let (scope_min, scope_max) = scope(scope_as_stated.as_deref().and_then(stated_scope), kind);
    let sanction = Sanction {
        register: Some(register.to_owned()),
        kind: kind.map(SanctionKind::code),
        kind_as_stated: kind_words,
        bars_contracting: kind.map(SanctionKind::bars_contracting),
        supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
        supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
        supplier_name: Some(name).filter(|n| !n.is_empty()),
        starts_on,
        ends_on: record.date_of_any_form("dataFimSancao")?,
        published_on,
        body_key: body_name.as_deref().map(normal_name),
        body: body_name,
        body_sphere: facts.sphere,
        body_sphere_basis: facts.basis,
        body_state: facts.state,
        scope_as_stated,
        scope_min: Some(scope_min),
        scope_max: Some(scope_max),
        legal_basis,
        process: record.code_as_written("numeroProcesso")?,
        fine: record.money_of_any_style("valorMulta")?,
        listed_on,
    };
    let metadata = leftovers(record, &person, &sanctioned, &kinds, &body)?;
    let id = format!("portal-api:{}:{id}", register.to_lowercase());
    Ok(Draft { supplier, metadata: closed(metadata), ..Draft::of(id, Record::Sanction(sanction)) })
}

/// What is not mapped; how to reach the register's source (`telefoneContato`, `enderecoContato`) is not kept.
fn leftovers(
    record: &Members<'_>,
    person: &Members<'_>,
    sanctioned: &Members<'_>,
    kinds: &Members<'_>,
    body: &Members<'_>,
) -> Result<String, Fault> {
    let mapped = [
        "id",
        "pessoa",
        "sancionado",
        "tipoSancao",
        "fundamentacao",
        "dataInicioSancao",
        "dataFimSancao",
        "dataPublicacaoSancao",
        "dataOrigemInformacao",
        "dataReferencia",
        "orgaoSancionador",
        "fonteSancao",
        "abrangenciaDefinidaDecisaoJudicial",
        "numeroProcesso",
        "valorMulta",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    person.push_leftovers(&PERSON, &mut metadata);
    sanctioned.push_leftovers(&PERSON, &mut metadata);
    kinds.push_leftovers(&["descricaoPortal"], &mut metadata);
    body.push_leftovers(&["nome", "esfera", "siglaUf"], &mut metadata);
    let source = record.object("fonteSancao", "fonteSancao.")?;
    source.push_leftovers(&["telefoneContato", "enderecoContato"], &mut metadata);
    Ok(metadata)
}
