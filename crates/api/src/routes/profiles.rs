//! Profiles of this process, for admins: where its time goes, and where it asks for memory.
//!
//! The answer's head goes out at once and its body when the profile is made, so that no limit on the time of a request cuts it off.

use std::io;
use std::time::Duration;

use app::{ProfileForm, Profiling, SECONDS_MAX};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::authority::Admin;
use crate::door::Door;
use crate::params::{Filtered, FromParams, Params};
use crate::problem::{CommandProblems, ListProblems, Problem};

/// Seconds that a profile takes when nothing is said.
const SECONDS: u64 = 10;

/// How long to look, and what to make of it.
pub struct ProfileQuery {
    wait: Duration,
    form: ProfileForm,
}

impl FromParams for ProfileQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        let seconds = params.text("seconds")?.map_or(Some(SECONDS), |text| text.parse().ok());
        let seconds = seconds.filter(|seconds| (1..=SECONDS_MAX).contains(seconds));
        let refused = || Problem::invalid("seconds", format!("not a whole number from 1 to {SECONDS_MAX}"));
        let form = match params.text("format")?.as_deref() {
            None | Some("svg") => ProfileForm::Svg,
            Some("pprof") => ProfileForm::Pprof,
            Some(_) => return Err(Problem::invalid("format", "must be svg or pprof")),
        };
        Ok(Self { wait: Duration::from_secs(seconds.ok_or_else(refused)?), form })
    }
}

/// Shows where this process's processor time goes, for some seconds from now on. One profile is made at a time.
#[utoipa::path(get, path = "/api/v1/admin/profile/cpu", tag = "admin",
    params(("seconds" = Option<u64>, Query, description = "1 to 60; 10"), ("format" = Option<String>, Query, description = "`svg`, a flame graph, or `pprof`")),
    responses((status = 200, description = "The profile", body = Vec<u8>, content_type = "image/svg+xml"), ListProblems, CommandProblems))]
pub async fn profile_cpu(
    _: Admin,
    State(door): State<Door>,
    Filtered(query): Filtered<ProfileQuery>,
) -> Result<Response, Problem> {
    let begun = door.inspect(|_| Profiling::of_cpu()).await??;
    Ok(written(door, begun, query, "cpu"))
}

/// Shows where this process asks for memory, for some seconds from now on, and what of it is still held. One profile is made at a time.
#[utoipa::path(get, path = "/api/v1/admin/profile/memory", tag = "admin",
    params(("seconds" = Option<u64>, Query, description = "1 to 60; 10"), ("format" = Option<String>, Query, description = "`svg`, a flame graph of what is still held, or `pprof`")),
    responses((status = 200, description = "The profile", body = Vec<u8>, content_type = "image/svg+xml"), ListProblems, CommandProblems))]
pub async fn profile_memory(
    _: Admin,
    State(door): State<Door>,
    Filtered(query): Filtered<ProfileQuery>,
) -> Result<Response, Problem> {
    let begun = door.inspect(|_| Profiling::of_memory()).await??;
    Ok(written(door, begun, query, "memory"))
}

fn written(door: Door, begun: Profiling, ProfileQuery { wait, form }: ProfileQuery, of: &str) -> Response {
    let (kind, ending) = match form {
        ProfileForm::Svg => ("image/svg+xml", "svg"),
        ProfileForm::Pprof => ("application/octet-stream", "pb.gz"),
    };
    let name = format!("inline; filename=\"{of}.{ending}\"");
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store"), (CONTENT_DISPOSITION, name.as_str())];
    let made = async move {
        // Who goes away meanwhile ends it.
        tokio::time::sleep(wait).await;
        let made = door.inspect(move |_| begun.end(form)).await;
        made.map_err(|_| io::Error::other("the profile was broken off"))?.map_err(|error| {
            tracing::error!(%error, "a profile could not be written");
            io::Error::other("the profile could not be written")
        })
    };
    (headers, Body::from_stream(stream::once(made))).into_response()
}
