//! What somebody asks for.

use super::acts::ConsoleAct;
use super::configure::Written;
use super::route::{LaneView, link};
use super::set::Set;
use super::words::{self, Phrase, cut, phrase};
use crate::outbox::{Action, ExpiredKey, MessageId, Timestamp};

/// What a form asks for.
pub(super) enum Asked {
    Set(Set),
    Pause { lane: String },
    Resume { lane: String },
    Message { id: MessageId, action: Action },
    Edit { id: MessageId, body: String },
    Reveal { id: MessageId },
    All { view: LaneView, action: Action, at: Timestamp },
    Stop { task: u64 },
    Configure(Written),
}

impl Asked {
    /// What it does, for the record.
    pub(super) fn said(&self, has_fleet: bool) -> Phrase {
        let forced = |action: &Action| match action {
            Action::Replay(ExpiredKey::Force) => phrase!(", forgotten keys too"),
            _ => Phrase::default(),
        };
        let on_lane = |lane: &str, act: &str| {
            phrase!("lane {lane}: {act}", lane = cut(lane), act = words::action(act))
        };
        let on_message = |id: &MessageId, act: &str| {
            phrase!("message {id}: {act}", id = id.to_string(), act = words::action(act))
        };
        match self {
            Self::Set(Set { integration, control, to, auto, .. }) => {
                let set = phrase!(
                    "{integration}: {control} to {position}",
                    integration = cut(integration),
                    control = cut(control),
                    position = cut(to)
                );
                let all = has_fleet.then(|| phrase!(" on all instances"));
                let auto = auto.then(|| phrase!(", for a time"));
                Phrase::list([set, all.into(), auto.into()], "")
            }
            Self::Pause { lane } => on_lane(lane, "pause"),
            Self::Resume { lane } => on_lane(lane, "resume"),
            Self::Message { id, action } => {
                Phrase::list([on_message(id, action.name()), forced(action)], "")
            }
            Self::Edit { id, .. } => on_message(id, "edit"),
            Self::Reveal { id } => on_message(id, "reveal"),
            Self::All { view, action, .. } => {
                let all = phrase!(
                    "lane {lane}: {act} all dead",
                    lane = cut(&view.lane),
                    act = words::action(action.name())
                );
                Phrase::list([all, only(view), forced(action)], "")
            }
            Self::Stop { task } => phrase!("stop {task}", task = *task),
            Self::Configure(written) => written.said(),
        }
    }

    /// Where its effect is seen.
    pub(super) fn address(&self, act: &ConsoleAct) -> String {
        match self {
            Self::Set(Set { integration, .. }) => link(&[("integration", integration)]),
            Self::Configure(Written { integration, .. }) => link(&[("settings", integration)]),
            Self::Pause { lane } | Self::Resume { lane } => link(&[("lane", lane)]),
            Self::Message { id, .. } | Self::Edit { id, .. } | Self::Reveal { id } => {
                link(&[("message", &id.to_string())])
            }
            Self::All { .. } => link(&[("task", &act.number.to_string())]),
            Self::Stop { task } => link(&[("task", &task.to_string())]),
        }
    }
}

/// What is asked of the dead ones of a lane, in the words of the form's fields: ` (reason expired, status 503)`.
fn only(view: &LaneView) -> Phrase {
    let fields = view.fields().into_iter().filter(|(name, _)| !["lane", "state"].contains(name));
    let asked: Vec<_> = fields.map(|(name, value)| format!("{name} {value}")).collect();
    match asked.is_empty() {
        true => Phrase::default(),
        false => cut(&format!(" ({})", asked.join(", "))).into(),
    }
}
