//! A mapping file as TOML in which every key knows its line, so that every error can name it.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::Error;

/// The text of a mapping file and its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl Script<'_> {
    /// An error at a place of the text.
    pub(super) fn error(&self, at: usize, because: impl Into<String>) -> Error {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Error::Mapping { name: self.name.to_owned(), line, because: because.into() }
    }
}

/// A table of the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'a> {
    script: Script<'a>,
    /// As the file writes it, `[columns]`; empty for what stands before the first section.
    name: &'a str,
    at: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// What stands before the first section, and the sections as its values.
    pub(super) fn outermost(script: Script<'a>, table: &'a DeTable<'a>) -> Self {
        Self { script, name: "", at: 0, table }
    }

    /// An error about the section as a whole.
    pub(super) fn error(&self, because: impl Into<String>) -> Error {
        self.script.error(self.at, because)
    }

    /// Refuses keys that are not listed.
    pub(super) fn only(&self, allowed: &[&str]) -> Result<(), Error> {
        match self.items().into_iter().find(|item| !allowed.contains(&item.key)) {
            None => Ok(()),
            Some(item) => {
                let place = if self.name.is_empty() { "a mapping".to_owned() } else { self.name.to_owned() };
                Err(item.error(format!("`{}` is not known here; {place} may have: {}", item.key, allowed.join(", "))))
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.items().into_iter().find(|item| item.key == key)
    }

    pub(super) fn need(&self, key: &str) -> Result<Item<'a>, Error> {
        self.get(key).ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    pub(super) fn section(&self, key: &str) -> Result<Option<Self>, Error> {
        self.get(key).map(|item| item.section()).transpose()
    }

    /// All keys, in the file's order.
    pub(super) fn items(&self) -> Vec<Item<'a>> {
        let item = |(key, value): (&'a toml::Spanned<toml::de::DeString<'a>>, &'a toml::Spanned<DeValue<'a>>)| Item {
            script: self.script,
            key: key.get_ref(),
            at: key.span(),
            value: value.get_ref(),
        };
        let mut items: Vec<Item<'a>> = self.table.iter().map(item).collect();
        items.sort_by_key(|item| item.at.start);
        items
    }
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    script: Script<'a>,
    pub key: &'a str,
    at: Range<usize>,
    value: &'a DeValue<'a>,
}

impl<'a> Item<'a> {
    pub(super) fn error(&self, because: impl Into<String>) -> Error {
        self.script.error(self.at.start, because)
    }

    fn wrong(&self, due: &str) -> Error {
        self.error(format!("`{}` must be {due}, not a {}", self.key, self.value.type_str()))
    }

    pub(super) fn string(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.wrong("a text in quotes"))
    }

    /// One text or a list of texts.
    pub(super) fn strings(&self) -> Result<Vec<String>, Error> {
        if let Some(text) = self.value.as_str() {
            return Ok(vec![text.to_owned()]);
        }
        let due = "a text in quotes or a list of them";
        let list = self.value.as_array().ok_or_else(|| self.wrong(due))?;
        list.iter().map(|v| v.get_ref().as_str().map(str::to_owned).ok_or_else(|| self.wrong(due))).collect()
    }

    pub(super) fn flag(&self) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    /// A whole number from 0 to `max`.
    pub(super) fn count(&self, max: usize) -> Result<usize, Error> {
        let number = self.value.as_integer().and_then(|i| usize::from_str_radix(i.as_str(), i.radix()).ok());
        number.filter(|n| *n <= max).ok_or_else(|| self.wrong(&format!("a whole number from 0 to {max}")))
    }

    /// A text, or a number, yes or no written without quotes, as text.
    pub(super) fn scalar(&self) -> Result<String, Error> {
        match self.value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
            DeValue::Float(number) => Ok(number.as_str().to_owned()),
            DeValue::Boolean(yes) => Ok(yes.to_string()),
            _ => Err(self.wrong("a text, a number, true or false")),
        }
    }

    pub(super) fn is_string_or_list(&self) -> bool {
        self.value.is_str() || self.value.is_array()
    }

    pub(super) fn section(&self) -> Result<Section<'a>, Error> {
        let table = self.value.as_table().ok_or_else(|| self.wrong("a section"))?;
        Ok(Section { script: self.script, name: self.key, at: self.at.start, table })
    }
}
