//! Red flags: the catalogue's own words with what they came to over the data held.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Precision, Text};

/// A red flag, as the catalogue has it, with its coverage; [`FlagShape`] describes it.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Flag(Map<String, Value>);

impl Flag {
    /// Puts a flag and its coverage together; `sql` only where it is asked for.
    pub(crate) fn new(flag: &flags::Flag, coverage: Option<&FlagCoverage>, with_sql: bool) -> crate::Result<Self> {
        let Value::Object(mut body) = serde_json::to_value(flag).map_err(store::Error::from)? else {
            return Ok(Self(Map::new()));
        };
        body.insert("coverage".to_owned(), serde_json::to_value(coverage).map_err(store::Error::from)?);
        if with_sql {
            body.insert("sql".to_owned(), flag.sql.clone().into());
        }
        Ok(Self(body))
    }

    /// With how often people confirmed its findings; null when nobody gave a verdict.
    pub(crate) fn with_precision(mut self, precision: Option<&Precision>) -> crate::Result<Self> {
        self.0.insert("precision".to_owned(), serde_json::to_value(precision).map_err(store::Error::from)?);
        Ok(self)
    }
}

/// How many subjects came out how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coverage {
    /// With a finding.
    pub hit: i64,
    /// Judged and clear.
    pub clear: i64,
    /// Not computable, by the field that is missing.
    pub not_computable: BTreeMap<String, i64>,
}

/// How many subjects of a flag came out how, in all and by source. A subject counts under one source: that of its rows,
/// or the first by name of several, so that the sources add up to the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FlagCoverage {
    /// In all.
    #[serde(flatten)]
    pub whole: Coverage,
    /// By source.
    pub by_source: BTreeMap<String, Coverage>,
}

/// A red flag: what it looks for, how, by which law, with which parameters, and what may explain a hit.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Flag)]
pub struct FlagShape {
    /// `BR05` …
    pub code: String,
    /// Counts up when its rule changes.
    pub version: u32,
    /// `rule` (a legal limit), `signal` (out of pattern) or `context`.
    pub kind: String,
    /// Who answers for it.
    pub agent: String,
    /// `low`, `medium`, `high` or `critical`; a finding may say another.
    pub severity: String,
    /// The red flags of the Open Contracting Partnership that it carries out.
    pub ocp_codes: Vec<String>,
    /// Its name.
    pub name: Text,
    /// What it looks for.
    pub summary: Text,
    /// How it reckons.
    pub formula: Text,
    /// The law it rests on.
    pub legal_basis: Vec<String>,
    /// Tables and columns it needs.
    pub needs: Vec<String>,
    /// What it leaves out.
    pub exclusions: Vec<Text>,
    /// The numbers that its rule uses.
    pub parameters: Vec<FlagParameter>,
    /// What may explain a hit without wrongdoing.
    pub explanations: Vec<FlagExplanation>,
    /// What would have made a hit clear.
    pub counterfactual: Text,
    /// Outcomes over the data held; null when it has not been judged yet.
    pub coverage: Option<FlagCoverage>,
    /// How often people confirmed its findings; null when nobody gave a verdict.
    pub precision: Option<Precision>,
    /// The query that judges (only in `flags/{code}`).
    pub sql: Option<String>,
}

/// A number that a flag's rule uses.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlagParameter {
    /// Stands as `$name` in the SQL.
    pub name: String,
    /// The value in use.
    pub default: f64,
    /// Least.
    pub min: f64,
    /// Greatest.
    pub max: f64,
    /// What it counts.
    pub unit: String,
    /// What it does.
    pub description: Text,
    /// How it acts on what is kept of each subject, if `flags/{code}/preview` can tell the hits at other values.
    pub preview: Option<String>,
}

/// How many hits a flag would have at other values of its parameters.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlagPreview {
    /// The flag's code.
    pub flag: String,
    /// Its version.
    pub version: u32,
    /// How many subjects come out how, with the values in use.
    pub current: Coverage,
    /// The parameters asked for; each with the others as they are.
    pub parameters: Vec<ParameterPreview>,
    /// The parameters that can be asked for.
    pub previewable: Vec<String>,
}

/// How many hits a flag would have at other values of one parameter.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParameterPreview {
    /// Its name.
    pub name: String,
    /// The value in use.
    pub default: f64,
    /// What it counts.
    pub unit: String,
    /// How it acts on what is kept of each subject.
    pub rule: String,
    /// The values asked for, in that order.
    pub at: Vec<HitsAt>,
}

/// How many hits there would be at one value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct HitsAt {
    /// The value.
    pub value: f64,
    /// Hits.
    pub hit: u64,
}

/// An innocent explanation, in general.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlagExplanation {
    /// Its code.
    pub code: String,
    /// Portuguese.
    pub pt: String,
    /// English.
    pub en: String,
}
