//! Words of a text, as the full-text index keeps and seeks them: folded, without accents, plurals brought to one form.
//!
//! The same function makes what is indexed and what is sought, so `licitações` finds `LICITACAO`.

/// Words that say nothing.
const STOP: &[&str] = &[
    "a", "as", "o", "os", "e", "de", "da", "das", "do", "dos", "em", "na", "nas", "no", "nos", "para", "por", "com",
    "um", "uma", "ao", "aos", "que", "ou", "se", "pela", "pelo",
];

/// The most words that one query may hold; more are left out.
const QUERY_WORDS_MAX: usize = 16;

/// Appends the index words of `text` to `out`, parted by spaces.
pub fn index_words(text: &str, out: &mut String) {
    for_each_word(text, |word| {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    });
}

/// The FTS5 expression that finds every word of `text`; `None` when it holds no word.
/// Whole words only: the beginning of a word would have to walk every word that starts with it, for each row asked.
#[must_use]
pub fn match_expression(text: &str) -> Option<String> {
    let words = query_words(text);
    if words.is_empty() {
        return None;
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    Some(quoted.join(" AND "))
}

/// The words of a query, each once.
pub(crate) fn query_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for_each_word(text, |word| {
        if words.len() < QUERY_WORDS_MAX && !words.iter().any(|w| w == word) {
            words.push(word.to_owned());
        }
    });
    words
}

/// Whether every one of `words` stands in one of `texts`: what the index would say of a row of these texts.
pub(crate) fn hold_words<'t>(words: &[&str], texts: impl Iterator<Item = &'t str>) -> bool {
    let mut missing: Vec<&str> = words.to_vec();
    for text in texts {
        for_each_word(text, |word| missing.retain(|sought| *sought != word));
        if missing.is_empty() {
            return true;
        }
    }
    missing.is_empty()
}

fn for_each_word(text: &str, mut found: impl FnMut(&str)) {
    let folded = model::text::fold(text);
    for word in folded.split(|c: char| !c.is_ascii_alphanumeric()) {
        if word.is_empty() || word.len() > 40 || STOP.contains(&word) {
            continue;
        }
        found(&singular(word));
    }
}

/// Brings regular Portuguese plurals (accents already folded) to the singular.
fn singular(word: &str) -> std::borrow::Cow<'_, str> {
    let cut = |n: usize| &word[..word.len() - n];
    if word.len() < 4 || !word.ends_with('s') || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.into();
    }
    match word {
        _ if word.ends_with("oes") || word.ends_with("aes") => format!("{}ao", cut(3)).into(),
        _ if word.ends_with("ais") && word.len() > 4 => format!("{}al", cut(3)).into(),
        _ if word.ends_with("eis") && word.len() > 4 => format!("{}el", cut(3)).into(),
        _ if word.ends_with("ois") && word.len() > 4 => format!("{}ol", cut(3)).into(),
        _ if word.ends_with("res") || word.ends_with("zes") || word.ends_with("nes") => cut(2).into(),
        _ if word.ends_with("ns") => format!("{}m", cut(2)).into(),
        _ if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") => word.into(),
        _ => cut(1).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        let mut out = String::new();
        index_words(text, &mut out);
        out
    }

    #[test]
    fn accents_case_and_plural_do_not_matter() {
        assert_eq!(words("Aquisições de MATERIAIS hospitalares"), words("aquisicao material hospitalar"));
        assert_eq!(words("pães e vagens"), words("pão, vagem"));
        assert_eq!(words("computadores"), "computador");
    }

    #[test]
    fn a_query_cannot_break_the_index_syntax() {
        assert_eq!(match_expression("\" OR * NEAR( limpeza").as_deref(), Some("\"or\" AND \"near\" AND \"limpeza\""));
        assert_eq!(match_expression(" de  ---"), None);
    }
}
