use std::future::Future;
use std::time::Instant;

use super::ids::CorrelationId;
use crate::rt;

/// The time by which a call must be over, put into a request's extensions.
///
/// The sooner one wins over a layer's own and over the [`Scope`]'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallDeadline(pub Instant);

/// What an outer piece of work gives to every call made inside it.
///
/// ```
/// # async fn handler(id: outrigger::context::CorrelationId) {
/// use std::time::Duration;
/// use outrigger::context::Scope;
///
/// Scope::new()
///     .correlation_id(id)
///     .deadline_in(Duration::from_secs(2))
///     .run(async {
///         // calls made here carry the id and end in time
///     })
///     .await;
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope {
    correlation_id: Option<CorrelationId>,
    deadline: Option<Instant>,
}

impl CallDeadline {
    /// A deadline so far from now.
    #[must_use]
    pub fn after(limit: std::time::Duration) -> Self {
        Self(rt::after(rt::now(), limit))
    }
}

impl Scope {
    /// A scope that gives nothing yet; inside another, it inherits the other's.
    pub fn new() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// The correlation id of the calls inside.
    pub fn correlation_id(mut self, id: CorrelationId) -> Self {
        self.correlation_id = Some(id);
        self
    }

    /// The time by which the calls inside must be over; an outer scope's stands if it is sooner.
    pub fn deadline(mut self, at: Instant) -> Self {
        self.deadline = Some(self.deadline.map_or(at, |outer| outer.min(at)));
        self
    }

    /// The same, counted from now.
    pub fn deadline_in(self, limit: std::time::Duration) -> Self {
        self.deadline(rt::after(rt::now(), limit))
    }

    /// Runs `work` inside the scope.
    pub fn run<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    pub(crate) fn current_correlation_id() -> Option<CorrelationId> {
        CURRENT.try_with(|scope| scope.correlation_id.clone()).ok().flatten()
    }

    pub(crate) fn current_deadline() -> Option<Instant> {
        CURRENT.try_with(|scope| scope.deadline).ok().flatten()
    }
}

tokio::task_local! {
    static CURRENT: Scope;
}
