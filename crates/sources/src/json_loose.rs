//! Members of JSON records whose sources write one thing in several ways.
//!
//! The Portal's answers and those of the purchasing systems write a day as `DD/MM/AAAA` or `AAAA-MM-DD`, an amount as
//! a number or as a text with Brazilian marks, a code as a number or as a text, and a word alone or inside an object.

use chrono::NaiveDate;
use model::text::squeeze;
use model::{Money, MoneyError, dates, mask_cpfs};

use crate::error::{Fault, Reason};
use crate::fields::{is_far_off_day, stated};
use crate::json_fields::Members;
use crate::mojibake::repaired;

impl<'a> Members<'a> {
    /// A text, or a number as it is written.
    pub(crate) fn code_as_written(&self, key: &str) -> Result<Option<String>, Fault> {
        match self.raw(key) {
            Some(raw) if raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                Ok(Some(mask_cpfs(raw).into_owned()))
            }
            _ => self.text(key),
        }
    }

    /// A text or number without which the record is nothing.
    pub(crate) fn key_as_written(&self, key: &str) -> Result<String, Fault> {
        let code = self.code_as_written(key)?;
        code.ok_or_else(|| self.fault(key, Reason::RequiredField, "blank, and the record is nothing without it"))
    }

    /// A text with its letters repaired where that is certain, CPFs masked, blanks squeezed.
    ///
    /// The repair comes first: half of a letter may look like a control character, which squeezing drops.
    pub(crate) fn meant_text(&self, key: &str) -> Result<Option<String>, Fault> {
        let Some(raw) = self.raw(key) else { return Ok(None) };
        let text: String = serde_json::from_str(raw).map_err(|_| self.wrong_type(key, "a text"))?;
        let repaired = repaired(text);
        let text = squeeze(stated(&mask_cpfs(&repaired)));
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// A text, or the text that an object holds in its `descricao` or `nome`.
    pub(crate) fn label(&self, key: &str) -> Result<Option<String>, Fault> {
        if self.raw(key).is_none_or(|raw| !raw.starts_with('{')) {
            return self.text(key);
        }
        let inner = self.object(key, "")?;
        Ok(inner.text("descricao")?.or(inner.text("nome")?))
    }

    /// A day as `DD/MM/AAAA` or `AAAA-MM-DD`; one of a year that cannot be meant stays in the metadata.
    pub(crate) fn date_of_any_form(&self, key: &str) -> Result<Option<NaiveDate>, Fault> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        if let Ok(day) = dates::parse_br(&text).or_else(|_| dates::parse_iso(&text)) {
            return Ok(Some(day));
        }
        if is_far_off_day(&text, &["%d/%m/%Y", "%Y-%m-%d"]) {
            self.leave_in_metadata(key);
            return Ok(None);
        }
        let shown: String = text.chars().take(40).collect();
        Err(self.fault(key, Reason::Date, format!("`{shown}` is not a day in the form DD/MM/AAAA or AAAA-MM-DD")))
    }

    /// An amount as a number, or as a text with Brazilian marks; a text that these do not allow may have a decimal dot.
    pub(crate) fn money_of_any_style(&self, key: &str) -> Result<Option<Money>, Fault> {
        if self.raw(key).is_none_or(|raw| !raw.starts_with('"')) {
            return self.amount(key);
        }
        let Some(text) = self.text(key)? else { return Ok(None) };
        let read = Money::parse_br(&text).or_else(|error| match error {
            MoneyError::Style(_) => Money::parse(&text),
            other => Err(other),
        });
        read.map(Some).map_err(|error| {
            let why = match error {
                MoneyError::TooPrecise(_) => "has more than four decimals",
                MoneyError::TooLarge(_) => "is too large",
                MoneyError::Empty | MoneyError::Style(_) => "is not an amount",
            };
            let shown: String = text.chars().take(40).collect();
            self.fault(key, Reason::Amount, format!("`{shown}` {why}"))
        })
    }

    /// The texts of an array by their places, CPFs masked, blanks squeezed; `None` when it is no array.
    pub(crate) fn places(&self, key: &str) -> Option<Vec<String>> {
        let raw = self.raw(key).filter(|raw| raw.starts_with('['))?;
        let values: Vec<Option<String>> = serde_json::from_str(raw).ok()?;
        Some(values.into_iter().map(|v| squeeze(&mask_cpfs(&v.unwrap_or_default()))).collect())
    }
}

/// An amount that is something: zero stands for "not stated", and stays in the metadata.
pub(crate) fn above_zero(members: &Members<'_>, key: &str) -> Result<Option<Money>, Fault> {
    let amount = members.money_of_any_style(key)?;
    if amount == Some(Money::ZERO) {
        members.leave_in_metadata(key);
        return Ok(None);
    }
    Ok(amount)
}
