//! What people say of findings: verdicts and statements. It takes an analyst to write them; while there is no account, a program on the
//! same machine.

use app::views::{Statement, Verdict};
use app::{GiveVerdict, MakeStatement, WithdrawStatement};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::Response;

use crate::answer::{Answer, Encoded};
use crate::authority::Analyst;
use crate::command::{Command, answered};
use crate::door::Door;
use crate::params::Id;
use crate::problem::{CommandProblems, OneProblems, Problem};

/// What a request brings.
type Body<T> = Result<Json<T>, JsonRejection>;

fn read<T>(body: Body<T>) -> Result<T, Problem> {
    body.map(|Json(asked)| asked).map_err(|refused| Problem::invalid("body", refused.body_text()))
}

/// Gives a verdict on a finding.
///
/// It stands until another is given; all are kept and shown. It takes an analyst. With
/// `Idempotency-Key` it is given once, however often the request comes within 24 hours.
#[utoipa::path(post, path = "/api/v1/findings/{id}/verdict", tag = "findings", request_body = GiveVerdict,
    params(("id" = String, Path, description = "The finding's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this command")),
    responses((status = 201, description = "The verdict, which stands now", body = Verdict),
        (status = 403, description = "Not an analyst", body = Problem), OneProblems, CommandProblems))]
pub async fn give_verdict(
    Analyst(account): Analyst,
    State(door): State<Door>,
    Id(id): Id,
    Command { asked, key }: Command<GiveVerdict>,
) -> Result<Response, Problem> {
    let asked = asked.signed(account.as_ref())?;
    let answer = door.inspect(move |app| app.give_verdict(&id, &asked, key.as_ref())).await??;
    answered(StatusCode::CREATED, &answer, None)
}

/// Makes a statement to a finding, as the supplier or the buyer that it is about.
///
/// It is shown beside the finding as plain text. It takes an analyst.
#[utoipa::path(post, path = "/api/v1/findings/{id}/statements", tag = "findings", request_body = MakeStatement,
    params(("id" = String, Path, description = "The finding's id")),
    responses((status = 201, description = "The statement", body = Statement),
        (status = 403, description = "Not an analyst", body = Problem), OneProblems))]
pub async fn make_statement(
    Analyst(account): Analyst,
    State(door): State<Door>,
    Id(id): Id,
    made: Body<MakeStatement>,
) -> Result<(StatusCode, Encoded), Problem> {
    let made = read(made)?;
    let statement = door.inspect(move |app| app.make_statement(&id, &made, account.as_ref())).await??;
    Ok((StatusCode::CREATED, Encoded::json(&statement)?))
}

/// Takes a statement back, as its author: its text is shown no longer, that it was made is.
///
/// It takes an analyst.
#[utoipa::path(post, path = "/api/v1/statements/{id}/withdraw", tag = "findings", request_body = WithdrawStatement,
    params(("id" = i64, Path, description = "The statement's number")),
    responses((status = 200, description = "The statement, withdrawn", body = Statement),
        (status = 403, description = "Not an analyst", body = Problem), OneProblems))]
pub async fn withdraw_statement(
    Analyst(account): Analyst,
    State(door): State<Door>,
    Id(id): Id,
    asked: Body<WithdrawStatement>,
) -> Answer {
    let asked = read(asked)?;
    let id = id.parse().map_err(|_| Problem::not_found(format!("statement `{id}` is not held")))?;
    Encoded::json(&door.inspect(move |app| app.withdraw_statement(id, &asked, account.as_ref())).await??)
}
