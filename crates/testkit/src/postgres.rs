//! A real PostgreSQL as a child process on a free port, in a temporary folder; gone when dropped, or when the test's process ends.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How to get one.
const INSTALL: &str = "this test needs a PostgreSQL server: apt-get install postgresql";
/// PostgreSQL refuses to run as root: then it runs as the user of this number.
const NOBODY: u32 = 65_534;
/// Starts what it is given, and ends it when its own input ends: also when the test's process is killed.
const KEEPER: &str = r#""$@" & server=$!; read -r _; kill -INT $server; wait $server"#;

/// A running, or stopped, PostgreSQL.
pub struct PostgresServer {
    folder: TempDir,
    port: u16,
    keeper: Option<Child>,
    settings: Vec<String>,
}

impl Default for PostgresServer {
    fn default() -> Self {
        Self::start()
    }
}

impl PostgresServer {
    /// Starts an empty one.
    ///
    /// # Panics
    /// None is installed; the message says how to get it.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts an empty one with settings, as `name=value`.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Self {
        let folder = own_folder();
        let data = folder.path().join("data");
        let made = as_user(&program("initdb"))
            .args(["-U", "cidadao", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
            .args(["--no-sync", "-D"])
            .arg(&data)
            .output()
            .expect(INSTALL);
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        Self::over(folder, settings)
    }

    /// A replica of this one, that follows it.
    #[must_use]
    pub fn replica(&self) -> Self {
        let folder = own_folder();
        let data = folder.path().join("data");
        let (port, data) = (self.port.to_string(), data.to_str().unwrap().to_owned());
        let copied = as_user(&program("pg_basebackup"))
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-U",
                "cidadao",
                "-D",
                &data,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
            ])
            .output()
            .expect(INSTALL);
        assert!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        Self::over(folder, &[])
    }

    fn over(folder: TempDir, settings: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = settings.iter().map(|s| (*s).to_owned()).collect();
        let mut server = Self { folder, port, keeper: None, settings };
        server.go();
        server
    }

    /// One that all tests of a process share: each has its own [`Self::database`].
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts it again, with what it held, at the same address.
    pub fn go(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]);
        let server = as_user(&program("postgres"));
        command.arg(server.get_program()).args(server.get_args());
        command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=64MB",
            "max_connections=200",
        ] {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.keeper = Some(command.spawn().unwrap());
        let started = Instant::now();
        while self.ask("select 1").trim() != "1" {
            assert!(started.elapsed() < Duration::from_secs(60), "PostgreSQL does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it at once: who is connected is cut off.
    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            if let Some(mut input) = keeper.stdin.take() {
                let _ = input.write_all(b"\n");
            }
            let _ = keeper.wait();
        }
    }

    /// The address of the database that is always there.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://cidadao@127.0.0.1:{}/{database}", self.port)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a new, empty database.
    #[must_use]
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let _ = self.ask(&format!("create database {name}"));
        self.url_of(&name)
    }

    /// What it wrote down, where it was started with `logging_collector=on` and `log_filename=all.log`.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("data/log/all.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What `psql` prints of a statement over the database that is always there; nothing while it is stopped.
    #[must_use]
    pub fn ask(&self, sql: &str) -> String {
        ask(&self.url(), sql)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What `psql` prints of a statement, without names and frames.
#[must_use]
pub fn ask(url: &str, sql: &str) -> String {
    let output = Command::new(program("psql")).args(["-X", "-A", "-t", "-q", url, "-c", sql]).output().expect(INSTALL);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder that the server's user may use.
fn own_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if is_root() {
        std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    folder
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0")
}

/// A command that does not run as root.
fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = NOBODY.to_string();
    command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]).arg(program);
    command
}

/// A program of the newest PostgreSQL that is installed: Debian keeps its servers off the path.
fn program(name: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}
