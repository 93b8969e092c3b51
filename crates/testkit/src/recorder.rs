//! An HTTP server on loopback that keeps what comes: a collector of traces, or a source whose requests are looked at whole.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Came {
    /// Path and query.
    pub target: String,
    /// Headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Came {
    /// A header; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
}

/// A running server; it stops when dropped.
pub struct Recorder {
    address: SocketAddr,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    came: Mutex<Vec<Came>>,
    stopped: AtomicBool,
}

impl Kept {
    fn came(&self) -> MutexGuard<'_, Vec<Came>> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// Starts it; `status` is asked how the request is answered that comes after so many.
    #[must_use]
    pub fn start(status: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (kept, status) = (Arc::new(Kept::default()), Arc::new(status));
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (kept, status) = (Arc::clone(&shared), Arc::clone(&status));
                std::thread::spawn(move || serve(&stream, &kept, &*status));
            }
        });
        Self { address, kept }
    }

    /// Its base address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far.
    #[must_use]
    pub fn came(&self) -> Vec<Came> {
        self.kept.came().clone()
    }

    /// The spans that came so far in OTLP's JSON.
    #[must_use]
    pub fn spans(&self) -> Vec<Value> {
        let of = |value: &Value, name: &str| value[name].as_array().unwrap().clone();
        let bodies = self.came().into_iter().map(|came| serde_json::from_slice::<Value>(&came.body).unwrap());
        let scopes =
            bodies.flat_map(|body| of(&body, "resourceSpans")).flat_map(|of_resource| of(&of_resource, "scopeSpans"));
        scopes.flat_map(|of_scope| of(&of_scope, "spans")).collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.kept.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, kept: &Kept, status: &(impl Fn(usize) -> u16 + ?Sized)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.take(1 << 26));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.map_or(0, |(_, bytes)| bytes.parse().unwrap())];
        reader.read_exact(&mut body)?;
        let mut came = kept.came();
        let status = status(came.len());
        came.push(Came { target, headers, body });
        drop(came);
        let length = if status == 204 { "" } else { "content-length: 0\r\n" };
        let mut stream = stream;
        write!(stream, "HTTP/1.1 {status} -\r\n{length}\r\n")?;
    }
}
