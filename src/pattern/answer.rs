//! An attempt's answer: waited for, looked at, given, and taken from another attempt.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use http::response::Parts;
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};

use super::around::Flow;
use super::attempt::{Attempt, Slots, Stage};
use super::held::{Came, Held};
use super::wire::Wire;
use crate::outcome::{BoxError, Error, SharedClassifier, class_of_head};
use crate::terms::Class;

impl<W: Wire> Attempt<W> {
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

    /// The same without a lock, because `look` may run the host's code.
    pub(crate) fn lend_answer<R>(&self, look: impl FnOnce(&mut Parts) -> R) -> Option<R> {
        let mut head = self.shared.slots().head.take()?;
        let result = look(&mut head);
        self.shared.slots().head = Some(head);
        Some(result)
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
        let head = head.as_ref()?;
        let find = || class_of_head(by, head.status, &head.headers, &head.extensions);
        Some(*class.get_or_insert_with(find))
    }

    /// The answer's end gives it another class than its head.
    pub(crate) fn end_as(&self, class: Class) {
        self.shared.slots().ended_as = Some(class);
    }

    /// The class that the answer's end gave it, if it did.
    pub(crate) fn class_at_end(&self) -> Option<Class> {
        self.shared.slots().ended_as
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
            let (frame, size, ended_as) = {
                let mut from = other.shared.slots();
                (from.frame.take(), from.size, from.ended_as)
            };
            if let Some(frame) = frame {
                self.shared.put_frame(frame, size);
            }
            ended_as.into_iter().for_each(|class| self.end_as(class));
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
        (slots.head, slots.frame, slots.answered_by) = (None, None, None);
        (slots.class, slots.ended_as) = (None, None);
    }
}

/// Whether an answer by this status has no body (RFC 9110, 6.4.1).
fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
