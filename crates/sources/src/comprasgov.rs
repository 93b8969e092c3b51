//! Compras.gov.br, first API (`compras.dados.gov.br`, now closed): tenders, purchases without tender, and their items.
//!
//! A page holds its records in `_embedded`. What a code means stands in the titles of `_links` (`UASG 204503: NAME`);
//! those are read, the addresses are left out, for they follow from the ids. Crawls fold one answer of items per line,
//! `{"_id": purchase, "doc": answer}`: such a line states all its items, the first as its own.
//!
//! The amount of an item is an estimate for its whole quantity: in purchases without tender the items add up to the
//! purchase only so. `unit_estimate` is derived from it, and the amount stays in the metadata.

use model::activity::activity_of_text;
use model::law::Regime;
use model::{Buyer, Item, Modality, Money, Quantity, Record, Supplier, Tender};

use crate::detect::{Draft, Place, Stated};
use crate::error::{Fault, Reason};
use crate::fields::json_text;
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;
use crate::json_loose::above_zero;
use crate::siasg::{modality, number_and_year, seventeen_digits, unit_code};

/// Whether a record is a purchase without tender.
pub(crate) fn is_purchase(record: &Members<'_>) -> bool {
    record.has("co_uasg") && record.has("co_modalidade_licitacao")
}

/// Whether a record is a tender.
pub(crate) fn is_tender(record: &Members<'_>) -> bool {
    record.has("identificador") && record.has("situacao_aviso")
}

/// Whether a record is an item of a tender, or a folded answer of such items.
pub(crate) fn is_tender_item(record: &Members<'_>) -> bool {
    record.has("numero_item_licitacao") || embedded(record).is_some_and(|inner| inner.has("itensLicitacao"))
}

/// Whether a record is an item of a purchase without tender, or a folded answer of such items.
pub(crate) fn is_purchase_item(record: &Members<'_>) -> bool {
    let is_item = record.has("qt_material_alt") && record.has("vr_estimado");
    is_item || embedded(record).is_some_and(|inner| inner.has("compras"))
}

/// What a folded answer holds.
fn embedded<'a>(record: &Members<'a>) -> Option<Members<'a>> {
    if !record.has("_id") {
        return None;
    }
    record.object("doc", "doc.").ok()?.object("_embedded", "doc._embedded.").ok()
}

/// What stands behind the code in the title of a link: `UASG 204503: NAME`; nothing where the code is repeated.
pub(crate) fn titled(links: &Members<'_>, key: &str) -> Result<Option<String>, Fault> {
    let link = links.object(key, "_links.")?;
    let Some(title) = link.meant_text("title")? else { return Ok(None) };
    let Some((before, name)) = title.split_once(':') else { return Ok(None) };
    let name = name.trim();
    let is_name = name.chars().any(char::is_alphabetic) && !before.ends_with(name);
    Ok(is_name.then(|| name.to_owned()))
}

/// The part of a link's address that stands `behind` the end: 0 is the last.
fn part_of_link(links: &Members<'_>, behind: usize) -> Result<Option<String>, Fault> {
    let link = links.object("self", "_links.self.")?;
    Ok(link.text("href")?.and_then(|href| href.rsplit('/').nth(behind).map(str::to_owned)))
}

/// The unit that `key` names by its number, with the name that its link has.
pub(crate) fn unit_of(record: &Members<'_>, links: &Members<'_>, key: &str) -> Result<(String, Option<String>), Fault> {
    Ok((unit_code(&record.key_as_written(key)?), titled(links, "uasg")?))
}

/// Maps a purchase without tender.
pub(crate) fn map_purchase(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let links = record.object("_links", "_links.")?;
    let id = part_of_link(&links, 0)?.and_then(|part| seventeen_digits(&part));
    let Some(id) = id else {
        return Err(record.fault("_links", Reason::RequiredField, "no seventeen digits at the end of the own link"));
    };
    let (unit, buyer_name) = unit_of(record, &links, "co_uasg")?;
    let code = record.code_as_written("co_modalidade_licitacao")?;
    let words = titled(&links, "modalidade_licitacao")?;
    let modality = modality(words.as_deref(), code.as_deref());
    let legal_basis = record.meant_text("ds_fundamento_legal")?;
    let published_on = record.date_of_any_form("dtPublicacao")?;
    let declared_on = record.date_of_any_form("dtDeclaracaoDispensa")?;
    let seen_on = published_on.or(record.date_of_any_form("dtRatificacao")?).or(declared_on);
    let object = record.meant_text("ds_objeto_licitacao")?;
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let buyer_id = format!("uasg:{unit}");
    let tender = Tender {
        number: number_and_year(&id),
        process: record.code_as_written("nu_processo")?,
        modality: modality.map(Modality::code),
        modality_as_stated: words.or(code),
        regime: legal_basis.as_deref().and_then(Regime::from_legal_basis).map(Regime::code),
        legal_basis,
        buyer_id: Some(buyer_id.clone()),
        buyer_name: buyer_name.clone(),
        published_on,
        value_estimated: above_zero(record, "vr_estimado")?,
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: seen_on.or(element.place.file_month),
        ..Tender::default()
    };
    let body = record.code_as_written("co_orgao")?;
    let parent_name = titled(&links, "orgao")?;
    let buyer = buyer_name.map(|name| {
        let code = Some(unit);
        (buyer_id, Buyer { name, code, parent_code: body, parent_name, seen_on, ..Buyer::default() })
    });
    let mapped = [
        "_links",
        "co_orgao",
        "co_uasg",
        "co_modalidade_licitacao",
        "nu_processo",
        "vr_estimado",
        "ds_fundamento_legal",
        "ds_objeto_licitacao",
        "dtPublicacao",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    let draft = Draft::of(format!("comprasgov-v1:{id}"), Record::Tender(tender));
    Ok(Draft { buyer, metadata: closed(metadata), ..draft })
}

/// Maps a tender.
pub(crate) fn map_tender(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let links = record.object("_links", "_links.")?;
    let stated_id = record.key_as_written("identificador")?;
    let id = seventeen_digits(&stated_id).unwrap_or(stated_id);
    let (unit, buyer_name) = unit_of(record, &links, "uasg")?;
    let code = record.code_as_written("modalidade")?;
    let words = titled(&links, "modalidade_licitacao")?;
    let modality = modality(words.as_deref(), code.as_deref());
    let published_on = record.date_of_any_form("data_publicacao")?;
    let opened_on = record.date_of_any_form("data_abertura_proposta")?;
    let seen_on = published_on.or(opened_on).or(record.date_of_any_form("data_entrega_edital")?);
    let object = record.meant_text("objeto")?;
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let buyer_id = format!("uasg:{unit}");
    let tender = Tender {
        number: number_and_year(&id),
        process: record.code_as_written("numero_processo")?,
        modality: modality.map(Modality::code),
        modality_as_stated: words.or(code),
        status: record.meant_text("situacao_aviso")?,
        buyer_id: Some(buyer_id.clone()),
        buyer_name: buyer_name.clone(),
        published_on,
        opened_on,
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: seen_on.or(element.place.file_month),
        ..Tender::default()
    };
    let buyer = buyer_name.map(|name| (buyer_id, Buyer { name, code: Some(unit), seen_on, ..Buyer::default() }));
    // Where the notice may be fetched is an address.
    let mapped = [
        "_links",
        "identificador",
        "uasg",
        "modalidade",
        "numero_processo",
        "situacao_aviso",
        "data_publicacao",
        "data_abertura_proposta",
        "objeto",
        "endereco_entrega_edital",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    let draft = Draft::of(format!("comprasgov-v1:{id}"), Record::Tender(tender));
    Ok(Draft { buyer, metadata: closed(metadata), ..draft })
}

/// One item with what else its record states.
struct Mapped {
    id: String,
    item: Item,
    supplier: Option<(String, Supplier)>,
    leftovers: String,
}

type MapItem = fn(&Members<'_>, Option<&str>, Place) -> Result<Mapped, Fault>;

/// Maps an item of a tender, or a folded answer of them.
pub(crate) fn map_tender_items(element: &Element<'_>) -> Result<Draft, Fault> {
    map_items(element, "itensLicitacao", tender_item)
}

/// Maps an item of a purchase without tender, or a folded answer of them.
pub(crate) fn map_purchase_items(element: &Element<'_>) -> Result<Draft, Fault> {
    map_items(element, "compras", purchase_item)
}

fn map_items(element: &Element<'_>, key: &str, map: MapItem) -> Result<Draft, Fault> {
    let record = &element.members;
    let Some(inner) = embedded(record) else {
        let Mapped { id, item, supplier, leftovers } = map(record, None, element.place)?;
        return Ok(Draft { supplier, metadata: closed(leftovers), ..Draft::of(id, Record::Item(item)) });
    };
    let purchase = record.key_as_written("_id")?;
    let mut items = Vec::new();
    for item in inner.objects(key, "")? {
        items.push(map(&item, Some(&purchase), element.place)?);
    }
    let mut items = items.into_iter();
    let Some(Mapped { id, item, supplier, leftovers }) = items.next() else {
        return Err(record.fault("doc", Reason::RequiredField, "the answer holds no item"));
    };
    let mut draft = Draft { supplier, ..Draft::of(id, Record::Item(item)) };
    let mut metadata = leftovers;
    for (place, other) in items.enumerate() {
        if let Some(leftovers) = closed(other.leftovers) {
            metadata.push(if metadata.is_empty() { '{' } else { ',' });
            metadata.push_str(&format!("{}:{leftovers}", json_text(&format!("item {}", place + 2))));
        }
        draft.more.push(Stated::Record(other.id, Record::Item(other.item)));
        draft.more.extend(other.supplier.map(|(id, supplier)| Stated::Supplier(id, supplier)));
    }
    draft.metadata = closed(metadata);
    Ok(draft)
}

fn quantity_of(record: &Members<'_>, key: &str) -> Result<Option<Quantity>, Fault> {
    let Some(text) = record.code_as_written(key)? else { return Ok(None) };
    let read = Quantity::parse_br(&text).or_else(|_| Quantity::parse(&text));
    read.map(Some).map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        record.fault(key, Reason::Amount, format!("`{shown}` is not a quantity"))
    })
}

/// The estimate for one; the amount that it is derived from stays in the metadata.
fn unit_estimate(record: &Members<'_>, key: &str, quantity: Option<Quantity>) -> Result<Option<Money>, Fault> {
    let estimate = record.money_of_any_style(key)?.filter(|estimate| *estimate != Money::ZERO);
    record.leave_in_metadata(key);
    Ok(estimate.zip(quantity).and_then(|(estimate, quantity)| estimate.per(quantity)))
}

fn purchase_item(record: &Members<'_>, purchase: Option<&str>, place: Place) -> Result<Mapped, Fault> {
    let links = record.object("_links", "_links.")?;
    let purchase = purchase.map(str::to_owned).or(part_of_link(&links, 2)?);
    let (Some(purchase), Some(part)) = (purchase.and_then(|p| seventeen_digits(&p)), part_of_link(&links, 0)?) else {
        return Err(record.fault("_links", Reason::RequiredField, "the own link names no purchase"));
    };
    let number = record.object("_links", "_links.")?.object("self", "_links.self.")?.text("title")?;
    let number = number.as_deref().and_then(|title| title.split(' ').find(|w| w.bytes().all(|b| b.is_ascii_digit())));
    let is_service = record.has("co_servico");
    let (code, name) =
        if is_service { ("co_servico", "no_servico") } else { ("co_conjunto_materiais", "no_conjunto_materiais") };
    let winner = match record.code_as_written("nu_cnpj_vencedor")? {
        Some(number) => Some(number),
        None => record.code_as_written("nu_cpf_vencedor")?,
    };
    let supplier_name = titled(&links, "fornecedor")?;
    let supplier = winner.and_then(|n| model::supplier(&n, supplier_name.as_deref().unwrap_or("")));
    if supplier.is_none() {
        record.leave_in_metadata("nu_cpf_vencedor");
        record.leave_in_metadata("nu_cnpj_vencedor");
    }
    let quantity = quantity_of(record, "qt_material_alt")?;
    let tender_id = format!("comprasgov-v1:{purchase}");
    let item = Item {
        buyer_id: Some(format!("uasg:{}", &purchase[..6])),
        number: number.map(str::to_owned),
        category: Some(if is_service { "servico" } else { "material" }.to_owned()).filter(|_| record.has(code)),
        description: record.meant_text(name)?,
        detail: record.meant_text("ds_detalhada")?,
        catalog_code: if is_service { record.code_as_written(code)? } else { None },
        unit: record.meant_text("no_unidade_medida")?,
        unit_basis: record.text("no_unidade_medida")?.map(|_| "stated"),
        quantity,
        unit_estimate: unit_estimate(record, "vr_estimado", quantity)?,
        supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
        supplier_name,
        partition_on: place.file_month,
        tender_id: Some(tender_id.clone()),
        ..Item::default()
    };
    let mut mapped = vec![
        "_links",
        "no_servico",
        "no_conjunto_materiais",
        "ds_detalhada",
        "no_unidade_medida",
        "qt_material_alt",
        "vr_estimado",
        "nu_cnpj_vencedor",
        "nu_cpf_vencedor",
    ];
    if is_service {
        mapped.push("co_servico");
    }
    let mut leftovers = String::new();
    record.push_leftovers(&mapped, &mut leftovers);
    Ok(Mapped { id: format!("{tender_id}:item:{part}"), item, supplier, leftovers })
}

fn tender_item(record: &Members<'_>, purchase: Option<&str>, place: Place) -> Result<Mapped, Fault> {
    let links = record.object("_links", "_links.")?;
    let stated = record.code_as_written("numero_licitacao")?.or(purchase.map(str::to_owned));
    let Some(tender) = stated else {
        return Err(record.fault("numero_licitacao", Reason::RequiredField, "the item names no tender"));
    };
    let tender = seventeen_digits(&tender).unwrap_or(tender);
    let number = record.key_as_written("numero_item_licitacao")?;
    let (unit, _) = unit_of(record, &links, "uasg")?;
    let is_service = record.has("codigo_item_servico");
    let code = if is_service { "codigo_item_servico" } else { "codigo_item_material" };
    let winner = match record.code_as_written("cnpj_fornecedor")? {
        Some(number) => Some(number),
        None => record.code_as_written("cpfVencedor")?,
    };
    let supplier_name = titled(&links, "fornecedor")?;
    let supplier = winner.and_then(|n| model::supplier(&n, supplier_name.as_deref().unwrap_or("")));
    if supplier.is_none() {
        record.leave_in_metadata("cnpj_fornecedor");
        record.leave_in_metadata("cpfVencedor");
    }
    let quantity = quantity_of(record, "quantidade")?;
    let catalog_name = titled(&links, if is_service { "servico" } else { "material" })?;
    let text = record.meant_text("descricao_item")?;
    let tender_id = format!("comprasgov-v1:{tender}");
    let item = Item {
        buyer_id: Some(format!("uasg:{unit}")),
        category: Some(if is_service { "servico" } else { "material" }.to_owned()).filter(|_| record.has(code)),
        description: catalog_name,
        detail: text,
        catalog_code: record.code_as_written(code)?,
        unit: record.meant_text("unidade")?,
        unit_basis: record.text("unidade")?.map(|_| "stated"),
        quantity,
        unit_estimate: unit_estimate(record, "valor_estimado", quantity)?,
        supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
        supplier_name,
        partition_on: place.file_month,
        tender_id: Some(tender_id.clone()),
        number: Some(number.clone()),
        ..Item::default()
    };
    let mapped = [
        "_links",
        "uasg",
        "numero_licitacao",
        "numero_item_licitacao",
        "codigo_item_servico",
        "codigo_item_material",
        "descricao_item",
        "quantidade",
        "unidade",
        "cnpj_fornecedor",
        "cpfVencedor",
        "valor_estimado",
    ];
    let mut leftovers = String::new();
    record.push_leftovers(&mapped, &mut leftovers);
    Ok(Mapped { id: format!("{tender_id}:item:{number}"), item, supplier, leftovers })
}
