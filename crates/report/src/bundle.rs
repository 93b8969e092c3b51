//! Packing and unpacking, within limits.
//!
//! Who reads a bundle trusts nothing of it: neither the sizes that it states nor its paths. It is read as a whole or
//! not at all: a member that the manifest does not name, that is missing, too long or of another hash breaks it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use thiserror::Error;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::{FORMAT, Issuer, Manifest, Member, Seal, sha256_hex};

/// The most bytes of an archive.
const ARCHIVE_BYTES_MAX: usize = 64 << 20;
/// The most bytes that its members may have together.
const MEMBERS_BYTES_MAX: u64 = 384 << 20;
/// The most members.
const MEMBERS_MAX: usize = 64;
/// The longest path of a member.
const PATH_BYTES_MAX: usize = 100;

const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "manifest.sig";

/// Why a bundle cannot be read.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Broken {
    #[error("the archive has {0} bytes; at most {ARCHIVE_BYTES_MAX} are read")]
    ArchiveTooLarge(usize),
    #[error("not a whole ZIP archive: {0}")]
    Archive(String),
    #[error("{0} members; at most {MEMBERS_MAX} are read")]
    TooManyMembers(usize),
    #[error("the path of a member is not allowed: {0:?}")]
    Path(String),
    #[error("unpacked, the members have more than {MEMBERS_BYTES_MAX} bytes (at {0})")]
    MembersTooLarge(String),
    #[error("{0}: cannot be unpacked: {1}")]
    Member(String, String),
    #[error("{0} is missing")]
    Missing(String),
    #[error("{0} stands in the archive but not in the manifest")]
    Unnamed(String),
    #[error("{0}: its SHA-256 is not the one in the manifest")]
    Hash(String),
    #[error("manifest.json: {0}")]
    Manifest(String),
    #[error("format {0}; this program reads format {FORMAT}")]
    Format(u32),
    #[error("manifest.sig is not the signature of the manifest's public key over manifest.json")]
    Signature,
    #[error("signed by {found}, not by the key asked for, {wanted}")]
    OtherIssuer { found: String, wanted: String },
    #[error("the dossier: {0}")]
    Dossier(String),
    #[error("the PDF cannot be made: {0}")]
    Pdf(String),
}

/// A bundle whose members are what its manifest says and whose manifest is signed.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Who signed it.
    pub issuer: Issuer,
    members: BTreeMap<String, Vec<u8>>,
}

/// Packs `members` under `manifest`, whose `members` and `public_key` are filled in here, and signs it.
///
/// # Errors
/// What would not be read back: too many or too large members.
pub fn pack(mut manifest: Manifest, members: &BTreeMap<String, Vec<u8>>, seal: &Seal) -> Result<Vec<u8>, Broken> {
    let size: u64 = members.values().map(|bytes| bytes.len() as u64).sum();
    if size > MEMBERS_BYTES_MAX {
        return Err(Broken::MembersTooLarge("inputs".to_owned()));
    }
    manifest.public_key = seal.issuer().hex();
    manifest.members = members
        .iter()
        .map(|(path, bytes)| (path.clone(), Member { sha256: sha256_hex(bytes), bytes: bytes.len() as u64 }))
        .collect();
    let mut written = serde_json::to_vec_pretty(&manifest).map_err(|e| Broken::Manifest(e.to_string()))?;
    written.push(b'\n');
    let signature = seal.sign(&written);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let failed = |e: zip::result::ZipError| Broken::Archive(e.to_string());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let own = [(MANIFEST, &written[..]), (SIGNATURE, &signature[..])];
    for (path, bytes) in own.into_iter().chain(members.iter().map(|(path, bytes)| (path.as_str(), &bytes[..]))) {
        archive.start_file(path, options).map_err(failed)?;
        archive.write_all(bytes).map_err(|e| Broken::Archive(e.to_string()))?;
    }
    let bytes = archive.finish().map_err(failed)?.into_inner();
    if bytes.len() > ARCHIVE_BYTES_MAX {
        return Err(Broken::ArchiveTooLarge(bytes.len()));
    }
    Ok(bytes)
}

impl Bundle {
    /// Reads a bundle; `wanted` is the issuer that must have signed it, if one must.
    ///
    /// # Errors
    /// The first thing that is not as it must be.
    pub fn read(bytes: &[u8], wanted: Option<&Issuer>) -> Result<Self, Broken> {
        let mut members = unpack(bytes)?;
        let mut take = |path: &str| members.remove(path).ok_or_else(|| Broken::Missing(path.to_owned()));
        let (written, signature) = (take(MANIFEST)?, take(SIGNATURE)?);
        let issuer = signer(&written, &signature)?;
        if let Some(wanted) = wanted.filter(|wanted| **wanted != issuer) {
            return Err(Broken::OtherIssuer { found: issuer.fingerprint(), wanted: wanted.fingerprint() });
        }
        let manifest: Manifest = serde_json::from_slice(&written).map_err(|e| Broken::Manifest(e.to_string()))?;
        for (path, member) in &manifest.members {
            let held = members.get(path).ok_or_else(|| Broken::Missing(path.clone()))?;
            if held.len() as u64 != member.bytes || sha256_hex(held) != member.sha256 {
                return Err(Broken::Hash(path.clone()));
            }
        }
        if let Some(path) = members.keys().find(|path| !manifest.members.contains_key(*path)) {
            return Err(Broken::Unnamed(path.clone()));
        }
        Ok(Self { manifest, issuer, members })
    }

    /// A member's bytes.
    ///
    /// # Errors
    /// The bundle has no such member.
    pub fn member(&self, path: &str) -> Result<&[u8], Broken> {
        self.members.get(path).map(Vec::as_slice).ok_or_else(|| Broken::Missing(path.to_owned()))
    }

    /// The members under a folder, by their path below it.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.members.iter().filter_map(move |(path, bytes)| Some((path.strip_prefix(folder)?, bytes.as_slice())))
    }
}

/// The key whose signature over the manifest holds. Only what it takes to find the key is read before it is checked.
fn signer(manifest: &[u8], signature: &[u8]) -> Result<Issuer, Broken> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: u32,
        public_key: String,
    }
    let head: Head = serde_json::from_slice(manifest).map_err(|e| Broken::Manifest(e.to_string()))?;
    if head.format != FORMAT {
        return Err(Broken::Format(head.format));
    }
    let issuer = Issuer::parse(&head.public_key).ok_or_else(|| Broken::Manifest("public_key is no key".to_owned()))?;
    if issuer.signed(manifest, signature) { Ok(issuer) } else { Err(Broken::Signature) }
}

pub(crate) fn unpack(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Broken> {
    if bytes.len() > ARCHIVE_BYTES_MAX {
        return Err(Broken::ArchiveTooLarge(bytes.len()));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| Broken::Archive(e.to_string()))?;
    if archive.len() > MEMBERS_MAX {
        return Err(Broken::TooManyMembers(archive.len()));
    }
    let mut members = BTreeMap::new();
    let mut left = MEMBERS_BYTES_MAX;
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(|e| Broken::Archive(e.to_string()))?;
        let path = member.name().to_owned();
        if !is_plain(&path) {
            return Err(Broken::Path(path));
        }
        // The stated size is not believed: one byte beyond what may still come is asked for, and must not be there.
        let mut content = Vec::new();
        let read = member.take(left + 1).read_to_end(&mut content);
        read.map_err(|e| Broken::Member(path.clone(), e.to_string()))?;
        if content.len() as u64 > left {
            return Err(Broken::MembersTooLarge(path));
        }
        left -= content.len() as u64;
        if members.insert(path.clone(), content).is_some() {
            return Err(Broken::Path(path));
        }
    }
    Ok(members)
}

/// Letters, digits and `-_.` in one folder at most; nothing that climbs, hides or starts at a root.
fn is_plain(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let part = |part: &&str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    path.len() <= PATH_BYTES_MAX && parts.len() <= 2 && parts.iter().all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn manifest() -> Manifest {
        Manifest {
            format: FORMAT,
            finding: "fnd_x".to_owned(),
            flag: "BR00".to_owned(),
            flag_version: 1,
            state: "open".to_owned(),
            outcome: "hit".to_owned(),
            subject: "s".to_owned(),
            group: "g".to_owned(),
            as_of: None,
            known_at: None,
            made_at: "2026-01-01T00:00:00-03:00".to_owned(),
            program_version: "0".to_owned(),
            catalogue_version: "0".to_owned(),
            law_version: "0".to_owned(),
            public_key: String::new(),
            inputs: BTreeMap::new(),
            inputs_are: "peer_group".to_owned(),
            segments: Vec::new(),
            recomputed: Vec::new(),
            taken_as_given: Vec::new(),
            members: BTreeMap::new(),
        }
    }

    fn packed() -> Vec<u8> {
        let members = BTreeMap::from([
            ("finding.json".to_owned(), b"{}".to_vec()),
            ("inputs/contracts.jsonl".to_owned(), b"{\"id\":\"c\"}\n".repeat(300)),
        ]);
        pack(manifest(), &members, &Seal::of_seed(&[1; 32])).unwrap()
    }

    /// An archive with these members, made without any care.
    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, bytes) in members {
            archive.start_file(*path, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn what_is_packed_is_read_back() {
        let bundle = Bundle::read(&packed(), None).unwrap();
        assert_eq!(bundle.member("finding.json").unwrap(), b"{}");
        assert_eq!(bundle.below("inputs/").map(|(path, _)| path).collect::<Vec<_>>(), ["contracts.jsonl"]);
        assert_eq!(bundle.issuer, Seal::of_seed(&[1; 32]).issuer());
        assert_eq!(packed(), packed(), "the same members give the same bytes");
        assert!(matches!(
            Bundle::read(&packed(), Some(&Seal::of_seed(&[2; 32]).issuer())),
            Err(Broken::OtherIssuer { .. })
        ));
    }

    #[test]
    fn an_archive_cut_short_is_broken_wherever_it_is_cut() {
        let whole = packed();
        for at in 0..whole.len() {
            assert!(Bundle::read(&whole[..at], None).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn paths_that_climb_are_refused() {
        for path in ["../x", "a/../x", "/etc/passwd", "a/b/c", "a//b", ".hidden", "a\\b", "c:x", "a/"] {
            assert!(!is_plain(path), "{path}");
        }
        assert!(matches!(Bundle::read(&archive(&[("../x", b"x")]), None), Err(Broken::Path(_))));
    }

    #[test]
    fn what_unpacks_to_more_than_may_be_is_not_unpacked() {
        let zeros = vec![0; usize::try_from(MEMBERS_BYTES_MAX).unwrap() / 2 + 1];
        let bomb = archive(&[("a", &zeros), ("b", &zeros)]);
        assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
        assert!(matches!(Bundle::read(&bomb, None), Err(Broken::MembersTooLarge(_))));
        let many: Vec<String> = (0..=MEMBERS_MAX).map(|n| format!("m{n}")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(matches!(Bundle::read(&archive(&many), None), Err(Broken::TooManyMembers(_))));
    }

    /// Any bytes: no panic, and what is read is what was signed.
    #[test]
    fn mutated_bundles_are_broken_or_the_same() {
        use rand::rngs::StdRng;
        use rand::{RngExt, SeedableRng};
        let start =
            std::env::var("CIDADAO_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random::<u64>);
        let seconds: f64 = std::env::var("CIDADAO_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1.0);
        println!("bundles: CIDADAO_FUZZ_SEED={start}");
        let mut rng = StdRng::seed_from_u64(start);
        let whole = packed();
        let original = Bundle::read(&whole, None).unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs_f64(seconds.min(60.0));
        let mut rounds = 0;
        while std::time::Instant::now() < until {
            let mut bytes = whole.clone();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(0..bytes.len());
                let length = rng.random_range(0..=(bytes.len() - at).min(80));
                match rng.random_range(0..5) {
                    0 => bytes[at] ^= 1 << rng.random_range(0..8),
                    1 => drop(bytes.drain(at..at + length)),
                    2 => {
                        let piece = bytes[at..at + length].to_vec();
                        bytes.splice(at..at, piece.repeat(rng.random_range(1..4)));
                    }
                    3 => bytes[at..at + length].fill(if rng.random::<bool>() { 0xff } else { 0 }),
                    _ => bytes[at..at + length].rotate_left(length / 2),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            if let Ok(read) = Bundle::read(&bytes, None) {
                assert_eq!((read.manifest, read.members), (original.manifest.clone(), original.members.clone()));
            }
            rounds += 1;
        }
        println!("bundles: {rounds} rounds");
    }
}
