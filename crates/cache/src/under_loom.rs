//! Single-flight under every order in which threads can run.

mod sync {
    pub use loom::sync::{Arc, Mutex};
}

#[path = "flight.rs"]
#[allow(clippy::duplicate_mod, reason = "the same code over loom's primitives")]
#[allow(dead_code, reason = "not all of it is looked at here")]
mod flight;

use flight::{Flights, Seat};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};

/// Takes a seat and makes `1`, alone, or waits for it.
fn ask(flights: &Flights<u8, usize>, making: &AtomicUsize) -> Option<usize> {
    match flights.board(&0) {
        Seat::Leader(leader) => {
            assert_eq!(making.fetch_add(1, Ordering::SeqCst), 0, "two make it at once");
            making.fetch_sub(1, Ordering::SeqCst);
            leader.land(1);
            Some(1)
        }
        Seat::Waiter(waiter) => loom::future::block_on(waiter),
    }
}

#[test]
fn whoever_asks_gets_it_and_no_two_make_it_at_once() {
    loom::model(|| {
        let (flights, making) = (Arc::new(Flights::new()), Arc::new(AtomicUsize::new(0)));
        let other = {
            let (flights, making) = (Arc::clone(&flights), Arc::clone(&making));
            loom::thread::spawn(move || ask(&flights, &making))
        };
        assert_eq!(ask(&flights, &making), Some(1));
        assert_eq!(other.join().unwrap(), Some(1));
        assert!(matches!(flights.board(&0), Seat::Leader(_)));
    });
}

#[test]
fn while_it_is_made_nobody_else_makes_it() {
    loom::model(|| {
        let flights = Arc::new(Flights::<u8, usize>::new());
        let Seat::Leader(leader) = flights.board(&0) else { unreachable!() };
        let other = {
            let flights = Arc::clone(&flights);
            let Seat::Waiter(waiter) = flights.board(&0) else { panic!("two make it") };
            loom::thread::spawn(move || loom::future::block_on(waiter))
        };
        leader.land(7);
        assert_eq!(other.join().unwrap(), Some(7));
    });
}

#[test]
fn a_leader_that_ends_without_a_word_leaves_nobody_waiting() {
    loom::model(|| {
        let flights = Arc::new(Flights::<u8, usize>::new());
        let Seat::Leader(leader) = flights.board(&0) else { unreachable!() };
        let Seat::Waiter(waiter) = flights.board(&0) else { panic!("two make it") };
        let other = loom::thread::spawn(move || loom::future::block_on(waiter));
        drop(leader);
        assert_eq!(other.join().unwrap(), None);
    });
}
