//! Reading: keyset pages over contracts, suppliers and buyers, and look-ups by id.

mod contracts;
mod dossiers;
mod files;
mod glance;
mod names;
mod parties;
mod several;
mod tenders;

use serde::{Deserialize, Serialize};

pub use contracts::{ContractFilter, ContractRow, ContractSort, RowVersion};
pub use dossiers::{Counted, CountedAmendments};
pub use files::ReadFile;
pub use glance::{GlanceFilter, Glanced};
pub use names::BuyerNames;
pub use parties::{BuyerFilter, BuyerRow, NameSort, SanctionRow, SupplierFilter, SupplierRow, Totals};
pub use several::{Below, Marked, Owner, Registered};
pub use tenders::TenderFilter;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where each of them stands.
    pub marks: Vec<Cursor>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
}

/// The last row of a page: the value it was sorted by and its row number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The sort value; `None` for rows that lack it (they come last).
    #[serde(rename = "v")]
    pub value: Option<CursorValue>,
    /// The row's number.
    #[serde(rename = "r")]
    pub rid: i64,
}

/// A sort value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CursorValue {
    /// A number.
    Int(i64),
    /// A text.
    Text(String),
}

impl rusqlite::ToSql for CursorValue {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Int(n) => n.to_sql(),
            Self::Text(t) => t.to_sql(),
        }
    }
}

/// Conditions and their parameters, put together as a query grows.
#[derive(Default)]
pub(crate) struct Conditions {
    sql: Vec<String>,
    values: Vec<Box<dyn rusqlite::ToSql>>,
}

impl Conditions {
    /// Adds a condition; each `?` in it stands for one of `values`.
    pub(crate) fn add(&mut self, sql: &str, values: Vec<Box<dyn rusqlite::ToSql>>) {
        self.sql.push(sql.to_owned());
        self.values.extend(values);
    }

    /// Adds `sql` for a value that is there.
    pub(crate) fn add_some<T: rusqlite::ToSql + Clone + 'static>(&mut self, sql: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.add(sql, vec![Box::new(value.clone())]);
        }
    }

    pub(crate) fn where_clause(&self) -> String {
        if self.sql.is_empty() { "true".to_owned() } else { self.sql.join(" and ") }
    }

    pub(crate) fn values(&self) -> Vec<&dyn rusqlite::ToSql> {
        self.values.iter().map(AsRef::as_ref).collect()
    }
}

/// How a list is walked: the column, its direction, where it starts and how many rows it takes.
pub(crate) struct Walk<'a> {
    pub(crate) column: &'a str,
    pub(crate) descending: bool,
    pub(crate) after: Option<&'a Cursor>,
    pub(crate) limit: usize,
}

impl Walk<'_> {
    /// Whether a row of this place may come before one of that.
    fn is_in_order(&self, first: &Cursor, second: &Cursor) -> bool {
        let place = |cursor: &Cursor| match &cursor.value {
            Some(CursorValue::Int(n)) => (Some(*n), None, cursor.rid),
            Some(CursorValue::Text(text)) => (None, Some(text.clone()), cursor.rid),
            None => (None, None, cursor.rid),
        };
        if self.descending { place(first) > place(second) } else { place(first) < place(second) }
    }
}

/// A row with its place in the order of `column`.
fn keyed<T>(
    row: &crate::Row<'_>,
    column: &str,
    from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<(T, Cursor)> {
    let bare = column.rsplit('.').next().unwrap_or(column);
    let value = match row.get_ref(bare)? {
        rusqlite::types::ValueRef::Null => None,
        rusqlite::types::ValueRef::Integer(n) => Some(CursorValue::Int(n)),
        other => Some(CursorValue::Text(other.as_str()?.to_owned())),
    };
    Ok((from(row)?, Cursor { value, rid: row.get("rid")? }))
}

/// The page that these rows make, of which there is one more than `limit` where another page follows.
fn page_of<T>(mut rows: Vec<(T, Cursor)>, limit: usize) -> Page<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more { rows.last().map(|(_, cursor)| cursor.clone()) } else { None };
    let (rows, marks) = rows.into_iter().unzip();
    Page { rows, marks, next }
}

/// Runs a keyset walk: first the rows that have the sort value, then those that lack it.
///
/// `select` is everything up to `where`; its columns end with the sort value and `rid`.
pub(crate) fn walk<T>(
    db: &crate::Db,
    select: &str,
    conditions: &Conditions,
    walk: &Walk<'_>,
    from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
) -> crate::Result<Page<T>> {
    walk_by(db, conditions, walk, from, &|part, order, limit| {
        format!("{select} where {part} order by {order} limit {limit}")
    })
}

/// The same, where rows are put in order by their numbers alone, and only those of the page are read whole. `table` is what of `select`
/// conditions and order speak of, with its alias.
pub(crate) fn walk_late<T>(
    db: &crate::Db,
    select: &str,
    table: &str,
    conditions: &Conditions,
    walk: &Walk<'_>,
    from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
) -> crate::Result<Page<T>> {
    let alias = table.rsplit(' ').next().unwrap_or(table);
    walk_by(db, conditions, walk, from, &|part, order, limit| {
        format!(
            "{select} where {alias}.rid in (select {alias}.rid from {table} where {part} order by {order} limit {limit}) order by {order}"
        )
    })
}

fn walk_by<T>(
    db: &crate::Db,
    conditions: &Conditions,
    walk: &Walk<'_>,
    from: impl Fn(&crate::Row<'_>) -> rusqlite::Result<T>,
    sql_of: &dyn Fn(&str, &str, usize) -> String,
) -> crate::Result<Page<T>> {
    let (order, beyond) = if walk.descending { ("desc", "<") } else { ("asc", ">") };
    let column = walk.column;
    let rid = column.rfind('.').map_or_else(|| "rid".to_owned(), |dot| format!("{}.rid", &column[..dot]));
    let wanted = walk.limit + 1;
    let mut rows: Vec<(T, Cursor)> = Vec::with_capacity(wanted);
    let run = |sql: &str, extra: Vec<&dyn rusqlite::ToSql>, rows: &mut Vec<(T, Cursor)>| -> crate::Result<()> {
        let mut statement = db.prepare(sql)?;
        let mut values = conditions.values();
        values.extend(extra);
        let found = statement.query_map(values.as_slice(), |row| keyed(row, column, &from))?;
        for row in found {
            rows.push(row?);
        }
        Ok(())
    };
    let clause = conditions.where_clause();
    let in_order = format!("{column} {order}, {rid} {order}");
    let in_nulls = walk.after.is_some_and(|cursor| cursor.value.is_none());
    if !in_nulls {
        match walk.after {
            Some(cursor) => run(
                &sql_of(&format!("{clause} and ({column}, {rid}) {beyond} (?, ?)"), &in_order, wanted),
                vec![&cursor.value, &cursor.rid],
                &mut rows,
            )?,
            None => run(&sql_of(&format!("{clause} and {column} is not null"), &in_order, wanted), vec![], &mut rows)?,
        }
    }
    if rows.len() < wanted {
        let left = wanted - rows.len();
        let start = if in_nulls { walk.after.map(|c| c.rid) } else { None };
        let start = start.unwrap_or(if walk.descending { i64::MAX } else { i64::MIN });
        let without = format!("{clause} and {column} is null and {rid} {beyond} ?");
        run(&sql_of(&without, &format!("{rid} {order}"), left), vec![&start], &mut rows)?;
    }
    Ok(page_of(rows, walk.limit))
}
