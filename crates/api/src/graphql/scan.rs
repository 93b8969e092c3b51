//! A first look at a query's text, before anything parses it: how many tokens, how deep its brackets, and the text without what says nothing.
//!
//! It holds a few bytes whatever comes, and calls nothing again from within itself, so that no text can exhaust it.

/// What a look at a text gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Tokens.
    pub tokens: usize,
    /// Fields under another name: colons beyond what stands in parentheses.
    pub aliases: usize,
    /// How deep brackets stand within brackets.
    pub nesting: usize,
    /// The tokens with one space between two, up to the most: equal for texts that differ in layout and comments alone.
    pub normal: String,
}

/// Looks at `text`, and keeps the first `tokens_max` tokens.
pub fn scan(text: &str, tokens_max: usize) -> Scanned {
    let bytes = text.as_bytes();
    let mut scanned = Scanned { tokens: 0, aliases: 0, nesting: 0, normal: String::new() };
    let (mut at, mut depth, mut parentheses) = (0, 0_usize, 0_usize);
    while at < bytes.len() {
        let end = match bytes[at] {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += bytes[at..].iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(bytes.len() - at);
                continue;
            }
            b'"' => end_of_string(bytes, at),
            b'.' if bytes[at..].starts_with(b"...") => at + 3,
            byte if is_of_word(byte) => at + bytes[at..].iter().take_while(|b| is_of_word(**b)).count(),
            byte => {
                match byte {
                    b'{' | b'[' | b'(' => depth += 1,
                    b'}' | b']' | b')' => depth = depth.saturating_sub(1),
                    b':' if parentheses == 0 => scanned.aliases += 1,
                    _ => {}
                }
                match byte {
                    b'(' => parentheses += 1,
                    b')' => parentheses = parentheses.saturating_sub(1),
                    _ => {}
                }
                // A character of several bytes is one token.
                at + 1 + bytes[at + 1..].iter().take_while(|b| **b & 0xC0 == 0x80).count()
            }
        };
        scanned.nesting = scanned.nesting.max(depth);
        scanned.tokens += 1;
        if scanned.tokens <= tokens_max {
            if !scanned.normal.is_empty() {
                scanned.normal.push(' ');
            }
            scanned.normal.push_str(text.get(at..end).unwrap_or_default());
        }
        at = end;
    }
    scanned
}

/// Names and numbers: what would be another token if a space stood within it.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

/// Where a string that begins at `at` ends; at the end of the text when nothing closes it.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let (mark, is_block): (&[u8], bool) =
        if bytes[at..].starts_with(b"\"\"\"") { (b"\"\"\"", true) } else { (b"\"", false) };
    let mut here = at + mark.len();
    while here < bytes.len() {
        if bytes[here] == b'\\' && (!is_block || bytes[here + 1..].starts_with(mark)) {
            here += if is_block { 4 } else { 2 };
        } else if bytes[here..].starts_with(mark) {
            return here + mark.len();
        } else {
            here += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn layout_and_comments_make_no_other_text() {
        let plain = scan("query A($n:Int=2){buyers(first:$n){nodes{id}}}", 100);
        let airy = scan(
            "# buyers\nquery A ( $n : Int = 2 , ) {\r\n buyers(first: $n)\t{ nodes { id, } } }  # \"end\" {{{",
            100,
        );
        assert_eq!(plain, airy);
        assert_eq!((plain.tokens, plain.nesting), (25, 3));
        assert_ne!(scan("{a b}", 9).normal, scan("{ab}", 9).normal);
        assert_ne!(
            scan("{a(b:\"x  y\")}", 9).normal,
            scan("{a(b:\"x y\")}", 9).normal,
            "what stands in quotes is kept"
        );
    }

    #[test]
    fn brackets_in_strings_are_none() {
        for text in [r#"{a(b:"{{{\"{{")}"#, "{a(b:\"\"\"{{\"{\\\"\"\"{{\"\"\")}"] {
            assert_eq!(scan(text, 100).nesting, 2, "{text}");
        }
        assert_eq!(scan(&"{".repeat(50_000), 100_000).nesting, 50_000);
    }

    #[test]
    fn no_more_is_kept_than_the_most() {
        let scanned = scan(&"a ".repeat(1_000_000), 5_000);
        assert_eq!((scanned.tokens, scanned.normal.len()), (1_000_000, 9_999));
    }

    #[test]
    fn fields_under_another_name_are_told_from_arguments() {
        let text =
            "query($n: Int = 2, $o: O = {a: 1}) { b: buyers(first: $n, f: {x: [1, {y: 2}]}) { c: nodes { id } } }";
        assert_eq!(scan(text, 100).aliases, 2);
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at(text in "[\\PC\"\\\\{}#.\\n]{0,200}") {
            let once = scan(&text, 1_000);
            prop_assert!(once.normal.len() <= text.len() * 2);
        }
    }
}
