//! Thousands of calls whose answers and ends are drawn: all that they held is back afterwards.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::Full;
use outrigger::backoff::Backoff;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::hedge::HedgeLayer;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::retry::{RetryBudget, RetryLayer};
use outrigger::timeout::TimeoutLayer;
use outrigger::{BoxError, pattern};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::provider::{Inside, Looks, Provider, Scene};

fn draw(rng: &mut impl Rng) -> Scene {
    let status = match rng.random_range(0..10) {
        0 => None,
        1 | 2 => Some(503),
        3 => Some(429),
        4 => Some(404),
        _ => Some(200),
    };
    let parts = (0..rng.random_range(0..4)).map(|_| rng.random_range(0..3) * 7).collect();
    let head = rng.random_range(0..4) * 15;
    Scene { head, status, parts, breaks: rng.random_range(0..8) == 0 }
}

fn request() -> Request<Full<Bytes>> {
    Request::put("http://crm.test/").body(Full::new(Bytes::from_static(b"order"))).unwrap()
}

/// Runs a call for so many polls, time going on in between, and drops it there; whether it was over.
async fn run<S, R>(service: &mut S, polls: u32) -> bool
where
    S: Service<Request<Full<Bytes>>, Response = http::Response<R>>,
    S::Error: std::fmt::Debug,
    R: Body<Data = Bytes, Error: Into<BoxError>>,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut call = pin!(service.ready().await.unwrap().call(request()));
    let mut left = polls;
    let mut body = loop {
        if left == 0 {
            return false;
        }
        left -= 1;
        match call.as_mut().poll(&mut cx) {
            Poll::Ready(Ok(response)) => break Box::pin(response.into_body()),
            Poll::Ready(Err(_)) => return true,
            Poll::Pending => tokio::time::advance(Duration::from_millis(3)).await,
        }
    };
    loop {
        if left == 0 {
            return false;
        }
        left -= 1;
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Ready(None | Some(Err(_))) => return true,
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Pending => tokio::time::advance(Duration::from_millis(3)).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_is_answered_and_whenever_a_caller_leaves_nothing_stays_held() {
    let (mut over, mut left) = (0, 0);
    for seed in 0..400 {
        let mut rng = StdRng::seed_from_u64(seed);
        let provider = Provider::default();
        let counts: [Arc<AtomicI64>; 3] = Default::default();
        let places = BulkheadLayer::new(3);
        let (bulkhead, breaker) = (places.handle(), CircuitBreakerLayer::new());
        let mut service = ServiceBuilder::new()
            .layer(pattern::layer(Inside(Arc::clone(&counts[0]))))
            .layer(DeadlineLayer::new(Duration::from_millis(150)))
            .layer(KillSwitchLayer::new())
            .layer(
                RetryLayer::new()
                    .max_attempts(3)
                    .budget(RetryBudget::unlimited())
                    .backoff(Backoff::schedule([Duration::from_millis(4)])),
            )
            .layer(HedgeLayer::after(Duration::from_millis(20)).budget(RetryBudget::unlimited()))
            .layer(pattern::layer(Looks(Arc::clone(&counts[1]))))
            .layer(breaker)
            .layer(places)
            .layer(TimeoutLayer::new().attempt(Duration::from_millis(40)))
            .layer(pattern::layer((Inside(Arc::clone(&counts[2])), Looks::default())))
            .service(provider.clone());
        for _ in 0..12 {
            let scenes: Vec<_> = (0..6).map(|_| draw(&mut rng)).collect();
            *provider.scenes.lock().unwrap() = scenes.into();
            let polls = rng.random_range(0..40);
            match run(&mut service, polls).await {
                true => over += 1,
                false => left += 1,
            }
            let held: Vec<_> = counts.iter().map(|count| count.load(SeqCst)).collect();
            assert_eq!(held, [0, 0, 0], "inside, seed {seed}");
            assert_eq!(provider.open.load(SeqCst), 0, "exchanges, seed {seed}");
            assert_eq!(bulkhead.in_use(), 0, "places, seed {seed}");
        }
    }
    assert!(over > 1_000 && left > 1_000, "both ends are tried: {over} over, {left} left");
}
