//! Who calls, and what they may: roles of accounts, scopes of keys, tiers of limits.
//!
//! One rule: a caller may do what the role of its account allows and, with a key, what the key's scopes allow too. Reading what is
//! public and asking for investigations need no account; verdicts, statements and decisions on links need an analyst, everything
//! under `admin` an admin.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, Result};

/// How much a caller may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Whoever gives no key and has not signed in.
    Anonymous,
    /// A key that anyone may have.
    Free,
    /// More.
    Basic,
    /// More than that.
    Pro,
    /// As much as an organisation needs.
    Enterprise,
    /// No limit.
    Unlimited,
}

impl Tier {
    /// All of them, from the least.
    pub const ALL: [Self; 6] = [Self::Anonymous, Self::Free, Self::Basic, Self::Pro, Self::Enterprise, Self::Unlimited];

    /// Its name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Free => "free",
            Self::Basic => "basic",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
            Self::Unlimited => "unlimited",
        }
    }
}

/// What an account may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads, under limits of its own.
    Reader,
    /// Gives verdicts, records statements and decides on links.
    Analyst,
    /// Runs the installation: ingests, dead letters.
    Admin,
}

impl Role {
    const ALL: [Self; 3] = [Self::Reader, Self::Analyst, Self::Admin];

    /// Its name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }

    /// The tier of who has signed in with it.
    #[must_use]
    pub fn tier(self) -> Tier {
        match self {
            Self::Reader => Tier::Free,
            Self::Analyst => Tier::Basic,
            Self::Admin => Tier::Pro,
        }
    }
}

/// What a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reading what is public.
    Read,
    /// Asking for investigations.
    Investigate,
    /// What needs an analyst.
    Verdict,
    /// What needs an admin.
    Admin,
}

impl Scope {
    const ALL: [Self; 4] = [Self::Read, Self::Investigate, Self::Verdict, Self::Admin];

    /// Its name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Investigate => "investigate",
            Self::Verdict => "verdict",
            Self::Admin => "admin",
        }
    }

    /// The role that it needs, if any.
    #[must_use]
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Read | Self::Investigate => None,
            Self::Verdict => Some(Role::Analyst),
            Self::Admin => Some(Role::Admin),
        }
    }
}

/// Reads a name out of a list of all, or says which there are.
macro_rules! named {
    ($type:ty, $field:literal) => {
        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let known = || Self::ALL.map(Self::code).join(", ");
                let found = Self::ALL.into_iter().find(|one| one.code() == text);
                found.ok_or_else(|| Error::invalid($field, format!("must be one of {}", known())))
            }
        }
    };
}

named!(Tier, "tier");
named!(Role, "role");
named!(Scope, "scope");

/// The most that a rate may allow in a second.
const PER_SECOND_MAX: u32 = 10_000;

/// How much may be asked for in which time, written `10/s burst 20, 100/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rate {
    /// What is given back in a second.
    pub per_second: u32,
    /// The most that may be asked for at once.
    pub burst: u32,
    /// The most within any sixty seconds.
    pub per_minute: u32,
}

impl FromStr for Rate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || {
            let because = "must be of the form `10/s burst 20, 100/min`, each at least 1, burst and per minute no less than per second";
            Error::invalid("rate", because)
        };
        let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let [per_second, "burst", burst, per_minute] = words[..] else { return Err(refused()) };
        let number = |text: &str| -> Option<u32> {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|n| digits && (1..=PER_SECOND_MAX * 60).contains(n))
        };
        let rate = Self {
            per_second: per_second.strip_suffix("/s").and_then(number).ok_or_else(refused)?,
            burst: number(burst).ok_or_else(refused)?,
            per_minute: per_minute.strip_suffix("/min").and_then(number).ok_or_else(refused)?,
        };
        let fits = rate.per_second <= PER_SECOND_MAX
            && rate.burst >= rate.per_second
            && rate.per_minute >= rate.per_second
            && rate.burst <= rate.per_minute;
        if fits { Ok(rate) } else { Err(refused()) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s burst {}, {}/min", self.per_second, self.burst, self.per_minute)
    }
}

/// The account that a caller acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its name, under which it signs.
    pub name: String,
    /// What it may.
    pub role: Role,
}

/// The key that a caller gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedBy {
    /// Its id.
    pub id: String,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// Limits of its own instead of its tier's.
    pub rate: Option<Rate>,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account, of who has one.
    pub account: Option<Account>,
    /// The key, of who gave one.
    pub key: Option<OpenedBy>,
    /// The sign-in, of who came by one.
    pub session: Option<String>,
    /// How much it may ask for.
    pub tier: Tier,
}

impl Caller {
    /// One who gave nothing to be known by.
    #[must_use]
    pub fn anonymous(tier: Tier) -> Self {
        Self { account: None, key: None, session: None, tier }
    }

    /// Whether its key, if it has one, opens this.
    #[must_use]
    pub fn is_open_to(&self, scope: Scope) -> bool {
        self.key.as_ref().is_none_or(|key| key.scopes.contains(&scope))
    }

    /// The account, when it may do what `scope` stands for.
    #[must_use]
    pub fn acting(&self, scope: Scope) -> Option<&Account> {
        let account = self.account.as_ref().filter(|account| Some(account.role) >= scope.role())?;
        self.is_open_to(scope).then_some(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_is_written_and_nothing_else_is() {
        for text in ["10/s burst 20, 100/min", "1/s burst 1, 1/min", "10000/s burst 10000, 600000/min"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "10",
            "10/s",
            "0/s burst 20, 100/min",
            "10/s burst 5, 100/min",
            "10/s burst 200, 100/min",
            "10/s burst 20, 5/min",
            "-1/s burst 20, 100/min",
            "+1/s burst 20, 100/min",
            "10/s burst 20, 100/h",
            "10/s burst 20, 100/min, 5/d",
            "99999999999/s burst 20, 100/min",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_never_opens_more_than_its_account_may() {
        let caller = |role, scopes: &[Scope]| Caller {
            account: Some(Account { id: "usr_1".to_owned(), name: "ana".to_owned(), role }),
            key: Some(OpenedBy { id: "key_1".to_owned(), scopes: scopes.to_vec(), rate: None }),
            session: None,
            tier: Tier::Free,
        };
        assert!(caller(Role::Analyst, &[Scope::Verdict]).acting(Scope::Verdict).is_some());
        assert!(caller(Role::Admin, &[Scope::Read]).acting(Scope::Verdict).is_none());
        assert!(caller(Role::Reader, &[Scope::Verdict, Scope::Admin]).acting(Scope::Verdict).is_none());
        assert!(caller(Role::Analyst, &Scope::ALL).acting(Scope::Admin).is_none());
        assert!(Caller::anonymous(Tier::Anonymous).acting(Scope::Read).is_none());
        assert!(Caller::anonymous(Tier::Anonymous).is_open_to(Scope::Read));
    }
}
