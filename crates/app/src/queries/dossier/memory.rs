//! What earlier investigations found, what people concluded and what those concerned said on the same subjects, as the investigation
//! recalled it.

use report::dossier::{Cell, Language, Section, Table};
use serde_json::Value;

use super::words::{self, text};

/// What the investigation remembers; it says so where nothing was looked for, or nothing was there.
pub(super) fn section(it: &Value, language: Language) -> Section {
    let t = |pt, en| language.say(pt, en);
    let mut section =
        Section::new("memoria", t("Investigações e conclusões anteriores", "Earlier investigations and conclusions"));
    let memory = &it["memory"];
    if !memory.is_object() {
        section.text(t(
            "Não se procurou o que havia antes: nada se diz aqui de investigações ou conclusões anteriores.",
            "What there was before was not looked for: nothing is said here of earlier investigations or conclusions.",
        ));
        return section;
    }
    section.table(investigations(memory, language));
    section.table(verdicts(memory, language));
    section.table(statements(memory, language));
    if section.blocks.is_empty() {
        section.text(t(
            "Procurou-se, e nada anterior sobre os mesmos assuntos é guardado.",
            "It was looked for, and nothing earlier on the same subjects is held.",
        ));
    }
    section
}

fn listed<'a>(memory: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    memory[name].as_array().into_iter().flatten()
}

fn plain(value: &Value, name: &str) -> Cell {
    Cell::plain(text(value, &format!("/{name}")).unwrap_or_default())
}

fn investigations(memory: &Value, language: Language) -> Table {
    let t = |pt, en| language.say(pt, en);
    let rows = listed(memory, "investigations").map(|one| {
        let status = text(one, "/status").unwrap_or_default();
        let same = if one["same_scope"] == true { t("sim", "yes") } else { t("não", "no") };
        vec![
            plain(one, "id"),
            text(one, "/created_at").map_or_else(Cell::default, |at| language.instant(at)),
            plain(one, "question"),
            Cell::of(words::standing(status, language), status),
            Cell::plain(same),
            one["findings_in_common"].as_i64().map_or_else(Cell::default, |n| language.count(n)),
        ]
    });
    let heads = [
        t("Investigação", "Investigation"),
        t("Pedida em", "Asked at"),
        t("Pergunta", "Question"),
        t("Situação", "Status"),
        t("Mesmo escopo", "Same scope"),
        t("#Achados em comum", "#Findings in common"),
    ];
    Table::new(t("Investigações anteriores", "Earlier investigations"), &heads, rows.collect())
}

fn verdicts(memory: &Value, language: Language) -> Table {
    let t = |pt, en| language.say(pt, en);
    let rows = listed(memory, "verdicts").map(|one| {
        let verdict = text(one, "/verdict").unwrap_or_default();
        let about = match text(one, "/about") {
            Some("this finding") => t("um achado desta investigação", "a finding of this investigation"),
            Some("the same supplier") => {
                t("outro achado do mesmo fornecedor", "another finding about the same supplier")
            }
            other => other.unwrap_or_default(),
        };
        vec![
            plain(one, "finding"),
            plain(one, "flag"),
            Cell::of(words::verdict(verdict, language), verdict),
            Cell::plain(about),
            plain(one, "reason"),
            plain(one, "who"),
            text(one, "/given_at").map_or_else(Cell::default, |at| language.instant(at)),
        ]
    });
    let heads = [
        t("Achado", "Finding"),
        t("Sinal", "Flag"),
        t("Conclusão", "Conclusion"),
        t("De quê", "Of what"),
        t("Motivo", "Why"),
        t("Quem", "Who"),
        t("Quando", "When"),
    ];
    Table::new(t("Conclusões de pessoas", "Conclusions of people"), &heads, rows.collect())
}

fn statements(memory: &Value, language: Language) -> Table {
    let t = |pt, en| language.say(pt, en);
    let rows = listed(memory, "statements").map(|one| {
        let made = text(one, "/made_at").map_or_else(Cell::default, |at| language.instant(at));
        vec![plain(one, "finding"), plain(one, "who"), made]
    });
    let heads = [t("Achado", "Finding"), t("Quem", "Who"), t("Quando", "When")];
    Table::new(t("Manifestações de quem foi citado", "Statements of those named"), &heads, rows.collect())
}
