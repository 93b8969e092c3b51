//! Measuring the bid screens on a labelled CSV file.
//!
//! A row without a tender, a price above zero or an answer is left out and counted. A number may have a decimal dot or a
//! decimal comma; with both, the last is the decimal one.

use std::path::{Path, PathBuf};

use flags::{LabelledBid, ScreensEvaluation};
use serde::Serialize;

use crate::{Error, Result};

/// A labelled file and what its columns are.
#[derive(Debug, Clone)]
pub struct LabelledFile {
    /// The CSV file.
    pub file: PathBuf,
    /// The columns that name the tender together.
    pub tender: Vec<String>,
    /// The columns of prices: a bid each.
    pub value: Vec<String>,
    /// The column of the answer, or `COLUMN=TEXT`.
    pub label: String,
    /// The columns of bidders, as many as those of prices, or none.
    pub bidder: Vec<String>,
}

/// What came of a labelled file.
#[derive(Debug, Clone, Serialize)]
pub struct ScreensReport {
    /// The figures.
    #[serde(flatten)]
    pub evaluation: ScreensEvaluation,
    /// Rows of the file.
    pub rows: usize,
    /// Bids that lack a tender, a price above zero or an answer.
    pub left_out: usize,
}

/// Where in a row everything stands.
struct Places {
    tender: Vec<usize>,
    bids: Vec<(usize, Option<usize>)>,
    label: usize,
    rigged_text: Option<String>,
}

/// Measures the screens on `asked`.
///
/// # Errors
/// The file cannot be read or lacks a column; a label that is neither yes nor no.
pub fn evaluate_screens(asked: &LabelledFile) -> Result<ScreensReport> {
    let bytes = std::fs::read(&asked.file).map_err(|e| Error::io(&asked.file, &e))?;
    let text = decoded(&bytes);
    let delimiter = delimiter_of(text.lines().next().unwrap_or_default());
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let unreadable = |e: csv::Error| Error::Io { path: asked.file.clone(), because: e.to_string() };
    let names: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(|n| n.trim().to_owned()).collect();
    let places = Places::of(asked, &names)?;
    let (mut bids, mut rows, mut left_out) = (Vec::new(), 0, 0);
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        rows += 1;
        let cell = |at: usize| record.get(at).map_or("", str::trim);
        let tender: Vec<&str> = places.tender.iter().map(|&at| cell(at)).collect();
        let rigged = places.rigged(cell(places.label), &asked.file, rows)?;
        for &(value, bidder) in &places.bids {
            let value = number(cell(value)).filter(|value| *value > 0.0);
            let (Some(value), Some(rigged), true) = (value, rigged, tender.iter().all(|t| !t.is_empty())) else {
                left_out += 1;
                continue;
            };
            let bidder = bidder.map(cell).filter(|bidder| !bidder.is_empty()).map(str::to_owned);
            bids.push(LabelledBid { tender: tender.join("\u{1f}"), bidder, value, rigged });
        }
    }
    Ok(ScreensReport { evaluation: flags::evaluate_screens(&bids), rows, left_out })
}

impl Places {
    fn of(asked: &LabelledFile, names: &[String]) -> Result<Self> {
        let place = |option: &'static str, name: &str| {
            names.iter().position(|n| n == name.trim()).ok_or_else(|| {
                Error::invalid(option, format!("the file has no column `{name}`; it has {}", names.join(", ")))
            })
        };
        if !asked.bidder.is_empty() && asked.bidder.len() != asked.value.len() {
            return Err(Error::invalid("--bidder", "must stand as often as --value, or not at all"));
        }
        let mut bids = Vec::new();
        for (at, value) in asked.value.iter().enumerate() {
            let bidder = asked.bidder.get(at).map(|name| place("--bidder", name)).transpose()?;
            bids.push((place("--value", value)?, bidder));
        }
        let tender = asked.tender.iter().map(|name| place("--tender", name)).collect::<Result<_>>()?;
        let (label, rigged_text) = match (place("--label", &asked.label), asked.label.rsplit_once('=')) {
            (Ok(label), _) => (label, None),
            (Err(_), Some((name, text))) => (place("--label", name)?, Some(text.trim().to_owned())),
            (Err(error), None) => return Err(error),
        };
        Ok(Self { tender, bids, label, rigged_text })
    }

    /// The answer of a row; `None` where there is none.
    fn rigged(&self, label: &str, file: &Path, row: usize) -> Result<Option<bool>> {
        if label.is_empty() {
            return Ok(None);
        }
        if let Some(text) = &self.rigged_text {
            return Ok(Some(label == text));
        }
        match label.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "sim" | "s" => Ok(Some(true)),
            "false" | "f" | "no" | "n" | "não" | "nao" => Ok(Some(false)),
            other => match number(other) {
                Some(1.0) => Ok(Some(true)),
                Some(0.0) => Ok(Some(false)),
                _ => Err(Error::invalid(
                    "--label",
                    format!("{}, row {row}: `{label}` is neither yes nor no; give COLUMN=TEXT", file.display()),
                )),
            },
        }
    }
}

/// The file's text: UTF-8, else Windows-1252.
fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

fn delimiter_of(header: &str) -> u8 {
    let most = |best: u8, one: u8| {
        let count = |mark: u8| header.bytes().filter(|b| *b == mark).count();
        if count(one) > count(best) { one } else { best }
    };
    [b';', b'\t', b'|'].into_iter().fold(b',', most)
}

fn number(text: &str) -> Option<f64> {
    // A mark that stands twice groups thousands.
    let decimal = text.rfind(['.', ',']).filter(|&at| text.matches(&text[at..=at]).count() == 1);
    let plain: String = text
        .char_indices()
        .filter_map(|(at, c)| match c {
            '.' | ',' => (decimal == Some(at)).then_some('.'),
            ' ' | '\u{a0}' => None,
            c => Some(c),
        })
        .collect();
    plain.parse().ok().filter(|n: &f64| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(content: &[u8], asked: impl FnOnce(&mut LabelledFile)) -> Result<ScreensReport> {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("labelled-{}-{next}.csv", std::process::id()));
        std::fs::write(&file, content).unwrap();
        let mut labelled = LabelledFile {
            file: file.clone(),
            tender: vec!["t".into()],
            value: vec!["v".into()],
            label: "y".into(),
            bidder: Vec::new(),
        };
        asked(&mut labelled);
        let report = evaluate_screens(&labelled);
        std::fs::remove_file(file).unwrap();
        report
    }

    #[test]
    fn numbers_are_read_with_either_mark() {
        let read: Vec<Option<f64>> =
            ["1", "1.5", "0,1260", "1.234,5", "1,234.5", "1.234.567", ".", "", "x", "nan"].map(number).to_vec();
        let wanted = [Some(1.0), Some(1.5), Some(0.126), Some(1234.5), Some(1234.5), Some(1_234_567.0)];
        assert_eq!(read[..6], wanted);
        assert!(read[6..].iter().all(Option::is_none));
    }

    #[test]
    fn what_lacks_something_is_left_out_and_counted() {
        let report = evaluated(b"t;v;y\n1;10,5;1\n1;.;1\n;3;0\n2;0;0\n2;4;\n2;5;0\n", |_| ()).unwrap();
        assert_eq!((report.rows, report.left_out, report.evaluation.n, report.evaluation.rigged), (6, 4, 2, 1));
    }

    #[test]
    fn a_row_may_hold_two_bids_and_one_bidder_counts_once() {
        let content = b"t,v,w,a,b,y\n1,10,9,A,W,1\n1,11,9,B,W,1\n2,5,4,A,W,0\n";
        let report = evaluated(content, |asked| {
            asked.value = vec!["v".into(), "w".into()];
            asked.bidder = vec!["a".into(), "b".into()];
        })
        .unwrap();
        assert_eq!((report.evaluation.n, report.evaluation.tenders), (6, 2));
    }

    #[test]
    fn wrong_columns_and_labels_are_refused() {
        let refused = |content: &[u8], ask: fn(&mut LabelledFile)| match evaluated(content, ask) {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(b"t,v,y\n1,2,1\n", |asked| asked.value = vec!["price".into()]), "--value");
        assert_eq!(refused(b"t,v,y\n1,2,maybe\n", |_| ()), "--label");
        assert_eq!(refused(b"t,v,y\n1,2,1\n", |asked| asked.bidder = vec!["t".into(), "v".into()]), "--bidder");
        let report = evaluated(b"t,v,y\n1,2, RIGGED \n2,3,FREE\n", |asked| asked.label = "y=RIGGED".into()).unwrap();
        assert_eq!(report.evaluation.rigged, 1);
    }
}
