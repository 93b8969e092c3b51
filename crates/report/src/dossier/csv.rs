//! CSV: the table of findings, for spreadsheets. A cell that a spreadsheet would run as a formula is made text.

use serde_json::Value;

use super::Dossier;

/// The columns of the table of findings, named as the API names them.
pub const FINDING_COLUMNS: &[&str] = &[
    "n",
    "id",
    "flag",
    "version",
    "kind",
    "severity",
    "state",
    "title",
    "summary",
    "buyer_id",
    "buyer_name",
    "supplier_id",
    "supplier_name",
    "subject_type",
    "subject_id",
    "measure",
    "threshold",
    "unit",
    "amount",
    "currency",
    "as_of",
    "known_at",
    "law",
    "law_act",
    "law_limit",
    "contract_ids",
    "verdict",
    "evidence",
];

/// The findings of a dossier as a table, one a line; amounts and days as they are, not as they are read.
#[must_use]
pub fn findings_csv(dossier: &Dossier) -> String {
    let language = dossier.language.code();
    let rows = dossier.findings.iter().zip(1..).map(|(finding, n)| {
        let text = |pointer: &str| match finding.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let said = |name: &str| text(&format!("/{name}/{language}"));
        let law = [text("/law/regime"), text("/law/article")].join(" ").trim().to_owned();
        let contracts: Vec<&str> =
            finding["contract_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let evidence: Vec<String> =
            finding["evidence"]["rows"].as_array().into_iter().flatten().map(place_of).collect();
        vec![
            n.to_string(),
            text("/id"),
            text("/flag"),
            text("/version"),
            text("/kind"),
            text("/severity"),
            text("/state"),
            said("title"),
            said("summary"),
            text("/buyer/id"),
            text("/buyer/name"),
            text("/supplier/id"),
            text("/supplier/name"),
            text("/subject/type"),
            text("/subject/id"),
            text("/measure"),
            text("/threshold"),
            text("/unit"),
            text("/amount"),
            text("/currency"),
            text("/as_of"),
            text("/known_at"),
            law,
            text("/law/act"),
            text("/law/limit"),
            contracts.join(" "),
            text("/verdict/verdict"),
            evidence.join(" | "),
        ]
    });
    csv(FINDING_COLUMNS, rows)
}

/// `arquivo.csv:12`.
fn place_of(row: &Value) -> String {
    let line = row["line"].as_i64().map(|line| format!(":{line}")).unwrap_or_default();
    format!("{}{line}", row["file"].as_str().unwrap_or("?"))
}

/// A table as RFC 4180 has it.
#[must_use]
pub fn csv(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut out = heads.join(",") + "\r\n";
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(&harmless(cell))).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A cell that begins as formulas do gets `'` before it, which spreadsheets take as "this is text". A plain number stays one.
fn harmless(cell: &str) -> String {
    let number = cell.strip_prefix('-').unwrap_or(cell);
    let is_number = number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && number.matches('.').count() <= 1;
    let acts = cell.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        || cell.starts_with(['\t', '\r', '\n']);
    if acts && !is_number { format!("'{cell}") } else { cell.to_owned() }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n', ';', '\t']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "\r=1", "-", "＝1", "-1.2.3"] {
            assert!(harmless(cell).starts_with('\''), "{cell:?}");
        }
        for cell in ["-5.0000", "12", "a=b", "", "R$ -5"] {
            assert_eq!(harmless(cell), cell);
        }
        assert_eq!(
            csv(&["a", "b"], [vec!["x\"y".to_owned(), "=1;2".to_owned()]].into_iter()),
            "a,b\r\n\"x\"\"y\",\"'=1;2\"\r\n"
        );
    }
}
