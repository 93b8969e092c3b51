//! PDF, set by Typst from the same data. The page (`pdf.typ`) is ours and fixed; the document comes to it as JSON, so that no
//! text of a source is ever read as markup. Fonts are in the program; no file is read and nothing is asked of any network.

use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::ecow::EcoVec;
use typst::foundations::{Bytes, Datetime, Smart};
use typst::layout::PagedDocument;
use typst::syntax::{FileId, Source, VirtualPath};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_pdf::{PdfOptions, Timestamp};

use super::svg::svg;
use super::visible::visible;
use super::{Block, Dossier, Table, markdown};
use crate::Broken;

const PAGE: &str = include_str!("pdf.typ");
/// A run of letters without a blank that is longer than this may be broken anywhere behind as many.
const RUN_MAX: usize = 32;
/// The same within a table.
const CELL_RUN_MAX: usize = 20;
/// Documents that are set at once: each takes a processor and some tens of megabytes.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What every document shares.
static PRESS: LazyLock<Press> = LazyLock::new(|| {
    let fonts: Vec<Font> = typst_assets::fonts().flat_map(|file| Font::iter(Bytes::new(file))).collect();
    Press {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
        page: FileId::new(None, VirtualPath::new("pdf.typ")),
        data: FileId::new(None, VirtualPath::new("dossier.json")),
    }
});

struct Press {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    page: FileId,
    data: FileId,
}

/// One document on the press.
struct Sheet {
    page: Source,
    data: Bytes,
}

impl World for Sheet {
    fn library(&self) -> &LazyHash<Library> {
        &PRESS.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &PRESS.book
    }

    fn main(&self) -> FileId {
        PRESS.page
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == PRESS.page { Ok(self.page.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == PRESS.data { Ok(self.data.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        PRESS.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<i64>) -> Option<Datetime> {
        None
    }
}

/// The document as PDF; the same document gives the same bytes.
///
/// # Errors
/// It cannot be set.
pub fn pdf(dossier: &Dossier) -> Result<Vec<u8>, Broken> {
    let failed = |errors: EcoVec<SourceDiagnostic>| {
        Broken::Pdf(errors.iter().take(3).map(|e| e.message.to_string()).collect::<Vec<_>>().join("; "))
    };
    let data = serde_json::to_vec(&sheet_of(dossier)).map_err(|e| Broken::Pdf(e.to_string()))?;
    let sheet = Sheet { page: Source::new(PRESS.page, PAGE.to_owned()), data: Bytes::new(data) };
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let set = typst::compile::<PagedDocument>(&sheet).output;
    let options = PdfOptions {
        ident: Smart::Custom(&dossier.made_at),
        timestamp: stamp(&dossier.made_at),
        ..PdfOptions::default()
    };
    let written = set.and_then(|document| typst_pdf::pdf(&document, &options));
    // What was worked out on the way is of this document alone.
    typst::comemo::evict(0);
    written.map_err(failed)
}

/// When it was made, for the document's own account.
fn stamp(made_at: &str) -> Option<Timestamp> {
    let at = model::dates::parse_instant(made_at).ok()?.to_rfc3339();
    let part = |range: std::ops::Range<usize>| at.get(range)?.parse::<u8>().ok();
    let year = at.get(..4)?.parse().ok()?;
    let at = Datetime::from_ymd_hms(year, part(5..7)?, part(8..10)?, part(11..13)?, part(14..16)?, part(17..19)?)?;
    Some(Timestamp::new_utc(at))
}

/// The document as the page reads it.
fn sheet_of(dossier: &Dossier) -> Value {
    let mut whole = Value::Object(dossier.to_value());
    let mut charts = 0;
    let sections = dossier.sections.iter().map(|section| {
        let blocks = section.blocks.iter().map(|block| {
            let mut value = serde_json::to_value(block).unwrap_or_default();
            match block {
                Block::Table(table) => value["cut"] = json!(table.cut(dossier.language)),
                Block::Chart(chart) => {
                    charts += 1;
                    value["svg"] = svg(chart, &format!("g{charts}")).into();
                    value["table"] = table_of(&chart.as_table(), dossier);
                }
                _ => {}
            }
            value
        });
        json!({"level": section.level, "title": section.title, "blocks": blocks.collect::<Vec<_>>()})
    });
    whole["sections"] = sections.collect();
    whole["findings"] = Value::Null;
    whole["made"] = markdown::made(dossier).into();
    whole["foot"] =
        dossier.language.say("Um sinal não é prova de irregularidade.", "A flag is not proof of wrongdoing.").into();
    breakable(&mut whole, RUN_MAX);
    whole
}

fn table_of(table: &Table, dossier: &Dossier) -> Value {
    let mut value = serde_json::to_value(table).unwrap_or_default();
    value["cut"] = json!(table.cut(dossier.language));
    value
}

/// Makes every text fit to be seen and broken; drawings stay as they are. `run_max`: the longest run that stays whole.
fn breakable(value: &mut Value, run_max: usize) {
    match value {
        Value::String(text) => *text = soft(&visible_lines(text), run_max),
        Value::Array(items) => items.iter_mut().for_each(|item| breakable(item, run_max)),
        Value::Object(members) => {
            let kept = |name: &str| matches!(name, "svg" | "language" | "type");
            for (name, member) in members.iter_mut().filter(|(name, _)| !kept(name)) {
                breakable(member, if name == "rows" { CELL_RUN_MAX } else { run_max });
            }
        }
        _ => {}
    }
}

fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// The text with places where its longest runs may be broken. What has no letter, as amounts and registered numbers have none,
/// stays whole longer, so that it is found by who seeks it.
fn soft(text: &str, run_max: usize) -> String {
    let broken = text.split_inclusive(char::is_whitespace).map(|run| {
        let max = if run.contains(|c: char| c.is_alphabetic()) { run_max } else { RUN_MAX };
        let chars: Vec<char> = run.chars().collect();
        let parts = chars.chunks(max).map(String::from_iter);
        parts.collect::<Vec<String>>().join("\u{200b}")
    });
    broken.collect()
}
