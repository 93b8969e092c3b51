//! Keys that a data folder makes for itself: 32 random bytes in hex, made at first need, readable by their owner alone.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::secret::{hex, make_id, random};
use crate::{Error, Result};

/// The key in a file; made when it is not there yet.
///
/// # Errors
/// The file cannot be read or made, or holds something else.
pub(crate) fn key_in(path: &Path) -> Result<[u8; 32]> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(path),
        read => read.map_err(|e| Error::io(path, &e))?.ok_or_else(|| not_a_key(path)),
    }
}

fn not_a_key(path: &Path) -> Error {
    Error::Settings(format!("{}: not a key (64 hex digits)", path.display()))
}

fn read(path: &Path) -> std::io::Result<Option<[u8; 32]>> {
    let text = std::fs::read_to_string(path)?;
    let digits = text.trim();
    if digits.len() != 64 || !digits.is_ascii() {
        return Ok(None);
    }
    let mut key = [0; 32];
    for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
        let Ok(read) = u8::from_str_radix(&digits[at..at + 2], 16) else { return Ok(None) };
        *byte = read;
    }
    Ok(Some(key))
}

/// Writes a new key beside and links it into place, so that nobody ever reads half a key, and of two that make one at once
/// both take the one that came first.
fn make(path: &Path) -> Result<[u8; 32]> {
    let key = random::<32>()?;
    let beside = PathBuf::from(make_id(&format!("{}.", path.display()))?);
    let made = write_private(&beside, &hex(&key)).and_then(|()| std::fs::hard_link(&beside, path));
    let _ = std::fs::remove_file(&beside);
    match made {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            read(path).map_err(|e| Error::io(path, &e))?.ok_or_else(|| not_a_key(path))
        }
        Err(error) => Err(Error::io(path, &error)),
    }
}

fn write_private(path: &Path, key: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(format!("{key}\n").as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = std::env::temp_dir().join(make_id("key-file-").unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("some.key");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let made: Vec<_> = (0..8).map(|_| scope.spawn(|| key_in(&path).unwrap())).collect();
            made.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]) && keys[0] != [0; 32]);
        assert_eq!(key_in(&path).unwrap(), keys[0]);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
        for text in ["", "x", &"g".repeat(64), &"é".repeat(32), &"0".repeat(63)] {
            std::fs::write(&path, text).unwrap();
            assert!(key_in(&path).is_err(), "{text}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
