//! Days and times as sources write them, and the clock of America/Sao_Paulo.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use thiserror::Error;

/// Why a text is not a day.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a day between 1950 and 2150 in the form {form}")]
pub struct DateError {
    text: String,
    form: &'static str,
}

fn plausible(date: NaiveDate) -> bool {
    (1950..=2150).contains(&date.year())
}

/// Reads `DD/MM/AAAA` (a time behind it is left out).
///
/// # Errors
/// Another form, a day that does not exist (`00/00/0000`, `30/02/2024`), a year out of 1950–2150.
pub fn parse_br(text: &str) -> Result<NaiveDate, DateError> {
    let trimmed = text.trim();
    let error = || DateError { text: trimmed.chars().take(30).collect(), form: "DD/MM/AAAA" };
    let day = trimmed.split([' ', 'T']).next().unwrap_or_default().as_bytes();
    let shaped = day.len() == 10 && day[2] == b'/' && day[5] == b'/';
    if !shaped {
        return Err(error());
    }
    from_digits(&day[6..10], &day[3..5], &day[..2]).ok_or_else(error)
}

/// Reads `AAAA-MM-DD` or `AAAA/MM/DD` (a time behind it is left out).
///
/// # Errors
/// As [`parse_br`].
pub fn parse_iso(text: &str) -> Result<NaiveDate, DateError> {
    let trimmed = text.trim();
    let error = || DateError { text: trimmed.chars().take(30).collect(), form: "AAAA-MM-DD" };
    let day = trimmed.split([' ', 'T']).next().unwrap_or_default().as_bytes();
    let shaped = day.len() == 10 && matches!(day[4], b'-' | b'/') && day[7] == day[4];
    if !shaped {
        return Err(error());
    }
    from_digits(&day[..4], &day[5..7], &day[8..10]).ok_or_else(error)
}

fn from_digits(year: &[u8], month: &[u8], day: &[u8]) -> Option<NaiveDate> {
    let number =
        |digits: &[u8]| digits.iter().try_fold(0u32, |n, d| d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0')));
    let year = i32::try_from(number(year)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?).filter(|d| plausible(*d))
}

/// Brasília time. Summer time ended for good with Decreto 9.772/2019, so the offset is fixed for all that we write.
#[must_use]
pub fn brasilia() -> FixedOffset {
    FixedOffset::west_opt(3 * 3600).expect("three hours are a valid offset")
}

/// Now, in Brasília, as RFC 3339 with offset and microseconds.
#[must_use]
pub fn now_text() -> String {
    at_text(Utc::now())
}

/// An instant, in Brasília, as RFC 3339 with offset and microseconds.
#[must_use]
pub fn at_text(at: DateTime<Utc>) -> String {
    at.with_timezone(&brasilia()).to_rfc3339_opts(chrono::SecondsFormat::Micros, false)
}

/// Reads an instant with its offset (RFC 3339), as [`at_text`] writes it: instants so written compare as texts.
///
/// # Errors
/// Another form, or none of an instant.
pub fn parse_instant(text: &str) -> Result<DateTime<Utc>, DateError> {
    let form = "AAAA-MM-DDThh:mm:ss-03:00";
    let error = |_| DateError { text: text.chars().take(40).collect(), form };
    DateTime::parse_from_rfc3339(text.trim()).map(|at| at.with_timezone(&Utc)).map_err(error)
}

/// A day as Brazilians write it.
#[must_use]
pub fn to_br(date: NaiveDate) -> String {
    date.format("%d/%m/%Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in ["00/00/0000", "30/02/2024", "1/1/2024", "2024-01-01", "", "aa/bb/cccc", "01/01/0201"] {
            assert!(parse_br(text).is_err(), "{text}");
        }
        for text in ["2024-13-01", "20240101", "01/01/2024", "2024-1-1x", "2024-01/01"] {
            assert!(parse_iso(text).is_err(), "{text}");
        }
        assert_eq!(parse_br("29/02/2024 10:00").ok(), NaiveDate::from_ymd_opt(2024, 2, 29));
        assert_eq!(parse_iso("2025-06-24T00:30:04").ok(), NaiveDate::from_ymd_opt(2025, 6, 24));
        assert_eq!(parse_iso("2024/02/29").ok(), NaiveDate::from_ymd_opt(2024, 2, 29));
    }
}
