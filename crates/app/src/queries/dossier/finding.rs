//! One finding as people read it: what was found, the arithmetic, the law, the peers, what may explain it, and its rows.

use model::Money;
use report::dossier::{Cell, Chart, Drawn, Fact, Language, Point, Section, Table};
use serde_json::Value;

use super::evidence::rows_of;
use super::words::{self, said, text};

/// The most classes of a histogram.
const CLASSES_MAX: i128 = 24;
/// The most characters of an object in a table.
const OBJECT_CHARS: usize = 160;

/// The section of finding number `n`.
pub(super) fn section(finding: &Value, n: usize, language: Language) -> Section {
    let (t, at) = (|pt, en| language.say(pt, en), |pointer: &str| text(finding, pointer));
    let title = said(finding, "/title", language).unwrap_or_default();
    let mut section = Section::below(&format!("achado-{n}"), format!("{} {n}: {title}", t("Achado", "Finding")));
    section.text(said(finding, "/summary", language).unwrap_or_default());
    if at("/state") == Some("withdrawn") {
        section.notice(t(
            "Este achado foi retirado depois: com os dados de hoje o sinal não se sustenta.",
            "This finding was withdrawn since: with the data held today the flag does not hold.",
        ));
    }
    if finding["changed_since_attached"] == true {
        section.notice(t(
            "Este achado mudou desde que a investigação o encontrou; aqui está como é hoje.",
            "This finding changed since the investigation found it; it stands here as it is today.",
        ));
    }
    section.facts(facts(finding, language));
    arithmetic(&mut section, finding, language);
    law(&mut section, finding, language);
    peers(&mut section, finding, language, n);
    timeline(&mut section, finding, language);
    explanations(&mut section, finding, language);
    if let Some(clear) = said(finding, "/counterfactual", language) {
        section.text(format!("{} {clear}", t("O que afastaria o sinal:", "What would have made it clear:")));
    }
    people(&mut section, finding, language);
    evidence(&mut section, finding, language);
    section
}

fn facts(finding: &Value, language: Language) -> Vec<Fact> {
    let (t, at) = (|pt, en| language.say(pt, en), |pointer: &str| text(finding, pointer));
    let party = |name: &str| {
        let id = at(&format!("/{name}/id"))?;
        let shown = language.party(id);
        let name = at(&format!("/{name}/name")).unwrap_or(t("nome não informado", "name not stated"));
        Some(Cell::of(format!("{name} ({})", shown.text), id))
    };
    let unit = at("/unit");
    let mut facts: Vec<Fact> = Vec::new();
    let mut put = |label: &str, cell: Option<Cell>| facts.extend(cell.map(|cell| cell.named(label)));
    put(t("Gravidade", "Gravity"), at("/severity").map(|code| Cell::of(words::gravity(code, language), code)));
    put(t("Natureza", "Kind"), at("/kind").map(|code| Cell::of(words::kind(code, language), code)));
    put(t("Situação", "State"), at("/state").map(|code| Cell::of(words::state(code, language), code)));
    put(t("Órgão", "Buyer"), party("buyer"));
    put(t("Fornecedor", "Supplier"), party("supplier"));
    put(t("Medida", "Measure"), at("/measure").map(|value| language.measure(value, unit)));
    put(t("Limiar", "Threshold"), at("/threshold").map(|value| language.measure(value, unit)));
    let currency = at("/currency").unwrap_or("BRL");
    put(t("Valor envolvido", "Money at stake"), at("/amount").map(|value| language.money(value, currency)));
    put(t("Dia dos fatos", "Day of the facts"), at("/as_of").map(|day| language.day(day)));
    put(t("Conhecido nesta forma desde", "Known in this form since"), at("/known_at").map(|at| language.instant(at)));
    let flag = format!("{} v{}", at("/flag").unwrap_or_default(), finding["version"]);
    put(t("Sinal", "Flag"), Some(Cell::plain(flag)));
    put(t("Identificador", "Id"), at("/id").map(Cell::plain));
    facts
}

fn arithmetic(section: &mut Section, finding: &Value, language: Language) {
    let steps = finding["arithmetic"].as_array().into_iter().flatten();
    let rows = steps.map(|step| {
        let part = |name: &str| Cell::plain(language.formula(text(step, &format!("/{name}")).unwrap_or_default()));
        vec![Cell::plain(said(step, "/label", language).unwrap_or_default()), part("expression"), part("result")]
    });
    let heads =
        [language.say("O quê", "What"), language.say("Conta", "Reckoning"), language.say("Resultado", "Result")];
    section.table(Table::new(language.say("A conta", "The arithmetic"), &heads, rows.collect()));
}

fn law(section: &mut Section, finding: &Value, language: Language) {
    let at = |pointer: &str| text(finding, &format!("/law{pointer}"));
    let t = |pt, en| language.say(pt, en);
    let mut facts: Vec<Fact> = Vec::new();
    let mut put = |label: &str, cell: Option<Cell>| facts.extend(cell.map(|cell| cell.named(label)));
    put(t("Lei", "Law"), at("/regime").map(Cell::plain));
    put(t("Dispositivo", "Article"), at("/article").map(Cell::plain));
    put(t("Ato que fixou o limite", "Act that set the limit"), at("/act").map(Cell::plain));
    put(t("Limite", "Limit"), at("/limit").map(|value| language.measure(value, text(finding, "/unit"))));
    let days = (at("/in_force/0"), at("/in_force/1"));
    if let (Some(from), to) = days {
        let end = to.map_or_else(|| t("sem fim", "no end").to_owned(), |to| language.day(to).text);
        put(t("Vigência", "In force"), Some(Cell::plain(format!("{} – {end}", language.day(from).text))));
    }
    section.facts(facts);
}

fn peers(section: &mut Section, finding: &Value, language: Language, n: usize) {
    let peers = &finding["peers"];
    if !peers.is_object() {
        return;
    }
    let t = |pt, en| language.say(pt, en);
    let unit = text(peers, "/unit");
    let mut facts: Vec<Fact> = Vec::new();
    let mut put = |label: &str, cell: Option<Cell>| facts.extend(cell.map(|cell| cell.named(label)));
    put(t("Pares", "Peers"), said(peers, "/definition", language).map(Cell::plain));
    put(t("Quantos pares", "How many peers"), peers["n"].as_u64().map(|n| language.count(n)));
    put(t("Mediana dos pares", "Median of the peers"), text(peers, "/median").map(|v| language.measure(v, unit)));
    put(
        t("Desvio absoluto mediano (MAD)", "Median absolute deviation"),
        text(peers, "/mad").map(|v| language.number(v)),
    );
    put(t("Percentil do caso", "Percentile of the case"), text(peers, "/percentile").map(|v| language.number(v)));
    put(t("Valor do caso", "Value of the case"), text(peers, "/marked").map(|v| language.measure(v, unit)));
    section.facts(facts);
    section.chart(histogram(peers, language, n));
}

/// The values of the peers in classes with round bounds, the case's own marked.
fn histogram(peers: &Value, language: Language, n: usize) -> Chart {
    let unit = text(peers, "/unit");
    let values: Vec<i128> =
        peers["values"].as_array().into_iter().flatten().filter_map(|v| scaled(v.as_str()?)).collect();
    let marked = text(peers, "/marked").and_then(scaled);
    let bounds = bounds(&values, marked);
    let points = bounds.windows(2).map(|pair| {
        let is_in = |value: &i128| (pair[0]..pair[1]).contains(value);
        let label = format!("{} – {}", written(pair[0], unit, language), written(pair[1], unit, language));
        let count = values.iter().filter(|value| is_in(value)).count();
        Point { label, at: None, cell: language.count(count as i128), marked: marked.as_ref().is_some_and(is_in) }
    });
    let points: Vec<Point> = points.collect();
    let case = text(peers, "/marked").map(|v| language.measure(v, unit).text);
    let shown = language.count(values.len() as i128).text;
    let sentence = match (language, case) {
        (Language::Pt, Some(case)) => {
            format!("{shown} valores de pares em classes; o caso ({case}) está na classe marcada.")
        }
        (Language::En, Some(case)) => {
            format!("{shown} values of peers in classes; the case ({case}) lies in the marked one.")
        }
        (Language::Pt, None) => format!("{shown} valores de pares em classes."),
        (Language::En, None) => format!("{shown} values of peers in classes."),
    };
    Chart {
        drawn: Drawn::Columns,
        title: format!(
            "{} {n}",
            language.say("Distribuição dos pares do achado", "Distribution of the peers of finding")
        ),
        text: sentence,
        axis: language.say("pares", "peers").to_owned(),
        points,
    }
}

/// A decimal in hundred-millionths.
fn scaled(text: &str) -> Option<i128> {
    let (sign, plain) = text.strip_prefix('-').map_or((1, text), |plain| (-1, plain));
    let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
    if part.len() > 8 || whole.is_empty() || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: i128 = format!("{whole}{part:0<8}").parse().ok()?;
    Some(sign * digits)
}

fn written(scaled: i128, unit: Option<&str>, language: Language) -> String {
    let sign = if scaled < 0 { "-" } else { "" };
    let (whole, part) = (scaled.unsigned_abs() / 100_000_000, scaled.unsigned_abs() % 100_000_000);
    let text = format!("{sign}{whole}.{part:08}");
    let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if unit == Some("BRL") {
        let money = Money::parse(&text).map_or(text, |money| money.to_string());
        return language.money(&money, "BRL").text;
    }
    language.number(&text).text
}

/// Round bounds of classes over all values: evenly, or by 1, 2, 5 where the greatest is many times the least. None where
/// there is nothing to tell apart.
fn bounds(values: &[i128], marked: Option<i128>) -> Vec<i128> {
    let all = || values.iter().copied().chain(marked);
    let (Some(least), Some(most)) = (all().min(), all().max()) else { return Vec::new() };
    if values.len() < 3 || least == most {
        return Vec::new();
    }
    if least > 0 && most / least >= 20 {
        let mut bounds = Vec::new();
        let mut power: i128 = 1;
        while power <= most {
            bounds.extend([power, 2 * power, 5 * power]);
            power *= 10;
        }
        bounds.push(power);
        let first = bounds.iter().rposition(|bound| *bound <= least).unwrap_or(0);
        let last = bounds.iter().position(|bound| *bound > most).unwrap_or(bounds.len() - 1);
        return bounds[first..=last].to_vec();
    }
    let mut step: i128 = 1;
    for factor in [2, 5, 10].iter().cycle() {
        if (most - least) / step < CLASSES_MAX / 2 {
            break;
        }
        // 1, 2, 5, 10, 20, 50 …
        let power = 10_i128.pow(step.ilog10());
        step = power * factor;
    }
    let first = least.div_euclid(step) * step;
    let count = (most - first) / step + 1;
    (0..=count).map(|at| first + at * step).collect()
}

/// The contracts of a finding along their days of signature.
fn timeline(section: &mut Section, finding: &Value, language: Language) {
    let contracts = rows_of(finding).filter(|row| row["table"] == "contracts");
    let mut points: Vec<Point> = contracts
        .filter_map(|row| {
            let fields = &row["fields"];
            let (day, value) =
                (text(fields, "/signed_on")?, text(fields, "/value_final").or(text(fields, "/value_initial"))?);
            let number = text(fields, "/number").map(|number| format!(" · {number}")).unwrap_or_default();
            let label = format!("{}{number}", language.day(day).text);
            let currency = text(fields, "/currency").unwrap_or("BRL");
            Some(Point { label, at: Some(day.to_owned()), cell: language.money(value, currency), marked: true })
        })
        .collect();
    points.sort_by(|a, b| a.at.cmp(&b.at));
    if points.len() < 2 {
        return;
    }
    let count = language.count(points.len() as i128).text;
    let (first, last) =
        (points[0].at.clone().unwrap_or_default(), points[points.len() - 1].at.clone().unwrap_or_default());
    let (first, last) = (language.day(&first).text, language.day(&last).text);
    let sentence = match language {
        Language::Pt => format!("{count} contratos com data e valor, de {first} a {last}."),
        Language::En => format!("{count} contracts with day and value, from {first} to {last}."),
    };
    section.chart(Chart {
        drawn: Drawn::Timeline,
        title: language.say("Contratos no tempo", "Contracts along time").to_owned(),
        text: sentence,
        axis: language.say("valor", "value").to_owned(),
        points,
    });
}

fn explanations(section: &mut Section, finding: &Value, language: Language) {
    let rows = finding["explanations"].as_array().into_iter().flatten().map(|one| {
        let outcome = text(one, "/outcome").unwrap_or("not_checked");
        vec![
            Cell::of(words::explained(outcome, language), outcome),
            Cell::plain(said(one, "/because", language).unwrap_or_default()),
        ]
    });
    let heads = [language.say("Explicação", "Explanation"), language.say("Por quê", "Why")];
    let caption = language.say("O que pode explicar, sem irregularidade", "What may explain it, without wrongdoing");
    section.table(Table::new(caption, &heads, rows.collect()));
}

/// What people concluded and what those whom it is about say.
fn people(section: &mut Section, finding: &Value, language: Language) {
    let t = |pt, en| language.say(pt, en);
    if let Some(given) = text(finding, "/verdict/verdict") {
        let who = text(finding, "/verdict/who").unwrap_or_default();
        let why = text(finding, "/verdict/reason").unwrap_or_default();
        let when = text(finding, "/verdict/when").map(|at| language.instant(at).text).unwrap_or_default();
        let given = words::verdict(given, language);
        section.text(match language {
            Language::Pt => format!("Quem olhou de perto concluiu: {given} ({who}, {when}). Motivo: {why}"),
            Language::En => format!("A person who looked closer concluded: {given} ({who}, {when}). Why: {why}"),
        });
    }
    let rows = finding["statements"].as_array().into_iter().flatten().map(|one| {
        let part = |name: &str| text(one, &format!("/{name}")).unwrap_or_default();
        vec![Cell::plain(part("who")), language.instant(part("when")), Cell::plain(part("text"))]
    });
    section.table(Table::new(
        t("O que diz quem foi citado", "What those named say"),
        &[t("Quem", "Who"), t("Quando", "When"), t("O quê", "What")],
        rows.collect(),
    ));
}

/// The rows with their places.
fn evidence(section: &mut Section, finding: &Value, language: Language) {
    let t = |pt, en| language.say(pt, en);
    let rows = rows_of(finding).map(|row| {
        let at = |name: &str| text(row, &format!("/{name}"));
        let line = row["line"].as_i64().map_or_else(String::new, |line| {
            let kind = if at("line_kind") == Some("record") { t("registro", "record") } else { t("linha", "line") };
            format!(", {kind} {line}")
        });
        vec![
            Cell::of(words::table(at("table").unwrap_or_default(), language), at("table").unwrap_or_default()),
            Cell::plain(at("id").unwrap_or_default()),
            Cell::plain(what_it_says(row, language)),
            Cell::plain(format!("{}{line}", at("file").unwrap_or(t("arquivo não informado", "file not stated")))),
            Cell::plain(at("row_hash").unwrap_or_default()),
        ]
    });
    let caption = if text(finding, "/evidence/basis") == Some("judgement") {
        t("Linhas que o julgamento leu deste caso", "Rows of this case that the judgement read")
    } else {
        t("Linhas dos contratos de que o achado fala", "Rows of the contracts that the finding speaks of")
    };
    let heads = [
        t("Tabela", "Table"),
        t("Registro", "Record"),
        t("O que diz", "What it says"),
        t("Arquivo e linha", "File and line"),
        t("Hash da linha", "Hash of the row"),
    ];
    let total = finding["evidence"]["rows_total"].as_u64().unwrap_or_default();
    let table = Table::new(caption, &heads, rows.collect());
    let shown = table.rows.len() as u64;
    section.table(table.of(total.max(shown)));
}

/// The main fields of a row.
fn what_it_says(row: &Value, language: Language) -> String {
    let at = |name: &str| text(row, &format!("/fields/{name}"));
    let currency = at("currency").unwrap_or("BRL");
    let money = |name: &str| at(name).map(|value| language.money(value, currency).text);
    let words = ["object", "description", "name", "kind_as_stated"].iter().find_map(|name| at(name)).map(clip);
    let day = ["signed_on", "published_on", "starts_on", "opened_on", "submitted_on", "issued_on"]
        .iter()
        .find_map(|name| at(name))
        .map(|day| language.day(day).text);
    let value =
        ["value_final", "value_initial", "total", "price", "value", "estimate"].iter().find_map(|name| money(name));
    let number = at("number").map(|number| format!("n. {number}"));
    let party = ["supplier_name", "bidder_name"].iter().find_map(|name| at(name)).map(str::to_owned);
    [number, words, party, day, value].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The start of a long text.
pub(super) fn clip(text: &str) -> String {
    if text.chars().count() <= OBJECT_CHARS {
        text.to_owned()
    } else {
        text.chars().take(OBJECT_CHARS).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_round_bounds_and_hold_every_value() {
        let of = |texts: &[&str]| texts.iter().map(|t| scaled(t).unwrap()).collect::<Vec<_>>();
        for (texts, marked) in [
            (vec!["10", "11.5", "12", "13", "14.25"], "15"),
            (vec!["1", "2", "3", "1000"], "250000"),
            (vec!["-5", "0", "3"], "4"),
            (vec!["0.0001", "0.0002", "0.0003"], "0.0009"),
        ] {
            let (values, marked) = (of(&texts), scaled(marked));
            let bounds = bounds(&values, marked);
            assert!(bounds.len() > 2 && bounds.len() < 40, "{texts:?}: {bounds:?}");
            let (least, most) = (bounds[0], bounds[bounds.len() - 1]);
            assert!(values.iter().copied().chain(marked).all(|v| v >= least && v < most), "{texts:?}: {bounds:?}");
        }
        assert!(bounds(&of(&["1", "1", "1"]), scaled("1")).is_empty());
        assert_eq!(written(scaled("87600").unwrap(), Some("BRL"), Language::Pt), "R$ 87.600,00");
        assert_eq!(written(scaled("-0.05").unwrap(), None, Language::En), "-0.05");
    }
}
