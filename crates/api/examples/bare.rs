//! A bare hyper server that answers every request with the same bytes: what the bench holds the program against.
//!
//! `bare PORT HEAD BODY`: HEAD is a file of `name: value` lines.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", arguments[1])).await.unwrap();
    let mut head = HeaderMap::new();
    for (name, value) in std::fs::read_to_string(&arguments[2]).unwrap().lines().filter_map(|l| l.split_once(": ")) {
        head.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value.trim()).unwrap());
    }
    let body = Bytes::from(std::fs::read(&arguments[3]).unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = stream.set_nodelay(true);
        let (head, body) = (head.clone(), body.clone());
        tokio::spawn(async move {
            let service = service_fn(|_: Request<Incoming>| {
                let mut response = Response::new(Full::new(body.clone()));
                *response.headers_mut() = head.clone();
                std::future::ready(Ok::<_, Infallible>(response))
            });
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
