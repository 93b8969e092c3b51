//! Signing in and out. No cookies: a page on the web cannot make a browser say who its user is.

use app::SignedIn;
use app::views::WhoAmI;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::private;
use crate::authority::session_of;
use crate::caller::Known;
use crate::command::Command;
use crate::door::Door;
use crate::problem::{OneProblems, Problem};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The account's name.
    name: String,
    /// Its password.
    password: String,
}

/// A sign-in that goes on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// What the last answer gave.
    refresh_token: String,
}

/// Signs in: gives an access token for minutes and a refresh token for the next.
///
/// A wrong name and a wrong password get the same answer. After some that failed, the next for that name or from that address wait.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "identity", request_body = Login,
    responses((status = 200, description = "The tokens", body = SignedIn),
        (status = 401, description = "Name or password is wrong", body = Problem),
        (status = 429, description = "Too many failed; see `Retry-After`", body = Problem), OneProblems))]
pub async fn login(
    State(door): State<Door>,
    Known(calling): Known,
    Command { asked: Login { name, password }, .. }: Command<Login>,
) -> Result<Response, Problem> {
    let address = calling.address;
    let attempt = door.sign_ins().begin(&name, address).map_err(Problem::wait)?;
    match door.hash(move |app| app.login(&name, &password, address)).await {
        Ok(Ok(signed_in)) => {
            attempt.succeeded();
            private(StatusCode::OK, &signed_in)
        }
        Ok(Err(refused)) => {
            attempt.failed();
            Err(refused.into())
        }
        Err(problem) => {
            attempt.came_to_nothing();
            Err(problem)
        }
    }
}

/// Gives the next pair of tokens for a refresh token, which is good once: one that comes twice ends the sign-in.
#[utoipa::path(post, path = "/api/v1/auth/refresh", tag = "identity", request_body = Refresh,
    responses((status = 200, description = "The tokens", body = SignedIn),
        (status = 401, description = "No such token, or it was used before", body = Problem), OneProblems))]
pub async fn refresh(State(door): State<Door>, Command { asked, .. }: Command<Refresh>) -> Result<Response, Problem> {
    let refreshed = door.inspect(move |app| app.refresh(&asked.refresh_token)).await?;
    if matches!(refreshed, Err(app::Error::Reused)) {
        door.sign_ins().note_reuse();
    }
    private(StatusCode::OK, &refreshed?)
}

/// Signs out: the sign-in's tokens open nothing any more.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = "identity",
    responses((status = 204, description = "Signed out"),
        (status = 401, description = "Nobody has signed in", body = Problem), OneProblems))]
pub async fn logout(State(door): State<Door>, Known(calling): Known) -> Result<StatusCode, Problem> {
    let (account, session) = session_of(&calling.caller)?;
    door.inspect(move |app| app.logout(&account, &session)).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// Says who calls, and what they may ask for.
#[utoipa::path(get, path = "/api/v1/auth/me", tag = "identity",
    responses((status = 200, description = "Who calls", body = WhoAmI),
        (status = 401, description = "Nothing was given to be known by", body = Problem), OneProblems))]
pub async fn me(State(door): State<Door>, Known(calling): Known) -> Result<Response, Problem> {
    let rate = door.rates().rate_of(&calling);
    let who = WhoAmI::of(&calling.caller, rate);
    private(StatusCode::OK, &who.ok_or_else(|| Problem::unauthorized("nothing was given to be known by"))?)
}
