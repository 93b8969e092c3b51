//! What models may cost in a day: tokens and cents, kept in the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens, asked and answered.
    pub tokens_per_day: u64,
    /// Hundredths of the currency in which the prices are.
    pub cents_per_day: u64,
}

/// What was used today.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Tokens, asked and answered; while a question is under way, the most that it may take.
    pub tokens: u64,
    /// Millionths of a cent.
    pub micro_cents: u64,
}

#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    state: Mutex<(i64, Used)>,
}

/// Prices in cents for a million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Price {
    /// Of what is asked.
    pub tokens_in: u64,
    /// Of what is answered.
    pub tokens_out: u64,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    fn state(&self, day: i64) -> MutexGuard<'_, (i64, Used)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 != day {
            *state = (day, Used::default());
        }
        state
    }

    pub(crate) fn used(&self, day: i64) -> Used {
        self.state(day).1
    }

    /// Sets aside what a question may take at most; nothing when that is more than is left.
    pub(crate) fn reserve(&self, day: i64, tokens_in: u64, tokens_out: u64, price: Price) -> Option<Used> {
        let cost = cost(tokens_in, tokens_out, price);
        let mut state = self.state(day);
        let tokens = state.1.tokens.saturating_add(cost.tokens);
        let micro_cents = state.1.micro_cents.saturating_add(cost.micro_cents);
        if tokens > self.limits.tokens_per_day || micro_cents > self.limits.cents_per_day.saturating_mul(1_000_000) {
            return None;
        }
        state.1 = Used { tokens, micro_cents };
        Some(cost)
    }

    /// Puts what was really taken in the place of what was set aside.
    pub(crate) fn settle(&self, day: i64, reserved: Used, tokens_in: u64, tokens_out: u64, price: Price) {
        let real = cost(tokens_in, tokens_out, price);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0 != day {
            // That day is over, and so is what was set aside in it.
            return;
        }
        state.1.tokens = state.1.tokens.saturating_sub(reserved.tokens).saturating_add(real.tokens);
        state.1.micro_cents = state.1.micro_cents.saturating_sub(reserved.micro_cents).saturating_add(real.micro_cents);
    }
}

fn cost(tokens_in: u64, tokens_out: u64, price: Price) -> Used {
    let micro_cents =
        tokens_in.saturating_mul(price.tokens_in).saturating_add(tokens_out.saturating_mul(price.tokens_out));
    Used { tokens: tokens_in.saturating_add(tokens_out), micro_cents }
}
