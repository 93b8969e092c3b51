//! A real Prometheus as a child process on a free port, that scrapes servers every two seconds; and promtool, its checker.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::server::encoded;

/// How to get them.
const INSTALL: &str = "this test needs Prometheus and promtool: apt-get install prometheus";

/// A running Prometheus; killed when dropped.
pub struct Prometheus {
    _folder: TempDir,
    address: String,
    child: Child,
}

impl Prometheus {
    /// Starts one that scrapes these addresses (`http://127.0.0.1:…`) as the job `cidadao`, with the rules of a file.
    ///
    /// # Panics
    /// None is installed; the message says how to get it.
    #[must_use]
    pub fn scraping(servers: &[&str], rules: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let targets: Vec<&str> = servers.iter().map(|server| server.strip_prefix("http://").unwrap()).collect();
        let config = serde_json::json!({
            "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
            "rule_files": [rules.canonicalize().unwrap()],
            "scrape_configs": [{"job_name": "cidadao", "static_configs": [{"targets": targets}]}],
        });
        let file = folder.path().join("prometheus.yml");
        // JSON is YAML.
        std::fs::write(&file, config.to_string()).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--enable-feature=exemplar-storage")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect(INSTALL);
        let prometheus = Self { _folder: folder, address: format!("http://127.0.0.1:{port}"), child };
        let started = Instant::now();
        while ureq::get(format!("{}/-/ready", prometheus.address)).call().is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "prometheus does not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        prometheus
    }

    /// What it answers to `/api/v1/{path}`.
    #[must_use]
    #[track_caller]
    pub fn ask(&self, path: &str) -> Value {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let answer = agent.get(format!("{}/api/v1/{path}", self.address)).call().unwrap();
        let text = answer.into_body().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}: {text}"));
        assert_eq!(answer["status"], "success", "{path}: {text}");
        answer["data"].clone()
    }

    /// The points that a question gives over the last seconds, one a second: those that are numbers, of all its series.
    #[must_use]
    #[track_caller]
    pub fn points(&self, question: &str, over_s: u64) -> usize {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let query = encoded(question);
        let data = self.ask(&format!("query_range?query={query}&start={}&end={now}&step=1", now - over_s));
        let series = data["result"].as_array().unwrap().iter();
        let values = series.flat_map(|one| one["values"].as_array().unwrap());
        values.filter(|value| value[1].as_str().unwrap().parse::<f64>().is_ok_and(f64::is_finite)).count()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs promtool over `input`; what it said when it was not content.
///
/// # Errors
/// What it said.
///
/// # Panics
/// None is installed; the message says how to get it.
pub fn promtool(args: &[&str], folder: &Path, input: &str) -> Result<(), String> {
    let mut child = Command::new("promtool")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect(INSTALL);
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}
