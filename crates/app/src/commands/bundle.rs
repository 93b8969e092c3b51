//! The evidence bundle of a finding: what its judgement read and ran, packed, signed, and redone before it is handed out.

use std::collections::BTreeMap;

use flags::{Flag, Inputs, Redone};
use lake::Session;
use report::{FORMAT, Manifest, SegmentRead, Words, pack, readme};
use serde_json::{Map, Value, json};
use store::FindingRow;

use crate::commands::verify::{CONFINEMENT, verify};
use crate::views::{Finding, Verified};
use crate::{App, Error, Result, VERSION};

/// The most rows of inputs that a bundle holds.
pub(crate) const INPUT_ROWS_MAX: i64 = 100_000;
/// What is put beside a row's own columns: the file it came from.
pub(crate) const BESIDE: &[&str] = &["file", "file_sha256", "fetched_at"];

impl App {
    /// The evidence bundle of a finding, as a ZIP archive.
    ///
    /// # Errors
    /// No such finding; `CannotBundle` when its judgement reads more than a bundle may hold, or does not come out as the
    /// finding says; the analysis fails.
    pub fn evidence_bundle(&self, id: &str) -> Result<Vec<u8>> {
        let held = self.store().finding(id)?.ok_or_else(|| Error::not_found("finding", id))?;
        let flag = self.catalogue().flag(&held.flag).ok_or_else(|| Error::not_found("flag", &held.flag))?;
        let session = self.session()?;
        let inputs = flags::gather_inputs(&session, flag, &held.group_key, &held.subject_id, INPUT_ROWS_MAX);
        let inputs = inputs.map_err(|error| match error {
            flags::Error::TooLarge { .. } => Error::CannotBundle(error.to_string()),
            other => other.into(),
        })?;
        let redone = self.redone_over(&inputs, &held, flag)?;
        expect_as_held(&held, redone.as_ref())?;
        let bundle = self.packed(&held, flag, &session, redone.as_ref(), inputs)?;
        let verified = verify(&bundle, None);
        if verified.verdict != Verified::Equal {
            let what: Vec<&str> = verified.differences.iter().take(5).map(|d| d.what.as_str()).collect();
            let because = verified.broken.unwrap_or_else(|| what.join(", "));
            return Err(Error::CannotBundle(format!("{}: its bundle cannot be verified: {because}", held.id)));
        }
        Ok(bundle)
    }

    /// The judgement over the inputs alone, in a session as a stranger has it.
    fn redone_over(&self, inputs: &Inputs, held: &FindingRow, flag: &Flag) -> Result<Option<Redone>> {
        let session = Session::confined(CONFINEMENT)?;
        for (table, rows) in &inputs.tables {
            session.load(table, rows, &[])?;
        }
        session.load_merged_buyers(&self.merged_among(inputs)?)?;
        Ok(flags::redo(&session, flag, &held.group_key, &held.subject_id, None)?)
    }

    fn packed(
        &self,
        held: &FindingRow,
        flag: &Flag,
        session: &Session,
        redone: Option<&Redone>,
        inputs: Inputs,
    ) -> Result<Vec<u8>> {
        let finding = serde_json::to_value(Finding::try_from(held.clone())?).map_err(store::Error::from)?;
        let law = flags::law_tables(session, flag.derived())?;
        let merged: Vec<Map<String, Value>> = self
            .merged_among(&inputs)?
            .into_iter()
            .map(|(id, entity)| {
                Map::from_iter([("buyer_id".to_owned(), id.into()), ("entity_id".to_owned(), entity.into())])
            })
            .collect();
        let manifest = self.manifest(held, flag, session, redone, &inputs, &finding, !merged.is_empty())?;
        let parameters: Map<String, Value> =
            flag.parameters.iter().map(|p| (p.name.clone(), json!(p.default))).collect();
        let mut members = BTreeMap::from([
            ("LEIA-ME.md".to_owned(), readme(&manifest, &finding).into_bytes()),
            ("finding.json".to_owned(), pretty(&finding)),
            ("judged.json".to_owned(), pretty(&json!(redone.map(|redone| &redone.row)))),
            ("params.json".to_owned(), pretty(&json!(parameters))),
            ("law.json".to_owned(), pretty(&json!({"finding": finding["law"], "tables": law}))),
        ]);
        for (name, text) in flags::files_of(&flag.code).unwrap_or_default() {
            members.insert(format!("flag/{name}"), text.into_bytes());
        }
        if !merged.is_empty() {
            members.insert("inputs/merged_buyers.jsonl".to_owned(), lines(&merged));
        }
        for (table, rows) in inputs.tables {
            members.insert(format!("inputs/{table}.jsonl"), lines(&self.with_files(rows)?));
        }
        pack(manifest, &members, &self.seal()?).map_err(|e| Error::CannotBundle(e.to_string()))
    }

    #[allow(clippy::too_many_arguments, reason = "a manifest speaks of everything")]
    fn manifest(
        &self,
        held: &FindingRow,
        flag: &Flag,
        session: &Session,
        redone: Option<&Redone>,
        inputs: &Inputs,
        finding: &Value,
        merged: bool,
    ) -> Result<Manifest> {
        let run = self.store().run(held.run_id)?;
        let text = |name: &str| finding[name].as_str().map(str::to_owned);
        let segments = session.segments().iter().filter(|s| inputs.tables.contains_key(&s.table));
        Ok(Manifest {
            format: FORMAT,
            finding: held.id.clone(),
            flag: held.flag.clone(),
            flag_version: flag.version,
            state: held.state.clone(),
            outcome: outcome_of(redone).to_owned(),
            subject: held.subject_id.clone(),
            group: held.group_key.clone(),
            as_of: text("as_of"),
            known_at: text("known_at"),
            made_at: model::dates::now_text(),
            program_version: VERSION.to_owned(),
            catalogue_version: self.catalogue().version().to_owned(),
            law_version: run.law_version,
            public_key: String::new(),
            inputs: inputs.tables.iter().map(|(table, rows)| (table.clone(), rows.len() as u64)).collect(),
            inputs_are: if inputs.whole_tables { "whole_tables" } else { "peer_group" }.to_owned(),
            segments: segments
                .map(|s| SegmentRead { path: s.path.clone(), sha256: s.sha256.clone(), rows: s.rows })
                .collect(),
            recomputed: flag.derived().iter().filter(|name| !flags::is_law_table(name)).cloned().collect(),
            taken_as_given: taken_as_given(flag, inputs, merged),
            members: BTreeMap::new(),
        })
    }

    /// The merged buyers among the inputs: who is one with whom.
    fn merged_among(&self, inputs: &Inputs) -> Result<Vec<(String, String)>> {
        let held: std::collections::HashSet<&str> =
            inputs.tables.get("buyers").into_iter().flatten().filter_map(|row| row["id"].as_str()).collect();
        Ok(self.store().merged_buyers()?.into_iter().filter(|(id, _)| held.contains(id.as_str())).collect())
    }

    /// The rows with the file that each came from.
    fn with_files(&self, mut rows: Vec<Map<String, Value>>) -> Result<Vec<Map<String, Value>>> {
        let number = |row: &Map<String, Value>| row.get("file_id").and_then(Value::as_i64);
        let numbers: std::collections::BTreeSet<i64> = rows.iter().filter_map(number).collect();
        let files = self.store().files_numbered(numbers.into_iter())?;
        for row in &mut rows {
            if let Some(file) = number(row).and_then(|number| files.get(&number)) {
                for (name, value) in BESIDE.iter().zip([&file.name, &file.sha256, &file.fetched_at]) {
                    row.insert((*name).to_owned(), value.clone().into());
                }
            }
        }
        Ok(rows)
    }
}

/// The finding, which was judged over everything, must be what the gathered rows give; else data came since, the catalogue is
/// another, or the rows do not suffice.
fn expect_as_held(held: &FindingRow, redone: Option<&Redone>) -> Result<()> {
    let body: Value = serde_json::from_str(&held.body).map_err(store::Error::from)?;
    let cannot = |because: String| {
        Err(Error::CannotBundle(format!(
            "{}: over the rows gathered for it, {because}; `cidadao flags run` judges again what is out of date",
            held.id
        )))
    };
    match (held.state.as_str(), redone.and_then(|redone| redone.finding.as_ref())) {
        ("open", None) => cannot(format!("its judgement gives `{}`", outcome_of(redone))),
        ("open", Some(now)) => match flags::differences("finding", &body, now).first() {
            None => Ok(()),
            Some(first) => cannot(format!("{} is {} and comes out as {}", first.what, first.said, first.redone)),
        },
        (_, Some(_)) => cannot("the judgement gives `hit`, and it is withdrawn".to_owned()),
        (_, None) => Ok(()),
    }
}

/// The outcome of a judgement; what is not judged at all has none.
pub(crate) fn outcome_of(redone: Option<&Redone>) -> &str {
    redone.and_then(|redone| redone.row.get("outcome")?.as_deref()).unwrap_or("not_judged")
}

fn taken_as_given(flag: &Flag, inputs: &Inputs, merged: bool) -> Vec<Words> {
    let words = |pt: &str, en: &str| Words { pt: pt.to_owned(), en: en.to_owned() };
    let mut given = vec![
        words(
            "que as linhas de `inputs/` são todas as do grupo: quem emitiu o pacote o afirma, e cita os segmentos lidos com seus hashes",
            "that the rows of `inputs/` are all of the group's: the issuer says so, and names the segments read with their hashes",
        ),
        words(
            "que cada linha diz o que a fonte dizia: confira no arquivo original, pela linha (em arquivos JSON, pelo número do registro) e pelo hash",
            "that each row says what its source said: check it in the original file, by line (in JSON files, by the number of the record) and hash",
        ),
    ];
    if flag.derived().iter().any(|name| flags::is_law_table(name)) {
        given.push(words(
            "os limites legais de `law.json`; a verificação diz se são os do programa de quem verifica",
            "the legal limits of `law.json`; the verification says whether they are those of the verifier's own program",
        ));
    }
    if inputs.tables.contains_key("registrations") {
        given.push(words(
            "que endereços, telefones e e-mails são iguais onde os números que os substituem são iguais: dados de contato são comparados, nunca mostrados",
            "that addresses, telephones and e-mails are alike where the numbers in their place are: contact data are compared, never shown",
        ));
    }
    if merged {
        given.push(words(
            "quais códigos são um só órgão (`inputs/merged_buyers.jsonl`)",
            "which codes are one buyer (`inputs/merged_buyers.jsonl`)",
        ));
    }
    given
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn lines(rows: &[Map<String, Value>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in rows {
        // A map of plain values can always be written.
        if serde_json::to_writer(&mut bytes, row).is_ok() {
            bytes.push(b'\n');
        }
    }
    bytes
}
