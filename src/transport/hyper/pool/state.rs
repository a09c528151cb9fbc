use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::sync::oneshot;

use super::connection::Connection;
use super::host::Host;
use super::place::Place;
use super::queue::Grant;
use super::record::Record;
use crate::terms::CloseCause;
use crate::transport::pool::PoolLimits;

/// The connections and waiting requests of one host.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Connections that are open or being made.
    pub(super) open: u32,
    /// Those of them that are being made.
    pub(super) connecting: u32,
    /// Those of them that go because there are too many.
    pub(super) surplus: u32,
    /// Unused HTTP/1.1 connections. The last one used is used next, so that the others age.
    pub(super) idle: Vec<Connection>,
    /// The HTTP/2 connection that takes new requests.
    pub(super) streams: Option<Connection>,
    /// The host spoke HTTP/2: one connection is enough.
    pub(super) speaks_http2: bool,
    /// The host wants HTTP/1.1 (RFC 9113, 7: `HTTP_1_1_REQUIRED`).
    pub(super) wants_http1: bool,
    /// Who came first is served first.
    pub(super) waiting: VecDeque<oneshot::Sender<Grant>>,
    pub(super) certificate: Option<SeenCertificate>,
}

/// A certificate that the host showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenCertificate {
    pub(super) expires: SystemTime,
    pub(super) seen: Instant,
}

impl State {
    /// Whether a request waits. Requests whose callers left are removed.
    pub(super) fn is_waited_for(&mut self) -> bool {
        while self.waiting.front().is_some_and(oneshot::Sender::is_closed) {
            self.waiting.pop_front();
        }
        !self.waiting.is_empty()
    }

    /// The request that has waited longest, of those whose callers are there.
    pub(super) fn next_waiting(&mut self) -> Option<oneshot::Sender<Grant>> {
        self.is_waited_for().then(|| self.waiting.pop_front())?
    }

    /// Adds a waiting request. Those whose callers left are removed whenever the queue has doubled.
    pub(super) fn wait_in_line(&mut self, grant: oneshot::Sender<Grant>) {
        if self.waiting.len() == self.waiting.capacity() {
            self.waiting.retain(|grant| !grant.is_closed());
        }
        self.waiting.push_back(grant);
    }

    /// A free connection. With `since`, one that has proved since then that it is alive.
    pub(super) fn take_usable(
        &mut self,
        now: Instant,
        limits: &PoolLimits,
        since: Option<Instant>,
        stale: &mut Vec<Connection>,
    ) -> Option<Connection> {
        if let Some(stream) = self.take_stream(now, limits, stale) {
            return Some(stream);
        }
        while let Some(connection) = self.idle.pop() {
            connection.record.name_age(now, limits);
            if !connection.is_usable(now, limits) {
                stale.push(connection);
            } else if since.is_some_and(|since| !connection.record.was_used_since(since)) {
                // The others were left alone for longer.
                if self.may_connect(limits.per_host) {
                    self.idle.push(connection);
                } else {
                    // It makes place for a new one.
                    self.shed(&connection.record);
                    stale.push(connection);
                }
                return None;
            } else {
                return Some(connection);
            }
        }
        None
    }

    /// A stream of the HTTP/2 connection, where the peer takes another.
    pub(super) fn take_stream(
        &mut self,
        now: Instant,
        limits: &PoolLimits,
        stale: &mut Vec<Connection>,
    ) -> Option<Connection> {
        self.drop_unusable(now, limits, stale);
        let streams = self.streams.as_ref().filter(|streams| streams.record.takes_stream())?;
        // It may have been closed since another request began to use it.
        streams.record.set_kept();
        streams.share()
    }

    /// Lets go of an HTTP/2 connection that takes no new requests.
    pub(super) fn drop_unusable(
        &mut self,
        now: Instant,
        limits: &PoolLimits,
        stale: &mut Vec<Connection>,
    ) {
        if let Some(streams) = &self.streams {
            streams.record.name_age(now, limits);
        }
        stale.extend(self.streams.take_if(|streams| !streams.is_usable(now, limits)));
    }

    /// Takes the unused connections that have not proved since then that they are alive.
    pub(super) fn take_unproven(&mut self, since: Instant) -> Vec<Connection> {
        self.idle.extract_if(.., |idle| !idle.record.was_used_since(since)).collect()
    }

    /// Takes out an unused connection.
    pub(super) fn take_idle(&mut self, id: u64) -> Option<Connection> {
        let at = self.idle.iter().position(|idle| idle.record.id == id)?;
        Some(self.idle.remove(at))
    }

    /// Whether there are too many, without those that go.
    pub(super) fn is_over(&self, per_host: u32) -> bool {
        self.open - self.surplus > per_host
    }

    /// One goes because there are too many.
    pub(super) fn shed(&mut self, record: &Record) {
        self.surplus += u32::from(record.close_for(CloseCause::Surplus));
    }

    /// Whether there may be one more connection. Over HTTP/2 one is enough, however few streams its
    /// peer takes.
    pub(super) fn may_connect(&self, per_host: u32) -> bool {
        let one_is_enough = self.streams.is_some() || self.speaks_http2 && self.connecting > 0;
        self.open < per_host && !one_is_enough
    }

    pub(super) fn place(&mut self, host: &Arc<Host>) -> Place {
        self.open += 1;
        self.connecting += 1;
        Place::new(host)
    }
}
