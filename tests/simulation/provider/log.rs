//! What a provider saw and did: the judge of what callers are told.

use std::time::Duration;

use http::Method;

/// One thing that happened at the provider.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// By the provider's clock, which began with it.
    pub(crate) at: Duration,
    /// The number of the request, in the order in which they came; the first is 0.
    pub(crate) request: usize,
    pub(crate) did: Did,
}

/// A request as the provider saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// `x-request-id`.
    pub(crate) id: Option<String>,
    /// `idempotency-key`.
    pub(crate) key: Option<String>,
    /// Its body, if it came to its end.
    pub(crate) body: Option<usize>,
}

/// What happened to a request. Each begins with `Refused` or `Arrived`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    /// The connection was refused: the provider never saw the request.
    Refused,
    /// Its head was read.
    Arrived,
    /// The work was done.
    Executed,
    /// It wasn't done again: its key was known.
    Replayed,
    /// The answer that goes out next asks to come back after so long.
    Asked(Duration),
    /// The head of an answer went out.
    Answered(u16),
    /// All of the answer's body was taken.
    BodyTaken,
    /// The connection was reset.
    Reset,
    /// The request's own body broke.
    BodyBroke,
    /// The caller went away before the work was begun, and it isn't done.
    DroppedBefore,
    /// The caller went away before there was an answer, or with a part of its body.
    DroppedAfter,
}

/// What a provider saw and did, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) seen: Vec<Seen>,
    pub(crate) entries: Vec<Entry>,
}

impl Log {
    /// How often this happened.
    pub(crate) fn count(&self, did: Did) -> usize {
        self.entries.iter().filter(|entry| entry.did == did).count()
    }

    /// What happened from `from` on, with the requests that it happened to.
    pub(crate) fn since(&self, from: usize) -> impl Iterator<Item = (&Entry, &Seen)> {
        self.entries[from..].iter().map(|entry| (entry, &self.seen[entry.request]))
    }
}
