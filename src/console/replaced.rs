//! Calls whose caller gets something else than the provider's answer, until they end.

use std::collections::{HashMap, VecDeque};

use crate::context::CallId;
use crate::event::Event;
use crate::terms::{CacheOutcome, Class};

/// What a caller got in place of the provider's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replacement {
    Fallback,
    /// A stored answer that is older than its lifetime, in place of a failure.
    StaleAnswer,
}

/// The calls under way that have a replacement.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    calls: HashMap<CallId, (Replacement, Option<Class>)>,
    order: VecDeque<CallId>,
}

impl Replacement {
    /// What an event tells of its call: the replacement, and the failure that it stands for.
    pub(super) fn of(event: &Event) -> Option<(Self, Option<Class>)> {
        match event {
            Event::FellBack { class, .. } => Some((Self::Fallback, Some(*class))),
            Event::CacheAnswered { outcome: CacheOutcome::StaleIfError, .. } => {
                Some((Self::StaleAnswer, None))
            }
            _ => None,
        }
    }

    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Fallback => "the fallback",
            Self::StaleAnswer => "an old answer",
        }
    }
}

impl Replaced {
    pub(super) fn add(&mut self, call: CallId, replacement: (Replacement, Option<Class>)) {
        while self.order.len() >= MOST {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.calls.remove(&oldest));
        }
        self.calls.insert(call, replacement);
        self.order.push_back(call);
    }

    /// Forgets a call that has ended.
    pub(super) fn take(&mut self, call: CallId) -> Option<(Replacement, Option<Class>)> {
        let known = self.calls.remove(&call)?;
        self.order.retain(|other| *other != call);
        Some(known)
    }
}

/// Calls end right after they were answered, unless nobody tells of their end.
const MOST: usize = 1_000;
