//! What one settlement does to one message, the same in every store.

use super::input::{Applied, Input, Outcome};
use super::store::{Recovered, Settled, Settlement};
use super::stored::{Answer, Attempt, StoredMessage};
use super::time::Timestamp;
use crate::outcome::BoxError;
use crate::redact::{Redactor, StandardRedactor};
use crate::terms::outbox::{DeadReason, Refusal, State};

/// Applies a settlement, and says what is to be recorded.
///
/// If the provider did it, `hook` runs the host's settling function, with the message and its answer. Its error
/// is [what it said](hook_error), and means that what it wrote was rolled back. The business key of a message that was called
/// off before is removed then: a store has to remove it, too.
///
/// Of a message that was erased, only that it was done is kept. The function doesn't run: all that it could read is gone.
pub(crate) fn settle(
    message: &mut StoredMessage,
    settlement: &Settlement,
    now: Timestamp,
    hook: impl FnOnce(&StoredMessage, &Answer) -> Result<(), String>,
) -> (Settled, Attempt) {
    let Settlement { lease, outcome, report, answer, unkept } = settlement;
    let (token, is_erased) = (lease.token, message.progress.erased);
    let answer = answer.as_ref().filter(|_| !is_erased);
    let mut outcome = outcome.clone();
    let before = message.progress.clone();
    let held_its_key = before.is_undecided() || before.replaced_by.is_some();
    let mut applied = apply(message, token, &outcome, now);
    let mut error = None;
    if let (Ok(_), Outcome::Delivered { hook_again }, false) = (applied, &outcome, is_erased) {
        let kept = answer.or(message.answer.as_ref()).cloned();
        let told = unkept.clone().or_else(|| kept.clone());
        let told = told.unwrap_or_else(|| Answer::of_status(0));
        if let Err(why) = hook(message, &told) {
            error = Some(why);
            outcome = Outcome::HookFailed { at: *hook_again };
            message.progress = before;
            message.answer = Some(kept.unwrap_or_else(|| Answer::of_status(told.status)));
            applied = apply(message, token, &outcome, now);
            if !held_its_key && message.progress.is_undecided() {
                // It gave its business key up when it was called off, and another may have it by now.
                message.content.dedup_key = None;
            }
        }
    }
    if applied.is_ok() {
        message.last_status = report.status.or(message.last_status);
        if report.class.is_some() {
            message.last_error.clone_from(&report.class);
        }
        if message.content.keep_answer > 0 && answer.is_some() {
            message.answer = answer.cloned();
        }
        if message.progress.batch_id.is_none() {
            message.batch_request = None;
        }
        if message.progress.state == State::Delivered {
            // All of it was kept only for the function that has run now.
            let kept = usize::try_from(message.content.keep_answer).unwrap_or(usize::MAX);
            message.answer = message.answer.take().and_then(|answer| answer.cut(kept));
        }
    }
    let attempt = Attempt {
        number: token,
        owner: report.owner.clone(),
        started: report.started,
        ended: report.ended,
        outcome: word(&outcome, applied, message.progress.dead_reason).to_owned(),
        status: report.status,
        class: report.class.clone(),
        request_id: report.request_id.clone(),
        next_at: (message.progress.state == State::Ready).then_some(message.progress.not_before),
        error: error.or_else(|| report.error.clone()).filter(|_| !is_erased),
    };
    let settled = Settled {
        applied: applied.ok(),
        state: message.progress.state,
        phase: message.progress.phase,
        dead_reason: message.progress.dead_reason,
    };
    (settled, attempt)
}

/// Applies the end of a lease or of a deadline; the attempt that is to be recorded, if there was one, and
/// whose number is the lease's token.
pub(crate) fn recover(
    message: &mut StoredMessage,
    input: &Input,
    now: Timestamp,
) -> Result<(Recovered, Option<Attempt>), Refusal> {
    let lease = message.progress.lease.clone();
    message.progress.apply(input, now)?;
    let attempt = lease.map(|lease| Attempt {
        number: message.progress.token,
        owner: lease.owner,
        started: now,
        ended: now,
        outcome: UNKNOWN.to_owned(),
        status: None,
        class: None,
        request_id: None,
        next_at: (message.progress.state == State::Ready).then_some(message.progress.not_before),
        error: None,
    });
    let recovered = Recovered {
        id: message.content.id,
        lane: message.content.lane.clone(),
        state: message.progress.state,
        dead_reason: message.progress.dead_reason,
    };
    Ok((recovered, attempt))
}

/// What a settling function said when it failed, as it is recorded; nothing if it succeeded. `None` is one that
/// didn't end.
pub(crate) fn hook_error(settled: Option<Result<(), BoxError>>) -> Result<(), String> {
    let Some(settled) = settled else { return Err("it panicked, or took too long".to_owned()) };
    settled.map_err(|error| {
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            said = format!("{said}: {error}");
            cause = error.source();
        }
        let mut shown = StandardRedactor::new().show_texts().text(&said);
        let end = (0..=LONGEST_ERROR).rev().find(|at| shown.is_char_boundary(*at));
        shown.truncate(end.unwrap_or_default());
        shown
    })
}

fn apply(
    message: &mut StoredMessage,
    token: u64,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<Applied, Refusal> {
    message.progress.apply(&Input::Settle { token, outcome: outcome.clone() }, now)
}

fn word(
    outcome: &Outcome,
    applied: Result<Applied, Refusal>,
    dead: Option<DeadReason>,
) -> &'static str {
    use super::input::Effect;
    match (outcome, applied) {
        (Outcome::Delivered { .. }, Ok(Applied::Now)) => "delivered",
        (Outcome::Delivered { .. }, Ok(Applied::Late)) => "late",
        (_, Err(_)) => "stale",
        (Outcome::HookFailed { .. }, _) => "hook_failed",
        (Outcome::Retry { effect: Effect::Unknown, .. }, _) => UNKNOWN,
        (Outcome::Retry { .. } | Outcome::RetryApart { .. }, _) => "retryable",
        (Outcome::Snooze { .. }, _) => "snoozed",
        (Outcome::Accepted { .. }, _) => "accepted",
        (Outcome::Dead(reason), _) => dead.unwrap_or(*reason).name(),
    }
}

impl Answer {
    /// No more of the body than this; nothing at all for 0. What is sealed is only cut when it is opened.
    pub(super) fn cut(mut self, bytes: usize) -> Option<Self> {
        if self.sealed_by.is_none() {
            self.body.truncate(bytes);
        }
        (bytes > 0).then_some(self)
    }

    /// In place of an answer of which nothing else is known.
    fn of_status(status: u16) -> Self {
        Self { status, headers: http::HeaderMap::new(), body: bytes::Bytes::new(), sealed_by: None }
    }
}

/// Bytes of a settling function's error: enough to know it again.
const LONGEST_ERROR: usize = 500;
/// The outcome of an attempt of which nobody knows what it did.
const UNKNOWN: &str = "unknown";
