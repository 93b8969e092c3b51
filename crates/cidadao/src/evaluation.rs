//! `cidadao eval sample`: the table of what was planted and what was found, on the screen, as JSON, or in a document.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use app::{App, Error, FlagEvaluation, Result, SampleEvaluation};

use crate::output::{say, table};
use crate::run::print_json;

const BEGIN: &str = "<!-- sample: begin (written by `make eval`) -->";
const END: &str = "<!-- sample: end -->";
/// Cases that came out otherwise are shown up to this many for each flag; `--json` has all.
const SHOWN_MAX: usize = 5;

pub fn run(app: &App, folder: &Path, into: Option<&Path>, json: bool) -> Result<ExitCode> {
    let found = app::evaluate_sample(app, folder)?;
    if let Some(file) = into {
        write_into(file, &found)?;
    }
    if json {
        print_json(&found);
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(&[
        "sinal",
        "plantados",
        "achados",
        "recall",
        "gêmeos",
        "marcados",
        "outro",
        "hits",
        "não plantados",
        "precisão",
    ]);
    for flag in &found.flags {
        rows.add_row(cells(flag));
    }
    say!("{rows}");
    for flag in &found.flags {
        for case in flag.otherwise.iter().take(SHOWN_MAX) {
            let truth = &case.truth;
            let got: Vec<String> = case
                .got
                .iter()
                .map(|got| format!("{} {} {}", got.subject, got.outcome, got.missing.as_deref().unwrap_or_default()))
                .collect();
            say!("{} {} {}: esperado {}, veio {got:?}", flag.code, truth["case"], truth["year"], truth["expect"]);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn cells(flag: &FlagEvaluation) -> Vec<String> {
    let written = |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{share:.3}").replace('.', ","));
    if !flag.in_catalogue {
        let mut cells = vec![flag.code.clone(), flag.planted.to_string(), "não existe".to_owned()];
        cells.resize(10, "–".to_owned());
        return cells;
    }
    vec![
        flag.code.clone(),
        flag.planted.to_string(),
        flag.found.to_string(),
        written(flag.recall),
        flag.twins.to_string(),
        flag.twins_hit.to_string(),
        flag.twins_otherwise.to_string(),
        flag.hits.to_string(),
        flag.hits_unplanted.to_string(),
        written(flag.precision),
    ]
}

/// Puts the table between its marks; the rest of the document stays.
fn write_into(file: &Path, found: &SampleEvaluation) -> Result<()> {
    let failed = |e: std::io::Error| Error::Io { path: file.to_owned(), because: e.to_string() };
    let before = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => "# Evaluation\n".to_owned(),
        Err(e) => return Err(failed(e)),
    };
    let section = format!("{BEGIN}\n{}{END}\n", markdown(found));
    let text = match (before.find(BEGIN), before.find(END)) {
        (Some(from), Some(to)) if from < to => {
            let rest = before[to + END.len()..].trim_start_matches('\n');
            let gap = if rest.is_empty() { "" } else { "\n" };
            format!("{}{section}{gap}{rest}", &before[..from])
        }
        _ => format!("{}\n\n{section}", before.trim_end()),
    };
    std::fs::write(file, text).map_err(failed)
}

fn markdown(found: &SampleEvaluation) -> String {
    let mut out = String::from(
        "\n## The sample: what was planted and what was found\n\n\
         | flag | planted | found | recall | twins | twins hit | otherwise | hits | unplanted | precision |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for flag in &found.flags {
        let _ = writeln!(out, "| {} |", cells(flag).join(" | ").replace("não existe", "not in the catalogue"));
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_section_of_a_document_changes() {
        let folder = std::env::temp_dir().join(format!("cidadao-evaluation-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("evaluation.md");
        let flag = |planted| FlagEvaluation {
            code: "BR01".to_owned(),
            in_catalogue: true,
            planted,
            ..FlagEvaluation::default()
        };
        let found = |planted| SampleEvaluation { sample: String::new(), flags: vec![flag(planted)] };
        std::fs::write(&file, "# Title\n\nBefore.\n").unwrap();
        write_into(&file, &found(7)).unwrap();
        let first = std::fs::read_to_string(&file).unwrap();
        assert!(first.starts_with("# Title\n\nBefore.\n") && first.contains("| BR01 | 7 |"), "{first}");
        std::fs::write(&file, format!("{first}\nAfter.\n")).unwrap();
        write_into(&file, &found(9)).unwrap();
        let second = std::fs::read_to_string(&file).unwrap();
        assert_eq!(second, format!("{}\nAfter.\n", first.replace("| 7 |", "| 9 |")));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
