//! API keys: made, replaced, revoked, and opened with.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use events::{Expected, NewEvent, Unit};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use store::identity::{self, KeyRow, NewKey};
use utoipa::ToSchema;

use super::said;
use crate::identity::{Account, Caller, OpenedBy, Rate, Scope, Tier};
use crate::secret::{Secret, hash_of, make_id};
use crate::views::{ApiKey, MadeKey};
use crate::{App, Error, Result};

/// What a key starts with.
pub(crate) const KEY_PREFIX: &str = "cid_";
/// The most characters of a key's name.
const NAME_CHARS_MAX: usize = 100;
/// The most hours for which a replaced key still opens.
const OVERLAP_HOURS_MAX: u32 = 720;
/// The most keys that are listed.
const LISTED_MAX: usize = 1_000;

/// A key that someone wants.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeKey {
    /// What it is for (at most 100 characters).
    #[schema(max_length = 100)]
    pub name: String,
    /// How much it may ask for.
    pub tier: Tier,
    /// What it opens; nothing means reading and asking for investigations.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// Until when: a day (`2027-01-31`, its end), days from now (`90d`) or an instant.
    #[serde(default)]
    pub expires: Option<String>,
    /// Limits of its own instead of its tier's, such as `5/s burst 10, 50/min`.
    #[serde(default, deserialize_with = "rate_from_text")]
    #[schema(value_type = Option<String>)]
    pub rate: Option<Rate>,
    /// The account that it acts for, by name.
    #[serde(default)]
    pub user: Option<String>,
}

impl App {
    /// Makes a key; it is shown this once.
    ///
    /// # Errors
    /// A name, an expiry or an account that cannot be; a scope that needs an account, without one.
    pub fn make_key(&self, asked: &MakeKey, by: Option<&Account>) -> Result<MadeKey> {
        let name = said::line("name", &asked.name, NAME_CHARS_MAX)?;
        let expires_at = asked.expires.as_deref().map(until).transpose()?;
        if asked.tier == Tier::Anonymous {
            return Err(Error::invalid(
                "tier",
                "a key has a tier of its own: free, basic, pro, enterprise or unlimited",
            ));
        }
        let default = [Scope::Read, Scope::Investigate];
        let scopes = if asked.scopes.is_empty() { &default[..] } else { &asked.scopes };
        let user = asked.user.as_deref().map(|name| self.account_named(name)).transpose()?;
        for scope in scopes.iter().filter(|scope| scope.role().is_some()) {
            if user.as_ref().is_none_or(|user| Some(user.role) < scope.role()) {
                let because = format!("`{}` needs an account of that role: name it with `--user`", scope.code());
                return Err(Error::invalid("scope", because));
            }
        }
        let (secret, id) = (Secret::make(KEY_PREFIX)?, make_id("key_")?);
        let rate = asked.rate.map(|rate| rate.to_string());
        let new = NewKey {
            id: &id,
            hash: &secret.hash(),
            prefix: secret.start(),
            name: &name,
            tier: asked.tier.code(),
            scopes: &scopes.iter().map(|scope| scope.code()).collect::<Vec<_>>().join(" "),
            user_id: user.as_ref().map(|user| user.id.as_str()),
            rate: rate.as_deref(),
            created_at: &model::dates::now_text(),
            expires_at: expires_at.as_deref(),
        };
        let row = self.decide(|unit| add(unit, &new, None, by))?;
        Ok(MadeKey { key: secret.shown(), about: ApiKey::from(row) })
    }

    /// Every key, newest first, without what opens it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn keys(&self) -> Result<Vec<ApiKey>> {
        Ok(self.store().keys(LISTED_MAX)?.into_iter().map(ApiKey::from).collect())
    }

    /// Makes a key in another's place, which opens for `overlap_hours` more.
    ///
    /// # Errors
    /// No such key; it is revoked, expired or replaced already.
    pub fn rotate_key(&self, id: &str, overlap_hours: u32, by: Option<&Account>) -> Result<MadeKey> {
        if overlap_hours > OVERLAP_HOURS_MAX {
            return Err(Error::invalid("overlap", format!("at most {OVERLAP_HOURS_MAX} hours")));
        }
        let (secret, new_id) = (Secret::make(KEY_PREFIX)?, make_id("key_")?);
        let row = self.decide(|unit| {
            let old = identity::key(unit.db(), id)?.ok_or_else(|| Error::not_found("key", id))?;
            let now = Utc::now();
            if let Some(because) = shut(&old, &model::dates::at_text(now)) {
                return Err(Error::Conflict(format!("key `{id}` {because}: make a new one")));
            }
            if let Some(by) = &old.rotated_into {
                return Err(Error::Conflict(format!("key `{id}` was replaced by `{by}` already")));
            }
            let until = model::dates::at_text(now + TimeDelta::hours(overlap_hours.into()));
            let until = old.expires_at.clone().filter(|expires| *expires < until).unwrap_or(until);
            let new = NewKey {
                id: &new_id,
                hash: &secret.hash(),
                prefix: secret.start(),
                name: &old.name,
                tier: &old.tier,
                scopes: &old.scopes,
                user_id: old.user.as_ref().map(|user| user.id.as_str()),
                rate: old.rate.as_deref(),
                created_at: &model::dates::at_text(now),
                expires_at: old.expires_at.as_deref(),
            };
            identity::replace_key(unit.db(), id, &new_id, &until)?;
            tell(unit, id, "key.rotated", json!({"into": new_id, "opens_until": until, "by": said::by(by)}))?;
            add(unit, &new, Some(id), by)
        })?;
        Ok(MadeKey { key: secret.shown(), about: ApiKey::from(row) })
    }

    /// Revokes a key: it opens nothing from now on.
    ///
    /// # Errors
    /// No such key.
    pub fn revoke_key(&self, id: &str, by: Option<&Account>) -> Result<ApiKey> {
        let row = self.decide(|unit| {
            let held = identity::key(unit.db(), id)?.ok_or_else(|| Error::not_found("key", id))?;
            if held.revoked_at.is_none() {
                identity::revoke_key(unit.db(), id, &model::dates::now_text())?;
                tell(unit, id, "key.revoked", json!({"by": said::by(by)}))?;
            }
            identity::key(unit.db(), id)?.ok_or_else(|| Error::not_found("key", id))
        })?;
        Ok(row.into())
    }

    /// Who calls with this key.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it is none, or opens nothing any more.
    pub fn caller_by_key(&self, given: &str) -> Result<Caller> {
        let unknown = |because| Error::Unknown(format!("this API key {because}"));
        let hash = hash_of(KEY_PREFIX, given).ok_or_else(|| unknown("is not one of ours"))?;
        let row = self.store().key_hashed(&hash)?.ok_or_else(|| unknown("is not one of ours"))?;
        if let Some(because) = shut(&row, &model::dates::now_text()) {
            return Err(unknown(because));
        }
        caller_of(row)
    }
}

fn add(unit: &mut dyn Unit, new: &NewKey<'_>, replaces: Option<&str>, by: Option<&Account>) -> Result<KeyRow> {
    identity::add_key(unit.db(), new)?;
    let about = json!({"prefix": new.prefix, "name": new.name, "tier": new.tier, "scopes": new.scopes, "user_id": new.user_id,
        "rate": new.rate, "expires_at": new.expires_at, "replaces": replaces, "by": said::by(by)});
    tell(unit, new.id, "key.created", about)?;
    identity::key(unit.db(), new.id)?.ok_or_else(|| Error::not_found("key", new.id))
}

fn tell(unit: &mut dyn Unit, id: &str, kind: &'static str, about: serde_json::Value) -> Result<()> {
    unit.append(&format!("key:{id}"), Expected::Any, &[NewEvent::new(kind, about)])?;
    Ok(())
}

/// Why a key opens nothing, if it does not.
fn shut(row: &KeyRow, now: &str) -> Option<&'static str> {
    if row.revoked_at.is_some() {
        Some("was revoked")
    } else if row.expires_at.as_deref().is_some_and(|expires| expires <= now) {
        Some("has expired")
    } else if row.user.as_ref().is_some_and(|user| user.disabled_at.is_some()) {
        Some("is of an account that was closed")
    } else {
        None
    }
}

fn caller_of(row: KeyRow) -> Result<Caller> {
    let scopes = row.scopes.split(' ').map(str::parse).collect::<Result<_>>()?;
    let rate = row.rate.as_deref().map(str::parse).transpose()?;
    let account = row.user.map(Account::try_from).transpose()?;
    let key = OpenedBy { id: row.id, scopes, rate };
    Ok(Caller { account, key: Some(key), session: None, tier: row.tier.parse()? })
}

fn rate_from_text<'de, D: Deserializer<'de>>(text: D) -> std::result::Result<Option<Rate>, D::Error> {
    let text = Option::<String>::deserialize(text)?;
    text.map(|text| text.parse().map_err(|e: Error| D::Error::custom(e.to_string()))).transpose()
}

/// The instant that `text` names: the end of a day, days from now, or an instant.
fn until(text: &str) -> Result<String> {
    let refused = || {
        Error::invalid("expires", "must be a day to come (2027-01-31), days from now (90d) or an instant (RFC 3339)")
    };
    let now = Utc::now();
    let at: DateTime<Utc> = if let Some(days) = text.strip_suffix('d') {
        let days: u64 = days.parse().map_err(|_| refused())?;
        now.checked_add_days(Days::new(days)).filter(|_| days > 0).ok_or_else(refused)?
    } else if let Ok(day) = text.parse::<NaiveDate>() {
        let next = day.succ_opt().and_then(|next| next.and_hms_opt(0, 0, 0)).ok_or_else(refused)?;
        next.and_local_timezone(model::dates::brasilia()).single().ok_or_else(refused)?.to_utc()
    } else {
        model::dates::parse_instant(text).map_err(|_| refused())?
    };
    if at > now { Ok(model::dates::at_text(at)) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_lies_ahead() {
        for text in ["1d", "3650d", "2999-12-31", "2999-12-31T23:59:59-03:00"] {
            assert!(until(text).is_ok(), "{text}");
        }
        assert!(until("2999-12-31").unwrap().starts_with("3000-01-01T00:00:00"));
        for text in ["", "d", "0d", "-1d", "2020-01-01", "2020-01-01T00:00:00Z", "tomorrow", "99999999999999999999d"] {
            assert!(until(text).is_err(), "{text}");
        }
    }
}
