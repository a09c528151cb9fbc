use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::words::{Phrase, cut, phrase};
use crate::event::{Emitter, Event};
use crate::rt::{Lock, callback};
use crate::terms::{ActOutcome, ActRefusal, Right};

/// What somebody did on the console, or was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsoleAct {
    /// Its number since the console was made; the first is 1.
    pub number: u64,
    /// When.
    pub at: SystemTime,
    /// Who.
    pub who: String,
    /// By which right.
    pub right: Right,
    /// What: `payments: kill_switch to off`.
    pub what: String,
    /// Why, in their words.
    pub why: String,
    /// Until when they want it, if they said so.
    pub until: Option<SystemTime>,
    /// What came of it; `Begun` before it runs.
    pub result: ActResult,
    /// The integration or the lane that it is about, if this process has it.
    pub(super) on: Option<String>,
    /// The same for the pages, in no language yet: what, why, and what there is to say of the result.
    pub(super) phrases: [Phrase; 3],
}

/// What came of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActResult {
    /// It is about to run. If nothing follows, the process ended meanwhile.
    Begun,
    /// It was done; in words, as far as there is more to say.
    Done(String),
    /// They have no right to do it.
    NotAllowed,
    /// It could not be done, and why.
    Failed(String),
}

/// Records what people do, such as in a database or a log.
///
/// It is called with [`ActResult::Begun`] before an act runs, and again with the same number when it has run. It
/// must be quick. If it panics, the act isn't run.
pub trait RecordAct: Send + Sync + 'static {
    /// Records an act.
    fn record(&self, act: &ConsoleAct);
}

impl<F: Fn(&ConsoleAct) + Send + Sync + 'static> RecordAct for F {
    fn record(&self, act: &ConsoleAct) {
        self(act);
    }
}

/// The last acts, how many each person did lately, and who else is told.
pub(super) struct Acts {
    recorder: Option<Arc<dyn RecordAct>>,
    emitter: Emitter,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    acts: VecDeque<ConsoleAct>,
    count: u64,
    /// The times of each person's last acts.
    lately: HashMap<String, VecDeque<SystemTime>>,
}

impl Acts {
    pub(super) fn new(recorder: Option<Arc<dyn RecordAct>>, emitter: Emitter) -> Self {
        Self { recorder, emitter, log: Mutex::default() }
    }

    /// Whether this person may act once more. Each question counts.
    pub(super) fn may_act_again(&self, who: &str, now: SystemTime) -> bool {
        let mut log = self.log.locked();
        log.lately.retain(|_, times| {
            times.retain(|at| now.duration_since(*at).is_ok_and(|ago| ago < MINUTE));
            !times.is_empty()
        });
        let times = log.lately.entry(who.to_owned()).or_default();
        let may = times.len() < A_MINUTE;
        if may {
            times.push_back(now);
        }
        may
    }

    /// Records an act, and returns it with its number; `None` if it can't be recorded.
    pub(super) fn add(&self, mut act: ConsoleAct) -> Option<ConsoleAct> {
        {
            let mut log = self.log.locked();
            log.count += 1;
            act.number = log.count;
            if log.acts.len() >= KEPT {
                log.acts.pop_front();
            }
            log.acts.push_back(act.clone());
        }
        if self.tell(&act).is_none() {
            let failed = Err(phrase!("it could not be recorded, so it was not run"));
            act.came_to(failed);
            self.emit(&act);
            self.keep(&act);
            return None;
        }
        self.emit(&act);
        Some(act)
    }

    /// Says what came of an act.
    pub(super) fn end(&self, mut act: ConsoleAct, result: Result<Phrase, Phrase>) {
        act.came_to(result);
        self.keep(&act);
        // It has run: that its end isn't recorded undoes nothing.
        let _ = self.tell(&act);
        self.emit(&act);
    }

    /// Tells subscribers that one was refused, where its right isn't known.
    pub(super) fn refuse(&self, why: ActRefusal) {
        self.emitter.emit(None, || Event::ConsoleRefused { why });
    }

    /// Tells subscribers, once it has come to its end.
    fn emit(&self, act: &ConsoleAct) {
        let Some(outcome) = act.result.outcome() else { return };
        let emitter = match &act.on {
            Some(on) => &self.emitter.renamed(on),
            None => &self.emitter,
        };
        emitter.emit(None, || Event::ConsoleActed { right: act.right, outcome });
    }

    /// In place of what was known of it.
    fn keep(&self, act: &ConsoleAct) {
        let mut log = self.log.locked();
        if let Some(known) = log.acts.iter_mut().find(|known| known.number == act.number) {
            known.clone_from(act);
        }
    }

    /// Newest first.
    pub(super) fn all(&self) -> Vec<ConsoleAct> {
        self.log.locked().acts.iter().rev().cloned().collect()
    }

    pub(super) fn get(&self, number: u64) -> Option<ConsoleAct> {
        self.log.locked().acts.iter().find(|act| act.number == number).cloned()
    }

    /// `None` if the recorder panics.
    fn tell(&self, act: &ConsoleAct) -> Option<()> {
        match &self.recorder {
            Some(recorder) => callback::call("console recorder", || recorder.record(act)),
            None => Some(()),
        }
    }
}

impl fmt::Debug for Acts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acts").finish_non_exhaustive()
    }
}

impl ConsoleAct {
    /// One that is about to run.
    pub(super) fn begun(
        at: SystemTime,
        who: &str,
        right: Right,
        what: Phrase,
        why: Phrase,
    ) -> Self {
        Self {
            number: 0,
            at,
            who: who.to_owned(),
            right,
            what: cut(&what.to_string()),
            why: cut(&why.to_string()),
            until: None,
            result: ActResult::Begun,
            on: None,
            phrases: [what, why, Phrase::default()],
        }
    }

    fn came_to(&mut self, result: Result<Phrase, Phrase>) {
        self.result = match &result {
            Ok(more) => ActResult::Done(more.to_string()),
            Err(why) => ActResult::Failed(why.to_string()),
        };
        self.phrases[2] = result.unwrap_or_else(|why| why);
    }

    /// For the pages: what, why and the result.
    pub(super) fn said(&self) -> (Phrase, Phrase, Phrase) {
        let [what, why, more] = self.phrases.clone();
        let result = match &self.result {
            ActResult::Begun => phrase!("begun"),
            ActResult::Done(_) if more.is_empty() => phrase!("done"),
            ActResult::Done(_) => phrase!("done: {more}", more = more),
            ActResult::NotAllowed => phrase!("not allowed"),
            ActResult::Failed(_) => phrase!("failed: {why}", why = more),
        };
        (what, why, result)
    }
}

impl ActResult {
    /// In a word; `None` while it runs.
    #[must_use]
    pub fn outcome(&self) -> Option<ActOutcome> {
        match self {
            Self::Begun => None,
            Self::Done(_) => Some(ActOutcome::Done),
            Self::NotAllowed => Some(ActOutcome::NotAllowed),
            Self::Failed(_) => Some(ActOutcome::Failed),
        }
    }
}

impl fmt::Display for ActResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => f.write_str("begun"),
            Self::Done(more) if more.is_empty() => f.write_str("done"),
            Self::Done(more) => write!(f, "done: {more}"),
            Self::NotAllowed => f.write_str("not allowed"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

/// Acts that are remembered; the recorder has all.
const KEPT: usize = 1_000;
/// Acts of one person in a minute: a slip of the hand is few, a script is many.
const A_MINUTE: usize = 20;
const MINUTE: Duration = Duration::from_secs(60);
