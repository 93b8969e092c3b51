//! Contratos.gov.br: contracts of both layouts, and the tables that hang on them.

use model::{Amendment, Item, Quantity, Record, Sourced};
use serde_json::{Value, json};
use sources::Format;

use super::portal_despesas::payment;
use super::{Outcome, brl, contract, day, metadata, read_bytes, text};

fn read(records: &[Value]) -> Outcome {
    let page = json!({"ultima_atualizacao": "2026-01-01T00:00:00", "total_registros": records.len(), "dados": records});
    read_bytes("opendata.json", &serde_json::to_vec(&page).unwrap())
}

fn amendment(sourced: &Sourced) -> &Amendment {
    let Record::Amendment(amendment) = &sourced.record else { panic!("an amendment, not {:?}", sourced.record) };
    amendment
}

#[test]
fn a_contract_of_the_open_data_maps_exactly() {
    let record = json!({
        "codigoOrgao": "26999", "nomeOrgao": "UNIVERSIDADE", "codigoUnidadeGestora": "159999", "nomeUnidadeGestora": "CAMPUS EXEMPLO", "receitaDespesa": "D",
        "numeroContrato": "00012/2021", "numeroCompra": "00038/2021", "codigoModalidadeCompra": "06", "nomeModalidadeCompra": "Dispensa", "codigoTipo": "50", "nomeTipo": "Contrato",
        "nomeCategoria": "Serviços", "niFornecedor": "00000000000191", "nomeRazaoSocialFornecedor": "EXEMPLO SA", "processo": "23000.1/2021", "objeto": "LOCAÇÃO DE IMÓVEL",
        "dataVigenciaInicial": "2021-10-01", "dataVigenciaFinal": "2023-03-31", "valorGlobal": 57707.81, "numeroParcelas": 12, "valorParcela": 1.0, "valorAcumulado": 6979430.83,
        "numeroControlePncpContrato": null, "idCompra": "15999906000382021", "contratoExcluido": false, "dataColeta": "2026-08-21T06:58:05.214812"
    });
    let mut odd = record.clone();
    (odd["receitaDespesa"], odd["contratoExcluido"], odd["idCompra"]) = (json!("R"), json!(true), json!("IC"));
    (odd["niFornecedor"], odd["codigoModalidadeCompra"], odd["nomeModalidadeCompra"]) =
        (json!("160163"), json!("NAOSEAPLIC"), json!("Não se Aplica"));
    let outcome = read(&[record, odd]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ContratosgovContratos);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, "contratosgov:159999-00012/2021");
    assert_eq!(rows[0].sourced.updated_at, text("2026-08-21T06:58:05.214812"));
    let found = contract(&rows[0].sourced);
    assert_eq!(
        (found.modality, &found.category, &found.instrument),
        (Some("dispensa"), &text("Serviços"), &text("Contrato"))
    );
    assert_eq!(
        (found.starts_on, found.ends_on, found.partition_on),
        (day("2021-10-01"), day("2023-03-31"), day("2021-10-01"))
    );
    assert_eq!((found.value_initial, found.value_final, found.installments), (None, brl("57707.81"), Some(12)));
    assert_eq!(
        (&found.tender_id, found.income, &found.status),
        (&text("comprasgov-v1:15999906000382021"), false, &None)
    );
    assert_eq!((&found.supplier_id, &found.buyer_name), (&text("cnpj:00000000000191"), &text("CAMPUS EXEMPLO")));
    assert_eq!(metadata(&rows[0].sourced)["valorAcumulado"], json!(6979430.83));
    let found = contract(&rows[1].sourced);
    assert_eq!((&found.supplier_id, &found.tender_id, found.modality), (&None, &None, None));
    assert_eq!((found.income, &found.status), (true, &text("contratoExcluido")));
    let kept = metadata(&rows[1].sourced);
    assert_eq!((&kept["niFornecedor"], &kept["idCompra"]), (&json!("160163"), &json!("IC")));
}

#[test]
fn a_contract_of_the_systems_own_api_maps_exactly() {
    let record = json!({
        "id": 121472, "receita_despesa": "Despesa", "numero": "00012/2021",
        "contratante": {"orgao": {"codigo": "26999", "nome": "UNIVERSIDADE", "unidade_gestora": {"codigo": "159999", "nome_resumido": "CAMPUS", "nome": "CAMPUS EXEMPLO"}}},
        "fornecedor": {"tipo": "JURIDICA", "cnpj_cpf_idgener": "00.000.000/0001-91", "nome": "EXEMPLO SA"}, "tipo": "Contrato", "situacao": "Ativo", "categoria": "Serviços",
        "processo": "23000", "objeto": "LIMPEZA", "amparo_legal": "LEI 14.133/2021 - Artigo: 28", "codigo_modalidade": "05", "modalidade": "Pregão", "data_assinatura": "2021-11-10",
        "data_publicacao": "2021-11-12", "vigencia_inicio": "2021-11-10", "vigencia_fim": "2022-11-10", "valor_inicial": "1.925.000,00", "valor_global": "1.930.289,94", "num_parcelas": 12,
        "links": {"historico": "https://example.org"}
    });
    let outcome = read_bytes("c.json", &serde_json::to_vec(&[record]).unwrap());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ContratosgovApi);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "contratosgov:121472");
    let found = contract(&row.sourced);
    assert_eq!((found.value_initial, found.value_final), (brl("1925000"), brl("1930289.94")));
    assert_eq!(
        (found.signed_on, found.published_on, found.installments),
        (day("2021-11-10"), day("2021-11-12"), Some(12))
    );
    assert_eq!((found.modality, found.regime, &found.status), (Some("pregao"), Some("lei_14133"), &text("Ativo")));
    assert_eq!((&found.buyer_id, &found.supplier_id), (&text("uasg:159999"), &text("cnpj:00000000000191")));
    assert_eq!(metadata(&row.sourced)["contratante.orgao.unidade_gestora.nome_resumido"], json!("CAMPUS"));
}

fn history(kind: &str, number: &str, value: &str) -> Value {
    json!({"contrato_id": "121472", "dados": {
        "Data Assinatura": "10/11/2022", "Número": number, "Tipo": kind, "Observação": "PRORROGAR A VIGÊNCIA", "Data Início": "10/11/2022", "Data Fim": "10/11/2023",
        "Vlr. Global": value, "Parcelas": "1", "Vlr. Parcela": "1.930.289,94", "Número Contrato": "09033/2021"
    }})
}

#[test]
fn the_history_tells_the_beginning_from_the_changes() {
    let outcome = read(&[
        history("Contrato", "09033/2021", "1.925.000,00"),
        history("Termo Aditivo", "00001/2022", "1.930.289,94"),
        history("Termo de Apostilamento", "00001/2022", "1.940.000,00"),
        history("Termo de Rescisão", "09033/2021", "0,00"),
        history("Empenho", "2022NE000001", "5,00"),
    ]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ContratosgovHistorico);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    assert_eq!((rows[0].sourced.id.as_str(), rows[0].sourced.partial), ("contratosgov:121472", true));
    let beginning = contract(&rows[0].sourced);
    assert_eq!((beginning.value_initial, beginning.value_final), (brl("1925000"), None));
    assert_eq!((beginning.signed_on, &beginning.instrument), (day("2022-11-10"), &text("Contrato")));
    let added = amendment(&rows[1].sourced);
    assert_eq!((rows[1].sourced.id.as_str(), added.kind), ("contratosgov:121472:amendment:00001/2022", "amendment"));
    assert_eq!((added.value, added.value_after), (None, brl("1930289.94")), "a price history, not a sum");
    assert_eq!((&added.contract_id, added.ends_on), (&text("contratosgov:121472"), day("2023-11-10")));
    assert_eq!(rows[2].sourced.id, "contratosgov:121472:apostille:00001/2022");
    let ended = amendment(&rows[3].sourced);
    assert_eq!((ended.kind, ended.value_after), ("termination", None));
    assert_eq!(metadata(&rows[3].sourced)["dados.Vlr. Global"], json!("0,00"));
    assert_eq!(contract(&rows[4].sourced).instrument, text("Empenho"));
}

fn commitment(amounts: [&str; 6]) -> Value {
    let [committed, due, paid, carried, carried_due, carried_paid] = amounts;
    json!({"contrato_id": "121472", "dados": {
        "UG": "159999", "Número": "2023NE000448", "PI": "-8 -", "ND": "339040 - SERVICOS DE TIC - PJ", "Emp.": committed, "A liq.": "0,00", "Liquid.": due, "Pg": paid,
        "RP Inscr.": carried, "RP A Liq.": "0,00", "RP Liq.": carried_due, "RP Pg": carried_paid, "Número Contrato": "09033/2021"
    }})
}

#[test]
fn what_was_settled_and_paid_is_said_where_the_columns_tell_it() {
    let zero = "0,00";
    let mut none = commitment([zero; 6]);
    none["dados"]["Número"] = json!("");
    let outcome = read(&[
        commitment(["1.000,00", "200,00", "300,00", zero, zero, zero]),
        commitment(["1.000,00", "5,00", "300,00", "700,00", zero, "700,00"]),
        commitment(["200,00", zero, zero, "4.704,02", zero, "4.704,02"]),
        none,
    ]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ContratosgovEmpenhos);
    assert_eq!(outcome.faults(), [(4, "required_field")], "a row that says that there is no commitment");
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, "contratosgov:121472:commitment:159999-2023NE000448");
    let found = payment(&rows[0].sourced);
    assert_eq!((found.kind, &found.buyer_id), ("commitment", &text("uasg:159999")));
    assert_eq!((found.value, found.value_settled, found.value_paid), (brl("1000"), brl("500"), brl("300")));
    assert_eq!((&found.expense_code, &found.expense_name), (&text("40"), &text("SERVICOS DE TIC - PJ")));
    assert_eq!(metadata(&rows[0].sourced)["dados.ND"], json!("339040 - SERVICOS DE TIC - PJ"));
    let carried = payment(&rows[1].sourced);
    assert_eq!((carried.value_settled, carried.value_paid), (None, brl("1000")));
    let beyond = payment(&rows[2].sourced);
    assert_eq!((beyond.value, beyond.value_settled, beyond.value_paid), (brl("200"), None, None));
}

#[test]
fn an_invoice_is_no_payment() {
    let record = |issued: &str, amount: &str| json!({"contrato_id": "15585", "dados": ["1437", issued, "23000.1/2018", "2021-11-05", amount]});
    let outcome = read(&[record("2021-10-28", "8888.00"), record("0022-10-03", "0.00"), record("2021-10-28", "x")]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ContratosgovFaturas);
    assert_eq!(outcome.faults(), [(3, "amount")]);
    let rows = outcome.rows();
    let found = payment(&rows[0].sourced);
    assert_eq!((rows[0].sourced.id.as_str(), found.kind), ("contratosgov:15585:invoice:1437:2021-10-28", "invoice"));
    assert_eq!((found.issued_on, found.value, &found.process), (day("2021-10-28"), brl("8888"), &text("23000.1/2018")));
    assert_eq!(metadata(&rows[0].sourced), json!({"dados[3]": "2021-11-05"}), "what the day means is not said");
    assert_eq!(payment(&rows[1].sourced).issued_on, None);
    assert_eq!(metadata(&rows[1].sourced)["dados[1]"], json!("0022-10-03"));
}

#[test]
fn an_item_is_known_by_all_that_is_said_of_it() {
    let record = |quantity: &str| json!({"contrato_id": "15585", "dados": ["Serviço", "TRANSPORTE DE MUDANÇA", quantity, "12137.5", "145650.0000"]});
    let outcome = read(&[record("12"), record("12"), record("9.2307687466")]);
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::ContratosgovItens);
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, rows[1].sourced.id, "alike rows cannot be told from a repetition");
    assert_ne!(rows[0].sourced.id, rows[2].sourced.id);
    let item = |at: usize| -> &Item {
        let Record::Item(item) = &rows[at].sourced.record else { panic!("an item") };
        item
    };
    assert_eq!((&item(0).contract_id, &item(0).category), (&text("contratosgov:15585"), &text("Serviço")));
    assert_eq!((item(0).quantity, item(0).unit_price), (Some(Quantity::parse("12").unwrap()), brl("12137.5")));
    assert_eq!((item(0).price_basis, item(0).total), (Some("stated"), brl("145650")));
    assert_eq!(item(2).quantity, None, "too precise to be kept");
    assert_eq!(metadata(&rows[2].sourced), json!({"dados[2]": "9.2307687466"}));
}

#[test]
fn guarantees_are_not_read() {
    let record = json!({"contrato_id": "15585", "dados": ["Seguro Garantia", "2022-02-17", "4824.00"]});
    assert!(read(&[record]).result.is_err());
}
