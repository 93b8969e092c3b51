//! Compras.gov.br, first API.

use model::{Item, Record, Sourced};
use serde_json::{Value, json};
use sources::{Also, Format};

use super::{brl, contract, day, metadata, read_bytes, tender, text};

fn item(sourced: &Sourced) -> &Item {
    let Record::Item(item) = &sourced.record else { panic!("an item, not {:?}", sourced.record) };
    item
}

fn page(kind: &str, records: &[Value]) -> Vec<u8> {
    serde_json::to_vec(
        &json!({"_links": {"self": {"href": "x"}}, "_embedded": {kind: records}, "count": records.len()}),
    )
    .unwrap()
}

fn links(end: &str) -> Value {
    json!({
        "self": {"href": format!("/x/id/y/{end}"), "title": "Compra -  159999.06.00012.2016"},
        "modalidade_licitacao": {"title": "Modalidade de Licitação 6: Dispensa"}, "orgao": {"title": "Orgão 26999: UNIVERSIDADE DE EXEMPLO"},
        "uasg": {"title": "UASG 159999: CAMPUS EXEMPLO"}
    })
}

#[test]
fn a_purchase_without_tender_maps_exactly() {
    let record = json!({
        "co_orgao": "26999", "co_uasg": 159999, "co_modalidade_licitacao": 6, "nu_inciso": "02", "nu_processo": "23000",
        "vr_estimado": 1200.0, "ds_fundamento_legal": "Fundamento Legal: Art. 24º, Inciso II da Lei nº 8.666 de 21/06/1993.",
        "ds_justificativa": "Justificativa: Emergencial.", "dtDeclaracaoDispensa": "2016-01-26T00:00:00", "_links": links("15999906000122016")
    });
    let mut short = record.clone();
    (short["co_uasg"], short["_links"]["self"]["href"]) = (json!(70001), json!("/x/7000106000122016"));
    (short["vr_estimado"], short["dtPublicacao"]) = (json!(0.0), json!("2016-02-01T00:00:00"));
    let outcome = read_bytes("p.json", &page("compras", &[record, short]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ComprasgovCompras);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, "comprasgov-v1:15999906000122016");
    let found = tender(&rows[0].sourced);
    assert_eq!((&found.number, &found.process, &found.object), (&text("00012/2016"), &text("23000"), &None));
    assert_eq!((found.modality, found.regime), (Some("dispensa"), Some("lei_8666")));
    assert_eq!((found.value_estimated, found.published_on, found.partition_on), (brl("1200"), None, day("2016-01-26")));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("uasg:159999"), &text("CAMPUS EXEMPLO")));
    let buyer = &rows[0].buyer.as_ref().unwrap().1;
    assert_eq!((&buyer.parent_name, &buyer.sphere), (&text("UNIVERSIDADE DE EXEMPLO"), &None));
    assert_eq!(
        metadata(&rows[0].sourced),
        json!({"nu_inciso": "02", "ds_justificativa": "Justificativa: Emergencial.", "dtDeclaracaoDispensa": "2016-01-26T00:00:00"})
    );
    assert_eq!(rows[1].sourced.id, "comprasgov-v1:07000106000122016", "a zero that a number lost comes back");
    let found = tender(&rows[1].sourced);
    assert_eq!((&found.buyer_id, found.value_estimated), (&text("uasg:070001"), None));
    assert_eq!((found.published_on, &metadata(&rows[1].sourced)["vr_estimado"]), (day("2016-02-01"), &json!(0.0)));
}

#[test]
fn a_tender_maps_exactly() {
    let record = json!({
        "uasg": 159999, "modalidade": 5, "numero_aviso": 122016, "identificador": "15999905000122016", "situacao_aviso": "Publicado",
        "objeto": "Pregão Eletrônico Compra de café", "numero_processo": "23000", "numero_itens": 2, "data_entrega_edital": "2016-01-10T08:00:00",
        "endereco_entrega_edital": "Rua X, 1", "data_publicacao": "2016-01-10", "data_abertura_proposta": "2016-01-22T10:00:00",
        "_links": {"modalidade_licitacao": {"title": "Modalidade de Licitação 5: PREGÃO   "}, "uasg": {"title": "UASG 159999: CAMPUS EXEMPLO"}}
    });
    let outcome = read_bytes("p.json", &page("licitacoes", &[record]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ComprasgovLicitacoes);
    let row = outcome.only();
    let found = tender(&row.sourced);
    assert_eq!((row.sourced.id.as_str(), &found.number), ("comprasgov-v1:15999905000122016", &text("00012/2016")));
    assert_eq!((found.modality, &found.modality_as_stated), (Some("pregao"), &text("PREGÃO")));
    assert_eq!(
        (found.published_on, found.opened_on, &found.status),
        (day("2016-01-10"), day("2016-01-22"), &text("Publicado"))
    );
    assert_eq!(
        metadata(&row.sourced),
        json!({"numero_aviso": 122016, "numero_itens": 2, "data_entrega_edital": "2016-01-10T08:00:00"})
    );
}

#[test]
fn a_folded_answer_states_all_its_items() {
    let service = json!({
        "co_servico": 3239, "no_servico": "FRETE", "ds_detalhada": "Frete de móveis", "qt_material_alt": "5", "no_unidade_medida": "un", "vr_estimado": 7800.0,
        "ds_tipo_fornecedor_vencedor": "PJ", "nu_cnpj_vencedor": "00000000000191",
        "_links": {"self": {"href": "/x/15999906000122016/itens/00000000010000003239", "title": "Item  1 de compra"}, "fornecedor": {"title": "Fornecedor 00000000000191: 00000000000191"}}
    });
    let material = json!({
        "no_conjunto_materiais": "PEÇA", "co_conjunto_materiais": 71935, "qt_material_alt": "1", "vr_estimado": 0.0, "no_marca_material": "ACME",
        "nu_cpf_vencedor": "***.982.247-**", "_links": {"self": {"href": "/x/15999906000122016/itens/00000000020000071935", "title": "Item  2 de compra"}}
    });
    let line = json!({"_id": "15999906000122016", "doc": {"_links": {}, "_embedded": {"compras": [service, material]}, "count": 2}});
    let empty = json!({"_id": "15999906000132016", "doc": {"_links": {}, "_embedded": {"compras": []}, "count": 0}});
    let outcome = read_bytes("itens.jsonl", format!("{line}\n{empty}\n").as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ComprasgovItensCompra);
    assert_eq!(outcome.faults(), [(2, "required_field")]);
    let row = outcome.rows()[0];
    assert_eq!(row.sourced.id, "comprasgov-v1:15999906000122016:item:00000000010000003239");
    let first = item(&row.sourced);
    assert_eq!((&first.tender_id, &first.number), (&text("comprasgov-v1:15999906000122016"), &text("1")));
    assert_eq!((&first.catalog_code, &first.unit, first.unit_basis), (&text("3239"), &text("un"), Some("stated")));
    assert_eq!(
        (first.unit_estimate, first.unit_price, first.total),
        (brl("1560"), None, None),
        "an estimate is no price"
    );
    assert_eq!((&first.supplier_id, &first.supplier_name), (&text("cnpj:00000000000191"), &None));
    assert_eq!(row.more.len(), 1);
    let Also::Record(second) = &row.more[0] else { panic!("a record") };
    assert_eq!(
        (item(second).unit_estimate, &item(second).supplier_id),
        (None, &None),
        "a mask without a name is nobody"
    );
    assert_eq!((&item(second).category, &item(second).catalog_code), (&text("material"), &None));
    let kept = metadata(&row.sourced);
    assert_eq!(kept["vr_estimado"], json!(7800.0));
    assert_eq!(
        kept["item 2"],
        json!({"co_conjunto_materiais": 71935, "vr_estimado": 0.0, "no_marca_material": "ACME", "nu_cpf_vencedor": "***.982.247-**"})
    );
}

#[test]
fn items_of_tenders_are_read_folded_and_from_pages() {
    let record = json!({
        "uasg": 159999, "modalidade": 5, "numero_licitacao": "15999905000122016", "numero_item_licitacao": 3, "codigo_item_servico": 3239,
        "descricao_item": "Transporte", "quantidade": "6750", "unidade": "KM", "cnpj_fornecedor": "00000000000191", "cpfVencedor": "", "valor_estimado": 8775.0,
        "criterio_julgamento": "Menor Valor", "_links": {"servico": {"title": "Servico 3239: TRANSPORTE RODOVIARIO   "}, "fornecedor": {"title": "Fornecedor 00000000000191: EXEMPLO SA"}}
    });
    let page = read_bytes("p.json", &page("itensLicitacao", std::slice::from_ref(&record)));
    let line = json!({"_id": "15999905000122016", "doc": {"_embedded": {"itensLicitacao": [record]}}});
    let folded = read_bytes("i.jsonl", line.to_string().as_bytes());
    for outcome in [&page, &folded] {
        assert_eq!(outcome.result.as_ref().unwrap().format, Format::ComprasgovItensLicitacao);
        let row = outcome.only();
        assert_eq!(row.sourced.id, "comprasgov-v1:15999905000122016:item:3");
        let found = item(&row.sourced);
        assert_eq!((&found.description, &found.detail), (&text("TRANSPORTE RODOVIARIO"), &text("Transporte")));
        assert_eq!((found.unit_estimate, &found.supplier_name), (brl("1.3"), &text("EXEMPLO SA")));
        assert_eq!(metadata(&row.sourced)["criterio_julgamento"], json!("Menor Valor"));
    }
}

fn contract_record() -> Value {
    json!({
        "identificador": "15999950000122017", "uasg": 159999, "modalidade_licitacao": 5, "licitacao_associada": "15999905000122016",
        "origem_licitacao": "SISPP", "numero": 122017, "objeto": "Presta\u{1A}\u{1A}o de servi\u{1A}os de vigil\u{1A}ncia armada", "numero_processo": "23000",
        "cnpj_contratada": "00000000000191", "data_assinatura": "2017-02-03", "fundamento_legal": "Lei 8.666/93", "data_inicio_vigencia": "2017-02-03",
        "data_termino_vigencia": "2018-02-02", "valor_inicial": 15491.64,
        "_links": {
            "fornecedor": {"title": "Fornecedor 00000000000191: EXEMPLO COMÃ‰RCIO SA"}, "modalidade_licitacao": {"title": "Modalidade de LicitaÃ§Ã£o 5: PREGÃƒO    "},
            "tipo_contrato": {"title": "Tipo de Contrato 50: CONTRATO     "}, "uasg": {"title": "UASG 159999: UNIVERSIDADE SÃO EXEMPLO"}
        }
    })
}

#[test]
fn a_contract_maps_exactly_and_only_certain_mojibake_is_repaired() {
    let mut person = contract_record();
    person["cnpj_contratada"] = json!(null);
    person["cpfContratada"] = json!("***982247**:40990");
    person["_links"]["uasg"] = json!({"title": "UASG 159999: UNIVERSIDADE DE BRASÃ\u{8D}LIA"});
    person["_links"]["fornecedor"] = json!({"title": "Fornecedor 40990: JOSE DA SILVA"});
    let outcome = read_bytes("c.json", &page("contratos", &[contract_record(), person]));
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ComprasgovContratos);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, "comprasgov-v1:contrato:15999950000122017");
    let found = contract(&rows[0].sourced);
    assert_eq!((&found.number, &found.tender_id), (&text("00012/2017"), &text("comprasgov-v1:15999905000122016")));
    assert_eq!((&found.modality_as_stated, found.modality), (&text("PREGÃO"), Some("pregao")));
    assert_eq!((&found.supplier_name, &found.instrument), (&text("EXEMPLO COMÉRCIO SA"), &text("CONTRATO")));
    assert_eq!(found.buyer_name, text("UNIVERSIDADE SÃO EXEMPLO"), "a right letter stays");
    assert_eq!(found.object, text("Prestao de servios de vigilncia armada"), "what was lost is not made up");
    assert_eq!(
        (found.value_initial, found.signed_on, found.ends_on),
        (brl("15491.64"), day("2017-02-03"), day("2018-02-02"))
    );
    assert_eq!(found.regime, Some("lei_8666"));
    assert_eq!(contract(&rows[1].sourced).supplier_id, text("cpf:***.982.247-**|jose da silva"));
    assert_eq!(contract(&rows[1].sourced).buyer_name, text("UNIVERSIDADE DE BRASÍLIA"));
}

#[test]
fn the_export_of_contracts_maps_exactly_and_its_bare_doubled_quotes_are_text() {
    let header = "Identificador do Contrato,UASG,Modalidade da Licitação,Número do Aviso da Licitação,Código do Contrato,Licitação associada,Origem da Licitação,Número,Objeto,\
                  Número de Aditivos,Número do Processo,CPF Contratada,CNPJ Contratada,Data de Assinatura,Fundamento Legal,Data de Início da Vigência,Data de Termino da Vigência,Valor inicial";
    let row = "15999950000122017,159999: CAMPUS EXEMPLO,\"6: DISPENSA DE LICITAÇÃO     \",00012/2016,\"50: CONTRATO    \",Licitação 15999906000122016,SISPP,00012/2017,\"Jornais, revistas\",\
               6,23000,,Fornecedor 00.000.000/0001-91: EXEMPLO SA,01/01/2017,Lei 8.666/93.,01/01/2017,31/12/2017,\"R$ 22,800.50\"";
    let quoted = row.replace("Lei 8.666/93.", "\"\"Caput\"\" do Art. 25 da Lei 8.666/93");
    let person = row.replace(",Fornecedor 00.000.000/0001-91: EXEMPLO SA", "***982247**: JOSE DA SILVA  -,");
    let wrong = row.replace("22,800.50", "22.800,50");
    let outcome = read_bytes("c.csv", format!("{header}\n{row}\n{quoted}\n{person}\n{wrong}\n").as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ComprasgovContratosCsv);
    assert_eq!(outcome.faults(), [(5, "number_style")]);
    let rows = outcome.rows();
    let found = contract(&rows[0].sourced);
    assert_eq!(
        (rows[0].sourced.id.as_str(), &found.number),
        ("comprasgov-v1:contrato:15999950000122017", &text("00012/2017"))
    );
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("uasg:159999"), &text("CAMPUS EXEMPLO")));
    assert_eq!((found.modality, &found.modality_as_stated), (Some("dispensa"), &text("DISPENSA DE LICITAÇÃO")));
    assert_eq!((&found.supplier_id, &found.supplier_name), (&text("cnpj:00000000000191"), &text("EXEMPLO SA")));
    assert_eq!((found.value_initial, &found.tender_id), (brl("22800.5"), &text("comprasgov-v1:15999906000122016")));
    assert_eq!(contract(&rows[1].sourced).legal_basis, text("\"\"Caput\"\" do Art. 25 da Lei 8.666/93"));
    assert_eq!(contract(&rows[2].sourced).supplier_id, text("cpf:***.982.247-**|jose da silva"));
}

#[test]
fn a_record_without_its_key_is_quarantined() {
    let mut record = contract_record();
    record["identificador"] = json!(null);
    let outcome = read_bytes("c.json", &page("contratos", &[contract_record(), record]));
    assert_eq!(outcome.faults(), [(2, "required_field")]);
}
