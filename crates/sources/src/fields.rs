//! Columns by name and fields by meaning: the small language in which the CSV formats are written.
//!
//! A format lists its columns once with [`columns!`]; they are looked up once for a file. A row is then read by
//! meaning (`text`, `date`, `amount`), and each of these either gives the value, says that the source does not state
//! it (`None`), or is a [`Fault`] that sends the row to quarantine with the column's name.

use std::cell::RefCell;

use chrono::{Datelike, NaiveDate};
use model::text::{normal_name, squeeze};
use model::{Money, MoneyError, Quantity, dates};
use sha2::{Digest, Sha256};

use crate::csv_rows::Cells;
use crate::error::{Fault, Reason};

/// Where a column stands in this file, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Col(pub(crate) Option<usize>);

/// A column that a format knows, by its normalised names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) required: bool,
    pub(crate) names: &'static [&'static str],
}

/// The columns of a format.
pub(crate) trait Layout {
    const SPEC: &'static [Spec];
    fn bind(slots: &[Col]) -> Self;
}

macro_rules! columns {
    (@need required) => { true };
    (@need optional) => { false };
    ($(#[$doc:meta])* $name:ident { $($field:ident $need:ident [$($alias:literal),+ $(,)?],)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name { $($field: $crate::fields::Col,)* }

        impl $crate::fields::Layout for $name {
            const SPEC: &'static [$crate::fields::Spec] =
                &[$($crate::fields::Spec { required: columns!(@need $need), names: &[$($alias),+] },)*];
            fn bind(slots: &[$crate::fields::Col]) -> Self {
                let mut slots = slots.iter().copied();
                Self { $($field: slots.next().unwrap_or_default(),)* }
            }
        }
    };
}
pub(crate) use columns;

/// A header as it was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Header {
    /// As written, blanks squeezed, without the blank columns at its end.
    pub(crate) names: Vec<String>,
    /// Folded, punctuation as blanks.
    pub(crate) normal: Vec<String>,
}

impl Header {
    pub(crate) fn of(cells: Cells<'_>) -> Self {
        let mut names: Vec<String> = (0..cells.len()).map(|c| squeeze(cells.masked(c))).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let normal = names.iter().map(|n| normal_name(n)).collect();
        Self { names, normal }
    }

    /// The header that a file without one should have, or was told to have.
    pub(crate) fn named<N: AsRef<str>>(names: &[N]) -> Self {
        let names: Vec<String> = names.iter().map(|name| squeeze(name.as_ref())).collect();
        let normal = names.iter().map(|n| normal_name(n)).collect();
        Self { names, normal }
    }

    /// As a line of text that reads as this header.
    pub(crate) fn written(&self, separator: u8) -> String {
        let separator = char::from(separator);
        let name = |name: &String| match name.contains([separator, '"']) {
            true => format!("\"{}\"", name.replace('"', "\"\"")),
            false => name.clone(),
        };
        self.names.iter().map(name).collect::<Vec<_>>().join(&separator.to_string())
    }

    /// Looks up each column of a format.
    pub(crate) fn slots(&self, spec: &[Spec]) -> Vec<Col> {
        spec.iter().map(|s| Col(s.names.iter().find_map(|name| self.normal.iter().position(|n| n == name)))).collect()
    }
}

/// How a column writes its numbers. It is a file's or a column's rule, never read off a single value: `1.234` is a
/// thousand in one and a little more than one in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decimals {
    /// `1234.56`.
    Dot,
    /// `1234,56`; dots stand nowhere.
    Comma,
    /// `1.234,56`.
    CommaGrouped,
}

impl Decimals {
    fn read(self, text: &str) -> Result<Money, MoneyError> {
        match self {
            Self::Dot => Money::parse(text),
            Self::Comma if text.contains('.') => Err(MoneyError::Style(text.chars().take(40).collect())),
            Self::Comma | Self::CommaGrouped => Money::parse_br(text),
        }
    }
}

/// A row by meaning.
pub(crate) struct Row<'a> {
    cells: Cells<'a>,
    names: &'a [String],
    /// Columns that are mapped but whose value could not be kept for this row, and the columns whose names they take.
    unkept: RefCell<Vec<(Col, Col)>>,
}

impl<'a> Row<'a> {
    pub(crate) fn new(cells: Cells<'a>, names: &'a [String]) -> Self {
        Self { cells, names, unkept: RefCell::default() }
    }

    /// The field, CPFs masked, without blanks at its ends; empty when not stated.
    pub(crate) fn code(&self, col: Col) -> &'a str {
        col.0.map_or("", |c| stated(self.cells.masked(c)))
    }

    /// The field with its blanks squeezed.
    pub(crate) fn text(&self, col: Col) -> Option<String> {
        let text = self.code(col);
        if text.is_empty() {
            return None;
        }
        if is_squeezed(text) {
            return Some(text.to_owned());
        }
        Some(squeeze(text)).filter(|t| !t.is_empty())
    }

    /// A field without which the row is nothing, with all its blanks removed.
    pub(crate) fn key(&self, col: Col) -> Result<String, Fault> {
        let code = self.code(col);
        if code.is_empty() || matches!(code, "-1" | "-2" | "-3" | "-11") {
            return Err(Fault::at(self.name(col), Reason::RequiredField, "blank, and the row is nothing without it"));
        }
        if code.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(code.to_owned());
        }
        Ok(code.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect())
    }

    /// Sends a mapped column to the metadata, for this row only.
    pub(crate) fn leave_in_metadata(&self, col: Col) {
        self.leave_under_name_of(col, col);
    }

    /// Sends a column to the metadata under the name of the column that it belongs to.
    pub(crate) fn leave_under_name_of(&self, col: Col, named: Col) {
        let mut unkept = self.unkept.borrow_mut();
        if !unkept.contains(&(col, named)) {
            unkept.push((col, named));
        }
    }

    /// As decoded, without blanks at its ends: for numbers and days only, which a mask might damage.
    pub(crate) fn exact(&self, col: Col) -> &'a str {
        col.0.map_or("", |c| stated(self.cells.exact(c)))
    }

    /// `DD/MM/AAAA`. A day of a year that cannot be meant (`03/02/3023`) is not stated, and stays in the metadata.
    pub(crate) fn date(&self, col: Col) -> Result<Option<NaiveDate>, Fault> {
        self.day(col, |text| dates::parse_br(text).ok(), &["%d/%m/%Y"])
    }

    /// `DD/MM/AAAA` or `AAAA/MM/DD` or `AAAA-MM-DD`.
    pub(crate) fn date_of_either_form(&self, col: Col) -> Result<Option<NaiveDate>, Fault> {
        let read = |text: &str| dates::parse_br(text).or_else(|_| dates::parse_iso(text)).ok();
        self.day(col, read, &["%d/%m/%Y", "%Y/%m/%d", "%Y-%m-%d"])
    }

    /// `D/M/AAAA`, with or without zeros before single digits; `D/M/AA` of this century; or `AAAA-MM-DD`.
    pub(crate) fn date_of_short_form(&self, col: Col) -> Result<Option<NaiveDate>, Fault> {
        let read = |text: &str| {
            let whole = whole_day(text);
            dates::parse_br(whole.as_deref().unwrap_or(text)).or_else(|_| dates::parse_iso(text)).ok()
        };
        self.day(col, read, &["%d/%m/%Y", "%Y-%m-%d"])
    }

    /// `AAAAMMDD`; blank and zeros are not stated. A year before 1800 or after 2150 cannot be meant, and stays in the
    /// metadata: companies are older than contracts.
    pub(crate) fn compact_date(&self, col: Col) -> Result<Option<NaiveDate>, Fault> {
        let text = col.0.map_or("", |c| stated(self.cells.exact(c)));
        if text.bytes().all(|b| b == b'0') {
            return Ok(None);
        }
        let is_shaped = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
        let digits = is_shaped.then(|| text.parse::<u32>().ok()).flatten();
        let day = digits.and_then(|d| NaiveDate::from_ymd_opt((d / 10_000).cast_signed(), d / 100 % 100, d % 100));
        match day {
            Some(day) if (1800..=2150).contains(&day.year()) => Ok(Some(day)),
            Some(_) => {
                self.leave_in_metadata(col);
                Ok(None)
            }
            None => {
                let detail = format!("`{}` is not a day in the form AAAAMMDD", self.shown(col));
                Err(Fault::at(self.name(col), Reason::Date, detail))
            }
        }
    }

    fn day(
        &self,
        col: Col,
        read: impl Fn(&str) -> Option<NaiveDate>,
        forms: &[&str],
    ) -> Result<Option<NaiveDate>, Fault> {
        let text = self.exact(col);
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(day) = read(text) {
            return Ok(Some(day));
        }
        if is_far_off_day(text, forms) {
            self.leave_in_metadata(col);
            return Ok(None);
        }
        let form = if forms.len() == 1 { "DD/MM/AAAA" } else { "DD/MM/AAAA or AAAA/MM/DD" };
        Err(Fault::at(self.name(col), Reason::Date, format!("`{}` is not a day in the form {form}", self.shown(col))))
    }

    /// An amount with Brazilian marks.
    pub(crate) fn amount(&self, col: Col) -> Result<Option<Money>, Fault> {
        self.number(col, Money::parse_br)
    }

    /// An amount with a decimal dot.
    pub(crate) fn amount_with_dot(&self, col: Col) -> Result<Option<Money>, Fault> {
        self.number(col, Money::parse)
    }

    /// A quantity with Brazilian marks.
    pub(crate) fn quantity(&self, col: Col) -> Result<Option<Quantity>, Fault> {
        self.number(col, Quantity::parse_br)
    }

    /// An amount in a style that only one source writes.
    pub(crate) fn amount_by(
        &self,
        col: Col,
        read: impl Fn(&str) -> Result<Money, MoneyError>,
    ) -> Result<Option<Money>, Fault> {
        self.number(col, read)
    }

    /// An amount of a column that writes its numbers so.
    pub(crate) fn amount_in(&self, col: Col, decimals: Decimals) -> Result<Option<Money>, Fault> {
        self.number(col, |text| decimals.read(text))
    }

    /// A quantity of a column that writes its numbers so.
    pub(crate) fn quantity_in(&self, col: Col, decimals: Decimals) -> Result<Option<Quantity>, Fault> {
        let scaled = self.number(col, |text| decimals.read(text))?;
        Ok(scaled.map(|number| Quantity::from_scaled(number.scaled())))
    }

    /// What is said, unless it is zero where zero says nothing; then it stays in the metadata.
    pub(crate) fn unless_zero<T: Default + PartialEq>(&self, col: Col, value: Option<T>) -> Option<T> {
        let stated = value.as_ref().is_some_and(|v| *v != T::default());
        if !stated {
            self.leave_in_metadata(col);
        }
        value.filter(|_| stated)
    }

    /// A whole number of things; anything else stays in the metadata.
    pub(crate) fn count(&self, col: Col) -> Option<i64> {
        let text = self.code(col);
        let count = text.parse().ok().filter(|n: &i64| *n >= 0);
        if count.is_none() && !text.is_empty() {
            self.leave_in_metadata(col);
        }
        count
    }

    /// A number in the style that `read` reads.
    pub(crate) fn number<T>(&self, col: Col, read: impl Fn(&str) -> Result<T, MoneyError>) -> Result<Option<T>, Fault> {
        let text = self.exact(col);
        if text.is_empty() {
            return Ok(None);
        }
        read(text).map(Some).map_err(|error| {
            let other_style = matches!(error, MoneyError::Style(_)) && looks_like_a_number(text);
            let (reason, why) = match error {
                _ if other_style => (Reason::NumberStyle, "is a number in another style than this column's"),
                MoneyError::TooLarge(_) => (Reason::Amount, "is too large"),
                MoneyError::TooPrecise(_) => (Reason::Amount, "has more than four decimals"),
                MoneyError::Empty | MoneyError::Style(_) => (Reason::Amount, "is not an amount"),
            };
            Fault::at(self.name(col), reason, format!("`{}` {why}", self.shown(col)))
        })
    }

    /// The column's name as the file writes it.
    pub(crate) fn name(&self, col: Col) -> &'a str {
        col.0.and_then(|c| self.names.get(c)).map_or("", String::as_str)
    }

    /// The field as messages show it.
    pub(crate) fn shown(&self, col: Col) -> String {
        clip(self.code(col), 40)
    }

    /// The first 16 bytes, in hex, of SHA-256 over the fields joined by U+001F.
    pub(crate) fn hash(&self) -> String {
        hash_text(self.cells.joined())
    }
}

/// `DD/MM/AAAA` for a day written with fewer digits; a year of two is of this century.
fn whole_day(text: &str) -> Option<String> {
    let mut parts = text.split([' ', 'T']).next()?.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let century = match year.len() {
        2 => "20",
        4 => "",
        _ => return None,
    };
    parts.next().is_none().then(|| format!("{day:0>2}/{month:0>2}/{century}{year}"))
}

/// The beginning of a masked text; masked anew, for a longer number may look like a CPF once it is cut.
pub(crate) fn clip(text: &str, chars: usize) -> String {
    let beginning: String = text.chars().take(chars).collect();
    model::mask_cpfs(&beginning).into_owned()
}

/// A day that exists in the calendar, though in a year that no contract can mean: a slip of the keyboard.
pub(crate) fn is_far_off_day(text: &str, forms: &[&str]) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    day.len() == 10 && forms.iter().any(|form| NaiveDate::parse_from_str(day, form).is_ok())
}

/// The first 16 bytes, in hex, of SHA-256.
pub(crate) fn hash_text(text: &str) -> String {
    hash_bytes(text.as_bytes())
}

/// The first 16 bytes, in hex, of SHA-256.
pub(crate) fn hash_bytes(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(bytes);
    let mut hex = String::with_capacity(32);
    for byte in &digest[..16] {
        hex.push(char::from(HEX[usize::from(byte >> 4)]));
        hex.push(char::from(HEX[usize::from(byte & 15)]));
    }
    hex
}

/// The text without blanks and control characters at its ends; empty for the words that stand for nothing.
pub(crate) fn stated(text: &str) -> &str {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if text == "-" {
        return "";
    }
    const LONGEST: usize = "(não identificado)".len();
    let may_be_nothing = matches!(text.as_bytes().first(), Some(b's' | b'S' | b'n' | b'N' | b'(' | b'*'));
    if !may_be_nothing || text.len() > LONGEST {
        return text;
    }
    let nothing = matches!(
        model::text::fold(text).trim_matches(['(', ')']),
        "sem informacao" | "na" | "n/a" | "nao se aplica" | "**" | "null" | "nao informado" | "nao identificado"
    );
    if nothing { "" } else { text }
}

/// Whether a trimmed text is surely squeezed: printable ASCII and the letters of U+00C0 to U+00FF, no two blanks.
///
/// Nearly every field is; this costs a fraction of writing it anew.
pub(crate) fn is_squeezed(text: &str) -> bool {
    let mut before = 0;
    text.bytes().all(|byte| {
        let doubled = byte == b' ' && before == b' ';
        before = byte;
        !doubled && matches!(byte, b' '..=b'~' | 0x80..=0xBF | 0xC3)
    })
}

fn looks_like_a_number(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-' | b'+' | b' ' | b'\'' | b'R' | b'$'))
}

/// Writes what a format does not map as one JSON object.
pub(crate) struct Leftovers {
    /// Column and its name as the beginning of a JSON member, in the file's order.
    keys: Vec<(usize, String)>,
}

impl Leftovers {
    /// Everything but the mapped columns, and but contact data, which we do not keep.
    pub(crate) fn of(header: &Header, mapped: &[Col]) -> Self {
        let is_mapped = |column: usize| mapped.iter().any(|c| c.0 == Some(column));
        let is_contact = |column: usize| header.normal[column].split(' ').any(|word| CONTACT.contains(&word));
        let keys = (0..header.names.len())
            .filter(|c| !is_mapped(*c) && !is_contact(*c))
            .map(|c| (c, json_key(&header.names[c], c)))
            .collect();
        Self { keys }
    }

    /// The object for one row.
    pub(crate) fn write(&self, row: &Row<'_>) -> Option<String> {
        let mut object = String::new();
        for (column, key) in &self.keys {
            push_member(&mut object, key, row.cells.masked(*column));
        }
        for (column, named) in row.unkept.borrow().iter().filter_map(|(c, named)| c.0.zip(named.0)) {
            push_member(&mut object, &json_key(&row.names[named], named), row.cells.masked(column));
        }
        if object.is_empty() {
            return None;
        }
        object.push('}');
        Some(object)
    }
}

/// Words in the names of columns that hold ways to reach people.
const CONTACT: &[&str] = &[
    "telefone",
    "telefones",
    "fone",
    "celular",
    "email",
    "mail",
    "endereco",
    "logradouro",
    "cep",
    "bairro",
    // Recife writes its names without blanks.
    "logradouroendcontratado",
    "numeroendcontratado",
    "complementoendcontratado",
    "bairroendcontratado",
];

fn json_key(name: &str, column: usize) -> String {
    let name = if name.is_empty() { format!("coluna {}", column + 1) } else { name.to_owned() };
    format!("{}:", json_text(&name))
}

fn push_member(object: &mut String, key: &str, value: &str) {
    let value = value.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    if value.is_empty() {
        return;
    }
    object.push(if object.is_empty() { '{' } else { ',' });
    object.push_str(key);
    push_json_text(object, value);
}

pub(crate) fn push_json_text(out: &mut String, text: &str) {
    if text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
        out.push_str(&json_text(text));
        return;
    }
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// A JSON string.
pub(crate) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
