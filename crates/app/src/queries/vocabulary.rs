//! Words with a fixed set of values, as filters take them.

use model::Modality;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, Result};

/// The most characters that words sought may have.
const WORDS_CHARS_MAX: usize = 200;

const MODALITIES: [Modality; 13] = [
    Modality::Pregao,
    Modality::Concorrencia,
    Modality::Concurso,
    Modality::Leilao,
    Modality::DialogoCompetitivo,
    Modality::TomadaDePrecos,
    Modality::Convite,
    Modality::Dispensa,
    Modality::Inexigibilidade,
    Modality::ManifestacaoDeInteresse,
    Modality::PreQualificacao,
    Modality::Credenciamento,
    Modality::Rdc,
];

const STATES: [&str; 27] = [
    "AC", "AL", "AP", "AM", "BA", "CE", "DF", "ES", "GO", "MA", "MT", "MS", "MG", "PA", "PB", "PR", "PE", "PI", "RJ",
    "RN", "RS", "RO", "RR", "SC", "SP", "SE", "TO",
];

/// Words to seek: at most 200 characters, with at least one word that the index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Words(String);

impl Words {
    /// Reads words to seek.
    ///
    /// # Errors
    /// Longer than 200 characters, or nothing that could be sought (`de`, `---`).
    pub fn parse(text: &str) -> Result<Self> {
        if text.chars().count() > WORDS_CHARS_MAX {
            return Err(Error::invalid("q", format!("longer than {WORDS_CHARS_MAX} characters")));
        }
        if store::search::match_expression(text).is_none() {
            return Err(Error::invalid("q", "holds no word that can be sought"));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The modality with this code.
///
/// # Errors
/// There is none.
pub fn modality(code: &str) -> Result<&'static str> {
    let known = MODALITIES.iter().map(|m| m.code());
    known
        .clone()
        .find(|c| *c == code)
        .ok_or_else(|| Error::invalid("modality", format!("not one of {}", known.collect::<Vec<_>>().join(", "))))
}

/// The state with these two letters.
///
/// # Errors
/// There is none.
pub fn state(letters: &str) -> Result<&'static str> {
    let known = STATES.iter().copied().find(|s| s.eq_ignore_ascii_case(letters));
    known.ok_or_else(|| Error::invalid("state", "not the two letters of a Brazilian state"))
}

/// The sphere of government.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Sphere {
    #[serde(rename = "F")]
    Federal,
    #[serde(rename = "E")]
    State,
    #[serde(rename = "M")]
    Municipal,
    #[serde(rename = "D")]
    FederalDistrict,
}

impl Sphere {
    /// Its letter in every table.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Federal => "F",
            Self::State => "E",
            Self::Municipal => "M",
            Self::FederalDistrict => "D",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_find_nothing_are_refused() {
        for text in ["", " de ", "---", &"a".repeat(201)] {
            assert!(Words::parse(text).is_err(), "{text}");
        }
        assert!(Words::parse("pão de açúcar").is_ok());
    }

    #[test]
    fn codes_are_known_or_refused() {
        assert_eq!(modality("dispensa").unwrap(), "dispensa");
        assert!(modality("Dispensa").is_err());
        assert_eq!(state("sp").unwrap(), "SP");
        assert!(state("XX").is_err());
    }
}
