use std::sync::Arc;

use http::Uri;

/// The URIs that a credential may be sent to: all, unless somebody says which.
#[derive(Clone, Default)]
pub(crate) struct Destinations(Option<Arc<IsAllowed>>);

type IsAllowed = dyn Fn(&Uri) -> bool + Send + Sync;

impl Destinations {
    /// Of these, the ones that are allowed here, too.
    pub(crate) fn only(self, allowed: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(move |uri| self.allow(uri) && allowed(uri))))
    }

    pub(crate) fn allow(&self, uri: &Uri) -> bool {
        self.0.as_ref().is_none_or(|allowed| allowed(uri))
    }
}
