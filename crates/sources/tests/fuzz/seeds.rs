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

pub fn despesas() -> Vec<u8> {
    let row = "1|159999000012024NE000012|2024NE000012|05/02/2024|REFORÇO|26000|Ministério|26999|Universidade|159999|CAMPUS|00000000000191|EXEMPLO SA|CAFÉ|39|Serviços|230012024|Pregão|LEI 14.133 / 2021|-2|1.234,56";
    portal(
        "Id Empenho|Código Empenho|Código Empenho Resumido|Data Emissão|Espécie Empenho|Código Órgão Superior|Órgão Superior|Código Órgão|Órgão|Código Unidade Gestora|Unidade Gestora|\
         Código Favorecido|Favorecido|Observação|Código Elemento de Despesa|Elemento de Despesa|Processo|Modalidade de Licitação|Amparo|Referência de dispensa ou inexigibilidade|Valor do Empenho Convertido pra R$",
        &[row, &row.replace("REFORÇO", "ANULAÇÃO"), &row.replace("05/02", "06/02")],
    )
}

pub fn portal_api_contracts() -> Vec<u8> {
    r#"[{"id":7,"numero":"00012/2024","objeto":"Café","situacaoContrato":"Publicado","modalidadeCompra":{"descricao":"Pregão"},"dataAssinatura":"05/02/2024","valorInicialCompra":"1.234,56",
        "valorFinalCompra":1234.5,"fornecedor":{"cnpjFormatado":"00.000.000/0001-91","nome":"EXEMPLO SA"},"unidadeGestora":{"codigo":"159999","nome":"CAMPUS","orgaoVinculado":{"codigoSIAFI":"26999"}}},
       {"id":8,"tipoSancao":{"descricaoResumida":"Suspensão"},"orgaoSancionador":{"nome":"X"},"pessoa":{"cnpjFormatado":"00.000.000/0001-91","nome":"EXEMPLO SA"},"fundamentacao":[{"descricao":"LEI 8666"}]},
       {"documento":"159999000012024NE000012","fase":"Empenho","data":"05/02/2024","valor":"1,00","elemento":"39 - Serviços"}]"#
    .into()
}

pub fn comprasgov_items() -> Vec<u8> {
    let line = r#"{"_id":"15999906000012016","doc":{"_embedded":{"compras":[{"co_servico":1,"no_servico":"FRETE","qt_material_alt":"2","vr_estimado":10.5,"nu_cnpj_vencedor":"00000000000191",
        "_links":{"self":{"href":"/x/15999906000012016/itens/0001","title":"Item  1 de"}}},{"qt_material_alt":"1","vr_estimado":0.0,"no_marca_material":"A","_links":{"self":{"href":"/x/1/itens/0002"}}}]},"count":2}}"#;
    format!("{line}\n{line}\n").into()
}

pub fn comprasgov_contracts() -> Vec<u8> {
    let record = r#"{"identificador":"15999950000010017","uasg":159999,"modalidade_licitacao":5,"objeto":"Caf\u001A","cpfContratada":"***982247**:1","data_assinatura":"2017-02-03","valor_inicial":15.64,
        "_links":{"uasg":{"title":"UASG 159999: UNIÃƒO"},"fornecedor":{"title":"Fornecedor 1: JOSÃ‰"}}}"#;
    format!("{{\"_links\":{{}},\"_embedded\":{{\"contratos\":[{record},{record}]}},\"count\":2}}").into()
}

pub fn contratosgov() -> Vec<u8> {
    r#"{"total_registros":4,"dados":[{"contrato_id":"7","dados":{"Tipo":"Termo Aditivo","Número":"00001/2022","Data Assinatura":"10/11/2022","Vlr. Global":"1.930,94","Parcelas":"1"}},
        {"contrato_id":"7","dados":{"UG":"159999","Número":"2023NE000448","ND":"339040 - TIC","Emp.":"321,00","Liquid.":"0,00","Pg":"321,00","RP Pg":"0,00"}},
        {"contrato_id":"7","dados":["1437","2021-10-28","4861","2021-11-05","8888.00"]},{"contrato_id":"7","dados":["Serviço","FRETE","12","9.2307687466","145650.0000"]}]}"#
    .into()
}

pub fn ifms() -> Vec<u8> {
    "\u{FEFF}arquivo_origem;data_extracao;id_contrato;id_compra;numero;processo;origem_uasg;tipo;modalidade;codigo_modalidade;fornecedor_cnpj;fornecedor_nome;valor_global;vigencia_inicio;vigencia_fim\n\
     a.json;2026-03-28 00:58:53;7;15999906000572021;00001/2021;233;159999;Contrato;Dispensa;06;00.000.000/0001-91;EXEMPLO SA;61.233,20;14/12/2021;\n"
        .into()
}

pub fn pncp_items() -> Vec<u8> {
    let item = r#"{"numeroItem":1,"descricao":"Café \"especial\"","materialOuServicoNome":"Material","valorUnitarioEstimado":21.5,"quantidade":1.05E1,"unidadeMedida":"Quilo",
        "situacaoCompraItemNome":"Homologado","criterioJulgamentoNome":"Menor preço","dataInclusao":"2025-06-15T07:55:03","catalogo":{"id":1}}"#;
    let result = r#"{"numeroControlePNCPCompra":"00000000000191-1-000003/2025","numeroItem":1,"sequencialResultado":1,"niFornecedor":"00000000000191","nomeRazaoSocialFornecedor":"EXEMPLO SA",
        "valorTotalHomologado":210.0,"valorUnitarioHomologado":20.0,"quantidadeHomologada":10.5,"dataResultado":"2025-07-05","situacaoCompraItemResultadoId":"1"}"#;
    format!("[{result},{{\"numeroControlePNCP\":\"00000000000191-1-000003/2025\",\"itens\":[{item},{item}],\"resultados\":[{result}]}}]").into_bytes()
}

pub fn pncp_terms() -> Vec<u8> {
    let term = r#"{"sequencialTermoContrato":1,"numeroTermoContrato":"01/2026","tipoTermoContratoNome":"Termo Aditivo","objetoTermoContrato":"Acréscimo","dataAssinatura":"2026-01-10",
        "valorAcrescido":-120.0,"prazoAditadoDias":180,"orgaoEntidade":{"cnpj":"00000000000191","razaoSocial":"MUNICIPIO"},"unidade":{"codigoUnidade":"U1","nomeUnidade":"PREFEITURA"}}"#;
    format!("{{\"numeroControlePNCP\":\"00000000000191-2-000007/2025\",\"termos\":[{term},{term}]}}").into_bytes()
}

pub fn pncp_df_purchases() -> Vec<u8> {
    let purchase = r#"{"Modalidade":"Dispensa","Código":"00000000000191-1-000001/2021","UF":"Distrito Federal","Órgão Entidade":"MINISTERIO","Objeto da Compra":"Café","Ano da Compra":2021,
        "Valor Total Estimado":99.5,"Valor Total Homologado":87.0,"Empresas Contratadas":{"Empresa Contratada -1":"EXEMPLO SA","CNPJ -1":"00000000000191","Valor Recebido -1":80.0,"Descrição -1":"Café",
        "Empresa Contratada -2":"JOSE","CNPJ -2":"***982247**","Valor Recebido -2":7.0,"Descrição -2":"Chá"}}"#;
    format!("[\n{purchase},\n{purchase}\n]").into_bytes()
}

pub fn pncp_df_awards() -> Vec<u8> {
    let row = "00000000000191-1-000001/2021,\"EXEMPLO, SA\",00000000000191,8790.0,Café";
    format!("Código,Empresa Contratada,CNPJ,Valor Recebido,Descrição\n{row}\n{row}\n").into_bytes()
}

/// A file as the Receita writes it: cp1252, quoted, `;`, no header.
fn receita(rows: &[&str]) -> Vec<u8> {
    let text: String = rows.iter().map(|line| format!("\"{}\"\n", line.replace('|', "\";\""))).collect();
    encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
}

pub fn receita_companies() -> Vec<u8> {
    let row = "00000000|EXEMPLO CAFÉ SA|2038|10|120000000000,00|05|";
    receita(&[row, &row.replace("00000000|", "12ABC345|"), row])
}

pub fn receita_establishments() -> Vec<u8> {
    let row = "00000000|0001|91|1|EXEMPLO|02|20051103|00|||19660801|6422100|6499999,6421200|AVENIDA|PAULISTA|1000|SALA 1|CENTRO|01310100|SP|7107|11|33334444|||||contato@exemplo.com.br||";
    receita(&[row, &row.replace("33334444", "00000000"), row])
}

pub fn receita_partners() -> Vec<u8> {
    let row = "00000000|2|JOSÉ DA SILVA|***982247**|49|20200115||***000000**||00|4";
    receita(&[row, "00000000|1|OUTRA SA|00000000000191|22|20200115|||||0", row])
}

pub fn receita_simples() -> Vec<u8> {
    let row = "00000000|S|20070701|00000000|N|20090701|20090801";
    receita(&[row, row])
}

pub fn receita_activities() -> Vec<u8> {
    receita(&["0111301|Cultivo de arroz", "6422100|Bancos múltiplos"])
}

const RELEASE: &str = r#"{"ocid":"ocds-zz0000-7","id":"r1","date":"2025-03-10T23:30:00-03:00","tag":["compiled"],
    "parties":[{"id":"B","name":"Prefeitura","roles":["buyer"],"identifier":{"scheme":"BR-CNPJ","id":"00000000000191"},"address":{"locality":"Exemplo","region":"SC"},"contactPoint":{"email":"x"}}],
    "buyer":{"id":"B"},"tender":{"id":"7","title":"Caf\u00e9 \"x\"","procurementMethodDetails":"Pregão","value":{"amount":1.5e3,"currency":"BRL"},"lots":[{"id":"L","items":["1"]}],
    "tenderPeriod":{"startDate":"2025-01-02","endDate":"2025-01-20T00:00:00Z"},"items":[{"id":1,"quantity":2.5,"classification":{"scheme":"CPV","id":"1"},"unit":{"name":"un","value":{"amount":"3.5","currency":"BRL"}}}],
    "tenderers":[{"id":"GB-COH-1","name":"T"}]},
    "bids":{"details":[{"id":"b","status":"valid","date":"2025-01-15","relatedLots":["L"],"tenderers":[{"id":"BR-CPF-***.982.247-**","name":"S"},{"name":"U"}],"value":{"amount":10}}]},
    "awards":[{"id":"a","date":"2025-02-01","suppliers":[{"name":"U"}],"value":{"amount":10,"currency":"BRL"}},{"id":"a2","suppliers":[{"id":"GB-COH-1"}],"items":[{"id":"1"}]}],
    "contracts":[{"id":"c","awardID":"a","dateSigned":"2025-02-10","value":{"amount":10,"currency":"USD"},"amendments":[{"id":"m","date":"2025-03-01","rationale":"r"}],
    "implementation":{"transactions":[{"id":"t","value":{"amount":1,"currency":"BRL"},"payer":{"id":"B"},"payee":{"name":"U"}}]}}],"x":[1,{"y":null}]}"#;

pub fn ocds_releases() -> Vec<u8> {
    format!("{{\"publisher\":{{}},\"publishedDate\":\"2025\",\"releases\":[{RELEASE},\n{RELEASE}]}}").into_bytes()
}

pub fn ocds_lines() -> Vec<u8> {
    let line = RELEASE.replace('\n', "");
    format!("{line}\n{line}\n{line}").into_bytes()
}

pub fn ocds_records() -> Vec<u8> {
    let version = r#"[{"releaseDate":"2025-01-01","value":"Old"},{"releaseDate":"2025-02-01","value":"New"}]"#;
    let versioned = format!(r#"{{"ocid":"ocds-1-2","versionedRelease":{{"tender":{{"id":"t","title":{version}}}}}}}"#);
    let records = [
        format!(r#"{{"ocid":"ocds-1-1","releases":[{{"url":"u"}}],"compiledRelease":{RELEASE}}}"#),
        format!(
            r#"{{"ocid":"ocds-zz0000-7","releases":[{RELEASE},{{"ocid":"ocds-zz0000-7","date":"2025-04-01","awards":[{{"id":"a","status":null}}]}}]}}"#
        ),
        versioned,
    ];
    format!("{{\"records\":[{}]}}\n{{\"records\":[{}]}}", records.join(","), records[2]).into_bytes()
}

/// A mapping that uses every section.
#[allow(dead_code, reason = "not every test that has the seeds needs it")]
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

#[allow(dead_code, reason = "not every test that has the seeds needs it")]
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

/// One file of every built-in format, by name.
#[allow(dead_code, reason = "for tests from outside the process")]
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("202402_Compras.csv", compras()),
        ("202402_ItemCompra.csv", item_compra()),
        ("202402_TermoAditivo.csv", termo_aditivo()),
        ("202402_Licitacao.csv", licitacao()),
        ("202402_ItemLicitacao.csv", item_licitacao()),
        ("202402_ParticipantesLicitacao.csv", participantes()),
        ("202402_EmpenhosRelacionados.csv", empenhos()),
        ("ui.csv", ui()),
        ("20240201_CEIS.csv", ceis()),
        ("lista.csv", lista()),
        ("pncp.json", pncp_contracts()),
        ("202402.zip", archive()),
        ("202402_Despesas.csv", despesas()),
        ("api.json", portal_api_contracts()),
        ("comprasgov_itens.jsonl", comprasgov_items()),
        ("comprasgov_contratos.json", comprasgov_contracts()),
        ("contratosgov.json", contratosgov()),
        ("ifms.csv", ifms()),
        ("pncp_itens.json", pncp_items()),
        ("pncp_termos.json", pncp_terms()),
        ("df.json", pncp_df_purchases()),
        ("df.csv", pncp_df_awards()),
        ("K3241.K03200Y0.D40914.EMPRECSV", receita_companies()),
        ("K3241.K03200Y0.D40914.ESTABELE", receita_establishments()),
        ("K3241.K03200Y0.D40914.SOCIOCSV", receita_partners()),
        ("F.K03200W.SIMPLES.CSV.D40914", receita_simples()),
        ("F.K03200Z.D40914.CNAECSV", receita_activities()),
        ("ocds.json", ocds_releases()),
        ("ocds.jsonl", ocds_lines()),
        ("ocds_records.jsonl", ocds_records()),
    ]
}
