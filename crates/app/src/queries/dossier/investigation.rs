//! The dossier of an investigation, ended or not.

use std::collections::BTreeMap;

use report::dossier::{Cell, Chart, Dossier, Drawn, Language, Point, Section, Table};
use serde_json::{Value, json};

use super::evidence::{Gathering, files_of, told_short};
use super::words::{self, said, text};
use super::{
    AskDossier, FINDINGS_LISTED_MAX, FINDINGS_TOLD_MAX, finding, how_to_check, limits, memory, method,
    what_this_is_not, without_fractions,
};
use crate::queries::STATEMENTS_MAX;
use crate::views::{Finding, Statement};
use crate::{App, Result};

/// Findings read at once.
const LOT: usize = 100;

impl App {
    /// The dossier of an investigation. One that has not ended, or did not come to its end, gives what there is, named partial.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn investigation_report(&self, id: &str, ask: AskDossier) -> Result<Dossier> {
        let language = ask.language;
        let held = self.investigation(id)?;
        let total = held.investigation.findings_total;
        let mut it = serde_json::to_value(held).map_err(store::Error::from)?;
        without_fractions(&mut it);
        let mut gathering = Gathering::new(self, ask.patience);
        let findings = self.findings_with_rows(id, &mut gathering)?;
        let subject =
            text(&it, "/question").map_or_else(|| method::scope_in_words(&it["scope"], language), finding::clip);
        let title = format!("{}: {subject}", language.say("Dossiê da investigação", "Dossier of the investigation"));
        let mut dossier = self.blank_dossier("investigation", id, title, language);
        dossier.partial = partial(&it, language);
        dossier.cut = cut(total, findings.len(), gathering.short, language);
        dossier.sections = vec![summary(&it, &findings, language), what_this_is_not(language)];
        dossier.sections.extend(told(&findings, total, language));
        dossier.sections.extend(method::section(self, &it, &findings, language)?);
        dossier.sections.push(limits::section(self, &it, language));
        dossier.sections.push(limits::innocent(self, &it, &findings, language));
        dossier.sections.push(memory::section(&it, language));
        dossier.sections.push(method::sources(self, &files_of(&findings), language)?);
        dossier.sections.push(how_to_check(language, &self.evidence_key()?.fingerprint));
        match self.letters_of(&it, &findings, None, &mut gathering)? {
            Some(letters) => dossier.letters = letters,
            None => dossier.cut.push(no_letters(language)),
        }
        dossier.findings = findings;
        Ok(dossier)
    }

    /// The findings of an investigation, gravest first, the first of them with their rows.
    pub(super) fn findings_with_rows(&self, id: &str, gathering: &mut Gathering<'_>) -> Result<Vec<Value>> {
        let (mut findings, mut after) = (Vec::new(), None);
        loop {
            let page = self.store().investigation_findings(id, after.as_ref(), LOT)?;
            for row in page.rows {
                if findings.len() == FINDINGS_LISTED_MAX {
                    return Ok(findings);
                }
                let stored = row.stored.clone();
                let mut body = serde_json::to_value(Finding::try_from(row)?).map_err(store::Error::from)?;
                without_fractions(&mut body);
                if findings.len() < FINDINGS_TOLD_MAX {
                    body["evidence"] = gathering.of(stored.as_ref(), &body)?;
                    let id = text(&body, "/id").unwrap_or_default();
                    let statements = self.store().statements(id, STATEMENTS_MAX)?;
                    body["statements"] = json!(statements.into_iter().map(Statement::from).collect::<Vec<_>>());
                }
                findings.push(body);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(findings),
            }
        }
    }
}

/// Why it is not the whole answer.
fn partial(it: &Value, language: Language) -> Vec<String> {
    let mut reasons = Vec::new();
    let (status, phase) = (text(it, "/status").unwrap_or_default(), text(it, "/phase").unwrap_or_default());
    let (done, total) = (&it["progress"]["done"], &it["progress"]["total"]);
    let phase = words::standing(phase, language);
    match (status, language) {
        ("active", Language::Pt) => reasons.push(format!(
            "PARCIAL: a investigação ainda está em curso (fase: {phase}); {done} de {total} sinais foram julgados quando este dossiê foi feito."
        )),
        ("active", Language::En) => reasons.push(format!(
            "PARTIAL: the investigation is still active (phase: {phase}); {done} of {total} flags had been judged when this dossier was made."
        )),
        ("cancelled", Language::Pt) => {
            reasons.push(format!("PARCIAL: a investigação foi cancelada; {done} de {total} sinais foram julgados."));
        }
        ("cancelled", Language::En) => {
            reasons.push(format!("PARTIAL: the investigation was cancelled; {done} of {total} flags were judged."));
        }
        ("failed", _) => {
            let error = text(it, "/error").unwrap_or_default();
            reasons.push(match language {
                Language::Pt => format!("PARCIAL: a investigação falhou ({error}); {done} de {total} sinais foram julgados."),
                Language::En => format!("PARTIAL: the investigation failed ({error}); {done} of {total} flags were judged."),
            });
        }
        _ => {}
    }
    let failed: Vec<&str> = it["coverage"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|flag| flag["state"] == "failed")
        .filter_map(|flag| text(flag, "/flag"))
        .collect();
    if !failed.is_empty() {
        let failed = failed.join(", ");
        reasons.push(match language {
            Language::Pt => {
                format!("PARCIAL: sinais que não puderam ser julgados por falha, e de que nada se diz: {failed}.")
            }
            Language::En => format!("PARTIAL: flags that failed and of which nothing is said: {failed}."),
        });
    }
    let missing = it["summary"]["partial_because"].as_array().into_iter().flatten();
    reasons.extend(
        missing
            .filter(|one| one["error"].is_null() || one["flag"].is_null())
            .map(|one| missing_in_words(one, language)),
    );
    if it["partial"] == true && reasons.is_empty() {
        let words = language.say(
            "PARCIAL: a própria investigação diz que não olhou tudo o que foi pedido; veja Limites.",
            "PARTIAL: the investigation itself says that it did not look at all that was asked; see Limits.",
        );
        reasons.push(words.to_owned());
    }
    reasons
}

/// What is said when there was no time for letters.
fn no_letters(language: Language) -> String {
    let words = language.say(
        "Não houve tempo de listar o que falta aos registros: este dossiê não traz pedidos de acesso à informação.",
        "There was no time to list what the records lack: this dossier holds no requests for information.",
    );
    words.to_owned()
}

/// Something that was asked for and is not there, as the investigation names it.
fn missing_in_words(one: &Value, language: Language) -> String {
    let because = match (text(one, "/because").unwrap_or_default(), language) {
        ("failed", Language::Pt) => "falhou",
        ("deadline", Language::Pt) => "o prazo acabou",
        ("deadline", Language::En) => "the deadline passed",
        ("not_held", Language::Pt) => "os dados não são guardados",
        ("not_held", Language::En) => "the data are not held",
        (because, _) => because,
    };
    let of = text(one, "/flag").or(text(one, "/agent")).unwrap_or_default();
    let part = one["part"].as_i64().map(|part| format!(" {part}")).unwrap_or_default();
    let more = text(one, "/error").map(|error| format!(" ({error})")).unwrap_or_default();
    let missing = words::said(&one["missing"], "/text", language).map(|words| format!(": {words}")).unwrap_or_default();
    let of = if of.is_empty() { String::new() } else { format!("{of}{part}: ") };
    format!("{}: {of}{because}{more}{missing}.", language.say("PARCIAL", "PARTIAL"))
}

/// What was left out for length.
fn cut(total: i64, listed: usize, short: u64, language: Language) -> Vec<String> {
    let mut cut = Vec::new();
    let (all, shown) = (language.count(total).text, language.count(listed as i128).text);
    let told = language.count(listed.min(FINDINGS_TOLD_MAX) as i128).text;
    if total > listed as i64 {
        cut.push(match language {
            Language::Pt => format!("São {all} achados; aqui estão os {shown} mais graves."),
            Language::En => format!("There are {all} findings; here are the {shown} gravest."),
        });
    }
    if listed > FINDINGS_TOLD_MAX {
        cut.push(match language {
            Language::Pt => format!("Dos {shown} achados listados, os {told} mais graves são contados um a um, com as linhas em que se apoiam; os outros têm as suas em `/api/v1/findings/ACHADO/evidence`."),
            Language::En => format!("Of the {shown} findings listed, the {told} gravest are told one by one, with the rows they rest on; the others have theirs at `/api/v1/findings/FINDING/evidence`."),
        });
    }
    cut.extend(told_short(short, language));
    cut
}

fn summary(it: &Value, findings: &[Value], language: Language) -> Section {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("resumo", t("Resumo", "Summary"));
    if let Some(words) = said(it, "/summary/text", language) {
        section.text(words);
    }
    let mut facts = Vec::new();
    let mut put = |label: &str, cell: Option<Cell>| facts.extend(cell.map(|cell| cell.named(label)));
    put(t("Pergunta", "Question"), text(it, "/question").map(Cell::plain));
    put(t("Escopo", "Scope"), Some(Cell::plain(method::scope_in_words(&it["scope"], language))));
    let left: Vec<&str> = it["not_understood"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    put(t("Palavras não entendidas", "Words not understood"), (!left.is_empty()).then(|| Cell::plain(left.join(" "))));
    put(t("Situação", "Status"), text(it, "/status").map(|code| Cell::of(words::standing(code, language), code)));
    put(t("Achados no escopo", "Findings in scope"), it["findings_total"].as_i64().map(|n| language.count(n)));
    put(t("Fatos até", "Facts up to"), text(it, "/as_of").map(|day| language.day(day)));
    let known = text(it, "/plan/known_at").or(text(it, "/known_at"));
    put(t("Como se sabia em", "As held at"), known.map(|at| language.instant(at)));
    put(t("Pedida em", "Asked at"), text(it, "/created_at").map(|at| language.instant(at)));
    put(t("Encerrada em", "Ended at"), text(it, "/ended_at").map(|at| language.instant(at)));
    put(t("Quem pediu, como disse", "Who asked, as they said"), text(it, "/user").map(Cell::plain));
    put(t("Investigação", "Investigation"), text(it, "/id").map(Cell::plain));
    section.facts(facts);
    section.chart(by_flag(it, language));
    section.chart(by_month(findings, language));
    if it["findings_total"] == 0 {
        section.text(t(
            "Nenhum achado. Isto só diz algo dos sinais que foram julgados: veja o que não pôde ser calculado, em Limites.",
            "No finding. This says something only of flags that were judged: see what was not computable, under Limits.",
        ));
    }
    section
}

fn by_flag(it: &Value, language: Language) -> Chart {
    let flags = it["coverage"].as_array().into_iter().flatten();
    let mut points: Vec<(i64, Point)> = flags
        .filter_map(|flag| {
            let n = flag["findings"].as_i64().filter(|n| *n > 0)?;
            let label = text(flag, "/flag")?.to_owned();
            Some((n, Point { label, at: None, cell: language.count(n), marked: false }))
        })
        .collect();
    points.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.label.cmp(&y.label)));
    let (flags, all): (usize, i64) = (points.len(), points.iter().map(|(n, _)| n).sum());
    let all = language.count(all).text;
    Chart {
        drawn: Drawn::Bars,
        title: language.say("Achados por sinal", "Findings by flag").to_owned(),
        text: match language {
            Language::Pt => format!("{all} achado(s) de {flags} sinal(is)."),
            Language::En => format!("{all} finding(s) of {flags} flag(s)."),
        },
        axis: language.say("achados", "findings").to_owned(),
        points: points.into_iter().map(|(_, point)| point).collect(),
    }
}

/// The findings that are listed, by the month of their facts; nothing where they are of one month.
fn by_month(findings: &[Value], language: Language) -> Chart {
    let mut months: BTreeMap<&str, i64> = BTreeMap::new();
    for month in findings.iter().filter_map(|finding| text(finding, "/as_of")?.get(..7)) {
        *months.entry(month).or_default() += 1;
    }
    let points: Vec<Point> = if months.len() < 2 {
        Vec::new()
    } else {
        let point = |(month, n): (&&str, &i64)| Point {
            label: language.month(month),
            at: None,
            cell: language.count(*n),
            marked: false,
        };
        months.iter().map(point).collect()
    };
    let shown = language.count(months.values().sum::<i64>()).text;
    Chart {
        drawn: Drawn::Columns,
        title: language.say("Achados listados, por mês dos fatos", "Findings listed, by month of the facts").to_owned(),
        text: match language {
            Language::Pt => format!("{shown} achado(s) com data, em {} mês(es).", months.len()),
            Language::En => format!("{shown} finding(s) with a day, in {} month(s).", months.len()),
        },
        axis: language.say("achados", "findings").to_owned(),
        points,
    }
}

/// The list of findings, and the gravest one by one.
pub(super) fn told(findings: &[Value], total: i64, language: Language) -> Vec<Section> {
    let t = |pt, en| language.say(pt, en);
    let mut list = Section::new("achados", t("Achados, do mais grave ao menos", "Findings, gravest first"));
    if findings.is_empty() {
        list.text(t("Nenhum achado.", "No finding."));
    }
    let rows = findings.iter().zip(1..).map(|(finding, n)| {
        let at = |pointer: &str| text(finding, pointer);
        let party = at("/buyer/name").or(at("/supplier/name")).unwrap_or("–");
        vec![
            language.count(n),
            Cell::plain(at("/flag").unwrap_or_default()),
            Cell::plain(said(finding, "/title", language).unwrap_or_default()),
            at("/severity").map_or_else(Cell::default, |code| Cell::of(words::gravity(code, language), code)),
            at("/kind").map_or_else(Cell::default, |code| Cell::of(words::kind(code, language), code)),
            Cell::plain(party),
            at("/amount").map_or_else(Cell::default, |v| language.money(v, at("/currency").unwrap_or("BRL"))),
            at("/as_of").map_or_else(Cell::default, |day| language.day(day)),
            Cell::plain(at("/id").unwrap_or_default()),
        ]
    });
    let heads = [
        "#n",
        t("Sinal", "Flag"),
        t("O quê", "What"),
        t("Gravidade", "Gravity"),
        t("Natureza", "Kind"),
        t("De quem", "Of whom"),
        t("#Valor envolvido", "#Money at stake"),
        t("Dia dos fatos", "Day of the facts"),
        t("Identificador", "Id"),
    ];
    let table = Table::new(t("Lista dos achados", "List of the findings"), &heads, rows.collect());
    let shown = table.rows.len() as u64;
    list.table(table.of(u64::try_from(total).unwrap_or_default().max(shown)));
    let mut sections = vec![list];
    sections.extend(findings.iter().take(FINDINGS_TOLD_MAX).zip(1..).map(|(f, n)| finding::section(f, n, language)));
    sections
}
