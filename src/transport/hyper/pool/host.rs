use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::connection::{Driver, Sender};
use super::hosts::Shared;
use super::lease::Lease;
use super::place::Place;
use super::record::Record;
use super::signals::Signals;
use super::state::{SeenCertificate, State};
use crate::rt::{self, Lock};
use crate::terms::CloseCause;

/// The connections to one host.
#[derive(Debug)]
pub(in super::super) struct Host {
    pub(super) shared: Arc<Shared>,
    pub(super) state: Mutex<State>,
}

impl Host {
    pub(super) fn new(shared: Arc<Shared>, speaks_http2: bool) -> Self {
        Self { shared, state: Mutex::new(State { speaks_http2, ..State::default() }) }
    }

    /// The right to make one more connection, if the limits allow it.
    pub(in super::super) fn place(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state.locked();
        state.may_connect(self.shared.limits().per_host).then(|| state.place(self))
    }

    /// Sends nothing new over an HTTP/2 connection.
    pub(super) fn leave(self: &Arc<Self>, record: &Record) {
        let mut state = self.state.locked();
        let left = state.streams.take_if(|streams| streams.record.id == record.id);
        drop(state);
        if left.is_some() {
            // Requests that waited for a stream of it need another connection.
            self.grant_place();
        }
    }

    /// Gives a new connection to the requests that can use it. Over HTTP/2, those are all.
    pub(in super::super) fn established(
        self: &Arc<Self>,
        mut place: Place,
        sender: Sender,
        driver: Driver,
        signals: Arc<Signals>,
    ) -> Lease {
        place.keep();
        let lease = Lease::new(self, self.open(sender, driver, signals));
        let mut state = self.state.locked();
        state.connecting -= 1;
        let Some(shared) = lease.share() else {
            if std::mem::take(&mut state.speaks_http2) {
                // It speaks HTTP/1.1 only: requests that waited for one shared connection need
                // their own.
                drop(state);
                self.grant_place();
            }
            return lease;
        };
        if state.streams.is_some() || state.wants_http1 {
            // It serves its own request and goes: another was faster, or the host wants HTTP/1.1.
            state.shed(&shared.record);
            drop(state);
            return lease;
        }
        state.speaks_http2 = true;
        state.streams = Some(shared);
        drop(state);
        self.grant_streams();
        lease
    }

    /// A connection is closed: its place is free.
    pub(super) fn closed(self: &Arc<Self>, record: &Arc<Record>) {
        self.leave(record);
        let mut state = self.state.locked();
        // Before it is looked for: whoever gives it back from here on keeps it out.
        record.end();
        let gone = state.take_idle(record.id);
        state.open -= 1;
        state.surplus -= u32::from(record.cause() == Some(CloseCause::Surplus));
        drop(state);
        drop(gone);
        self.shared.count_closed(record);
        self.grant_place();
    }

    /// Follows what the peer said, and closes a connection that nobody needs any more; otherwise says
    /// when to look again.
    pub(super) fn review(self: &Arc<Self>, record: &Record) -> Option<Instant> {
        if record.refuses() {
            self.leave(record);
        }
        self.grant_streams();
        let now = rt::now();
        let limits = self.shared.limits();
        if let Some(cause) = record.age(now, &limits) {
            self.release(record, cause);
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
        let mut state = self.state.locked();
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

    /// The host demands HTTP/1.1: no more requests are sent over this or another HTTP/2 connection.
    pub(super) fn require_http1(self: &Arc<Self>, record: &Record) {
        let mut state = self.state.locked();
        (state.wants_http1, state.speaks_http2) = (true, false);
        drop(state);
        record.refuse();
        self.leave(record);
    }

    pub(in super::super) fn wants_http1(&self) -> bool {
        self.state.locked().wants_http1
    }

    /// Closes the unused connections that have not proved since then that they are alive.
    pub(super) fn close_unproven(&self, since: Instant, cause: CloseCause) {
        // Dropped after the lock is free again.
        let unproven = self.state.locked().take_unproven(since);
        for connection in &unproven {
            connection.record.close_for(cause);
        }
    }

    /// Why no connection is free, as text for people.
    pub(in super::super) fn none_free(&self) -> String {
        let state = self.state.locked();
        let streams = state.streams.as_ref().map(|streams| streams.record.signals.max_streams());
        match (streams, self.shared.limits().per_host) {
            (Some(most), _) => format!("no stream free, the host takes {most} at once"),
            (None, u32::MAX) => "the one connection is still being made".into(),
            (None, most) => format!("no connection free, {} of {most} in use", state.open),
        }
    }

    /// Whether all requests wait for the one connection that is being made.
    pub(in super::super) fn is_being_reached(&self) -> bool {
        let state = self.state.locked();
        state.speaks_http2 && state.streams.is_none() && state.connecting > 0
    }

    /// How many connections are open, idle, being made, and waited for.
    pub(super) fn counts(&self) -> (u32, u32, u32) {
        let state = self.state.locked();
        let streams = state.streams.iter().filter(|streams| streams.record.is_idle()).count();
        let idle = state.idle.len() + streams;
        (state.open.saturating_sub(state.connecting), idle as u32, state.connecting)
    }

    /// It showed a certificate that ends then.
    pub(in super::super) fn showed(&self, expires: Option<SystemTime>) {
        let Some(expires) = expires else { return };
        self.state.locked().certificate = Some(SeenCertificate { expires, seen: rt::now() });
    }

    /// When the certificate that the host presented last expires, unless it may have been renewed
    /// since.
    pub(super) fn certificate_expiry(&self, now: Instant) -> Option<SystemTime> {
        let shown = self.state.locked().certificate?;
        let is_fresh = now.saturating_duration_since(shown.seen) <= REMEMBERED;
        is_fresh.then_some(shown.expires)
    }

    fn release(self: &Arc<Self>, record: &Record, cause: CloseCause) {
        let mut state = self.state.locked();
        let unused = state.take_idle(record.id);
        drop(state);
        // One that is in use is closed when its request is over.
        if unused.is_some() || cause == CloseCause::Expired || record.is_idle() {
            record.close_for(cause);
            self.leave(record);
        }
        drop(unused);
    }

    /// A place is free again, and nobody was looked for who could use it.
    pub(super) fn free_place(&self) {
        let mut state = self.state.locked();
        state.open -= 1;
        state.connecting -= 1;
    }
}

/// A day and an hour: a host that is called once a day stays watched.
const REMEMBERED: Duration = Duration::from_secs(25 * 60 * 60);
