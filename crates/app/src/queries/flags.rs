//! The catalogue of red flags with what each came to over the data held.

use super::page::Walk;
use super::{PageLimit, PageQuery};
use crate::views::{Flag, List};
use crate::{App, Error, Result};

impl App {
    /// The catalogue, each flag with its coverage.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another list; the database cannot be read.
    pub fn flags(&self, page: &PageQuery) -> Result<List<Flag>> {
        let walk = Walk::new("flags", &(), page, PageLimit::MAX)?;
        let coverage = self.recalled("coverage", &(), || self.coverage_by_flag())?;
        let precision = self.precision_by_flag()?;
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
        let coverage = self.recalled("coverage", &(), || self.coverage_by_flag())?;
        let shown = Flag::new(flag, coverage.get(&flag.code), true)?;
        shown.with_precision(self.precision_by_flag()?.get(&flag.code))
    }
}
