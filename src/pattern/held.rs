use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::Buf;
use http::response::Parts;
use http_body::{Frame, SizeHint};

use super::around::Flow;
use super::attempt::{Attempt, Stage};
use super::wire::Wire;
use crate::body::Allowance;
use crate::outcome::{Error, SharedClassifier, class_of_error};
use crate::terms::Class;

/// What an attempt came to, in the hands of a pattern: a head, or an error.
///
/// Nobody further out sees it until it is [handed up](Self::hand_up). A pattern that wants something
/// else drops it, and with it all that stands further in.
#[must_use = "what is not handed up never reaches the caller"]
pub struct Held<'a, W: Wire, F> {
    attempt: &'a Attempt<W>,
    came: Came,
    running: Pin<&'a mut F>,
    /// Frames that were read and kept.
    kept: VecDeque<Frame<W::Data>>,
    /// What broke the body after them.
    broken: Option<Error>,
    /// As much was read as may be.
    is_read_off: bool,
}

/// What came.
#[derive(Debug)]
pub(super) enum Came {
    /// An answer, whose body may be over already.
    Answer {
        is_over: bool,
    },
    Failed(Error),
}

/// What becomes of frames that are read off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOff {
    /// They are dropped.
    Drop,
    /// They are handed up with the answer.
    Keep,
}

impl<'a, W: Wire, F: Future<Output = Flow>> Held<'a, W, F> {
    pub(super) fn new(attempt: &'a Attempt<W>, came: Came, running: Pin<&'a mut F>) -> Self {
        Self { attempt, came, running, kept: VecDeque::new(), broken: None, is_read_off: false }
    }

    /// The error, if it is one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.came {
            Came::Failed(error) => Some(error),
            Came::Answer { .. } => None,
        }
    }

    /// Looks at the answer's head, or changes it; `None` if it is an error.
    pub fn answer<R>(&self, look: impl FnOnce(&mut Parts) -> R) -> Option<R> {
        match self.came {
            Came::Answer { .. } => self.attempt.answer(look),
            Came::Failed(_) => None,
        }
    }

    /// Whether it is an answer whose body is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.came, Came::Answer { is_over: true })
    }

    /// What it means.
    pub(crate) fn class(&self, by: &SharedClassifier) -> Class {
        match &self.came {
            Came::Failed(error) => class_of_error(by, error),
            Came::Answer { .. } => self.attempt.class(by).unwrap_or(Class::Other),
        }
    }

    /// Changes the error, if it is one.
    pub(crate) fn map_error(mut self, change: impl FnOnce(Error) -> Error) -> Self {
        if let Came::Failed(error) = self.came {
            self.came = Came::Failed(change(error));
        }
        self
    }

    /// Hands it up, and runs on to the end of the answer's body.
    pub async fn hand_up(mut self) -> Flow {
        let is_over = match self.came {
            Came::Failed(error) => return Err(error),
            Came::Answer { is_over } => is_over,
        };
        let desk = &self.attempt.desk;
        let rest = self.attempt.size_hint();
        if !self.kept.is_empty() {
            desk.slots().size = with_kept(&self.kept, &rest);
        } else if is_over && self.broken.is_none() {
            return Ok(());
        }
        desk.set(Stage::Head);
        self.attempt.wanted().await;
        while let Some(frame) = self.kept.pop_front() {
            desk.put_frame(frame, with_kept(&self.kept, &rest));
            if is_over && self.kept.is_empty() && self.broken.is_none() {
                return Ok(());
            }
            desk.set(Stage::Frame);
            self.attempt.wanted().await;
        }
        match self.broken {
            Some(error) => Err(error),
            None => self.running.await,
        }
    }

    /// Lets go of an answer that nobody wants, after reading off what of its body is here already: a
    /// short one was read to its end, and its connection can be used again.
    pub(crate) fn discard(mut self) {
        let mut left = Allowance::new(MOST);
        let cx = &mut TaskContext::from_waker(Waker::noop());
        self.poll_read_off(&mut left, ReadOff::Drop, cx);
    }

    /// Hands an answer's head up, to run on by [`Attempt::wanted`] and [`Attempt::frame`]. If there
    /// is nothing more, this is how it ended.
    pub fn hand_up_head(self) -> Result<Pin<&'a mut F>, Flow> {
        match self.came {
            Came::Failed(error) => Err(Err(error)),
            Came::Answer { is_over: true } => Err(Ok(())),
            Came::Answer { is_over: false } => {
                self.attempt.desk.set(Stage::Head);
                Ok(self.running)
            }
        }
    }

    /// Reads the answer's body while something else is waited for; never comes to an end itself.
    pub(crate) async fn read_off(&mut self, left: &mut Allowance, what: ReadOff) {
        poll_fn(|cx| {
            self.poll_read_off(left, what, cx);
            Poll::<()>::Pending
        })
        .await;
    }

    /// Reads what is there of the answer's body.
    pub(crate) fn poll_read_off(
        &mut self,
        left: &mut Allowance,
        what: ReadOff,
        cx: &mut TaskContext<'_>,
    ) {
        while matches!(self.came, Came::Answer { is_over: false }) && !self.is_read_off {
            self.attempt.desk.set(Stage::Wanted);
            let flow = self.running.as_mut().poll(cx);
            if flow.is_pending() && !self.attempt.desk.is(Stage::Frame) {
                // Nobody else asks for it.
                self.attempt.desk.set(Stage::Held);
                return;
            }
            if let Some(frame) = self.attempt.desk.slots().frame.take() {
                self.is_read_off = !left.take(&frame);
                if what == ReadOff::Keep {
                    self.kept.push_back(frame);
                }
            }
            match flow {
                Poll::Pending => self.attempt.desk.set(Stage::Held),
                Poll::Ready(Ok(())) => self.came = Came::Answer { is_over: true },
                Poll::Ready(Err(error)) => {
                    (self.came, self.broken) = (Came::Answer { is_over: true }, Some(error));
                }
            }
        }
    }
}

/// The size of a body of which these frames are here, before the rest of it.
fn with_kept<D: Buf>(kept: &VecDeque<Frame<D>>, rest: &SizeHint) -> SizeHint {
    let sizes = kept.iter().filter_map(Frame::data_ref).map(Buf::remaining);
    crate::body::size_with(sizes.sum(), rest)
}

/// As much as is read of an answer that nobody wants.
const MOST: usize = 1 << 16;

impl<W: Wire, F> fmt::Debug for Held<'_, W, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("came", &self.came).finish_non_exhaustive()
    }
}
