//! What people see: tables, amounts, progress.

use std::time::{Duration, Instant};

use app::{Advice, Check, CheckState, Gravity, IngestProgress, IngestReport};
use comfy_table::{ContentArrangement, Table, presets::UTF8_BORDERS_ONLY};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Writes a line to stdout, as `println!` does; a reader that left early has seen enough, and that is no failure.
macro_rules! say {
    () => { $crate::output::line(format_args!("")) };
    ($($arg:tt)*) => { $crate::output::line(format_args!($($arg)*)) };
}
pub(crate) use say;

pub fn line(text: std::fmt::Arguments<'_>) {
    use std::io::{ErrorKind, Write as _};
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("cidadao: stdout: {error}");
        std::process::exit(1);
    }
}

/// A table that fits the terminal.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

/// The progress of an ingest, on stderr.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{spinner} [{bar:24}] {pos}/{len} arquivos · {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, started: Instant::now() }
    }

    pub fn tell(&self, progress: IngestProgress<'_>) {
        match progress {
            IngestProgress::Reading { file, files: (done, all), rows } => {
                self.bar.set_length(all as u64);
                self.bar.set_position(done as u64);
                let speed = rows as f64 / self.started.elapsed().as_secs_f64().max(0.001);
                let name = file.rsplit('/').next().unwrap_or(file);
                self.bar.set_message(format!("{rows} linhas · {speed:.0} linhas/s · {name}"));
            }
            IngestProgress::Waiting => self.bar.set_message("esperando outra ingestão terminar"),
            IngestProgress::Writing => self.bar.set_message("gravando segmentos e índices"),
            IngestProgress::Judging(flag) => self.bar.set_message(format!("julgando {flag}")),
        }
    }

    pub fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

pub fn print_ingest(report: &IngestReport) {
    let mut rows = table(&["fonte", "arquivos", "lidas", "novas", "iguais", "substituídas", "quarentena"]);
    let mut sources: std::collections::BTreeMap<String, (u64, [u64; 5])> = std::collections::BTreeMap::new();
    for file in &report.files {
        let name = file.source.clone().unwrap_or_else(|| file.status.replace('_', " "));
        let entry = sources.entry(name).or_default();
        entry.0 += 1;
        let a = file.account;
        for (sum, n) in entry.1.iter_mut().zip([a.read, a.kept, a.unchanged, a.replaced, a.quarantined]) {
            *sum += n;
        }
    }
    for (source, (files, counts)) in &sources {
        let mut cells = vec![source.clone(), files.to_string()];
        cells.extend(counts.iter().map(u64::to_string));
        rows.add_row(cells);
    }
    say!("{rows}");
    let t = report.totals;
    say!(
        "lidas {} = novas {} + iguais {} + substituídas {} + quarentena {}   ({:.1} s, {:.0} linhas/s)",
        t.read,
        t.kept,
        t.unchanged,
        t.replaced,
        t.quarantined,
        report.seconds,
        t.read as f64 / report.seconds.max(0.001)
    );
    for file in report.files.iter().filter(|f| f.error.is_some()) {
        eprintln!("{}: {}", file.status.replace('_', " "), file.error.as_deref().unwrap_or_default());
    }
    for file in report.files.iter().filter(|f| !f.unknown_words.is_empty()) {
        let words: Vec<String> = file.unknown_words.iter().map(|(word, rows)| format!("{word} ({rows})")).collect();
        eprintln!("{}: palavras sem significado no mapa: {}", file.name, words.join("; "));
    }
    if let Some(judged) = &report.judged {
        let hits: Vec<String> = judged.flags.iter().map(|f| format!("{} {}", f.code, f.hits)).collect();
        say!("julgado ({}): {} sinais nos grupos tocados, em {:.1} s", judged.scope, hits.join(", "), judged.seconds);
    }
}

pub fn print_findings(findings: &[Value]) {
    for (at, finding) in findings.iter().enumerate() {
        let text = |pointer: &str| finding.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        say!("\n{:>2}. [{}] {} — gravidade {}", at + 1, text("/flag"), text("/title/pt"), severity(text("/severity")));
        say!("    {}", text("/summary/pt"));
        say!("    {}", text("/id"));
    }
    say!("\nUm sinal não é prova de irregularidade.");
    say!("Para refazer a conta: `cidadao flags bundle ID -o pacote.zip` e `cidadao verify pacote.zip`.");
}

fn severity(code: &str) -> &str {
    match code {
        "critical" => "crítica",
        "high" => "alta",
        "medium" => "média",
        _ => "baixa",
    }
}

pub fn print_advice(advice: &[Advice]) {
    for line in advice {
        let mark = match line.gravity {
            Gravity::Ok => "ok      ",
            Gravity::Note => "atenção ",
            Gravity::Problem => "PROBLEMA",
        };
        say!("{mark}  {}: {}", line.about, line.found);
        if let Some(what) = &line.advice {
            say!("          → {what}");
        }
    }
}

/// What was found on a running system: Portuguese first, English under it.
pub fn print_checks(checks: &[Check]) {
    for check in checks {
        let mark = match check.gravity {
            CheckState::Ok => "ok        ",
            CheckState::Note => "atenção   ",
            CheckState::Problem => "PROBLEMA  ",
            CheckState::NotMeasured => "não medido",
        };
        say!("{mark}  {}: {}  [{}]", check.id, check.found.pt, check.figure);
        if let Some(advice) = &check.advice {
            say!("            → {}", advice.pt);
            say!("            en: {} → {}", check.found.en, advice.en);
        }
    }
}
