//! Dead letters over HTTP, for admins.

use app::DeadLetter;
use app::queries::PageQuery;
use app::views::List;
use axum::extract::State;

use crate::answer::{Answer, Encoded};
use crate::authority::Admin;
use crate::door::Door;
use crate::params::{Asked, Id};
use crate::problem::{CommandProblems, ListProblems, OneProblems, Problem};

/// Lists the tasks that failed for good, oldest first.
#[utoipa::path(get, path = "/api/v1/admin/dlq", tag = "admin", params(PageQuery),
    responses((status = 200, description = "A page of dead letters", body = List<DeadLetter>), ListProblems))]
pub async fn list_letters(_: Admin, State(door): State<Door>, Asked((), page): Asked<()>) -> Answer {
    door.ask(move |app| app.dead_letters(&page)).await
}

/// Makes a dead letter a task again, with all its attempts, and opens its investigation again.
#[utoipa::path(post, path = "/api/v1/admin/dlq/{id}/replay", tag = "admin", params(("id" = i64, Path)),
    responses((status = 200, description = "The letter", body = DeadLetter), OneProblems, CommandProblems))]
pub async fn replay_letter(_: Admin, State(door): State<Door>, Id(id): Id) -> Answer {
    let id = number(&id)?;
    Encoded::json(&door.inspect(move |app| app.replay_letter(id)).await??)
}

/// Forgets a dead letter.
#[utoipa::path(post, path = "/api/v1/admin/dlq/{id}/drop", tag = "admin", params(("id" = i64, Path)),
    responses((status = 200, description = "The letter", body = DeadLetter), OneProblems))]
pub async fn drop_letter(_: Admin, State(door): State<Door>, Id(id): Id) -> Answer {
    let id = number(&id)?;
    Encoded::json(&door.inspect(move |app| app.drop_letter(id)).await??)
}

fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::not_found(format!("dead letter `{id}` is not held")))
}
