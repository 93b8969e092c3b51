//! The request for information (Lei 12.527/2011) for what an investigation could not know: which fields, of which contracts and
//! processes, from which body. It says nothing that is not held, and leaves blank who asks.
//!
//! The letter is in Portuguese whatever the dossier's language is, for a Brazilian body reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use report::dossier::{Language, Letter, markdown_text};
use serde_json::Value;
use store::{BuyerRow, EntityKind};

use super::evidence::Gathering;
use super::finding::clip;
use super::words::{self, said, text};
use crate::{App, Error, Result, Scope};

/// Said when the records could not be listed.
const NO_TIME: &str = "the records that lack a field could not be listed in the time there was; ask again, or write the dossier with `cidadao report`";
/// The bodies that a dossier writes to.
const LETTERS_MAX: usize = 5;
/// The records that are named for one field.
const RECORDS_MAX: usize = 10;
/// The findings that are asked about.
const FINDINGS_MAX: usize = 10;
/// The tables of whose fields the body can be asked; that peers are few, or that a register is silent, is not the body's.
const OF_A_BODY: &[&str] = &["contracts", "items", "tenders", "bids", "amendments"];

/// A record that lacks a field.
struct Lacking {
    number: String,
    process: String,
    object: String,
    other: String,
    day: String,
    id: String,
    file: i64,
    place: String,
}

/// What a body's records lack: by field, how many, and the first of them.
type Missing = BTreeMap<String, (u64, Vec<Lacking>)>;

impl App {
    /// The request for information about what an investigation lacks of one body; without one, of the body that most of its
    /// findings name, or that its scope names.
    ///
    /// # Errors
    /// `NotFound`: no such investigation or buyer; `CannotBundle` when there is no time to list what is missing; `Invalid` when there is no body to write to, or nothing is missing.
    pub fn information_request(&self, id: &str, buyer: Option<&str>, patience: Duration) -> Result<String> {
        let it = serde_json::to_value(self.investigation(id)?).map_err(store::Error::from)?;
        if let Some(buyer) = buyer
            && self.store().buyer(buyer)?.is_none()
        {
            return Err(Error::not_found("buyer", buyer));
        }
        let mut gathering = Gathering::without_rows(self, patience);
        let findings = self.findings_with_rows(id, &mut gathering)?;
        let letters = self.letters_of(&it, &findings, buyer, &mut gathering)?;
        let letters = letters.ok_or_else(|| Error::CannotBundle(NO_TIME.to_owned()))?;
        let letter = letters.into_iter().next();
        letter.map(|letter| letter.text).ok_or_else(|| {
            Error::invalid(
                "buyer",
                "nothing that is missing here is of a body that could be asked; name one with buyer=",
            )
        })
    }

    /// The letters that go with a dossier: to `buyer`, or to the bodies that its scope and findings name.
    pub(super) fn letters_of(
        &self,
        it: &Value,
        findings: &[Value],
        buyer: Option<&str>,
        gathering: &mut Gathering<'_>,
    ) -> Result<Option<Vec<Letter>>> {
        let mut bodies = Vec::new();
        for buyer in self.bodies_asked(it, findings, buyer)? {
            if let Some(held) = self.store().buyer(&buyer)? {
                bodies.push((held, self.store().entity_members(EntityKind::Buyer, &buyer)?));
            }
        }
        let ids: Vec<String> = bodies.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
        let Some(mut missing) = self.missing_of(&ids, it, gathering)? else { return Ok(None) };
        let mut letters = Vec::new();
        for (held, ids) in bodies {
            let missing = merged(ids.iter().filter_map(|id| missing.remove(id)));
            letters.extend(self.letter_to(&held, &ids, &missing, it, findings)?);
        }
        Ok(Some(letters))
    }

    fn letter_to(
        &self,
        held: &BuyerRow,
        ids: &[String],
        missing: &Missing,
        it: &Value,
        findings: &[Value],
    ) -> Result<Option<Letter>> {
        let of_buyer = |finding: &&Value| text(finding, "/buyer/id").is_some_and(|id| ids.iter().any(|own| own == id));
        let findings: Vec<&Value> = findings.iter().filter(of_buyer).take(FINDINGS_MAX).collect();
        let asked = points_of(self, &findings)?;
        if missing.is_empty() && asked.is_empty() {
            return Ok(None);
        }
        let cnpj = held.cnpj.as_ref().map(|cnpj| Language::Pt.party(&format!("cnpj:{cnpj}")).text);
        let title = format!("Pedido de acesso à informação: {}", held.name);
        let name: String = held.id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
        let text = written(&held.name, cnpj.as_ref().unwrap_or(&held.id), missing, &asked, it);
        Ok(Some(Letter { name: format!("pedido-lai-{name}"), title, text }))
    }

    /// The bodies to write to: the one asked for; else those of the scope, else those that most findings name. Of many, those of which
    /// most was found.
    fn bodies_asked(&self, it: &Value, findings: &[Value], buyer: Option<&str>) -> Result<Vec<String>> {
        if let Some(buyer) = buyer {
            return Ok(vec![buyer.to_owned()]);
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let named = self.buyers_of(&scope_of(it))?;
        for id in findings.iter().filter_map(|finding| text(finding, "/buyer/id")) {
            if named.as_ref().is_none_or(|named| named.contains(id)) {
                *counts.entry(id.to_owned()).or_default() += 1;
            }
        }
        for id in named.into_iter().flatten() {
            counts.entry(id).or_default();
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(counts.into_iter().take(LETTERS_MAX).map(|(id, _)| id).collect())
    }

    /// The records of these buyers that flags of an investigation could not judge, by buyer and by the field that they lack.
    fn missing_of(
        &self,
        ids: &[String],
        it: &Value,
        gathering: &mut Gathering<'_>,
    ) -> Result<Option<BTreeMap<String, Missing>>> {
        let mut missing: BTreeMap<String, Missing> = BTreeMap::new();
        // At a moment outcomes are counted, not kept.
        let stored = |flag: &&Value| flag["outcome"]["basis"] == "stored" && flag["outcome"]["counts"].is_object();
        let codes =
            it["coverage"].as_array().into_iter().flatten().filter(stored).filter_map(|flag| text(flag, "/flag"));
        let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for flag in codes.filter_map(|code| self.catalogue().flag(code)) {
            if let Some(file) = self.outcomes_path(flag)? {
                let quoted = format!("'{}'", file.to_string_lossy().replace('\'', "''"));
                files.entry(flag.subject_kind()).or_default().push(quoted);
            }
        }
        let scope = scope_of(it);
        let suppliers = self.store().all_ids_of(EntityKind::Supplier, &scope.suppliers)?;
        let Some(sql) = sql_of(&files, ids, &scope, &suppliers) else { return Ok(Some(missing)) };
        let time = gathering.aside();
        let Some(session) = gathering.session() else { return Ok(None) };
        let clock = session.deadline(time);
        let mut places = Vec::new();
        let asked = session.rows(&sql, |row| {
            let at = |name: &str| row.get(name).unwrap_or_default().to_owned();
            let of_buyer = missing.entry(at("buyer_id")).or_default();
            let (count, records) = of_buyer.entry(at("missing")).or_default();
            *count = at("n").parse().unwrap_or_default();
            places.push(at("file_id").parse::<i64>().unwrap_or_default());
            records.push(Lacking {
                number: at("number"),
                process: at("process"),
                object: at("object"),
                other: at("other"),
                day: at("day"),
                id: at("id"),
                file: at("file_id").parse().unwrap_or_default(),
                place: at("line"),
            });
            Ok(())
        });
        if asked.is_err() && clock.has_passed() {
            return Ok(None);
        }
        asked?;
        let files = self.store().files_numbered(places.into_iter())?;
        for record in missing.values_mut().flat_map(BTreeMap::values_mut).flat_map(|(_, records)| records) {
            let name = files.get(&record.file).map(|file| file.name.as_str());
            record.place = name.map(|name| format!("{name}, linha ou registro {}", record.place)).unwrap_or_default();
        }
        Ok(Some(missing))
    }
}

/// The scope of an investigation, as it is shown.
fn scope_of(it: &Value) -> Scope {
    serde_json::from_value(it["scope"].clone()).unwrap_or_default()
}

/// What several ids of one body lack, together.
fn merged(all: impl Iterator<Item = Missing>) -> Missing {
    let mut whole = Missing::new();
    for (field, (count, records)) in all.flatten() {
        let held = whole.entry(field).or_default();
        held.0 += count;
        held.1.extend(records);
        held.1.truncate(RECORDS_MAX);
    }
    whole
}

/// The SQL that names the records of these buyers which flags could not judge, by the files of their outcomes and what they judge;
/// nothing where none of them judges records of one body.
fn sql_of(
    files: &BTreeMap<&str, Vec<String>>,
    ids: &[String],
    scope: &Scope,
    suppliers: &BTreeSet<String>,
) -> Option<String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let ids: Vec<String> = ids.iter().map(|id| quoted(id)).collect();
    if ids.is_empty() {
        return None;
    }
    let tables: Vec<String> = OF_A_BODY.iter().map(|table| quoted(table)).collect();
    let mut halves = Vec::new();
    for (subject, of, on, other) in [
        ("contract", "contracts r on r.id = o.subject_id", "r.signed_on", "r.supplier_name"),
        (
            "item",
            "items i on i.id = o.subject_id join contracts r on r.id = i.contract_id",
            "r.signed_on",
            "r.supplier_name",
        ),
        ("tender", "tenders r on r.id = o.subject_id", "r.published_on", "cast(null as varchar)"),
    ] {
        let Some(files) = files.get(subject) else { continue };
        let mut within = String::new();
        for (bound, day) in [(">=", scope.from), ("<=", scope.to)] {
            if let Some(day) = day {
                let _ = write!(within, " and {on} {bound} {}", quoted(&day.to_string()));
            }
        }
        if let Some(modality) = &scope.modality {
            let _ = write!(within, " and r.modality = {}", quoted(modality));
        }
        for word in scope.q.as_deref().unwrap_or_default().split_whitespace().filter(|word| word.chars().count() > 2) {
            let like = quoted(&format!("%{}%", model::text::fold(word)));
            let _ = write!(within, " and strip_accents(lower(r.object)) like {like}");
        }
        let values = [(">=", &scope.value_min), ("<=", &scope.value_max)];
        let of_contracts =
            !suppliers.is_empty() || !scope.contracts.is_empty() || values.iter().any(|(_, v)| v.is_some());
        if of_contracts && subject == "tender" {
            // Who sells, and for how much, is known of contracts.
            continue;
        }
        let list = |all: &mut dyn Iterator<Item = &String>| all.map(|one| quoted(one)).collect::<Vec<_>>().join(", ");
        if !suppliers.is_empty() {
            let _ = write!(within, " and r.supplier_id in ({})", list(&mut suppliers.iter()));
        }
        if !scope.contracts.is_empty() {
            let _ = write!(within, " and r.id in ({})", list(&mut scope.contracts.iter()));
        }
        for (bound, value) in values {
            // Read as money when the scope was asked for: digits and a dot.
            if let Some(value) = value.as_ref().filter(|v| v.bytes().all(|b| b.is_ascii_digit() || b == b'.')) {
                let _ = write!(within, " and r.value_final {bound} {value}");
            }
        }
        halves.push(format!(
            "select o.missing, r.buyer_id, r.id, r.number, r.process, r.object, {other} as other, {on} as day, r.file_id, r.line
             from (select distinct subject_id, missing from read_parquet([{}]) where outcome = 'not_computable'
                   and string_split(missing, '.')[1] in ({})) o
             join {of} where r.buyer_id in ({}){within}",
            files.join(", "),
            tables.join(", "),
            ids.join(", ")
        ));
    }
    (!halves.is_empty()).then(|| {
        format!(
            "select *, count(*) over (partition by buyer_id, missing) as n from ({})
             qualify row_number() over (partition by buyer_id, missing order by day desc nulls last, id) <= {RECORDS_MAX}
             order by buyer_id, missing, day desc nulls last, id",
            halves.join(" union ")
        )
    })
}

/// What was not checked of the findings, with the contracts that it is about.
fn points_of(app: &App, findings: &[&Value]) -> Result<Vec<(String, Vec<String>)>> {
    let mut points = Vec::new();
    for finding in findings {
        let open = finding["explanations"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| matches!(text(one, "/outcome"), Some("not_checked" | "possible")));
        let open: Vec<String> = open.filter_map(|one| said(one, "/because", Language::Pt)).map(str::to_owned).collect();
        let mut contracts = Vec::new();
        let ids = finding["contract_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for id in ids.take(RECORDS_MAX) {
            if let Some(row) = app.store().row("contracts", id)? {
                contracts.push(contract_in_words(id, &Value::Object(row)));
            }
        }
        if !open.is_empty() && !contracts.is_empty() {
            points.push((open.join(" "), contracts));
        }
    }
    Ok(points)
}

fn contract_in_words(id: &str, row: &Value) -> String {
    let at = |name: &str| text(row, &format!("/{name}"));
    let number = at("number").map(|number| format!("contrato {number}"));
    let process = at("process").map(|process| format!("processo {process}"));
    let day = at("signed_on").map(|day| format!("assinado em {}", Language::Pt.day(day).text));
    let id = Some(format!("registro: {id}"));
    [number, process, at("object").map(clip), day, id].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn written(name: &str, code: &str, missing: &Missing, asked: &[(String, Vec<String>)], it: &Value) -> String {
    let md = markdown_text;
    let mut out = format!(
        "# Pedido de acesso à informação\n\nAo Serviço de Informações ao Cidadão (SIC) de **{}** ({})\n\n\
         **Requerente:** ______________________________\n\n**Documento de identificação:** ______________________________\n\n\
         **Contato para resposta:** ______________________________\n\n\
         Com fundamento no art. 5º, XXXIII, da Constituição Federal e no art. 10 da Lei nº 12.527, de 18 de novembro de 2011, \
         solicito, respeitosamente, as informações a seguir, que não constam dos dados públicos que consultei.\n\n",
        md(name),
        md(code)
    );
    let mut n = 0;
    for (field, (count, records)) in missing {
        n += 1;
        let what = words::field(field, Language::Pt);
        let count_text = Language::Pt.count(i128::from(*count)).text;
        let _ = write!(out, "## {n}. Informar {}\n\nNão consta em {count_text} registro(s)", md(&what));
        let shown = records.len() as u64;
        if shown < *count {
            let _ = write!(out, ", dos quais os {shown} mais novos são");
        }
        out.push_str(":\n\n");
        for record in records {
            let parts = [
                ("número", record.number.clone()),
                ("processo", record.process.clone()),
                ("objeto", clip(&record.object)),
                ("contratado", record.other.clone()),
                ("data", Language::Pt.day(&record.day).text),
                ("registro", record.id.clone()),
                ("onde se lê", record.place.clone()),
            ];
            let parts: Vec<String> = parts
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| format!("{name}: {}", md(value)))
                .collect();
            let _ = writeln!(out, "- {}", parts.join("; "));
        }
        out.push('\n');
    }
    if !asked.is_empty() {
        n += 1;
        let _ = write!(
            out,
            "## {n}. Cópia dos documentos que esclareçam os pontos a seguir\n\nNos contratos abaixo, os dados públicos deixam em aberto:\n\n"
        );
        for (what, contracts) in asked {
            let _ = writeln!(out, "- {}", md(what));
            for contract in contracts {
                let _ = writeln!(out, "  - {}", md(contract));
            }
        }
        out.push('\n');
    }
    let _ = write!(
        out,
        "## Forma da resposta\n\nPeço resposta por meio eletrônico e, havendo base de dados, em formato aberto, estruturado e legível por \
         máquina (art. 8º, § 3º, II e III, e art. 11, § 5º). O prazo é o do art. 11, §§ 1º e 2º: imediato ou em até 20 dias, prorrogáveis \
         por mais 10 mediante justificativa. Se a informação não existir ou não for deste órgão, peço que isso seja dito e, se souberem, \
         que se indique quem a detém (art. 11, § 1º, III). Se algo for negado, peço a razão e a indicação da autoridade a quem recorrer \
         (art. 11, § 1º, II, e § 4º). Os motivos deste pedido não precisam ser declarados (art. 10, § 3º).\n\n\
         Local e data: ______________________________\n\nAssinatura: ______________________________\n\n\
         ---\n\n*Rascunho preparado a partir da investigação {} do Cidadão.AI; confira-o antes de enviar. Nada nele afirma irregularidade.*\n",
        md(text(it, "/id").unwrap_or_default())
    );
    out
}
