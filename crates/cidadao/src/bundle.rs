//! `flags bundle` and `verify`: evidence for strangers, and what a stranger does with it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use app::views::{Verification, Verified};
use app::{App, Checked, Error, Result};
use serde_json::json;

use crate::dossier;
use crate::output::say;
use crate::run::print_json;

/// Writes the bundle of a finding.
pub fn write(app: &App, finding: &str, out: Option<&Path>, json: bool) -> Result<()> {
    let bytes = app.evidence_bundle(finding)?;
    let path = out.map_or_else(|| PathBuf::from(format!("{finding}.zip")), Path::to_owned);
    std::fs::write(&path, &bytes).map_err(|e| Error::Io { path: path.clone(), because: e.to_string() })?;
    let fingerprint = app.evidence_key()?.fingerprint;
    if json {
        print_json(&json!({"finding": finding, "file": path, "bytes": bytes.len(), "fingerprint": fingerprint}));
    } else {
        say!("{} ({} bytes), assinado por {fingerprint}", path.display(), bytes.len());
        say!("Quem o receber refaz a conta com: cidadao verify {}", path.display());
    }
    Ok(())
}

/// Verifies a bundle or a dossier.
pub fn verify(bundle: &Path, key: Option<&str>, json: bool) -> Result<ExitCode> {
    let wanted = key.map(app::issuer_named).transpose()?;
    let found = match app::verify_file(bundle, wanted)? {
        Checked::Bundle(found) => *found,
        Checked::Dossier(found) => return Ok(dossier::tell(&found, json)),
    };
    if json {
        print_json(&found);
    } else {
        print(&found);
    }
    Ok(if found.verdict == Verified::Equal { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn print(found: &Verification) {
    say!(
        "{}",
        match found.verdict {
            Verified::Equal => "igual / equal",
            Verified::Different => "diferente / different",
            Verified::Broken => "pacote inválido / broken bundle",
        }
    );
    if let Some(because) = &found.broken {
        say!("  {because}");
    }
    for difference in &found.differences {
        say!(
            "  {}: no pacote / in the bundle {}, refeito / redone {}",
            difference.what,
            difference.said,
            difference.redone
        );
    }
    if let Some(bundle) = &found.bundle {
        say!("\nachado / finding: {} · {} v{} · {}", bundle.finding, bundle.flag, bundle.flag_version, bundle.subject);
        if bundle.state == "withdrawn" {
            say!("ACHADO RETIRADO / WITHDRAWN: o julgamento deu / the judgement gave `{}`", bundle.outcome);
        }
        say!("feito em / made at {} pelo programa / by program {}", bundle.made_at, bundle.program_version);
        let rows: Vec<String> = bundle.inputs.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
        say!("linhas / rows: {}", rows.join(", "));
    }
    if let Some(redone) = &found.redone {
        let text = |name: &str| redone[name].as_str().unwrap_or("–").to_owned();
        say!(
            "refeito / redone: {} · medida / measure {} · limiar / threshold {}",
            text("outcome"),
            text("measure"),
            text("threshold")
        );
    }
    print_trust(found);
}

/// What the answer rests on: whose key, whose rule, whose law, and what was not redone.
fn print_trust(found: &Verification) {
    if let Some(signature) = &found.signature {
        let whose = match signature.key {
            "demanded" => "a chave exigida / the key demanded",
            _ => {
                "a chave do próprio pacote, não prova quem emitiu / the bundle's own key, no proof of who issued it (--key)"
            }
        };
        say!("assinatura / signature: {} ({whose})", signature.fingerprint);
    }
    if let Some(flag) = &found.flag {
        if flag.same {
            say!("regra / rule: byte por byte a deste programa / byte for byte this program's own");
        } else {
            say!(
                "regra / rule: OUTRA que a deste programa / OTHER than this program's own: {}",
                flag.files_differ.join(", ")
            );
        }
    }
    match found.law_differs.as_deref() {
        None => {}
        Some([]) => say!("limites legais / legal limits: os deste programa / this program's own"),
        Some(tables) => say!("limites legais / legal limits: OUTROS / OTHERS: {}", tables.join(", ")),
    }
    let Some(bundle) = &found.bundle else { return };
    say!("não refeito / not redone:");
    for given in &bundle.taken_as_given {
        say!("  - {}\n    {}", given.pt, given.en);
    }
    say!("Um sinal não é prova de irregularidade. / A flag is not proof of wrongdoing.");
}
