use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use crate::context::{IdempotencyKey, Scope};
use crate::outcome::Error;
use crate::terms::outbox::{Phase, Priority};

/// A request to be delivered, sooner or later, and what is to happen with it.
///
/// ```
/// use std::time::Duration;
/// use outrigger::outbox::Message;
///
/// let message = Message::post("https://api.mailer.example/v1/mails")
///     .header("content-type", "application/json")
///     .body(r#"{"to":"ada@example.com"}"#)
///     .dedup_key("welcome mail of user 42")
///     .deadline(Duration::from_secs(3 * 24 * 3600));
/// # let _ = message;
/// ```
///
/// The body's bytes are sent as they are given here, on every attempt. The message's correlation id and trace
/// are those of the [`Scope`](crate::context::Scope) in which it is made.
///
/// Credentials don't belong into a message, because a store keeps it: the integration adds them when it is
/// sent. `authorization`, `proxy-authorization`, `cookie` and values that are marked sensitive are refused.
#[derive(Clone)]
#[must_use = "a message is not stored until it is enqueued"]
pub struct Message {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) lane: Option<String>,
    pub(super) key: Option<String>,
    pub(super) dedup_key: Option<String>,
    pub(super) order_key: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) template: Option<String>,
    pub(super) correlation_id: Option<String>,
    pub(super) traceparent: Option<String>,
    pub(super) priority: Priority,
    pub(super) max_age: Option<Duration>,
    pub(super) delay: Duration,
    pub(super) max_attempts: u32,
    pub(super) keep_answer: u32,
    pub(super) dedup_window: Duration,
    pub(super) phase: Phase,
    /// The first thing that was wrong.
    pub(super) error: Option<String>,
}

impl Message {
    /// A POST to this URI: absolute, or a path from `/` on, below the integration's base URL.
    pub fn post(uri: impl TryInto<Uri, Error: Into<http::Error>>) -> Self {
        Self::new(Method::POST, uri)
    }

    /// A request of any method.
    pub fn new(method: Method, uri: impl TryInto<Uri, Error: Into<http::Error>>) -> Self {
        let (uri, error) = match uri.try_into() {
            Ok(uri) => (uri, None),
            Err(error) => (Uri::default(), Some(Error::from(error.into()).to_string())),
        };
        let trace = Scope::current_trace();
        Self {
            method,
            uri,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            lane: None,
            key: None,
            dedup_key: None,
            order_key: None,
            tenant: None,
            template: None,
            correlation_id: Scope::current_correlation_id().map(|id| id.to_string()),
            traceparent: trace.map(|trace| {
                let flags = u8::from(trace.is_sampled());
                format!("00-{}-{}-{flags:02x}", trace.trace_id(), trace.parent_id())
            }),
            priority: Priority::default(),
            max_age: None,
            delay: Duration::ZERO,
            max_attempts: MAX_ATTEMPTS,
            keep_answer: 0,
            dedup_window: Duration::ZERO,
            phase: Phase::Send,
            error,
        }
    }

    /// The lane that delivers it, by its name; the outbox's only one if it has one.
    pub fn lane(mut self, lane: impl Into<String>) -> Self {
        self.lane = Some(lane.into());
        self
    }

    /// Adds a header; one of the same name stays.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        N::Error: Into<http::Error>,
        V: TryInto<HeaderValue>,
        V::Error: Into<http::Error>,
    {
        let name = name.try_into().map_err(|error| Error::from(error.into()));
        let value = value.try_into().map_err(|error| Error::from(error.into()));
        match name.and_then(|name| Ok((name, value?))) {
            Ok((name, value)) if is_credential(&name, &value) => self.refuse(format!(
                "a message is stored, so it can't have the header {name}: let the integration add it"
            )),
            Ok((name, value)) => {
                self.headers.append(name, value);
                self
            }
            Err(error) => self.refuse(error.to_string()),
        }
    }

    /// The body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The body as JSON. A `content-type` that was set before stays.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => {
                let kind = HeaderValue::from_static("application/json");
                self.headers.entry(http::header::CONTENT_TYPE).or_insert(kind);
                self.body(json)
            }
            Err(_) => self.refuse("its body can't be written as json".into()),
        }
    }

    /// The key by which the provider knows a repetition; by default the message's id. A message whose key is
    /// stored already is a duplicate. Give one only if the provider honours keys: a message with one is
    /// [sent again](super::Lane::unknown_outcome) after an attempt whose effect nobody knows.
    pub fn idempotency_key<K>(mut self, key: K) -> Self
    where
        K: TryInto<IdempotencyKey>,
        K::Error: Into<Error>,
    {
        match key.try_into() {
            Ok(key) => {
                let key = key.into_header();
                self.key = key.to_str().ok().map(str::to_owned);
                self
            }
            Err(error) => self.refuse(error.into().to_string()),
        }
    }

    /// The business's own name for the operation. While a message of the same name is open or dead in the
    /// lane, and for a [window](Self::dedup_window) after its delivery, another one isn't stored: its
    /// [`Ticket`](super::Ticket) is that of the first.
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.dedup_key = Some(key.into());
        self
    }

    /// How long its [business key](Self::dedup_key) stays taken after it was delivered; not at all by default,
    /// because a key such as `price of item 7` is used again for the next change, which must not be lost. Set it
    /// where a key names one operation that may be enqueued again late, by a job that is repeated. The message is
    /// stored for at least as long.
    ///
    /// An edited message has its old one's window, unless it has one of its own. First stop the workers of versions that
    /// don't know windows: they would end them at once.
    pub fn dedup_window(mut self, window: Duration) -> Self {
        self.dedup_window = window;
        self
    }

    /// Nothing is sent: the function that settles it does all.
    #[cfg(feature = "inbox")]
    pub(crate) fn handled(mut self) -> Self {
        self.phase = Phase::Handle;
        self
    }

    /// It is found by this id.
    #[cfg(feature = "inbox")]
    pub(crate) fn correlated(mut self, id: &str) -> Self {
        self.correlation_id = Some(id.to_owned());
        self
    }

    /// Messages of the same key are delivered in the order in which they were enqueued, one at a time, within
    /// their lane.
    pub fn order_key(mut self, key: impl Into<String>) -> Self {
        self.order_key = Some(key.into());
        self
    }

    /// For whom it is: a customer, an account; nobody by default, and if this is empty. A lane may [limit](super::Lane::tenant_limit) how many messages of one tenant are
    /// under way.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into()).filter(|tenant| !tenant.is_empty());
        self
    }

    /// The path with placeholders for its ids, for records: `/v1/customers/{id}`.
    pub fn template(mut self, template: impl Into<String>) -> Self {
        self.template = Some(template.into());
        self
    }

    /// Which of the due messages go first.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// It is given up so long after it was enqueued; by default 24 hours after it may be
    /// [sent](Self::not_before).
    pub fn deadline(mut self, after: Duration) -> Self {
        self.max_age = Some(after);
        self
    }

    /// It is not sent before so much time has passed; at once by default.
    pub fn not_before(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The most attempts; 40 by default. The [deadline](Self::deadline) is what ends attempts; this is for
    /// messages that end the process that sends them. The default schedule makes about 30 attempts in 24
    /// hours: raise this with a deadline of more than 30 hours.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        if attempts == 0 {
            return self.refuse("max_attempts is 0: it must be at least 1".into());
        }
        self.max_attempts = attempts;
        self
    }

    /// Keeps the answer's head and this many bytes of its body with the message; nothing by default.
    pub fn keep_answer(mut self, bytes: u32) -> Self {
        self.keep_answer = bytes.max(1);
        self
    }

    pub(crate) fn lane_name(&self) -> Option<&str> {
        self.lane.as_deref()
    }

    fn refuse(mut self, why: String) -> Self {
        self.error.get_or_insert(why);
        self
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("method", &self.method)
            .field("lane", &self.lane)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

pub(super) fn is_credential(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
}

/// A third more than the default schedule needs for the default deadline.
const MAX_ATTEMPTS: u32 = 40;
