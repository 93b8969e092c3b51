//! Days from 1980 to 2036, with their texts ready to be copied.
//!
//! A contract names four dates, so each day's two spellings are made once and then only copied.

use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate};

use crate::rng::scramble;

/// The year of [`Day`] zero.
const FIRST_YEAR: i32 = 1980;
/// The first year that is no longer held.
const END_YEAR: i32 = 2037;

/// A day, counted from the first of January 1980.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(u16);

struct Spelling {
    brazilian: [u8; 10],
    iso: [u8; 10],
    weekend: u8,
}

static SPELLINGS: LazyLock<Vec<Spelling>> = LazyLock::new(|| {
    let start = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).expect("the first of January exists");
    start
        .iter_days()
        .take_while(|day| day.year() < END_YEAR)
        .map(|day| {
            let ten = |text: String| text.into_bytes().try_into().expect("ten bytes are a date");
            Spelling {
                brazilian: ten(day.format("%d/%m/%Y").to_string()),
                iso: ten(day.format("%Y-%m-%d").to_string()),
                weekend: day.weekday().num_days_from_monday().saturating_sub(4) as u8,
            }
        })
        .collect()
});

impl Day {
    pub(crate) fn of(year: i32, month: u32, day: u32) -> Self {
        let epoch = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).expect("the first of January exists");
        let date = NaiveDate::from_ymd_opt(year, month, day).expect("callers name days that exist");
        Self((date - epoch).num_days() as u16)
    }

    pub(crate) fn plus(self, days: u32) -> Self {
        Self((u32::from(self.0) + days).min(SPELLINGS.len() as u32 - 1) as u16)
    }

    pub(crate) fn minus(self, days: u32) -> Self {
        Self((u32::from(self.0)).saturating_sub(days) as u16)
    }

    /// Days from `earlier` to this one.
    pub(crate) fn since(self, earlier: Self) -> u32 {
        u32::from(self.0 - earlier.0)
    }

    /// `31/12/2025`.
    pub(crate) fn brazilian(self) -> &'static [u8; 10] {
        &SPELLINGS[usize::from(self.0)].brazilian
    }

    /// `2025-12-31`.
    pub(crate) fn iso(self) -> &'static [u8; 10] {
        &SPELLINGS[usize::from(self.0)].iso
    }

    pub(crate) fn year(self) -> i32 {
        self.date().year()
    }

    pub(crate) fn date(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).expect("the first of January exists") + Days::new(u64::from(self.0))
    }

    /// Itself, or for a weekend some weekday of the week it ends, not always the same; where none of those is
    /// free of `not_before`, the Monday after.
    pub(crate) fn on_a_weekday(self, not_before: Self) -> Self {
        let weekend = u32::from(SPELLINGS[usize::from(self.0)].weekend);
        if weekend == 0 {
            return self;
        }
        let friday = self.minus(weekend);
        let earlier = friday.minus((scramble(u64::from(self.0)) % 5) as u32);
        match () {
            () if earlier >= not_before => earlier,
            () if friday >= not_before => friday,
            () => self.plus(3 - weekend),
        }
    }
}

/// One of the seventy-two months, 2020-01 to 2025-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month {
    /// 0 to 71.
    pub(crate) index: usize,
    pub(crate) year: i32,
    pub(crate) first: Day,
    pub(crate) last: Day,
}

/// How many months are written.
pub(crate) const MONTHS: usize = 72;
/// The first year written.
pub(crate) const YEAR_MIN: i32 = 2020;

impl Month {
    pub(crate) fn at(index: usize) -> Self {
        let of = |index: usize| Day::of(YEAR_MIN + (index / 12) as i32, (index % 12) as u32 + 1, 1);
        Self { index, year: YEAR_MIN + (index / 12) as i32, first: of(index), last: of(index + 1).minus(1) }
    }

    pub(crate) fn containing(day: Day) -> Self {
        let date = day.date();
        Self::at(((date.year() - YEAR_MIN) * 12) as usize + date.month0() as usize)
    }

    /// Whether Lei 14.133/2021 had not begun.
    pub(crate) fn is_before_the_new_law(self) -> bool {
        self.first < Day::of(2021, 4, 1)
    }

    /// How many days it has.
    pub(crate) fn length(self) -> u32 {
        u32::from(self.last.0 - self.first.0) + 1
    }

    /// `202101`.
    pub(crate) fn label(self) -> String {
        format!("{}{:02}", self.year, self.index % 12 + 1)
    }

    /// 0 for 2020.
    pub(crate) fn year_index(self) -> usize {
        self.index / 12
    }
}

/// Shares `total` among months by the season (December high, January low) and by the weight of each year,
/// without losing one.
pub(crate) fn allot(total: u64, year_weights: [f64; MONTHS / 12]) -> [u64; MONTHS] {
    const SEASON: [f64; 12] = [0.42, 0.7, 0.9, 0.92, 0.97, 1.0, 1.02, 1.02, 1.05, 1.1, 1.25, 1.65];
    let weight = |index: usize| SEASON[index % 12] * year_weights[index / 12];
    let sum: f64 = (0..MONTHS).map(weight).sum();
    let (mut reached, mut given) = (0.0, 0);
    std::array::from_fn(|index| {
        reached += weight(index) / sum;
        let until = if index == MONTHS - 1 { total } else { ((total as f64 * reached).round() as u64).min(total) };
        let share = until - given;
        given = until;
        share
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_the_sources_write_them() {
        let day = Day::of(2024, 2, 29);
        assert_eq!(day.brazilian(), b"29/02/2024");
        assert_eq!(day.plus(1).iso(), b"2024-03-01");
    }

    #[test]
    fn a_signature_falls_on_a_weekday() {
        let first = Day::of(2025, 2, 1);
        assert_eq!(first.on_a_weekday(first), Day::of(2025, 2, 3), "Saturday the first goes to Monday");
        let sunday = Day::of(2025, 2, 9);
        assert!((Day::of(2025, 2, 3)..=Day::of(2025, 2, 7)).contains(&sunday.on_a_weekday(first)));
        assert_eq!(sunday.on_a_weekday(Day::of(2025, 2, 7)), Day::of(2025, 2, 7));
        assert_eq!(Day::of(2025, 2, 7).on_a_weekday(first), Day::of(2025, 2, 7));
    }

    #[test]
    fn nothing_is_lost_between_months() {
        let months = allot(12_345, [1.0, 1.0, 1.0, 1.1, 1.1, 1.2]);
        assert_eq!(months.iter().sum::<u64>(), 12_345);
        assert!(months[11] > 3 * months[0]);
    }

    #[test]
    fn months_know_their_ends() {
        let month = Month::at(49);
        assert_eq!((month.label().as_str(), month.length()), ("202402", 29));
        assert_eq!(Month::containing(Day::of(2024, 2, 29)), month);
    }
}
