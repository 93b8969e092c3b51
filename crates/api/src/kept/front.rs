//! What stands before the routes: a hit in memory is answered here, without routing, layers or a copy.

use std::convert::Infallible;
use std::future::Ready;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, ORIGIN};
use axum::response::Response;
use futures_util::future::Either;
use tower::Service;

use super::answer::respond;
use super::key::key_of;
use crate::coding::Wanted;
use crate::door::Door;
use crate::{stack, traced};

/// The routes, with the hits before them.
#[derive(Clone)]
pub struct Front {
    door: Door,
    routes: Router,
    /// Who is at the other end.
    peer: Option<SocketAddr>,
}

impl Front {
    /// Before these routes.
    pub fn before(routes: Router, door: Door) -> Self {
        Self { door, routes, peer: None }
    }

    /// For the one at the other end of a connection.
    pub fn for_peer(&self, peer: Option<SocketAddr>) -> Self {
        Self { peer, ..self.clone() }
    }

    /// A hit, if it is one that needs nothing but a look-up. Who says who they are goes through the layers that know them.
    fn hit<B>(&self, request: &Request<B>) -> Option<Response> {
        let answers = self.door.answers()?;
        let headers = request.headers();
        if !request.uri().path().starts_with("/api/v1/")
            || !self.door.addresses().are_all_answered()
            || [AUTHORIZATION, COOKIE, ORIGIN].iter().any(|header| headers.contains_key(header))
            || headers.contains_key("x-api-key")
        {
            return None;
        }
        let key = key_of(request.method(), request.uri(), headers)?;
        let started = Instant::now();
        answers.look_if_due();
        let got = answers.cache.peek(&key, started)?;
        let coding = got.held.value.coding_for(Wanted::of(headers), &answers.words.load())?;
        if !got.held.value.has(coding) {
            return None;
        }
        answers.dense.count(&got.held);
        let mut response = respond(&got, coding, headers);
        stack::name(headers, &mut response);
        let trace = traced::tell_of_hit(headers, &mut response, got.held.value.route(), started);
        let (requests, took) = (&self.door.metrics().requests, started.elapsed());
        let kept = &got.held.value;
        requests.observe_with(kept.timer(|route, status| requests.timer("GET", route, status)), took);
        requests.note("GET", kept.route(), kept.status(), took, trace);
        Some(response)
    }
}

impl<B> Service<Request<B>> for Front
where
    B: http_body::Body<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, <Router as Service<Request<Body>>>::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routes are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Some(response) = self.hit(&request) {
            return Either::Left(std::future::ready(Ok(response)));
        }
        let mut request = request.map(Body::new);
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        Either::Right(self.routes.call(request))
    }
}
