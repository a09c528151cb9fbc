//! Answers of one's own where the provider has none.

mod answers;
mod attempts;
mod later;
mod outcomes;
mod records;

use http::Response;
use outrigger::Body;
use outrigger::event::{Emitter, Event};
use outrigger::fallback::{Fallback, FallbackLayer};
use outrigger::testing::{Answer, EventRecorder};
use tower::Layer;

use crate::provider::Provider;

/// A provider that has something to fall back on.
struct Covered {
    provider: Provider,
    service: Fallback<Provider>,
    events: EventRecorder,
}

impl Covered {
    fn by(layer: FallbackLayer, answer: Answer) -> Self {
        let events = EventRecorder::new();
        let layer = layer.emitter(Emitter::named("crm").with(events.clone()));
        let provider = Provider::new(answer);
        Self { service: layer.layer(provider.clone()), provider, events }
    }

    /// Calls that were answered by the fallback, and those that were left as they were.
    fn told(&self) -> (usize, usize) {
        let fell = self.events.count(|event| matches!(event, Event::FellBack { .. }));
        let failed = self.events.count(|event| matches!(event, Event::FallbackFailed { .. }));
        assert_eq!(self.events.events().len(), fell + failed);
        (fell, failed)
    }
}

/// Yesterday's rates.
fn rates() -> FallbackLayer {
    FallbackLayer::value(made_up().map(|_| "yesterday's"))
}

fn made_up() -> Response<Body> {
    let response = Response::builder().status(203).header("x-rates", "old");
    response.body(Body::from("yesterday's")).expect("a response")
}
