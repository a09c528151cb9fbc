use std::borrow::Cow;
use std::collections::BTreeSet;

use http::Uri;

/// Where a provider speaks GraphQL, and which documents it knows by their hashes.
#[derive(Clone, Debug, Default)]
pub(super) struct Endpoint {
    pub(super) path: Option<Cow<'static, str>>,
    pub(super) persisted: BTreeSet<String>,
}

impl Endpoint {
    /// Whether requests to this URI are GraphQL's.
    pub(super) fn has(&self, uri: &Uri) -> bool {
        self.path.as_ref().is_none_or(|path| *path == uri.path())
    }
}
