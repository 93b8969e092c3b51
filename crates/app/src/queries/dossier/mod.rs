//! Dossiers: of an investigation, a supplier, a buyer; and the letters that ask a body for what is missing.
//!
//! A dossier is made from what is held, each time it is asked for, and signed with the key that signs evidence bundles. Every
//! list in it is bounded, and it says what was left out.

mod buyer;
mod evidence;
mod finding;
mod investigation;
mod letter;
mod limits;
mod memory;
mod method;
mod network;
mod party;
mod supplier;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use report::dossier::{DOCUMENT, DOSSIER_FORMAT, Section};
pub use report::dossier::{Dossier, Language};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{App, Error, Result, VERSION};

/// The findings that are told one by one, with their rows.
pub(crate) const FINDINGS_TOLD_MAX: usize = 40;
/// The findings that a dossier lists.
pub(crate) const FINDINGS_LISTED_MAX: usize = 500;

/// A form in which a dossier is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DossierForm {
    /// For a program; signed.
    #[default]
    Json,
    /// For a browser and its printer.
    Html,
    /// For an editor.
    #[serde(rename = "md")]
    Markdown,
    /// For a printer.
    Pdf,
    /// The table of findings, for a spreadsheet.
    Csv,
    /// All of them, signed.
    Zip,
}

/// A dossier that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskDossier {
    /// Its language.
    pub language: Language,
    /// How long the rows behind findings may be gathered; what is not reached then says so.
    pub patience: Duration,
}

impl DossierForm {
    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Zip => "application/zip",
        }
    }

    /// The ending of its files.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::Zip => "zip",
        }
    }
}

impl App {
    /// Writes a dossier in a form.
    ///
    /// # Errors
    /// The key cannot be read; the form cannot be made.
    pub fn write_dossier(&self, dossier: &Dossier, form: DossierForm) -> Result<Vec<u8>> {
        let cannot = |error: report::Broken| Error::CannotBundle(error.to_string());
        Ok(match form {
            DossierForm::Json => report::dossier::signed(dossier, &self.seal()?),
            DossierForm::Html => report::dossier::html(dossier).into_bytes(),
            DossierForm::Markdown => report::dossier::markdown(dossier).into_bytes(),
            DossierForm::Csv => report::dossier::findings_csv(dossier).into_bytes(),
            DossierForm::Pdf => pdf(dossier)?,
            DossierForm::Zip => {
                let mut members = BTreeMap::new();
                for form in [DossierForm::Json, DossierForm::Html, DossierForm::Markdown, DossierForm::Csv] {
                    members.insert(format!("dossier.{}", form.ending()), self.write_dossier(dossier, form)?);
                }
                if cfg!(feature = "pdf") {
                    members.insert("dossier.pdf".to_owned(), pdf(dossier)?);
                }
                for letter in &dossier.letters {
                    members.insert(format!("letters/{}.md", letter.name), letter.text.clone().into_bytes());
                }
                report::dossier::write_archive(dossier, &members, &self.seal()?).map_err(cannot)?
            }
        })
    }

    /// A dossier with nothing in it yet.
    fn blank_dossier(&self, kind: &str, subject: &str, title: String, language: Language) -> Dossier {
        Dossier {
            document: DOCUMENT.to_owned(),
            format: DOSSIER_FORMAT,
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            language,
            title,
            made_at: model::dates::now_text(),
            program_version: VERSION.to_owned(),
            catalogue_version: self.catalogue().version().to_owned(),
            law_version: model::law::LAW_VERSION.to_string(),
            partial: Vec::new(),
            cut: Vec::new(),
            sections: Vec::new(),
            findings: Vec::new(),
            letters: Vec::new(),
        }
    }
}

#[cfg(feature = "pdf")]
fn pdf(dossier: &Dossier) -> Result<Vec<u8>> {
    report::dossier::pdf(dossier).map_err(|error| Error::CannotBundle(error.to_string()))
}

#[cfg(not(feature = "pdf"))]
fn pdf(_: &Dossier) -> Result<Vec<u8>> {
    Err(Error::invalid("format", "this program was built without PDF"))
}

/// What a dossier is not; every one says so.
fn what_this_is_not(language: Language) -> Section {
    let t = |pt, en| language.say(pt, en);
    let mut section = Section::new("nao-e", t("O que isto não é", "What this is not"));
    section.list(
        [
            t(
                "Não é prova nem acusação de irregularidade: um sinal é um motivo para olhar mais de perto.",
                "It is neither proof nor accusation of wrongdoing: a flag is a reason to look closer.",
            ),
            t(
                "Não é uma auditoria: lê-se o que as fontes públicas dizem, e elas podem estar erradas, atrasadas ou incompletas.",
                "It is no audit: what public sources say is read, and they may be wrong, late or incomplete.",
            ),
            t(
                "A ausência de sinal não diz que tudo está certo: diz que estas regras, sobre estes dados, não apontaram nada.",
                "That there is no flag does not say that all is well: it says that these rules pointed at nothing over these data.",
            ),
            t(
                "Os sinais não se somam numa nota: regras legais e estatísticas são coisas diferentes e aparecem como tais.",
                "Flags do not add up to a score: rules of law and statistics are different things and are shown as such.",
            ),
        ]
        .map(str::to_owned)
        .to_vec(),
    );
    section
}

/// How a stranger checks it.
fn how_to_check(language: Language, fingerprint: &str) -> Section {
    let t = |pt: &str, en: &str| language.say(pt, en).to_owned();
    let mut section = Section::new("conferir", t("Como conferir", "How to check it"));
    section.list(vec![
        t(
            "O dossiê em JSON e o pacote ZIP são assinados; `cidadao verify ARQUIVO` diz se estão inteiros e quem assinou, sem rede e sem os nossos dados.",
            "The dossier in JSON and the ZIP archive are signed; `cidadao verify FILE` says whether they are whole and who signed, with no network and without our data.",
        ),
        format!("{} {fingerprint}", t("Chave de quem assina (Ed25519):", "Key of the signer (Ed25519):")),
        t(
            "Cada achado guardado tem um pacote de evidências (`cidadao flags bundle ACHADO`, ou `/api/v1/findings/ACHADO/evidence` com `Accept: application/zip`), com que qualquer pessoa refaz a conta.",
            "Each stored finding has an evidence bundle (`cidadao flags bundle FINDING`, or `/api/v1/findings/FINDING/evidence` with `Accept: application/zip`), with which anyone can redo the reckoning.",
        ),
        t(
            "Cada linha citada traz arquivo, número da linha (em arquivos JSON, do registro) e hash; o hash de cada arquivo está em Fontes.",
            "Each cited row gives file, number of the line (in JSON files, of the record) and hash; the hash of each file stands under Sources.",
        ),
    ]);
    section
}

/// A value without numbers that are not whole, whose writing differs between programs; they become texts.
fn without_fractions(value: &mut Value) {
    match value {
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => *value = number.to_string().into(),
        Value::Array(items) => items.iter_mut().for_each(without_fractions),
        Value::Object(members) => members.values_mut().for_each(without_fractions),
        _ => {}
    }
}
