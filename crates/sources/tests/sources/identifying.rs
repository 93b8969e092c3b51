//! Formats are known by content; reading and identifying agree.

use sources::{Error, Format, How, SOURCES, identify};

use super::pncp::{contract_record, page, tender_record};
use super::portal_compras::{HEADER, ROW, file_of};
use super::{cp1252, read_input, the_input};

fn identified(bytes: &[u8]) -> Result<sources::Header, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sem-nome");
    std::fs::write(&path, bytes).unwrap();
    let input = the_input(&path);
    let header = identify(&input, How::default());
    if let Ok(header) = &header {
        assert_eq!(read_input(&input, None).result.unwrap().format, header.format);
    }
    header
}

#[test]
fn every_source_of_a_format_is_listed() {
    for format in
        [Format::PortalCompras, Format::PortalUi, Format::PncpEmpty, Format::PortalCnep, Format::PortalSancoesLista]
    {
        assert!(SOURCES.contains(&format.source()));
        assert!(format.code().starts_with(format.source()));
    }
}

#[test]
fn the_name_of_a_file_decides_nothing() {
    assert_eq!(identified(&file_of(&[ROW.to_owned()])).unwrap().format, Format::PortalCompras);
    assert_eq!(identified(&page(&[tender_record()])).unwrap().format, Format::PncpContratacoes);
    assert_eq!(identified(&page(&[contract_record()])).unwrap().format, Format::PncpContratos);
}

#[test]
fn separators_case_accents_order_and_aliases_do_not_matter() {
    let names: Vec<_> = HEADER.split(';').rev().collect();
    let values: Vec<_> = ROW.split(';').rev().collect();
    for separator in ["\t", ",", ";", "|"] {
        let header = names.join(separator).to_uppercase().replace("DO CONTRATO", "CONTRATO").replace("Ó", "O");
        let file = cp1252(&format!("{header}\n{}\n", values.join(separator)));
        assert_eq!(identified(&file).unwrap().format, Format::PortalCompras, "{separator:?}");
    }
}

#[test]
fn the_encoding_is_found() {
    let utf8 = format!("{HEADER}\n{ROW}\n");
    assert_eq!(identified(utf8.as_bytes()).unwrap().encoding, "utf-8");
    assert_eq!(identified(format!("\u{FEFF}{utf8}").as_bytes()).unwrap().encoding, "utf-8-bom");
    assert_eq!(identified(&cp1252(&utf8)).unwrap().encoding, "windows-1252");
}

#[test]
fn a_file_that_is_plain_at_first_is_decided_by_its_first_letter() {
    let plain = |text: &str| model::text::fold(text).to_uppercase();
    let filler = format!("{}\n", plain(ROW)).repeat(200);
    let head = format!("{}\n{filler}", plain(HEADER));
    assert!(head.len() > 64 * 1024);
    for (tail, encoding) in [(cp1252(ROW), "windows-1252"), (ROW.as_bytes().to_vec(), "utf-8"), (Vec::new(), "ascii")] {
        let bytes = [head.as_bytes(), &tail].concat();
        let outcome = super::read_bytes("c.csv", &bytes);
        assert_eq!(outcome.faults(), []);
        assert_eq!(outcome.result.as_ref().unwrap().encoding, encoding);
        if !tail.is_empty() {
            let last = super::contract(&outcome.rows()[200].sourced);
            assert_eq!(last.status.as_deref(), Some("Publicado"));
            assert_eq!(last.modality_as_stated.as_deref(), Some("Dispensa de Licitação"));
        }
    }
}
