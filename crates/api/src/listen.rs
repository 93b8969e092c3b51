//! Listening: HTTP/1.1 and HTTP/2 on one port, with or without TLS, with a bound on connections and on silence.
//!
//! A connection belongs to one task of this set. A stop is told by `/health/ready` at once; after `http.drain_s`, in which who balances
//! loads goes elsewhere, nobody listens any more, every task finishes what it is answering, and those that need longer than [`GRACE`]
//! are ended.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use prometheus::IntGauge;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::door::Door;
use crate::kept::Front;
use crate::limits::{CONNECTIONS_MAX, GRACE};
use crate::tls;

/// How long to wait before accepting again when the system has no connection to give (too many open files).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often to look whether more of a connection's first bytes came.
const FIRST_BYTES_PAUSE: Duration = Duration::from_millis(10);
/// With these bytes an HTTP/2 connection starts, and no HTTP/1 one.
const HTTP2_START: &[u8; 4] = b"PRI ";

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doors {
    /// Everything.
    All,
    /// Health and metrics.
    Operations,
}

/// Serves `app` on `listener` until `stop` was heard and the time to drain is over, or it was heard again; then finishes what is in
/// flight (at most 10 s).
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(app: App, listener: TcpListener, doors: Doors, stop: impl AsyncFnMut()) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::debug!(%address, "listening");
    let http = app.settings().http.clone();
    let tls = tls::acceptor(&http)?;
    let door = Door::new(app);
    let routes = match doors {
        Doors::All => crate::routes_behind(&door),
        Doors::Operations => crate::operations_behind(&door),
    };
    let connections = door.metrics().requests.connections.clone();
    let (live, sockets) = (door.live().clone(), door.sockets().clone());
    let front = Front::before(routes, door.clone());
    let head_max = Duration::from_secs(http.head_timeout_s);
    let line = Line { front, tls, connections, http2: http.http2, head_max };
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (end, ending) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut leave = std::pin::pin!(leave_slowly(&door, Duration::from_secs(http.drain_s), stop));
    loop {
        let (stream, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut leave => break,
        };
        connections.spawn(converse(stream, line.clone(), ending.clone(), place));
        while connections.try_join_next().is_some() {}
    }
    drop((listener, ending));
    // Who follows something is told, and ended: it would not end by itself.
    live.close();
    end.send_replace(());
    let finished = async {
        while connections.join_next().await.is_some() {}
        sockets.all_ended().await;
    };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        tracing::warn!(left = connections.len(), "connections were cut at the end of the grace period");
    }
    Ok(())
}

/// Waits for a stop, tells it, and waits on so that it is heard; a second one ends that.
async fn leave_slowly(door: &Door, drain: Duration, mut stop: impl AsyncFnMut()) {
    stop().await;
    door.leave();
    if drain.is_zero() {
        return;
    }
    tracing::info!(
        seconds = drain.as_secs(),
        "told to stop: not ready any more, and listening on for who has not heard of it"
    );
    tokio::select! {
        () = tokio::time::sleep(drain) => {}
        () = stop() => {}
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What every connection is answered with.
#[derive(Clone)]
struct Line {
    front: Front,
    tls: Option<TlsAcceptor>,
    connections: IntGauge,
    http2: bool,
    /// How long a client may take to send a head, and may stay silent between two requests.
    head_max: Duration,
}

/// A connection that is open; counted until it is closed.
struct Open(IntGauge);

impl Open {
    fn count(connections: &IntGauge) -> Self {
        connections.inc();
        Self(connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Finds out what a connection speaks, and answers it until it ends or a stop is asked for.
async fn converse(
    stream: TcpStream,
    line: Line,
    mut stopping: watch::Receiver<()>,
    _place: Option<OwnedSemaphorePermit>,
) {
    let _open = Open::count(&line.connections);
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok();
    let mut stop = stopping.clone();
    let begun = async {
        match &line.tls {
            None => {
                let is_http2 =
                    line.http2 && tokio::time::timeout(line.head_max, speaks_http2(&stream)).await.ok()?.ok()?;
                Some((Stream::Plain(stream), is_http2))
            }
            Some(tls) => {
                let stream = tokio::time::timeout(line.head_max, tls.accept(stream)).await.ok()?.ok()?;
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                Some((Stream::Secret(Box::new(stream)), is_http2))
            }
        }
    };
    let begun = tokio::select! {
        begun = begun => begun,
        _ = stop.changed() => None,
    };
    match begun {
        Some((Stream::Plain(stream), is_http2)) => answer(stream, is_http2, &line, peer, &mut stopping).await,
        Some((Stream::Secret(stream), is_http2)) => answer(*stream, is_http2, &line, peer, &mut stopping).await,
        None => {}
    }
}

/// A connection, as it is or within TLS.
enum Stream {
    Plain(TcpStream),
    Secret(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    is_http2: bool,
    line: &Line,
    peer: Option<SocketAddr>,
    stopping: &mut watch::Receiver<()>,
) {
    let (io, service) = (TokioIo::new(stream), TowerToHyperService::new(line.front.for_peer(peer)));
    let ended = if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).keep_alive_interval(line.head_max).keep_alive_timeout(line.head_max);
        let connection = builder.serve_connection(io, service);
        until_stopped(connection, http2::Connection::graceful_shutdown, stopping).await
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(line.head_max);
        let connection = builder.serve_connection(io, service).with_upgrades();
        until_stopped(connection, http1::UpgradeableConnection::graceful_shutdown, stopping).await
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}

/// Serves a connection to its end; at a stop it finishes what it is answering.
async fn until_stopped<C: Future>(
    connection: C,
    finish: impl FnOnce(Pin<&mut C>),
    stopping: &mut watch::Receiver<()>,
) -> C::Output {
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            finish(connection.as_mut());
            connection.await
        }
    }
}

/// Looks at a connection's first bytes without taking them.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; HTTP2_START.len()];
    loop {
        let seen = stream.peek(&mut first).await?;
        if seen == 0 || first[..seen] != HTTP2_START[..seen] {
            return Ok(false);
        }
        if seen == first.len() {
            return Ok(true);
        }
        tokio::time::sleep(FIRST_BYTES_PAUSE).await;
    }
}
