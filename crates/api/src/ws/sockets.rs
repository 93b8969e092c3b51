//! How many WebSockets and streams there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::live_settings::LiveSettings;
use tokio::sync::Notify;

use super::SocketMeters;
use crate::address::counted;
use crate::metrics::Metrics;
use crate::problem::Problem;

/// The open ones.
#[derive(Clone)]
pub struct Sockets(Arc<Inner>);

struct Inner {
    all_max: usize,
    per_address_max: usize,
    open: Mutex<Open>,
    none: Notify,
    meters: SocketMeters,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of an open one; given back when dropped.
pub struct Ticket {
    sockets: Sockets,
    is_socket: bool,
    address: Option<IpAddr>,
}

impl Sockets {
    /// None yet.
    ///
    /// # Errors
    /// A metric that stands twice.
    pub fn new(live: &LiveSettings, metrics: &Metrics) -> prometheus::Result<Self> {
        Ok(Self(Arc::new(Inner {
            all_max: live.connections_max,
            per_address_max: live.connections_per_address,
            open: Mutex::default(),
            none: Notify::new(),
            meters: SocketMeters::new(metrics)?,
        })))
    }

    /// Takes a place for a WebSocket.
    ///
    /// # Errors
    /// There is none left, in all or for this address.
    pub fn enter(&self, address: Option<IpAddr>) -> Result<Ticket, Problem> {
        let ticket = self.place(address, true)?;
        ticket.meters().connections.inc();
        Ok(ticket)
    }

    /// Takes a place for a stream of server-sent events.
    ///
    /// # Errors
    /// As [`Sockets::enter`].
    pub fn enter_stream(&self, address: Option<IpAddr>) -> Result<Ticket, Problem> {
        self.place(address, false)
    }

    fn place(&self, address: Option<IpAddr>, is_socket: bool) -> Result<Ticket, Problem> {
        let inner = &self.0;
        let address = address.map(counted);
        let mut open = self.open();
        let refused = |limit: &str, what: &str, most: usize| {
            inner.meters.refused.with_label_values(&[limit]).inc();
            Problem::too_many(what, most)
        };
        if open.all >= inner.all_max {
            return Err(refused("all", "WebSockets and streams", inner.all_max));
        }
        if let Some(address) = address {
            let here = open.by_address.entry(address).or_default();
            if *here >= inner.per_address_max {
                return Err(refused("address", "WebSockets and streams from this address", inner.per_address_max));
            }
            *here += 1;
        }
        open.all += 1;
        Ok(Ticket { sockets: self.clone(), is_socket, address })
    }

    /// Waits until none is open.
    pub async fn all_ended(&self) {
        loop {
            let ended = self.0.none.notified();
            if self.open().all == 0 {
                return;
            }
            ended.await;
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// The metrics of all.
    pub fn meters(&self) -> &SocketMeters {
        &self.sockets.0.meters
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.sockets.open();
        open.all -= 1;
        if let Some(address) = self.address
            && let Some(here) = open.by_address.get_mut(&address)
        {
            *here -= 1;
            if *here == 0 {
                open.by_address.remove(&address);
            }
        }
        if self.is_socket {
            self.sockets.0.meters.connections.dec();
        }
        if open.all == 0 {
            self.sockets.0.none.notify_waiters();
        }
    }
}
