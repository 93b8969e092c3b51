//! What must not leave: CPFs, e-mail addresses, telephone numbers.

/// A text without them.
#[must_use]
pub fn mask(text: &str) -> String {
    let text = model::mask_cpfs(text);
    let without_addresses: String = text.split_inclusive(char::is_whitespace).map(mask_word).collect();
    mask_numbers(&without_addresses)
}

fn mask_word(word: &str) -> String {
    let at = word.find('@');
    let is_address = at.is_some_and(|at| at > 0 && word[at + 1..].contains('.'));
    if is_address {
        let tail: String = word.chars().rev().take_while(|c| c.is_whitespace()).collect();
        return format!("[e-mail]{tail}");
    }
    word.to_owned()
}

/// Telephones, `(11) 98765-4321`, and eleven digits in a row: what could be a CPF, whatever its check digits.
fn mask_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while at < chars.len() {
        let begins = (chars[at].is_ascii_digit() || matches!(chars[at], '(' | '+'))
            && (at == 0 || !(chars[at - 1].is_alphanumeric() || matches!(chars[at - 1], '.' | ',' | '/' | '-')));
        if !begins {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        let mut end = at;
        while end < chars.len() && (chars[end].is_ascii_digit() || "()+- ./,".contains(chars[end])) {
            end += 1;
        }
        while end > at && !chars[end - 1].is_ascii_digit() {
            end -= 1;
        }
        let run: String = chars[at..end.max(at + 1)].iter().collect();
        let digits = run.chars().filter(char::is_ascii_digit).count();
        let marks_phone = run.starts_with(['(', '+']) || (run.contains('-') && !run.contains(['.', '/', ',']));
        let is_day = run.len() == 10 && run.matches('-').count() == 2;
        let is_phone = (8..=13).contains(&digits) && marks_phone && !is_day;
        let is_bare = digits == 11 && run.chars().all(|c| c.is_ascii_digit());
        out.push_str(if is_phone || is_bare { "[número]" } else { &run });
        at = end.max(at + 1);
    }
    out
}
