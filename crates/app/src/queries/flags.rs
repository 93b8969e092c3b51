//! The catalogue of red flags with what each came to over the data held.

use std::collections::BTreeMap;

use super::page::Walk;
use super::{PageLimit, PageQuery};
use crate::views::{Coverage, Flag, List};
use crate::{App, Error, Result};

impl App {
    /// The catalogue, each flag with its coverage.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list; the database cannot be read.
    pub fn flags(&self, page: &PageQuery) -> Result<List<Flag>> {
        let walk = Walk::new("flags", &(), page, PageLimit::MAX)?;
        let (coverage, precision) = (self.coverage_by_flag()?, self.precision_by_flag()?);
        let flags = self.catalogue().flags().iter();
        let shown = flags
            .map(|flag| Flag::new(flag, coverage.get(&flag.code), false)?.with_precision(precision.get(&flag.code)));
        walk.slice(shown.collect::<Result<_>>()?)
    }

    /// One flag with its coverage and SQL.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn flag(&self, code: &str) -> Result<Flag> {
        let flag = self.catalogue().flag(code).ok_or_else(|| Error::not_found("flag", code))?;
        let shown = Flag::new(flag, self.coverage_by_flag()?.get(&flag.code), true)?;
        shown.with_precision(self.precision_by_flag()?.get(&flag.code))
    }

    /// Outcomes by flag. A flag that was judged over nothing has zeros; one that was never judged is not there.
    pub(super) fn coverage_by_flag(&self) -> Result<BTreeMap<String, Coverage>> {
        let mut by_flag: BTreeMap<String, Coverage> = BTreeMap::new();
        if self.store().last_catalogue()?.is_some() {
            by_flag.extend(self.catalogue().flags().iter().map(|flag| (flag.code.clone(), Coverage::default())));
        }
        for row in self.store().coverage()? {
            let coverage = by_flag.entry(row.flag).or_default();
            match row.outcome.as_str() {
                "hit" => coverage.hit += row.n,
                "clear" => coverage.clear += row.n,
                _ => *coverage.not_computable.entry(row.field).or_default() += row.n,
            }
        }
        Ok(by_flag)
    }
}
