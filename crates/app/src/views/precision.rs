//! How often those who looked at a flag's findings confirmed them.

use serde::Serialize;
use store::VerdictCount;
use utoipa::ToSchema;

/// The normal quantile of a two-sided interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The share of a flag's findings that people confirmed, among those that have a verdict: the last verdict of each finding
/// counts, under the flag's version on which it was given.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Precision {
    /// Over all versions.
    #[serde(flatten)]
    pub all: Share,
    /// Version by version.
    pub by_version: Vec<VersionPrecision>,
}

/// The same for one version of the flag.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VersionPrecision {
    /// Of the flag.
    pub version: i64,
    /// Of its findings.
    #[serde(flatten)]
    pub share: Share,
}

/// confirmed ÷ (confirmed + dismissed).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// Findings whose last verdict confirms them.
    pub confirmed: i64,
    /// Findings whose last verdict dismisses them.
    pub dismissed: i64,
    /// Both together.
    pub n: i64,
    /// The share, from 0 to 1.
    pub precision: f64,
    /// Where the share of all findings lies with a confidence of 95 %, had those with a verdict been drawn by lot (Wilson).
    pub interval: Interval,
}

/// From where to where.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Interval {
    /// Least.
    pub low: f64,
    /// Greatest.
    pub high: f64,
}

impl Precision {
    /// Out of the counts of one flag; `None` when nobody gave a verdict.
    pub(crate) fn of(counts: &[VerdictCount]) -> Option<Self> {
        let mut versions: Vec<i64> = counts.iter().map(|count| count.flag_version).collect();
        versions.sort_unstable();
        versions.dedup();
        let by_version = versions.into_iter().filter_map(|version| {
            let share = Share::of(counts.iter().filter(|count| count.flag_version == version))?;
            Some(VersionPrecision { version, share })
        });
        Some(Self { all: Share::of(counts.iter())?, by_version: by_version.collect() })
    }
}

impl Share {
    fn of<'a>(counts: impl Iterator<Item = &'a VerdictCount>) -> Option<Self> {
        let (mut confirmed, mut dismissed) = (0, 0);
        for count in counts {
            *(if count.verdict == "confirmed" { &mut confirmed } else { &mut dismissed }) += count.n;
        }
        let n = confirmed + dismissed;
        (n > 0).then(|| Self {
            confirmed,
            dismissed,
            n,
            precision: rounded(confirmed as f64 / n as f64),
            interval: wilson(confirmed as f64, n as f64),
        })
    }
}

/// Wilson's interval: it stays within 0 and 1, also for few verdicts that all agree.
fn wilson(confirmed: f64, n: f64) -> Interval {
    let (share, z2) = (confirmed / n, Z * Z);
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    Interval { low: rounded((middle - half).max(0.0)), high: rounded((middle + half).min(1.0)) }
}

fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(flag_version: i64, verdict: &str, n: i64) -> VerdictCount {
        VerdictCount { flag: "BR05".into(), flag_version, verdict: verdict.into(), n }
    }

    #[test]
    fn precision_is_by_version_and_none_without_verdicts() {
        assert_eq!(Precision::of(&[]), None);
        let precision = Precision::of(&[count(1, "dismissed", 1), count(2, "confirmed", 8), count(2, "dismissed", 1)]);
        let precision = precision.unwrap();
        assert_eq!((precision.all.confirmed, precision.all.dismissed, precision.all.n), (8, 2, 10));
        // Known values: 8 of 10 gives 0.4902 to 0.9433, 0 of 1 gives 0 to 0.7935.
        assert_eq!(precision.all.interval, Interval { low: 0.4902, high: 0.9433 });
        assert_eq!(precision.by_version[0].version, 1);
        assert_eq!(precision.by_version[0].share.interval, Interval { low: 0.0, high: 0.7935 });
        assert_eq!(precision.by_version[1].share.precision, 0.8889);
    }
}
