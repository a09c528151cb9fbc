//! Controls that are set, and set back when their time is over.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::acts::{Acts, ConsoleAct};
use super::inner::Inner;
use super::wanted::{Wanted, Wish};
use super::words::{self, Phrase, Text, phrase, text};
use crate::control::{AnyFleet, FleetSet, Registry};
use crate::rt::{self, Clock};
use crate::terms::Right;

/// A control of an integration, and where to put it.
pub(super) struct Set {
    pub(super) integration: String,
    pub(super) control: String,
    pub(super) to: String,
    /// Whether it is to be set back at its time.
    pub(super) auto: bool,
    /// Whether the page said that it is set for all instances.
    pub(super) of_all: bool,
}

/// Sets a control back to where it was, if it is still where an act put it and nobody has set it since.
struct SetBack {
    registry: Registry,
    wanted: Wanted,
    acts: Arc<Acts>,
    clock: Clock,
    set: Set,
    by: ConsoleAct,
    back: String,
}

impl Inner {
    /// Says where the control really is afterwards; with a fleet, who obeys.
    pub(super) async fn set(&self, set: Set, act: &ConsoleAct) -> Result<Phrase, Phrase> {
        match self.registry.fleet() {
            Some(fleet) => self.set_for_all(fleet, set, act).await,
            None if set.of_all => Err(NO_FLEET.into()),
            None => self.set_here(set, act),
        }
    }

    /// The fleet keeps the time until which it is wanted, and sets it back.
    async fn set_for_all(
        &self,
        fleet: Arc<dyn AnyFleet>,
        set: Set,
        act: &ConsoleAct,
    ) -> Result<Phrase, Phrase> {
        let Set { integration, control, to, auto, .. } = set;
        let (name, position) = (words::control_name(&control), to.clone());
        let wanted_for =
            act.until.map(|until| until.duration_since(self.clock.wall()).unwrap_or_default());
        let (who, why) = (act.who.clone(), act.why.clone());
        let set = FleetSet { integration, control, to, who, why, wanted_for, is_set_back: auto };
        let obeyed = fleet.set(set).await?;
        Ok(phrase!(
            "{control} is to be at {position} on all instances: {obeyed}",
            control = name,
            position = position,
            obeyed = words::obeyed(obeyed)
        ))
    }

    fn set_here(&self, set: Set, act: &ConsoleAct) -> Result<Phrase, Phrase> {
        let Set { integration, control, to, auto, .. } = &set;
        let before = set.position(&self.registry);
        let done = self.registry.set(integration, control, to, &act.who, &act.why);
        done.map_err(|error| Phrase::from(error.to_string()))?;
        let back = match before {
            // Who prolongs it wants what was before the first time.
            Some(before) if before == *to => self.wanted.last(integration, control).back,
            before => before,
        };
        let back = back.filter(|_| *auto);
        let wish = Wish { act: act.number, until: act.until, back: back.clone() };
        self.wanted.set(integration, control, wish);
        let is = set.position(&self.registry).map(Phrase::from);
        let said = phrase!(
            "{control} is at {position}",
            control = words::control_name(control),
            position = is.unwrap_or_else(|| phrase!("no position"))
        );
        if let (Some(back), Some(until)) = (back, act.until) {
            self.set_back(set, act, back, until);
        }
        Ok(said)
    }

    fn set_back(&self, set: Set, act: &ConsoleAct, back: String, until: SystemTime) {
        let wait = until.duration_since(self.clock.wall()).unwrap_or_default();
        let set_back = SetBack {
            registry: self.registry.clone(),
            wanted: self.wanted.clone(),
            acts: Arc::clone(&self.acts),
            clock: self.clock,
            set,
            by: act.clone(),
            back,
        };
        rt::spawn(set_back.run(rt::after(rt::now(), wait)));
    }
}

impl Set {
    /// Where the control is.
    fn position(&self, registry: &Registry) -> Option<String> {
        let controls = registry.controls(&self.integration);
        let known = controls.iter().find(|known| known.name() == self.control);
        known.map(|known| known.state().position)
    }
}

pub(super) const NO_FLEET: Text = text!(
    "the page said that it is for all instances, and this process has no fleet any more: look at the page again"
);

impl SetBack {
    async fn run(self, due: Instant) {
        rt::until(Some(due), std::future::pending::<()>()).await;
        let Set { integration, control, to, .. } = &self.set;
        let is_last = self.wanted.last(integration, control).act == self.by.number;
        if !is_last || self.set.position(&self.registry).as_ref() != Some(to) {
            return;
        }
        let what = phrase!(
            "{integration}: {control} back to {position}",
            integration = integration,
            control = control,
            position = &self.back
        );
        let why = phrase!("the time that {who} asked for is over", who = &self.by.who);
        let now = self.clock.wall();
        let mut act = ConsoleAct::begun(now, "the console", Right::Steer, what, why);
        act.on = Some(integration.clone());
        let act = self.acts.add(act);
        let Some(act) = act else { return };
        let set = self.registry.set(integration, control, &self.back, &act.who, &act.why);
        self.wanted.set(integration, control, Wish::default());
        let failed = |error: crate::control::ControlError| error.to_string().into();
        self.acts.end(act, set.map(|()| Phrase::default()).map_err(failed));
    }
}
