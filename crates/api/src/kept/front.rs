//! What stands before the routes: a hit in memory is answered here, without routing, layers or a copy.

use std::convert::Infallible;
use std::future::Ready;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, ORIGIN};
use axum::response::Response;
use futures_util::future::Either;
use tower::Service;

use super::answer::respond;
use super::key::key_of;
use crate::coding::Wanted;
use crate::door::Door;
use crate::stack;

/// The routes, with the hits before them.
#[derive(Clone)]
pub struct Front {
    door: Door,
    routes: Router,
}

impl Front {
    /// Before these routes.
    pub fn before(routes: Router, door: Door) -> Self {
        Self { door, routes }
    }

    /// A hit, if it is one that needs nothing but a look-up. Who says who they are goes through the layers that know them.
    fn hit(&self, request: &Request) -> Option<Response> {
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
        let got = answers.cache.peek(&key)?;
        let coding = got.held.value.coding_for(Wanted::of(headers), &answers.words)?;
        if !got.held.value.has(coding) {
            return None;
        }
        answers.dense.count(&got.held);
        let mut response = respond(&got, coding, headers);
        stack::name(request.headers(), &mut response);
        let metrics = self.door.metrics();
        let timer = got.held.value.timer(|route, status| metrics.timer("GET", route, status));
        timer.observe(started.elapsed().as_secs_f64());
        Some(response)
    }
}

impl<B> Service<axum::http::Request<B>> for Front
where
    B: http_body::Body<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<Ready<Result<Response, Infallible>>, <Router as Service<axum::http::Request<Body>>>::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Routes are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<B>) -> Self::Future {
        let request = request.map(Body::new);
        match self.hit(&request) {
            Some(response) => Either::Left(std::future::ready(Ok(response))),
            None => Either::Right(self.routes.call(request)),
        }
    }
}
