//! Accounts: made, given another role or password, closed.

use store::identity::{self};

use crate::identity::Account;
use crate::{App, Error, Result};

impl App {
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
}
