use std::time::Duration;

use http::Extensions;

use crate::context::{BusinessKey, CallLimit, IdempotencyKey, PathTemplate, Scope};
use crate::outcome::Error;
use crate::retry::RetryOverride;

/// What one call has of its own: its key, its deadline, its retries, its names in records.
///
/// The same methods stand on a [`RequestBuilder`](super::RequestBuilder). Options go with a request
/// of any kind by [`send_with`](crate::Integration::send_with) and `execute_with` (reqwest's):
///
/// ```
/// use std::time::Duration;
/// use outrigger::{CallOptions, Integration};
///
/// # async fn charge(stripe: Integration, request: http::Request<String>) -> Result<(), outrigger::Error> {
/// let options = CallOptions::new()
///     .idempotency_key("order-1042-charge")
///     .template("/v1/charges")
///     .deadline(Duration::from_secs(3));
/// let response = stripe.send_with(request, options).await?;
/// # let _ = response;
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
#[must_use = "options have no effect until they are sent with a request"]
pub struct CallOptions {
    idempotency_key: Option<IdempotencyKey>,
    business_key: Option<BusinessKey>,
    template: Option<PathTemplate>,
    deadline: Option<Duration>,
    retries: Option<RetryOverride>,
    /// The first value that was no valid one.
    error: Option<Error>,
}

impl CallOptions {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// The call's idempotency key: with one, a POST is retried. Give one only if this provider
    /// honours keys. At most 255 visible ASCII characters, or an
    /// [`IdempotencyKey::from_business_key`]; another text is the call's error.
    pub fn idempotency_key<K>(mut self, key: K) -> Self
    where
        K: TryInto<IdempotencyKey>,
        K::Error: Into<Error>,
    {
        match key.try_into() {
            Ok(key) => self.idempotency_key = Some(key),
            Err(error) => self.error = self.error.or(Some(error.into())),
        }
        self
    }

    /// The business's own name for the operation, for records. It is never sent.
    pub fn business_key(mut self, key: impl Into<String>) -> Self {
        self.business_key = Some(BusinessKey::new(key.into()));
        self
    }

    /// The path with placeholders for its ids, for records: `/v1/customers/{id}`.
    pub fn template(mut self, template: impl Into<String>) -> Self {
        self.template = Some(PathTemplate::new(template.into()));
        self
    }

    /// The call's limit, from when it is sent, in place of the integration's. Without one, the
    /// integration's applies; see [`CallDeadline`](crate::context::CallDeadline), which sets a point in
    /// time.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// How often the call may be tried, in place of what its method allows.
    pub fn retries(mut self, retries: RetryOverride) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Puts them on a request.
    pub(in crate::integration) fn apply(self, extensions: &mut Extensions) -> Result<(), Error> {
        let Self { idempotency_key, business_key, template, deadline, retries, error } = self;
        if let Some(error) = error {
            return Err(error);
        }
        extend(extensions, idempotency_key);
        extend(extensions, business_key);
        extend(extensions, template);
        extend(extensions, deadline.map(CallLimit));
        extend(extensions, retries);
        Ok(())
    }
}

impl Scope {
    /// The options of the calls inside, also of those that a client library makes in its own methods.
    /// What a request has itself applies in place of the scope's.
    ///
    /// The idempotency key belongs to one logical request: to the first one that may change something, and
    /// to each later one that has its method and URI and, as far as that is known before it is sent, its
    /// body: as a client library's own retry has. (A body that is a stream is known by its length at most.)
    /// So open a scope with a key around one operation, above all where all operations have one URI, as
    /// in GraphQL. The key takes the place of one that the library writes into the header itself.
    ///
    /// The deadline counts for each call, from when it is sent; for a call that is made outside of the scope
    /// and polled inside, it only shortens the integration's.
    ///
    /// ```
    /// use outrigger::{CallOptions, context::{Report, Scope}};
    ///
    /// # async fn sdk_charge() {}
    /// # async fn charge() -> Result<(), outrigger::Error> {
    /// let report = Report::new();
    /// let options = CallOptions::new().idempotency_key("order-1042-charge");
    /// Scope::new().options(options)?.report_to(&report).run(sdk_charge()).await;
    /// println!("{:?} after {} attempts", report.delivery(), report.attempts());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If one of the options is no valid one.
    pub fn options(self, options: CallOptions) -> Result<Self, Error> {
        let mut extensions = Extensions::new();
        options.apply(&mut extensions)?;
        Ok(self.extensions(extensions))
    }
}

fn extend<T: Clone + Send + Sync + 'static>(extensions: &mut Extensions, value: Option<T>) {
    if let Some(value) = value {
        extensions.insert(value);
    }
}
