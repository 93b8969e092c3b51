//! Listening: HTTP/1.1 and HTTP/2 without TLS on one port, with a bound on connections and on silence.
//!
//! A connection belongs to one task of this set; a stop ends listening at once, lets every task finish what it is
//! answering, and ends those that need longer than [`GRACE`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use app::App;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceBuilder;

use crate::limits::{CONNECTIONS_MAX, GRACE, HEAD_TIMEOUT};

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
    let router = crate::router(app);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, place) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut shutdown => break,
        };
        connections.spawn(converse(stream, router.clone(), stopping.clone(), place));
        while connections.try_join_next().is_some() {}
    }
    drop((listener, stopping));
    stop.send_replace(());
    let finished = async { while connections.join_next().await.is_some() {} };
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

/// Answers one connection until it ends or a stop is asked for.
async fn converse(
    stream: TcpStream,
    router: Router,
    mut stopping: watch::Receiver<()>,
    _place: Option<OwnedSemaphorePermit>,
) {
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok();
    let first = tokio::select! {
        first = tokio::time::timeout(HEAD_TIMEOUT, speaks_http2(&stream)) => first,
        _ = stopping.changed() => return,
    };
    let Ok(Ok(is_http2)) = first else { return };
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEAD_TIMEOUT).keep_alive_timeout(HEAD_TIMEOUT);
    let builder = if is_http2 { builder.http2_only() } else { builder.http1_only() };
    let named = ServiceBuilder::new().map_request(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    });
    let service = TowerToHyperService::new(named.service(router));
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
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
