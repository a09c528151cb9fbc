use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use outrigger::{Body, BoxError};
use tower::Service;

/// A provider whose answers take several polls, and whose bodies trickle.
///
/// The first request gets the first reply, and so on; the last one repeats.
#[derive(Clone, Debug)]
pub(crate) struct Provider(Arc<Mutex<State>>);

/// One answer of a [`Provider`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    status: u16,
    after: Duration,
    polls: u32,
    frames: u32,
    gap: Duration,
}

#[derive(Debug)]
struct State {
    replies: Vec<Reply>,
    begun: usize,
    bodies: Vec<Bytes>,
}

impl Reply {
    /// A status after three polls, with a body of three frames.
    pub(crate) fn status(status: u16) -> Self {
        Self { status, after: Duration::ZERO, polls: 3, frames: 3, gap: Duration::ZERO }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    /// So many frames, with as much silence before each.
    pub(crate) fn frames(self, frames: u32, gap: Duration) -> Self {
        Self { frames, gap, ..self }
    }
}

impl Provider {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self(Arc::new(Mutex::new(State {
            replies: replies.into_iter().collect(),
            begun: 0,
            bodies: Vec::new(),
        })))
    }

    /// The bodies of the requests that were read to the end.
    pub(crate) fn bodies(&self) -> Vec<Bytes> {
        self.state().bodies.clone()
    }

    fn next(&self) -> Reply {
        let mut state = self.state();
        let at = state.begun.min(state.replies.len() - 1);
        state.begun += 1;
        state.replies[at]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service<Request<Body>> for Provider {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (provider, reply) = (self.clone(), self.next());
        Box::pin(async move {
            let body = request.into_body().collect().await?.to_bytes();
            provider.state().bodies.push(body);
            for _ in 0..reply.polls {
                pause(Duration::ZERO).await;
            }
            pause(reply.after).await;
            let mut response = Response::new(trickle(reply.frames, reply.gap));
            *response.status_mut() = StatusCode::from_u16(reply.status)?;
            Ok(response)
        })
    }
}

/// A body of so many frames, with as much silence before each.
pub(crate) fn trickle(frames: u32, gap: Duration) -> Body {
    Body::new(StreamBody::new(stream::unfold(frames, move |left| async move {
        pause(gap).await;
        let frame = Frame::data(Bytes::from_static(b"drop "));
        (left > 0).then(|| (Ok::<_, Infallible>(frame), left - 1))
    })))
}

/// Waits, or, where there is nothing to wait for, takes one more poll.
async fn pause(time: Duration) {
    if !time.is_zero() {
        return tokio::time::sleep(time).await;
    }
    let mut paused = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
