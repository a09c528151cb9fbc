//! Bounded concurrency and a bounded queue.

mod adaptive;
mod bodies;
mod places;
mod queue;
mod rejections;
mod shared;

use std::future::Future;

use http::Request;
use outrigger::bulkhead::{Bulkhead, BulkheadHandle, BulkheadLayer};
use outrigger::event::Emitter;
use outrigger::testing::{Answer, EventRecorder};
use outrigger::{Body, Error};
use tokio::task::JoinHandle;
use tower::Layer;

use crate::call::{get, status};
use crate::clock::begin;
use crate::provider::Provider;

/// A provider behind a bulkhead.
struct Guarded {
    provider: Provider,
    service: Bulkhead<Provider>,
    places: BulkheadHandle,
    events: EventRecorder,
}

impl Guarded {
    fn by(layer: BulkheadLayer) -> Self {
        let events = EventRecorder::new();
        let layer = layer.emitter(Emitter::named("crm").with(events.clone()));
        let provider = Provider::new(Answer::hang());
        let (service, places) = (layer.layer(provider.clone()), layer.handle());
        Self { provider, service, places, events }
    }

    fn call(&self) -> impl Future<Output = Result<u16, Error>> + Send + 'static {
        calling(&self.service, get())
    }

    /// So many calls that are under way, or in the queue, and stay there.
    async fn hold(&self, calls: usize) -> Vec<JoinHandle<Result<u16, Error>>> {
        self.provider.set(Answer::hang());
        let mut held = Vec::new();
        for _ in 0..calls {
            held.push(begin(self.call()).await);
        }
        held
    }

    /// How many calls are under way, and how many wait.
    fn figures(&self) -> (u32, u32) {
        (self.places.in_use(), self.places.waiting())
    }
}

/// A call that can be begun in a task of its own.
fn calling(
    service: &Bulkhead<Provider>,
    request: Request<Body>,
) -> impl Future<Output = Result<u16, Error>> + Send + 'static {
    let service = service.clone();
    async move { status(&service, request).await }
}
