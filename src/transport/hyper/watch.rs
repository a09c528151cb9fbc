use std::fmt;

use hyper_util::client::legacy::connect::CaptureConnection;

use crate::body::{BodyEnd, OnBodyEnd};
use crate::context::Context;

/// Watches over the connection that a request took, until the answer's body is over.
///
/// A connection that a limit passed on may be dead. Over HTTP/1.1 it is closed with the request; an
/// HTTP/2 connection would be given to the next request, and the next.
pub struct Watch {
    connection: CaptureConnection,
    context: Option<Context>,
    /// The answer is complete: there is nothing to watch over any more.
    over: bool,
}

impl Watch {
    pub(super) fn new(connection: CaptureConnection, context: Option<Context>) -> Self {
        Self { connection, context, over: false }
    }

    /// No other request is sent over the connection.
    pub(super) fn leave_connection(&self) {
        if let Some(connection) = &*self.connection.connection_metadata() {
            connection.poison();
        }
    }
}

impl<E> OnBodyEnd<E> for Watch {
    fn end(mut self, end: BodyEnd<'_, E>) {
        self.over = matches!(end, BodyEnd::Complete);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.over && self.context.as_ref().is_some_and(Context::was_cut) {
            self.leave_connection();
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("over", &self.over).finish_non_exhaustive()
    }
}
