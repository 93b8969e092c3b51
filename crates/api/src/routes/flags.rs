//! Red flags.

use app::queries::{MomentQuery, PageQuery, PreviewQuery};
use app::views::{FlagPreview, FlagShape, Judged, List};
use axum::extract::State;

use crate::answer::Answer;
use crate::door::Door;
use crate::params::{Asked, FromParams, Id, IdAsked, IdWith, Params};
use crate::problem::{ListProblems, MomentProblems, OneProblems, Problem};

impl FromParams for MomentQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        let (as_of, known_at) = (params.day("as_of")?, params.text("known_at")?);
        Ok(Self::new(as_of, known_at.as_deref())?)
    }
}

impl FromParams for PreviewQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        Ok(Self(params.numbers()?))
    }
}

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

/// Shows what a flag finds at two dates, gravest first: of facts that stood by `as_of`, as they were held at `known_at`.
///
/// Judged when it is asked for and kept for a while; the stored findings stay as they are. All findings are counted, the
/// gravest 1,000 can be paged through.
#[utoipa::path(get, path = "/api/v1/flags/{code}/findings", tag = "flags",
    params(("code" = String, Path, description = "The flag's code"), MomentQuery, PageQuery),
    responses((status = 200, description = "A page of what it finds", body = Judged), MomentProblems))]
pub async fn list_findings_at(State(door): State<Door>, IdAsked(code, moment, page): IdAsked<MomentQuery>) -> Answer {
    door.analyse(move |app| app.findings_at(&code, &moment, &page)).await
}

/// Shows how many hits a red flag would have at other values of its parameters, from what is kept of every subject.
///
/// Each parameter is named with its values, such as `?z_min=3,3.5,4`; of several, each is tried with the others as they are.
#[utoipa::path(get, path = "/api/v1/flags/{code}/preview", tag = "flags",
    params(("code" = String, Path, description = "The flag's code"),
        ("parameter" = Option<String>, Query, description = "Values of the parameter of this name, parted by commas")),
    responses((status = 200, description = "The hits at each value", body = FlagPreview), OneProblems))]
pub async fn preview_flag(State(door): State<Door>, IdWith(code, query): IdWith<PreviewQuery>) -> Answer {
    door.ask(move |app| app.preview(&code, &query)).await
}
