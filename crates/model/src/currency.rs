//! The currency of an amount.

use serde::{Serialize, Serializer};

/// A currency by its ISO 4217 code; the real where a source states none and can mean no other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The Brazilian real.
    pub const BRL: Self = Self(*b"BRL");

    /// Three letters; anything else is no currency.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_alphabetic).then(|| Self(code.map(|b| b.to_ascii_uppercase())))
    }

    /// Three capital letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("BRL")
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::BRL
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_letters() {
        assert_eq!(Currency::parse(" mdl ").map(|c| c.as_str().to_owned()).as_deref(), Some("MDL"));
        assert_eq!(Currency::default().as_str(), "BRL");
        for text in ["", "R$", "BRLX", "12A"] {
            assert_eq!(Currency::parse(text), None, "{text}");
        }
    }
}
