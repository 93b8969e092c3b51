//! What keeps a model honest: a sentence stays only if each of its numbers and names stands in the evidence.

use model::text::{fold, normal_name};

/// Beginnings of words that accuse, or lead elsewhere: only the text that is said again may say them, for in the evidence they are what
/// others wrote.
const ACCUSING: &[&str] = &[
    "roub", "furt", "culpad", "crimin", "crime", "corrup", "fraud", "desvi", "ilega", "propina", "suborn", "lavagem",
    "condenad", "quadrilh", "guilt", "stole", "steal", "illegal", "brib", "theft", "launder", "http", "www",
];

/// The sentences of `text`, which says `original` again, that the evidence bears; and how many it does not.
#[must_use]
pub fn borne_by(evidence: &str, original: &str, text: &str) -> (String, usize) {
    let original = fold(original);
    let accuses = |sentence: &str| {
        let folded = fold(sentence);
        let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let starts = words.filter_map(|word| ACCUSING.iter().find(|start| word.starts_with(**start)));
        starts.into_iter().any(|start| !original.contains(start))
    };
    let numbers = numbers_of(evidence);
    let words: Vec<String> = normal_name(evidence).split(' ').map(str::to_owned).collect();
    let (mut kept, mut dropped) = (Vec::new(), 0);
    for sentence in sentences(text) {
        let true_numbers = numbers_of(sentence).iter().all(|number| numbers.contains(number)) && !says_number(sentence);
        let true_names = names_of(sentence).iter().all(|name| words.contains(name));
        if true_numbers && true_names && !accuses(sentence) {
            kept.push(sentence);
        } else {
            dropped += 1;
        }
    }
    (kept.join(" "), dropped)
}

/// Sentences, at marks that a blank follows; the point of `S.A.` and `R$ 1.000` ends none.
fn sentences(text: &str) -> Vec<&str> {
    let (mut found, mut begin) = (Vec::new(), 0);
    let marks: Vec<(usize, char)> = text.char_indices().collect();
    for (n, (at, c)) in marks.iter().enumerate() {
        let next = marks.get(n + 1).map(|(_, c)| *c);
        let short = n >= 2 && marks[n - 2].1 == '.' && *c == '.';
        if *c == '\n' || (matches!(c, '.' | '!' | '?' | ';') && next.is_none_or(char::is_whitespace) && !short) {
            let end = at + c.len_utf8();
            found.push(text[begin..end].trim());
            begin = end;
        }
    }
    found.push(text[begin..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// Numbers as they are written, without what stands around them.
fn numbers_of(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | ',' | '/' | '-' | '%')))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '%'))
        .filter(|word| word.chars().any(|c| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// Numbers in words are not compared, so they are not taken: one and its like aside.
fn says_number(sentence: &str) -> bool {
    const WORDS: &[&str] = &[
        "dois", "duas", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "vinte", "trinta", "cem",
        "cento", "mil", "milhao", "milhoes", "bilhao", "bilhoes", "dobro", "triplo", "metade", "two", "three", "four",
        "five", "six", "seven", "eight", "nine", "ten", "hundred", "thousand", "million", "millions", "billion",
        "billions", "double", "triple", "half",
    ];
    fold(sentence).split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// Words with a capital that do not begin the sentence: each must stand in the evidence.
fn names_of(sentence: &str) -> Vec<String> {
    // Words that begin a sentence and are no name; any other must stand in the evidence as well.
    const OPENING: &[&str] = &[
        "ha", "sao", "foram", "o", "a", "os", "as", "um", "uma", "em", "no", "na", "nos", "nas", "de", "do", "da",
        "dos", "das", "destes", "destas", "desses", "deles", "ao", "isso", "este", "esta", "estes", "esses", "nao",
        "nenhum", "nenhuma", "vale", "segundo", "entre", "tambem", "cada", "pelo", "pela", "pelos", "pelas", "com",
        "sem", "sobre", "ate", "para", "por", "mas", "e", "ou", "ja", "temos", "neste", "nesta", "there", "these",
        "this", "of", "the", "it", "in", "no", "at", "a", "an", "and", "but", "for", "none", "they", "here", "is",
        "are", "by", "with", "without", "some", "each", "that",
    ];
    let words = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut names: Vec<String> = Vec::new();
    for (n, word) in words.enumerate() {
        let opens = n == 0 && OPENING.contains(&normal_name(word).as_str());
        if word.chars().next().is_some_and(char::is_uppercase) && !opens && word != "R" {
            names.push(normal_name(word));
        }
    }
    names
}
