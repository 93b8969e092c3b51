//! A Redis of the test's own, on a free loopback port, that keeps nothing on the disk.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running, or stopped, Redis; killed when dropped.
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Default for RedisServer {
    fn default() -> Self {
        Self::start()
    }
}

impl RedisServer {
    /// Starts one.
    ///
    /// # Panics
    /// None is installed; the message says how to get it.
    #[must_use]
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { folder: tempfile::tempdir().unwrap(), port, child: None };
        server.go();
        server
    }

    /// Starts it again, empty, at the same address.
    pub fn go(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no"]);
        command.args(["--dir", self.folder.path().to_str().unwrap()]).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().expect("this test needs a Redis: apt-get install redis-server");
        self.child = Some(child);
        let started = Instant::now();
        while self.ask("PING").trim() != "PONG" {
            assert!(started.elapsed() < Duration::from_secs(20), "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills it: what it held is gone.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Lets it hang: it takes connections and does not answer.
    pub fn hang(&self) {
        self.signal("STOP");
    }

    /// Lets one that hangs go on.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What `redis-cli` prints of a command; nothing when it is not there.
    #[must_use]
    pub fn ask(&self, command: &str) -> String {
        let mut cli = Command::new("redis-cli");
        cli.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(command.split_whitespace());
        let output = cli.output().expect("this test needs redis-cli: apt-get install redis-server");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The streams, by the topic in their name, with how many entries each holds.
    #[must_use]
    pub fn streams(&self) -> Vec<(String, u64)> {
        let mut streams: Vec<(String, u64)> = self
            .ask("KEYS cidadao:*")
            .lines()
            .filter(|key| !key.is_empty())
            .map(|key| {
                let held = self.ask(&format!("XLEN {key}")).trim().parse().unwrap();
                (key.rsplit(':').next().unwrap().to_owned(), held)
            })
            .collect();
        streams.sort();
        streams
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
