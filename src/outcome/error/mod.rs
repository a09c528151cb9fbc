use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderValue, StatusCode};

use crate::context::{CallId, Context, CorrelationId, InvalidId, Peer};
use crate::outcome::foreign::Sources;
use crate::redact::Redactor;
use crate::terms::{Class, Delivery, Fault, GaveUp, Phase, Rejection};

mod entry;
mod text;

/// Any error, boxed, as tower's services exchange them.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// The one error of all layers: what went wrong, and whether the provider may have acted.
///
/// A status, even a 500, is not an error but a response. An `Error` means that there is no answer:
/// a limit passed, the transport failed, or a layer refused to send.
///
/// The text is one level, in lower case, and names the integration, the phase, the limit and the host
/// with its port, as far as they are known: `payments: connection refused by api.example:443`. The
/// transport's own error is its [`source`](StdError::source). Neither contains a URL's path or query, a
/// header's value or a body. `Debug`, which a panic prints, shows only the types of an inner service's own errors and
/// the lengths of their texts; [`debug_with`](Self::debug_with) shows the texts.
///
/// ```
/// # fn on_failure(error: outrigger::Error) {
/// use outrigger::Delivery;
///
/// match error.delivery() {
///     Delivery::NotSent => { /* it was not sent: safe to do again */ }
///     Delivery::Answered => { /* the provider answered; the status tells */ }
///     Delivery::Unknown => { /* the provider may have acted: ask it, by the key */
///         println!("check {:?}", error.idempotency_key());
///     }
///     _ => {}
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

/// What kind of failure an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A time limit passed.
    Timeout(Phase),
    /// The connection could not be made, or broke.
    Transport(Fault),
    /// A layer here refused; nothing was sent.
    Rejected(Rejection),
    /// The answer failed a check.
    Invalid,
    /// The answer's body is larger than its reader allowed.
    TooLarge,
    /// The request can't be sent as it is: its URI, its headers or its own body failed.
    Request,
    /// The provider answered with this status, and the caller takes that for an error
    /// ([`error_for_status`](crate::ResponseExt::error_for_status)).
    Status(StatusCode),
    /// The inner service failed in a way of its own.
    Other,
}

struct Inner {
    kind: ErrorKind,
    delivery: Delivery,
    limit: Option<Duration>,
    detail: Option<Detail>,
    retry_after: Option<Duration>,
    context: Option<Context>,
    /// The host that the request went to, or was for, with its port.
    peer: Option<Peer>,
    /// The same as text, once somebody has asked for it.
    host: OnceLock<Box<str>>,
    elapsed: Option<Duration>,
    gave_up: Option<GaveUp>,
    /// If a retry layer counted them.
    attempts: Option<u32>,
    class: OnceLock<Class>,
    source: Option<Source>,
}

/// The details as text: made for this error, or shared by all errors of its kind.
#[derive(Clone)]
pub(crate) enum Detail {
    Own(Cow<'static, str>),
    Kept(Arc<str>),
}

// === impl Error ===

impl Error {
    pub(crate) fn new(kind: ErrorKind, delivery: Delivery) -> Self {
        Self(Box::new(Inner {
            kind,
            delivery,
            limit: None,
            detail: None,
            retry_after: None,
            context: None,
            peer: None,
            host: OnceLock::new(),
            elapsed: None,
            gave_up: None,
            attempts: None,
            class: OnceLock::new(),
            source: None,
        }))
    }

    pub(crate) fn timeout(phase: Phase, limit: Duration, delivery: Delivery) -> Self {
        let mut error = Self::new(ErrorKind::Timeout(phase), delivery);
        error.0.limit = Some(limit);
        error
    }

    /// The request can't be sent as it is.
    pub(crate) fn unsendable(why: impl Into<Detail>) -> Self {
        Self::new(ErrorKind::Request, Delivery::NotSent).with_detail(why)
    }

    /// The request's own body failed: a part of it may have arrived.
    pub(crate) fn body_failed(why: impl Into<Detail>) -> Self {
        Self::new(ErrorKind::Request, Delivery::Unknown).with_detail(why)
    }

    pub(crate) fn rejected(why: Rejection, detail: impl Into<Detail>) -> Self {
        Self::new(ErrorKind::Rejected(why), Delivery::NotSent).with_detail(detail)
    }

    /// A copy of the error without its source.
    pub(crate) fn said(&self) -> Self {
        let mut copy = Self::new(self.0.kind, self.0.delivery);
        copy.0.context.clone_from(&self.0.context);
        copy.0.peer.clone_from(&self.0.peer);
        copy.0.limit = self.0.limit;
        copy.0.detail = self.0.detail.clone();
        copy.0.retry_after = self.0.retry_after;
        copy.0.class.clone_from(&self.0.class);
        copy
    }

    /// A copy of the error, which shares its source with this one.
    pub(crate) fn shared(&mut self) -> Self {
        self.0.source = self.0.source.take().map(|source| match source {
            Source::Own(own) => Source::Shared(Arc::from(own)),
            shared @ Source::Shared(_) => shared,
        });
        self.said_with_source()
    }

    /// A copy of the error, with its source if that is shared.
    fn said_with_source(&self) -> Self {
        let mut copy = self.said();
        if let Some(Source::Shared(source)) = &self.0.source {
            copy.0.source = Some(Source::Shared(Arc::clone(source)));
        }
        copy
    }

    /// The same for another call, which waited for what failed.
    pub(crate) fn said_of(&self, context: &Context) -> Self {
        let mut copy = self.said_with_source();
        copy.0.context = Some(context.clone());
        copy
    }

    pub(crate) fn with_context(mut self, context: &Context) -> Self {
        self.0.context.get_or_insert_with(|| context.clone());
        self
    }

    /// Sets the host, unless it is known already.
    pub(crate) fn with_peer(mut self, peer: impl FnOnce() -> Option<Peer>) -> Self {
        self.0.peer = self.0.peer.take().or_else(peer);
        self
    }

    pub(crate) fn with_source(mut self, source: BoxError) -> Self {
        self.0.source = Some(Source::Own(source));
        self
    }

    /// Adds the details as text.
    pub(crate) fn with_detail(mut self, detail: impl Into<Detail>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    /// Sets how long the call has lasted. The outermost layer sets it last.
    pub(crate) fn with_elapsed(mut self, elapsed: Duration) -> Self {
        self.0.elapsed = Some(elapsed);
        self
    }

    /// Sets why it was not retried, and how many requests were sent.
    pub(crate) fn with_gave_up(mut self, why: Option<GaveUp>, attempts: u32) -> Self {
        (self.0.gave_up, self.0.attempts) = (why, Some(attempts));
        self
    }

    /// Makes the delivery at least as bad as `delivery`.
    pub(crate) fn merge_delivery(mut self, delivery: Delivery) -> Self {
        self.0.delivery = self.0.delivery.max(delivery);
        self
    }

    /// Sets the class that a classifier found, so that it is asked only once.
    pub(crate) fn class_or(&self, classify: impl FnOnce() -> Class) -> Class {
        *self.0.class.get_or_init(classify)
    }

    /// The error of ours in another library's error: itself, or one of its sources.
    ///
    /// ```
    /// # fn on_failure(error: Box<dyn std::error::Error + Send + Sync>) {
    /// use outrigger::{Delivery, Error};
    ///
    /// if Error::find(&*error).is_some_and(|error| error.delivery() == Delivery::Unknown) {
    ///     // The provider may have acted: ask it.
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        let mut error = Some(error);
        while let Some(this) = error {
            if let Some(ours) = this.downcast_ref() {
                return Some(ours);
            }
            error = this.source();
        }
        None
    }

    /// What kind of failure this is.
    #[must_use]
    #[doc(alias = "is_status")]
    #[doc(alias = "is_decode")]
    #[doc(alias = "is_builder")]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the provider may have acted, over all attempts of the call.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// Whether a time limit passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout(_))
    }

    /// Whether the connection could not be made: name, TCP, TLS, or the time for it.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        use ErrorKind::{Timeout, Transport};
        matches!(
            self.0.kind,
            Timeout(Phase::Connect)
                | Transport(Fault::Dns | Fault::Refused | Fault::Connect | Fault::Tls)
        )
    }

    /// Whether a layer here refused to send.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Rejected(_))
    }

    /// Why it was not retried, if a retry layer decided that.
    #[must_use]
    pub fn gave_up(&self) -> Option<GaveUp> {
        self.0.gave_up
    }

    /// How many requests went out for the call; none where a layer refused the first.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let of_context = || self.0.context.as_ref().and_then(Context::attempts_counted);
        let counted = self.0.attempts.or_else(of_context);
        counted.unwrap_or_else(|| {
            u32::from(!self.is_rejected() || self.0.delivery != Delivery::NotSent)
        })
    }

    /// From the call's start to its end.
    #[must_use]
    pub fn elapsed(&self) -> Option<Duration> {
        self.0.elapsed
    }

    /// The limit that passed, if one did.
    #[must_use]
    pub fn limit(&self) -> Option<Duration> {
        self.0.limit
    }

    /// After which time to try again, as an open breaker or the provider says.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The status that was taken for an error, if this is one of
    /// [`error_for_status`](crate::ResponseExt::error_for_status).
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.0.kind {
            ErrorKind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// The status of the provider's last answer during the call, of any attempt.
    #[must_use]
    pub fn last_status(&self) -> Option<StatusCode> {
        self.status().or_else(|| self.0.context.as_ref()?.last_status())
    }

    /// The integration that the call went to.
    #[must_use]
    pub fn integration(&self) -> Option<&str> {
        self.0.context.as_ref()?.integration()
    }

    /// The host that the request went to, or was for, with its port: `api.example:443`.
    ///
    /// It is known once a layer or an integration has returned the error, and the request's URI named
    /// a host.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let peer = self.0.peer.as_ref()?;
        Some(self.0.host.get_or_init(|| peer.to_string().into()))
    }

    /// The call's id.
    #[must_use]
    pub fn call_id(&self) -> Option<CallId> {
        Some(self.0.context.as_ref()?.call_id())
    }

    /// The id that connects this call with what caused it.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.0.context.as_ref()?.correlation_id()
    }

    /// The idempotency key. A provider that honours keys recognises the call by it.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&HeaderValue> {
        self.0.context.as_ref()?.idempotency_key()
    }

    /// The same as `Debug`, with the texts of other crates' errors, redacted by this redactor.
    pub fn debug_with<'a>(&'a self, redactor: &'a dyn Redactor) -> impl fmt::Debug + 'a {
        ShownError { error: self, redactor: Some(redactor) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ShownError { error: self, redactor: None }.fmt(f)
    }
}

/// What an error was made of.
enum Source {
    Own(BoxError),
    /// It is that of several calls' errors.
    Shared(Arc<dyn StdError + Send + Sync>),
}

/// An error, and the redactor for the texts of its sources.
struct ShownError<'a> {
    error: &'a Error,
    redactor: Option<&'a dyn Redactor>,
}

impl fmt::Debug for ShownError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, redactor } = *self;
        f.debug_struct("Error")
            .field("kind", &error.0.kind)
            .field("delivery", &error.0.delivery)
            .field("integration", &error.integration())
            .field("host", &error.host())
            .field("attempts", &error.attempts())
            .field("elapsed", &error.0.elapsed)
            .field("limit", &error.0.limit)
            .field("last_status", &error.last_status())
            .field("retry_after", &error.0.retry_after)
            .field("gave_up", &error.0.gave_up)
            .field("call_id", &error.call_id())
            .field("sources", &Sources { first: error.source(), redactor })
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.0.source.as_ref()? {
            Source::Own(source) => Some(&**source),
            Source::Shared(source) => Some(&**source),
        }
    }
}

/// What is wrong with a request that can't be put together.
impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        // Its text names the part that is wrong, and no value.
        Self::unsendable(error.to_string())
    }
}

impl From<http::uri::InvalidUri> for Error {
    fn from(error: http::uri::InvalidUri) -> Self {
        http::Error::from(error).into()
    }
}

impl From<InvalidId> for Error {
    fn from(error: InvalidId) -> Self {
        Self::unsendable(error.to_string())
    }
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

// === impl Detail ===

impl From<&'static str> for Detail {
    fn from(text: &'static str) -> Self {
        Self::Own(text.into())
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Own(text.into())
    }
}

impl From<Cow<'static, str>> for Detail {
    fn from(text: Cow<'static, str>) -> Self {
        Self::Own(text)
    }
}

impl From<Arc<str>> for Detail {
    fn from(text: Arc<str>) -> Self {
        Self::Kept(text)
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(text) => f.write_str(text),
            Self::Kept(text) => f.write_str(text),
        }
    }
}
