//! What bad input gets: a clear error or a quarantined row with file and line; nothing already stored is lost or changed.

use std::path::Path;

use testkit::files::{self, Purchase};
use testkit::house::totals;
use testkit::seed::Seed;
use testkit::state::{assert_same, only};
use testkit::{House, Run};

/// A house that already holds something.
fn house_with_data() -> House {
    let house = House::new();
    let rows: Vec<Purchase> = (1..=3).map(|n| Purchase::new(n, "100,0000")).collect();
    let _ = house.ingested(&[&house.file("held/202402_Compras.csv", files::purchases(&rows))], 0);
    let _ = house.ingested(
        &[&house.file("held/pagina.json", files::pncp_page(&[files::pncp_contract(1, "2025-06-24T00:30:04", 10.5)]))],
        0,
    );
    house
}

/// (file, line, column, reason, raw text) of everything in quarantine.
fn quarantine(house: &House) -> Vec<(String, i64, String, String, String)> {
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let sql = "select f.name, q.line, coalesce(q.col, ''), q.reason, q.raw from quarantine q join files f on f.id = q.file_id order by q.id";
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Ingests what must fail as a whole: exit code 1, the words in the report or on stderr, everything as it was.
#[track_caller]
fn fails_and_changes_nothing(name: &str, bytes: &[u8], words: &[&str]) -> Run {
    let house = house_with_data();
    let before = house.state();
    let run = house.ingest(&[&house.file(name, bytes)]).ends_with(1);
    let said = format!("{}{}", run.stdout, run.stderr).to_lowercase();
    for word in words {
        assert!(said.contains(&word.to_lowercase()), "{name}: nothing is said of {word}: {said}");
    }
    assert!(said.contains(&name.to_lowercase()), "the file is not named: {said}");
    assert!(!said.contains("panicked"), "{said}");
    assert_same(&kept(&before), &kept(&house.state()), name);
    assert_eq!(house.problems(), Vec::<String>::new());
    run
}

/// All that was held, without the list of files that were looked at.
fn kept(state: &testkit::State) -> testkit::State {
    let names: Vec<&str> = state.keys().map(String::as_str).filter(|n| *n != "files").collect();
    only(state, &names)
}

/// Ingests a file of which only some rows are bad: exit code 3 and the expected (line, column, reason).
#[track_caller]
fn quarantines(name: &str, bytes: &[u8], account: [u64; 5], expected: &[(i64, &str, &str)]) -> House {
    let house = house_with_data();
    let before = house.state();
    let file = house.file(name, bytes);
    let report = house.ingested(&[&file], 3);
    assert_eq!(totals(&report), account, "{report:#}");
    let found = quarantine(&house);
    let short: Vec<(i64, &str, &str)> = found.iter().map(|q| (q.1, q.2.as_str(), q.3.as_str())).collect();
    assert_eq!(short, expected);
    assert!(found.iter().all(|q| q.0.ends_with(name)), "{found:?}");
    let after = house.state();
    for (table, rows) in &kept(&before) {
        if !["coverage", "findings", "outcomes", "suppliers", "buyers"].contains(&table.as_str()) {
            assert!(rows.iter().all(|row| after[table].contains(row)), "{name}: {table} lost a row");
        }
    }
    assert_eq!(house.problems(), Vec::<String>::new());
    house
}

fn new_purchases() -> Vec<Purchase> {
    (11..=14).map(|n| Purchase::new(n, "100,0000")).collect()
}

#[test]
fn a_truncated_zip_is_refused() {
    let whole = files::zipped(&[("202403_Compras.csv", &files::purchases(&new_purchases()))]);
    for length in [whole.len() - 1, whole.len() / 2, 30] {
        let _ = fails_and_changes_nothing("cortado.zip", &whole[..length], &["zip"]);
    }
}

#[test]
fn a_zip_with_a_corrupt_member_is_refused_and_its_other_members_are_kept() {
    let mut long: Vec<Purchase> = (100..400).map(|n| Purchase::new(n, "100,0000")).collect();
    long[7].object = "Objeto: outro".into();
    let mut archive = files::zipped(&[
        ("a/202403_Compras.csv", &files::purchases(&long)),
        ("b/202404_Compras.csv", &files::purchases(&new_purchases())),
    ]);
    // In the midst of the first member's compressed bytes.
    for byte in &mut archive[400..420] {
        *byte ^= 0x5a;
    }
    let house = house_with_data();
    let before = house.state();
    let report = house.ingested(&[&house.file("estragado.zip", archive)], 1);
    let _ = totals(&report);
    let of = |name: &str| {
        report["files"].as_array().unwrap().iter().find(|f| f["name"].as_str().unwrap().contains(name)).unwrap().clone()
    };
    assert_eq!(of("a/202403")["status"], "failed", "{report:#}");
    assert!(of("a/202403")["error"].as_str().unwrap().contains("202403_Compras.csv"));
    assert_eq!((&of("b/202404")["status"], &of("b/202404")["kept"]), (&"ingested".into(), &4.into()));
    let after = house.state();
    assert!(before["contracts"].iter().all(|row| after["contracts"].contains(row)));
    assert_eq!(house.problems(), Vec::<String>::new());
}

#[test]
fn a_file_that_failed_may_come_again_and_be_read_whole() {
    let house = house_with_data();
    let whole = files::purchases(&new_purchases());
    // Ends inside a quoted field of its last row.
    let cut = &whole[..whole.len() - 40];
    let file = house.file("202403_Compras.csv", cut);
    let first = house.ingest(&[&file]).ends_with(1).json();
    assert_eq!(first["files"][0]["status"], "failed");
    let _ = totals(&first);
    let again = house.ingest(&[&file]).ends_with(1).json();
    assert_eq!(again["files"][0]["status"], "failed", "a broken file is not taken for one seen before");
    assert_eq!(quarantine(&house).len(), 1, "its rows are not quarantined twice");
    let mended = house.ingested(&[&house.file("202403_Compras.csv", &whole)], 0);
    assert_eq!(totals(&mended), [4, 1, 3, 0, 0]);
}

#[test]
fn a_changed_header_is_refused_and_the_missing_column_named() {
    let text: String = files::purchases(&new_purchases()).iter().map(|b| char::from(*b)).collect();
    let changed = text.replace("Valor Final Compra", "Valor Total").replace("Código UG\"", "UASG\"");
    let _ = fails_and_changes_nothing(
        "202403_Compras.csv",
        &files::latin1(&changed.replace("\r\n", "\n")),
        &["Valor Final Compra"],
    );
}

#[test]
fn utf_16_is_refused() {
    let text: String = files::purchases(&new_purchases()).iter().map(|b| char::from(*b)).collect();
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let _ = fails_and_changes_nothing("utf16.csv", &bytes, &["UTF-16"]);
}

#[test]
fn latin_1_bytes_in_a_file_marked_as_utf_8_cost_their_row() {
    let rows = new_purchases();
    let latin = files::purchases(&rows);
    let text: String = latin.iter().map(|b| char::from(*b)).collect();
    let mut bytes = format!("\u{feff}{text}").into_bytes();
    // One byte of Latin-1 in the third row's object.
    let at = bytes.windows(7).position(|w| w == b"lote 13").unwrap();
    bytes.splice(at..at + 4, *b"l\xf4te");
    let house = quarantines("marcado.csv", &bytes, [4, 3, 0, 0, 1], &[(4, "Objeto", "encoding")]);
    assert!(
        quarantine(&house)[0].4.contains("0000132024") || quarantine(&house)[0].4.contains("000132024"),
        "{:?}",
        quarantine(&house)
    );
}

#[test]
fn json_nested_a_hundred_thousand_deep_is_refused() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let _ = fails_and_changes_nothing("fundo.json", deep.as_bytes(), &[]);
    let mut record = files::pncp_contract(5, "2025-06-24T00:30:04", 1.0);
    record["outro"] = "FUNDO".into();
    let text = String::from_utf8(files::pncp_page(&[
        files::pncp_contract(4, "2025-06-24T00:30:04", 1.0),
        record,
        files::pncp_contract(6, "2025-06-24T00:30:04", 1.0),
    ]))
    .unwrap();
    let _ = quarantines("fundo.json", text.replace("\"FUNDO\"", &deep).as_bytes(), [3, 2, 0, 0, 1], &[(2, "", "json")]);
}

#[test]
fn a_day_that_cannot_be_costs_its_row() {
    let mut rows = new_purchases();
    rows[1].signed = "00/00/0000".into();
    rows[3].signed = "30/02/2024".into();
    let day = "Data Assinatura Contrato";
    let house = quarantines(
        "202403_Compras.csv",
        &files::purchases(&rows),
        [4, 2, 0, 0, 2],
        &[(3, day, "date"), (5, day, "date")],
    );
    assert!(quarantine(&house)[0].4.contains("00/00/0000"), "the raw row is kept");
    let sources = house.serve().json("sources");
    let row = sources["data"].as_array().unwrap().iter().find(|s| s["source"] == "portal-compras").unwrap().clone();
    assert_eq!(row["quarantined"]["date"], 2, "{row}");
}

#[test]
fn a_column_with_both_number_styles_loses_the_rows_that_cannot_be_told() {
    let mut rows = new_purchases();
    rows[0].r#final = "1.234,56".into();
    rows[1].r#final = "1234.56".into();
    rows[2].r#final = "1,234.56".into();
    let house = quarantines(
        "202403_Compras.csv",
        &files::purchases(&rows),
        [4, 2, 0, 0, 2],
        &[(3, "Valor Final Compra", "number_style"), (4, "Valor Final Compra", "number_style")],
    );
    assert!(house.state()["contracts"].iter().any(|row| row.contains("|12345600|")), "1.234,56 is exact");
}

#[test]
fn a_duplicate_key_with_other_content_keeps_both() {
    let house = house_with_data();
    let mut rows = new_purchases();
    rows[1].number = rows[0].number.clone();
    rows[1].r#final = "999,0000".into();
    let report = house.ingested(&[&house.file("202403_Compras.csv", files::purchases(&rows))], 0);
    assert_eq!(totals(&report), [4, 4, 0, 0, 0]);
    let _ = house.state();
}

#[test]
fn rows_with_too_few_or_too_many_fields_cost_themselves() {
    let mut lines: Vec<String> = new_purchases().iter().map(Purchase::line).collect();
    lines[0].push_str(";\"mais\"");
    lines[2] = lines[2].split(';').take(5).collect::<Vec<_>>().join(";");
    let _ = quarantines(
        "202403_Compras.csv",
        &files::purchase_lines(&lines),
        [4, 2, 0, 0, 2],
        &[(2, "", "field_count"), (4, "", "field_count")],
    );
}

#[test]
fn garbage_of_any_size_is_refused() {
    let mut seed = Seed::printed("garbage_of_any_size_is_refused");
    let mut kinds: Vec<(&str, Vec<u8>)> =
        vec![("vazio", Vec::new()), ("um", vec![0xff]), ("mega", seed.bytes(1 << 20)), ("vinte", seed.bytes(20 << 20))];
    kinds.push(("linha", b"x;".iter().copied().cycle().take(20 << 20).collect()));
    kinds.push(("zeros", vec![0; 20 << 20]));
    kinds.push(("texto", b"[{".iter().copied().cycle().take(1 << 20).collect()));
    for (name, bytes) in kinds {
        let _ = fails_and_changes_nothing(&format!("{name}.csv"), &bytes, &[]);
    }
}

#[test]
fn garbage_behind_a_right_header_costs_only_itself() {
    let mut seed = Seed::printed("garbage_behind_a_right_header_costs_only_itself");
    let house = house_with_data();
    let before = house.state();
    let mut bytes = files::purchases(&new_purchases());
    bytes.extend(seed.bytes(2 << 20));
    let run = house.ingest(&[&house.file("202403_Compras.csv", bytes)]);
    assert!([Some(1), Some(3)].contains(&run.code), "{}", run.stderr);
    let [_, kept_rows, _, _, bad] = totals(&run.json());
    assert!(kept_rows >= 4 && bad > 0, "{}", run.stdout);
    let after = house.state();
    assert!(before["contracts"].iter().all(|row| after["contracts"].contains(row)));
    assert_eq!(house.problems(), Vec::<String>::new());
}

#[test]
fn a_wrong_file_among_good_ones_stops_none_of_them() {
    let house = house_with_data();
    let good = house.file("bom.csv", files::purchases(&new_purchases()));
    let bad = house.file("ruim.csv", "nada disso");
    let paths: [&Path; 2] = [&bad, &good];
    let report = house.ingested(&paths, 1);
    assert_eq!(totals(&report), [4, 4, 0, 0, 0]);
}
