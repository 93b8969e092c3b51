//! What PostgreSQL says otherwise than SQLite, in one text of SQL.
//!
//! Statements are written so that both understand them; these few remain: parameters are `$1`; a planner is not told which index to
//! use (`indexed by`, a unary plus before a column); and full text is asked with `@@`.

use std::fmt::Write as _;

/// A statement as PostgreSQL says it.
#[must_use]
pub fn postgres(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let (mut last, mut rest) = (0, sql);
    while let Some(at) = rest.find(['\'', '?', '+', 'i', 'm']) {
        let before = rest[..at].chars().next_back().or(out.chars().next_back()).unwrap_or(' ');
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let starts_word = !before.is_alphanumeric() && before != '_' && before != '.';
        if rest.starts_with('\'') {
            let end = rest[1..].find('\'').map_or(rest.len(), |end| end + 2);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if let Some(behind) = rest.strip_prefix('?') {
            rest = parameter(behind, &mut last, &mut out);
        } else if rest.starts_with('+') && rest[1..].starts_with(|c: char| c.is_ascii_lowercase()) {
            rest = &rest[1..];
        } else if let Some(behind) = rest.strip_prefix("indexed by ").filter(|_| starts_word) {
            let end = behind.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(behind.len());
            rest = &behind[end..];
        } else if let Some(behind) = rest.strip_prefix("match ?").filter(|_| starts_word) {
            // `contracts_fts match ?` asks the table; here its column is asked.
            let table = out.trim_end().rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
            out.truncate(table);
            out.push_str("words @@ all_words(");
            rest = parameter(behind, &mut last, &mut out);
            out.push(')');
        } else {
            let step = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..step]);
            rest = &rest[step..];
        }
    }
    out.push_str(rest);
    out
}

/// Writes the parameter whose `?` was read; one without a number is the next.
fn parameter<'a>(behind: &'a str, last: &mut usize, out: &mut String) -> &'a str {
    let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let number = behind[..digits].parse().unwrap_or(*last + 1);
    *last = number.max(*last);
    write!(out, "${number}").expect("writing to a string cannot fail");
    &behind[digits..]
}

#[cfg(test)]
mod tests {
    use super::postgres;

    #[test]
    fn what_differs_is_said_otherwise() {
        for (sqlite, said) in [
            ("select a from t where b = ?1 and c > ?2", "select a from t where b = $1 and c > $2"),
            ("select a from t where b = ? and (c, d) < (?, ?)", "select a from t where b = $1 and (c, d) < ($2, $3)"),
            ("select '?1', 'it+x' from t where a = ?1", "select '?1', 'it+x' from t where a = $1"),
            (
                "where +p.flag = ? and (+p.kind <> 'x') order by +p.a desc",
                "where p.flag = $1 and (p.kind <> 'x') order by p.a desc",
            ),
            ("set n = n + 1, m = a+1", "set n = n + 1, m = a+1"),
            ("select 1 from i indexed by idx_a where s = 'x'", "select 1 from i  where s = 'x'"),
            (
                "select rowid from contracts_fts where rowid = ?1 and contracts_fts match ?2",
                "select rowid from contracts_fts where rowid = $1 and words @@ all_words($2)",
            ),
        ] {
            assert_eq!(postgres(sqlite), said);
        }
    }
}
