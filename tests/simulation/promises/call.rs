//! The promises of one call.

use std::time::{Duration, Instant};

use outrigger::event::{End, Event};
use outrigger::outcome::Phase;
use outrigger::retry::RetryOverride;
use outrigger::{Delivery, ErrorKind};

use super::{Broken, Promise};
use crate::caller::{Diary, Outcome};
use crate::provider::log::{Did, Seen};
use crate::spec::Patience;
use crate::told::Told;

/// What was told of a call, and what the provider saw of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Its end was looked at.
    pub(crate) is_checked: bool,
    started: u32,
    end: Option<(End, u32)>,
    pub(crate) begun: u32,
    finished: u32,
    deadline: Option<Instant>,
    pub(crate) arrived: u32,
    refused: u32,
    done: u32,
    answered: u32,
    key: Option<Option<String>>,
    /// Until when the provider asked for peace.
    asked: Option<Duration>,
}

/// What the promises of a call depend on besides itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) honours_keys: bool,
    /// Settings said so of the provider.
    pub(crate) honoured: bool,
    /// The most attempts that any settings allowed so far; hedges come on top.
    pub(crate) attempts: Option<u32>,
    pub(crate) hedges: bool,
    /// What was sent can still be stopped: nothing goes out while that is so.
    pub(crate) stopped: bool,
    /// Nothing is repeated.
    pub(crate) once: bool,
    /// Since when the breaker is forced open.
    pub(crate) forced_open: Option<Instant>,
}

impl Tally {
    pub(crate) fn hear(&mut self, told: &Told, diary: &Diary, rules: &Rules) -> Result<(), Broken> {
        self.hear_deadline(told)?;
        match told.event {
            Event::CallStarted => self.started += 1,
            Event::AttemptStarted => {
                self.begun += 1;
                self.may_begin(diary, rules)?;
            }
            Event::AttemptFinished { .. } => {
                self.finished += 1;
                Promise::AttemptsEnd.holds(self.finished <= self.begun, || {
                    format!("{} attempts ended of {} that began", self.finished, self.begun)
                })?;
            }
            Event::CallFinished { end, attempts, .. } => {
                Promise::OneEnd.holds(self.end.is_none(), || {
                    format!("it ended as {end:?} after it had ended as {:?}", self.end)
                })?;
                self.end = Some((end, attempts));
            }
            _ => {}
        }
        Ok(())
    }

    fn hear_deadline(&mut self, told: &Told) -> Result<(), Broken> {
        if let (Some(before), now) = (self.deadline, told.deadline) {
            let falls = now.is_some_and(|now| now <= before);
            Promise::DeadlineFalls
                .holds(falls, || format!("its deadline was {before:?} and is {now:?}"))?;
        }
        self.deadline = told.deadline;
        Ok(())
    }

    fn may_begin(&self, diary: &Diary, rules: &Rules) -> Result<(), Broken> {
        let begun = self.begun;
        Promise::Stopped
            .holds(!rules.stopped, || format!("attempt {begun} began while it was stopped"))?;
        Promise::RetriesStopped.holds(!rules.once || begun == 1, || {
            format!("attempt {begun} began while retries were stopped")
        })?;
        let later = rules.forced_open.is_none_or(|since| diary.begun < since);
        Promise::ForcedOpen
            .holds(later, || "it was sent while the breaker was forced open".into())?;
        let overridden = match diary.spec.retry_override {
            Some(RetryOverride::Never) => Some(1),
            Some(RetryOverride::Once) => Some(2),
            _ => None,
        };
        let most = match (overridden, rules.attempts) {
            (Some(overridden), Some(set)) => Some(set.min(overridden)),
            (one, other) => one.or(other),
        };
        let most = most.map(|most| most + u32::from(rules.hedges && overridden != Some(1)));
        Promise::AttemptsLimited.holds(most.is_none_or(|most| begun <= most), || {
            format!("attempt {begun} began, and {most:?} are allowed")
        })
    }

    pub(crate) fn see(
        &mut self,
        did: Did,
        at: Duration,
        seen: &Seen,
        diary: &Diary,
        rules: &Rules,
    ) -> Result<(), Broken> {
        match did {
            Did::Refused => {
                self.refused += 1;
                self.came(at, rules)
            }
            Did::Arrived => {
                self.arrived += 1;
                self.came(at, rules)?;
                self.sent(seen, diary, rules)
            }
            Did::Executed => {
                self.done += 1;
                let judged = seen.key.is_some() && rules.honours_keys && !diary.spec.is_harmless();
                Promise::DoneOnce.holds(!judged || self.done == 1, || {
                    format!("it was done {} times, though keys are honoured", self.done)
                })
            }
            Did::Asked(wait) => {
                self.asked = Some(at + wait);
                Ok(())
            }
            Did::Answered(_) => {
                self.answered += 1;
                let body = seen.body.unwrap_or_default();
                Promise::WholeBody.holds(body == diary.spec.length(), || {
                    format!("{body} bytes arrived of {}", diary.spec.length())
                })
            }
            _ => Ok(()),
        }
    }

    /// A request knocked.
    fn came(&self, at: Duration, rules: &Rules) -> Result<(), Broken> {
        Promise::NothingAfterEnd
            .holds(!self.is_checked, || "a request came after its call was over".into())?;
        // A second request may be under way already when the first is told to wait.
        let early = self.asked.filter(|until| at + ROUNDING < *until && !rules.hedges);
        Promise::RetryAfter.holds(early.is_none(), || {
            format!(
                "it came back at {at:?}, and the provider had asked to stay away until {early:?}"
            )
        })
    }

    fn sent(&mut self, seen: &Seen, diary: &Diary, rules: &Rules) -> Result<(), Broken> {
        let own = seen.path.rsplit('/').next().map(|number| format!("call-{number}"));
        Promise::OneId.holds(seen.id == own, || format!("it came with the id {:?}", seen.id))?;
        let one = self.key.get_or_insert_with(|| seen.key.clone());
        Promise::OneKey.holds(*one == seen.key, || {
            format!("one attempt had the key {one:?}, another {:?}", seen.key)
        })?;
        let again = self.arrived > 1 && !diary.spec.is_harmless();
        Promise::SentOnce.holds(!(again && seen.key.is_none()), || {
            format!("{} went out {} times without a key", seen.method, self.arrived)
        })?;
        let trusted = rules.honoured || diary.spec.keyed;
        Promise::SentOnceUnderOwnKey.holds(!again || trusted, || {
            format!("{} went out {} times under a key of our own", seen.method, self.arrived)
        })
    }

    /// What must be so when the call is over.
    pub(crate) fn check_end(&self, diary: &Diary, rules: &Rules) -> Result<(), Broken> {
        if diary.spec.patience == Patience::Polls(0) {
            let is_begun = self.started > 0 || self.end.is_some() || self.arrived > 0;
            return Promise::OneEnd
                .holds(!is_begun, || self.says("it was never polled, and yet it began"));
        }
        let Some((end, attempts)) = self.end else {
            return Err(Promise::OneEnd.broken("its end was never told".into()));
        };
        Promise::OneEnd.holds(self.started == 1, || {
            format!("its beginning was told {} times", self.started)
        })?;
        Promise::AttemptsEnd.holds(self.begun == self.finished, || {
            format!("{} attempts began and {} ended", self.begun, self.finished)
        })?;
        self.check_delivery(end.delivery(), "its end")?;
        self.check_attempts(attempts, rules, "its end")?;
        if let Some(Outcome::Failed(failure)) = &diary.outcome {
            self.check_delivery(Some(failure.delivery), &failure.text)?;
            self.check_attempts(failure.attempts, rules, &failure.text)?;
            let cut = failure.kind == ErrorKind::Timeout(Phase::Call);
            let early = diary.ended.is_some_and(|ended| ended + ROUNDING < diary.due);
            Promise::NotCutEarly.holds(!(cut && early), || {
                format!(
                    "{:?} before its deadline, it says: {}",
                    diary.ended.map(|ended| diary.due - ended),
                    failure.text
                )
            })?;
            // A success tells what the call did, whatever became of earlier attempts.
            let is_done = failure.status.is_some_and(|status| status < 300);
            let says_so = failure.delivery == Delivery::Answered && !is_done;
            Promise::Answered.holds(!says_so || self.answered == self.arrived, || {
                self.says("its error says that the provider answered")
            })?;
        }
        let late = diary.spec.limit == Some(Duration::ZERO);
        Promise::NothingSentTooLate.holds(!late || self.arrived == 0, || {
            self.says("its deadline had passed when it began")
        })
    }

    fn check_delivery(&self, delivery: Option<Delivery>, who: &str) -> Result<(), Broken> {
        let says = || self.says(&format!("{who} says {delivery:?}"));
        match delivery {
            Some(Delivery::NotSent) => Promise::NotSent.holds(self.arrived == 0, says),
            // By a fallback, or after an attempt of unknown outcome, it is none of the provider's.
            Some(Delivery::Answered) => Promise::Answered.holds(self.answered > 0, says),
            _ => Ok(()),
        }
    }

    /// An attempt that was dropped before it was polled has been told of, and never seen.
    /// A second request that waits here when its call is cut is counted with the others.
    fn check_attempts(&self, attempts: u32, rules: &Rules, who: &str) -> Result<(), Broken> {
        let came = self.arrived + self.refused;
        let more = attempts.checked_sub(self.begun);
        let so = attempts >= came && more.is_some_and(|more| more <= u32::from(rules.hedges));
        Promise::AttemptsCounted
            .holds(so, || self.says(&format!("{who} speaks of {attempts} attempts")))
    }

    fn says(&self, what: &str) -> String {
        let Self { arrived, refused, answered, begun, .. } = self;
        format!(
            "{what}, while {begun} attempts began, {arrived} arrived, {answered} were answered and {refused} refused"
        )
    }
}

/// Timers go to the millisecond.
const ROUNDING: Duration = Duration::from_millis(2);
