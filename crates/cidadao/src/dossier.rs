//! `report`, `dossier`, and the part of `verify` that checks what they wrote.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use app::queries::{AskDossier, Dossier, DossierForm, Language};
use app::{App, DossierVerdict, DossierVerification, Error, Result};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use crate::output::say;
use crate::run::print_json;

/// How long the rows behind findings are gathered; nobody waits at a connection here.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a dossier is written.
#[derive(Debug, Args)]
pub struct WriteOptions {
    /// The form; without it, what the ending of the output's name says, else HTML.
    #[arg(long, value_name = "FORM")]
    format: Option<FormName>,
    /// The language.
    #[arg(long, value_name = "LANG", default_value = "pt")]
    lang: LanguageName,
    /// The file to write; `-` for standard output. Without it a name is made of what it is about.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Whose dossier.
#[derive(Debug, Subcommand)]
pub enum DossierCommand {
    /// Of a supplier: contracts along time, shares by buyer, amendments, sanctions, partners, network, findings.
    Supplier {
        /// Its id, such as cnpj:12345678000195.
        id: String,
        #[command(flatten)]
        options: WriteOptions,
    },
    /// Of a buyer: contracts along time, shares by supplier, modalities, amendments, findings, coverage.
    Buyer {
        /// Its id.
        id: String,
        #[command(flatten)]
        options: WriteOptions,
    },
}

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum FormName {
    Html,
    Md,
    Pdf,
    Json,
    Csv,
    Zip,
}

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LanguageName {
    Pt,
    En,
}

impl WriteOptions {
    fn form(&self) -> DossierForm {
        let ending = self.output.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
        let named = ending.and_then(|ending| FormName::from_str(ending, true).ok());
        match self.format.or(named).unwrap_or(FormName::Html) {
            FormName::Html => DossierForm::Html,
            FormName::Md => DossierForm::Markdown,
            FormName::Pdf => DossierForm::Pdf,
            FormName::Json => DossierForm::Json,
            FormName::Csv => DossierForm::Csv,
            FormName::Zip => DossierForm::Zip,
        }
    }

    fn ask(&self) -> AskDossier {
        let language = if self.lang == LanguageName::Pt { Language::Pt } else { Language::En };
        AskDossier { language, patience: PATIENCE }
    }
}

/// Writes the dossier of an investigation.
pub fn report(app: &App, investigation: &str, options: &WriteOptions, json: bool) -> Result<()> {
    write(app, &app.investigation_report(investigation, options.ask())?, options, json)
}

/// Writes the dossier of a supplier or buyer.
pub fn party(app: &App, command: &DossierCommand, json: bool) -> Result<()> {
    match command {
        DossierCommand::Supplier { id, options } => {
            write(app, &app.supplier_dossier(id, options.ask())?, options, json)
        }
        DossierCommand::Buyer { id, options } => write(app, &app.buyer_dossier(id, options.ask())?, options, json),
    }
}

fn write(app: &App, dossier: &Dossier, options: &WriteOptions, json: bool) -> Result<()> {
    let form = options.form();
    let bytes = app.write_dossier(dossier, form)?;
    if options.output.as_deref() == Some(Path::new("-")) {
        use std::io::Write as _;
        let out = std::io::stdout().lock().write_all(&bytes);
        return out.map_err(|e| Error::Io { path: "-".into(), because: e.to_string() });
    }
    let name: String =
        dossier.subject.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(80).collect();
    let path = options.output.clone().unwrap_or_else(|| PathBuf::from(format!("dossie-{name}.{}", form.ending())));
    std::fs::write(&path, &bytes).map_err(|e| Error::Io { path: path.clone(), because: e.to_string() })?;
    let fingerprint = app.evidence_key()?.fingerprint;
    if json {
        print_json(&json!({
            "kind": dossier.kind, "subject": dossier.subject, "file": path, "bytes": bytes.len(), "form": form,
            "findings": dossier.findings.len(), "partial": dossier.partial, "cut": dossier.cut, "fingerprint": fingerprint,
        }));
        return Ok(());
    }
    for reason in dossier.partial.iter().chain(&dossier.cut) {
        say!("{reason}");
    }
    say!("{} ({} bytes)", path.display(), bytes.len());
    if matches!(form, DossierForm::Json | DossierForm::Zip) {
        say!("Assinado por {fingerprint}; quem o receber confere com: cidadao verify {}", path.display());
    }
    Ok(())
}

/// Tells what verifying a dossier came to.
pub fn tell(found: &DossierVerification, json: bool) -> ExitCode {
    if json {
        print_json(found);
    } else {
        print(found);
    }
    if found.verdict == DossierVerdict::Intact { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn print(found: &DossierVerification) {
    match (&found.broken, found.verdict) {
        (None, DossierVerdict::Intact) => say!("íntegro / intact"),
        (because, _) => say!("dossiê inválido / broken dossier\n  {}", because.as_deref().unwrap_or_default()),
    }
    if let Some(dossier) = &found.dossier {
        say!("\n{}", dossier.title);
        say!("{} · {} · {}", dossier.kind, dossier.subject, dossier.language);
        say!("feito em / made at {} pelo programa / by program {}", dossier.made_at, dossier.program_version);
        say!("achados / findings: {}", dossier.findings);
        for reason in &dossier.partial {
            say!("{reason}");
        }
    }
    if !found.members.is_empty() {
        say!("arquivos / files: {}", found.members.join(", "));
    }
    if let Some(signature) = &found.signature {
        let whose = match signature.key {
            "demanded" => "a chave exigida / the key demanded",
            _ => {
                "a chave do próprio dossiê, não prova quem emitiu / the dossier's own key, no proof of who issued it (--key)"
            }
        };
        say!("assinatura / signature: {} ({whose})", signature.fingerprint);
    }
    say!("Um sinal não é prova de irregularidade. / A flag is not proof of wrongdoing.");
}
