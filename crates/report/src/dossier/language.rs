//! The two languages, and how people of each read numbers, money and days. Digits are never rounded: what is written is exact.

use model::Cnpj;
use serde::{Deserialize, Serialize};

use super::Cell;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Portuguese.
    #[default]
    Pt,
    /// English.
    En,
}

impl Language {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pt => "pt",
            Self::En => "en",
        }
    }

    /// One of two texts.
    #[must_use]
    pub fn say<'a>(self, pt: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Pt => pt,
            Self::En => en,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn count(self, n: impl Into<i128>) -> Cell {
        let value = n.into().to_string();
        Cell::of(self.marked(&value), value)
    }

    /// An exact decimal as it is written, `87600.0000`, with as few of its last zeros as money or a number wants.
    #[must_use]
    pub fn number(self, value: &str) -> Cell {
        Cell::of(self.marked(&without_last_zeros(value, 0)), value)
    }

    /// An amount.
    #[must_use]
    pub fn money(self, value: &str, currency: &str) -> Cell {
        let sign = if currency == "BRL" { "R$" } else { currency };
        Cell::of(format!("{sign} {}", self.marked(&without_last_zeros(value, 2))), value)
    }

    /// A share of one, as per cent with `places` decimals, cut: of `part` in `whole`. Nothing when the whole is nothing.
    #[must_use]
    pub fn share(self, part: i128, whole: i128) -> Option<Cell> {
        // In tenths of a thousandth, cut towards zero: 12.34 % is 1234.
        let scaled = part.checked_mul(10_000)?.checked_div(whole)?;
        let sign = if scaled < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:02}", scaled.unsigned_abs() / 100, scaled.unsigned_abs() % 100);
        Some(Cell::of(format!("{} %", self.marked(&text)), text))
    }

    /// A day.
    #[must_use]
    pub fn day(self, value: &str) -> Cell {
        match (self, model::dates::parse_iso(value)) {
            (Self::Pt, Ok(day)) => Cell::of(model::dates::to_br(day), value),
            _ => Cell::plain(value),
        }
    }

    /// An instant, to the second.
    #[must_use]
    pub fn instant(self, value: &str) -> Cell {
        let (Some(day), Some(time), Some(offset)) =
            (value.get(..10), value.get(11..19), value.get(value.len().saturating_sub(6)..))
        else {
            return Cell::plain(value);
        };
        Cell::of(format!("{} {time} ({offset})", self.day(day).text), value)
    }

    /// A month, `AAAA-MM`.
    #[must_use]
    pub fn month(self, value: &str) -> String {
        match (self, value.split_once('-')) {
            (Self::Pt, Some((year, month))) => format!("{month}/{year}"),
            _ => value.to_owned(),
        }
    }

    /// A value in its unit, as findings have them.
    #[must_use]
    pub fn measure(self, value: &str, unit: Option<&str>) -> Cell {
        match unit {
            Some("BRL") => self.money(value, "BRL"),
            Some("date") => self.day(value),
            Some(unit) => {
                let cell = self.number(value);
                Cell::of(format!("{} {unit}", cell.text), value)
            }
            None => self.number(value),
        }
    }

    /// An id as people know it: a CNPJ with its marks, anything else as it is.
    #[must_use]
    pub fn party(self, id: &str) -> Cell {
        match id.strip_prefix("cnpj:").and_then(|number| Cnpj::parse(number).ok()) {
            Some(cnpj) => Cell::of(format!("CNPJ {}", cnpj.formatted()), id),
            None => Cell::plain(id),
        }
    }

    /// A text whose numbers are written in Portuguese, as formulas of findings are: `1.234,50` and `12/03/2024`, as this
    /// language has them.
    #[must_use]
    pub fn formula(self, text: &str) -> String {
        if self == Self::Pt {
            return text.to_owned();
        }
        let part_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '/');
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let mut end = rest.find(|c| !part_of_number(c)).unwrap_or(rest.len());
            while !rest[..end].ends_with(|c: char| c.is_ascii_digit()) {
                end -= 1;
            }
            out.push_str(&english(&rest[..end]));
            rest = &rest[end..];
        }
        out.push_str(rest);
        out
    }

    /// A plain decimal with this language's marks.
    fn marked(self, value: &str) -> String {
        let plain = value.strip_prefix('-').unwrap_or(value);
        let (whole, part) = plain.split_once('.').map_or((plain, None), |(whole, part)| (whole, Some(part)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !part.is_none_or(digits) {
            return value.to_owned();
        }
        let (thousand, decimal) = if self == Self::Pt { ('.', ',') } else { (',', '.') };
        let mut out = String::from(if plain.len() < value.len() { "-" } else { "" });
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                out.push(thousand);
            }
            out.push(digit);
        }
        if let Some(part) = part {
            out.push(decimal);
            out.push_str(part);
        }
        out
    }
}

/// A number or day written in Portuguese, in English; anything else as it is (`14.133/2021` is a law).
fn english(token: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = token.split('/').collect();
    if let [day, month, year] = parts[..]
        && [(day, 2), (month, 2), (year, 4)].iter().all(|(part, length)| digits(part) && part.len() == *length)
    {
        return format!("{year}-{month}-{day}");
    }
    match token.split_once(',') {
        Some((whole, part)) if digits(part) && whole.split('.').all(digits) => {
            format!("{}.{part}", whole.replace('.', ","))
        }
        _ => token.to_owned(),
    }
}

/// A decimal without zeros at its end, but for `least` decimals.
fn without_last_zeros(value: &str, least: usize) -> String {
    let Some((whole, part)) = value.split_once('.') else { return value.to_owned() };
    let mut kept = part.trim_end_matches('0').len();
    if kept < least {
        kept = least.min(part.len());
    } else if least > 0 && kept > least && part.len() == 4 {
        // Money has two decimals or four.
        kept = 4;
    }
    if kept == 0 { whole.to_owned() } else { format!("{whole}.{}", &part[..kept]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_read_as_people_read_them() {
        let (pt, en) = (Language::Pt, Language::En);
        assert_eq!(pt.money("87600.0000", "BRL"), Cell::of("R$ 87.600,00", "87600.0000"));
        assert_eq!(en.money("1234567.8900", "BRL").text, "R$ 1,234,567.89");
        assert_eq!(pt.money("0.1234", "BRL").text, "R$ 0,1234");
        assert_eq!(pt.money("0.1230", "USD").text, "USD 0,1230");
        assert_eq!(pt.money("-9223372036854775807.0000", "BRL").text, "R$ -9.223.372.036.854.775.807,00");
        assert_eq!(pt.number("3.5000").text, "3,5");
        assert_eq!(en.number("1200.0000").text, "1,200");
        assert_eq!(pt.number("não é número").text, "não é número");
        assert_eq!(pt.share(1, 3).unwrap(), Cell::of("33,33 %", "33.33"));
        assert_eq!(pt.share(1, 0), None);
        assert_eq!(pt.day("2024-03-12"), Cell::of("12/03/2024", "2024-03-12"));
        assert_eq!(en.day("2024-03-12").text, "2024-03-12");
        assert_eq!(pt.instant("2026-11-23T10:02:11.123456-03:00").text, "23/11/2026 10:02:11 (-03:00)");
        assert_eq!(pt.month("2024-03"), "03/2024");
        assert_eq!(pt.count(1_234_567).text, "1.234.567");
        assert_eq!(pt.party("cnpj:00000000000191").text, "CNPJ 00.000.000/0001-91");
    }

    #[test]
    fn formulas_keep_their_numbers_in_english() {
        let en = |text: &str| Language::En.formula(text);
        assert_eq!(en("29.200,00 + 0,5 = 29.200,50"), "29,200.00 + 0.5 = 29,200.50");
        assert_eq!(en("12/03/2024 − 1.234,5."), "2024-03-12 − 1,234.5.");
        assert_eq!(
            en("Lei 14.133/2021, art. 75, II; 3 itens, 2 órgãos"),
            "Lei 14.133/2021, art. 75, II; 3 itens, 2 órgãos"
        );
        assert_eq!(Language::Pt.formula("1.234,5"), "1.234,5");
    }
}
