//! Business days in Brazil: Monday to Friday, less the national holidays.
//!
//! Deadlines of the procurement law run in business days. The holidays are data (`law/holidays.toml`); Good Friday
//! is computed. What we cannot know is left out, and who judges by this calendar must allow for it: holidays of
//! states and towns, optional days off such as Carnival and Corpus Christi, and days on which one body was shut.
//! The table is right from 2003 on, when the present list of fixed days was complete (Lei 10.607/2002).
//!
//! Counting costs the same for a week as for a century: weekdays by arithmetic, less the holidays among them.

use std::sync::LazyLock;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::Deserialize;

pub(crate) const HOLIDAYS_TOML: &str = include_str!("../law/holidays.toml");

static HOLIDAYS: LazyLock<Vec<Holiday>> =
    LazyLock::new(|| read(HOLIDAYS_TOML).expect("law/holidays.toml is part of the program and its tests read it"));

/// A national holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// What a Brazilian calls it.
    pub name: String,
    /// The act that makes it a holiday.
    pub act: String,
    from_year: i32,
    rule: DayRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DayRule {
    Fixed { month: u32, day: u32 },
    FromEaster { days: i64 },
}

impl Holiday {
    /// Its day in `year`; `None` before it was a holiday.
    #[must_use]
    pub fn day_in(&self, year: i32) -> Option<NaiveDate> {
        if year < self.from_year {
            return None;
        }
        match self.rule {
            DayRule::Fixed { month, day } => NaiveDate::from_ymd_opt(year, month, day),
            DayRule::FromEaster { days } => easter_sunday(year)?.checked_add_signed(chrono::TimeDelta::days(days)),
        }
    }
}

/// The national holiday that falls on `date`, if any.
#[must_use]
pub fn holiday_on(date: NaiveDate) -> Option<&'static Holiday> {
    HOLIDAYS.iter().find(|holiday| holiday.day_in(date.year()) == Some(date))
}

/// Whether `date` is neither Saturday, Sunday nor a national holiday.
#[must_use]
pub fn is_business_day(date: NaiveDate) -> bool {
    is_weekday(date) && holiday_on(date).is_none()
}

/// Business days after `from` up to and including `to`: the start is left out and the end counts, as the law
/// counts deadlines (Lei 14.133/2021, art. 183).
///
/// From a Friday to the next Monday is 1; from any day to itself is 0. With `to` before `from` the count is
/// negative: `business_days_between(a, b) == -business_days_between(b, a)`.
#[must_use]
pub fn business_days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    if to < from {
        return -business_days_between(to, from);
    }
    let holidays = (from.year()..=to.year())
        .flat_map(|year| HOLIDAYS.iter().filter_map(move |holiday| Some((holiday, holiday.day_in(year)?))))
        .filter(|(_, day)| from < *day && *day <= to && is_weekday(*day))
        // Good Friday and Tiradentes can be one day, as in 2000; it counts once.
        .filter(|(holiday, day)| holiday_on(*day).is_some_and(|first| std::ptr::eq(first, *holiday)))
        .count();
    weekdays_up_to(to) - weekdays_up_to(from) - i64::try_from(holidays).unwrap_or(i64::MAX)
}

/// The `days`-th business day after `from`; with 0, `from` itself, business day or not.
///
/// `business_days_between(from, add_business_days(from, n)) == n`. Stops at the last day that a date can hold.
#[must_use]
pub fn add_business_days(from: NaiveDate, days: u16) -> NaiveDate {
    let mut date = from;
    let mut left = days;
    while left > 0 {
        let Some(next) = date.checked_add_days(Days::new(1)) else { return date };
        date = next;
        left -= u16::from(is_business_day(date));
    }
    date
}

fn is_weekday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Mondays to Fridays from a fixed Monday up to and including `date`.
fn weekdays_up_to(date: NaiveDate) -> i64 {
    // Day 1 of the common era was a Monday.
    let days = i64::from(date.num_days_from_ce());
    days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)
}

/// Easter Sunday of the Gregorian calendar, by the computus of Meeus, Jones and Butcher.
fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let golden = year.rem_euclid(19);
    let (century, in_century) = (year.div_euclid(100), year.rem_euclid(100));
    let moon_correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - moon_correction + 15).rem_euclid(30);
    let weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4).rem_euclid(7);
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let day_of_march = epact + weekday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(day_of_march / 31).ok()?, u32::try_from(day_of_march % 31 + 1).ok()?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayRow {
    name: String,
    act: String,
    #[serde(default)]
    from_year: Option<i32>,
    #[serde(default)]
    day: Option<String>,
    #[serde(default)]
    easter: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayFile {
    holiday: Vec<HolidayRow>,
}

fn read(text: &str) -> Result<Vec<Holiday>, String> {
    let file: HolidayFile = toml::from_str(text).map_err(|error| error.to_string())?;
    file.holiday.into_iter().map(holiday).collect()
}

fn holiday(row: HolidayRow) -> Result<Holiday, String> {
    let rule = match (row.day.as_deref(), row.easter) {
        (Some(day), None) => fixed(day).ok_or_else(|| format!("{}: `{day}` is not MM-DD", row.name))?,
        (None, Some(days)) => DayRule::FromEaster { days },
        _ => return Err(format!("{}: state either `day` or `easter`", row.name)),
    };
    Ok(Holiday { name: row.name, act: row.act, from_year: row.from_year.unwrap_or(i32::MIN), rule })
}

fn fixed(text: &str) -> Option<DayRule> {
    let (month, day) = text.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    NaiveDate::from_ymd_opt(2023, month, day).map(|_| DayRule::Fixed { month, day })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn on(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn name_on(date: NaiveDate) -> Option<&'static str> {
        holiday_on(date).map(|holiday| holiday.name.as_str())
    }

    #[test]
    fn good_friday_moves_with_easter() {
        for (year, month, day) in [
            (2003, 4, 18),
            (2008, 3, 21),
            (2011, 4, 22),
            (2021, 4, 2),
            (2022, 4, 15),
            (2023, 4, 7),
            (2024, 3, 29),
            (2025, 4, 18),
            (2026, 4, 3),
            (2027, 3, 26),
            (2038, 4, 23),
        ] {
            assert_eq!(name_on(on(year, month, day)), Some("Sexta-Feira da Paixão"), "{year}");
            assert!(!is_business_day(on(year, month, day)));
        }
    }

    #[test]
    fn the_fixed_days_stand_every_year() {
        for (month, day) in [(1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (12, 25)] {
            for year in [2003, 2019, 2026] {
                assert!(holiday_on(on(year, month, day)).is_some(), "{year}-{month}-{day}");
            }
        }
        assert_eq!(HOLIDAYS.len(), 10);
    }

    #[test]
    fn the_day_of_zumbi_is_national_from_2024() {
        assert!(is_business_day(on(2023, 11, 20)));
        assert!(!is_business_day(on(2024, 11, 20)));
        assert_eq!(holiday_on(on(2025, 11, 20)).map(|h| h.act.as_str()), Some("Lei 14.759/2023"));
    }

    #[test]
    fn carnival_and_corpus_christi_are_business_days() {
        for date in [on(2025, 3, 3), on(2025, 3, 4), on(2025, 6, 19), on(2026, 2, 17), on(2026, 6, 4)] {
            assert!(is_business_day(date), "{date}");
        }
    }

    #[test]
    fn the_start_is_left_out_and_the_end_counts() {
        let friday = on(2025, 6, 6);
        assert_eq!(business_days_between(friday, friday), 0);
        assert_eq!(business_days_between(friday, on(2025, 6, 8)), 0);
        assert_eq!(business_days_between(friday, on(2025, 6, 9)), 1);
        assert_eq!(business_days_between(on(2025, 6, 9), friday), -1);
        // Over Good Friday, the weekend and Tiradentes.
        assert_eq!(business_days_between(on(2025, 4, 17), on(2025, 4, 22)), 1);
        // Two ordinary weeks.
        assert_eq!(business_days_between(on(2025, 8, 4), on(2025, 8, 18)), 10);
        assert_eq!(business_days_between(on(2024, 12, 31), on(2025, 12, 31)), 255);
    }

    #[test]
    fn adding_steps_over_weekends_and_holidays() {
        assert_eq!(add_business_days(on(2025, 4, 17), 1), on(2025, 4, 22));
        assert_eq!(add_business_days(on(2025, 6, 7), 0), on(2025, 6, 7));
        assert_eq!(add_business_days(on(2024, 11, 19), 1), on(2024, 11, 21));
        assert_eq!(add_business_days(on(2023, 11, 17), 1), on(2023, 11, 20));
        assert_eq!(add_business_days(NaiveDate::MAX, 3), NaiveDate::MAX);
    }

    #[test]
    fn a_holiday_needs_one_rule() {
        assert!(read("[[holiday]]\nname = \"x\"\nact = \"y\"").is_err());
        assert!(read("[[holiday]]\nname = \"x\"\nact = \"y\"\nday = \"02-30\"").is_err());
        assert!(read("[[holiday]]\nname = \"x\"\nact = \"y\"\nday = \"02-03\"\neaster = 1").is_err());
    }

    proptest! {
        #[test]
        fn counting_by_arithmetic_is_counting_day_by_day(start in 0u64..20_000, span in 0u64..800) {
            let from = on(2000, 1, 1) + Days::new(start);
            let to = from + Days::new(span);
            let one_by_one = from.iter_days().skip(1).take(usize::try_from(span).unwrap()).filter(|d| is_business_day(*d));
            let counted = i64::try_from(one_by_one.count()).unwrap();
            prop_assert_eq!(business_days_between(from, to), counted);
            prop_assert_eq!(business_days_between(to, from), -counted);
        }

        #[test]
        fn adding_and_counting_agree(start in 0u64..20_000, days in 0u16..300) {
            let from = on(2000, 1, 1) + Days::new(start);
            prop_assert_eq!(business_days_between(from, add_business_days(from, days)), i64::from(days));
        }
    }
}
