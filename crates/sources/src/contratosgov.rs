//! Contratos.gov.br: contracts, in the layout of the open-data API (camel case) and in that of the system's own API.
//!
//! The first knows a contract by its unit and number, the second by the system's number (`id`); the tables in
//! [`crate::contratosgov_tables`] know it by that number too. Nothing in the first layout leads to that number, so
//! its contracts do not meet the tables.

use chrono::NaiveDate;
use model::activity::activity_of_text;
use model::law::Regime;
use model::{Buyer, Contract, Modality, Record, Supplier};

use crate::detect::Draft;
use crate::error::Fault;
use crate::json_fields::{Members, closed};
use crate::json_formats::Element;
use crate::portal_despesas::receiver;
use crate::siasg::{modality, seventeen_digits, unit_code};

/// Whether a record is a contract of the open-data API.
pub(crate) fn is_contract(record: &Members<'_>) -> bool {
    record.has("codigoUnidadeGestora") && record.has("numeroContrato") && record.has("niFornecedor")
}

/// Whether a record is a contract of the system's own API.
pub(crate) fn is_own_contract(record: &Members<'_>) -> bool {
    record.has("receita_despesa") && record.has("contratante") && record.has("fornecedor")
}

/// What a contract of either layout says in its own words.
struct Said {
    id: String,
    buyer: Option<(String, Buyer)>,
    buyer_id: String,
    supplier: Option<(String, Supplier)>,
    words: Option<String>,
    code: Option<String>,
    legal_basis: Option<String>,
    object: Option<String>,
    seen_on: Option<NaiveDate>,
}

impl Said {
    /// The fields that both layouts fill alike.
    fn contract(&self, supplier_name: Option<String>) -> Contract {
        let activity = self.object.as_deref().and_then(activity_of_text).map(|a| a.code());
        Contract {
            modality: modality(self.words.as_deref(), self.code.as_deref()).map(Modality::code),
            modality_as_stated: self.words.clone(),
            regime: self.legal_basis.as_deref().and_then(Regime::from_legal_basis).map(Regime::code),
            legal_basis: self.legal_basis.clone(),
            buyer_id: Some(self.buyer_id.clone()),
            buyer_name: self.buyer.as_ref().map(|(_, b)| b.name.clone()),
            supplier_id: self.supplier.as_ref().map(|(id, _)| id.clone()),
            supplier_root: self.supplier.as_ref().and_then(|(_, s)| s.cnpj_root.clone()),
            supplier_name,
            activity,
            activity_basis: activity.map(|_| "text"),
            object: self.object.clone(),
            partition_on: self.seen_on,
            ..Contract::default()
        }
    }

    fn draft(self, contract: Contract, updated_at: Option<String>, metadata: String) -> Draft {
        let draft = Draft::of(self.id, Record::Contract(contract));
        Draft { buyer: self.buyer, supplier: self.supplier, updated_at, metadata: closed(metadata), ..draft }
    }
}

/// Maps a contract of the open-data API.
pub(crate) fn map_contract(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let unit = unit_code(&record.key_as_written("codigoUnidadeGestora")?);
    let number = record.key_as_written("numeroContrato")?;
    let starts_on = record.date_of_any_form("dataVigenciaInicial")?;
    let buyer = Buyer {
        name: record.text("nomeUnidadeGestora")?.unwrap_or_default(),
        code: Some(unit.clone()),
        parent_code: record.code_as_written("codigoOrgao")?,
        parent_name: record.text("nomeOrgao")?,
        seen_on: starts_on,
        ..Buyer::default()
    };
    let supplier_name = record.text("nomeRazaoSocialFornecedor")?;
    let supplier_code = record.code_as_written("niFornecedor")?.unwrap_or_default();
    let buyer_id = format!("uasg:{unit}");
    let said = Said {
        id: format!("contratosgov:{unit}-{number}"),
        buyer: (!buyer.name.is_empty()).then(|| (buyer_id.clone(), buyer)),
        buyer_id,
        supplier: receiver(&supplier_code, supplier_name.as_deref().unwrap_or(""), starts_on),
        words: record.text("nomeModalidadeCompra")?,
        code: record.code_as_written("codigoModalidadeCompra")?,
        legal_basis: None,
        object: record.text("objeto")?,
        seen_on: starts_on.or(element.place.file_month),
    };
    let purchase = record.text("idCompra")?.as_deref().and_then(seventeen_digits);
    let contract = Contract {
        number: Some(number),
        process: record.code_as_written("processo")?,
        category: record.text("nomeCategoria")?,
        status: record.boolean("contratoExcluido")?.filter(|gone| *gone).map(|_| "contratoExcluido".to_owned()),
        starts_on,
        ends_on: record.date_of_any_form("dataVigenciaFinal")?,
        value_final: record.money_of_any_style("valorGlobal")?,
        income: record.text("receitaDespesa")?.as_deref() == Some("R"),
        instrument: record.text("nomeTipo")?,
        installments: record.integer("numeroParcelas")?,
        tender_id: purchase.as_ref().map(|id| format!("comprasgov-v1:{id}")),
        ..said.contract(supplier_name)
    };
    for (key, kept) in [
        ("niFornecedor", said.supplier.is_some()),
        ("idCompra", purchase.is_some()),
        ("codigoModalidadeCompra", contract.modality.is_some()),
    ] {
        if !kept {
            record.leave_in_metadata(key);
        }
    }
    let mapped = [
        "codigoUnidadeGestora",
        "nomeUnidadeGestora",
        "codigoOrgao",
        "nomeOrgao",
        "numeroContrato",
        "niFornecedor",
        "nomeRazaoSocialFornecedor",
        "processo",
        "objeto",
        "nomeModalidadeCompra",
        "codigoModalidadeCompra",
        "nomeCategoria",
        "contratoExcluido",
        "dataVigenciaInicial",
        "dataVigenciaFinal",
        "valorGlobal",
        "receitaDespesa",
        "nomeTipo",
        "numeroParcelas",
        "idCompra",
        "dataColeta",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    let collected = record.text("dataColeta")?;
    Ok(said.draft(contract, collected, metadata))
}

/// Maps a contract of the system's own API.
pub(crate) fn map_own_contract(element: &Element<'_>) -> Result<Draft, Fault> {
    let record = &element.members;
    let id = record.key_as_written("id")?;
    let buying = record.object("contratante", "contratante.")?;
    let body = buying.object("orgao", "contratante.orgao.")?;
    let unit = body.object("unidade_gestora", "contratante.orgao.unidade_gestora.")?;
    let code = unit_code(&unit.key_as_written("codigo")?);
    let person = record.object("fornecedor", "fornecedor.")?;
    let supplier_name = person.text("nome")?;
    let supplier_code = person.code_as_written("cnpj_cpf_idgener")?.unwrap_or_default();
    let signed_on = record.date_of_any_form("data_assinatura")?;
    let published_on = record.date_of_any_form("data_publicacao")?;
    let starts_on = record.date_of_any_form("vigencia_inicio")?;
    let seen_on = signed_on.or(published_on).or(starts_on);
    let buyer = Buyer {
        name: unit.text("nome")?.or(unit.text("nome_resumido")?).unwrap_or_default(),
        code: Some(code.clone()),
        parent_code: body.code_as_written("codigo")?,
        parent_name: body.text("nome")?,
        seen_on,
        ..Buyer::default()
    };
    let buyer_id = format!("uasg:{code}");
    let said = Said {
        id: format!("contratosgov:{id}"),
        buyer: (!buyer.name.is_empty()).then(|| (buyer_id.clone(), buyer)),
        buyer_id,
        supplier: receiver(&supplier_code, supplier_name.as_deref().unwrap_or(""), seen_on),
        words: record.text("modalidade")?,
        code: record.code_as_written("codigo_modalidade")?,
        legal_basis: record.text("amparo_legal")?,
        object: record.text("objeto")?,
        seen_on: seen_on.or(element.place.file_month),
    };
    let income = record.text("receita_despesa")?.is_some_and(|text| model::text::fold(&text).starts_with('r'));
    let contract = Contract {
        number: record.code_as_written("numero")?,
        process: record.code_as_written("processo")?,
        category: record.text("categoria")?,
        status: record.text("situacao")?,
        signed_on,
        published_on,
        starts_on,
        ends_on: record.date_of_any_form("vigencia_fim")?,
        value_initial: record.money_of_any_style("valor_inicial")?,
        value_final: record.money_of_any_style("valor_global")?,
        income,
        instrument: record.text("tipo")?,
        installments: record.code_as_written("num_parcelas")?.and_then(|n| n.parse().ok()),
        ..said.contract(supplier_name)
    };
    if said.supplier.is_none() {
        person.leave_in_metadata("cnpj_cpf_idgener");
    }
    if contract.installments.is_none() {
        record.leave_in_metadata("num_parcelas");
    }
    let mapped = [
        "id",
        "contratante",
        "fornecedor",
        "numero",
        "processo",
        "objeto",
        "modalidade",
        "codigo_modalidade",
        "amparo_legal",
        "categoria",
        "situacao",
        "data_assinatura",
        "data_publicacao",
        "vigencia_inicio",
        "vigencia_fim",
        "valor_inicial",
        "valor_global",
        "receita_despesa",
        "tipo",
        "num_parcelas",
        "links",
    ];
    let mut metadata = String::new();
    record.push_leftovers(&mapped, &mut metadata);
    buying.push_leftovers(&["orgao"], &mut metadata);
    body.push_leftovers(&["codigo", "nome", "unidade_gestora"], &mut metadata);
    unit.push_leftovers(&["codigo", "nome"], &mut metadata);
    person.push_leftovers(&["cnpj_cpf_idgener", "nome"], &mut metadata);
    Ok(said.draft(contract, None, metadata))
}
