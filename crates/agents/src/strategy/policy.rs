//! When the parts of a piece of work are enough, and when they can be no more.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is asked of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Policy {
    /// Every part must succeed: the first that fails ends the work.
    All,
    /// What succeeds counts, and what fails is named.
    #[default]
    BestEffort,
    /// The first that succeeds is enough.
    FirstSuccess,
    /// So many must succeed, and are enough.
    Quorum(usize),
}

/// How it stands with parts of which some have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It goes on.
    Open,
    /// What was asked for is there: the rest need not be done.
    Enough,
    /// What was asked for cannot come any more.
    Lost,
}

impl Policy {
    /// How it stands when of `total` parts (`None` while not all are known) so many succeeded and failed.
    #[must_use]
    pub fn standing(self, total: Option<usize>, succeeded: usize, failed: usize) -> Standing {
        let ended = total == Some(succeeded + failed);
        let wanted = match self {
            Self::All if failed > 0 => return Standing::Lost,
            Self::All | Self::BestEffort => return if ended { Standing::Enough } else { Standing::Open },
            Self::FirstSuccess => 1,
            Self::Quorum(n) => n,
        };
        if succeeded >= wanted {
            Standing::Enough
        } else if total.is_some_and(|total| total - failed < wanted) {
            Standing::Lost
        } else {
            Standing::Open
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::BestEffort => f.write_str("best_effort"),
            Self::FirstSuccess => f.write_str("first_success"),
            Self::Quorum(n) => write!(f, "quorum:{n}"),
        }
    }
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "best_effort" => Ok(Self::BestEffort),
            "first_success" => Ok(Self::FirstSuccess),
            other => other
                .strip_prefix("quorum:")
                .and_then(|n| n.parse().ok())
                .filter(|n| (1..=10_000).contains(n))
                .map(Self::Quorum)
                .ok_or_else(|| format!("`{other}` is none of all, best_effort, first_success, quorum:N")),
        }
    }
}

impl TryFrom<String> for Policy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Policy> for String {
    fn from(policy: Policy) -> Self {
        policy.to_string()
    }
}
