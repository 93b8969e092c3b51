//! CEIS and CNEP in all their layouts, and the Portal's list.

use model::Sanction;
use serde_json::json;
use sources::Format;

use super::{Outcome, brl, cp1252, day, metadata, read_bytes, sanction, text};

const CEIS: &str = "\"CADASTRO\";\"CÓDIGO DA SANÇÃO\";\"TIPO DE PESSOA\";\"CPF OU CNPJ DO SANCIONADO\";\"NOME DO SANCIONADO\";\
\"NOME INFORMADO PELO ÓRGÃO SANCIONADOR\";\"RAZÃO SOCIAL - CADASTRO RECEITA\";\"NOME FANTASIA - CADASTRO RECEITA\";\"NÚMERO DO PROCESSO\";\
\"CATEGORIA DA SANÇÃO\";\"DATA INÍCIO SANÇÃO\";\"DATA FINAL SANÇÃO\";\"DATA PUBLICAÇÃO\";\"PUBLICAÇÃO\";\"DETALHAMENTO DO MEIO DE PUBLICAÇÃO\";\
\"DATA DO TRÂNSITO EM JULGADO\";\"ABRAGÊNCIA DA SANÇÃO\";\"ÓRGÃO SANCIONADOR\";\"UF ÓRGÃO SANCIONADOR\";\"ESFERA ÓRGÃO SANCIONADOR\";\
\"FUNDAMENTAÇÃO LEGAL\";\"DATA ORIGEM INFORMAÇÃO\";\"ORIGEM INFORMAÇÕES\";\"OBSERVAÇÕES\"";

fn ceis(kind: &str, scope: &str, sphere: &str, legal_basis: &str) -> Outcome {
    let row = format!(
        "\"CEIS\";\"303033\";\"J\";\"00000000000191\";\"EXEMPLO SA\";\"EXEMPLO\";\"EXEMPLO S.A.\";\"\";\"123/2023\";\"{kind}\";\"25/07/2023\";\"24/07/2025\";\
         \"26/07/2023\";\"Sem Informação\";\"\";\"\";\"{scope}\";\"Prefeitura Municipal de Exemplo\";\"sp\";\"{sphere}\";\"{legal_basis}\";\"01/08/2023\";\"\";\"\""
    );
    read_bytes("20230801_CEIS.csv", &cp1252(&format!("{CEIS}\n{row}\n")))
}

fn only(outcome: &Outcome) -> &Sanction {
    sanction(&outcome.only().sourced)
}

const LIMITED: &str = "Impedimento/proibição de contratar com prazo determinado";

#[test]
fn a_sanction_of_the_present_layout_maps_exactly() {
    let outcome =
        ceis(LIMITED, "Em todos os Poderes da Esfera do órgão sancionador", "MUNICIPAL", "LEI 14133 - ART. 156, III");
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-ceis:303033");
    let found = sanction(&row.sourced);
    assert_eq!(found.register, text("CEIS"));
    assert_eq!((found.kind, found.bars_contracting), (Some("impedimento"), Some(true)));
    assert_eq!(found.kind_as_stated, text(LIMITED));
    assert_eq!((&found.supplier_id, &found.supplier_root), (&text("cnpj:00000000000191"), &text("00000000")));
    assert_eq!(found.supplier_name, text("EXEMPLO SA"));
    assert_eq!(
        (found.starts_on, found.ends_on, found.published_on),
        (day("2023-07-25"), day("2025-07-24"), day("2023-07-26"))
    );
    assert_eq!(
        (&found.body, &found.body_key),
        (&text("Prefeitura Municipal de Exemplo"), &text("prefeitura municipal de exemplo"))
    );
    assert_eq!(
        (&found.body_sphere, found.body_sphere_basis, &found.body_state),
        (&text("M"), Some("stated"), &text("SP"))
    );
    assert_eq!((found.scope_min, found.scope_max), (Some(2), Some(2)));
    assert_eq!((&found.legal_basis, &found.process), (&text("LEI 14133 - ART. 156, III"), &text("123/2023")));
    assert_eq!((found.fine, found.listed_on), (None, day("2023-08-01")));
    assert_eq!(metadata(&row.sourced), json!({"TIPO DE PESSOA": "J", "PUBLICAÇÃO": "Sem Informação"}));
    assert_eq!(row.supplier.as_ref().unwrap().1.seen_on, day("2023-08-01"));
}

#[test]
fn the_header_is_known_with_and_without_its_slip_of_spelling() {
    let right = CEIS.replace("ABRAGÊNCIA", "ABRANGÊNCIA");
    let row = "\"CEIS\";\"1\";\"J\";\"00000000000191\";\"E\";\"\";\"\";\"\";\"\";\"Suspensão\";\"25/07/2023\";\"\";\"\";\"\";\"\";\"\";\"No órgão sancionador\";\"X\";\"\";\"\";\"\";\"\";\"\";\"\"";
    let outcome = read_bytes("c.csv", &cp1252(&format!("{right}\n{row}\n")));
    assert_eq!(only(&outcome).scope_as_stated, text("No órgão sancionador"));
}

#[test]
fn a_reach_lies_between_what_is_stated_and_what_the_law_says() {
    let reach = |kind: &str, scope: &str| {
        let outcome = ceis(kind, scope, "", "");
        let found = only(&outcome);
        (found.scope_min.unwrap(), found.scope_max.unwrap())
    };
    assert_eq!(reach("Suspensão", "Todas as Esferas em todos os Poderes"), (0, 3));
    assert_eq!(reach("Declaração de Inidoneidade sem prazo determinado", ""), (3, 3));
    assert_eq!(reach("Impedimento", "Na Esfera e no Poder do órgão sancionador"), (1, 2));
    assert_eq!(reach("Outra coisa", "Em outro órgão"), (0, 3));
    let outcome = ceis("Outra coisa", "Em outro órgão", "", "");
    assert_eq!((only(&outcome).kind, only(&outcome).bars_contracting), (None, None));
}

#[test]
fn a_bodys_sphere_is_read_from_its_name_where_none_is_stated() {
    let outcome = ceis("Suspensão", "", "", "");
    assert_eq!((&only(&outcome).body_sphere, only(&outcome).body_sphere_basis), (&text("M"), Some("name")));
}

#[test]
fn the_layout_of_2016_has_tabs_nuls_for_blanks_and_masked_persons() {
    let header = "Tipo de Pessoa\tCPF ou CNPJ do Sancionado\tNome Informado pelo Órgão Sancionador\tRazão Social - Cadastro Receita\tNome Fantasia - Cadastro Receita\t\
        Número do processo\tTipo Sanção\tData Início Sanção\tData Final Sanção\tÓrgão Sancionador\tUF Órgão Sancionador\tOrigem Informações\tData Origem Informações\t\
        Data Publicação\tPublicação\tDetalhamento\tAbrangência definida em decisão judicial";
    let row = "Física\t***982247**\t***982247**\tJOSÉ DA SILVA\t\0\t77\tProibição - Lei de Improbidade\t08/09/2014\t\0\tJustiça Federal\t\0\tCNJ\t08/05/2015\t\0\t\0\t\0\t\0";
    let outcome = read_bytes("ceis.tsv", format!("{header}\n{row}\n").as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalCeis);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-ceis:cpf:***.982.247-**|jose da silva|77|proibicao|2014-09-08");
    let found = sanction(&row.sourced);
    assert_eq!((found.kind, found.ends_on, found.listed_on), (Some("proibicao"), None, day("2015-05-08")));
    assert_eq!((&found.register, &found.body_state, &found.body_sphere), (&text("CEIS"), &None, &text("F")));
    assert_eq!((found.scope_min, found.scope_max), (Some(0), Some(3)));
    assert_eq!(metadata(&row.sourced), json!({"Tipo de Pessoa": "Física", "Origem Informações": "CNJ"}));
}

#[test]
fn a_copy_with_commas_has_decimal_dots_and_na_for_nothing() {
    let header = "TIPO DE PESSOA,CPF OU CNPJ DO SANCIONADO,NOME INFORMADO PELO ÓRGÃO SANCIONADOR,RAZÃO SOCIAL \u{96} CADASTRO RECEITA,NÚMERO DO PROCESSO,TIPO SANÇÃO,\
        DATA INÍCIO SANÇÃO,DATA FINAL SANÇÃO,ÓRGÃO SANCIONADOR,UF ÓRGÃO SANCIONADOR,DATA ORIGEM INFORMAÇÕES,DATA PUBLICAÇÃO,VALOR DA MULTA,FUNDAMENTAÇÃO LEGAL";
    let row = "J,00000000000191,EXEMPLO,NA,PAR 1,Multa - Lei 12.846/13,26/07/2021,NA,Controladoria Geral do Estado de Mato Grosso,MT,27/07/2021,NA,96170604.55,\"Art. 6, inciso I, Lei 12846/2013\"";
    let outcome = read_bytes("cnep.csv", format!("{header}\n{row}\n").as_bytes());
    assert_eq!(outcome.result.as_ref().unwrap().format, Format::PortalCnep);
    let row = outcome.only();
    assert_eq!(row.sourced.id, "portal-cnep:cnpj:00000000000191|PAR 1|multa|2021-07-26");
    let found = sanction(&row.sourced);
    assert_eq!((found.fine, found.bars_contracting, &found.register), (brl("96170604.55"), Some(false), &text("CNEP")));
    assert_eq!((&found.supplier_name, found.published_on), (&text("EXEMPLO"), None));
    assert_eq!((&found.body_sphere, found.body_sphere_basis), (&text("E"), Some("name")));
}

#[test]
fn a_row_of_the_list_is_known_by_its_link_and_reads_both_forms_of_days() {
    let header = "url;nome_sancionado;cadastro;cnpjcpf_sancionado;uf_sancionado;details_link;orgao/entidade_sancionadora;categoria_sancao;data_de_publicacao_da_sancao;\
        valor_da_multa;nome_informado_pelo_orgao_sancionador;categoria_da_sancao;data_de_inicio_da_sancao;data_de_fim_da_sancao;numero_do_processo;\
        abrangencia_da_sancao;uf_do_orgao_sancionador;fundamento_legal;telefone;municipio";
    let rows = "u;EXEMPLO SA;CEIS;00.000.000/0001-91;SP;https://example.org/sancoes/consulta/303033;MINISTERIO DA FAZENDA;Suspensao;**;;EXEMPLO SA;Suspensao;25/07/2023;**;1;No orgao sancionador;DF;LEI 8666 - ART. 87, III;(61) 5555-0000;BRASILIA\n\
        u;MARIA SOUZA;cnep;***.982.247-**;SP;https://example.org/sancoes/consulta/301790;X;Multa;2023/09/28;115,00;MARIA SOUZA;Multa;2023/09/27;2025/09/27;2;;;;;\n\
        u;EXEMPLO SA;CEIS;00.000.000/0001-91;SP;https://example.org/;X;Multa;;;;;;;;;;;;\n";
    let outcome = read_bytes("lista.csv", format!("{header}\n{rows}").as_bytes());
    assert_eq!(outcome.faults(), [(4, "required_field")]);
    let rows = outcome.rows();
    assert_eq!(rows[0].sourced.id, "portal-sancoes-lista:303033");
    let first = sanction(&rows[0].sourced);
    assert_eq!((first.starts_on, first.ends_on, first.published_on), (day("2023-07-25"), None, None));
    assert_eq!((&first.register, first.kind, first.scope_max), (&text("CEIS"), Some("suspensao"), Some(0)));
    assert_eq!((&first.body_sphere, first.listed_on), (&text("F"), day("2023-07-25")));
    assert!(!rows[0].sourced.metadata.as_deref().unwrap().contains("5555"), "contact data are not kept");
    let second = sanction(&rows[1].sourced);
    assert_eq!(
        (second.starts_on, second.ends_on, second.listed_on),
        (day("2023-09-27"), day("2025-09-27"), day("2023-09-28"))
    );
    assert_eq!((&second.register, second.fine), (&text("CNEP"), brl("115")));
    assert_eq!(second.supplier_id, text("cpf:***.982.247-**|maria souza"));
}
