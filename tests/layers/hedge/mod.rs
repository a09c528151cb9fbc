//! A second request beside one that is slow.

mod bodies;
mod budget;
mod counts;
mod earlier;
mod learned;
mod neighbours;
mod which;
mod winners;

use outrigger::event::{Emitter, Event};
use outrigger::hedge::{Hedge, HedgeHandle, HedgeLayer};
use outrigger::retry::RetryBudget;
use outrigger::testing::{Answer, EventRecorder, Script};
use tower::Layer;

use crate::clock::millis;

/// A provider whose slow calls are doubled.
struct Hedged {
    provider: Script,
    service: Hedge<Script>,
    hedge: HedgeHandle,
    events: EventRecorder,
}

impl Hedged {
    fn by(layer: HedgeLayer, answers: impl IntoIterator<Item = Answer>) -> Self {
        let (layer, events) = heard(layer);
        let provider = Script::new(answers);
        let (service, hedge) = (layer.layer(provider.clone()), layer.handle());
        Self { provider, service, hedge, events }
    }

    /// After 50 ms, whatever the budget.
    fn fixed(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::by(fixed(), answers)
    }
}

fn fixed() -> HedgeLayer {
    HedgeLayer::after(millis(50)).budget(RetryBudget::unlimited())
}

/// The same layer, and what it tells.
fn heard(layer: HedgeLayer) -> (HedgeLayer, EventRecorder) {
    let events = EventRecorder::new();
    (layer.emitter(Emitter::named("crm").with(events.clone())), events)
}

fn sent() -> Event {
    Event::HedgeSent { after: millis(50) }
}

/// An answer that takes so many milliseconds.
fn after(code: u16, taken: u64) -> Answer {
    Answer::status(code).after(millis(taken)).body("an answer")
}
