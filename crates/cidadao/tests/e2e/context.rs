//! Findings that are only context: there for who asks, in nobody's list alone.

use serde_json::Value;
use testkit::House;
use testkit::files;

/// A Portal file of tenders with these objects, all of unit 159998.
fn tenders(objects: &[&str]) -> String {
    let mut file = "\"Número Licitação\";\"Código UG\";\"Nome UG\";\"Código Modalidade Compra\";\"Modalidade Compra\";\"Número Processo\";\"Objeto\";\
                    \"Situação Licitação\";\"Data Resultado Compra\";\"Data Abertura\";\"Valor Licitação\"\n"
        .to_owned();
    for (at, object) in objects.iter().enumerate() {
        file.push_str(&format!(
            "\"0000{at}2024\";\"159998\";\"REITORIA\";\"5\";\"Pregão\";\"1\";\"{object}\";\"Publicado\";\"20/03/2024\";\"10/03/2024\";\"1000,0000\"\n"
        ));
    }
    file
}

fn flags(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|finding| finding["flag"].as_str().unwrap()).collect()
}

#[test]
fn a_vague_object_is_found_by_who_asks_and_listed_alone_for_nobody() {
    let house = House::new();
    let objects = ["Aquisição de material de consumo", "Aquisição de material de limpeza"];
    let file = house.file("202403_Licitacao.csv", files::latin1(&tenders(&objects)));
    house.ingested(&[&file], 0);
    let server = house.serve();
    assert_eq!(flags(&server.json("findings?flag=BR26")), ["BR26"]);
    assert_eq!(flags(&server.json("findings?kind=context")), ["BR26"]);
    assert!(flags(&server.json("findings")).is_empty());
    assert!(flags(&server.json("findings?buyer_id=uasg:159998")).is_empty());
}
