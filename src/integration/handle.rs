use std::fmt;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::builder::IntegrationBuilder;
use super::call::Call;
use super::client::OwnClient;
use super::edge::Edge;
use super::{background, user_flow};
use crate::body::Body;
use crate::bulkhead::BulkheadHandle;
use crate::circuit_breaker::BreakerHandle;
use crate::error::Error;
use crate::retry::RetryBudget;
use crate::transport::pool::PoolHandle;

/// One third-party API. See the [module](super).
#[derive(Clone)]
pub struct Integration {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) name: Arc<str>,
    pub(super) edge: Arc<dyn Edge>,
    pub(super) breaker: BreakerHandle,
    pub(super) bulkhead: BulkheadHandle,
    pub(super) budget: RetryBudget,
    pub(super) pool: Option<PoolHandle>,
}

impl Integration {
    /// For calls that a person waits for: seconds in all, at most one retry, a breaker.
    pub fn user_flow(name: impl Into<Arc<str>>) -> IntegrationBuilder<OwnClient> {
        let slots = user_flow::slots();
        let client = OwnClient::new(slots.connect);
        IntegrationBuilder::new(name.into(), slots, client)
    }

    /// For calls that nobody waits for: clock time, many retries, an idempotency key, no breaker.
    pub fn background(name: impl Into<Arc<str>>) -> IntegrationBuilder<OwnClient> {
        let slots = background::slots();
        let client = OwnClient::new(slots.connect);
        IntegrationBuilder::new(name.into(), slots, client)
    }

    /// Calls the API.
    ///
    /// The request's URI must be absolute. A response of any status is an answer, not an error.
    ///
    /// # Errors
    ///
    /// When there is no answer: [`Error::kind`] says why, [`Error::delivery`] whether it may have
    /// happened all the same.
    pub fn send<B: Into<Body>>(&self, request: Request<B>) -> Call {
        Call(self.shared.edge.send(request.map(Into::into)))
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Its circuit breaker; always closed where there is none.
    #[must_use]
    pub fn breaker(&self) -> &BreakerHandle {
        &self.shared.breaker
    }

    /// Its bulkhead.
    #[must_use]
    pub fn bulkhead(&self) -> &BulkheadHandle {
        &self.shared.bulkhead
    }

    /// Its pool of connections; `None` where the client is not the integration's own.
    #[must_use]
    pub fn pool(&self) -> Option<&PoolHandle> {
        self.shared.pool.as_ref()
    }

    /// Its retry budget.
    #[must_use]
    pub fn retry_budget(&self) -> &RetryBudget {
        &self.shared.budget
    }
}

impl<B: Into<Body>> Service<Request<B>> for Integration {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Call;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        // Queueing is part of the call, under its deadline.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Call {
        self.send(request)
    }
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration")
            .field("name", &self.name())
            .field("breaker", &self.breaker().state())
            .finish_non_exhaustive()
    }
}
