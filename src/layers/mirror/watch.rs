use bytes::Buf;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use tokio::sync::oneshot;

use super::seen::Kept;
use crate::outcome::Error;
use crate::pattern::Flow;

/// What came of the real call.
#[derive(Debug)]
pub(super) enum Real {
    Answered { status: StatusCode, headers: HeaderMap, kept: Kept },
    Failed(Error),
}

/// Watches the real answer for its copy, which waits to be told of it; dropped untold, it waits no more.
#[derive(Debug)]
pub(super) struct Watch {
    tell: oneshot::Sender<Real>,
    head: Option<(StatusCode, HeaderMap)>,
    kept: Kept,
}

impl Watch {
    pub(super) fn new(tell: oneshot::Sender<Real>, cap: usize) -> Self {
        Self { tell, head: None, kept: Kept::new(cap) }
    }

    pub(super) fn is_heard(&self) -> bool {
        !self.tell.is_closed()
    }

    pub(super) fn answered(&mut self, head: &Parts) {
        self.head = Some((head.status, head.headers.clone()));
    }

    pub(super) fn read<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(data) = frame.data_ref().filter(|_| self.is_heard()) {
            self.kept.add(data.chunk());
        }
    }

    /// It is over. The copy classifies a failure by itself: the real call's own class is for others to
    /// find.
    pub(super) fn end(self, flow: Flow) -> Flow {
        let Self { tell, head, kept } = self;
        let real = match (&flow, head) {
            (Err(error), _) => Real::Failed(error.said()),
            (Ok(()), Some((status, headers))) => Real::Answered { status, headers, kept },
            (Ok(()), None) => return flow,
        };
        // The copy may have been cut meanwhile, and have no ear for it.
        let _ = tell.send(real);
        flow
    }
}
