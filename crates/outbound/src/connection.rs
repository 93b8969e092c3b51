//! Connections: each holds one of a bounded number of places from its opening to its close, idle or not.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections, no more than there are places.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    places: Arc<Semaphore>,
    opened: Arc<AtomicU64>,
    timeout: Duration,
}

impl Connector {
    /// With so many places; a connection that is not open in `timeout`, the wait for a place included, is given up.
    pub(crate) fn new(places: usize, timeout: Duration) -> std::io::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_secs(60)));
        // The system's certificates, so that an administrator can add the chain of a public body.
        let inner = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(tcp);
        Ok(Self { inner, places: Arc::new(Semaphore::new(places)), opened: Arc::default(), timeout })
    }

    /// Connections opened so far.
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Places that are free.
    pub(crate) fn free(&self) -> usize {
        self.places.available_permits()
    }
}

impl Service<Uri> for Connector {
    type Response = Held;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Held, Cause>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, places) = (self.inner.call(to), Arc::clone(&self.places));
        let (opened, timeout) = (Arc::clone(&self.opened), self.timeout);
        Box::pin(async move {
            tokio::time::timeout(timeout, async {
                let place = places.acquire_owned().await?;
                let stream = connecting.await?;
                opened.fetch_add(1, Ordering::Relaxed);
                Ok(Held { stream, _place: place })
            })
            .await
            .map_err(|_| Cause::from("no connection in time"))?
        })
    }
}

/// A connection with its place.
pub(crate) struct Held {
    stream: Stream,
    _place: OwnedSemaphorePermit,
}

impl Connection for Held {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl Read for Held {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl Write for Held {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}
