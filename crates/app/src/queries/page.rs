//! Pages: how many rows at most, from where, and how rows become the views of a page.

use serde::Serialize;
use store::Cursor;
use utoipa::IntoParams;

use super::cursor::Question;
use crate::views::{List, PageInfo};
use crate::{Error, Result};

/// How many rows a page holds at most: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PageLimit(usize);

impl PageLimit {
    /// The greatest.
    pub const MAX: Self = Self(100);
    /// Of an export, which nobody asks for by number.
    pub const EXPORT: Self = Self(1_000);

    /// A limit, if it is within 1 and 100.
    #[must_use]
    pub fn new(rows: usize) -> Option<Self> {
        (1..=Self::MAX.0).contains(&rows).then_some(Self(rows))
    }

    /// As a number.
    #[must_use]
    pub fn get(self) -> usize {
        self.0
    }
}

impl Default for PageLimit {
    /// Twenty.
    fn default() -> Self {
        Self(20)
    }
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The most rows that the page may hold (default 20; 100 for `flags` and `sources`).
    #[param(value_type = Option<usize>, minimum = 1, maximum = 100)]
    pub limit: Option<PageLimit>,
    /// What `next_cursor` gave for the same filters and sort.
    pub cursor: Option<String>,
}

impl PageQuery {
    /// Whether it is a page that many may ask for, and not one of an export.
    pub(crate) fn is_usual(&self) -> bool {
        self.limit.is_none_or(|limit| limit.0 <= PageLimit::MAX.0)
    }
}

/// A page on its way: opened before the rows are fetched, closed over them.
pub(crate) struct Walk {
    question: Question,
    pub(crate) after: Option<Cursor>,
    pub(crate) limit: usize,
}

impl Walk {
    /// Opens the page of `list` with `filters`.
    ///
    /// # Errors
    /// The cursor is of another list, filter or sort.
    pub(crate) fn new(list: &str, filters: &impl Serialize, page: &PageQuery, default: PageLimit) -> Result<Self> {
        let question = Question::new(list, filters)?;
        let after = page.cursor.as_deref().map(|text| question.open(text)).transpose()?;
        Ok(Self { question, after, limit: page.limit.unwrap_or(default).get() })
    }

    /// The page that `found` makes.
    pub(crate) fn list<R, V>(&self, found: store::Page<R>) -> Result<List<V>>
    where
        V: TryFrom<R>,
        Error: From<V::Error>,
    {
        let next_cursor = found.next.as_ref().map(|next| self.question.seal(next)).transpose()?;
        let data = found.rows.into_iter().map(V::try_from).collect::<std::result::Result<Vec<V>, _>>()?;
        let marks = Marks::new(self.question, found.marks);
        Ok(List { data, page: PageInfo { next_cursor, limit: self.limit }, marks })
    }

    /// The page of a list that is held in memory, from the place that the cursor names.
    pub(crate) fn slice<V>(&self, all: Vec<V>) -> Result<List<V>> {
        let start = self.after.as_ref().map_or(0, |cursor| usize::try_from(cursor.rid).unwrap_or(usize::MAX));
        let end = start.saturating_add(self.limit);
        let next = (end < all.len()).then(|| Cursor { value: None, rid: i64::try_from(end).unwrap_or(i64::MAX) });
        let next_cursor = next.map(|next| self.question.seal(&next)).transpose()?;
        let data: Vec<V> = all.into_iter().skip(start).take(self.limit).collect();
        let stands = |at| Cursor { value: None, rid: i64::try_from(start + at + 1).unwrap_or(i64::MAX) };
        let marks = Marks::new(self.question, (0..data.len()).map(stands).collect());
        Ok(List { data, page: PageInfo { next_cursor, limit: self.limit }, marks })
    }
}

/// Where each row of a page stands, for who shows a cursor beside each.
#[derive(Debug, Clone)]
pub struct Marks {
    question: Question,
    rows: Vec<Cursor>,
}

impl Marks {
    pub(crate) fn new(question: Question, rows: Vec<Cursor>) -> Self {
        Self { question, rows }
    }

    /// The cursors behind which the rows after each begin.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn cursors(&self) -> Result<Vec<String>> {
        self.rows.iter().map(|row| self.question.seal(row)).collect()
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_memory_is_walked_to_its_end() {
        let mut page = PageQuery { limit: PageLimit::new(2), cursor: None };
        let mut seen = Vec::new();
        loop {
            let walk = Walk::new("flags", &(), &page, PageLimit::MAX).unwrap();
            let list = walk.slice(vec![1, 2, 3, 4, 5]).unwrap();
            seen.extend(list.data);
            match list.page.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(seen, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_limit_is_from_one_to_a_hundred() {
        assert_eq!(PageLimit::new(0), None);
        assert_eq!(PageLimit::new(101), None);
        assert_eq!(PageLimit::new(100), Some(PageLimit::MAX));
    }
}
