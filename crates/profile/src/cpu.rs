//! Where processors' time goes.
//!
//! The system interrupts whoever runs, so many times in each second of processor time (`ITIMER_PROF`, `SIGPROF`), and the handler writes
//! the stack of who was interrupted into a place of its own in memory that is there already: it takes no lock and asks for nothing.

#![allow(unsafe_code, reason = "signals and timers of the system; the handler keeps to what may be done in one")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::names::{Names, modules};
use crate::unwind::{FRAMES_MAX, walk};
use crate::{Error, Profile, Result, Turn};

/// Samples in a second of processor time; no divisor of what runs by the clock.
const PER_S: i64 = 99;
/// Samples that are kept; what comes beyond is counted as left out. Each takes half a KiB.
const SAMPLES_MAX: usize = 20_000;
/// Who is interrupted in one of these may hold what walking a stack needs: those samples are left out.
const LEFT_OUT: [&str; 3] = ["/libc.so", "/libgcc_s.so", "/ld-linux"];
/// Frames of the handler and of the system's way into it.
const OURS: &str = "profile::cpu::interrupted";

static RUNS: AtomicBool = AtomicBool::new(false);
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// Samples of who was in what is left out.
static PASSED: AtomicUsize = AtomicUsize::new(0);
/// Handlers at work.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
static FRAMES: [AtomicUsize; SAMPLES_MAX * FRAMES_MAX] = [const { AtomicUsize::new(0) }; SAMPLES_MAX * FRAMES_MAX];
/// Beginnings and ends of what is left out; 0 where there is none.
static QUIET: [AtomicUsize; 32] = [const { AtomicUsize::new(0) }; 32];

/// A profile of processor time under way.
pub struct Cpu {
    started: Instant,
    _turn: Turn,
}

impl Cpu {
    /// Begins.
    ///
    /// # Errors
    /// Another profile is being made; the system gives no timer.
    pub fn begin() -> Result<Self> {
        let turn = Turn::take()?;
        let quiet = modules().into_iter().filter(|module| LEFT_OUT.iter().any(|name| module.path.contains(name)));
        let mut edges = quiet.flat_map(|module| [module.begins, module.ends]);
        QUIET.iter().for_each(|edge| edge.store(edges.next().unwrap_or_default(), Ordering::Relaxed));
        TAKEN.store(0, Ordering::Relaxed);
        PASSED.store(0, Ordering::Relaxed);
        // What the unwinder sets up once is set up here, not by who is interrupted.
        walk(|_| false);
        listen()?;
        RUNS.store(true, Ordering::SeqCst);
        let cpu = Self { started: Instant::now(), _turn: turn };
        set_timer(Duration::from_nanos(1_000_000_000 / PER_S.unsigned_abs()))?;
        Ok(cpu)
    }

    /// Ends, and names what was seen.
    #[must_use]
    pub fn end(self) -> Profile {
        stop();
        let took = self.started.elapsed();
        let (taken, ns) = (TAKEN.load(Ordering::Relaxed), 1_000_000_000 / PER_S);
        let kinds = [("samples", "count"), ("cpu", "nanoseconds")];
        let mut profile = Profile::new(&kinds, ("cpu", "nanoseconds", ns), took);
        profile.left_out = taken.saturating_sub(SAMPLES_MAX) as u64;
        let mut names = Names::default();
        for sample in FRAMES.chunks_exact(FRAMES_MAX).take(taken) {
            let stack = sample.iter().map(|ip| ip.load(Ordering::Relaxed)).take_while(|ip| *ip != 0);
            let mut stack = names.of(stack);
            let ours = stack.iter().position(|frame| frame.contains(OURS)).map_or(0, |at| at + 2);
            stack.drain(..ours.min(stack.len()));
            profile.add(stack, &[1, ns]);
        }
        let passed = i64::try_from(PASSED.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        if passed > 0 {
            profile.add(vec!["(libc and the system)".to_owned()], &[passed, passed.saturating_mul(ns)]);
        }
        profile
    }
}

impl Drop for Cpu {
    fn drop(&mut self) {
        stop();
    }
}

/// Stops the timer, and waits for who is still writing.
fn stop() {
    RUNS.store(false, Ordering::SeqCst);
    let _ = set_timer(Duration::ZERO);
    while INSIDE.load(Ordering::SeqCst) > 0 {
        std::thread::yield_now();
    }
}

/// Installs the handler; it stays, for an interrupt may come late, and then does nothing.
fn listen() -> Result<()> {
    // SAFETY: `action` is whole; the handler has the form that SA_SIGINFO asks for.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = interrupted as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGPROF, &raw const action, std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(failed()) }
}

fn set_timer(every: Duration) -> Result<()> {
    let every = libc::timeval { tv_sec: 0, tv_usec: every.subsec_micros().into() };
    let timer = libc::itimerval { it_interval: every, it_value: every };
    // SAFETY: `timer` is whole and outlives the call.
    let done = unsafe { libc::setitimer(libc::ITIMER_PROF, &raw const timer, std::ptr::null_mut()) };
    if done == 0 { Ok(()) } else { Err(failed()) }
}

fn failed() -> Error {
    Error::Failed(std::io::Error::last_os_error().to_string())
}

#[inline(never)]
extern "C" fn interrupted(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    INSIDE.fetch_add(1, Ordering::SeqCst);
    let runs = RUNS.load(Ordering::SeqCst);
    if runs && is_quiet(interrupted_at(context)) {
        PASSED.fetch_add(1, Ordering::Relaxed);
    } else if runs {
        let at = TAKEN.fetch_add(1, Ordering::Relaxed);
        if let Some(frames) = FRAMES.get(at * FRAMES_MAX..(at + 1) * FRAMES_MAX) {
            let mut depth = 0;
            walk(|ip| {
                frames[depth].store(ip, Ordering::Relaxed);
                depth += 1;
                depth < FRAMES_MAX
            });
            frames[depth..].iter().for_each(|frame| frame.store(0, Ordering::Relaxed));
        }
    }
    INSIDE.fetch_sub(1, Ordering::SeqCst);
}

fn is_quiet(ip: usize) -> bool {
    QUIET
        .chunks_exact(2)
        .any(|edges| (edges[0].load(Ordering::Relaxed)..edges[1].load(Ordering::Relaxed)).contains(&ip))
}

/// Where a thread was when it was interrupted; 0 where that is not known.
fn interrupted_at(context: *mut libc::c_void) -> usize {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    // SAFETY: with SA_SIGINFO the system hands a `ucontext_t` over.
    return unsafe { (&*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize] } as usize;
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    // SAFETY: as above.
    return unsafe { (&*context.cast::<libc::ucontext_t>()).uc_mcontext.pc } as usize;
    #[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    {
        let _ = context;
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn count_for_a_while() -> u64 {
        let (started, mut sum) = (Instant::now(), 0_u64);
        while started.elapsed() < Duration::from_millis(700) {
            for n in 0..10_000 {
                sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(n));
            }
        }
        std::hint::black_box(sum)
    }

    #[test]
    fn who_is_at_work_is_seen() {
        let cpu = loop {
            // The other test may be at it.
            if let Ok(cpu) = Cpu::begin() {
                break cpu;
            }
            std::thread::yield_now();
        };
        let _ = count_for_a_while();
        let profile = cpu.end();
        // Not by name: a linker may have left the symbols out.
        let seen = profile.sum_of(|_| true, 0);
        assert!(seen > 5, "{seen} of {:?}", profile.stacks.keys().take(3).collect::<Vec<_>>());
        let svg = String::from_utf8(profile.flame_graph()).expect("text");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
