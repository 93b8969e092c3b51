//! The archive of a dossier: every form of it, a manifest with their hashes, and the manifest's signature.
//!
//! Members lie in it uncompressed and in order, so that the same members make the same bytes whatever packed them: an
//! archive of other bytes is refused as a whole.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::canonical::read_dossier;
use super::{DOCUMENT, DOSSIER_FORMAT, Dossier};
use crate::bundle::unpack;
use crate::{Broken, Issuer, Member, Seal, sha256_hex};

const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.sig";
/// The signed JSON within it.
const JSON: &str = "dossier.json";

/// What an archive says of itself. The signature is over the exact bytes of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DossierManifest {
    /// [`DOCUMENT`].
    pub document: String,
    /// The version of the format.
    pub format: u32,
    /// `investigation`, `supplier` or `buyer`.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// `pt` or `en`.
    pub language: String,
    /// When it was made.
    pub made_at: String,
    /// Ed25519, in hex.
    pub public_key: String,
    /// Every other member of the archive but the signature.
    pub members: BTreeMap<String, Member>,
}

/// Packs every form of a dossier. `members` are named as they shall be; among them is `dossier.json`, signed.
///
/// # Errors
/// They cannot be packed.
pub fn write_archive(dossier: &Dossier, members: &BTreeMap<String, Vec<u8>>, seal: &Seal) -> Result<Vec<u8>, Broken> {
    let described = |(path, bytes): (&String, &Vec<u8>)| {
        (path.clone(), Member { sha256: sha256_hex(bytes), bytes: bytes.len() as u64 })
    };
    let manifest = DossierManifest {
        document: DOCUMENT.to_owned(),
        format: DOSSIER_FORMAT,
        kind: dossier.kind.clone(),
        subject: dossier.subject.clone(),
        language: dossier.language.code().to_owned(),
        made_at: dossier.made_at.clone(),
        public_key: seal.issuer().hex(),
        members: members.iter().map(described).collect(),
    };
    let mut written = serde_json::to_vec_pretty(&manifest).map_err(|e| Broken::Manifest(e.to_string()))?;
    written.push(b'\n');
    let signature = seal.sign(&written).to_vec();
    let mut all = members.clone();
    all.insert(MANIFEST.to_owned(), written);
    all.insert(SIGNATURE.to_owned(), signature);
    packed(&all)
}

fn packed(members: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Broken> {
    let failed = |e: zip::result::ZipError| Broken::Archive(e.to_string());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (path, bytes) in members {
        archive.start_file(path, options).map_err(failed)?;
        archive.write_all(bytes).map_err(|e| Broken::Archive(e.to_string()))?;
    }
    Ok(archive.finish().map_err(failed)?.into_inner())
}

/// Whether bytes are an archive of a dossier, as far as its manifest says so.
#[must_use]
pub fn is_archive(bytes: &[u8]) -> bool {
    let members = unpack(bytes).ok();
    let manifest = members.as_ref().and_then(|members| members.get(MANIFEST));
    manifest
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok())
        .is_some_and(|manifest| manifest["document"] == DOCUMENT)
}

/// Reads an archive; `wanted` is the issuer that must have signed it, if one must.
///
/// # Errors
/// The first thing that is not as it must be.
pub fn read_archive(bytes: &[u8], wanted: Option<&Issuer>) -> Result<(Dossier, Issuer, DossierManifest), Broken> {
    let members = unpack(bytes)?;
    let take = |path: &str| members.get(path).ok_or_else(|| Broken::Missing(path.to_owned()));
    let (written, signature) = (take(MANIFEST)?, take(SIGNATURE)?);
    let manifest: DossierManifest = serde_json::from_slice(written).map_err(|e| Broken::Manifest(e.to_string()))?;
    if manifest.document != DOCUMENT {
        return Err(Broken::Manifest("not that of a dossier".to_owned()));
    }
    if manifest.format != DOSSIER_FORMAT {
        return Err(Broken::Manifest(format!(
            "format {}; this program reads format {DOSSIER_FORMAT}",
            manifest.format
        )));
    }
    let issuer =
        Issuer::parse(&manifest.public_key).ok_or_else(|| Broken::Manifest("public_key is no key".to_owned()))?;
    if !issuer.signed(written, signature) {
        return Err(Broken::Signature);
    }
    for (path, member) in &manifest.members {
        let held = take(path)?;
        if held.len() as u64 != member.bytes || sha256_hex(held) != member.sha256 {
            return Err(Broken::Hash(path.clone()));
        }
    }
    let own = |path: &str| path == MANIFEST || path == SIGNATURE || manifest.members.contains_key(path);
    if let Some(path) = members.keys().find(|path| !own(path)) {
        return Err(Broken::Unnamed(path.clone()));
    }
    if packed(&members)? != bytes {
        let because =
            "its members are what was signed, but the archive was packed anew; take the file as it was issued";
        return Err(Broken::Archive(because.to_owned()));
    }
    let (dossier, signer) = read_dossier(take(JSON)?, Some(&issuer))?;
    if (&dossier.kind, &dossier.subject, &dossier.made_at) != (&manifest.kind, &manifest.subject, &manifest.made_at) {
        return Err(Broken::Dossier("dossier.json is another than the manifest names".to_owned()));
    }
    if let Some(wanted) = wanted.filter(|wanted| **wanted != signer) {
        return Err(Broken::OtherIssuer { found: signer.fingerprint(), wanted: wanted.fingerprint() });
    }
    Ok((dossier, signer, manifest))
}
