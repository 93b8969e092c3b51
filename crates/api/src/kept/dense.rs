//! One thread of low priority that compresses what is asked for often as far as it goes.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use arc_swap::ArcSwap;
use axum::response::Response;
use cache::{Cache, Held};

use super::{Kept, Words};

/// Answers that may wait for it; more are asked for again by later hits.
const WAITING_MAX: usize = 64;
/// How far it stands back for everybody else.
const NICE: i32 = 19;

/// What hands answers over to the thread.
pub struct Dense {
    sender: Option<SyncSender<Arc<Held<Kept>>>>,
    after: u32,
}

impl Dense {
    /// The thread over a cache; it ends with it.
    pub fn over(cache: &Arc<Cache<Kept, Response>>, after: u32, words: Arc<ArcSwap<Words>>) -> Self {
        if after == 0 || words.load().level == 0 {
            return Self { sender: None, after };
        }
        let (sender, receiver) = sync_channel::<Arc<Held<Kept>>>(WAITING_MAX);
        let cache = Arc::downgrade(cache);
        let work = move || {
            let _ = rustix::process::setpriority_process(None, NICE);
            while let Ok(held) = receiver.recv() {
                let Some(cache) = cache.upgrade() else { break };
                cache.replace(&held, held.value.made_dense(&words.load()));
            }
        };
        let started = std::thread::Builder::new().name("dense".to_owned()).spawn(work);
        Self { sender: started.is_ok().then_some(sender), after }
    }

    /// Counts a hit, and hands the answer over when it is worth it.
    pub fn count(&self, held: &Arc<Held<Kept>>) {
        if held.value.is_worth_effort(self.after)
            && let Some(sender) = &self.sender
        {
            let _ = sender.try_send(Arc::clone(held));
        }
    }
}
