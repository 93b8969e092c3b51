//! Every kind of bad row and bad file, and where it ends.

use sources::Error;

use super::pncp::{contract_record, page};
use super::portal_compras::{HEADER, ROW, file_of, row_with};
use super::{contract, cp1252, read_bytes, read_hinted};

/// Two good rows around the one in question, which stands on line 3.
fn among_good(row: &str) -> super::Outcome {
    let outcome = read_bytes("c.csv", &file_of(&[ROW.to_owned(), row.to_owned(), ROW.to_owned()]));
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.rows().len(), 2, "the good rows are kept");
    outcome
}

#[test]
fn each_fault_of_a_row_has_its_line_column_and_reason() {
    let cases = [
        (row_with(17, "6058.60"), "number_style", Some("Valor Inicial Compra")),
        (row_with(18, "1,234.56"), "number_style", Some("Valor Final Compra")),
        (row_with(18, "muito"), "amount", Some("Valor Final Compra")),
        (row_with(18, "1,23456"), "amount", Some("Valor Final Compra")),
        (row_with(18, "999999999999999999,00"), "amount", Some("Valor Final Compra")),
        (row_with(11, "00/00/0000"), "date", Some("Data Assinatura Contrato")),
        (row_with(12, "30/02/2024"), "date", Some("Data Publicação DOU")),
        (row_with(13, "2024-02-05"), "date", Some("Data Início Vigência")),
        (row_with(0, ""), "required_field", Some("Número do Contrato")),
        (row_with(9, "Sem informação"), "required_field", Some("Código UG")),
        (ROW.rsplit_once(';').unwrap().0.to_owned(), "field_count", None),
        (format!("{ROW};\"mais um\""), "field_count", None),
        (row_with(1, "papel\0a4"), "encoding", Some("Objeto")),
        ("lixo".to_owned(), "field_count", None),
    ];
    for (row, reason, column) in cases {
        let outcome = among_good(&row);
        assert_eq!(outcome.faults(), [(3, reason)], "{row}");
        assert_eq!(outcome.bad()[0].column.as_deref(), column, "{row}");
        assert!(!outcome.bad()[0].raw.is_empty() && !outcome.bad()[0].detail.is_empty());
    }
}

#[test]
fn what_only_looks_bad_is_read() {
    let longer = format!("{ROW};;\"\"; ");
    let quoted = row_with(1, "papel \"\"A4\"\" branco");
    let loosely_quoted = row_with(1, "papel \"A4\" branco");
    let control = row_with(1, "papel\u{1A} A4 \u{7}");
    let lines = row_with(1, "papel\nA4; branco");
    for (row, object) in [
        (longer, "Objeto: Aquisição de papel A4"),
        (quoted, "papel \"A4\" branco"),
        (loosely_quoted, "papel \"A4\" branco"),
        (control, "papel A4"),
        (lines, "papel A4; branco"),
    ] {
        let outcome = read_bytes("c.csv", &file_of(&[row.clone(), ROW.to_owned()]));
        assert_eq!(outcome.faults(), [], "{row}");
        assert_eq!(contract(&outcome.rows()[0].sourced).object.as_deref(), Some(object));
        assert_eq!(outcome.rows().len(), 2);
    }
}

#[test]
fn lines_are_counted_through_rows_that_span_lines_and_blank_lines() {
    let rows = [row_with(1, "um\ndois\ntrês"), String::new(), row_with(0, ""), "   ".to_owned(), ROW.to_owned()];
    let outcome = read_bytes("c.csv", &file_of(&rows));
    assert_eq!(outcome.faults(), [(6, "required_field")]);
    let lines: Vec<_> = outcome.rows().iter().map(|r| r.sourced.line).collect();
    assert_eq!(lines, [2, 8]);
}

#[test]
fn a_lost_quote_costs_its_own_row_only() {
    let lost_at_the_end = ROW.strip_suffix('"').unwrap().to_owned();
    let lost_within = ROW.replacen("\";\"Lei", ";\"Lei", 1);
    for (row, reason) in [(lost_at_the_end, "quote"), (lost_within, "field_count")] {
        assert_eq!(among_good(&row).faults(), [(3, reason)], "{row}");
    }
}

#[test]
fn a_file_cut_inside_a_quote_keeps_its_rows_and_says_that_it_is_cut() {
    let whole = file_of(&[ROW.to_owned(), ROW.to_owned()]);
    let outcome = read_bytes("c.csv", &whole[..whole.len() - 20]);
    assert_eq!(outcome.rows().len(), 1);
    assert_eq!(outcome.faults(), [(3, "truncated")]);
    assert!(matches!(outcome.result, Err(Error::Truncated { row: 3, .. })));
}

#[test]
fn a_broken_letter_in_utf8_costs_its_row_only_and_other_letters_stay() {
    let mut bytes = format!("{HEADER}\n{ROW}\n").into_bytes();
    bytes.extend_from_slice(ROW.replace("Campus", "").as_bytes());
    let at = bytes.len() - 10;
    bytes[at] = 0xE7;
    bytes.extend_from_slice(format!("\n{ROW}\n").as_bytes());
    let outcome = read_bytes("c.csv", &bytes);
    assert_eq!(outcome.faults(), [(3, "encoding")]);
    assert_eq!(outcome.bad()[0].column.as_deref(), Some("Modalidade Compra Licitação"));
    assert_eq!(contract(&outcome.rows()[1].sourced).status.as_deref(), Some("Publicado"));
    assert_eq!(contract(&outcome.rows()[1].sourced).modality_as_stated.as_deref(), Some("Dispensa de Licitação"));
}

#[test]
fn a_row_that_never_ends_is_left_out_in_bounded_memory() {
    let long = row_with(1, &"x".repeat(3 << 20));
    let outcome = among_good(&long);
    assert_eq!(outcome.faults(), [(3, "too_long")]);
    assert!(outcome.bad()[0].raw.len() <= sources::RAW_BYTES_MAX);
    let outcome = read_bytes("c.csv", &[file_of(&[ROW.to_owned()]), vec![b'x'; 3 << 20]].concat());
    assert_eq!((outcome.rows().len(), outcome.faults()), (1, vec![(3, "too_long")]));
}

#[test]
fn the_quarantined_text_is_masked_and_clipped() {
    let outcome = among_good(&row_with(11, "JOSE 529.982.247-25"));
    let bad = outcome.bad()[0];
    assert!(bad.raw.contains("***.982.247-**") && bad.detail.contains("***.982.247-**"));
    assert!(!format!("{bad:?}").contains("529."));
    assert!(among_good(&row_with(0, "")).bad()[0].raw.contains("Aquisição"), "decoded");
}

#[test]
fn files_that_are_not_ours_are_named_and_shown() {
    for bytes in
        [&b"a,b,c\n1,2,3\n"[..], b"\x89PNG\r\n\x1a\n\0\0", b"{\"message\":\"erro\"}", b"[[[[[[", b"{", b"texto"]
    {
        let error = read_bytes("qualquer.csv", bytes).result.unwrap_err();
        assert!(matches!(error, Error::UnknownFormat { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains("qualquer.csv") && said.contains("portal-compras, "), "{said}");
    }
    let error = read_bytes("x.csv", b"JOSE 529.982.247-25;b\n").result.unwrap_err().to_string();
    assert!(error.contains("`JOSE ***.982.247-**;b`"), "{error}");
    let shown = read_bytes("x.csv", "x".repeat(1 << 20).as_bytes()).result.unwrap_err().to_string();
    assert!(shown.len() < 600);
}

#[test]
fn empty_files_and_files_of_blanks_are_called_empty() {
    for bytes in [&b""[..], b"\xEF\xBB\xBF", b" \r\n\r\n"] {
        assert!(matches!(read_bytes("c.csv", bytes).result, Err(Error::Empty { .. })));
    }
    let outcome = read_bytes("c.csv", &cp1252(HEADER));
    assert!(outcome.result.is_ok() && outcome.events.is_empty(), "a header without rows is a whole file");
}

#[test]
fn a_header_that_lost_a_column_names_it() {
    let header = HEADER.replace("\"Valor Inicial Compra\"", "\"Valor Original\"");
    let Err(Error::HeaderChanged { missing, format, .. }) = read_bytes("c.csv", &cp1252(&header)).result else {
        panic!("a changed header")
    };
    assert_eq!(
        (missing.as_slice(), format),
        (["VALOR INICIAL COMPRA".to_owned()].as_slice(), "portal-compras/compras")
    );
}

#[test]
fn a_hint_forces_a_source_or_is_refused() {
    let file = file_of(&[ROW.to_owned()]);
    assert!(read_hinted("c.csv", &file, Some("portal-compras")).result.is_ok());
    let Err(Error::WrongSource { found, .. }) = read_hinted("c.csv", &file, Some("portal-ui")).result else {
        panic!("the wrong source")
    };
    assert_eq!(found, "portal-compras");
    assert!(matches!(read_hinted("c.csv", &file, Some("nada")).result, Err(Error::UnknownSource { .. })));
    let json = page(&[contract_record()]);
    assert!(matches!(read_hinted("c.json", &json, Some("portal-ui")).result, Err(Error::WrongSource { .. })));
}

#[test]
fn a_cut_page_keeps_its_records_and_says_that_it_is_cut() {
    let whole = page(&[contract_record(), contract_record(), contract_record()]);
    let cut = whole.len() - 400;
    let outcome = read_bytes("p.json", &whole[..cut]);
    assert_eq!(outcome.rows().len(), 2);
    assert_eq!(outcome.faults(), [(3, "truncated")]);
    assert!(matches!(outcome.result, Err(Error::Truncated { row: 3, .. })));
}

#[test]
fn text_behind_a_page_is_damage() {
    let bytes = [page(&[contract_record()]), b" x".to_vec()].concat();
    let outcome = read_bytes("p.json", &bytes);
    assert_eq!(outcome.rows().len(), 1);
    assert!(matches!(outcome.result, Err(Error::Damaged { .. })));
}

#[test]
fn a_record_nested_too_deep_is_quarantined() {
    let good = serde_json::to_string(&contract_record()).unwrap();
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let outcome = read_bytes("p.json", format!("[{good},{deep},{good}]").as_bytes());
    assert_eq!(outcome.faults(), [(2, "json")]);
    assert_eq!(outcome.rows().len(), 2);
}

#[test]
fn the_receiver_can_stop_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.csv");
    std::fs::write(&path, file_of(&[ROW.to_owned(), ROW.to_owned()])).unwrap();
    let mut seen = 0;
    let result = sources::read(&super::the_input(&path), sources::How::default(), &mut |_| {
        seen += 1;
        Err(Error::sink("full"))
    });
    assert!(matches!(result, Err(Error::Sink(_))));
    assert_eq!(seen, 1);
}
