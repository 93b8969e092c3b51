//! PNCP: the items of a purchase and the results of those items.
//!
//! An item says what is wanted and at what estimate; a result says who got it and at what price. PNCP publishes the
//! results of winners only, so who else took part is not known from here. Neither says by itself of which purchase
//! it is: that comes from the record, from the purchase around it, or from the name of the file or folder; an
//! item that no purchase can be told for is quarantined.

use chrono::NaiveDate;
use model::{Bid, Item, Money, Record};

use crate::detect::{Draft, Place, Stated};
use crate::error::{Fault, Reason};
use crate::json_fields::{Members, closed, joined};
use crate::json_formats::Element;
use crate::pncp::{Unit, id_of, supplier_of};
use crate::pncp_control::{Kind, is_of_kind};
use crate::portal_compras::seen;

/// Whether a record is an item of a purchase.
pub(crate) fn is_item(record: &Members<'_>) -> bool {
    let own = ["materialOuServico", "situacaoCompraItem", "valorUnitarioEstimado", "itemCategoriaId"];
    record.has("numeroItem") && own.iter().any(|key| record.has(key))
}

/// Whether a record is the result of an item.
pub(crate) fn is_result(record: &Members<'_>) -> bool {
    let own = ["sequencialResultado", "valorUnitarioHomologado", "quantidadeHomologada"];
    record.has("numeroItem") && own.iter().any(|key| record.has(key))
}

/// Whether a record is a purchase of which nothing stands there but its number, with its items or results in it.
pub(crate) fn is_purchase(record: &Members<'_>) -> bool {
    let numbered = CONTROL_KEYS.iter().any(|key| record.has(key));
    numbered && LISTS.iter().any(|list| record.has_list(list))
}

/// Members that state the purchase's number.
const CONTROL_KEYS: &[&str] = &["numeroControlePNCPCompra", "numeroControlePncpCompra", "numeroControlePNCP"];
/// Members of a purchase that hold its items and results.
const LISTS: &[&str] = &["itens", "resultados"];

/// Those of the lists that a purchase has.
pub(crate) fn lists_in(record: &Members<'_>) -> Vec<&'static str> {
    LISTS.iter().copied().filter(|list| record.has_list(list)).collect()
}

/// The criterion that all items in a purchase state.
pub(crate) fn common_criterion(record: &Members<'_>) -> Result<Option<String>, Fault> {
    if !record.has_list("itens") {
        return Ok(None);
    }
    let mut stated = record.objects("itens", "itens.")?.into_iter().map(|item| item.text("criterioJulgamentoNome"));
    let Some(first) = stated.next().transpose()?.flatten() else { return Ok(None) };
    for other in stated {
        if other?.as_ref() != Some(&first) {
            return Ok(None);
        }
    }
    Ok(Some(first))
}

/// The purchase that items and results are of.
pub(crate) struct Purchase {
    pub id: String,
    pub buyer_id: Option<String>,
    /// Its day, for records that state none.
    pub on: Option<NaiveDate>,
}

impl Purchase {
    /// The purchase that a record states, else the one that its file's name states.
    fn of(record: &Members<'_>, place: Place) -> Result<Self, Fault> {
        let id = stated_number(record, CONTROL_KEYS, Kind::Purchase)?
            .or_else(|| place.control?.of_kind(Kind::Purchase).map(id_of))
            .ok_or_else(|| record.fault(CONTROL_KEYS[0], Reason::RequiredField, "of which purchase is not stated"))?;
        Ok(Self { id, buyer_id: None, on: None })
    }

    /// All items and results inside a record.
    pub(crate) fn stated_in(&self, record: &Members<'_>) -> Result<Vec<Draft>, Fault> {
        let mut inner = Vec::new();
        if record.has_list("itens") {
            for item in record.objects("itens", "itens.")? {
                inner.push(self.item(&item)?);
            }
        }
        if record.has_list("resultados") {
            for result in record.objects("resultados", "resultados.")? {
                inner.push(self.result(&result, None)?);
            }
        }
        Ok(inner)
    }

    fn item(&self, record: &Members<'_>) -> Result<Draft, Fault> {
        let number = record.key_code("numeroItem")?;
        let estimate = record.amount("valorUnitarioEstimado")?;
        // PNCP writes a sealed estimate as zero.
        let sealed = estimate == Some(Money::ZERO);
        if sealed {
            record.leave_in_metadata("valorUnitarioEstimado");
        }
        let category_key =
            if record.has("materialOuServicoNome") { "materialOuServicoNome" } else { "materialOuServico" };
        let unit = record.text("unidadeMedida")?;
        let item = Item {
            tender_id: Some(self.id.clone()),
            buyer_id: self.buyer_id.clone(),
            number: Some(number.clone()),
            category: record.text(category_key)?,
            description: record.text("descricao")?,
            detail: record.text("informacaoComplementar")?,
            catalog_code: record.code("catalogoCodigoItem")?,
            unit_basis: unit.as_ref().map(|_| "stated"),
            unit,
            quantity: record.quantity("quantidade")?,
            unit_estimate: estimate.filter(|_| !sealed),
            status: record.text("situacaoCompraItemNome")?,
            partition_on: record.date("dataInclusao")?.or(self.on),
            ..Item::default()
        };
        let mut more = Vec::new();
        if record.has_list("resultados") {
            for result in record.objects("resultados", "resultados.")? {
                more.push(Stated::Inner(Box::new(self.result(&result, Some(&number))?)));
            }
        }
        let mut mapped = vec![
            "numeroItem",
            category_key,
            "descricao",
            "informacaoComplementar",
            "catalogoCodigoItem",
            "unidadeMedida",
            "quantidade",
            "valorUnitarioEstimado",
            "situacaoCompraItemNome",
            "dataAtualizacao",
        ];
        mapped.extend_from_slice(CONTROL_KEYS);
        mapped.extend(lists_in(record));
        let id = format!("{}:item:{number}", self.id);
        finished(record, &mapped, Draft { more, ..Draft::of(id, Record::Item(item)) })
    }

    /// A result; `item` is the number of the item that it stands in.
    fn result(&self, record: &Members<'_>, item: Option<&str>) -> Result<Draft, Fault> {
        let item_number = match (record.code("numeroItem")?, item) {
            (Some(number), _) => number,
            (None, Some(number)) => number.to_owned(),
            (None, None) => record.key_code("numeroItem")?,
        };
        let bidder = supplier_of(record)?;
        let bidder_name = record.text("nomeRazaoSocialFornecedor")?;
        let which = match record.code("sequencialResultado")? {
            Some(sequential) => sequential,
            None => bidder.as_ref().map(|(id, _)| id.clone()).ok_or_else(|| {
                record.fault("niFornecedor", Reason::RequiredField, "neither a number of the result nor a supplier")
            })?,
        };
        let result_on = record.date("dataResultado")?;
        let rank = record.integer("ordemClassificacaoSrp")?;
        let cancelled = is_cancelled(record)?;
        let bidder = seen(bidder, result_on);
        let bid = Bid {
            tender_id: Some(self.id.clone()),
            item_number: Some(item_number.clone()),
            bidder_id: bidder.as_ref().map(|(id, _)| id.clone()),
            bidder_root: bidder.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            bidder_name,
            // A cancelled result and a place behind the first in price registration are no clear win.
            won: (!cancelled && rank.is_none_or(|rank| rank <= 1)).then_some(true),
            value: record.amount("valorTotalHomologado")?,
            quantity: record.quantity("quantidadeHomologada")?,
            unit_price: record.amount("valorUnitarioHomologado")?,
            rank,
            status: record.text("situacaoCompraItemResultadoNome")?,
            valid: cancelled.then_some(false),
            partition_on: result_on.or(record.date("dataInclusao")?).or(self.on),
            ..Bid::default()
        };
        let mut mapped = vec![
            "numeroItem",
            "sequencialResultado",
            "niFornecedor",
            "nomeRazaoSocialFornecedor",
            "dataResultado",
            "ordemClassificacaoSrp",
            "valorTotalHomologado",
            "quantidadeHomologada",
            "valorUnitarioHomologado",
            "situacaoCompraItemResultadoNome",
            "dataAtualizacao",
        ];
        mapped.extend_from_slice(CONTROL_KEYS);
        let id = format!("{}:bid:{item_number}:{which}", self.id);
        finished(record, &mapped, Draft { supplier: bidder, ..Draft::of(id, Record::Bid(bid)) })
    }
}

/// Situation 2 of a result is "cancelado"; a day of cancellation says the same.
fn is_cancelled(record: &Members<'_>) -> Result<bool, Fault> {
    let situation = record.code("situacaoCompraItemResultadoId")?;
    Ok(situation.as_deref() == Some("2") || record.date("dataCancelamento")?.is_some())
}

/// The id of what a record states it is of, if that is of the kind.
pub(crate) fn stated_number(record: &Members<'_>, keys: &[&str], kind: Kind) -> Result<Option<String>, Fault> {
    for key in keys {
        if let Some(number) = record.text(key)?.filter(|number| is_of_kind(number, kind)) {
            return Ok(Some(id_of(&number)));
        }
    }
    Ok(None)
}

/// The draft with its record's date and leftovers.
pub(crate) fn finished(record: &Members<'_>, mapped: &[&str], draft: Draft) -> Result<Draft, Fault> {
    let mut metadata = String::new();
    record.push_leftovers(mapped, &mut metadata);
    Ok(Draft { updated_at: record.text("dataAtualizacao")?, metadata: closed(metadata), ..draft })
}

/// Several drafts as one row: the first is the row's own, and what the row says of itself is left with it.
pub(crate) fn gathered(drafts: Vec<Draft>, own: Option<String>, list: &str) -> Result<Draft, Fault> {
    let mut drafts = drafts.into_iter();
    let first = drafts.next().ok_or_else(|| {
        Fault::at(list, Reason::RequiredField, "empty, and the record is nothing without what it lists")
    })?;
    let mut more = first.more;
    more.extend(drafts.map(|draft| Stated::Inner(Box::new(draft))));
    Ok(Draft { metadata: joined(first.metadata, own), more, ..first })
}

/// Maps an item.
pub(crate) fn map_item(element: &Element<'_>) -> Result<Draft, Fault> {
    Purchase::of(&element.members, element.place)?.item(&element.members)
}

/// Maps a result.
pub(crate) fn map_result(element: &Element<'_>) -> Result<Draft, Fault> {
    Purchase::of(&element.members, element.place)?.result(&element.members, None)
}

/// Maps the items and results of a purchase of which only the number stands there.
pub(crate) fn map_purchase(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let unit = Unit::under(record, "unidadeOrgao", "unidadeOrgao.")?;
    let buyer = unit.buyer()?;
    let buyer_id = buyer.as_ref().map(|(id, _)| id.clone());
    let purchase = Purchase { buyer_id, ..Purchase::of(record, element.place)? };
    let drafts = purchase.stated_in(record)?;
    let mut own = String::new();
    let mut mapped = lists_in(record);
    mapped.extend_from_slice(CONTROL_KEYS);
    mapped.extend(["orgaoEntidade", "unidadeOrgao"]);
    record.push_leftovers(&mapped, &mut own);
    unit.push_leftovers(&mut own);
    Ok(Draft { buyer, ..gathered(drafts, closed(own), "itens")? })
}
