//! Where memory is asked for.
//!
//! While a profile is made each thread counts what it allocates down from a drawn number of bytes, on average [`EVERY_BYTES`], and
//! looks at its stack when that is used up; what is looked at stands for as much as it takes on average to be looked at. Whether it was
//! given back meanwhile is known of those, so that what is still held at the end can be told from what only passed through.

#![allow(unsafe_code, reason = "an allocator is unsafe by nature: this one hands every call on as it came")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::names::Names;
use crate::unwind::{FRAMES_MAX, walk};
use crate::{Profile, Result, Turn};

/// On average one allocation is looked at for each of so many bytes.
const EVERY_BYTES: f64 = 524_288.0;
/// Stacks, and allocations that were not given back yet, that are kept; what comes beyond is counted as left out.
const STACKS_MAX: usize = 20_000;
const HELD_MAX: usize = 200_000;
/// The function that looks, as it stands in stacks.
const LOOK: &str = "profile::memory::given_out";
/// Words of the filter that says of most addresses that they were not looked at.
const FILTER_WORDS: usize = 65_536;

static RUNS: AtomicBool = AtomicBool::new(false);
static FILTER: [AtomicU64; FILTER_WORDS] = [const { AtomicU64::new(0) }; FILTER_WORDS];
static SEEN: Mutex<Option<Seen>> = Mutex::new(None);

thread_local! {
    /// Bytes until this thread looks again.
    static LEFT: Cell<f64> = const { Cell::new(0.0) };
    /// This thread is looking: what it allocates for that is not looked at.
    static LOOKS: Cell<bool> = const { Cell::new(false) };
    static DICE: Cell<u64> = const { Cell::new(0) };
}

/// The allocator under it, with an eye on what is asked of it.
pub struct Watched<A>(pub A);

// SAFETY: every call is handed on to the allocator below with what it came with, and its answer given back as it is.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Watched<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the allocator below asks for.
        let given = unsafe { self.0.alloc(layout) };
        if RUNS.load(Ordering::Relaxed) {
            given_out(given, layout.size());
        }
        given
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let given = unsafe { self.0.alloc_zeroed(layout) };
        if RUNS.load(Ordering::Relaxed) {
            given_out(given, layout.size());
        }
        given
    }

    #[inline]
    unsafe fn dealloc(&self, held: *mut u8, layout: Layout) {
        if RUNS.load(Ordering::Relaxed) {
            given_back(held);
        }
        // SAFETY: as above.
        unsafe { self.0.dealloc(held, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, held: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if RUNS.load(Ordering::Relaxed) {
            given_back(held);
        }
        // SAFETY: as above.
        let given = unsafe { self.0.realloc(held, layout, size) };
        if RUNS.load(Ordering::Relaxed) {
            given_out(given, size);
        }
        given
    }
}

/// What was looked at.
#[derive(Default)]
struct Seen {
    stacks: HashMap<Box<[usize]>, usize>,
    /// Of each stack: allocations, bytes; and of those what was not given back.
    sums: Vec<[f64; 4]>,
    /// By address: the stack, and how many allocations and bytes it stands for.
    held: HashMap<usize, (usize, f64, f64)>,
    left_out: u64,
}

fn seen() -> MutexGuard<'static, Option<Seen>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `look` unless this thread is looking already, or is ending.
fn looking(look: impl FnOnce()) {
    let _ = LOOKS.try_with(|looks| {
        if !looks.replace(true) {
            look();
            looks.set(false);
        }
    });
}

#[cold]
#[inline(never)]
fn given_out(given: *mut u8, bytes: usize) {
    #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    let size = bytes as f64;
    let is_due = LEFT.try_with(|left| {
        left.set(left.get() - size);
        left.get() <= 0.0
    });
    if given.is_null() || !is_due.unwrap_or(false) {
        return;
    }
    looking(|| {
        let is_first = DICE.with(Cell::get) == 0;
        LEFT.with(|left| left.set(drawn(given as usize)));
        if is_first {
            // Its count had not begun: this one was due without a draw.
            return;
        }
        // Of so many allocations of this size one is looked at.
        let stands_for = 1.0 / (1.0 - (-size / EVERY_BYTES).exp()).max(f64::MIN_POSITIVE);
        let mut stack = [0; FRAMES_MAX];
        let mut depth = 0;
        walk(|ip| {
            stack[depth] = ip;
            depth += 1;
            depth < FRAMES_MAX
        });
        if let Some(seen) = &mut *seen() {
            seen.note(given as usize, &stack[..depth], stands_for, size * stands_for);
        }
    });
}

#[cold]
#[inline(never)]
fn given_back(held: *mut u8) {
    let (word, bit) = place(held as usize);
    if FILTER[word].load(Ordering::Relaxed) & bit == 0 {
        return;
    }
    looking(|| {
        if let Some(seen) = &mut *seen()
            && let Some((stack, count, bytes)) = seen.held.remove(&(held as usize))
        {
            seen.sums[stack][2] -= count;
            seen.sums[stack][3] -= bytes;
        }
    });
}

impl Seen {
    fn note(&mut self, address: usize, stack: &[usize], count: f64, bytes: f64) {
        let at = match self.stacks.get(stack) {
            Some(at) => *at,
            None if self.stacks.len() < STACKS_MAX => {
                let at = self.sums.len();
                self.sums.push([0.0; 4]);
                self.stacks.insert(stack.into(), at);
                at
            }
            None => {
                self.left_out += 1;
                return;
            }
        };
        self.sums[at][0] += count;
        self.sums[at][1] += bytes;
        if self.held.len() < HELD_MAX {
            let (word, bit) = place(address);
            FILTER[word].fetch_or(bit, Ordering::Relaxed);
            self.sums[at][2] += count;
            self.sums[at][3] += bytes;
            // One that was given back unseen, while its thread looked.
            if let Some((stack, count, bytes)) = self.held.insert(address, (at, count, bytes)) {
                self.sums[stack][2] -= count;
                self.sums[stack][3] -= bytes;
            }
        } else {
            self.left_out += 1;
        }
    }
}

/// Where the filter says whether an address was looked at.
fn place(address: usize) -> (usize, u64) {
    // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4).
    let hash = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 42;
    (usize::try_from(hash >> 6).unwrap_or_default() % FILTER_WORDS, 1 << (hash & 63))
}

/// Bytes until the next look: exponential, so that every byte has the same chance.
fn drawn(seed: usize) -> f64 {
    DICE.with(|dice| {
        // xorshift64 (Marsaglia, 2003).
        let mut x = if dice.get() == 0 { seed as u64 | 1 } else { dice.get() };
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        dice.set(x);
        #[allow(clippy::cast_precision_loss, reason = "53 bits are kept")]
        let share = (x >> 11) as f64 / (1_u64 << 53) as f64;
        -(1.0 - share).ln() * EVERY_BYTES
    })
}

/// A profile of memory under way.
pub struct Memory {
    started: Instant,
    _turn: Turn,
}

impl Memory {
    /// Begins.
    ///
    /// # Errors
    /// Another profile is being made.
    pub fn begin() -> Result<Self> {
        let turn = Turn::take()?;
        FILTER.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        *seen() = Some(Seen::default());
        RUNS.store(true, Ordering::Release);
        Ok(Self { started: Instant::now(), _turn: turn })
    }

    /// Ends, and names what was seen.
    #[must_use]
    pub fn end(self) -> Profile {
        RUNS.store(false, Ordering::Release);
        let took = self.started.elapsed();
        let found = seen().take().unwrap_or_default();
        #[allow(clippy::cast_possible_truncation, reason = "the mean is a whole number")]
        let mut profile = Profile::new(
            &[
                ("alloc_objects", "count"),
                ("alloc_space", "bytes"),
                ("inuse_objects", "count"),
                ("inuse_space", "bytes"),
            ],
            ("space", "bytes", EVERY_BYTES as i64),
            took,
        );
        profile.left_out = found.left_out;
        let mut names = Names::default();
        for (stack, at) in &found.stacks {
            let mut stack = names.of(stack.iter().copied());
            // Ours are not theirs.
            let ours = stack.iter().position(|frame| frame.contains(LOOK)).map_or(0, |at| at + 1);
            stack.drain(..ours);
            #[allow(clippy::cast_possible_truncation, reason = "sums are far below 2^63")]
            let sums = found.sums[*at].map(|sum| sum.round().max(0.0) as i64);
            profile.add(stack, &sums);
        }
        profile
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        RUNS.store(false, Ordering::Release);
        *seen() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: Watched<std::alloc::System> = Watched(std::alloc::System);

    #[inline(never)]
    fn keep_much() -> Vec<Vec<u8>> {
        let mut kept = Vec::new();
        for _ in 0..4_000 {
            kept.push(std::hint::black_box(vec![1; 16 << 10]));
        }
        // Not by a jump: it is to stand in the stack.
        std::hint::black_box(kept)
    }

    #[inline(never)]
    fn waste_much() {
        for _ in 0..4_000 {
            drop(std::hint::black_box(vec![1_u8; 16 << 10]));
        }
    }

    #[test]
    fn what_is_kept_and_what_passes_through_are_told_apart_and_one_looks_at_a_time() {
        let profile = loop {
            // The other test may be at it.
            if let Ok(profile) = Memory::begin() {
                break profile;
            }
            std::thread::yield_now();
        };
        assert!(matches!(Memory::begin(), Err(crate::Error::Taken)));
        let kept = keep_much();
        waste_much();
        let profile = profile.end();
        drop(kept);
        // Not by name: a linker may have left the symbols out.
        let of = |kind: usize| profile.sum_of(|_| true, kind);
        let (mib, size) = (1 << 20, 4_000 * (16 << 10));
        assert!((size..size * 4).contains(&of(1)), "{} MiB asked for", of(1) / mib);
        assert!((size / 2..size * 3 / 2).contains(&of(3)), "{} MiB held", of(3) / mib);
    }
}
