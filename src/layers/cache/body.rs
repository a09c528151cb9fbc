use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

use crate::body::Body;
use crate::outcome::{Error, ErrorKind};
use crate::terms::Delivery;

/// The body of an answer that a task reads and stores, while the call that began it reads it too.
pub(super) enum FilledBody {
    /// The task reads.
    Piped { pieces: mpsc::UnboundedReceiver<Piece>, size: SizeHint },
    /// Nobody else reads: it isn't stored.
    Own(Body),
    /// It has ended.
    Over,
}

/// The other end of a piped body. What it holds is bounded by the largest body that is stored.
pub(super) struct Pipe(mpsc::UnboundedSender<Piece>);

pub(super) enum Piece {
    Frame(Frame<Bytes>),
    /// A frame after which nothing comes.
    Last(Frame<Bytes>),
    /// The rest isn't stored, so the call reads it itself.
    Rest(Body),
    Failed(Error),
    End,
}

impl FilledBody {
    pub(super) fn piped(size: SizeHint) -> (Pipe, Self) {
        let (pipe, pieces) = mpsc::unbounded_channel();
        (Pipe(pipe), Self::Piped { pieces, size })
    }
}

impl Pipe {
    /// The call may have left.
    pub(super) fn send(&self, piece: Piece) {
        let _ = self.0.send(piece);
    }
}

impl http_body::Body for FilledBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let piece = match &mut *self {
            Self::Piped { pieces, .. } => ready!(pieces.poll_recv(cx)),
            Self::Own(body) => return Pin::new(body).poll_frame(cx),
            Self::Over => return Poll::Ready(None),
        };
        match piece {
            Some(Piece::Frame(frame)) => {
                self.count(&frame);
                return Poll::Ready(Some(Ok(frame)));
            }
            Some(Piece::Rest(body)) => {
                self.set(Self::Own(body));
                return self.poll_frame(cx);
            }
            _ => self.set(Self::Over),
        }
        Poll::Ready(match piece {
            Some(Piece::Last(frame)) => Some(Ok(frame)),
            Some(Piece::Failed(error)) => Some(Err(error)),
            Some(_) => None,
            // Its task has panicked, or its runtime is shutting down.
            None => Some(Err(ended_early())),
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Piped { .. } => false,
            Self::Own(body) => body.is_end_stream(),
            Self::Over => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Piped { size, .. } => *size,
            Self::Own(body) => body.size_hint(),
            Self::Over => SizeHint::with_exact(0),
        }
    }
}

impl FilledBody {
    /// Takes a frame off the size that is still to come.
    fn count(&mut self, frame: &Frame<Bytes>) {
        if let (Self::Piped { size, .. }, Some(data)) = (self, frame.data_ref()) {
            *size = match size.exact() {
                Some(left) => SizeHint::with_exact(left.saturating_sub(data.remaining() as u64)),
                None => SizeHint::default(),
            };
        }
    }
}

/// The fetch's task has ended without a result.
pub(super) fn ended_early() -> Error {
    Error::new(ErrorKind::Other, Delivery::Unknown).with_detail("the fetch for the cache was ended")
}
