//! Everybody and everything of one run: buyers, market, and how they are drawn.

use crate::buyers::{LocalUnit, Unit, add_special_units, federal_units, local_units};
use crate::catalog::{ACTIVITIES, Activity};
use crate::party::Market;
use crate::rng::{Alias, Rng};

/// How many activities there are.
pub(crate) const ACTIVITY_COUNT: usize = ACTIVITIES.len();
const ACTIVITY_WEIGHTS: [u32; ACTIVITY_COUNT] = {
    let mut weights = [0; ACTIVITY_COUNT];
    let mut at = 0;
    while at < ACTIVITY_COUNT {
        weights[at] = ACTIVITIES[at].weight;
        at += 1;
    }
    weights
};

/// Units that the plots of one case of each kind need, all years together.
const SPECIAL_UNITS_A_CASE: usize = 100;

/// Buyers, market and their frequencies; fixed for a run.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    /// How many contracts are asked for.
    pub(crate) contracts: u64,
    /// How many planted cases of a kind each year has.
    pub(crate) cases: usize,
    pub(crate) units: Vec<Unit>,
    pub(crate) locals: Vec<LocalUnit>,
    pub(crate) market: Market,
    /// How many of the last units sign nothing but what is planted.
    pub(crate) special: usize,
    unit_ranks: Alias,
    local_ranks: Alias,
}

impl World {
    pub(crate) fn new(contracts: u64, seed: u64) -> Self {
        let cases = (contracts / 20_000).clamp(1, 40) as usize;
        let reserved = Self::reserved_of(cases);
        let special = SPECIAL_UNITS_A_CASE * cases;
        let mut units = federal_units(contracts, seed, reserved, ACTIVITY_COUNT as u8);
        let ordinary = units.len();
        add_special_units(&mut units, special);
        let locals = local_units(contracts, seed, reserved, ACTIVITY_COUNT as u8);
        Self {
            seed,
            contracts,
            cases,
            // Flat enough that the largest unit stays below 100,000 contracts a year, five digits.
            unit_ranks: Alias::zipf(ordinary, 0.8),
            special,
            local_ranks: Alias::zipf(locals.len(), 0.8),
            market: Market::new(contracts, ACTIVITY_COUNT as u32),
            units,
            locals,
        }
    }

    /// Units of each source that keep an activity for planted cases: three kinds, half of the cases each.
    fn reserved_of(cases: usize) -> usize {
        3 * cases.div_ceil(2)
    }

    /// A stream of random numbers for one purpose.
    pub(crate) fn rng(&self, purpose: u64) -> Rng {
        Rng::new(self.seed, purpose)
    }

    pub(crate) fn unit(&self, rng: &mut Rng) -> usize {
        self.unit_ranks.sample(rng) as usize
    }

    pub(crate) fn local(&self, rng: &mut Rng) -> usize {
        self.local_ranks.sample(rng) as usize
    }

    /// Federal units that ordinary contracts are signed by.
    pub(crate) fn ordinary_units(&self) -> usize {
        self.units.len() - self.special
    }

    /// A federal unit, any alike, that keeps no activity.
    pub(crate) fn free_unit(&self, rng: &mut Rng) -> usize {
        rng.below((self.ordinary_units() - Self::reserved_of(self.cases)) as u32) as usize
    }

    /// A unit of a town (or of any local body) that keeps no activity.
    pub(crate) fn free_local(&self, rng: &mut Rng, of_a_town: bool) -> usize {
        let free = (self.locals.len() - Self::reserved_of(self.cases)) as u32;
        loop {
            let at = rng.below(free) as usize;
            if self.locals[at].town || !of_a_town {
                return at;
            }
        }
    }

    /// A unit of a state that keeps no activity, where there is one.
    pub(crate) fn free_state(&self, rng: &mut Rng) -> Option<usize> {
        let free = self.locals.len() - Self::reserved_of(self.cases);
        let states: Vec<usize> = (0..free).filter(|at| !self.locals[*at].town).collect();
        (!states.is_empty()).then(|| states[rng.below(states.len() as u32) as usize])
    }

    /// Which unit keeps its activity for case `at` of kind `kind` (0 to 2); both sources count alike.
    pub(crate) fn reserved_unit(&self, count: usize, kind: usize, at: usize) -> usize {
        count - 1 - (kind * self.cases.div_ceil(2) + at)
    }

    /// What an ordinary contract is about; never the activity that the buyer keeps.
    pub(crate) fn activity(rng: &mut Rng, reserved: Option<u8>) -> u8 {
        loop {
            let at = rng.weighted(&ACTIVITY_WEIGHTS) as u8;
            if Some(at) != reserved {
                return at;
            }
        }
    }

    /// The size of an ordinary contract, in cents.
    pub(crate) fn target_cents(rng: &mut Rng, activity: u8, scale: f64) -> i64 {
        let reais = activity_of(activity).typical * scale * (0.7 * rng.normal_within(2.6)).exp();
        (reais * 100.0).round().max(5_000.0) as i64
    }
}

/// The activity of this number.
pub(crate) fn activity_of(activity: u8) -> &'static Activity {
    ACTIVITIES[usize::from(activity)]
}
