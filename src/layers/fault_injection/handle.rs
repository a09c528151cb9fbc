use std::sync::Arc;

use super::layer::{FaultInjectionLayer, check_allowed};
use super::plan::Plan;
use crate::event::Event;
use crate::settings::{ConfigError, validate};

/// Starts and stops fault injection, and counts the faults.
///
/// Calls that hang by a fault when it is stopped are not woken: limits further out end them.
#[derive(Clone, Debug)]
pub struct FaultInjectionHandle(Arc<FaultInjectionLayer>);

impl FaultInjectionHandle {
    pub(super) fn new(layer: FaultInjectionLayer) -> Self {
        Self(Arc::new(layer))
    }

    /// Injects the faults of `plan` from now on, in place of another plan's if one is on.
    ///
    /// # Errors
    ///
    /// If the layer doesn't allow fault injection, or the plan can't work.
    pub fn start(&self, plan: Plan) -> Result<(), ConfigError> {
        validate("fault_injection", |errors| {
            check_allowed(self.is_allowed(), errors);
            plan.check_into(errors);
        })?;
        // It may have been forbidden since.
        let started = self.0.switch.start(plan);
        validate("fault_injection", |errors| check_allowed(started, errors))?;
        self.0.tell(|| Event::FaultInjectionChanged { on: true });
        Ok(())
    }

    /// Stops the plan. Requests can still ask for faults by header. Without a plan, nothing changes.
    pub fn stop(&self) {
        if self.0.switch.stop() {
            self.0.tell(|| Event::FaultInjectionChanged { on: false });
        }
    }

    /// The plan that is on; `None` if there is none.
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
    /// [`allow`](super::FaultInjectionLayer::allow).
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
