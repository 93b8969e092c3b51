//! CNPJ: the register number of a legal person, numeric or (since July 2026) alphanumeric.
//!
//! Twelve letters or digits and two check digits; the value of a character is its ASCII code less 48
//! (Instrução Normativa RFB 2.229/2024). A `Cnpj` exists only if its check digits are right.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is not a CNPJ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CnpjError {
    /// Not 14 letters and digits.
    #[error("a CNPJ has 14 letters or digits")]
    Length,
    /// A character that no CNPJ holds.
    #[error("a CNPJ holds only digits and letters, with `.`, `/` and `-` between them")]
    Character,
    /// The last two digits do not follow from the first twelve characters.
    #[error("the check digits of this CNPJ are wrong")]
    CheckDigits,
}

/// A checked CNPJ, kept without punctuation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cnpj([u8; 14]);

impl Cnpj {
    /// Reads a CNPJ with or without punctuation; letters in either case.
    ///
    /// # Errors
    /// Wrong length, a foreign character, wrong check digits, or one digit repeated fourteen times.
    pub fn parse(text: &str) -> Result<Self, CnpjError> {
        let mut bytes = [0u8; 14];
        let mut length = 0;
        for byte in text.trim().bytes() {
            if matches!(byte, b'.' | b'/' | b'-') {
                continue;
            }
            if !byte.is_ascii_alphanumeric() {
                return Err(CnpjError::Character);
            }
            if length == 14 {
                return Err(CnpjError::Length);
            }
            bytes[length] = byte.to_ascii_uppercase();
            length += 1;
        }
        if length != 14 {
            return Err(CnpjError::Length);
        }
        let base: [u8; 12] = bytes[..12].try_into().map_err(|_| CnpjError::Length)?;
        if bytes[12..] != check_digits(base) || bytes.iter().all(|b| *b == bytes[0]) {
            return Err(CnpjError::CheckDigits);
        }
        Ok(Self(bytes))
    }

    /// The CNPJ whose first twelve characters are `base`.
    ///
    /// # Errors
    /// A character that is neither a digit nor a capital letter.
    pub fn from_base(base: [u8; 12]) -> Result<Self, CnpjError> {
        if base.iter().any(|b| !b.is_ascii_digit() && !b.is_ascii_uppercase()) {
            return Err(CnpjError::Character);
        }
        let mut bytes = [0u8; 14];
        bytes[..12].copy_from_slice(&base);
        bytes[12..].copy_from_slice(&check_digits(base));
        Ok(Self(bytes))
    }

    /// The fourteen characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a Cnpj holds ASCII only")
    }

    /// The eight characters that all establishments of one legal person share.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.as_str()[..8]
    }

    /// With punctuation: `12.345.678/0001-95`.
    #[must_use]
    pub fn formatted(&self) -> String {
        let s = self.as_str();
        format!("{}.{}.{}/{}-{}", &s[..2], &s[2..5], &s[5..8], &s[8..12], &s[12..])
    }
}

fn check_digits(base: [u8; 12]) -> [u8; 2] {
    let digit = |characters: &[u8]| {
        // Weights 2 to 9 from the right, again and again.
        let sum: u32 =
            characters.iter().rev().zip((2..=9).cycle()).map(|(c, weight)| u32::from(c - b'0') * weight).sum();
        match sum % 11 {
            0 | 1 => b'0',
            rest => b'0' + (11 - rest) as u8,
        }
    };
    let first = digit(&base);
    let mut thirteen = [0u8; 13];
    thirteen[..12].copy_from_slice(&base);
    thirteen[12] = first;
    [first, digit(&thirteen)]
}

impl fmt::Display for Cnpj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Cnpj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cnpj({self})")
    }
}

impl Serialize for Cnpj {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Cnpj {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numeric_and_alphanumeric_are_read() {
        assert_eq!(Cnpj::parse("00.000.000/0001-91").map(|c| c.to_string()), Ok("00000000000191".into()));
        // The example that the Receita gives for the alphanumeric form.
        assert_eq!(Cnpj::parse("12.ABC.345/01DE-35").map(|c| c.formatted()), Ok("12.ABC.345/01DE-35".into()));
        assert_eq!(Cnpj::parse("12abc34501de35").map(|c| c.root().to_owned()), Ok("12ABC345".into()));
    }

    #[test]
    fn wrong_ones_are_refused() {
        assert_eq!(Cnpj::parse("00000000000192"), Err(CnpjError::CheckDigits));
        assert_eq!(Cnpj::parse("00000000000000"), Err(CnpjError::CheckDigits));
        assert_eq!(Cnpj::parse("123"), Err(CnpjError::Length));
        assert_eq!(Cnpj::parse("000000000001911"), Err(CnpjError::Length));
        assert_eq!(Cnpj::parse("12ABC34501DEX5"), Err(CnpjError::CheckDigits));
        assert_eq!(Cnpj::parse("12ABÇ34501DE35"), Err(CnpjError::Character));
    }

    proptest! {
        #[test]
        fn every_made_cnpj_is_read_back_and_one_wrong_digit_is_seen(base in "[0-9A-Z]{12}", at in 0usize..14) {
            let base: [u8; 12] = base.as_bytes().try_into().unwrap();
            let cnpj = Cnpj::from_base(base).unwrap();
            if !base.iter().all(|b| *b == b'0') {
                prop_assert_eq!(Cnpj::parse(&cnpj.formatted()), Ok(cnpj));
            }
            let mut altered = cnpj.0;
            altered[at] = if altered[at] == b'9' { b'8' } else { b'9' };
            let altered = String::from_utf8(altered.to_vec()).unwrap();
            if at >= 12 {
                prop_assert!(Cnpj::parse(&altered).is_err());
            }
        }
    }
}
