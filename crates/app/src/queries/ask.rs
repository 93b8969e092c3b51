//! Answers to questions, at once and from what is held: nothing is judged, and nothing is fetched.
//!
//! A question is read into a scope; its contracts and open findings are looked through for a given time. What the time did not reach
//! is said; what is not held is said too, with the source that would have it. The text is made of figures, and every figure stands
//! beside it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::time::{Duration, Instant};

use agents::question::{Intent, Reading};
use chrono::NaiveDate;
use model::Cnpj;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Language;
use super::ask_missing;
use super::ask_text::{Figure, Said};
use crate::commands::said;
use crate::views::{Contract, Coverage, FindingSummary, FlagCoverage, Sanction};
use crate::{App, Result, Scope};

/// The most characters of a question.
const QUESTION_CHARS_MAX: usize = 500;
/// How long contracts, and findings, are looked through.
const CONTRACTS_TIME: Duration = Duration::from_millis(900);
const FINDINGS_TIME: Duration = Duration::from_millis(500);
/// How many are shown.
const SHOWN: usize = 10;
/// Suppliers that are named as those who got the most.
const TOP: usize = 5;
/// Parties that are compared.
const COMPARED_MAX: usize = 4;

/// A question.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// In Portuguese (at most 500 characters).
    #[schema(max_length = 500)]
    pub question: String,
    /// The language of `answer.said`; `answer.text` has both.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(pt|en)$")]
    pub lang: Language,
}

/// What was seen of the contracts of a scope.
#[derive(Default)]
struct Seen {
    contracts: u64,
    without_value: u64,
    value: i128,
    /// Rows of the dearest.
    dearest: Vec<i64>,
    /// By supplier, by its hash.
    top: Vec<(i64, Sold)>,
    cut: bool,
}

/// What a supplier sold.
#[derive(Default, Clone, Copy)]
struct Sold {
    contracts: u64,
    without: u64,
    value: i128,
}

/// What is said of contracts that state no value, behind their sum; nothing where all do.
fn without_value(of: &str, n: u64, text: &mut Said) -> Figure {
    if n == 0 {
        return Figure { pt: String::new(), en: String::new() };
    }
    let n = text.count(&format!("{of}_contracts_without_value"), n);
    Figure {
        pt: format!(" ({} sem valor em reais, fora da soma)", n.pt),
        en: format!(" ({} with no value in reais, outside of the sum)", n.en),
    }
}

impl App {
    /// Answers a question from what is held.
    ///
    /// # Errors
    /// `Invalid` for a question that is too long or empty; the database cannot be read.
    pub fn ask(&self, ask: &Ask) -> Result<Value> {
        let question = said::line("question", &ask.question, QUESTION_CHARS_MAX)?;
        let reading = self.reading_of(&question)?;
        let mut text = Said::default();
        let mut missing = Vec::new();
        let (mut rows, mut findings, mut cut) =
            (Vec::new(), Vec::new(), json!({"contracts": false, "findings": false}));
        let mut sanctions = Vec::new();
        let mut investigate = Value::Null;
        if reading.is_empty() {
            self.say_nothing_was_read(&reading, &mut text, &mut missing);
        } else {
            let scope = self.checked_scope(Scope::of(&reading)?)?;
            investigate = json!({"scope": scope, "flags": reading.flags});
            if reading.intent == Intent::Compare {
                cut["contracts"] = self.say_compared(&scope, &mut text, &mut missing)?.into();
            } else {
                let seen = self.see(&scope, reading.intent == Intent::TopSuppliers)?;
                self.say_contracts(&scope, reading.intent, &seen, &mut text, &mut missing)?;
                rows = self.rows_of(&seen.dearest)?;
                cut["contracts"] = seen.cut.into();
            }
            if matches!(reading.intent, Intent::Sanctioned | Intent::WhoIs) {
                sanctions = self.say_sanctions(&scope, &mut text, &mut missing)?;
            }
            let until = Instant::now() + FINDINGS_TIME;
            let seen = self.see_findings(&scope, &reading.flags, SHOWN, until)?;
            cut["findings"] = seen.cut.into();
            self.say_findings(&reading, &seen, &mut text, &mut missing)?;
            for (_, _, id) in &seen.gravest {
                findings.extend(self.store().finding(id)?.map(FindingSummary::try_from).transpose()?);
            }
        }
        let findings: Vec<Value> = findings
            .into_iter()
            .map(|finding| {
                let links = json!({
                    "self": format!("/api/v1/findings/{}", finding.id),
                    "evidence": format!("/api/v1/findings/{}/evidence", finding.id),
                    "page": format!("/achados/{}", finding.id),
                });
                json!({"id": finding.id, "flag": finding.flag, "severity": finding.severity, "title": finding.title,
                       "summary": finding.summary, "amount": finding.amount, "as_of": finding.as_of, "links": links})
            })
            .collect();
        let whole = text.text();
        let said = if ask.lang == Language::En { &whole["en"] } else { &whole["pt"] };
        let rephrased = self.rephrase(&json!(text.figures), said.as_str().unwrap_or_default());
        let rephrased =
            rephrased.map(|said| json!({"text": said.text, "model": said.model, "sentences_dropped": said.dropped}));
        Ok(json!({
            "question": question,
            "reading": reading,
            "answer": {"said": said, "rephrased": rephrased, "text": whole, "figures": text.figures, "findings": findings, "rows": rows,
                       "sanctions": sanctions, "cut": cut},
            "missing": missing,
            "investigate": investigate,
        }))
    }

    fn see(&self, scope: &Scope, with_suppliers: bool) -> Result<Seen> {
        let filter = self.glance_filter(scope)?;
        let mut seen = Seen::default();
        let mut dearest: BinaryHeap<Reverse<(i64, i64)>> = BinaryHeap::new();
        let mut by_supplier: HashMap<i64, Sold> = HashMap::new();
        seen.cut = self.store().glance(&filter, with_suppliers, Instant::now() + CONTRACTS_TIME, |row| {
            seen.contracts += 1;
            seen.without_value += u64::from(row.value.is_none());
            let value = row.value.unwrap_or(0);
            seen.value += i128::from(value);
            dearest.push(Reverse((value, row.rid)));
            if dearest.len() > SHOWN {
                dearest.pop();
            }
            if let Some(supplier) = row.supplier {
                let of = by_supplier.entry(supplier).or_default();
                of.contracts += 1;
                of.without += u64::from(row.value.is_none());
                of.value += i128::from(value);
            }
        })?;
        seen.dearest = dearest.into_sorted_vec().into_iter().map(|Reverse((_, rid))| rid).collect();
        let mut top: Vec<(i64, Sold)> = by_supplier.into_iter().collect();
        top.sort_by_key(|(id, sold)| (Reverse(sold.value), Reverse(sold.contracts), *id));
        top.truncate(TOP);
        seen.top = top;
        Ok(seen)
    }

    fn rows_of(&self, rids: &[i64]) -> Result<Vec<Value>> {
        let rows = self.store().contracts_of_rows(rids)?;
        let row = |row| {
            let contract = Contract::from(row);
            json!({"id": contract.id, "object": contract.object, "buyer": contract.buyer, "supplier": contract.supplier,
                   "signed_on": contract.signed_on, "value_final": contract.value_final, "currency": contract.currency,
                   "source": contract.source, "file": contract.provenance.file, "line": contract.provenance.line,
                   "line_kind": contract.provenance.line_kind, "file_sha256": contract.provenance.file_sha256})
        };
        Ok(rows.into_iter().map(row).collect())
    }

    fn say_nothing_was_read(&self, reading: &Reading, text: &mut Said, missing: &mut Vec<Value>) {
        text.say(
            "Nada da pergunta virou um filtro: não há o que responder sem saber de quem, de onde, de quando ou de quê."
                .to_owned(),
            "Nothing of the question became a filter: there is no answer without who, where, when or what.".to_owned(),
        );
        if !reading.doubts.is_empty() {
            text.say(
                "Alguns nomes são de vários; os candidatos estão em `reading.doubts`.".to_owned(),
                "Some names are of several; the candidates stand in `reading.doubts`.".to_owned(),
            );
        }
        let not_held = reading.not_understood.iter().any(|left| left.because == agents::question::Because::NotHeld);
        if not_held {
            missing.push(ask_missing::entry(
                "fornecedor ou unidade com este número",
                "a supplier or unit of this number",
                &[
                    ("pncp", "PNCP"),
                    ("portal-compras", "Portal da Transparência"),
                    ("receita", "Receita Federal: CNPJ"),
                ],
            ));
        }
    }

    fn say_contracts(
        &self,
        scope: &Scope,
        intent: Intent,
        seen: &Seen,
        text: &mut Said,
        missing: &mut Vec<Value>,
    ) -> Result<()> {
        if intent == Intent::WhoIs {
            self.say_who(scope, text)?;
        }
        if seen.contracts == 0 {
            if seen.cut {
                text.say(
                    "No tempo dado, nenhum contrato deste escopo foi encontrado; a busca não chegou ao fim.".to_owned(),
                    "In the time given no contract of this scope was found; the search did not reach its end."
                        .to_owned(),
                );
            } else {
                text.say(
                    "Não temos nenhum contrato deste escopo: isso não quer dizer que não exista.".to_owned(),
                    "No contract of this scope is held here: that does not mean that there is none.".to_owned(),
                );
                missing.push(self.sources_of(scope, crate::today())?);
            }
            return Ok(());
        }
        let (n, sum) = (text.count("contracts", seen.contracts), text.money("value", seen.value));
        if seen.cut {
            text.say(
                format!("Pelo menos {} contratos, que somam {}; a contagem foi cortada pelo tempo.", n.pt, sum.pt),
                format!("At least {} contracts, of {} in all; the count was cut for time.", n.en, sum.en),
            );
        } else {
            text.say(
                format!("São {} contratos, que somam {}.", n.pt, sum.pt),
                format!("There are {} contracts, of {} in all.", n.en, sum.en),
            );
        }
        if seen.without_value > 0 {
            let none = text.count("contracts_without_value", seen.without_value);
            text.say(
                format!("Destes, {} não dizem valor em reais e não entram na soma.", none.pt),
                format!("Of these, {} state no value in reais and are not in the sum.", none.en),
            );
        }
        for (at, (hash, Sold { contracts, without, value })) in seen.top.iter().enumerate() {
            let Some((_, name)) = self.store().supplier_of_hash(*hash)? else { continue };
            let place = at + 1;
            let name = text.name(&format!("supplier_{place}"), &name);
            let n = text.count(&format!("supplier_{place}_contracts"), *contracts);
            let sum = text.money(&format!("supplier_{place}_value"), *value);
            let none = without_value(&format!("supplier_{place}"), *without, text);
            text.say(
                format!("{name}: {} contratos, {}{}.", n.pt, sum.pt, none.pt),
                format!("{name}: {} contracts, {}{}.", n.en, sum.en, none.en),
            );
        }
        Ok(())
    }

    fn say_who(&self, scope: &Scope, text: &mut Said) -> Result<()> {
        for id in scope.suppliers.iter().take(COMPARED_MAX) {
            if let Some(supplier) = self.store().supplier(id)? {
                let name = text.name("supplier", &supplier.name);
                let cnpj =
                    supplier.cnpj.as_deref().and_then(|cnpj| Cnpj::parse(cnpj).ok()).map(|cnpj| cnpj.formatted());
                let number = cnpj.map(|cnpj| format!(", CNPJ {}", text.name("cnpj", &cnpj))).unwrap_or_default();
                text.say(format!("{name}{number}."), format!("{name}{number}."));
            }
        }
        for id in scope.buyers.iter().take(COMPARED_MAX) {
            if let Some(buyer) = self.store().buyer(id)? {
                let of = [buyer.parent_name, buyer.superior_name].into_iter().flatten().collect::<Vec<_>>().join(", ");
                let name =
                    text.name("buyer", &if of.is_empty() { buyer.name } else { format!("{} ({of})", buyer.name) });
                text.say(format!("{name}."), format!("{name}."));
            }
        }
        Ok(())
    }

    /// Each party beside the others; whether a count was cut.
    fn say_compared(&self, scope: &Scope, text: &mut Said, missing: &mut Vec<Value>) -> Result<bool> {
        let alone = Scope { bodies: Vec::new(), buyers: Vec::new(), suppliers: Vec::new(), ..scope.clone() };
        let mut parties: Vec<(String, Scope)> = Vec::new();
        for name in &scope.bodies {
            parties.push((name.clone(), Scope { bodies: vec![name.clone()], ..alone.clone() }));
        }
        for id in &scope.buyers {
            let name = self.store().buyer(id)?.map_or_else(|| id.clone(), |buyer| buyer.name);
            parties.push((name, Scope { buyers: vec![id.clone()], ..alone.clone() }));
        }
        for id in &scope.suppliers {
            let name = self.store().supplier(id)?.map_or_else(|| id.clone(), |supplier| supplier.name);
            parties.push((name, Scope { suppliers: vec![id.clone()], ..alone.clone() }));
        }
        let mut cut = false;
        for (at, (name, scope)) in parties.iter().take(COMPARED_MAX).enumerate() {
            let seen = self.see(scope, false)?;
            let place = at + 1;
            let name = text.name(&format!("party_{place}"), name);
            cut |= seen.cut;
            if seen.contracts == 0 && !seen.cut {
                text.say(
                    format!("{name}: não temos nenhum contrato deste escopo; isso não quer dizer que não exista."),
                    format!("{name}: no contract of this scope is held; that does not mean that there is none."),
                );
                missing.push(self.sources_of(scope, crate::today())?);
                continue;
            }
            let n = text.count(&format!("party_{place}_contracts"), seen.contracts);
            let sum = text.money(&format!("party_{place}_value"), seen.value);
            let none = without_value(&format!("party_{place}"), seen.without_value, text);
            let (least_pt, least_en) = if seen.cut { ("pelo menos ", "at least ") } else { ("", "") };
            text.say(
                format!("{name}: {least_pt}{} contratos, {}{}.", n.pt, sum.pt, none.pt),
                format!("{name}: {least_en}{} contracts, {}{}.", n.en, sum.en, none.en),
            );
        }
        if parties.len() > COMPARED_MAX {
            let left = text.count("parties_left_out", (parties.len() - COMPARED_MAX) as u64);
            text.say(
                format!("De mais {} nada se diz aqui: pergunte por menos de cada vez.", left.pt),
                format!("Of {} more nothing is said here: ask for fewer at once.", left.en),
            );
        }
        Ok(cut)
    }

    fn say_sanctions(&self, scope: &Scope, text: &mut Said, missing: &mut Vec<Value>) -> Result<Vec<Value>> {
        if scope.suppliers.is_empty() {
            return Ok(Vec::new());
        }
        if !self.store().source_rows()?.iter().any(|row| row.table == "sanctions" && row.rows > 0) {
            text.say(
                "Não temos registros de sanções: não se pode dizer se há alguma.".to_owned(),
                "No register of sanctions is held: whether there is one cannot be said.".to_owned(),
            );
            missing.push(ask_missing::sanctions());
            return Ok(Vec::new());
        }
        let mut held = Vec::new();
        for id in &scope.suppliers {
            let root = id.strip_prefix("cnpj:").and_then(|cnpj| cnpj.get(..8));
            held.extend(self.store().sanctions_of(id, root)?);
        }
        // Two establishments of one legal person have one record.
        let mut known = HashSet::new();
        held.retain(|row| known.insert(row.id.clone()));
        let today = crate::today();
        let day = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<NaiveDate>().ok());
        let in_force = held.iter().filter(|row| {
            row.bars_contracting == Some(true)
                && day(&row.starts_on).is_some_and(|from| from <= today)
                && day(&row.ends_on).is_none_or(|to| today <= to)
        });
        let (all, barring) = (held.len() as u64, in_force.count() as u64);
        let on = text.day("today", today);
        if all == 0 {
            text.say(
                "Nos registros de sanções que temos, não há nenhum de quem foi perguntado.".to_owned(),
                "In the registers of sanctions that are held there is none of who was asked for.".to_owned(),
            );
        } else {
            let (all, barring) = (text.count("sanctions", all), text.count("sanctions_barring_today", barring));
            text.say(
                format!(
                    "Há {} registro(s) de sanção de quem foi perguntado; {} impede(m) contratar em {}, até onde o registro diz.",
                    all.pt, barring.pt, on.pt
                ),
                format!(
                    "There are {} record(s) of sanctions of who was asked for; {} bar(s) contracting on {}, as far as the register says.",
                    all.en, barring.en, on.en
                ),
            );
        }
        held.into_iter().map(|row| Ok(serde_json::to_value(Sanction::from(row)).map_err(store::Error::from)?)).collect()
    }

    fn say_findings(
        &self,
        reading: &Reading,
        seen: &crate::commands::investigations::FindingsSeen,
        text: &mut Said,
        missing: &mut Vec<Value>,
    ) -> Result<()> {
        let judged = self.coverage_by_flag()?;
        let unjudged: Vec<&String> = reading.flags.iter().filter(|flag| !judged.contains_key(*flag)).collect();
        if judged.is_empty() || !unjudged.is_empty() {
            text.say(
                "Os sinais pedidos ainda não foram julgados sobre estes dados: deles nada se diz.".to_owned(),
                "The flags asked for were not judged over these data yet: nothing is said of them.".to_owned(),
            );
            missing.push(ask_missing::entry(
                "julgamento dos sinais (`flags run`)",
                "the judgement of flags (`flags run`)",
                &[],
            ));
            return Ok(());
        }
        let asked: Vec<&String> =
            if reading.flags.is_empty() { judged.keys().collect() } else { reading.flags.iter().collect() };
        let blind: Vec<&String> = asked.iter().copied().filter(|flag| is_blind(&judged[*flag].whole)).collect();
        say_blind(&blind, asked.len(), &judged, text, missing);
        if blind.len() == asked.len() {
            return Ok(());
        }
        let (n, flags) =
            (text.count("findings", seen.total), text.count("flags_with_findings", seen.flags.len() as u64));
        let (least_pt, least_en) = if seen.cut { ("Pelo menos ", "At least ") } else { ("", "") };
        if seen.total == 0 && !seen.cut {
            text.say(
                "Nenhum achado em aberto neste escopo: isso não prova que tudo esteja certo.".to_owned(),
                "No open finding in this scope: that does not prove that all is well.".to_owned(),
            );
        } else {
            text.say(
                format!("{least_pt}{} achado(s) em aberto, de {} sinal(is). Um achado é motivo para olhar de perto, não prova de irregularidade.", n.pt, flags.pt),
                format!("{least_en}{} open finding(s), of {} flag(s). A finding is a reason to look closer, not proof of wrongdoing.", n.en, flags.en),
            );
        }
        if seen.unplaced > 0 {
            let unplaced = text.count("findings_unplaced", seen.unplaced);
            text.say(
                format!("De {} não se sabe se são deste escopo, por faltar um campo.", unplaced.pt),
                format!("Of {} it is not known whether they lie in this scope, for a field is missing.", unplaced.en),
            );
        }
        Ok(())
    }
}

/// Whether a flag judged nothing, for want of what it needs.
fn is_blind(counts: &Coverage) -> bool {
    counts.hit + counts.clear == 0
}

/// Says which of the flags asked for could judge nothing over the data held, and for want of which fields.
fn say_blind(
    blind: &[&String],
    asked: usize,
    judged: &BTreeMap<String, FlagCoverage>,
    text: &mut Said,
    missing: &mut Vec<Value>,
) {
    if blind.is_empty() {
        return;
    }
    let mut fields: BTreeMap<&str, i64> = BTreeMap::new();
    for (field, n) in blind.iter().flat_map(|flag| &judged[*flag].whole.not_computable) {
        *fields.entry(field).or_default() += n;
    }
    let (n, of) = (text.count("flags_not_computable", blind.len() as u64), text.count("flags_asked", asked as u64));
    text.say(
        format!("{} de {} sinal(is) não pôde/puderam ser calculado(s) em nenhum caso dos dados que temos: deles nada se diz, nem a favor nem contra.", n.pt, of.pt),
        format!("{} of {} flag(s) could be computed in no case of the data held: nothing is said of them, for or against.", n.en, of.en),
    );
    let codes: Vec<&str> = blind.iter().map(|flag| flag.as_str()).collect();
    let named: Vec<&str> = fields.keys().copied().collect();
    let entry = if named.is_empty() {
        ask_missing::entry(
            &format!("dados que estes sinais julgam: {}", codes.join(", ")),
            &format!("data that these flags judge: {}", codes.join(", ")),
            &[],
        )
    } else {
        ask_missing::entry(
            &format!("campos sem os quais {} não se calcula(m): {}", codes.join(", "), named.join(", ")),
            &format!("fields without which {} cannot be computed: {}", codes.join(", "), named.join(", ")),
            &[],
        )
    };
    missing.push(entry);
}
