//! Judging: one flag over a scope, and what is kept of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lake::{Literal, Session};

use crate::finding::{Hit, PEER_VALUES_MAX, hit_of};
use crate::law_tables::LawTables;
use crate::preview::tip_columns;
use crate::{
    Error, Flag, Result, bid_screens, bidder_communities, law_tables, near_pairs, object_clusters, spending_periods,
};

/// Rows that are judged at once, of all tables that a flag reads.
const ROWS_OF_A_PART: u64 = 1_500_000;

/// What judging one flag gave.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The peer groups that were judged; empty when everything was.
    pub groups: Vec<String>,
    /// The hits, as findings.
    pub hits: Vec<Hit>,
}

/// Counted outcomes of a flag, by source and missing field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The source of the judged rows.
    pub source: String,
    /// `hit`, `clear` or `not_computable`.
    pub outcome: String,
    /// The missing field, for `not_computable`; else empty.
    pub field: String,
    /// Subjects.
    pub n: i64,
}

/// Which file of outcomes to start from, and where the new one goes.
#[derive(Debug, Clone, Copy)]
pub struct Outcomes<'a> {
    /// Every outcome before this judgement, if there was one and it was not of everything.
    pub before: Option<&'a Path>,
    /// Every outcome after it.
    pub after: &'a Path,
}

/// Judges `flag` for the peer groups that changed rows touch (all of them in a session over everything) and writes
/// every outcome. `None` when nothing was touched: what was judged before stands.
///
/// Peer groups know nothing of one another, so many rows are judged in parts, each of whole groups: memory does not grow
/// with the rows.
///
/// # Errors
/// The analysis fails: a segment is missing, the disk is full, the SQL is wrong.
pub fn judge(session: &Session, flag: &Flag, outcomes: Outcomes<'_>) -> Result<Option<Judged>> {
    judge_in_parts(session, flag, outcomes, rows_of(session, flag) / ROWS_OF_A_PART + 1)
}

/// The same in at most so many parts.
///
/// # Errors
/// As [`judge`].
pub fn judge_in_parts(session: &Session, flag: &Flag, outcomes: Outcomes<'_>, parts: u64) -> Result<Option<Judged>> {
    let failed = |cause: lake::Error| Error::Analysis { flag: flag.code.clone(), cause };
    let (groups, parts) = match outcomes.before {
        None => (Vec::new(), parts),
        Some(before) => {
            let select = format!("select distinct k from ({}) as t where k is not null", flag.touched);
            session.run(&format!("create or replace temp table touched as {select}")).map_err(failed)?;
            let groups = texts(session, "select k from touched order by k", "k").map_err(failed)?;
            if groups.is_empty() {
                return Ok(None);
            }
            let parts = parts_touched(session, before, parts).map_err(failed)?.min(groups.len() as u64);
            (groups, parts)
        }
    };
    let files: Vec<PathBuf> = (0..parts).map(|part| outcomes.after.with_extension(format!("part-{part}"))).collect();
    let mut hits = Vec::new();
    for (part, file) in (0..).zip(&files) {
        let scope = Scope { touched: outcomes.before.is_some(), part, parts };
        hits.extend(judge_part(session, flag, scope, file)?);
    }
    hits.sort_by(|a, b| a.subject_id.cmp(&b.subject_id));
    join_outcomes(session, flag, &files, outcomes).map_err(failed)?;
    for file in &files {
        // One that stays is removed with the outcomes that are replaced.
        let _ = std::fs::remove_file(file);
    }
    Ok(Some(Judged { groups, hits }))
}

/// Which peer groups are judged: the touched ones or all, and which part of them.
#[derive(Clone, Copy)]
struct Scope {
    touched: bool,
    part: u64,
    parts: u64,
}

/// The rows that a flag reads.
fn rows_of(session: &Session, flag: &Flag) -> u64 {
    let sql = format!("{} {}", flag.sql, flag.peers_sql.as_deref().unwrap_or_default());
    let words: HashSet<&str> = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    session.segments().iter().filter(|s| words.contains(s.table.as_str())).map(|s| s.rows).sum()
}

/// How many of the `parts` of everything the touched groups are worth, by the subjects that they had before.
fn parts_touched(session: &Session, before: &Path, parts: u64) -> lake::Result<u64> {
    if parts <= 1 {
        return Ok(parts);
    }
    let of = format!("select count(*) from read_parquet({})", path_literal(before));
    let all = session.count(&of)?.unsigned_abs().max(1);
    let touched = session.count(&format!("{of} where group_key in (select k from touched)"))?.unsigned_abs();
    Ok((u128::from(parts) * u128::from(touched)).div_ceil(u128::from(all)).max(1).try_into().unwrap_or(parts))
}

/// Judges one part, writes its outcomes to `file` and gives its hits.
fn judge_part(session: &Session, flag: &Flag, scope: Scope, file: &Path) -> Result<Vec<Hit>> {
    let failed = |cause: lake::Error| Error::Analysis { flag: flag.code.clone(), cause };
    let Scope { touched, part, parts } = scope;
    let in_part = if parts > 1 { format!("hash(k) % {parts} = {part}") } else { "true or k is null".to_owned() };
    let asked = if touched { format!("k in (select touched.k from touched) and ({in_part})") } else { in_part };
    session.run(&format!("create or replace temp macro in_scope(k) as {asked}")).map_err(failed)?;
    prepare(session, flag)?;
    let sql = sql_with_parameters(flag, &flag.sql)?;
    // Where all rows fit in memory, so does all that is said of them: one judgement gives the outcomes and the hits.
    if session.is_held() {
        session.run(&format!("create or replace temp table judged as {sql}")).map_err(failed)?;
        write_outcomes(session, flag, "from judged", file).map_err(failed)?;
    } else {
        let tips: Vec<&str> = tip_columns(flag).collect();
        let asked = |name: &str| KEPT.contains(&name) || tips.contains(&name);
        let narrow = session.only_columns(&sql, asked).map_err(failed)?;
        write_outcomes(session, flag, &narrow, file).map_err(failed)?;
        if !judge_hits(session, &sql, file).map_err(failed)? {
            forget(session, flag).map_err(failed)?;
            return Ok(Vec::new());
        }
    }
    let peers = peer_values(session, flag).map_err(failed)?;
    let mut hits = Vec::new();
    session
        .rows("select * from judged where outcome = 'hit' order by subject_id", |row| {
            let values = row.get("peer_key").and_then(|key| peers.get(key)).map_or(&[][..], Vec::as_slice);
            hits.push(hit_of(flag, row, values));
            Ok(())
        })
        .map_err(failed)?;
    forget(session, flag).map_err(failed)?;
    Ok(hits)
}

/// Drops what was made to judge a part.
fn forget(session: &Session, flag: &Flag) -> lake::Result<()> {
    let made = ["judged", "scope", "peers"].into_iter().chain(flag.derived.iter().map(String::as_str));
    session.run(&made.map(|table| format!("drop table if exists {table};")).collect::<String>())
}

/// Makes `scope (k)`, the peer groups to judge, and `in_scope (k)`, which the flags' SQL asks; `None` is everything.
pub(crate) fn set_scope(session: &Session, groups: Option<&str>) -> lake::Result<()> {
    let (groups, asked) = match groups {
        Some(groups) => (groups, "k in (select scope.k from scope)"),
        None => ("select cast(null as varchar) as k where false", "true or k is null"),
    };
    session.run(&format!(
        "create or replace temp table scope as {groups}; create or replace temp macro in_scope(k) as {asked}"
    ))
}

/// The texts of one column.
fn texts(session: &Session, sql: &str, column: &str) -> lake::Result<Vec<String>> {
    let mut texts = Vec::new();
    session.rows(sql, |row| {
        texts.extend(row.get(column).map(str::to_owned));
        Ok(())
    })?;
    Ok(texts)
}

/// The rows behind one finding, as (table, id), judged anew for its peer group alone.
///
/// # Errors
/// The analysis fails.
pub fn evidence_rows(session: &Session, flag: &Flag, group: &str, subject: &str) -> Result<Vec<(String, String)>> {
    let failed = |cause: lake::Error| Error::Analysis { flag: flag.code.clone(), cause };
    let (group, subject) = (Literal::Text(group.to_owned()).sql(), Literal::Text(subject.to_owned()).sql());
    set_scope(session, Some(&format!("select {group} as k"))).map_err(failed)?;
    prepare(session, flag)?;
    session
        .run(&format!("create or replace temp table judged as {}", sql_with_parameters(flag, &flag.sql)?))
        .map_err(failed)?;
    let sql = sql_with_parameters(flag, &flag.rows_sql)?.replace("$subject", &subject);
    let mut rows = Vec::new();
    session
        .rows(&sql, |row| {
            if let (Some(table), Some(id)) = (row.get("tbl"), row.get("id")) {
                rows.push((table.to_owned(), id.to_owned()));
            }
            Ok(())
        })
        .map_err(failed)?;
    if !flag.rows_sql.to_ascii_lowercase().contains("order by") {
        // The engine's threads give them in any order; the same question has the same answer, contracts first.
        rows.sort_by(|(table, id), (other, its)| {
            (table != "contracts", table, id).cmp(&(other != "contracts", other, its))
        });
    }
    Ok(rows)
}

/// Counts the outcomes in a file of them.
///
/// # Errors
/// The file cannot be read.
pub fn outcomes_of(session: &Session, file: &Path) -> Result<Vec<Coverage>> {
    let mut coverage = Vec::new();
    let sql = format!(
        "select coalesce(source, '?') as source, outcome, coalesce(missing, '') as field, count(*) as n from read_parquet({}) group by all order by all",
        path_literal(file)
    );
    session.rows(&sql, |row| {
        let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
        coverage.push(Coverage {
            source: text("source"),
            outcome: text("outcome"),
            field: text("field"),
            n: text("n").parse().unwrap_or_default(),
        });
        Ok(())
    })?;
    Ok(coverage)
}

/// Makes the tables that the flag's SQL joins: derived ones and its peers.
fn prepare(session: &Session, flag: &Flag) -> Result<()> {
    prepare_under(session, flag, None)
}

/// The same under the legal limits of `law`, where they are given.
pub(crate) fn prepare_under(session: &Session, flag: &Flag, law: Option<&LawTables>) -> Result<()> {
    let failed = |cause: lake::Error| Error::Analysis { flag: flag.code.clone(), cause };
    for derived in &flag.derived {
        match derived.as_str() {
            "bid_screens" => bid_screens::make(session)?,
            "bidder_communities" => bidder_communities::make(session)?,
            "near_pairs" => near_pairs::make(session)?,
            "object_clusters" => object_clusters::make(session)?,
            "contract_numbers" => session.run(include_str!("contract_numbers.sql")).map_err(failed)?,
            "held_months" => session.run(include_str!("held_months.sql")).map_err(failed)?,
            "legal_grounds" => session.run(include_str!("legal_grounds.sql")).map_err(failed)?,
            "spending_periods" => spending_periods::make(session)?,
            table if law.is_some() && law_tables::is_law_table(table) => {
                law_tables::make_given(session, flag, table, law)?;
            }
            law if law_tables::make(session, law)? => {}
            other => {
                return Err(Error::Folder { flag: flag.code.clone(), because: format!("no derived table `{other}`") });
            }
        }
    }
    if let Some(peers) = &flag.peers_sql {
        session
            .run(&format!("create or replace temp table peers as {}", sql_with_parameters(flag, peers)?))
            .map_err(failed)?;
    }
    Ok(())
}

/// What is kept of an outcome, beside its tips.
const KEPT: &[&str] = &["subject_id", "group_key", "source", "outcome", "missing", "measure", "threshold"];

/// The same, as it is written.
fn outcome_columns(flag: &Flag) -> String {
    let kept = KEPT.iter().map(|name| match *name {
        "measure" | "threshold" => format!("cast({name} as double) as {name}"),
        _ => (*name).to_owned(),
    });
    let tips = tip_columns(flag).map(|tip| format!("cast({tip} as double) as {tip}"));
    kept.chain(tips).collect::<Vec<_>>().join(", ")
}

/// The outcomes of the groups judged now. Only what is kept is computed, and streamed into the file.
fn write_outcomes(session: &Session, flag: &Flag, sql: &str, file: &Path) -> lake::Result<()> {
    session.run(&format!(
        "copy (select {} from ({sql}) as judged) to {} (format parquet, compression zstd, row_group_size 61440)",
        outcome_columns(flag),
        path_literal(file)
    ))
}

/// Every outcome: those of the groups judged now, and those of the others as they were.
fn join_outcomes(session: &Session, flag: &Flag, files: &[PathBuf], outcomes: Outcomes<'_>) -> lake::Result<()> {
    if let ([only], None) = (files, outcomes.before)
        && std::fs::rename(only, outcomes.after).is_ok()
    {
        return Ok(());
    }
    let columns = outcome_columns(flag);
    let files: Vec<String> = files.iter().map(|file| path_literal(file)).collect();
    let mut all = format!("select {columns} from read_parquet([{}])", files.join(", "));
    if let Some(before) = outcomes.before {
        all.push_str(&format!(
            " union all select {columns} from read_parquet({}) where group_key not in (select k from touched)",
            path_literal(before)
        ));
    }
    session.run(&format!(
        "copy ({all}) to {} (format parquet, compression zstd, row_group_size 61440)",
        path_literal(outcomes.after)
    ))
}

/// Makes the table `judged` of the hits with all that is said of them: the groups that have one are judged once more.
/// Whether there are any.
fn judge_hits(session: &Session, sql: &str, file: &Path) -> lake::Result<bool> {
    let hits = format!("from read_parquet({}) where outcome = 'hit'", path_literal(file));
    if session.count(&format!("select count(*) {hits}"))? == 0 {
        return Ok(false);
    }
    set_scope(session, Some(&format!("select distinct group_key as k {hits}")))?;
    session.run(&format!(
        "create or replace temp table judged as select * from ({sql}) as judged where outcome = 'hit'"
    ))?;
    Ok(true)
}

fn path_literal(path: &Path) -> String {
    Literal::Text(path.to_string_lossy().into_owned()).sql()
}

/// Up to [`PEER_VALUES_MAX`] values of each peer group that has a hit, evenly spread over its sorted values.
pub(crate) fn peer_values(session: &Session, flag: &Flag) -> lake::Result<HashMap<String, Vec<String>>> {
    let mut values: HashMap<String, Vec<String>> = HashMap::new();
    if flag.peers_sql.is_none() {
        return Ok(values);
    }
    let sql = format!(
        "select peer_key, value from (
           select peer_key, value, row_number() over w as place, count(*) over (partition by peer_key) as n
           from peers where value is not null and peer_key in (select peer_key from judged where outcome = 'hit')
           window w as (partition by peer_key order by value)) as ranked
         where n <= {PEER_VALUES_MAX} or place = 1 or place = n
            or floor(place * {PEER_VALUES_MAX}.0 / n) > floor((place - 1) * {PEER_VALUES_MAX}.0 / n)
         order by peer_key, place"
    );
    session.rows(&sql, |row| {
        if let (Some(key), Some(value)) = (row.get("peer_key"), row.get("value")) {
            values.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        Ok(())
    })?;
    Ok(values)
}

/// Puts each parameter's value where `$name` stands.
pub(crate) fn sql_with_parameters(flag: &Flag, sql: &str) -> Result<String> {
    let mut out = sql.trim_end().trim_end_matches(';').to_owned();
    let mut parameters: Vec<_> = flag.parameters.iter().collect();
    // A longer name first, so that `$share_max` is not taken for `$share`.
    parameters.sort_by_key(|p| std::cmp::Reverse(p.name.len()));
    for parameter in parameters {
        let value = parameter.default;
        if !(parameter.min..=parameter.max).contains(&value) {
            return Err(Error::Parameter {
                flag: flag.code.clone(),
                name: parameter.name.clone(),
                because: format!("{value} is not between {} and {}", parameter.min, parameter.max),
            });
        }
        out = out.replace(&format!("${}", parameter.name), &value.to_string());
    }
    Ok(out)
}
