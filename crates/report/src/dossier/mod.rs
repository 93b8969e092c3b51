//! The dossier: one document as data, in one language, and every form that it is written in.
//!
//! Whoever makes a dossier fills sections with plain texts, tables and charts; nothing in it is markup. Each form (HTML,
//! Markdown, PDF, CSV, JSON) is written from that and from nothing else, so that all say the same, and what a source wrote
//! can never become more than text. A number stands as it is read (`text`) beside what it is (`value`).

mod archive;
mod canonical;
mod csv;
mod html;
mod language;
mod markdown;
#[cfg(feature = "pdf")]
mod pdf;
mod svg;
mod visible;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use archive::{DossierManifest, is_archive, read_archive, write_archive};
pub use canonical::{canonical, read_dossier, signed};
pub use csv::{FINDING_COLUMNS, csv, findings_csv};
pub use html::html;
pub use language::Language;
pub use markdown::{escaped as markdown_text, markdown};
#[cfg(feature = "pdf")]
pub use pdf::pdf;

/// What says that a document is a dossier; no evidence bundle has this member.
pub const DOCUMENT: &str = "cidadao-dossier";
/// The version of the form that this program writes, and the only one that it reads.
pub const DOSSIER_FORMAT: u32 = 1;

/// A dossier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dossier {
    /// [`DOCUMENT`].
    pub document: String,
    /// [`DOSSIER_FORMAT`].
    pub format: u32,
    /// `investigation`, `supplier` or `buyer`.
    pub kind: String,
    /// The id of what it is about.
    pub subject: String,
    /// The language of every text in it, but for what sources wrote.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// When it was made, Brasília.
    pub made_at: String,
    /// The program that made it.
    pub program_version: String,
    /// Its catalogue of flags.
    pub catalogue_version: String,
    /// Its legal limits.
    pub law_version: String,
    /// Why it is not the whole answer to what was asked; empty when it is.
    pub partial: Vec<String>,
    /// What was left out for length.
    pub cut: Vec<String>,
    /// What people read, in order.
    pub sections: Vec<Section>,
    /// The findings that it speaks of, gravest first, as the API gives them; `evidence` beside each.
    pub findings: Vec<Value>,
    /// Letters that go with it, ready to be sent.
    pub letters: Vec<Letter>,
}

/// A part of the document under a heading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Names it within the document.
    pub id: String,
    /// 2 for a part, 3 for a part of the part before it.
    pub level: u8,
    /// Its heading.
    pub title: String,
    /// What stands under it.
    pub blocks: Vec<Block>,
}

/// What stands under a heading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Text {
        /// It.
        text: String,
    },
    /// A paragraph that must not be overlooked.
    Notice {
        /// It.
        text: String,
    },
    /// Points.
    List {
        /// They.
        items: Vec<String>,
    },
    /// Names and values.
    Facts {
        /// They.
        facts: Vec<Fact>,
    },
    /// A table.
    Table(Table),
    /// A chart.
    Chart(Chart),
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// The name.
    pub label: String,
    /// The value.
    #[serde(flatten)]
    pub cell: Cell,
}

/// A table; `total` says of how many rows these are the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its heads.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
    /// How many rows there are in all.
    pub total: u64,
}

/// A head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its words.
    pub name: String,
    /// Whether numbers stand under it.
    pub number: bool,
}

/// A value as it is read, and as it is where that is not the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// As it is read.
    pub text: String,
    /// As it is: an exact decimal, a day, a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drawn {
    /// Upright, side by side, such as the months of a year or the classes of a histogram.
    Columns,
    /// Lying, one under the other.
    Bars,
    /// Points along days.
    Timeline,
}

/// A chart: its data, and what it shows in words for who cannot see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    /// How it is drawn.
    pub drawn: Drawn,
    /// What it shows.
    pub title: String,
    /// The same in a sentence.
    pub text: String,
    /// What is drawn along the other way.
    pub axis: String,
    /// What is drawn.
    pub points: Vec<Point>,
}

/// A point, column or bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// What it is of.
    pub label: String,
    /// Its day, `AAAA-MM-DD`, along a timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How high or long.
    #[serde(flatten)]
    pub cell: Cell,
    /// Whether it is the case that all is about.
    #[serde(default, skip_serializing_if = "is_false")]
    pub marked: bool,
}

/// A letter, ready to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// The name of its file, without an ending.
    pub name: String,
    /// What it is.
    pub title: String,
    /// Its text, in Markdown.
    pub text: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(it: &bool) -> bool {
    !it
}

impl Section {
    /// An empty part.
    #[must_use]
    pub fn new(id: &str, title: impl Into<String>) -> Self {
        Self { id: id.to_owned(), level: 2, title: title.into(), blocks: Vec::new() }
    }

    /// An empty part of the part before.
    #[must_use]
    pub fn below(id: &str, title: impl Into<String>) -> Self {
        Self { level: 3, ..Self::new(id, title) }
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text { text: text.into() });
    }

    /// Adds a paragraph that must not be overlooked.
    pub fn notice(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Notice { text: text.into() });
    }

    /// Adds points, if there are any.
    pub fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::List { items });
        }
    }

    /// Adds names and values, if there are any.
    pub fn facts(&mut self, facts: Vec<Fact>) {
        if !facts.is_empty() {
            self.blocks.push(Block::Facts { facts });
        }
    }

    /// Adds a table, if it has rows.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    /// Adds a chart, if it has points.
    pub fn chart(&mut self, chart: Chart) {
        if !chart.points.is_empty() {
            self.blocks.push(Block::Chart(chart));
        }
    }
}

impl Table {
    /// A table with these heads; a name that begins with `#` stands over numbers.
    #[must_use]
    pub fn new(caption: impl Into<String>, heads: &[&str], rows: Vec<Vec<Cell>>) -> Self {
        let column = |head: &&str| match head.strip_prefix('#') {
            Some(name) => Column { name: name.to_owned(), number: true },
            None => Column { name: (*head).to_owned(), number: false },
        };
        let total = rows.len() as u64;
        Self { caption: caption.into(), columns: heads.iter().map(column).collect(), rows, total }
    }

    /// The same, of more rows than it shows.
    #[must_use]
    pub fn of(self, total: u64) -> Self {
        Self { total, ..self }
    }

    /// What is said when rows were left out.
    pub(crate) fn cut(&self, language: Language) -> Option<String> {
        let shown = self.rows.len() as u64;
        (shown < self.total).then(|| match language {
            Language::Pt => format!("Mostradas {shown} de {} linhas.", self.total),
            Language::En => format!("{shown} of {} rows are shown.", self.total),
        })
    }
}

impl Cell {
    /// A value that is read as it is.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: None }
    }

    /// A value that is read otherwise.
    #[must_use]
    pub fn of(text: impl Into<String>, value: impl Into<String>) -> Self {
        let (text, value) = (text.into(), value.into());
        if text == value { Self { text, value: None } } else { Self { text, value: Some(value) } }
    }

    /// As it is.
    #[must_use]
    pub fn exact(&self) -> &str {
        self.value.as_deref().unwrap_or(&self.text)
    }

    /// Named.
    #[must_use]
    pub fn named(self, label: impl Into<String>) -> Fact {
        Fact { label: label.into(), cell: self }
    }
}

impl Dossier {
    /// The document as data; what a program reads.
    #[must_use]
    pub fn to_value(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            // A structure of texts and whole numbers is always an object.
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests;
