//! Orphans and damage: what a crash or a stranger's hand left in the folder.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use store::{Segment, Store};

use crate::write::hex;
use crate::{Error, Lake, Result};

/// A segment that is not as the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What the manifest says.
    pub segment: Segment,
    /// How its file differs.
    pub kind: DamageKind,
}

/// How a segment's file differs from the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// The file is not there.
    Missing,
    /// The file has another size.
    Size,
    /// The file has another content.
    Content,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = &self.segment.path;
        match self.kind {
            DamageKind::Missing => write!(f, "segment {path} is missing"),
            DamageKind::Size => write!(f, "segment {path} has another size than the manifest says"),
            DamageKind::Content => write!(f, "segment {path} was altered: its SHA-256 is not the manifest's"),
        }
    }
}

impl Lake {
    /// Removes files that no manifest row names: what an ingest wrote that was never committed.
    /// Only who holds the data folder's lock may call this.
    ///
    /// # Errors
    /// A file cannot be listed or removed.
    pub fn remove_orphans(&self, store: &Store) -> Result<u64> {
        let known: HashSet<PathBuf> =
            store.segments_all()?.into_iter().map(|segment| self.root().join(segment.path)).collect();
        let mut removed = 0;
        for path in files_below(self.root())? {
            if path.extension().is_some_and(|e| e == "parquet") && !known.contains(&path) {
                std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Files that no manifest row names.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn orphans(&self, store: &Store) -> Result<Vec<PathBuf>> {
        let known: HashSet<PathBuf> =
            store.segments_all()?.into_iter().map(|segment| self.root().join(segment.path)).collect();
        let files = files_below(self.root())?;
        Ok(files.into_iter().filter(|p| p.extension().is_some_and(|e| e == "parquet") && !known.contains(p)).collect())
    }

    /// Compares every segment with the manifest: presence and size, and the content too when `deep`.
    ///
    /// # Errors
    /// The manifest cannot be read, or a file that is there cannot.
    pub fn damage(&self, store: &Store, deep: bool) -> Result<Vec<Damage>> {
        let mut found = Vec::new();
        for segment in store.segments_all()? {
            let path = self.root().join(&segment.path);
            let kind = match std::fs::metadata(&path) {
                Err(_) => DamageKind::Missing,
                Ok(meta) if meta.len() != segment.bytes => DamageKind::Size,
                Ok(_) if deep && sha256_of(&path)? != segment.sha256 => DamageKind::Content,
                Ok(_) => continue,
            };
            found.push(Damage { segment, kind });
        }
        Ok(found)
    }

    /// Gives damaged segments up and writes what counted of them anew from the store's rows. Only who holds the data
    /// folder's lock may call this.
    ///
    /// # Errors
    /// The database or the folder cannot be written; nothing is changed then.
    pub fn rebuild(&self, store: &Store, damaged: &[Damage], at: &str) -> Result<()> {
        let mut ingest = store.begin_ingest(at, 0)?;
        for damage in damaged {
            ingest.lose_segment(&damage.segment, at)?;
        }
        ingest.finish_rows()?;
        self.write_segments(store, &ingest, at)?;
        Ok(ingest.commit(at)?)
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
            let entry = entry.map_err(|e| Error::io(&folder, e))?;
            let kind = entry.file_type().map_err(|e| Error::io(&entry.path(), e))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn sha256_of(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(|e| Error::io(path, e))?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}
