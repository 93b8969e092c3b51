//! The parts of a mapping that stand in several of its sections: columns, translated words, constants.

use std::collections::HashMap;

use model::body::Sphere;
use model::text::{fold, normal_name, squeeze};
use model::{Cnpj, Column, Kind, Record, Unfit, Value, codes, mask_cpfs};

use super::sections::{Item, Section};
use super::style::{Style, is_form_of_a_day};
use super::{Day, Target, Wanted};
use crate::Error;

/// What is taken from a column of the file.
#[derive(Debug, Clone)]
pub(crate) struct Take {
    /// Its place among the mapping's columns.
    pub at: usize,
    pub style: Style,
    /// By [`word_key`]; an empty text stands for nothing.
    pub values: HashMap<String, String>,
}

/// A column of the file, or a text that is the same for all rows.
#[derive(Debug, Clone)]
pub(crate) enum Filled {
    Column(Take),
    Constant(String),
}

impl Filled {
    /// A constant, CPFs masked as in every text.
    pub(super) fn constant(text: &str) -> Self {
        Self::Constant(mask_cpfs(&squeeze(text)).into_owned())
    }
}

/// The form in which words of a file are compared: without capitals, accents and doubled blanks.
pub(crate) fn word_key(word: &str) -> String {
    fold(&squeeze(word))
}

/// Collects the columns that a mapping names.
pub(super) struct Reader {
    style: Style,
    pub wanted: Vec<Wanted>,
}

impl Reader {
    pub(super) fn new(style: Style) -> Self {
        Self { style, wanted: Vec::new() }
    }

    /// A column under one of these names.
    pub(super) fn column(&mut self, item: &Item<'_>, names: Vec<String>) -> Result<Take, Error> {
        if names.is_empty() || names.iter().any(|name| normal_name(name).is_empty()) {
            return Err(item.error(format!("`{}` needs the name of a column, with a letter or a digit", item.key)));
        }
        self.wanted.push(Wanted { names, optional: false });
        Ok(Take { at: self.wanted.len() - 1, style: self.style.clone(), values: HashMap::new() })
    }

    /// `"name"`, `["name", "other name"]` or `{ column = …, … }`.
    pub(super) fn take(&mut self, item: &Item<'_>) -> Result<Take, Error> {
        if item.is_string_or_list() {
            return self.column(item, item.strings()?);
        }
        let section = item.section()?;
        section.only(&["column", "optional", "decimal", "thousands", "date", "values"])?;
        let mut take = self.column(item, section.need("column")?.strings()?)?;
        self.wanted[take.at].optional = section.get("optional").map(|i| i.flag()).transpose()?.unwrap_or_default();
        take.style = restyle(&self.style, &section)?;
        for word in section.section("values")?.map(|values| values.items()).unwrap_or_default() {
            let value = mask_cpfs(&squeeze(&word.scalar()?)).into_owned();
            if take.values.insert(word_key(word.key), value).is_some() {
                return Err(word.error(format!("`{}` stands twice (capitals and accents do not count)", word.key)));
            }
        }
        Ok(take)
    }

    /// As [`Reader::take`], or `{ value = "the same for all rows" }`.
    pub(super) fn filled(&mut self, item: &Item<'_>) -> Result<Filled, Error> {
        let value = if item.is_string_or_list() { None } else { item.section()?.get("value") };
        let Some(value) = value else { return self.take(item).map(Filled::Column) };
        item.section()?.only(&["value"])?;
        let text = value.scalar()?;
        if squeeze(&text).is_empty() {
            return Err(item.error(format!("`{}` has a value that is empty", item.key)));
        }
        Ok(Filled::constant(&text))
    }
}

/// A style with what a section says otherwise.
pub(super) fn restyle(style: &Style, section: &Section<'_>) -> Result<Style, Error> {
    let mut style = style.clone();
    if let Some(item) = section.get("decimal") {
        style.decimal = Some(match item.string()? {
            "," => ',',
            "." => '.',
            other => return Err(item.error(format!("decimals stand behind `,` or `.`, not `{other}`"))),
        });
        // What is usual in Brazil; a decimal dot has no usual companion.
        style.thousands = (style.decimal == Some(',')).then_some('.');
    }
    if let Some(item) = section.get("thousands") {
        style.thousands = match item.string()? {
            "" => None,
            "." => Some('.'),
            "," => Some(','),
            " " => Some(' '),
            "'" => Some('\''),
            other => return Err(item.error(format!("`{other}` is none of `.`, `,`, `'`, a blank, or \"\" for none"))),
        };
        if style.decimal.is_none() {
            return Err(item.error("`thousands` needs `decimal` beside it"));
        }
        if style.thousands == style.decimal {
            return Err(item.error("decimals and thousands cannot be told apart"));
        }
    }
    if let Some(item) = section.get("date") {
        style.dates = item.strings()?;
        if style.dates.is_empty() {
            return Err(item.error("`date` names no form"));
        }
        if let Some(form) = style.dates.iter().find(|form| !is_form_of_a_day(form)) {
            return Err(item.error(format!(
                "`{form}` does not write a whole day; a form is put together from %d, %m, %Y (or %y), such as %d/%m/%Y"
            )));
        }
    }
    Ok(style)
}

/// Checks what the words of a column are translated to.
pub(super) fn check_values(item: &Item<'_>, target: &Target, column: &Column, take: &Take) -> Result<(), Error> {
    for value in take.values.values().filter(|value| !value.is_empty()) {
        match column.kind {
            Kind::Text => fits(item, target, column, value)?,
            Kind::Bool if ["true", "false"].contains(&value.as_str()) => {}
            Kind::Bool => return Err(item.error(format!("`{value}` must be true or false, or \"\" for nothing"))),
            Kind::Int | Kind::Date | Kind::Decimal => {
                return Err(item.error(format!(
                    "the words of `{}` cannot be translated to `{value}`; they can only be \"\", nothing",
                    column.name
                )));
            }
        }
    }
    Ok(())
}

fn fits(item: &Item<'_>, target: &Target, column: &Column, value: &str) -> Result<(), Error> {
    match super::blank(target).set(column.name, Value::Text(value)) {
        Err(Unfit::Code) if column.name == "currency" => {
            Err(item.error(format!("`{value}` is no currency: three letters, such as BRL")))
        }
        Err(_) => {
            let known = codes(target.table, column.name).join(", ");
            Err(item.error(format!("`{value}` is no `{}`; it may be: {known}", column.name)))
        }
        Ok(()) => Ok(()),
    }
}

/// Puts a constant into the record that every row begins with. Numbers have a decimal dot, days are `AAAA-MM-DD`.
pub(super) fn set_constant(
    item: &Item<'_>,
    record: &mut Record,
    target: &Target,
    column: &Column,
    text: &str,
) -> Result<(), Error> {
    let text = mask_cpfs(&squeeze(text)).into_owned();
    let wrong = |due: &str| item.error(format!("`{text}` is not {due}"));
    let style = Style { decimal: Some('.'), thousands: None, dates: vec!["%Y-%m-%d".to_owned()] };
    let value = match column.kind {
        Kind::Text if text.is_empty() => return Err(wrong("a text")),
        Kind::Text => {
            fits(item, target, column, &text)?;
            Value::Text(&text)
        }
        Kind::Int => Value::Int(style.whole(&text).ok_or_else(|| wrong("a whole number"))?),
        Kind::Bool => Value::Bool(text.parse().map_err(|_| wrong("true or false"))?),
        Kind::Date => match style.day(&text) {
            Day::On(day) => Value::Date(day),
            Day::FarOff | Day::No => return Err(wrong("a day in the form AAAA-MM-DD")),
        },
        Kind::Decimal => {
            Value::Decimal(style.number(&text).map_err(|_| wrong("a number with a decimal dot"))?.scaled())
        }
    };
    record.set(column.name, value).map_err(|unfit| item.error(format!("`{}`: {unfit}", column.name)))
}

/// Checks what is said of the buyer of all rows.
pub(super) fn check_buyer_constant(item: &Item<'_>, name: &str, value: &str) -> Result<(), Error> {
    let (right, due) = match name {
        "sphere" => (Sphere::from_code(value).is_some(), "F, E, M or D"),
        "branch" => (["E", "L", "J", "N"].contains(&value), "E, L, J or N"),
        "state" => (is_state(value), "the two capital letters of a state"),
        "cnpj" => (Cnpj::parse(value).is_ok(), "a CNPJ with right check digits"),
        _ => (!squeeze(value).is_empty(), "a text"),
    };
    if right { Ok(()) } else { Err(item.error(format!("`{name}` must be {due}, not `{value}`"))) }
}

/// Two capital letters.
pub(crate) fn is_state(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}
