use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::sync::watch;

use super::driver::end_soon;
use super::host::Host;
use super::record::Record;
use crate::control::{Closed, Expiry, PoolFigures};
use crate::event::{Emitter, Event};
use crate::rt::{self, Draw, Lock, Rng};
use crate::terms::{CloseCause, Credential};
use crate::transport::pool::PoolLimits;

/// The connections of one client, by host.
#[derive(Debug)]
pub(in super::super) struct Hosts {
    known: Mutex<Known>,
    shared: Arc<Shared>,
    speak_http2: bool,
}

/// The hosts by their names.
#[derive(Debug)]
struct Known {
    by_key: HashMap<(Scheme, Authority), Arc<Host>>,
    /// How many there are when unused ones are looked for.
    sweep_at: usize,
}

/// What all hosts of a client share.
#[derive(Debug)]
pub(in super::super) struct Shared {
    limits: watch::Sender<PoolLimits>,
    pub(super) waiting: AtomicU32,
    emitter: Emitter,
    rng: Rng,
    opened: AtomicU64,
    closed: [AtomicU64; 7],
}

impl Hosts {
    pub(in super::super) fn new(limits: PoolLimits, emitter: Emitter, speak_http2: bool) -> Self {
        let shared = Shared {
            limits: watch::Sender::new(limits),
            waiting: AtomicU32::new(0),
            emitter,
            rng: Rng::system(),
            opened: AtomicU64::new(0),
            closed: Default::default(),
        };
        let known = Known { by_key: HashMap::new(), sweep_at: MANY_HOSTS };
        Self { known: Mutex::new(known), shared: Arc::new(shared), speak_http2 }
    }

    /// The host that an absolute URI names.
    pub(in super::super) fn of(&self, uri: &Uri) -> Option<Arc<Host>> {
        let key = (uri.scheme()?.clone(), uri.authority()?.clone());
        let mut known = self.known.locked();
        if let Some(host) = known.by_key.get(&key) {
            return Some(Arc::clone(host));
        }
        known.sweep();
        let host = Arc::new(Host::new(Arc::clone(&self.shared), self.speak_http2));
        known.by_key.insert(key, Arc::clone(&host));
        Some(host)
    }

    pub(in super::super) fn figures(&self) -> PoolFigures {
        let mut figures = PoolFigures {
            waiting: self.shared.waiting.load(Ordering::Relaxed),
            opened: self.shared.opened.load(Ordering::Relaxed),
            closed: self.shared.closed(),
            ..PoolFigures::default()
        };
        for host in self.known.locked().by_key.values() {
            let (open, idle, connecting) = host.counts();
            figures.open += open;
            figures.idle += idle;
            figures.in_use += open.saturating_sub(idle);
            figures.connecting += connecting;
        }
        figures
    }

    /// When the certificates end that hosts showed.
    pub(in super::super) fn expiries(&self) -> Vec<Expiry> {
        let (now, credential) = (rt::now(), Credential::ServerCertificate);
        let known = self.known.locked();
        let shown = known.by_key.iter().filter_map(|((_, authority), host)| {
            let (at, host) = (host.certificate_expiry(now)?, Some(authority.host().to_owned()));
            Some(Expiry { credential, host, at })
        });
        shown.collect()
    }

    pub(in super::super) fn limits(&self) -> PoolLimits {
        self.shared.limits()
    }

    /// Other limits from now on, for connections that are open too. Those that are over them go, at
    /// once or when their requests are over.
    pub(in super::super) fn reconfigure(&self, limits: PoolLimits) {
        self.shared.limits.send_replace(limits);
        let hosts: Vec<_> = self.known.locked().by_key.values().cloned().collect();
        for host in &hosts {
            host.trim();
            // Waiting requests may fit now.
            host.grant_place();
        }
    }
}

impl Known {
    /// Forgets unused hosts, once there are twice as many as the last look left: what a new host costs
    /// does not grow with how many there are.
    fn sweep(&mut self) {
        if self.by_key.len() < self.sweep_at {
            return;
        }
        // A connection or a request that holds a host keeps it.
        self.by_key.retain(|_, host| Arc::strong_count(host) > 1 || host.counts().0 > 0);
        self.sweep_at = MANY_HOSTS.max(2 * self.by_key.len());
    }
}

impl Shared {
    /// A connection's number, where its life ends, and the limits that it follows.
    pub(super) fn begin_connection(&self) -> (u64, Draw, watch::Receiver<PoolLimits>) {
        let id = self.opened.fetch_add(1, Ordering::Relaxed);
        (id, self.rng.draw(), self.limits.subscribe())
    }

    pub(super) fn tell(&self, event: impl FnOnce() -> Event) {
        self.emitter.emit(None, event);
    }

    /// Counts the end of a connection, once its cause is known.
    pub(super) fn count_closed(&self, record: &Arc<Record>) {
        let Some(cause) = record.final_cause() else { return };
        end_soon(record);
        let lived = record.lived();
        self.closed[cause as usize].fetch_add(1, Ordering::Relaxed);
        self.tell(|| Event::ConnectionClosed { cause, lived });
    }

    pub(super) fn limits(&self) -> PoolLimits {
        *self.limits.borrow()
    }

    fn closed(&self) -> Closed {
        let of = |cause: CloseCause| self.closed[cause as usize].load(Ordering::Relaxed);
        Closed {
            by_peer: of(CloseCause::ByPeer),
            broken: of(CloseCause::Broken),
            idle: of(CloseCause::Idle),
            expired: of(CloseCause::Expired),
            cut: of(CloseCause::Cut),
            misdirected: of(CloseCause::Misdirected),
            surplus: of(CloseCause::Surplus),
        }
    }
}

/// Far more than an integration has; only then are unused ones looked for.
const MANY_HOSTS: usize = 256;
