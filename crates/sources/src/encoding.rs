//! What bytes mean: UTF-8 where they are UTF-8, else cp1252, the two that Brazilian portals write.
//!
//! Some files hold both, for they were put together from tables in either. Where the beginning shows many letters of
//! each, every field is decoded by itself; a field that holds both is no text.
//!
//! The decision is made once for a file, on its beginning. One broken byte must not turn a whole UTF-8 file into
//! nonsense, so a beginning with many right multi-byte letters stays UTF-8 and its broken rows are quarantined; a
//! beginning of plain ASCII decides nothing and leaves it to the first row that says more.

use encoding_rs::WINDOWS_1252;

/// The encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Utf8WithBom,
    Cp1252,
    /// Fields in either.
    Mixed,
    /// Only ASCII seen so far.
    Ascii,
}

/// From so many letters of UTF-8, and as many bytes that are none, the beginning of a file shows that it holds both
/// encodings. One broken export loses a byte here and there; a column in another encoding has it in every row.
const MIXED_LETTERS_MIN: usize = 32;

pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

impl Encoding {
    /// As headers and reports name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf8WithBom => "utf-8-bom",
            Self::Cp1252 => "windows-1252",
            Self::Mixed => "utf-8 and windows-1252",
            Self::Ascii => "ascii",
        }
    }

    /// Judges the beginning of a file; `whole` says that nothing comes behind it.
    pub(crate) fn of_beginning(bytes: &[u8], whole: bool) -> Self {
        if bytes.starts_with(BOM) {
            return Self::Utf8WithBom;
        }
        if bytes.is_ascii() {
            return Self::Ascii;
        }
        let (mut right, mut wrong) = (0usize, 0usize);
        for chunk in bytes.utf8_chunks() {
            right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
            wrong += usize::from(!chunk.invalid().is_empty());
        }
        // A letter may be cut in two where the beginning ends.
        let cut = !whole && std::str::from_utf8(bytes).is_err_and(|e| e.error_len().is_none());
        wrong -= usize::from(cut && wrong > 0);
        if right.min(wrong) >= MIXED_LETTERS_MIN {
            return Self::Mixed;
        }
        if wrong * 4 <= right { Self::Utf8 } else { Self::Cp1252 }
    }

    /// Decides on the first bytes that are not ASCII.
    pub(crate) fn decided_by(self, bytes: &[u8]) -> Self {
        match self {
            Self::Ascii if bytes.is_ascii() => Self::Ascii,
            Self::Ascii if std::str::from_utf8(bytes).is_ok() => Self::Utf8,
            Self::Ascii => Self::Cp1252,
            decided => decided,
        }
    }

    /// For people: never fails, marks what is broken.
    pub(crate) fn decode_lossy(self, bytes: &[u8]) -> String {
        match self.decided_by(bytes) {
            Self::Cp1252 => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Mixed => {
                let mut text = String::new();
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    push_cp1252(chunk.invalid(), &mut text);
                }
                text
            }
            _ => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// Appends a field of a file in both encodings; false where the field itself is in both.
pub(crate) fn push_either(field: &[u8], text: &mut String) -> bool {
    if let Ok(right) = std::str::from_utf8(field) {
        text.push_str(right);
        return true;
    }
    let none_is_utf8 = field.utf8_chunks().all(|chunk| chunk.valid().is_ascii());
    if none_is_utf8 {
        push_cp1252(field, text);
    }
    none_is_utf8
}

/// Appends cp1252 bytes to a text.
pub(crate) fn push_cp1252(bytes: &[u8], text: &mut String) {
    // Every byte of cp1252 becomes at most three of UTF-8.
    text.reserve(bytes.len() * 3);
    let (_, read, _) = WINDOWS_1252.new_decoder_without_bom_handling().decode_to_string(bytes, text, true);
    debug_assert_eq!(read, bytes.len());
}

/// Masks, and then cuts to at most `bytes_max` bytes between two characters.
pub(crate) fn mask_and_clip(text: &str, bytes_max: usize) -> String {
    let masked = model::mask_cpfs(text);
    let mut end = bytes_max.min(masked.len());
    while !masked.is_char_boundary(end) {
        end -= 1;
    }
    // A longer number may look like a CPF once it is cut.
    model::mask_cpfs(&masked[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_judged_by_what_stands_there() {
        assert_eq!(Encoding::of_beginning("ação".as_bytes(), true), Encoding::Utf8);
        assert_eq!(Encoding::of_beginning(b"a\xE7\xE3o", true), Encoding::Cp1252);
        assert_eq!(Encoding::of_beginning(b"\xEF\xBB\xBFa", true), Encoding::Utf8WithBom);
        assert_eq!(Encoding::of_beginning(b"plain", true), Encoding::Ascii);
    }

    #[test]
    fn one_broken_byte_does_not_change_a_files_encoding() {
        let mut bytes = "ação é número ".repeat(10).into_bytes();
        bytes.push(0xFF);
        bytes.extend_from_slice(b" tail");
        assert_eq!(Encoding::of_beginning(&bytes, true), Encoding::Utf8);
    }

    #[test]
    fn a_file_put_together_from_both_encodings_is_known_by_many_letters_of_each() {
        let mut bytes = "ação é número ".repeat(10).into_bytes();
        bytes.extend(b"n\xE3o ".repeat(31));
        assert_eq!(Encoding::of_beginning(&bytes, true), Encoding::Cp1252);
        bytes.extend(b"n\xE3o ");
        assert_eq!(Encoding::of_beginning(&bytes, true), Encoding::Mixed);
        let either = |field: &[u8]| {
            let mut text = String::new();
            push_either(field, &mut text).then_some(text)
        };
        assert_eq!(either("Chamada Pública".as_bytes()).as_deref(), Some("Chamada Pública"));
        assert_eq!(either(b"N\xE3o se Aplica").as_deref(), Some("Não se Aplica"));
        assert_eq!(either(b"P\xC3\xBAblica, n\xE3o"), None);
    }

    #[test]
    fn a_letter_cut_by_the_end_of_the_beginning_is_not_broken() {
        let bytes = "número".as_bytes();
        assert_eq!(Encoding::of_beginning(&bytes[..2], false), Encoding::Utf8);
        assert_eq!(Encoding::of_beginning(&bytes[..2], true), Encoding::Cp1252);
    }

    #[test]
    fn a_text_is_masked_before_it_is_cut() {
        assert_eq!(mask_and_clip("x 52998224725", 8), "x ***982");
        assert_eq!(mask_and_clip("aç", 2), "a");
        assert_eq!(mask_and_clip("529982247250000", 11), "***982247**");
    }
}
