use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use tracing::Span;
use tracing::span::Id;

use crate::context::CallId;
use crate::rt::Lock;

/// The open spans.
///
/// No span is made, copied or closed under a lock, because that runs other crates' code.
#[derive(Default)]
pub(super) struct OpenSpans {
    hasher: RandomState,
    shards: [Mutex<HashMap<SpanKey, CallSpans>>; SHARDS],
}

/// An integration may call through another one, on the same call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SpanKey {
    call: CallId,
    integration: u64,
}

#[derive(Default)]
struct CallSpans {
    /// One, unless a layer stands in a stack twice.
    calls: Vec<CallSpan>,
    attempts: Vec<(u32, Arc<Span>)>,
}

/// A call's span.
pub(super) struct CallSpan {
    pub(super) span: Arc<Span>,
    /// The span that it is inside of, if there is one. It stays open as long as this one.
    pub(super) outside: Option<Id>,
}

impl OpenSpans {
    pub(super) fn key(&self, call: CallId, integration: Option<&str>) -> SpanKey {
        SpanKey { call, integration: self.hasher.hash_one(integration) }
    }

    pub(super) fn begin_call(&self, key: SpanKey, span: Span, outside: Option<Id>) {
        if !span.is_disabled() {
            let span = CallSpan { span: Arc::new(span), outside };
            self.shard(key).entry(key).or_default().calls.push(span);
        }
    }

    pub(super) fn begin_attempt(&self, key: SpanKey, attempt: u32, span: Span) {
        if !span.is_disabled() {
            let span = Arc::new(span);
            self.shard(key).entry(key).or_default().attempts.push((attempt, span));
        }
    }

    pub(super) fn call(&self, key: SpanKey) -> Option<Arc<Span>> {
        self.shard(key).get(&key)?.calls.last().map(|call| Arc::clone(&call.span))
    }

    pub(super) fn attempt(&self, key: SpanKey, attempt: u32) -> Option<Arc<Span>> {
        let shard = self.shard(key);
        let mut attempts = shard.get(&key)?.attempts.iter();
        attempts.find(|(number, _)| *number == attempt).map(|(_, span)| Arc::clone(span))
    }

    /// Takes the call's span out; it closes where it is dropped.
    pub(super) fn end_call(&self, key: SpanKey) -> Option<CallSpan> {
        self.take(key, |spans| spans.calls.pop())
    }

    /// Takes an attempt's span out. It may outlast its call: what is left of its answer is read
    /// aside.
    pub(super) fn end_attempt(&self, key: SpanKey, attempt: u32) -> Option<Arc<Span>> {
        self.take(key, |spans| {
            let at = spans.attempts.iter().position(|(number, _)| *number == attempt)?;
            Some(spans.attempts.swap_remove(at).1)
        })
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.locked().len()).sum()
    }

    fn take<T>(&self, key: SpanKey, take: impl FnOnce(&mut CallSpans) -> Option<T>) -> Option<T> {
        let mut shard = self.shard(key);
        let spans = shard.get_mut(&key)?;
        let span = take(spans);
        if spans.calls.is_empty() && spans.attempts.is_empty() {
            shard.remove(&key);
        }
        span
    }

    fn shard(&self, key: SpanKey) -> MutexGuard<'_, HashMap<SpanKey, CallSpans>> {
        let at = self.hasher.hash_one(key.call) % SHARDS as u64;
        self.shards[usize::try_from(at).unwrap_or_default()].locked()
    }
}

/// So that the cores of a large machine rarely meet.
const SHARDS: usize = 32;
