//! Takes over what the fleet says, and sees what was set otherwise on the spot since.

use std::sync::{Arc, Weak};

use super::inner::Inner;
use super::state::{CameTo, Done, ToDo};
use super::words::{Says, Word};
use crate::control::{Control, ControlError, Controllable, FleetTrouble};
use crate::event::Event;
use crate::rt::{Lock, callback};
use crate::settings::ConfigError;
use crate::terms::fleet::FleetEvent;

type Target = Arc<dyn Controllable>;

impl Inner {
    /// All integrations obey what is known.
    pub(super) fn obey_all(&self) {
        self.state.locked().retain(|known| known.strong_count() > 0);
        self.registry.all().into_iter().for_each(|target| self.obey_one(&target));
    }

    /// Takes over what this integration hasn't yet. Holds no lock meanwhile: subscribers are told.
    pub(super) fn obey_one(&self, target: &Target) {
        let weak = Arc::downgrade(target);
        let same = |known: &Weak<dyn Controllable>| known.ptr_eq(&weak);
        let mut is_first = true;
        loop {
            // A statement of its own, so that the lock ends with it.
            let to_do = self.state.locked().begin(&weak, target.name(), is_first, same);
            let Some(to_do) = to_do else { return };
            is_first = false;
            let obey = |ToDo { word, is_late }: ToDo| {
                let came_to = callback::call("control", || obey(target, &word, is_late));
                let came_to = came_to.unwrap_or_else(|| CameTo::Refused("it panicked".to_owned()));
                Done { word, came_to }
            };
            let done = to_do.into_iter().map(obey).collect();
            let is_trouble = self.state.locked().end(done, same);
            if is_trouble {
                let emitter = self.emitter.renamed(target.name());
                emitter.emit(None, || Event::Fleet(FleetEvent::Disobeyed));
            }
        }
    }

    /// What this instance doesn't obey, of these integrations.
    pub(super) fn troubles(&self, is_asked: impl Fn(&str) -> bool) -> Vec<FleetTrouble> {
        let all = self.state.locked().done();
        let there = all.into_iter().filter_map(|(it, done)| Some((it.upgrade()?, done)));
        let asked = there.filter(|(target, _)| is_asked(target.name()));
        asked
            .flat_map(|(target, done)| {
                done.into_iter().flat_map(move |done| now_troubles(&target, &done))
            })
            .collect()
    }
}

fn obey(target: &Target, word: &Word, is_late: bool) -> CameTo {
    match &word.says {
        Says::Control { name, position } => set(target, name, position, word, is_late),
        Says::Unreadable => {
            CameTo::Refused("the settings can't be read: they are no JSON".to_owned())
        }
        Says::Settings(table) => match Arc::clone(target).apply_table(table) {
            Ok(left_out) => CameTo::Settings {
                are: Arc::clone(target).present_table(),
                left_out: left_out
                    .iter()
                    .map(|error| (error.field().to_owned(), error.problem().to_owned()))
                    .collect(),
            },
            Err(error) => CameTo::Refused(in_one(&error)),
        },
    }
}

fn set(target: &Target, name: &str, position: &str, word: &Word, is_late: bool) -> CameTo {
    let Some(control) = control(target, name) else {
        return CameTo::Missing;
    };
    let is_once = !control.holds(position) && control.positions().contains(&position);
    if is_once && is_late {
        return CameTo::DoneOnce;
    }
    match control.set(position, &word.who, &word.why) {
        // Of what is done once, there may be nothing to do here: nothing to accept.
        Ok(()) | Err(ControlError::Refused(_)) if is_once => CameTo::DoneOnce,
        Ok(()) => CameTo::Position(position.to_owned()),
        Err(error) => CameTo::Refused(error.to_string()),
    }
}

fn control(target: &Target, name: &str) -> Option<Box<dyn Control>> {
    Arc::clone(target).controls().into_iter().find(|control| control.name() == name)
}

/// What could not be obeyed, and what somebody has set otherwise since.
fn now_troubles(target: &Target, done: &Done) -> Vec<FleetTrouble> {
    let mut troubles = done.troubles();
    match &done.came_to {
        CameTo::Position(position) => {
            let state = control(target, done.word.of()).map(|control| control.state());
            if let Some(state) = state.filter(|state| state.position != *position) {
                let by = state.who.map(|who| format!(" by {who}")).unwrap_or_default();
                let is = state.position;
                let why = format!("set to {is:?} on the spot{by}; the fleet says {position:?}");
                troubles.push(done.trouble(state.name, why));
            }
        }
        CameTo::Settings { are, .. } if *are != Arc::clone(target).present_table() => {
            let why = "changed on the spot since the fleet's were applied";
            troubles.push(done.trouble(done.word.of(), why));
        }
        CameTo::Settings { .. } | CameTo::DoneOnce | CameTo::Missing | CameTo::Refused(_) => {}
    }
    troubles
}

/// All mistakes in one line.
fn in_one(error: &ConfigError) -> String {
    let one = |error: &crate::settings::ValidationError| {
        format!("{}: {}", error.field(), error.problem())
    };
    error.errors().iter().map(one).collect::<Vec<_>>().join("; ")
}
