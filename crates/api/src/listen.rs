//! Listening: HTTP/1.1 and HTTP/2 on one port, with or without TLS, with a bound on connections and on silence.
//!
//! A connection belongs to one task of this set; a stop ends listening at once, lets every task finish what it is
//! answering, and ends those that need longer than [`GRACE`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
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

/// Serves `app` on `listener` until `shutdown` is done, then finishes what is in flight (at most 10 s).
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(app: App, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::debug!(%address, "listening");
    let http = app.settings().http.clone();
    let tls = tls::acceptor(&http)?;
    let door = Door::new(app);
    let (live, sockets) = (door.live().clone(), door.sockets().clone());
    let front = Front::before(crate::routes_behind(&door), door);
    let line = Line { front, tls, http2: http.http2, head_max: Duration::from_secs(http.head_timeout_s) };
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut shutdown => break,
        };
        connections.spawn(converse(stream, line.clone(), stopping.clone(), place));
        while connections.try_join_next().is_some() {}
    }
    drop((listener, stopping));
    // Who follows something is told, and ended: it would not end by itself.
    live.close();
    stop.send_replace(());
    let finished = async {
        while connections.join_next().await.is_some() {}
        sockets.all_ended().await;
    };
    if tokio::time::timeout(GRACE, finished).await.is_err() {
        tracing::warn!(left = connections.len(), "connections were cut at the end of the grace period");
    }
    Ok(())
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
    http2: bool,
    /// How long a client may take to send a head, and may stay silent between two requests.
    head_max: Duration,
}

/// Finds out what a connection speaks, and answers it until it ends or a stop is asked for.
async fn converse(
    stream: TcpStream,
    line: Line,
    mut stopping: watch::Receiver<()>,
    _place: Option<OwnedSemaphorePermit>,
) {
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
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(line.head_max);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(line.head_max).keep_alive_timeout(line.head_max);
    let builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    let service = TowerToHyperService::new(line.front.for_peer(peer));
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(error, "a connection ended early");
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
