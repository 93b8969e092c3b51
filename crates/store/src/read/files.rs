//! The files that rows came from.

use std::collections::HashMap;

use crate::db::OptionalExtension;

use crate::{Result, Store};

/// A file that was read.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct ReadFile {
    pub name: String,
    pub sha256: String,
    pub fetched_at: String,
}

impl Store {
    /// The files with these numbers; those that are not held are left out.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn files_numbered(&self, ids: impl Iterator<Item = i64>) -> Result<HashMap<i64, ReadFile>> {
        self.read(|db| {
            let mut statement = db.prepare("select name, sha256, fetched_at from files where id = ?1")?;
            let mut files = HashMap::new();
            for id in ids {
                let file = statement.query_row([id], |row| {
                    Ok(ReadFile { name: row.get(0)?, sha256: row.get(1)?, fetched_at: row.get(2)? })
                });
                files.extend(file.optional()?.map(|file| (id, file)));
            }
            Ok(files)
        })
    }
}
