use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http::response::Parts;
use http_body::{Frame, SizeHint};

use super::around::Flow;
use super::attempt::{Attempt, Stage};
use super::wire::Wire;
use crate::body::Allowance;
use crate::outcome::{Error, SharedClassifier, class_of_error};
use crate::terms::Class;

/// An attempt's head or error, held back by a pattern.
///
/// Outer patterns see it only when it is [handed up](Self::hand_up). To reject it, a pattern drops
/// it, which also ends the inner patterns' work.
#[must_use = "a result that is not handed up never reaches the caller"]
pub struct Held<'a, W: Wire, F> {
    attempt: &'a Attempt<W>,
    came: Came,
    running: Pin<&'a mut F>,
    /// What was read of the body before it was handed up; mostly nothing.
    ahead: Option<Box<ReadAhead<W::Data>>>,
}

/// The part of a body that was read while its head was held.
struct ReadAhead<D> {
    frames: VecDeque<Frame<D>>,
    /// The error that broke the body after these frames.
    broken: Option<Error>,
    /// The reading has reached its limit.
    is_full: bool,
}

/// An answer or an error.
#[derive(Debug)]
pub(super) enum Came {
    /// An answer, whose body may have ended already.
    Answer {
        is_over: bool,
    },
    Failed(Error),
}

/// What to do with frames that are read ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOff {
    /// Drop them.
    Drop,
    /// Hand them up with the answer. The limits on the head don't hold while it is read.
    Keep,
    /// The same of what belongs to the head: its limits hold.
    First,
}

impl<'a, W: Wire, F: Future<Output = Flow>> Held<'a, W, F> {
    pub(super) fn new(attempt: &'a Attempt<W>, came: Came, running: Pin<&'a mut F>) -> Self {
        Self { attempt, came, running, ahead: None }
    }

    /// The error, if it is one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.came {
            Came::Failed(error) => Some(error),
            Came::Answer { .. } => None,
        }
    }

    /// Reads or changes the answer's head; `None` if it is an error.
    pub fn answer<R>(&self, look: impl FnOnce(&mut Parts) -> R) -> Option<R> {
        match self.came {
            Came::Answer { .. } => self.attempt.answer(look),
            Came::Failed(_) => None,
        }
    }

    /// Whether it is an answer whose body has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.came, Came::Answer { is_over: true })
    }

    /// The class of the answer or error.
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

    /// Hands it to the outer patterns, and runs to the end of the answer's body.
    pub async fn hand_up(self) -> Flow {
        let is_over = match self.came {
            Came::Failed(error) => return Err(error),
            Came::Answer { is_over } => is_over,
        };
        let shared = &self.attempt.shared;
        if let Some(mut ahead) = self.ahead.filter(|ahead| ahead.is_left() || !is_over) {
            let rest = self.attempt.size_hint();
            shared.slots().size = size_with(&ahead.frames, &rest);
            shared.set(Stage::Head);
            self.attempt.wanted().await;
            while let Some(frame) = ahead.frames.pop_front() {
                shared.put_frame(frame, size_with(&ahead.frames, &rest));
                if is_over && ahead.frames.is_empty() && ahead.broken.is_none() {
                    return Ok(());
                }
                shared.set(Stage::Frame);
                self.attempt.wanted().await;
            }
            if let Some(error) = ahead.broken {
                return Err(error);
            }
        } else if !is_over {
            shared.set(Stage::Head);
            self.attempt.wanted().await;
        }
        match is_over {
            true => Ok(()),
            false => self.running.await,
        }
    }

    /// Drops an unwanted answer, after reading the part of its body that has arrived. After a short
    /// body, this lets the connection be used again.
    pub(crate) fn discard(mut self) {
        let mut left = Allowance::new(MOST);
        let cx = &mut TaskContext::from_waker(Waker::noop());
        self.poll_read_off(&mut left, ReadOff::Drop, cx);
    }

    /// Hands an answer's head up. The pattern then runs the rest with [`Attempt::wanted`] and
    /// [`Attempt::frame`]. Returns the flow as an error if there is no rest.
    pub fn hand_up_head(self) -> Result<Pin<&'a mut F>, Flow> {
        match self.came {
            Came::Failed(error) => Err(Err(error)),
            Came::Answer { is_over: true } => Err(Ok(())),
            Came::Answer { is_over: false } => {
                self.attempt.shared.set(Stage::Head);
                Ok(self.running)
            }
        }
    }

    /// Reads the answer's body while the pattern waits for something else; ready once there is more of
    /// it than may be read, and else never.
    pub(crate) async fn read_off(&mut self, left: &mut Allowance, what: ReadOff) {
        poll_fn(|cx| {
            self.poll_read_off(left, what, cx);
            match self.is_read_off() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    /// Reads the part of the answer's body that has arrived.
    pub(crate) fn poll_read_off(
        &mut self,
        left: &mut Allowance,
        what: ReadOff,
        cx: &mut TaskContext<'_>,
    ) {
        let held = match what {
            ReadOff::Drop | ReadOff::First => Stage::Held,
            ReadOff::Keep => Stage::ReadAhead,
        };
        while matches!(self.came, Came::Answer { is_over: false }) && !self.is_read_off() {
            self.attempt.shared.set(Stage::Wanted);
            let flow = self.running.as_mut().poll(cx);
            if flow.is_pending() && !self.attempt.shared.is(Stage::Frame) {
                // No other pattern reads it.
                self.attempt.shared.set(held);
                return;
            }
            if let Some(frame) = self.attempt.shared.slots().frame.take() {
                let ahead = self.ahead.get_or_insert_default();
                ahead.is_full = !left.take(&frame);
                if what != ReadOff::Drop {
                    ahead.frames.push_back(frame.map_data(in_one_piece));
                }
            }
            match flow {
                Poll::Pending => self.attempt.shared.set(held),
                Poll::Ready(Ok(())) => self.came = Came::Answer { is_over: true },
                Poll::Ready(Err(error)) => {
                    self.came = Came::Answer { is_over: true };
                    self.ahead.get_or_insert_default().broken = Some(error);
                }
            }
        }
    }

    /// Waits for the first data of the body, or its end, and keeps what it reads.
    pub(crate) async fn first_frame(&mut self) {
        // Of nothing, so that it takes no more than one frame that has data.
        self.read(&mut Allowance::new(0), ReadOff::First).await;
    }

    /// Reads the body to its end, or until it is more than may be read, and keeps what it reads.
    pub(crate) async fn read_ahead(&mut self, left: &mut Allowance) {
        self.read(left, ReadOff::Keep).await;
    }

    async fn read(&mut self, left: &mut Allowance, what: ReadOff) {
        poll_fn(|cx| {
            self.poll_read_off(left, what, cx);
            match self.is_over() || self.is_read_off() {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    /// Whether what was read of the body has no data.
    pub(crate) fn has_no_data(&self) -> bool {
        let frames = self.ahead.iter().flat_map(|ahead| &ahead.frames);
        frames.filter_map(Frame::data_ref).all(|data| !data.has_remaining())
    }

    /// What was read of the body, in one piece, and whether it is all of it.
    pub(crate) fn read_so_far(&self) -> (Cow<'_, [u8]>, bool) {
        let frames = self.ahead.iter().flat_map(|ahead| &ahead.frames);
        let mut pieces = frames.filter_map(Frame::data_ref).map(Buf::chunk);
        let mut bytes = Cow::Borrowed(pieces.next().unwrap_or_default());
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            bytes.to_mut().extend_from_slice(piece);
        }
        (bytes, self.is_over())
    }

    /// Reads or changes the answer's head; `None` if it is an error. No lock is held, because `look` may
    /// run the host's code.
    pub(crate) fn lend_answer<R>(&self, look: impl FnOnce(&mut Parts) -> R) -> Option<R> {
        match self.came {
            Came::Answer { .. } => self.attempt.lend_answer(look),
            Came::Failed(_) => None,
        }
    }

    /// Whether the body broke after what was read of it.
    pub(crate) fn is_broken(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.broken.is_some())
    }

    /// The error, if the body broke while it was read ahead: nothing of it has reached anybody.
    pub(crate) fn or_broken(mut self) -> Self {
        if let Some(error) = self.ahead.as_mut().and_then(|ahead| ahead.broken.take()) {
            self.came = Came::Failed(error);
        }
        self
    }

    /// Takes the trailers out of a body that has no data, and was read.
    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        let has_data = !self.has_no_data();
        let frames = &mut self.ahead.as_mut().filter(|_| !has_data)?.frames;
        if !frames.back()?.is_trailers() {
            return None;
        }
        frames.drain(..).next_back()?.into_trailers().ok()
    }

    fn is_read_off(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.is_full)
    }
}

impl<D> ReadAhead<D> {
    fn is_left(&self) -> bool {
        !self.frames.is_empty() || self.broken.is_some()
    }
}

impl<D> Default for ReadAhead<D> {
    fn default() -> Self {
        Self { frames: VecDeque::new(), broken: None, is_full: false }
    }
}

/// The same data, so that its first chunk is all of it.
fn in_one_piece<D: Buf + From<Bytes>>(mut data: D) -> D {
    match data.chunk().len() == data.remaining() {
        true => data,
        false => data.copy_to_bytes(data.remaining()).into(),
    }
}

/// The size of a body that begins with these frames.
pub(super) fn size_with<D: Buf>(kept: &VecDeque<Frame<D>>, rest: &SizeHint) -> SizeHint {
    let sizes = kept.iter().filter_map(Frame::data_ref).map(Buf::remaining);
    crate::body::size_with(sizes.sum(), rest)
}

/// How many bytes are read of an unwanted answer.
const MOST: usize = 1 << 16;

impl<W: Wire, F> fmt::Debug for Held<'_, W, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("came", &self.came).finish_non_exhaustive()
    }
}
