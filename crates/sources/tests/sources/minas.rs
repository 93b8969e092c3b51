//! Minas Gerais: commitments, and purchases of the pandemic.

use model::{Item, Money, Record, Sourced};
use serde_json::json;
use sources::{Also, Error, Parsed};

use super::{brl, contract, day, metadata, read_bytes, tender, text};

const WITH_MARKS: &str = "\u{FEFF}ano_de_exercicio;unidade_orcamentaria_codigo;unidade_orcamentaria_nome;ano_empenho;numero_empenho;data_registro_doc_empenho;numero_processo_compra_siad;licitacao_descricao_da_modalidade;razao_social_credor;cnpj_cpf_credor_formatado;elemento_despesa_codigo;elemento_despesa_descricao;valor_pago_financeiro;valor_pago_processado;valor_pago_nao_processado\n";
const WRITTEN: &str = "Ano de Exercício;Unidade Orçamentária - Código;Unidade Orçamentária - Nome;Ano Empenho;Número Empenho;Data Registro Doc Empenho;Número Processo Compra SIAD;Licitação - Descrição da Modalidade;Razão Social Credor;CNPJ_CPF Credor - Formatado;Elemento Despesa - Código;Elemento Despesa - Descrição;Valor Pago Financeiro;Valor Pago Processado;Valor Pago Não Processado\n";

fn commitment(header: &str, day: &str, creditor: &str, paid: &str, totals: &str) -> Vec<u8> {
    format!(
        "{header}2026;9991;SECRETARIA DE EXEMPLO;2026;12;{day};9991030 000999/2024;PREGAO - LEI 14.133;{creditor};33;PASSAGENS;{paid};{totals}\n"
    )
    .into_bytes()
}

fn paid(sourced: &Sourced) -> Option<Money> {
    let Record::Payment(payment) = &sourced.record else { panic!("a payment") };
    payment.value_paid
}

#[test]
fn only_what_was_paid_on_a_commitment_counts() {
    let file = commitment(WITH_MARKS, "2026-01-26", "VIAGENS LTDA;00.000.000/0001-91", "54321,76", "11111,42;22222,77");
    let outcome = read_bytes("empenho2026.csv", &file);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "mg-empenhos:2026:9991-2026-12:2026-01-26:9991030000999/2024:cnpj:00000000000191:33");
    let Record::Payment(found) = &row.sourced.record else { panic!("a payment") };
    assert_eq!(
        (found.kind, found.value, found.value_settled, found.value_paid),
        ("commitment", None, None, brl("54321.76"))
    );
    assert_eq!((&found.number, found.issued_on), (&text("12"), day("2026-01-26")));
    assert_eq!(
        (&found.process, &found.tender_id),
        (&text("9991030 000999/2024"), &text("mg-compras:9991030000999/2024"))
    );
    assert_eq!((&found.expense_code, &found.expense_name), (&text("33"), &text("PASSAGENS")));
    assert_eq!((&found.supplier_root, &found.modality_as_stated), (&text("00000000"), &text("PREGAO - LEI 14.133")));
    assert_eq!(
        metadata(&row.sourced),
        json!({"ano_de_exercicio": "2026", "ano_empenho": "2026", "valor_pago_processado": "11111,42", "valor_pago_nao_processado": "22222,77"})
    );
    let (id, buyer) = row.buyer.as_ref().unwrap();
    assert_eq!(
        (id.as_str(), buyer.sphere.as_deref(), buyer.state.as_deref()),
        ("mg-empenhos:9991", Some("E"), Some("MG"))
    );
}

#[test]
fn the_names_of_columns_decide_how_numbers_are_written() {
    let company = "VIAGENS LTDA;00.000.000/0001-91";
    let read =
        |header, value: &str| read_bytes("e.csv", &commitment(header, "2022-02-10 00:00:00", company, value, ";"));
    assert_eq!(paid(&read(WRITTEN, "1234.5").only().sourced), brl("1234.5"));
    assert_eq!(paid(&read(WITH_MARKS, "1234,5").only().sourced), brl("1234.5"));
    assert_eq!(paid(&read(WITH_MARKS, "1234").only().sourced), brl("1234"));
    // A thousand, or a little more than one: the file says neither.
    for (header, value) in [(WRITTEN, "1234,5"), (WITH_MARKS, "1234.5"), (WITH_MARKS, "1.234"), (WITH_MARKS, "1.234,5")]
    {
        let outcome = read(header, value);
        assert_eq!(outcome.faults(), [(2, "number_style")], "{value}");
    }
}

#[test]
fn a_cpf_written_with_a_slash_is_masked() {
    let file = commitment(WRITTEN, "2022-02-10 00:00:00", "MARIA SOUZA;529.982.247/25", "10", "1;2");
    let outcome = read_bytes("empenho2022.csv", &file);
    let row = outcome.only();
    let Record::Payment(found) = &row.sourced.record else { panic!("a payment") };
    assert_eq!(found.supplier_id, text("cpf:***.982.247-**|maria souza"));
    assert!(!format!("{row:?}").contains("529.982"));
}

const DOTS: &str = "NUMERO_PROCESSO_COMPRA,URL_PORTAL_TRANSPARENCIA,DATA_CADASTRAMENTO_PROCESSO,OBJETO_PROCESSO,URL_DOCUMENTOS_PROCESSO,CODIGO_ORGAO_DEMANDANTE,ORGAO_DEMANDANTE,SITUACAO_PROCESSO,PROCEDIMENTO_CONTRATACAO,NUMERO_CONTRATO,URL_INTEGRA_CONTRATO,CODIGO_ORGAO_CONTRATO,ORGAO_CONTRATO,DATA_PUBLICACAO,INICIO_VIGENCIA,FIM_VIGENCIA,FIM_VIGENCIA_ATUALIZADA,CPF_CNPJ_CONTRATADO,CONTRATADO,PROCESSO_SEI,URL_PROCESSO_SEI,CODIGO_ITEM_MATERIAL_SERVICO,ITEM_MATERIAL_SERVICO,CODIGO_UNIDADE_ORCAMENTARIA,UNIDADE_ORCAMENTARIA,LINHA_FORNECIMENTO,CIDADE_ENTREGA,QUANTIDADE_HOMOLOGADA,VALOR_REFERENCIA_UNITARIO,VALOR_HOMOLOGADO_UNITARIO,VALOR_REFERENCIA,VALOR_HOMOLOGADO\n\
    9990073 000001/2020,NA,2020-04-07,Gases medicinais,NA,9250,POLICIA DE EXEMPLO,Concluído,Dispensa de Licitação,9999001,NA,9250,POLICIA DE EXEMPLO,2020-04-10,2020-04-11,NA,2020-10-10,00.000.000/0001-91,GASES SA,1250.01/2020,NA,1198,OXIGENIO,9251,POLICIA,GASES,Exemplo,1000,2.5,2.25,2500,2250\n";
const COMMAS: &str = "\"Número Processo -  Formatado\";\"URL Portal Transparência\";\"Data Criação Processo\";\"Objeto Processo\";\"URL Documentos Processo\";\"Código Órgão/Entidade Pedido\";\"Nome Órgão/Entidade Pedido\";\"Situação Processo\";\"Procedimento Contratação - Detalhamento 1\";\"Número Contrato\";\"Contrato_TermoAditivo Arquivos\";\"Código Órgão/Entidade Contratante\";\"Nome Órgão/Entidade Contratante\";\"Data Publicação Contrato\";\"Data Início Vigência Contrato\";\"Data Limite Vigência Contrato\";\"Data Término Vigência Contrato\";\"CNPJ/CPF Fornecedor - Formatado\";\"Nome Empresarial/Nome Fornecedor\";\"Processo SEI\";\"URL Processo SEI\";\"Código Item Material/Serviço - Numérico\";\"Item Material/Serviço\";\"Código Unidade Orçamentária\";\"Nome Unidade Orçamentária\";\"Descrição Linha Fornecimento\";\"Cidade Entrega Item\";\"Quantidade Homologada\";\"Valor Unitário Referência Item Processo\";\"Valor Unitário Homologado Item Processo\";\"Valor Total Referência Item Processo\";\"Valor Total Homologado\"\n\
    \"9990073 000001/2020\";\"NA\";\"07/04/2020\";\"Gases \r\nmedicinais\";\"NA\";\"9250\";\"POLICIA DE EXEMPLO\";\"Concluído\";\"Dispensa de Licitação\";\"9999001\";\"\";\"9250\";\"POLICIA DE EXEMPLO\";\"10/04/20\";\"11/04/20\";\"\";\"10/10/20\";\"00.000.000/0001-91\";\"GASES SA\";\"NA\";\"NA\";\"1198\";\"OXIGENIO\";\"9251\";\"POLICIA\";\"GASES\";\"Exemplo   \";\"1.000,0000\";\"2,5000\";\"2,2500\";\"2.500,00\";\"2.250,00\"\n";

fn item(row: &Parsed) -> &Item {
    let Record::Item(item) = &row.sourced.record else { panic!("an item") };
    item
}

fn others(row: &Parsed) -> Vec<&Sourced> {
    row.more.iter().filter_map(|also| if let Also::Record(sourced) = also { Some(sourced) } else { None }).collect()
}

#[test]
fn both_editions_of_items_say_the_same() {
    let (dots, commas) = (read_bytes("a.csv", DOTS.as_bytes()), read_bytes("b.csv", COMMAS.as_bytes()));
    let (dots, commas) = (dots.only(), commas.only());
    assert_eq!(dots.sourced.id, "mg-compras:9990073000001/2020:item:1198:9999001:cnpj:00000000000191");
    assert_eq!(dots.sourced.id, commas.sourced.id);
    assert_eq!(dots.sourced.record, commas.sourced.record);
    let found = item(dots);
    assert_eq!((found.unit_estimate, found.unit_price, found.total), (brl("2.5"), brl("2.25"), brl("2250")));
    assert_eq!(
        (found.quantity.map(|q| q.to_string()).as_deref(), found.price_basis),
        (Some("1000.0000"), Some("stated"))
    );
    assert_eq!((&found.number, &found.description, &found.catalog_code), (&text("1198"), &text("OXIGENIO"), &None));
    assert_eq!(
        (&found.tender_id, &found.contract_id),
        (&text("mg-compras:9990073000001/2020"), &text("mg-compras:contract:9999001"))
    );
    assert_eq!((&found.supplier_id, found.partition_on), (&text("cnpj:00000000000191"), day("2020-04-07")));

    let [process, signed] = others(dots)[..] else { panic!("a tender and a contract") };
    assert_eq!(others(commas).iter().map(|s| &s.row_hash).collect::<Vec<_>>(), [&process.row_hash, &signed.row_hash]);
    let process = tender(process);
    assert_eq!(
        (process.modality, &process.status, process.price_registration),
        (Some("dispensa"), &text("Concluído"), None)
    );
    assert_eq!(process.buyer_id, text("mg-compras:9250"));
    let signed = contract(signed);
    assert_eq!(
        (signed.published_on, signed.starts_on, signed.ends_on),
        (day("2020-04-10"), day("2020-04-11"), day("2020-10-10"))
    );
    assert_eq!((signed.value_initial, &signed.tender_id), (None, &text("mg-compras:9990073000001/2020")));
    assert_eq!(metadata(&dots.sourced)["PROCESSO_SEI"], "1250.01/2020");
}

#[test]
fn a_price_in_the_other_style_is_quarantined() {
    assert_eq!(read_bytes("a.csv", DOTS.replace(",2.25,", ",\"2,25\",").as_bytes()).faults(), [(2, "number_style")]);
    assert_eq!(read_bytes("b.csv", COMMAS.replace("2,2500", "2.2500").as_bytes()).faults(), [(2, "number_style")]);
}

#[test]
fn an_item_without_a_contract_or_a_quantity_says_so() {
    let file = DOTS.replace(
        ",9999001,NA,9250,POLICIA DE EXEMPLO,2020-04-10,2020-04-11,NA,2020-10-10,",
        ",0,NA,NA,NA,NA,NA,NA,NA,",
    );
    let outcome = read_bytes("a.csv", file.replace("Exemplo,1000,", "Exemplo,0,").as_bytes());
    let row = outcome.only();
    let found = item(row);
    assert_eq!((&found.contract_id, found.quantity), (&None, None));
    assert_eq!(others(row).len(), 1);
    assert_eq!(metadata(&row.sourced)["QUANTIDADE_HOMOLOGADA"], "0");
}

const AWARDS: &str = "\u{FEFF}\"Número do Processo de Compra\u{A0}\";\"Data de Cadastramento do Processo\u{A0}\";\"Objeto do Processo\u{A0}\";\"Documentos do Processo\u{A0}\";\"Código Órgão Demandante\u{A0}\";\"Órgão Demandante\u{A0}\";\"Situação do Processo\u{A0}\";\"Procedimento de Contratação\u{A0}\";\"Número do Contrato\u{A0}\";\"Código Órgão\u{A0}\";\"Órgão Contrato\u{A0}\";\"Data da Publicação\u{A0}\";\"Início da Vigência\u{A0}\";\"Fim da Vigência\u{A0}\";\"Fim da Vigência Atualizada\u{A0}\";\"CPF/CNPJ do Contratado\u{A0}\";\"Contratado\u{A0}\";\"Valor de Referência\u{A0}\";\"Valor Homologado\u{A0}\"\n";

#[test]
fn the_edition_by_supplier_gives_totals_and_registers_prices() {
    let line = "\"9990073 000002/2020\";\"07/04/2020\";\"Luvas\";\"Link\";\"9250\";\"POLICIA DE EXEMPLO\";\"Concluído\";\"REGISTRO DE PRECOS REALIZADO NO SIRP\";\"-\";\"-\";\"INEXISTENTE\";\"-\";\"-\";\"-\";\"-\";\"00.000.000/0001-91\";\"LUVAS SA\";\"654.321,10\";\"4.321,00\"\n";
    let outcome = read_bytes("c.csv", format!("{AWARDS}{line}").as_bytes());
    let row = outcome.only();
    assert_eq!(row.sourced.id, "mg-compras:9990073000002/2020:award:cnpj:00000000000191");
    let found = item(row);
    assert_eq!((found.total, found.unit_price, &found.description), (brl("4321"), None, &None));
    assert_eq!(metadata(&row.sourced)["Valor de Referência"], "654.321,10");
    let [process] = others(row)[..] else { panic!("a tender and no contract") };
    assert_eq!((tender(process).price_registration, tender(process).modality), (Some(true), None));
}

#[test]
fn where_nobody_won_the_row_is_its_process() {
    let line = "\"9990073 000002/2020\";\"07/04/2020\";\"Luvas\";\"Link\";\"9250\";\"POLICIA DE EXEMPLO\";\"Concluído\";\"PREGAO\";\"-\";\"-\";\"INEXISTENTE\";\"-\";\"-\";\"-\";\"-\";\"000.000.000-00\";\"INEXISTENTE\";\"4.200,00\";\"0,00\"\n";
    let outcome = read_bytes("c.csv", format!("{AWARDS}{line}").as_bytes());
    let row = outcome.only();
    assert_eq!((row.sourced.id.as_str(), &row.supplier), ("mg-compras:9990073000002/2020", &None));
    assert_eq!((tender(&row.sourced).modality, row.more.len()), (Some("pregao"), 0));
    assert_eq!(metadata(&row.sourced)["Valor Homologado"], "0,00");
    assert_eq!(row.buyer.as_ref().unwrap().0, "mg-compras:9250");
}

#[test]
fn the_sheet_of_what_to_publish_and_the_dictionary_are_no_records() {
    for header in [
        "NUMERO_PROCESSO_COMPRA;DIVULGAR;CODIGO_ORGAO_ENTIDADE;SIGLA_ORGAO_ENTIDADE;PROCESSO_SEI;URL_PROCESSO_SEI;URL_PORTAL_TRANSPARENCIA;DATA_ATUALIZACAO;OBSERVACAO",
        "Ordem,Campo,Descrição,Tipo,Conceituação",
    ] {
        let outcome = read_bytes("x.csv", format!("{header}\n").as_bytes());
        assert!(matches!(outcome.result, Err(Error::UnknownFormat { .. })), "{header}");
    }
}
