//! What is said over a WebSocket, beside batches: docs/live.md, and `live.schema.json`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::problem::Problem;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Said {
    /// To follow a topic, behind `since` or from now on.
    Subscribe {
        topic: String,
        #[serde(default)]
        since: Option<u64>,
    },
    /// To follow it no longer.
    Unsubscribe { topic: String },
    /// To be known, by an access token or an API key.
    Authenticate {
        #[serde(default)]
        token: Option<String>,
        #[serde(default)]
        key: Option<String>,
    },
    /// To be answered.
    Ping {
        #[serde(default)]
        id: Option<Value>,
    },
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer<'a> {
    /// The topic is followed; what comes is behind `at`, or told before it because `since` was given.
    Subscribed { topic: &'a str, at: u64 },
    /// It is no longer.
    Unsubscribed { topic: &'a str },
    /// Who it is.
    Authenticated { tier: &'a str, user: Option<&'a str> },
    /// To a ping.
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Value>,
    },
    /// It cannot be, with the problem that REST gives.
    Error {
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<&'a str>,
        error: &'a Problem,
    },
}

impl Said {
    /// Reads a message.
    ///
    /// # Errors
    /// It is no JSON, or none of these.
    pub fn read(text: &str) -> Result<Self, Problem> {
        serde_json::from_str(text).map_err(|error| Problem::invalid("message", error.to_string()))
    }
}
