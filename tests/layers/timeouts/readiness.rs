//! The wait for an inner service that isn't ready, under the deadline.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive};
use outrigger::deadline::DeadlineLayer;
use outrigger::event::BreakerState;
use outrigger::hedge::HedgeLayer;
use outrigger::outcome::Phase;
use outrigger::pattern::layers;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Delivery};
use tower::{Layer, Service, ServiceExt};

use super::assert_timed_out;
use crate::call::{get, status};
use crate::clock::{millis, secs, timed, wait};

/// Ready so long after it was first asked, once for each instance: a clone begins anew.
struct Slow {
    inner: Script,
    after: Duration,
    /// It can't get ready at all; a clone can.
    breaks: bool,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    broken: bool,
}

impl Slow {
    fn new(answers: impl IntoIterator<Item = Answer>, after: Duration) -> Self {
        Self { inner: Script::new(answers), after, breaks: false, wait: None, broken: false }
    }

    fn breaking(self) -> Self {
        Self { breaks: true, ..self }
    }
}

impl Clone for Slow {
    fn clone(&self) -> Self {
        let inner = self.inner.clone();
        Self { inner, after: self.after, breaks: false, wait: None, broken: false }
    }
}

impl<B> Service<Request<B>> for Slow
where
    Script: Service<Request<B>, Error = io::Error>,
{
    type Response = <Script as Service<Request<B>>>::Response;
    type Error = io::Error;
    type Future = <Script as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(!self.broken, "a service whose readiness failed must not be asked again");
        let after = self.after;
        let wait = self.wait.get_or_insert_with(|| Box::pin(wait(after)));
        std::task::ready!(wait.as_mut().poll(cx));
        self.broken = self.breaks;
        // As a connection that breaks: of a request on its way, nobody would know.
        let broken = self.broken.then(|| io::ErrorKind::ConnectionReset.into());
        Poll::Ready(broken.map_or(Ok(()), Err))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.inner.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_and_was_sent_is_not_unsent_when_it_is_cut() {
    let service = DeadlineLayer::new(secs(8)).layer(Slow::new([Answer::hang()], secs(2)));
    let error = status(&service, get()).await.unwrap_err();
    assert_timed_out(&error, Phase::Call, secs(8), Delivery::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_readiness_that_fails_late_means_that_nothing_was_sent() {
    let service =
        DeadlineLayer::new(secs(8)).layer(Slow::new([Answer::status(200)], secs(2)).breaking());
    // The instance itself, because its clones get ready.
    let (took, result) = timed(async {
        let mut service = service;
        std::future::poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut service, cx)).await?;
        service.call(get()).await
    })
    .await;
    let error = result.unwrap_err();
    assert_eq!((took, error.delivery(), error.attempts()), (secs(2), Delivery::NotSent, 0));
}

#[tokio::test(start_paused = true)]
async fn the_attempt_begins_when_the_service_is_ready() {
    let answers = [Answer::hang(), Answer::status(200)];
    let hedged = HedgeLayer::after(secs(1)).layer(Slow::new(answers, secs(2)));
    let service = DeadlineLayer::new(secs(60)).layer(hedged);
    let (took, result) = timed(status(&service, get())).await;
    // The second request goes out a second after the first, and its own instance takes two to get
    // ready.
    assert_eq!((took, result.unwrap()), (secs(2 + 1 + 2), 200));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passed_mostly_before_the_service_was_ready_does_not_speak_against_it() {
    for (ready_after, state) in [(1_500, BreakerState::Closed), (500, BreakerState::Open)] {
        let breaker = CircuitBreakerLayer::new().consecutive(Consecutive::Always(1));
        let breaker = breaker.no_success_for(Duration::ZERO);
        let handle = breaker.handle();
        let service = layers((DeadlineLayer::new(secs(2)), breaker))
            .layer(Slow::new([Answer::hang()], millis(ready_after)));
        let (took, result) = timed(status(&service, get())).await;
        assert_eq!((took, result.unwrap_err().is_timeout()), (secs(2), true));
        assert_eq!(handle.state(), state, "ready after {ready_after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn the_instance_that_was_asked_is_the_one_that_goes_on() {
    let mut service = DeadlineLayer::new(secs(60)).layer(Slow::new([Answer::status(200)], secs(2)));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Service::<Request<Body>>::poll_ready(&mut service, &mut cx).is_ready());
    let mut call = Box::pin(service.call(get()));
    assert!(call.as_mut().poll(&mut cx).is_pending());
    wait(millis(2_500)).await;
    // It has become ready meanwhile; a clone would begin to wait only here.
    let (took, result) = timed(call).await;
    assert_eq!((took, result.unwrap().status().as_u16()), (secs(0), 200));
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_readiness_failed_is_replaced() {
    let broken = Slow::new([Answer::status(200)], secs(0)).breaking();
    let mut service = DeadlineLayer::new(secs(60)).layer(broken);
    let failed = ServiceExt::<Request<Body>>::ready(&mut service).await.unwrap().call(get());
    assert_eq!(failed.await.unwrap_err().delivery(), Delivery::NotSent);
    let next = ServiceExt::<Request<Body>>::ready(&mut service).await.unwrap().call(get());
    assert_eq!(next.await.unwrap().status(), 200);
}
