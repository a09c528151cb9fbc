use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use super::connection::{Connection, Driver, Record, Sender};
use super::hosts::Shared;
use super::lease::Lease;
use super::place::Place;
use crate::event::CloseCause;
use crate::rt;
use crate::transport::pool::PoolLimits;

/// The connections to one host.
#[derive(Debug)]
pub(in super::super) struct Host {
    pub(super) shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Connections that are open or being made.
    open: u32,
    /// Those of them that are being made.
    connecting: u32,
    /// Those of them that go because there are too many.
    surplus: u32,
    /// HTTP/1.1 connections that nobody uses; the last used is used next, so that the others age.
    idle: Vec<Connection>,
    /// The HTTP/2 connection that takes new requests.
    streams: Option<Connection>,
    /// The host spoke HTTP/2: one connection is enough.
    speaks_http2: bool,
    /// Who came first is served first.
    waiting: VecDeque<oneshot::Sender<Grant>>,
    certificate: Option<Shown>,
}

/// A certificate that the host showed.
#[derive(Clone, Copy, Debug)]
struct Shown {
    expires: SystemTime,
    seen: Instant,
}

/// What a request gets that asks for a connection.
pub(in super::super) enum Acquired {
    /// A connection.
    Lease(Lease),
    /// The right to make one.
    Place(Place),
    /// Neither yet.
    Wait(oneshot::Receiver<Grant>),
}

/// What somebody gets who waited.
#[derive(Debug)]
pub(in super::super) enum Grant {
    Lease(Lease),
    Place(Place),
}

impl Host {
    pub(super) fn new(shared: Arc<Shared>, speaks_http2: bool) -> Self {
        Self { shared, state: Mutex::new(State { speaks_http2, ..State::default() }) }
    }

    /// A connection, the right to make one, or a place in the queue.
    pub(in super::super) fn acquire(self: &Arc<Self>) -> Acquired {
        let now = rt::now();
        // Dropped after the lock is free again.
        let mut stale = Vec::new();
        let mut state = self.state();
        while state.waiting.front().is_some_and(oneshot::Sender::is_closed) {
            state.waiting.pop_front();
        }
        let limits = self.shared.limits();
        let found = state.take_usable(now, &limits, &mut stale);
        // A place that comes free is for who waits for it, and not for who happens to come by.
        let may_connect = state.waiting.is_empty() && state.may_connect(limits.per_host);
        let acquired = match found {
            Some(connection) => Acquired::Lease(Lease::new(self, connection)),
            None if may_connect => Acquired::Place(state.place(self)),
            None => {
                let (grant, granted) = oneshot::channel();
                state.waiting.push_back(grant);
                Acquired::Wait(granted)
            }
        };
        drop(state);
        acquired
    }

    /// The right to make one more connection, if there is room for it.
    pub(in super::super) fn place(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state();
        let room = state.may_connect(self.shared.limits().per_host) && state.streams.is_none();
        room.then(|| state.place(self))
    }

    /// Takes a connection back whose request is over.
    pub(super) fn give_back(self: &Arc<Self>, connection: Connection) {
        let now = rt::now();
        connection.record.end_use(now);
        self.shared.count_closed(&connection.record);
        let limits = self.shared.limits();
        if !connection.is_usable(now, &limits) {
            if connection.record.is_expired(now, &limits) {
                connection.record.close_for(CloseCause::Expired);
            }
            return self.leave(&connection.record);
        }
        connection.record.keep();
        if connection.is_http2() {
            return;
        }
        let mut connection = connection;
        loop {
            let mut state = self.state();
            // Asked for anew under the lock: it is trimmed to other limits after they are set.
            let limits = self.shared.limits();
            if state.is_over(limits.per_host) {
                // Whoever waits is served by those that stay.
                return state.shed(&connection.record);
            }
            let Some(next) = state.waiting.pop_front() else {
                if state.idle.len() < limits.idle_per_host {
                    return state.idle.push(connection);
                }
                return state.shed(&connection.record);
            };
            // Nobody is woken under the lock.
            drop(state);
            let Err(Grant::Lease(mut back)) = next.send(Grant::Lease(Lease::new(self, connection)))
            else {
                return;
            };
            // Whoever waited went away.
            let Some(unused) = back.take() else { return };
            unused.record.end_use(now);
            connection = unused;
        }
    }

    /// Sends nothing new over an HTTP/2 connection.
    pub(super) fn leave(&self, record: &Record) {
        let mut state = self.state();
        let is_it = state.streams.as_ref().is_some_and(|streams| streams.record.id == record.id);
        let left = is_it.then(|| state.streams.take()).flatten();
        drop(state);
        drop(left);
    }

    /// Gives a new connection to whoever can use it. Over HTTP/2, that is everybody.
    pub(in super::super) fn established(
        self: &Arc<Self>,
        mut place: Place,
        sender: Sender,
        driver: Driver,
    ) -> Lease {
        place.keep();
        let lease = Lease::new(self, self.open(sender, driver));
        let mut state = self.state();
        state.connecting -= 1;
        let Some(shared) = lease.share() else {
            if std::mem::take(&mut state.speaks_http2) {
                // It does no more: those who waited for one connection need their own.
                drop(state);
                self.grant_place();
            }
            return lease;
        };
        state.speaks_http2 = true;
        if state.streams.is_some() {
            // Another was faster: this one serves its own request and goes.
            state.shed(&shared.record);
            drop(state);
            return lease;
        }
        state.streams = Some(shared);
        let waiting = std::mem::take(&mut state.waiting);
        let shares: Vec<_> = waiting.iter().map_while(|_| lease.share()).collect();
        drop(state);
        for (waiter, share) in waiting.into_iter().zip(shares) {
            // Whoever went away meanwhile drops it.
            let _ = waiter.send(Grant::Lease(Lease::new(self, share)));
        }
        lease
    }

    /// A connection is closed: its place is free.
    pub(super) fn closed(self: &Arc<Self>, record: &Record) {
        self.leave(record);
        let mut state = self.state();
        let at = state.idle.iter().position(|idle| idle.record.id == record.id);
        let gone = at.map(|at| state.idle.remove(at));
        state.open -= 1;
        state.surplus -= u32::from(record.cause() == Some(CloseCause::Surplus));
        drop(state);
        drop(gone);
        record.end();
        self.shared.count_closed(record);
        self.grant_place();
    }

    /// Closes a connection that nobody needs any more; otherwise says when to look again.
    pub(super) fn review(&self, record: &Record) -> Option<Instant> {
        let now = rt::now();
        let limits = self.shared.limits();
        if let Some(cause) = record.age(now, &limits) {
            self.let_go(record, cause);
        }
        if record.is_closing() {
            return None;
        }
        // One that is in use can't be idle for too long sooner than from now.
        let since = record.idle_since().unwrap_or(now);
        let idle_until = limits.idle.map(|limit| rt::after(since, limit));
        idle_until.into_iter().chain(record.expires(&limits)).min()
    }

    /// Closes connections that nobody uses, as far as they are over the limits.
    pub(super) fn trim(&self) {
        let mut state = self.state();
        let limits = self.shared.limits();
        let mut over = Vec::new();
        // The first were left alone for the longest.
        while !state.idle.is_empty()
            && (state.is_over(limits.per_host) || state.idle.len() > limits.idle_per_host)
        {
            let connection = state.idle.remove(0);
            state.shed(&connection.record);
            over.push(connection);
        }
        drop(state);
        drop(over);
    }

    /// How many connections there may be, and are.
    pub(in super::super) fn room(&self) -> (u32, u32) {
        (self.shared.limits().per_host, self.state().open)
    }

    /// How many connections are open, idle, being made, and waited for.
    pub(super) fn counts(&self) -> (u32, u32, u32) {
        let state = self.state();
        let streams = state.streams.iter().filter(|streams| streams.record.is_idle()).count();
        let idle = state.idle.len() + streams;
        (state.open - state.connecting, idle as u32, state.connecting)
    }

    /// It showed a certificate that ends then.
    pub(in super::super) fn showed(&self, expires: Option<SystemTime>) {
        let Some(expires) = expires else { return };
        self.state().certificate = Some(Shown { expires, seen: rt::now() });
    }

    /// When the certificate ends that it showed last, unless it may have been renewed since.
    pub(super) fn certificate_expiry(&self, now: Instant) -> Option<SystemTime> {
        let shown = self.state().certificate?;
        let is_fresh = now.saturating_duration_since(shown.seen) <= REMEMBERED;
        is_fresh.then_some(shown.expires)
    }

    fn let_go(&self, record: &Record, cause: CloseCause) {
        let mut state = self.state();
        let at = state.idle.iter().position(|idle| idle.record.id == record.id);
        let unused = at.map(|at| state.idle.remove(at));
        drop(state);
        // One that is in use is closed when its request is over.
        if unused.is_some() || cause == CloseCause::Expired || record.is_idle() {
            record.close_for(cause);
            self.leave(record);
        }
        drop(unused);
    }

    /// Lets the next who waits make a connection, if there is room for it.
    pub(super) fn grant_place(self: &Arc<Self>) {
        loop {
            let mut state = self.state();
            if !state.may_connect(self.shared.limits().per_host) {
                return;
            }
            let Some(next) = state.waiting.pop_front() else { return };
            let place = state.place(self);
            drop(state);
            match next.send(Grant::Place(place)) {
                Ok(()) => {}
                // Whoever waited went away.
                Err(Grant::Place(place)) => place.unused(),
                Err(Grant::Lease(_)) => return,
            }
        }
    }

    /// A place is free again, and nobody was looked for who could use it.
    pub(super) fn free_place(&self) {
        let mut state = self.state();
        state.open -= 1;
        state.connecting -= 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn take_usable(
        &mut self,
        now: Instant,
        limits: &PoolLimits,
        stale: &mut Vec<Connection>,
    ) -> Option<Connection> {
        if let Some(streams) = &self.streams {
            streams.record.name_age(now, limits);
        }
        stale.extend(self.streams.take_if(|streams| !streams.is_usable(now, limits)));
        if let Some(shared) = self.streams.as_ref().and_then(Connection::share) {
            return Some(shared);
        }
        while let Some(connection) = self.idle.pop() {
            connection.record.name_age(now, limits);
            match connection.is_usable(now, limits) {
                true => return Some(connection),
                false => stale.push(connection),
            }
        }
        None
    }

    /// Whether there are too many, without those that go.
    fn is_over(&self, per_host: u32) -> bool {
        self.open - self.surplus > per_host
    }

    /// One goes because there are too many.
    fn shed(&mut self, record: &Record) {
        self.surplus += u32::from(record.close_for(CloseCause::Surplus));
    }

    fn may_connect(&self, per_host: u32) -> bool {
        self.open < per_host && !(self.speaks_http2 && self.connecting > 0)
    }

    fn place(&mut self, host: &Arc<Host>) -> Place {
        self.open += 1;
        self.connecting += 1;
        Place::new(host)
    }
}

/// A day and an hour: a host that is called once a day stays watched.
const REMEMBERED: Duration = Duration::from_secs(25 * 60 * 60);
