use std::time::{Duration, Instant};

use http::StatusCode;

use super::config::{Rejections, RetryConfig};
use crate::replay::RetryOverride;
use crate::rt::{self, Rng};
use crate::terms::{Class, Delivery, GaveUp};

/// The attempts of one call so far.
#[derive(Clone, Debug, Default)]
pub(super) struct AttemptHistory {
    /// How many requests went out.
    pub(super) attempts: u32,
    pub(super) waited: Duration,
    previous: Duration,
    /// A 425 was answered before.
    too_early: bool,
    /// The call was sent again on another connection before.
    reconnected: bool,
    /// The call was sent again with another credential before.
    renewed: bool,
    /// The worst delivery of the attempts before the present one.
    earlier: Option<Delivery>,
    /// The delivery of the last attempt that ended.
    ended: Option<Delivery>,
    /// The answer to all attempts so far, if all were answered and in the same way.
    same_answer: Option<(StatusCode, Option<u64>)>,
}

/// What is the same for all attempts of a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestTraits {
    pub(super) idempotent: bool,
    /// It has an idempotency key that the provider is known to honour.
    pub(super) keyed: bool,
    pub(super) retry_override: Option<RetryOverride>,
    pub(super) started: Instant,
    pub(super) deadline: Option<Instant>,
    /// When the provider forgets the key, if the key is what makes a repetition safe.
    pub(super) key_expires: Option<Instant>,
}

/// How the last attempt failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) class: Class,
    pub(super) status: Option<StatusCode>,
    pub(super) delivery: Delivery,
    /// The provider said that it did not process the attempt's only request.
    pub(super) unprocessed: bool,
    /// The request's credential was refused, and there is another one.
    pub(super) renewed: bool,
    /// The provider may have carried a part of the request out before it refused the credential.
    pub(super) carried_out: bool,
    /// The policy wants another attempt.
    pub(super) wanted: bool,
    pub(super) retry_after: Option<Duration>,
    pub(super) body_kept: bool,
    /// The provider answers other calls, so a request that it refused may go to another connection.
    pub(super) answers_others: bool,
    /// A circuit breaker or a rate limit would refuse another attempt.
    pub(super) would_be_refused: bool,
    /// A kill switch stopped the integration or its retries.
    pub(super) stopped: bool,
}

/// When the next attempt goes, and what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct NextAttempt {
    pub(super) delay: Duration,
    /// It costs the retry budget nothing.
    pub(super) is_free: bool,
}

impl AttemptHistory {
    /// One attempt was sent.
    pub(super) fn first() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Whether all earlier attempts, of which there is at least one, got this answer: a status and a
    /// size.
    pub(super) fn compare(&mut self, answer: Option<(StatusCode, Option<u64>)>) -> bool {
        let is_same = self.attempts > 1 && answer.is_some() && self.same_answer == answer;
        self.same_answer = answer.filter(|_| is_same || self.attempts == 1);
        is_same
    }

    /// An attempt ended with this delivery; `hedge_delivery` is that of its hedged request.
    pub(super) fn end(&mut self, delivery: Delivery, hedge_delivery: Option<Delivery>) {
        self.ended = Some(delivery).max(hedge_delivery);
    }

    /// Another attempt is sent.
    pub(super) fn begin(&mut self) {
        self.attempts += 1;
        self.earlier = self.earlier.max(self.ended);
    }

    /// The worst delivery of the attempts before the last, and of the last one's hedged request.
    pub(super) fn earlier(&self, hedge_delivery: Option<Delivery>) -> Delivery {
        self.earlier.max(hedge_delivery).unwrap_or(Delivery::NotSent)
    }

    /// Decides about the next attempt, or says why there is none.
    pub(super) fn decide(
        &mut self,
        config: &RetryConfig,
        traits: &RequestTraits,
        failure: &Failure,
        now: Instant,
        rng: &Rng,
    ) -> Result<NextAttempt, GaveUp> {
        if let Class::Rejected(_) = failure.class {
            let delay = self.wait_out(config, traits, failure, now, rng)?;
            return Ok(NextAttempt { delay, is_free: true });
        }
        if failure.renewed && !self.renewed {
            return self.renew(config, traits, failure, now);
        }
        if !failure.wanted {
            return Err(GaveUp::NotRetryable);
        }
        if failure.stopped {
            return Err(GaveUp::Stopped);
        }
        // The first repetition of a request whose connection was closed costs neither an attempt
        // nor budget, because the provider didn't process it. But a provider that refuses all
        // requests is shedding load, and must not get it twice.
        let reconnects = failure.class.is_moved() && !self.reconnected && failure.answers_others;
        self.check_attempts(config, traits, reconnects)?;
        self.check_safety(traits, failure)?;
        let delay = self.delay(config, failure, rng);
        let begins = rt::after(now, delay);
        Self::check_time(config, traits, begins)?;
        Self::check_asked(config, failure)?;
        if failure.would_be_refused && config.rejections == Rejections::Fail {
            return Err(match failure.class {
                Class::Throttled => GaveUp::WaitTooLong,
                _ => GaveUp::CircuitOpen,
            });
        }
        self.reconnected |= reconnects;
        self.too_early |= failure.status == Some(StatusCode::TOO_EARLY);
        self.previous = delay;
        Ok(NextAttempt { delay, is_free: reconnects })
    }

    /// Repeats a call whose credential was refused, so that it was not applied (RFC 9110, 15.5.2): with
    /// another one, at once, and once a call. It is no attempt of the call's and costs no budget. Where a
    /// part of it may be applied all the same, the call must be safe to repeat.
    fn renew(
        &mut self,
        config: &RetryConfig,
        traits: &RequestTraits,
        failure: &Failure,
        now: Instant,
    ) -> Result<NextAttempt, GaveUp> {
        if failure.stopped {
            return Err(GaveUp::Stopped);
        }
        if traits.retry_override == Some(RetryOverride::Never) {
            return Err(GaveUp::Overridden);
        }
        if failure.carried_out {
            self.check_safety(traits, failure)?;
        }
        if !failure.body_kept {
            return Err(GaveUp::BodyNotKept);
        }
        if failure.would_be_refused {
            return Err(GaveUp::CircuitOpen);
        }
        Self::check_time(config, traits, now)?;
        self.renewed = true;
        Ok(NextAttempt { delay: Duration::ZERO, is_free: true })
    }

    /// Waits after a local rejection, if that is set and the layer said for how long.
    fn wait_out(
        &mut self,
        config: &RetryConfig,
        traits: &RequestTraits,
        failure: &Failure,
        now: Instant,
        rng: &Rng,
    ) -> Result<Duration, GaveUp> {
        let overridden = traits.retry_override == Some(RetryOverride::Never) || failure.stopped;
        let waits = config.rejections == Rejections::Wait && !overridden;
        let back = failure.retry_after.filter(|_| waits).ok_or(GaveUp::NotRetryable)?;
        if failure.delivery != Delivery::NotSent {
            // A request of this attempt went out before: it would be repeated.
            self.check_attempts(config, traits, false)?;
            self.check_safety(traits, failure)?;
        }
        let delay = spread(back.max(MIN_WAIT), config, rng);
        Self::check_time(config, traits, rt::after(now, delay))?;
        Self::check_asked(config, failure)?;
        Ok(delay)
    }

    fn check_attempts(
        &self,
        config: &RetryConfig,
        traits: &RequestTraits,
        reconnects: bool,
    ) -> Result<(), GaveUp> {
        let is_over = config.max_attempts.is_some_and(|most| {
            let free = u32::from(most > 1 && (self.reconnected || reconnects));
            self.attempts - u32::from(self.renewed) >= most.saturating_add(free)
        });
        match traits.retry_override {
            Some(RetryOverride::Never) => Err(GaveUp::Overridden),
            Some(RetryOverride::Once) if self.attempts - u32::from(self.renewed) >= 2 => {
                Err(GaveUp::Overridden)
            }
            _ if is_over => Err(GaveUp::Attempts),
            _ => Ok(()),
        }
    }

    fn check_safety(&self, traits: &RequestTraits, failure: &Failure) -> Result<(), GaveUp> {
        let early = failure.status == Some(StatusCode::TOO_EARLY);
        // 425 asks for one more attempt, after the handshake (RFC 8470, 5.2). A second one means
        // something else.
        if early && self.too_early {
            return Err(GaveUp::NotRetryable);
        }
        let unprocessed = failure.unprocessed || failure.delivery == Delivery::NotSent;
        let harmless = traits.idempotent || traits.retry_override == Some(RetryOverride::Safe);
        if !(unprocessed || harmless || traits.keyed) {
            return Err(GaveUp::NotSafe);
        }
        if !failure.body_kept {
            return Err(GaveUp::BodyNotKept);
        }
        Ok(())
    }

    /// Whether an attempt that begins at `begins` has time left.
    pub(super) fn check_time(
        config: &RetryConfig,
        traits: &RequestTraits,
        begins: Instant,
    ) -> Result<(), GaveUp> {
        if traits.deadline.is_some_and(|deadline| begins >= deadline) {
            return Err(GaveUp::Deadline);
        }
        let limit = config.max_elapsed.map(|limit| rt::after(traits.started, limit));
        if limit.is_some_and(|limit| begins >= limit) {
            return Err(GaveUp::ElapsedLimit);
        }
        match traits.key_expires.is_some_and(|expires| begins >= expires) {
            true => Err(GaveUp::KeyExpired),
            false => Ok(()),
        }
    }

    /// When the time for another attempt ends.
    pub(super) fn ends(config: &RetryConfig, traits: &RequestTraits) -> Option<Instant> {
        let limit = config.max_elapsed.map(|limit| rt::after(traits.started, limit));
        [traits.deadline, limit, traits.key_expires].into_iter().flatten().min()
    }

    /// Gives up if the requested wait is over the cap. It is never shortened: a request that comes too
    /// early often extends the wait.
    fn check_asked(config: &RetryConfig, failure: &Failure) -> Result<(), GaveUp> {
        let longest = config.retry_after_cap.unwrap_or(Duration::MAX);
        match failure.retry_after.is_some_and(|asked| asked > longest) {
            true => Err(GaveUp::WaitTooLong),
            false => Ok(()),
        }
    }

    fn delay(&self, config: &RetryConfig, failure: &Failure, rng: &Rng) -> Duration {
        match failure.retry_after.filter(|asked| !asked.is_zero()) {
            Some(asked) => spread(asked, config, rng),
            None => config.backoff.delay(self.attempts, self.previous, rng),
        }
    }
}

/// Adds jitter to a requested wait, upwards only.
fn spread(asked: Duration, config: &RetryConfig, rng: &Rng) -> Duration {
    let more = asked.as_secs_f64() * config.retry_after_spread.fraction();
    let most = Duration::try_from_secs_f64(more).ok().and_then(|more| asked.checked_add(more));
    rng.between(asked, most.unwrap_or(asked))
}

/// Keeps a rejection with no wait from being repeated at once.
const MIN_WAIT: Duration = Duration::from_millis(10);
