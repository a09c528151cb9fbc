//! People stop an integration and start it again.

mod files;
mod refusals;
mod settings;
mod sources;
mod under_way;

use std::future::Future;

use outrigger::Error;
use outrigger::event::{Emitter, Event, SwitchMode};
use outrigger::kill_switch::{KillSwitch, KillSwitchHandle, KillSwitchLayer};
use outrigger::testing::{Answer, EventRecorder};
use tower::Layer;

use crate::call::{get, status};
use crate::provider::Provider;

/// A provider behind a switch.
struct Switched {
    provider: Provider,
    service: KillSwitch<Provider>,
    switch: KillSwitchHandle,
    events: EventRecorder,
}

impl Switched {
    fn new() -> Self {
        Self::by(KillSwitchLayer::new())
    }

    fn by(layer: KillSwitchLayer) -> Self {
        let events = EventRecorder::new();
        let layer = layer.emitter(Emitter::named("crm").with(events.clone()));
        let provider = Provider::new(Answer::status(200));
        let (service, switch) = (layer.layer(provider.clone()), layer.handle());
        Self { provider, service, switch, events }
    }

    fn call(&self) -> impl Future<Output = Result<u16, Error>> + Send + 'static {
        let service = self.service.clone();
        async move { status(&service, get()).await }
    }

    fn set(&self, mode: SwitchMode) {
        self.switch.set(mode, "ada", "invoices are wrong");
    }
}

/// Where the switch went, in order.
fn changes(events: &EventRecorder) -> Vec<(SwitchMode, SwitchMode)> {
    let change = |event| match event {
        Event::KillSwitchChanged { from, to } => Some((from, to)),
        _ => None,
    };
    events.events().into_iter().filter_map(change).collect()
}
