//! What happens in a world: calls begin, settings change, all gets well.

use std::rc::Rc;
use std::time::{Duration, Instant};

use outrigger::event::{BreakerState, SwitchMode};

use super::build::config;
use super::{Recovery, World};
use crate::caller::{self, Diary, Outcome, Stage};
use crate::clock::{self, millis, secs};
use crate::promises::{Broken, Promise, Tally, Whole};
use crate::provider::log::Did;
use crate::provider::plan::{Mode, Phase};
use crate::spec::{Act, CallSpec, Preset, Reading};
use crate::terms::Terms;

impl World {
    pub(super) fn begin(&mut self, spec: CallSpec) {
        let number = self.tallies.len();
        let now = clock::now();
        // A request's own stands in the place of the preset's.
        let due = now + spec.limit.or(self.terms.deadline).unwrap_or(FOREVER);
        self.note(|| format!("call {number} begins: {spec:?}"));
        let (stage, outcome) = (Stage::Waiting, None);
        let (ended, read_late) = (None, None);
        let diary = Diary { spec, begun: now, due, stage, outcome, ended, read_late };
        self.diaries.borrow_mut().push(diary);
        self.tallies.push(Tally::default());
        self.open.push(number);
        let call = caller::call(number, &self.integration, Rc::clone(&self.diaries));
        self.live.push(Box::pin(call));
    }

    pub(super) fn act(&mut self, act: Act) {
        self.note(|| format!("{act:?}"));
        match act {
            Act::Apply(lines) => self.apply(&lines),
            Act::Switch(mode) => self.integration.kill_switch().set(mode, "sim", "a world"),
            Act::Force(to) => self.force(to),
            Act::Jump(time) => self.jump = Some(Box::pin(clock::jump(time))),
            Act::Pause(time) => self.integration.rate_limit().pause(time),
            Act::Forget => self.integration.rate_limit().forget(),
        }
        let is_open = self.integration.breaker().forced() == Some(BreakerState::Open);
        let now = clock::now();
        self.forced_open = is_open.then(|| self.forced_open.unwrap_or(now));
    }

    fn apply(&mut self, lines: &[String]) {
        let applied = self.integration.apply(&config(lines));
        self.note(|| format!("  {applied:?}"));
        self.terms = Terms::of(&self.integration);
        self.whole.allow(&self.terms);
        self.watched.forget();
        self.attempts = self.attempts.zip(self.terms.attempts).map(|(one, other)| one.max(other));
        self.hedges |= self.terms.hedges;
        self.honoured |= self.terms.honoured;
    }

    fn force(&mut self, to: Option<BreakerState>) {
        let breaker = self.integration.breaker();
        match to {
            Some(BreakerState::Open) => breaker.force_open(),
            Some(_) => breaker.force_closed(),
            None => breaker.release(),
        }
        self.forced |= to.is_some();
        self.watched.forget();
    }

    /// Lets everything through and calls until it is answered.
    pub(super) fn recover(&mut self, now: Instant) -> Result<bool, Broken> {
        let pace = self.pace();
        let Some(recovery) = &mut self.recovery else {
            self.look()?;
            self.note(|| "all is well from here on".into());
            self.act(Act::Switch(SwitchMode::On));
            self.act(Act::Force(None));
            let due = now + self.longest_recovery();
            let (first, is_well) = (self.tallies.len(), false);
            self.recovery = Some(Recovery { since: now, due, next: now, first, is_well });
            return Ok(true);
        };
        if recovery.is_well {
            return Ok(false);
        }
        let diaries = self.diaries.borrow();
        // Who has an answer keeps its place: until it is read, others may have to wait.
        let keeps = |diary: &Diary| {
            let has_it = matches!(diary.stage, Stage::Reading | Stage::Keeping);
            let will = matches!(diary.spec.reading, Reading::Keeps(_) | Reading::Slowly(_));
            has_it || will && diary.stage != Stage::Over
        };
        if diaries[..recovery.first].iter().any(keeps) {
            recovery.due += now - recovery.since;
            recovery.since = now;
        }
        let is_answered =
            |diary: &Diary| matches!(diary.outcome, Some(Outcome::Answered { status: 200, .. }));
        let answered = diaries[recovery.first..].iter().any(is_answered);
        drop(diaries);
        if answered && Whole::is_closed(&self.integration) {
            recovery.is_well = true;
            return Ok(true);
        }
        if now < recovery.next.min(recovery.due) {
            return Ok(false);
        }
        let (took, state) = (now - recovery.since, self.integration.breaker().state());
        Promise::Recovers.holds(now < recovery.due, || {
            format!(
                "{took:?} after all is well, the breaker is {state:?}, and answered: {answered}"
            )
        })?;
        recovery.next = now + pace;
        self.begin(CallSpec::get(now - self.began));
        Ok(true)
    }

    /// By when the breaker must be closed and calls answered, by the settings.
    fn longest_recovery(&self) -> Duration {
        let asked = self.provider.log(|log| {
            let asked = log.entries.iter().filter_map(|entry| match entry.did {
                Did::Asked(wait) => Some(wait),
                _ => None,
            });
            asked.max().unwrap_or_default()
        });
        let paused = self.integration.rate_limit().paused_for().unwrap_or_default();
        let breaker = self.terms.breaker.map_or(Duration::ZERO, |breaker| {
            // A probe that is under way may be one that hangs; without any, none has a turn.
            let probe = if self.live.is_empty() { Duration::ZERO } else { breaker.probe_limit };
            breaker.open[1] + asked.min(breaker.asked) + probe
        });
        // Who hangs has its place for as long as an attempt may take.
        let hangs = if self.live.is_empty() { Duration::ZERO } else { self.terms.attempt };
        let probes = self.terms.breaker.map_or(1, |breaker| breaker.probes);
        let waits = hangs + (paused + self.provider.queue()) * 2;
        breaker + waits + self.longest_learned(asked) + self.pace() * (probes + 1)
    }

    /// How long what was felt out of the provider's limits may be all that holds calls back.
    fn longest_learned(&self, asked: Duration) -> Duration {
        let is_limited = |phase: &Phase| matches!(phase.mode, Mode::Limited { .. });
        let is_limited = self.spec.plan.phases().iter().any(is_limited);
        let sets_limits = |line: &String| line.starts_with("rate_limit.");
        match (is_limited, self.spec.preset) {
            (true, Preset::Background) => LEARNED_BY_JOBS,
            (true, Preset::UserFlow) => LEARNED,
            _ if !asked.is_zero() => LEARNED.max(asked * 2),
            _ if self.spec.settings.iter().any(sets_limits) || !self.spec.acts.is_empty() => {
                LEARNED
            }
            _ => Duration::ZERO,
        }
    }

    /// Between two calls of those that come until all is well.
    fn pace(&self) -> Duration {
        match self.spec.preset {
            Preset::UserFlow => millis(200),
            Preset::Background => secs(1),
        }
    }
}

/// What was learned of a provider's limits may hold so long.
const LEARNED: Duration = secs(30);
/// The same for jobs, which all go at the pace that was learned.
const LEARNED_BY_JOBS: Duration = secs(900);
/// Later than anything ends.
const FOREVER: Duration = secs(1_000_000);
