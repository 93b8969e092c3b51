//! A JSON record by meaning: members with their raw values, so that numbers stay as written and nothing unknown is lost.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use chrono::NaiveDate;
use model::text::squeeze;
use model::{Money, MoneyError, Quantity, dates, mask_cpfs};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::{Fault, Reason};
use crate::fields::{is_far_off_day, json_text, stated};

#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, in its order.
#[derive(Default)]
pub(crate) struct Members<'a> {
    /// `orgaoEntidade.` for the members of that object.
    prefix: &'static str,
    /// `itens.` for an object in that list. It names the place of a fault; leftovers keep the object's own names.
    list: &'static str,
    members: Vec<(Cow<'a, str>, &'a str)>,
    /// Members that are mapped but whose value could not be kept for this record.
    unkept: RefCell<Vec<String>>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(40);
                while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    members.push((key, value.get()));
                }
                Ok(Members { members, ..Members::default() })
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

impl<'a> Members<'a> {
    /// Reads a record.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => Fault::new(Reason::Type, "not an object"),
            _ => {
                Fault::new(Reason::Json, format!("not valid JSON at line {}, column {}", error.line(), error.column()))
            }
        })
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(k, _)| k == key)
    }

    /// The raw value; `None` when missing or null.
    pub(crate) fn raw(&self, key: &str) -> Option<&'a str> {
        self.members.iter().find(|(k, _)| k == key).map(|(_, v)| *v).filter(|v| *v != "null")
    }

    /// A fault of one member.
    pub(crate) fn fault(&self, key: &str, reason: Reason, detail: impl Into<String>) -> Fault {
        Fault::at(&format!("{}{}{key}", self.list, self.prefix), reason, detail)
    }

    pub(crate) fn wrong_type(&self, key: &str, due: &str) -> Fault {
        self.fault(key, Reason::Type, format!("not {due}"))
    }

    /// The members of an inner object; none when missing or null.
    pub(crate) fn object(&self, key: &str, prefix: &'static str) -> Result<Self, Fault> {
        let Some(raw) = self.raw(key) else { return Ok(Self { prefix, ..Self::default() }) };
        let inner: Self = serde_json::from_str(raw).map_err(|_| self.wrong_type(key, "an object"))?;
        Ok(Self { prefix, ..inner })
    }

    fn string(&self, key: &str) -> Result<Option<Cow<'a, str>>, Fault> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        let Key(text) = serde_json::from_str(raw).map_err(|_| self.wrong_type(key, "a text"))?;
        Ok(Some(text))
    }

    /// A text, CPFs masked, blanks squeezed.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, Fault> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        let masked = mask_cpfs(&text);
        let stated = stated(&masked);
        Ok((!stated.is_empty()).then(|| squeeze(stated)).filter(|t| !t.is_empty()))
    }

    /// A text without which the record is nothing.
    pub(crate) fn key(&self, key: &str) -> Result<String, Fault> {
        self.text(key)?
            .ok_or_else(|| self.fault(key, Reason::RequiredField, "blank, and the record is nothing without it"))
    }

    /// Sends a mapped member to the metadata, for this record only.
    pub(crate) fn leave_in_metadata(&self, key: &str) {
        self.unkept.borrow_mut().push(key.to_owned());
    }

    /// A day, with or without a time behind it; one of a year that cannot be meant stays in the metadata.
    pub(crate) fn date(&self, key: &str) -> Result<Option<NaiveDate>, Fault> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        if let Ok(day) = dates::parse_iso(&text) {
            return Ok(Some(day));
        }
        if is_far_off_day(&text, &["%Y-%m-%d"]) {
            self.leave_in_metadata(key);
            return Ok(None);
        }
        let shown: String = text.chars().take(40).collect();
        Err(self.fault(key, Reason::Date, format!("`{shown}` is not a day in the form AAAA-MM-DD")))
    }

    /// Whether the member is a list.
    pub(crate) fn has_list(&self, key: &str) -> bool {
        self.raw(key).is_some_and(|raw| raw.starts_with('['))
    }

    /// The objects in a list; none when missing or null.
    pub(crate) fn objects(&self, key: &str, list: &'static str) -> Result<Vec<Self>, Fault> {
        let Some(raw) = self.raw(key) else { return Ok(Vec::new()) };
        let inner: Vec<Self> = serde_json::from_str(raw).map_err(|_| self.wrong_type(key, "a list of objects"))?;
        Ok(inner.into_iter().map(|members| Self { list, ..members }).collect())
    }

    /// A code, whether it is written as a text or as a whole number.
    pub(crate) fn code(&self, key: &str) -> Result<Option<String>, Fault> {
        match self.raw(key) {
            Some(raw) if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                let number: i64 = raw.parse().map_err(|_| self.wrong_type(key, "a code"))?;
                Ok(Some(mask_cpfs(&number.to_string()).into_owned()))
            }
            _ => self.text(key),
        }
    }

    /// A code without which the record is nothing.
    pub(crate) fn key_code(&self, key: &str) -> Result<String, Fault> {
        self.code(key)?
            .ok_or_else(|| self.fault(key, Reason::RequiredField, "blank, and the record is nothing without it"))
    }

    /// A number with at most four decimals, exactly as written.
    pub(crate) fn amount(&self, key: &str) -> Result<Option<Money>, Fault> {
        self.number(key, Money::parse)
    }

    /// A quantity with at most four decimals, exactly as written.
    pub(crate) fn quantity(&self, key: &str) -> Result<Option<Quantity>, Fault> {
        self.number(key, Quantity::parse)
    }

    fn number<T>(&self, key: &str, read: impl Fn(&str) -> Result<T, MoneyError>) -> Result<Option<T>, Fault> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        if !raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Err(self.wrong_type(key, "a number"));
        }
        read(raw).map(Some).map_err(|error| {
            let why = match error {
                MoneyError::TooPrecise(_) => "has more than four decimals",
                MoneyError::TooLarge(_) => "is too large",
                MoneyError::Empty | MoneyError::Style(_) => "is not an amount",
            };
            let masked = mask_cpfs(raw);
            let shown: String = masked.chars().take(40).collect();
            self.fault(key, Reason::Amount, format!("`{shown}` {why}"))
        })
    }

    /// A whole number.
    pub(crate) fn integer(&self, key: &str) -> Result<Option<i64>, Fault> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        raw.parse().map(Some).map_err(|_| self.wrong_type(key, "a whole number"))
    }

    /// Yes or no.
    pub(crate) fn boolean(&self, key: &str) -> Result<Option<bool>, Fault> {
        match self.raw(key) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(self.wrong_type(key, "true or false")),
        }
    }

    /// Adds the members that are not in `mapped` to a JSON object under construction, CPFs masked.
    pub(crate) fn push_leftovers(&self, mapped: &[&str], object: &mut String) {
        let unkept = self.unkept.borrow();
        for (key, raw) in &self.members {
            let is_kept = mapped.contains(&key.as_ref()) && !unkept.iter().any(|k| k == key);
            if is_kept || is_nothing(raw) {
                continue;
            }
            object.push(if object.is_empty() { '{' } else { ',' });
            object.push_str(&json_text(&mask_cpfs(&format!("{}{key}", self.prefix))));
            object.push(':');
            object.push_str(&masked_value(raw));
        }
    }
}

/// Two closed JSON objects as one.
pub(crate) fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{},{}", &first[..first.len() - 1], &second[1..])),
        (first, second) => first.or(second),
    }
}

/// A JSON object under construction at its end; `None` when nothing went into it.
pub(crate) fn closed(mut object: String) -> Option<String> {
    if object.is_empty() {
        return None;
    }
    object.push('}');
    Some(object)
}

fn is_nothing(raw: &str) -> bool {
    matches!(raw, "null" | "\"\"") || matches!(minified(raw).as_str(), "[]" | "{}")
}

/// A raw value with CPFs masked; where a mask would break a number, the number becomes a text.
pub(crate) fn masked_value(raw: &str) -> String {
    if raw.starts_with('"') {
        return match serde_json::from_str::<Key<'_>>(raw) {
            Ok(Key(text)) => json_text(&mask_cpfs(&text)),
            Err(_) => json_text(&mask_cpfs(raw)),
        };
    }
    let compact = minified(raw);
    match mask_cpfs(&compact) {
        // A number beyond every float (`1e999`) is valid JSON that most readers refuse.
        Cow::Borrowed(_) if holds_far_number(&compact) => json_text(&compact),
        Cow::Borrowed(_) => compact,
        Cow::Owned(masked) if serde_json::from_str::<serde_json::Value>(&masked).is_ok() => masked,
        Cow::Owned(masked) => json_text(&masked),
    }
}

fn holds_far_number(compact: &str) -> bool {
    let may = compact.len() > 300 || compact.bytes().any(|b| matches!(b, b'e' | b'E'));
    may && serde_json::from_str::<serde_json::Value>(compact).is_err()
}

/// JSON without the blanks between its parts.
pub(crate) fn minified(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut kept_from) = (false, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            if escaped {
                escaped = false;
            } else {
                escaped = byte == b'\\';
                in_string = byte != b'"';
            }
        } else if byte == b'"' {
            in_string = true;
        } else if byte.is_ascii_whitespace() {
            compact.push_str(&text[kept_from..at]);
            kept_from = at + 1;
        }
    }
    compact.push_str(&text[kept_from..]);
    compact
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_go_outside_of_texts_only() {
        assert_eq!(minified("{ \"a b\" : [ 1 , \"c \\\" d\" ] }\n"), r#"{"a b":[1,"c \" d"]}"#);
    }

    #[test]
    fn a_number_that_is_a_cpf_or_too_far_becomes_a_text() {
        assert_eq!(masked_value("52998224725"), r#""***982247**""#);
        assert_eq!(masked_value(r#"{"cpf": "52998224725"}"#), r#"{"cpf":"***982247**"}"#);
        assert_eq!(masked_value("12.50"), "12.50");
        assert_eq!(masked_value("[1e999]"), r#""[1e999]""#);
        assert_eq!(masked_value(r#""5299\u0038224725""#), r#""***982247**""#);
    }
}
