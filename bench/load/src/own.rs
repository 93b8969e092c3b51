//! A program of one's own: fictitious data in a folder that goes away, served on a free port, without a limit on who asks.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The program while it runs; ended when dropped.
pub struct Own {
    child: Child,
    /// Where it listens.
    pub at: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Own {
    /// Makes the data and starts it.
    ///
    /// # Errors
    /// The program is not there, or ends before it serves.
    pub fn start(program: &Path, contracts: u64) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
        eprintln!("load: {contracts} fictitious contracts …");
        let mut child = Command::new(program)
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .args(["demo", "--listen", "127.0.0.1:0", "--contracts", &contracts.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let stderr = child.stderr.take().ok_or("the program has no stderr")?;
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let mut said = String::new();
        let at = lines.find_map(|line| {
            let port = line
                .split_once("http://127.0.0.1:")
                .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            said = line;
            Some(SocketAddr::from(([127, 0, 0, 1], port?.parse().ok()?)))
        });
        // What it goes on to say is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        match at {
            Some(at) => Ok(Self { child, at, _folder: folder }),
            None => {
                let _ = child.wait();
                Err(format!("{} ended: {said}", program.display()))
            }
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
