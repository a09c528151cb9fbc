//! Acts on many messages, in the background: one after the other, in their order, and they can be stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::acts::{ActResult, Acts, ConsoleAct};
use crate::outbox::{Action, By, Filter, Outbox, OutboxError, Page, Selection, Timestamp};
use crate::rt::{self, Lock};

/// All tasks since the console was made, by the number of their act.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<BTreeMap<u64, Arc<Task>>>);

#[derive(Debug)]
pub(super) struct Task {
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
    pub(super) error: Option<String>,
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
    pub(super) fn begin(
        &self,
        outbox: Outbox,
        frozen: Frozen,
        action: Action,
        act: ConsoleAct,
        acts: Arc<Acts>,
    ) {
        let task = Arc::new(Task { stopped: AtomicBool::new(false), progress: Mutex::default() });
        {
            let mut tasks = self.0.locked();
            while tasks.len() >= KEPT {
                tasks.pop_first();
            }
            tasks.insert(act.number, Arc::clone(&task));
        }
        rt::spawn(async move {
            let error = run(&task, &outbox, &frozen, action, &act).await.err();
            let progress = {
                let mut progress = task.progress.locked();
                progress.is_over = true;
                progress.error = error.map(|error| error.to_string());
                progress.clone()
            };
            let result = match &progress.error {
                Some(error) => ActResult::Failed(format!("{error}, after {}", progress.words())),
                None if task.is_stopped() => {
                    ActResult::Failed(format!("stopped after {}", progress.words()))
                }
                None => ActResult::Done(progress.words()),
            };
            acts.end(act, result);
        });
    }
}

impl Task {
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
    pub(super) fn words(&self) -> String {
        let refused: u64 = self.refused.values().sum();
        let mut words = format!("{} changed", self.changed);
        if refused > 0 {
            let why: Vec<_> =
                self.refused.iter().map(|(why, count)| format!("{count} × {why}")).collect();
            words += &format!(", {refused} left as they are ({})", why.join(", "));
        }
        words
    }
}

async fn run(
    task: &Task,
    outbox: &Outbox,
    frozen: &Frozen,
    action: Action,
    act: &ConsoleAct,
) -> Result<(), OutboxError> {
    let by = By { who: &act.who, why: &act.why };
    let mut page = Page::first(PAGE);
    loop {
        let messages = outbox.browse(frozen.filter.clone(), page).await?;
        let Some(last) = messages.last() else { return Ok(()) };
        page = Page::after(last.seq, PAGE);
        for message in &messages {
            if task.is_stopped() {
                return Ok(());
            }
            if !frozen.holds(message.progress.settled, message.content.created) {
                continue;
            }
            let one = Selection::One(message.content.id);
            let acted = outbox.act(one, action, by).await?;
            let mut progress = task.progress.locked();
            progress.changed += acted.changed.len() as u64;
            for (_, why) in acted.refused {
                *progress.refused.entry(refusal(why)).or_default() += 1;
            }
        }
    }
}

impl Frozen {
    /// Whether it was so before.
    fn holds(&self, settled: Option<Timestamp>, created: Timestamp) -> bool {
        settled.unwrap_or(created) <= self.at
    }
}

pub(super) fn refusal(why: crate::outbox::Refusal) -> &'static str {
    use crate::outbox::Refusal;
    match why {
        Refusal::KeyExpired => "the provider has forgotten its key",
        Refusal::NotDead => "it isn't dead any more",
        Refusal::NotReady => "it doesn't wait any more",
        Refusal::Done => "the provider has done it",
        Refusal::Replaced => "an edited message took its place",
        Refusal::Erased => "its request was erased",
        Refusal::Open => "it is still to be delivered",
        _ => "somebody else had it",
    }
}

/// How many messages are in memory at a time.
const PAGE: usize = 100;
/// How many tasks are remembered.
const KEPT: usize = 100;
