//! Real files, where `CIDADAO_REAL_DATA` says that they are. None of them is copied here.

use std::path::{Path, PathBuf};

use sources::{Format, How, Mapping};

use super::{Outcome, read_how, read_input, the_input};

/// The folder of real files; without the variable, the test says so and ends.
fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("CIDADAO_REAL_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("left out: CIDADAO_REAL_DATA is not set");
    }
    folder
}

fn read_real(folder: &Path, file: &str) -> Outcome {
    let path = folder.join(file);
    assert!(path.is_file(), "CIDADAO_REAL_DATA has no {file}");
    let outcome = read_input(&the_input(&path), None);
    for bad in outcome.bad().iter().take(5) {
        println!("{file}: {bad:?}");
    }
    if let Some(row) = outcome.rows().first() {
        println!("{file}: {row:#?}");
    }
    outcome
}

fn assert_whole(file: &str, format: Format, encoding: &str, rows: usize) {
    let Some(folder) = real_data() else { return };
    let outcome = read_real(&folder, file);
    let header = outcome.result.as_ref().unwrap();
    assert_eq!((header.format, header.encoding), (format, encoding));
    assert_eq!(outcome.faults(), []);
    assert_eq!(outcome.rows().len(), rows);
}

#[test]
fn the_page_export_of_contracts_is_read_whole() {
    assert_whole("pt-contratos-ui/contratos_2023_neg.csv", Format::PortalUi, "utf-8-bom", 2787);
}

#[test]
fn bulk_tenders_with_one_field_less_than_the_header_are_read_whole() {
    assert_whole("pt-licitacao-bulk/licitacoes_2013_latin1.csv", Format::PortalLicitacao, "windows-1252", 1132);
}

#[test]
fn pncp_contracts_are_read_whole() {
    assert_whole("pncp-contratos/contratos_response_a_dev.json", Format::PncpContratos, "utf-8", 250);
}

#[test]
fn pncp_tenders_are_read_whole() {
    let folder = "pncp-contratacoes";
    let rio = format!("{folder}/rio-de-janeiro_cnpj_42498733000148_contratacoes.json");
    let vitoria = format!("{folder}/vitoria_cnpj_27142058000126_contratacoes.json");
    assert_whole(&rio, Format::PncpContratacoes, "utf-8", 896);
    assert_whole(&vitoria, Format::PncpContratacoes, "utf-8", 233);
}

#[test]
fn registers_of_2016_and_2021_are_read_whole() {
    assert_whole("ceis-2016/ceis102016.tsv", Format::PortalCeis, "utf-8", 13152);
    assert_whole("cnep-2021/cnep.csv", Format::PortalCnep, "utf-8", 382);
}

#[test]
fn lists_of_sanctions_are_read_whole() {
    assert_whole("sancoes-2024/portaltransp_gov_br_20241111_.csv", Format::PortalSancoesLista, "ascii", 4630);
    assert_whole("sancoes-2024/portaltransp_gov_br_20241118.csv", Format::PortalSancoesLista, "ascii", 495);
}

#[test]
fn no_row_of_the_real_files_holds_a_whole_cpf() {
    let Some(folder) = real_data() else { return };
    for file in ["ceis-2016/ceis102016.tsv", "pncp-contratos/contratos_response_a_dev.json"] {
        for row in read_real(&folder, file).rows() {
            // A hash may hold eleven digits that look like one.
            let mut row = row.clone();
            row.sourced.row_hash.clear();
            let shown = format!("{row:?}");
            assert_eq!(model::mask_cpfs(&shown), shown, "{file}");
        }
    }
}

#[test]
fn a_citys_contracts_are_read_whole_by_a_mapping() {
    let Some(folder) = real_data() else { return };
    let mapping = r#"source = "exemplo-recife"
table = "contracts"
key = ["numerocontrato"]
[style]
decimal = "."
date = "%Y/%m/%d"
[columns]
number = "numerocontrato"
object = "objetocontrato"
modality_as_stated = "origemcontrato"
starts_on = "datainiciovigencia"
ends_on = "datafimvigencia"
value_initial = "valorcontrato1"
value_final = "valorcontrato2"
status = "situacaocontrato"
[constants]
sphere = "M"
state = "PE"
[buyer]
name = "orgaocontratante"
[supplier]
number = "cnpjcontratado"
cpf = "cpfcontratado"
name = "razaonomecontratado"
"#;
    let mapping = Mapping::parse("recife.toml", mapping).unwrap();
    let path = folder.join("recife-contratos/dados_abertos_contratos.csv");
    let outcome = read_how(&the_input(&path), How { mapping: Some(&mapping), source: None });
    for bad in outcome.bad().iter().take(5) {
        println!("{bad:?}");
    }
    let header = outcome.result.as_ref().unwrap();
    let counted: Vec<_> = header.unknown_words.iter().map(|(word, rows)| (word.as_str(), *rows)).collect();
    let words = [("modality: COMPRA DIRETA", 37), ("modality: LICITAÇÃO", 2477), ("modality: SARP", 3090)];
    assert_eq!(counted, words);
    assert_eq!(outcome.faults(), []);
    assert_eq!(outcome.rows().len(), 8202);
}
