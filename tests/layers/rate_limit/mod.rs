//! A provider's rate: kept, learned, and shared by all callers.

mod in_flight;
mod keyed;
mod learning;
mod pauses;
mod provider;
mod queue;
mod resources;
mod spacing;
mod told;
mod vendors;
mod windows;

use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use outrigger::event::{Emitter, Event};
use outrigger::rate_limit::{RateLimit, RateLimitHandle, RateLimitLayer};
use outrigger::testing::{Answer, EventRecorder};
use outrigger::{Body, Error};
use tokio::task::JoinHandle;
use tower::{Layer, Service};

use crate::call::status;
use crate::clock::{begin, now};
use crate::provider::Provider;

/// A provider that notes when each request came, and its number.
#[derive(Clone)]
struct Clocked {
    provider: Provider,
    began: Instant,
    seen: Arc<Mutex<Vec<(u64, u32)>>>,
}

/// A provider behind a limit.
struct Limited {
    provider: Clocked,
    layer: RateLimitLayer,
    service: RateLimit<Clocked>,
    limit: RateLimitHandle,
    events: EventRecorder,
}

/// A request's number.
#[derive(Clone, Copy)]
struct Number(u32);

impl Limited {
    fn by(layer: RateLimitLayer) -> Self {
        let events = EventRecorder::new();
        let layer = layer.emitter(Emitter::named("crm").with(events.clone()));
        let provider = Provider::new(Answer::status(200));
        let provider = Clocked { provider, began: now(), seen: Arc::default() };
        let (service, limit) = (layer.layer(provider.clone()), layer.handle());
        Self { provider, layer, service, limit, events }
    }

    fn set(&self, answer: Answer) {
        self.provider.provider.set(answer);
    }

    fn call(&self, number: u32) -> impl Future<Output = Result<u16, Error>> + Send + 'static {
        calling(self.service.clone(), number)
    }

    /// Calls with these numbers, each begun after the one before it.
    async fn begin(&self, numbers: std::ops::Range<u32>) -> Vec<JoinHandle<Result<u16, Error>>> {
        let mut begun = Vec::new();
        for number in numbers {
            begun.push(begin(self.call(number)).await);
        }
        begun
    }

    /// The milliseconds at which so many calls arrive that are made at once.
    async fn times(&self, calls: u32) -> Vec<u64> {
        let before = self.seen().len();
        for call in self.begin(0..calls).await {
            call.await.unwrap().unwrap();
        }
        self.seen().split_off(before).into_iter().map(|(at, _)| at).collect()
    }

    /// When each request came, in milliseconds, and its number.
    fn seen(&self) -> Vec<(u64, u32)> {
        self.provider.seen.lock().unwrap().clone()
    }

    /// How long everybody was stopped for, each time.
    fn pauses(&self) -> Vec<Duration> {
        let pause = |event| match event {
            Event::RateLimitPaused { pause } => Some(pause),
            _ => None,
        };
        self.events.events().into_iter().filter_map(pause).collect()
    }
}

async fn calling(service: RateLimit<Clocked>, number: u32) -> Result<u16, Error> {
    let mut request = crate::call::get();
    request.extensions_mut().insert(Number(number));
    status(&service, request).await
}

impl Service<Request<Body>> for Clocked {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = <Provider as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let number = request.extensions().get::<Number>().map_or(0, |number| number.0);
        let at = (now() - self.began).as_millis() as u64;
        self.seen.lock().unwrap().push((at, number));
        self.provider.call(request)
    }
}
