//! What the dossiers of a supplier and of a buyer have in common: contracts along time, by the other party and by modality,
//! how contracts changed, the findings and the newest contracts.

use std::collections::{BTreeMap, BTreeSet};

use report::dossier::{Cell, Chart, Dossier, Drawn, Language, Point, Section, Table};
use serde_json::{Value, json};
use store::{Counted, EntityKind, FindingFilter, FindingSort};

use super::evidence::{Gathering, files_of, told_short};
use super::words::{self, text};
use super::{FINDINGS_LISTED_MAX, FINDINGS_TOLD_MAX, finding, how_to_check, investigation, method, without_fractions};
use crate::queries::STATEMENTS_MAX;
use crate::views::{Contract, EntityLink, Finding, Statement};
use crate::{App, Result};

/// The other parties that are named.
const OTHERS_NAMED: usize = 20;
/// The months that are drawn one by one; more are drawn by year.
const MONTHS_DRAWN: usize = 36;
/// The contracts whose amendments are counted.
const AMENDED_MAX: usize = 5_000;
/// The amendments that are listed.
const AMENDMENTS_LISTED: usize = 40;
/// Findings read at once.
const LOT: usize = 100;

/// A sum in ten-thousandths, as text with four decimals.
pub(super) fn decimal(scaled: i128) -> String {
    let sign = if scaled < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", scaled.unsigned_abs() / 10_000, scaled.unsigned_abs() % 10_000)
}

/// What contracts sum to; nothing when none of them states a value.
pub(super) fn sum(of: &Counted, language: Language) -> Cell {
    if of.contracts > 0 && of.contracts == of.without_value {
        Cell::of(language.say("não informado", "not stated"), "")
    } else {
        language.money(&decimal(of.value), "BRL")
    }
}

fn add(into: &mut Counted, more: &Counted) {
    into.contracts += more.contracts;
    into.without_value += more.without_value;
    into.value += more.value;
}

impl App {
    /// Contracts along time: a chart, and the years as a table.
    pub(super) fn along_time(&self, kind: EntityKind, id: &str, language: Language) -> Result<Section> {
        let t = |pt, en| language.say(pt, en);
        let mut section = Section::new("tempo", t("Contratos no tempo", "Contracts along time"));
        let months = self.store().contracts_by_month(kind, id)?;
        let mut years: BTreeMap<Option<String>, Counted> = BTreeMap::new();
        for month in &months {
            let year = month.of.as_deref().and_then(|month| month.get(..4)).map(str::to_owned);
            let held = years.entry(year.clone()).or_insert_with(|| Counted { of: year, ..Counted::default() });
            add(held, month);
        }
        let by_month = months.len() <= MONTHS_DRAWN;
        let drawn: Vec<&Counted> = if by_month { months.iter().collect() } else { years.values().collect() };
        let points = drawn.iter().filter_map(|counted| {
            let of = counted.of.as_deref()?;
            let label = if by_month { language.month(of) } else { of.to_owned() };
            Some(Point { label, at: None, cell: sum(counted, language), marked: false })
        });
        let points: Vec<Point> = points.collect();
        let mut all = Counted::default();
        months.iter().for_each(|month| add(&mut all, month));
        let (count, value, none) =
            (language.count(all.contracts).text, sum(&all, language).text, language.count(all.without_value).text);
        let words = match language {
            Language::Pt => format!(
                "{count} contrato(s), que somam {value}; {none} sem valor informado em reais, fora da soma. Contratos de receita ficam de fora. Só aparecem os períodos em que há contratos."
            ),
            Language::En => format!(
                "{count} contract(s), which sum to {value}; {none} with no value stated in reais, outside of the sum. Income contracts are left out. Only times with contracts stand here."
            ),
        };
        if all.contracts == 0 {
            section.text(t("Nenhum contrato é guardado.", "No contract is held."));
            return Ok(section);
        }
        section.chart(Chart {
            drawn: Drawn::Columns,
            title: if by_month {
                t("Valor contratado por mês de assinatura", "Value contracted by month of signature")
            } else {
                t("Valor contratado por ano de assinatura", "Value contracted by year of signature")
            }
            .to_owned(),
            text: words,
            axis: t("valor", "value").to_owned(),
            points,
        });
        let rows = years.values().map(|year| {
            let of = year.of.as_deref().unwrap_or(t("sem data de assinatura", "no day of signature"));
            counted_row(Cell::plain(of), year, language)
        });
        section.table(Table::new(
            t("Por ano de assinatura", "By year of signature"),
            &counted_heads(t("Ano", "Year"), language),
            rows.collect(),
        ));
        Ok(section)
    }

    /// Contracts by who stands on the other side, with shares; for a buyer with the index of concentration.
    pub(super) fn shares(&self, kind: EntityKind, id: &str, language: Language) -> Result<Section> {
        let t = |pt, en| language.say(pt, en);
        let buyer = kind == EntityKind::Buyer;
        let title = if buyer {
            t("Parcelas por fornecedor", "Shares by supplier")
        } else {
            t("Parcelas por órgão", "Shares by buyer")
        };
        let mut section = Section::new("parcelas", title);
        let mut others = self.store().contracts_by_other(kind, id)?;
        let all: i128 = others.iter().map(|other| other.value.max(0)).sum();
        if others.is_empty() {
            section.text(t("Nenhum contrato é guardado.", "No contract is held."));
            return Ok(section);
        }
        others.sort_by(|a, b| b.value.cmp(&a.value).then_with(|| a.of.cmp(&b.of)));
        if buyer {
            section.text(concentration(&others, all, language));
        }
        let known = |other: &&Counted| other.value > 0;
        let points = others.iter().filter(known).take(OTHERS_NAMED).map(|other| Point {
            label: name_of(other, language),
            at: None,
            cell: language.money(&decimal(other.value), "BRL"),
            marked: false,
        });
        let points: Vec<Point> = points.collect();
        let (shown, total) = (points.len(), language.count(others.len() as i128).text);
        section.chart(Chart {
            drawn: Drawn::Bars,
            title: t("Maiores valores", "Greatest values").to_owned(),
            text: match language {
                Language::Pt => format!("Os {shown} maiores de {total}."),
                Language::En => format!("The {shown} greatest of {total}."),
            },
            axis: t("valor", "value").to_owned(),
            points,
        });
        let rows = others.iter().take(OTHERS_NAMED).map(|other| {
            let mut row =
                counted_row(Cell::of(name_of(other, language), other.of.clone().unwrap_or_default()), other, language);
            row.insert(1, other.of.as_deref().map_or_else(Cell::default, |id| language.party(id)));
            row.push(language.share(other.value.max(0), all).unwrap_or_default());
            row
        });
        let mut heads = counted_heads(if buyer { t("Fornecedor", "Supplier") } else { t("Órgão", "Buyer") }, language);
        heads.insert(1, t("Identificação", "Id"));
        heads.push(t("#Parcela do valor", "#Share of the value"));
        let table = Table::new(t("Com quem", "With whom"), &heads, rows.collect());
        section.table(table.of(others.len() as u64));
        Ok(section)
    }

    /// Contracts by modality.
    pub(super) fn modalities(&self, kind: EntityKind, id: &str, language: Language) -> Result<Section> {
        let t = |pt, en| language.say(pt, en);
        let mut section = Section::new("modalidades", t("Modalidades", "Modalities"));
        let all = self.store().contracts_by_modality(kind, id)?;
        let rows = all.iter().map(|counted| {
            let code = counted.of.as_deref();
            let name = code.map_or_else(
                || t("não informada ou desconhecida", "not stated or unknown").to_owned(),
                |code| words::modality(code, language),
            );
            counted_row(Cell::of(name, code.unwrap_or_default()), counted, language)
        });
        section.table(Table::new(
            t("Por modalidade", "By modality"),
            &counted_heads(t("Modalidade", "Modality"), language),
            rows.collect(),
        ));
        Ok(section)
    }

    /// How the contracts changed, and where that stands.
    pub(super) fn changes(&self, kind: EntityKind, id: &str, language: Language) -> Result<Section> {
        let t = |pt, en| language.say(pt, en);
        let mut section = Section::new("aditivos", t("Aditivos e apostilas", "Amendments"));
        let mut contracts = self.store().contract_ids_of(kind, id, AMENDED_MAX + 1)?;
        let more = contracts.len() > AMENDED_MAX;
        contracts.truncate(AMENDED_MAX);
        if more {
            let max = language.count(AMENDED_MAX as i128).text;
            section.notice(match language {
                Language::Pt => format!("Contados os aditivos dos {max} contratos mais novos."),
                Language::En => format!("Amendments of the {max} newest contracts are counted."),
            });
        }
        let kinds = self.store().amendments_by_kind(&contracts)?;
        if kinds.is_empty() {
            section.text(t(
                "Nenhum aditivo é guardado. Isto não diz que não houve: a fonte pode não os publicar.",
                "No amendment is held. That does not say that there was none: the source may not publish them.",
            ));
            return Ok(section);
        }
        let total: i64 = kinds.iter().map(|kind| kind.amendments).sum();
        let rows = kinds.iter().map(|kind| {
            vec![
                Cell::plain(kind.kind.as_deref().unwrap_or(t("não informado", "not stated"))),
                language.count(kind.amendments),
                language.count(kind.with_value),
                language.money(&decimal(kind.value), "BRL"),
            ]
        });
        let heads = [
            t("Tipo", "Kind"),
            t("#Quantos", "#How many"),
            t("#Com valor", "#With a value"),
            t("#Soma dos valores", "#Sum of the values"),
        ];
        section.table(Table::new(t("Por tipo", "By kind"), &heads, rows.collect()));
        let mut rows = Vec::new();
        for id in self.store().amendment_ids_of(&contracts, AMENDMENTS_LISTED)? {
            let Some(row) = self.store().row("amendments", &id)? else { continue };
            let row = Value::Object(row);
            let at = |name: &str| text(&row, &format!("/{name}"));
            let currency = at("currency").unwrap_or("BRL");
            rows.push(vec![
                Cell::plain(at("contract_id").unwrap_or_default()),
                Cell::plain(at("number").unwrap_or_default()),
                Cell::plain(at("nature").or(at("object")).map(finding::clip).unwrap_or_default()),
                at("signed_on").map_or_else(Cell::default, |day| language.day(day)),
                at("value").map_or_else(Cell::default, |value| language.money(value, currency)),
                at("ends_on").map_or_else(Cell::default, |day| language.day(day)),
                place(&row, language),
            ]);
        }
        let heads = [
            t("Contrato", "Contract"),
            t("Número", "Number"),
            t("O que muda", "What changes"),
            t("Assinatura", "Signed"),
            t("#Valor", "#Value"),
            t("Novo fim", "New end"),
            t("Arquivo e linha", "File and line"),
        ];
        let table = Table::new(t("Os mais novos", "The newest"), &heads, rows);
        section.table(table.of(u64::try_from(total).unwrap_or_default()));
        Ok(section)
    }

    /// The open findings of a party, gravest first, the first of them with their rows; and whether there are more.
    pub(super) fn findings_of_party(
        &self,
        filter: FindingFilter,
        gathering: &mut Gathering<'_>,
    ) -> Result<(Vec<Value>, bool)> {
        let filter = FindingFilter { state: Some("open".to_owned()), ..filter };
        let (mut findings, mut after) = (Vec::new(), None);
        loop {
            let page = self.store().findings(&filter, FindingSort::GravestFirst, after.as_ref(), LOT)?;
            for row in page.rows {
                if findings.len() == FINDINGS_LISTED_MAX {
                    return Ok((findings, true));
                }
                let mut body = serde_json::to_value(Finding::try_from(row.clone())?).map_err(store::Error::from)?;
                without_fractions(&mut body);
                if findings.len() < FINDINGS_TOLD_MAX {
                    body["evidence"] = gathering.of(Some(&row), &body)?;
                    let statements = self.store().statements(&row.id, STATEMENTS_MAX)?;
                    body["statements"] = json!(statements.into_iter().map(Statement::from).collect::<Vec<_>>());
                }
                findings.push(body);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok((findings, false)),
            }
        }
    }
}

impl App {
    /// The end of a party's dossier: its findings told one by one, their rules, the sources of their rows, how to check all of it.
    pub(super) fn tell_findings(&self, dossier: &mut Dossier, findings: Vec<Value>, language: Language) -> Result<()> {
        dossier.sections.extend(investigation::told(&findings, findings.len() as i64, language));
        let mut rules = Section::new("metodo", language.say("Método", "Method"));
        let codes: BTreeSet<&str> = findings.iter().filter_map(|finding| text(finding, "/flag")).collect();
        method::flags(&mut rules, self, &codes.into_iter().collect::<Vec<_>>(), language);
        rules.text(language.say(
            "Os achados são os que estão vigentes. Onde nenhum aparece, isto só diz algo dos sinais que puderam ser julgados com os dados que há.",
            "The findings are those that are open. Where there is none, this says something only of flags that could be judged with the data there are.",
        ));
        dossier.sections.push(rules);
        dossier.sections.push(method::sources(self, &files_of(&findings), language)?);
        dossier.sections.push(how_to_check(language, &self.evidence_key()?.fingerprint));
        dossier.findings = findings;
        Ok(())
    }
}

/// What is said when findings were left out.
pub(super) fn cut(findings: &[Value], more: bool, short: u64, language: Language) -> Vec<String> {
    let mut cut = Vec::new();
    let shown = language.count(findings.len() as i128).text;
    let told = language.count(findings.len().min(FINDINGS_TOLD_MAX) as i128).text;
    if more {
        cut.push(match language {
            Language::Pt => format!("Há mais achados do que os {shown} mais graves que estão aqui."),
            Language::En => format!("There are more findings than the {shown} gravest that stand here."),
        });
    }
    if findings.len() > FINDINGS_TOLD_MAX {
        cut.push(match language {
            Language::Pt => format!("Dos {shown} achados listados, os {told} mais graves são contados um a um, com as linhas em que se apoiam."),
            Language::En => format!("Of the {shown} findings listed, the {told} gravest are told one by one, with the rows they rest on."),
        });
    }
    cut.extend(told_short(short, language));
    cut
}

fn counted_heads(first: &str, language: Language) -> Vec<&str> {
    let t = |pt, en| language.say(pt, en);
    vec![first, t("#Contratos", "#Contracts"), t("#Sem valor informado", "#Without a value"), t("#Valor", "#Value")]
}

fn counted_row(of: Cell, counted: &Counted, language: Language) -> Vec<Cell> {
    vec![of, language.count(counted.contracts), language.count(counted.without_value), sum(counted, language)]
}

fn name_of(other: &Counted, language: Language) -> String {
    let unknown = language.say("não informado", "not stated");
    other.name.clone().or_else(|| other.of.clone()).unwrap_or_else(|| unknown.to_owned())
}

/// The Herfindahl–Hirschman index, exact but for the cut after the comma, with its formula.
fn concentration(others: &[Counted], all: i128, language: Language) -> String {
    // In reais: squares of ten-thousandths of trillions would not fit.
    let squares = others.iter().try_fold(0_i128, |sum, other| {
        let value = other.value.max(0) / 10_000;
        sum.checked_add(value.checked_mul(value)?)
    });
    let whole = all / 10_000;
    let hhi = squares.and_then(|squares| squares.checked_mul(10_000)?.checked_div(whole.checked_mul(whole)?));
    let with = language.count(others.iter().filter(|other| other.value > 0).count() as i128).text;
    match (hhi, language) {
        (Some(hhi), Language::Pt) => format!(
            "Índice de concentração (HHI): {}. Fórmula: soma, sobre os {with} fornecedores com valor, de (valor do fornecedor ÷ valor total)² × 10.000, em reais inteiros e cortado depois da vírgula; vai de quase 0 (muitos iguais) a 10.000 (um só). Um índice alto é fora do comum em uns mercados e comum em outros: não é sinal por si.",
            language.count(hhi).text
        ),
        (Some(hhi), Language::En) => format!(
            "Index of concentration (HHI): {}. Formula: the sum, over the {with} suppliers with a value, of (the supplier's value ÷ the whole value)² × 10,000, in whole reais and cut after the point; it goes from almost 0 (many alike) to 10,000 (one alone). A high index is unusual in some markets and usual in others: it is no flag by itself.",
            language.count(hhi).text
        ),
        (None, Language::Pt) => {
            "Índice de concentração (HHI): não calculável (nenhum contrato informa valor).".to_owned()
        }
        (None, Language::En) => "Index of concentration (HHI): not computable (no contract states a value).".to_owned(),
    }
}

/// `arquivo.csv, linha 12`.
pub(super) fn place(row: &Value, language: Language) -> Cell {
    let Some(file) = text(row, "/file") else { return Cell::default() };
    let record = crate::views::LineKind::of(file) == crate::views::LineKind::Record;
    let kind = if record { language.say("registro", "record") } else { language.say("linha", "line") };
    Cell::plain(row["line"].as_i64().map_or_else(|| file.to_owned(), |line| format!("{file}, {kind} {line}")))
}

/// The newest contracts, with their places.
pub(super) fn newest(contracts: &[Contract], total: i64, language: Language) -> Section {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("contratos", t("Contratos mais novos", "Newest contracts"));
    let rows = contracts.iter().map(|contract| {
        let day = |day: &Option<String>| day.as_deref().map_or_else(Cell::default, |day| language.day(day));
        let other = contract.supplier.as_ref().and_then(|s| s.name.clone()).unwrap_or_default();
        let buyer = contract.buyer.as_ref().and_then(|b| b.name.clone()).unwrap_or_default();
        let row = json!({"file": contract.provenance.file, "line": contract.provenance.line});
        vec![
            Cell::plain(contract.id.as_str()),
            Cell::plain(contract.object.as_deref().map(finding::clip).unwrap_or_default()),
            Cell::plain(buyer),
            Cell::plain(other),
            day(&contract.signed_on),
            day(&contract.ends_on),
            contract
                .value_final
                .as_deref()
                .map_or_else(Cell::default, |value| language.money(value, &contract.currency)),
            place(&row, language),
        ]
    });
    let heads = [
        t("Contrato", "Contract"),
        t("Objeto", "What is bought"),
        t("Órgão", "Buyer"),
        t("Fornecedor", "Supplier"),
        t("Assinatura", "Signed"),
        t("Fim", "End"),
        t("#Valor", "#Value"),
        t("Arquivo e linha", "File and line"),
    ];
    let table = Table::new(t("Assinados por último", "Signed last"), &heads, rows.collect());
    let shown = table.rows.len() as u64;
    section.table(table.of(u64::try_from(total).unwrap_or_default().max(shown)));
    section
}

/// Ids that are read as one, or may be one.
pub(super) fn links(links: &[EntityLink], same_as: &[String], language: Language) -> Section {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("ids", t("Quem é o mesmo", "Who is the same"));
    if !same_as.is_empty() {
        let ids: Vec<String> = same_as.iter().map(|id| language.party(id).text).collect();
        let ids = ids.join(", ");
        section.text(match language {
            Language::Pt => format!("Somas e listas aqui são de todos estes códigos, lidos como um só: {ids}."),
            Language::En => format!("Sums and lists here are of all of these ids, read as one: {ids}."),
        });
    }
    let rows = links.iter().map(|link| {
        vec![
            Cell::plain(link.from_id.as_str()),
            Cell::plain(link.into_id.as_str()),
            Cell::plain(link.state.as_str()),
            Cell::plain(link.basis.as_str()),
            Cell::plain(link.reason.as_str()),
        ]
    });
    let heads = [t("De", "From"), t("Para", "Into"), t("Situação", "State"), t("Base", "Basis"), t("Motivo", "Reason")];
    section.table(Table::new(t("Ligações entre códigos", "Links between ids"), &heads, rows.collect()));
    if section.blocks.is_empty() {
        section.text(t("Nenhum outro código é ligado a este.", "No other id is linked to this one."));
    }
    section
}
