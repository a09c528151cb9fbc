use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

use http::Uri;
use http::uri::{Authority, Scheme};
use tokio::sync::watch;

use super::connection::{Connection, Driver, Record, Sender};
use super::host::Host;
use crate::control::{Credential, Expiry};
use crate::event::{CloseCause, Emitter, Event};
use crate::rt::{self, Rng};
use crate::transport::pool::{Closed, PoolFigures, PoolLimits};

/// The connections of one client, by host.
#[derive(Debug)]
pub(in super::super) struct Hosts {
    by_key: Mutex<HashMap<(Scheme, Authority), Arc<Host>>>,
    shared: Arc<Shared>,
    speak_http2: bool,
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
        Self { by_key: Mutex::default(), shared: Arc::new(shared), speak_http2 }
    }

    /// The host that an absolute URI names.
    pub(in super::super) fn of(&self, uri: &Uri) -> Option<Arc<Host>> {
        let key = (uri.scheme()?.clone(), uri.authority()?.clone());
        let mut hosts = self.by_key();
        if hosts.len() >= MANY_HOSTS && !hosts.contains_key(&key) {
            // Whoever holds a host, a connection or a request, keeps it.
            hosts.retain(|_, host| Arc::strong_count(host) > 1 || host.counts().0 > 0);
        }
        let make = || Arc::new(Host::new(Arc::clone(&self.shared), self.speak_http2));
        Some(Arc::clone(hosts.entry(key).or_insert_with(make)))
    }

    pub(in super::super) fn figures(&self) -> PoolFigures {
        let mut figures = PoolFigures {
            waiting: self.shared.waiting.load(Ordering::Relaxed),
            opened: self.shared.opened.load(Ordering::Relaxed),
            closed: self.shared.closed(),
            ..PoolFigures::default()
        };
        for host in self.by_key().values() {
            let (open, idle, connecting) = host.counts();
            figures.open += open;
            figures.idle += idle;
            figures.in_use += open.saturating_sub(idle);
            figures.connecting += connecting;
        }
        figures
    }

    /// When the certificates end that hosts showed.
    pub(in super::super) fn expiries(&self) -> impl Iterator<Item = Expiry> {
        let now = rt::now();
        let mut expiries = Vec::new();
        for ((_, authority), host) in self.by_key().iter() {
            let expiry = host.certificate_expiry(now).map(|at| Expiry {
                credential: Credential::ServerCertificate,
                host: Some(authority.host().to_owned()),
                at,
            });
            expiries.extend(expiry);
        }
        expiries.into_iter()
    }

    pub(in super::super) fn limits(&self) -> PoolLimits {
        self.shared.limits()
    }

    /// Other limits from now on, for connections that are open too. Those that are over them go, at
    /// once or when their requests are over.
    pub(in super::super) fn reconfigure(&self, limits: PoolLimits) {
        self.shared.limits.send_replace(limits);
        let hosts: Vec<_> = self.by_key().values().cloned().collect();
        for host in &hosts {
            host.trim();
            // There may be room for who waits.
            host.grant_place();
        }
    }

    fn by_key(&self) -> MutexGuard<'_, HashMap<(Scheme, Authority), Arc<Host>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// Takes a connection over, with the task that drives it.
    pub(super) fn open(self: &Arc<Self>, sender: Sender, mut driver: Driver) -> Connection {
        let shared = &self.shared;
        let id = shared.opened.fetch_add(1, Ordering::Relaxed);
        shared.emitter.emit(None, || Event::ConnectionOpened);
        let connection = Connection::new(sender, id, shared.rng.draw());
        let (record, host) = (Arc::clone(&connection.record), Arc::downgrade(self));
        let limits = shared.limits.subscribe();
        rt::spawn(async move {
            let review = || host.upgrade().and_then(|host| host.review(&record));
            let result = drive(&mut driver, limits, review).await;
            if let Err(error) = result {
                // Before its requests are told that it is gone.
                record.broke(error);
            }
            // The socket goes first: a place is never free before its connection is closed.
            drop(driver);
            if let Some(host) = host.upgrade() {
                host.closed(&record);
            }
        });
        connection
    }
}

impl Shared {
    /// Counts a connection's end, once it is known what ended it.
    pub(super) fn count_closed(&self, record: &Record) {
        let Some(cause) = record.final_cause() else { return };
        let lived = record.lived();
        self.closed[cause as usize].fetch_add(1, Ordering::Relaxed);
        self.emitter.emit(None, || Event::ConnectionClosed { cause, lived });
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

/// Drives a connection to its end, and reviews it when it is time and when there are other limits.
async fn drive(
    driver: &mut Driver,
    mut limits: watch::Receiver<PoolLimits>,
    review: impl Fn() -> Option<Instant>,
) -> hyper::Result<()> {
    loop {
        limits.mark_unchanged();
        let look_at = review();
        let mut changed = std::pin::pin!(async {
            if limits.changed().await.is_err() {
                // Where there is no pool any more, there are no other limits.
                std::future::pending::<()>().await;
            }
        });
        let work = poll_fn(|cx| match driver.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => changed.as_mut().poll(cx).map(|()| None),
        });
        if let Some(Some(ended)) = rt::until(look_at, work).await {
            return ended;
        }
    }
}

/// Far more than an integration has; only then are unused ones looked for.
const MANY_HOSTS: usize = 256;
