//! PNCP, the national portal of public contracting: pages (or bare arrays) of contracts and of tenders.
//!
//! A record is known by its control number and dated by its last update, so the newest wins whatever the order of
//! files. Amounts are read from the digits as written. An estimate of zero is PNCP's way to write a sealed budget:
//! it is not an amount, and stays in the metadata as it came.

use model::activity::activity_of_text;
use model::law::Regime;
use model::{Buyer, Cnpj, Contract, Modality, Money, Record, Supplier, Tender};

use crate::detect::{Draft, Stated};
use crate::error::Fault;
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;
use crate::pncp_items::Purchase;
use crate::portal_compras::seen;
use crate::{pncp_items, pncp_terms};

/// Whether a record is a contract of PNCP.
pub(crate) fn is_contract(record: &Members<'_>) -> bool {
    record.has("numeroControlePNCP") && (record.has("objetoContrato") || record.has("valorGlobal"))
}

/// Whether a record is a tender of PNCP.
pub(crate) fn is_tender(record: &Members<'_>) -> bool {
    let is_minutes = record.has("numeroAtaRegistroPreco");
    record.has("numeroControlePNCP") && !is_minutes && (record.has("objetoCompra") || record.has("modalidadeId"))
}

/// The id of what has that control number.
pub(crate) fn id_of(control_number: &str) -> String {
    format!("pncp:{}", control_number.replace('/', "-"))
}

/// The newer of the two update times that PNCP writes, and the member that it was taken from.
fn updated_at(record: &Members<'_>) -> Result<(Option<String>, &'static str), Fault> {
    if let Some(global) = record.text("dataAtualizacaoGlobal")? {
        return Ok((Some(global), "dataAtualizacaoGlobal"));
    }
    Ok((record.text("dataAtualizacao")?, "dataAtualizacao"))
}

/// Who buys: a unit of a body.
pub(crate) struct Unit<'a> {
    body: Members<'a>,
    unit: Members<'a>,
}

impl<'a> Unit<'a> {
    const BODY_MAPPED: &'static [&'static str] = &["cnpj", "razaoSocial", "poderId", "esferaId"];
    const UNIT_MAPPED: &'static [&'static str] = &["codigoUnidade", "nomeUnidade", "ufSigla", "municipioNome"];

    fn of(record: &Members<'a>) -> Result<Self, Fault> {
        Self::under(record, "unidadeOrgao", "unidadeOrgao.")
    }

    /// Where the unit stands under a name of its own.
    pub(crate) fn under(record: &Members<'a>, unit: &str, prefix: &'static str) -> Result<Self, Fault> {
        Ok(Self { body: record.object("orgaoEntidade", "orgaoEntidade.")?, unit: record.object(unit, prefix)? })
    }

    pub(crate) fn buyer(&self) -> Result<Option<(String, Buyer)>, Fault> {
        let (Some(cnpj), Some(code)) = (self.body.text("cnpj")?, self.unit.text("codigoUnidade")?) else {
            return Ok(None);
        };
        let id = format!("pncp:{cnpj}-{code}");
        let parent_name = self.body.text("razaoSocial")?;
        let Some(name) = self.unit.text("nomeUnidade")?.or_else(|| parent_name.clone()) else { return Ok(None) };
        let sphere = self.body.text("esferaId")?.filter(|s| matches!(s.as_str(), "F" | "E" | "M" | "D"));
        let buyer = Buyer {
            name,
            code: Some(code),
            cnpj: Cnpj::parse(&cnpj).ok().map(|c| c.to_string()),
            sphere,
            branch: self.body.text("poderId")?,
            state: self.unit.text("ufSigla")?,
            municipality: self.unit.text("municipioNome")?,
            parent_name,
            ..Buyer::default()
        };
        Ok(Some((id, buyer)))
    }

    pub(crate) fn push_leftovers(&self, metadata: &mut String) {
        self.body.push_leftovers(Self::BODY_MAPPED, metadata);
        self.unit.push_leftovers(Self::UNIT_MAPPED, metadata);
    }
}

/// The supplier of a contract. `tipoPessoa` `PE` is a foreigner, whose number may be digits only.
pub(crate) fn supplier_of(record: &Members<'_>) -> Result<Option<(String, Supplier)>, Fault> {
    let number = record.text("niFornecedor")?.unwrap_or_default();
    let name = record.text("nomeRazaoSocialFornecedor")?.unwrap_or_default();
    let foreign = record.text("tipoPessoa")?.as_deref() == Some("PE");
    Ok(model::supplier(&number, &name).map(|(id, supplier)| match id.strip_prefix("unv:") {
        Some(rest) if foreign => (format!("ext:{rest}"), Supplier { kind: "foreign", ..supplier }),
        _ => (id, supplier),
    }))
}

/// Maps a contract.
pub(crate) fn map_contract(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let control_number = record.key("numeroControlePNCP")?;
    let unit = Unit::of(record)?;
    let (signed_on, published_on) = (record.date("dataAssinatura")?, record.date("dataPublicacaoPncp")?);
    let seen_on = signed_on.or(published_on);
    let buyer = unit.buyer()?.map(|(id, buyer)| (id, Buyer { seen_on, ..buyer }));
    let supplier = seen(supplier_of(record)?, seen_on);
    let category = record.object("categoriaProcesso", "categoriaProcesso.")?;
    let instrument = record.object("tipoContrato", "tipoContrato.")?;
    let object = record.text("objetoContrato")?;
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let (updated_at, updated_key) = updated_at(record)?;
    let contract = Contract {
        number: record.text("numeroContratoEmpenho")?,
        process: record.text("processo")?,
        category: category.text("nome")?,
        buyer_id: buyer.as_ref().map(|(id, _)| id.clone()),
        buyer_name: buyer.as_ref().map(|(_, b)| b.name.clone()),
        supplier_id: supplier.as_ref().map(|(id, _)| id.clone()),
        supplier_root: supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
        supplier_name: record.text("nomeRazaoSocialFornecedor")?,
        signed_on,
        published_on,
        starts_on: record.date("dataVigenciaInicio")?,
        ends_on: record.date("dataVigenciaFim")?,
        value_initial: record.amount("valorInicial")?,
        value_final: record.amount("valorGlobal")?,
        income: record.boolean("receita")?.unwrap_or_default(),
        instrument: instrument.text("nome")?,
        installments: record.integer("numeroParcelas")?,
        tender_id: record.text("numeroControlePncpCompra")?.map(|n| id_of(&n)),
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: seen_on,
        ..Contract::default()
    };
    let mut metadata = String::new();
    let mapped = [
        "numeroControlePNCP",
        "numeroControlePncpCompra",
        "numeroContratoEmpenho",
        "processo",
        "categoriaProcesso",
        "orgaoEntidade",
        "unidadeOrgao",
        "niFornecedor",
        "nomeRazaoSocialFornecedor",
        "dataAssinatura",
        "dataPublicacaoPncp",
        "dataVigenciaInicio",
        "dataVigenciaFim",
        "valorInicial",
        "valorGlobal",
        "receita",
        "objetoContrato",
        "tipoContrato",
        "numeroParcelas",
        updated_key,
    ];
    let id = id_of(&control_number);
    let terms = pncp_terms::stated_in(record, &id, contract.buyer_id.as_ref())?;
    record.push_leftovers(&[&mapped[..], pncp_terms::lists_in(record)].concat(), &mut metadata);
    category.push_leftovers(&["nome"], &mut metadata);
    instrument.push_leftovers(&["nome"], &mut metadata);
    unit.push_leftovers(&mut metadata);
    let record = Record::Contract(contract);
    let metadata = closed(metadata);
    Ok(Draft { buyer, supplier, updated_at, metadata, more: terms, ..Draft::of(id, record) })
}

/// Maps a tender.
pub(crate) fn map_tender(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let control_number = record.key("numeroControlePNCP")?;
    let unit = Unit::of(record)?;
    let (published_on, opened_on) = (record.date("dataPublicacaoPncp")?, record.date("dataAberturaProposta")?);
    let seen_on = published_on.or(opened_on);
    let buyer = unit.buyer()?.map(|(id, buyer)| (id, Buyer { seen_on, ..buyer }));
    let legal = record.object("amparoLegal", "amparoLegal.")?;
    let legal_basis = legal.text("nome")?;
    let object = record.text("objetoCompra")?;
    let activity = object.as_deref().and_then(activity_of_text).map(|a| a.code());
    let estimate = record.amount("valorTotalEstimado")?;
    let sealed = estimate == Some(Money::ZERO);
    let (updated_at, updated_key) = updated_at(record)?;
    let id = id_of(&control_number);
    let purchase = Purchase { id: id.clone(), buyer_id: buyer.as_ref().map(|(id, _)| id.clone()), on: seen_on };
    let inner = purchase.stated_in(record)?;
    let tender = Tender {
        number: record.text("numeroCompra")?,
        process: record.text("processo")?,
        modality: record.integer("modalidadeId")?.and_then(Modality::from_pncp).map(Modality::code),
        modality_as_stated: record.text("modalidadeNome")?,
        regime: legal_basis.as_deref().and_then(Regime::from_legal_basis).map(|r| r.code()),
        legal_basis,
        status: record.text("situacaoCompraNome")?,
        buyer_id: buyer.as_ref().map(|(id, _)| id.clone()),
        buyer_name: buyer.as_ref().map(|(_, b)| b.name.clone()),
        published_on,
        opened_on,
        closes_on: record.date("dataEncerramentoProposta")?,
        value_estimated: estimate.filter(|_| !sealed),
        value_awarded: record.amount("valorTotalHomologado")?,
        price_registration: record.boolean("srp")?,
        criterion: pncp_items::common_criterion(record)?,
        activity,
        activity_basis: activity.map(|_| "text"),
        object,
        partition_on: seen_on,
        ..Tender::default()
    };
    if sealed {
        record.leave_in_metadata("valorTotalEstimado");
    }
    if tender.modality.is_none() {
        record.leave_in_metadata("modalidadeId");
    }
    let mut metadata = String::new();
    let mapped = [
        "numeroControlePNCP",
        "numeroCompra",
        "processo",
        "modalidadeNome",
        "amparoLegal",
        "orgaoEntidade",
        "unidadeOrgao",
        "situacaoCompraNome",
        "dataPublicacaoPncp",
        "dataAberturaProposta",
        "dataEncerramentoProposta",
        "valorTotalHomologado",
        "srp",
        "objetoCompra",
        updated_key,
        "valorTotalEstimado",
        "modalidadeId",
    ];
    record.push_leftovers(&[&mapped[..], &pncp_items::lists_in(record)].concat(), &mut metadata);
    legal.push_leftovers(&["nome"], &mut metadata);
    unit.push_leftovers(&mut metadata);
    let record = Record::Tender(tender);
    let metadata = closed(metadata);
    let more = inner.into_iter().map(|draft| Stated::Inner(Box::new(draft))).collect();
    Ok(Draft { buyer, updated_at, metadata, more, ..Draft::of(id, record) })
}
