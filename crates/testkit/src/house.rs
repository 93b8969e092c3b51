//! A temporary folder with a data folder in it and a place for files.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Program, Run, Server, State, state_of};

/// A data folder that goes away with the test.
pub struct House {
    folder: TempDir,
    /// Variables of the environment for every program over it.
    variables: Vec<(String, String)>,
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}

/// The account of an ingest or a file, in the order read, kept, unchanged, replaced, quarantined.
pub type Account = [u64; 5];

impl House {
    #[must_use]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// One whose database is a server's.
    #[must_use]
    pub fn on(database: &str) -> Self {
        Self { variables: vec![("DATABASE_URL".to_owned(), database.to_owned())], ..Self::new() }
    }

    /// With a variable of the environment for every program over it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder around it.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    /// Writes a file (its folders too) beside the data folder.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The program over this data folder.
    #[must_use]
    pub fn program(&self) -> Program {
        let program = Program::new().arg("--data-dir").arg(self.data());
        self.variables.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// `ingest --json` of these paths, run to its end whatever that is.
    pub fn ingest(&self, paths: &[&Path]) -> Run {
        self.program().args(["ingest", "--json"]).args(paths).run()
    }

    /// An ingest that must end with this code; gives its report.
    #[track_caller]
    pub fn ingested(&self, paths: &[&Path], code: i32) -> Value {
        self.ingest(paths).ends_with(code).json()
    }

    /// A command with `--json` that must end well.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        self.program().args(args).arg("--json").run().ends_with(0).json()
    }

    /// What it holds, in a form that can be compared.
    #[must_use]
    pub fn state(&self) -> State {
        state_of(&self.data())
    }

    /// A server over it on a free port.
    #[must_use]
    pub fn serve(&self) -> Server {
        Server::start(self.program())
    }

    /// The doctor's problems, in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let run = self.program().args(["doctor", "--json"]).run();
        let checks = run.json();
        let problems: Vec<String> = checks["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|c| c["gravity"] == "problem")
            .map(|c| format!("{}: {}", c["about"].as_str().unwrap(), c["found"].as_str().unwrap()))
            // The machine that runs the tests may be short of room; that is no fault of the house.
            .filter(|text| !text.starts_with("disk: "))
            .collect();
        problems
    }

    /// Files under the data folder, by their path in it.
    #[must_use]
    pub fn data_files(&self) -> Vec<PathBuf> {
        files_below(&self.data())
    }
}

/// Every file below a folder.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.map(|e| e.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    files.sort();
    files
}

/// The account of a report's totals or of one of its files; it must close.
#[track_caller]
#[must_use]
pub fn account(report: &Value) -> Account {
    let number = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name} is missing: {report}"));
    let account = ["read", "kept", "unchanged", "replaced", "quarantined"].map(number);
    assert_eq!(account[0], account[1..].iter().sum::<u64>(), "the account does not close: {report}");
    account
}

/// The totals of a report, after every file's account was seen to close and to add up to them.
#[track_caller]
#[must_use]
pub fn totals(report: &Value) -> Account {
    let mut sum = [0; 5];
    for file in report["files"].as_array().unwrap() {
        for (sum, n) in sum.iter_mut().zip(account(file)) {
            *sum += n;
        }
    }
    assert_eq!(account(&report["totals"]), sum, "the files do not add up to the totals: {report}");
    sum
}
