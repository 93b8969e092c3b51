//! The board of sources.

use app::queries::PageQuery;
use app::views::{List, Source};
use axum::extract::State;

use crate::answer::Answer;
use crate::door::Door;
use crate::params::Asked;
use crate::problem::ListProblems;

/// Shows what is held, per source and table, and how whole it is.
///
/// Rows, period, share of rows that state each important field, months without a row, repeats, files not read to
/// their end, quarantined rows, values that no mapping knows, and the flags that a missing field keeps from judging.
#[utoipa::path(get, path = "/api/v1/sources", tag = "sources", params(PageQuery),
    responses((status = 200, description = "The board", body = List<Source>), ListProblems))]
pub async fn list_sources(State(door): State<Door>, Asked((), page): Asked<()>) -> Answer {
    door.ask(move |app| app.sources(&page)).await
}
