use std::sync::Arc;
use std::time::SystemTime;

use super::handle::Shared;
use crate::circuit_breaker::BreakerHandle;
use crate::control::{Lever, LeverError, LeverState};
use crate::rehearsal::RehearsalHandle;
use crate::rt::Clock;
use crate::terms::{BreakerState, SwitchMode};

/// Stops the integration, or a part of what it does.
pub(super) struct KillSwitchLever(pub(super) Arc<Shared>);

/// Forces the circuit breaker open or closed.
pub(super) struct BreakerLever(pub(super) Arc<Shared>);

/// Ends a rehearsal.
pub(super) struct RehearsalLever(pub(super) Arc<Shared>);

/// Who last moved a lever that doesn't keep that itself.
#[derive(Clone, Debug)]
pub(super) struct Pull {
    to: Option<BreakerState>,
    /// How often the breaker had been forced with this pull.
    forcings: u64,
    who: String,
    why: String,
    since: SystemTime,
}

impl Shared {
    pub(super) fn lever_states(&self) -> Vec<LeverState> {
        vec![self.kill_switch_state(), self.breaker_state(), self.rehearsal_state()]
    }

    fn kill_switch_state(&self) -> LeverState {
        let switch = self.live.slots().kill_switch.handle();
        let position = switch.position();
        let is_usual = position.mode() == SwitchMode::On;
        let mut state = LeverState::new(KILL_SWITCH, position.mode().name(), is_usual);
        state.who = position.who().map(ToOwned::to_owned);
        state.why = position.why().map(ToOwned::to_owned);
        state.since = Some(position.since());
        state.trouble = switch.trouble().map(|trouble| trouble.to_string());
        state.is_troubled = switch.is_troubled();
        state
    }

    fn breaker_state(&self) -> LeverState {
        let breaker = self.breaker();
        let forced = breaker.forced();
        let position = match forced {
            Some(BreakerState::Open) => "open",
            Some(_) => "closed",
            None => "automatic",
        };
        let mut state = LeverState::new(CIRCUIT_BREAKER, position, forced.is_none());
        // Who forced it since, by a handle, isn't known: nobody else is named for it.
        let is_it = |pull: &Pull| pull.to == forced && pull.forcings == breaker.forcings();
        if let Some(pull) = self.pulled().clone().filter(|pull| forced.is_some() && is_it(pull)) {
            (state.who, state.why) = (Some(pull.who), Some(pull.why));
            state.since = Some(pull.since);
        }
        state
    }

    fn rehearsal_state(&self) -> LeverState {
        let on = self.rehearsal().is_on();
        LeverState::new(REHEARSAL, if on { "on" } else { "off" }, !on)
    }

    pub(super) fn breaker(&self) -> BreakerHandle {
        self.live.slots().circuit_breaker.handle()
    }

    fn rehearsal(&self) -> RehearsalHandle {
        self.live.slots().rehearsal.handle()
    }
}

impl Lever for KillSwitchLever {
    fn name(&self) -> &'static str {
        KILL_SWITCH
    }

    fn positions(&self) -> &'static [&'static str] {
        &MODES
    }

    fn state(&self) -> LeverState {
        self.0.kill_switch_state()
    }

    fn pull(&self, to: &str, who: &str, why: &str) -> Result<(), LeverError> {
        let mode = SwitchMode::ALL.into_iter().find(|mode| mode.name() == to);
        let mode = mode.ok_or_else(|| LeverError::no_position(to, &MODES))?;
        let switch = self.0.live.slots().kill_switch.handle();
        switch.set(mode, who, why);
        Ok(())
    }
}

impl Lever for BreakerLever {
    fn name(&self) -> &'static str {
        CIRCUIT_BREAKER
    }

    fn positions(&self) -> &'static [&'static str] {
        &FORCES
    }

    fn state(&self) -> LeverState {
        self.0.breaker_state()
    }

    fn pull(&self, to: &str, who: &str, why: &str) -> Result<(), LeverError> {
        let breaker = self.0.breaker();
        if !breaker.exists() {
            return Err(LeverError::Refused("the integration has no one breaker".into()));
        }
        let to = match to {
            "automatic" => None,
            "open" => Some(BreakerState::Open),
            "closed" => Some(BreakerState::Closed),
            _ => return Err(LeverError::no_position(to, &FORCES)),
        };
        let (who, why, since) = (who.to_owned(), why.to_owned(), Clock::system().wall());
        let forcings = breaker.forcings() + 1;
        *self.0.pulled() = Some(Pull { to, forcings, who, why, since });
        match to {
            None => breaker.release(),
            Some(BreakerState::Open) => breaker.force_open(),
            Some(_) => breaker.force_closed(),
        }
        Ok(())
    }
}

impl Lever for RehearsalLever {
    fn name(&self) -> &'static str {
        REHEARSAL
    }

    fn positions(&self) -> &'static [&'static str] {
        &ENDS
    }

    fn state(&self) -> LeverState {
        self.0.rehearsal_state()
    }

    fn pull(&self, to: &str, _: &str, _: &str) -> Result<(), LeverError> {
        if to != ENDS[0] {
            return Err(LeverError::no_position(to, &ENDS));
        }
        self.0.rehearsal().stop();
        Ok(())
    }
}

const KILL_SWITCH: &str = "kill_switch";
const CIRCUIT_BREAKER: &str = "circuit_breaker";
const REHEARSAL: &str = "rehearsal";
const MODES: [&str; 5] = [
    SwitchMode::On.name(),
    SwitchMode::NoRetries.name(),
    SwitchMode::CacheOnly.name(),
    SwitchMode::FallbackOnly.name(),
    SwitchMode::Off.name(),
];
const FORCES: [&str; 3] = ["automatic", "open", "closed"];
const ENDS: [&str; 1] = ["off"];
