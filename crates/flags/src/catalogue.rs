//! Flags as data: the folders under `flags/`, embedded in the program.

use std::collections::BTreeMap;

use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

#[derive(RustEmbed)]
#[folder = "../../flags"]
struct Folders;

/// A text in Portuguese and in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Portuguese.
    pub pt: String,
    /// English.
    pub en: String,
}

/// A number that a flag's rule uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Stands as `$name` in the SQL.
    pub name: String,
    /// The value when nobody says another.
    pub default: f64,
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// What it counts.
    pub unit: String,
    /// What it does.
    pub description: Bilingual,
    /// How it acts on what is kept of each subject (`measure > value`), if the hits at other values can be told from that.
    pub preview: Option<String>,
}

/// An innocent explanation and what is said for each of its outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Its code; the SQL column `ex_<code>` says `ruled_out`, `possible` or `likely`; null, or no such column, is
    /// `not_checked`.
    pub code: String,
    /// What it is, in general, in Portuguese.
    pub pt: String,
    /// What it is, in general, in English.
    pub en: String,
    /// Said when the data speak for it.
    #[serde(skip_serializing)]
    pub likely: Option<Bilingual>,
    /// Said when it is possible.
    #[serde(skip_serializing)]
    pub possible: Option<Bilingual>,
    /// Said when it is ruled out.
    #[serde(skip_serializing)]
    pub ruled_out: Option<Bilingual>,
    /// Said when it was not checked: why not.
    #[serde(skip_serializing)]
    pub not_checked: Option<Bilingual>,
}

/// A step of the arithmetic, as templates over the SQL's columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub label: Bilingual,
    pub expression: String,
    pub result: String,
    /// Shown only when this column is not null.
    pub when: Option<String>,
}

/// The law behind a finding, as templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Law {
    pub regime: Bilingual,
    pub article: String,
    pub act: String,
}

/// Who a finding is compared with, as a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peers {
    pub definition: Bilingual,
    pub unit: String,
}

/// A red flag.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are those of flag.toml, described in docs/flags.md")]
pub struct Flag {
    pub code: String,
    pub version: u32,
    pub kind: String,
    pub agent: String,
    pub severity: String,
    pub ocp_codes: Vec<String>,
    pub name: Bilingual,
    pub summary: Bilingual,
    pub formula: Bilingual,
    pub legal_basis: Vec<String>,
    pub needs: Vec<String>,
    pub exclusions: Vec<Bilingual>,
    pub parameters: Vec<Parameter>,
    pub explanations: Vec<Explanation>,
    pub counterfactual: Bilingual,
    #[serde(skip)]
    pub(crate) subject: String,
    #[serde(skip)]
    pub(crate) unit: String,
    #[serde(skip)]
    pub(crate) finding: Bilingual,
    #[serde(skip)]
    pub(crate) steps: Vec<Step>,
    #[serde(skip)]
    pub(crate) law: Option<Law>,
    #[serde(skip)]
    pub(crate) peers: Option<Peers>,
    #[serde(skip)]
    pub(crate) touched: String,
    #[serde(skip)]
    pub(crate) derived: Vec<String>,
    /// The SQL that judges.
    #[serde(skip)]
    pub sql: String,
    #[serde(skip)]
    pub(crate) peers_sql: Option<String>,
    #[serde(skip)]
    pub(crate) rows_sql: String,
    #[serde(skip)]
    pub(crate) inputs_sql: Option<String>,
}

/// `flag.toml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlagToml {
    code: String,
    version: u32,
    kind: String,
    agent: String,
    severity: String,
    ocp_codes: Vec<String>,
    name: Bilingual,
    summary: Bilingual,
    formula: Bilingual,
    legal_basis: Vec<String>,
    needs: Vec<String>,
    #[serde(default)]
    exclusions: Vec<Bilingual>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    explanations: Vec<Explanation>,
    counterfactual: Bilingual,
    /// What is judged: `contract`, `item`, `buyer_year_activity`.
    subject: String,
    /// Of measure and threshold.
    unit: String,
    /// The plain-language reason, as a template.
    finding: Bilingual,
    #[serde(default)]
    steps: Vec<Step>,
    law: Option<Law>,
    peers: Option<Peers>,
    /// One SELECT that gives, as `k`, the peer groups that changed rows touch.
    touched: String,
    /// Derived tables the SQL joins.
    #[serde(default)]
    derived: Vec<String>,
}

/// All flags, by code.
#[derive(Debug, Clone)]
pub struct Catalogue {
    flags: Vec<Flag>,
    version: String,
}

impl Catalogue {
    /// The flags embedded in the program.
    ///
    /// # Errors
    /// A folder that is not whole: the program was built wrong.
    pub fn embedded() -> Result<Self> {
        let mut folders: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for path in Folders::iter() {
            let Some((folder, file)) = path.split_once('/') else { continue };
            if file.starts_with("cases/") {
                continue;
            }
            let content = Folders::get(&path).map(|f| String::from_utf8_lossy(&f.data).into_owned());
            folders.entry(folder.to_owned()).or_default().insert(file.to_owned(), content.unwrap_or_default());
        }
        let flags = folders.iter().map(|(folder, files)| flag_of(folder, files)).collect::<Result<Vec<_>>>()?;
        let mut text = String::new();
        for (folder, files) in &folders {
            for (file, content) in files {
                text.push_str(&format!("{folder}/{file}\u{1f}{content}\u{1e}"));
            }
        }
        Ok(Self { flags, version: format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes())) })
    }

    /// The flags, by code.
    #[must_use]
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// The flag with this code, in either case.
    #[must_use]
    pub fn flag(&self, code: &str) -> Option<&Flag> {
        self.flags.iter().find(|f| f.code.eq_ignore_ascii_case(code))
    }

    /// A hash over every file of every flag.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// The files of a flag of this program but its cases, by name; `None` for a flag it does not have.
#[must_use]
pub fn files_of(code: &str) -> Option<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for path in Folders::iter() {
        let Some((folder, file)) = path.split_once('/') else { continue };
        if folder.split('-').next() == Some(code) && !file.contains('/') {
            let content = Folders::get(&path).map(|f| String::from_utf8_lossy(&f.data).into_owned());
            files.insert(file.to_owned(), content.unwrap_or_default());
        }
    }
    (!files.is_empty()).then_some(files)
}

fn flag_of(folder: &str, files: &BTreeMap<String, String>) -> Result<Flag> {
    let error = |because: String| Error::Folder { flag: folder.to_owned(), because };
    let file = |name: &str| files.get(name).cloned().ok_or_else(|| error(format!("{name} is missing")));
    let toml: FlagToml = toml::from_str(&file("flag.toml")?).map_err(|e| error(format!("flag.toml: {e}")))?;
    if !folder.starts_with(&toml.code) {
        return Err(error(format!("the folder's name does not start with {}", toml.code)));
    }
    crate::preview::check(&toml.code, &toml.parameters)?;
    Ok(Flag {
        code: toml.code,
        version: toml.version,
        kind: toml.kind,
        agent: toml.agent,
        severity: toml.severity,
        ocp_codes: toml.ocp_codes,
        name: toml.name,
        summary: toml.summary,
        formula: toml.formula,
        legal_basis: toml.legal_basis,
        needs: toml.needs,
        exclusions: toml.exclusions,
        parameters: toml.parameters,
        explanations: toml.explanations,
        counterfactual: toml.counterfactual,
        subject: toml.subject,
        unit: toml.unit,
        finding: toml.finding,
        steps: toml.steps,
        law: toml.law,
        peers: toml.peers,
        touched: toml.touched,
        derived: toml.derived,
        sql: file("flag.sql")?,
        peers_sql: files.get("peers.sql").cloned(),
        rows_sql: file("rows.sql")?,
        inputs_sql: files.get("inputs.sql").cloned(),
    })
}

impl Flag {
    /// The flag with other values of its parameters: it judges as if they were its defaults.
    ///
    /// # Errors
    /// A parameter that it does not have, a value out of its range.
    pub fn with(mut self, values: &BTreeMap<String, f64>) -> Result<Self> {
        for (name, value) in values {
            let refused = |because| Error::Parameter { flag: self.code.clone(), name: name.clone(), because };
            let Some(parameter) = self.parameters.iter_mut().find(|p| p.name == *name) else {
                let known: Vec<&str> = self.parameters.iter().map(|p| p.name.as_str()).collect();
                return Err(refused(format!("there is none of this name; known: {}", known.join(", "))));
            };
            if !(parameter.min..=parameter.max).contains(value) {
                return Err(refused(format!("{value} is not between {} and {}", parameter.min, parameter.max)));
            }
            parameter.default = *value;
        }
        Ok(self)
    }

    /// The values of its parameters, by name.
    #[must_use]
    pub fn values(&self) -> serde_json::Map<String, serde_json::Value> {
        self.parameters.iter().map(|p| (p.name.clone(), p.default.into())).collect()
    }

    /// The flag that these files make, as they stand in its folder.
    ///
    /// # Errors
    /// A file is missing or not as it must be.
    pub fn of_files(code: &str, files: &BTreeMap<String, String>) -> Result<Self> {
        flag_of(code, files)
    }

    /// The derived tables that its SQL joins.
    #[must_use]
    pub fn derived(&self) -> &[String] {
        &self.derived
    }

    /// What it judges: `contract`, `item`, `tender` …
    #[must_use]
    pub fn subject_kind(&self) -> &str {
        &self.subject
    }

    /// The SQL that gives the peer group, where the flag compares.
    #[must_use]
    pub fn peers_sql(&self) -> Option<&str> {
        self.peers_sql.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A row that comes later must be able to change what an earlier one led to: else files in parts end otherwise than files at once.
    #[test]
    fn a_change_of_any_table_that_a_flag_reads_has_it_judged_again() {
        let read = |sql: &str| -> BTreeSet<String> {
            let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
            let code = code.join(" ");
            let words: Vec<&str> =
                code.split(|c: char| c.is_whitespace() || "(),".contains(c)).filter(|w| !w.is_empty()).collect();
            words.windows(2).filter(|two| matches!(two[0], "from" | "join")).map(|two| two[1].to_owned()).collect()
        };
        let catalogue = Catalogue::embedded().unwrap();
        for flag in &catalogue.flags {
            let judged = read(&format!("{}\n{}", flag.sql, flag.peers_sql().unwrap_or_default()));
            let touched = read(&flag.touched);
            for table in model::TABLES.iter().map(|t| t.name).filter(|name| judged.contains(*name)) {
                assert!(touched.contains(&format!("changed_{table}")), "{}: {table}", flag.code);
            }
        }
    }

    #[test]
    fn no_flag_has_a_join_that_the_parser_gives_back_otherwise() {
        for flag in &Catalogue::embedded().unwrap().flags {
            assert!(!flag.sql.to_lowercase().contains("cross join"), "{}: join … on true", flag.code);
        }
    }
}
