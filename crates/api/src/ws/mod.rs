//! The WebSocket door, `/api/v1/ws`: topics of the hub, over one connection (docs/live.md has the messages).
//!
//! The protocol's frames are ours (decision 019), for two reasons that no library at hand allows: a frame that goes to ten thousand
//! connections is made and compressed once, and a connection that waits holds no buffer, for bytes are read into one that its thread lends.

mod allowance;
mod frame;
mod handshake;
mod meters;
mod session;
mod sockets;
mod wire;

use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::authority::is_operator;
use crate::caller::Calling;
use crate::door::Door;
use crate::problem::Problem;

pub use allowance::Allowance;
pub use handshake::check_origin;
pub use meters::SocketMeters;
pub use sockets::{Sockets, Ticket};

use handshake::Handshake;
use session::Session;

/// The messages as a JSON Schema.
const SCHEMA: &str = include_str!("../../live.schema.json");

/// Opens a WebSocket, over which topics are followed; `/api/v1/ws/schema.json` describes its messages.
///
/// Text frames of JSON; permessage-deflate is taken when the client offers it. A page of another origin needs to be named in
/// `http.cors_origins`.
#[utoipa::path(get, path = "/api/v1/ws", tag = "live",
    responses((status = 101, description = "The connection is a WebSocket from here on"),
        (status = 400, description = "No handshake of a WebSocket", body = Problem),
        (status = 403, description = "A page of an origin that is not named", body = Problem),
        (status = 426, description = "Another version of the protocol than 13", body = Problem),
        (status = 503, description = "Too many connections, in all or from this address", body = Problem)))]
pub async fn connect(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let handshake = Handshake::read(&parts.method, &parts.headers, &door.origins())?;
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or_else(handshake::not_here)?;
    let ticket = door.sockets().enter(Calling::of(&parts.extensions).address)?;
    let is_operator = is_operator(&mut parts).await;
    let session = Session::new(door, &parts, is_operator, handshake.deflates, ticket);
    let response = handshake.answer();
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            session.converse(TokioIo::new(upgraded)).await;
        }
    });
    Ok(response)
}

/// The messages of the WebSocket, as a JSON Schema.
#[utoipa::path(get, path = "/api/v1/ws/schema.json", tag = "live",
    responses((status = 200, description = "The schema", content_type = "application/schema+json")))]
pub async fn schema() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/schema+json"), (CACHE_CONTROL, "public, max-age=3600")], SCHEMA)
}
