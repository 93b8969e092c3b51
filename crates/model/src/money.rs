//! Exact amounts: fixed-point decimals with four places, checked.
//!
//! An amount is never a float. Everything that would lose a digit is an error that says which text
//! it could not hold; nothing is rounded in silence.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

const SCALE: i64 = 10_000;
const PLACES: usize = 4;

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Nothing but blanks.
    #[error("empty amount")]
    Empty,
    /// A character, sign or grouping that the style does not allow.
    #[error("`{0}` is not a number in the style of this column")]
    Style(String),
    /// More than four decimals that are not zero.
    #[error("`{0}` has more than four decimals")]
    TooPrecise(String),
    /// Beyond ±922,337,203,685,477.5807.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

/// An amount of money in units of 0.0001; the currency stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From ten-thousandths.
    #[must_use]
    pub const fn from_scaled(ten_thousandths: i64) -> Self {
        Self(ten_thousandths)
    }

    /// In ten-thousandths, as databases and Parquet keep it (`DECIMAL(18,4)`).
    #[must_use]
    pub const fn scaled(self) -> i64 {
        self.0
    }

    /// Reads `1234.5`, `-3`, `1.0E7`: a dot for decimals and no grouping.
    ///
    /// # Errors
    /// Empty, another style, more than four decimals, too large.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let trimmed = text.trim();
        let (mantissa, exponent) = match trimmed.find(['e', 'E']) {
            Some(at) => {
                let exponent: i32 = trimmed[at + 1..].parse().map_err(|_| style(trimmed))?;
                if exponent.abs() > 40 {
                    return Err(MoneyError::TooLarge(clip(trimmed)));
                }
                (&trimmed[..at], exponent)
            }
            None => (trimmed, 0),
        };
        let (negative, digits) = sign(mantissa).ok_or(MoneyError::Empty)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err(style(trimmed));
        }
        assemble(trimmed, negative, whole, fraction, exponent)
    }

    /// Reads `6058,6000`, `1.234,56`, `- 24.312,82`, `R$ 10,00`: a comma for decimals, dots between thousands.
    ///
    /// # Errors
    /// As [`Money::parse`]; `1234.56` is another style and refused.
    pub fn parse_br(text: &str) -> Result<Self, MoneyError> {
        let trimmed = text.trim();
        let bare = trimmed.strip_prefix("R$").map_or(trimmed, str::trim_start);
        let (negative, digits) = sign(bare).ok_or(MoneyError::Empty)?;
        let digits = digits.strip_prefix("R$").map_or(digits, str::trim_start);
        let (grouped, fraction) = digits.split_once(',').unwrap_or((digits, ""));
        if !all_digits(fraction) || grouped.is_empty() {
            return Err(style(trimmed));
        }
        if !grouped.contains('.') {
            if !all_digits(grouped) {
                return Err(style(trimmed));
            }
            return assemble(trimmed, negative, grouped, fraction, 0);
        }
        let mut groups = grouped.split('.');
        let first = groups.next().unwrap_or_default();
        let grouped_well = (1..=3).contains(&first.len())
            && all_digits(first)
            && groups.all(|group| group.len() == 3 && all_digits(group));
        if !grouped_well {
            return Err(style(trimmed));
        }
        let whole: String = grouped.chars().filter(|c| *c != '.').collect();
        assemble(trimmed, negative, &whole, fraction, 0)
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` when it does not fit.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// This amount for each of `quantity`, rounded half to even at the fourth decimal; `None` for a quantity of zero.
    #[must_use]
    pub fn per(self, quantity: Quantity) -> Option<Self> {
        let divisor = i128::from(quantity.scaled());
        if divisor == 0 {
            return None;
        }
        let numerator = i128::from(self.0) * i128::from(SCALE);
        round_half_even(numerator, divisor).map(Self)
    }

    /// This amount times `quantity`, rounded half to even at the fourth decimal; `None` when it does not fit.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        let product = i128::from(self.0) * i128::from(quantity.scaled());
        round_half_even(product, i128::from(SCALE)).map(Self)
    }

    /// As a Brazilian reads it: `R$ 87.600,00`; four decimals only when the last two are not zero.
    #[must_use]
    pub fn to_brl(self) -> String {
        let places = if self.0 % 100 == 0 { 2 } else { 4 };
        format!("R$ {}", self.to_br(places))
    }

    /// With Brazilian marks and `places` (2 or 4) decimals, cut and not rounded: `87.600,00`.
    #[must_use]
    pub fn to_br(self, places: usize) -> String {
        let magnitude = self.0.unsigned_abs();
        let whole = (magnitude / SCALE as u64).to_string();
        let mut grouped = String::with_capacity(whole.len() + whole.len() / 3 + 7);
        if self.0 < 0 {
            grouped.push('-');
        }
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at).is_multiple_of(3) {
                grouped.push('.');
            }
            grouped.push(digit);
        }
        let fraction = format!("{:04}", magnitude % SCALE as u64);
        grouped.push(',');
        grouped.push_str(&fraction[..places.min(PLACES)]);
        grouped
    }
}

fn round_half_even(numerator: i128, divisor: i128) -> Option<i64> {
    let (quotient, rest) = (numerator / divisor, numerator % divisor);
    let twice = rest.abs() * 2;
    let away = twice > divisor.abs() || (twice == divisor.abs() && quotient % 2 != 0);
    let step = if (numerator < 0) == (divisor < 0) { 1 } else { -1 };
    i64::try_from(if away { quotient + step } else { quotient }).ok()
}

fn sign(text: &str) -> Option<(bool, &str)> {
    if text.is_empty() {
        return None;
    }
    Some(match text.as_bytes()[0] {
        b'-' => (true, text[1..].trim_start()),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    })
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

fn style(text: &str) -> MoneyError {
    MoneyError::Style(clip(text))
}

/// Puts `whole.fraction × 10^exponent` together without losing a digit.
fn assemble(text: &str, negative: bool, whole: &str, fraction: &str, exponent: i32) -> Result<Money, MoneyError> {
    let mut digits: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        digits = digits
            .checked_mul(10)
            .and_then(|d| d.checked_add(i128::from(digit - b'0')))
            .ok_or_else(|| MoneyError::TooLarge(clip(text)))?;
    }
    let places = i32::try_from(fraction.len()).map_err(|_| MoneyError::TooPrecise(clip(text)))? - exponent;
    let mut shift = PLACES as i32 - places;
    while shift > 0 {
        digits = digits.checked_mul(10).ok_or_else(|| MoneyError::TooLarge(clip(text)))?;
        shift -= 1;
    }
    while shift < 0 && digits != 0 {
        if digits % 10 != 0 {
            return Err(MoneyError::TooPrecise(clip(text)));
        }
        digits /= 10;
        shift += 1;
    }
    let signed = if negative { -digits } else { digits };
    i64::try_from(signed).map(Money).map_err(|_| MoneyError::TooLarge(clip(text)))
}

impl fmt::Display for Money {
    /// Plain, with four decimals: `87600.0000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let minus = if self.0 < 0 { "-" } else { "" };
        write!(f, "{minus}{}.{:04}", magnitude / SCALE as u64, magnitude % SCALE as u64)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// How much or how many of an item, with four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(Money);

impl Quantity {
    /// From ten-thousandths.
    #[must_use]
    pub const fn from_scaled(ten_thousandths: i64) -> Self {
        Self(Money(ten_thousandths))
    }

    /// In ten-thousandths.
    #[must_use]
    pub const fn scaled(self) -> i64 {
        self.0.0
    }

    /// Reads a dot-decimal text. # Errors as [`Money::parse`].
    ///
    /// # Errors
    /// As [`Money::parse`].
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        Money::parse(text).map(Self)
    }

    /// Reads a Brazilian text.
    ///
    /// # Errors
    /// As [`Money::parse_br`].
    pub fn parse_br(text: &str) -> Result<Self, MoneyError> {
        Money::parse_br(text).map(Self)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn br(text: &str) -> String {
        Money::parse_br(text).map_or_else(|e| e.to_string(), |m| m.to_string())
    }

    #[test]
    fn brazilian_texts_are_read_exactly() {
        assert_eq!(br("6058,6000"), "6058.6000");
        assert_eq!(br("- 24.312,82"), "-24312.8200");
        assert_eq!(br("1.234"), "1234.0000");
        assert_eq!(br("R$ 1.234.567,8"), "1234567.8000");
        assert_eq!(br("0,00"), "0.0000");
        assert_eq!(br("1,23450000"), "1.2345");
    }

    #[test]
    fn another_style_is_refused_not_guessed() {
        for text in ["1234.56", "1,234.56", "12.34,5", "1.2345,0", "", "abc", "1,2,3", "--1", ",5", "1e5"] {
            assert!(Money::parse_br(text).is_err(), "{text}");
        }
        for text in ["1,5", "1.2.3", "", ".", "0x10", "NaN", "1e99", "99999999999999999999"] {
            assert!(Money::parse(text).is_err(), "{text}");
        }
        assert_eq!(Money::parse("0.12345"), Err(MoneyError::TooPrecise("0.12345".into())));
    }

    #[test]
    fn exponents_of_json_writers_are_read() {
        assert_eq!(Money::parse("1.0E7").map(Money::scaled), Ok(100_000_000_000));
        assert_eq!(Money::parse("25E-2").map(Money::scaled), Ok(2_500));
    }

    #[test]
    fn amounts_are_shown_as_brazilians_write_them() {
        assert_eq!(Money::from_scaled(876_000_000).to_brl(), "R$ 87.600,00");
        assert_eq!(Money::from_scaled(-12_345).to_brl(), "R$ -1,2345");
        assert_eq!(Money::from_scaled(10_000_000_000).to_brl(), "R$ 1.000.000,00");
    }

    #[test]
    fn division_and_product_round_half_to_even() {
        let three = Quantity::from_scaled(30_000);
        assert_eq!(Money::from_scaled(100_000).per(three), Some(Money::from_scaled(33_333)));
        assert_eq!(Money::from_scaled(1).per(Quantity::from_scaled(20_000)), Some(Money::ZERO));
        assert_eq!(Money::from_scaled(3).per(Quantity::from_scaled(20_000)), Some(Money::from_scaled(2)));
        assert_eq!(Money::from_scaled(1).per(Quantity::from_scaled(0)), None);
        assert_eq!(Money::from_scaled(i64::MAX).times(three), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(scaled in any::<i64>()) {
            let money = Money::from_scaled(scaled);
            prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
            prop_assert_eq!(Money::parse_br(&money.to_br(4)), Ok(money));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = Money::parse(&text);
            let _ = Money::parse_br(&text);
        }
    }
}
