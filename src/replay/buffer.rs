//! What the attempts of one call share of its request's body.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::body::IntoBytes;
use crate::outcome::{BoxError, Error, ErrorKind};
use crate::terms::Delivery;

/// One attempt's way through the tape.
pub(super) struct Playing<B> {
    tape: Arc<Tape<B>>,
    /// Which attempt it is, by the tape's count.
    attempt: u32,
    /// How many chunks this attempt has sent from the tape.
    next: usize,
    /// How many bytes this attempt has sent.
    sent: u64,
    trailers_sent: bool,
}

/// What the attempts of one call share.
pub(super) struct Tape<B> {
    state: Mutex<State<B>>,
}

pub(super) struct State<B> {
    chunks: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    /// Bytes that came from the original so far.
    read: u64,
    cap: u64,
    /// The size that the original announced.
    size: SizeHint,
    pub(super) original: Original<B>,
    /// All that was read is on the tape: the body can be sent again.
    pub(super) kept: bool,
    /// The attempt that may read on; earlier ones may not.
    pub(super) current: u32,
    /// An attempt that waits, for the original or for who has it in hand.
    waiting: Option<Waker>,
}

pub(super) enum Original<B> {
    Here(B),
    /// An attempt polls it at this moment.
    InHand,
    /// It was read to its end.
    Complete,
    Failed,
}

/// The original while an attempt polls it. Dropped by a panic of the original, which is gone then:
/// other attempts must not wait for it.
struct InHand<'a, B>(&'a Tape<B>);

/// What an attempt finds when it asks for its next frame.
enum Step<B> {
    Frame(Frame<Bytes>),
    Poll(B),
    Wait,
    End,
    Stop,
}

// === impl Tape ===

impl<B> Tape<B> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::new()) })
    }

    /// Starts afresh, if nobody else has the tape in hand.
    pub(super) fn wipe(tape: &mut Arc<Self>) {
        match Arc::get_mut(tape) {
            Some(tape) => {
                let state = tape.state.get_mut().unwrap_or_else(PoisonError::into_inner);
                state.begin(0, SizeHint::default());
            }
            // A connection is still sending it: the tape is its own from now on.
            None => *tape = Self::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<B>> {
        // Nothing that could panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> State<B> {
    fn new() -> Self {
        Self {
            chunks: Vec::new(),
            trailers: None,
            read: 0,
            cap: 0,
            size: SizeHint::default(),
            original: Original::Complete,
            kept: true,
            current: 0,
            waiting: None,
        }
    }

    /// Starts afresh, in the room that is there.
    pub(super) fn begin(&mut self, cap: u64, size: SizeHint) {
        let mut chunks = std::mem::take(&mut self.chunks);
        chunks.clear();
        *self = Self { chunks, cap, size, ..Self::new() };
    }

    pub(super) fn is_empty(&self) -> bool {
        let complete = matches!(self.original, Original::Complete);
        complete && self.chunks.is_empty() && self.trailers.is_none()
    }

    fn record(&mut self, chunk: &Bytes) {
        self.read += chunk.len() as u64;
        if self.kept && self.read > self.cap {
            self.lose();
        }
        // An empty one says nothing, and there may be any number of them.
        if self.kept && !chunk.is_empty() {
            self.chunks.push(chunk.clone());
        }
    }

    fn wait(&mut self, waker: &Waker) {
        match &mut self.waiting {
            Some(known) => known.clone_from(waker),
            None => self.waiting = Some(waker.clone()),
        }
    }

    fn lose(&mut self) {
        self.kept = false;
        self.chunks = Vec::new();
        self.trailers = None;
    }
}

/// Lets go of the lock, then wakes whoever waits.
pub(super) fn wake<B>(mut state: MutexGuard<'_, State<B>>) {
    let waiting = state.waiting.take();
    drop(state);
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}

// === impl InHand ===

impl<B> Drop for InHand<'_, B> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.lose();
        state.original = Original::Failed;
        wake(state);
    }
}

// === impl Playing ===

impl<B> Playing<B> {
    pub(super) fn new(tape: &Arc<Tape<B>>, attempt: u32) -> Self {
        Self { tape: Arc::clone(tape), attempt, next: 0, sent: 0, trailers_sent: false }
    }

    /// What is on the tape is sent first; then the original is read on.
    fn step(&mut self, cx: &Context<'_>) -> Step<B> {
        let mut state = self.tape.state();
        if state.current != self.attempt {
            // Who has sent all of it may end, whoever sends it again.
            return if self.is_played(&state) { Step::End } else { Step::Stop };
        }
        if let Some(chunk) = state.chunks.get(self.next).cloned() {
            self.next += 1;
            self.sent += chunk.len() as u64;
            return Step::Frame(Frame::data(chunk));
        }
        if self.sent != state.read {
            // What this attempt had yet to send was let go of, over the cap.
            return Step::Stop;
        }
        if let Some(trailers) = state.trailers.clone().filter(|_| !self.trailers_sent) {
            self.trailers_sent = true;
            return Step::Frame(Frame::trailers(trailers));
        }
        match std::mem::replace(&mut state.original, Original::InHand) {
            Original::Here(original) => Step::Poll(original),
            Original::InHand => {
                state.wait(cx.waker());
                Step::Wait
            }
            end @ Original::Complete => {
                state.original = end;
                Step::End
            }
            end @ Original::Failed => {
                state.original = end;
                Step::Stop
            }
        }
    }
}

impl<B> Playing<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut original = match self.step(cx) {
            Step::Frame(frame) => return Poll::Ready(Some(Ok(frame))),
            Step::Wait => return Poll::Pending,
            Step::End => return Poll::Ready(None),
            Step::Stop => {
                // Not the end: a part must not be taken for the whole.
                let error = Error::new(ErrorKind::Request, Delivery::Unknown);
                return Poll::Ready(Some(Err(error.with_detail("its body is no longer here"))));
            }
            Step::Poll(original) => original,
        };
        let in_hand = InHand(&self.tape);
        let polled = Pin::new(&mut original).poll_frame(cx);
        let polled = polled.map(|frame| (frame, original.is_end_stream()));
        std::mem::forget(in_hand);
        match polled {
            Poll::Ready((frame, at_end)) => Poll::Ready(self.record(original, frame, at_end)),
            Poll::Pending => {
                let mut state = self.tape.state();
                state.original = Original::Here(original);
                match state.current == self.attempt {
                    true => state.wait(cx.waker()),
                    // Another attempt reads on from here.
                    false => wake(state),
                }
                Poll::Pending
            }
        }
    }

    /// Records what came from the original, and puts that back.
    fn record(
        &mut self,
        original: B,
        frame: Option<Result<Frame<B::Data>, B::Error>>,
        at_end: bool,
    ) -> Option<Result<Frame<Bytes>, Error>> {
        let mut state = self.tape.state();
        state.original = Original::Here(original);
        let frame = match frame {
            None => None,
            Some(Err(error)) => {
                state.lose();
                state.original = Original::Failed;
                Some(Err(Error::from_inner(error, None)))
            }
            Some(Ok(frame)) => match frame.into_data() {
                Ok(mut data) => {
                    // For `Bytes` this takes them as they are.
                    let chunk = data.copy_to_bytes(data.remaining());
                    state.record(&chunk);
                    self.next += usize::from(!chunk.is_empty());
                    self.sent += chunk.len() as u64;
                    Some(Ok(Frame::data(chunk)))
                }
                Err(frame) => frame.into_trailers().ok().map(|trailers| {
                    state.trailers = state.kept.then(|| trailers.clone());
                    self.trailers_sent = true;
                    Ok(Frame::trailers(trailers))
                }),
            },
        };
        let over = frame.is_none() || at_end;
        if over && matches!(state.original, Original::Here(_)) {
            state.original = Original::Complete;
        }
        match state.current == self.attempt {
            true => state.waiting = None,
            false => wake(state),
        }
        frame
    }
}

impl<B> Playing<B> {
    pub(super) fn is_end_stream(&self) -> bool {
        self.is_played(&self.tape.state())
    }

    fn is_played(&self, state: &State<B>) -> bool {
        let played = self.sent == state.read && (self.trailers_sent || state.trailers.is_none());
        played && matches!(state.original, Original::Complete)
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let announced = self.tape.state().size;
        let mut left = SizeHint::new();
        if let Some(upper) = announced.upper() {
            left.set_upper(upper.saturating_sub(self.sent));
        }
        left.set_lower(announced.lower().saturating_sub(self.sent));
        left
    }
}

impl<B: IntoBytes> Playing<B> {
    pub(super) fn take_bytes(&mut self) -> Option<Bytes> {
        let mut state = self.tape.state();
        if self.next > 0 || self.attempt != state.current || state.trailers.is_some() {
            return None;
        }
        match std::mem::replace(&mut state.original, Original::Complete) {
            Original::Here(original) if state.chunks.is_empty() => match original.into_bytes() {
                Ok(bytes) => {
                    state.record(&bytes);
                    Some(bytes)
                }
                Err(stream) => {
                    state.original = Original::Here(stream);
                    None
                }
            },
            Original::Complete => match &state.chunks[..] {
                [all] => Some(all.clone()),
                _ => None,
            },
            other => {
                state.original = other;
                None
            }
        }
    }
}
