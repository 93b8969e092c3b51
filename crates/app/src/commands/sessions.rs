//! Signing in and out: an access token for minutes, and a refresh token that is replaced each time it is used.
//!
//! A refresh token is good once. One that comes a second time was copied, and whoever has the copy may have been first: the whole
//! sign-in ends, for both.

use std::net::IpAddr;

use chrono::{TimeDelta, Utc};
use events::{Expected, NewEvent, Unit};
use ipnet::IpNet;
use serde::Serialize;
use serde_json::json;
use store::identity;
use utoipa::ToSchema;

use super::users::tell;
use crate::identity::{Account, Caller, Role};
use crate::passwords;
use crate::secret::{Secret, hash_of, make_id};
use crate::{App, Error, Result};

/// What a refresh token starts with.
const REFRESH_PREFIX: &str = "cir_";
/// The most characters of a name that is looked for.
const NAME_CHARS_MAX: usize = 64;

/// What one who has signed in gets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SignedIn {
    /// Send it as `Authorization: Bearer …`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: &'static str,
    /// Seconds for which the access token is good.
    pub expires_in: u64,
    /// Gives the next pair, once.
    pub refresh_token: String,
    /// The account's name.
    pub name: String,
    /// What it may.
    pub role: Role,
}

/// What became of a refresh token.
enum Refreshed {
    Next(Account, String),
    Unknown,
    Reused,
}

impl App {
    /// Signs in.
    ///
    /// # Errors
    /// [`Error::Unknown`], in the same words and after the same time whether the account, the password or neither is right.
    pub fn login(&self, name: &str, password: &str, from: Option<IpAddr>) -> Result<SignedIn> {
        let name: String = name.chars().take(NAME_CHARS_MAX + 1).collect();
        let held = self.store().read(|db| identity::user_named(db, &name))?;
        let is_right = passwords::is_right(password, held.as_ref().map(|(_, kept)| kept.as_str()));
        let held = held.map(|(user, _)| user);
        let network = from.map(network_of);
        let Some(user) = held.clone().filter(|user| is_right && user.disabled_at.is_none()) else {
            self.decide(|unit| match &held {
                Some(user) => tell(unit, &user.id, "login.failed", json!({"from": network})),
                // A name that is nobody's may be a password in the wrong field.
                None => {
                    let event = NewEvent::new("login.failed", json!({"from": network}));
                    unit.append("logins", Expected::Any, &[event]).map(drop).map_err(Error::from)
                }
            })?;
            return Err(Error::Unknown("name or password is wrong".to_owned()));
        };
        let account = Account::try_from(user)?;
        let (session, refresh) = (make_id("ses_")?, Secret::make(REFRESH_PREFIX)?);
        self.decide(|unit| {
            let now = Utc::now();
            let days = i64::try_from(self.now().identity.session_days).unwrap_or(1);
            let (at, until) = (model::dates::at_text(now), model::dates::at_text(now + TimeDelta::days(days)));
            identity::add_session(unit.db(), &session, &account.id, &at, &until)?;
            identity::add_token(unit.db(), &refresh.hash(), &session, &at)?;
            tell(unit, &account.id, "login.ok", json!({"session": session, "from": network}))
        })?;
        self.signed_in(account, &session, refresh)
    }

    /// Gives the next pair of tokens for a refresh token.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is none, or of a sign-in that has ended; [`Error::Reused`] when it came before, and the sign-in ends.
    pub fn refresh(&self, given: &str) -> Result<SignedIn> {
        let unknown =
            || Error::Unknown("this refresh token is none, or its sign-in has ended: sign in again".to_owned());
        let hash = hash_of(REFRESH_PREFIX, given).ok_or_else(unknown)?;
        let next = Secret::make(REFRESH_PREFIX)?;
        match self.decide(|unit| use_refresh(unit, &hash, &next.hash()))? {
            Refreshed::Next(account, session) => self.signed_in(account, &session, next),
            Refreshed::Unknown => Err(unknown()),
            Refreshed::Reused => Err(Error::Reused),
        }
    }

    /// Signs out: the sign-in's tokens open nothing from now on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn logout(&self, account: &Account, session: &str) -> Result<()> {
        self.decide(|unit| {
            identity::end_session(unit.db(), session, &model::dates::now_text(), "logout")?;
            tell(unit, &account.id, "session.ended", json!({"session": session}))
        })
    }

    /// Who calls with this access token.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is not ours, has run out, or its sign-in has ended.
    pub fn caller_by_token(&self, token: &str) -> Result<Caller> {
        let unknown =
            || Error::Unknown("this access token is not good, or no longer: refresh it or sign in".to_owned());
        let (user, session) = self.tokens()?.read(token).ok_or_else(unknown)?;
        let held = self.store().session(&session)?.filter(|held| held.user.id == user).ok_or_else(unknown)?;
        if is_over(&held, &model::dates::now_text()) {
            return Err(unknown());
        }
        let account = Account::try_from(held.user)?;
        let tier = account.role.tier();
        Ok(Caller { account: Some(account), key: None, session: Some(session), tier })
    }

    fn signed_in(&self, account: Account, session: &str, refresh: Secret) -> Result<SignedIn> {
        let expires_in = self.now().identity.access_minutes * 60;
        Ok(SignedIn {
            access_token: self.tokens()?.make(&account.id, session, expires_in)?,
            token_type: "Bearer",
            expires_in,
            refresh_token: refresh.shown(),
            name: account.name,
            role: account.role,
        })
    }
}

/// Uses a refresh token and puts the next in its place; one that was used before ends its sign-in.
fn use_refresh(unit: &mut dyn Unit, hash: &str, next: &str) -> Result<Refreshed> {
    let now = model::dates::now_text();
    let Some((session, is_used)) = identity::token(unit.db(), hash)? else { return Ok(Refreshed::Unknown) };
    let Some(held) = identity::session(unit.db(), &session)? else { return Ok(Refreshed::Unknown) };
    if is_over(&held, &now) {
        return Ok(Refreshed::Unknown);
    }
    if is_used {
        identity::end_session(unit.db(), &session, &now, "reused")?;
        tell(unit, &held.user.id, "session.reused", json!({"session": session}))?;
        return Ok(Refreshed::Reused);
    }
    identity::use_token(unit.db(), hash, &now)?;
    identity::add_token(unit.db(), next, &session, &now)?;
    Ok(Refreshed::Next(held.user.try_into()?, session))
}

fn is_over(held: &identity::SessionRow, now: &str) -> bool {
    held.ended_at.is_some() || held.expires_at.as_str() <= now || held.user.disabled_at.is_some()
}

/// The network of an address: enough to see where an attack comes from, in a log out of which nothing can be taken again.
fn network_of(address: IpAddr) -> String {
    let bits = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, bits).map_or_else(|_| String::new(), |network| network.trunc().to_string())
}
