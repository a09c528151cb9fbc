//! What forms do: who may, what it says before, and what came of it.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::access::Scope;
use super::acts::{ActResult, ConsoleAct};
use super::asked::Asked;
use super::configure::{Rejected, Written};
use super::form::Form;
use super::inner::{Inner, NoPage};
use super::page::{Note, note};
use super::set::Set;
use super::task::{Frozen, Task, refusal};
use super::words::{Phrase, Text, cut, phrase, text};
use crate::outbox::{
    Acted, Action, By, Filter, Message, MessageId, Outbox, OutboxError, Selection, Timestamp,
};
use crate::rt::{self, callback};
use crate::terms::Right;
use crate::terms::outbox::State;

/// Where to go after an act, and what to say there.
pub(super) struct After {
    pub(super) to: String,
    /// The act's number.
    pub(super) act: u64,
    pub(super) note: Note,
    /// Whether the message is to be shown unredacted, on this page and no other.
    pub(super) reveals: Option<MessageId>,
    /// Settings that were not stored.
    pub(super) rejected: Option<Rejected>,
}

/// Why nothing was done.
pub(super) enum Refused {
    /// There is nothing to do it to, they have no right to it, or that can't be known.
    Page(NoPage),
    /// The form can't be right: it was changed, or is too old.
    Form(Phrase),
    /// They do too much at once.
    TooMany,
    /// Who records acts failed.
    Unrecorded,
    /// It began, and didn't come to its end.
    BrokeOff,
}

impl Inner {
    /// Does what a form asks for. Whatever comes of it is recorded, a refusal too. It goes on to its end if
    /// the browser leaves.
    pub(super) async fn act(self: Arc<Self>, form: Form) -> Result<After, Refused> {
        let asked = form.asked()?;
        let why = form.value("why").unwrap_or_default().trim().to_owned();
        // A reason of blanks that nobody sees is none.
        if !why.chars().any(char::is_alphanumeric) {
            return Err(Refused::Form(phrase!("say why: it is what the next person reads")));
        }
        // First of all, so that nobody can ask without end which messages there are.
        if !self.acts.may_act_again(&form.actor.name, form.now) {
            return Err(Refused::TooMany);
        }
        let (right, lane) = self.right_for(&asked).await.map_err(Refused::Page)?;
        let scope = match &asked {
            Asked::Set(set) => Scope::Integration(&set.integration),
            Asked::Configure(written) => Scope::Integration(&written.integration),
            _ => lane.as_deref().map_or(Scope::All, Scope::Lane),
        };
        let is_allowed = self.access.may(&form.actor, right, scope);
        let what = asked.said(self.registry.fleet().is_some());
        let mut act = ConsoleAct::begun(form.now, &form.actor.name, right, what, cut(&why).into());
        act.until = form.until()?;
        act.on = self.known(&asked, lane);
        if !is_allowed {
            act.result = ActResult::NotAllowed;
        }
        let (tell, told) = oneshot::channel();
        rt::spawn(async move {
            // Nobody hears it if the browser has left.
            let _ = tell.send(self.record_and_run(asked, act).await);
        });
        told.await.unwrap_or(Err(Refused::BrokeOff))
    }

    /// The integration or the lane, if this process has it: a form may name anything.
    fn known(&self, asked: &Asked, lane: Option<String>) -> Option<String> {
        let integration = match asked {
            Asked::Set(Set { integration, .. }) | Asked::Configure(Written { integration, .. }) => {
                integration
            }
            _ => {
                let lanes = self.outbox.as_ref()?.lane_names();
                return lane.filter(|lane| lanes.contains(lane));
            }
        };
        let is_here = !self.registry.controls(integration).is_empty();
        is_here.then(|| integration.clone())
    }

    async fn record_and_run(&self, asked: Asked, act: ConsoleAct) -> Result<After, Refused> {
        let is_allowed = act.result == ActResult::Begun;
        let act = self.acts.add(act);
        if !is_allowed {
            return Err(Refused::Page(NoPage::NotAllowed));
        }
        let act = act.ok_or(Refused::Unrecorded)?;
        match callback::run("console act", self.run(asked, &act)).await {
            Some((after, result)) => {
                if let Some(result) = result {
                    self.acts.end(act, result);
                }
                Ok(after)
            }
            None => {
                self.acts.end(act, Err(phrase!("it broke off")));
                Err(Refused::BrokeOff)
            }
        }
    }

    /// Which right it takes, and of which lane.
    async fn right_for(&self, asked: &Asked) -> Result<(Right, Option<String>), NoPage> {
        Ok(match asked {
            Asked::Set(_) => (Right::Steer, None),
            Asked::Configure(_) => (Right::Configure, None),
            Asked::Pause { lane } | Asked::Resume { lane } => (Right::Steer, Some(lane.clone())),
            Asked::Message { id, action } => (right_of(*action), Some(self.lane_of(*id).await?)),
            Asked::Edit { id, .. } => (Right::Replay, Some(self.lane_of(*id).await?)),
            Asked::Reveal { id } => (Right::Reveal, Some(self.lane_of(*id).await?)),
            Asked::All { view, action, .. } => (right_of(*action), Some(view.lane.clone())),
            Asked::Stop { task } => {
                let task = self.tasks.get(*task).ok_or(NoPage::NotFound)?;
                (right_of(task.action), Some(task.lane.clone()))
            }
        })
    }

    /// What came of it; no result yet if it goes on in a task.
    async fn run(&self, asked: Asked, act: &ConsoleAct) -> (After, Option<Result<Phrase, Phrase>>) {
        let (to, number) = (asked.address(act), act.number);
        let reveals = if let Asked::Reveal { id } = asked { Some(id) } else { None };
        let mut rejected = None;
        let after = |note, rejected| After { to, act: number, note, reveals, rejected };
        let result = match asked {
            Asked::Set(set) => self.set(set, act).await,
            Asked::Configure(written) => {
                self.configure(written, act).await.map_err(|why| rejected.insert(why).in_one())
            }
            Asked::All { view, action, at } => match self.outbox.clone() {
                Some(outbox) => {
                    let filter = Filter { state: Some(State::Dead), ..view.filter(at) };
                    let frozen = Frozen { filter, at };
                    let task = Task::new(act.clone(), action, view.lane);
                    self.tasks.begin(task, outbox, frozen, self.acts.clone());
                    let begun = phrase!("It has begun, and goes on if you leave this page.");
                    return (after(note(true, begun), None), None);
                }
                None => Err(NO_OUTBOX.into()),
            },
            Asked::Stop { task } => match self.tasks.get(task) {
                Some(task) => {
                    task.stop();
                    Ok(phrase!("it ends after the message that it is at"))
                }
                None => Err(phrase!("there is no such task in this process")),
            },
            on_outbox => match &self.outbox {
                Some(outbox) => on_message(outbox, on_outbox, act).await,
                None => Err(NO_OUTBOX.into()),
            },
        };
        let (is_good, text) = match &result {
            Ok(more) if more.is_empty() => (true, phrase!("Done.")),
            Ok(more) => (true, phrase!("Done: {more}.", more = more.clone())),
            Err(why) => (false, not_done(why.clone())),
        };
        (after(note(is_good, text), rejected), Some(result))
    }

    async fn lane_of(&self, id: MessageId) -> Result<String, NoPage> {
        let outbox = self.outbox.as_ref().ok_or(NoPage::NotFound)?;
        let message = outbox.store().find(id).await?.ok_or(NoPage::NotFound)?;
        Ok(message.content.lane)
    }
}

async fn on_message(outbox: &Outbox, asked: Asked, act: &ConsoleAct) -> Result<Phrase, Phrase> {
    let by = By { who: &act.who, why: &act.why };
    let failed = |error: OutboxError| Phrase::from(error.to_string());
    match asked {
        Asked::Pause { lane } => {
            let until = act.until.map_or(Timestamp::NEVER, Timestamp::from);
            outbox.pause(lane, until, by).await.map(|()| Phrase::default()).map_err(failed)
        }
        Asked::Resume { lane } => {
            outbox.resume(lane, by).await.map(|()| Phrase::default()).map_err(failed)
        }
        Asked::Message { id, action } => {
            let acted = outbox.act(Selection::One(id), action, by).await.map_err(failed)?;
            one(&acted)
        }
        Asked::Edit { id, body } => {
            let old = outbox.history(id).await.map_err(failed)?.ok_or(NO_MESSAGE)?;
            let content = old.message.content;
            if let Some(key) = content.sealed_by {
                let key = format!("{key:?}");
                return Err(phrase!(
                    "it is sealed by the key {key}, which doesn't open it here",
                    key = key
                ));
            }
            // Browsers send each end of a line as two signs.
            let body = match content.body.windows(2).any(|signs| signs == b"\r\n") {
                true => body,
                false => body.replace("\r\n", "\n"),
            };
            let mut edited = Message::new(content.method, content.uri).body(body);
            for (name, value) in &content.headers {
                edited = edited.header(name, value);
            }
            let new = outbox.edit(id, edited, by).await.map_err(failed)?;
            Ok(phrase!("the corrected message is {id}", id = new.to_string()))
        }
        Asked::Reveal { .. } => Ok(phrase!("it is shown below, once")),
        Asked::Set(_) | Asked::Configure(_) | Asked::All { .. } | Asked::Stop { .. } => {
            Err(phrase!("it is no act on a message"))
        }
    }
}

fn one(acted: &Acted) -> Result<Phrase, Phrase> {
    match acted.refused.first() {
        Some((_, why)) => Err(refusal(*why).into()),
        None if acted.changed.is_empty() => Err(NO_MESSAGE.into()),
        None => Ok(Phrase::default()),
    }
}

fn right_of(action: Action) -> Right {
    match action {
        Action::Replay(_) => Right::Replay,
        _ => Right::Discard,
    }
}

/// A sentence about it.
pub(super) fn not_done(why: Phrase) -> Phrase {
    phrase!("Not done: {why}.", why = why)
}

const NO_OUTBOX: Text = text!("the console has no outbox");
const NO_MESSAGE: Text = text!("there is no such message");
