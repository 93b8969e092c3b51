//! The account of an ingest closes, and what is already held changes nothing.

use serde_json::json;
use testkit::files::{self, Bought, Purchase, Sanctioned};
use testkit::house::totals;
use testkit::seed::Seed;
use testkit::state::{assert_same, records};
use testkit::{House, state_of};

fn some_purchases() -> Vec<Purchase> {
    (1..=5).map(|n| Purchase::new(n, &format!("{n}00,0000"))).collect()
}

#[test]
fn the_account_closes_for_every_file_and_in_total() {
    let house = House::new();
    let mut bad = Purchase::new(9, "1,0000");
    bad.signed = "00/00/0000".to_owned();
    let mut rows = some_purchases();
    rows.push(rows[0].clone());
    rows.push(bad);
    house.file("compras/202402_Compras.csv", files::purchases(&rows));
    let item = Bought {
        contract: rows[0].number.clone(),
        ug: rows[0].ug.clone(),
        code: "461832".into(),
        unit: "RESMA".into(),
        quantity: "3".into(),
        total: "90,0000".into(),
    };
    house.file("compras/202402_ItemCompra.csv", files::bought(&[item]));
    house.file("ceis.csv", files::ceis(&[Sanctioned::new(1, &files::cnpj(1))]));
    house.file(
        "pagina.json",
        files::pncp_page(&[files::pncp_contract(1, "2025-06-24T00:30:04", 10.5), json!({"numeroControlePNCP": 5})]),
    );
    house.file("lixo.bin", Seed::of(7).bytes(100_000));
    house.file("vazio.csv", "");
    house.file(
        "todos.zip",
        files::zipped(&[
            ("a/202403_Compras.csv", &files::purchases(&[Purchase::new(77, "5,0000")])),
            ("leia-me.txt", b"nada"),
        ]),
    );
    let report = house.ingested(&[&house.root().join("in")], 3);
    // Contracts: five kept, one exact duplicate, one bad; one item, one sanction; PNCP: one kept, one bad; one in the archive.
    assert_eq!(totals(&report), [12, 9, 1, 0, 2], "{report:#}");
    let status = |name: &str| {
        let files = report["files"].as_array().unwrap();
        let file = files
            .iter()
            .find(|f| f["name"].as_str().unwrap().contains(name))
            .unwrap_or_else(|| panic!("{name}: {report:#}"));
        file["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (status("lixo.bin"), status("vazio.csv"), status("leia-me.txt")),
        ("not_recognised".into(), "not_recognised".into(), "not_recognised".into())
    );
    assert_eq!(house.problems(), Vec::<String>::new());
    let _ = house.state();
}

#[test]
fn the_same_file_again_is_unchanged_and_leaves_everything_as_it_was() {
    let house = House::new();
    let mut rows = some_purchases();
    rows[4].signed = "31/02/2024".to_owned();
    let file = house.file("202402_Compras.csv", files::purchases(&rows));
    assert_eq!(totals(&house.ingested(&[&file], 3)), [5, 4, 0, 0, 1]);
    let before = house.state();
    let again = house.ingested(&[&file], 0);
    assert_eq!(totals(&again), [5, 0, 5, 0, 0]);
    assert_eq!(again["files"][0]["status"], "seen_before");
    assert_same(&before, &house.state(), "the same file twice");
}

#[test]
fn a_renamed_copy_is_unchanged() {
    let house = House::new();
    let bytes = files::purchases(&some_purchases());
    let _ = house.ingested(&[&house.file("202402_Compras.csv", &bytes)], 0);
    let before = house.state();
    let copy = house.file("outra/copia.txt", &bytes);
    assert_eq!(totals(&house.ingested(&[&copy], 0)), [5, 0, 5, 0, 0]);
    assert_same(&before, &house.state(), "a renamed copy");
}

#[test]
fn the_same_rows_zipped_in_utf_8_or_with_other_line_ends_are_unchanged() {
    let house = House::new();
    let bytes = files::purchases(&some_purchases());
    let _ = house.ingested(&[&house.file("202402_Compras.csv", &bytes)], 0);
    let before = records(&house.state());
    let text: String = bytes.iter().map(|b| char::from(*b)).collect();
    let copies = [
        house.file("202402_Compras.zip", files::zipped(&[("202402_Compras.csv", &bytes)])),
        house.file("utf8.csv", &text),
        house.file("mark.csv", format!("\u{feff}{}", text.replace("\r\n", "\n"))),
    ];
    for copy in copies {
        assert_eq!(totals(&house.ingested(&[&copy], 0)), [5, 0, 5, 0, 0], "{}", copy.display());
        assert_same(&before, &records(&house.state()), "the same rows in another wrapping");
    }
}

#[test]
fn two_copies_in_one_call_count_once_each() {
    let house = House::new();
    let bytes = files::purchases(&some_purchases());
    let (one, two) = (house.file("a.csv", &bytes), house.file("b.csv", &bytes));
    let report = house.ingested(&[&one, &two], 0);
    assert_eq!(totals(&report), [10, 5, 5, 0, 0], "{report:#}");
    assert_eq!(report["files"].as_array().unwrap().len(), 2);
}

#[test]
fn differing_rows_under_one_key_in_one_file_are_records_of_their_own_whatever_their_order() {
    let (mut a, mut b, other) =
        (Purchase::new(1, "100,0000"), Purchase::new(1, "200,0000"), Purchase::new(2, "7,0000"));
    a.object = "Objeto: um".to_owned();
    b.object = "Objeto: outro".to_owned();
    let orders = [[&a, &b, &other, &a], [&b, &a, &a, &other], [&a, &a, &other, &b], [&other, &b, &b, &a]];
    let mut first = None;
    for order in orders {
        let house = House::new();
        let rows: Vec<Purchase> = order.into_iter().cloned().collect();
        let report = house.ingested(&[&house.file("c.csv", files::purchases(&rows))], 0);
        assert_eq!(totals(&report), [4, 3, 1, 0, 0]);
        let ids = ids_and_hashes(&house);
        assert_eq!(ids.len(), 3);
        assert_eq!(ids.iter().filter(|(id, _)| id.starts_with(&format!("{}~", a.id()))).count(), 2, "{ids:?}");
        let first = first.get_or_insert_with(|| ids.clone());
        assert_eq!(&ids, first, "the order of rows does not matter");
        let _ = house.state();
    }
}

#[test]
fn a_key_that_comes_to_be_shared_later_parts_the_same_way_in_any_order() {
    let (a, mut b) = (Purchase::new(1, "100,0000"), Purchase::new(1, "200,0000"));
    b.object = "Objeto: outro".to_owned();
    let mut first = None;
    for order in [[&a, &b], [&b, &a]] {
        let house = House::new();
        let _ = house.ingested(&[&house.file("one.csv", files::purchases(std::slice::from_ref(&a)))], 0);
        let rows: Vec<Purchase> = order.into_iter().cloned().collect();
        let report = house.ingested(&[&house.file("two.csv", files::purchases(&rows))], 0);
        assert_eq!(totals(&report)[0], 2);
        let found = (ids_and_hashes(&house), house.state()["versions"].clone());
        assert_eq!(found.0.len(), 2, "{found:?}");
        let first = first.get_or_insert_with(|| found.clone());
        assert_eq!(&found, first, "the order of rows does not matter");
    }
}

fn ids_and_hashes(house: &House) -> Vec<(String, String)> {
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let mut statement = db.prepare("select id, row_hash from contracts order by id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_dated_source_ends_the_same_in_any_order_of_files() {
    let record = |n, day, value| files::pncp_contract(n, day, value);
    let pages = [
        files::pncp_page(&[
            record(1, "2025-06-24T00:30:04", 10.0),
            record(2, "2025-07-01T00:00:00", 5.0),
            record(3, "2025-07-02T00:00:00", 1.0),
        ]),
        files::pncp_page(&[record(1, "2025-08-01T00:00:00", 20.0), record(2, "2025-06-30T00:00:00", 4.0)]),
        // Of one moment, but with another value; and the newest of the second.
        files::pncp_page(&[record(1, "2025-08-01T00:00:00", 30.0), record(2, "2025-09-01T12:00:00", 6.0)]),
    ];
    let mut first = None;
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for at_once in [false, true] {
            let house = House::new();
            let paths: Vec<_> = order.iter().map(|n| house.file(&format!("{n}.json"), &pages[*n])).collect();
            let paths: Vec<_> = paths.iter().map(std::path::PathBuf::as_path).collect();
            for call in if at_once { vec![paths.clone()] } else { paths.chunks(1).map(<[_]>::to_vec).collect() } {
                let _ = totals(&house.ingested(&call, 0));
            }
            let state = state_of(&house.data());
            let first = first.get_or_insert_with(|| state.clone());
            assert_same(first, &state, &format!("order {order:?}, at once: {at_once}"));
        }
    }
    let held = &first.unwrap();
    assert_eq!((held["contracts"].len(), held["versions"].len()), (3, 4));
}
