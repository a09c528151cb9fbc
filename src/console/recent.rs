use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::minutes::{Kind, Minutes};
use super::steps::{Replacement, Step, Steps};
use super::words::Phrase;
use crate::context::{Context, PathTemplate};
use crate::event::{End, Event, Origin, Subscriber};
use crate::redact::{Redactor, StandardRedactor};
use crate::rt::{Clock, Lock};
use crate::terms::{Class, Delivery};

/// What the console remembers of calls: figures of the last hour by minute, the last calls, and the last
/// failures. It is a subscriber; clones share what they know.
///
/// ```
/// use outrigger::console::Recent;
/// use outrigger::control::Registry;
///
/// let recent = Recent::new();
/// let registry = Registry::new().subscriber(recent.clone());
/// # let _ = registry;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recent(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    clock: Clock,
    redactor: StandardRedactor,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    minutes: BTreeMap<String, Minutes>,
    calls: VecDeque<Arc<SeenCall>>,
    failures: VecDeque<Arc<SeenCall>>,
    steps: Steps,
}

/// A call that has ended.
#[derive(Clone, Debug)]
pub(super) struct SeenCall {
    pub(super) at: SystemTime,
    pub(super) integration: String,
    pub(super) call_id: String,
    pub(super) correlation_id: Option<String>,
    pub(super) key: Option<String>,
    pub(super) business_key: Option<String>,
    pub(super) method: String,
    /// The path template, or else the host.
    pub(super) target: String,
    pub(super) end: &'static str,
    pub(super) class: Option<Class>,
    pub(super) status: Option<StatusCode>,
    /// What the caller got in place of the provider's answer.
    pub(super) replaced: Option<Replacement>,
    pub(super) delivery: Option<Delivery>,
    pub(super) attempts: u32,
    pub(super) elapsed: Duration,
    /// What happened to it before it ended.
    pub(super) steps: Vec<(SystemTime, Step)>,
}

impl Recent {
    /// Remembers 2,000 calls and 500 failures of all integrations: about a megabyte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, ..Inner::default() }))
    }

    /// The last hour of an integration.
    pub(super) fn minutes(&self, integration: &str) -> Minutes {
        self.0.known.locked().minutes.get(integration).cloned().unwrap_or_default()
    }

    /// The newest failures of an integration, newest first.
    pub(super) fn failures(&self, integration: &str, most: usize) -> Vec<Arc<SeenCall>> {
        let known = self.0.known.locked();
        let own = known.failures.iter().rev().filter(|call| call.integration == integration);
        own.take(most).cloned().collect()
    }

    /// All that have this as one of their ids or keys, oldest first.
    pub(super) fn find(&self, id: &str) -> Vec<Arc<SeenCall>> {
        // Calls are remembered with their ids as they may be shown.
        let shown = self.0.redactor.id(id);
        let is_asked_for = |call: &SeenCall| call.is_called(id) || call.is_called(&shown);
        let known = self.0.known.locked();
        let mut found: Vec<_> =
            known.calls.iter().filter(|call| is_asked_for(call)).cloned().collect();
        // A failure that is remembered longer than the calls of its time.
        let since = known.calls.front().map(|call| call.at);
        let older = known.failures.iter().filter(|call| since.is_some_and(|since| call.at < since));
        found.extend(older.filter(|call| is_asked_for(call)).cloned());
        found.sort_by_key(|call| call.at);
        found
    }

    /// From when on all calls are known.
    pub(super) fn knows_since(&self) -> Option<SystemTime> {
        let known = self.0.known.locked();
        (known.calls.len() >= CALLS).then(|| known.calls.front().map(|call| call.at))?
    }
}

impl Subscriber for Recent {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        if let (Some(step), Some(context)) = (Step::of(event), origin.context()) {
            let at = self.0.clock.wall();
            self.0.known.locked().steps.add(context.call_id(), at, step);
            return;
        }
        let (Event::CallFinished { end, elapsed, attempts }, Some(integration)) =
            (event, origin.integration())
        else {
            return;
        };
        let at = self.0.clock.wall();
        let take = |call| self.0.known.locked().steps.take(call);
        let steps = origin.context().map(|context| take(context.call_id())).unwrap_or_default();
        let taken = steps.iter().rev().find_map(|(_, step)| step.replacement());
        let (class, status) = match *end {
            End::Answered { class, status, .. } => (Some(class), Some(status)),
            End::Failed { class, .. } => (Some(class), None),
            End::Abandoned { .. } | End::Overtaken => (None, None),
        };
        let replaced = taken.map(|(replacement, _)| replacement);
        let kind = Kind::of(class, replaced);
        let call = origin.context().map(|context| {
            Arc::new(SeenCall {
                end: end.name(),
                class: taken.and_then(|(_, failure)| failure).or(class),
                status,
                replaced,
                delivery: end.delivery(),
                attempts: *attempts,
                elapsed: *elapsed,
                steps,
                ..SeenCall::new(at, integration, context, &self.0.redactor)
            })
        });
        let mut known = self.0.known.locked();
        known.minutes_of(integration).count(at, kind, *elapsed);
        let Some(call) = call else { return };
        if kind.is_failure() {
            keep(&mut known.failures, Arc::clone(&call), FAILURES);
        }
        keep(&mut known.calls, call, CALLS);
    }

    fn identity(&self) -> Option<usize> {
        Some(Arc::as_ptr(&self.0).addr())
    }
}

impl Known {
    fn minutes_of(&mut self, integration: &str) -> &mut Minutes {
        self.minutes.entry(integration.to_owned()).or_default()
    }
}

impl SeenCall {
    /// A call of which only the names are known yet, as far as they may be shown.
    fn new(
        at: SystemTime,
        integration: &str,
        context: &Context,
        redactor: &StandardRedactor,
    ) -> Self {
        let show = |id: &str| redactor.id(id);
        let target = context.target();
        let name = target.and_then(|target| {
            let template = target.path_template().map(PathTemplate::as_str);
            template.or(target.host()).map(str::to_owned)
        });
        let key = context.idempotency_key().and_then(|key| key.to_str().ok());
        let business_key = target.and_then(|target| target.business_key());
        Self {
            at,
            integration: integration.to_owned(),
            call_id: context.call_id().to_string(),
            correlation_id: context.correlation_id().map(|id| show(id.as_str())),
            key: key.map(show),
            business_key: business_key.map(|key| show(key.as_str())),
            method: target.map(|target| target.method().to_string()).unwrap_or_default(),
            target: name.unwrap_or_default(),
            end: "",
            class: None,
            status: None,
            replaced: None,
            delivery: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            steps: Vec::new(),
        }
    }

    fn is_called(&self, id: &str) -> bool {
        let names = [&self.correlation_id, &self.key, &self.business_key];
        self.call_id == id || names.into_iter().flatten().any(|known| known == id)
    }

    /// What it came to, in a word or two.
    pub(super) fn result(&self) -> Phrase {
        if let Some(replaced) = self.replaced {
            let class = self.class.filter(|class| !class.is_success());
            let class = class.map(|class| format!(" ({})", class.name())).unwrap_or_default();
            return Phrase::list([replaced.words().into(), class.into()], "");
        }
        Phrase::from(match (self.status, self.class) {
            (Some(status), Some(Class::Success)) => status.as_str().to_owned(),
            (Some(status), Some(class)) => format!("{} ({})", status.as_str(), class.name()),
            (None, Some(class)) => class.name().to_owned(),
            _ => self.end.to_owned(),
        })
    }
}

fn keep(calls: &mut VecDeque<Arc<SeenCall>>, call: Arc<SeenCall>, most: usize) {
    while calls.len() >= most {
        calls.pop_front();
    }
    calls.push_back(call);
}

/// Some minutes of a busy service, an hour of a quiet one.
const CALLS: usize = 2_000;
/// So that a failure is still there when somebody looks.
const FAILURES: usize = 500;
