//! What keeps a model honest: a sentence stays only if each of its numbers and names stands in the evidence.

use model::text::{fold, normal_name};

/// Beginnings of words that accuse, or lead elsewhere: only the text that is said again may say them, for in the evidence they are what
/// others wrote.
const ACCUSING: &[&str] = &[
    "roub", "furt", "culpad", "crimin", "crime", "corrup", "fraud", "desvi", "ilega", "propina", "suborn", "lavagem",
    "condenad", "quadrilh", "guilt", "stole", "steal", "illegal", "brib", "theft", "launder", "http", "www",
];

/// Words that deny, or clear of everything: a sentence has one just where what it says again has one.
const DENYING: &[&str] = &[
    "nao",
    "nenhum",
    "nenhuma",
    "sem",
    "nunca",
    "nada",
    "jamais",
    "ninguem",
    "inexistente",
    "inexistem",
    "ausencia",
    "falta",
    "certo",
    "correto",
    "regular",
    "regulares",
    "normal",
    "limpo",
    "no",
    "not",
    "none",
    "never",
    "nothing",
    "without",
    "nobody",
    "neither",
    "nor",
    "absence",
    "lacks",
    "fine",
    "clean",
    "lawful",
    "right",
];
/// Words of fewer characters say little of what a sentence is about.
const CONTENT_CHARS_MIN: usize = 4;

/// Whether a sentence denies, and the words that it is about.
fn gist(sentence: &str) -> (bool, Vec<String>) {
    let folded = fold(sentence);
    let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (mut denies, mut about) = (false, Vec::new());
    for word in words {
        if DENYING.contains(&word) {
            denies = true;
        } else if word.chars().count() >= CONTENT_CHARS_MIN || word.chars().any(|c| c.is_ascii_digit()) {
            // Inflections of a word begin alike.
            about.push(word.chars().take(5).collect());
        }
    }
    (denies, about)
}

/// The sentence of the original that a sentence says again: the one with most of its words, and at least a third of them.
fn said_again<'o>(gists: &'o [(bool, Vec<String>)], about: &[String]) -> Option<(usize, &'o (bool, Vec<String>))> {
    let shared = |gist: &(bool, Vec<String>)| about.iter().filter(|word| gist.1.contains(word)).count();
    let best = gists.iter().enumerate().max_by_key(|(at, gist)| (shared(gist), std::cmp::Reverse(*at)))?;
    (shared(best.1) * 3 >= about.len() && shared(best.1) > 0).then_some(best)
}

/// The sentences of `text`, which says `original` again, that the evidence bears; and how many it does not.
///
/// A text that leaves out what the original denies ("this proves nothing", "none is held") bears nothing.
#[must_use]
pub fn borne_by(evidence: &str, original: &str, text: &str) -> (String, usize) {
    let gists: Vec<(bool, Vec<String>)> = sentences(original).into_iter().map(gist).collect();
    let mut denials: Vec<bool> = gists.iter().map(|(denies, _)| !denies).collect();
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
        let (denies, about) = gist(sentence);
        let again = said_again(&gists, &about).filter(|(_, said)| said.0 == denies);
        if true_numbers && true_names && !accuses(sentence) && again.is_some() {
            if let Some((at, _)) = again {
                denials[at] = true;
            }
            kept.push(sentence);
        } else {
            dropped += 1;
        }
    }
    if denials.contains(&false) {
        return (String::new(), kept.len() + dropped);
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
