use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use super::connection::Connection;
use super::host::Host;
use crate::body::{BodyEnd, OnBodyEnd};
use crate::context::Context;
use crate::event::CloseCause;
use crate::rt;

/// The use of one connection for one request; it goes back when this is dropped.
#[derive(Debug)]
pub(in super::super) struct Lease {
    /// Present until it is dropped or taken.
    connection: Option<Connection>,
    host: Arc<Host>,
}

/// A lease for as long as a request is on its way and its answer's body is read.
///
/// A connection that a limit passed on may be dead: it isn't used again.
pub struct Hold {
    lease: Lease,
    context: Option<Context>,
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

    /// Another user of the same connection, where it takes several.
    pub(super) fn share(&self) -> Option<Connection> {
        self.connection.as_ref()?.share()
    }

    /// The connection alone; it is its new owner's to end its use.
    pub(super) fn take(&mut self) -> Option<Connection> {
        self.connection.take()
    }

    /// The connection took no request, and takes no other.
    fn refuse(&self) {
        if let Some(connection) = &self.connection {
            connection.record.refuse();
            self.host.leave(&connection.record);
        }
    }

    /// No other request is sent over the connection.
    pub(in super::super) fn close_for(&self, cause: CloseCause) {
        if let Some(connection) = &self.connection {
            connection.record.close_for(cause);
            self.host.leave(&connection.record);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let host = Arc::clone(&self.host);
        if connection.is_over() {
            return host.give_back(connection);
        }
        // The answer's end reaches the reader a moment before the connection is free.
        rt::spawn(async move {
            poll_fn(|cx| connection.poll_over(cx)).await;
            host.give_back(connection);
        });
    }
}

// === impl Hold ===

impl Hold {
    pub(in super::super) fn new(lease: Lease, context: Option<Context>) -> Self {
        Self { lease, context, over: false }
    }

    pub(in super::super) fn connection(&mut self) -> &mut Connection {
        self.lease.connection()
    }

    /// It led to the wrong server.
    pub(in super::super) fn misdirected(&self) {
        self.lease.close_for(CloseCause::Misdirected);
    }

    /// There will be no answer, because the connection was closed before it took the request.
    pub(in super::super) fn unsent(mut self) {
        self.over = true;
        self.lease.refuse();
    }

    /// There will be no answer.
    pub(in super::super) fn failed(mut self) {
        self.over = true;
        if !self.connection().is_http2() {
            self.lease.close_for(CloseCause::Broken);
        }
    }
}

impl<E> OnBodyEnd<E> for Hold {
    fn end(mut self, _: BodyEnd<'_, E>) {
        self.over = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if self.context.as_ref().is_some_and(Context::was_cut) {
            self.lease.close_for(CloseCause::Cut);
        } else if let Some(connection) = self.lease.connection.as_ref().filter(|c| !c.is_http2()) {
            // hyper may have to close it; an HTTP/2 connection loses no more than a stream.
            connection.record.abandon(true);
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("over", &self.over).finish_non_exhaustive()
    }
}
