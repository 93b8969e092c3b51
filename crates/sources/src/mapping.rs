//! The description, written by a user, of a CSV that no format of ours knows: which column is which field.
//!
//! A city's or a court's export should not need a program. A mapping is a TOML file (its manual is
//! `docs/mapping.md`) that names the canonical table, the natural key and the columns. It is checked as a whole before
//! any row is read: a key that is not known, a field that the table lacks, a code that does not exist are errors that
//! name the file, the line and what is allowed. It promises nothing less than a built-in format: the same reasons of
//! quarantine, the same masking of CPFs, the same leftovers in the metadata.

mod parts;
mod sections;
mod style;
mod targets;

use std::collections::HashMap;
use std::path::Path;

use model::text::normal_name;
use model::{Kind, Modality, Record, Value, codes};

use crate::detect::SOURCES;
use crate::encoding::Encoding;
use crate::{Error, Format};
use parts::Reader;
use sections::{Script, Section};

pub(crate) use parts::{Filled, Take, is_state, word_key};
pub(crate) use style::{Day, Style};
pub(crate) use targets::Target;

/// Longest mapping file.
const BYTES_MAX: u64 = 1024 * 1024;
/// Longest name of a source.
const SOURCE_CHARS_MAX: usize = 40;
/// Most lines above a header.
const SKIP_LINES_MAX: usize = 1000;
/// What a mapping may say.
const TOP: &[&str] = &[
    "source",
    "table",
    "key",
    "updated_at",
    "file",
    "style",
    "columns",
    "constants",
    "buyer",
    "supplier",
    "modalities",
    "parent",
];
/// What `[buyer]` may say of a buyer; `[constants]` may say what is a place's.
const BUYER: &[&str] = &[
    "name",
    "code",
    "cnpj",
    "sphere",
    "branch",
    "state",
    "municipality",
    "parent_code",
    "parent_name",
    "superior_code",
    "superior_name",
];
const BUYER_CONSTANTS: &[&str] = &["sphere", "branch", "state", "municipality"];

/// How the file is built.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileShape {
    pub separator: Option<u8>,
    pub encoding: Option<Encoding>,
    pub skip_lines: usize,
    /// The names of the columns of a file without a header.
    pub header: Vec<String>,
}

/// A column of the file, under all the names that it may have.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub names: Vec<String>,
    pub optional: bool,
}

/// A column of the table and where its value comes from.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub column: &'static str,
    pub kind: Kind,
    /// It may stay without a value.
    pub nullable: bool,
    /// A record is nothing without it.
    pub needed: bool,
    pub take: Take,
}

/// Who buys.
#[derive(Debug, Clone)]
pub(crate) struct BuyerMap {
    pub fields: Vec<(&'static str, Filled)>,
    /// The code is a federal UASG, so that the buyer is the one that the Portal's files name.
    pub uasg: bool,
}

/// Who sells, bids, is sanctioned or is a partner.
#[derive(Debug, Clone)]
pub(crate) struct PartyMap {
    pub number: Option<Take>,
    /// The number of a person, in files that have a column of its own for it; read where `number` is blank.
    pub cpf: Option<Take>,
    pub name: Option<Take>,
}

/// How the rows of one kind of CSV become records of one canonical table.
#[derive(Debug, Clone)]
pub struct Mapping {
    name: String,
    text: String,
    source: String,
    pub(crate) target: &'static Target,
    pub(crate) file: FileShape,
    /// Words that stand for nothing, as [`word_key`]s.
    pub(crate) nothing: Vec<String>,
    /// Every column that anything is taken from; a [`Take`] names one by its place here.
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) key: Vec<Take>,
    pub(crate) updated_at: Option<Take>,
    pub(crate) fields: Vec<Field>,
    /// A record that holds the constants.
    pub(crate) blank: Record,
    pub(crate) buyer: Option<BuyerMap>,
    pub(crate) party: Option<PartyMap>,
    /// By [`word_key`]; `None` for words that are known to be no modality.
    pub(crate) modalities: HashMap<String, Option<Modality>>,
    pub(crate) contract_key: Vec<Take>,
    pub(crate) tender_key: Vec<Take>,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`Error::Io`]; otherwise as [`Mapping::parse`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let read = std::fs::metadata(path)
            .and_then(|facts| if facts.len() > BYTES_MAX { Ok(None) } else { std::fs::read_to_string(path).map(Some) });
        let text = read.map_err(|cause| Error::io(&name, cause))?;
        let too_long =
            || Error::Mapping { name: name.clone(), line: 1, because: "is too long for a mapping".to_owned() };
        Self::parse(&name, &text.ok_or_else(too_long)?)
    }

    /// Reads the text of a mapping; `name` stands in errors.
    ///
    /// # Errors
    /// [`Error::Mapping`] where it is no TOML, or says what cannot be.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let script = Script { name, text };
        let table = toml::de::DeTable::parse(text).map_err(|error| {
            script.error(error.span().map_or(0, |span| span.start), error.message().trim_end().to_owned())
        })?;
        let mapping = read(name, &Section::outermost(script, table.get_ref()))?;
        Ok(Self { text: text.to_owned(), ..mapping })
    }

    /// The source that its records are of.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its text, from which it can be parsed again.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Lines above the header of its files.
    pub(crate) fn lines_above(&self) -> usize {
        self.file.skip_lines
    }

    /// The mapping file, as people know it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The format of the files that it reads.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::Mapped(self.target.code)
    }
}

fn read(name: &str, top: &Section<'_>) -> Result<Mapping, Error> {
    top.only(TOP)?;
    let source = read_source(top)?;
    let target = read_target(top)?;
    let style = read_style(top)?;
    let mut reader = Reader::new(style);
    let key = read_keys(&mut reader, top, "key")?;
    if key.is_empty() {
        return Err(top.need("key")?.error("`key` names no column: a record needs a key of its own"));
    }
    let updated_at = top.get("updated_at").map(|item| reader.take(&item)).transpose()?;
    let mut mapping = Mapping {
        text: String::new(),
        name: name.to_owned(),
        source,
        target,
        file: read_file(top)?,
        nothing: read_nothing(top)?,
        wanted: Vec::new(),
        key,
        updated_at,
        fields: read_fields(&mut reader, top, target)?,
        blank: blank(target),
        buyer: read_buyer(&mut reader, top, target)?,
        party: read_party(&mut reader, top, target)?,
        modalities: read_modalities(top, target)?,
        contract_key: Vec::new(),
        tender_key: Vec::new(),
    };
    read_constants(&mut mapping, top)?;
    read_parent(&mut reader, &mut mapping, top)?;
    mapping.wanted = reader.wanted;
    check_needs(&mapping, top)?;
    Ok(mapping)
}

fn blank(target: &Target) -> Record {
    Record::blank(target.table).expect("a test sees that every target is a table")
}

fn read_source(top: &Section<'_>) -> Result<String, Error> {
    let item = top.need("source")?;
    let source = item.string()?;
    let well_formed = source.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && source.starts_with(|c: char| c.is_ascii_alphanumeric())
        && source.len() <= SOURCE_CHARS_MAX;
    if !well_formed {
        return Err(item.error(format!(
            "`{source}` is no name of a source: at most {SOURCE_CHARS_MAX} small letters, digits and hyphens"
        )));
    }
    // The prefixes of ids that mean the same whatever source names them.
    if SOURCES.contains(&source) || ["uasg", "cnpj", "cpf", "ext", "unv", "name"].contains(&source) {
        return Err(item.error(format!("`{source}` is taken: a mapping needs a source of its own")));
    }
    Ok(source.to_owned())
}

fn read_target(top: &Section<'_>) -> Result<&'static Target, Error> {
    let item = top.need("table")?;
    let table = item.string()?;
    Target::of(table).ok_or_else(|| {
        let known: Vec<&str> = targets::TARGETS.iter().map(|t| t.table).collect();
        item.error(format!("a mapping cannot fill `{table}`; it may fill: {}", known.join(", ")))
    })
}

fn read_style(top: &Section<'_>) -> Result<Style, Error> {
    let Some(section) = top.section("style")? else { return Ok(Style::default()) };
    section.only(&["decimal", "thousands", "date", "nothing"])?;
    parts::restyle(&Style::default(), &section)
}

fn read_nothing(top: &Section<'_>) -> Result<Vec<String>, Error> {
    let words = top.section("style")?.and_then(|style| style.get("nothing")).map(|item| item.strings()).transpose()?;
    Ok(words.unwrap_or_default().iter().map(|word| word_key(word)).collect())
}

fn read_file(top: &Section<'_>) -> Result<FileShape, Error> {
    let Some(section) = top.section("file")? else { return Ok(FileShape::default()) };
    section.only(&["separator", "encoding", "skip_lines", "header"])?;
    let mut file = FileShape::default();
    if let Some(item) = section.get("separator") {
        file.separator = Some(match item.string()? {
            "tab" | "\t" => b'\t',
            one if one.len() == 1 && one.bytes().all(|b| b.is_ascii_punctuation() && b != b'"') => one.as_bytes()[0],
            other => {
                return Err(
                    item.error(format!("`{other}` separates nothing: one sign such as `;`, `,`, `|`, or `tab`"))
                );
            }
        });
    }
    if let Some(item) = section.get("encoding") {
        file.encoding = Some(match item.string()?.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Encoding::Utf8,
            "windows-1252" | "cp1252" | "latin1" | "latin-1" | "iso-8859-1" => Encoding::Cp1252,
            other => return Err(item.error(format!("`{other}` is not read; it may be: utf-8, windows-1252"))),
        });
    }
    if let Some(item) = section.get("skip_lines") {
        file.skip_lines = item.count(SKIP_LINES_MAX)?;
    }
    if let Some(item) = section.get("header") {
        file.header = item.strings()?;
        let mut normal: Vec<String> = file.header.iter().map(|name| normal_name(name)).collect();
        if normal.iter().any(String::is_empty) {
            return Err(item.error("every column needs a name with a letter or a digit"));
        }
        normal.sort_unstable();
        if let Some(twice) = normal.windows(2).find(|two| two[0] == two[1]) {
            return Err(item.error(format!("two columns are named `{}` (signs and accents do not count)", twice[0])));
        }
    }
    Ok(file)
}

/// One column or several that make up a key.
fn read_keys(reader: &mut Reader, section: &Section<'_>, key: &str) -> Result<Vec<Take>, Error> {
    let item = section.need(key)?;
    item.strings()?.into_iter().map(|name| reader.column(&item, vec![name])).collect()
}

fn read_fields(reader: &mut Reader, top: &Section<'_>, target: &'static Target) -> Result<Vec<Field>, Error> {
    let Some(section) = top.section("columns")? else { return Ok(Vec::new()) };
    let mut fields = Vec::new();
    for item in section.items() {
        let Some(column) = target.column(item.key) else {
            let open = target.open_columns().join(", ");
            return Err(item.error(format!("{} have no field `{}`; they may have: {open}", target.table, item.key)));
        };
        if let Some(by) = target.filled_by(column.name) {
            return Err(item.error(format!("`{}` is filled by {by}", column.name)));
        }
        let take = reader.take(&item)?;
        let decimal_is_told = column.kind != Kind::Decimal || take.style.decimal.is_some();
        if !decimal_is_told {
            let name = column.name;
            return Err(
                item.error(format!("`{name}` is a number: say `decimal = \",\"` or `decimal = \".\"` in [style]"))
            );
        }
        parts::check_values(&item, target, column, &take)?;
        fields.push(Field {
            column: column.name,
            kind: column.kind,
            nullable: blank(target).set(column.name, Value::Null).is_ok(),
            needed: target.needs.contains(&column.name),
            take,
        });
    }
    Ok(fields)
}

fn read_buyer(reader: &mut Reader, top: &Section<'_>, target: &Target) -> Result<Option<BuyerMap>, Error> {
    let Some(section) = top.section("buyer")? else { return Ok(None) };
    if !target.has("buyer_id") {
        return Err(section.error(format!("{} name no buyer", target.table)));
    }
    section.only(&[BUYER, &["uasg"]].concat())?;
    let uasg = section.get("uasg").map(|item| item.flag()).transpose()?.unwrap_or_default();
    let mut fields = Vec::new();
    for name in BUYER {
        let Some(item) = section.get(name) else { continue };
        let filled = reader.filled(&item)?;
        if let Filled::Constant(value) = &filled {
            parts::check_buyer_constant(&item, name, value)?;
        }
        fields.push((*name, filled));
    }
    if !fields.iter().any(|(name, _)| ["name", "code", "cnpj"].contains(name)) {
        return Err(section.error("a buyer is known by `code`, `cnpj` or `name`; none of them is given"));
    }
    Ok(Some(BuyerMap { fields, uasg }))
}

fn read_party(reader: &mut Reader, top: &Section<'_>, target: &Target) -> Result<Option<PartyMap>, Error> {
    let Some(section) = top.section("supplier")? else { return Ok(None) };
    if target.party().is_none() {
        return Err(section.error(format!("{} name no supplier", target.table)));
    }
    section.only(&["number", "cpf", "name"])?;
    let mut take = |key| section.get(key).map(|item| reader.take(&item)).transpose();
    let (number, cpf, name) = (take("number")?, take("cpf")?, take("name")?);
    if cpf.is_some() && number.is_none() {
        return Err(section.error("`cpf` stands beside `number`, for rows in which that is blank"));
    }
    if number.is_none() && name.is_none() {
        return Err(section.error("a supplier is known by `number` and `name`; neither is given"));
    }
    Ok(Some(PartyMap { number, cpf, name }))
}

fn read_modalities(top: &Section<'_>, target: &Target) -> Result<HashMap<String, Option<Modality>>, Error> {
    let Some(section) = top.section("modalities")? else { return Ok(HashMap::new()) };
    if !target.has("modality") {
        return Err(section.error(format!("{} have no modality", target.table)));
    }
    let mut modalities = HashMap::new();
    for item in section.items() {
        let code = item.string()?;
        let modality = Modality::from_code(code);
        if modality.is_none() && !code.is_empty() {
            let known = codes(target.table, "modality").join(", ");
            return Err(item.error(format!("`{code}` is no modality; it may be: {known}, or \"\" for none of them")));
        }
        if modalities.insert(word_key(item.key), modality).is_some() {
            return Err(item.error(format!("`{}` stands twice (capitals and accents do not count)", item.key)));
        }
    }
    Ok(modalities)
}

fn read_constants(mapping: &mut Mapping, top: &Section<'_>) -> Result<(), Error> {
    let Some(section) = top.section("constants")? else { return Ok(()) };
    let target = mapping.target;
    for item in section.items() {
        let value = item.scalar()?;
        if let Some(column) = target.column(item.key) {
            if let Some(by) = target.filled_by(column.name) {
                return Err(item.error(format!("`{}` is filled by {by}", column.name)));
            }
            if mapping.fields.iter().any(|field| field.column == column.name) {
                return Err(item.error(format!("`{}` is given by [columns] too", column.name)));
            }
            parts::set_constant(&item, &mut mapping.blank, target, column, &value)?;
            continue;
        }
        let of_buyer = BUYER_CONSTANTS.iter().find(|name| **name == item.key && target.has("buyer_id"));
        let Some(name) = of_buyer else {
            let mut known = target.open_columns();
            known.extend(BUYER_CONSTANTS.iter().filter(|_| target.has("buyer_id")));
            return Err(item.error(format!(
                "`{}` is not known here; [constants] may have: {}",
                item.key,
                known.join(", ")
            )));
        };
        parts::check_buyer_constant(&item, name, &value)?;
        let Some(buyer) = &mut mapping.buyer else {
            return Err(item.error(format!("`{name}` is the buyer's, and there is no section [buyer]")));
        };
        if buyer.fields.iter().any(|(given, _)| given == name) {
            return Err(item.error(format!("`{name}` is given by [buyer] too")));
        }
        buyer.fields.push((name, Filled::constant(&value)));
    }
    Ok(())
}

fn read_parent(reader: &mut Reader, mapping: &mut Mapping, top: &Section<'_>) -> Result<(), Error> {
    let Some(section) = top.section("parent")? else { return Ok(()) };
    let kinds: Vec<&str> =
        ["contract", "tender"].into_iter().filter(|kind| mapping.target.has(&format!("{kind}_id"))).collect();
    if kinds.is_empty() {
        return Err(section.error(format!("{} belong to no contract and no tender", mapping.target.table)));
    }
    section.only(&kinds)?;
    for (kind, key) in [("contract", &mut mapping.contract_key), ("tender", &mut mapping.tender_key)] {
        if section.get(kind).is_some() {
            *key = read_keys(reader, &section, kind)?;
        }
    }
    if mapping.contract_key.is_empty() && mapping.tender_key.is_empty() {
        return Err(section.error(format!("names no key; it may name: {}", kinds.join(", "))));
    }
    Ok(())
}

fn check_needs(mapping: &Mapping, top: &Section<'_>) -> Result<(), Error> {
    let target = mapping.target;
    for need in target.needs {
        let constant = top.section("constants")?.is_some_and(|section| section.get(need).is_some());
        if !constant && !mapping.fields.iter().any(|field| field.column == *need) {
            return Err(top.error(format!("{} need `{need}`, in [columns] or [constants]", target.table)));
        }
    }
    if let Some(need) = target.needs_sections.iter().find(|name| top.get(name).is_none()) {
        return Err(top.error(format!("{} need the section [{need}]", target.table)));
    }
    if target.table == "registrations"
        && !mapping.fields.iter().any(|field| ["cnpj", "cnpj_root"].contains(&field.column))
    {
        return Err(top.error("registrations need `cnpj` or `cnpj_root` in [columns]"));
    }
    if !mapping.modalities.is_empty() && !mapping.fields.iter().any(|field| field.column == "modality_as_stated") {
        return Err(top.error("[modalities] reads the words of `modality_as_stated`, which [columns] does not name"));
    }
    Ok(())
}
