//! The page as a person works it, without a mouse: a threshold moved, a verdict given.

use serde_json::Value;
use testkit::tab::Tab;
use testkit::{House, Server};

use super::{sample, short_sample};

fn hits_at(server: &Server, value: &str) -> i64 {
    let preview = server.json(&format!("flags/BR05/preview?z_min={value}"));
    preview["parameters"][0]["at"][0]["hit"].as_i64().unwrap()
}

fn cases(n: i64) -> String {
    if n == 1 { "1 caso com sinal".to_owned() } else { format!("{n} casos com sinal") }
}

#[test]
fn a_threshold_is_moved_by_keys_and_the_count_follows_while_nothing_stored_changes() {
    let house = House::new();
    let _ = house.ingest(&[&sample(&house, 800, 41)]).ends_with(3);
    let server = house.serve();
    let before = server.json("flags/BR05")["coverage"].clone();
    let (today, least) = (before["hit"].as_i64().unwrap(), hits_at(&server, "1"));
    assert!(today > 0 && least > today, "the sample does not tell the two apart: {today}, {least}");

    let mut tab = Tab::open(&format!("{}/sinais/BR05", server.address()));
    tab.sees(&format!("Com 3,5 desvios robustos: {}.", cases(today)));
    tab.focus("[data-parameter=z_min] input[type=range]");
    tab.press("Home");
    tab.sees(&format!("Com 1 desvio robusto: {}.", cases(least)));
    tab.sees(&format!("Hoje, com 3,5 desvios robustos: {today}."));
    tab.press("ArrowRight");
    tab.sees(&format!("Com 1,1 desvios robustos: {}.", cases(hits_at(&server, "1.1"))));
    let curve = tab.eval("document.querySelector('[data-parameter=z_min] path').getAttribute('d')");
    assert!(curve.as_str().unwrap().matches('H').count() > 20, "the curve has no steps: {curve}");
    let valuetext = tab.eval("document.activeElement.getAttribute('aria-valuetext')");
    assert_eq!(valuetext, "1,1 desvios robustos");
    assert_eq!(server.json("flags/BR05")["coverage"], before);
}

/// Gives a verdict by the keyboard alone.
fn dismiss(tab: &mut Tab, reason: &str) {
    tab.sees("Dar um veredito");
    tab.focus("textarea[name=reason]");
    tab.types(reason);
    tab.focus("input[name=who]");
    tab.types("Ana Auditora");
    tab.focus("button[value=dismissed]");
    tab.press("Enter");
}

#[test]
fn a_verdict_is_refused_from_elsewhere_and_stands_when_given_on_the_machine() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    let server = house.serve();
    let id = server.json("findings?flag=BR05&limit=1")["data"][0]["id"].as_str().unwrap().to_owned();
    let page = format!("{}/achados/{id}", server.address());

    let mut tab = Tab::open(&page.replace("127.0.0.1", "cidadao.test"));
    dismiss(&mut tab, "não é bem assim");
    tab.sees("O veredito não foi guardado. Só dá veredito quem entra com uma conta de analista");
    assert_eq!(server.json(&format!("findings/{id}"))["verdict"], Value::Null);

    tab.go(&page);
    dismiss(&mut tab, "a unidade era caixa com 100");
    tab.sees("Descartado: o veredito está guardado.");
    tab.sees("Descartado por Ana Auditora");
    assert_eq!(server.json(&format!("findings/{id}"))["verdict"]["verdict"], "dismissed");
    // For the next who comes, too, and in the catalogue.
    let mut other = Tab::open(&page);
    other.sees("Descartado por Ana Auditora");
    other.sees("a unidade era caixa com 100");
    other.go(&format!("{}/sinais/BR05", server.address()));
    other.sees("0 % confirmados: 0 de 1 achado com veredito.");
}

#[test]
fn an_analyst_signs_in_on_the_page_and_the_verdict_bears_their_name() {
    let house = House::new();
    let _ = house.ingest(&[&short_sample(&house, 800, 41)]).ends_with(3);
    let made = house.json(&["users", "add", "ana", "--role", "analyst"]);
    let server = house.serve();
    let id = server.json("findings?flag=BR05&limit=1")["data"][0]["id"].as_str().unwrap().to_owned();

    let page = format!("{}/achados/{id}", server.address());
    let mut tab = Tab::open(&page.replace("127.0.0.1", "cidadao.test"));
    dismiss(&mut tab, "não é bem assim");
    tab.sees("O veredito não foi guardado. Para dar um veredito é preciso entrar com uma conta.");
    tab.focus("[data-sign-in] summary");
    tab.press("Enter");
    for (password, then) in
        [("uma senha errada", "Conta ou senha errada."), (made["password"].as_str().unwrap(), "Você entrou como ana.")]
    {
        let _ = tab.eval("document.querySelector('input[name=account]').select()");
        tab.types("ana");
        tab.focus("input[name=password]");
        tab.types(password);
        tab.press("Enter");
        tab.sees(then);
    }
    assert_eq!(tab.eval("document.querySelector('input[name=who]')"), Value::Null, "the account signs");
    tab.focus("button[value=dismissed]");
    tab.press("Enter");
    tab.sees("Descartado por ana");
    assert_eq!(server.json(&format!("findings/{id}"))["verdict"]["who"], "ana");
    let kept = tab.eval("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])");
    assert_eq!(kept, "[{},{},\"\"]", "no token is left in the browser");
}
