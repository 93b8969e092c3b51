//! Questions, answered at once from what is held.

use app::queries::Ask;
use axum::extract::State;

use crate::answer::Answer;
use crate::command::Command;
use crate::door::Door;
use crate::problem::OneProblems;

/// Answers a question in Portuguese at once, from the contracts and findings that are held; nothing is judged or fetched.
///
/// `reading` says which words became which filter, what may mean several things, and what was not understood. Every number in
/// `answer.text` stands in `answer.figures`; `answer.cut` says which count did not reach its end in the time it has. `missing` says
/// what is not held and which source would have it; `investigate` is a body for `POST /investigations`.
#[utoipa::path(post, path = "/api/v1/ask", tag = "investigations", request_body = Ask,
    responses((status = 200, description = "The answer", body = Object), OneProblems))]
pub async fn ask(State(door): State<Door>, Command { asked, .. }: Command<Ask>) -> Answer {
    door.ask(move |app| app.ask(&asked)).await
}
