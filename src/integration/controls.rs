use std::sync::Arc;
use std::time::SystemTime;

use super::handle::Shared;
use crate::circuit_breaker::BreakerHandle;
use crate::control::{Control, ControlError, ControlState};
use crate::fault_injection::FaultInjectionHandle;
use crate::rt::{Clock, Lock};
use crate::terms::{BreakerState, SwitchMode};

/// Stops the integration, or a part of its work.
pub(super) struct KillSwitchControl(pub(super) Arc<Shared>);

/// Forces the circuit breaker open or closed.
pub(super) struct BreakerControl(pub(super) Arc<Shared>);

/// Stops fault injection.
pub(super) struct FaultInjectionControl(pub(super) Arc<Shared>);

/// Who last set a control that doesn't record this itself.
#[derive(Clone, Debug)]
pub(super) struct LastChange {
    to: Option<BreakerState>,
    /// How often the breaker had been forced with this change.
    manual_changes: u64,
    who: String,
    why: String,
    since: SystemTime,
}

impl Shared {
    pub(super) fn control_states(&self) -> Vec<ControlState> {
        let own = [self.kill_switch_state(), self.breaker_state(), self.fault_injection_state()];
        let copies = self.copies.all();
        own.into_iter().chain(copies.iter().map(|copy| copy.control_state())).collect()
    }

    fn kill_switch_state(&self) -> ControlState {
        let switch = self.live.slots().kill_switch.handle();
        let position = switch.position();
        let is_default = position.mode() == SwitchMode::On;
        let mut state = ControlState::new(KILL_SWITCH, position.mode().name(), is_default);
        state.who = position.who().map(ToOwned::to_owned);
        state.why = position.why().map(ToOwned::to_owned);
        state.since = Some(position.since());
        state.error = switch.trouble().map(|trouble| trouble.to_string());
        state.has_error = switch.is_troubled();
        state
    }

    fn breaker_state(&self) -> ControlState {
        let breaker = self.breaker();
        let forced = breaker.forced();
        let position = match forced {
            Some(BreakerState::Open) => "open",
            Some(_) => "closed",
            None => "automatic",
        };
        let mut state = ControlState::new(CIRCUIT_BREAKER, position, forced.is_none());
        // If a handle has forced it since then, name nobody.
        let is_it = |change: &LastChange| {
            change.to == forced && change.manual_changes == breaker.manual_changes()
        };
        if let Some(change) =
            self.last_change.locked().clone().filter(|change| forced.is_some() && is_it(change))
        {
            (state.who, state.why) = (Some(change.who), Some(change.why));
            state.since = Some(change.since);
        }
        state
    }

    fn fault_injection_state(&self) -> ControlState {
        let on = self.fault_injection().is_on();
        ControlState::new(FAULT_INJECTION, if on { "on" } else { "off" }, !on)
    }

    pub(super) fn breaker(&self) -> BreakerHandle {
        self.live.slots().circuit_breaker.handle()
    }

    fn fault_injection(&self) -> FaultInjectionHandle {
        self.live.slots().fault_injection.handle()
    }
}

impl Control for KillSwitchControl {
    fn name(&self) -> &'static str {
        KILL_SWITCH
    }

    fn positions(&self) -> &'static [&'static str] {
        &MODES
    }

    fn state(&self) -> ControlState {
        self.0.kill_switch_state()
    }

    fn set(&self, to: &str, who: &str, why: &str) -> Result<(), ControlError> {
        let mode = SwitchMode::ALL.into_iter().find(|mode| mode.name() == to);
        let mode = mode.ok_or_else(|| ControlError::no_position(to, &MODES))?;
        let switch = self.0.live.slots().kill_switch.handle();
        switch.set(mode, who, why);
        Ok(())
    }
}

impl Control for BreakerControl {
    fn name(&self) -> &'static str {
        CIRCUIT_BREAKER
    }

    fn positions(&self) -> &'static [&'static str] {
        &FORCES
    }

    fn state(&self) -> ControlState {
        self.0.breaker_state()
    }

    fn set(&self, to: &str, who: &str, why: &str) -> Result<(), ControlError> {
        let breaker = self.0.breaker();
        if !breaker.exists() {
            return Err(ControlError::Refused("the integration has no one breaker".into()));
        }
        let to = match to {
            "automatic" => None,
            "open" => Some(BreakerState::Open),
            "closed" => Some(BreakerState::Closed),
            _ => return Err(ControlError::no_position(to, &FORCES)),
        };
        let (who, why, since) = (who.to_owned(), why.to_owned(), Clock::system().wall());
        let manual_changes = breaker.manual_changes() + 1;
        *self.0.last_change.locked() = Some(LastChange { to, manual_changes, who, why, since });
        match to {
            None => breaker.release(),
            Some(BreakerState::Open) => breaker.force_open(),
            Some(_) => breaker.force_closed(),
        }
        Ok(())
    }
}

impl Control for FaultInjectionControl {
    fn name(&self) -> &'static str {
        FAULT_INJECTION
    }

    fn positions(&self) -> &'static [&'static str] {
        &ENDS
    }

    fn state(&self) -> ControlState {
        self.0.fault_injection_state()
    }

    fn set(&self, to: &str, _: &str, _: &str) -> Result<(), ControlError> {
        if to != ENDS[0] {
            return Err(ControlError::no_position(to, &ENDS));
        }
        self.0.fault_injection().stop();
        Ok(())
    }
}

/// The controls that each integration has.
pub(super) const NAMES: [&str; 3] = [KILL_SWITCH, CIRCUIT_BREAKER, FAULT_INJECTION];
const KILL_SWITCH: &str = "kill_switch";
const CIRCUIT_BREAKER: &str = "circuit_breaker";
const FAULT_INJECTION: &str = "fault_injection";
const MODES: [&str; 5] = {
    let [on, no_retries, cache_only, fallback_only, off] = SwitchMode::ALL;
    [on.name(), no_retries.name(), cache_only.name(), fallback_only.name(), off.name()]
};
const FORCES: [&str; 3] = ["automatic", "open", "closed"];
const ENDS: [&str; 1] = ["off"];
