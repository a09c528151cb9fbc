//! Which calls may probe a provider that is down, and the results of those probes.

use std::time::{Duration, Instant};

use super::config::BreakerConfig;
use super::state::CallSafety;
use crate::rt::{self, Rng};

/// The probes of an open breaker.
#[derive(Debug)]
pub(super) struct Probes {
    for_slowness: bool,
    /// When the next round of probes may begin.
    due: Instant,
    /// The time between two rounds, with jitter.
    gap: Duration,
    /// How many rounds have begun.
    rounds: u32,
    /// How many more probes of this round may go.
    remaining: u32,
    /// Since when one of them could have gone.
    remaining_since: Instant,
    succeeded: u32,
    failed: u32,
    under_way: Vec<Probe>,
    /// How many probes there were in all; the number of the last one.
    begun: u32,
    /// When the last call came that can be repeated without harm.
    last_safe_call: Option<Instant>,
    /// When a call that can't be repeated may be a probe even if safe calls come, and how long such
    /// calls were made to wait for that.
    unsafe_due: (Instant, Duration),
    /// The provider asked for no requests until then, by `Retry-After`.
    quiet_until: Instant,
}

#[derive(Debug)]
struct Probe {
    number: u32,
    /// When it was sent; before that, when it was admitted.
    since: Instant,
    is_sent: bool,
    /// How long the head took and when it came, while the body is being read.
    head: Option<(Duration, Instant)>,
}

impl Probes {
    /// The probes of a breaker that opens now.
    pub(super) fn new(for_slowness: bool, config: &BreakerConfig, now: Instant, rng: &Rng) -> Self {
        let gap = config.open_time(0, rng);
        Self { for_slowness, ..Self::due_in(gap, gap, now) }
    }

    /// The first may go after `time`, the next after `gap`.
    pub(super) fn due_in(time: Duration, gap: Duration, now: Instant) -> Self {
        let due = rt::after(now, time);
        let unsafe_wait = gap.saturating_mul(UNSAFE_WAIT_GAPS);
        Self {
            for_slowness: false,
            due,
            gap,
            unsafe_due: (rt::after(due, unsafe_wait), unsafe_wait),
            quiet_until: now,
            rounds: 0,
            remaining: 0,
            remaining_since: now,
            succeeded: 0,
            failed: 0,
            under_way: Vec::new(),
            begun: 0,
            last_safe_call: None,
        }
    }

    /// The new probe's number, or the time until the next may go.
    pub(super) fn admit(
        &mut self,
        safety: CallSafety,
        config: &BreakerConfig,
        now: Instant,
        rng: &Rng,
    ) -> Result<u32, Duration> {
        if safety == CallSafety::Safe {
            self.last_safe_call = Some(now);
        }
        let next = self.next_at(safety, config, now);
        if next > now {
            return Err(next.saturating_duration_since(now));
        }
        if self.remaining == 0 {
            // A round begins; the time to the next one counts from here.
            self.remaining = config.probes.saturating_sub(self.succeeded + self.failed).max(1);
            self.rounds = self.rounds.saturating_add(1);
            self.gap = config.open_time(self.rounds, rng);
        }
        if safety == CallSafety::Unsafe {
            let unsafe_wait = self.unsafe_due.1.saturating_mul(2).min(MAX_UNSAFE_WAIT);
            self.unsafe_due = (rt::after(now, unsafe_wait), unsafe_wait);
        }
        // The same gap follows a probe that replaces one that was dropped.
        self.due = self.due.max(rt::after(now, self.gap));
        (self.remaining, self.remaining_since) = (self.remaining - 1, now);
        self.begun = self.begun.wrapping_add(1);
        let probe = Probe { number: self.begun, since: now, is_sent: false, head: None };
        self.under_way.push(probe);
        Ok(self.begun)
    }

    /// When a call of this kind may be a probe, as far as is known now.
    fn next_at(&self, safety: CallSafety, config: &BreakerConfig, now: Instant) -> Instant {
        let free = match self.remaining {
            0 => self.due.max(self.busy_until(config)),
            _ => self.remaining_since,
        };
        // Safe calls go first, if there are any. But only what they ask for may be down, so one of the
        // others goes as well from time to time.
        let rest = self.gap.saturating_mul(2);
        let recent = rt::after(self.last_safe_call.unwrap_or(now), rest.saturating_add(self.gap));
        match safety {
            CallSafety::Unsafe if self.last_safe_call.is_some() && now < recent => {
                rt::after(free, rest).min(self.unsafe_due.0.max(self.quiet_until))
            }
            _ => free,
        }
    }

    pub(super) fn next_in(
        &self,
        safety: CallSafety,
        config: &BreakerConfig,
        now: Instant,
    ) -> Duration {
        self.next_at(safety, config, now).saturating_duration_since(now)
    }

    /// Whether the next probe is to be a call that must not be repeated.
    pub(super) fn is_unsafe_due(&self, now: Instant) -> bool {
        now >= self.unsafe_due.0.max(self.quiet_until)
    }

    /// The time until the next check: a probe may end sooner than expected, and another may go then.
    pub(super) fn check_in(
        &self,
        safety: CallSafety,
        config: &BreakerConfig,
        now: Instant,
    ) -> Duration {
        let next = self.next_in(safety, config, now);
        match self.due.saturating_duration_since(now) {
            Duration::ZERO => next.min(self.gap),
            due => next.min(due),
        }
    }

    /// Until when the probes in flight keep others back.
    fn busy_until(&self, config: &BreakerConfig) -> Instant {
        let ends = self.under_way.iter().map(|probe| probe.keeps_back_until(config.probe_limit));
        ends.max().unwrap_or(self.remaining_since)
    }

    /// Whether a safe call would be admitted, or a probe is in flight.
    pub(super) fn is_trying(&self, config: &BreakerConfig, now: Instant) -> bool {
        now < self.busy_until(config) && !self.under_way.is_empty()
            || self.next_at(CallSafety::Safe, config, now) <= now
    }

    /// Whether no probe has succeeded, and none is due.
    pub(super) fn is_down(&self, config: &BreakerConfig, now: Instant) -> bool {
        !self.under_way.is_empty() || self.next_at(CallSafety::Safe, config, now) > now
    }

    /// Removes a probe that has ended; false if it isn't one of this outage.
    pub(super) fn take(&mut self, number: u32) -> bool {
        let at = self.under_way.iter().position(|probe| probe.number == number);
        at.map(|at| self.under_way.swap_remove(at)).is_some()
    }

    /// A probe was dropped or refused without a result: another may go at once.
    pub(super) fn give_back(&mut self, now: Instant) {
        if self.remaining == 0 {
            self.remaining_since = now;
        }
        self.remaining += 1;
    }

    /// A probe succeeded; true if enough have.
    pub(super) fn succeeded(&mut self, config: &BreakerConfig) -> bool {
        self.succeeded += 1;
        self.succeeded >= config.probe_successes
    }

    /// A probe failed; if too many have, the round is over.
    pub(super) fn failed(&mut self, config: &BreakerConfig) {
        self.failed += 1;
        if self.failed > config.probes.saturating_sub(config.probe_successes) {
            (self.succeeded, self.failed, self.remaining) = (0, 0, 0);
        }
    }

    /// Restarts the round's counts, with another number of probes.
    pub(super) fn recount(&mut self, probes: u32) {
        if self.remaining + self.succeeded + self.failed > 0 {
            (self.succeeded, self.failed, self.remaining) = (0, 0, probes);
        }
    }

    /// Delays the next probe by the provider's `Retry-After`.
    pub(super) fn put_off(
        &mut self,
        asked: Option<Duration>,
        config: &BreakerConfig,
        now: Instant,
    ) {
        if let Some(asked) = asked {
            let until = rt::after(now, asked.min(config.retry_after_cap));
            self.quiet_until = self.quiet_until.max(until);
            self.due = self.due.max(until);
        }
    }

    /// Whether an answer is too slow to end an outage that was caused by slowness.
    pub(super) fn is_too_slow(&self, took: Duration, config: &BreakerConfig) -> bool {
        self.for_slowness && config.is_slow(took)
    }

    /// A probe was sent, after a wait in a queue further in or at once.
    pub(super) fn record_sent(&mut self, number: u32, now: Instant) {
        let waiting = |probe: &&mut Probe| probe.number == number && !probe.is_sent;
        if let Some(probe) = self.under_way.iter_mut().find(waiting) {
            (probe.since, probe.is_sent) = (now, true);
            self.due = self.due.max(rt::after(now, self.gap));
        }
    }

    /// The results of the probes in flight will not be recorded.
    pub(super) fn forget_in_flight(&mut self) {
        self.under_way.clear();
    }

    pub(super) fn record_head(&mut self, number: u32, sent_at: Instant, at: Instant) {
        let probe = self.under_way.iter_mut().find(|probe| probe.number == number);
        if let Some(probe) = probe {
            probe.head = Some((at.saturating_duration_since(sent_at), at));
        }
    }

    /// Removes a probe with a successful head whose body takes longer than the probe limit. Returns
    /// how long the head took.
    pub(super) fn take_answered(&mut self, limit: Duration, now: Instant) -> Option<Duration> {
        let is_due = |probe: &Probe| probe.head.is_some() && now >= rt::after(probe.since, limit);
        let at = self.under_way.iter().position(is_due)?;
        self.under_way.swap_remove(at).head.map(|(took, _)| took)
    }
}

// === impl Probe ===

impl Probe {
    /// A probe that is queued further in keeps others back for longer, as they would queue behind it.
    /// But not without an end, because it may never be sent.
    fn keeps_back_until(&self, limit: Duration) -> Instant {
        let limit = if self.is_sent { limit } else { limit.max(MAX_QUEUED) };
        rt::after(self.since, limit)
    }
}

/// Safe calls go first for this many gaps, then for twice as long, and so on. So in an outage of an
/// hour, few calls end with an unknown outcome.
const UNSAFE_WAIT_GAPS: u32 = 10;
const MAX_UNSAFE_WAIT: Duration = Duration::from_secs(60);
/// How long a probe that is queued further in keeps others back.
const MAX_QUEUED: Duration = Duration::from_secs(10);
