//! `LEIA-ME.md`: what the bundle is and how to redo it, in words; Portuguese first.

use std::fmt::Write as _;

use serde_json::Value;

use crate::Manifest;

/// The text for a finding (as the API gives it) under this manifest.
#[must_use]
pub fn readme(manifest: &Manifest, finding: &Value) -> String {
    let mut text = String::new();
    for language in ["pt", "en"] {
        text.push_str(&about(manifest, finding, language));
    }
    text
}

fn about(manifest: &Manifest, finding: &Value, language: &str) -> String {
    let pt = language == "pt";
    let say = |portuguese: &'static str, english: &'static str| if pt { portuguese } else { english };
    let words =
        |pointer: &str| finding.pointer(&format!("{pointer}/{language}")).and_then(Value::as_str).unwrap_or_default();
    let mut text = format!(
        "# {}: {}\n\n{} `{}` · {} v{}\n\n{}\n\n**{}**\n\n",
        say("Pacote de evidências", "Evidence bundle"),
        words("/title"),
        say("Achado", "Finding"),
        manifest.finding,
        manifest.flag,
        manifest.flag_version,
        words("/summary"),
        say(
            "Um sinal não é prova de irregularidade. É um motivo para olhar mais de perto.",
            "A flag is not proof of wrongdoing. It is a reason to look closer."
        ),
    );
    if manifest.state == "withdrawn" {
        let _ = write!(
            text,
            "**{}** {}: `{}`.\n\n",
            say("Este achado foi retirado.", "This finding was withdrawn."),
            say(
                "Com os dados de quando este pacote foi feito, o julgamento deu",
                "With the data held when this bundle was made, the judgement gave"
            ),
            manifest.outcome
        );
    }
    let _ = write!(text, "## {}\n\n", say("A conta", "The arithmetic"));
    for step in finding["arithmetic"].as_array().into_iter().flatten() {
        let label = step["label"][language].as_str().unwrap_or_default();
        let part = |name: &str| step[name].as_str().unwrap_or_default();
        let _ = writeln!(text, "- {label}: {} = {}", part("expression"), part("result"));
    }
    let value = |name: &str| finding[name].as_str().unwrap_or("–");
    let _ = write!(
        text,
        "- {}: {} ({}: {}) {}\n\n{}\n\n",
        say("Medida", "Measure"),
        value("measure"),
        say("limiar", "threshold"),
        value("threshold"),
        value("unit"),
        words("/counterfactual"),
    );
    let _ = write!(text, "## {}\n\n", say("O que pode explicar", "What may explain it"));
    for one in finding["explanations"].as_array().into_iter().flatten() {
        let outcome = match one["outcome"].as_str() {
            Some("possible") => say("possível", "possible"),
            Some("ruled_out") => say("descartado", "ruled out"),
            _ => say("não se sabe", "not known"),
        };
        let _ = writeln!(text, "- {outcome}: {}", one["because"][language].as_str().unwrap_or_default());
    }
    text.push('\n');
    text.push_str(if pt { REDO_PT } else { REDO_EN });
    let rows: Vec<String> = manifest.inputs.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
    let _ = write!(
        text,
        "\n{}: {}. {}: {}.\n\n",
        say("Linhas", "Rows"),
        rows.join(", "),
        say("Tabelas derivadas refeitas na verificação", "Derived tables made again by the verification"),
        if manifest.recomputed.is_empty() { say("nenhuma", "none").to_owned() } else { manifest.recomputed.join(", ") },
    );
    let _ = write!(text, "{}:\n\n", say("O que a verificação não refaz", "What the verification does not redo"));
    for given in &manifest.taken_as_given {
        let _ = writeln!(text, "- {}", if pt { &given.pt } else { &given.en });
    }
    text.push('\n');
    text
}

const REDO_PT: &str = "## Como refazer

    cidadao verify PACOTE.zip

Funciona sem rede e sem os nossos dados: confere os hashes e a assinatura, carrega `inputs/` num banco vazio, roda
`flag.sql` (e `peers.sql`) e compara resultado, medida, limiar, pares e textos com `finding.json`. Responde `igual` ou
`diferente`, com cada diferença. `--key CHAVE` exige que quem assinou seja quem você espera; sem isso a chave é a do
próprio pacote e só prova que ele está inteiro. A chave pública do emissor está em `/api/v1/evidence/key` do servidor dele.

Sem o programa: `openssl pkeyutl -verify -pubin -inkey chave.pem -rawin -in manifest.json -sigfile manifest.sig`
confere a assinatura, `sha256sum` confere os arquivos contra `manifest.json`, e os arquivos JSON Lines de `inputs/` abrem em
qualquer banco ou planilha. Valores em dinheiro são texto com quatro casas decimais.

## O que há aqui

- `manifest.json`, `manifest.sig`: o que há no pacote, os hashes, as datas, a chave; a assinatura Ed25519 desses bytes
- `finding.json`: o achado como a API o dá; `judged.json`: a linha que o SQL deu, coluna a coluna
- `flag/`: `flag.toml`, `flag.sql`, e o que mais o julgamento roda (`peers.sql`, `rows.sql`, `inputs.sql`)
- `params.json`: o valor de cada parâmetro (`$nome` no SQL); `law.json`: os limites legais usados, com ato e vigência
- `inputs/`: as linhas que o julgamento lê, cada uma com fonte, arquivo, linha e hash da linha original
";

const REDO_EN: &str = "## How to redo it

    cidadao verify BUNDLE.zip

It works without a network and without our data: it checks hashes and signature, loads `inputs/` into an empty database, runs
`flag.sql` (and `peers.sql`) and compares outcome, measure, threshold, peers and texts with `finding.json`. It answers `equal`
or `different`, naming each difference. `--key KEY` demands that the signer is the one you expect; without it the key is the
bundle's own and only shows that the bundle is whole. The issuer's public key is at `/api/v1/evidence/key` of its server.

Without the program: `openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in manifest.json -sigfile manifest.sig` checks the
signature, `sha256sum` checks the files against `manifest.json`, and the JSON Lines files of `inputs/` open in any database or
spreadsheet. Money is text with four decimals.

## What is in it

- `manifest.json`, `manifest.sig`: what is in the bundle, hashes, dates, key; the Ed25519 signature of those bytes
- `finding.json`: the finding as the API gives it; `judged.json`: the row that the SQL gave, column by column
- `flag/`: `flag.toml`, `flag.sql`, and what else the judgement runs (`peers.sql`, `rows.sql`, `inputs.sql`)
- `params.json`: the value of each parameter (`$name` in the SQL); `law.json`: the legal limits used, with act and days in force
- `inputs/`: the rows that the judgement reads, each with source, file, line and hash of the raw row
";
