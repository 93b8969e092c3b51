//! The page as a person sees it, in a browser without a screen.

use testkit::House;
use testkit::page::rendered;
use testkit::server::encoded;

use super::sample;

/// The text of a document, without its tags and with its blanks put together.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&nbsp;", " ").replace('\u{a0}', " ").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_shows_findings_and_a_finding_shows_its_arithmetic() {
    let house = House::new();
    let _ = house.ingest(&[&sample(&house, 800, 41)]).ends_with(3);
    let server = house.serve();
    let gravest = server.json("findings?limit=1")["data"][0].clone();
    let home = text_of(&rendered(&format!("{}/", server.address())));
    assert!(home.contains(gravest["title"]["pt"].as_str().unwrap()), "the home page shows no finding: {home}");
    for flag in ["BR01", "BR05", "BR11", "BR19"] {
        let finding = server.json(&format!("findings?flag={flag}&limit=1"))["data"][0].clone();
        let page = text_of(&rendered(&format!("{}{}", server.address(), finding["links"]["page"].as_str().unwrap())));
        assert!(page.contains(finding["title"]["pt"].as_str().unwrap()), "{flag}: {page}");
        for step in finding["arithmetic"].as_array().unwrap() {
            let label = step["label"]["pt"].as_str().unwrap();
            assert!(page.contains(label), "{flag}: the step \"{label}\" is not shown: {page}");
        }
        assert!(page.contains("prova"), "{flag}: a flag is not proof, and the page says so");
    }
    let contract = server.json("contracts?limit=1")["data"][0].clone();
    let page =
        text_of(&rendered(&format!("{}/contratos/{}", server.address(), encoded(contract["id"].as_str().unwrap()))));
    assert!(page.contains(contract["number"].as_str().unwrap()), "{page}");
}
