use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http::{HeaderValue, Method, StatusCode};

use super::extension::Context;
use super::ids::CallId;
use crate::terms::Delivery;

/// What the calls inside a [`Scope`](super::Scope) have come to.
///
/// A client library above may make several calls for one operation, or make an error of its own of
/// ours. Its last error then says little: of a POST that got no answer and was tried again, and then
/// refused by an open breaker, it says "not sent". The report knows of all calls.
///
/// ```
/// use outrigger::Delivery;
/// use outrigger::context::{Report, Scope};
///
/// # async fn charge() -> Result<(), std::io::Error> { Ok(()) }
/// # async fn handler() {
/// let report = Report::new();
/// let charged = Scope::new().report_to(&report).run(charge()).await;
/// if charged.is_err() && report.delivery().is_none_or(|delivery| delivery == Delivery::Unknown) {
///     // The provider may have acted, or nobody knows what was done: ask it.
/// }
/// # }
/// ```
///
/// A task that is spawned inside is outside of the scope: take the scope along by
/// `tokio::spawn(Scope::new().run(work))`.
///
/// It knows each of the last 100 calls, and of those before only the sums. Clones are one report.
#[derive(Clone, Debug, Default)]
pub struct Report(Arc<Mutex<Calls>>);

/// One call of a [`Report`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportedCall {
    /// The call's id.
    pub call_id: CallId,
    /// The integration that it went to, if there is one.
    pub integration: Option<Arc<str>>,
    /// The request's method.
    pub method: Method,
    /// Its idempotency key.
    pub idempotency_key: Option<HeaderValue>,
    /// The requests that were sent for it, as far as a layer counts them.
    pub attempts: u32,
    /// The worst delivery of its attempts; [`Delivery::Answered`] once an answer that says that all went
    /// well was read to its end, whatever attempts before it came to. [`Delivery::Unknown`] while it runs.
    pub delivery: Delivery,
    /// The status of the last answer, if there was one.
    pub status: Option<StatusCode>,
    /// Its answer hasn't been read to the end, nor dropped.
    pub is_running: bool,
}

#[derive(Debug, Default)]
struct Calls {
    last: VecDeque<Arc<ReportEntry>>,
    /// Of the calls before these.
    before: Sums,
}

#[derive(Clone, Copy, Debug)]
struct Sums {
    calls: u32,
    attempts: u32,
    delivery: Delivery,
}

/// A call's place in the reports that it is told to.
#[derive(Debug)]
pub(crate) struct ReportEntry {
    method: Method,
    context: Context,
    /// Another call sends by it.
    is_nested: bool,
    end: OnceLock<CallEnd>,
}

/// What a call came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallEnd {
    pub(crate) delivery: Delivery,
    pub(crate) attempts: u32,
    pub(crate) status: Option<StatusCode>,
}

impl Report {
    /// A report of no calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The worst delivery of all calls: whether a provider may have acted on any of them. A call that
    /// still runs counts as [`Delivery::Unknown`].
    ///
    /// `None` if it knows of no call: none was made, or they were made and polled in a task that is not
    /// in the scope.
    #[must_use]
    pub fn delivery(&self) -> Option<Delivery> {
        let Sums { calls, delivery, .. } = self.sums();
        (calls > 0).then_some(delivery)
    }

    /// The requests that were sent for all calls. What a call causes another integration to send counts
    /// once.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.sums().attempts
    }

    /// How many calls were made.
    #[must_use]
    pub fn call_count(&self) -> u32 {
        self.sums().calls
    }

    /// The last 100 calls, in the order in which they began.
    #[must_use]
    pub fn calls(&self) -> Vec<ReportedCall> {
        self.state().last.iter().map(|entry| entry.show()).collect()
    }

    /// The worst delivery of all calls, if those that run were dropped now.
    #[cfg(feature = "outbox")]
    pub(crate) fn delivery_if_cut(&self) -> Option<Delivery> {
        let state = self.state();
        let last = state.last.iter().map(|entry| match entry.end.get() {
            Some(end) => end.delivery,
            None => entry.context.state().delivery_if_cut(),
        });
        last.chain((state.before.calls > 0).then_some(state.before.delivery)).max()
    }

    fn sums(&self) -> Sums {
        let state = self.state();
        state.last.iter().fold(state.before, |sums, entry| sums.and(entry))
    }

    pub(super) fn begin(&self, entry: &Arc<ReportEntry>) {
        let mut state = self.state();
        if state.last.len() == MOST_CALLS {
            // One that runs is kept if possible: what it comes to isn't known.
            let ended = state.last.iter().position(|entry| entry.end.get().is_some());
            if let Some(oldest) = state.last.remove(ended.unwrap_or(0)) {
                state.before = state.before.and(&oldest);
            }
        }
        state.last.push_back(Arc::clone(entry));
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn state(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self { calls: 0, attempts: 0, delivery: Delivery::NotSent }
    }
}

impl Sums {
    fn and(self, entry: &ReportEntry) -> Self {
        let CallEnd { delivery, attempts, .. } = entry.end();
        Self {
            calls: self.calls.saturating_add(1),
            attempts: self.attempts.saturating_add(if entry.is_nested { 0 } else { attempts }),
            delivery: self.delivery.max(delivery),
        }
    }
}

impl ReportEntry {
    pub(super) fn new(method: Method, context: Context, is_nested: bool) -> Arc<Self> {
        Arc::new(Self { method, context, is_nested, end: OnceLock::new() })
    }

    /// The call has ended so; told once.
    pub(crate) fn tell(&self, end: CallEnd) {
        let _ = self.end.set(end);
    }

    /// What the call came to, or what can be said while it runs.
    fn end(&self) -> CallEnd {
        let so_far = || CallEnd {
            delivery: Delivery::Unknown,
            attempts: self.context.call().attempts().unwrap_or(1),
            status: self.context.call().last_status(),
        };
        self.end.get().copied().unwrap_or_else(so_far)
    }

    fn show(&self) -> ReportedCall {
        let CallEnd { delivery, attempts, status } = self.end();
        ReportedCall {
            call_id: self.context.call().id(),
            integration: self.context.call().integration.clone(),
            method: self.method.clone(),
            idempotency_key: self.context.call().key.get().map(|key| key.value.clone()),
            attempts,
            delivery,
            status,
            is_running: self.end.get().is_none(),
        }
    }
}

/// How many calls a report knows one by one, so that a scope around a long job stays small.
const MOST_CALLS: usize = 100;
