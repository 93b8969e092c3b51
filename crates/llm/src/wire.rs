//! What is sent to a model and what comes back, in the two dialects.

use outbound::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::{Dialect, Error, Provider, Result};

/// What one event of a stream says.
#[derive(Debug, Default)]
pub(crate) struct Event {
    pub(crate) text: String,
    pub(crate) tokens_in: Option<u64>,
    pub(crate) tokens_out: Option<u64>,
    /// It was the last.
    pub(crate) ends: bool,
}

/// Where a model is asked.
pub(crate) fn url(provider: &Provider) -> String {
    let base = provider.base_url.trim_end_matches('/');
    match provider.dialect {
        Dialect::OpenAi => format!("{base}/chat/completions"),
        Dialect::Anthropic => format!("{base}/v1/messages"),
    }
}

pub(crate) fn headers(provider: &Provider) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let value = |text: String| -> Result<HeaderValue> {
        let mut value = HeaderValue::try_from(text).map_err(|_| Error::Key(provider.name.clone()))?;
        value.set_sensitive(true);
        Ok(value)
    };
    let key = provider.key.told();
    Ok(match provider.dialect {
        Dialect::OpenAi if key.is_empty() => Vec::new(),
        Dialect::OpenAi => vec![(AUTHORIZATION, value(format!("Bearer {key}"))?)],
        Dialect::Anthropic => vec![
            (HeaderName::from_static("x-api-key"), value(key.to_owned())?),
            (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01")),
        ],
    })
}

pub(crate) fn body(provider: &Provider, system: &str, user: &str, tokens_max: u64) -> Vec<u8> {
    let asked = json!({"role": "user", "content": user});
    let body = match provider.dialect {
        Dialect::OpenAi => json!({
            "model": provider.model, "stream": true, "stream_options": {"include_usage": true}, "temperature": 0,
            "max_tokens": tokens_max, "messages": [{"role": "system", "content": system}, asked],
        }),
        Dialect::Anthropic => json!({
            "model": provider.model, "stream": true, "max_tokens": tokens_max, "system": system, "messages": [asked],
        }),
    };
    body.to_string().into_bytes()
}

/// What an event says.
///
/// # Errors
/// It is not of the dialect, or says that the model failed.
pub(crate) fn event(dialect: Dialect, data: &str) -> Result<Event> {
    if dialect == Dialect::OpenAi && data == "[DONE]" {
        return Ok(Event { ends: true, ..Event::default() });
    }
    let wrong = |because: &str| Error::Garbage(because.to_owned());
    let said: Value = serde_json::from_str(data).map_err(|_| wrong("an event is no JSON"))?;
    if let Some(error) = said.get("error").filter(|error| !error.is_null()) {
        let told: String = error["message"].as_str().unwrap_or("it said no more").chars().take(200).collect();
        return Err(Error::Refused(told));
    }
    match dialect {
        Dialect::OpenAi => {
            let choices = said["choices"].as_array().ok_or_else(|| wrong("an event without choices"))?;
            let text = choices.first().and_then(|choice| choice["delta"]["content"].as_str()).unwrap_or_default();
            let usage = &said["usage"];
            Ok(Event {
                text: text.to_owned(),
                tokens_in: usage["prompt_tokens"].as_u64(),
                tokens_out: usage["completion_tokens"].as_u64(),
                ends: false,
            })
        }
        Dialect::Anthropic => {
            let kind = said["type"].as_str().ok_or_else(|| wrong("an event without a type"))?;
            let text =
                if kind == "content_block_delta" { said["delta"]["text"].as_str().unwrap_or_default() } else { "" };
            Ok(Event {
                text: text.to_owned(),
                tokens_in: said["message"]["usage"]["input_tokens"].as_u64(),
                tokens_out: said["usage"]["output_tokens"].as_u64(),
                ends: kind == "message_stop",
            })
        }
    }
}
