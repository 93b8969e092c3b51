//! Keys and accounts over HTTP, for admins. What opens something is shown once, when it is made.

use app::identity::Role;
use app::views::{ApiKey, MadeKey, User};
use app::{ChangeUser, MakeKey};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::private;
use crate::authority::Admin;
use crate::command::Command;
use crate::door::Door;
use crate::params::Id;
use crate::problem::{CommandProblems, OneProblems, Problem};

/// The keys there are.
#[derive(Serialize, ToSchema)]
pub struct Keys {
    /// Newest first, without what opens them; at most 1,000.
    data: Vec<ApiKey>,
}

/// The accounts there are.
#[derive(Serialize, ToSchema)]
pub struct Users {
    /// By name; at most 10,000.
    data: Vec<User>,
}

/// How a key is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// Hours for which the old one still opens (at most 720; 24 if not said).
    #[serde(default = "a_day")]
    #[schema(maximum = 720)]
    overlap_hours: u32,
}

fn a_day() -> u32 {
    24
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddUser {
    /// Its name: 2 to 64 of a–z, 0–9 and ._@-.
    name: String,
    /// What it may.
    role: Role,
    /// Its password; without one, one is made and shown this once.
    #[serde(default)]
    password: Option<String>,
}

/// An account that was made.
#[derive(Serialize, ToSchema)]
pub struct AddedUser {
    #[serde(flatten)]
    user: User,
    /// The password, where it was made here: it is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Lists the keys, newest first, without what opens them.
#[utoipa::path(get, path = "/api/v1/admin/keys", tag = "identity",
    responses((status = 200, description = "The keys", body = Keys), OneProblems))]
pub async fn list_keys(_: Admin, State(door): State<Door>) -> Result<Response, Problem> {
    private(StatusCode::OK, &Keys { data: door.inspect(app::App::keys).await?? })
}

/// Makes a key; it is shown this once.
#[utoipa::path(post, path = "/api/v1/admin/keys", tag = "identity", request_body = MakeKey,
    responses((status = 201, description = "The key", body = MadeKey), OneProblems, CommandProblems))]
pub async fn make_key(
    Admin(by): Admin,
    State(door): State<Door>,
    Command { asked, .. }: Command<MakeKey>,
) -> Result<Response, Problem> {
    let made = door.inspect(move |app| app.make_key(&asked, by.as_ref())).await??;
    private(StatusCode::CREATED, &made)
}

/// Makes a key in another's place; the old one still opens for a while.
#[utoipa::path(post, path = "/api/v1/admin/keys/{id}/rotate", tag = "identity", request_body = RotateKey,
    params(("id" = String, Path, description = "The old key's id")),
    responses((status = 201, description = "The new key", body = MadeKey), OneProblems, CommandProblems))]
pub async fn rotate_key(
    Admin(by): Admin,
    State(door): State<Door>,
    Id(id): Id,
    Command { asked, .. }: Command<RotateKey>,
) -> Result<Response, Problem> {
    let made = door.inspect(move |app| app.rotate_key(&id, asked.overlap_hours, by.as_ref())).await??;
    private(StatusCode::CREATED, &made)
}

/// Lets a key open nothing any more.
#[utoipa::path(post, path = "/api/v1/admin/keys/{id}/revoke", tag = "identity",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 200, description = "The key", body = ApiKey), OneProblems))]
pub async fn revoke_key(Admin(by): Admin, State(door): State<Door>, Id(id): Id) -> Result<Response, Problem> {
    private(StatusCode::OK, &door.inspect(move |app| app.revoke_key(&id, by.as_ref())).await??)
}

/// Lists the accounts, by name.
#[utoipa::path(get, path = "/api/v1/admin/users", tag = "identity",
    responses((status = 200, description = "The accounts", body = Users), OneProblems))]
pub async fn list_users(_: Admin, State(door): State<Door>) -> Result<Response, Problem> {
    private(StatusCode::OK, &Users { data: door.inspect(app::App::users).await?? })
}

/// Makes an account.
#[utoipa::path(post, path = "/api/v1/admin/users", tag = "identity", request_body = AddUser,
    responses((status = 201, description = "The account", body = AddedUser), OneProblems, CommandProblems))]
pub async fn add_user(
    Admin(by): Admin,
    State(door): State<Door>,
    Command { asked, .. }: Command<AddUser>,
) -> Result<Response, Problem> {
    let AddUser { name, role, password } = asked;
    let made = if password.is_none() { Some(app::make_password()?) } else { None };
    let opens = password.or_else(|| made.clone()).unwrap_or_default();
    let user = door.hash(move |app| app.add_user(&name, role, &opens, by.as_ref())).await??;
    private(StatusCode::CREATED, &AddedUser { user, password: made })
}

/// Changes an account. Nobody closes their own or takes their own role: that is for another admin.
#[utoipa::path(patch, path = "/api/v1/admin/users/{name}", tag = "identity", request_body = ChangeUser,
    params(("name" = String, Path, description = "The account's name")),
    responses((status = 200, description = "The account", body = User), OneProblems, CommandProblems))]
pub async fn change_user(
    Admin(by): Admin,
    State(door): State<Door>,
    Id(name): Id,
    Command { asked, .. }: Command<ChangeUser>,
) -> Result<Response, Problem> {
    private(StatusCode::OK, &door.hash(move |app| app.change_user(&name, &asked, by.as_ref())).await??)
}
