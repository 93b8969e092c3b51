//! A public source on loopback that behaves as told: answers, asks for pauses, breaks off in the middle, says nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is answered to one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A whole answer: status, more headers, body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// This much of the body of an answer that says it is twice as long; then the connection closes.
    Half(Vec<u8>),
    /// The connection is closed without a word.
    Reset,
    /// Nothing for that long, then the answer.
    Late(Duration, Box<Reply>),
}

impl Reply {
    /// A JSON body.
    #[must_use]
    pub fn json(body: impl Into<String>) -> Self {
        Self::Whole(200, vec![("content-type", "application/json".to_owned())], body.into().into_bytes())
    }

    /// A status and nothing else.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Whole(status, Vec::new(), Vec::new())
    }
}

/// A running source; it stops when dropped.
pub struct Origin {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    open: AtomicUsize,
    open_most: AtomicUsize,
    accepted: AtomicUsize,
    stopped: AtomicBool,
}

impl Origin {
    /// Starts it; `reply` is asked with the target (path and query) of each request and how many came before.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn start(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (seen, reply) = (Arc::new(Seen::default()), Arc::new(reply));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, reply) = (Arc::clone(&shared), Arc::clone(&reply));
                std::thread::spawn(move || {
                    seen.accepted.fetch_add(1, Ordering::SeqCst);
                    let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
                    seen.open_most.fetch_max(open, Ordering::SeqCst);
                    let _ = serve(&stream, &seen, &*reply);
                    let _ = stream.shutdown(Shutdown::Both);
                    seen.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, seen }
    }

    /// Its base address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The targets asked for so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Connections that were open at once, at most.
    #[must_use]
    pub fn open_most(&self) -> usize {
        self.seen.open_most.load(Ordering::SeqCst)
    }

    /// Connections that were opened.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.seen.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.seen.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, seen: &Seen, reply: &(impl Fn(&str, usize) -> Reply + ?Sized)) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.take(1 << 24));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line)?;
        }
        let before = {
            let mut requests = seen.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            requests.push(target.clone());
            requests.len() - 1
        };
        if !send(stream, reply(&target, before))? {
            return Ok(());
        }
    }
}

/// Whether the connection stays.
fn send(mut stream: &TcpStream, reply: Reply) -> std::io::Result<bool> {
    match reply {
        Reply::Reset => Ok(false),
        Reply::Late(wait, reply) => {
            std::thread::sleep(wait);
            send(stream, *reply)
        }
        Reply::Half(body) => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len() * 2)?;
            stream.write_all(&body)?;
            Ok(false)
        }
        Reply::Whole(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} -\r\n");
            if status != 204 {
                head.push_str(&format!("content-length: {}\r\n", body.len()));
            }
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all(head.as_bytes())?;
            stream.write_all(b"\r\n")?;
            stream.write_all(&body)?;
            Ok(true)
        }
    }
}
