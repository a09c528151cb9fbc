//! How an attempt ends, and a message: the parts of the machine that [`Progress::apply`] puts together.

use super::input::{Effect, ExpiredKey};
use super::progress::Progress;
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, Refusal, State};

impl Progress {
    pub(super) fn hook_failed(&mut self, at: Timestamp, now: Timestamp) {
        let runs = match self.phase {
            Phase::Handle => self.attempt,
            Phase::Hook => self.hook_attempts,
            Phase::Send | Phase::Poll => {
                (self.phase, self.hook_attempts, self.poll_uri) = (Phase::Hook, 1, None);
                1
            }
        };
        match runs >= self.max_attempts {
            true => self.die(DeadReason::HookFailed, now),
            false => self.wait_until(at, now),
        }
    }

    pub(super) fn retry(&mut self, at: Timestamp, effect: Effect, now: Timestamp) {
        if matches!(self.phase, Phase::Hook | Phase::Handle) {
            return self.hook_failed(at, now);
        }
        if self.phase == Phase::Send {
            self.unknown += u32::from(effect == Effect::Unknown);
            if self.attempt >= self.max_attempts {
                return self.die(DeadReason::Exhausted, now);
            }
        }
        self.wait_until(at, now);
    }

    /// The batch's key was used up by its answer, or never did anything.
    pub(super) fn leave_batch(&mut self) {
        if self.batch_id.take().is_some() {
            (self.batch_size, self.unknown, self.unknown_before) = (0, 0, 0);
            (self.first_attempt, self.key_valid_until) = (None, None);
        }
    }

    pub(super) fn snooze(&mut self, until: Timestamp) {
        self.was_not_sent();
        self.snoozes = self.snoozes.saturating_add(1);
        self.release(until);
    }

    /// The attempt that was begun is none.
    pub(super) fn was_not_sent(&mut self) {
        match self.phase {
            Phase::Send | Phase::Handle => self.attempt = self.attempt.saturating_sub(1),
            Phase::Hook => self.hook_attempts = self.hook_attempts.saturating_sub(1),
            Phase::Poll => {}
        }
        if self.phase == Phase::Send && (self.attempt, self.unknown, self.replays) == (0, 0, 0) {
            // The key was not used yet.
            (self.first_attempt, self.key_valid_until) = (None, None);
        }
    }

    /// The attempt has no end: nobody knows what it did, if it sent anything.
    pub(super) fn lease_over(&mut self, now: Timestamp) {
        self.unknown += u32::from(self.phase == Phase::Send);
        match self.phase {
            Phase::Send | Phase::Handle if self.attempt >= self.max_attempts => {
                self.die(DeadReason::Poison, now);
            }
            Phase::Hook if self.hook_attempts >= self.max_attempts => {
                self.die(DeadReason::HookFailed, now);
            }
            _ => self.wait_until(now, now),
        }
    }

    pub(super) fn replay(&mut self, key: ExpiredKey, now: Timestamp) -> Result<(), Refusal> {
        self.dead()?;
        let is_failed_job =
            self.phase == Phase::Poll && self.dead_reason == Some(DeadReason::Rejected);
        let is_sent = self.phase == Phase::Send || is_failed_job;
        if is_sent && self.key_valid_until.is_some_and(|until| until <= now) {
            if key == ExpiredKey::Refuse {
                return Err(Refusal::KeyExpired);
            }
            // For the provider it is a new one.
            self.key_valid_until = None;
        }
        if is_failed_job {
            // That it failed may only mean that the provider has forgotten it.
            (self.phase, self.poll_uri, self.unknown) = (Phase::Send, None, self.unknown.max(1));
        }
        self.unknown_before = match key {
            ExpiredKey::Refuse => self.unknown_before.saturating_add(self.unknown),
            ExpiredKey::Force => 0,
        };
        (self.attempt, self.hook_attempts, self.unknown) = (0, 0, 0);
        (self.dead_reason, self.settled) = (None, None);
        self.replays += 1;
        self.deadline = now.plus(self.max_age);
        self.release(now);
        Ok(())
    }

    /// Waits until `at`, or is dead if that is past the deadline.
    pub(super) fn wait_until(&mut self, at: Timestamp, now: Timestamp) {
        match self.is_past_deadline(at) {
            true => self.die(DeadReason::Expired, now),
            false => self.release(at),
        }
    }

    pub(super) fn release(&mut self, at: Timestamp) {
        (self.state, self.not_before, self.lease) = (State::Ready, at, None);
        (self.dead_reason, self.settled) = (None, None);
    }

    pub(super) fn die(&mut self, reason: DeadReason, now: Timestamp) {
        self.end(State::Dead, now);
        self.dead_reason = Some(reason);
    }

    pub(super) fn end(&mut self, state: State, now: Timestamp) {
        (self.state, self.lease, self.settled) = (state, None, Some(now));
        if state != State::Dead {
            // Nobody asks again, and it may be an address that gives a right.
            self.poll_uri = None;
        }
        if state == State::Delivered {
            self.dead_reason = None;
        }
    }
}
