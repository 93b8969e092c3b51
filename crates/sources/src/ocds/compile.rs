//! The state of a process, put together from a record that does not state it: from its releases, or from all versions.
//!
//! The rules are the standard's: later values replace earlier ones, null takes a value away, objects in arrays are the
//! same when their ids are. Numbers stay as written, for values are moved as text and never read.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, NaiveTime};
use model::dates;

use crate::error::{Fault, Reason};
use crate::json_tree::{Kind, Part};

/// A value whose parts can be replaced.
enum Value<'a> {
    Object(Vec<(&'a str, Value<'a>)>),
    Array(Vec<Value<'a>>),
    /// Its text.
    Plain(&'a str),
}

/// Puts a record's state together; whether that is all of it.
pub(super) fn compiled(record: Part<'_, '_>) -> Result<(String, bool), Fault> {
    let (mut embedded, linked): (Vec<_>, Vec<_>) =
        record.objects("releases").partition(|release| is_embedded(*release));
    if embedded.is_empty() {
        if let Some(versions) = record.object("versionedRelease") {
            return Ok((newest_of(versions), true));
        }
        return Err(Fault::at("releases", Reason::RequiredField, "its releases are named by their addresses only"));
    }
    embedded.sort_by_key(|release| release.peek("date").map(|date| instant(&date)));
    let mut state = Value::Object(Vec::new());
    for release in &embedded {
        merge(&mut state, Value::of(*release));
    }
    Ok((state.into_text(), linked.is_empty()))
}

/// A release itself, and not its address: `url`, `date` and `tag`.
fn is_embedded(release: Part<'_, '_>) -> bool {
    release
        .inner()
        .any(|part| matches!(part.key(), "ocid" | "id" | "tender" | "buyer" | "awards" | "contracts" | "planning"))
        && release.get("url").is_none()
}

/// For putting dates in order: microseconds, in UTC where the offset is stated.
fn instant(date: &str) -> i64 {
    if let Ok(at) = DateTime::parse_from_rfc3339(date) {
        return at.timestamp_micros();
    }
    dates::parse_iso(date).map_or(i64::MIN, |day| day.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
}

impl<'a> Value<'a> {
    fn of(part: Part<'_, 'a>) -> Self {
        match part.kind() {
            Kind::Object => Self::Object(part.inner().map(|p| (p.key(), Self::of(p))).collect()),
            Kind::Array => Self::Array(part.inner().map(Self::of).collect()),
            _ => Self::Plain(part.raw()),
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Plain("null"))
    }

    fn id(&self) -> Option<&'a str> {
        let Self::Object(members) = self else { return None };
        members.iter().find_map(|(key, value)| match value {
            Self::Plain(text) if *key == "id" && *text != "null" => Some(*text),
            _ => None,
        })
    }

    fn into_text(self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Plain(plain) => text.push_str(plain),
            Self::Array(elements) => {
                text.push('[');
                for (at, element) in elements.iter().enumerate() {
                    text.push_str(if at > 0 { "," } else { "" });
                    element.write(text);
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    text.push_str(if at > 0 { ",\"" } else { "\"" });
                    text.push_str(key);
                    text.push_str("\":");
                    value.write(text);
                }
                text.push('}');
            }
        }
    }
}

fn merge<'a>(state: &mut Value<'a>, later: Value<'a>) {
    match (state, later) {
        (Value::Object(members), Value::Object(changes)) => {
            for (key, value) in changes {
                let stands = members.iter().position(|(k, _)| *k == key);
                match stands {
                    Some(at) if value.is_null() => drop(members.remove(at)),
                    Some(at) => merge(&mut members[at].1, value),
                    None if value.is_null() => {}
                    None => members.push((key, value)),
                }
            }
        }
        (Value::Array(elements), Value::Array(changes)) if have_ids(elements) && have_ids(&changes) => {
            merge_elements(elements, changes);
        }
        (state, later) => *state = later,
    }
}

fn have_ids(elements: &[Value<'_>]) -> bool {
    !elements.is_empty() && elements.iter().all(|element| element.id().is_some())
}

fn merge_elements<'a>(elements: &mut Vec<Value<'a>>, changes: Vec<Value<'a>>) {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (at, element) in elements.iter().enumerate() {
        places.entry(element.id().unwrap_or_default()).or_insert(at);
    }
    for change in changes {
        match places.get(change.id().unwrap_or_default()) {
            Some(at) => merge(&mut elements[*at], change),
            None => elements.push(change),
        }
    }
}

/// The newest of all versions of every value.
fn newest_of(versions: Part<'_, '_>) -> String {
    let mut date: Option<Cow<'_, str>> = None;
    let mut newest = newest(versions, &mut date);
    let written = date.map(|date| crate::fields::json_text(&date));
    if let (Some(written), Some(Value::Object(members))) = (&written, &mut newest) {
        members.retain(|(key, _)| *key != "date");
        members.push(("date", Value::Plain(written)));
    }
    newest.map_or_else(|| "{}".to_owned(), Value::into_text)
}

/// `None` where the newest version takes the value away.
fn newest<'a>(part: Part<'_, 'a>, date: &mut Option<Cow<'a, str>>) -> Option<Value<'a>> {
    match part.kind() {
        Kind::Array if is_history(part) => {
            let version = part.inner().max_by_key(|v| v.peek("releaseDate").map(|d| instant(&d)))?;
            let at = version.peek("releaseDate");
            if at.as_deref().map(instant) > date.as_deref().map(instant) {
                *date = at;
            }
            version.get("value").map(Value::of)
        }
        Kind::Array => Some(Value::Array(part.inner().filter_map(|p| newest(p, date)).collect())),
        Kind::Object => Some(Value::Object(part.inner().filter_map(|p| Some((p.key(), newest(p, date)?))).collect())),
        _ => Some(Value::Plain(part.raw())),
    }
}

/// Whether an array lists the versions of one value.
fn is_history(array: Part<'_, '_>) -> bool {
    let is_version = |p: Part<'_, '_>| {
        p.kind() == Kind::Object && ["releaseDate", "value"].iter().all(|k| p.inner().any(|m| m.key() == *k))
    };
    array.inner().next().is_some() && array.inner().all(is_version)
}
