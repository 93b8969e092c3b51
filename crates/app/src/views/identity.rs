//! Accounts and keys as they are shown: never with what opens them, but for a key that was made just now.

use serde::Serialize;
use store::identity::{KeyRow, UserRow};
use utoipa::ToSchema;

use crate::identity::{Account, Caller, Rate, Role, Scope, Tier};
use crate::{Error, Result};

/// An API key, without what opens it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ApiKey {
    /// Its id, by which it is replaced and revoked.
    pub id: String,
    /// Its first characters, to tell it by.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// How much it may ask for.
    pub tier: String,
    /// Limits of its own instead of its tier's.
    pub rate: Option<String>,
    /// What it opens.
    pub scopes: Vec<String>,
    /// The account that it acts for.
    pub user: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// Until when it opens.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// The key in its place.
    pub rotated_into: Option<String>,
}

/// A key that was made just now, with what opens it: it is shown this once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MadeKey {
    /// What opens: send it as `X-API-Key`.
    pub key: String,
    /// What there is to say of it.
    #[serde(flatten)]
    pub about: ApiKey,
}

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: String,
    /// Its name, with which it signs in and under which it signs.
    pub name: String,
    /// `reader`, `analyst` or `admin`.
    pub role: String,
    /// When it was made.
    pub created_at: String,
    /// When it was closed.
    pub disabled_at: Option<String>,
}

impl From<KeyRow> for ApiKey {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            prefix: row.prefix,
            name: row.name,
            tier: row.tier,
            rate: row.rate,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            user: row.user.map(|user| user.name),
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            rotated_into: row.rotated_into,
        }
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self { id: row.id, name: row.name, role: row.role, created_at: row.created_at, disabled_at: row.disabled_at }
    }
}

impl TryFrom<UserRow> for Account {
    type Error = Error;

    fn try_from(row: UserRow) -> Result<Self> {
        let role: Role = row.role.parse()?;
        Ok(Self { id: row.id, name: row.name, role })
    }
}

/// Who calls, as the program sees them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WhoAmI {
    /// The account's name, of who has one.
    pub name: Option<String>,
    /// What the account may.
    pub role: Option<Role>,
    /// The key's id, of who gave one.
    pub key: Option<String>,
    /// What the key opens.
    pub scopes: Option<Vec<Scope>>,
    /// How much may be asked for.
    pub tier: Tier,
    /// The same in figures; null for no limit.
    pub rate: Option<String>,
}

impl WhoAmI {
    /// Of a caller who may ask for so much; nothing for one who gave nothing to be known by.
    #[must_use]
    pub fn of(caller: &Caller, rate: Option<Rate>) -> Option<Self> {
        if caller.account.is_none() && caller.key.is_none() {
            return None;
        }
        Some(Self {
            name: caller.account.as_ref().map(|account| account.name.clone()),
            role: caller.account.as_ref().map(|account| account.role),
            key: caller.key.as_ref().map(|key| key.id.clone()),
            scopes: caller.key.as_ref().map(|key| key.scopes.clone()),
            tier: caller.tier,
            rate: rate.map(|rate| rate.to_string()),
        })
    }
}
