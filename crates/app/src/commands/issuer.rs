//! The key that signs evidence bundles: made at first need, kept in the data folder, readable by its owner alone.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use report::{Issuer, Seal};

use crate::views::EvidenceKey;
use crate::{App, Error, Result};

const KEY_FILE: &str = "evidence.key";

impl App {
    /// The public half of the key that signs this folder's bundles.
    ///
    /// # Errors
    /// The key cannot be read or made.
    pub fn evidence_key(&self) -> Result<EvidenceKey> {
        let issuer = self.seal()?.issuer();
        Ok(EvidenceKey {
            algorithm: "Ed25519",
            public_key: issuer.hex(),
            pem: issuer.pem(),
            fingerprint: issuer.fingerprint(),
        })
    }

    /// The key that signs; made when it is not there yet.
    pub(crate) fn seal(&self) -> Result<Seal> {
        let path = self.folder().join(KEY_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Seal::of_hex(&text).ok_or_else(|| {
                Error::Settings(format!("{}: not a key of evidence bundles (64 hex digits)", path.display()))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => make_key(&path),
            Err(error) => Err(Error::io(&path, &error)),
        }
    }
}

/// Writes a new key beside and links it into place, so that nobody ever reads half a key, and of two that make one at once
/// both take the one that came first.
fn make_key(path: &Path) -> Result<Seal> {
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut seed))
        .map_err(|e| Error::io(Path::new("/dev/urandom"), &e))?;
    let beside = PathBuf::from(format!(
        "{}.{}-{:02x}{:02x}{:02x}{:02x}",
        path.display(),
        std::process::id(),
        seed[0],
        seed[1],
        seed[2],
        seed[3]
    ));
    let made = write_private(&beside, &hex(&seed)).and_then(|()| std::fs::hard_link(&beside, path));
    let _ = std::fs::remove_file(&beside);
    match made {
        Ok(()) => Ok(Seal::of_seed(&seed)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, &e))?;
            Seal::of_hex(&text).ok_or_else(|| Error::Settings(format!("{}: not a key", path.display())))
        }
        Err(error) => Err(Error::io(path, &error)),
    }
}

fn write_private(path: &Path, seed: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(format!("{seed}\n").as_bytes())?;
    file.sync_all()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key that `--key` names: 64 hex digits, PEM, or a file that holds either.
///
/// # Errors
/// `Invalid` when it is none of them.
pub fn issuer_named(text: &str) -> Result<Issuer> {
    let held = Issuer::parse(text).or_else(|| Issuer::parse(&std::fs::read_to_string(text).ok()?));
    held.ok_or_else(|| Error::invalid("--key", "not a public key: 64 hex digits, a PEM text, or a file with one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(format!("evidence-key-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(KEY_FILE);
        let keys: Vec<String> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..8).map(|_| scope.spawn(|| make_key(&path).unwrap().issuer().hex())).collect();
            made.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
