//! Acts on many messages, in the background: one after the other, in their order, and they can be stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::acts::{Acts, ConsoleAct};
use super::words::{Phrase, Text, counted, phrase, text};
use crate::outbox::{
    Action, By, Filter, MessageId, Outbox, OutboxError, Page, Selection, Timestamp,
};
use crate::rt::{self, Lock, callback};

/// All tasks since the console was made, by the number of their act.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<BTreeMap<u64, Arc<Task>>>);

#[derive(Debug)]
pub(super) struct Task {
    pub(super) act: ConsoleAct,
    pub(super) action: Action,
    pub(super) lane: String,
    stopped: AtomicBool,
    progress: Mutex<Progress>,
}

/// How far a task is.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) changed: u64,
    /// How many were left as they are, by why.
    pub(super) refused: BTreeMap<&'static str, u64>,
    pub(super) is_over: bool,
    pub(super) error: Option<Phrase>,
}

/// Which messages a task acts on: those that the filter finds and that were dead, or waited, at that time.
pub(super) struct Frozen {
    pub(super) filter: Filter,
    pub(super) at: Timestamp,
}

impl Tasks {
    pub(super) fn get(&self, act: u64) -> Option<Arc<Task>> {
        self.0.locked().get(&act).cloned()
    }

    /// Begins one, which goes on until it is over or stopped, whoever looks.
    pub(super) fn begin(&self, task: Task, outbox: Outbox, frozen: Frozen, acts: Arc<Acts>) {
        let task = Arc::new(task);
        self.keep(&task);
        rt::spawn(async move {
            let result = task.end(callback::run("console task", task.run(&outbox, &frozen)).await);
            acts.end(task.act.clone(), result);
        });
    }

    /// Forgets the oldest that is over, if there are many.
    fn keep(&self, task: &Arc<Task>) {
        let mut tasks = self.0.locked();
        let over = tasks.iter().find(|(_, known)| known.progress.locked().is_over);
        if let (true, Some(over)) = (tasks.len() >= KEPT, over.map(|(number, _)| *number)) {
            tasks.remove(&over);
        }
        tasks.insert(task.act.number, Arc::clone(task));
    }
}

impl Task {
    pub(super) fn new(act: ConsoleAct, action: Action, lane: String) -> Self {
        Self { act, action, lane, stopped: AtomicBool::new(false), progress: Mutex::default() }
    }

    async fn run(&self, outbox: &Outbox, frozen: &Frozen) -> Result<(), OutboxError> {
        let mut page = Page::first(PAGE);
        loop {
            let messages = outbox.browse(frozen.filter.clone(), page).await?;
            let Some(last) = messages.last() else { return Ok(()) };
            page = Page::after(last.seq, PAGE);
            for message in &messages {
                if self.is_stopped() {
                    return Ok(());
                }
                self.on(outbox, frozen, message.content.id).await?;
            }
        }
    }

    /// Acts on one message, as it is now: since the page was read it may have been sent and have died again.
    async fn on(&self, outbox: &Outbox, frozen: &Frozen, id: MessageId) -> Result<(), OutboxError> {
        let Some(message) = outbox.store().find(id).await? else { return Ok(()) };
        if !frozen.holds(message.progress.settled, message.content.created) {
            *self.progress.locked().refused.entry(LATER.english).or_default() += 1;
            return Ok(());
        }
        let by = By { who: &self.act.who, why: &self.act.why };
        let acted = outbox.act(Selection::One(id), self.action, by).await?;
        let mut progress = self.progress.locked();
        progress.changed += acted.changed.len() as u64;
        for (_, why) in acted.refused {
            *progress.refused.entry(refusal(why).english).or_default() += 1;
        }
        Ok(())
    }

    /// `None` if it panicked.
    fn end(&self, ended: Option<Result<(), OutboxError>>) -> Result<Phrase, Phrase> {
        let mut progress = self.progress.locked();
        progress.is_over = true;
        progress.error = match ended {
            Some(ended) => ended.err().map(|error| error.to_string().into()),
            None => Some(phrase!("it broke off")),
        };
        let so_far = progress.words();
        match progress.error.clone() {
            Some(error) => Err(phrase!("{error}, after {done}", error = error, done = so_far)),
            None if self.is_stopped() => Err(phrase!("stopped after {done}", done = so_far)),
            None => Ok(so_far),
        }
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.locked().clone()
    }
}

impl Progress {
    /// `12 changed, 3 left as they are (the message isn't dead)`.
    pub(super) fn words(&self) -> Phrase {
        let refused: u64 = self.refused.values().sum();
        let changed = counted!("{n} changed", n = self.changed);
        let left = (refused > 0).then(|| {
            let why = self
                .refused
                .iter()
                .map(|(why, count)| Phrase::list([(*count).into(), Text::word(why).into()], " × "));
            counted!("{n} left as they are ({why})", n = refused, why = Phrase::list(why, ", "))
        });
        Phrase::list([changed, left.into()], ", ")
    }
}

impl Frozen {
    /// Whether it was so before.
    fn holds(&self, settled: Option<Timestamp>, created: Timestamp) -> bool {
        settled.unwrap_or(created) <= self.at
    }
}

pub(super) fn refusal(why: crate::outbox::Refusal) -> Text {
    use crate::outbox::Refusal;
    match why {
        Refusal::KeyExpired => text!("the provider has forgotten its key"),
        Refusal::NotDead => text!("it isn't dead any more"),
        Refusal::NotReady => text!("it doesn't wait any more"),
        Refusal::Done => text!("the provider has done it"),
        Refusal::Replaced => text!("an edited message took its place"),
        Refusal::Erased => text!("its request was erased"),
        Refusal::Open => text!("it is still to be delivered"),
        _ => text!("somebody else had it"),
    }
}

/// Why a message is left as it is that wasn't so when the person saw the page.
const LATER: Text = text!("it died after the page was made");
/// How many messages are in memory at a time.
const PAGE: usize = 100;
/// How many tasks are remembered, if not more are running.
const KEPT: usize = 100;
