//! The states of a message, as a pure machine: [`Progress::apply`] takes what happened and the time, and
//! changes the message or refuses. Every store applies this machine inside its own transaction, so that all
//! stores mean the same. The table stands in the [module](super).

use std::time::Duration;

use super::input::{Applied, Effect, Input, Outcome};
use super::progress::{Lease, Progress};
use super::time::Timestamp;
use crate::terms::outbox::{DeadReason, Phase, Refusal, State};

impl Progress {
    /// Does to the message what is asked, or refuses and changes nothing.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] says why the message stays as it is.
    pub fn apply(&mut self, input: &Input, now: Timestamp) -> Result<Applied, Refusal> {
        match input {
            Input::Claim { owner, lease, key_lifetime, batch } => {
                self.claim(owner, now.plus(*lease), *key_lifetime, now)?;
                let joins = self.batch_id.is_none() && !self.may_be_done();
                if let (Phase::Send, true, Some((id, size))) = (self.phase, joins, *batch) {
                    (self.batch_id, self.batch_size) = (Some(id), size);
                    // The batch's key is new, and the same for all of it.
                    self.key_valid_until = key_lifetime.map(|lifetime| now.plus(lifetime));
                }
            }
            Input::Extend { token, lease } => {
                let until = now.plus(*lease);
                self.held(*token)?.until = until;
            }
            Input::Settle { token, outcome } => return self.settle(*token, outcome, now),
            Input::LeaseOver { token } => {
                if self.held(*token)?.until > now {
                    return Err(Refusal::NotDue);
                }
                self.lease_over(now);
            }
            Input::OwnerGone { token } => {
                self.held(*token)?;
                self.lease_over(now);
            }
            Input::DeadlineOver => {
                self.waiting()?;
                if !self.is_past_deadline(now) {
                    return Err(Refusal::NotDue);
                }
                self.die(DeadReason::Expired, now);
            }
            Input::Cancel => {
                self.waiting()?;
                if self.phase == Phase::Hook {
                    return Err(Refusal::Done);
                }
                self.end(State::Cancelled, now);
            }
            Input::Replay { key } => self.replay(*key, now)?,
            Input::Replace { by } => {
                self.dead()?;
                if self.phase == Phase::Hook {
                    return Err(Refusal::Done);
                }
                self.replaced_by = Some(*by);
            }
            Input::Discard => {
                if self.state != State::Dead {
                    return Err(Refusal::NotDead);
                }
                self.end(State::Discarded, now);
            }
            Input::Erase => {
                if matches!(self.state, State::Ready | State::Leased) {
                    return Err(Refusal::Open);
                }
                (self.erased, self.poll_uri) = (true, None);
            }
        }
        Ok(Applied::Now)
    }

    fn claim(
        &mut self,
        owner: &str,
        until: Timestamp,
        key_lifetime: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.waiting()?;
        if self.not_before > now || self.is_past_deadline(now) {
            return Err(Refusal::NotDue);
        }
        match self.phase {
            Phase::Send => {
                self.attempt += 1;
                self.first_attempt.get_or_insert(now);
                self.key_valid_until = self
                    .key_valid_until
                    .or_else(|| key_lifetime.map(|lifetime| now.plus(lifetime)));
            }
            Phase::Handle => self.attempt += 1,
            Phase::Hook => self.hook_attempts += 1,
            Phase::Poll => {}
        }
        self.token += 1;
        self.state = State::Leased;
        self.lease = Some(Lease { owner: owner.to_owned(), until });
        Ok(())
    }

    fn settle(
        &mut self,
        token: u64,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<Applied, Refusal> {
        match *outcome {
            Outcome::Delivered { .. } => {
                let applied = self.success(token)?;
                if !self.dedup_window.is_zero() && self.is_undecided() {
                    self.dedup_until = Some(now.plus(self.dedup_window));
                }
                if applied == Applied::Now {
                    self.leave_batch();
                }
                self.end(State::Delivered, now);
                return Ok(applied);
            }
            Outcome::HookFailed { at } => {
                let applied = self.success(token)?;
                self.leave_batch();
                self.hook_failed(at, now);
                return Ok(applied);
            }
            _ => self.held(token)?,
        };
        match outcome {
            Outcome::Retry { at, effect } => self.retry(*at, *effect, now),
            Outcome::RetryApart { at } => {
                self.leave_batch();
                self.retry(*at, Effect::None, now);
            }
            Outcome::Snooze { until } => self.snooze(*until),
            Outcome::Accepted { at, uri } => {
                self.phase = Phase::Poll;
                self.poll_uri = Some(uri.clone());
                self.wait_until(*at, now);
            }
            Outcome::Dead(reason) => {
                if *reason == DeadReason::UnknownOutcome {
                    self.unknown = self.unknown.max(1);
                }
                if *reason == DeadReason::Rejected {
                    self.leave_batch();
                }
                if *reason == DeadReason::Sealed {
                    self.was_not_sent();
                }
                self.die(*reason, now);
            }
            Outcome::Delivered { .. } | Outcome::HookFailed { .. } => {}
        }
        Ok(Applied::Now)
    }

    /// Whether a success may be told, and whether it is late.
    fn success(&self, token: u64) -> Result<Applied, Refusal> {
        let is_held = self.state == State::Leased && self.token == token;
        match self.state {
            _ if is_held => Ok(Applied::Now),
            // Nobody but the function did it, and what that did was not stored without its lease.
            _ if matches!(self.phase, Phase::Hook | Phase::Handle) => Err(Refusal::Stale),
            // No attempt has this token yet.
            _ if token == 0 || token > self.token => Err(Refusal::Stale),
            State::Delivered => Err(Refusal::Stale),
            // A success is a fact, whatever people have decided since.
            _ => Ok(Applied::Late),
        }
    }

    fn waiting(&self) -> Result<(), Refusal> {
        match self.state {
            State::Ready => Ok(()),
            _ => Err(Refusal::NotReady),
        }
    }

    pub(super) fn dead(&self) -> Result<(), Refusal> {
        match self.state {
            State::Dead if self.replaced_by.is_some() => Err(Refusal::Replaced),
            State::Dead if self.erased => Err(Refusal::Erased),
            State::Dead => Ok(()),
            _ => Err(Refusal::NotDead),
        }
    }

    /// The lease, if it is still the one of this token.
    fn held(&mut self, token: u64) -> Result<&mut Lease, Refusal> {
        let is_current = self.state == State::Leased && self.token == token;
        self.lease.as_mut().filter(|_| is_current).ok_or(Refusal::Stale)
    }
}
