use bytes::Buf;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use tokio::sync::oneshot;

use super::seen::CappedBody;
use crate::outcome::Error;
use crate::pattern::Flow;

/// The result of the real call.
#[derive(Debug)]
pub(super) enum RealResult {
    Answered { status: StatusCode, headers: HeaderMap, kept: CappedBody },
    Failed(Error),
}

/// Keeps the real answer and sends it to the task of the copy. If it is dropped, the task stops
/// waiting for it.
#[derive(Debug)]
pub(super) struct RealAnswer {
    sender: oneshot::Sender<RealResult>,
    head: Option<(StatusCode, HeaderMap)>,
    kept: CappedBody,
}

impl RealAnswer {
    pub(super) fn new(sender: oneshot::Sender<RealResult>, cap: usize) -> Self {
        Self { sender, head: None, kept: CappedBody::new(cap) }
    }

    pub(super) fn is_wanted(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) fn answered(&mut self, head: &Parts) {
        self.head = Some((head.status, head.headers.clone()));
    }

    pub(super) fn read<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(data) = frame.data_ref().filter(|_| self.is_wanted()) {
            self.kept.add(data.chunk());
        }
    }

    /// Sends the result when the real answer has ended. The task classifies a failure itself.
    pub(super) fn end(self, flow: Flow) -> Flow {
        let Self { sender, head, kept } = self;
        let real = match (&flow, head) {
            (Err(error), _) => RealResult::Failed(error.said()),
            (Ok(()), Some((status, headers))) => RealResult::Answered { status, headers, kept },
            (Ok(()), None) => return flow,
        };
        // The task may have ended meanwhile.
        let _ = sender.send(real);
        flow
    }
}
