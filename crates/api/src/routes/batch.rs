//! Several operations in one request.

use std::net::SocketAddr;

use axum::Extension;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::batch::{Batch, Operations, Sender};
use crate::caller::Known;
use crate::command::Command;
use crate::door::Door;
use crate::problem::{OneProblems, Problem};
use crate::rate::{admit, told};

/// Does several operations, each with a status of its own; costs what they cost.
///
/// Those with the highest `priority` are begun first, a few at once; results stand in the order in which they were asked for. Equal reads are
/// done once. Nothing is undone when one fails. Batches, signing in and streams cannot be part of one.
#[utoipa::path(post, path = "/api/v1/batch", tag = "operations", request_body = Batch,
    responses((status = 200, description = "`results`, each with `id`, `status` and `body`", body = Object),
        (status = 429, description = "Too much was asked for; see `Retry-After`", body = Problem), OneProblems))]
pub async fn run_batch(
    State(door): State<Door>,
    Extension(operations): Extension<Operations>,
    Known(calling): Known,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Command { asked, key }: Command<Batch>,
) -> Result<Response, Response> {
    let bounds = door.limits().batch;
    if key.is_some() {
        let because = "of a batch means nothing: give each operation its `idempotency_key`";
        return Err(Problem::invalid("Idempotency-Key", because).into_response());
    }
    Batch::check(&asked, bounds).map_err(IntoResponse::into_response)?;
    let standing = admit(&door, &calling, asked.cost()).await?;
    let sender = Sender { calling, peer: peer.map(|Extension(peer)| peer), headers };
    Ok(told(asked.run(&operations, &sender, bounds).await, standing))
}
