//! Questions that are answered at once: read, counted, shown with where each number comes from.

use serde_json::{Value, json};
use testkit::files::{self, Purchase, cnpj};
use testkit::{House, Server};

use super::investigations::judged_house;

fn ask(server: &Server, question: &str) -> Value {
    let answer = server.post("/api/v1/ask", &json!({"question": question}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Every number of a text stands in a figure.
fn numbers_are_figures(answer: &Value) {
    for lang in ["pt", "en"] {
        let figures: Vec<String> = answer["answer"]["figures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|figure| figure[lang].as_str().unwrap().to_owned())
            .collect();
        let mut text = answer["answer"]["text"][lang].as_str().unwrap().to_owned();
        // The longest first, so that none is left of a longer one.
        let mut longest = figures;
        longest.sort_by_key(|figure| std::cmp::Reverse(figure.len()));
        for figure in longest {
            text = text.replace(&figure, "");
        }
        assert!(!text.chars().any(|c| c.is_ascii_digit()), "{text}");
    }
}

fn figure<'a>(answer: &'a Value, name: &str) -> &'a str {
    let figures = answer["answer"]["figures"].as_array().unwrap();
    figures.iter().find(|figure| figure["name"] == name).and_then(|figure| figure["value"].as_str()).unwrap_or("none")
}

#[test]
fn a_question_is_answered_with_the_figures_of_the_lists() {
    let house = judged_house();
    let server = house.serve();
    let of_state = server.walk("contracts?state=SP&signed_from=2024-01-01&signed_to=2025-12-31", 100);
    let spent: Vec<&Value> = of_state.iter().filter(|contract| contract["income"] == false).collect();
    assert!(spent.len() > 3);
    let answer = ask(&server, "Quanto foi gasto em SP de 2024 a 2025?");
    assert_eq!(answer["reading"]["intent"], "total");
    assert_eq!(figure(&answer, "contracts"), spent.len().to_string());
    let cents = |contract: &&Value| {
        contract["value_final"].as_str().unwrap_or("0.0000").replace('.', "").parse::<i128>().unwrap()
    };
    let sum: i128 = spent.iter().filter(|contract| contract["currency"] == "BRL").map(cents).sum();
    assert_eq!(figure(&answer, "value").replace('.', "").parse::<i128>().unwrap(), sum);
    numbers_are_figures(&answer);
    for row in answer["answer"]["rows"].as_array().unwrap() {
        assert!(row["file"].is_string() && row["line"].is_i64(), "{row}");
        assert!(spent.iter().any(|contract| contract["id"] == row["id"]));
    }
    // The body that it gives is taken as it is.
    let begun = server.post("/api/v1/investigations", &answer["investigate"]);
    assert_eq!(begun.status, 202, "{}", begun.text());
}

#[test]
fn findings_are_named_and_a_flag_narrows_them() {
    let house = judged_house();
    let server = house.serve();
    let finding = &server.walk("findings?flag=BR05", 100)[0];
    let year = &finding["as_of"].as_str().unwrap()[..4];
    let answer = ask(&server, &format!("sobrepreço em {year}"));
    let found = answer["answer"]["findings"].as_array().unwrap();
    assert!(!found.is_empty() && found.iter().all(|f| f["flag"] == "BR05"), "{answer}");
    assert_eq!(server.get(found[0]["links"]["self"].as_str().unwrap()).status, 200);
    numbers_are_figures(&answer);
}

#[test]
fn a_supplier_is_told_with_its_sanctions() {
    let house = judged_house();
    let server = house.serve();
    let finding = &server.walk("findings?flag=BR01", 100)[0];
    let id = finding["supplier"]["id"].as_str().unwrap();
    let cnpj = id.strip_prefix("cnpj:").unwrap();
    let answer = ask(&server, &format!("o CNPJ {cnpj} está sancionado?"));
    assert_eq!(
        (&answer["reading"]["intent"], &answer["reading"]["scope"]["suppliers"]),
        (&json!("sanctioned"), &json!([id]))
    );
    let shown = server.json(&format!("suppliers/{id}"));
    assert_eq!(answer["answer"]["sanctions"], shown["sanctions"]);
    assert!(!shown["sanctions"].as_array().unwrap().is_empty());
    numbers_are_figures(&answer);
    let name = shown["name"].as_str().unwrap();
    let by_name = ask(&server, &format!("quem é a empresa {name}?"));
    assert_eq!(
        (&by_name["reading"]["intent"], &by_name["reading"]["scope"]["suppliers"]),
        (&json!("who_is"), &json!([id]))
    );
    numbers_are_figures(&by_name);
    let top = ask(&server, "quais empresas mais venderam em SP?");
    assert!(figure(&top, "supplier_1_value") != "none", "{top}");
    numbers_are_figures(&top);
}

#[test]
fn what_is_not_held_is_said_with_the_source_that_would_have_it() {
    let house = judged_house();
    let server = house.serve();
    let nothing = ask(&server, "contratos em SP de 1995");
    assert_eq!(figure(&nothing, "contracts"), "none");
    assert_eq!(nothing["missing"][0]["sources"], json!([]), "no public source reaches back so far: {nothing}");
    let later = ask(&server, "contratos acima de R$ 900 bilhões em SP em 2024");
    let codes: Vec<&str> =
        later["missing"][0]["sources"].as_array().unwrap().iter().map(|s| s["source"].as_str().unwrap()).collect();
    assert!(codes.contains(&"pncp"), "{later}");
    let unread = ask(&server, "quimbembeque de zumbaia?");
    assert_eq!((&unread["investigate"], &unread["answer"]["rows"]), (&Value::Null, &json!([])));
    assert_eq!(unread["reading"]["not_understood"].as_array().unwrap().len(), 2);
    let refused = server.post("/api/v1/ask", &json!({"question": "x".repeat(501)}));
    assert_eq!((refused.status, refused.json()["field"].as_str()), (400, Some("question")));
    assert_eq!(server.post("/api/v1/ask", &json!({"pergunta": "x"})).status, 400);
}

#[test]
fn the_command_line_answers_too() {
    let house = judged_house();
    let run = house.program().args(["ask", "pregões em MG com quimbembeque", "--json"]).run().ends_with(0);
    let answer = run.json();
    assert_eq!(answer["reading"]["scope"], json!({"state": "MG", "modality": "pregao"}));
    numbers_are_figures(&answer);
    let run = house.program().args(["ask", "pregões em MG com quimbembeque", "--lang", "en"]).run().ends_with(0);
    assert!(run.stderr.contains("não entendido: quimbembeque") && run.stdout.contains("contracts"), "{}", run.stdout);
}

/// Twelve contracts of 2024 by six suppliers, of which three state no value; nothing else.
fn of_contracts_alone() -> House {
    let house = House::new();
    let rows: Vec<Purchase> = (1..=12)
        .map(|n| {
            let mut row = Purchase::new(n, &format!("{n}00,0000"));
            row.supplier = cnpj(n % 6 + 1);
            row.supplier_name = format!("FORNECEDOR FICTICIO {}", n % 6 + 1);
            row.signed = format!("{n:02}/03/2024");
            if n <= 3 {
                (row.initial, row.r#final) = (String::new(), String::new());
            }
            row
        })
        .collect();
    house.ingested(&[&house.file("202403_Compras.csv", files::purchases(&rows))], 0);
    house
}

#[test]
fn a_flag_that_could_judge_nothing_is_not_told_as_one_that_found_nothing() {
    let house = of_contracts_alone();
    let server = house.serve();
    let answer = ask(&server, "licitante único em 2024");
    let text = answer["answer"]["text"]["pt"].as_str().unwrap();
    assert!(!text.contains("Nenhum achado") && text.contains("nem a favor nem contra"), "{text}");
    let missing = answer["missing"].to_string();
    assert!(missing.contains("BR06"), "{missing}");
    numbers_are_figures(&answer);
    // Where some could, both are said.
    let answer = ask(&server, "contratos de 2024");
    let text = answer["answer"]["text"]["pt"].as_str().unwrap();
    assert!(text.contains("nem a favor nem contra") && text.contains("achado"), "{text}");
    // Without a day, a word or a party too, contracts that state no value are counted.
    let answer = ask(&server, "fracionamento");
    assert_eq!((figure(&answer, "contracts"), figure(&answer, "contracts_without_value")), ("12", "3"));
}

#[test]
fn who_is_compared_is_told_whole_and_who_is_left_out_is_counted() {
    let house = of_contracts_alone();
    let server = house.serve();
    let all: Vec<String> = (1..=6).map(cnpj).collect();
    let answer = ask(&server, &format!("compare {}", all.join(" e ")));
    assert_eq!((&answer["reading"]["intent"], figure(&answer, "parties_left_out")), (&json!("compare"), "2"));
    let without: u32 =
        (1..=4).map(|n| figure(&answer, &format!("party_{n}_contracts_without_value")).parse().unwrap_or(0)).sum();
    assert!(without > 0, "{answer}");
    numbers_are_figures(&answer);
    let answer = ask(&server, &format!("compare {} e {} em 2031", all[0], all[1]));
    let text = answer["answer"]["text"]["pt"].as_str().unwrap();
    assert!(text.contains("não quer dizer que não exista") && !text.contains("R$ 0,00"), "{text}");
    assert!(answer["missing"].as_array().unwrap().len() >= 2, "{answer}");
}
