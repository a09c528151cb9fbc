use std::time::SystemTime;

use crate::terms::DriftKind;

/// A change of a provider's API, as its answers show it.
///
/// It is fit for logs: it has neither values nor queries, and what is secret by its looks is
/// [redacted](crate::redact).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// What it is.
    pub kind: DriftKind,
    /// The host that answered, if the request named one.
    pub host: Option<String>,
    /// The method, and the [path's template](crate::context::PathTemplate) if the request had one:
    /// `GET /v1/customers/{id}`.
    pub endpoint: String,
    /// From when on the endpoint is deprecated or gone, if that was said.
    pub at: Option<SystemTime>,
    /// A text of the provider's, a URL without its query, or the places in the body that changed. At most
    /// 200 characters.
    pub detail: Option<String>,
    /// When an answer showed it first.
    pub first_seen: SystemTime,
    /// When an answer showed it last.
    pub last_seen: SystemTime,
}
