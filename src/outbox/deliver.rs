//! One claimed message: what is done with it, until the store has it back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::{self, Called};
use super::inner::Inner;
use super::input::{Effect, Outcome};
use super::lane::{Lane, Probed, UnknownOutcome};
use super::lease::{in_grace, under_leases};
use super::polling::{Polled, Polling};
use super::store::{LeaseRef, Pause, PausedBy, Report, Settlement};
use super::stored::StoredMessage;
use super::time::Timestamp;
use super::verdict::Verdict;
use crate::context::Report as CallReport;
use crate::integration::Integration;
use crate::rt;
use crate::terms::Delivery as Sent;
use crate::terms::outbox::{DeadReason, OutboxEvent, Phase, State};

/// What a worker does with one message.
pub(super) struct Delivery {
    pub(super) inner: Arc<Inner>,
    pub(super) lane: Arc<Lane>,
    pub(super) message: StoredMessage,
}

/// What it came to.
#[derive(Clone)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) called: Option<Called>,
    /// When the lane may claim again, if something here refused.
    pub(super) gate: Option<Instant>,
    /// Why a function of the host's could not make the request.
    pub(super) error: Option<String>,
}

impl Delivery {
    /// Delivers the message and settles it. Its lease is extended until that is stored.
    pub(super) async fn run(self) -> Option<Instant> {
        let started = self.inner.time();
        let settle = |ended| self.settle(started, ended);
        let held = vec![self.lease()];
        under_leases((&self.inner, &self.lane), held, self.work_in_grace(started), settle).await
    }

    async fn settle(&self, started: Timestamp, ended: Ended) -> Option<Instant> {
        let gate = ended.gate;
        settle_all(&self.inner, &self.lane, started, vec![(self, ended)]).await;
        gate
    }

    fn settlement(&self, started: Timestamp, ended: Ended) -> Settlement {
        let report = Report {
            owner: self.inner.owner.clone(),
            started,
            ended: self.inner.time(),
            status: ended.called.as_ref().and_then(Called::status).map(|status| status.as_u16()),
            class: self.class(&ended),
            request_id: ended.called.as_ref().and_then(|called| called.request_id.clone()),
            error: ended.error.clone(),
        };
        let answer =
            ended.called.and_then(|called| called.answer).and_then(|it| it.cut(self.keeps()));
        Settlement { lease: self.lease(), outcome: ended.outcome, report, answer, unkept: None }
    }

    pub(super) fn lease(&self) -> LeaseRef {
        LeaseRef { id: self.message.content.id, token: self.message.progress.token }
    }

    /// The word for the failure, if it was one.
    fn class(&self, ended: &Ended) -> Option<String> {
        let class = ended.called.as_ref()?.facts.class;
        (!class.is_success()).then(|| class.name().to_owned())
    }

    /// At the end of a shutdown's grace, what was not sent is given back without an attempt. Of what was, the
    /// lease ends.
    async fn work_in_grace(&self, started: Timestamp) -> Option<Ended> {
        let report = CallReport::new();
        match in_grace(&self.inner, &report, self.work(started, &report)).await {
            Ok(ended) => Some(ended),
            Err(Sent::NotSent) => {
                let until = self.inner.time();
                Some(self.without_call(Outcome::Snooze { until }))
            }
            Err(_) => None,
        }
    }

    async fn work(&self, started: Timestamp, report: &CallReport) -> Ended {
        let progress = &self.message.progress;
        if let Some(key) = self.message.missing_key() {
            return self.sealed(key, started);
        }
        let Some(by) = self.lane.destination.integration() else {
            return self.without_call(self.delivered(started));
        };
        match progress.phase {
            Phase::Send if progress.batch_id.is_some() => {
                let told = self.told_apart(started).await;
                self.without_call(self.apart_if(told, started))
            }
            Phase::Hook | Phase::Handle => self.without_call(self.delivered(started)),
            Phase::Poll => self.poll(by, started, report).await,
            Phase::Send if progress.asks_policy(started) => match self.may_resend(started).await {
                Probed::NotDone => self.send(by, started, report).await,
                Probed::Done => self.without_call(self.delivered(started)),
                Probed::Unknown => self.without_call(Outcome::Dead(DeadReason::UnknownOutcome)),
            },
            Phase::Send => self.send(by, started, report).await,
        }
    }

    /// Whether a failed message has few attempts or little time left.
    fn is_running_out(&self, outcome: &Outcome) -> bool {
        let (Outcome::Retry { at, .. } | Outcome::RetryApart { at }) = outcome else {
            return false;
        };
        let progress = &self.message.progress;
        progress.attempt.saturating_add(LAST_ATTEMPTS) >= progress.max_attempts
            || progress.deadline.since(*at) < progress.max_age / 10
    }

    pub(super) fn without_call(&self, outcome: Outcome) -> Ended {
        Ended { outcome, called: None, gate: None, error: None }
    }

    async fn send(&self, by: &Integration, started: Timestamp, report: &CallReport) -> Ended {
        let had_unknown = self.message.progress.unknown > 0;
        let (limit, most) = (self.limit(started), self.keeps());
        let called = call::send(by, &self.message.content, limit, most, had_unknown, report).await;
        let verdict = Verdict::of(&called.facts);
        let accepted = called.answer.as_ref().filter(|_| verdict == Verdict::Delivered);
        if let (Some(polling), Some(answer)) = (&self.lane.polling, accepted)
            && let Some(reference) = polling.reference(answer)
        {
            let at = self.ask_at(polling, &called);
            let outcome = match by.resolve(&self.message.content.uri, &reference) {
                Some(uri) => Outcome::Accepted { at, uri: uri.to_string() },
                // It may be done, and nobody can ask.
                None => Outcome::Dead(DeadReason::UnknownOutcome),
            };
            return Ended { called: Some(called), ..self.without_call(outcome) };
        }
        self.judge(verdict, called).await
    }

    async fn poll(&self, by: &Integration, started: Timestamp, report: &CallReport) -> Ended {
        let progress = &self.message.progress;
        let uri = progress.poll_uri.clone().unwrap_or_default();
        let (Some(polling), Ok(place)) = (&self.lane.polling, uri.parse()) else {
            // The lane no longer polls.
            return self.without_call(Outcome::Dead(DeadReason::Rejected));
        };
        let (limit, most) = (self.limit(started), self.keeps());
        let called = call::poll(by, &self.message.content, place, limit, most, report).await;
        let verdict = Verdict::of(&called.facts);
        let at = self.ask_at(polling, &called);
        let state = called.answer.as_ref().filter(|_| verdict == Verdict::Delivered);
        let outcome = match state.map(|answer| polling.state(answer)) {
            Some(Polled::Running) => Outcome::Accepted { at, uri },
            Some(Polled::Failed) => Outcome::Dead(DeadReason::Rejected),
            None if matches!(verdict, Verdict::Retry { .. }) => {
                Outcome::Retry { at, effect: Effect::None }
            }
            Some(Polled::Done) | None => return self.judge(verdict, called).await,
        };
        Ended { called: Some(called), ..self.without_call(outcome) }
    }

    /// Whether the lane asks, or has people ask, rather than send what may be done already.
    fn doubts_errors(&self) -> bool {
        let is_careful =
            matches!(self.lane.unknown, Some(UnknownOutcome::Park | UnknownOutcome::Probe(_)));
        is_careful && !self.message.content.method.is_idempotent()
    }

    pub(super) async fn judge(&self, verdict: Verdict, called: Called) -> Ended {
        let now = self.inner.time();
        let mut gate = None;
        let verdict = match self.doubts_errors() && called.facts.may_be_done_anyway() {
            true => verdict.in_doubt(),
            false => verdict,
        };
        let outcome = match verdict {
            Verdict::Delivered => self.delivered(now),
            Verdict::Retry { effect, wait } => Outcome::Retry { at: self.next(now, wait), effect },
            Verdict::Rejected => Outcome::Dead(DeadReason::Rejected),
            Verdict::NotSent { wait } => {
                let wait = self.inner.rng.about(wait.unwrap_or(REFUSED).min(LONGEST_WAIT));
                gate = Some(rt::after(rt::now(), wait));
                Outcome::Snooze { until: now.plus(wait) }
            }
            Verdict::PauseLane { wait } => {
                let until = now.plus(wait.clamp(SHORTEST_WAIT, LONGEST_WAIT));
                self.pause(until, "the provider asked for it").await;
                Outcome::Snooze { until }
            }
            Verdict::Unauthorized => {
                let until = now.plus(UNAUTHORIZED);
                self.pause(until, "the provider refused the credentials").await;
                // Others go before it, in case that it alone is refused.
                let own = self.lane.schedule.delay(self.message.progress.snoozes + 1);
                Outcome::Snooze { until: until.plus(own) }
            }
        };
        Ended { called: Some(called), gate, ..self.without_call(outcome) }
    }

    /// When to ask for a job: when the provider says, within reason.
    fn ask_at(&self, polling: &Polling, called: &Called) -> Timestamp {
        let told = called.facts.wait.map(|wait| wait.clamp(SHORTEST_WAIT, LONGEST_WAIT));
        self.inner.time().plus(told.unwrap_or(polling.every))
    }

    /// For all workers of the lane.
    async fn pause(&self, until: Timestamp, why: &str) {
        let (lane, by, why) = (self.lane.name.clone(), PausedBy::Worker, why.to_owned());
        // If the store is away, nothing is claimed either.
        let paused = self.inner.store.pause(Pause { lane, until, by, why }).await;
        if paused.is_ok() {
            self.lane.tell(OutboxEvent::LanePaused);
        }
    }

    pub(super) fn delivered(&self, now: Timestamp) -> Outcome {
        let attempts = self.message.progress.handled();
        let hook_again = self.lane.schedule.next(attempts, now, None, &self.inner.rng);
        Outcome::Delivered { hook_again }
    }

    pub(super) fn next(&self, now: Timestamp, wait: Option<Duration>) -> Timestamp {
        let attempts = self.message.progress.attempt;
        let wait = wait.map(|wait| wait.min(LONGEST_WAIT));
        self.lane.schedule.next(attempts, now, wait, &self.inner.rng)
    }

    /// A call ends by its message's deadline, too.
    pub(super) fn limit(&self, now: Timestamp) -> Duration {
        let left = self.message.progress.deadline.since(now).max(Duration::from_secs(1));
        self.lane.call_limit.min(left)
    }

    /// How many bytes of an answer's body are needed.
    fn keeps(&self) -> usize {
        let kept = usize::try_from(self.message.content.keep_answer).unwrap_or(usize::MAX);
        let is_needed = self.inner.store.has_hook(&self.lane.name) || self.lane.polling.is_some();
        if is_needed { kept.max(NEEDED) } else { kept }
    }
}

/// Settles what one request came to for its messages.
pub(super) async fn settle_all(
    inner: &Inner,
    lane: &Lane,
    started: Timestamp,
    ended: Vec<(&Delivery, Ended)>,
) {
    let run_out: Vec<_> =
        ended.iter().map(|(one, ended)| one.is_running_out(&ended.outcome)).collect();
    let settlements = ended.into_iter().map(|(one, ended)| one.settlement(started, ended));
    let settled = inner.settle(lane, settlements.collect()).await;
    for (runs_out, settled) in run_out.into_iter().zip(settled) {
        if runs_out && settled.is_some_and(|settled| settled.state == State::Ready) {
            lane.tell(OutboxEvent::RunningOut);
        }
    }
}

/// So many attempts before the last, people are told.
const LAST_ATTEMPTS: u32 = 3;
/// How long a lane waits after something here refused without saying for how long.
const REFUSED: Duration = Duration::from_secs(1);
/// The shortest wait that a provider may ask for without an attempt being counted, so that none is asked
/// all the time.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// The longest that it may ask for in any case, so that a mistaken month doesn't end what waits: after it, the
/// provider is asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// How long a lane waits after its credentials were refused: renewing them takes about as long.
const UNAUTHORIZED: Duration = Duration::from_secs(60);
/// What of an answer's body settling functions and polling see, at most.
const NEEDED: usize = 64 * 1024;
