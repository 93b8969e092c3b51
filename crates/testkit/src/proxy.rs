//! A wire between two programs that can be cut and slowed down.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A proxy on a free port; what goes through it may be cut or delayed.
pub struct Proxy {
    port: u16,
    wire: Arc<Wire>,
}

#[derive(Default)]
struct Wire {
    cut: AtomicBool,
    delay_ms: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// One to this port of this machine.
    #[must_use]
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Arc::new(Wire::default());
        let held = Arc::clone(&wire);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if held.cut.load(Ordering::Acquire) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", target)) else { continue };
                for end in [&near, &far] {
                    let _ = end.set_nodelay(true);
                }
                let mut open = held.open.lock().unwrap();
                open.extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                for (from, to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    let wire = Arc::clone(&held);
                    std::thread::spawn(move || pass(from, to, &wire));
                }
            }
        });
        Self { port, wire }
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection, and lets none through until [`Self::mend`].
    pub fn cut(&self) {
        self.wire.cut.store(true, Ordering::Release);
        for end in self.wire.open.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    pub fn mend(&self) {
        self.wire.cut.store(false, Ordering::Release);
    }

    /// Holds back whatever comes by this much, each way.
    pub fn delay(&self, by: Duration) {
        self.wire.delay_ms.store(u64::try_from(by.as_millis()).unwrap(), Ordering::Release);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, wire: &Wire) {
    let mut buffer = [0; 1 << 16];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        std::thread::sleep(Duration::from_millis(wire.delay_ms.load(Ordering::Acquire)));
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
