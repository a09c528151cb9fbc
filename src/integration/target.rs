use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::call::Call;
use super::handle::Integration;
use crate::body::Body;
use crate::outcome::Error;

/// The target of a mirror's copies, if there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Target(pub(super) Option<Integration>);

impl Service<Request<Body>> for Target {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Call;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Call {
        match &self.0 {
            Some(integration) => integration.send(request),
            // Nothing is copied then.
            None => Call::refused(Error::unsendable("there is nothing to copy it to")),
        }
    }
}
