//! A page that is worked as a person does, by keys and clicks, in a browser without a screen.
//!
//! The browser is spoken to in the DevTools protocol, over two pipes: no port, and no library for it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open page; the browser ends with it.
pub struct Tab {
    browser: Child,
    to: File,
    from: BufReader<File>,
    session: String,
    last_id: u64,
    _folder: tempfile::TempDir,
}

impl Tab {
    /// Opens a page. Names that end in `.test` are this machine.
    ///
    /// # Panics
    /// No Chromium is there, or it does not answer.
    #[must_use]
    pub fn open(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (to, from) = (folder.path().join("to"), folder.path().join("from"));
        assert!(Command::new("mkfifo").args([&to, &from]).status().unwrap().success());
        let browser = launch(folder.path());
        let to = OpenOptions::new().write(true).open(to).unwrap();
        let from = BufReader::new(File::open(from).unwrap());
        let mut tab = Self { browser, to, from, session: String::new(), last_id: 0, _folder: folder };
        let target = tab.ask("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let session = tab.ask("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        session["sessionId"].as_str().unwrap().clone_into(&mut tab.session);
        tab.go(url);
        tab
    }

    /// Goes to an address.
    pub fn go(&mut self, url: &str) {
        let _ = self.ask("Page.navigate", &json!({"url": url}));
    }

    /// The value of an expression in the page.
    ///
    /// # Panics
    /// The expression throws.
    pub fn eval(&mut self, expression: &str) -> Value {
        let answer = self
            .ask("Runtime.evaluate", &json!({"expression": expression, "awaitPromise": true, "returnByValue": true}));
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// The text that a person sees in the page.
    pub fn text(&mut self) -> String {
        let text = self.eval("document.body ? document.body.innerText : ''");
        text.as_str().unwrap_or_default().replace('\u{a0}', " ")
    }

    /// Waits until the page shows a text.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn sees(&mut self, text: &str) {
        let start = Instant::now();
        while !self.text().contains(text) {
            assert!(start.elapsed() < PATIENCE, "the page does not show \"{text}\": {}", self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Puts the keyboard's focus on the element that a selector finds.
    #[track_caller]
    pub fn focus(&mut self, selector: &str) {
        let found =
            self.eval(&format!("(e => {{ e?.focus(); return e !== null }})(document.querySelector({selector:?}))"));
        assert_eq!(found, true, "there is no {selector}");
    }

    /// Presses a key such as `Home`, `ArrowRight` or `Enter`.
    pub fn press(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowRight" => 39,
            _ => panic!("no key {key}"),
        };
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            let _ = self.ask("Input.dispatchKeyEvent", &event);
        }
    }

    /// Types a text where the focus is.
    pub fn types(&mut self, text: &str) {
        let _ = self.ask("Input.insertText", &json!({"text": text}));
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut heard = Vec::new();
            assert!(self.from.read_until(0, &mut heard).unwrap() > 0, "the browser ended at {method}");
            heard.pop();
            let mut heard: Value = serde_json::from_slice(&heard).unwrap();
            if heard["id"] == self.last_id {
                assert!(heard["error"].is_null(), "{method}: {}", heard["error"]);
                return heard["result"].take();
            }
        }
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}

/// The browser, which reads what it is told from its third pipe and answers on its fourth.
fn launch(folder: &Path) -> Child {
    let script = r#"exec "$0" "$@" 3<to 4>from"#;
    Command::new("sh")
        .args(["-c", script, super::page::browser()])
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"])
        .arg("--host-resolver-rules=MAP *.test 127.0.0.1")
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
