//! What was replaced stays reachable.

use testkit::House;
use testkit::files::{self, Purchase};
use testkit::house::totals;
use testkit::server::encoded;

#[test]
fn a_corrected_file_replaces_and_the_old_form_stays_reachable() {
    let house = House::new();
    let mut rows: Vec<Purchase> = (1..=3).map(|n| Purchase::new(n, "100,0000")).collect();
    let _ = house.ingested(&[&house.file("202402_Compras.csv", files::purchases(&rows))], 0);
    rows[1].r#final = "250,5000".to_owned();
    rows[1].object = "Objeto: Aquisição de papel reciclado".to_owned();
    let report = house.ingested(&[&house.file("corrigido/202402_Compras.csv", files::purchases(&rows))], 0);
    assert_eq!(totals(&report), [3, 0, 2, 1, 0]);
    let server = house.serve();
    let contract = server.json(&format!("contracts/{}", encoded(&rows[1].id())));
    assert_eq!(
        (&contract["value_final"], &contract["object"]),
        (&"250.5000".into(), &"Objeto: Aquisição de papel reciclado".into())
    );
    let versions = contract["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1, "{contract:#}");
    assert_eq!(versions[0]["line"], 3);
    assert!(versions[0]["file"].as_str().unwrap().ends_with("202402_Compras.csv"));
    assert_eq!(versions[0]["fields"]["object"], "Objeto: Aquisição de papel A4, lote 2");
    let as_was = versions[0]["fields"]["value_final"].to_string();
    assert!(as_was.contains("100.0000") || as_was.contains("1000000"), "{as_was}");
    // The words of the old form no longer find it, those of the new one do.
    assert_eq!(server.json("contracts?q=reciclado")["data"].as_array().unwrap().len(), 1);
    assert_eq!(server.json("contracts?q=papel%20lote")["data"].as_array().unwrap().len(), 2);
    // The others have no history.
    let other = server.json(&format!("contracts/{}", encoded(&rows[0].id())));
    assert_eq!(other["versions"].as_array().unwrap().len(), 0);
}

#[test]
fn a_key_that_comes_to_be_shared_keeps_its_history() {
    let house = House::new();
    let mut old = Purchase::new(1, "100,0000");
    let _ = house.ingested(&[&house.file("one.csv", files::purchases(&[old.clone()]))], 0);
    old.r#final = "150,0000".to_owned();
    let mut other = Purchase::new(1, "900,0000");
    other.object = "Objeto: outro".to_owned();
    let _ = house.ingested(&[&house.file("two.csv", files::purchases(&[old, other]))], 0);
    let server = house.serve();
    let held = server.json("contracts")["data"].as_array().unwrap().clone();
    assert_eq!(held.len(), 2);
    for contract in held {
        let id = contract["id"].as_str().unwrap();
        let detail = server.json(&format!("contracts/{}", encoded(id)));
        let values: Vec<String> =
            detail["versions"].as_array().unwrap().iter().map(|v| v["fields"]["value_final"].to_string()).collect();
        assert_eq!(values.len(), 1, "{id} does not show what stood under its key: {detail:#}");
    }
}
