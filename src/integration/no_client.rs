use std::time::Duration;

/// No client of the integration's own: it needs a [`service`](super::IntegrationBuilder::service).
///
/// With the feature `hyper`, this is a hyper client, and `build` can be called at once.
#[derive(Clone, Debug)]
pub struct OwnClient(());

impl OwnClient {
    pub(super) fn new(_: Duration) -> Self {
        Self(())
    }
}
