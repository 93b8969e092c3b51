//! What people say of findings, on its way in: plain text, bounded, without anyone's CPF.

use std::time::Duration;

use model::mask_cpfs;
use model::text::{plain, squeeze};

use crate::identity::Account;
use crate::{Error, Result};

/// The most characters of a name.
pub(crate) const WHO_CHARS_MAX: usize = 200;
/// How long what is said waits for another writer: the one who says it is waiting too.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// A text of several lines.
///
/// # Errors
/// It is empty, or longer than `chars_max`.
pub(crate) fn text(field: &'static str, said: &str, chars_max: usize) -> Result<String> {
    bounded(field, &plain(said), chars_max)
}

/// A text of one line.
///
/// # Errors
/// It is empty, or longer than `chars_max`.
pub(crate) fn line(field: &'static str, said: &str, chars_max: usize) -> Result<String> {
    bounded(field, &squeeze(&plain(said)), chars_max)
}

/// The name under which an account says something: its own, whether it is said again or left out.
///
/// # Errors
/// Another name is said.
pub(crate) fn signed_by(said: &str, account: &Account) -> Result<String> {
    if !said.is_empty() && said != account.name {
        let because = format!("is the account that has signed in, `{}`: leave it out", account.name);
        return Err(Error::invalid("who", because));
    }
    Ok(account.name.clone())
}

/// Who decides something, as it is recorded: `account:NAME`, or `operator` for who runs the program.
pub(crate) fn by(account: Option<&Account>) -> String {
    account.map_or_else(|| "operator".to_owned(), |account| format!("account:{}", account.name))
}

fn bounded(field: &'static str, said: &str, chars_max: usize) -> Result<String> {
    if said.is_empty() {
        return Err(Error::invalid(field, "is empty"));
    }
    if said.chars().count() > chars_max {
        return Err(Error::invalid(field, format!("longer than {chars_max} characters")));
    }
    Ok(mask_cpfs(said).into_owned())
}
