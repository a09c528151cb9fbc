use std::time::Duration;

use http::Extensions;

use crate::context::{BusinessKey, CallDeadline, IdempotencyKey, PathTemplate};
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
    /// integration's applies; see [`CallDeadline`].
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
        extend(extensions, deadline.map(CallDeadline::after));
        extend(extensions, retries);
        Ok(())
    }
}

fn extend<T: Clone + Send + Sync + 'static>(extensions: &mut Extensions, value: Option<T>) {
    if let Some(value) = value {
        extensions.insert(value);
    }
}
