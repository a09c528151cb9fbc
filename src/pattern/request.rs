//! An attempt's request: read, changed, saved, sent, and sent again.

use std::any::Any;
use std::time::Instant;

use http::response::Parts;
use http::{Extensions, HeaderName, HeaderValue, Method, Request};

use super::attempt::{Attempt, Slots};
use super::wire::{Saved, Wire};
use crate::body::Body;
use crate::context::{Context, Moment, Peer, UploadProgress};
use crate::rt::Rng;

impl<W: Wire> Attempt<W> {
    /// Reads or changes the request; `None` once it was sent.
    pub fn request<R>(&self, look: impl FnOnce(&mut Request<W::Body>) -> R) -> Option<R> {
        self.shared.slots().request.as_mut().map(look)
    }

    /// Takes the request to send it, at `began` if that is known. From here on, the provider may act
    /// on it.
    pub(super) fn send(&self, tells: bool, began: Option<Moment>) -> Option<Request<W::Body>> {
        let slots = &mut *self.shared.slots();
        let (request, context) = (slots.request.as_mut()?, slots.context.as_ref()?);
        let state = context.state();
        state.leave_queue();
        if let Some(began) = began {
            state.set_attempt_began_at(began);
        }
        if !slots.saved.is_saved() {
            slots.peer = Peer::of(request.uri());
        }
        if tells {
            tell(request.extensions_mut(), context);
        }
        if let Some(upload) = &slots.upload {
            request.extensions_mut().insert(upload.clone());
            let watched = |request: Request<_>| request.map(|body| W::watch(body, upload));
            slots.request = slots.request.take().map(watched);
        }
        slots.request.take()
    }

    /// Drops the request, as if it had been sent.
    pub(crate) fn lose_request(&self) {
        drop(self.send(false, None));
    }

    /// Counts in `progress` how much of the request's body is sent.
    pub(crate) fn watch_upload(&self, progress: UploadProgress) {
        self.shared.slots().upload = Some(progress);
    }

    /// Saves the request, with at most `cap` bytes of its body, so that it can be sent again. Only
    /// the first call, by the outermost layer, has an effect.
    pub(crate) fn save(&self, cap: usize) {
        let Slots { saved, request, .. } = &mut *self.shared.slots();
        saved.save(request, cap);
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

    /// What the caller has put into the saved request's extensions.
    pub(crate) fn saved_extension<T: Copy + Send + Sync + 'static>(&self) -> Option<T> {
        self.shared.slots().saved.extension().copied()
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
}

/// Puts the call's facts on a request, in place of older ones if it has any.
fn tell(extensions: &mut Extensions, context: &Context) {
    match extensions.get_mut::<Context>() {
        Some(place) => place.clone_from(context),
        None => drop(extensions.insert(context.clone())),
    }
}
