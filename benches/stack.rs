//! What the stack costs a call, beside what tower's and tower-http's layers cost it, in one run.
//!
//! `cargo bench --bench stack`. The figures of one run compare with each other; the machine's speed
//! is in all of them.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use divan::Bencher;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Empty;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::Emitter;
use outrigger::idempotency::IdempotencyLayer;
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::observe::ObserveLayer;
use outrigger::pattern::layers;
use outrigger::retry::RetryLayer;
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, Integration, Ratio};
use tower::retry::Policy;
use tower::retry::budget::{Budget, TpsBudget};
use tower::{Service, ServiceBuilder};
use tower_http::ServiceBuilderExt;
use tower_http::request_id::MakeRequestUuid;

fn main() {
    divan::main();
}

/// Answers at the first poll.
#[derive(Clone)]
struct AtOnce;

/// Answers at the second poll, so that timers are armed as over a network.
#[derive(Clone)]
struct AfterAWhile;

struct SecondPoll(bool);

type Answer = Response<Empty<Bytes>>;

impl<B> Service<Request<B>> for AtOnce {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        drop(black_box(request));
        ready(Ok(Response::new(Empty::new())))
    }
}

impl<B> Service<Request<B>> for AfterAWhile {
    type Response = Answer;
    type Error = Infallible;
    type Future = SecondPoll;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> SecondPoll {
        drop(black_box(request));
        SecondPoll(false)
    }
}

impl Future for SecondPoll {
    type Output = Result<Answer, Infallible>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match std::mem::replace(&mut self.0, true) {
            false => Poll::Pending,
            true => Poll::Ready(Ok(Response::new(Empty::new()))),
        }
    }
}

/// Retries what failed, within the budget; nothing fails here.
#[derive(Clone)]
struct OnFailure(Arc<TpsBudget>);

impl<E> Policy<Request<Empty<Bytes>>, Answer, E> for OnFailure {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Empty<Bytes>>,
        result: &mut Result<Answer, E>,
    ) -> Option<Ready<()>> {
        if result.as_ref().is_ok_and(|answer| answer.status().is_success()) {
            self.0.deposit();
            return None;
        }
        self.0.withdraw().then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Empty<Bytes>>) -> Option<Request<Empty<Bytes>>> {
        Some(request.clone())
    }
}

fn request(method: Method) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static("https://api.example/v1/charges");
    request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
    request
}

macro_rules! outrigger {
    ($inner:expr) => {
        ServiceBuilder::new()
            .layer(CorrelationLayer::new())
            .layer(ObserveLayer::call(Emitter::named("stripe")))
            .layer(DeadlineLayer::new(Duration::from_secs(8)))
            .layer(IdempotencyLayer::default())
            .layer(RetryLayer::new().max_attempts(2))
            .layer(CircuitBreakerLayer::new().failure_rate(Ratio::percent(80), 20))
            .layer(BulkheadLayer::new(64))
            .layer(ObserveLayer::attempt(Emitter::named("stripe")))
            .layer(TimeoutLayer::new().attempt(Duration::from_secs(3)))
            .layer(IdleTimeoutLayer::new(Duration::from_secs(3)))
            .service($inner)
    };
}

/// The same layers as one.
macro_rules! outrigger_as_one {
    ($inner:expr) => {
        ServiceBuilder::new()
            .map_request(|request: Request<Empty<Bytes>>| request.map(Body::from))
            .layer(layers((
                CorrelationLayer::new(),
                ObserveLayer::call(Emitter::named("stripe")),
                DeadlineLayer::new(Duration::from_secs(8)),
                IdempotencyLayer::default(),
                RetryLayer::new().max_attempts(2),
                CircuitBreakerLayer::new().failure_rate(Ratio::percent(80), 20),
                BulkheadLayer::new(64),
                ObserveLayer::attempt(Emitter::named("stripe")),
                TimeoutLayer::new().attempt(Duration::from_secs(3)),
                IdleTimeoutLayer::new(Duration::from_secs(3)),
            )))
            .service($inner)
    };
}

macro_rules! tower_without_ids {
    ($inner:expr) => {
        ServiceBuilder::new()
            .timeout(Duration::from_secs(8))
            .retry(OnFailure(Arc::new(TpsBudget::default())))
            .concurrency_limit(64)
            .service($inner)
    };
}

macro_rules! tower {
    ($inner:expr) => {
        ServiceBuilder::new()
            .set_x_request_id(MakeRequestUuid)
            .timeout(Duration::from_secs(8))
            .retry(OnFailure(Arc::new(TpsBudget::default())))
            .concurrency_limit(64)
            .service($inner)
    };
}

/// One call from its request to its answer's end, on this thread, polled by hand.
fn time<S>(bencher: Bencher<'_, '_>, method: Method, mut service: S)
where
    S: Service<Request<Empty<Bytes>>>,
    S::Error: std::fmt::Debug,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    bencher.with_inputs(|| request(method.clone())).bench_local_values(|request| {
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(service.poll_ready(cx).is_ready());
        let mut call = pin!(service.call(request));
        loop {
            if let Poll::Ready(answer) = call.as_mut().poll(cx) {
                drop(black_box(answer.unwrap()));
                break;
            }
        }
    });
}

macro_rules! answering {
    ($module:ident, $inner:expr) => {
        mod $module {
            use super::*;

            #[divan::bench(args = [Method::GET, Method::POST])]
            fn a_bare_service(bencher: Bencher<'_, '_>, method: &Method) {
                time(bencher, method.clone(), $inner);
            }

            #[divan::bench(args = [Method::GET, Method::POST])]
            fn b_outrigger_layers(bencher: Bencher<'_, '_>, method: &Method) {
                time(bencher, method.clone(), outrigger!($inner));
            }

            #[divan::bench(args = [Method::GET, Method::POST])]
            fn b_outrigger_layers_as_one(bencher: Bencher<'_, '_>, method: &Method) {
                time(bencher, method.clone(), outrigger_as_one!($inner));
            }

            #[divan::bench(args = [Method::GET, Method::POST])]
            fn c_outrigger_integration(bencher: Bencher<'_, '_>, method: &Method) {
                let integration = Integration::user_flow("stripe").service($inner);
                time(bencher, method.clone(), integration.build().unwrap());
            }

            #[divan::bench(args = [Method::GET, Method::POST])]
            fn d_tower_without_ids(bencher: Bencher<'_, '_>, method: &Method) {
                time(bencher, method.clone(), tower_without_ids!($inner));
            }

            #[divan::bench(args = [Method::GET, Method::POST])]
            fn e_tower(bencher: Bencher<'_, '_>, method: &Method) {
                time(bencher, method.clone(), tower!($inner));
            }
        }
    };
}

answering!(at_once, AtOnce);
answering!(after_a_while, AfterAWhile);
