//! Random numbers that stay the same for ever.
//!
//! Two runs with one seed must give the same bytes, also after a dependency is updated. So the generator
//! (xoshiro256++, Blackman and Vigna) and the few distributions needed are written out here; each takes a
//! handful of nanoseconds, which is most of what makes ten million contracts a matter of seconds.

use std::sync::LazyLock;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The stream `label` of `seed`; streams of other labels are unrelated.
    pub(crate) fn new(seed: u64, label: u64) -> Self {
        let mut x = seed ^ label.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(31);
        let state = std::array::from_fn(|_| {
            x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
            mix(x)
        });
        Self { state }
    }

    pub(crate) fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let drawn = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        drawn
    }

    /// In `0..limit`.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        (((self.next() >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// In `low..=high`.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// In `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// In `[low, high)`.
    pub(crate) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True `n` times out of ten thousand.
    pub(crate) fn in_ten_thousand(&mut self, n: u32) -> bool {
        self.below(10_000) < n
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    /// Where a draw falls among `weights`.
    pub(crate) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return at,
            }
        }
        weights.len() - 1
    }

    /// Standard normal, cut off at about ±3.3.
    pub(crate) fn normal(&mut self) -> f64 {
        let bits = self.next();
        let at = (bits >> 54) as usize;
        let part = ((bits >> 22) & 0xFFFF_FFFF) as f64 / 4_294_967_296.0;
        let (low, high) = (NORMAL[at], NORMAL[at + 1]);
        low + (high - low) * part
    }

    /// Standard normal between `-bound` and `bound`.
    pub(crate) fn normal_within(&mut self, bound: f64) -> f64 {
        loop {
            let z = self.normal();
            if z.abs() <= bound {
                return z;
            }
        }
    }
}

fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A fixed scramble of a number, for properties that must not need a stream.
pub(crate) fn scramble(x: u64) -> u64 {
    mix(x.wrapping_add(0x9E37_79B9_7F4A_7C15))
}

static NORMAL: LazyLock<[f64; 1025]> =
    LazyLock::new(|| std::array::from_fn(|i| normal_quantile((i as f64).clamp(0.5, 1023.5) / 1024.0)));

/// Inverse of the normal distribution function (Acklam's rational approximation, error below 1.2e-9).
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let tail = |q: f64| {
        let top = ((((-7.784_894_002_430_293e-3 * q - 0.322_396_458_041_136_5) * q - 2.400_758_277_161_838) * q
            - 2.549_732_539_343_734)
            * q
            + 4.374_664_141_464_968)
            * q
            + 2.938_163_982_698_783;
        let bottom = (((7.784_695_709_041_462e-3 * q + 0.322_467_129_070_039_8) * q + 2.445_134_137_142_996) * q
            + 3.754_408_661_907_416)
            * q
            + 1.0;
        top / bottom
    };
    if p < 0.02425 {
        return tail((-2.0 * p.ln()).sqrt());
    }
    if p > 1.0 - 0.02425 {
        return -tail((-2.0 * (1.0 - p).ln()).sqrt());
    }
    let q = p - 0.5;
    let r = q * q;
    let top = (((((-39.696_830_286_653_76 * r + 220.946_098_424_520_5) * r - 275.928_510_446_968_7) * r
        + 138.357_751_867_269)
        * r
        - 30.664_798_066_147_16)
        * r
        + 2.506_628_277_459_239)
        * q;
    let bottom = ((((-54.476_098_798_224_06 * r + 161.585_836_858_040_9) * r - 155.698_979_859_886_6) * r
        + 66.801_311_887_719_72)
        * r
        - 13.280_681_552_885_72)
        * r
        + 1.0;
    top / bottom
}

/// Draws from fixed weights in constant time (Vose's alias method).
#[derive(Debug)]
pub(crate) struct Alias {
    cells: Vec<(u32, u32)>,
}

impl Alias {
    /// Ranks `0..count` with weights 1/(rank + 1)^exponent.
    pub(crate) fn zipf(count: usize, exponent: f64) -> Self {
        Self::new((1..=count).map(|rank| (rank as f64).powf(-exponent)).collect())
    }

    fn new(mut weights: Vec<f64>) -> Self {
        let scale = weights.len() as f64 / weights.iter().sum::<f64>();
        weights.iter_mut().for_each(|w| *w *= scale);
        let (mut small, mut large): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        for (at, weight) in weights.iter().enumerate() {
            if *weight < 1.0 { small.push(at as u32) } else { large.push(at as u32) }
        }
        let mut cells: Vec<(u32, u32)> = (0..weights.len() as u32).map(|at| (u32::MAX, at)).collect();
        while let (Some(low), Some(high)) = (small.pop(), large.last().copied()) {
            cells[low as usize] = ((weights[low as usize] * f64::from(u32::MAX)) as u32, high);
            weights[high as usize] -= 1.0 - weights[low as usize];
            if weights[high as usize] < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        Self { cells }
    }

    pub(crate) fn sample(&self, rng: &mut Rng) -> u32 {
        let bits = rng.next();
        let at = (((bits >> 32) * self.cells.len() as u64) >> 32) as u32;
        let (keep_below, other) = self.cells[at as usize];
        if (bits as u32) <= keep_below { at } else { other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_its_seed_and_label() {
        let draw = |seed, label| {
            let mut rng = Rng::new(seed, label);
            [rng.next(), rng.next(), rng.next()]
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn normals_have_mean_zero_and_deviation_one() {
        let mut rng = Rng::new(7, 0);
        let drawn: Vec<f64> = (0..200_000).map(|_| rng.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 200_000.0;
        let variance = drawn.iter().map(|z| z * z).sum::<f64>() / 200_000.0;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }

    #[test]
    fn the_first_rank_is_twice_as_frequent_as_the_second() {
        let (mut rng, alias) = (Rng::new(7, 0), Alias::zipf(50, 1.0));
        let mut counts = [0u32; 50];
        (0..200_000).for_each(|_| counts[alias.sample(&mut rng) as usize] += 1);
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((ratio - 2.0).abs() < 0.1, "{ratio}");
    }
}
