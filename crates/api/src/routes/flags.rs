//! Red flags.

use app::queries::PageQuery;
use app::views::{FlagShape, List};
use axum::extract::State;

use crate::answer::Answer;
use crate::door::Door;
use crate::params::{Asked, Id};
use crate::problem::{ListProblems, OneProblems};

/// Lists the catalogue of red flags, each with its coverage.
#[utoipa::path(get, path = "/api/v1/flags", tag = "flags", params(PageQuery),
    responses((status = 200, description = "The catalogue", body = List<FlagShape>), ListProblems))]
pub async fn list_flags(State(door): State<Door>, Asked((), page): Asked<()>) -> Answer {
    door.ask(move |app| app.flags(&page)).await
}

/// Shows one red flag with its formula, SQL and parameters.
#[utoipa::path(get, path = "/api/v1/flags/{code}", tag = "flags",
    params(("code" = String, Path, description = "The flag's code")),
    responses((status = 200, description = "The flag", body = FlagShape), OneProblems))]
pub async fn show_flag(State(door): State<Door>, Id(code): Id) -> Answer {
    door.ask(move |app| app.flag(&code)).await
}
