use std::sync::Arc;

use super::layer::{RehearsalLayer, check_allowed};
use super::plan::Plan;
use crate::event::Event;
use crate::settings::{ConfigError, validate};

/// Begins and ends rehearsals, and says what they did.
///
/// Calls that hang in a fault when a rehearsal ends are not woken: limits further out cut them.
#[derive(Clone, Debug)]
pub struct RehearsalHandle(Arc<RehearsalLayer>);

impl RehearsalHandle {
    pub(super) fn new(layer: RehearsalLayer) -> Self {
        Self(Arc::new(layer))
    }

    /// Injects the faults of `plan` from now on, in place of another plan's if one is on.
    ///
    /// # Errors
    ///
    /// If the layer doesn't allow rehearsals, or the plan can't work.
    pub fn start(&self, plan: Plan) -> Result<(), ConfigError> {
        validate("rehearsal", |errors| {
            check_allowed(self.is_allowed(), errors);
            plan.check_into(errors);
        })?;
        // It may have been forbidden since.
        let started = self.0.switch.start(plan);
        validate("rehearsal", |errors| check_allowed(started, errors))?;
        self.0.tell(|| Event::RehearsalChanged { on: true });
        Ok(())
    }

    /// Injects nothing any more, but what requests ask for by header. Without a plan, nothing
    /// changes.
    pub fn stop(&self) {
        if self.0.switch.stop() {
            self.0.tell(|| Event::RehearsalChanged { on: false });
        }
    }

    /// The plan that is on; `None` while nothing is rehearsed.
    #[must_use]
    pub fn plan(&self) -> Option<Plan> {
        self.0.switch.plan().map(Arc::unwrap_or_clone)
    }

    /// Whether a plan is on. Requests may ask for faults by header though none is.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.switch.is_on()
    }

    /// Whether a plan can be switched on at all: the layer said
    /// [`allow`](super::RehearsalLayer::allow).
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.0.switch.is_allowed()
    }

    /// How many faults were injected so far, by plans and by request.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.0.switch.injected()
    }
}
