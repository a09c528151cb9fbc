use std::fmt;
use std::marker::PhantomData;

use bytes::{Buf, Bytes};
use http::Request;
use http_body::Body as HttpBody;

use crate::body::{Body, RequestBody};
use crate::context::UploadProgress;
use crate::replay::{RecordedBody, ReplayBody};

/// The body types of a stack: of its requests and of its answers.
///
/// It can't be implemented outside of this crate: a pattern is written for every `Wire`.
pub trait Wire: sealed::Wire + Send + Sync + Sized + 'static {
    /// A request's body, as patterns pass it on.
    type Body: Send + 'static;
    /// A piece of an answer's body.
    type Data: Buf + From<Bytes> + Send + 'static;
    /// A request's body, saved to be sent again.
    #[doc(hidden)]
    type Saved: Saved<Self::Body> + Default + Send + 'static;

    /// Counts in `progress` how much of a body is sent, if the body's type supports that.
    #[doc(hidden)]
    fn watch(body: Self::Body, progress: &UploadProgress) -> Self::Body;

    /// The length of a body, if it is known.
    #[doc(hidden)]
    fn length(body: &Self::Body) -> Option<u64>;

    /// The bytes of a body, if they are all in memory.
    #[doc(hidden)]
    fn in_memory(body: &Self::Body) -> Option<&[u8]>;
}

/// A saved request body.
#[doc(hidden)]
pub trait Saved<B> {
    /// Copies the body, if that costs nothing and it has at most `cap` bytes.
    fn copy(&mut self, _body: &B, _cap: usize) -> bool {
        false
    }

    /// Begins to record the body, up to `cap` bytes.
    fn record(&mut self, body: B, cap: usize) -> B;

    /// The body for another attempt, if it can be sent again.
    fn again(&self) -> Option<B>;

    /// Whether the body can be sent again.
    fn is_kept(&self) -> bool;

    /// Whether the whole body was read for sending, and can be sent again.
    fn is_sent(&self) -> bool;

    /// Drops the body.
    fn clear(&mut self);
}

/// How a layer passes the caller's request body to the inner service.
#[doc(hidden)]
pub trait Form<Q>: Send + Sync + 'static {
    /// The body that is sent.
    type Body: Send + 'static;
    /// The body, saved to be sent again.
    type Saved: Saved<Self::Body> + Default + Send + 'static;

    /// Turns the caller's request into the one that is sent.
    fn wrap(request: Request<Q>) -> Request<Self::Body>;

    /// See [`Wire::watch`].
    fn watch(body: Self::Body, _: &UploadProgress) -> Self::Body {
        body
    }

    /// See [`Wire::length`].
    fn length(_: &Self::Body) -> Option<u64> {
        None
    }

    /// See [`Wire::in_memory`].
    fn in_memory(_: &Self::Body) -> Option<&[u8]> {
        None
    }
}

/// The caller's body is passed on unchanged: it can be sent once.
#[derive(Clone, Copy, Debug)]
pub struct AsIs;

/// The caller's body is an integration's [`Body`], and all that layers do with bodies is possible.
#[derive(Clone, Copy, Debug)]
pub struct Own;

/// The caller's body is passed on as a [`RequestBody`], which notes how far it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Watched;

/// The caller's body is passed on unchanged, and its length is known to the layer.
#[derive(Clone, Copy, Debug)]
pub struct Measured;

/// The caller's body is recorded, so that it can be sent again.
#[derive(Clone, Copy, Debug)]
pub struct Replaying;

/// The body types of a layer.
pub struct LayerWire<F, Q, D> {
    form: PhantomData<fn(F)>,
    request: PhantomData<fn(Q)>,
    data: PhantomData<fn(D)>,
}

/// An integration's saved body.
#[doc(hidden)]
#[derive(Default)]
pub enum SavedBody {
    #[default]
    Nothing,
    /// All its bytes are in memory: a copy costs nothing.
    Here(Body),
    /// It is recorded while it is sent.
    Recorded(RecordedBody<Body>),
}

/// No saved body: the request can't be sent again.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Nothing;

impl<F, Q, D> Wire for LayerWire<F, Q, D>
where
    F: Form<Q>,
    Q: 'static,
    D: Buf + From<Bytes> + Send + 'static,
{
    type Body = F::Body;
    type Data = D;
    type Saved = F::Saved;

    fn watch(body: F::Body, progress: &UploadProgress) -> F::Body {
        F::watch(body, progress)
    }

    fn length(body: &F::Body) -> Option<u64> {
        F::length(body)
    }

    fn in_memory(body: &F::Body) -> Option<&[u8]> {
        F::in_memory(body)
    }
}

impl<Q: Send + 'static> Form<Q> for AsIs {
    type Body = Q;
    type Saved = Nothing;

    fn wrap(request: Request<Q>) -> Request<Q> {
        request
    }
}

impl Form<Body> for Own {
    type Body = Body;
    type Saved = SavedBody;

    fn wrap(request: Request<Body>) -> Request<Body> {
        request
    }

    fn watch(body: Body, progress: &UploadProgress) -> Body {
        Body::new(RequestBody::new(body).watched(progress))
    }

    fn length(body: &Body) -> Option<u64> {
        body.size_hint().exact()
    }

    fn in_memory(body: &Body) -> Option<&[u8]> {
        body.as_bytes()
    }
}

impl<Q: HttpBody + Send + 'static> Form<Q> for Watched {
    type Body = RequestBody<Q>;
    type Saved = Nothing;

    fn wrap(request: Request<Q>) -> Request<RequestBody<Q>> {
        request.map(RequestBody::new)
    }

    fn watch(body: RequestBody<Q>, progress: &UploadProgress) -> RequestBody<Q> {
        body.watched(progress)
    }
}

impl<Q: HttpBody + Send + 'static> Form<Q> for Measured {
    type Body = Q;
    type Saved = Nothing;

    fn wrap(request: Request<Q>) -> Request<Q> {
        request
    }

    fn length(body: &Q) -> Option<u64> {
        body.size_hint().exact()
    }
}

impl<Q: HttpBody + Send + 'static> Form<Q> for Replaying {
    type Body = ReplayBody<Q>;
    type Saved = RecordedBody<Q>;

    fn wrap(request: Request<Q>) -> Request<ReplayBody<Q>> {
        request.map(ReplayBody::once)
    }
}

impl<B> Saved<B> for Nothing {
    fn record(&mut self, body: B, _: usize) -> B {
        body
    }

    fn again(&self) -> Option<B> {
        None
    }

    fn is_kept(&self) -> bool {
        false
    }

    fn is_sent(&self) -> bool {
        false
    }

    fn clear(&mut self) {}
}

impl Saved<Body> for SavedBody {
    fn copy(&mut self, body: &Body, cap: usize) -> bool {
        let is_short = body.as_bytes().is_some_and(|bytes| bytes.len() <= cap);
        let Some(again) = body.again().filter(|_| is_short) else { return false };
        *self = Self::Here(again);
        true
    }

    fn record(&mut self, body: Body, cap: usize) -> Body {
        let mut recorded = RecordedBody::default();
        let sent = recorded.start(body, cap);
        *self = Self::Recorded(recorded);
        // One that is too large to be kept stays as it is: its bytes may be known.
        sent.into_once().unwrap_or_else(Body::new)
    }

    fn again(&self) -> Option<Body> {
        match self {
            Self::Nothing => None,
            Self::Here(body) => body.again(),
            Self::Recorded(recorded) => recorded.again().map(Body::new),
        }
    }

    fn is_kept(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Here(_) => true,
            Self::Recorded(recorded) => recorded.is_kept(),
        }
    }

    fn is_sent(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Here(_) => true,
            Self::Recorded(recorded) => recorded.is_sent(),
        }
    }

    fn clear(&mut self) {
        *self = Self::Nothing;
    }
}

impl<Q: HttpBody> Saved<ReplayBody<Q>> for RecordedBody<Q> {
    fn record(&mut self, body: ReplayBody<Q>, cap: usize) -> ReplayBody<Q> {
        match body.into_once() {
            Ok(body) => self.start(body, cap),
            Err(body) => body,
        }
    }

    fn again(&self) -> Option<ReplayBody<Q>> {
        Self::again(self)
    }

    fn is_kept(&self) -> bool {
        Self::is_kept(self)
    }

    fn is_sent(&self) -> bool {
        Self::is_sent(self)
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

impl<F, Q, D> fmt::Debug for LayerWire<F, Q, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LayerWire")
    }
}

pub(crate) mod sealed {
    pub trait Wire {}

    impl<F, Q, D> Wire for super::LayerWire<F, Q, D> {}
}
