use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::time::{Duration, Instant};

use http::{Request, Response};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};

use super::super::config::BulkheadConfig;
use crate::body::Body;
use crate::bulkhead::{Adaptive, BulkheadHandle, BulkheadLayer, Limit, Priority};
use crate::context::Context;
use crate::outcome::Error;
use crate::rt;

/// A bulkhead over a provider that answers as many calls as it is let.
struct Scene {
    layer: BulkheadLayer,
    permits: BulkheadHandle,
    answers: std::sync::Arc<Semaphore>,
}

type Call = tokio::task::JoinHandle<Result<(), Error>>;

impl Scene {
    fn of(layer: BulkheadLayer) -> Self {
        let (permits, answers) = (layer.handle(), std::sync::Arc::new(Semaphore::new(0)));
        Self { layer, permits, answers }
    }

    #[expect(clippy::disallowed_methods, reason = "a test runs its calls side by side")]
    async fn call(&self) -> Call {
        let answers = std::sync::Arc::clone(&self.answers);
        let service = self.layer.layer(service_fn(move |_: Request<Body>| {
            let answers = std::sync::Arc::clone(&answers);
            async move {
                answers.acquire().await.expect("never closed").forget();
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        }));
        let call =
            tokio::spawn(
                async move { service.oneshot(Request::new(Body::empty())).await.map(drop) },
            );
        settle().await;
        call
    }

    async fn calls(&self, number: usize) -> Vec<Call> {
        let mut calls = Vec::new();
        for _ in 0..number {
            calls.push(self.call().await);
        }
        calls
    }

    async fn answer(&self, calls: usize) {
        self.answers.add_permits(calls);
        settle().await;
    }

    fn set(&self, set: impl FnOnce(&mut BulkheadConfig)) {
        let mut config = self.permits.config();
        set(&mut config);
        self.permits.reconfigure(&config);
    }

    fn figures(&self) -> (u32, u32) {
        (self.permits.in_use(), self.permits.waiting())
    }
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn since(began: Instant) -> Duration {
    rt::now() - began
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_lets_calls_in_that_wait_and_a_lower_one_lets_calls_finish() {
    let scene = Scene::of(BulkheadLayer::new(2).queue(9));
    let calls = scene.calls(8).await;
    assert_eq!(scene.figures(), (2, 6));
    scene.set(|config| config.concurrency = Some(5));
    assert_eq!(scene.figures(), (5, 3), "at once");
    scene.set(|config| config.concurrency = Some(1));
    scene.answer(4).await;
    assert_eq!(scene.figures(), (1, 3), "four finished, and nobody came after them");
    scene.answer(1).await;
    assert_eq!(scene.figures(), (1, 2), "one at a time");
    scene.answer(3).await;
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(scene.figures(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn another_queue_is_for_those_who_come() {
    let scene = Scene::of(BulkheadLayer::new(1));
    let _held = scene.call().await;
    assert!(scene.call().await.await.unwrap().unwrap_err().is_rejected());
    scene.set(|config| config.queue = 2);
    let _waiting = scene.calls(2).await;
    scene.set(|config| config.queue = 1);
    assert!(scene.call().await.await.unwrap().unwrap_err().is_rejected());
    assert_eq!(scene.figures(), (1, 2), "who was in it stays in it");
}

#[tokio::test(start_paused = true)]
async fn another_wait_is_for_those_who_come() {
    let seconds = Duration::from_secs;
    let scene = Scene::of(BulkheadLayer::new(1).queue(2).queue_wait(seconds(2)));
    let _held = scene.call().await;
    let began = rt::now();
    let first = scene.call().await;
    scene.set(|config| config.queue_wait = Some(seconds(7)));
    let second = scene.call().await;
    let error = first.await.unwrap().unwrap_err();
    assert_eq!((since(began), error.is_rejected()), (seconds(2), true));
    let error = second.await.unwrap().unwrap_err();
    assert_eq!(since(began), seconds(7));
    assert!(error.to_string().contains("within 7s"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_without_a_bound_can_be_given_one() {
    let scene = Scene::of(BulkheadLayer::unlimited());
    let _free = scene.calls(3).await;
    scene.set(|config| config.concurrency = Some(1));
    let _held = scene.call().await;
    assert!(scene.call().await.await.unwrap().unwrap_err().is_rejected());
    assert_eq!((scene.permits.limit(), scene.figures()), (Some(1), (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn what_is_set_can_be_read_back() {
    let seconds = Duration::from_secs;
    let layer =
        BulkheadLayer::new(4).queue(5).queue_wait(seconds(6)).adaptive(Adaptive::aimd().min(2));
    let config = layer.config();
    assert_eq!((config.concurrency, config.queue), (Some(4), 5));
    assert_eq!(config.queue_wait, Some(seconds(6)));
    assert_eq!(config.adaptive, Some(Adaptive::aimd().min(2)));
    let permits = layer.handle();
    permits.reconfigure(&BulkheadConfig { concurrency: Some(7), queue: 8, ..config });
    assert_eq!((layer.config().concurrency, layer.config().queue), (Some(7), 8));
    assert_eq!(BulkheadLayer::unlimited().config().concurrency, None);
}

#[tokio::test(start_paused = true)]
async fn of_a_shared_limit_only_the_wait_is_the_bulkheads_to_set() {
    let limit = Limit::new(3).queue(4);
    let (one, other) = (
        BulkheadLayer::shared(limit.clone(), Priority::High).handle(),
        BulkheadLayer::shared(limit, Priority::Low).handle(),
    );
    let config = BulkheadConfig {
        concurrency: Some(9),
        queue: 9,
        queue_wait: Some(Duration::from_secs(9)),
        adaptive: None,
    };
    one.reconfigure(&config);
    assert_eq!((one.limit(), one.config().queue), (Some(3), 4));
    assert_eq!(one.config().queue_wait, config.queue_wait);
    assert_eq!(other.config().queue_wait, None);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_found_itself_is_kept_unless_its_own_settings_change() {
    let layer = BulkheadLayer::new(20).adaptive(Adaptive::aimd());
    let overloaded = layer.layer(service_fn(|_: Request<Body>| async {
        Ok::<_, Infallible>(Response::builder().status(429).body(Body::empty()).expect("a head"))
    }));
    overloaded.oneshot(Request::new(Body::empty())).await.unwrap();
    let permits = layer.handle();
    assert_eq!(permits.limit(), Some(18));
    permits.reconfigure(&BulkheadConfig { queue: 3, ..permits.config() });
    assert_eq!((permits.limit(), permits.config().concurrency), (Some(18), Some(20)));
    permits.reconfigure(&BulkheadConfig { concurrency: Some(30), ..permits.config() });
    assert_eq!(permits.limit(), Some(30));
    permits.reconfigure(&BulkheadConfig { adaptive: None, ..permits.config() });
    assert_eq!((permits.limit(), layer.permits.is_adaptive()), (Some(30), false));
}

#[tokio::test(start_paused = true)]
async fn the_attempt_of_a_call_that_waited_begins_with_its_place() {
    let scene = Scene::of(BulkheadLayer::new(1).queue(1).queue_wait(Duration::from_secs(2)));
    let held = scene.call().await;
    let began = rt::now();
    let service = scene.layer.layer(service_fn(move |request: Request<Body>| async move {
        let context = request.extensions().get::<Context>().expect("it came with it").clone();
        assert!(!context.state().is_waiting());
        assert_eq!(context.state().attempt_began() - began, Duration::from_secs(1));
        Ok::<_, Infallible>(Response::new(Body::empty()))
    }));
    let mut request = Request::new(Body::empty());
    Context::of(request.extensions_mut(), None);
    let mut waiting = Box::pin(service.oneshot(request));
    let second = began + Duration::from_secs(1);
    let mut timer = Box::pin(rt::Timer::default());
    poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        timer.as_mut().poll_at(second, cx)
    })
    .await;
    scene.answer(1).await;
    held.await.unwrap().unwrap();
    waiting.await.unwrap();
}
