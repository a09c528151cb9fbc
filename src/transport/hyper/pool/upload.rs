//! Request bodies on their way over HTTP/2, which can be ended when their answer is over.
//!
//! hyper sends a body in a task of its own. It ends that task where the answer is given up before its
//! head came; later, nobody can, and a host that reads no more keeps task and stream for good.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::SetOnce;
use tokio::task::AbortHandle;

use super::signals::Signals;
use crate::body::{Body, PolledFrame, size_with};
use crate::outcome::Error;
use crate::rt::{self, Lock};

/// A body that is being sent.
#[derive(Debug, Default)]
pub(super) struct Upload {
    task: OnceLock<AbortHandle>,
    /// The number of its frames that hyper has taken.
    frames: AtomicU64,
    ended: SetOnce<()>,
}

/// The tasks that hyper runs for one HTTP/2 connection.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// The first: it reads and writes.
    connection: OnceLock<AbortHandle>,
    /// The upload that gets its task next: hyper polls a body once, and if that isn't ready, spawns
    /// its task before anything else.
    beginning: Mutex<Option<Arc<Upload>>>,
}

/// Runs the tasks of one connection.
#[derive(Clone, Debug)]
pub(in super::super) struct Executor(Arc<Signals>);

/// The body, as it is passed to hyper.
struct Uploading {
    inner: Body,
    /// The rest of a large frame.
    rest: Bytes,
    upload: Arc<Upload>,
    signals: Arc<Signals>,
    is_begun: bool,
}

impl Upload {
    /// A body whose sending can be ended; a small one that is all here is sent at once.
    pub(super) fn watch(body: Body, signals: &Arc<Signals>) -> (Body, Option<Arc<Self>>) {
        if body.as_bytes().is_some_and(|bytes| bytes.len() <= PART) {
            return (body, None);
        }
        let upload = Arc::new(Self::default());
        let uploading = Uploading {
            inner: body,
            rest: Bytes::new(),
            upload: Arc::clone(&upload),
            signals: Arc::clone(signals),
            is_begun: false,
        };
        (Body::new(uploading), Some(upload))
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.initialized()
    }

    pub(super) async fn ended(&self) {
        self.ended.wait().await;
    }

    /// Resets its stream, if it is not ended.
    pub(super) fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

// === impl Tasks ===

impl Tasks {
    /// Forgets a body that got no task.
    pub(super) fn forget_beginning(&self) {
        drop(self.beginning(None));
    }

    /// Ends the connection, which is no longer used.
    pub(super) fn end(&self) {
        if let Some(connection) = self.connection.get() {
            connection.abort();
        }
    }

    /// Whether the connection is over, or is driven by no task of its own.
    pub(super) fn is_ended(&self) -> bool {
        self.connection.get().is_none_or(AbortHandle::is_finished)
    }

    fn add(&self, task: AbortHandle) {
        if let Err(task) = self.connection.set(task)
            && let Some(upload) = self.beginning(None)
        {
            let _ = upload.task.set(task);
        }
    }

    fn beginning(&self, next: Option<Arc<Upload>>) -> Option<Arc<Upload>> {
        std::mem::replace(&mut self.beginning.locked(), next)
    }
}

// === impl Executor ===

impl Executor {
    pub(in super::super) fn new(signals: &Arc<Signals>) -> Self {
        Self(Arc::clone(signals))
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, work: F) {
        self.0.tasks.add(rt::spawn_task(work).into_handle());
    }
}

// === impl Uploading ===

impl http_body::Body for Uploading {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.signals.tasks.beginning(Some(Arc::clone(&self.upload)));
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = match self.rest.is_empty() {
            true => ready!(Pin::new(&mut self.inner).poll_frame(cx)),
            false => Some(Ok(Frame::data(std::mem::take(&mut self.rest)))),
        };
        self.upload.frames.fetch_add(1, Ordering::Relaxed);
        let part = |mut data: Bytes| {
            self.rest = data.split_off(FRAME.min(data.len()));
            data
        };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        size_with(self.rest.len(), &self.inner.size_hint())
    }
}

impl Drop for Uploading {
    fn drop(&mut self) {
        let _ = self.upload.ended.set(());
    }
}

/// A body that is all here and no longer than this goes out as it is. As large as a stream's window is
/// by default (RFC 9113, 6.9.2), but for a byte.
const PART: usize = 1 << 16;
/// As much as one frame of a longer one has at most: hyper takes the next when there is room for it, so
/// that a host that reads no more holds up the body here, and not in a buffer, and that a frame was
/// taken says that the host reads on.
const FRAME: usize = 1 << 14;
