//! The names of topics: `investigation:ID`, `ingest:ID`, `findings`, `findings?flag=BR05&severity=high`, `agents`, `sources`, `system`.

use std::sync::Arc;

use app::queries::{FindingQuery, FindingState, Topic};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::limits::ID_CHARS_MAX;
use crate::params::{FromParams as _, Params};
use crate::problem::Problem;

/// The most bytes of a topic's name.
const NAME_BYTES_MAX: usize = 2_048;
/// What stands in a filter's value as it is.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b':').remove(b'~');

/// What kind of topic it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Investigation,
    Ingest,
    Findings,
    Agents,
    Sources,
    System,
}

/// A topic with its name, which is the same however its filters were ordered.
#[derive(Debug, Clone)]
pub struct Named {
    /// The name, as messages carry it.
    pub name: Arc<str>,
    /// What it is.
    pub topic: Topic,
}

impl Kind {
    /// Its name in metrics.
    pub fn code(self) -> &'static str {
        match self {
            Self::Investigation => "investigation",
            Self::Ingest => "ingest",
            Self::Findings => "findings",
            Self::Agents => "agents",
            Self::Sources => "sources",
            Self::System => "system",
        }
    }

    /// Whether behind this nothing more happens.
    pub fn ends_with(self, kind: &str) -> bool {
        match self {
            Self::Investigation => app::queries::is_end(kind),
            Self::Ingest => matches!(kind, "done" | "interrupted" | "failed"),
            Self::Findings | Self::Agents | Self::Sources | Self::System => false,
        }
    }

    /// Whether only an admin may follow it.
    pub fn is_private(self) -> bool {
        self == Self::Ingest
    }
}

impl Named {
    /// Reads a name.
    ///
    /// # Errors
    /// The problem that says what about it is wrong.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > NAME_BYTES_MAX {
            return Err(Problem::invalid("topic", format!("longer than {NAME_BYTES_MAX} bytes")));
        }
        if let Some(id) = text.strip_prefix("investigation:") {
            return Ok(Self::investigation(checked(id)?));
        }
        if let Some(id) = text.strip_prefix("ingest:") {
            let id = id
                .parse()
                .map_err(|_| Problem::invalid("topic", "the number of an ingest must stand behind `ingest:`"))?;
            return Ok(Self::ingest(id));
        }
        match text.split_once('?').unwrap_or((text, "")) {
            ("findings", filters) => Self::findings(pairs(filters)?),
            ("agents", "") => Ok(Self::plain("agents", Topic::Agents)),
            ("sources", "") => Ok(Self::plain("sources", Topic::Sources)),
            ("system", "") => Ok(Self::plain("system", Topic::System)),
            _ => Err(Problem::invalid(
                "topic",
                "must be investigation:ID, ingest:ID, findings with REST's filters behind `?`, agents, sources or system",
            )),
        }
    }

    /// What happens to an investigation.
    pub fn investigation(id: &str) -> Self {
        Self { name: format!("investigation:{id}").into(), topic: Topic::Investigation(id.to_owned()) }
    }

    /// What happens to an ingest.
    pub fn ingest(id: i64) -> Self {
        Self { name: format!("ingest:{id}").into(), topic: Topic::Ingest(id) }
    }

    /// Findings that these filters want. Where none speaks of the state, also those that are withdrawn.
    ///
    /// # Errors
    /// The problem of the first filter that cannot be.
    fn findings(mut pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        pairs.sort();
        let mut params = Params::new(pairs.clone())?;
        if pairs.iter().any(|(name, _)| name == "sort") {
            return Err(Problem::invalid("sort", "what happens is told in its own order"));
        }
        let mut query = FindingQuery::read(&mut params)?;
        params.finish()?;
        if pairs.iter().all(|(name, _)| name != "state") {
            query.state = FindingState::All;
        }
        let filters: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, AS_IT_IS))).collect();
        let name = if filters.is_empty() { "findings".to_owned() } else { format!("findings?{}", filters.join("&")) };
        Ok(Self { name: name.into(), topic: Topic::Findings(Box::new(query)) })
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        match self.topic {
            Topic::Investigation(_) => Kind::Investigation,
            Topic::Ingest(_) => Kind::Ingest,
            Topic::Findings(_) => Kind::Findings,
            Topic::Agents => Kind::Agents,
            Topic::Sources => Kind::Sources,
            Topic::System => Kind::System,
        }
    }

    fn plain(name: &str, topic: Topic) -> Self {
        Self { name: name.into(), topic }
    }
}

fn checked(id: &str) -> Result<&str, Problem> {
    if id.is_empty() || id.chars().count() > ID_CHARS_MAX || id.chars().any(char::is_control) {
        return Err(Problem::invalid(
            "topic",
            format!("an id has 1 to {ID_CHARS_MAX} characters, none of them a control"),
        ));
    }
    Ok(id)
}

fn pairs(filters: &str) -> Result<Vec<(String, String)>, Problem> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        let decoded = percent_decode_str(&text).decode_utf8().map(std::borrow::Cow::into_owned);
        decoded.map_err(|_| Problem::invalid("topic", "a filter is no UTF-8"))
    };
    let pairs = filters.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        Named::parse(text).ok().map(|named| named.name.to_string())
    }

    #[test]
    fn one_topic_has_one_name_however_its_filters_stand() {
        assert_eq!(name("findings?severity=high&flag=BR05").as_deref(), Some("findings?flag=BR05&severity=high"));
        assert_eq!(name("findings?buyer_id=a%3Ab").as_deref(), Some("findings?buyer_id=a:b"));
        assert_eq!(name("findings?").as_deref(), Some("findings"));
        assert_eq!(name("investigation:inv_1").as_deref(), Some("investigation:inv_1"));
        for wrong in [
            "",
            "x",
            "agents?x=1",
            "investigation:",
            "ingest:x",
            "findings?flag=",
            "findings?sort=-amount",
            "findings?flag=A&flag=B",
            "findings?severity=worst",
            "findings?limit=3",
            "investigation:\u{7}",
        ] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
        assert_eq!(name(&format!("findings?buyer_id={}", "x".repeat(3_000))), None);
    }

    #[test]
    fn withdrawn_findings_are_told_unless_the_state_is_named() {
        let state = |text: &str| match Named::parse(text).unwrap().topic {
            Topic::Findings(query) => query.state,
            _ => unreachable!(),
        };
        assert_eq!(state("findings"), FindingState::All);
        assert_eq!(state("findings?state=open"), FindingState::Open);
    }
}
