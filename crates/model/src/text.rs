//! Texts as people and registers write them, made comparable.
//!
//! Foreign files spell one thing in many ways: capitals, accents, doubled blanks, the control character that
//! a broken conversion leaves behind. The three functions here are the only places where such spelling is
//! levelled, so that two texts which compare equal in one room compare equal in all. They run over every row
//! that is read: each makes one pass and one allocation.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Lower case without accents: `"Aquisição Nº 3"` becomes `"aquisicao no 3"`.
///
/// Compatibility forms are opened (`º` is `o`, `ﬁ` is `fi`, the no-break space is a blank) and every combining
/// mark is dropped. Folding a folded text changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        fold_char(c, |plain| folded.push(plain));
    }
    folded
}

/// Whitespace runs become one blank, the ends are trimmed, and what cannot be seen is dropped.
///
/// Dropped are control characters (such as the `\u{1A}` that some exports hold where an accented letter was),
/// soft hyphens, zero-width characters and byte-order marks. Case and accents stay as they are.
#[must_use]
pub fn squeeze(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = true;
        } else if !is_unseen(c) {
            push_after_gap(&mut squeezed, &mut gap, c);
        }
    }
    squeezed
}

/// A text of people's own, line by line: ends are trimmed, and what cannot be seen is dropped, line breaks aside. So are the
/// marks that turn the direction of a text, with which it could be made to read as another.
#[must_use]
pub fn plain(text: &str) -> String {
    let seen = |c: &char| *c == '\n' || !(is_unseen(*c) || is_turning(*c));
    let one_break = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n").replace('\t', " ");
    let lines: String = one_break.chars().filter(seen).filter(|c| *c == '\n' || !c.is_control()).collect();
    lines.trim().to_owned()
}

/// The form in which names of people and bodies are compared: folded, punctuation as a blank, blanks collapsed.
///
/// `"PREFEITURA MUNICIPAL DE MACEIÓ - (AL)"` becomes `"prefeitura municipal de maceio al"`. It is for comparing,
/// never for showing: `S/A` and `S.A.` both become `s a`.
#[must_use]
pub fn normal_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    let mut gap = false;
    for c in name.chars() {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                push_after_gap(&mut normal, &mut gap, c.to_ascii_lowercase());
            } else if !is_unseen(c) {
                gap = true;
            }
        } else if !is_unseen(c) {
            fold_char(c, |plain| {
                if plain.is_alphanumeric() {
                    push_after_gap(&mut normal, &mut gap, plain);
                } else {
                    gap = true;
                }
            });
        }
    }
    normal
}

/// Appends `c`, after one blank if there was a gap between two words.
fn push_after_gap(text: &mut String, gap: &mut bool, c: char) {
    if *gap && !text.is_empty() {
        text.push(' ');
    }
    *gap = false;
    text.push(c);
}

/// Gives the folded form of one character, which may be none or several.
fn fold_char(c: char, mut emit: impl FnMut(char)) {
    if c.is_ascii() {
        return emit(c.to_ascii_lowercase());
    }
    if let Some(plain) = fold_portuguese(c) {
        return emit(plain);
    }
    decompose_compatible(c, |part| {
        if !is_combining_mark(part) {
            part.to_lowercase().for_each(|lower| {
                if !is_combining_mark(lower) {
                    emit(lower);
                }
            });
        }
    });
}

/// The letters that nearly all Brazilian texts are made of, without a walk through the Unicode tables.
const fn fold_portuguese(c: char) -> Option<char> {
    Some(match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'Á' | 'À' | 'Â' | 'Ã' | 'Ä' | 'ª' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'Í' | 'Ì' | 'Î' | 'Ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ö' | 'º' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'Ú' | 'Ù' | 'Û' | 'Ü' => 'u',
        'ç' | 'Ç' => 'c',
        'ñ' | 'Ñ' => 'n',
        _ => return None,
    })
}

/// Characters that turn the direction of what follows.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{061C}')
}

/// Characters that leave no mark on paper and are not whitespace.
fn is_unseen(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    #[test]
    fn case_and_accents_are_levelled() {
        assert_eq!(fold("AQUISIÇÃO de pão-de-ló Nº 3"), "aquisicao de pao-de-lo no 3");
        assert_eq!(fold("plain ASCII 123"), "plain ascii 123");
        assert_eq!(fold("ﬁo\u{A0}A\u{303} Ÿ"), "fio a y");
        assert_eq!(fold(""), "");
    }

    #[test]
    fn a_plain_text_keeps_its_lines_and_nothing_that_cannot_be_seen() {
        assert_eq!(plain(" um\r\ndois\ttrês\n"), "um\ndois três");
        assert_eq!(plain("529982\u{200B}24725 \u{1B}[31m\u{202E}abc"), "52998224725 [31mabc");
    }

    #[test]
    fn a_composed_and_a_decomposed_text_fold_alike() {
        let text = "Órgão público à véspera do dia útil";
        assert_eq!(fold(&text.nfd().collect::<String>()), fold(text));
    }

    #[test]
    fn blanks_collapse_and_unseen_characters_go() {
        assert_eq!(squeeze("  Lei n\u{1A}  8.666/93 \r\n e\taltera\u{1A}\u{1A}es "), "Lei n 8.666/93 e alteraes");
        assert_eq!(squeeze("\u{FEFF}objeto\u{A0}\u{200B} único"), "objeto único");
        assert_eq!(squeeze(" \u{1A} "), "");
    }

    #[test]
    fn names_that_differ_in_spelling_only_are_one() {
        assert_eq!(normal_name("PREFEITURA MUNICIPAL DE MACEIÓ - (AL)"), "prefeitura municipal de maceio al");
        assert_eq!(normal_name("Petróleo  Brasileiro S.A."), normal_name("PETROLEO BRASILEIRO S/A"));
        assert_eq!(normal_name("--"), "");
        assert_eq!(normal_name("ﬁrma ½"), "firma 1 2");
    }

    proptest! {
        #[test]
        fn doing_it_twice_changes_nothing(text in "\\PC{0,40}|[a-zA-ZÀ-ÿ \\t.\u{1A}]{0,40}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
            prop_assert_eq!(squeeze(&squeeze(&text)), squeeze(&text));
            prop_assert_eq!(normal_name(&normal_name(&text)), normal_name(&text));
        }

        #[test]
        fn a_normal_name_holds_no_doubled_blank_and_no_capital(text in "\\PC{0,40}") {
            let normal = normal_name(&text);
            prop_assert!(!normal.contains("  "));
            prop_assert_eq!(normal.trim(), normal.as_str());
            prop_assert!(!normal.chars().any(|c| c.is_ascii_uppercase()));
        }
    }
}
