//! Natural persons: their CPF is masked before anything else sees it.
//!
//! The mask keeps the six middle digits (`***.456.789-**`), as the Portal da Transparência publishes it. A hash of
//! a CPF is a CPF (there are only 10^9), so masking comes before hashing, quarantine and metadata too.

use std::borrow::Cow;

use crate::Cnpj;

/// The shape of a masked CPF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaskedCpf([u8; 6]);

impl MaskedCpf {
    /// Reads a full CPF (masking it) or any of the published masks: `***.456.789-**`, `***456789**`.
    /// Eleven plain digits are a CPF only when their check digits are right. Three zeros before them, which courts
    /// of accounts write to fill the fourteen places of a CNPJ, do not count.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut kept = [0u8; 11];
        let mut length = 0;
        for byte in without_padding(text.trim()).bytes() {
            match byte {
                b'.' | b'-' | b'/' => continue,
                b'0'..=b'9' | b'*' if length < 11 => kept[length] = byte,
                _ => return None,
            }
            length += 1;
        }
        if length != 11 {
            return None;
        }
        let middle: [u8; 6] = kept[3..9].try_into().ok()?;
        if !middle.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let hidden = kept[..3].iter().chain(&kept[9..]).all(|b| *b == b'*');
        let whole = kept.iter().all(u8::is_ascii_digit) && valid_cpf(&kept);
        (hidden || whole).then_some(Self(middle))
    }
}

impl std::fmt::Display for MaskedCpf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = std::str::from_utf8(&self.0).expect("six ASCII digits");
        write!(f, "***.{}.{}-**", &digits[..3], &digits[3..])
    }
}

/// A CPF written in fourteen places, without the three zeros that fill them; a CNPJ stays as it is.
fn without_padding(text: &str) -> &str {
    match text.strip_prefix("000") {
        Some(rest) if rest.len() == 11 && Cnpj::parse(text).is_err() => rest,
        _ => text,
    }
}

fn valid_cpf(digits: &[u8; 11]) -> bool {
    if digits.iter().all(|d| *d == digits[0]) {
        return false;
    }
    let check = |count: usize| {
        let sum: usize = (0..count).map(|i| usize::from(digits[i] - b'0') * (count + 1 - i)).sum();
        let rest = sum * 10 % 11 % 10;
        usize::from(digits[count] - b'0') == rest
    };
    check(9) && check(10)
}

/// Masks every CPF inside a text: eleven digits with right check digits standing alone or behind three zeros that
/// fill the places of a CNPJ, the written form `123.456.789-09`, and, with right check digits, `123.456.789/09`. Other
/// numbers stay as they are.
#[must_use]
pub fn mask_cpfs(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out: Option<Vec<u8>> = None;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let plain = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if plain == 11 || plain == 14 && without_padding(&text[at..at + 14]).len() == 11 {
            let first = at + plain - 11;
            let digits: [u8; 11] = bytes[first..first + 11].try_into().expect("eleven bytes were counted");
            if valid_cpf(&digits) {
                let target = out.get_or_insert_with(|| bytes.to_vec());
                target[first..first + 3].fill(b'*');
                target[first + 9..first + 11].fill(b'*');
            }
        } else if plain == 3 && written_cpf(&bytes[at..]) {
            let target = out.get_or_insert_with(|| bytes.to_vec());
            target[at..at + 3].fill(b'*');
            target[at + 12..at + 14].fill(b'*');
            at += 14;
            continue;
        }
        at += plain;
    }
    match out {
        None => Cow::Borrowed(text),
        Some(masked) => Cow::Owned(String::from_utf8(masked).expect("only ASCII digits were replaced")),
    }
}

/// `ddd.ddd.ddd-dd` with no digit behind it, or `ddd.ddd.ddd/dd` whose check digits are right: with a slash it may
/// be the number of a process.
fn written_cpf(bytes: &[u8]) -> bool {
    let shaped = |shape: &[u8; 14]| {
        bytes.len() >= 14
            && shape.iter().zip(bytes).all(|(s, b)| if *s == b'd' { b.is_ascii_digit() } else { s == b })
            && !bytes.get(14).is_some_and(u8::is_ascii_digit)
    };
    shaped(b"ddd.ddd.ddd-dd") || shaped(b"ddd.ddd.ddd/dd") && right_when_bare(&bytes[..14])
}

fn right_when_bare(written: &[u8]) -> bool {
    let mut digits = [0u8; 11];
    for (place, digit) in digits.iter_mut().zip(written.iter().filter(|b| b.is_ascii_digit())) {
        *place = *digit;
    }
    valid_cpf(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_cpfs_and_published_masks_give_one_mask() {
        for text in [
            "529.982.247-25",
            "52998224725",
            "***.982.247-**",
            "***982247**",
            "529.982.247/25",
            "00052998224725",
            "000***982247**",
        ] {
            assert_eq!(MaskedCpf::parse(text).map(|m| m.to_string()).as_deref(), Some("***.982.247-**"), "{text}");
        }
        for text in ["52998224724", "11111111111", "-11", "", "***.***.247-**", "00000000000191"] {
            assert_eq!(MaskedCpf::parse(text), None, "{text}");
        }
    }

    #[test]
    fn cpfs_inside_texts_are_masked_and_other_numbers_are_not() {
        assert_eq!(mask_cpfs("JOSE DA SILVA 52998224725"), "JOSE DA SILVA ***982247**");
        assert_eq!(mask_cpfs("CPF 529.982.247-25, rua"), "CPF ***.982.247-**, rua");
        assert_eq!(mask_cpfs("processo 23098001540201216"), "processo 23098001540201216");
        assert_eq!(mask_cpfs("52998224724 não é"), "52998224724 não é");
        assert_eq!(mask_cpfs("ação é 1"), "ação é 1");
        assert_eq!(mask_cpfs("529.982.247/25"), "***.982.247/**");
        assert_eq!(mask_cpfs("processo 529.982.247/24"), "processo 529.982.247/24");
        assert_eq!(mask_cpfs("00052998224725;"), "000***982247**;");
        // A CNPJ whose last eleven digits look like a CPF stays.
        assert_eq!(mask_cpfs("00000000000191"), "00000000000191");
    }
}
