//! W3C Trace Context (Recommendation, level 1, and the flags and keys of level 2).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::trace_state;
use crate::rt::Rng;

/// A trace that a call belongs to: continued on each attempt, under a span id of the attempt's own.
///
/// ```
/// use outrigger::context::TraceContext;
///
/// # let mut headers = http::HeaderMap::new();
/// headers.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?);
/// let trace = TraceContext::from_headers(&headers).expect("it is one");
/// assert_eq!(trace.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: TraceId,
    parent: SpanId,
    flags: u8,
    state: Option<HeaderValue>,
}

/// The id of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// The id of one span of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

// === impl TraceContext ===

impl TraceContext {
    /// A trace that begins here, with a random id. It isn't sampled: whoever wants that joins one.
    #[must_use]
    pub fn root() -> Self {
        Self::begin(&Rng::system())
    }

    /// A trace of these ids, from whatever knows them: an OpenTelemetry span, a message's fields.
    ///
    /// `None` where one of the ids is all zeros, which the recommendation forbids.
    #[must_use]
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], is_sampled: bool) -> Option<Self> {
        let known = trace_id != [0; 16] && span_id != [0; 8];
        let (trace, parent) = (TraceId(trace_id), SpanId(span_id));
        known.then_some(Self { trace, parent, flags: u8::from(is_sampled), state: None })
    }

    /// The same trace with what vendors keep in a `tracestate`, read as
    /// [`from_headers`](Self::from_headers) does.
    #[must_use]
    pub fn with_state(mut self, tracestate: &str) -> Self {
        let value = HeaderValue::from_str(tracestate).ok();
        self.state = value.as_ref().and_then(|value| trace_state::read(std::iter::once(value)));
        self
    }

    /// The same trace with these `trace-flags`: sampled, and that the id is random. Others are left out.
    #[must_use]
    pub fn with_flags(mut self, flags: u8) -> Self {
        self.flags = flags & (SAMPLED | RANDOM);
        self
    }

    /// What an inbound request's `traceparent` and `tracestate` say, by the recommendation's rules.
    ///
    /// `None` where there is no `traceparent`, more than one, or one that is no such thing: a new
    /// trace is to be begun then.
    ///
    /// Several `tracestate` headers are one list. A list with a member that can't be read, or with more
    /// than 32, is left out, all of it, as the working group's own tests ask for. Of two members with one
    /// key the first is kept: it is the later one. 1,024 characters are sent on, twice of what the
    /// recommendation asks for, so that the longest member still fits: of a longer list, members over 128
    /// characters are left out first, then the last ones.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let parent = parents.next().filter(|_| parents.next().is_none())?;
        let mut context = Self::parse(parent.as_bytes())?;
        context.state = trace_state::read(headers.get_all(TRACESTATE).iter());
        Some(context)
    }

    /// The trace's id.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace
    }

    /// The span that this one continues.
    #[must_use]
    pub fn parent_id(&self) -> SpanId {
        self.parent
    }

    /// Whether whoever began the trace records it.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// What vendors keep in `tracestate`, in one value.
    #[must_use]
    pub fn state(&self) -> Option<&HeaderValue> {
        self.state.as_ref()
    }

    pub(crate) fn begin(rng: &Rng) -> Self {
        let (trace, parent) = (TraceId(rng.id_bytes()), SpanId::mint(rng));
        Self { trace, parent, flags: RANDOM, state: None }
    }

    /// Continues the trace on a request, under the span `span`.
    pub(crate) fn write(&self, span: SpanId, headers: &mut HeaderMap) {
        headers.insert(TRACEPARENT, self.traceparent(span));
        match &self.state {
            Some(state) => headers.insert(TRACESTATE, state.clone()),
            None => headers.remove(TRACESTATE),
        };
    }

    /// Takes off what belongs to no trace (4.2, 4.3: neither header is propagated then).
    pub(crate) fn erase(headers: &mut HeaderMap) {
        headers.remove(TRACEPARENT);
        headers.remove(TRACESTATE);
    }

    fn traceparent(&self, span: SpanId) -> HeaderValue {
        let mut text = BytesMut::with_capacity(LENGTH);
        text.put_slice(b"00-");
        put_hex(&mut text, &self.trace.0);
        text.put_u8(b'-');
        put_hex(&mut text, &span.0);
        text.put_u8(b'-');
        put_hex(&mut text, &[self.flags]);
        let text: Bytes = text.freeze();
        HeaderValue::from_maybe_shared(text).expect("hex digits and dashes are a header value")
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let (fields, rest) = text.split_at_checked(LENGTH)?;
        let [version] = hex::<1>(&fields[0..2])?;
        let dashes = [2, 35, 52].into_iter().all(|at| fields[at] == b'-');
        // A later version may say more, after another dash.
        let fits = match version {
            0xff => false,
            0x00 => rest.is_empty(),
            _ => rest.is_empty() || rest[0] == b'-',
        };
        let trace = hex::<16>(&fields[3..35])?;
        let parent = hex::<8>(&fields[36..52])?;
        let [flags] = hex::<1>(&fields[53..55])?;
        let known = dashes && fits && trace != [0; 16] && parent != [0; 8];
        let (trace, parent) = (TraceId(trace), SpanId(parent));
        // Flags that nobody here knows are not sent on.
        known.then_some(Self { trace, parent, flags: 0, state: None }.with_flags(flags))
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceContext")
            .field("trace_id", &self.trace)
            .field("parent_id", &self.parent)
            .field("is_sampled", &self.is_sampled())
            .finish_non_exhaustive()
    }
}

// === impl SpanId ===

impl SpanId {
    pub(crate) fn mint(rng: &Rng) -> Self {
        loop {
            let [a, b, c, d, e, f, g, h, ..] = rng.id_bytes();
            let id = [a, b, c, d, e, f, g, h];
            if id != [0; 8] {
                return Self(id);
            }
        }
    }

    /// The id's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl TraceId {
    /// The id's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Lower-case hex digits, and no others.
fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn put_hex(text: &mut BytesMut, bytes: &[u8]) {
    for byte in bytes {
        text.put_u8(DIGITS[usize::from(byte >> 4)]);
        text.put_u8(DIGITS[usize::from(byte & 0xf)]);
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";
/// W3C Baggage.
pub(crate) const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Of a `traceparent` of version 00.
const LENGTH: usize = 55;
const SAMPLED: u8 = 0b01;
/// The trace's id is random (level 2).
const RANDOM: u8 = 0b10;
