//! Settings from where they come: the manual, a file over it, the environment over that, options of the command line over all.
//!
//! Each value is remembered with its place, so that a wrong one is refused with file and line, or by the variable's name, and with what
//! the manual says is allowed. Secrets are told nowhere: of an address only what is no name or password.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::Value;
use toml::de::{DeTable, DeValue};

use crate::{Error, Result};

/// The prefix of environment variables that override settings.
const PREFIX: &str = "CIDADAO_";
/// What the name of a variable ends with that names a file with the value.
const IN_FILE: &str = "_FILE";
/// Settings that may hold a secret: a file may be named in their place, as containers mount them.
const SECRETS: &[&str] = &["database.url", "database.replica_urls", "redis.url"];
/// Names of values that are addresses, in which a name and a password may stand.
const ADDRESSES: &[&str] =
    &["database.url", "database.replica_urls", "redis.url", "pncp.service", "telemetry.endpoint", "base_url"];
/// The largest such file, in bytes.
const SECRET_BYTES_MAX: u64 = 65_536;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The manual.
    Default,
    /// A line of a file.
    File(PathBuf, usize),
    /// A variable of the environment.
    Environment(String),
    /// A file that a variable names.
    Secret(String, PathBuf),
    /// An option of the command line.
    Option(&'static str),
}

impl Origin {
    /// Its kind, for machines.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(..) => "file",
            Self::Environment(_) => "environment",
            Self::Secret(..) => "secret_file",
            Self::Option(_) => "option",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("default"),
            Self::File(path, line) => write!(out, "{}:{line}", path.display()),
            Self::Environment(name) => out.write_str(name),
            Self::Secret(name, path) => write!(out, "{name} = {}", path.display()),
            Self::Option(name) => out.write_str(name),
        }
    }
}

/// A setting as it stands, for people and machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// `section.key`.
    pub name: String,
    /// The value as it was given, without what is secret in it.
    pub value: serde_json::Value,
    /// The value that is worked with: another one where it was sized by the machine.
    pub in_force: serde_json::Value,
    /// The manual's.
    pub default: serde_json::Value,
    /// `default`, `file`, `environment`, `secret_file` or `option`.
    pub from: &'static str,
    /// File and line, the variable's or the option's name.
    pub at: String,
    /// Whether a running server takes a change at SIGHUP.
    pub reloads: bool,
    /// What tells two values apart, also where what differs is not told.
    #[serde(skip)]
    pub(crate) mark: u64,
}

/// The values so far, each with its place.
pub(crate) struct Layers {
    manual: &'static str,
    defaults: toml::Table,
    table: toml::Table,
    origins: BTreeMap<String, Origin>,
}

impl Layers {
    /// The manual alone.
    pub(crate) fn of(manual: &'static str) -> Result<Self> {
        let defaults: toml::Table =
            toml::from_str(manual).map_err(|e| Error::Settings(format!("embedded defaults: {e}")))?;
        Ok(Self { manual, table: defaults.clone(), defaults, origins: BTreeMap::new() })
    }

    /// Puts a file over what there is.
    ///
    /// # Errors
    /// One that cannot be read, is no TOML, or holds what is no setting; with the line.
    pub(crate) fn file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, &e))?;
        // The error's own text would print the line, with the password that may stand in it.
        let refused = |e: toml::de::Error| {
            let line = e.span().map_or(1, |span| line_of(&text, span.start));
            Error::Settings(format!("{}:{line}: {}", path.display(), e.message()))
        };
        let over: toml::Table = toml::from_str(&text).map_err(refused)?;
        let spanned = DeTable::parse(&text).map_err(refused)?;
        self.take(&over, spanned.get_ref(), "", &|at| Origin::File(path.to_owned(), line_of(&text, at)))
    }

    fn take(
        &mut self,
        over: &toml::Table,
        spanned: &DeTable<'_>,
        section: &str,
        at: &dyn Fn(usize) -> Origin,
    ) -> Result<()> {
        for (key, place) in spanned {
            let name =
                if section.is_empty() { key.get_ref().to_string() } else { format!("{section}.{}", key.get_ref()) };
            let origin = at(key.span().start);
            let value = &over[key.get_ref().as_ref()];
            match (get(&self.table, &name), value, place.get_ref()) {
                (Some(Value::Table(_)), Value::Table(inner), DeValue::Table(places)) => {
                    self.take(inner, places, &name, at)?;
                }
                (Some(Value::Table(_)), ..) => {
                    return Err(Error::Settings(format!("{origin}: `{name}` is a section: [{name}]")));
                }
                (Some(_), ..) => self.set(&name, value.clone(), origin)?,
                (None, ..) => {
                    let has = self.names_in(section);
                    return Err(Error::Settings(format!("{origin}: unknown setting `{name}`; {has}")));
                }
            }
        }
        Ok(())
    }

    /// Puts a variable of the environment over what there is, as the setting `hosts` or as the one that its own name says.
    ///
    /// # Errors
    /// One of our prefix that is no setting's; a value of another type; a file that cannot be read.
    pub(crate) fn variable(&mut self, variable: &str, text: &str, hosts: Option<&str>) -> Result<()> {
        if let Some(name) = hosts.map(str::to_owned).or_else(|| self.named(variable)) {
            return self.set_text(&name, text, Origin::Environment(variable.to_owned()));
        }
        let refused = |because: &str| Error::Settings(format!("{variable}: {because}"));
        let Some(name) = variable.strip_suffix(IN_FILE).and_then(|bare| self.named(bare)) else {
            let section = variable[PREFIX.len()..].split('_').next().unwrap_or_default().to_ascii_lowercase();
            return Err(refused(&format!("no setting has this name; {}", self.names_in(&section))));
        };
        if !SECRETS.contains(&name.as_str()) {
            return Err(refused(&format!("{name} is not read from a file; {} are", SECRETS.join(", "))));
        }
        self.secret(&name, variable, Path::new(text))
    }

    /// Puts what stands in a file that a variable names.
    ///
    /// # Errors
    /// It cannot be read, is too large, or the value itself is given too.
    pub(crate) fn secret(&mut self, name: &str, variable: &str, path: &Path) -> Result<()> {
        let refused = |because: String| Error::Settings(format!("{variable} = {}: {because}", path.display()));
        if let Some(Origin::Environment(other)) = self.origins.get(name)
            && variable.strip_suffix(IN_FILE) == Some(other)
        {
            return Err(refused(format!("{other} is set too: one or the other")));
        }
        let size = std::fs::metadata(path).map_err(|e| refused(e.to_string()))?.len();
        if size > SECRET_BYTES_MAX {
            return Err(refused(format!("{size} bytes, where at most {SECRET_BYTES_MAX} are read")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
        self.set_text(name, text.trim(), Origin::Secret(variable.to_owned(), path.to_owned()))
    }

    /// The setting that a host's file variable (`DATABASE_URL_FILE`) gives.
    pub(crate) fn in_file<'a>(variable: &str, hosts: &[(&str, &'a str)]) -> Option<&'a str> {
        let bare = variable.strip_suffix(IN_FILE)?;
        let (_, name) = hosts.iter().find(|(host, _)| *host == bare)?;
        SECRETS.contains(name).then_some(*name)
    }

    /// Whether a variable is ours.
    pub(crate) fn is_ours(variable: &str) -> bool {
        variable.starts_with(PREFIX)
    }

    fn set_text(&mut self, name: &str, text: &str, origin: Origin) -> Result<()> {
        let held = get(&self.table, name).expect("the name is a setting's");
        let refused = |what: &str| {
            let shown = if ADDRESSES.contains(&name) || text.contains("://") { "…" } else { text };
            Error::Settings(format!("{origin}={shown}: must be {what}{}", self.allowed(name)))
        };
        let value = match held {
            Value::Integer(_) => Value::Integer(text.trim().parse().map_err(|_| refused("a whole number"))?),
            Value::Float(_) => Value::Float(text.trim().parse().map_err(|_| refused("a number"))?),
            Value::Boolean(_) => Value::Boolean(said(text).ok_or_else(|| refused("true or false"))?),
            Value::Array(_) if text.trim_start().starts_with('[') => {
                let read: toml::Table =
                    format!("v = {text}").parse().map_err(|_| refused("a list as it stands in TOML"))?;
                read.get("v").cloned().unwrap_or(Value::Array(Vec::new()))
            }
            Value::Array(_) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
            }
            _ => Value::String(text.to_owned()),
        };
        self.set(name, value, origin)
    }

    /// Puts a value.
    ///
    /// # Errors
    /// It is of another type than the manual's.
    pub(crate) fn set(&mut self, name: &str, value: Value, origin: Origin) -> Result<()> {
        let Some(held) = get(&self.table, name) else {
            return Err(Error::Settings(format!("{origin}: unknown setting `{name}`")));
        };
        let value = match (held, value) {
            (Value::Float(_), Value::Integer(whole)) => Value::Float(whole as f64),
            (_, value) => value,
        };
        if held.type_str() != value.type_str() {
            let what = match held {
                Value::Integer(_) => "a whole number",
                Value::Float(_) => "a number",
                Value::Boolean(_) => "true or false",
                Value::Array(_) => "a list",
                _ => "a text in quotes",
            };
            let (told, allowed) = (shown(name, &value), self.allowed(name));
            return Err(Error::Settings(format!("{origin}: {name} = {told}: must be {what}{allowed}")));
        }
        *slot(&mut self.table, name) = value;
        self.origins.insert(name.to_owned(), origin);
        Ok(())
    }

    /// The values in force.
    pub(crate) fn table(&self) -> toml::Table {
        self.table.clone()
    }

    /// An error that names settings, with the place of the first of them that somebody set.
    pub(crate) fn place(&self, error: Error) -> Error {
        let Error::Settings(text) = error else { return error };
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let named = text.split(|c| !is_word(c)).find_map(|word| self.origins.get(word.trim_matches('.')));
        match named {
            Some(origin) => Error::Settings(format!("{origin}: {text}")),
            None => Error::Settings(text),
        }
    }

    /// What the manual says of a setting, for an error.
    pub(crate) fn allowed(&self, name: &str) -> String {
        let said = said_of(self.manual, name);
        if said.is_empty() { String::new() } else { format!(" ({said})") }
    }

    /// Every setting, in the manual's order of sections.
    pub(crate) fn told(&self, reloads: &dyn Fn(&str) -> bool) -> Vec<Told> {
        let names = leaves(&self.table);
        let told = names.into_iter().map(|name| {
            let json = |value: &Value| serde_json::to_value(hidden(&name, value)).unwrap_or_default();
            let (value, default) = (get(&self.table, &name), get(&self.defaults, &name));
            let mark = BuildHasherDefault::<DefaultHasher>::default().hash_one(value.map(Value::to_string));
            let origin = self.origins.get(&name).unwrap_or(&Origin::Default);
            let (value, default) = (value.map(json).unwrap_or_default(), default.map(json).unwrap_or_default());
            let (from, at, reloads) = (origin.kind(), origin.to_string(), reloads(&name));
            Told { in_force: value.clone(), value, default, from, at, reloads, name, mark }
        });
        told.collect()
    }

    /// What is not the default, as `name = value (where from)`.
    pub(crate) fn changed(&self) -> Vec<String> {
        let differ = self.origins.iter().filter(|(name, _)| get(&self.table, name) != get(&self.defaults, name));
        differ
            .filter_map(|(name, origin)| Some(format!("{name} = {} ({origin})", shown(name, get(&self.table, name)?))))
            .collect()
    }

    /// The setting that a variable of our prefix names.
    fn named(&self, variable: &str) -> Option<String> {
        let wanted = variable.strip_prefix(PREFIX)?.to_ascii_lowercase();
        leaves(&self.table).into_iter().find(|name| name.replace('.', "_") == wanted)
    }

    fn names_in(&self, section: &str) -> String {
        let keys = |table: &toml::Table| table.keys().cloned().collect::<Vec<_>>().join(", ");
        match get(&self.table, section) {
            Some(Value::Table(table)) => format!("[{section}] has {}", keys(table)),
            _ => format!("there are {}", keys(&self.table)),
        }
    }
}

/// The names of all settings.
fn leaves(table: &toml::Table) -> Vec<String> {
    let mut names = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => names.extend(leaves(inner).into_iter().map(|leaf| format!("{key}.{leaf}"))),
            _ => names.push(key.clone()),
        }
    }
    names
}

fn get<'a>(table: &'a toml::Table, name: &str) -> Option<&'a Value> {
    match name.split_once('.') {
        Some((section, rest)) => get(table.get(section)?.as_table()?, rest),
        None => table.get(name),
    }
}

fn slot<'a>(table: &'a mut toml::Table, name: &str) -> &'a mut Value {
    let mut keys = name.split('.');
    let first = keys.next().unwrap_or_default();
    keys.fold(&mut table[first], |value, key| &mut value[key])
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The comment over a setting in the manual; of several under one comment, that one.
fn said_of(manual: &str, name: &str) -> String {
    let (wanted_section, wanted) = name.rsplit_once('.').unwrap_or(("", name));
    let (mut section, mut said, mut closed) = ("", Vec::new(), true);
    for line in manual.lines() {
        if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (section, closed) = (head, true);
            said.clear();
        } else if let Some(comment) = line.strip_prefix('#') {
            if std::mem::take(&mut closed) {
                said.clear();
            }
            said.push(comment.trim());
        } else if line.split_once(" = ").is_some_and(|(key, _)| section == wanted_section && key == wanted) {
            return said.join(" ");
        } else {
            closed = true;
        }
    }
    String::new()
}

/// A value as it is told.
fn shown(name: &str, value: &Value) -> String {
    hidden(name, value).to_string()
}

/// An address as it is told, or several with commas between them.
pub(crate) fn told(text: &str) -> String {
    let mut addresses: Vec<String> = Vec::new();
    for part in text.split(',') {
        match addresses.last_mut() {
            // It stands in the address before: in a password that nobody escaped, or between two hosts.
            Some(last) if !begins_address(part) => *last = format!("{last},{part}"),
            _ => addresses.push(part.to_owned()),
        }
    }
    addresses.iter().map(|address| without_secrets(address)).collect::<Vec<_>>().join(",")
}

/// A value without what is secret in it.
fn hidden(name: &str, value: &Value) -> Value {
    match value {
        Value::String(text) if ADDRESSES.contains(&name) || text.contains("://") => Value::String(told(text)),
        Value::Array(values) => Value::Array(values.iter().map(|value| hidden(name, value)).collect()),
        Value::Table(table) => {
            Value::Table(table.iter().map(|(key, value)| (key.clone(), hidden(key, value))).collect())
        }
        _ => value.clone(),
    }
}

fn begins_address(part: &str) -> bool {
    let scheme = part.trim_start().split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'+')
}

fn without_secrets(url: &str) -> String {
    let Some((kind, rest)) = url.split_once("://").filter(|_| begins_address(url)) else {
        // Of another form, such as `host=db password=…`: where its secret ends nobody can say.
        return if url.contains(['@', '=']) { "…".to_owned() } else { url.to_owned() };
    };
    // What stands before the place may hold `/` and `?` that nobody escaped, and a parameter an `@`.
    let (before, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let place = match before.split_once('?') {
        Some((host, query)) if query.contains('=') => {
            if host.contains([':', '@']) {
                "…"
            } else {
                host
            }
        }
        _ => place.split('?').next().unwrap_or_default(),
    };
    format!("{kind}://{place}")
}

/// Yes or no, as people write it in the environment.
fn said(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_manual_says_something_of_every_setting() {
        let layers = Layers::of(crate::settings::DEFAULT).unwrap();
        for name in leaves(&layers.table) {
            assert!(layers.allowed(&name).len() > 10, "{name}");
        }
        assert!(layers.allowed("store.readers").contains("1 to 64"));
        assert!(layers.allowed("cache.l1_mib").contains("1 to 1048576"), "the second of two under one comment");
    }

    proptest! {
        #[test]
        fn a_password_is_told_nowhere(
            user in "[a-z]{0,6}", password in "[A-Z0-9/?&@,.:]{4,20}S", host in "[a-z]{1,8}", scheme in "(redis|postgres|https)",
        ) {
            let parts = || password.split(['/', '?', '&', '@', ',', '.', ':']).filter(|part| part.len() > 2 && part.contains(char::is_alphabetic));
            for url in [
                format!("{scheme}://{user}:{password}@{host}:5432/base"),
                format!("{scheme}://{host}/base?password={}&x=1", password.replace(['&', '?'], "")),
            ] {
                let value = Value::Array(vec![Value::String(format!("{url},{scheme}://outro"))]);
                let shown = shown("database.replica_urls", &value);
                prop_assert!(parts().all(|part| !shown.contains(part)), "{shown}");
                prop_assert!(shown.contains(&host) && shown.contains("://outro"), "{shown}");
            }
            for other in [
                format!("host={host} user={user} password={password}"),
                format!("{user}:{password}@{host}:6379"),
                format!("postgres:{user}:{password}@{host}"),
            ] {
                let shown = shown("redis.url", &Value::String(other));
                prop_assert!(parts().all(|part| !shown.contains(part)), "{shown}");
            }
        }
    }
}
