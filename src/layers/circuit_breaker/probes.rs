//! Who may try a provider that is down, and what that has come to.

use std::time::{Duration, Instant};

use super::config::BreakerConfig;
use super::state::Asker;
use crate::rt::{self, Rng};

/// The probes of an open breaker.
#[derive(Debug)]
pub(super) struct Probes {
    for_slowness: bool,
    /// When the next round may begin.
    due: Instant,
    /// From one round to the next, as it was last drawn.
    gap: Duration,
    /// How many rounds have begun.
    rounds: u32,
    /// How many more of this round may go.
    left: u32,
    /// Since when one of those could have gone.
    left_since: Instant,
    succeeded: u32,
    failed: u32,
    under_way: Vec<Probe>,
    /// How many there ever were.
    begun: u32,
    /// When a call last came that could be repeated without harm.
    safe_came: Option<Instant>,
    /// From when on one that could not need not let those go first, and how long it was made to.
    unsafe_turn: (Instant, Duration),
    /// The provider asked for quiet until then.
    asked_until: Instant,
}

#[derive(Debug)]
struct Probe {
    number: u32,
    /// When it went on its way; until then, when it was let pass.
    since: Instant,
    has_left: bool,
    /// How long the head took and when it came; the body is being read.
    head: Option<(Duration, Instant)>,
}

impl Probes {
    /// Those of a breaker that opens now.
    pub(super) fn new(for_slowness: bool, config: &BreakerConfig, now: Instant, rng: &Rng) -> Self {
        let gap = config.open_time(0, rng);
        Self { for_slowness, ..Self::due_in(gap, gap, now) }
    }

    /// The first may go after so long, the next after the gap.
    pub(super) fn due_in(time: Duration, gap: Duration, now: Instant) -> Self {
        let due = rt::after(now, time);
        let patience = gap.saturating_mul(PATIENCE);
        Self {
            for_slowness: false,
            due,
            gap,
            unsafe_turn: (rt::after(due, patience), patience),
            asked_until: now,
            rounds: 0,
            left: 0,
            left_since: now,
            succeeded: 0,
            failed: 0,
            under_way: Vec::new(),
            begun: 0,
            safe_came: None,
        }
    }

    /// The number of a probe, or how long until the next may go.
    pub(super) fn admit(
        &mut self,
        asker: Asker,
        config: &BreakerConfig,
        now: Instant,
        rng: &Rng,
    ) -> Result<u32, Duration> {
        if asker == Asker::Safe {
            self.safe_came = Some(now);
        }
        let next = self.next_at(asker, config, now);
        if next > now {
            return Err(next.saturating_duration_since(now));
        }
        if self.left == 0 {
            // The next round, from whose beginning the one after is counted.
            self.left = config.probes.saturating_sub(self.succeeded + self.failed).max(1);
            self.rounds = self.rounds.saturating_add(1);
            self.gap = config.open_time(self.rounds, rng);
        }
        if asker == Asker::Unsafe {
            let patience = self.unsafe_turn.1.saturating_mul(2).min(LONGEST_PATIENCE);
            self.unsafe_turn = (rt::after(now, patience), patience);
        }
        // One that takes a turn that was given back is followed no sooner than any other.
        self.due = self.due.max(rt::after(now, self.gap));
        (self.left, self.left_since) = (self.left - 1, now);
        self.begun = self.begun.wrapping_add(1);
        let probe = Probe { number: self.begun, since: now, has_left: false, head: None };
        self.under_way.push(probe);
        Ok(self.begun)
    }

    /// When such a call may be a probe, as things stand.
    fn next_at(&self, asker: Asker, config: &BreakerConfig, now: Instant) -> Instant {
        let free = match self.left {
            0 => self.due.max(self.busy_until(config)),
            _ => self.left_since,
        };
        // Safe calls go first, where there are any; but what they ask may be all that is down, so that
        // one of the others goes beside them at times.
        let rest = self.gap.saturating_mul(2);
        let recent = rt::after(self.safe_came.unwrap_or(now), rest.saturating_add(self.gap));
        match asker {
            Asker::Unsafe if self.safe_came.is_some() && now < recent => {
                rt::after(free, rest).min(self.unsafe_turn.0.max(self.asked_until))
            }
            _ => free,
        }
    }

    pub(super) fn next_in(&self, asker: Asker, config: &BreakerConfig, now: Instant) -> Duration {
        self.next_at(asker, config, now).saturating_duration_since(now)
    }

    /// Whether it is an unsafe call's turn to try the provider.
    pub(super) fn is_unsafe_turn(&self, now: Instant) -> bool {
        now >= self.unsafe_turn.0.max(self.asked_until)
    }

    /// How long until somebody should look again: a probe that is over makes room sooner than it was
    /// expected to.
    pub(super) fn look_in(&self, asker: Asker, config: &BreakerConfig, now: Instant) -> Duration {
        let next = self.next_in(asker, config, now);
        match self.due.saturating_duration_since(now) {
            Duration::ZERO => next.min(self.gap),
            due => next.min(due),
        }
    }

    /// Until when a probe is under way that has not had its time.
    fn busy_until(&self, config: &BreakerConfig) -> Instant {
        let ends = self.under_way.iter().map(|probe| probe.keeps_back_until(config.probe_limit));
        ends.max().unwrap_or(self.left_since)
    }

    /// Whether a safe call would be let through, or one tries the provider.
    pub(super) fn is_trying(&self, config: &BreakerConfig, now: Instant) -> bool {
        now < self.busy_until(config) && !self.under_way.is_empty()
            || self.next_at(Asker::Safe, config, now) <= now
    }

    /// Whether the last that is known is that nothing answers.
    pub(super) fn is_down(&self, config: &BreakerConfig, now: Instant) -> bool {
        !self.under_way.is_empty() || self.next_at(Asker::Safe, config, now) > now
    }

    /// Takes out a probe that is over; false if it isn't of this outage.
    pub(super) fn take(&mut self, number: u32) -> bool {
        let at = self.under_way.iter().position(|probe| probe.number == number);
        at.map(|at| self.under_way.swap_remove(at)).is_some()
    }

    /// One was dropped or refused before it could show anything: another may go at once.
    pub(super) fn give_back(&mut self, now: Instant) {
        if self.left == 0 {
            self.left_since = now;
        }
        self.left += 1;
    }

    /// One succeeded; true if that is enough.
    pub(super) fn succeeded(&mut self, config: &BreakerConfig) -> bool {
        self.succeeded += 1;
        self.succeeded >= config.probe_successes
    }

    /// One failed: where too many have, the round is over.
    pub(super) fn failed(&mut self, config: &BreakerConfig) {
        self.failed += 1;
        if self.failed > config.probes.saturating_sub(config.probe_successes) {
            (self.succeeded, self.failed, self.left) = (0, 0, 0);
        }
    }

    /// The round that has begun counts anew, with so many probes.
    pub(super) fn recount(&mut self, probes: u32) {
        if self.left + self.succeeded + self.failed > 0 {
            (self.succeeded, self.failed, self.left) = (0, 0, probes);
        }
    }

    /// The provider asked for more time.
    pub(super) fn put_off(
        &mut self,
        asked: Option<Duration>,
        config: &BreakerConfig,
        now: Instant,
    ) {
        if let Some(asked) = asked {
            let until = rt::after(now, asked.min(config.retry_after_cap));
            self.asked_until = self.asked_until.max(until);
            self.due = self.due.max(until);
        }
    }

    /// Whether an answer is too slow to end an outage that slowness began.
    pub(super) fn is_too_slow(&self, took: Duration, config: &BreakerConfig) -> bool {
        self.for_slowness && config.is_slow(took)
    }

    /// A probe that may have waited in a queue further in goes on its way.
    pub(super) fn note_left(&mut self, number: u32, now: Instant) {
        let waiting = |probe: &&mut Probe| probe.number == number && !probe.has_left;
        if let Some(probe) = self.under_way.iter_mut().find(waiting) {
            (probe.since, probe.has_left) = (now, true);
            self.due = self.due.max(rt::after(now, self.gap));
        }
    }

    /// Nobody will tell what becomes of those that are under way.
    pub(super) fn lose_track(&mut self) {
        self.under_way.clear();
    }

    pub(super) fn note_head(&mut self, number: u32, left: Instant, at: Instant) {
        let probe = self.under_way.iter_mut().find(|probe| probe.number == number);
        if let Some(probe) = probe {
            probe.head = Some((at.saturating_duration_since(left), at));
        }
    }

    /// Takes out a probe whose good head came, and whose body has been read for as long as a probe
    /// may take; how long the head took.
    pub(super) fn take_answered(&mut self, limit: Duration, now: Instant) -> Option<Duration> {
        let is_due = |probe: &Probe| probe.head.is_some() && now >= rt::after(probe.since, limit);
        let at = self.under_way.iter().position(is_due)?;
        self.under_way.swap_remove(at).head.map(|(took, _)| took)
    }
}

// === impl Probe ===

impl Probe {
    /// Others would only wait behind one that waits here; but that one may never go.
    fn keeps_back_until(&self, limit: Duration) -> Instant {
        let limit = if self.has_left { limit } else { limit.max(LONGEST_WAIT) };
        rt::after(self.since, limit)
    }
}

/// For so many probes, those that can be repeated without harm go first; then for twice as long, and
/// so on: of an hour's outage, few outcomes are unknown.
const PATIENCE: u32 = 10;
const LONGEST_PATIENCE: Duration = Duration::from_secs(60);
/// How long a probe that waits in a queue further in keeps others back.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
