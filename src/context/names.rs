use std::fmt;
use std::sync::Arc;

/// What the business calls the operation, put into a request's extensions: an order, a customer.
///
/// It is never sent. It stands in the records from which support repairs what went wrong. It is no
/// idempotency key: a charge and a refund of one order share it, and must not share that. (One that
/// is derived from a business key is
/// [`IdempotencyKey::from_business_key`](super::IdempotencyKey::from_business_key).)
///
/// ```
/// use outrigger::context::BusinessKey;
///
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(BusinessKey::new("order 1042"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BusinessKey(Arc<str>);

/// The path of a request without what is particular to it, put into its extensions.
///
/// Records, spans and metrics name it in place of the path, which may hold ids and names of people.
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
    /// A key as the business knows it, of any length and alphabet.
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
