//! Who calls: API keys, accounts, sign-ins and their refresh tokens.
//!
//! What writes takes the caller's transaction, so that a change and the event that tells of it are one. Secrets never come here:
//! keys and tokens come as their hash, passwords as the text of Argon2.

use rusqlite::params;

use crate::db::{Db, OptionalExtension, Row};
use crate::{Result, Store};

/// An API key, with the account that it acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct KeyRow {
    pub id: String,
    pub prefix: String,
    pub name: String,
    pub tier: String,
    pub scopes: String,
    pub rate: Option<String>,
    pub created_at: String,
    pub expires_at: Option<String>,
    pub revoked_at: Option<String>,
    pub rotated_into: Option<String>,
    pub user: Option<UserRow>,
}

/// A key that is made now.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct NewKey<'a> {
    pub id: &'a str,
    pub hash: &'a str,
    pub prefix: &'a str,
    pub name: &'a str,
    pub tier: &'a str,
    pub scopes: &'a str,
    pub user_id: Option<&'a str>,
    pub rate: Option<&'a str>,
    pub created_at: &'a str,
    pub expires_at: Option<&'a str>,
}

/// An account, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct UserRow {
    pub id: String,
    pub name: String,
    pub role: String,
    pub created_at: String,
    pub disabled_at: Option<String>,
}

/// A sign-in, with its account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct SessionRow {
    pub id: String,
    pub expires_at: String,
    pub ended_at: Option<String>,
    pub user: UserRow,
}

const KEYS: &str =
    "select k.id, k.prefix, k.name, k.tier, k.scopes, k.rate, k.created_at, k.expires_at, k.revoked_at, k.rotated_into,
     u.id, u.name, u.role, u.created_at, u.disabled_at from api_keys k left join users u on u.id = k.user_id";
const USERS: &str = "select id, name, role, created_at, disabled_at from users";
const SESSIONS: &str = "select s.id, s.expires_at, s.ended_at, u.id, u.name, u.role, u.created_at, u.disabled_at
     from sessions s join users u on u.id = s.user_id";

fn user_from(row: &Row<'_>, first: usize) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        id: row.get(first)?,
        name: row.get(first + 1)?,
        role: row.get(first + 2)?,
        created_at: row.get(first + 3)?,
        disabled_at: row.get(first + 4)?,
    })
}

fn key_from(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    let user: Option<String> = row.get(10)?;
    Ok(KeyRow {
        id: row.get(0)?,
        prefix: row.get(1)?,
        name: row.get(2)?,
        tier: row.get(3)?,
        scopes: row.get(4)?,
        rate: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        revoked_at: row.get(8)?,
        rotated_into: row.get(9)?,
        user: user.map(|_| user_from(row, 10)).transpose()?,
    })
}

fn session_from(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow { id: row.get(0)?, expires_at: row.get(1)?, ended_at: row.get(2)?, user: user_from(row, 3)? })
}

/// Adds a key.
///
/// # Errors
/// The database cannot be written.
pub fn add_key(db: &Db, key: &NewKey<'_>) -> Result<()> {
    db.prepare(
        "insert into api_keys (id, hash, prefix, name, tier, scopes, user_id, rate, created_at, expires_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        key.id,
        key.hash,
        key.prefix,
        key.name,
        key.tier,
        key.scopes,
        key.user_id,
        key.rate,
        key.created_at,
        key.expires_at
    ])?;
    Ok(())
}

/// A key by its id.
///
/// # Errors
/// The database cannot be read.
pub fn key(db: &Db, id: &str) -> Result<Option<KeyRow>> {
    db.prepare(&format!("{KEYS} where k.id = ?1"))?.query_row([id], key_from).optional()
}

/// Revokes a key.
///
/// # Errors
/// The database cannot be written.
pub fn revoke_key(db: &Db, id: &str, at: &str) -> Result<()> {
    db.prepare("update api_keys set revoked_at = ?2 where id = ?1 and revoked_at is null")?.execute(params![id, at])?;
    Ok(())
}

/// Notes by which key another was replaced, and until when it still opens.
///
/// # Errors
/// The database cannot be written.
pub fn replace_key(db: &Db, id: &str, by: &str, until: &str) -> Result<()> {
    db.prepare("update api_keys set rotated_into = ?2, expires_at = ?3 where id = ?1")?
        .execute(params![id, by, until])?;
    Ok(())
}

/// An account by its name, with its password's text.
///
/// # Errors
/// The database cannot be read.
pub fn user_named(db: &Db, name: &str) -> Result<Option<(UserRow, String)>> {
    let sql = "select id, name, role, created_at, disabled_at, password from users where name = ?1";
    db.prepare(sql)?.query_row([name], |row| Ok((user_from(row, 0)?, row.get(5)?))).optional()
}

/// Adds an account.
///
/// # Errors
/// The database cannot be written.
pub fn add_user(db: &Db, user: &UserRow, password: &str) -> Result<()> {
    db.prepare("insert into users (id, name, role, password, created_at) values (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![user.id, user.name, user.role, password, user.created_at])?;
    Ok(())
}

/// Gives an account another role.
///
/// # Errors
/// The database cannot be written.
pub fn set_role(db: &Db, id: &str, role: &str) -> Result<()> {
    db.prepare("update users set role = ?2 where id = ?1")?.execute(params![id, role])?;
    Ok(())
}

/// Gives an account another password.
///
/// # Errors
/// The database cannot be written.
pub fn set_password(db: &Db, id: &str, password: &str) -> Result<()> {
    db.prepare("update users set password = ?2 where id = ?1")?.execute(params![id, password])?;
    Ok(())
}

/// Closes an account at `at`, or opens it again.
///
/// # Errors
/// The database cannot be written.
pub fn set_disabled(db: &Db, id: &str, at: Option<&str>) -> Result<()> {
    db.prepare("update users set disabled_at = ?2 where id = ?1")?.execute(params![id, at])?;
    Ok(())
}

/// Begins a sign-in; those of the account that are over by `now` are forgotten.
///
/// # Errors
/// The database cannot be written.
pub fn add_session(db: &Db, id: &str, user_id: &str, now: &str, expires_at: &str) -> Result<()> {
    let over = "user_id = ?1 and expires_at < ?2";
    db.prepare(&format!("delete from refresh_tokens where session_id in (select id from sessions where {over})"))?
        .execute(params![user_id, now])?;
    db.prepare(&format!("delete from sessions where {over}"))?.execute(params![user_id, now])?;
    db.prepare("insert into sessions (id, user_id, created_at, expires_at) values (?1, ?2, ?3, ?4)")?
        .execute(params![id, user_id, now, expires_at])?;
    Ok(())
}

/// A sign-in by its id.
///
/// # Errors
/// The database cannot be read.
pub fn session(db: &Db, id: &str) -> Result<Option<SessionRow>> {
    db.prepare(&format!("{SESSIONS} where s.id = ?1"))?.query_row([id], session_from).optional()
}

/// Ends a sign-in; one that has ended stays as it is.
///
/// # Errors
/// The database cannot be written.
pub fn end_session(db: &Db, id: &str, at: &str, because: &str) -> Result<()> {
    db.prepare("update sessions set ended_at = ?2, ended_because = ?3 where id = ?1 and ended_at is null")?
        .execute(params![id, at, because])?;
    Ok(())
}

/// Ends every sign-in of an account.
///
/// # Errors
/// The database cannot be written.
pub fn end_sessions_of(db: &Db, user_id: &str, at: &str, because: &str) -> Result<()> {
    db.prepare("update sessions set ended_at = ?2, ended_because = ?3 where user_id = ?1 and ended_at is null")?
        .execute(params![user_id, at, because])?;
    Ok(())
}

/// Adds a refresh token to a sign-in.
///
/// # Errors
/// The database cannot be written.
pub fn add_token(db: &Db, hash: &str, session_id: &str, at: &str) -> Result<()> {
    db.prepare("insert into refresh_tokens (hash, session_id, created_at) values (?1, ?2, ?3)")?
        .execute(params![hash, session_id, at])?;
    Ok(())
}

/// The sign-in of a refresh token, and whether the token was used.
///
/// # Errors
/// The database cannot be read.
pub fn token(db: &Db, hash: &str) -> Result<Option<(String, bool)>> {
    let sql = "select session_id, used_at is not null from refresh_tokens where hash = ?1";
    db.prepare(sql)?.query_row([hash], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Marks a refresh token as used.
///
/// # Errors
/// The database cannot be written.
pub fn use_token(db: &Db, hash: &str, at: &str) -> Result<()> {
    db.prepare("update refresh_tokens set used_at = ?2 where hash = ?1")?.execute(params![hash, at])?;
    Ok(())
}

impl Store {
    /// What tells this store from others that share one Redis with it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn name(&self) -> Result<String> {
        let sql = "select value from meta where key = 'streams'";
        self.read(|db| db.prepare(sql)?.query_row([], |row| row.get(0)))
    }

    /// The key with this hash, whatever has become of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn key_hashed(&self, hash: &str) -> Result<Option<KeyRow>> {
        self.read(|db| db.prepare(&format!("{KEYS} where k.hash = ?1"))?.query_row([hash], key_from).optional())
    }

    /// Every key, newest first; at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn keys(&self, limit: usize) -> Result<Vec<KeyRow>> {
        self.read(|db| {
            let mut statement = db.prepare(&format!("{KEYS} order by k.created_at desc, k.id limit ?1"))?;
            let rows = statement.query_map([limit.cast_signed()], key_from)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Every account, by name; at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn users(&self, limit: usize) -> Result<Vec<UserRow>> {
        self.read(|db| {
            let mut statement = db.prepare(&format!("{USERS} order by name limit ?1"))?;
            let rows = statement.query_map([limit.cast_signed()], |row| user_from(row, 0))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Whether there is any account, disabled or not.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn has_users(&self) -> Result<bool> {
        self.read(|db| Ok(db.prepare("select 1 from users limit 1")?.query_row([], |_| Ok(())).optional()?.is_some()))
    }

    /// A sign-in by its id, whatever has become of it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn session(&self, id: &str) -> Result<Option<SessionRow>> {
        self.read(|db| session(db, id))
    }
}
