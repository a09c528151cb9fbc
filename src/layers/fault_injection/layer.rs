use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::around::FaultInjectionPattern;
use super::handle::FaultInjectionHandle;
use super::header;
use super::injection::Injection;
use super::plan::Plan;
use super::state::Switch;
use crate::event::{Emitter, Event};
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Layered, Slot, Wiring};
use crate::rt::Rng;
use crate::settings::{ConfigError, Errors, validate};

/// Injects faults. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, shares its plan, and so do its
/// handles. Changing a setting afterwards detaches the layer. An integration that was built with it
/// shares the plan too; of several, all do if a handle was taken before, otherwise the first.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct FaultInjectionLayer {
    allowed: bool,
    plan: Option<Arc<Plan>>,
    header: Option<HeaderName>,
    rng: Rng,
    pub(super) emitter: Emitter,
    pub(super) switch: Arc<Switch>,
}

/// A service some of whose calls get a fault, made by a [`FaultInjectionLayer`]. The service that it
/// wraps must be `Clone`.
pub type FaultInjection<S> = Layered<FaultInjectionPattern, S>;

impl FaultInjectionLayer {
    /// No faults: nothing can inject any without [`allow`](Self::allow).
    pub fn new() -> Self {
        let (plan, header, switch) = (None, None, Arc::default());
        let (rng, emitter) = (Rng::system(), Emitter::new());
        Self { allowed: false, plan, header, rng, emitter, switch }
    }

    /// Lets a handle, a plan or a header inject faults. Without it,
    /// [`start`](FaultInjectionHandle::start) is an error, and so is a plan or a header in
    /// [`check`](Self::check).
    pub fn allow(mut self) -> Self {
        self.allowed = true;
        self.renewed()
    }

    /// The plan that is on from the start, until a handle stops it.
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = Some(Arc::new(plan));
        self.renewed()
    }

    /// Lets requests ask for a fault in this header, which is removed from them.
    pub fn header(mut self, header: HeaderName) -> Self {
        self.header = Some(header);
        self.renewed()
    }

    /// What draws the calls that get a fault; a seeded one makes tests repeatable.
    pub fn rng(mut self, rng: Rng) -> Self {
        self.rng = rng;
        self.renewed()
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self.renewed()
    }

    /// A handle that starts and stops fault injection, and counts the faults.
    #[must_use]
    pub fn handle(&self) -> FaultInjectionHandle {
        self.switch.ownership.share();
        FaultInjectionHandle::new(self.clone())
    }

    /// Checks all settings together. The error names each that can't work, and what to set instead.
    pub fn check(&self) -> Result<(), ConfigError> {
        validate("fault_injection", |errors| self.check_into(errors))
    }

    pub(crate) fn is_in_use(&self) -> bool {
        self.is_allowed() || self.header_set().is_some()
    }

    pub(crate) fn is_allowed(&self) -> bool {
        self.allowed
    }

    pub(crate) fn header_set(&self) -> Option<&HeaderName> {
        self.header.as_ref()
    }

    /// The same layer with other settings.
    pub(crate) fn set_to(
        mut self,
        allowed: bool,
        header: Option<HeaderName>,
        plan: Option<Plan>,
    ) -> Self {
        (self.allowed, self.header, self.plan) = (allowed, header, plan.map(Arc::new));
        self.renewed()
    }

    /// The plan that was set; the handle's is the one that is on.
    pub(crate) fn plan_set(&self) -> Option<&Plan> {
        self.plan.as_deref()
    }

    /// The plan that is on.
    pub(crate) fn plan_on(&self) -> Option<Arc<Plan>> {
        self.switch.plan()
    }

    /// Emits the event if another plan is on than before, or none any more.
    pub(crate) fn tell_since(&self, before: Option<Arc<Plan>>) {
        let now = self.switch.plan();
        if now != before {
            self.tell(|| Event::FaultInjectionChanged { on: now.is_some() });
        }
    }

    /// The faults for one call, by its header or by the plan. The header is removed.
    pub(super) fn injection(
        &self,
        headers: &mut HeaderMap,
    ) -> Result<Option<Injection>, &'static str> {
        if let Some(name) = &self.header
            && let Some(asked) = header::read(headers, name)
        {
            headers.remove(name);
            if self.switch.is_allowed() {
                return asked.map(Some);
            }
        }
        let drawn = self.switch.plan().map(|plan| plan.draw(&self.rng));
        Ok(drawn.filter(|injection| !injection.is_nothing()))
    }

    /// Emits the event of a change by a handle or by other settings.
    pub(super) fn tell(&self, event: impl Fn() -> Event) {
        self.switch.ownership.notify(&self.emitter, event);
    }

    fn renewed(mut self) -> Self {
        self.switch = Arc::new(Switch::new(self.allowed, self.plan.clone()));
        self
    }
}

impl Slot for FaultInjectionLayer {
    /// It has what it shares with its handles, unless that is another integration's.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopted = if self.switch.ownership.adopt() { self } else { self.renewed() };
        Self { emitter: wiring.emitter.clone(), ..adopted }
    }

    /// These settings, with the plan that is on. One that a handle started stays on unless
    /// another plan was set here, or none is allowed any more. It is left to
    /// [`tell_since`](Self::tell_since) to tell of it.
    fn inherit(mut self, running: &Self) -> Self {
        let other = (self.plan != running.plan).then(|| self.plan.clone());
        running.switch.permit(self.allowed, other);
        self.switch = Arc::clone(&running.switch);
        self
    }

    fn check_into(&self, errors: &mut Errors<'_>) {
        if let Some(plan) = &self.plan {
            check_allowed(self.allowed, errors);
            plan.check_into(errors);
        }
        if self.header.is_some() && !self.allowed {
            errors.add("header", FORBIDDEN);
        }
    }
}

impl Default for FaultInjectionLayer {
    fn default() -> Self {
        Self::new()
    }
}

pattern_layer!(FaultInjectionLayer => FaultInjectionPattern, AsIs, |settings| {
    settings.switch.ownership.subscribe(&settings.emitter);
    FaultInjectionPattern::new(settings.clone())
});

pub(super) fn check_allowed(allowed: bool, errors: &mut Errors<'_>) {
    if !allowed {
        errors.add("plan", FORBIDDEN);
    }
}

const FORBIDDEN: &str =
    "fault injection is not allowed here: allow it on the layer, or leave this unset";
