//! Copies of calls, which nobody waits for.

mod comparing;
mod copies;
mod harmless;
mod places;
mod requests;
mod shares;

use http::Request;
use outrigger::event::{Emitter, Event};
use outrigger::mirror::{Mirror, MirrorHandle, MirrorLayer};
use outrigger::outcome::Class;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Body, Ratio};
use tower::Layer;

use crate::call::get;
use crate::provider::Provider;

type Set = fn(MirrorLayer<Script>) -> MirrorLayer<Script>;

/// A provider whose calls are all copied to another.
struct Mirrored {
    provider: Provider,
    target: Script,
    service: Mirror<Provider, Script>,
    handle: MirrorHandle,
    events: EventRecorder,
}

impl Mirrored {
    fn to(answer: Answer, set: Set) -> Self {
        let events = EventRecorder::new();
        let target = Script::new([answer]);
        let layer = MirrorLayer::new(target.clone(), Ratio::ONE)
            .emitter(Emitter::named("crm").with(events.clone()));
        let layer = set(layer);
        let provider = Provider::new(Answer::status(200).body("the real one"));
        let (service, handle) = (layer.layer(provider.clone()), layer.handle());
        Self { provider, target, service, handle, events }
    }

    /// What every copy came to.
    fn told(&self) -> Vec<(Class, Option<bool>)> {
        let told = self.events.events().into_iter().filter_map(|event| match event {
            Event::Mirrored { class, agrees, .. } => Some((class, agrees)),
            _ => None,
        });
        told.collect()
    }

    fn skips_told(&self) -> usize {
        self.events.count(|event| *event == Event::MirrorSkipped)
    }
}

fn as_it_is(layer: MirrorLayer<Script>) -> MirrorLayer<Script> {
    layer
}

/// The same request, with something in its extensions.
fn bringing(fact: impl Clone + Send + Sync + 'static) -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(fact);
    request
}
