//! Items and results of purchases, and terms of contracts, of PNCP.

use model::{Amendment, Bid, Item, Quantity, Record, Sourced};
use serde_json::{Value, json};
use sources::{Also, Format, Parsed};

use super::pncp::{contract_record, tender_record};
use super::{brl, contract, day, metadata, read_bytes, read_input, tender, text, the_input};

const TENDER: &str = "pncp:00000000000191-1-000003-2025";

pub fn item_record() -> Value {
    json!({
        "numeroItem": 2, "descricao": "Café torrado", "materialOuServico": "M", "materialOuServicoNome": "Material",
        "valorUnitarioEstimado": 21.5, "valorTotal": 215.0, "quantidade": 10.5, "unidadeMedida": "Quilograma",
        "orcamentoSigiloso": false, "itemCategoriaId": 3, "itemCategoriaNome": "Não se aplica", "patrimonio": null,
        "criterioJulgamentoId": 1, "criterioJulgamentoNome": "Menor preço", "situacaoCompraItem": 2,
        "situacaoCompraItemNome": "Homologado", "tipoBeneficio": 4, "tipoBeneficioNome": "Não se aplica",
        "dataInclusao": "2025-06-15T07:55:03", "dataAtualizacao": "2025-07-08T10:50:23", "temResultado": true,
        "catalogoCodigoItem": "463989", "informacaoComplementar": "Pacote de 500 g"
    })
}

pub fn result_record() -> Value {
    json!({
        "numeroControlePNCPCompra": "00000000000191-1-000003/2025", "numeroItem": 2, "sequencialResultado": 1,
        "niFornecedor": "00000000000191", "tipoPessoa": "PJ", "nomeRazaoSocialFornecedor": "EXEMPLO SA",
        "valorTotalHomologado": 210.0, "valorUnitarioHomologado": 20.0, "quantidadeHomologada": 10.5, "percentualDesconto": 0.0,
        "porteFornecedorId": "3", "porteFornecedorNome": "Demais", "indicadorSubcontratacao": false, "ordemClassificacaoSrp": null,
        "dataResultado": "2025-07-05", "situacaoCompraItemResultadoId": "1", "situacaoCompraItemResultadoNome": "Informado",
        "dataInclusao": "2025-07-06T00:00:00", "dataAtualizacao": "2025-07-07T09:00:00"
    })
}

pub fn term_record() -> Value {
    json!({
        "sequencialTermoContrato": 1, "numeroTermoContrato": "01/2026", "tipoTermoContratoNome": "Termo Aditivo",
        "objetoTermoContrato": "Acréscimo de 10%", "qualificacaoAcrescimoSupressao": true, "qualificacaoVigencia": false,
        "dataAssinatura": "2026-01-10", "dataPublicacaoPncp": "2026-01-12T10:00:00", "dataVigenciaInicio": "2026-01-10",
        "dataVigenciaFim": "2026-12-20", "valorAcrescido": 120.0, "valorGlobal": 1320.0, "prazoAditadoDias": 180,
        "niFornecedor": "00000000000191", "dataAtualizacao": "2026-01-12T11:00:00",
        "orgaoEntidade": {"cnpj": "00000000000191", "razaoSocial": "MUNICIPIO DE EXEMPLO", "poderId": "E", "esferaId": "M"},
        "unidade": {"codigoUnidade": "U1", "nomeUnidade": "PREFEITURA", "ufSigla": "SC", "ufNome": "Santa Catarina"}
    })
}

fn item(sourced: &Sourced) -> &Item {
    let Record::Item(item) = &sourced.record else { panic!("an item, not {:?}", sourced.record) };
    item
}

fn bid(sourced: &Sourced) -> &Bid {
    let Record::Bid(bid) = &sourced.record else { panic!("a bid, not {:?}", sourced.record) };
    bid
}

fn amendment(sourced: &Sourced) -> &Amendment {
    let Record::Amendment(amendment) = &sourced.record else { panic!("an amendment, not {:?}", sourced.record) };
    amendment
}

fn inner(row: &Parsed) -> Vec<&Sourced> {
    row.more.iter().filter_map(|also| if let Also::Record(sourced) = also { Some(sourced) } else { None }).collect()
}

fn array(records: &[Value]) -> Vec<u8> {
    serde_json::to_vec(records).unwrap()
}

#[test]
fn an_item_maps_exactly_and_its_purchase_is_in_the_files_name() {
    let outcome = read_bytes("00000000000191-1-000003-2025_itens.json", &array(&[item_record()]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpItens);
    let row = outcome.only();
    assert_eq!(row.sourced.id, format!("{TENDER}:item:2"));
    assert_eq!(row.sourced.updated_at, text("2025-07-08T10:50:23"));
    let found = item(&row.sourced);
    assert_eq!((&found.tender_id, &found.contract_id, &found.buyer_id), (&text(TENDER), &None, &None));
    assert_eq!((&found.number, &found.category), (&text("2"), &text("Material")));
    assert_eq!((&found.description, &found.detail), (&text("Café torrado"), &text("Pacote de 500 g")));
    assert_eq!(
        (&found.catalog_code, &found.unit, found.unit_basis),
        (&text("463989"), &text("Quilograma"), Some("stated"))
    );
    assert_eq!(found.quantity, Some(Quantity::parse("10.5").unwrap()));
    assert_eq!((found.unit_estimate, found.unit_price, found.total), (brl("21.5"), None, None));
    assert_eq!((&found.status, found.partition_on), (&text("Homologado"), day("2025-06-15")));
    let left = metadata(&row.sourced);
    assert_eq!((&left["valorTotal"], &left["criterioJulgamentoNome"]), (&json!(215.0), &json!("Menor preço")));
    assert_eq!((&left["tipoBeneficio"], &left["materialOuServico"]), (&json!(4), &json!("M")));
}

#[test]
fn the_folder_or_the_record_states_the_purchase_too_and_else_it_is_quarantined() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orgaos/00000000000191/compras/2025/3/itens.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, array(&[item_record()])).unwrap();
    let outcome = read_input(&the_input(&path), None);
    assert_eq!(item(&outcome.only().sourced).tender_id, text(TENDER));

    let mut stated = item_record();
    stated["numeroControlePNCPCompra"] = json!("00000000000272-1-000009/2025");
    let outcome = read_bytes("00000000000191-1-000003-2025.json", &array(&[stated]));
    let of_record = text("pncp:00000000000272-1-000009-2025");
    assert_eq!(item(&outcome.only().sourced).tender_id, of_record, "the record goes before the name");

    for name in ["itens.json", "00000000000191-2-000007-2025_itens.json"] {
        let outcome = read_bytes(name, &array(&[item_record()]));
        assert_eq!(outcome.faults(), [(1, "required_field")], "{name}");
        assert_eq!(outcome.bad()[0].column.as_deref(), Some("numeroControlePNCPCompra"));
    }
}

#[test]
fn a_sealed_estimate_is_none_and_stays_as_it_came() {
    let mut record = item_record();
    record["valorUnitarioEstimado"] = json!(0.0);
    let outcome = read_bytes("00000000000191-1-000003-2025_itens.json", &array(&[record]));
    let row = outcome.only();
    assert_eq!(item(&row.sourced).unit_estimate, None);
    assert_eq!(metadata(&row.sourced)["valorUnitarioEstimado"], json!(0.0));
}

#[test]
fn a_result_maps_exactly() {
    let outcome = read_bytes("r.json", &array(&[result_record()]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpResultados);
    let row = outcome.only();
    assert_eq!(row.sourced.id, format!("{TENDER}:bid:2:1"));
    assert_eq!(row.sourced.updated_at, text("2025-07-07T09:00:00"));
    let found = bid(&row.sourced);
    assert_eq!((&found.tender_id, &found.item_number), (&text(TENDER), &text("2")));
    assert_eq!(
        (&found.bidder_id, &found.bidder_root, &found.bidder_name),
        (&text("cnpj:00000000000191"), &text("00000000"), &text("EXEMPLO SA"))
    );
    assert_eq!((found.won, found.valid, &found.status), (Some(true), None, &text("Informado")));
    assert_eq!((found.value, found.unit_price), (brl("210"), brl("20")));
    assert_eq!((found.quantity, found.rank), (Some(Quantity::parse("10.5").unwrap()), None));
    assert_eq!((found.submitted_on, found.partition_on), (None, day("2025-07-05")));
    assert_eq!(row.supplier.as_ref().unwrap().1.seen_on, day("2025-07-05"));
    let left = metadata(&row.sourced);
    assert_eq!((&left["porteFornecedorNome"], &left["tipoPessoa"]), (&json!("Demais"), &json!("PJ")));
}

#[test]
fn a_cancelled_result_and_a_place_behind_the_first_are_no_clear_win() {
    let mut cancelled = result_record();
    cancelled["situacaoCompraItemResultadoId"] = json!(2);
    let mut second = result_record();
    second["ordemClassificacaoSrp"] = json!(2);
    let mut first = result_record();
    first["ordemClassificacaoSrp"] = json!(1);
    let outcome = read_bytes("r.json", &array(&[cancelled, second, first]));
    let judged: Vec<_> = outcome.rows().iter().map(|r| bid(&r.sourced)).map(|b| (b.won, b.valid, b.rank)).collect();
    assert_eq!(judged, [(None, Some(false), None), (None, None, Some(2)), (Some(true), None, Some(1))]);
}

#[test]
fn a_result_without_its_number_is_known_by_the_supplier() {
    let mut record = result_record();
    record["sequencialResultado"] = json!(null);
    let outcome = read_bytes("r.json", &array(std::slice::from_ref(&record)));
    assert_eq!(outcome.only().sourced.id, format!("{TENDER}:bid:2:cnpj:00000000000191"));
    record["niFornecedor"] = json!(null);
    assert_eq!(read_bytes("r.json", &array(&[record])).faults(), [(1, "required_field")]);
}

#[test]
fn a_tender_brings_the_items_and_results_that_stand_in_it() {
    let mut record = tender_record();
    let mut with_result = item_record();
    let mut result = result_record();
    result["numeroItem"] = json!(null);
    with_result["resultados"] = json!([result]);
    let mut other = item_record();
    other["numeroItem"] = json!("3");
    record["itens"] = json!([with_result, other]);
    let outcome = read_bytes("p.json", &array(&[record.clone()]));
    let row = outcome.only();
    assert_eq!(tender(&row.sourced).criterion, text("Menor preço"));
    assert!(metadata(&row.sourced).get("itens").is_none());
    let found = inner(row);
    let ids: Vec<_> = found.iter().map(|s| s.id.strip_prefix(TENDER).unwrap()).collect();
    assert_eq!(ids, [":item:2", ":bid:2:1", ":item:3"]);
    assert_eq!(item(found[0]).buyer_id, text("pncp:00000000000191-U1"));
    assert_eq!(found[0].updated_at, text("2025-07-08T10:50:23"), "an item is dated by itself");
    assert_eq!(metadata(found[0])["valorTotal"], json!(215.0));
    assert!(row.more.iter().any(|also| matches!(also, Also::Supplier(id, _) if id == "cnpj:00000000000191")));

    record["itens"][1]["criterioJulgamentoNome"] = json!("Maior desconto");
    let outcome = read_bytes("p.json", &array(&[record.clone()]));
    assert_eq!(tender(&outcome.only().sourced).criterion, None, "items of two criteria");
    record["itens"][1]["quantidade"] = json!("dez");
    let outcome = read_bytes("p.json", &array(&[record]));
    assert_eq!(outcome.bad()[0].column.as_deref(), Some("itens.quantidade"));
}

#[test]
fn a_purchase_of_which_only_the_number_stands_there_gives_its_items_and_results() {
    let wrapper = json!({
        "numeroControlePNCP": "00000000000191-1-000003/2025", "coletadoEm": "2025-07-09",
        "itens": [item_record()], "resultados": [result_record()]
    });
    let outcome = read_bytes("w.json", wrapper.to_string().as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpItens);
    let row = outcome.only();
    assert_eq!(row.sourced.id, format!("{TENDER}:item:2"));
    assert_eq!(metadata(&row.sourced)["coletadoEm"], json!("2025-07-09"));
    assert_eq!(inner(row)[0].id, format!("{TENDER}:bid:2:1"));
    let empty = json!({"numeroControlePNCP": "00000000000191-1-000003/2025", "itens": []});
    assert_eq!(read_bytes("w.json", empty.to_string().as_bytes()).faults(), [(1, "required_field")]);
}

#[test]
fn a_term_maps_exactly() {
    let outcome = read_bytes("00000000000191-2-000007-2025_termos.json", &array(&[term_record()]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PncpTermos);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "pncp:00000000000191-2-000007-2025:term:1");
    assert_eq!(row.sourced.updated_at, text("2026-01-12T11:00:00"));
    let found = amendment(&row.sourced);
    assert_eq!(found.contract_id, text("pncp:00000000000191-2-000007-2025"));
    assert_eq!((&found.number, found.kind, &found.nature), (&text("01/2026"), "amendment", &text("Termo Aditivo")));
    assert_eq!((&found.object, &found.buyer_id), (&text("Acréscimo de 10%"), &text("pncp:00000000000191-U1")));
    assert_eq!((found.value, found.value_after), (brl("120"), None));
    assert_eq!((found.signed_on, found.published_on), (day("2026-01-10"), day("2026-01-12")));
    assert_eq!((found.starts_on, found.ends_on), (day("2026-01-10"), day("2026-12-20")));
    assert_eq!(found.partition_on, day("2026-01-10"));
    assert_eq!(
        metadata(&row.sourced),
        json!({
            "qualificacaoAcrescimoSupressao": true, "qualificacaoVigencia": false, "valorGlobal": 1320.0,
            "prazoAditadoDias": 180, "niFornecedor": "00000000000191", "unidade.ufNome": "Santa Catarina"
        })
    );
    assert_eq!(
        read_bytes("00000000000191-1-000003-2025.json", &array(&[term_record()])).faults(),
        [(1, "required_field")]
    );
}

#[test]
fn a_contract_brings_its_terms_and_states_instrument_and_instalments() {
    let mut record = contract_record();
    record["numeroParcelas"] = json!(12);
    record["tipoContrato"] = json!({"id": 1, "nome": "Contrato (termo inicial)"});
    let mut apostille = term_record();
    apostille["tipoTermoContratoNome"] = json!("Termo de Apostilamento");
    apostille["unidade"] = json!(null);
    record["termos"] = json!([apostille]);
    let outcome = read_bytes("c.json", &array(&[record]));
    let row = outcome.only();
    let found = contract(&row.sourced);
    assert_eq!((found.installments, &found.instrument), (Some(12), &text("Contrato (termo inicial)")));
    assert_eq!(metadata(&row.sourced)["tipoContrato.id"], json!(1));
    let term = amendment(inner(row)[0]);
    assert_eq!((term.kind, &term.buyer_id), ("apostille", &text("pncp:00000000000191-U1")));
}

#[test]
fn minutes_of_price_registration_are_no_tenders() {
    let mut record = tender_record();
    record["numeroAtaRegistroPreco"] = json!("12/2025");
    assert!(read_bytes("atas.json", &array(&[record])).result.is_err());
}
