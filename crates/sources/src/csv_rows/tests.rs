//! Splitting agrees with the `csv` crate where a file is well-formed, and never panics where it is not.

use super::*;
use proptest::prelude::*;

/// Fields of each row; `None` for a bad one.
fn split(bytes: &[u8], columns: usize, encoding: Encoding) -> Vec<Option<Vec<String>>> {
    let mut rows = Rows::new(bytes, b';', encoding);
    rows.expect_columns(vec![String::new(); columns]);
    let mut seen = Vec::new();
    loop {
        match rows.step().unwrap() {
            Step::End => return seen,
            Step::Bad(_) => seen.push(None),
            Step::Row => {
                let cells = rows.cells();
                seen.push(Some((0..cells.len()).map(|c| cells.exact(c).to_owned()).collect()));
            }
        }
    }
}

#[test]
fn the_mark_between_fields_may_stand_inside_one() {
    let bytes = b"\xE7\x1F;b\n;\x1F\xE9\n";
    let rows = split(bytes, 2, Encoding::Cp1252);
    assert_eq!(rows[0].as_deref(), Some(&["ç\u{1F}".to_owned(), "b".to_owned()][..]));
    assert_eq!(rows[1].as_deref(), Some(&[String::new(), "\u{1F}é".to_owned()][..]));
}

proptest! {
    #[test]
    fn well_formed_rows_are_split_as_the_csv_crate_splits_them(
        table in proptest::collection::vec(proptest::collection::vec("[a-zç\";,\n\u{1F} ]{0,12}", 4), 1..6)
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(b';').quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let ours: Vec<_> = split(&bytes, 4, Encoding::Utf8).into_iter().map(Option::unwrap).collect();
        prop_assert_eq!(ours, table.clone());
        let cp1252 = encoding_rs::WINDOWS_1252.encode(std::str::from_utf8(&bytes).unwrap()).0.into_owned();
        let ours: Vec<_> = split(&cp1252, 4, Encoding::Cp1252).into_iter().map(Option::unwrap).collect();
        prop_assert_eq!(ours, table);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::sample::select(b"a;\"\n\r\0\xE7 \x1F".to_vec()), 0..200), columns in 1usize..5) {
        for encoding in [Encoding::Utf8, Encoding::Cp1252, Encoding::Mixed, Encoding::Ascii] {
            let lines = bytes.iter().filter(|b| **b == b'\n').count() + 1;
            prop_assert!(split(&bytes, columns, encoding).len() <= lines);
        }
    }
}
