//! For how long, and for whom, what is said of a type holds. The shortest and most private of all types that an answer shows is the answer's.
//!
//! New data and verdicts drop what is kept at once, whatever is said here; this is what caches before this server go by, which hear of
//! neither, and the longest that a value stays with nothing heard.

/// Whose an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everybody's.
    Public,
    /// Of who asks.
    Private,
}

/// What holds of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// Seconds that it may be kept.
    pub ttl_s: u64,
    /// Whose it is.
    pub scope: Scope,
}

impl Default for Hint {
    /// Of what says nothing of its own.
    fn default() -> Self {
        Self { ttl_s: u64::MAX, scope: Scope::Public }
    }
}

impl Hint {
    /// Of a type.
    pub fn of(name: &str) -> Self {
        match name {
            // It is someone's own, or changes without an event that the kept answers hear.
            "WhoAmI" | "Investigation" => Self { ttl_s: 0, scope: Scope::Private },
            // People may say something of it at any time.
            "Finding" | "Flag" | "Verdict" | "Stats" => Self { ttl_s: 30, scope: Scope::Public },
            // Of records only an ingest says anything new.
            "Contract" | "Tender" | "Supplier" | "Buyer" | "Item" | "Amendment" | "Bid" | "Source" | "Agent"
            | "Sanction" | "Registration" | "Partner" | "Totals" => Self { ttl_s: 300, scope: Scope::Public },
            // What stands within another is as that is.
            _ => Self::default(),
        }
    }

    /// Of what shows both.
    pub fn and(self, other: Self) -> Self {
        Self { ttl_s: self.ttl_s.min(other.ttl_s), scope: self.scope.max(other.scope) }
    }

    /// Whether the answer may be given to others than who asked.
    pub fn is_everybodys(self) -> bool {
        self.scope == Scope::Public && self.ttl_s > 0
    }
}
