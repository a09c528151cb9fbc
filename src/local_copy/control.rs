use std::sync::Arc;

use super::handle::Owned;
use super::shared::Shared;
use super::state::Accepted;
use crate::control::{AnyCopy, Control, ControlError, ControlState, LocalCopyHealth};
use crate::rt::Lock;

/// Loads now, or lets pass what the guard refused.
struct CopyControl<T>(Arc<Shared<T>>);

impl<T> Shared<T> {
    pub(super) fn accept(&self, who: &str, why: &str) -> bool {
        let now = self.now();
        let is_accepted = self.inner.locked().machine.accept(who, why, now);
        self.wake.notify_one();
        is_accepted
    }

    fn control_state(&self) -> ControlState {
        let now = self.now();
        let accepted = self.inner.locked().machine.accepted(now).cloned();
        let position = if accepted.is_some() { ACCEPT } else { AUTOMATIC };
        let mut state = ControlState::new(self.name, position, accepted.is_none());
        if let Some(Accepted { who, why, at, .. }) = accepted {
            (state.who, state.why, state.since) = (Some(who), Some(why), Some(at.wall));
        }
        state
    }
}

impl<T: Send + Sync + 'static> AnyCopy for Owned<T> {
    fn name(&self) -> &'static str {
        self.shared.name
    }

    fn health(&self) -> LocalCopyHealth {
        self.shared.health()
    }

    fn control_state(&self) -> ControlState {
        self.shared.control_state()
    }

    fn control(&self) -> Box<dyn Control> {
        Box::new(CopyControl(Arc::clone(&self.shared)))
    }
}

impl<T: Send + Sync> Control for CopyControl<T> {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn positions(&self) -> &'static [&'static str] {
        &POSITIONS
    }

    fn holds(&self, position: &str) -> bool {
        position == AUTOMATIC
    }

    fn state(&self) -> ControlState {
        self.0.control_state()
    }

    fn set(&self, to: &str, who: &str, why: &str) -> Result<(), ControlError> {
        match to {
            AUTOMATIC => self.0.inner.locked().machine.accept_no_more(),
            RELOAD => self.0.ask(),
            ACCEPT if !self.0.accept(who, why) => {
                let why = "the guard didn't refuse the last load: there is nothing to accept";
                return Err(ControlError::Refused(why.to_owned()));
            }
            ACCEPT => {}
            _ => return Err(ControlError::no_position(to, &POSITIONS)),
        }
        Ok(())
    }
}

const AUTOMATIC: &str = "automatic";
const RELOAD: &str = "reload";
const ACCEPT: &str = "accept";
const POSITIONS: [&str; 3] = [AUTOMATIC, RELOAD, ACCEPT];
