//! The derived table `spending_periods`: does a unit's weekly spending beat at a period that the calendar does not explain?
//!
//! From ln(1 + spent) of every week between a unit's first and last its straight line and the calendar's waves are taken out
//! (least squares): the year and its parts, the month and its multiples, also where a series of weeks shows a faster one as a
//! slower (an alias). The rest is taken apart into frequencies, without those slower than a year and those within one step of
//! the calendar's, and weighed against noise that drifts (first-order autoregression fitted by Whittle's likelihood), for spending has
//! inertia. Fisher's g is the greatest share of one frequency, and p the chance of as great a share in noise. Nothing is drawn at random.

use std::f64::consts::TAU;

use lake::{Cell, Session, TableWriter};

use crate::Result;

/// Weeks in a year.
const YEAR_WEEKS: f64 = 365.2425 / 7.0;
/// How often a year the calendar beats: the year and its parts; the month and its multiples.
const CALENDAR: [f64; 12] = [1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0, 36.0, 48.0, 60.0, 72.0, 84.0];
/// A series with fewer weeks is not taken apart.
const WEEKS_MIN: usize = 104;
/// Nor is one with more: twenty years.
const WEEKS_MAX: usize = 1_044;

/// The strongest period of a series.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Beat {
    /// Frequencies compared.
    tested: usize,
    /// Share of the strongest.
    g: f64,
    /// Chance of as great a share.
    p: f64,
    /// Weeks from beat to beat.
    period: f64,
}

/// Makes the temporary table `spending_periods (unit, weeks, active, tested, g, p, period)`.
pub(crate) fn make(session: &Session) -> Result<()> {
    session.run(
        "create or replace temp table spending_periods (unit varchar, weeks integer, active integer, tested integer, g double, p double, period double)",
    )?;
    let mut periods = session.fill("spending_periods")?;
    let mut unit = String::new();
    let mut spent: Vec<(usize, f64)> = Vec::new();
    session.rows(include_str!("spending_weeks.sql"), |row| {
        let (Some(of), Some(week), Some(value)) = (
            row.get("unit"),
            row.get("week").and_then(|week| week.parse().ok()),
            row.get("spent").and_then(|spent| spent.parse().ok()),
        ) else {
            return Ok(());
        };
        if of != unit {
            write(&mut periods, &unit, &spent)?;
            of.clone_into(&mut unit);
            spent.clear();
        }
        spent.push((week, value));
        Ok(())
    })?;
    write(&mut periods, &unit, &spent)?;
    Ok(periods.finish()?)
}

fn write(periods: &mut TableWriter<'_>, unit: &str, spent: &[(usize, f64)]) -> lake::Result<()> {
    let (Some((first, _)), Some((last, _))) = (spent.first(), spent.last()) else { return Ok(()) };
    let weeks = last - first + 1;
    let beat = if (WEEKS_MIN..=WEEKS_MAX).contains(&weeks) {
        let mut series = vec![0.0; weeks];
        for (week, value) in spent {
            series[week - first] = value.ln_1p();
        }
        beat_of(&series)
    } else {
        None
    };
    let (weeks, active) = (Cell::count(weeks), Cell::count(spent.len()));
    let mut cells = vec![Cell::Text(unit), weeks, active];
    match beat {
        Some(b) => cells.extend([
            Cell::count(b.tested),
            Cell::rounded(b.g, 9),
            Cell::rounded(b.p, 12),
            Cell::rounded(b.period, 4),
        ]),
        None => cells.extend([Cell::Null; 4]),
    }
    periods.row(&cells)
}

/// The strongest frequency that the calendar does not explain; `None` where the series does not move.
fn beat_of(series: &[f64]) -> Option<Beat> {
    let n = series.len() as f64;
    let level = without_calendar(series);
    let kept: Vec<(f64, f64)> = (1..series.len().div_ceil(2))
        .map(|step| step as f64 / n)
        .filter(|frequency| !is_calendar(*frequency, 1.0 / n))
        .map(|frequency| (frequency, power(&level, frequency)))
        .collect();
    if kept.iter().map(|(_, power)| power).sum::<f64>() <= 1e-9 {
        return None;
    }
    let inertia = inertia_of(&kept);
    let levelled: Vec<(f64, f64)> = kept.iter().map(|(f, power)| (*f, power * flattening(inertia, *f))).collect();
    let total: f64 = levelled.iter().map(|(_, power)| power).sum();
    let (frequency, most) = levelled.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let g = most / total;
    Some(Beat { tested: kept.len(), g, p: fisher(g, kept.len()), period: 1.0 / frequency })
}

/// What is left of the series when its mean, its line and the calendar's waves are fitted to it and taken out: each of them less
/// those before it (Gram–Schmidt), then the series less its share of it.
fn without_calendar(series: &[f64]) -> Vec<f64> {
    let weeks = 0..series.len();
    let mut shapes: Vec<Vec<f64>> = vec![vec![1.0; series.len()], weeks.clone().map(|at| at as f64).collect()];
    for a_year in CALENDAR {
        let turn = TAU * a_year / YEAR_WEEKS;
        shapes.push(weeks.clone().map(|at| (turn * at as f64).cos()).collect());
        shapes.push(weeks.clone().map(|at| (turn * at as f64).sin()).collect());
    }
    let mut left = series.to_vec();
    let mut taken: Vec<Vec<f64>> = Vec::new();
    for mut shape in shapes {
        let size = dot(&shape, &shape);
        for before in &taken {
            take_out(&mut shape, before);
        }
        let rest = dot(&shape, &shape);
        // One that those before it already say leaves nothing.
        if rest > 1e-6 * size {
            let unit: Vec<f64> = shape.iter().map(|value| value / rest.sqrt()).collect();
            take_out(&mut left, &unit);
            taken.push(unit);
        }
    }
    left
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn take_out(from: &mut [f64], unit: &[f64]) {
    let share = dot(from, unit);
    for (value, of) in from.iter_mut().zip(unit) {
        *value -= share * of;
    }
}

/// By what a frequency's power is multiplied, so that noise with this inertia becomes level.
fn flattening(inertia: f64, frequency: f64) -> f64 {
    1.0 - 2.0 * inertia * (TAU * frequency).cos() + inertia * inertia
}

/// How much a week takes over from the one before: the likeliest of a hundred values (Whittle).
fn inertia_of(spectrum: &[(f64, f64)]) -> f64 {
    let n = spectrum.len() as f64;
    let waves: Vec<(f64, f64)> = spectrum.iter().map(|(f, power)| ((TAU * f).cos(), *power)).collect();
    let unlikely = |inertia: f64| {
        let level = |wave: f64| 1.0 - 2.0 * inertia * wave + inertia * inertia;
        let mean = waves.iter().map(|(wave, power)| power * level(*wave)).sum::<f64>() / n;
        // The logarithm of a product is that of its factors: a few at once, far from where numbers end.
        let logs =
            waves.chunks(8).map(|some| some.iter().map(|(wave, _)| level(*wave)).product::<f64>().ln()).sum::<f64>();
        mean.ln() - logs / n
    };
    let values = (0..100).map(|step| f64::from(step) / 100.0).map(|inertia| (inertia, unlikely(inertia)));
    values.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(inertia, _)| inertia).unwrap_or_default()
}

/// Whether a frequency, in cycles per week, is slower than the year or within `step` of one of the calendar's.
fn is_calendar(frequency: f64, step: f64) -> bool {
    frequency < 1.0 / YEAR_WEEKS
        || CALENDAR.iter().any(|a_year| {
            let of_weeks = (a_year / YEAR_WEEKS).fract();
            // What is faster than two weeks shows as its mirror.
            (frequency - of_weeks.min(1.0 - of_weeks)).abs() <= step
        })
}

/// The power at a frequency (Goertzel 1958): what a sum of sines and cosines would give, without reckoning each of them.
fn power(level: &[f64], frequency: f64) -> f64 {
    let turn = 2.0 * (TAU * frequency).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for value in level {
        let next = value + turn * last - before;
        before = last;
        last = next;
    }
    last * last + before * before - turn * last * before
}

/// P(greatest share ≥ g) over `m` frequencies of noise (Fisher 1929).
fn fisher(g: f64, m: usize) -> f64 {
    let m_f = m as f64;
    let first = m_f * (1.0 - g).max(0.0).powf(m_f - 1.0);
    // Beyond this the terms cancel and p is 1 to many places.
    if first > 8.0 {
        return 1.0;
    }
    let (mut sum, mut choose) = (0.0, 1.0);
    for j in 1..=m {
        let left = 1.0 - j as f64 * g;
        if left <= 0.0 {
            break;
        }
        choose *= (m - j + 1) as f64 / j as f64;
        let term = choose * left.powf(m_f - 1.0);
        sum += if j % 2 == 1 { term } else { -term };
        if term < 1e-15 {
            break;
        }
    }
    sum.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise from a fixed sequence, a day's payment more or less.
    fn noise(n: usize, seed: u64) -> Vec<f64> {
        let draw = |at: usize| {
            (xxhash_rust::xxh3::xxh3_64(&(seed * 100_003 + at as u64).to_le_bytes()) >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..n).map(|at| (0..6).map(|part| draw(at * 6 + part)).sum::<f64>() - 3.0).collect()
    }

    #[test]
    fn fishers_chance_is_the_exact_one() {
        // Of five, one half in one: 5 × ½⁴. Two fifths: 5 × 0.6⁴ − 10 × 0.2⁴.
        assert!((fisher(0.5, 5) - 0.3125).abs() < 1e-12);
        assert!((fisher(0.4, 5) - (5.0 * 0.6f64.powi(4) - 10.0 * 0.2f64.powi(4))).abs() < 1e-12);
        assert!((fisher(0.2, 5) - 1.0).abs() < 1e-9);
        assert_eq!(fisher(1.0, 50), 0.0);
    }

    #[test]
    fn a_beat_of_ten_weeks_is_found_in_noise() {
        let series: Vec<f64> =
            noise(156, 1).iter().enumerate().map(|(at, x)| 9.0 + x + 1.5 * (TAU * at as f64 / 10.0).sin()).collect();
        let beat = beat_of(&series).unwrap();
        assert!(beat.p < 1e-4, "{beat:?}");
        assert!((beat.period - 10.0).abs() < 0.5, "{beat:?}");
        assert_eq!(Some(beat), beat_of(&series));
    }

    #[test]
    fn the_month_and_the_year_are_the_calendars() {
        // Paid on the first week of each month, more in summer: every harmonic of either.
        for n in [104, 156, 260] {
            let series: Vec<f64> = noise(n, 2)
                .iter()
                .enumerate()
                .map(|(at, x)| {
                    let day = at as f64 * 7.0 / 365.2425 * 12.0;
                    9.0 + x + if day.fract() < 0.23 { 3.0 } else { 0.0 } + 2.0 * (TAU * at as f64 / YEAR_WEEKS).sin()
                })
                .collect();
            let beat = beat_of(&series).unwrap();
            assert!(beat.p > 0.01, "{n}: {beat:?}");
        }
    }

    #[test]
    fn noise_and_drift_are_rarely_taken_for_a_beat() {
        let (mut white, mut red) = (0, 0);
        for seed in 0..400 {
            let series = noise(130, seed);
            white += usize::from(beat_of(&series).unwrap().p < 0.05);
            let mut last = 0.0;
            let drifting: Vec<f64> = series
                .iter()
                .map(|x| {
                    last = 0.6 * last + x;
                    last
                })
                .collect();
            red += usize::from(beat_of(&drifting).unwrap().p < 0.05);
        }
        assert!((4..=36).contains(&white), "{white} of 400 at 5 %");
        assert!(red <= 36, "{red} of 400 at 5 %");
    }

    #[test]
    fn a_series_that_does_not_move_has_no_beat() {
        assert_eq!(beat_of(&[3.0; 120]), None);
    }
}
