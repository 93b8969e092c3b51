//! REST answers of the Portal.

use model::{Bid, Record};
use serde_json::{Value, json};
use sources::Format;

use super::portal_despesas::payment;
use super::{Outcome, brl, contract, day, metadata, read_bytes, sanction, tender, text};

fn unit() -> Value {
    json!({
        "codigo": "159999", "nome": "CAMPUS EXEMPLO", "descricaoPoder": "EXECUTIVO",
        "orgaoVinculado": {"codigoSIAFI": "26999", "cnpj": "", "sigla": "UEX", "nome": "Universidade de Exemplo"},
        "orgaoMaximo": {"codigo": "26000", "sigla": "MEC", "nome": "Ministério da Educação"}
    })
}

fn read(records: &[Value]) -> Outcome {
    read_bytes("pagina.json", &serde_json::to_vec(records).unwrap())
}

fn contract_record() -> Value {
    json!({
        "id": 671094, "numero": "00012/2024", "objeto": "Objeto: Aquisição de papel",
        "situacaoContrato": {"codigo": 1, "descricao": "Publicado"}, "modalidadeCompra": "Dispensa de Licitação",
        "fundamentoLegal": "Lei 14.133/2021, art. 75, II", "numeroProcesso": "23000.1/2024",
        "compra": {"numero": "000072024", "objeto": "Papel", "contatoResponsavel": "fulano@example.org"},
        "unidadeGestora": unit(), "dataAssinatura": "05/02/2024", "dataPublicacaoDOU": "2024-02-07",
        "dataInicioVigencia": "05/02/2024", "dataFimVigencia": "04/02/2025",
        "fornecedor": {"id": 9, "cpfFormatado": "", "cnpjFormatado": "00.000.000/0001-91", "nome": "EXEMPLO SA", "tipo": "Entidades Empresariais Privadas"},
        "valorInicialCompra": "6.058,60", "valorFinalCompra": 7058.6
    })
}

#[test]
fn a_contract_maps_exactly() {
    let outcome = read(&[contract_record()]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalApiContratos);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-api:contrato:671094");
    let found = contract(&row.sourced);
    assert_eq!((&found.number, &found.process), (&text("00012/2024"), &text("23000.1/2024")));
    assert_eq!(
        (found.modality, found.regime, &found.status),
        (Some("dispensa"), Some("lei_14133"), &text("Publicado"))
    );
    assert_eq!((found.signed_on, found.published_on), (day("2024-02-05"), day("2024-02-07")));
    assert_eq!((found.starts_on, found.ends_on), (day("2024-02-05"), day("2025-02-04")));
    assert_eq!((found.value_initial, found.value_final), (brl("6058.6"), brl("7058.6")));
    assert_eq!((&found.supplier_id, &found.buyer_id), (&text("cnpj:00000000000191"), &text("uasg:159999")));
    let buyer = &row.buyer.as_ref().unwrap().1;
    assert_eq!((&buyer.branch, &buyer.parent_code, &buyer.superior_code), (&text("E"), &text("26999"), &text("26000")));
    let metadata = metadata(&row.sourced);
    assert_eq!(metadata["compra.numero"], json!("000072024"));
    assert!(!metadata.to_string().contains("example.org"), "how to reach people is not kept");
}

#[test]
fn a_tender_maps_exactly_and_a_value_of_zero_is_none() {
    let record = json!({
        "id": 230912613, "dataResultadoCompra": "02/02/2016", "dataAbertura": "27/01/2016", "dataReferencia": "12/01/2016",
        "dataPublicacao": "12/01/2016", "situacaoCompra": {"codigo": 103, "descricao": "Publicado"},
        "modalidadeLicitacao": {"descricao": "Pregão - Registro de Preço"}, "instrumentoLegal": null, "valor": 0,
        "municipio": {"codigoIBGE": "4200000", "nomeIBGE": "EXEMPLO", "pais": "BRASIL", "uf": {"sigla": "SC", "nome": "SANTA CATARINA"}},
        "unidadeGestora": unit(), "licitacao": {"numero": "000022016", "objeto": "Objeto: Compra de pneus", "numeroProcesso": "23088", "contatoResponsavel": ""}
    });
    let mut with_value = record.clone();
    with_value["valor"] = json!("1.000,00");
    let mut without_result = with_value.clone();
    without_result["dataResultadoCompra"] = json!(null);
    let outcome = read(&[record, with_value, without_result]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalApiLicitacoes);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    let found = tender(&rows[0].sourced);
    assert_eq!(
        (&found.number, found.modality, found.price_registration),
        (&text("000022016"), Some("pregao"), Some(true))
    );
    assert_eq!(
        (found.published_on, found.opened_on, found.result_on),
        (day("2016-01-12"), day("2016-01-27"), day("2016-02-02"))
    );
    assert_eq!((found.value_awarded, &metadata(&rows[0].sourced)["valor"]), (None, &json!(0)));
    assert_eq!(tender(&rows[1].sourced).value_awarded, brl("1000"));
    assert_eq!(tender(&rows[2].sourced).value_awarded, None, "no result, no award");
    assert_eq!(metadata(&rows[2].sourced)["valor"], json!("1.000,00"));
    let buyer = &rows[0].buyer.as_ref().unwrap().1;
    assert_eq!((&buyer.state, &buyer.municipality), (&text("SC"), &text("EXEMPLO")));
}

#[test]
fn a_participant_finds_its_tender_or_is_quarantined() {
    let record = json!({
        "idLicitacao": 230912613, "codigoItemCompra": "15999905000022016000001", "descricaoItemCompra": "PNEU",
        "cpfCnpjParticipante": "00.000.000/0001-91", "nomeParticipante": "EXEMPLO SA", "flagVencedor": "SIM"
    });
    let mut by_key = record.clone();
    by_key["idLicitacao"] = json!(null);
    (by_key["codigoUG"], by_key["codigoModalidade"], by_key["numeroLicitacao"]) =
        (json!("159999"), json!(5), json!("000022016"));
    let mut lost = record.clone();
    lost["idLicitacao"] = json!(null);
    let outcome = read(&[record, by_key, lost]);
    assert_eq!(outcome.faults(), [(3, "required_field")]);
    let rows = outcome.rows();
    let bid = |at: usize| -> &Bid {
        let Record::Bid(bid) = &rows[at].sourced.record else { panic!("a bid") };
        bid
    };
    assert_eq!((&bid(0).tender_id, bid(0).won), (&text("portal-api:licitacao:230912613"), Some(true)));
    assert_eq!((&bid(0).bidder_id, &bid(0).bidder_root), (&text("cnpj:00000000000191"), &text("00000000")));
    assert_eq!(bid(1).tender_id, text("portal-licitacoes:159999-5-000022016"));
}

#[test]
fn sanctions_of_both_registers_map_exactly() {
    let ceis = json!({
        "id": 303033, "dataReferencia": "01/08/2023", "dataInicioSancao": "25/07/2023", "dataFimSancao": "24/07/2025",
        "dataPublicacaoSancao": "26/07/2023", "dataOrigemInformacao": "Sem informação", "tipoSancao": {"descricaoResumida": "Suspensão", "descricaoPortal": "Suspensão"},
        "fonteSancao": {"nomeExibicao": "Prefeitura", "telefoneContato": "(11) 1111-1111", "enderecoContato": "RUA X"},
        "fundamentacao": [{"codigo": "1", "descricao": "LEI 8666 - ART. 87, III"}], "numeroProcesso": "123/2023",
        "orgaoSancionador": {"nome": "Prefeitura de Exemplo", "siglaUf": "SP", "poder": "Executivo", "esfera": "MUNICIPAL"},
        "sancionado": {"nome": "EXEMPLO SA", "codigoFormatado": "00.000.000/0001-91"},
        "pessoa": {"id": 1, "cpfFormatado": "", "cnpjFormatado": "00.000.000/0001-91", "nome": "EXEMPLO SA"},
        "abrangenciaDefinidaDecisaoJudicial": "No órgão sancionador"
    });
    let mut cnep = ceis.clone();
    cnep["valorMulta"] = json!("R$ 1.000,50");
    let outcome = read(&[ceis, cnep]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalApiCeis);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    assert_eq!(
        (rows[0].sourced.id.as_str(), rows[1].sourced.id.as_str()),
        ("portal-api:ceis:303033", "portal-api:cnep:303033")
    );
    let found = sanction(&rows[0].sourced);
    assert_eq!((&found.register, found.kind, found.bars_contracting), (&text("CEIS"), Some("suspensao"), Some(true)));
    assert_eq!(
        (found.starts_on, found.ends_on, found.listed_on),
        (day("2023-07-25"), day("2025-07-24"), day("2023-08-01"))
    );
    assert_eq!(
        (&found.body_sphere, found.body_sphere_basis, &found.body_state),
        (&text("M"), Some("stated"), &text("SP"))
    );
    assert_eq!((found.scope_min, found.scope_max), (Some(0), Some(0)));
    assert_eq!((&found.supplier_id, &found.process), (&text("cnpj:00000000000191"), &text("123/2023")));
    let kept = metadata(&rows[0].sourced);
    assert_eq!(kept["fonteSancao.nomeExibicao"], json!("Prefeitura"));
    assert!(!kept.to_string().contains("1111"));
    let found = sanction(&rows[1].sourced);
    assert_eq!((&found.register, found.fine), (&text("CNEP"), brl("1000.5")));
}

#[test]
fn a_document_of_expense_maps_exactly() {
    let record = json!({
        "data": "05/02/2024", "documento": "159999000012024NE000012", "documentoResumido": "2024NE000012", "fase": "Empenho",
        "especie": "Anulação", "codigoFavorecido": "00.000.000/0001-91", "nomeFavorecido": "EXEMPLO SA", "valor": "1.234,56",
        "codigoUg": "159999", "ug": "CAMPUS EXEMPLO", "codigoOrgao": "26999", "orgao": "Universidade", "elemento": "30 - Material de Consumo",
        "numeroProcesso": "23000", "observacao": "Café"
    });
    let mut unknown = record.clone();
    unknown["fase"] = json!("Outra");
    let outcome = read(&[record, unknown]);
    assert_eq!(outcome.faults(), [(2, "type")]);
    let row = outcome.rows()[0];
    assert_eq!(row.sourced.id, "portal-api:documento:159999000012024NE000012:2024-02-05");
    let found = payment(&row.sourced);
    assert_eq!((found.kind, found.value), ("commitment", brl("-1234.56")));
    assert_eq!((&found.expense_code, &found.expense_name), (&text("30"), &text("Material de Consumo")));
    assert_eq!(metadata(&row.sourced), json!({"especie": "Anulação", "valor": "1.234,56"}));
}

#[test]
fn amounts_that_are_none_are_quarantined_and_dots_without_commas_are_read() {
    let with = |value: Value| {
        let mut record = contract_record();
        record["valorInicialCompra"] = value;
        read(&[record])
    };
    let value = |value: Value| contract(&with(value).only().sourced).value_initial;
    assert_eq!(value(json!("1234.56")), brl("1234.56"));
    assert_eq!(value(json!("1.234")), brl("1234"), "dots in groups of three are Brazilian");
    assert_eq!(value(json!("- 24.312,82")), brl("-24312.82"));
    assert_eq!(with(json!("abc")).faults(), [(1, "amount")]);
    assert_eq!(with(json!("1,23456")).faults(), [(1, "amount")]);
    assert_eq!(with(json!([1])).faults(), [(1, "type")]);
}
