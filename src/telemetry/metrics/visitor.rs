use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::bounded::LabelValues;
use super::labels::{Labels, Text};
use super::names::{self, Metric};
use super::outcome::Outcome;
use super::sink::Sink;
use crate::context::{CallTarget, Context};
use crate::event::{AttemptDetail, End, Event, Origin};
use crate::telemetry::error_type::ErrorType;
use crate::telemetry::known::{self, OTHER};
use crate::terms::local_copy::LocalCopyEvent;
use crate::terms::{Class, Delivery, Rejection, Verdict};

/// Records one event as metrics.
pub(super) struct MetricsVisitor<'a> {
    pub(super) to: &'a dyn Sink,
    pub(super) values: Arc<LabelValues>,
    pub(super) origin: &'a Origin<'a>,
}

impl MetricsVisitor<'_> {
    /// Records an event that has measurements; the others are counted.
    pub(super) fn record(&self, event: &Event) {
        match *event {
            Event::CallFinished { end, elapsed, attempts } => self.call(end, elapsed, attempts),
            Event::AttemptStarted => self.under_way(1.0),
            Event::AttemptFinished { end, elapsed, detail } => {
                self.under_way(-1.0);
                self.attempt(end, elapsed, detail);
            }
            Event::FellBack { class, .. } => self.count_outcome(&names::FALLBACK_ANSWERS, class),
            Event::FallbackFailed { class } => {
                self.count_outcome(&names::FALLBACK_FAILURES, class);
            }
            Event::RetryScheduled { class, .. } => self.count_outcome(&names::RETRIES, class),
            Event::BulkheadAdmitted { waited } => self.time(&names::BULKHEAD_WAIT, [], waited),
            Event::BreakerReleased { waited } => self.time(&names::BREAKER_WAIT, [], waited),
            Event::RateLimitReleased { waited } => self.time(&names::RATE_LIMIT_WAIT, [], waited),
            Event::Mirrored { class, agrees, .. } => {
                let agrees = agrees.map_or("not_compared", yes_or_no);
                let class = Outcome::from(class).class;
                let labels = [(names::CLASS, class.into()), (names::AGREES, agrees.into())];
                self.count(&names::MIRROR_ANSWERS, labels);
            }
            Event::ClientReplaced { cause, replaced } => {
                let reason = (names::REASON, cause.name().into());
                let replaced = (names::REPLACED, yes_or_no(replaced).into());
                self.count(&names::CLIENTS_REPLACED, [reason, replaced]);
            }
            Event::CacheAnswered { outcome, age } => {
                let outcome = (names::OUTCOME, outcome.name().into());
                if let Some(age) = age {
                    self.time(&names::CACHE_AGE, [outcome.clone()], age);
                }
                self.count(&names::CACHE_ANSWERS, [outcome]);
            }
            Event::AnswerPassed { check, partial: false } => self.answer(check, Verdict::Pass),
            Event::AnswerPassed { check, partial: true } => self.answer(check, Verdict::Partial),
            Event::AnswerRejected { check, verdict, .. } => self.answer(check, verdict),
            Event::AnswerUnchecked { check, .. } => self.answer(check, Verdict::Unchecked),
            Event::LocalCopy { copy, event } => self.local_copy(copy, event),
            #[cfg(feature = "console")]
            Event::ConsoleActed { right, outcome } => {
                let labels =
                    [(names::RIGHT, right.name().into()), (names::OUTCOME, outcome.name().into())];
                self.count(&names::CONSOLE_ACTS, labels);
            }
            ref other => self.tally(other),
        }
    }

    /// Counts what a check said of an answer.
    fn answer(&self, check: &'static str, verdict: Verdict) {
        let labels = [(names::CHECK, check.into()), (names::VERDICT, verdict.name().into())];
        self.count(&names::VALIDATION_ANSWERS, labels);
    }

    /// Counts an event, with at most one label.
    fn tally(&self, event: &Event) {
        let (metric, labels) = match *event {
            #[cfg(feature = "console")]
            Event::ConsoleRefused { why } => {
                (names::CONSOLE_REFUSED, Some((names::REASON, why.name())))
            }
            Event::CorrelationReplaced => (names::CORRELATION_REPLACED, None),
            Event::RetryGaveUp { why, .. } => {
                (names::RETRIES_GIVEN_UP, Some((names::REASON, why.name())))
            }
            Event::BreakerChanged { to, .. } => {
                (names::BREAKER_CHANGES, Some((names::STATE, to.name())))
            }
            Event::BreakerWouldReject => (names::BREAKER_WOULD_REJECT, None),
            Event::ConnectionOpened => (names::CONNECTIONS_OPENED, None),
            Event::ConnectionClosed { cause, .. } => {
                (names::CONNECTIONS_CLOSED, Some((names::REASON, cause.name())))
            }
            Event::Redirected { to_origin, .. } => {
                (names::REDIRECTS, Some((names::TO_ORIGIN, to_origin.name())))
            }
            Event::KillSwitchChanged { to, .. } => {
                (names::KILL_SWITCH_CHANGES, Some((names::MODE, to.name())))
            }
            Event::KillSwitchSourceFailed { problem, matters: true } => {
                let why = (names::REASON, problem.name());
                (names::KILL_SWITCH_SOURCE_FAILURES, Some(why))
            }
            Event::RateLimitPaused { .. } => (names::RATE_LIMIT_PAUSES, None),
            Event::HedgeSent { .. } => (names::HEDGES_SENT, None),
            Event::HedgeSkipped { why } => {
                (names::HEDGES_SKIPPED, Some((names::REASON, why.name())))
            }
            Event::HedgeFinished { won } => {
                let winner = if won { "second" } else { "first" };
                (names::HEDGES_FINISHED, Some((names::WINNER, winner)))
            }
            Event::CacheRefreshed { ok } => {
                (names::CACHE_REFRESHES, Some((names::ANSWERED, yes_or_no(ok))))
            }
            Event::MirrorSkipped => (names::MIRROR_SKIPPED, None),
            Event::FaultInjected { fault } => {
                (names::FAULT_INJECTION_FAULTS, Some((names::FAULT, fault.name())))
            }
            Event::TokenRefreshed { .. } => (names::TOKEN_REFRESHES, None),
            Event::TokenRefreshFailed { failure, .. } => {
                (names::TOKEN_REFRESH_FAILURES, Some((names::REASON, failure.name())))
            }
            Event::TokenServedExpired { .. } => (names::TOKEN_SERVED_EXPIRED, None),
            Event::TokenRefused { .. } => (names::TOKEN_REFUSALS, None),
            Event::SigningFailed => (names::SIGNING_FAILURES, None),
            Event::ClockSkewed { .. } => (names::SIGNING_CLOCK_SKEWS, None),
            Event::DriftNoticed { kind, .. } => {
                (names::DRIFT_NOTICED, Some((names::DRIFT, kind.name())))
            }
            Event::SettingsApplied => (names::SETTINGS_APPLIED, None),
            #[cfg(feature = "outbox")]
            Event::Outbox(crate::terms::outbox::OutboxEvent::Parked { why }) => {
                (names::OUTBOX_PARKED, Some((names::REASON, why.name())))
            }
            #[cfg(feature = "outbox")]
            Event::Outbox(event) => (names::OUTBOX_EVENTS, Some((names::REASON, event.name()))),
            // Other events are seen in later ones, or are states, which gauges show.
            _ => match refusal(event) {
                Some(why) => (names::REJECTIONS, Some((names::REASON, why))),
                None => return,
            },
        };
        self.count(&metric, labels.map(|(name, word)| (name, word.into())));
    }

    /// The other events of a copy are states, which gauges show.
    fn local_copy(&self, copy: &'static str, event: LocalCopyEvent) {
        let outcome = match event {
            LocalCopyEvent::Loaded { changed: true, .. } => "changed",
            LocalCopyEvent::Loaded { changed: false, .. } => "unchanged",
            LocalCopyEvent::LoadFailed { failure, .. } => failure.name(),
            LocalCopyEvent::SnapshotFailed { problem } => {
                let why = (names::REASON, problem.name().into());
                let labels = [(names::COPY, copy.into()), why];
                return self.count(&names::LOCAL_COPY_SNAPSHOT_FAILURES, labels);
            }
            _ => return,
        };
        let labels = [(names::COPY, copy.into()), (names::OUTCOME, outcome.into())];
        self.count(&names::LOCAL_COPY_LOADS, labels);
    }

    fn call(&self, end: End, elapsed: Duration, attempts: u32) {
        let outcome = Outcome::of(end);
        self.time(&names::CALL_DURATION, [(names::CLASS, outcome.class.into())], elapsed);
        self.count(&names::CALLS, outcome.labels());
        self.to.record(&names::CALL_ATTEMPTS, self.labels([]), f64::from(attempts));
        if end.delivery() == Some(Delivery::Unknown) {
            self.count(&names::CALLS_UNKNOWN, self.method());
        }
    }

    fn attempt(&self, end: End, elapsed: Duration, detail: AttemptDetail) {
        let outcome = Outcome::of(end);
        let status = match end {
            End::Answered { status, .. } => Some(status),
            // The head had arrived, and then the body broke or was dropped.
            _ if detail.head.is_some() => self.origin.context().and_then(Context::last_status),
            _ => None,
        };
        let status = status.map(|status| (names::STATUS_CODE, status_code(status)));
        let error = ErrorType::of(end).map(|error| (names::ERROR_TYPE, error.into()));
        let template = self.target().and_then(CallTarget::path_template);
        let template =
            template.map(|path| (names::TEMPLATE, self.values.templates.text(path.as_str())));
        let class = (names::CLASS, outcome.class.into());
        let mut labels = self.peer();
        labels.extend([Some(class), status, error, template].into_iter().flatten());
        self.to.record(&names::REQUEST_DURATION, labels, elapsed.as_secs_f64());
        if let Some(acquired) = detail.acquired {
            self.time(&names::CONNECTION_WAIT, [], acquired);
        }
    }

    fn under_way(&self, by: f64) {
        self.to.record(&names::ACTIVE_REQUESTS, self.peer(), by);
    }

    fn count_outcome(&self, metric: &Metric, class: Class) {
        self.count(metric, Outcome::from(class).labels());
    }

    fn count(&self, metric: &Metric, labels: impl IntoIterator<Item = (&'static str, Text)>) {
        self.to.record(metric, self.labels(labels), 1.0);
    }

    fn time(
        &self,
        metric: &Metric,
        labels: impl IntoIterator<Item = (&'static str, Text)>,
        time: Duration,
    ) {
        self.to.record(metric, self.labels(labels), time.as_secs_f64());
    }

    /// The labels of the provider: method, host and port.
    fn peer(&self) -> Labels {
        let Some(target) = self.target() else {
            return self.labels([]);
        };
        let host = target.host().map(|host| (names::ADDRESS, self.values.hosts.text(host)));
        let port = target.port().map(|port| (names::PORT, self.values.ports.text(&port)));
        self.labels([self.method(), host, port].into_iter().flatten())
    }

    fn method(&self) -> Option<(&'static str, Text)> {
        self.target()
            .map(|target| (names::METHOD, known::method(target.method()).unwrap_or(OTHER).into()))
    }

    fn target(&self) -> Option<&CallTarget> {
        self.origin.context()?.target()
    }

    fn labels(&self, labels: impl IntoIterator<Item = (&'static str, Text)>) -> Labels {
        let integration = (names::INTEGRATION, Arc::clone(&self.values.name).into());
        [integration].into_iter().chain(labels).collect()
    }
}

/// Why a layer refused, if the event is a refusal.
fn refusal(event: &Event) -> Option<&'static str> {
    let why = match *event {
        Event::BreakerRejected => Rejection::CircuitOpen,
        Event::BulkheadRejected { why } => why,
        Event::RateLimitRejected { .. } => Rejection::RateLimited,
        Event::TokenMissing => Rejection::NoToken,
        Event::KillSwitchRejected { mode } => mode.rejection().unwrap_or(Rejection::Stopped),
        _ => return None,
    };
    Some(why.name())
}

fn status_code(status: StatusCode) -> Text {
    match status.as_u16() {
        known @ 100..=599 => known.into(),
        _ => OTHER.into(),
    }
}

fn yes_or_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}
