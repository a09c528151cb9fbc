use std::any::Any;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

use http::response::Parts;
use http::{Extensions, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Frame, SizeHint};

use super::around::Flow;
use super::held::{Came, Held};
use super::saved::SavedRequest;
use super::wire::{Saved, Wire};
use crate::body::Body;
use crate::context::{self, AttemptState, Context, UploadProgress};
use crate::outcome::{BoxError, Error, SharedClassifier, class_of_head};
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
    /// The call's facts as seen by this attempt; absent between two calls.
    pub(super) context: Option<Context>,
    /// The answer's class, once a layer has asked for it.
    pub(super) class: Option<Class>,
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
            context: None,
            class: None,
            upload: None,
        };
        let stage = AtomicU8::new(Stage::Sent as u8);
        Self { shared: Arc::new(SharedAttempt { stage, slots: Mutex::new(slots) }) }
    }

    // === the request ===

    /// Reads or changes the request; `None` once it was sent.
    pub fn request<R>(&self, look: impl FnOnce(&mut Request<W::Body>) -> R) -> Option<R> {
        self.shared.slots().request.as_mut().map(look)
    }

    /// Takes the request to send it. From here on, the provider may act on it.
    pub(super) fn send(&self, tells: bool) -> Option<Request<W::Body>> {
        let mut slots = self.shared.slots();
        let mut request = slots.request.take()?;
        let context = slots.context.as_ref()?;
        context.state().set_queued(false);
        if tells {
            tell(request.extensions_mut(), context);
        }
        if let Some(upload) = &slots.upload {
            request.extensions_mut().insert(upload.clone());
            request = request.map(|body| W::watch(body, upload));
        }
        Some(request)
    }

    /// Drops the request, as if it had been sent.
    pub(crate) fn lose_request(&self) {
        drop(self.send(false));
    }

    /// Counts in `progress` how much of the request's body is sent.
    pub(crate) fn watch_upload(&self, progress: UploadProgress) {
        self.shared.slots().upload = Some(progress);
    }

    /// Saves the request, with at most `cap` bytes of its body, so that it can be sent again. Only
    /// the first call, by the outermost layer, has an effect.
    pub(crate) fn save(&self, cap: usize) {
        let mut slots = self.shared.slots();
        if slots.saved.is_saved() {
            return;
        }
        if let Some(request) = slots.request.take() {
            let request = slots.saved.save(request, cap);
            slots.request = Some(request);
        }
    }

    /// Which attempt of the call it is; the first is 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.shared.slots().context.as_ref().map_or(1, Context::attempt)
    }

    /// Whether the request can be sent again.
    pub(crate) fn is_kept(&self) -> bool {
        let slots = self.shared.slots();
        slots.saved.is_saved() && slots.saved.body.is_kept()
    }

    /// Whether all of the request's body was sent, and can be sent again.
    pub(crate) fn is_sent(&self) -> bool {
        let slots = self.shared.slots();
        slots.saved.is_saved() && slots.saved.body.is_sent()
    }

    /// Reads the saved request's head, and the answer's if there is one.
    pub(crate) fn exchange<R>(
        &self,
        look: impl FnOnce(Option<&Method>, &[(HeaderName, HeaderValue)], Option<&mut Parts>) -> R,
    ) -> R {
        let mut slots = self.shared.slots();
        let Slots { saved, head, .. } = &mut *slots;
        look(saved.method(), saved.headers(), head.as_mut())
    }

    /// Begins attempt `number` with the saved request, and drops the last attempt's answer. Returns
    /// false if the request can't be sent again.
    pub(crate) fn restart(&self, number: u32, now: Instant) -> bool {
        let mut slots = self.shared.slots();
        let Some(request) = slots.saved.rebuild() else { return false };
        let context = slots.context.take().map(|context| context.next_attempt(number, now));
        self.shared.begin(&mut slots, request, context);
        true
    }

    /// Ends the attempt, after its result was recorded on the call. Nothing is sent until another
    /// attempt begins.
    pub(crate) fn conclude(&self) {
        let mut slots = self.shared.slots();
        slots.context = slots.context.take().map(Context::between_attempts);
    }

    /// Goes on with an attempt that was concluded.
    pub(crate) fn resume(&self, context: Context) {
        let mut slots = self.shared.slots();
        slots.context = Some(context);
    }

    /// A second attempt with the saved request, beside this one, as attempt `number`.
    pub(crate) fn second(&self, number: u32, now: Instant) -> Option<Self> {
        let slots = self.shared.slots();
        let request = slots.saved.rebuild()?;
        let context = slots.context.as_ref().map(|context| context.second(number, now));
        drop(slots);
        let second = Self::new();
        second.shared.begin(&mut second.shared.slots(), request, context);
        Some(second)
    }

    /// The length of the request's body, if it is known.
    pub(crate) fn request_length(&self) -> Option<u64> {
        self.shared.slots().request.as_ref().and_then(|request| W::length(request.body()))
    }

    /// Replaces the request. Does nothing unless its body is an integration's [`Body`].
    pub(crate) fn replace(&self, change: impl FnOnce(Request<Body>) -> Request<Body>) {
        self.lend(|request| *request = change(std::mem::take(request)));
    }

    /// Reads or changes the request, if its body is an integration's [`Body`]. No lock is held,
    /// because `look` may run the host's code.
    pub(crate) fn lend<R>(&self, look: impl FnOnce(&mut Request<Body>) -> R) -> Option<R> {
        let mut request = self.own_request(Option::take)??;
        let result = look(&mut request);
        self.own_request(|own| *own = Some(request));
        Some(result)
    }

    fn own_request<R>(&self, look: impl FnOnce(&mut Option<Request<Body>>) -> R) -> Option<R> {
        let request: &mut dyn Any = &mut self.shared.slots().request;
        request.downcast_mut().map(look)
    }

    /// Continues the call's trace on the request, with a span of this attempt's own.
    pub(crate) fn continue_trace(&self, rng: &Rng) {
        let mut slots = self.shared.slots();
        if let Slots { request: Some(request), context: Some(context), .. } = &mut *slots {
            context.continue_trace(request.headers_mut(), rng);
        }
    }

    // === what is known of it ===

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
        if self.state(|state| state.call().is_unstoppable()) {
            return None;
        }
        self.context().refusal()
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

    /// Reads or changes the attempt's state.
    pub(crate) fn state<R>(&self, look: impl FnOnce(&AttemptState) -> R) -> R {
        let slots = self.shared.slots();
        let context = slots.context.as_ref();
        look(context.expect("an attempt has its context until the call is over").state())
    }

    // === the answer ===

    /// Runs `running`, the inner patterns, until there is a head or an error. Outer patterns don't
    /// see it until it is handed up.
    pub async fn head<'a, F>(&'a self, mut running: Pin<&'a mut F>) -> Held<'a, W, F>
    where
        F: Future<Output = Flow>,
    {
        let came = poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Came::Answer { is_over: true }),
            Poll::Ready(Err(error)) => Poll::Ready(Came::Failed(error)),
            Poll::Pending if self.shared.is(Stage::Head) => {
                self.shared.set(Stage::Held);
                Poll::Ready(Came::Answer { is_over: false })
            }
            Poll::Pending => Poll::Pending,
        })
        .await;
        Held::new(self, came, running)
    }

    /// Waits until the caller, who has everything so far, asks for more.
    pub async fn wanted(&self) {
        poll_fn(|_| match self.shared.is(Stage::Wanted) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// Runs `running` to its next frame (returns `None`) or to its end.
    pub async fn frame<F>(&self, mut running: Pin<&mut F>) -> Option<Flow>
    where
        F: Future<Output = Flow>,
    {
        poll_fn(|cx| match running.as_mut().poll(cx) {
            Poll::Ready(flow) => Poll::Ready(Some(flow)),
            Poll::Pending if self.shared.is(Stage::Frame) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Reads or changes the answer's head, while it is on its way.
    pub fn answer<R>(&self, look: impl FnOnce(&mut Parts) -> R) -> Option<R> {
        self.shared.slots().head.as_mut().map(look)
    }

    /// The answer's status, while its head is on its way.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.shared.slots().head.as_ref().map(|head| head.status)
    }

    /// How much of the answer's body is still to come.
    #[must_use]
    pub fn size_hint(&self) -> SizeHint {
        self.shared.slots().size
    }

    /// Reads the frame that is on its way.
    pub(crate) fn last_frame<R>(&self, look: impl FnOnce(&Frame<W::Data>) -> R) -> Option<R> {
        self.shared.slots().frame.as_ref().map(look)
    }

    /// The answer's class: as an inner layer found it, or by this classifier.
    pub(crate) fn class(&self, by: &SharedClassifier) -> Option<Class> {
        let mut slots = self.shared.slots();
        let Slots { head, class, .. } = &mut *slots;
        let head = head.as_mut()?;
        let find = || class_of_head(by, head.status, &head.headers, &mut head.extensions);
        Some(*class.get_or_insert_with(find))
    }

    /// Answers with `response`, and runs until its body has ended.
    pub async fn play<B>(&self, response: Response<B>) -> Flow
    where
        B: http_body::Body,
        B::Data: Into<W::Data>,
        B::Error: Into<BoxError>,
    {
        let (head, body) = response.into_parts();
        let mut body = pin!(body);
        let has_none = has_no_body(head.status);
        self.shared.answer(head, body.size_hint());
        if body.is_end_stream() {
            return Ok(());
        }
        let ours = |frame: Result<Frame<B::Data>, B::Error>| match frame {
            Ok(frame) => Ok(frame.map_data(Into::into)),
            Err(error) => Err(Error::from_body(error, Some(&self.context()))),
        };
        let mut first: Poll<Option<Result<Frame<W::Data>, Error>>> = Poll::Pending;
        if has_none {
            // Some clients announce an empty body only when they are polled.
            first = poll_fn(|cx| Poll::Ready(body.as_mut().poll_frame(cx).map(|it| it.map(ours))))
                .await;
            if let Poll::Ready(None) = first {
                self.shared.slots().size = SizeHint::with_exact(0);
                return Ok(());
            }
        }
        self.shared.set(Stage::Head);
        loop {
            self.wanted().await;
            let frame = match std::mem::replace(&mut first, Poll::Pending) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    poll_fn(|cx| body.as_mut().poll_frame(cx).map(|it| it.map(ours))).await
                }
            };
            let Some(frame) = frame else { return Ok(()) };
            self.shared.put_frame(frame?, body.size_hint());
            // Readers that know the length may never poll again.
            if body.is_end_stream() {
                return Ok(());
            }
            self.shared.set(Stage::Frame);
        }
    }

    /// Continues with another attempt, whose head is held, in this one's place.
    pub(crate) async fn follow<F>(&self, other: &Self, held: Held<'_, W, F>) -> Flow
    where
        F: Future<Output = Flow>,
    {
        self.shared.take_over(&other.shared);
        let mut running = match held.hand_up_head() {
            Ok(running) => running,
            Err(flow) => return flow,
        };
        self.shared.set(Stage::Head);
        loop {
            self.wanted().await;
            other.shared.set(Stage::Wanted);
            let flow = other.frame(running.as_mut()).await;
            let (frame, size) = {
                let mut from = other.shared.slots();
                (from.frame.take(), from.size)
            };
            if let Some(frame) = frame {
                self.shared.put_frame(frame, size);
            }
            if let Some(flow) = flow {
                return flow;
            }
            self.shared.set(Stage::Frame);
        }
    }

    /// Drops an answer, so that another one can take its place.
    pub(crate) fn forget_answer(&self) {
        self.shared.set(Stage::Sent);
        let mut slots = self.shared.slots();
        (slots.head, slots.frame, slots.class) = (None, None, None);
    }
}

/// Puts the call's facts on a request, in place of older ones if it has any.
fn tell(extensions: &mut Extensions, context: &Context) {
    match extensions.get_mut::<Context>() {
        Some(place) => place.clone_from(context),
        None => drop(extensions.insert(context.clone())),
    }
}

/// Whether an answer by this status has no body (RFC 9110, 6.4.1).
fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
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
        (slots.head, slots.frame, slots.class, slots.upload) = (None, None, None, None);
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
        (slots.head, slots.size, slots.class) = (Some(head), size, None);
    }

    /// Moves the head and the facts of another attempt here.
    fn take_over(&self, other: &Self) {
        let mut from = other.slots();
        let taken = (from.head.take(), from.size, from.class, from.context.clone());
        drop(from);
        let mut slots = self.slots();
        (slots.head, slots.size, slots.class, slots.context) = taken;
    }

    pub(super) fn put_frame(&self, frame: Frame<W::Data>, size: SizeHint) {
        let mut slots = self.slots();
        (slots.frame, slots.size) = (Some(frame), size);
    }

    /// Clears everything for the next call, and keeps the memory.
    pub(super) fn clear(&self) -> Option<Context> {
        let mut slots = self.slots();
        (slots.request, slots.head, slots.frame, slots.class) = (None, None, None, None);
        slots.saved.clear();
        slots.upload = None;
        slots.context.take()
    }
}

impl<W: Wire> std::fmt::Debug for Attempt<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}
