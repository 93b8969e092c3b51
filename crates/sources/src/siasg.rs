//! What the federal purchasing systems (SIASG, Compras.gov.br, Contratos.gov.br) share: how they number things.
//!
//! A purchase has seventeen digits: the unit (UASG, six), the modality (two), the number (five) and the year (four).
//! Systems that keep it as a number lose the zeros at its beginning; here they come back, so that a purchase has one
//! id in whatever file it stands.

use model::Modality;

const UNIT_DIGITS: usize = 6;
const PURCHASE_DIGITS: usize = 17;
/// A unit's code has at most this many zeros at its beginning.
const ZEROS_MAX: usize = 4;

/// A unit's six digits; another text stays as it is.
pub(crate) fn unit_code(code: &str) -> String {
    let code = code.trim();
    if !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit()) {
        format!("{code:0>UNIT_DIGITS$}")
    } else {
        code.to_owned()
    }
}

/// The seventeen digits of a purchase or contract; `None` for anything else.
pub(crate) fn seventeen_digits(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = (PURCHASE_DIGITS - ZEROS_MAX..=PURCHASE_DIGITS).contains(&text.len());
    (fits && text.bytes().all(|b| b.is_ascii_digit())).then(|| format!("{text:0>PURCHASE_DIGITS$}"))
}

/// Number and year inside the seventeen digits: `00012/2016`.
pub(crate) fn number_and_year(digits: &str) -> Option<String> {
    let digits = seventeen_digits(digits)?;
    Some(format!("{}/{}", &digits[8..13], &digits[13..]))
}

/// A modality from its words, else from SIASG's number.
pub(crate) fn modality(words: Option<&str>, code: Option<&str>) -> Option<Modality> {
    words.and_then(Modality::from_words).or_else(|| modality_of_code(code?))
}

/// SIASG's numbers of modalities; only those we are sure of.
fn modality_of_code(code: &str) -> Option<Modality> {
    Some(match code.trim().parse::<u16>().ok()? {
        1 => Modality::Convite,
        // 22, 33 and 44 are the same by technique and price.
        2 | 22 => Modality::TomadaDePrecos,
        3 | 4 | 33 | 44 => Modality::Concorrencia,
        5 => Modality::Pregao,
        6 => Modality::Dispensa,
        7 => Modality::Inexigibilidade,
        20 => Modality::Concurso,
        99 => Modality::Rdc,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_that_a_number_lost_come_back() {
        assert_eq!(unit_code("70001"), "070001");
        assert_eq!(unit_code("158132"), "158132");
        assert_eq!(unit_code("U-1"), "U-1");
        assert_eq!(seventeen_digits("7000106000012016").as_deref(), Some("07000106000012016"));
        assert_eq!(seventeen_digits("15813206000012016").as_deref(), Some("15813206000012016"));
        for other in ["IC", "07001512020", "158132060000120161", "1581320600001201x", ""] {
            assert_eq!(seventeen_digits(other), None, "{other}");
        }
        assert_eq!(number_and_year("15813206000122016").as_deref(), Some("00012/2016"));
    }

    #[test]
    fn a_modality_is_its_words_else_its_number() {
        assert_eq!(modality(Some("PREGÃO"), Some("6")), Some(Modality::Pregao));
        assert_eq!(modality(Some("Outra"), Some("06")), Some(Modality::Dispensa));
        assert_eq!(modality(None, Some("33")), Some(Modality::Concorrencia));
        assert_eq!(modality(None, Some("98")), None);
        assert_eq!(modality(None, Some("NAOSEAPLIC")), None);
        assert_eq!(modality(None, None), None);
    }
}
