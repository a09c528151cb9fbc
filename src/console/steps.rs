//! What happens to a call between its start and its end, until it ends.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use super::words::{self, Phrase, Text, phrase, text};
use crate::context::CallId;
use crate::event::Event;
use crate::terms::{CacheOutcome, Class, Delivery};

/// What a caller got in place of the provider's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replacement {
    Fallback,
    /// A stored answer that is older than its lifetime, in place of a failure.
    StaleAnswer,
}

/// What happened to a call under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An attempt failed, and another follows.
    Retried { attempt: u32, class: Class, delay: Duration },
    /// A second request was sent beside a slow one.
    Hedged { after: Duration },
    /// A fallback answered; the class of the failure, and what the provider may have done.
    FellBack { class: Class, delivery: Delivery },
    /// A fallback was asked, and had no answer.
    NoFallback { class: Class },
    /// The cache gave an old answer in place of a failure.
    StaleAnswer,
}

/// The steps of calls under way, each with its time.
#[derive(Debug, Default)]
pub(super) struct Steps {
    calls: HashMap<CallId, Vec<(SystemTime, Step)>>,
    order: VecDeque<CallId>,
}

impl Replacement {
    /// For people.
    pub(super) fn words(self) -> Text {
        match self {
            Self::Fallback => text!("the fallback"),
            Self::StaleAnswer => text!("an old answer"),
        }
    }
}

impl Step {
    /// What an event tells of its call, if it is a step.
    pub(super) fn of(event: &Event) -> Option<Self> {
        match *event {
            Event::RetryScheduled { attempt, class, delay } => {
                Some(Self::Retried { attempt, class, delay })
            }
            Event::HedgeSent { after } => Some(Self::Hedged { after }),
            Event::FellBack { class, delivery } => Some(Self::FellBack { class, delivery }),
            Event::FallbackFailed { class } => Some(Self::NoFallback { class }),
            Event::CacheAnswered { outcome: CacheOutcome::StaleIfError, .. } => {
                Some(Self::StaleAnswer)
            }
            _ => None,
        }
    }

    /// What the caller got by it, and the failure that it stands for.
    pub(super) fn replacement(self) -> Option<(Replacement, Option<Class>)> {
        match self {
            Self::FellBack { class, .. } => Some((Replacement::Fallback, Some(class))),
            Self::StaleAnswer => Some((Replacement::StaleAnswer, None)),
            _ => None,
        }
    }

    /// For people.
    pub(super) fn words(self) -> Phrase {
        match self {
            Self::Retried { attempt, class, delay } => phrase!(
                "attempt {n} failed ({class}); the next follows after {time}",
                n = attempt,
                class = class.name(),
                time = words::time(delay)
            ),
            Self::Hedged { after } => phrase!(
                "no answer after {time}: a second request was sent",
                time = words::time(after)
            ),
            Self::FellBack { class, delivery } => phrase!(
                "the fallback answered in the provider's place ({class}): {what}",
                class = class.name(),
                what = words::delivery(delivery)
            ),
            Self::NoFallback { class } => {
                phrase!("the fallback was asked, and had no answer ({class})", class = class.name())
            }
            Self::StaleAnswer => phrase!("the cache gave an old answer"),
        }
    }
}

impl Steps {
    pub(super) fn add(&mut self, call: CallId, at: SystemTime, step: Step) {
        if let Some(known) = self.calls.get_mut(&call) {
            if known.len() < EACH {
                known.push((at, step));
            } else if let Some(last) = known.last_mut() {
                // What came of it matters most.
                *last = (at, step);
            }
            return;
        }
        while self.order.len() >= MOST {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.calls.remove(&oldest));
        }
        self.calls.insert(call, vec![(at, step)]);
        self.order.push_back(call);
    }

    /// Those of a call that has ended, which are forgotten here.
    pub(super) fn take(&mut self, call: CallId) -> Vec<(SystemTime, Step)> {
        let Some(known) = self.calls.remove(&call) else { return Vec::new() };
        self.order.retain(|other| *other != call);
        known
    }
}

/// Calls under way of which steps are known: those of a busy service while its provider fails.
const MOST: usize = 1_000;
/// Steps of one call: a job may be tried for hours.
const EACH: usize = 32;
