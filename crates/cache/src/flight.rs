//! Single-flight: of those who want one key at once, the first makes it and the others wait for what comes out.
//!
//! The first gets a [`Leader`], which is handed to the task that makes it: whoever goes away, that task goes on. When it ends without a
//! word (it panicked), those who wait are told so and nobody waits for ever.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::sync::{Arc, Mutex};

/// What is being made.
pub struct Flights<K, V> {
    flying: Arc<Mutex<HashMap<K, Arc<Flight<V>>>>>,
}

struct Flight<V> {
    state: Mutex<State<V>>,
}

enum State<V> {
    Flying(Vec<Waker>),
    Landed(Option<V>),
}

/// Who asks: the one who makes it, or one who waits.
pub enum Seat<K: Hash + Eq + Clone, V: Clone> {
    /// It is not being made: make it, and land it.
    Leader(Leader<K, V>),
    /// It is: wait.
    Waiter(Waiter<V>),
}

/// The one who makes it.
pub struct Leader<K: Hash + Eq + Clone, V: Clone> {
    flying: Arc<Mutex<HashMap<K, Arc<Flight<V>>>>>,
    key: K,
    flight: Arc<Flight<V>>,
}

/// One who waits; gives nothing when the leader ended without a word.
pub struct Waiter<V>(Arc<Flight<V>>);

impl<K: Hash + Eq + Clone, V: Clone> Flights<K, V> {
    /// None.
    pub fn new() -> Self {
        Self { flying: Arc::new(Mutex::new(HashMap::new())) }
    }

    /// Takes a seat.
    pub fn board(&self, key: &K) -> Seat<K, V> {
        let mut flying = held(&self.flying);
        if let Some(flight) = flying.get(key) {
            return Seat::Waiter(Waiter(Arc::clone(flight)));
        }
        let flight = Arc::new(Flight { state: Mutex::new(State::Flying(Vec::new())) });
        flying.insert(key.clone(), Arc::clone(&flight));
        Seat::Leader(Leader { flying: Arc::clone(&self.flying), key: key.clone(), flight })
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Leader<K, V> {
    /// Gives what was made to all who wait. Who comes after this does not find the flight any more.
    pub fn land(self, value: V) {
        self.end(Some(value));
    }

    /// One who waits for it, as the others do.
    pub fn waiter(&self) -> Waiter<V> {
        Waiter(Arc::clone(&self.flight))
    }

    fn end(&self, value: Option<V>) {
        held(&self.flying).remove(&self.key);
        let mut state = held(&self.flight.state);
        let wakers = match &mut *state {
            State::Flying(wakers) => std::mem::take(wakers),
            State::Landed(_) => return,
        };
        *state = State::Landed(value);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Drop for Leader<K, V> {
    fn drop(&mut self) {
        let landed = matches!(*held(&self.flight.state), State::Landed(_));
        if !landed {
            self.end(None);
        }
    }
}

impl<V: Clone> Future for Waiter<V> {
    type Output = Option<V>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<V>> {
        match &mut *held(&self.0.state) {
            State::Landed(value) => Poll::Ready(value.clone()),
            State::Flying(wakers) => {
                if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> impl std::ops::DerefMut<Target = T> + '_ {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
