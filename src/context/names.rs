use std::fmt;
use std::sync::Arc;

/// The business's own name for the operation (an order, a customer), as a request extension.
///
/// It is never sent. It appears in audit records, by which support staff repair failed operations.
/// It is not an idempotency key: a charge and a refund of one order have the same business key, but
/// need different idempotency keys.
/// [`IdempotencyKey::from_business_key`](super::IdempotencyKey::from_business_key) derives one.
///
/// ```
/// use outrigger::context::BusinessKey;
///
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(BusinessKey::new("order 1042"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BusinessKey(Arc<str>);

/// The path of a request with placeholders for its ids, as a request extension.
///
/// Records, spans and metrics show it instead of the path, which may hold ids and names of people.
///
/// ```
/// use outrigger::context::PathTemplate;
///
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(PathTemplate::new("/v1/customers/{id}"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathTemplate(Arc<str>);

impl BusinessKey {
    /// A business key of any length, in any alphabet.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PathTemplate {
    /// A template: `/v1/customers/{id}`.
    #[must_use]
    pub fn new(template: impl Into<Arc<str>>) -> Self {
        Self(template.into())
    }

    /// The template as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BusinessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
