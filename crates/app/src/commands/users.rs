//! Accounts: made, given another role or password, closed and opened again.
//!
//! Whatever changes what an account may ends its sign-ins, but for the role, which is looked up at every request.

use events::{Expected, NewEvent, Unit};
use model::mask_cpfs;
use serde::Deserialize;
use serde_json::{Value, json};
use store::identity::{self, UserRow};
use utoipa::ToSchema;

use super::said;
use crate::identity::{Account, Role};
use crate::passwords;
use crate::secret::make_id;
use crate::views::User;
use crate::{App, Error, Result};

/// The most characters of an account's name.
const NAME_CHARS_MAX: usize = 64;
/// The most accounts that are listed.
const LISTED_MAX: usize = 10_000;

/// What changes of an account; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeUser {
    /// Another role.
    pub role: Option<Role>,
    /// Another password; its sign-ins end.
    pub password: Option<String>,
    /// Whether it is closed: its sign-ins end, its keys open nothing.
    pub disabled: Option<bool>,
}

impl App {
    /// Makes an account.
    ///
    /// # Errors
    /// A name or password that cannot be; the name is taken.
    pub fn add_user(&self, name: &str, role: Role, password: &str, by: Option<&Account>) -> Result<User> {
        check_name(name)?;
        let kept = passwords::hash(password)?;
        let user = UserRow {
            id: make_id("usr_")?,
            name: name.to_owned(),
            role: role.code().to_owned(),
            created_at: model::dates::now_text(),
            disabled_at: None,
        };
        self.decide(|unit| {
            if identity::user_named(unit.db(), name)?.is_some() {
                return Err(Error::Conflict(format!("there is an account `{name}` already")));
            }
            identity::add_user(unit.db(), &user, &kept)?;
            tell(unit, &user.id, "user.created", json!({"name": name, "role": role, "by": said::by(by)}))
        })?;
        Ok(user.into())
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn users(&self) -> Result<Vec<User>> {
        Ok(self.store().users(LISTED_MAX)?.into_iter().map(User::from).collect())
    }

    /// Gives an account another role; it counts from now on, also for who has signed in.
    ///
    /// # Errors
    /// No such account.
    pub fn set_role(&self, name: &str, role: Role, by: Option<&Account>) -> Result<User> {
        self.change_held(name, |unit, user| {
            identity::set_role(unit.db(), &user.id, role.code())?;
            tell(unit, &user.id, "user.role_changed", json!({"from": user.role, "to": role, "by": said::by(by)}))
        })
    }

    /// Gives an account another password, and ends its sign-ins.
    ///
    /// # Errors
    /// No such account; a password that cannot be.
    pub fn set_password(&self, name: &str, password: &str, by: Option<&Account>) -> Result<User> {
        let kept = passwords::hash(password)?;
        self.change_held(name, |unit, user| {
            identity::set_password(unit.db(), &user.id, &kept)?;
            identity::end_sessions_of(unit.db(), &user.id, &model::dates::now_text(), "password")?;
            tell(unit, &user.id, "user.password_changed", json!({"by": said::by(by)}))
        })
    }

    /// Closes an account, ends its sign-ins and shuts its keys; or opens it again, keys too.
    ///
    /// # Errors
    /// No such account.
    pub fn set_disabled(&self, name: &str, disabled: bool, by: Option<&Account>) -> Result<User> {
        self.change_held(name, |unit, user| {
            if user.disabled_at.is_some() == disabled {
                return Ok(());
            }
            let now = model::dates::now_text();
            identity::set_disabled(unit.db(), &user.id, disabled.then_some(&now))?;
            identity::end_sessions_of(unit.db(), &user.id, &now, "disabled")?;
            let kind = if disabled { "user.disabled" } else { "user.enabled" };
            tell(unit, &user.id, kind, json!({"by": said::by(by)}))
        })
    }

    /// Changes what is asked of an account.
    ///
    /// # Errors
    /// No such account; nothing is asked; a password that cannot be; `by` would shut themselves out.
    pub fn change_user(&self, name: &str, asked: &ChangeUser, by: Option<&Account>) -> Result<User> {
        if by.is_some_and(|by| by.name == name) && (asked.role.is_some() || asked.disabled.is_some()) {
            let because = "nobody closes their own account or changes its role: another admin does";
            return Err(Error::Conflict(because.to_owned()));
        }
        let mut user = None;
        if let Some(password) = &asked.password {
            user = Some(self.set_password(name, password, by)?);
        }
        if let Some(role) = asked.role {
            user = Some(self.set_role(name, role, by)?);
        }
        if let Some(disabled) = asked.disabled {
            user = Some(self.set_disabled(name, disabled, by)?);
        }
        user.ok_or_else(|| Error::invalid("body", "give a role, a password or whether it is disabled"))
    }

    /// The account of this name that is not closed.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn account_named(&self, name: &str) -> Result<Account> {
        let found = self.store().read(|db| identity::user_named(db, name))?;
        let found = found.filter(|(user, _)| user.disabled_at.is_none());
        found.ok_or_else(|| Error::not_found("account", name))?.0.try_into()
    }

    /// Whether there is any account, closed or not. While there is none, who runs a program on this machine may do what else needs
    /// an account.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn has_users(&self) -> Result<bool> {
        Ok(self.store().has_users()?)
    }

    fn change_held(&self, name: &str, change: impl FnOnce(&mut dyn Unit, &UserRow) -> Result<()>) -> Result<User> {
        let held = |unit: &mut dyn Unit| -> Result<UserRow> {
            Ok(identity::user_named(unit.db(), name)?.ok_or_else(|| Error::not_found("account", name))?.0)
        };
        let user = self.decide(|unit| {
            let user = held(unit)?;
            change(unit, &user)?;
            held(unit)
        })?;
        Ok(user.into())
    }
}

/// Tells the log of something about an account.
pub(super) fn tell(unit: &mut dyn Unit, id: &str, kind: &'static str, about: Value) -> Result<()> {
    unit.append(&format!("user:{id}"), Expected::Any, &[NewEvent::new(kind, about)])?;
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c);
    let chars = name.chars().count();
    if !(2..=NAME_CHARS_MAX).contains(&chars) || !name.chars().all(is_plain) {
        let because = format!("must have 2 to {NAME_CHARS_MAX} of a–z, 0–9 and ._@-");
        return Err(Error::invalid("name", because));
    }
    if mask_cpfs(name) != name {
        return Err(Error::invalid("name", "holds a CPF, and it is shown with what the account says"));
    }
    Ok(())
}
