//! `flags run` at two dates or with other parameters: printed, never stored.

use app::queries::{MomentQuery, Parameters};
use app::{App, Error, Result};

use crate::cli::RunOptions;
use crate::output::{say, table};
use crate::run::print_json;

pub fn run_at(app: &App, options: &RunOptions, json: bool) -> Result<()> {
    let moment = MomentQuery::new(options.as_of, options.known_at.as_deref())?;
    let parameters = parameters_of(&options.param)?;
    let report = app.judge_at(&options.flag, &moment, &parameters, &mut |flag| eprintln!("julgando {flag}"))?;
    if json {
        print_json(&report);
        return Ok(());
    }
    let mut rows = table(&["código", "sinal", "limpo", "não computável"]);
    for flag in &report.flags {
        let counts = &flag.counts.whole;
        let missing: i64 = counts.not_computable.values().sum();
        rows.add_row([flag.code.clone(), counts.hit.to_string(), counts.clear.to_string(), missing.to_string()]);
    }
    let day = report.at.as_of.as_deref().unwrap_or("qualquer dia");
    let instant = report.at.known_at.as_deref().unwrap_or("nunca");
    say!("Fatos até {day}, como conhecidos em {instant}; nada foi gravado (--json mostra os sinais)");
    for (table, n) in &report.at.undated {
        say!("Sem data, fora do julgamento: {n} em {table}");
    }
    say!("{rows}");
    Ok(())
}

/// `BR05.z_min=4` as flag, name and value.
fn parameters_of(texts: &[String]) -> Result<Parameters> {
    let mut parameters = Parameters::new();
    for text in texts {
        let parts = text.split_once('=').and_then(|(name, value)| Some((name.split_once('.')?, value)));
        let read = parts.and_then(|((flag, name), value)| Some((flag, name, value.parse::<f64>().ok()?)));
        let Some((flag, name, value)) = read else {
            let because = format!("`{text}` is not of the form BR05.z_min=4");
            return Err(Error::Invalid { field: "param", because });
        };
        parameters.entry(flag.to_owned()).or_default().insert(name.to_owned(), value);
    }
    Ok(parameters)
}
