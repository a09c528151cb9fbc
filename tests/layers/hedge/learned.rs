//! When the second request goes out is learned from what first ones took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body as HttpBody;
use outrigger::hedge::HedgeLayer;
use outrigger::{Body, Error, Ratio};
use tower::{Layer, Service, service_fn};

use crate::call::{get, status};
use crate::clock::{millis, secs, timed, wait};

/// A provider of which every twentieth answer takes a second, and all while it browns out.
#[derive(Clone, Default)]
struct Provider {
    begun: Arc<AtomicU64>,
    browns_out: Arc<AtomicU64>,
}

impl Provider {
    fn service<B: HttpBody>(
        &self,
    ) -> impl Service<Request<B>, Response = Response<Body>, Error = Error, Future: Send>
    + Clone
    + Send
    + 'static {
        let provider = self.clone();
        service_fn(move |_: Request<B>| {
            let number = provider.begun.fetch_add(1, Ordering::SeqCst);
            let slow = provider.browns_out.load(Ordering::SeqCst) > 0 || number % 20 == 7;
            async move {
                // No two take exactly as long.
                wait(millis(if slow { 1_000 } else { 18 + number % 5 })).await;
                Ok(Response::new(Body::empty()))
            }
        })
    }

    fn begun(&self) -> u64 {
        self.begun.load(Ordering::SeqCst)
    }
}

/// How long each of so many calls took, ten at a time.
async fn times(layer: &HedgeLayer, provider: &Provider, calls: usize) -> Vec<Duration> {
    let service = layer.layer(provider.service());
    let mut times = Vec::new();
    for _ in 0..calls / 10 {
        let ten = (0..10).map(|_| timed(status(&service, get())));
        for (took, code) in futures_util::future::join_all(ten).await {
            code.unwrap();
            times.push(took);
        }
    }
    times.sort();
    times
}

fn p95() -> HedgeLayer {
    HedgeLayer::quantile(Ratio::percent(95))
}

#[tokio::test(start_paused = true)]
async fn the_tail_is_many_times_shorter_for_a_few_requests_more() {
    let (with, without) = (Provider::default(), Provider::default());
    let hedged = times(&p95(), &with, 3_000).await;
    let alone = times(&HedgeLayer::disabled(), &without, 3_000).await;
    let p99 = |times: &[Duration]| times[times.len() * 99 / 100];
    assert_eq!((p99(&alone), without.begun()), (secs(1), 3_000));
    assert!(p99(&hedged) * 5 <= p99(&alone), "{:?} for {:?}", p99(&hedged), p99(&alone));
    let extra = with.begun() - 3_000;
    // A tenth of the calls.
    assert!((100..=300).contains(&extra), "{extra} more");
}

#[tokio::test(start_paused = true)]
async fn it_waits_a_little_longer_than_most_answers_take() {
    let (layer, provider) = (p95(), Provider::default());
    assert_eq!(layer.handle().delay(), None);
    times(&layer, &provider, 90).await;
    assert_eq!(layer.handle().delay(), None, "too little is known");
    times(&layer, &provider, 1_000).await;
    let delay = layer.handle().delay().expect("enough is known");
    assert!((millis(20)..millis(30)).contains(&delay), "{delay:?}");
    let patient = layer.clone().at_least(millis(200));
    assert_eq!(patient.handle().delay(), Some(millis(200)));
}

#[tokio::test(start_paused = true)]
async fn in_a_full_brownout_nothing_is_doubled_before_long() {
    let (layer, provider) = (p95(), Provider::default());
    times(&layer, &provider, 1_000).await;
    provider.browns_out.store(1, Ordering::SeqCst);
    // The two minutes in which it learns are within the budget.
    let before = provider.begun();
    times(&layer, &provider, 1_500).await;
    let extra = provider.begun() - before - 1_500;
    assert!(extra <= 20 + 150 + 3 * 16, "{extra} more: saved up, earned, and the floor");
    let before = provider.begun();
    times(&layer, &provider, 3_000).await;
    assert_eq!(provider.begun() - before, 3_000);
    assert!(layer.handle().delay().is_some_and(|delay| delay >= secs(1)));
    // And once it is over, it is learned again.
    provider.browns_out.store(0, Ordering::SeqCst);
    times(&layer, &provider, 20_000).await;
    assert!(layer.handle().delay().is_some_and(|delay| delay < millis(30)));
}

#[tokio::test(start_paused = true)]
async fn services_of_one_layer_learn_together() {
    let (layer, provider) = (p95(), Provider::default());
    for _ in 0..4 {
        times(&layer.clone(), &provider, 60).await;
    }
    assert!(layer.handle().delay().is_some());
}
