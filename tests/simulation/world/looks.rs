//! What is looked at in a world, at every step.

use std::time::Instant;

use outrigger::event::{Event, SwitchMode};

use super::{SLACK, World};
use crate::caller::{Diary, Outcome, Stage};
use crate::clock::{self, secs};
use crate::promises::{Broken, Promise, Rules};
use crate::provider::log::{Entry, Seen};
use crate::spec::{CallSpec, Patience, Preset, Reading, Spec};
use crate::told::Told;

impl World {
    /// Looks at what was told and what the provider did since the last look.
    pub(super) fn look(&mut self) -> Result<(), Broken> {
        let news: Vec<(Entry, Seen)> = self.provider.log(|log| {
            log.since(self.looked_at).map(|(entry, seen)| (entry.clone(), seen.clone())).collect()
        });
        self.looked_at += news.len();
        for (entry, seen) in news {
            let call = seen.path.rsplit('/').next().and_then(|number| number.parse().ok());
            let call: usize = call.expect("calls have numbers");
            self.note(|| format!("call {call}: provider, at {:?}: {:?}", entry.at, entry.did));
            let seen = self.see(&entry, &seen, call);
            self.judge(Some(call), seen)?;
        }
        for told in self.listener.take() {
            self.trace_event(&told);
            let heard = self.hear(&told);
            self.judge(told.call, heard)?;
        }
        Ok(())
    }

    fn hear(&mut self, told: &Told) -> Result<(), Broken> {
        self.whole.hear(&told.event, self.forced)?;
        if !self.hedges {
            self.watched.hear(told, self.terms.breaker)?;
        }
        let Some(number) = told.call else { return Ok(()) };
        let rules = self.rules();
        let diary = &self.diaries.borrow()[number];
        let tally = &mut self.tallies[number];
        tally.hear(told, diary, &rules)?;
        match told.event {
            Event::AttemptStarted => self.whole.began(tally.begun, told.at - self.began),
            _ => Ok(()),
        }
    }

    fn see(&mut self, entry: &Entry, seen: &Seen, call: usize) -> Result<(), Broken> {
        self.whole.see(entry.did, seen, call)?;
        let rules = self.rules();
        let diary = &self.diaries.borrow()[call];
        self.tallies[call].see(entry.did, entry.at, seen, diary, &rules)
    }

    fn rules(&self) -> Rules {
        let mode = self.integration.kill_switch().mode();
        Rules {
            honours_keys: self.provider.plan().does_honour_keys(),
            attempts: self.attempts,
            honoured: self.honoured,
            hedges: self.hedges,
            stopped: !mode.lets_calls_through(),
            once: mode == SwitchMode::NoRetries,
            forced_open: self.forced_open,
        }
    }

    /// What must be so of each call, and of all of them, when nothing can go on without time.
    pub(super) fn check_now(&mut self) -> Result<(), Broken> {
        let now = clock::now();
        let (mut live, mut overdue) = (0, 0);
        for at in 0..self.open.len() {
            let number = self.open[at];
            let (stage, due) = {
                let diary = &self.diaries.borrow()[number];
                (diary.stage, diary.due)
            };
            let is_late = now > due.max(self.awake) + SLACK;
            live += usize::from(stage != Stage::Over);
            if is_late && stage != Stage::Over {
                overdue += 1;
                self.check_late(number, stage, due)?;
            }
        }
        self.check_ended()?;
        let checked = self.whole.check(&self.integration, &self.provider, live);
        self.judge(None, checked)?;
        let in_use = self.integration.bulkhead().in_use() as usize;
        let places = if self.hedges { 2 } else { 1 } * (live - overdue);
        let so = Promise::NothingHeldPastDeadline.holds(in_use <= places, || {
            format!(
                "{in_use} places are taken, and {overdue} of {live} calls are past their deadline"
            )
        });
        self.judge(None, so)
    }

    fn check_late(&mut self, number: usize, stage: Stage, due: Instant) -> Result<(), Broken> {
        let (now, due) = (clock::now() - self.began, due - self.began);
        let late = || format!("it was due at {due:?}, and at {now:?} it goes on");
        let so = match stage {
            Stage::Waiting => Promise::Deadline.holds(false, late),
            Stage::Reading => Promise::DeadlineOfBody.holds(false, late),
            Stage::Keeping | Stage::Over => Ok(()),
        };
        self.judge(Some(number), so)
    }

    /// Looks at those calls once that are over.
    fn check_ended(&mut self) -> Result<(), Broken> {
        let is_over = |number: &usize| self.diaries.borrow()[*number].stage == Stage::Over;
        if !self.open.iter().any(is_over) {
            return Ok(());
        }
        let (ended, open): (Vec<_>, _) = self.open.iter().partition(|number| is_over(number));
        self.open = open;
        for number in ended {
            let diary = self.diaries.borrow()[number].clone();
            self.note(|| format!("call {number} is over: {:?}", diary.outcome));
            self.tallies[number].is_checked = true;
            let checked = self.check_end(number, &diary);
            self.judge(Some(number), checked)?;
        }
        Ok(())
    }

    fn check_end(&self, number: usize, diary: &Diary) -> Result<(), Broken> {
        self.tallies[number].check_end(diary, &self.rules())?;
        Promise::DeadlineOfReadyBody.holds(diary.read_late.is_none(), || {
            let late = diary.read_late.map(|late| late - diary.due);
            format!("a part of its body was handed over {late:?} after its deadline")
        })?;
        self.check_job(diary)
    }

    /// Where nobody touched the settings, a job that its caller waits for is answered.
    fn check_job(&self, diary: &Diary) -> Result<(), Broken> {
        let Spec { preset, settings, acts, .. } = &self.spec;
        let CallSpec { limit, retry_override, patience, reading, .. } = &diary.spec;
        let as_it_is = *preset == Preset::Background && settings.is_empty() && acts.is_empty();
        let waits = limit.is_none() && retry_override.is_none() && *patience == Patience::Endless;
        let may_repeat = diary.spec.is_harmless() || diary.spec.keyed;
        if !(as_it_is && waits && may_repeat && *reading == Reading::All) {
            return Ok(());
        }
        let answered = matches!(diary.outcome, Some(Outcome::Answered { status: 200, .. }));
        let took = clock::now() - diary.begun;
        let clock_ran_out = clock::now() + LAST_MINUTE >= diary.due;
        Promise::NoJobLost.holds(answered || clock_ran_out, || {
            format!("after {took:?} it came to {:?}", diary.outcome)
        })
    }

    /// Notes what is broken, and of which call.
    pub(super) fn judge(
        &mut self,
        call: Option<usize>,
        so: Result<(), Broken>,
    ) -> Result<(), Broken> {
        let Err(mut broken) = so else { return Ok(()) };
        if let Some(call) = call {
            broken.how = format!("call {call}: {}", broken.how);
        }
        self.note(|| format!("BROKEN: {broken:?}"));
        Err(broken)
    }

    fn trace_event(&mut self, told: &Told) {
        let (call, event, at) = (told.call, told.event, told.at - self.began);
        self.note(|| match call {
            Some(call) => format!("call {call}: told, at {at:?}: {event:?}"),
            None => format!("told, at {at:?}: {event:?}"),
        });
    }
}

/// A job whose next attempt would be after its deadline may end before it.
const LAST_MINUTE: std::time::Duration = secs(90);
