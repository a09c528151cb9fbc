use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use super::around::KillSwitchPattern;
use super::handle::KillSwitchHandle;
use super::setting::SwitchSetting;
use super::state::Switch;
use crate::context::{Context, KeyFact, Stop, Stopped};
use crate::event::{Emitter, Event};
use crate::outcome::Error;
use crate::pattern::{AsIs, pattern_layer};
use crate::pattern::{Attempt, Layered, Slot, Wire, Wiring};
use crate::replay::{KEY_HEADER, own_key};
use crate::rt::Clock;
use crate::terms::SwitchMode;

/// Lets people stop all calls. See the [module](super).
///
/// Every service that is made from one layer, or from its clones, has the same switch. So has an
/// integration that was built with it; of several, all have it if a handle was taken before, otherwise
/// the first.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct KillSwitchLayer {
    pub(super) switch: Arc<Switch>,
    initially: SwitchSetting,
    key_header: HeaderName,
    pub(super) emitter: Emitter,
    pub(super) clock: Clock,
}

/// A service that people can stop, made by a [`KillSwitchLayer`]. The service that it wraps must be
/// `Clone`. While calls are stopped, it is ready at once, and doesn't ask the service that it
/// wraps.
pub type KillSwitch<S> = Layered<KillSwitchPattern, S>;

impl KillSwitchLayer {
    /// A switch that is on, until a handle or a source moves it.
    pub fn new() -> Self {
        let (initially, clock) = (SwitchSetting::default(), Clock::system());
        let switch = Arc::new(Switch::new(initially.clone(), clock.wall()));
        Self { switch, initially, key_header: KEY_HEADER, emitter: Emitter::new(), clock }
    }

    /// The switch's first setting. Detaches the layer from its switch.
    pub fn initially(mut self, setting: SwitchSetting) -> Self {
        self.initially = setting;
        self.renewed()
    }

    /// The header in which callers bring keys of their own: `Idempotency-Key`, or that of an
    /// integration's profile. Events about a refused call name this key.
    pub fn key_header(mut self, header: HeaderName) -> Self {
        self.key_header = header;
        self
    }

    /// Where events go, and the integration's name for a call that begins here; nobody listens by
    /// default.
    pub fn emitter(mut self, emitter: Emitter) -> Self {
        self.emitter = emitter;
        self
    }

    /// The clock for the time of a setting; the system's by default. Detaches the layer from its
    /// switch.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self.renewed()
    }

    /// A handle that reads and moves the switch.
    #[must_use]
    pub fn handle(&self) -> KillSwitchHandle {
        self.switch.ownership.share();
        KillSwitchHandle::new(self.clone())
    }

    /// The error, if this call may not be sent. It reads the call's key, because the layers further in
    /// that do so are not reached.
    pub(super) fn refusal_of<W: Wire>(&self, attempt: &Attempt<W>) -> Option<Error> {
        if self.switch.mode().lets_calls_through() {
            return None;
        }
        let of = attempt.context();
        let stopped = self.refuse(&of, || {
            let own = attempt.request(|request| own_key(request, &self.key_header));
            if let Some(value) = own.flatten() {
                let (from_caller, honoured, lifetime) = (true, true, Duration::ZERO);
                let fact = || KeyFact { value, from_caller, honoured, lifetime };
                of.call().key.get_or_init(fact);
            }
        });
        stopped.map(|by| Error::stopped(by, &of))
    }

    fn refuse(&self, of: &Context, first: impl FnOnce()) -> Option<Stopped> {
        let (mode, stopped) = self.switch.refusal()?;
        first();
        // For a hedged request, the first request reports the refusal.
        if !of.state().is_second() {
            self.switch.count_rejected();
            self.emitter.emit(Some(of), || Event::KillSwitchRejected { mode });
        }
        Some(stopped)
    }

    /// Emits the event of a change by a handle.
    pub(super) fn tell(&self, event: impl Fn() -> Event) {
        self.switch.ownership.notify(&self.emitter, event);
    }

    /// The same layer, with a switch of its own.
    fn renewed(mut self) -> Self {
        self.switch = Arc::new(Switch::new(self.initially.clone(), self.clock.wall()));
        self
    }
}

impl Slot for KillSwitchLayer {
    /// It keeps the switch that it shares with its handles, unless another integration has it.
    fn adopt(self, wiring: &Wiring) -> Self {
        let adopted = if self.switch.ownership.adopt() { self } else { self.renewed() };
        Self { emitter: wiring.emitter.clone(), ..adopted }
    }

    fn inherit(self, running: &Self) -> Self {
        Self { key_header: self.key_header, ..running.clone() }
    }
}

impl Stop for KillSwitchLayer {
    fn moved(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.switch.moved.notified())
    }

    fn mode(&self) -> SwitchMode {
        self.switch.mode()
    }

    fn refusal(&self, of: &Context) -> Option<Stopped> {
        self.refuse(of, || {})
    }
}

impl Default for KillSwitchLayer {
    fn default() -> Self {
        Self::new()
    }
}

pattern_layer!(KillSwitchLayer => KillSwitchPattern, AsIs, |settings| {
    settings.switch.ownership.subscribe(&settings.emitter);
    KillSwitchPattern::new(settings)
});
