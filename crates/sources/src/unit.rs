//! The unit of supply, where it stands only inside an item's text.
//!
//! Rule: the text behind the first of the labels `UNIDADE DE FORNECIMENTO:`, `UNIDADE DE MEDIDA:`, `UNIDADE:`, `UNID.`
//! or `UNID:` that begins a word, up to `|`, `;`, `,` or the line's end. Capitals without accents, blanks squeezed.
//! More than [`UNIT_CHARS_MAX`] characters are a sentence and not a unit: none is given.

use model::text::{fold, squeeze};

const LABELS: &[&str] = &["unidade de fornecimento", "unidade de medida", "unidade", "unid."];
const UNIT_CHARS_MAX: usize = 40;

/// The unit of supply that an item's text names.
pub(crate) fn unit_of_text(text: &str) -> Option<String> {
    if !text.as_bytes().windows(4).any(|w| w.eq_ignore_ascii_case(b"unid")) {
        return None;
    }
    // Line ends must stay, so each line is folded by itself.
    text.lines().find_map(unit_of_line)
}

fn unit_of_line(line: &str) -> Option<String> {
    let folded = fold(line);
    for (at, _) in folded.match_indices("unid") {
        let begins_word = !folded[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let Some(unit) = begins_word.then(|| unit_behind_label(&folded[at..])).flatten() else { continue };
        return Some(unit);
    }
    None
}

fn unit_behind_label(text: &str) -> Option<String> {
    let behind = LABELS.iter().find_map(|label| {
        let rest = text.strip_prefix(label)?.trim_start();
        let colon = rest.strip_prefix(':');
        if label.ends_with('.') { Some(colon.unwrap_or(rest)) } else { colon }
    });
    let behind = behind.or_else(|| text.strip_prefix("unid:"))?;
    let unit = behind.split(['|', ';', ',']).next().unwrap_or_default();
    let unit = squeeze(unit).to_uppercase();
    (!unit.is_empty() && unit.chars().count() <= UNIT_CHARS_MAX).then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_behind_its_label_only() {
        let unit = |text: &str| unit_of_text(text);
        assert_eq!(
            unit("MARCA: X | UNIDADE DE FORNECIMENTO: Caixa  c/ 10 | COR: AZUL").as_deref(),
            Some("CAIXA C/ 10")
        );
        assert_eq!(unit("Papel A4, unidade: resma; branco").as_deref(), Some("RESMA"));
        assert_eq!(unit("UNID. FRASCO\nvalidade 12 meses").as_deref(), Some("FRASCO"));
        assert_eq!(unit("Unid.: pct").as_deref(), Some("PCT"));
        assert_eq!(unit("Unidade de Medida: Mês").as_deref(), Some("MES"));
        assert_eq!(unit("COMUNIDADE: RURAL"), None);
        assert_eq!(unit("por unidade, sem rótulo"), None);
        assert_eq!(unit("UNIDADE:"), None);
        assert_eq!(unit("unidade: uma frase que descreve longamente aquilo que se compra aqui"), None);
    }
}
