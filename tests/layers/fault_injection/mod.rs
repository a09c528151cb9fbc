//! Injected faults: by a plan, by a handle, by request.

mod combined;
mod faults;
mod header;
mod shares;
mod switch;

use outrigger::Ratio;
use outrigger::event::{Emitter, Event, InjectedFault};
use outrigger::fault_injection::{FaultInjection, FaultInjectionHandle, FaultInjectionLayer, Plan};
use outrigger::testing::{Answer, EventRecorder};
use tower::Layer;

use crate::provider::Provider;

/// A provider that answers 200, behind fault injection.
struct Injecting {
    provider: Provider,
    service: FaultInjection<Provider>,
    handle: FaultInjectionHandle,
    events: EventRecorder,
}

impl Injecting {
    fn by(layer: FaultInjectionLayer) -> Self {
        let events = EventRecorder::new();
        let layer = layer.emitter(Emitter::named("crm").with(events.clone()));
        let provider = Provider::new(Answer::status(200).body("the real one"));
        let (service, handle) = (layer.layer(provider.clone()), layer.handle());
        Self { provider, service, handle, events }
    }

    /// On from the start.
    fn plan(plan: Plan) -> Self {
        Self::by(FaultInjectionLayer::new().allow().plan(plan))
    }
}

fn told(faults: &[InjectedFault]) -> Vec<Event> {
    faults.iter().map(|fault| Event::FaultInjected { fault: *fault }).collect()
}

const ALL: Ratio = Ratio::ONE;
