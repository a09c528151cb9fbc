use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::host::Host;
use crate::body::OnBodyEnd;
use crate::context::Context;
use crate::rt;
use crate::terms::CloseCause;

/// The use of a connection for one request. Dropping it returns the connection.
#[derive(Debug)]
pub(in super::super) struct Lease {
    /// Present until it is dropped.
    connection: Option<Connection>,
    host: Arc<Host>,
}

/// A connection whose request has ended. Dropping it returns the connection to the pool.
struct Returning {
    connection: Option<Connection>,
    host: Arc<Host>,
}

/// A lease for as long as a request is on its way and its answer's body is read.
///
/// After a timeout the connection may be dead, so it is not used again.
pub struct Hold {
    lease: Lease,
    context: Option<Context>,
    sent_at: Instant,
    /// The connection was used before.
    was_kept: bool,
    /// The answer's head has come.
    answered: bool,
    /// The answer is complete, or there is none: nothing is cut off any more.
    over: bool,
}

impl Lease {
    pub(super) fn new(host: &Arc<Host>, connection: Connection) -> Self {
        connection.record.begin_use();
        Self { connection: Some(connection), host: Arc::clone(host) }
    }

    pub(in super::super) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a lease has its connection until it is dropped")
    }

    /// Another user of the same connection, if it can be shared.
    pub(super) fn share(&self) -> Option<Connection> {
        self.connection.as_ref()?.share()
    }

    /// The connection took no request, and takes no other.
    fn refuse(&self) {
        if let Some(connection) = &self.connection {
            connection.record.refuse();
            self.host.leave(&connection.record);
        }
    }

    /// No other request is sent over the connection.
    fn close_for(&self, cause: CloseCause) {
        if let Some(connection) = &self.connection {
            connection.record.close_for(cause);
            self.host.leave(&connection.record);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let is_over = connection.is_over();
        let returning = Returning { connection: Some(connection), host: Arc::clone(&self.host) };
        if !is_over {
            // The answer's end reaches the reader a moment before the connection is free. Where there
            // is no runtime, it goes back as it is, and is closed.
            rt::spawn(returning.wait());
        }
    }
}

// === impl Returning ===

impl Returning {
    /// Waits until the connection could take another request, or never can. An upload that goes on
    /// after its answer goes on as long as it moves.
    async fn wait(mut self) {
        let Some(connection) = &mut self.connection else { return };
        let (mut progress, mut still) = (connection.progress(), 0);
        // In several looks, so that a machine that stood still is not taken for a host that does.
        while still < LOOKS {
            let due = rt::after(rt::now(), UPLOAD_STALLED / LOOKS);
            if rt::until(Some(due), connection.over()).await.is_some() {
                return;
            }
            // Where the last of an upload goes out after its answer was read, hyper takes no notice.
            connection.record.signals.nudge();
            let before = std::mem::replace(&mut progress, connection.progress());
            still = if before == progress { still + 1 } else { 0 };
        }
        connection.abort_upload();
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if !connection.is_over() {
            // Nobody looks after it any more.
            connection.abort_upload();
        }
        self.host.give_back(connection);
    }
}

// === impl Hold ===

impl Hold {
    pub(in super::super) fn new(mut lease: Lease, context: Option<Context>) -> Self {
        let was_kept = lease.connection().was_kept();
        let (sent_at, answered, over) = (rt::now(), false, false);
        Self { lease, context, sent_at, was_kept, answered, over }
    }

    pub(in super::super) fn connection(&mut self) -> &mut Connection {
        self.lease.connection()
    }

    /// When the request was sent, where the connection was used before and may have been closed while
    /// nobody looked.
    pub(in super::super) fn kept_when_sent(&self) -> Option<Instant> {
        self.was_kept.then_some(self.sent_at)
    }

    /// The answer's head has come.
    pub(in super::super) fn answered(&mut self) {
        self.answered = true;
    }

    /// It led to the wrong server.
    pub(in super::super) fn misdirected(&self) {
        self.lease.close_for(CloseCause::Misdirected);
    }

    /// The host wants the request over HTTP/1.1.
    pub(in super::super) fn wants_http1(&self) {
        if let Some(connection) = &self.lease.connection {
            self.lease.host.require_http1(&connection.record);
        }
    }

    /// There will be no answer: the connection was closed before it took the request.
    pub(in super::super) fn unsent(mut self) {
        self.over = true;
        self.lease.refuse();
    }

    /// There will be no answer. If this connection broke, others may have broken with it.
    pub(in super::super) fn failed(mut self, broke: bool) {
        self.over = true;
        if !self.connection().is_http2() {
            self.lease.close_for(CloseCause::Broken);
        }
        if broke {
            self.distrust(CloseCause::Broken);
        }
    }

    /// Closes the idle connections that were unused for as long as this one and have answered
    /// nothing since its request was sent. The cause that ended this one may have ended them, too,
    /// and the next attempt must not find them broken one by one.
    fn distrust(&self, cause: CloseCause) {
        if let Some(since) = self.kept_when_sent() {
            self.lease.host.close_unproven(since, cause);
        }
    }
}

impl OnBodyEnd for Hold {
    fn end(mut self) {
        self.over = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let was_cut = self.context.as_ref().is_some_and(Context::was_cut);
        let Some(connection) = &self.lease.connection else { return };
        match connection.is_http2() {
            // hyper may have to close it.
            false if self.answered && !was_cut => connection.record.abandon(true),
            is_http2 => {
                // The host may have fallen silent, or read no more; otherwise it loses no more than a
                // stream.
                let may_be_stuck = was_cut || !connection.is_over();
                connection.abort_upload();
                if is_http2 && may_be_stuck {
                    self.lease.close_for(CloseCause::Cut);
                }
            }
        }
        if was_cut && !self.answered {
            self.distrust(CloseCause::Cut);
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("over", &self.over).finish_non_exhaustive()
    }
}

/// For how long an upload may stand still once its answer is over: a few of TCP's retransmissions. A
/// host that has answered and reads no more would keep it for good.
const UPLOAD_STALLED: Duration = Duration::from_secs(1);
const LOOKS: u32 = 10;
