//! What holds for every file, right or broken.

use proptest::prelude::*;

use super::pncp::{contract_record, page};
use super::portal_compras::{HEADER, ROW, file_of};
use super::read_bytes;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_line_of_a_file_without_quotes_is_one_event(lines in proptest::collection::vec("[a-z0-9;,.]{1,60}", 0..30)) {
        let file = format!("{}\n{}", HEADER.replace('"', ""), lines.join("\n"));
        let outcome = read_bytes("c.csv", file.as_bytes());
        prop_assert!(outcome.result.is_ok());
        prop_assert_eq!(outcome.events.len(), lines.len());
    }

    #[test]
    fn a_broken_row_never_costs_another(at in 0usize..700, byte in any::<u8>().prop_filter("a line's end makes two rows", |b| *b != b'\n')) {
        let mut row = super::cp1252(ROW);
        let at = at % row.len();
        row[at] = byte;
        let good = file_of(&[ROW.to_owned()]);
        let bytes = [&good[..], &row, b"\r\n", &super::cp1252(ROW), b"\r\n"].concat();
        let outcome = read_bytes("c.csv", &bytes);
        prop_assert!(outcome.result.is_ok());
        prop_assert_eq!(outcome.events.len(), 3);
        let good_rows = outcome.rows().iter().filter(|r| matches!(r.sourced.line, 2 | 4)).count();
        prop_assert_eq!(good_rows, 2);
    }

    #[test]
    fn any_corruption_ends_without_a_panic_and_with_few_events(flips in proptest::collection::vec((any::<u32>(), any::<u8>()), 1..20), cut in any::<u32>()) {
        for whole in [file_of(&vec![ROW.to_owned(); 5]), page(&vec![contract_record(); 5])] {
            let mut bytes = whole;
            for (at, byte) in &flips {
                let at = *at as usize % bytes.len();
                bytes[at] = *byte;
            }
            let lines = 2 + bytes.iter().filter(|b| matches!(b, b'\n' | b'{' | b',' | b'[')).count();
            bytes.truncate(cut as usize % (bytes.len() + 1));
            let outcome = read_bytes("c.csv", &bytes);
            prop_assert!(outcome.events.len() <= lines);
            for bad in outcome.bad() {
                prop_assert!(bad.raw.len() <= sources::RAW_BYTES_MAX);
            }
        }
    }

    #[test]
    fn one_row_gives_one_hash_however_it_is_written(object in "[a-zç ]{0,30}") {
        let row = ROW.replace("Objeto: Aquisição de papel  A4", &object);
        let rows = [row.clone(), format!("{row};"), row.replace("\"00012/2024\"", "00012/2024")];
        let cp1252 = read_bytes("c.csv", &file_of(&rows));
        let utf8 = read_bytes("c.csv", format!("{HEADER}\n{row}\n").as_bytes());
        let mut hashes: Vec<_> = cp1252.rows().iter().chain(&utf8.rows()).map(|r| r.sourced.row_hash.clone()).collect();
        prop_assert_eq!(hashes.len(), 4);
        hashes.dedup();
        prop_assert_eq!(hashes.len(), 1);
    }
}
