use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use http::Request;
use http::response::Parts;
use http_body::{Frame, SizeHint};

use super::saved::SavedRequest;
use super::wire::Wire;
use crate::context::{self, AttemptState, Context, Peer, UploadProgress};
use crate::outcome::{Error, FollowedRedirect};
use crate::rt::Rng;
use crate::terms::Class;

/// One attempt: its request and its answer.
///
/// Patterns read and change both in place; nothing is passed from one pattern to the next.
pub struct Attempt<W: Wire> {
    pub(super) shared: Arc<SharedAttempt<W>>,
}

/// An attempt's request and answer, shared with the call box that polls its code.
pub(super) struct SharedAttempt<W: Wire> {
    stage: AtomicU8,
    slots: Mutex<Slots<W>>,
}

pub(super) struct Slots<W: Wire> {
    pub(super) request: Option<Request<W::Body>>,
    pub(super) head: Option<Parts>,
    pub(super) frame: Option<Frame<W::Data>>,
    pub(super) size: SizeHint,
    pub(super) saved: SavedRequest<W>,
    /// Where the request went, if it was sent and not saved.
    pub(super) peer: Option<Peer>,
    /// Who answered, if that is another host: the client followed a redirect.
    pub(super) answered_by: Option<Peer>,
    /// The call's facts as seen by this attempt; absent between two calls.
    pub(super) context: Option<Context>,
    /// The answer's class, once a layer has asked for it.
    pub(super) class: Option<Class>,
    /// The class that the end of the answer's body gave it, in place of its head's.
    pub(super) ended_as: Option<Class>,
    /// How much of the request's body was sent, if a layer watches it.
    pub(super) upload: Option<UploadProgress>,
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// No answer yet.
    Sent,
    /// A head has arrived and is on its way to the caller.
    Head,
    /// A pattern holds the head, until it hands it up.
    Held,
    /// A pattern holds the head, and reads the body to hand up both.
    ReadAhead,
    /// The caller has the head and waits for a frame.
    Wanted,
    /// A frame has arrived and is on its way to the caller.
    Frame,
}

impl<W: Wire> Attempt<W> {
    pub(super) fn new() -> Self {
        let slots = Slots {
            request: None,
            head: None,
            frame: None,
            size: SizeHint::default(),
            saved: SavedRequest::default(),
            peer: None,
            answered_by: None,
            context: None,
            class: None,
            ended_as: None,
            upload: None,
        };
        let stage = AtomicU8::new(Stage::Sent as u8);
        Self { shared: Arc::new(SharedAttempt { stage, slots: Mutex::new(slots) }) }
    }

    /// The call's facts, as this attempt's request carries them.
    #[must_use]
    pub fn context(&self) -> Context {
        let slots = self.shared.slots();
        slots.context.clone().expect("an attempt has its context until the call is over")
    }

    /// The call's own facts.
    pub(crate) fn facts(&self) -> Arc<context::Call> {
        self.state(|state| Arc::clone(state.call()))
    }

    /// The error to end the call with, if somebody has stopped it. To be asked after each wait.
    pub(crate) fn refusal(&self) -> Option<Error> {
        match self.state(|state| state.call().may_repeat()) {
            // Nobody has switched anything off.
            true => None,
            false => self.context().refusal(),
        }
    }

    /// Waits until somebody forbids further attempts; returns at once if somebody already has.
    pub(crate) async fn stopped(&self) {
        let call = self.facts();
        loop {
            let mut moved: Vec<_> = call.stops().map(|stop| stop.moved()).collect();
            poll_fn(|cx| {
                // Poll all of them, so that each one wakes this task.
                let any = moved.iter_mut().map(|moved| moved.as_mut().poll(cx).is_ready());
                let is_moved = any.fold(false, |any, one| any | one);
                match is_moved || !call.may_repeat() {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
            if !call.may_repeat() {
                return;
            }
        }
    }

    /// Whether the answer's head is there, and a pattern further in holds it while it reads the body, to hand
    /// up both.
    pub(crate) fn is_read_ahead(&self) -> bool {
        self.shared.is(Stage::ReadAhead)
    }

    /// Reads or changes the attempt's state.
    pub(crate) fn state<R>(&self, look: impl FnOnce(&AttemptState) -> R) -> R {
        let slots = self.shared.slots();
        let context = slots.context.as_ref();
        look(context.expect("an attempt has its context until the call is over").state())
    }
}

// === impl SharedAttempt ===

impl<W: Wire> SharedAttempt<W> {
    pub(super) fn slots(&self) -> MutexGuard<'_, Slots<W>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn is(&self, stage: Stage) -> bool {
        self.stage.load(Relaxed) == stage as u8
    }

    #[inline]
    pub(super) fn set(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
    }

    /// Begins an attempt with this request.
    pub(super) fn begin(
        &self,
        slots: &mut Slots<W>,
        mut request: Request<W::Body>,
        context: Option<Context>,
    ) {
        self.set(Stage::Sent);
        (slots.head, slots.frame, slots.upload) = (None, None, None);
        (slots.class, slots.ended_as, slots.answered_by) = (None, None, None);
        let mut context = context;
        if let Some(context) = context.as_mut().filter(|context| context.attempt() > 1) {
            context.continue_trace(request.headers_mut(), &Rng::system());
        }
        slots.context = context;
        slots.request = Some(request);
    }

    /// Stores the head of an answer.
    pub(super) fn answer(&self, head: Parts, size: SizeHint) {
        let mut slots = self.slots();
        if let Some(context) = &slots.context {
            context.call().answered(head.status);
        }
        let followed = head.extensions.get::<FollowedRedirect>();
        slots.answered_by = followed.and_then(|followed| followed.peer.clone());
        (slots.head, slots.size) = (Some(head), size);
        (slots.class, slots.ended_as) = (None, None);
    }

    /// Moves the head and the facts of another attempt here.
    pub(super) fn take_over(&self, other: &Self) {
        let mut from = other.slots();
        let taken = (from.head.take(), from.size, from.context.clone());
        let (classes, answered_by) = ((from.class, from.ended_as), from.answered_by.take());
        drop(from);
        let mut slots = self.slots();
        (slots.head, slots.size, slots.context) = taken;
        (slots.class, slots.ended_as) = classes;
        slots.answered_by = answered_by;
    }

    pub(super) fn put_frame(&self, frame: Frame<W::Data>, size: SizeHint) {
        let mut slots = self.slots();
        (slots.frame, slots.size) = (Some(frame), size);
    }

    /// The host that the request is for, or went to, with its port.
    pub(super) fn peer(&self) -> Option<Peer> {
        let Slots { request, saved, peer, answered_by, .. } = &*self.slots();
        if answered_by.is_some() {
            return answered_by.clone();
        }
        match request.as_ref().map(Request::uri).or_else(|| saved.uri()) {
            Some(uri) => Peer::of(uri),
            None => peer.clone(),
        }
    }

    /// Clears everything for the next call, and keeps the memory.
    pub(super) fn clear(&self) -> Option<Context> {
        let mut slots = self.slots();
        (slots.request, slots.head, slots.frame, slots.class) = (None, None, None, None);
        slots.saved.clear();
        (slots.upload, slots.peer, slots.answered_by) = (None, None, None);
        slots.context.take()
    }
}

impl<W: Wire> std::fmt::Debug for Attempt<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}
