//! Judged after each ingest for what it touched, the outcome is that of judging everything at once.

use std::path::{Path, PathBuf};

use testkit::files::{self, Purchase, Sanctioned};
use testkit::house::files_below;
use testkit::seed::Seed;
use testkit::server::encoded;
use testkit::state::{assert_same, only};
use testkit::{House, State};

use super::sample;

fn judged(state: &State) -> State {
    only(
        state,
        &[
            "contracts",
            "items",
            "buyers",
            "suppliers",
            "sanctions",
            "findings",
            "outcomes",
            "coverage",
            "finding_contracts",
        ],
    )
}

fn refs(paths: &[PathBuf]) -> Vec<&Path> {
    paths.iter().map(PathBuf::as_path).collect()
}

/// Findings that were withdrawn on the way are no part of what holds now.
fn open(mut state: State) -> State {
    let withdrawn: Vec<String> = state["findings"]
        .iter()
        .filter(|f| f.contains("|withdrawn|"))
        .map(|f| f.split('|').next().unwrap().to_owned())
        .collect();
    state.get_mut("findings").unwrap().retain(|f| !f.contains("|withdrawn|"));
    state.get_mut("finding_contracts").unwrap().retain(|f| !withdrawn.iter().any(|id| f.contains(id.as_str())));
    state
}

#[test]
fn files_in_parts_are_judged_as_all_of_them_at_once() {
    let mut seed = Seed::printed("files_in_parts_are_judged_as_all_of_them_at_once");
    let place = House::new();
    let mut paths: Vec<PathBuf> = files_below(&sample(&place, 1_000, 21))
        .into_iter()
        .filter(|p| !p.ends_with("LEIA-ME.txt") && !p.ends_with("truth.jsonl"))
        .collect();
    for round in 0..2 {
        for at in (1..paths.len()).rev() {
            paths.swap(at, usize::try_from(seed.below(at as u64 + 1)).unwrap());
        }
        let at_once = House::new();
        let _ = at_once.ingest(&refs(&paths)).ends_with(3);
        let in_parts = House::new();
        let part = paths.len().div_ceil(2 + round);
        for part in paths.chunks(part) {
            let _ = in_parts.ingest(&refs(part));
        }
        assert_same(&open(judged(&at_once.state())), &open(judged(&in_parts.state())), &format!("round {round}"));
        // Judging all of it once more changes nothing.
        let before = in_parts.state();
        let _ = in_parts.json(&["flags", "run"]);
        assert_same(&before, &in_parts.state(), "judged again");
    }
}

#[test]
fn two_fresh_folders_end_with_the_same_bytes_in_every_finding() {
    let place = House::new();
    let files = sample(&place, 1_000, 33);
    let states = [House::new(), House::new()].map(|house| {
        let _ = house.ingest(&[&files]).ends_with(3);
        house.state()
    });
    assert!(
        states[0]["findings"].iter().any(|f| f.contains("|BR05|"))
            && states[0]["findings"].iter().any(|f| f.contains("|BR11|"))
    );
    assert_same(&states[0], &states[1], "two runs");
}

#[test]
fn a_finding_is_withdrawn_with_its_ground_and_comes_back_with_it() {
    let house = House::new();
    let mut row = Purchase::new(1, "100,0000");
    let _ = house.ingested(&[&house.file("ceis.csv", files::ceis(&[Sanctioned::new(1, &row.supplier)]))], 0);
    let file = |row: &Purchase, name: &str| house.file(name, files::purchases(std::slice::from_ref(row)));
    let _ = house.ingested(&[&file(&row, "a.csv")], 0);
    let server = house.serve();
    let listed = |query: &str| server.json(&format!("findings?flag=BR01{query}"))["data"].as_array().unwrap().clone();
    let found = listed("");
    assert_eq!(found.len(), 1);
    let id = found[0]["id"].as_str().unwrap().to_owned();
    // The day was wrong: the sanction had not begun.
    row.signed = "31/12/2023".into();
    let _ = house.ingested(&[&file(&row, "b.csv")], 0);
    assert_eq!((listed("").len(), listed("&state=withdrawn").len(), listed("&state=all").len()), (0, 1, 1));
    assert_eq!(server.json(&format!("findings/{id}"))["state"], "withdrawn");
    let contract = server.json(&format!("contracts/{}", encoded(&row.id())));
    assert_eq!(contract["findings"].as_array().unwrap().len(), 0, "only open ones stand under a contract");
    row.signed = "01/01/2024".into();
    let _ = house.ingested(&[&file(&row, "c.csv")], 0);
    let back = listed("");
    assert_eq!((back.len(), back[0]["id"].as_str()), (1, Some(id.as_str())), "the id is that of flag and subject");
    assert_eq!(back[0]["first_seen_at"], found[0]["first_seen_at"]);
    // The register corrects the end of the sanction: the ground goes from the other side.
    let mut sanction = Sanctioned::new(1, &row.supplier);
    (sanction.starts, sanction.ends) = ("01/01/2023".into(), "31/12/2023".into());
    let _ = house.ingested(&[&house.file("ceis2.csv", files::ceis(&[sanction]))], 0);
    assert_eq!((listed("").len(), listed("&state=withdrawn").len()), (0, 1));
}

#[test]
fn a_buyer_that_changes_its_state_changes_peers_on_both_sides() {
    let unit = |n: u32| format!("{}", 900_910 + n);
    let mut purchases = Vec::new();
    let mut items = Vec::new();
    for n in 0..24_u32 {
        let mut row = Purchase::new(n + 1, "100,0000");
        row.ug = unit(n % 4);
        items.push(files::Bought {
            contract: row.number.clone(),
            ug: row.ug.clone(),
            code: "461832".into(),
            unit: "RESMA".into(),
            quantity: "1".into(),
            total: format!("{},0000", 10 + n % 5 + if n == 3 { 5_000 } else { 0 }),
        });
        purchases.push(row);
    }
    let states = |of_last: &str, day: &str| {
        let units: Vec<String> = (0..4).map(unit).collect();
        files::tenders(
            &units
                .iter()
                .enumerate()
                .map(|(n, ug)| (ug.as_str(), if n == 3 { of_last } else { "DF" }, day))
                .collect::<Vec<_>>(),
        )
    };
    let place = House::new();
    let paths = [
        place.file("202402_Compras.csv", files::purchases(&purchases)),
        place.file("202402_ItemCompra.csv", files::bought(&items)),
        place.file("202402_Licitacao.csv", states("DF", "10/02/2024")),
        place.file("202403_Licitacao.csv", states("GO", "11/03/2024")),
    ];
    let (at_once, in_parts) = (House::new(), House::new());
    let _ = at_once.ingested(&refs(&paths), 0);
    for path in &paths {
        let _ = in_parts.ingested(&[path], 0);
    }
    assert_same(&open(judged(&at_once.state())), &open(judged(&in_parts.state())), "a moved buyer");
}

#[test]
fn a_buyer_that_changes_its_name_changes_it_in_every_finding() {
    let mut rows: Vec<Purchase> = (1..=12).map(|n| Purchase::new(n, &format!("100,{n:02}00"))).collect();
    for row in &mut rows {
        row.object = "Objeto: Aquisição de papel A4 branco para impressora, resma de quinhentas folhas".into();
    }
    let mut renamed = Purchase::new(90, "77,0000");
    (renamed.ug_name, renamed.signed, renamed.object, renamed.supplier) =
        ("UNIDADE FICTÍCIA RENOMEADA".into(), "05/03/2025".into(), "Objeto: Vigilância".into(), files::cnpj(5));
    let place = House::new();
    let paths = [
        place.file("202402_Compras.csv", files::purchases(&rows)),
        place.file("202503_Compras.csv", files::purchases(&[renamed])),
    ];
    let (at_once, in_parts) = (House::new(), House::new());
    let _ = at_once.ingested(&refs(&paths), 0);
    for path in &paths {
        let _ = in_parts.ingested(&[path], 0);
    }
    let expected = at_once.state();
    assert!(
        expected["findings"].iter().any(|f| f.contains("|BR11|"))
            && expected["findings"].iter().any(|f| f.contains("|BR19|"))
    );
    assert_same(&open(judged(&expected)), &open(judged(&in_parts.state())), "a renamed buyer");
}
