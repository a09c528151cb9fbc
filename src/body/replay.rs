use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::whole::Body as Whole;

/// A request body that is recorded while it is first sent, so that it can be sent again.
///
/// Nothing is copied and nothing read ahead: what goes out is remembered, up to a cap. If an attempt
/// ends early, the next one sends what is remembered and then goes on with the rest. A body over the
/// cap is sent once, and not remembered.
pub struct ReplayBody<B>(Source<B>);

enum Source<B> {
    /// There is no body.
    Empty,
    /// Not to be sent again: nothing is recorded.
    Once(B),
    /// Recorded.
    Recorded(Playing<B>),
}

struct Playing<B> {
    tape: Arc<Tape<B>>,
    /// The rest of the original, where this attempt has it in hand.
    rest: Option<B>,
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
    /// Bytes on the tape.
    len: usize,
    cap: usize,
    /// The size that the original announced.
    size: SizeHint,
    /// Where the original stands.
    original: Original<B>,
    /// An attempt that waits for the rest.
    waiting: Option<Waker>,
}

enum Original<B> {
    /// An attempt has it in hand.
    InHand,
    /// The last attempt laid it down.
    Left(B),
    /// All of it is on the tape.
    Complete,
    /// It can't be sent again: it is over the cap, or broke.
    Lost,
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
        let state = State {
            chunks: Vec::new(),
            trailers: None,
            len: 0,
            cap: 0,
            size: SizeHint::default(),
            original: Original::Complete,
            waiting: None,
        };
        Self { tape: Arc::new(Tape { state: Mutex::new(state) }), blank: true }
    }
}

impl<B: Body> Recording<B> {
    /// The body for the first attempt; recorded up to `cap` bytes.
    pub(crate) fn start(&mut self, body: B, cap: usize) -> ReplayBody<B> {
        self.blank = body.is_end_stream();
        if self.blank {
            return ReplayBody(Source::Empty);
        }
        if Arc::get_mut(&mut self.tape).is_none() {
            // An earlier call's last attempt is still in some connection's hands.
            self.tape = Self::default().tape;
        }
        let mut state = self.tape.state();
        let size = body.size_hint();
        let too_large = size.lower() > cap as u64;
        state.begin(cap, size);
        if too_large {
            state.original = Original::Lost;
            return ReplayBody(Source::Once(body));
        }
        state.original = Original::InHand;
        drop(state);
        ReplayBody(Source::Recorded(Playing::new(&self.tape, Some(body))))
    }

    /// The body for another attempt, if it can be sent again.
    pub(crate) fn again(&self) -> Option<ReplayBody<B>> {
        if self.blank {
            return Some(ReplayBody(Source::Empty));
        }
        let mut state = self.tape.state();
        let rest = match std::mem::replace(&mut state.original, Original::InHand) {
            Original::Lost => {
                state.original = Original::Lost;
                return None;
            }
            Original::Complete => {
                state.original = Original::Complete;
                None
            }
            Original::Left(rest) => Some(rest),
            // The last attempt's body is not dropped yet; the rest comes when it is.
            Original::InHand => None,
        };
        let empty = state.is_empty();
        drop(state);
        Some(ReplayBody(match empty {
            true => Source::Empty,
            false => Source::Recorded(Playing::new(&self.tape, rest)),
        }))
    }

    /// Whether the body can be sent again.
    pub(crate) fn is_kept(&self) -> bool {
        self.blank || !matches!(self.tape.state().original, Original::Lost)
    }

    /// Forgets the body, so that nothing of it is kept between calls.
    pub(crate) fn clear(&self) {
        if !self.blank {
            self.tape.state().begin(0, SizeHint::default());
        }
    }
}

// === impl Tape ===

impl<B> Tape<B> {
    fn state(&self) -> MutexGuard<'_, State<B>> {
        // Nothing that could panic runs under the lock but the user's body, whose state is its own.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B> State<B> {
    fn begin(&mut self, cap: usize, size: SizeHint) {
        self.chunks.clear();
        self.trailers = None;
        self.len = 0;
        self.cap = cap;
        self.size = size;
        self.original = Original::Complete;
        self.waiting = None;
    }

    fn is_empty(&self) -> bool {
        let complete = matches!(self.original, Original::Complete);
        complete && self.chunks.is_empty() && self.trailers.is_none()
    }

    fn record(&mut self, chunk: &Bytes) {
        if matches!(self.original, Original::Lost) {
            return;
        }
        if self.len + chunk.len() > self.cap {
            self.lose();
            return;
        }
        self.len += chunk.len();
        self.chunks.push(chunk.clone());
    }

    fn lose(&mut self) {
        self.chunks = Vec::new();
        self.trailers = None;
        self.original = Original::Lost;
    }
}

// === impl Playing ===

impl<B> Playing<B> {
    fn new(tape: &Arc<Tape<B>>, rest: Option<B>) -> Self {
        Self { tape: Arc::clone(tape), rest, next: 0, sent: 0, trailers_sent: false }
    }
}

impl<B: Body + Unpin> Playing<B> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(frame) = self.next_on_tape() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if self.rest.is_none() {
            let mut state = self.tape.state();
            match std::mem::replace(&mut state.original, Original::InHand) {
                Original::Left(rest) => self.rest = Some(rest),
                Original::InHand => {
                    state.waiting = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                end @ (Original::Complete | Original::Lost) => {
                    state.original = end;
                    return Poll::Ready(None);
                }
            }
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(Pin::new(&mut *rest).poll_frame(cx));
        let at_end = rest.is_end_stream();
        Poll::Ready(self.on_tape(frame, at_end))
    }

    /// The next frame that an earlier attempt has sent already.
    fn next_on_tape(&mut self) -> Option<Frame<Bytes>> {
        let state = self.tape.state();
        if let Some(chunk) = state.chunks.get(self.next) {
            self.next += 1;
            self.sent += chunk.len() as u64;
            return Some(Frame::data(chunk.clone()));
        }
        let trailers = state.trailers.as_ref().filter(|_| !self.trailers_sent)?;
        self.trailers_sent = true;
        Some(Frame::trailers(trailers.clone()))
    }

    /// Records what came from the original.
    fn on_tape(
        &mut self,
        frame: Option<Result<Frame<B::Data>, B::Error>>,
        at_end: bool,
    ) -> Option<Result<Frame<Bytes>, B::Error>> {
        let mut state = self.tape.state();
        let frame = match frame {
            None => None,
            Some(Err(error)) => {
                state.lose();
                Some(Err(error))
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
                    state.trailers = Some(trailers.clone());
                    self.trailers_sent = true;
                    Ok(Frame::trailers(trailers))
                }),
            },
        };
        let over = frame.is_none() || at_end;
        if over && !matches!(state.original, Original::Lost) {
            state.original = Original::Complete;
            self.rest = None;
        }
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        let state = self.tape.state();
        let played =
            self.next >= state.chunks.len() && (self.trailers_sent || state.trailers.is_none());
        match (&self.rest, &state.original) {
            (Some(rest), _) => played && rest.is_end_stream(),
            (None, Original::Complete) => played,
            (None, _) => false,
        }
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

impl<B> Drop for Playing<B> {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take() else { return };
        let mut state = self.tape.state();
        if matches!(state.original, Original::InHand) {
            state.original = Original::Left(rest);
        }
        let waiting = state.waiting.take();
        drop(state);
        if let Some(waiting) = waiting {
            waiting.wake();
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

impl Playing<Whole> {
    fn take_bytes(&mut self) -> Option<Bytes> {
        let mut state = self.tape.state();
        if let Some(rest) = self.rest.take() {
            let untouched = self.next == 0 && state.chunks.is_empty();
            match rest.into_bytes() {
                Ok(bytes) if untouched => {
                    state.record(&bytes);
                    state.original = Original::Complete;
                    return Some(bytes);
                }
                Ok(bytes) => self.rest = Some(bytes.into()),
                Err(rest) => self.rest = Some(rest),
            }
            return None;
        }
        let complete = matches!(state.original, Original::Complete) && state.trailers.is_none();
        match &state.chunks[..] {
            [all] if complete && self.next == 0 => Some(all.clone()),
            _ => None,
        }
    }
}

impl<B: Body + Unpin> Body for ReplayBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.get_mut().0 {
            Source::Empty => Poll::Ready(None),
            Source::Once(body) => {
                let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
                let whole = |mut data: B::Data| data.copy_to_bytes(data.remaining());
                Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(whole))))
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
