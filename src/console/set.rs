//! Controls that are set, and set back when their time is over.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::acts::{ActResult, Acts, ConsoleAct};
use super::inner::Inner;
use super::wanted::{Wanted, Wish};
use super::words;
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
    pub(super) async fn set(&self, set: Set, act: &ConsoleAct) -> Result<String, String> {
        match self.registry.fleet() {
            Some(fleet) => self.set_for_all(fleet, set, act).await,
            None if set.of_all => Err(NO_FLEET.to_owned()),
            None => self.set_here(set, act),
        }
    }

    /// The fleet keeps the time until which it is wanted, and sets it back.
    async fn set_for_all(
        &self,
        fleet: Arc<dyn AnyFleet>,
        set: Set,
        act: &ConsoleAct,
    ) -> Result<String, String> {
        let Set { integration, control, to, auto, .. } = set;
        let is = format!("{} is to be at {to} on all instances", words::control_name(&control));
        let wanted_for =
            act.until.map(|until| until.duration_since(self.clock.wall()).unwrap_or_default());
        let (who, why) = (act.who.clone(), act.why.clone());
        let set = FleetSet { integration, control, to, who, why, wanted_for, is_set_back: auto };
        let obeyed = fleet.set(set).await?;
        Ok(format!("{is}: {obeyed}"))
    }

    fn set_here(&self, set: Set, act: &ConsoleAct) -> Result<String, String> {
        let Set { integration, control, to, auto, .. } = &set;
        let before = set.position(&self.registry);
        let done = self.registry.set(integration, control, to, &act.who, &act.why);
        done.map_err(|error| error.to_string())?;
        let back = match before {
            // Who prolongs it wants what was before the first time.
            Some(before) if before == *to => self.wanted.last(integration, control).back,
            before => before,
        };
        let back = back.filter(|_| *auto && act.until.is_some());
        let wish = Wish { act: act.number, until: act.until, back: back.clone() };
        self.wanted.set(integration, control, wish);
        let is = set.position(&self.registry);
        let said = format!(
            "{} is at {}",
            words::control_name(control),
            is.as_deref().unwrap_or("no position")
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

const NO_FLEET: &str = "the page said that it is for all instances, and this process has no fleet any more: \
     look at the page again";

impl SetBack {
    async fn run(self, due: Instant) {
        rt::until(Some(due), std::future::pending::<()>()).await;
        let Set { integration, control, to, .. } = &self.set;
        let is_last = self.wanted.last(integration, control).act == self.by.number;
        if !is_last || self.set.position(&self.registry).as_ref() != Some(to) {
            return;
        }
        let act = self.acts.add(ConsoleAct {
            number: 0,
            at: self.clock.wall(),
            who: "the console".to_owned(),
            right: Right::Steer,
            what: words::cut(&format!("{integration}: {control} back to {}", self.back)),
            why: words::cut(&format!("the time that {} asked for is over", self.by.who)),
            until: None,
            result: ActResult::Begun,
        });
        let Some(act) = act else { return };
        let set = self.registry.set(integration, control, &self.back, &act.who, &act.why);
        self.wanted.set(integration, control, Wish::default());
        let failed = |error: crate::control::ControlError| ActResult::Failed(error.to_string());
        self.acts.end(act, set.map_or_else(failed, |()| ActResult::Done(String::new())));
    }
}
