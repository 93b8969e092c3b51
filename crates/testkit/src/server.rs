//! The program's server as a child process on a free port; killed when dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::Program;

/// The setting of what may be asked for without a key.
const ANONYMOUS: &str = "CIDADAO_LIMITS_ANONYMOUS";

/// A running server.
pub struct Server {
    child: Child,
    address: String,
    log: Arc<Mutex<String>>,
    agent: ureq::Agent,
}

/// An answer of the server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub id: u64,
    pub kind: String,
    pub data: Value,
}

impl Server {
    /// Starts `program … serve` and waits until it says where it listens.
    #[must_use]
    pub fn start(program: Program) -> Self {
        Self::start_as(program, "all")
    }

    /// Starts `program … serve` in these roles.
    #[must_use]
    pub fn start_as(program: Program, roles: &str) -> Self {
        let mut command = program.args(["serve", "--listen", "127.0.0.1:0", "--roles", roles]).into_command();
        // Most tests ask more than anyone may, from one address; those about limits say so.
        if command.get_envs().all(|(name, _)| name != ANONYMOUS) {
            command.env(ANONYMOUS, "unlimited");
        }
        Self::of(command)
    }

    /// Starts a command that serves, and waits until it says where it listens.
    #[must_use]
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        let address = loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended: {text}{:?}", child.wait());
            text.push_str(&line);
            let found = ["http", "https"].into_iter().find_map(|scheme| {
                // Settings that name others' addresses are told before.
                let told = ["Servidor em ", "métricas em "].into_iter().find_map(|words| line.split_once(words))?;
                let (_, rest) = told.1.split_once(&format!("{scheme}://127.0.0.1:"))?;
                let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
                Some(format!("{scheme}://127.0.0.1:{port}"))
            });
            if let Some(address) = found {
                break address;
            }
        };
        let log = Arc::new(Mutex::new(text));
        let heard = Arc::clone(&log);
        // What the server goes on to say is read, so that it never waits for a reader; the thread ends with the child.
        std::thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).is_ok_and(|n| n > 0) {
                heard.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        Self { child, address, log, agent }
    }

    /// `http://127.0.0.1:…`
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// MiB of memory that it holds, pages of files left out.
    #[must_use]
    pub fn memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1_024
    }

    /// A metric by its name, with its labels as it writes them; 0 when it is not there.
    #[must_use]
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// What it wrote to stderr so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// GET a path, with headers.
    #[must_use]
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.get(format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.call().unwrap_or_else(|e| panic!("GET {path}: {e}\n{}", self.log()));
        answer_of(response)
    }

    /// GET a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// GET `/api/v1/{path}`, which must be there, as JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// POST bytes that say to be JSON, with headers.
    #[must_use]
    pub fn post_bytes(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.address)).content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send(body).unwrap_or_else(|e| panic!("POST {path}: {e}\n{}", self.log()));
        answer_of(response)
    }

    /// POST a JSON document, with headers.
    #[must_use]
    pub fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.agent.post(format!("{}{path}", self.address)).content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send(body.to_string()).unwrap_or_else(|e| panic!("POST {path}: {e}\n{}", self.log()));
        answer_of(response)
    }

    /// POST a JSON document.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, &[])
    }

    /// PUT a JSON document.
    #[must_use]
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        let request = self.agent.put(format!("{}{path}", self.address)).content_type("application/json");
        let response = request.send(body.to_string()).unwrap_or_else(|e| panic!("PUT {path}: {e}\n{}", self.log()));
        answer_of(response)
    }

    /// Every row of a list, page by page, each page asked for with `limit`.
    #[must_use]
    #[track_caller]
    pub fn walk(&self, list: &str, limit: usize) -> Vec<Value> {
        let joint = if list.contains('?') { '&' } else { '?' };
        let mut rows = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let after = cursor.map_or(String::new(), |c| format!("&cursor={}", encoded(&c)));
            let page = self.json(&format!("{list}{joint}limit={limit}{after}"));
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= limit, "{} rows where {limit} were asked for", data.len());
            rows.extend(data.iter().cloned());
            match page["page"]["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return rows,
            }
        }
    }

    /// Follows `/api/v1/{path}` as server-sent events behind event `seen`, until `enough` says so or it ends.
    #[must_use]
    pub fn follow(&self, path: &str, seen: u64, mut enough: impl FnMut(&Told) -> bool) -> Vec<Told> {
        let address = self.address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let last = if seen > 0 { format!("last-event-id: {seen}\r\n") } else { String::new() };
        write!(stream, "GET /api/v1/{path} HTTP/1.0\r\nhost: {address}\r\n{last}\r\n").unwrap();
        let (mut told, mut id, mut kind) = (Vec::new(), 0, String::new());
        for line in BufReader::new(stream).lines() {
            // A server that is killed ends the stream as it likes.
            let Ok(line) = line else { break };
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().unwrap();
            } else if let Some(text) = line.strip_prefix("event: ") {
                text.clone_into(&mut kind);
            } else if let Some(text) = line.strip_prefix("data: ") {
                let event = Told { id, kind: kind.clone(), data: serde_json::from_str(text).unwrap() };
                let stop = enough(&event);
                told.push(event);
                if stop {
                    break;
                }
            }
        }
        told
    }

    /// Files below `folder` that it holds open, each as often as it does.
    #[must_use]
    pub fn open_files(&self, folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let held = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().flatten();
        let files = held.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        files.filter(|file| file.starts_with(folder)).collect()
    }

    /// Sends it a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop, as a supervisor does, and waits for its end; gives the exit code.
    #[must_use]
    pub fn stop(self) -> Option<i32> {
        self.ask_to_stop();
        self.ended()
    }

    /// Asks it to stop, as a supervisor does.
    pub fn ask_to_stop(&self) {
        self.signal("TERM");
    }

    /// Waits for its end; gives the exit code.
    #[must_use]
    pub fn ended(mut self) -> Option<i32> {
        let ended = self.child.wait().unwrap();
        if ended.code().is_none() {
            eprintln!("the server did not end by itself: {ended}");
        }
        ended.code()
    }
}

fn answer_of(response: ureq::http::Response<ureq::Body>) -> Answer {
    let status = response.status().as_u16();
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let mut body = Vec::new();
    response.into_body().into_reader().read_to_end(&mut body).unwrap();
    Answer { status, headers, body }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    /// A header, by its name in lower case; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v)
    }

    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("not JSON: {e}: {}", self.text()))
    }
}

/// A text as it stands in a path or query.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
