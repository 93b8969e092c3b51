//! How like two names are, for proposals only: a likeness never merges anything by itself.
//!
//! Names are compared as sets of words, small words left out. A word that differs in a letter or two still counts in
//! part; a number, an ordinal or a word of up to three letters must be the same on both sides, because `3º Batalhão`
//! and `4º Batalhão` are two bodies however long the rest of their names is.

use std::collections::BTreeSet;

/// From which likeness a pair is proposed.
pub(crate) const LIKENESS_MIN: f64 = 0.92;

/// Words that say nothing in the name of a body.
const STOP: &[&str] = &["a", "as", "o", "os", "e", "de", "da", "das", "do", "dos", "em", "na", "no", "nas", "nos"];
/// Words up to this length must be equal.
const SHORT_WORD: usize = 3;
/// Two words are the same word misspelt from this share of equal letters on.
const WORD_LIKENESS_MIN: f64 = 0.8;

/// The words of a name, folded, each once, in order.
pub(crate) fn words(name: &str) -> BTreeSet<String> {
    let normal = model::text::normal_name(name);
    normal.split(' ').filter(|w| !w.is_empty() && !STOP.contains(w)).map(str::to_owned).collect()
}

/// The first word of a name that says something.
pub(crate) fn first_word(name: &str) -> Option<String> {
    let normal = model::text::normal_name(name);
    normal.split(' ').find(|w| !w.is_empty() && !STOP.contains(w)).map(str::to_owned)
}

/// From 0 (nothing in common) to 1 (the same words).
pub(crate) fn likeness(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let same = a.intersection(b).count();
    let alone_a: Vec<&String> = a.difference(b).collect();
    let mut alone_b: Vec<&String> = b.difference(a).collect();
    if alone_a.iter().chain(&alone_b).any(|word| must_be_equal(word)) {
        return 0.0;
    }
    let mut score = same as f64;
    for word in alone_a {
        let best = alone_b
            .iter()
            .enumerate()
            .map(|(at, other)| (at, word_likeness(word, other)))
            .filter(|(_, likeness)| *likeness >= WORD_LIKENESS_MIN)
            .max_by(|x, y| x.1.total_cmp(&y.1));
        if let Some((at, likeness)) = best {
            alone_b.swap_remove(at);
            score += likeness;
        }
    }
    2.0 * score / (a.len() + b.len()) as f64
}

fn must_be_equal(word: &str) -> bool {
    let roman = word.bytes().all(|b| matches!(b, b'i' | b'v' | b'x' | b'l'));
    roman || word.chars().count() <= SHORT_WORD || word.bytes().any(|b| b.is_ascii_digit())
}

/// One minus the share of letters that must change.
fn word_likeness(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longest = a.len().max(b.len());
    1.0 - edits(&a, &b) as f64 / longest as f64
}

/// The least number of letters to put in, take out or change (Levenshtein).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(a: &str, b: &str) -> f64 {
        likeness(&words(a), &words(b))
    }

    #[test]
    fn accents_order_and_small_words_do_not_matter() {
        let same = like("PREFEITURA MUNICIPAL DE MACEIÓ", "Municipal Prefeitura, Maceio");
        assert!((same - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_misspelt_word_is_near_and_a_word_more_is_far() {
        assert!(like("FUNDO MUNICIPAL DE ASSISTENCIA SOCIAL", "FUNDO MUNICIPAL DE ASISTENCIA SOCIAL") >= LIKENESS_MIN);
        // A department of a town hall is not the town hall.
        assert!(like("PREFEITURA MUNICIPAL DE ITU", "PREFEITURA MUNICIPAL DE ITU SECRETARIA DE SAUDE") < LIKENESS_MIN);
        assert!(like("SECRETARIA DE SAUDE", "SECRETARIA DE EDUCACAO") < LIKENESS_MIN);
    }

    #[test]
    fn numbers_and_short_words_must_be_equal() {
        let long = "BATALHAO DE INFANTARIA LEVE AEROMOVEL COMANDO MILITAR NORDESTE GUARNICAO CAPITAL SEDE UNIDADE";
        assert_eq!(like(&format!("3 {long}"), &format!("4 {long}")), 0.0);
        assert_eq!(like(&format!("VARA VII {long}"), &format!("VARA VIII {long}")), 0.0);
        assert_eq!(like(&format!("{long} SP"), &format!("{long} RJ")), 0.0);
        assert_eq!(like("", "X"), 0.0);
    }

    #[test]
    fn edits_are_counted() {
        let edits = |a: &str, b: &str| super::edits(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!((edits("saude", "saude"), edits("saude", "saudde"), edits("abc", "")), (0, 1, 3));
    }
}
