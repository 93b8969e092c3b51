//! How many hits a flag would have at other values of a parameter, from what is kept of every subject.
//!
//! A parameter can be previewed when each subject has one value of it, its *tip*, at which it turns into a hit or out of
//! it, all other parameters being as they are. `flag.toml` says so: `preview = "measure > value"`, or with a column
//! `tip_<parameter>` of `flag.sql` where the measure alone does not decide; infinity is a subject that is a hit (or none)
//! at every value, null one that never is. A parameter that moves the peers, or which subjects there are, has no tips.
//!
//! Tips are kept beside the outcomes, one file per parameter: each tip once, rising, with how many subjects lie up to it.
//! A count is then a search in a sorted file, whatever the number of subjects.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use lake::{Literal, Session};

use crate::{Error, Flag, Parameter, Result};

/// A tip and the count of subjects up to it, eight bytes each, little-endian.
const ENTRY_BYTES: u64 = 16;
/// Tips sorted at once; bounds memory.
const LOT: usize = 500_000;

/// Which side of the tip a value must lie on for a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// `measure > value`, as a column and a sign.
struct Rule<'a> {
    column: &'a str,
    sign: Sign,
}

fn rule_of(parameter: &Parameter) -> Option<Rule<'_>> {
    let mut words = parameter.preview.as_deref()?.split_whitespace();
    let column = words.next()?;
    let sign = match words.next()? {
        ">" => Sign::Above,
        ">=" => Sign::AtLeast,
        "<" => Sign::Below,
        "<=" => Sign::AtMost,
        _ => return None,
    };
    let known = column == "measure" || column.strip_prefix("tip_") == Some(parameter.name.as_str());
    (known && words.next() == Some("value") && words.next().is_none()).then_some(Rule { column, sign })
}

/// # Errors
/// A preview that is not of the form `measure > value`.
pub(crate) fn check(flag: &str, parameters: &[Parameter]) -> Result<()> {
    match parameters.iter().find(|p| p.preview.is_some() && rule_of(p).is_none()) {
        None => Ok(()),
        Some(p) => Err(Error::Folder {
            flag: flag.to_owned(),
            because: format!("preview of {}: neither `measure > value` nor `tip_{} > value`", p.name, p.name),
        }),
    }
}

/// The columns of `flag.sql` that hold tips.
pub(crate) fn tip_columns(flag: &Flag) -> impl Iterator<Item = &str> {
    flag.parameters.iter().filter_map(rule_of).map(|rule| rule.column).filter(|column| *column != "measure")
}

impl Flag {
    /// The parameters whose effect on the number of hits can be told from what is kept.
    pub fn previewable(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| parameter.preview.is_some())
    }
}

/// Where the tips of a parameter stand, beside a file of outcomes.
#[must_use]
pub fn tips_path(outcomes: &Path, parameter: &str) -> PathBuf {
    outcomes.with_extension(format!("{parameter}.tips"))
}

/// Writes the tips of every parameter that can be previewed, from a file of outcomes.
///
/// # Errors
/// The outcomes cannot be read; the disk is full.
pub fn write_tips(session: &Session, flag: &Flag, outcomes: &Path) -> Result<()> {
    for parameter in flag.previewable() {
        let Some(rule) = rule_of(parameter) else { continue };
        // A measure tells hit from clear only where one was judged; a tip says itself whom it speaks of.
        let judged = if rule.column == "measure" { "and outcome in ('hit', 'clear')" } else { "" };
        let (column, file) = (rule.column, Literal::Text(outcomes.to_string_lossy().into_owned()).sql());
        let path = tips_path(outcomes, &parameter.name);
        let failed = |cause| lake::Error::Io { path: path.clone(), cause };
        let mut out = BufWriter::with_capacity(1 << 18, File::create(&path).map_err(failed)?);
        let (mut up_to, mut last) = (0_u64, None::<f64>);
        loop {
            let behind = last.map(|tip| format!("and {column} > cast('{tip:?}' as double)")).unwrap_or_default();
            let sql = format!(
                "select {column} as tip, count(*) as n from read_parquet({file}) where {column} is not null {judged} {behind}
                 group by {column} order by {column} limit {LOT}"
            );
            let mut read = 0;
            session.counts(&sql, |tip, n| {
                (up_to, last, read) = (up_to + n, Some(tip), read + 1);
                out.write_all(&tip.to_le_bytes()).and_then(|()| out.write_all(&up_to.to_le_bytes())).map_err(failed)
            })?;
            if read < LOT {
                break;
            }
        }
        out.flush().map_err(failed)?;
    }
    Ok(())
}

/// How many hits there would be at each of `values` of a parameter, by the tips beside `outcomes`. `None` when it has none.
///
/// # Errors
/// The file of tips cannot be read.
pub fn hits_at(outcomes: &Path, parameter: &Parameter, values: &[f64]) -> std::io::Result<Option<Vec<u64>>> {
    let Some(rule) = rule_of(parameter) else { return Ok(None) };
    let mut tips = Tips::open(&tips_path(outcomes, &parameter.name))?;
    let hits = values.iter().map(|value| match rule.sign {
        Sign::Above => Ok(tips.all()? - tips.up_to(*value, true)?),
        Sign::AtLeast => Ok(tips.all()? - tips.up_to(*value, false)?),
        Sign::Below => tips.up_to(*value, false),
        Sign::AtMost => tips.up_to(*value, true),
    });
    hits.collect::<std::io::Result<_>>().map(Some)
}

/// An open file of tips.
struct Tips {
    file: File,
    entries: u64,
}

impl Tips {
    fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let entries = file.metadata()?.len() / ENTRY_BYTES;
        Ok(Self { file, entries })
    }

    fn entry(&mut self, at: u64) -> std::io::Result<(f64, u64)> {
        let mut bytes = [0; ENTRY_BYTES as usize];
        self.file.seek(SeekFrom::Start(at * ENTRY_BYTES))?;
        self.file.read_exact(&mut bytes)?;
        let (tip, count) = bytes.split_at(8);
        let eight = |bytes: &[u8]| bytes.try_into().unwrap_or_default();
        Ok((f64::from_le_bytes(eight(tip)), u64::from_le_bytes(eight(count))))
    }

    /// Subjects with a tip.
    fn all(&mut self) -> std::io::Result<u64> {
        if self.entries == 0 { Ok(0) } else { Ok(self.entry(self.entries - 1)?.1) }
    }

    /// Subjects whose tip lies below `value`, those at it counted in when `inclusive`.
    fn up_to(&mut self, value: f64, inclusive: bool) -> std::io::Result<u64> {
        let (mut low, mut high) = (0, self.entries);
        while low < high {
            let middle = low + (high - low) / 2;
            let (tip, _) = self.entry(middle)?;
            if tip < value || (inclusive && tip <= value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low == 0 { Ok(0) } else { Ok(self.entry(low - 1)?.1) }
    }
}
