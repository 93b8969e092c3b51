//! Walking a stack, by the unwinder that panics use.

#![allow(unsafe_code, reason = "the unwinder's own functions")]

use std::ffi::{c_int, c_void};

/// Frames of a stack that are kept.
pub(crate) const FRAMES_MAX: usize = 64;

/// What a callback says of going on: 0, or another number to end.
const GO_ON: c_int = 0;
const END: c_int = 5;

type Each = extern "C" fn(*mut c_void, *mut c_void) -> c_int;

// Of the platform's unwinder (Itanium C++ ABI, level 1), which Rust links for panics.
unsafe extern "C" {
    fn _Unwind_Backtrace(each: Each, argument: *mut c_void) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}

/// Gives the addresses of the frames from here outwards to `take`, until it says no more.
#[inline(always)]
pub(crate) fn walk<F: FnMut(usize) -> bool>(mut take: F) {
    extern "C" fn each<F: FnMut(usize) -> bool>(context: *mut c_void, take: *mut c_void) -> c_int {
        // SAFETY: `take` is the closure below, alive and used by nobody else; `context` is the unwinder's for this call.
        let goes_on = unsafe { (*take.cast::<F>())(_Unwind_GetIP(context)) };
        if goes_on { GO_ON } else { END }
    }
    // SAFETY: the callback has the unwinder's form, does not unwind, and is given what it expects.
    unsafe {
        _Unwind_Backtrace(each::<F>, (&raw mut take).cast());
    }
}
