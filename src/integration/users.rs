//! The user's own patterns, around calls and around attempts.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::IntegrationWire;
use crate::pattern::{Attempt, Call, Flow, Next, OneOf, Pattern, Unbegun, WholeAnswer};

/// The user's own patterns, the first one outermost.
///
/// They are trait objects: each costs a call two allocations; without any, there is no cost.
#[derive(Clone, Default)]
pub(super) struct Users(Vec<Arc<dyn AnyPattern>>);

/// The user's patterns around inner ones.
pub(super) struct AroundUsers<N> {
    users: Users,
    next: N,
}

type BoxedFlow<'a> = Pin<Box<dyn Future<Output = Flow> + Send + 'a>>;

/// A pattern as a trait object.
trait AnyPattern: Send + Sync {
    fn around_any<'a>(
        &'a self,
        call: &'a Call,
        attempt: &'a Attempt<IntegrationWire>,
        next: &'a dyn AnyNext,
    ) -> BoxedFlow<'a>;

    fn begin_any(&self, attempt: &Attempt<IntegrationWire>);
}

/// The inner patterns as a trait object.
trait AnyNext: Send + Sync {
    fn run_any<'a>(
        &'a self,
        call: &'a Call,
        attempt: &'a Attempt<IntegrationWire>,
    ) -> BoxedFlow<'a>;
}

/// The remaining user's patterns, and the inner ones.
struct Rest<'a, N> {
    users: &'a [Arc<dyn AnyPattern>],
    next: &'a N,
}

struct Pointed<'a>(&'a dyn AnyNext);

impl Users {
    pub(super) fn add(&mut self, pattern: impl Pattern) {
        self.0.push(Arc::new(pattern));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn around<N>(&self, next: N) -> AroundUsers<N> {
        AroundUsers { users: self.clone(), next }
    }
}

impl<N: Next<IntegrationWire>> Next<IntegrationWire> for AroundUsers<N> {
    #[inline]
    fn run(
        &self,
        call: &Call,
        attempt: &Attempt<IntegrationWire>,
    ) -> impl Future<Output = Flow> + Send {
        match self.users.is_empty() {
            true => OneOf::First { future: self.next.run(call, attempt) },
            false => OneOf::Second {
                future: async move {
                    let rest = Rest { users: &self.users.0, next: &self.next };
                    rest.run_any(call, attempt).await
                },
            },
        }
    }

    fn begin(&self, attempt: &Attempt<IntegrationWire>) {
        self.users.0.iter().for_each(|user| user.begin_any(attempt));
        self.next.begin(attempt);
    }

    fn release(&self) {
        self.next.release();
    }

    fn may_answer_at_once(&self) -> bool {
        self.users.is_empty() && self.next.may_answer_at_once()
    }

    fn answer_at_once(&self, call: &mut Unbegun<'_>) -> Option<WholeAnswer> {
        self.next.answer_at_once(call)
    }
}

impl<N: Next<IntegrationWire>> AnyNext for Rest<'_, N> {
    fn run_any<'a>(
        &'a self,
        call: &'a Call,
        attempt: &'a Attempt<IntegrationWire>,
    ) -> BoxedFlow<'a> {
        match self.users.split_first() {
            None => Box::pin(self.next.run(call, attempt)),
            Some((first, users)) => Box::pin(async move {
                let rest = Rest { users, next: self.next };
                first.around_any(call, attempt, &rest).await
            }),
        }
    }
}

impl<P: Pattern> AnyPattern for P {
    fn around_any<'a>(
        &'a self,
        call: &'a Call,
        attempt: &'a Attempt<IntegrationWire>,
        next: &'a dyn AnyNext,
    ) -> BoxedFlow<'a> {
        Box::pin(async move { self.around(call, attempt, &Pointed(next)).await })
    }

    fn begin_any(&self, attempt: &Attempt<IntegrationWire>) {
        self.begin(attempt);
    }
}

impl Next<IntegrationWire> for Pointed<'_> {
    async fn run(&self, call: &Call, attempt: &Attempt<IntegrationWire>) -> Flow {
        self.0.run_any(call, attempt).await
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("patterns", &self.0.len()).finish()
    }
}
