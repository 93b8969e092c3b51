//! Whole files, one per parser, written by hand.

use std::io::{Cursor, Write};

/// A CSV file as the Portal writes it: cp1252, quoted, `;`, CRLF.
fn portal(columns: &str, rows: &[&str]) -> Vec<u8> {
    let quote = |line: &str| format!("\"{}\"\r\n", line.replace('|', "\";\""));
    let text: String = std::iter::once(columns).chain(rows.iter().copied()).map(quote).collect();
    encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
}

pub fn compras() -> Vec<u8> {
    let row = "00012/2024|Objeto: Aquisição de papel|Lei 14.133/2021, art. 75, II|Dispensa de Licitação|Publicado|26000|Ministério|26999|Universidade|159999|CAMPUS|\
        05/02/2024|07/02/2024|05/02/2024|04/02/2025|00.000.000/0001-91|PAPELARIA LTDA|6058,6000|- 1.234,89|000072024|159998|REITORIA|6|Dispensa";
    portal(
        "Número do Contrato|Objeto|Fundamento Legal|Modalidade Compra|Situação Contrato|Código Órgão Superior|Nome Órgão Superior|Código Órgão|Nome Órgão|Código UG|Nome UG|\
         Data Assinatura Contrato|Data Publicação DOU|Data Início Vigência|Data Fim Vigência|Código Contratado|Nome Contratado|Valor Inicial Compra|Valor Final Compra|\
         Número Licitação|Código UG Licitação|Nome UG Licitação|Código Modalidade Compra Licitação|Modalidade Compra Licitação",
        &[row, &row.replace("00.000.000/0001-91|PAPELARIA LTDA", "***.982.247-**|JOSÉ DA SILVA"), row],
    )
}

pub fn item_compra() -> Vec<u8> {
    let row = "159999|CAMPUS|00012/2024|461733|PAPEL A4|UNIDADE DE FORNECIMENTO: RESMA | COR|3|100,0000";
    portal(
        "Código UG|Nome UG|Número Contrato|Código Item Compra|Descrição Item Compra|Descrição Complementar Item Compra|Quantidade Item|Valor Item",
        &[&row.replace(" | COR", "; COR"), &row.replace(" | COR", "")],
    )
}

pub fn termo_aditivo() -> Vec<u8> {
    let row = "00012/2024|159999|CAMPUS|00001/2024|10/08/2024|Supressão|- 1.000,50";
    portal("Número Contrato|Código UG|Nome UG|Número Termo Aditivo|Data Publicação|Objeto|Valor", &[row, row])
}

pub fn licitacao() -> Vec<u8> {
    let row =
        "000072024|159998|REITORIA|-99|Pregão|23000|Objeto: Café|Encerrado|DF|BRASILIA|30/01/2024|02/01/2024|1500,0000";
    portal(
        "Número Licitação|Código UG|Nome UG|Código Modalidade Compra|Modalidade Compra|Número Processo|Objeto|Situação Licitação|UF|Município|Data Resultado Compra|Data Abertura|Valor Licitação",
        &[row, &row.replace("30/01/2024", "")],
    )
}

pub fn item_licitacao() -> Vec<u8> {
    let row = "000072024|159998|REITORIA|5|15999805000072024000001|CAFÉ|4|100,0000|00000000000191|EXEMPLO SA";
    portal(
        "Número Licitação|Código UG|Nome UG|Código Modalidade Compra|Código Item Compra|Descrição|Quantidade Item|Valor Item|Código Vencedor|Nome Vencedor",
        &[row, row],
    )
}

pub fn participantes() -> Vec<u8> {
    let row = "000072024|159998|REITORIA|5|1|CAFÉ|00000000000191|EXEMPLO SA|SIM";
    portal(
        "Número Licitação|Código UG|Nome UG|Código Modalidade Compra|Código Item Compra|Descrição Item Compra|CPF/CNPJ Participante|Nome Participante|Flag Vencedor",
        &[row, &row.replace("SIM", "NÃO")],
    )
}

pub fn empenhos() -> Vec<u8> {
    let row = "000072024|159998|REITORIA|5|159998269992024NE000012|15/03/2024|CAFÉ|1.500,00";
    portal(
        "Número Licitação|Código UG|Nome UG|Código Modalidade Compra|Código Empenho|Data Emissão Empenho|Observação Empenho|Valor Empenho (R$)",
        &[row, row],
    )
}

pub fn ui() -> Vec<u8> {
    let row = "11/01/2023|20/06/2023|11/01/2023|22/01/2024|Ministério|Comando|COMISSAO/5|Pregão|Serviços|00020/2022|EXEMPLO SA|00.000.000/0001-91|Não se aplica|- 24.312,82|";
    portal(
        "DATA ASSINATURA CONTRATO|DATA PUBLICAÇÃO DOU|DATA INÍCIO VIGÊNCIA|DATA FIM VIGÊNCIA|ORGÃO SUPERIOR CONTRATANTE|ÓRGÃO / ENTIDADE VINCULADA CONTRATANTE|UNIDADE GESTORA CONTRATANTE|\
         FORMA DE CONTRATAÇÃO|GRUPO DE OBJETO DE CONTRATAÇÃO|NÚMERO DO CONTRATO|NOME DO FORNECEDOR|CPF / CNPJ DO FORNECEDOR|SITUAÇÃO|VALOR CONTRATADO|",
        &[row, row],
    )
}

pub fn ceis() -> Vec<u8> {
    let row = "CEIS|303033|J|00000000000191|EXEMPLO SA|123/2023|Suspensão|25/07/2023|24/07/2025|26/07/2023|No órgão sancionador|Prefeitura de Exemplo|SP|MUNICIPAL|LEI 8666|01/08/2023|1,00";
    portal(
        "CADASTRO|CÓDIGO DA SANÇÃO|TIPO DE PESSOA|CPF OU CNPJ DO SANCIONADO|NOME DO SANCIONADO|NÚMERO DO PROCESSO|CATEGORIA DA SANÇÃO|DATA INÍCIO SANÇÃO|DATA FINAL SANÇÃO|DATA PUBLICAÇÃO|\
         ABRAGÊNCIA DA SANÇÃO|ÓRGÃO SANCIONADOR|UF ÓRGÃO SANCIONADOR|ESFERA ÓRGÃO SANCIONADOR|FUNDAMENTAÇÃO LEGAL|DATA ORIGEM INFORMAÇÃO|VALOR DA MULTA",
        &[row, &row.replace("303033", "")],
    )
}

pub fn lista() -> Vec<u8> {
    let row = "EXEMPLO SA|CEIS|00.000.000/0001-91|https://example.org/303033|MINISTERIO|Suspensao|**|2023/07/25|**|1|No orgao sancionador|LEI 8666";
    portal(
        "nome_sancionado|cadastro|cnpjcpf_sancionado|details_link|orgao/entidade_sancionadora|categoria_da_sancao|data_de_publicacao_da_sancao|data_de_inicio_da_sancao|data_de_fim_da_sancao|\
         numero_do_processo|abrangencia_da_sancao|fundamento_legal",
        &[row, row],
    )
}

pub fn pncp_contracts() -> Vec<u8> {
    let contract = r#"{"numeroControlePNCP":"00000000000191-2-000007/2025","numeroControlePncpCompra":"00000000000191-1-000003/2025","receita":false,
        "objetoContrato":"Café \"especial\" {a}, [b]","valorInicial":1100.1,"valorGlobal":1.2E3,"dataAtualizacaoGlobal":"2025-06-24T00:30:04","numeroContratoEmpenho":"7/2025",
        "dataAssinatura":"2025-06-20","dataVigenciaInicio":"2025-06-21","dataVigenciaFim":"2026-06-20","dataPublicacaoPncp":"2025-06-24T00:30:04","niFornecedor":"00000000000191",
        "nomeRazaoSocialFornecedor":"EXEMPLO SA","orgaoEntidade":{"cnpj":"00000000000191","razaoSocial":"MUNICIPIO","poderId":"E","esferaId":"M"},
        "unidadeOrgao":{"codigoUnidade":"U1","nomeUnidade":"PREFEITURA","ufSigla":"SC","municipioNome":"Exemplo"},"categoriaProcesso":{"id":2,"nome":"Compras"},"x":[1,{"y":null}]}"#;
    let tender = r#"{"numeroControlePNCP":"00000000000191-1-000003/2025","objetoCompra":"Remédios","modalidadeId":6,"amparoLegal":{"codigo":1,"nome":"Lei 14.133/2021"},
        "valorTotalEstimado":0.0,"valorTotalHomologado":null,"srp":true,"dataPublicacaoPncp":"2025-06-15T07:55:03"}"#;
    format!("{{\"data\":[{contract},\n{tender},{contract}],\"totalRegistros\":3,\"empty\":false}}").into_bytes()
}

pub fn archive() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("202402_Compras.csv", compras()), ("pasta/202402_Licitação.csv", licitacao())] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A mapping that uses every section.
pub const MAPPING: &str = r#"source = "exemplo"
table = "contracts"
key = ["Contrato", "Ano"]
updated_at = { column = "Atualizado", date = "%d/%m/%Y %H:%M" }
[file]
separator = ";"
encoding = "utf-8"
skip_lines = 1
[style]
decimal = ","
thousands = "."
date = ["%d/%m/%Y", "%d.%m.%y"]
nothing = ["-"]
[columns]
number = "Contrato"
object = { column = ["Objeto", "Assunto"], optional = true }
modality_as_stated = "Modalidade"
legal_basis = "Base"
signed_on = "Assinatura"
value_initial = "Valor"
value_final = { column = "Final", decimal = ".", thousands = "'" }
income = { column = "Tipo", values = { "Despesa" = "false", "Receita" = "true" } }
installments = "Parcelas"
[constants]
sphere = "M"
state = "SP"
currency = "BRL"
[buyer]
code = "UG"
name = "Secretaria"
cnpj = "CNPJ UG"
parent_name = { value = "Prefeitura de Exemplo" }
[supplier]
number = "CNPJ"
name = "Fornecedor"
[modalities]
"Compra Direta" = "dispensa"
"Carona" = ""
[parent]
tender = ["Edital", "Ano"]
"#;

pub fn mapped() -> Vec<u8> {
    let row = "12/2024;2024;01/03/2024 10:30;Aquisição de papel;Compra Direta;Lei 14.133/2021;05/02/2024;1.234,56;1'300.5;Despesa;12;03;\
        Saúde;00.000.000/0001-91;00000000000191;EXEMPLO SA;7;JOÃO 529.982.247-25";
    let undated = row.replace("12/2024", "13/2024").replace("05/02/2024", "-");
    let rows = [row.to_owned(), undated, row.replace("Compra Direta", "?")];
    format!(
        "Cidade de Exemplo\nContrato;Ano;Atualizado;Objeto;Modalidade;Base;Assinatura;Valor;Final;Tipo;Parcelas;UG;Secretaria;CNPJ UG;CNPJ;\
         Fornecedor;Edital;Fiscal\n{}\n",
        rows.join("\n")
    )
    .into_bytes()
}
