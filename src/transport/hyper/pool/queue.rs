//! Which request gets a connection: one that finds a free one, and otherwise the first in the
//! queue.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::connection::Connection;
use super::driver::end_soon;
use super::host::Host;
use super::lease::Lease;
use super::place::Place;
use super::record::Record;
use crate::rt::{self, Lock};
use crate::terms::CloseCause;

/// What a request gets that asks for a connection.
pub(in super::super) enum Acquired {
    /// A connection.
    Lease(Lease),
    /// The right to make one.
    Place(Place),
    /// Neither yet.
    Wait(oneshot::Receiver<Grant>),
}

/// What a waiting request gets.
#[derive(Debug)]
pub(in super::super) enum Grant {
    Lease(Lease),
    Place(Place),
}

impl Host {
    /// A connection, the right to make one, or a place in the queue. With `since`, only a
    /// connection that has proved since then that it is alive.
    pub(in super::super) fn acquire(self: &Arc<Self>, since: Option<Instant>) -> Acquired {
        let now = rt::now();
        // Dropped after the lock is free again.
        let mut stale = Vec::new();
        let mut state = self.state.locked();
        let limits = self.shared.limits();
        // Free connections are for the requests that wait, not for one that has just come.
        let is_first = !state.is_waited_for();
        let found = match is_first {
            true => state.take_usable(now, &limits, since, &mut stale),
            false => {
                state.drop_unusable(now, &limits, &mut stale);
                None
            }
        };
        let acquired = match found {
            Some(connection) => Acquired::Lease(Lease::new(self, connection)),
            None if is_first && state.may_connect(limits.per_host) => {
                Acquired::Place(state.place(self))
            }
            None => {
                let (grant, granted) = oneshot::channel();
                state.wait_in_line(grant);
                Acquired::Wait(granted)
            }
        };
        drop(state);
        if !is_first && !stale.is_empty() {
            // Requests that wait for a stream of it need another connection.
            self.grant_place();
        }
        acquired
    }

    /// Takes a connection back whose request is over.
    pub(super) fn give_back(self: &Arc<Self>, connection: Connection) {
        let now = rt::now();
        self.end_use(&connection.record, now);
        let limits = self.shared.limits();
        if !connection.is_usable(now, &limits) {
            if connection.record.is_expired(now, &limits) {
                connection.record.close_for(CloseCause::Expired);
            }
            if connection.is_http2() && connection.record.is_idle() {
                // hyper waits for a host that takes no streams, and would never end it.
                end_soon(&connection.record);
            }
            return self.leave(&connection.record);
        }
        connection.record.keep();
        if connection.is_http2() {
            return self.grant_streams();
        }
        self.hand_on(connection);
    }

    /// Gives an HTTP/1.1 connection to a waiting request, or keeps it.
    fn hand_on(self: &Arc<Self>, connection: Connection) {
        let mut state = self.state.locked();
        if connection.record.is_ended() {
            // It was closed meanwhile, and looked for among those that nobody uses.
            return;
        }
        // Asked for anew under the lock: it is trimmed to other limits after they are set.
        let limits = self.shared.limits();
        if state.is_over(limits.per_host) {
            // Whoever waits is served by those that stay.
            return state.shed(&connection.record);
        }
        match state.next_waiting() {
            Some(next) => {
                // Nobody is woken under the lock.
                drop(state);
                let lease = Lease::new(self, connection);
                // If whoever waited went away, the dropped lease gives the connection back.
                let _ = next.send(Grant::Lease(lease));
            }
            None if state.idle.len() < limits.idle_per_host => state.idle.push(connection),
            None => state.shed(&connection.record),
        }
    }

    /// A request is over that was on the connection.
    fn end_use(&self, record: &Arc<Record>, now: Instant) {
        record.end_use(now);
        self.shared.count_closed(record);
    }

    /// Gives the free streams to waiting requests.
    pub(super) fn grant_streams(self: &Arc<Self>) {
        let (now, limits) = (rt::now(), self.shared.limits());
        loop {
            let mut stale = Vec::new();
            let mut state = self.state.locked();
            if state.streams.is_none() || !state.is_waited_for() {
                return;
            }
            let stream = state.take_stream(now, &limits, &mut stale);
            let granted = stream.and_then(|stream| {
                let next = state.next_waiting()?;
                Some((next, Lease::new(self, stream)))
            });
            drop(state);
            if !stale.is_empty() {
                return self.grant_place();
            }
            let Some((next, lease)) = granted else { return };
            // If whoever waited went away, the dropped lease gives the stream back.
            let _ = next.send(Grant::Lease(lease));
        }
    }

    /// Lets the next waiting request make a connection, if the limits allow it.
    pub(super) fn grant_place(self: &Arc<Self>) {
        loop {
            let mut state = self.state.locked();
            if !state.may_connect(self.shared.limits().per_host) {
                return;
            }
            let Some(next) = state.next_waiting() else { return };
            let place = state.place(self);
            drop(state);
            // If whoever waited went away, the dropped place goes to the next.
            let _ = next.send(Grant::Place(place));
        }
    }
}
