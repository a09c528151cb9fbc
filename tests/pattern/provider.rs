//! A provider whose every answer is drawn, and patterns that count what is under way.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use outrigger::pattern::{Attempt, Call, Flow, Next, Pattern, Wire};
use tokio::time::{Sleep, sleep};
use tower::Service;

/// Counts up while it is kept.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicI64>);

impl Counted {
    pub(crate) fn begin(count: &Arc<AtomicI64>) -> Self {
        count.fetch_add(1, SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// How one request is answered.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) head: u64,
    /// A status, or nothing where the connection breaks.
    pub(crate) status: Option<u16>,
    /// Milliseconds before each part of the body; the last part may break it.
    pub(crate) parts: Vec<u64>,
    pub(crate) breaks: bool,
}

impl Scene {
    pub(crate) fn good() -> Self {
        Self { head: 0, status: Some(200), parts: Vec::new(), breaks: false }
    }
}

/// Answers by scenes, and then well.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provider {
    pub(crate) scenes: Arc<Mutex<VecDeque<Scene>>>,
    pub(crate) open: Arc<AtomicI64>,
    pub(crate) sent: Arc<AtomicUsize>,
}

impl Provider {
    pub(crate) fn answering(scenes: impl IntoIterator<Item = Scene>) -> Self {
        let provider = Self::default();
        provider.scenes.lock().unwrap().extend(scenes);
        provider
    }
}

/// A body whose parts take their time.
#[derive(Debug)]
pub(crate) struct Parts {
    parts: VecDeque<u64>,
    breaks: bool,
    wait: Option<Pin<Box<Sleep>>>,
    _open: Counted,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(part) = self.parts.front().copied() else { return Poll::Ready(None) };
        if part > 0 {
            let wait =
                self.wait.get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(part))));
            ready!(wait.as_mut().poll(cx));
        }
        self.wait = None;
        self.parts.pop_front();
        if self.breaks && self.parts.is_empty() {
            return Poll::Ready(Some(Err(io::Error::other("broken"))));
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"part")))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }
}

impl<B: Send + 'static> Service<Request<B>> for Provider {
    type Response = Response<Parts>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Parts>, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        self.sent.fetch_add(1, SeqCst);
        let open = Counted::begin(&self.open);
        let scene = self.scenes.lock().unwrap().pop_front().unwrap_or_else(Scene::good);
        Box::pin(async move {
            if scene.head > 0 {
                sleep(Duration::from_millis(scene.head)).await;
            }
            let Some(status) = scene.status else { return Err(io::Error::other("reset")) };
            let parts = scene.parts.into();
            let body = Parts { parts, breaks: scene.breaks, wait: None, _open: open };
            Ok(Response::builder().status(status).body(body).unwrap())
        })
    }
}

/// Counts the calls that are inside, to the end of the answer's body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inside(pub(crate) Arc<AtomicI64>);

impl Pattern for Inside {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let _inside = Counted::begin(&self.0);
        next.run(call, attempt).await
    }
}

/// Looks at the head, and hands it up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks(pub(crate) Arc<AtomicI64>);

impl Pattern for Looks {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let _inside = Counted::begin(&self.0);
        let mut running = pin!(next.run(call, attempt));
        let held = attempt.head(running.as_mut()).await;
        held.hand_up().await
    }
}
