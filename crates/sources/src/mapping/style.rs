//! How a file writes numbers and days.

use chrono::format::{Item as FormItem, StrftimeItems};
use chrono::{Datelike, NaiveDate, NaiveDateTime};
use model::{Money, MoneyError};

/// Forms of days where a mapping names none; no text fits both.
const DEFAULT_DATES: [&str; 2] = ["%d/%m/%Y", "%Y-%m-%d"];
/// Years that a purchase can mean.
const YEARS: std::ops::RangeInclusive<i32> = 1950..=2150;

/// How numbers and days are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Style {
    /// `,` or `.`; a file's decimals are never guessed.
    pub decimal: Option<char>,
    /// What stands between thousands, if anything does.
    pub thousands: Option<char>,
    /// Forms of days, tried in order.
    pub dates: Vec<String>,
}

impl Default for Style {
    fn default() -> Self {
        Self { decimal: None, thousands: None, dates: DEFAULT_DATES.map(str::to_owned).to_vec() }
    }
}

/// What a text says of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// A day.
    On(NaiveDate),
    /// A day of the calendar in a year that cannot be meant.
    FarOff,
    /// No day in any of the forms.
    No,
}

impl Style {
    /// The number that a text states.
    pub(crate) fn number(&self, text: &str) -> Result<Money, MoneyError> {
        match (self.decimal, self.thousands) {
            (Some('.'), None) => Money::parse(text.trim().trim_start_matches("R$")),
            (Some(','), Some('.')) => Money::parse_br(text),
            _ => Money::parse_br(&self.with_brazilian_marks(text)?),
        }
    }

    fn with_brazilian_marks(&self, text: &str) -> Result<String, MoneyError> {
        let chars: Vec<char> = text.trim().chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
        let mut written = String::with_capacity(text.len());
        for (at, &c) in chars.iter().enumerate() {
            let between_digits = digit(at.checked_sub(1)) && digit(Some(at + 1));
            written.push(match c {
                _ if Some(c) == self.decimal => ',',
                _ if Some(c) == self.thousands && between_digits => '.',
                '.' | ',' => return Err(MoneyError::Style(text.chars().take(40).collect())),
                other => other,
            });
        }
        Ok(written)
    }

    /// A whole number.
    pub(crate) fn whole(&self, text: &str) -> Option<i64> {
        if let Ok(number) = text.trim().parse() {
            return Some(number);
        }
        self.decimal?;
        let scaled = self.number(text).ok()?.scaled();
        (scaled % 10_000 == 0).then_some(scaled / 10_000)
    }

    /// The day that a text states; a time behind it is left out.
    pub(crate) fn day(&self, text: &str) -> Day {
        let alone = text.split([' ', 'T']).next().unwrap_or_default();
        let read = |form: &String| {
            let mut days = [text, alone].into_iter().filter_map(|text| NaiveDate::parse_from_str(text, form).ok());
            // `%Y` also takes the 24 of `05/02/24`, which is no year of four digits; `0024` is one.
            let is_written = |year: i32| match year {
                1000..=9999 => true,
                0..1000 => text.contains(&format!("{year:04}")),
                _ => false,
            };
            days.find(|day| is_written(day.year()))
        };
        match self.dates.iter().find_map(read) {
            Some(day) if YEARS.contains(&day.year()) => Day::On(day),
            Some(_) => Day::FarOff,
            None => Day::No,
        }
    }

    /// The moment that a text states, in ISO 8601, so that the later of two is the greater text.
    pub(crate) fn moment(&self, text: &str) -> Option<String> {
        let moment = self.dates.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        if let Some(moment) = moment.filter(|m| YEARS.contains(&m.year())) {
            return Some(moment.format("%Y-%m-%dT%H:%M:%S").to_string());
        }
        match self.day(text) {
            Day::On(day) => Some(format!("{day}T00:00:00")),
            Day::FarOff | Day::No => None,
        }
    }

    /// The forms of days, for messages.
    pub(crate) fn forms(&self) -> String {
        self.dates.join(" or ")
    }
}

/// Whether a form names day, month and year in a way that can be read back.
pub(super) fn is_form_of_a_day(form: &str) -> bool {
    if StrftimeItems::new(form).any(|item| matches!(item, FormItem::Error)) {
        return false;
    }
    let days = [(2024, 12, 31), (1999, 2, 3)].map(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d));
    days.into_iter().flatten().all(|day| {
        let noon = day.and_hms_opt(12, 0, 0);
        let written = noon.and_then(|noon| {
            let mut text = String::new();
            // A part that a day and a time do not have (a zone) cannot be written.
            std::fmt::Write::write_fmt(&mut text, format_args!("{}", noon.format(form))).ok().map(|()| text)
        });
        written.is_some_and(|text| NaiveDate::parse_from_str(&text, form) == Ok(day))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(decimal: char, thousands: Option<char>) -> Style {
        Style { decimal: Some(decimal), thousands, ..Style::default() }
    }

    fn read(style: &Style, text: &str) -> Option<String> {
        style.number(text).ok().map(|m| m.to_string())
    }

    #[test]
    fn each_style_reads_its_own_numbers_and_no_others() {
        let cases = [
            (style(',', Some('.')), "1.234,56", "1234.5600", "1,234.56"),
            (style(',', None), "R$ 1234,5", "1234.5000", "1.234"),
            (style('.', None), "R$ 1234.5", "1234.5000", "1,234"),
            (style('.', Some(',')), "-1,234.5", "-1234.5000", "1.234,5"),
            (style('.', Some(',')), "1,234,567", "1234567.0000", "12,34"),
            (style(',', Some(' ')), "- 1\u{A0}234 567,8", "-1234567.8000", "1 23,4"),
            (style('.', Some('\'')), "1'234.5", "1234.5000", "1'23.4"),
        ];
        for (style, right, value, wrong) in cases {
            assert_eq!(read(&style, right).as_deref(), Some(value), "{right}");
            assert_eq!(read(&style, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn whole_numbers_are_whole() {
        let style = style(',', Some('.'));
        assert_eq!(["3", "1.000", "3,00"].map(|t| style.whole(t)), [Some(3), Some(1000), Some(3)]);
        assert_eq!(["3,5", "x", ""].map(|t| style.whole(t)), [None, None, None]);
        assert_eq!(Style::default().whole("3,00"), None);
    }

    #[test]
    fn days_are_read_in_the_forms_that_are_named() {
        let style = Style { dates: vec!["%d/%m/%Y".into(), "%d.%m.%y".into()], ..Style::default() };
        let on = |y, m, d| Day::On(NaiveDate::from_ymd_opt(y, m, d).unwrap());
        assert_eq!(style.day("05/02/2024"), on(2024, 2, 5));
        assert_eq!(style.day("5/2/2024 10:30"), on(2024, 2, 5));
        assert_eq!(style.day("05.02.24"), on(2024, 2, 5));
        assert_eq!(["05/02/3024", "05/02/0024"].map(|t| style.day(t)), [Day::FarOff; 2]);
        assert_eq!(["05/02/24", "05/02/20245", "30/02/2024", "2024-02-05", "x"].map(|t| style.day(t)), [Day::No; 5]);
        let style = Style { dates: vec!["%d/%m/%Y %H:%M".into()], ..Style::default() };
        assert_eq!(style.day("05/02/2024 10:30"), on(2024, 2, 5));
        assert_eq!(style.moment("05/02/2024 10:30").as_deref(), Some("2024-02-05T10:30:00"));
    }

    #[test]
    fn a_form_must_name_a_whole_day() {
        for form in ["%d/%m/%Y", "%Y%m%d", "%d/%m/%y", "%Y-%m-%dT%H:%M:%S", "%d de %B de %Y"] {
            assert!(is_form_of_a_day(form), "{form}");
        }
        for form in ["", "%m/%Y", "DD/MM/AAAA", "%Q", "%d/%m/%Y %z", "%"] {
            assert!(!is_form_of_a_day(form), "{form}");
        }
    }
}
