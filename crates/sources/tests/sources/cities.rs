//! São Paulo and Recife.

use model::Record;
use serde_json::json;
use sources::Error;

use super::{brl, contract, cp1252, day, metadata, read_bytes, text};

const EXTRACTS: &str =
    "Órgão;Fornecedor;CNPJ;Objeto;Valor (R$);Modalidade;Contrato;Data de Assinatura;Vigência(Dias);Licitação\n";

fn extracts(lines: &[&str]) -> Vec<u8> {
    cp1252(&format!("{EXTRACTS}{}\n", lines.join("\n")))
}

#[test]
fn an_extract_of_a_contract_maps_exactly() {
    let line = "EDUCAÇÃO;LIVROS \"EXEMPLO\" LTDA;00.000.000/0001-91;Aquisição de livros;7.654.321,00;PREGÃO PRESENCIAL EXTRATO DE CONTRATO;999/EX/2010;3/12/2010;30;2010-0.999.222-2;";
    let outcome = read_bytes("Contratos-2010.csv", &extracts(&[line]));
    let row = outcome.only();
    assert_eq!(row.sourced.id, "sp-capital:contract:educacao:999_ex_2010:cnpj:00000000000191:2010-12-03");
    let found = contract(&row.sourced);
    assert_eq!((found.modality, &found.modality_as_stated), (Some("pregao"), &text("PREGÃO PRESENCIAL")));
    assert_eq!((&found.instrument, &found.number), (&text("EXTRATO DE CONTRATO"), &text("999/EX/2010")));
    assert_eq!((found.value_initial, found.signed_on, found.ends_on), (brl("7654321"), day("2010-12-03"), None));
    assert_eq!((&found.buyer_id, &found.buyer_name), (&text("sp-capital:educacao"), &text("EDUCAÇÃO")));
    assert_eq!(found.supplier_name, text("LIVROS \"EXEMPLO\" LTDA"));
    assert_eq!(metadata(&row.sourced), json!({"Vigência(Dias)": "30", "Licitação": "2010-0.999.222-2"}));
    assert_eq!(found.tender_id, text("sp-capital:tender:educacao:2010_0_999_222_2"));
    let (_, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!((buyer.sphere.as_deref(), buyer.municipality.as_deref()), (Some("M"), Some("São Paulo")));
}

#[test]
fn an_extract_of_a_change_is_an_amendment_of_a_contract_that_it_does_not_name() {
    let line =
        "SAÚDE;MARIA SOUZA;***.982.247-**;Locação;;DISPENSA EXTRATO DE ADITAMENTO;13/2010;22/12/2010;300;06/2009;";
    let outcome = read_bytes("c.csv", &extracts(&[line]));
    let row = outcome.only();
    let Record::Amendment(found) = &row.sourced.record else { panic!("an amendment") };
    assert_eq!(row.sourced.id, "sp-capital:amendment:saude:13_2010:cpf:***.982.247-**|maria souza:2010-12-22");
    assert_eq!((&found.contract_id, &found.number, found.value), (&None, &text("13/2010"), None));
    assert_eq!(metadata(&row.sourced)["CNPJ"], "***.982.247-**");
    assert_eq!(metadata(&row.sourced)["Modalidade"], "DISPENSA EXTRATO DE ADITAMENTO");
}

#[test]
fn a_split_text_is_put_together_where_only_one_column_can_hold_it() {
    let split_number = "OBRAS;EXEMPLO LTDA;00.000.000/0001-91;Centro cultural;13,00;CONCORRÊNCIA EXTRATO DE CONTRATO;099/EXEMP;2009;9/4/2009;300;X001/08;";
    let split_object = "OBRAS;EXEMPLO LTDA;00.000.000/0001-91;Centro; cultural;13,00;CONCORRÊNCIA EXTRATO DE CONTRATO;020;9/4/2009;300;X001/08;";
    let split_tender = "OBRAS;EXEMPLO LTDA;00.000.000/0001-91;Centro;13,00;COMPRA POR ATA DE REGISTRO DE PREÇO EXTRATO DE COMPRA;;25/8/2011;120;99/EX;EMP/2009;";
    let outcome = read_bytes("c.csv", &extracts(&[split_number, split_object, split_tender]));
    assert_eq!(outcome.faults(), []);
    let rows = outcome.rows();
    assert_eq!(contract(&rows[0].sourced).number, text("099/EXEMP;2009"));
    assert_eq!(contract(&rows[1].sourced).object, text("Centro; cultural"));
    assert_eq!(metadata(&rows[2].sourced)["Licitação"], "99/EX;EMP/2009");
    assert_eq!(contract(&rows[2].sourced).modality, None);
}

#[test]
fn a_split_text_that_two_columns_can_hold_is_quarantined() {
    // Body or supplier; and a row whose value is no value.
    let either = "OBRAS;E SERVIÇOS;EXEMPLO LTDA;00.000.000/0001-91;Centro;13,00;CONVITE EXTRATO DE CONTRATO;020;9/4/2009;300;X001/08;";
    let neither =
        "OBRAS;EXEMPLO LTDA;00.000.000/0001-91;Centro;cultural;x;CONVITE EXTRATO DE CONTRATO;020;9/4/2009;300;X001/08;";
    let outcome = read_bytes("c.csv", &extracts(&[either, neither]));
    assert_eq!(outcome.faults(), [(2, "field_count"), (3, "field_count")]);
}

#[test]
fn a_row_without_its_days_keeps_the_tender_under_its_own_name() {
    let line = "OBRAS;EXEMPLO LTDA;00.000.000/0001-91;Livros;13,00;DISPENSA EXTRATO DE CONTRATO;999/2010;30/12/2010;2010-0.999.111-1;";
    let outcome = read_bytes("c.csv", &extracts(&[line]));
    assert_eq!(metadata(&outcome.only().sourced), json!({"Licitação": "2010-0.999.111-1"}));
}

#[test]
fn a_quote_that_is_never_closed_costs_nothing_where_quotes_are_text() {
    let open = "OBRAS;EXEMPLO LTDA;00.000.000/0001-91;\"SERVIÇO DE VIGIA;13,00;CONVITE EXTRATO DE CONTRATO;020;9/4/2009;300;X001/08;";
    let close = "OBRAS;EXEMPLO LTDA;00.000.000/0001-91;CASA \"AZUL\";13,00;CONVITE EXTRATO DE CONTRATO;021;9/4/2009;300;X001/08;";
    let outcome = read_bytes("c.csv", &extracts(&[open, close]));
    assert_eq!((outcome.faults(), outcome.rows().len()), (vec![], 2));
    assert_eq!(contract(&outcome.rows()[0].sourced).object, text("\"SERVIÇO DE VIGIA"));
}

#[test]
fn rows_shifted_by_a_missing_field_are_quarantined() {
    let line = "OBRAS;EXEMPLO LTDA;Centro;13,00;CONVITE EXTRATO DE CONTRATO;020;9/4/2009;300;X001/08;";
    let outcome = read_bytes("c.csv", &extracts(&[line, &line.replace("13,00", "13.00")]));
    assert_eq!(outcome.faults(), [(2, "date"), (3, "date")]);
    let dot = "OBRAS;X;00.000.000/0001-91;Centro;13.00;CONVITE EXTRATO DE CONTRATO;020;9/4/2009;300;X001/08;";
    assert_eq!(read_bytes("c.csv", &extracts(&[dot])).faults(), [(2, "number_style")]);
}

const RECIFE: &str = "\"numerocontrato\";anocontrato;\"orgaocontratante\";\"objetocontrato\";\"origemcontrato\";sequencialcompra;\"cnpjcontratado\";\"cpfcontratado\";\"razaonomecontratado\";\"logradouroendcontratado\";numeroendcontratado;\"complementoendcontratado\";\"bairroendcontratado\";\"cidadeendcontratado\";\"estadoendcontratado\";datainiciovigencia;datafimvigencia;valorcontrato1;valorcontrato2;\"situacaocontrato\"\n";

#[test]
fn a_contract_of_recife_keeps_its_second_value_and_no_address() {
    let line = "\"9999.0001/2024\";2024;\"SECRETARIA DE EXEMPLO\";\"LOCAÇÃO DE IMÓVEL\";\"DISPENSA\";77;\"00000000000191\";;\"EXEMPLO SA\";\"RUA X\";10;\"SALA 1\";\"CENTRO\";\"RECIFE\";\"PE\";2024/10/01 00:00:00.000;2024/12/31 00:00:00.000;5400.5;1800.1234;\"CADASTRADO\"\n";
    let outcome = read_bytes("dados_abertos_contratos.csv", format!("{RECIFE}{line}").as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "recife:9999.0001/2024");
    let found = contract(&row.sourced);
    assert_eq!((found.value_initial, found.value_final), (brl("1800.1234"), None));
    assert_eq!((found.starts_on, found.ends_on, found.signed_on), (day("2024-10-01"), day("2024-12-31"), None));
    assert_eq!((found.modality, &found.status), (Some("dispensa"), &text("CADASTRADO")));
    assert_eq!(
        (&found.buyer_id, &found.supplier_id),
        (&text("recife:secretaria_de_exemplo"), &text("cnpj:00000000000191"))
    );
    assert_eq!(
        metadata(&row.sourced),
        json!({"anocontrato": "2024", "sequencialcompra": "77", "cidadeendcontratado": "RECIFE", "estadoendcontratado": "PE", "valorcontrato1": "5400.5"})
    );
}

#[test]
fn a_contract_that_waits_for_its_number_has_none_and_a_person_is_masked() {
    let line = "\"Aguardando Numeração\";;\"SECRETARIA\";\"\";\"SARP\";;;\"529.982.247-25\";\"MARIA SOUZA\";;;;;;;2024/10/01 00:00:00.000;;;10.0;\n";
    let outcome = read_bytes("r.csv", format!("{RECIFE}{line}").as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "recife:unnumbered:secretaria:maria_souza:2024-10-01");
    let found = contract(&row.sourced);
    assert_eq!((&found.number, &found.supplier_id), (&None, &text("cpf:***.982.247-**|maria souza")));
    assert_eq!((found.modality, &found.modality_as_stated), (None, &text("SARP")));
    let comma = format!("{RECIFE}{}", line.replace("10.0", "10,0"));
    assert_eq!(read_bytes("r.csv", comma.as_bytes()).faults(), [(2, "number_style")]);
}

#[test]
fn scores_of_a_model_are_no_records() {
    let header = "valorcontrato1;duracao_dias;fornecedor_num_contratos;fornecedor_valor_medio;orgao_num_contratos;anomaly_if;anomaly_score_if\n";
    assert!(matches!(read_bytes("anomalias.csv", header.as_bytes()).result, Err(Error::UnknownFormat { .. })));
}
