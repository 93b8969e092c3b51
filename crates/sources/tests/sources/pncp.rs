//! Pages and arrays of PNCP.

use serde_json::{Value, json};
use sources::Format;

use super::{brl, contract, day, metadata, read_bytes, read_hinted, tender, text};

pub fn contract_record() -> Value {
    json!({
        "numeroControlePNCP": "00000000000191-2-000007/2025", "numeroControlePncpCompra": "00000000000191-1-000003/2025",
        "receita": false, "objetoContrato": "Fornecimento de café", "informacaoComplementar": null,
        "valorInicial": 1100.1, "valorGlobal": 1200.0, "valorParcela": 0.0,
        "dataAtualizacaoGlobal": "2025-06-24T00:30:04", "dataAtualizacao": "2025-06-23T00:00:00",
        "numeroContratoEmpenho": "7/2025", "processo": "23000/2025", "dataAssinatura": "2025-06-20",
        "dataVigenciaInicio": "2025-06-21", "dataVigenciaFim": "2026-06-20", "dataPublicacaoPncp": "2025-06-24T00:30:04",
        "niFornecedor": "00000000000191", "tipoPessoa": "PJ", "nomeRazaoSocialFornecedor": "EXEMPLO SA",
        "orgaoEntidade": {"cnpj": "00000000000191", "razaoSocial": "MUNICIPIO DE EXEMPLO", "poderId": "E", "esferaId": "M"},
        "unidadeOrgao": {"ufNome": "Santa Catarina", "codigoIbge": "4200000", "codigoUnidade": "U1", "nomeUnidade": "PREFEITURA", "ufSigla": "SC", "municipioNome": "Exemplo"},
        "categoriaProcesso": {"id": 2, "nome": "Compras"}
    })
}

pub fn tender_record() -> Value {
    json!({
        "numeroControlePNCP": "00000000000191-1-000003/2025", "numeroCompra": "90003", "processo": "23000/2025",
        "objetoCompra": "Aquisição de medicamentos", "modalidadeId": 6, "modalidadeNome": "Pregão - Eletrônico",
        "amparoLegal": {"codigo": 1, "nome": "Lei 14.133/2021, Art. 28, I", "descricao": "pregão"},
        "orgaoEntidade": {"cnpj": "00000000000191", "razaoSocial": "MUNICIPIO DE EXEMPLO", "poderId": "N", "esferaId": "N"},
        "unidadeOrgao": {"ufSigla": "SC", "codigoUnidade": "U1", "nomeUnidade": "PREFEITURA", "municipioNome": "Exemplo"},
        "situacaoCompraNome": "Divulgada no PNCP", "srp": true, "valorTotalEstimado": 0.0, "valorTotalHomologado": 30550.25,
        "dataAberturaProposta": "2025-06-16T08:00:00", "dataEncerramentoProposta": "2025-07-02T10:00:00",
        "dataPublicacaoPncp": "2025-06-15T07:55:03", "dataAtualizacao": "2025-07-08T10:50:23", "fontesOrcamentarias": []
    })
}

pub fn page(records: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({
        "data": records, "totalRegistros": records.len(), "totalPaginas": 1, "numeroPagina": 1, "paginasRestantes": 0, "empty": records.is_empty()
    }))
    .unwrap()
}

#[test]
fn a_contract_maps_exactly() {
    let outcome = read_bytes("pagina.json", &page(&[contract_record()]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpContratos);
    let row = outcome.only();
    assert_eq!((row.sourced.id.as_str(), row.sourced.line), ("pncp:00000000000191-2-000007-2025", 1));
    assert_eq!(row.sourced.updated_at, text("2025-06-24T00:30:04"));
    let found = contract(&row.sourced);
    assert_eq!((&found.number, &found.process), (&text("7/2025"), &text("23000/2025")));
    assert_eq!((&found.object, &found.category), (&text("Fornecimento de café"), &text("Compras")));
    assert_eq!((found.value_initial, found.value_final, found.income), (brl("1100.1"), brl("1200"), false));
    assert_eq!((found.signed_on, found.published_on), (day("2025-06-20"), day("2025-06-24")));
    assert_eq!((found.starts_on, found.ends_on), (day("2025-06-21"), day("2026-06-20")));
    assert_eq!(found.tender_id, text("pncp:00000000000191-1-000003-2025"));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("pncp:00000000000191-U1"), &text("PREFEITURA")));
    assert_eq!((found.modality, &found.legal_basis, found.regime), (None, &None, None));
    assert_eq!(found.partition_on, day("2025-06-20"));
    assert_eq!(
        metadata(&row.sourced),
        json!({
            "valorParcela": 0.0, "dataAtualizacao": "2025-06-23T00:00:00", "tipoPessoa": "PJ", "categoriaProcesso.id": 2,
            "unidadeOrgao.ufNome": "Santa Catarina", "unidadeOrgao.codigoIbge": "4200000"
        })
    );
    let (_, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!(
        (buyer.sphere.as_deref(), buyer.branch.as_deref(), buyer.state.as_deref()),
        (Some("M"), Some("E"), Some("SC"))
    );
    assert_eq!(
        (buyer.cnpj.as_deref(), buyer.parent_name.as_deref()),
        (Some("00000000000191"), Some("MUNICIPIO DE EXEMPLO"))
    );
}

#[test]
fn a_tender_maps_exactly_and_a_zero_estimate_is_none() {
    let outcome = read_bytes("p.json", &page(&[tender_record()]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpContratacoes);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "pncp:00000000000191-1-000003-2025");
    assert_eq!(row.sourced.updated_at, text("2025-07-08T10:50:23"));
    let found = tender(&row.sourced);
    assert_eq!((found.modality, &found.modality_as_stated), (Some("pregao"), &text("Pregão - Eletrônico")));
    assert_eq!((&found.legal_basis, found.regime), (&text("Lei 14.133/2021, Art. 28, I"), Some("lei_14133")));
    assert_eq!(
        (found.published_on, found.opened_on, found.closes_on),
        (day("2025-06-15"), day("2025-06-16"), day("2025-07-02"))
    );
    assert_eq!((found.value_estimated, found.value_awarded), (None, brl("30550.25")));
    assert_eq!((found.price_registration, &found.status), (Some(true), &text("Divulgada no PNCP")));
    assert_eq!(
        metadata(&row.sourced),
        json!({"valorTotalEstimado": 0.0, "amparoLegal.codigo": 1, "amparoLegal.descricao": "pregão"})
    );
    assert_eq!(row.buyer.as_ref().unwrap().1.sphere, None, "N is no sphere");
}

#[test]
fn income_is_told_from_spending() {
    let mut record = contract_record();
    record["receita"] = json!(true);
    assert!(contract(&read_bytes("p.json", &page(&[record])).only().sourced).income);
}

#[test]
fn a_bare_array_is_read_as_a_page_is() {
    let records = [contract_record(), contract_record()];
    let bare = read_bytes("a.json", &serde_json::to_vec_pretty(&records).unwrap());
    let page = read_bytes("p.json", &page(&records));
    assert_eq!(bare.events, page.events, "blanks change neither rows nor hashes");
    assert_eq!(bare.rows().len(), 2);
}

#[test]
fn a_page_without_records_is_read_as_such() {
    let outcome = read_bytes("p.json", &page(&[]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpEmpty);
    assert!(outcome.events.is_empty());
    assert!(read_bytes("p.json", b"[]").result.is_err());
    assert!(read_hinted("p.json", b"[]", Some("pncp")).result.is_ok());
}

#[test]
fn amounts_are_the_digits_as_written() {
    let page = |amount: &str| {
        let text = serde_json::to_string(&[contract_record()]).unwrap();
        read_bytes("p.json", text.replace("1100.1", amount).as_bytes())
    };
    assert_eq!(contract(&page("90071992547409.93").only().sourced).value_initial, brl("90071992547409.93"));
    assert_eq!(contract(&page("1.0E7").only().sourced).value_initial, brl("10000000"));
    assert_eq!(page("1.00005").faults(), [(1, "amount")]);
    assert_eq!(page("1e30").faults(), [(1, "amount")]);
    assert_eq!(page("\"1100.10\"").faults(), [(1, "type")]);
}

#[test]
fn a_bad_record_is_quarantined_with_its_member_and_the_rest_goes_on() {
    let mut wrong_type = contract_record();
    wrong_type["unidadeOrgao"]["nomeUnidade"] = json!(5);
    let mut wrong_day = contract_record();
    wrong_day["dataAssinatura"] = json!("2025-02-30");
    let mut nameless = contract_record();
    nameless["numeroControlePNCP"] = json!(null);
    let outcome =
        read_bytes("p.json", &page(&[contract_record(), wrong_type, wrong_day, nameless, json!(7), contract_record()]));
    assert_eq!(outcome.faults(), [(2, "type"), (3, "date"), (4, "required_field"), (5, "type")]);
    let columns: Vec<_> = outcome.bad().iter().map(|b| b.column.as_deref()).collect();
    assert_eq!(columns, [Some("unidadeOrgao.nomeUnidade"), Some("dataAssinatura"), Some("numeroControlePNCP"), None]);
    assert_eq!(outcome.rows().len(), 2);
    assert!(outcome.result.is_ok());
}

#[test]
fn persons_are_masked_everywhere() {
    let mut record = contract_record();
    record["niFornecedor"] = json!("52998224725");
    record["tipoPessoa"] = json!("PF");
    record["nomeRazaoSocialFornecedor"] = json!("JOSE DA SILVA 52998224725");
    record["informacaoComplementar"] = json!("CPF 529.982.247-25");
    record["extra"] = json!([52998224725_u64]);
    let outcome = read_bytes("p.json", &page(std::slice::from_ref(&record)));
    let row = outcome.only();
    assert_eq!(contract(&row.sourced).supplier_id, text("cpf:***.982.247-**|jose da silva 982247"));
    assert_eq!(metadata(&row.sourced)["extra"], json!("[***982247**]"));
    assert!(!format!("{row:?}").contains("52998"));
    record["dataAssinatura"] = json!("52998224725");
    let outcome = read_bytes("p.json", &page(&[record]));
    assert_eq!(outcome.faults(), [(1, "date")]);
    assert!(!format!("{:?}", outcome.events).contains("52998"));
}

#[test]
fn a_foreign_supplier_is_foreign_though_its_number_is_digits() {
    let mut record = contract_record();
    record["niFornecedor"] = json!("404325440");
    record["tipoPessoa"] = json!("PE");
    let outcome = read_bytes("p.json", &page(&[record]));
    let (id, supplier) = outcome.only().supplier.clone().unwrap();
    assert_eq!((id.as_str(), supplier.kind), ("ext:404325440|exemplo sa", "foreign"));
}
