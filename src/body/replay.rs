use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::whole::Body as Whole;
use crate::error::{BoxError, Delivery, Error, ErrorKind};

/// A request body that is recorded while it is first sent, so that it can be sent again.
///
/// Nothing is copied and nothing read ahead: what goes out is remembered, up to a cap. If an attempt
/// ends early, the next one sends what is remembered and then goes on with the rest. A body over the
/// cap is sent once, and not remembered.
///
/// A connection may hold on to an attempt's body long after the answer came. The next attempt takes
/// the rest over all the same, and the earlier one's body fails: it is never passed off as whole.
pub struct ReplayBody<B>(Source<B>);

enum Source<B> {
    /// There is no body.
    Empty,
    /// Not to be sent again: nothing is recorded.
    Once(B),
    /// Recorded.
    Recorded(Playing<B>),
}

/// One attempt's way through the tape.
struct Playing<B> {
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
struct Tape<B> {
    state: Mutex<State<B>>,
}

struct State<B> {
    chunks: Vec<Bytes>,
    trailers: Option<HeaderMap>,
    /// Bytes that came from the original so far.
    read: u64,
    cap: u64,
    /// The size that the original announced.
    size: SizeHint,
    original: Original<B>,
    /// All that was read is on the tape: the body can be sent again.
    kept: bool,
    /// The attempt that may read on; earlier ones may not.
    current: u32,
    /// An attempt that waits, for the original or for who has it in hand.
    waiting: Option<Waker>,
}

enum Original<B> {
    Here(B),
    /// An attempt polls it at this moment.
    InHand,
    /// It was read to its end.
    Complete,
    Failed,
}

/// What an attempt finds when it asks for its next frame.
enum Step<B> {
    Frame(Frame<Bytes>),
    Poll(B),
    Wait,
    End,
    Stop,
}

/// The retry layer's end of a recorded body; reused from call to call.
pub(crate) struct Recording<B> {
    tape: Arc<Tape<B>>,
    /// There is no body, and nothing on the tape.
    blank: bool,
}

// === impl Recording ===

impl<B> Default for Recording<B> {
    fn default() -> Self {
        Self { tape: Arc::new(Tape { state: Mutex::new(State::new()) }), blank: true }
    }
}

impl<B: Body> Recording<B> {
    /// The body for the first attempt; recorded up to `cap` bytes.
    pub(crate) fn start(&mut self, body: B, cap: usize) -> ReplayBody<B> {
        self.blank = body.is_end_stream();
        if self.blank {
            return ReplayBody(Source::Empty);
        }
        let (size, cap) = (body.size_hint(), cap as u64);
        let mut state = self.tape.state();
        state.begin(cap, size);
        if size.lower() > cap {
            state.kept = false;
            return ReplayBody(Source::Once(body));
        }
        state.original = Original::Here(body);
        ReplayBody(Source::Recorded(Playing::new(&self.tape, state.current)))
    }

    /// The body for another attempt, if it can be sent again.
    pub(crate) fn again(&self) -> Option<ReplayBody<B>> {
        if self.blank {
            return Some(ReplayBody(Source::Empty));
        }
        let mut state = self.tape.state();
        if !state.kept {
            return None;
        }
        state.current += 1;
        let playing = match state.is_empty() {
            true => Source::Empty,
            false => Source::Recorded(Playing::new(&self.tape, state.current)),
        };
        // The earlier attempt may still hold a connection: it learns that it is over.
        wake(state);
        Some(ReplayBody(playing))
    }

    /// Whether the body can be sent again.
    pub(crate) fn is_kept(&self) -> bool {
        self.blank || self.tape.state().kept
    }

    /// Forgets the body, so that nothing of it is kept between calls.
    pub(crate) fn clear(&mut self) {
        if self.blank {
            return;
        }
        match Arc::get_mut(&mut self.tape) {
            Some(tape) => {
                let state = tape.state.get_mut().unwrap_or_else(PoisonError::into_inner);
                state.begin(0, SizeHint::default());
            }
            // A connection is still sending it: the tape is its own from now on.
            None => self.tape = Self::default().tape,
        }
    }
}

// === impl Tape ===

impl<B> Tape<B> {
    fn state(&self) -> MutexGuard<'_, State<B>> {
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
    fn begin(&mut self, cap: u64, size: SizeHint) {
        let mut chunks = std::mem::take(&mut self.chunks);
        chunks.clear();
        *self = Self { chunks, cap, size, ..Self::new() };
    }

    fn is_empty(&self) -> bool {
        let complete = matches!(self.original, Original::Complete);
        complete && self.chunks.is_empty() && self.trailers.is_none()
    }

    fn record(&mut self, chunk: &Bytes) {
        self.read += chunk.len() as u64;
        if self.kept && self.read > self.cap {
            self.lose();
        }
        if self.kept {
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
fn wake<B>(mut state: MutexGuard<'_, State<B>>) {
    let waiting = state.waiting.take();
    drop(state);
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}

// === impl Playing ===

impl<B> Playing<B> {
    fn new(tape: &Arc<Tape<B>>, attempt: u32) -> Self {
        Self { tape: Arc::clone(tape), attempt, next: 0, sent: 0, trailers_sent: false }
    }

    /// What is on the tape is sent first; then the original is read on.
    fn step(&mut self, cx: &Context<'_>) -> Step<B> {
        let mut state = self.tape.state();
        if state.current != self.attempt {
            return Step::Stop;
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
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
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
        match Pin::new(&mut original).poll_frame(cx) {
            Poll::Ready(frame) => {
                let at_end = original.is_end_stream();
                Poll::Ready(self.record(original, frame, at_end))
            }
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
                    self.next += 1;
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
    fn is_end_stream(&self) -> bool {
        let state = self.tape.state();
        let played = self.sent == state.read && (self.trailers_sent || state.trailers.is_none());
        played && self.attempt == state.current && matches!(state.original, Original::Complete)
    }

    fn size_hint(&self) -> SizeHint {
        let announced = self.tape.state().size;
        let mut left = SizeHint::new();
        if let Some(upper) = announced.upper() {
            left.set_upper(upper.saturating_sub(self.sent));
        }
        left.set_lower(announced.lower().saturating_sub(self.sent));
        left
    }
}

impl Playing<Whole> {
    fn take_bytes(&mut self) -> Option<Bytes> {
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

// === impl ReplayBody ===

impl ReplayBody<Whole> {
    /// All of the body as bytes, if they are all here and nothing of them was sent by this attempt.
    ///
    /// Clients send bytes better than a stream: with their length, and again after a redirect.
    pub(crate) fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Source::Empty => Ok(Bytes::new()),
            Source::Once(body) => body.into_bytes().map_err(|body| Self(Source::Once(body))),
            Source::Recorded(mut playing) => match playing.take_bytes() {
                Some(bytes) => Ok(bytes),
                None => Err(Self(Source::Recorded(playing))),
            },
        }
    }
}

impl<B> Body for ReplayBody<B>
where
    B: Body + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match &mut self.get_mut().0 {
            Source::Empty => Poll::Ready(None),
            Source::Once(body) => {
                let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
                let whole = |mut data: B::Data| data.copy_to_bytes(data.remaining());
                Poll::Ready(frame.map(|frame| match frame {
                    Ok(frame) => Ok(frame.map_data(whole)),
                    Err(error) => Err(Error::from_inner(error, None)),
                }))
            }
            Source::Recorded(playing) => playing.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Empty => true,
            Source::Once(body) => body.is_end_stream(),
            Source::Recorded(playing) => playing.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Empty => SizeHint::with_exact(0),
            Source::Once(body) => body.size_hint(),
            Source::Recorded(playing) => playing.size_hint(),
        }
    }
}

/// The playing half lays its part down by value, wherever it is.
impl<B> Unpin for ReplayBody<B> {}

impl<B> std::fmt::Debug for ReplayBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Source::Empty => "ReplayBody(empty)",
            Source::Once(_) => "ReplayBody(once)",
            Source::Recorded(_) => "ReplayBody(recorded)",
        })
    }
}
