//! The readers of an ingest: files are read and mapped by a few threads at once, and written one after the other.
//!
//! Each file has a queue of its own, bounded, so that a reader who is ahead waits. Files are taken in their order, so the
//! file that is being written is always being read too.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use sources::{Event, Header, How, Input};

use super::Fresh;

/// Rows that travel together from a reader to the writer.
const LOT: usize = 512;
/// Lots that may wait in one file's queue; bounds memory.
const LOTS_WAITING: usize = 8;
/// Threads that read at once.
const READERS_MAX: usize = 4;

/// What a reader tells the writer of its file.
pub(super) enum Message {
    /// The file was recognised; its rows follow.
    Begin(Header),
    /// Some of its rows.
    Rows(Vec<Event>),
    /// The file is done, and what was found out on the way, or why it is not.
    End(std::result::Result<Header, sources::Error>),
}

/// The queues of all files, in their order.
pub(super) struct Readers {
    queues: Vec<Receiver<Message>>,
}

impl Readers {
    /// Starts as many readers as there are processors beside the writer's.
    pub(super) fn start<'scope, 'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        files: &'env [Fresh],
        how: How<'env>,
    ) -> Self {
        let (senders, queues): (Vec<_>, Vec<_>) = files.iter().map(|_| sync_channel::<Message>(LOTS_WAITING)).unzip();
        let work = std::sync::Arc::new(Work {
            files,
            how,
            senders: senders.into_iter().map(|sender| Mutex::new(Some(sender))).collect(),
            next: AtomicUsize::new(0),
        });
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        for _ in 0..(processors - 1).clamp(1, READERS_MAX) {
            let work = std::sync::Arc::clone(&work);
            scope.spawn(move || work.run());
        }
        Self { queues }
    }

    /// The queue of a file.
    pub(super) fn of(&self, file: usize) -> &Receiver<Message> {
        &self.queues[file]
    }
}

struct Work<'a> {
    files: &'a [Fresh],
    how: How<'a>,
    senders: Vec<Mutex<Option<SyncSender<Message>>>>,
    next: AtomicUsize,
}

impl Work<'_> {
    fn run(&self) {
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = self.files.get(at) else { return };
            let sender = self.senders[at].lock().ok().and_then(|mut sender| sender.take());
            let Some(sender) = sender else { return };
            // A reader that panics fails its file, not the ingest.
            let read = std::panic::AssertUnwindSafe(|| read_file(&file.input, self.how, &sender));
            let outcome = std::panic::catch_unwind(read).unwrap_or_else(|_| {
                Err(sources::Error::Damaged {
                    name: file.input.name.clone(),
                    detail: "the reader of this format failed".to_owned(),
                })
            });
            if sender.send(Message::End(outcome)).is_err() {
                return;
            }
        }
    }
}

fn read_file(input: &Input, how: How<'_>, sender: &SyncSender<Message>) -> std::result::Result<Header, sources::Error> {
    let gone = || sources::Error::sink("the writer stopped");
    sender.send(Message::Begin(sources::identify(input, how)?)).map_err(|_| gone())?;
    let mut lot = Vec::with_capacity(LOT);
    let mut weight = 0;
    let outcome = sources::read(input, how, &mut |event| {
        weight += weight_of(&event);
        lot.push(event);
        if weight >= LOT {
            weight = 0;
            let full = std::mem::replace(&mut lot, Vec::with_capacity(LOT));
            sender.send(Message::Rows(full)).map_err(|_| gone())?;
        }
        Ok(())
    });
    if !lot.is_empty() {
        sender.send(Message::Rows(lot)).map_err(|_| gone())?;
    }
    outcome
}

/// Records that an event holds, so that rows that state many fill a lot sooner.
fn weight_of(event: &Event) -> usize {
    match event {
        Event::Row(row) => 1 + row.more.len(),
        Event::Bad(_) => 1,
    }
}
