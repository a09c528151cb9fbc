use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Context;
use std::thread::{self, ThreadId};

use bytes::Bytes;
use http::Method;
use http_body::{Body as HttpBody, SizeHint};

use crate::body::{Body, PolledFrame};
use crate::outcome::Error;
use crate::replay::is_safe;
use crate::rt::Lock;

/// Sees whether a request was ever handed to a connection.
///
/// It rides on the request's body, which the client can't copy: only the first request for a call has
/// it, and neither a redirect nor a repetition does. hyper drives connections in tasks of their own,
/// and moves a request there, body and all, once a connection takes it. A request that none took is
/// dropped where its caller is polled. So a body that is dropped during that poll, and that nobody has
/// asked for a frame, belongs to a request of which nothing was written.
///
/// (HTTP/3, which is driven by its caller, is the exception: there, it is not used.)
#[derive(Clone, Debug, Default)]
pub(super) struct Witness(Arc<WitnessState>);

#[derive(Debug, Default)]
struct WitnessState {
    /// Where the request's caller is being polled, while it is.
    polling: Mutex<Option<ThreadId>>,
    came_back: AtomicBool,
}

/// A request's body with its witness.
#[derive(Debug)]
pub(super) struct WitnessedBody {
    body: Body,
    witness: Witness,
    /// The client isn't told how long it is. An empty body is one that it can send again, and this one
    /// must not be.
    is_of_unknown_size: bool,
    /// Somebody asked for a frame of it.
    is_asked: bool,
}

/// The caller is being polled, for as long as this lives.
pub(super) struct Polling<'a>(&'a Witness);

impl Witness {
    /// The body of a request with this method.
    pub(super) fn watch(&self, body: Body, method: &Method) -> WitnessedBody {
        let is_of_unknown_size = body.is_end_stream() && !is_safe(method);
        WitnessedBody { body, witness: self.clone(), is_of_unknown_size, is_asked: false }
    }

    /// The caller is polled on this thread, where no connection can be meanwhile.
    pub(super) fn poll_begins(&self) -> Polling<'_> {
        *self.0.polling.locked() = Some(thread::current().id());
        Polling(self)
    }

    /// Whether the request was provably never handed to a connection.
    pub(super) fn came_back(&self) -> bool {
        self.0.came_back.load(Ordering::Relaxed)
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        *self.0.0.polling.locked() = None;
    }
}

impl Drop for WitnessedBody {
    fn drop(&mut self) {
        let polling = *self.witness.0.polling.locked();
        if !self.is_asked && polling.is_some_and(|thread| thread == thread::current().id()) {
            self.witness.0.came_back.store(true, Ordering::Relaxed);
        }
    }
}

impl HttpBody for WitnessedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> PolledFrame {
        self.is_asked = true;
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_of_unknown_size { SizeHint::default() } else { self.body.size_hint() }
    }
}
