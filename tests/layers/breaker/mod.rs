//! The circuit breaker.

mod handle;
mod hold;
mod keys;
mod open_time;
mod outage;
mod probes;
mod queues;
mod results;
mod threads;
mod under_way;
mod window;

use outrigger::circuit_breaker::{BreakerHandle, CircuitBreaker, CircuitBreakerLayer};
use outrigger::event::{BreakerState, Emitter, Event};
use outrigger::testing::{Answer, EventRecorder};
use outrigger::{Error, Ratio};
use tower::Layer;

use crate::call::{get, status};
use crate::clock::{secs, wait};
use crate::provider::Provider;

/// A provider behind a breaker.
struct Guarded {
    provider: Provider,
    service: CircuitBreaker<Provider>,
    handle: BreakerHandle,
    events: EventRecorder,
}

impl Guarded {
    fn by(layer: CircuitBreakerLayer) -> Self {
        let events = EventRecorder::new();
        let layer = layer.emitter(Emitter::named("crm").with(events.clone()));
        let provider = Provider::new(Answer::status(200));
        let (service, handle) = (layer.layer(provider.clone()), layer.handle());
        Self { provider, service, handle, events }
    }

    async fn call(&self) -> Result<u16, Error> {
        status(&self.service, get()).await
    }

    /// So many calls in a row that get this answer, or are rejected.
    async fn calls(&self, number: usize, answer: Answer) {
        self.provider.set(answer);
        for _ in 0..number {
            let _ = self.call().await;
        }
    }

    async fn succeed(&self, calls: usize) {
        self.calls(calls, Answer::status(200)).await;
    }

    async fn fail(&self, calls: usize) {
        self.calls(calls, Answer::status(500)).await;
    }

    /// Opens by failures, and waits until probes are let through.
    async fn fail_and_wait(&self) {
        self.fail(100).await;
        assert_eq!(self.state(), BreakerState::Open);
        wait(self.call().await.unwrap_err().retry_after().unwrap()).await;
    }

    fn state(&self) -> BreakerState {
        self.handle.state()
    }

    fn changes(&self) -> Vec<(BreakerState, BreakerState)> {
        let change = |event| match event {
            Event::BreakerChanged { from, to } => Some((from, to)),
            _ => None,
        };
        self.events.events().into_iter().filter_map(change).collect()
    }
}

/// Opens on a failure rate alone, for five seconds and twice that with each round of probes, without
/// jitter.
fn by_rate(window: u32, percent: u32, minimum: u32) -> CircuitBreakerLayer {
    CircuitBreakerLayer::new()
        .window_of_calls(window)
        .failure_rate(Ratio::percent(percent), minimum)
        .without_consecutive()
        .open_for(secs(5), secs(60))
        .open_growth(2.0)
        .open_jitter(Ratio::ZERO)
        .retry_after_cap(secs(600))
        .probe_limit(secs(10))
}
