//! Chance that can be repeated: a small generator whose seed is printed.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Seed(u64);

impl Seed {
    /// The seed of `CIDADAO_SEED`, else one of the clock; printed, so that a failure can be run again.
    #[must_use]
    pub fn printed(test: &str) -> Self {
        let seed = std::env::var("CIDADAO_SEED").ok().map_or_else(
            || {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
                now.subsec_nanos().into()
            },
            |text| text.parse().expect("CIDADAO_SEED is a whole number"),
        );
        println!("{test}: CIDADAO_SEED={seed}");
        Self(seed)
    }

    /// A fixed one.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    /// That many bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.number() >> 56) as u8).collect()
    }
}
