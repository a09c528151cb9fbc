use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What came of one client's calls.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Vec<Call>>);

/// One call, at times since the script began.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) began: Duration,
    /// Absent while its caller waits.
    pub(crate) end: Option<(Outcome, Duration)>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With a success.
    Answered,
    /// With a success of so long ago.
    Stale(Duration),
    /// With a failure that is one.
    Failed,
    /// By the client's own decision, before anything was sent.
    Refused,
    /// Without an answer, or with a 5xx, and the customer may have been charged.
    Unknown,
}

impl Tally {
    /// Returns the call's number.
    pub(crate) fn begin(&self, now: Duration) -> usize {
        let mut calls = self.lock();
        calls.push(Call { began: now, end: None });
        calls.len() - 1
    }

    pub(crate) fn end(&self, call: usize, outcome: Outcome, now: Duration) {
        self.lock()[call].end = Some((outcome, now));
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    pub(crate) fn came_to(&self, outcome: Outcome) -> bool {
        self.end.is_some_and(|(end, _)| end == outcome)
    }

    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.end, Some((Outcome::Answered | Outcome::Stale(_), _)))
    }

    /// How old its answer was, if it was a stale one.
    pub(crate) fn staleness(&self) -> Option<Duration> {
        match self.end {
            Some((Outcome::Stale(age), _)) => Some(age),
            _ => None,
        }
    }

    pub(crate) fn ended_in(&self, time: Range<Duration>) -> bool {
        self.end.is_some_and(|(_, at)| time.contains(&at))
    }

    /// How long its caller waited, or has waited so far.
    pub(crate) fn wait(&self, now: Duration) -> Duration {
        self.end.map_or(now, |(_, at)| at) - self.began
    }
}
