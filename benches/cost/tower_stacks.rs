//! What tower's and tower-http's own layers cost.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tower::retry::Policy;
use tower::retry::budget::{Budget, TpsBudget};

/// Repeats what isn't a success, within the budget.
#[derive(Clone)]
pub(crate) struct OnFailure<W> {
    budget: Arc<TpsBudget>,
    wait: W,
}

impl<W> OnFailure<W> {
    /// With a budget that never is empty, and a wait before the retry.
    pub(crate) fn after(wait: W) -> Self {
        let budget = TpsBudget::new(Duration::from_secs(10), 100_000, 0.2);
        Self { budget: Arc::new(budget), wait }
    }
}

impl<E, R, B, W, F> Policy<Request<R>, Response<B>, E> for OnFailure<W>
where
    R: Clone,
    W: Fn() -> F,
    F: Future<Output = ()>,
{
    type Future = F;

    fn retry(&mut self, _: &mut Request<R>, result: &mut Result<Response<B>, E>) -> Option<F> {
        if result.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            self.budget.deposit();
            return None;
        }
        self.budget.withdraw().then(&self.wait)
    }

    fn clone_request(&mut self, request: &Request<R>) -> Option<Request<R>> {
        Some(request.clone())
    }
}

/// Timeout, retry with a budget, and a limit on concurrency.
macro_rules! tower {
    ($inner:expr, $wait:expr) => {
        tower::ServiceBuilder::new()
            .timeout(std::time::Duration::from_secs(8))
            .retry($crate::tower_stacks::OnFailure::after($wait))
            .concurrency_limit(64)
            .service($inner)
    };
}

/// The same, with an id on the request and on the answer.
macro_rules! tower_with_id {
    ($inner:expr, $wait:expr) => {
        tower_http::ServiceBuilderExt::propagate_x_request_id(
            tower_http::ServiceBuilderExt::set_x_request_id(
                tower::ServiceBuilder::new(),
                tower_http::request_id::MakeRequestUuid,
            ),
        )
        .timeout(std::time::Duration::from_secs(8))
        .retry($crate::tower_stacks::OnFailure::after($wait))
        .concurrency_limit(64)
        .service($inner)
    };
}

pub(crate) use {tower, tower_with_id};
