use std::time::{Duration, Instant};

use http::StatusCode;

use super::config::{Rejections, RetryConfig};
use crate::replay::Steer;
use crate::rt::{self, Rng};
use crate::terms::{Class, Delivery, GaveUp};

/// What the attempts of one call have come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// Requests that went out.
    pub(super) attempts: u32,
    pub(super) waited: Duration,
    previous: Duration,
    /// A 425 was answered before.
    too_early: bool,
    /// The call was moved to another connection before.
    moved: bool,
    /// The worst that is known of the attempts before the one that is under way.
    earlier: Option<Delivery>,
    /// What is known of the last one that ended.
    ended: Option<Delivery>,
    /// How all attempts so far were answered, if they were and in the same way.
    alike: Option<(StatusCode, Option<u64>)>,
}

/// What the call is, all its attempts long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nature {
    pub(super) idempotent: bool,
    /// It has a key that the provider is known to honour.
    pub(super) keyed: bool,
    pub(super) steer: Option<Steer>,
    pub(super) started: Instant,
    pub(super) deadline: Option<Instant>,
    /// When the provider forgets the key, where that is what makes a repetition safe.
    pub(super) key_expires: Option<Instant>,
}

/// What the last attempt came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) class: Class,
    pub(super) status: Option<StatusCode>,
    pub(super) delivery: Delivery,
    /// The provider said, to the attempt's one request, that it left it alone.
    pub(super) left_alone: bool,
    /// The policy thinks that another attempt could be better.
    pub(super) wanted: bool,
    pub(super) retry_after: Option<Duration>,
    pub(super) body_kept: bool,
    /// The provider answers others, so that a request that it refused is worth another connection.
    pub(super) others_answered: bool,
    /// A circuit breaker or a rate limit would refuse another attempt.
    pub(super) shut: bool,
    /// Somebody stopped the integration, or its retries.
    pub(super) stopped: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) delay: Duration,
    /// It costs the retry budget nothing.
    pub(super) is_free: bool,
}

impl Progress {
    /// One attempt is on its way.
    pub(super) fn first() -> Self {
        Self { attempts: 1, ..Self::default() }
    }

    /// Whether this answer, a status and a size, is that of all attempts before, of which there were
    /// some.
    pub(super) fn compare(&mut self, answer: Option<(StatusCode, Option<u64>)>) -> bool {
        let is_same = self.attempts > 1 && answer.is_some() && self.alike == answer;
        self.alike = answer.filter(|_| is_same || self.attempts == 1);
        is_same
    }

    /// An attempt came to this; `beside` is what is known of a request that went beside it.
    pub(super) fn end(&mut self, delivery: Delivery, beside: Option<Delivery>) {
        self.ended = Some(delivery).max(beside);
    }

    /// Another attempt goes out.
    pub(super) fn begin(&mut self) {
        self.attempts += 1;
        self.earlier = self.earlier.max(self.ended);
    }

    /// The worst that is known of the attempts but the last, and of what went beside that.
    pub(super) fn earlier(&self, beside: Option<Delivery>) -> Delivery {
        self.earlier.max(beside).unwrap_or(Delivery::NotSent)
    }

    /// How long to wait before the next attempt and what it costs, or why there is none.
    pub(super) fn decide(
        &mut self,
        config: &RetryConfig,
        nature: &Nature,
        failure: &Failure,
        now: Instant,
        rng: &Rng,
    ) -> Result<Step, GaveUp> {
        if let Class::Rejected(_) = failure.class {
            let delay = self.wait_out(config, nature, failure, now, rng)?;
            return Ok(Step { delay, is_free: true });
        }
        if !failure.wanted {
            return Err(GaveUp::NotRetryable);
        }
        if failure.stopped {
            return Err(GaveUp::Stopped);
        }
        // The first request that goes from a connection that was ended to another one is no more
        // load than was meant anyway: it costs neither an attempt nor budget. But a provider that
        // refuses everybody sheds load, and would get it twice.
        let moves = failure.class.is_moved() && !self.moved && failure.others_answered;
        self.check_attempts(config, nature, moves)?;
        self.check_safety(nature, failure)?;
        let delay = self.delay(config, failure, rng);
        let begins = rt::after(now, delay);
        Self::check_time(config, nature, begins)?;
        Self::check_asked(config, failure)?;
        if failure.shut && config.rejections == Rejections::Fail {
            return Err(match failure.class {
                Class::Throttled => GaveUp::WaitTooLong,
                _ => GaveUp::CircuitOpen,
            });
        }
        self.moved |= moves;
        self.too_early |= failure.status == Some(StatusCode::TOO_EARLY);
        self.previous = delay;
        Ok(Step { delay, is_free: moves })
    }

    /// A local rejection is waited out, where that is set and the layer said for how long.
    fn wait_out(
        &mut self,
        config: &RetryConfig,
        nature: &Nature,
        failure: &Failure,
        now: Instant,
        rng: &Rng,
    ) -> Result<Duration, GaveUp> {
        let steered = nature.steer == Some(Steer::Never) || failure.stopped;
        let waits = config.rejections == Rejections::Wait && !steered;
        let back = failure.retry_after.filter(|_| waits).ok_or(GaveUp::NotRetryable)?;
        if failure.delivery != Delivery::NotSent {
            // Something of the attempt went out before: it would be done again.
            self.check_attempts(config, nature, false)?;
            self.check_safety(nature, failure)?;
        }
        let delay = spread(back.max(SHORTEST_WAIT), config, rng);
        Self::check_time(config, nature, rt::after(now, delay))?;
        Self::check_asked(config, failure)?;
        Ok(delay)
    }

    fn check_attempts(
        &self,
        config: &RetryConfig,
        nature: &Nature,
        moves: bool,
    ) -> Result<(), GaveUp> {
        let is_over = config.max_attempts.is_some_and(|most| {
            let free = u32::from(most > 1 && (self.moved || moves));
            self.attempts >= most.saturating_add(free)
        });
        match nature.steer {
            Some(Steer::Never) => Err(GaveUp::Steered),
            Some(Steer::Once) if self.attempts >= 2 => Err(GaveUp::Steered),
            _ if is_over => Err(GaveUp::Attempts),
            _ => Ok(()),
        }
    }

    fn check_safety(&self, nature: &Nature, failure: &Failure) -> Result<(), GaveUp> {
        let early = failure.status == Some(StatusCode::TOO_EARLY);
        // 425 asks for one more attempt, after the handshake (RFC 8470, 5.2). A second one means
        // something else.
        if early && self.too_early {
            return Err(GaveUp::NotRetryable);
        }
        let unprocessed = failure.left_alone || failure.delivery == Delivery::NotSent;
        let harmless = nature.idempotent || nature.steer == Some(Steer::Safe);
        if !(unprocessed || harmless || nature.keyed) {
            return Err(GaveUp::NotSafe);
        }
        if !failure.body_kept {
            return Err(GaveUp::BodyNotKept);
        }
        Ok(())
    }

    /// Whether there is still time for an attempt that begins then.
    pub(super) fn check_time(
        config: &RetryConfig,
        nature: &Nature,
        begins: Instant,
    ) -> Result<(), GaveUp> {
        if nature.deadline.is_some_and(|deadline| begins >= deadline) {
            return Err(GaveUp::Deadline);
        }
        let limit = config.max_elapsed.map(|limit| rt::after(nature.started, limit));
        if limit.is_some_and(|limit| begins >= limit) {
            return Err(GaveUp::ElapsedLimit);
        }
        match nature.key_expires.is_some_and(|expires| begins >= expires) {
            true => Err(GaveUp::KeyExpired),
            false => Ok(()),
        }
    }

    /// When there is no time left for another attempt.
    pub(super) fn ends(config: &RetryConfig, nature: &Nature) -> Option<Instant> {
        let limit = config.max_elapsed.map(|limit| rt::after(nature.started, limit));
        [nature.deadline, limit, nature.key_expires].into_iter().flatten().min()
    }

    /// A wait that is cut short is none: whoever goes sooner than asked only makes it longer.
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

/// Upwards only: nobody comes back sooner than asked.
fn spread(asked: Duration, config: &RetryConfig, rng: &Rng) -> Duration {
    let more = asked.as_secs_f64() * config.retry_after_spread.fraction();
    let most = Duration::try_from_secs_f64(more).ok().and_then(|more| asked.checked_add(more));
    rng.between(asked, most.unwrap_or(asked))
}

/// A rejection that says "now" is not asked again in the same breath.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
