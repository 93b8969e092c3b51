//! Texts in UTF-8 that someone read as windows-1252: `PrÃ³xima`.

use encoding_rs::WINDOWS_1252;

/// The text as it was meant, where that is certain; else as it came.
///
/// It is certain where the whole text, written back in windows-1252, is UTF-8 with at least one letter beyond ASCII: no
/// Portuguese text is so by chance. A text that mixes such letters with right ones is left alone.
pub(crate) fn repaired(text: String) -> String {
    if text.is_ascii() {
        return text;
    }
    let (bytes, _, lossy) = WINDOWS_1252.encode(&text);
    if lossy {
        return text;
    }
    match std::str::from_utf8(&bytes) {
        Ok(meant) => meant.to_owned(),
        Err(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_repaired() {
        let repaired = |text: &str| repaired(text.to_owned());
        assert_eq!(repaired("PREGÃƒO"), "PREGÃO");
        assert_eq!(repaired("LicitaÃ§Ã£o nÂº 3"), "Licitação nº 3");
        for right in ["PREGÃO", "Licitação", "Ação e LicitaÃ§Ã£o", "plain", "日本"] {
            assert_eq!(repaired(right), right);
        }
    }
}
