//! How many hits a flag would have at other values of its parameters, from what was kept when it was judged.

use flags::Flag;

use crate::views::{FlagPreview, HitsAt, ParameterPreview};
use crate::{App, Error, Result};

/// The most values of one parameter in one question.
const VALUES_MAX: usize = 50;

/// Which values of which parameters.
#[derive(Debug, Clone, Default)]
pub struct PreviewQuery(pub Vec<(String, Vec<f64>)>);

impl App {
    /// The hits of a flag at other values of its parameters, beside the present count.
    ///
    /// # Errors
    /// `NotFound` for a flag, or one that has not been judged yet; `NotPreviewable`, `Invalid`; the tips cannot be read.
    pub fn preview(&self, code: &str, query: &PreviewQuery) -> Result<FlagPreview> {
        let flag = self.catalogue().flag(code).ok_or_else(|| Error::not_found("flag", code))?;
        check(flag, query)?;
        loop {
            let file = self.outcomes_path(flag)?.ok_or_else(|| Error::not_found("a judgement of flag", code))?;
            let current = self.coverage_by_flag()?.remove(&flag.code).unwrap_or_default().whole;
            let parameters = query.0.iter().map(|(name, values)| previewed(flag, &file, name, values));
            match parameters.collect::<std::io::Result<Vec<_>>>() {
                // Both of one judgement: what was kept of the one before goes away with a new one.
                _ if self.outcomes_path(flag)?.as_ref() != Some(&file) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(Error::not_found("a judgement by this program of flag", code));
                }
                Err(error) => return Err(Error::io(&file, &error)),
                Ok(parameters) => {
                    return Ok(FlagPreview {
                        flag: flag.code.clone(),
                        version: flag.version,
                        current,
                        parameters,
                        previewable: flag.previewable().map(|p| p.name.clone()).collect(),
                    });
                }
            }
        }
    }
}

fn previewed(flag: &Flag, outcomes: &std::path::Path, name: &str, values: &[f64]) -> std::io::Result<ParameterPreview> {
    let missing = || std::io::Error::other(format!("{name} has no preview"));
    let parameter = flag.previewable().find(|p| p.name == name).ok_or_else(missing)?;
    let hits = flags::hits_at(outcomes, parameter, values)?.ok_or_else(missing)?;
    Ok(ParameterPreview {
        name: parameter.name.clone(),
        default: parameter.default,
        unit: parameter.unit.clone(),
        rule: parameter.preview.clone().unwrap_or_default(),
        at: values.iter().zip(hits).map(|(value, hit)| HitsAt { value: *value, hit }).collect(),
    })
}

fn check(flag: &Flag, query: &PreviewQuery) -> Result<()> {
    for (name, values) in &query.0 {
        let Some(parameter) = flag.parameters.iter().find(|p| p.name == *name) else {
            let known: Vec<&str> = flag.parameters.iter().map(|p| p.name.as_str()).collect();
            let because = format!("`{name}` is no parameter of {}; known: {}", flag.code, known.join(", "));
            return Err(Error::invalid("parameter", because));
        };
        if parameter.preview.is_none() {
            let can = flag.previewable().map(|p| p.name.clone()).collect();
            return Err(Error::NotPreviewable { flag: flag.code.clone(), name: name.clone(), can });
        }
        if values.is_empty() || values.len() > VALUES_MAX {
            return Err(Error::invalid("parameter", format!("{name}: from 1 to {VALUES_MAX} values")));
        }
        if let Some(value) = values.iter().find(|v| !(parameter.min..=parameter.max).contains(*v)) {
            let because = format!("{name}: {value} is not between {} and {}", parameter.min, parameter.max);
            return Err(Error::invalid("parameter", because));
        }
    }
    Ok(())
}
