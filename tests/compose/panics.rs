//! A client that panics, at whichever point: nothing that its call held is held for good.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use outrigger::circuit_breaker::Consecutive;
use outrigger::event::BreakerState;
use outrigger::hedge::HedgeLayer;
use outrigger::integration::Service as Provided;
use outrigger::mirror::MirrorLayer;
use outrigger::retry::RetryBudget;
use outrigger::{Body, Error, Integration, IntegrationBuilder, Ratio};
use tower::Service;

use crate::call::{get, once, post};

#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Ready,
    Call,
    Answer,
    /// After a moment.
    LateAnswer,
    Frame,
    BodyDrop,
}

const ALL: [At; 6] = [At::Ready, At::Call, At::Answer, At::LateAnswer, At::Frame, At::BodyDrop];

/// A client that panics there, or answers with this status.
#[derive(Clone)]
struct Provider(Arc<Mutex<Result<u16, At>>>);

struct Answered(Provider);

impl Provider {
    fn new(at: At) -> Self {
        Self(Arc::new(Mutex::new(Err(at))))
    }

    fn set(&self, does: Result<u16, At>) {
        *self.0.lock().unwrap() = does;
    }

    fn pass(&self, at: At) {
        let does = *self.0.lock().unwrap();
        if does == Err(at) {
            // Quietly: the test's output is for its own panics.
            std::panic::resume_unwind(Box::new("on purpose"));
        }
    }
}

impl Service<Request<Body>> for Provider {
    type Response = Response<Answered>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answered>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.pass(At::Ready);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        self.pass(At::Call);
        let provider = self.clone();
        Box::pin(async move {
            provider.pass(At::Answer);
            tokio::time::sleep(Duration::from_millis(10)).await;
            provider.pass(At::LateAnswer);
            let status = provider.0.lock().unwrap().unwrap_or(200);
            let answer = Response::builder().status(status).body(Answered(provider));
            Ok(answer.unwrap())
        })
    }
}

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0.pass(At::Frame);
        Poll::Ready(None)
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.pass(At::BodyDrop);
        }
    }
}

type Builder = IntegrationBuilder<Provided<Provider>>;

fn presets(provider: &Provider) -> [Builder; 2] {
    [Integration::user_flow("crm"), Integration::background("crm")]
        .map(|preset| preset.service(provider.clone()))
}

async fn well(crm: &Integration, request: Request<Body>) {
    let call = crm.send(request);
    let answer = tokio::spawn(async move {
        let (head, body) = call.await?.into_parts();
        body.text().await?;
        Ok::<_, Error>(head.status)
    });
    assert_eq!(answer.await.unwrap().unwrap(), 200);
}

/// Calls, and panics.
async fn panics(crm: &Integration, request: Request<Body>, at: At) {
    let crm = crm.clone();
    let read = async move { crm.send(request).await?.into_body().text().await };
    let panicked = tokio::spawn(read).await;
    assert!(panicked.is_err_and(|error| error.is_panic()), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_leaves_its_place_and_its_budget_to_the_next() {
    for at in ALL {
        let provider = Provider::new(at);
        for preset in presets(&provider) {
            let crm = preset
                .bulkhead(|bulkhead| bulkhead.concurrency(1).queue(0))
                .retry(|retry| retry.budget(RetryBudget::under_way(Ratio::percent(50), 1)))
                .build()
                .unwrap();
            for _ in 0..5 {
                provider.set(Err(at));
                panics(&crm, post(), at).await;
                assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (0, 0), "{at:?}");
            }
            provider.set(Ok(200));
            for _ in 0..5 {
                well(&crm, get()).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_panics_leaves_the_next_to_close_the_breaker() {
    for at in ALL {
        let provider = Provider::new(at);
        for preset in presets(&provider) {
            let crm = preset
                .breaker(|breaker| {
                    breaker
                        .consecutive(Consecutive::Always(1))
                        .no_success_for(Duration::ZERO)
                        .probes(1, 1)
                        .open_for(Duration::from_secs(5), Duration::from_secs(5))
                })
                .build()
                .unwrap();
            provider.set(Ok(500));
            assert_eq!(crm.send(once()).await.unwrap().status(), 500);
            assert_eq!(crm.breaker().state(), BreakerState::Open);
            tokio::time::sleep(Duration::from_secs(10)).await;
            provider.set(Err(at));
            panics(&crm, once(), at).await;
            provider.set(Ok(200));
            // A probe that told nothing may cost the others some time, and no more.
            tokio::time::sleep(Duration::from_secs(60)).await;
            well(&crm, once()).await;
            assert_eq!(crm.breaker().state(), BreakerState::Closed, "{at:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_request_that_panics_is_counted_no_longer() {
    for at in [At::Ready, At::Call, At::Answer, At::LateAnswer] {
        let provider = Provider::new(at);
        provider.set(Ok(200));
        let [preset, _] = presets(&provider);
        let crm = preset
            .bulkhead(|bulkhead| bulkhead.concurrency(2).queue(0))
            .hedge(HedgeLayer::after(Duration::from_millis(5)))
            .build()
            .unwrap();
        for _ in 0..5 {
            let call = crm.send(get());
            let call = tokio::spawn(async move { call.await?.into_body().text().await });
            // The first is on its way; the second panics.
            tokio::time::sleep(Duration::from_millis(2)).await;
            provider.set(Err(at));
            let panicked = call.await;
            assert!(panicked.is_err_and(|error| error.is_panic()), "{at:?}");
            assert_eq!(crm.bulkhead().in_use(), 0, "{at:?}");
            provider.set(Ok(200));
            well(&crm, post()).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mirror_that_panics_is_noticed_by_nobody() {
    for at in ALL {
        let (provider, copies) = (Provider::new(at), Provider::new(at));
        provider.set(Ok(200));
        let [mirror, _] = presets(&copies);
        let mirror = MirrorLayer::new(mirror.build().unwrap(), Ratio::percent(100));
        let figures = mirror.handle();
        let [preset, _] = presets(&provider);
        let crm = preset.mirror(mirror).build().unwrap();
        for _ in 0..5 {
            well(&crm, get()).await;
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert_eq!(figures.in_flight(), 0, "{at:?}");
        }
        assert_eq!(figures.mirrored(), 5, "{at:?}");
    }
}
