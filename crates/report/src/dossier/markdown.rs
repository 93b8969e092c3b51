//! Markdown (GitHub's kind): what sources wrote is escaped, so that it is read as it was written.

use std::fmt::Write as _;

use super::visible::visible;
use super::{Block, Chart, Dossier, Language, Section, Table};

/// The document as Markdown.
#[must_use]
pub fn markdown(dossier: &Dossier) -> String {
    let mut out = format!("# {}\n\n{}\n\n", escaped(&dossier.title), escaped(&made(dossier)));
    for reason in dossier.partial.iter().chain(&dossier.cut) {
        let _ = write!(out, "> **{}**\n\n", escaped(reason));
    }
    for section in &dossier.sections {
        put(&mut out, section, dossier.language);
    }
    for letter in &dossier.letters {
        let _ = write!(out, "## {}\n\n", escaped(&letter.title));
        // The letter is Markdown by itself; it stands as it is to be sent.
        for line in letter.text.lines() {
            let _ = writeln!(out, "{}", format!("> {line}").trim_end());
        }
        out.push('\n');
    }
    let _ = write!(out, "---\n\n{}\n", escaped(&foot(dossier)));
    out
}

/// When and by what it was made.
pub(super) fn made(dossier: &Dossier) -> String {
    let made = dossier.language.instant(&dossier.made_at).text;
    format!(
        "{} {made} · Cidadão.AI {} · {} {} · {} {}",
        dossier.language.say("Feito em", "Made at"),
        dossier.program_version,
        dossier.language.say("catálogo de sinais", "catalogue of flags"),
        dossier.catalogue_version,
        dossier.language.say("limites legais", "legal limits"),
        dossier.law_version
    )
}

/// What stands at its end.
pub(super) fn foot(dossier: &Dossier) -> String {
    dossier
        .language
        .say(
            "Um sinal não é prova de irregularidade: é um motivo para olhar mais de perto. Este texto foi escrito a partir do dossiê em JSON, que é assinado; `cidadao verify` confere o JSON e o pacote ZIP.",
            "A flag is not proof of wrongdoing: it is a reason to look closer. This text was written from the dossier in JSON, which is signed; `cidadao verify` checks the JSON and the ZIP archive.",
        )
        .to_owned()
}

fn put(out: &mut String, section: &Section, language: Language) {
    let _ = write!(out, "{} {}\n\n", "#".repeat(section.level.clamp(2, 4).into()), escaped(&section.title));
    for block in &section.blocks {
        match block {
            Block::Text { text } => {
                let _ = write!(out, "{}\n\n", escaped(text));
            }
            Block::Notice { text } => {
                let _ = write!(out, "> **{}**\n\n", escaped(text));
            }
            Block::List { items } => {
                for item in items {
                    let _ = writeln!(out, "- {}", escaped(item));
                }
                out.push('\n');
            }
            Block::Facts { facts } => {
                for fact in facts {
                    let _ = writeln!(out, "- **{}:** {}", escaped(&fact.label), escaped(&fact.cell.text));
                }
                out.push('\n');
            }
            Block::Table(table) => put_table(out, table, language),
            Block::Chart(chart) => put_chart(out, chart, language),
        }
    }
}

fn put_table(out: &mut String, table: &Table, language: Language) {
    let _ = write!(out, "**{}**\n\n", escaped(&table.caption));
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(table.columns.iter().map(|c| escaped(&c.name)).collect()));
    out.push_str(&line(table.columns.iter().map(|c| if c.number { "---:" } else { "---" }.to_owned()).collect()));
    for row in &table.rows {
        out.push_str(&line(row.iter().map(|cell| escaped(&cell.text)).collect()));
    }
    out.push('\n');
    if let Some(cut) = table.cut(language) {
        let _ = write!(out, "{}\n\n", escaped(&cut));
    }
}

fn put_chart(out: &mut String, chart: &Chart, language: Language) {
    let _ = write!(out, "{}\n\n", escaped(&chart.text));
    put_table(out, &chart.as_table(), language);
}

/// A text that Markdown shows as it is: no emphasis, link, image, HTML, table or heading comes of it.
#[must_use]
pub fn escaped(text: &str) -> String {
    let text = visible(text);
    let text = text.trim();
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 16);
    // What makes a list, heading or quotation at the start of a line: `1.`, `1)`, `-`, `+`, `#`, `=`.
    let digits = chars.iter().take_while(|c| c.is_ascii_digit()).count();
    for (at, c) in chars.iter().enumerate() {
        let next = chars.get(at + 1);
        let opens = at == 0 && matches!(c, '#' | '-' | '+' | '=')
            || at == digits && digits > 0 && matches!(c, '.' | ')') && next.is_none_or(|n| *n == ' ');
        let links = *c == ':' && next == Some(&'/') || *c == '.' && text_before(&chars, at).ends_with("www");
        let formula = *c == '$' && next.is_some_and(|n| !n.is_whitespace());
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '@' => {
                out.push('\\');
                out.push(*c);
            }
            c if opens || links || formula => {
                out.push('\\');
                out.push(*c);
            }
            c => out.push(*c),
        }
    }
    out
}

fn text_before(chars: &[char], at: usize) -> String {
    chars[at.saturating_sub(3)..at].iter().collect::<String>().to_ascii_lowercase()
}

impl Chart {
    /// Its data as a table.
    pub(super) fn as_table(&self) -> Table {
        let rows = self.points.iter().map(|point| {
            let mark = if point.marked { " ◄" } else { "" };
            vec![super::Cell::plain(format!("{}{mark}", point.label)), point.cell.clone()]
        });
        Table::new(self.title.clone(), &["", &format!("#{}", self.axis)], rows.collect())
    }
}
