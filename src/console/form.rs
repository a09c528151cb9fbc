//! What a form asks for.

use std::time::SystemTime;

use super::access::Actor;
use super::act::Refused;
use super::asked::Asked;
use super::configure::Written;
use super::route::{LaneView, value};
use super::set::Set;
use super::until::until;
use super::words::{Phrase, phrase};
use crate::outbox::{Action, ExpiredKey, MessageId, Timestamp};

/// A form that was sent, and whose token is right.
pub(super) struct Form {
    pub(super) pairs: Vec<(String, String)>,
    pub(super) actor: Actor,
    pub(super) now: SystemTime,
}

impl Form {
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        value(&self.pairs, name)
    }

    fn needs(&self, name: &str) -> Result<String, Refused> {
        let missing = || refused(phrase!("the field {field} is missing", field = quoted(name)));
        self.value(name).map(str::to_owned).ok_or_else(missing)
    }

    fn needs_id(&self, name: &str) -> Result<MessageId, Refused> {
        let no_id =
            |_| refused(phrase!("the field {field} is no message id", field = quoted(name)));
        self.needs(name)?.parse().map_err(no_id)
    }

    fn is_ticked(&self, name: &str) -> Result<bool, Refused> {
        match self.value(name) {
            None => Ok(false),
            Some("yes") => Ok(true),
            // What a robot meant as "no" must not be a "yes".
            Some(_) => Err(refused(phrase!(
                "the field {field} is \"yes\" or isn't there",
                field = quoted(name)
            ))),
        }
    }

    /// When it should end, if they said so.
    pub(super) fn until(&self) -> Result<Option<SystemTime>, Refused> {
        until(&self.pairs, self.now).map_err(Refused::Form)
    }

    fn is_set_back(&self) -> Result<bool, Refused> {
        let is_ticked = self.is_ticked("auto")?;
        if is_ticked && self.until()?.is_none() {
            return Err(refused(phrase!("say until when: then it is set back by itself")));
        }
        Ok(is_ticked)
    }

    pub(super) fn asked(&self) -> Result<Asked, Refused> {
        let is_forced = self.is_ticked("force")?;
        let key = || if is_forced { ExpiredKey::Force } else { ExpiredKey::Refuse };
        let one = |action| Ok(Asked::Message { id: self.needs_id("message")?, action });
        let all = |action| {
            let no_time =
                |_| refused(phrase!("the field {field} is no time", field = quoted("at")));
            let at = Timestamp(self.needs("at")?.parse().map_err(no_time)?);
            let view = LaneView::checked(&self.pairs).map_err(Refused::Form)?;
            Ok(Asked::All { view, action, at })
        };
        match self.needs("act")?.as_str() {
            "set" => Ok(Asked::Set(Set {
                integration: self.needs("integration")?,
                control: self.needs("control")?,
                to: self.needs("to")?,
                auto: self.is_set_back()?,
                of_all: self.is_ticked("of_all")?,
            })),
            "pause" => Ok(Asked::Pause { lane: self.needs("lane")? }),
            "resume" => Ok(Asked::Resume { lane: self.needs("lane")? }),
            "replay" => one(Action::Replay(key())),
            "cancel" => one(Action::Cancel),
            "discard" => one(Action::Discard),
            "erase" => one(Action::Erase),
            "edit" => Ok(Asked::Edit { id: self.needs_id("message")?, body: self.needs("body")? }),
            "reveal" => Ok(Asked::Reveal { id: self.needs_id("message")? }),
            "replay_all" => all(Action::Replay(key())),
            "discard_all" => {
                let (typed, expected) = (self.needs("count")?, self.needs("expected")?);
                if typed.trim() != expected {
                    return Err(refused(phrase!(
                        "write {number} to give so many up, not {typed}",
                        number = expected,
                        typed = quoted(&typed)
                    )));
                }
                all(Action::Discard)
            }
            "configure" => {
                let no_number =
                    |_| refused(phrase!("the field {field} is no number", field = quoted("seen")));
                let seen = self.value("seen").map(str::parse).transpose().map_err(no_number)?;
                let (integration, text) = (self.needs("integration")?, self.needs("settings")?);
                Ok(Asked::Configure(Written { integration, text, seen }))
            }
            "stop" => {
                let no_task =
                    |_| refused(phrase!("the field {field} is no number", field = quoted("task")));
                Ok(Asked::Stop { task: self.needs("task")?.parse().map_err(no_task)? })
            }
            other => Err(refused(phrase!("there is no act {act}", act = quoted(other)))),
        }
    }
}

fn refused(why: Phrase) -> Refused {
    Refused::Form(why)
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// What a form is for, in the token's words.
pub(super) fn name(pairs: &[(String, String)]) -> &str {
    value(pairs, "act").unwrap_or_default()
}
