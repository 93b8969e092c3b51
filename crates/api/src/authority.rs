//! Who may do what changes things. The one rule:
//!
//! - who has signed in, or gives a key, may what the account's role and the key's scopes allow ([`Caller::acting`]);
//! - who gives nothing may nothing, once there is any account;
//! - while there is none, a program on this machine may everything, over loopback ([`Operator`]).

use app::identity::{Account, Caller, Scope};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::caller::Calling;
use crate::door::Door;
use crate::operator::Operator;
use crate::problem::Problem;

/// One who may run the installation: an account, or the machine's operator while there is none.
pub struct Admin(pub Option<Account>);

/// One who may give verdicts, record statements and stop investigations: an account, or the machine's operator while there is none.
pub struct Analyst(pub Option<Account>);

/// One who may ask for investigations: anyone whose key, if it is a key, opens that.
pub struct Asker(pub Option<Account>);

impl FromRequestParts<Door> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        authorise(parts, door, Scope::Admin).await.map(Self)
    }
}

impl FromRequestParts<Door> for Analyst {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        authorise(parts, door, Scope::Verdict).await.map(Self)
    }
}

impl FromRequestParts<Door> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Door) -> Result<Self, Problem> {
        let caller = Calling::of(&parts.extensions).caller;
        if !caller.is_open_to(Scope::Investigate) {
            return Err(Problem::forbidden("this key does not open `investigate`"));
        }
        Ok(Self(caller.account.clone()))
    }
}

async fn authorise(parts: &mut Parts, door: &Door, scope: Scope) -> Result<Option<Account>, Problem> {
    let caller = Calling::of(&parts.extensions).caller;
    if caller.account.is_none() && caller.key.is_none() {
        if door.inspect(app::App::has_users).await?? {
            return Err(Problem::unauthorized("this needs an account: sign in at /api/v1/auth/login"));
        }
        return Operator::from_request_parts(parts, door).await.map(|_| None);
    }
    match caller.acting(scope) {
        Some(account) => Ok(Some(account.clone())),
        None => Err(Problem::forbidden(match scope {
            Scope::Admin => "this needs an admin, and of a key the scope `admin`",
            Scope::Verdict | Scope::Read | Scope::Investigate => {
                "this needs an analyst, and of a key the scope `verdict`"
            }
        })),
    }
}

/// Whether a request is the machine's operator's, who counts while there is no account.
pub async fn is_operator(parts: &mut Parts) -> bool {
    Operator::from_request_parts(parts, &()).await.is_ok()
}

/// Whether a caller, who was told from the machine's operator before, may run the installation.
pub async fn may_run(door: &Door, caller: &Caller, is_operator: bool) -> Result<(), Problem> {
    if caller.account.is_none() && caller.key.is_none() {
        if door.inspect(app::App::has_users).await?? {
            return Err(Problem::unauthorized("this needs an account: send `authenticate` first"));
        }
        let refused = || Problem::forbidden("only a program on this machine may ask this, over loopback");
        return is_operator.then_some(()).ok_or_else(refused);
    }
    let refused = || Problem::forbidden("this needs an admin, and of a key the scope `admin`");
    caller.acting(Scope::Admin).map(|_| ()).ok_or_else(refused)
}

/// Whether a caller may read what is public: all may, but for a key that does not open it.
pub fn may_read(caller: &Caller) -> Result<(), Problem> {
    let refused = || Problem::forbidden("this key does not open `read`");
    caller.is_open_to(Scope::Read).then_some(()).ok_or_else(refused)
}

/// The account and the sign-in of who has signed in.
pub fn session_of(caller: &Caller) -> Result<(Account, String), Problem> {
    let signed_in = caller.account.clone().zip(caller.session.clone());
    signed_in.ok_or_else(|| Problem::unauthorized("nobody has signed in: Authorization must have an access token"))
}
