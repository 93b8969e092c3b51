//! Settings that change while the program runs: read anew at SIGHUP, all of them or none.
//!
//! What is not named here is looked at once, when what it shapes is made: a change of it is named in the log and takes a restart.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::{App, Settings};

/// What changes at once.
pub(crate) const RELOADS: &[&str] = &[
    "log.filter",
    "http.cors_origins",
    "limits.anonymous",
    "limits.tier_anonymous",
    "limits.tier_free",
    "limits.tier_basic",
    "limits.tier_pro",
    "limits.tier_enterprise",
    "limits.trusted_proxies",
    "limits.forwarded_header",
    "limits.allow",
    "limits.deny",
    "limits.memory_mib",
    "cache.l1_ttl_s",
    "cache.l2_ttl_s",
    "cache.l3_ttl_s",
    "cache.negative_ttl_s",
    "cache.stale_s",
    "cache.stale_if_error_s",
    "cache.edge_s",
    "identity.access_minutes",
    "identity.session_days",
    "work.attempts_max",
    "work.backoff_ms",
    "agents.acquire_timeout_ms",
];

type Listener = Box<dyn Fn(&Settings) + Send + Sync>;

/// The settings of now, and who wants to hear of others.
pub(crate) struct Reloads {
    now: ArcSwap<Settings>,
    listeners: Mutex<Vec<Listener>>,
}

/// What a look at the settings brought, each as `name = value (where from)`.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// In force from now on.
    pub changed: Vec<String>,
    /// Not what the program started with; in force after a restart.
    pub at_restart: Vec<String>,
}

impl Reloads {
    pub(crate) fn of(settings: &Settings) -> Self {
        Self { now: ArcSwap::from_pointee(settings.clone()), listeners: Mutex::default() }
    }
}

impl App {
    /// The settings as they were last read: of those that change while the program runs. All others are [`App::settings`].
    #[must_use]
    pub fn now(&self) -> Arc<Settings> {
        self.inner.reloads.now.load_full()
    }

    /// Tells `listener` of all settings that are read from now on.
    pub fn on_reload(&self, listener: impl Fn(&Settings) + Send + Sync + 'static) {
        self.inner.reloads.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(listener));
    }

    /// Takes what changes of settings that were read anew.
    pub fn reload(&self, read: Settings) -> Reloaded {
        let (started, before, mut reloaded) = (self.settings(), self.now(), Reloaded::default());
        for told in &read.told {
            let held = if told.reloads { &before.told } else { &started.told };
            if held.iter().any(|held| held.name == told.name && held.mark != told.mark) {
                let line = format!("{} = {} ({})", told.name, told.value, told.at);
                if told.reloads { &mut reloaded.changed } else { &mut reloaded.at_restart }.push(line);
            }
        }
        for listener in &*self.inner.reloads.listeners.lock().unwrap_or_else(PoisonError::into_inner) {
            listener(&read);
        }
        self.inner.reloads.now.store(Arc::new(read));
        reloaded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_while_the_program_runs_is_a_setting() {
        let settings = Settings::load(None, std::iter::empty()).unwrap();
        let known: Vec<&str> =
            settings.told.iter().filter(|told| told.reloads).map(|told| told.name.as_str()).collect();
        for name in RELOADS {
            assert!(known.contains(name), "{name}");
        }
    }
}
