//! Ways to reach people, as hashes: two companies with one telephone can be found, the telephone cannot be read.
//!
//! A key is the first 16 hexadecimal digits of SHA-256 over a normal form. The forms are written down in
//! `docs/sources.md`, for a key is only good for comparing if it is made alike everywhere. What is blank or
//! stands for nothing gives no key, so that two companies without a telephone do not share one.

use model::text::normal_name;

use crate::fields::hash_text;

const KEY_CHARACTERS: usize = 16;
/// Digits of a telephone without its area.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=9;
/// Beginnings of e-mail addresses that say that there is none, letters only.
const NO_EMAIL: &[&str] =
    &["naotem", "naopossui", "semmail", "sememail", "naoinformado", "nao", "nt", "email", "teste"];

fn key_of(normal: &str) -> String {
    let mut key = hash_text(normal);
    key.truncate(KEY_CHARACTERS);
    key
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn is_one_character(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    bytes.all(|b| Some(b) == first)
}

/// The key of an address: municipality, postal code, kind of street, street, number, complement.
///
/// Without a street, or with neither number nor complement, it is no place that two companies could share.
pub(crate) fn address_key(parts: [&str; 6]) -> Option<String> {
    let [municipality, postal_code, street_kind, street, number, complement] = parts;
    let street = normal_name(&format!("{street_kind} {street}"));
    let has_street = !normal_name(parts[3]).is_empty();
    let mut number = normal_name(number);
    if matches!(number.as_str(), "s n" | "sn" | "sem numero") || number.bytes().all(|b| b == b'0') {
        number.clear();
    }
    let complement = normal_name(complement);
    if !has_street || municipality.is_empty() || (number.is_empty() && complement.is_empty()) {
        return None;
    }
    let mut postal_code = digits_of(postal_code);
    if postal_code.len() != 8 || is_one_character(&postal_code) {
        postal_code.clear();
    }
    Some(key_of(&format!("{municipality}|{postal_code}|{street}|{number}|{complement}")))
}

/// The keys of telephones, given as area and number: each once, in their order.
pub(crate) fn phone_keys(phones: [(&str, &str); 3]) -> Option<String> {
    let mut keys: Vec<String> = Vec::new();
    for (area, number) in phones {
        if let Some(key) = phone_key(area, number).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }
    (!keys.is_empty()).then(|| keys.join(","))
}

fn phone_key(area: &str, number: &str) -> Option<String> {
    if number.is_empty() {
        return None;
    }
    let (area, number) = (digits_of(area), digits_of(number));
    let (area, number) = (area.trim_start_matches('0'), number.trim_start_matches('0'));
    let is_phone = area.len() == 2 && PHONE_DIGITS.contains(&number.len()) && !is_one_character(number);
    is_phone.then(|| key_of(&format!("{area}{number}")))
}

/// The key of an e-mail address.
pub(crate) fn email_key(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (user, host) = email.split_once('@')?;
    let letters: String = user.chars().filter(char::is_ascii_alphabetic).collect();
    let is_nothing = NO_EMAIL.contains(&letters.as_str()) || is_one_character(user);
    let is_email = host.contains('.') && !host.contains('@') && !email.contains(char::is_whitespace);
    (is_email && !is_nothing).then(|| key_of(&email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_written_in_two_ways_has_one_key() {
        let key = address_key(["7107", "01310-100", "AVENIDA", "PAULISTA", "1000", "SALA 1"]);
        assert_eq!(key, address_key(["7107", "01310100", "Avenida", " Paulista ", "1000", "sala  1"]));
        assert_eq!(key, Some(hash_text("7107|01310100|avenida paulista|1000|sala 1")[..16].to_owned()));
        assert_ne!(key, address_key(["7107", "01310100", "AVENIDA", "PAULISTA", "1000", "SALA 2"]));
        for parts in [
            ["7107", "01310100", "RUA", "", "1000", ""],
            ["7107", "01310100", "RUA", "DAS FLORES", "S/N", ""],
            ["7107", "01310100", "RUA", "DAS FLORES", "000", ""],
            ["", "01310100", "RUA", "DAS FLORES", "1", ""],
        ] {
            assert_eq!(address_key(parts), None, "{parts:?}");
        }
    }

    #[test]
    fn telephones_and_mails_that_stand_for_nothing_have_no_key() {
        let key = |text: &str| hash_text(text)[..16].to_owned();
        assert_eq!(
            phone_keys([("011", "3333-4444"), ("11", "33334444"), ("11", "912345678")]),
            Some(format!("{},{}", key("1133334444"), key("11912345678")))
        );
        for phone in
            [("11", "00000000"), ("", "33334444"), ("11", ""), ("11", "99999999"), ("11", "123"), ("00", "33334444")]
        {
            assert_eq!(phone_keys([phone, ("", ""), ("", "")]), None, "{phone:?}");
        }
        assert_eq!(email_key(" Contato@Exemplo.COM.br"), Some(key("contato@exemplo.com.br")));
        for email in [
            "",
            "contato",
            "x@x.com",
            "NAOTEM@naotem.com",
            "nao_tem@a.com",
            "a@b",
            "a b@c.com",
            "a@b@c.com",
            "0000@a.com",
        ] {
            assert_eq!(email_key(email), None, "{email}");
        }
    }
}
