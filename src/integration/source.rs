use crate::event::Emitter;
use crate::settings::ConfigError;
use crate::transport::Transport;
use crate::transport::pool::{PoolHandle, PoolLimits};

/// Where an integration's transport comes from. Sealed: use
/// [`service`](crate::IntegrationBuilder::service) for a transport of your own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no transport that an integration can be built with",
    label = "give it one by `.service(client)` or `.reqwest(client)`, or enable the feature `hyper` for its own"
)]
pub trait Source: sealed::Sealed + Sized {
    /// The transport.
    type Transport: Transport;

    /// Whether it is the integration's own client.
    #[doc(hidden)]
    const IS_OWN: bool = false;

    /// Makes the transport, once everything was found to be right.
    #[doc(hidden)]
    fn make(self, emitter: &Emitter) -> Self::Transport;

    /// The pool of a transport that is ours.
    #[doc(hidden)]
    fn pool(_: &Self::Transport) -> Option<PoolHandle> {
        None
    }

    /// The limits of a pool that is ours.
    #[doc(hidden)]
    fn limits(&self) -> Option<PoolLimits> {
        None
    }

    /// The same with other limits.
    #[doc(hidden)]
    #[must_use]
    fn with_limits(self, _: PoolLimits) -> Self {
        self
    }

    /// The same, for a client that follows redirects: only to these URIs.
    #[doc(hidden)]
    #[must_use]
    fn bounded_by(self, _: impl Fn(&http::Uri) -> bool + Send + Sync + 'static) -> Self {
        self
    }

    #[doc(hidden)]
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// A service that somebody else made.
#[derive(Clone, Debug)]
pub struct Service<S>(pub(super) S);

pub(super) mod sealed {
    pub trait Sealed {}
}

impl<S: Transport> sealed::Sealed for Service<S> {}

impl<S: Transport> Source for Service<S> {
    type Transport = S;

    fn make(self, _: &Emitter) -> S {
        self.0
    }
}
