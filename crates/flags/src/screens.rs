//! The screens of a lot: what the spread and the shape of its prices look like.
//!
//! All are computed over the valid prices of one lot in rising order, one per bidder (formulas: docs/flags.md). A screen
//! that cannot be computed (too few prices, no spread) is `None`, never zero. Collusion shows few differences (low CV), a
//! winner that stands apart from losers that stand together (high RD) and a tail to the low side (negative skewness);
//! so do regulated prices and a common cost, which is why the flag compares with the market.

/// How many screens there are.
pub(crate) const SCREENS: usize = 7;
/// Of more prices than this, subgroups are taken from as many, evenly spread.
const SUBGROUP_PRICES_MAX: usize = 14;

/// The screens of one lot.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Screens {
    /// Coefficient of variation: standard deviation / mean.
    pub cv: Option<f64>,
    /// (highest − lowest) / lowest.
    pub spd: Option<f64>,
    /// (second − lowest) / lowest.
    pub diffp: Option<f64>,
    /// (second − lowest) / standard deviation of all but the lowest.
    pub rd: Option<f64>,
    /// Sample skewness.
    pub skewness: Option<f64>,
    /// Sample excess kurtosis.
    pub kurtosis: Option<f64>,
    /// Kolmogorov–Smirnov distance from the uniform distribution between lowest and highest.
    pub ks: Option<f64>,
}

impl Screens {
    /// The screens of prices above zero, in rising order.
    pub(crate) fn of(prices: &[f64]) -> Self {
        let (Some(&low), Some(&high)) = (prices.first(), prices.last()) else { return Self::default() };
        if prices.len() < 2 || low <= 0.0 {
            return Self::default();
        }
        let n = prices.len() as f64;
        let (mean, deviation) = mean_and_deviation(prices);
        let losing = mean_and_deviation(&prices[1..]).1;
        // Rounding alone makes no spread.
        let spread = high > low && deviation > mean * 1e-12;
        let moment =
            |power: i32| -> f64 { prices.iter().map(|price| ((price - mean) / deviation).powi(power)).sum::<f64>() };
        Self {
            cv: Some(deviation / mean),
            spd: Some((high - low) / low),
            diffp: Some((prices[1] - low) / low),
            rd: (prices.len() >= 3 && prices[1] < high && losing > mean * 1e-12).then(|| (prices[1] - low) / losing),
            skewness: (prices.len() >= 3 && spread).then(|| n / ((n - 1.0) * (n - 2.0)) * moment(3)),
            kurtosis: (prices.len() >= 4 && spread).then(|| {
                n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0)) * moment(4)
                    - 3.0 * (n - 1.0).powi(2) / ((n - 2.0) * (n - 3.0))
            }),
            ks: spread.then(|| {
                prices.iter().enumerate().fold(0.0, |greatest: f64, (at, price)| {
                    let place = (price - low) / (high - low);
                    greatest.max((at as f64 + 1.0) / n - place).max(place - at as f64 / n)
                })
            }),
        }
    }

    /// All of them, in the order of the fields.
    pub(crate) fn values(&self) -> [Option<f64>; SCREENS] {
        [self.cv, self.spd, self.diffp, self.rd, self.skewness, self.kurtosis, self.ks]
    }
}

/// Mean and sample standard deviation; of a single price the deviation is zero.
fn mean_and_deviation(prices: &[f64]) -> (f64, f64) {
    let n = prices.len() as f64;
    let mean = prices.iter().sum::<f64>() / n;
    let squares: f64 = prices.iter().map(|price| (price - mean).powi(2)).sum();
    (mean, if prices.len() > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 })
}

/// Against partial cartels: least, median and greatest of every screen over all subgroups of `size` prices.
pub(crate) fn of_subgroups(prices: &[f64], size: usize) -> Vec<[Option<f64>; 3]> {
    let chosen: Vec<f64> = if prices.len() <= SUBGROUP_PRICES_MAX {
        prices.to_vec()
    } else {
        let last = SUBGROUP_PRICES_MAX - 1;
        (0..=last).map(|at| prices[at * (prices.len() - 1) / last]).collect()
    };
    let mut found: Vec<Vec<f64>> = vec![Vec::new(); SCREENS];
    each_subgroup(&chosen, size, &mut Vec::with_capacity(size), &mut |subgroup| {
        for (values, value) in found.iter_mut().zip(Screens::of(subgroup).values()) {
            values.extend(value);
        }
    });
    found
        .into_iter()
        .map(|mut values| {
            values.sort_by(f64::total_cmp);
            let (middle, n) = (values.len() / 2, values.len());
            let median = (n > 0)
                .then(|| if n % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) });
            [values.first().copied(), median, values.last().copied()]
        })
        .collect()
}

fn each_subgroup(rest: &[f64], size: usize, taken: &mut Vec<f64>, visit: &mut dyn FnMut(&[f64])) {
    if taken.len() == size {
        return visit(taken);
    }
    for (at, &price) in rest.iter().enumerate() {
        taken.push(price);
        each_subgroup(&rest[at + 1..], size, taken, visit);
        taken.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: Option<f64>, wanted: f64) {
        assert!(got.is_some_and(|got| (got - wanted).abs() < 1e-9), "{got:?} is not {wanted}");
    }

    #[test]
    fn the_screens_of_four_prices_are_those_reckoned_by_hand() {
        // Mean 102.5, deviations −2.5, −0.5, 0.5, 2.5: s² = 13/3. Losers 102, 103, 105: mean 310/3, s² = 7/3.
        let screens = Screens::of(&[100.0, 102.0, 103.0, 105.0]);
        let s2: f64 = 13.0 / 3.0;
        near(screens.cv, s2.sqrt() / 102.5);
        near(screens.spd, 0.05);
        near(screens.diffp, 0.02);
        near(screens.rd, 2.0 / (7.0_f64 / 3.0).sqrt());
        near(screens.skewness, 0.0);
        // 4·5/(3·2·1) · Σd⁴/s⁴ − 3·9/(2·1), Σd⁴ = 2·39.0625 + 2·0.0625 = 78.25.
        near(screens.kurtosis, 20.0 / 6.0 * 78.25 / (s2 * s2) - 13.5);
        // Places 0, 0.4, 0.6, 1: the step up at 0 is 1/4, the step down before 1 is 1 − 3/4.
        near(screens.ks, 0.25);
    }

    #[test]
    fn a_lone_low_price_has_negative_skewness_and_equal_losers_no_relative_distance() {
        let screens = Screens::of(&[90.0, 100.0, 100.0, 100.0]);
        near(screens.skewness, -2.0);
        near(screens.diffp, 10.0 / 90.0);
        assert_eq!(screens.rd, None);
    }

    #[test]
    fn equal_prices_have_no_shape() {
        let screens = Screens::of(&[7.1, 7.1, 7.1, 7.1]);
        near(screens.cv.map(|cv| cv.max(0.0)), 0.0);
        assert_eq!((screens.rd, screens.skewness, screens.kurtosis, screens.ks), (None, None, None, None));
    }

    #[test]
    fn each_screen_needs_its_number_of_prices() {
        let known = |prices: &[f64]| Screens::of(prices).values().iter().filter(|v| v.is_some()).count();
        assert_eq!(
            [known(&[]), known(&[1.0]), known(&[1.0, 2.0]), known(&[1.0, 2.0, 4.0]), known(&[1.0, 2.0, 4.0, 9.0])],
            [0, 0, 4, 6, 7]
        );
        assert_eq!(known(&[0.0, 1.0, 2.0, 3.0]), 0);
    }

    #[test]
    fn subgroups_give_least_median_and_greatest() {
        // Of 1, 2, 4, 8 the subgroups of three begin with 1, 1, 1, 2: DIFFP 1, 1, 3, 1.
        let subgroups = of_subgroups(&[1.0, 2.0, 4.0, 8.0], 3);
        assert_eq!(subgroups[2], [Some(1.0), Some(1.0), Some(3.0)]);
        assert_eq!(of_subgroups(&[1.0, 2.0], 3)[0], [None, None, None]);
    }
}
