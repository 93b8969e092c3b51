//! Checks a dossier that someone was given, with no data folder: whether it is whole, and who signed it.

use report::dossier::{Dossier, is_archive, read_archive, read_dossier};
use report::{Broken, Issuer};
use serde::Serialize;

use crate::views::SignedBy;

/// Whether a dossier is as it was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DossierVerdict {
    /// Byte for byte.
    Intact,
    /// It is not, or is none.
    Broken,
}

/// The account of verifying a dossier.
#[derive(Debug, Clone, Serialize)]
pub struct DossierVerification {
    /// What it came to.
    pub verdict: DossierVerdict,
    /// Why it is broken.
    pub broken: Option<String>,
    /// `json` or `zip`.
    pub form: &'static str,
    /// What it says of itself; null when it cannot be read.
    pub dossier: Option<DossierSaid>,
    /// Who signed; null when it is not signed as it says.
    pub signature: Option<SignedBy>,
    /// The files of an archive, each checked by its hash.
    pub members: Vec<String>,
}

/// What a dossier says of itself.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names are the dossier's")]
pub struct DossierSaid {
    pub kind: String,
    pub subject: String,
    pub language: &'static str,
    pub title: String,
    pub made_at: String,
    pub program_version: String,
    pub catalogue_version: String,
    pub law_version: String,
    pub partial: Vec<String>,
    pub findings: usize,
}

/// Verifies a dossier in `bytes`; `None` when they are none, but may be an evidence bundle.
pub(crate) fn verify_dossier(bytes: &[u8], wanted: Option<&Issuer>) -> Option<DossierVerification> {
    if is_archive(bytes) {
        let read = read_archive(bytes, wanted);
        return Some(account(
            "zip",
            read.map(|(it, who, manifest)| (it, who, manifest.members.into_keys().collect())),
            wanted,
        ));
    }
    let text = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    text.then(|| account("json", read_dossier(bytes, wanted).map(|(it, who)| (it, who, Vec::new())), wanted))
}

fn account(
    form: &'static str,
    read: Result<(Dossier, Issuer, Vec<String>), Broken>,
    wanted: Option<&Issuer>,
) -> DossierVerification {
    match read {
        Ok((dossier, issuer, members)) => DossierVerification {
            verdict: DossierVerdict::Intact,
            broken: None,
            form,
            signature: Some(SignedBy {
                fingerprint: issuer.fingerprint(),
                key: if wanted.is_some() { "demanded" } else { "own" },
            }),
            dossier: Some(said(dossier)),
            members,
        },
        Err(error) => DossierVerification {
            verdict: DossierVerdict::Broken,
            broken: Some(error.to_string()),
            form,
            dossier: None,
            signature: None,
            members: Vec::new(),
        },
    }
}

fn said(dossier: Dossier) -> DossierSaid {
    DossierSaid {
        kind: dossier.kind,
        subject: dossier.subject,
        language: dossier.language.code(),
        title: dossier.title,
        made_at: dossier.made_at,
        program_version: dossier.program_version,
        catalogue_version: dossier.catalogue_version,
        law_version: dossier.law_version,
        partial: dossier.partial,
        findings: dossier.findings.len(),
    }
}
