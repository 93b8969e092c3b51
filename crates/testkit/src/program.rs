//! The program as a child process.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Variables that are settings and do not begin with `CIDADAO_`.
const HOSTS_OWN: [&str; 13] = [
    "REDIS_URL",
    "REDIS_URL_FILE",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "DATABASE_REPLICA_URLS",
    "DATABASE_REPLICA_URLS_FILE",
    "DB_POOL_SIZE",
    "BATCH_SIZE",
    "CACHE_STRATEGY",
    "COMPRESSION_LEVEL",
    "HTTP2_ENABLED",
    "JSON_ENCODER",
    "AGENT_POOL_SIZE",
];

/// A command line of the program on its way.
pub struct Program {
    command: Command,
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Run {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The binary under test: `CIDADAO_BIN`, else the one beside the tests.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CIDADAO_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(|deps| deps.parent()).unwrap().join("cidadao");
    assert!(path.is_file(), "{} is not built: cargo build --release -p cidadao, or set CIDADAO_BIN", path.display());
    path
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Program {
    /// The program without arguments, in an environment without settings.
    #[must_use]
    pub fn new() -> Self {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CIDADAO_")) {
            command.env_remove(name);
        }
        for name in HOSTS_OWN {
            command.env_remove(name);
        }
        command.stdin(Stdio::null());
        Self { command }
    }

    /// With an argument more.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// With arguments more.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// With a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// In this folder.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<std::path::Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(mut self) -> Run {
        self.command.output().expect("the program can be started").into()
    }

    /// The command, for who starts it in another way.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Run {
    /// Fails unless the exit code is this one.
    #[must_use]
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one JSON document on stdout.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("stdout is not one JSON document: {e}\n{}\n{}", self.stdout, self.stderr))
    }
}
