//! Layers of tower's and tower-http's between ours.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::future::join_all;
use http::{HeaderName, Request, Response, StatusCode, header};
use outrigger::backoff::Backoff;
use outrigger::body::ReplayBody;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::Event;
use outrigger::fallback::{FallbackLayer, FellBack};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::outcome::{Fault, GaveUp, Phase, Rejection};
use outrigger::retry::{Retries, RetryLayer};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::timeout::{RequestBody, TimeoutLayer};
use outrigger::{Body, BoxError, Delivery, Error, ErrorKind, Integration};
use tower::util::BoxCloneService;
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::request_id::{MakeRequestUuid, RequestId, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;

use crate::call::{failure, get, millis, read, seconds};

/// Two attempts, a tenth of a second apart.
fn twice() -> RetryLayer {
    RetryLayer::new().max_attempts(2).backoff(Backoff::fixed(millis(100)))
}

fn failing_once() -> Script {
    Script::new([Answer::status(500), Answer::status(200)])
}

/// A service that breaks before it is ever ready.
#[derive(Clone)]
struct Unready;

impl<B> Service<Request<B>> for Unready {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Response<Body>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        unreachable!("it is never ready")
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_takes_a_permit_of_towers_concurrency_limit() {
    let provider = failing_once();
    // tower's limit panics when it is called without having been polled ready.
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(seconds(8)))
        .layer(twice())
        .layer(CircuitBreakerLayer::new())
        .concurrency_limit(1)
        .layer(BulkheadLayer::new(4))
        .service(provider.clone());
    let calls = (0..3).map(|_| service.clone().oneshot(get()));
    for response in join_all(calls).await {
        assert_eq!(response.expect("an answer").status(), 200);
    }
    assert_eq!(provider.begun(), 4);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_the_wait_for_towers_concurrency_limit() {
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(seconds(2)))
        .concurrency_limit(1)
        .service(Script::new([Answer::hang()]));
    let mut held = pin!(service.clone().oneshot(get()));
    assert!(held.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let error = service.oneshot(get()).await.expect_err("it fails");
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!(error.delivery(), Delivery::NotSent);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_ours_comes_through_a_buffer_as_it_was() {
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(seconds(60)))
        .layer(CorrelationLayer::new())
        .buffer(4)
        .layer(TimeoutLayer::new().attempt(seconds(2)))
        .service(Script::new([Answer::hang()]));
    let error = service.oneshot(get()).await.expect_err("it fails");
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(error.limit(), Some(seconds(2)));
    assert!(error.correlation_id().is_some());
    assert!(std::error::Error::source(&error).is_none());
}

#[tokio::test(start_paused = true)]
async fn an_error_of_ours_is_found_under_the_buffers_cover() {
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(seconds(60)))
        .buffer(4)
        .layer(CorrelationLayer::new())
        .service(Unready);
    let error: Error = service.oneshot(get()).await.expect_err("it fails");
    // The buffer says "buffered service failed"; what failed stands below.
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Refused));
    // Whether the buffer gave the call to somebody else before, nobody here knows.
    assert_eq!(error.delivery(), Delivery::Unknown);
    let mut chain =
        std::iter::successors(std::error::Error::source(&error), |error| error.source());
    assert!(chain.any(<dyn std::error::Error>::is::<io::Error>), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_never_gets_ready_is_how_a_call_ends() {
    let events = EventRecorder::new();
    let crm = Integration::user_flow("crm")
        .fallback(FallbackLayer::value(Response::new("kept")))
        .subscriber(events.clone())
        .service(Unready)
        .build()
        .expect("it works");
    for calls in 1..=2 {
        let response = read(crm.send(get())).await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert!(response.extensions().get::<FellBack>().is_some());
        assert_eq!(events.count(|event| matches!(event, Event::CallFinished { .. })), calls);
    }
    let failed = Integration::user_flow("crm").service(Unready).build().expect("it works");
    let (error, _) = failure(failed.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Refused));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert!(error.correlation_id().is_some());
}

#[tokio::test(start_paused = true)]
async fn calls_are_retried_through_a_buffer() {
    let provider = failing_once();
    let service = ServiceBuilder::new()
        .layer(twice())
        .buffer(4)
        .layer(BulkheadLayer::new(1))
        .service(provider.clone());
    let response = service.oneshot(get()).await.expect("an answer");
    assert_eq!((response.status(), provider.begun()), (StatusCode::OK, 2));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_in_a_buffer_is_waited_for_by_every_attempt() {
    let provider = failing_once();
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(seconds(30)))
        .layer(twice())
        .buffer(4)
        .rate_limit(1, seconds(10))
        .service(provider.clone());
    let began = tokio::time::Instant::now();
    let response = service.oneshot(get()).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert!(began.elapsed() >= seconds(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_refusal_of_towers_load_shed_is_the_source_of_ours() {
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(seconds(8)))
        .load_shed()
        .concurrency_limit(1)
        .service(Script::new([Answer::hang()]));
    let mut held = pin!(service.clone().oneshot(get()));
    assert!(held.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let error = service.oneshot(get()).await.expect_err("it fails");
    assert_eq!(error.kind(), ErrorKind::Other);
    let source = std::error::Error::source(&error).expect("a source");
    assert!(source.is::<tower::load_shed::error::Overloaded>());
}

#[tokio::test(start_paused = true)]
async fn the_request_id_of_tower_http_is_the_correlation_id() {
    let provider = failing_once();
    let service = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(CorrelationLayer::new())
        .layer(twice())
        .service(provider.clone());
    service.oneshot(get()).await.expect("an answer");
    let requests = provider.requests();
    assert_eq!(requests.len(), 2);
    for sent in &requests {
        let id = sent.extensions().get::<RequestId>().expect("their id");
        assert_eq!(sent.headers()["x-request-id"], id.header_value());
        let facts = sent.extensions().get::<outrigger::context::Context>();
        let ours = facts.and_then(|facts| facts.correlation_id()).expect("our id");
        assert_eq!(ours.as_header(), id.header_value());
    }
    let first = requests[0].extensions().get::<RequestId>();
    let second = requests[1].extensions().get::<RequestId>();
    assert_eq!(first.map(RequestId::header_value), second.map(RequestId::header_value));
}

#[tokio::test(start_paused = true)]
async fn a_sensitive_header_stays_sensitive_on_every_attempt() {
    let provider = failing_once();
    let secret: [HeaderName; 1] = [header::AUTHORIZATION];
    let service = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new(secret))
        .layer(twice())
        .service(provider.clone());
    let mut request = get();
    let token = "Bearer hunter2".parse().expect("a header's value");
    request.headers_mut().insert(header::AUTHORIZATION, token);
    service.oneshot(request).await.expect("an answer");
    assert_eq!(provider.begun(), 2);
    for sent in provider.requests() {
        let token = &sent.headers()[header::AUTHORIZATION];
        assert!(token.is_sensitive());
        assert_eq!(token, "Bearer hunter2");
    }
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_tower_http_is_an_answer_and_is_retried() {
    let provider = Script::new([Answer::hang(), Answer::status(200)]);
    let service = ServiceBuilder::new()
        .layer(twice())
        .layer(tower_http::timeout::TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            seconds(2),
        ))
        .service(provider.clone());
    let response = service.oneshot(get()).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let retries = response.extensions().get::<Retries>().expect("what it took");
    assert_eq!((retries.attempts, retries.gave_up), (2, None));
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_tower_is_an_error_and_is_retried() {
    let service = ServiceBuilder::new()
        .layer(twice())
        .timeout(seconds(2))
        .service(Script::new([Answer::hang()]));
    let error = service.oneshot(get()).await.expect_err("it fails");
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!((error.attempts(), error.gave_up()), (2, Some(GaveUp::Attempts)));
    let source = std::error::Error::source(&error).expect("a source");
    assert!(source.is::<tower::timeout::error::Elapsed>());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_our_body_gets_it_by_mapping_the_layers_bodies() {
    let provider = failing_once();
    let service = provider.clone();
    let service = ServiceBuilder::new()
        .layer(twice())
        .map_request(|sent: Request<ReplayBody<Body>>| sent.map(Body::new))
        .layer(TimeoutLayer::new().attempt(seconds(3)).upload_stall(seconds(1)))
        .map_request(|sent: Request<RequestBody<Body>>| sent.map(Body::new))
        .service(tower::service_fn(move |sent: Request<Body>| service.clone().oneshot(sent)));
    let request = get().map(|_| Body::from("amount=1"));
    let response = service.oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    let bodies = provider.requests().into_iter().map(Request::into_body);
    assert_eq!(bodies.collect::<Vec<_>>(), ["amount=1"; 2]);
}

#[tokio::test(start_paused = true)]
async fn mappers_and_boxes_may_stand_anywhere_between_our_layers() {
    let provider = failing_once();
    let inner = ServiceBuilder::new()
        .layer(IdleTimeoutLayer::new(seconds(3)))
        .map_err(BoxError::from)
        .service(provider.clone());
    let inner: BoxCloneService<_, _, BoxError> = ServiceBuilder::new()
        .map_err(BoxError::from)
        .layer(BulkheadLayer::new(4))
        .service(inner)
        .boxed_clone();
    let service = ServiceBuilder::new()
        .layer(IdempotencyLayer::new(KeyProfile::stripe()))
        .layer(twice())
        .map_response(|response: Response<_>| response)
        .service(inner);
    let response = service.oneshot(crate::call::post()).await.expect("an answer");
    assert_eq!((response.status(), provider.begun()), (StatusCode::OK, 2));
}

#[tokio::test(start_paused = true)]
async fn an_integration_stands_in_a_stack_and_on_one() {
    let transport = ServiceBuilder::new().concurrency_limit(1).service(failing_once());
    let crm = Integration::user_flow("crm").service(transport).build().expect("it works");
    let service = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .service(crm.clone());
    assert_eq!(service.oneshot(get()).await.expect("an answer").status(), 200);
    assert_eq!(read(crm.send(get())).await.expect("an answer").status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_below_a_buffer_refuses_in_its_own_words() {
    let below = ServiceBuilder::new()
        .buffer::<Request<Body>>(8)
        .layer(BulkheadLayer::new(1))
        .service(Script::new([Answer::hang()]));
    let crm = Integration::user_flow("crm").service(below).build().expect("it works");
    let held = tokio::spawn(crm.send(get()));
    tokio::time::sleep(millis(10)).await;
    let (error, _) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
    assert_eq!(error.delivery(), Delivery::NotSent);
    held.abort();
}
