//! Pages about natural persons ask search engines to pass them by, and nothing keeps an engine from seeing that.

use serde_json::json;
use testkit::files::{self, Purchase, Sanctioned};
use testkit::server::encoded;
use testkit::{Answer, House, Server};

const META: &str = "<meta name=\"robots\" content=\"noindex\">";

fn page(server: &Server, path: &str) -> Answer {
    let answer = server.get_with(path, &[("accept", "text/html,*/*;q=0.8")]);
    assert_eq!(answer.status, 200, "{path}");
    answer
}

#[track_caller]
fn asks_to_be_passed(server: &Server, path: &str, asks: bool) {
    let answer = page(server, path);
    assert_eq!(answer.header("x-robots-tag"), if asks { "noindex" } else { "" }, "{path}");
    assert_eq!(answer.text().contains(META), asks, "{path}");
    // Also to one who only looks again whether it has changed.
    let again = server.get_with(path, &[("accept", "text/html"), ("if-none-match", answer.header("etag"))]);
    assert_eq!((again.status, again.header("x-robots-tag")), (304, if asks { "noindex" } else { "" }), "{path}");
}

/// A person and a company, each with a contract under a sanction.
fn house_of_two() -> House {
    let house = House::new();
    let mut rows: Vec<Purchase> = (1..=2).map(|n| Purchase::new(n, "100,0000")).collect();
    (rows[0].supplier, rows[0].supplier_name) = ("529.982.247-25".into(), "JOÃO DE EXEMPLO".into());
    (rows[1].supplier, rows[1].supplier_name) = ("11222333000181".into(), "FORNECEDORA EXEMPLO LTDA".into());
    let purchases = house.file("202402_Compras.csv", files::purchases(&rows));
    let sanctions: Vec<Sanctioned> =
        [("52998224725", "JOÃO DE EXEMPLO"), ("11222333000181", "FORNECEDORA EXEMPLO LTDA")]
            .iter()
            .zip(1..)
            .map(|((id, name), code)| {
                let mut sanction = Sanctioned::new(code, id);
                sanction.name = (*name).into();
                sanction
            })
            .collect();
    let ceis = house.file("ceis.csv", files::ceis(&sanctions));
    let _ = house.ingest(&[&purchases, &ceis]).ends_with(0);
    house
}

#[test]
fn pages_about_a_person_ask_to_be_passed_by_and_those_about_a_company_do_not() {
    let house = house_of_two();
    let server = house.serve();
    let suppliers = server.walk("suppliers", 100);
    let findings = server.walk("findings?flag=BR01", 100);
    let contracts = server.walk("contracts", 100);
    assert_eq!((suppliers.len(), findings.len(), contracts.len()), (2, 2, 2), "{findings:#?}");
    for supplier in &suppliers {
        let person = supplier["kind"] == "person";
        asks_to_be_passed(&server, &format!("/fornecedores/{}", encoded(supplier["id"].as_str().unwrap())), person);
        let of = |row: &&serde_json::Value| row["supplier"]["id"] == supplier["id"];
        let finding = findings.iter().find(of).unwrap();
        asks_to_be_passed(&server, finding["links"]["page"].as_str().unwrap(), person);
        let contract = contracts.iter().find(of).unwrap();
        asks_to_be_passed(&server, &format!("/contratos/{}", encoded(contract["id"].as_str().unwrap())), person);
    }
    // The buyer's page lists what it bought, from the person too.
    let buyer = contracts[0]["buyer"]["id"].as_str().unwrap();
    asks_to_be_passed(&server, &format!("/orgaos/{}", encoded(buyer)), true);
    for list in ["/fornecedores", "/achados", "/contratos", "/fornecedores?q=joao"] {
        asks_to_be_passed(&server, list, true);
    }
    for general in ["/", "/orgaos", "/sinais", "/sinais/BR01", "/fontes"] {
        asks_to_be_passed(&server, general, false);
    }
    for unknown in ["/achados/fnd_none", "/fornecedores/cnpj%3A99888777000100", "/pessoas/joao"] {
        asks_to_be_passed(&server, unknown, true);
    }
    for data in ["suppliers", "findings", "entities/links", "flags"] {
        assert_eq!(server.get(&format!("/api/v1/{data}")).header("x-robots-tag"), "noindex", "{data}");
    }
}

#[test]
fn a_company_with_a_person_as_partner_and_one_who_trades_alone_are_passed_by() {
    let house = house_of_two();
    let company = "/fornecedores/cnpj%3A11222333000181";
    {
        asks_to_be_passed(&house.serve(), company, false);
    }
    let db = rusqlite::Connection::open(house.data().join("cidadao.db")).unwrap();
    let add = |table: &str, columns: &str, values: &str| {
        let sql = format!(
            "insert into {table} (id, source, file_id, line, row_hash, ingest_id, partition, seen_in, {columns})
             values ('r', 'receita', 1, 1, 'h', 1, '11', 1, {values})"
        );
        db.execute_batch(&sql).unwrap();
    };
    add("partners", "company_root, kind, partner_id, name", "'11222333', 'person', 'cpf:***.982.247-**|joao', 'JOÃO'");
    asks_to_be_passed(&house.serve(), company, true);
    db.execute_batch("delete from partners").unwrap();
    asks_to_be_passed(&house.serve(), company, false);
    add("registrations", "scope, cnpj_root, legal_nature", "'company', '11222333', '2135'");
    asks_to_be_passed(&house.serve(), company, true);
}

#[test]
fn robots_txt_bars_nothing() {
    let house = House::new();
    let server = house.serve();
    let answer = server.get("/robots.txt");
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    let rules: Vec<String> = answer.text().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    assert_eq!(json!(rules), json!(["User-agent: *", "Disallow:"]), "an empty Disallow bars nothing");
}
