//! Compras.gov.br, first API: contracts, as its JSON (`cnpj_contratada`, `data_termino_vigencia`) and as its CSV export.
//!
//! The JSON writes U+001A where an accented letter stood inside a text, which is lost for good; and the titles of its
//! links hold UTF-8 read as windows-1252, which can be undone. The CSV export puts name and code into one field and
//! writes amounts as `R$ 22,800.00`.

use model::activity::activity_of_text;
use model::law::Regime;
use model::{Buyer, Contract, Modality, Money, MoneyError, Record};

use crate::comprasgov::{titled, unit_of};
use crate::detect::{Draft, Mapper, Place};
use crate::error::Fault;
use crate::fields::{Row, columns};
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;
use crate::portal_compras::seen;
use crate::siasg::{modality, number_and_year, seventeen_digits, unit_code};

/// Whether a record is a contract.
pub(crate) fn is_contract(record: &Members<'_>) -> bool {
    record.has("identificador")
        && record.has("uasg")
        && (record.has("cnpj_contratada") || record.has("cpfContratada") || record.has("data_termino_vigencia"))
}

/// Maps a contract.
pub(crate) fn map_contract(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let links = record.object("_links", "_links.")?;
    let stated_id = record.key_as_written("identificador")?;
    let id = seventeen_digits(&stated_id).unwrap_or(stated_id);
    let (unit, buyer_name) = unit_of(record, &links, "uasg")?;
    let code = record.code_as_written("modalidade_licitacao")?;
    let words = titled(&links, "modalidade_licitacao")?;
    let modality = modality(words.as_deref(), code.as_deref());
    let signed_on = record.date_of_any_form("data_assinatura")?;
    let starts_on = record.date_of_any_form("data_inicio_vigencia")?;
    let seen_on = signed_on.or(starts_on);
    let person = record.text("cpfContratada")?;
    let person = person.as_deref().map(number_and_name);
    let company = record.code_as_written("cnpj_contratada")?;
    let name = titled(&links, "fornecedor")?.or(person.and_then(|(_, name)| name).map(str::to_owned));
    let number = company.as_deref().or(person.map(|(number, _)| number)).unwrap_or_default();
    let supplier = seen(model::supplier(number, name.as_deref().unwrap_or("")), seen_on);
    if supplier.is_none() {
        record.leave_in_metadata("cpfContratada");
        record.leave_in_metadata("cnpj_contratada");
    }
    let tender = record.code_as_written("licitacao_associada")?;
    let tender_id = tender.as_deref().and_then(seventeen_digits).map(|id| format!("comprasgov-v1:{id}"));
    if tender_id.is_none() {
        record.leave_in_metadata("licitacao_associada");
    }
    let object = record.meant_text("objeto")?;
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let legal_basis = record.meant_text("fundamento_legal")?;
    let buyer_id = format!("uasg:{unit}");
    let contract = Contract {
        number: number_and_year(&id).or(record.code_as_written("numero")?),
        process: record.code_as_written("numero_processo")?,
        modality: modality.map(Modality::code),
        modality_as_stated: words.or(code),
        regime: legal_basis.as_deref().and_then(Regime::from_legal_basis).map(Regime::code),
        legal_basis,
        buyer_id: Some(buyer_id.clone()),
        buyer_name: buyer_name.clone(),
        supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
        supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
        supplier_name: name,
        signed_on,
        starts_on,
        ends_on: record.date_of_any_form("data_termino_vigencia")?,
        value_initial: record.money_of_any_style("valor_inicial")?,
        instrument: titled(&links, "tipo_contrato")?,
        tender_id,
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: seen_on.or(element.place.file_month),
        ..Contract::default()
    };
    let buyer = buyer_name.map(|name| (buyer_id, Buyer { name, code: Some(unit), seen_on, ..Buyer::default() }));
    let mapped = [
        "_links",
        "identificador",
        "uasg",
        "modalidade_licitacao",
        "licitacao_associada",
        "objeto",
        "numero_processo",
        "cnpj_contratada",
        "cpfContratada",
        "data_assinatura",
        "fundamento_legal",
        "data_inicio_vigencia",
        "data_termino_vigencia",
        "valor_inicial",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    let draft = Draft::of(format!("comprasgov-v1:contrato:{id}"), Record::Contract(contract));
    Ok(Draft { buyer, supplier, metadata: closed(metadata), ..draft })
}

columns! {
    /// The export's header.
    Contracts {
        id required ["identificador do contrato"],
        unit required ["uasg"],
        modality required ["modalidade da licitacao"],
        instrument optional ["codigo do contrato"],
        tender optional ["licitacao associada"],
        number required ["numero"],
        object required ["objeto"],
        process required ["numero do processo"],
        person required ["cpf contratada"],
        company required ["cnpj contratada"],
        signed_on required ["data de assinatura"],
        legal_basis required ["fundamento legal"],
        starts_on required ["data de inicio da vigencia"],
        ends_on required ["data de termino da vigencia"],
        value required ["valor inicial"],
    }
}

/// Maps the rows of the export.
pub(crate) struct MapContracts {
    columns: Contracts,
    place: Place,
}

impl MapContracts {
    pub(crate) fn new(columns: Contracts, place: Place) -> Self {
        Self { columns, place }
    }
}

/// The number in front of `:` and the name behind it; a name has letters.
fn number_and_name(text: &str) -> (&str, Option<&str>) {
    let text = text.strip_prefix("Fornecedor ").unwrap_or(text);
    let (number, name) = text.split_once(':').unwrap_or((text, ""));
    let name = name.trim();
    (number.trim(), Some(name).filter(|name| name.chars().any(char::is_alphabetic)))
}

/// Reads `R$ 22,800.00`: a dot for decimals, commas between thousands.
fn parse_us(text: &str) -> Result<Money, MoneyError> {
    let bare = text.trim().strip_prefix("R$").unwrap_or(text).trim();
    let (whole, _) = bare.split_once('.').unwrap_or((bare, ""));
    let mut groups = whole.trim_start_matches('-').split(',');
    let first = groups.next().unwrap_or_default();
    let grouped_well = first == whole.trim_start_matches('-')
        || ((1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3));
    if !grouped_well || bare.bytes().skip(whole.len()).any(|b| b == b',') {
        return Err(MoneyError::Style(bare.chars().take(40).collect()));
    }
    Money::parse(&bare.replace(',', ""))
}

impl Mapper for MapContracts {
    fn map(&mut self, row: &Row<'_>) -> Result<Draft, Fault> {
        let c = &self.columns;
        let stated_id = row.key(c.id)?;
        let id = seventeen_digits(&stated_id).unwrap_or(stated_id);
        row.key(c.unit)?;
        let (unit, buyer_name) = number_and_name(row.code(c.unit));
        let (unit, buyer_name) = (unit_code(unit), buyer_name.map(model::text::squeeze));
        let (code, words) = number_and_name(row.code(c.modality));
        let signed_on = row.date(c.signed_on)?;
        let starts_on = row.date(c.starts_on)?;
        let seen_on = signed_on.or(starts_on);
        let stated = Some(row.code(c.company)).filter(|text| !text.is_empty()).unwrap_or(row.code(c.person));
        let (number, name) = number_and_name(stated);
        let name = name.map(model::text::squeeze);
        let supplier = seen(model::supplier(number, name.as_deref().unwrap_or("")), seen_on);
        if supplier.is_none() {
            row.leave_in_metadata(c.company);
            row.leave_in_metadata(c.person);
        }
        let tender = row.code(c.tender).rsplit(' ').next().and_then(seventeen_digits);
        if tender.is_none() {
            row.leave_in_metadata(c.tender);
        }
        let object = row.text(c.object);
        let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
        let legal_basis = row.text(c.legal_basis);
        let instrument = number_and_name(row.code(c.instrument)).1.map(model::text::squeeze);
        let buyer_id = format!("uasg:{unit}");
        let contract = Contract {
            number: number_and_year(&id).or(row.text(c.number)),
            process: row.text(c.process),
            modality: modality(words, Some(code)).map(Modality::code),
            modality_as_stated: words.map(model::text::squeeze).or_else(|| row.text(c.modality)),
            regime: legal_basis.as_deref().and_then(Regime::from_legal_basis).map(Regime::code),
            legal_basis,
            buyer_id: Some(buyer_id.clone()),
            buyer_name: buyer_name.clone(),
            supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name: name,
            signed_on,
            starts_on,
            ends_on: row.date(c.ends_on)?,
            value_initial: row.amount_by(c.value, parse_us)?,
            instrument,
            tender_id: tender.map(|id| format!("comprasgov-v1:{id}")),
            activity,
            activity_basis: activity.map(|_| "text"),
            object,
            partition_on: seen_on.or(self.place.file_month),
            ..Contract::default()
        };
        let buyer = buyer_name.map(|name| (buyer_id, Buyer { name, code: Some(unit), seen_on, ..Buyer::default() }));
        Ok(Draft { buyer, supplier, ..Draft::of(format!("comprasgov-v1:contrato:{id}"), Record::Contract(contract)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_the_export_have_commas_between_thousands() {
        let read = |text: &str| parse_us(text).ok().map(Money::scaled);
        assert_eq!(read("R$ 22,800.00"), Some(228_000_000));
        assert_eq!(read("R$ 1,022,800.5"), Some(10_228_005_000));
        assert_eq!(read("R$ 800.00"), Some(8_000_000));
        for wrong in ["R$ 22.800,00", "R$ 22,80.00", "R$ 2280,000.00", "x", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_number_and_a_name_share_a_field() {
        assert_eq!(
            number_and_name("Fornecedor 00.000.000/0001-91: EXEMPLO SA"),
            ("00.000.000/0001-91", Some("EXEMPLO SA"))
        );
        assert_eq!(number_and_name("***982247**:40990"), ("***982247**", None));
        assert_eq!(number_and_name("***.982.247-**"), ("***.982.247-**", None));
    }
}
