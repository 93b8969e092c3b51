//! What was fetched from a live source: its pages as they came, and how far each window is.
//!
//! Under `fetched/SOURCE` in the data folder: `WINDOW/WHEN/pNNNN.json` are pages, never changed once written;
//! `index.jsonl` says of each its address, time and hash; `state.json` how far each window is, so that a fetch goes on where it was broken off.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveDateTime};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use sources::live::pncp::{Page, Window};

use crate::{Error, Result};

/// How long a window that was broken off is gone on with; after that its pages may have moved, and it starts over.
const RESUME_HOURS: i64 = 24;

/// The windows of one source.
#[derive(Debug)]
pub(crate) struct Fetched {
    folder: PathBuf,
    pub(crate) windows: BTreeMap<String, WindowState>,
}

/// How far a window is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WindowState {
    /// Last day that it asks for.
    pub(crate) to: NaiveDate,
    /// When its first page was asked for, local time.
    pub(crate) started_at: NaiveDateTime,
    /// When its last page came.
    pub(crate) asked_at: NaiveDateTime,
    /// Folder of its pages, under the source's.
    pub(crate) folder: String,
    /// Pages held.
    pub(crate) pages: u32,
    /// Rows on them.
    pub(crate) rows: u64,
    /// Whether its last page is held.
    pub(crate) complete: bool,
    /// Why it is not.
    pub(crate) error: Option<String>,
}

impl WindowState {
    /// Whether nothing more can be published into it: it was asked for when its last day was over.
    pub(crate) fn is_settled(&self) -> bool {
        self.complete && self.started_at.date() > self.to
    }
}

impl Fetched {
    /// What was fetched of `source` so far.
    pub(crate) fn open(data: &Path, source: &str) -> Result<Self> {
        let folder = data.join("fetched").join(source);
        let state = folder.join("state.json");
        let windows = match std::fs::read(&state) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|e| Error::Failed(format!("{}: {e}; remove it to fetch everything anew", state.display())))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(Error::io(&state, &e)),
        };
        Ok(Self { folder, windows })
    }

    /// Begins a window, or goes on with one that was broken off; gives the number of its next page.
    pub(crate) fn begin(&mut self, window: &Window, now: NaiveDateTime) -> u32 {
        let name = window.to_string();
        let resumable =
            |held: &WindowState| !held.complete && held.pages > 0 && (now - held.started_at).num_hours() < RESUME_HOURS;
        if let Some(held) = self.windows.get(&name).filter(|held| resumable(held)) {
            return held.pages + 1;
        }
        let folder = format!("{name}/{}", now.format("%Y%m%dT%H%M%S%.3f"));
        let state = WindowState {
            to: window.to,
            started_at: now,
            asked_at: now,
            folder,
            pages: 0,
            rows: 0,
            complete: false,
            error: None,
        };
        self.windows.insert(name, state);
        1
    }

    /// Keeps a page.
    pub(crate) fn keep(
        &mut self,
        window: &Window,
        url: &str,
        number: u32,
        page: &Page,
        now: NaiveDateTime,
    ) -> Result<()> {
        let Some(state) = self.windows.get_mut(&window.to_string()) else { return Ok(()) };
        let folder = self.folder.join(&state.folder);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
        let file = folder.join(format!("p{number:04}.json"));
        write_whole(&file, &page.body)?;
        let sha256: String = Sha256::digest(&page.body).iter().map(|byte| format!("{byte:02x}")).collect();
        let line = json!({
            "file": file.strip_prefix(&self.folder).unwrap_or(&file), "url": url, "fetched_at": now.to_string(),
            "sha256": sha256, "rows": page.rows,
        });
        let index = self.folder.join("index.jsonl");
        let mut log =
            std::fs::OpenOptions::new().create(true).append(true).open(&index).map_err(|e| Error::io(&index, &e))?;
        writeln!(log, "{line}").map_err(|e| Error::io(&index, &e))?;
        state.pages = number;
        state.rows += page.rows;
        state.asked_at = now;
        state.error = None;
        self.save()
    }

    /// Ends a window: whole, or for a reason.
    pub(crate) fn end(&mut self, window: &Window, error: Option<String>, now: NaiveDateTime) -> Result<()> {
        if let Some(state) = self.windows.get_mut(&window.to_string()) {
            state.complete = error.is_none();
            state.error = error;
            state.asked_at = now;
        }
        self.save()
    }

    /// The folder of a window's pages, if it has any.
    pub(crate) fn pages_of(&self, window: &Window) -> Option<PathBuf> {
        let state = self.windows.get(&window.to_string()).filter(|state| state.pages > 0)?;
        Some(self.folder.join(&state.folder))
    }

    fn save(&self) -> Result<()> {
        std::fs::create_dir_all(&self.folder).map_err(|e| Error::io(&self.folder, &e))?;
        let text = serde_json::to_vec_pretty(&self.windows).map_err(store::Error::from)?;
        write_whole(&self.folder.join("state.json"), &text)
    }
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("part");
    let write = || {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|e| Error::io(path, &e))
}
