//! What a successful call allocates, counted.
//!
//! The counter is of this thread alone, and everything here runs on one thread, so the figures are
//! exact and the same on every machine.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{Empty, Full};
use outrigger::bulkhead::{Adaptive, BulkheadLayer, Limit, Priority};
use outrigger::cache::CacheLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::drift::DriftLayer;
use outrigger::event::Emitter;
use outrigger::fallback::FallbackLayer;
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::IdempotencyLayer;
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::observe::ObserveLayer;
use outrigger::rate_limit::RateLimitLayer;
use outrigger::retry::RetryLayer;
use outrigger::rt::Rng;
use outrigger::timeout::TimeoutLayer;
use outrigger::validate::{Finding, Media, Size, ValidateLayer, function};
use outrigger::{Body, Integration, Ratio};
use tower::{Layer, Service, ServiceBuilder};

/// Answers at once, without allocating.
#[derive(Clone)]
struct AtOnce;

/// Answers the second time it is asked, so that limits are armed meanwhile.
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

    fn call(&mut self, _: Request<B>) -> Self::Future {
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

    fn call(&mut self, _: Request<B>) -> SecondPoll {
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

/// A request as clients send it: with a header, so that the map has room, and shared values.
fn request(method: Method) -> Request<Body> {
    let body = if method == Method::POST { Body::from("amount=1000") } else { Body::empty() };
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::from_static("https://api.example/v1/charges");
    request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
    request
}

/// Allocations of one call to its head, once the layers have their room.
///
/// The request is made outside; its body and the answer's are dropped outside too.
fn allocations<S, B>(request: impl Fn() -> Request<B>, mut service: S) -> u64
where
    S: Service<Request<B>>,
    S::Error: std::fmt::Debug,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let mut counted = 0;
    for _ in 0..4 {
        let mut request = Some(request());
        let mut answer = None;
        let info = allocation_counter::measure(|| {
            let cx = &mut Context::from_waker(Waker::noop());
            assert!(service.poll_ready(cx).is_ready());
            let mut call = pin!(service.call(request.take().unwrap()));
            for _ in 0..3 {
                if let Poll::Ready(result) = call.as_mut().poll(cx) {
                    answer = Some(result.unwrap());
                    return;
                }
            }
            panic!("the call should be over after three polls");
        });
        drop(answer);
        counted = info.count_total;
    }
    counted
}

/// A request that is in a call already: it has its context.
fn within_a_call(method: Method) -> Request<Body> {
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let inner = tower::service_fn(move |request: Request<Body>| {
        *keep.lock().unwrap() = Some(request);
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let mut service = CorrelationLayer::new().layer(inner);
    assert!(service.call(request(method)).now_or_never().is_some_and(|result| result.is_ok()));
    seen.lock().unwrap().take().unwrap()
}

/// What each layer adds around `$inner`. (A macro, because each hands down another body type.)
macro_rules! every_layer_on {
    ($method:expr, $inner:expr) => {{
        let request = || within_a_call($method.clone());
        let bare = allocations(request, $inner);
        let emitter = Emitter::named("stripe");
        let seconds = Duration::from_secs;
        let idle = IdleTimeoutLayer::new(seconds(3));
        let timeout = TimeoutLayer::new().attempt(seconds(3));
        let (seldom, rng) = (Ratio::per_million(1), Rng::seeded(1));
        let rare = Plan::new().hang(seldom).latency(seldom, seconds(1), seconds(2));
        let fault_injection = FaultInjectionLayer::new().allow().plan(rare).rng(rng.clone());
        let mirror = |share| MirrorLayer::new($inner, share).rng(rng.clone());
        let shared = BulkheadLayer::shared(Limit::new(64), Priority::Low);
        // So low that it moves.
        let adaptive = BulkheadLayer::new(1).adaptive(Adaptive::aimd());
        let checks = ValidateLayer::new().enforce(Media::json()).enforce(Size::at_most(9));
        let rates = FallbackLayer::value(Response::new("rates"));
        let set = RateLimitLayer::new(1_000_000, seconds(1)).burst(1_000_000).in_flight(64);
        let after = HedgeLayer::after(seconds(3));
        let learned = HedgeLayer::quantile(Ratio::percent(95));
        let around = [
            ("observe", allocations(request, ObserveLayer::call(emitter).layer($inner))),
            ("deadline", allocations(request, DeadlineLayer::new(seconds(8)).layer($inner))),
            ("idempotency", allocations(request, IdempotencyLayer::default().layer($inner))),
            ("retry", allocations(request, RetryLayer::new().layer($inner))),
            ("breaker", allocations(request, CircuitBreakerLayer::new().layer($inner))),
            ("bulkhead", allocations(request, BulkheadLayer::new(64).layer($inner))),
            ("shared bulkhead", allocations(request, shared.layer($inner))),
            ("adaptive bulkhead", allocations(request, adaptive.layer($inner))),
            ("timeout", allocations(request, timeout.layer($inner))),
            ("drift", allocations(request, DriftLayer::new().layer($inner))),
            ("no drift", allocations(request, DriftLayer::disabled().layer($inner))),
            ("idle timeout", allocations(request, idle.layer($inner))),
            ("validate", allocations(request, checks.layer($inner))),
            ("validate nothing", allocations(request, ValidateLayer::new().layer($inner))),
            ("fault_injection", allocations(request, FaultInjectionLayer::new().layer($inner))),
            ("fault_injection of others", allocations(request, fault_injection.layer($inner))),
            ("mirror of none", allocations(request, mirror(Ratio::ZERO).layer($inner))),
            ("mirror of others", allocations(request, mirror(seldom).layer($inner))),
            ("no cache", allocations(request, CacheLayer::disabled().layer($inner))),
            ("kill switch", allocations(request, KillSwitchLayer::new().layer($inner))),
            ("fallback", allocations(request, rates.layer($inner))),
            ("no fallback", allocations(request, FallbackLayer::disabled().layer($inner))),
            ("rate limit", allocations(request, RateLimitLayer::learning().layer($inner))),
            ("rate limit that is set", allocations(request, set.layer($inner))),
            ("hedge", allocations(request, after.layer($inner))),
            ("hedge that learns", allocations(request, learned.layer($inner))),
        ];
        around.map(|(layer, allocations)| (layer, allocations - bare))
    }};
}

#[test]
fn no_layer_allocates_on_a_call_that_succeeds_at_once() {
    for method in [Method::GET, Method::POST] {
        for (layer, allocations) in every_layer_on!(method, AtOnce) {
            assert_eq!(allocations, 0, "{layer} on {method}");
        }
    }
}

#[test]
fn no_layer_allocates_on_a_call_that_succeeds_after_a_while() {
    for method in [Method::GET, Method::POST] {
        for (layer, allocations) in every_layer_on!(method, AfterAWhile) {
            assert_eq!(allocations, 0, "{layer} on {method}");
        }
    }
}

/// Answers at once what is fresh for a day.
#[cfg(feature = "cache")]
#[derive(Clone)]
struct Cacheable;

#[cfg(feature = "cache")]
impl Service<Request<Body>> for Cacheable {
    type Response = Answer;
    type Error = Infallible;
    type Future = Ready<Result<Answer, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut answer = Response::new(Empty::new());
        let headers = answer.headers_mut();
        headers.insert("cache-control", HeaderValue::from_static("max-age=86400"));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("etag", HeaderValue::from_static("\"1\""));
        ready(Ok(answer))
    }
}

/// Lets a service store its answer to this request.
#[cfg(feature = "cache")]
fn store<S, B>(service: &mut S, request: Request<Body>)
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = service.call(request).await.unwrap();
        http_body_util::BodyExt::collect(answer.into_body()).await.unwrap();
    });
}

#[cfg(feature = "cache")]
fn in_partition() -> Request<Body> {
    let mut request = request(Method::GET);
    request.extensions_mut().insert(outrigger::cache::CachePartition::new("ada"));
    request
}

#[cfg(feature = "cache")]
#[test]
fn a_hit_allocates_the_headers_of_its_answer_and_the_extension_and_nothing_else() {
    let plain = || request(Method::GET);
    // Two of a map of headers. Three of extensions: their box, their table, and the outcome in it, or the
    // last alone if the request has the others.
    let requests: [(&dyn Fn() -> Request<Body>, u64); 2] = [(&plain, 5), (&in_partition, 3)];
    for (request, most) in requests {
        let mut service = CacheLayer::new().layer(Cacheable);
        store(&mut service, request());
        assert_eq!(allocations(request, service), most);
        let user_flow = Integration::user_flow("rates").service(Cacheable);
        let mut integration = user_flow.cache(CacheLayer::new()).build().unwrap();
        store(&mut integration, request());
        assert_eq!(allocations(request, integration), most);
    }
}

#[cfg(feature = "cache")]
#[test]
fn a_hit_within_a_call_allocates_its_key_too() {
    let with_token = || {
        let mut request = within_a_call(Method::GET);
        request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer token"));
        request
    };
    let requests: [&dyn Fn() -> Request<Body>; 2] = [&|| within_a_call(Method::GET), &with_token];
    for request in requests {
        let mut service = CacheLayer::new().layer(Cacheable);
        store(&mut service, request());
        assert_eq!(allocations(request, service) - allocations(request, AtOnce), 6);
    }
}

/// Answers at once with a kilobyte.
#[derive(Clone)]
struct Kilobyte;

impl<B> Service<Request<B>> for Kilobyte {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(&[b'a'; 1024])))))
    }
}

#[test]
fn a_check_of_a_kilobyte_allocates_a_place_for_what_is_held_back_and_no_copy() {
    let request = || within_a_call(Method::GET);
    let reads = function("reads", |_, body| match body.whole() {
        Ok(bytes) if bytes.len() == 1024 => Finding::pass(),
        _ => Finding::invalid("it is no kilobyte"),
    });
    let bare = allocations(request, Kilobyte);
    let held = allocations(request, ValidateLayer::new().enforce(reads).layer(Kilobyte)) - bare;
    // The list of frames, and where it is.
    assert!(held <= 2, "{held}");
}

/// Answers at once with a kilobyte of JSON.
#[cfg(feature = "json")]
#[derive(Clone)]
struct Json(&'static str);

#[cfg(feature = "json")]
impl<B> Service<Request<B>> for Json {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(self.0.as_bytes())))))
    }
}

#[cfg(feature = "json")]
#[test]
fn checks_of_json_that_pass_allocate_its_value_once_for_all_and_nothing_else() {
    use outrigger::validate::{Problems, Required, Row, StatusField, Vendors, Verdict};
    let text = "a".repeat(950);
    let charge = format!(r#"{{"id":"ch_1","amount":1000,"paid":true,"items":[],"text":"{text}"}}"#);
    let charge: &'static str = charge.leak();
    let value = allocation_counter::measure(|| {
        drop(serde_json::from_str::<serde_json::Value>(charge).unwrap());
    });
    let request = || within_a_call(Method::GET);
    let bare = allocations(request, Json(charge));
    let one = ValidateLayer::new().enforce(Required::new(["/id", "/amount"]));
    let own = Row::json(200, "/error/code", "busy", Verdict::Transient);
    let all = one
        .clone()
        .enforce(StatusField::new("/paid", true))
        .enforce(Problems::new())
        .enforce(Vendors::new().row(own));
    for layer in [one, all] {
        let checked = allocations(request, layer.layer(Json(charge))) - bare;
        // The list of frames, and where it is.
        assert!(checked <= value.count_total + 2, "{checked}, {}", value.count_total);
    }
}

#[cfg(feature = "sign")]
#[test]
fn a_signature_allocates_no_more_than_its_text_its_header_and_what_the_signer_is_given() {
    use outrigger::sign::{HmacSigner, Part, SignLayer};
    let signer = || {
        let header = http::HeaderName::from_static("x-signature");
        let parts = [Part::Method, Part::Path, Part::Seconds("x-time".parse().unwrap())];
        HmacSigner::new("secret", header, parts).unwrap()
    };
    for method in [Method::GET, Method::POST] {
        let request = || within_a_call(method.clone());
        let bare = allocations(request, AtOnce);
        let signed = allocations(request, SignLayer::new(signer()).layer(AtOnce)) - bare;
        // The headers that the signer is given and those that it gives, with room for the request's; the
        // method, the time, the text, the two values, the future, and the mark that nothing may change.
        assert!(signed <= 13, "{method}: {signed}");
        let others = SignLayer::new(signer()).only_to(|uri| uri.host() == Some("other.test"));
        let passed = allocations(request, others.layer(AtOnce)) - bare;
        assert!(passed <= 2, "{method}: {passed}");
    }
}

/// All layers of the preset for people, as a user would compose them.
macro_rules! user_flow {
    ($inner:expr) => {
        ServiceBuilder::new()
            .layer(CorrelationLayer::new())
            .layer(ObserveLayer::call(Emitter::named("stripe")))
            .layer(DeadlineLayer::new(Duration::from_secs(8)))
            .layer(IdempotencyLayer::default())
            .layer(RetryLayer::new().max_attempts(2))
            .layer(CircuitBreakerLayer::new())
            .layer(BulkheadLayer::new(64))
            .layer(ObserveLayer::attempt(Emitter::named("stripe")))
            .layer(TimeoutLayer::new().attempt(Duration::from_secs(3)))
            .layer(IdleTimeoutLayer::new(Duration::from_secs(3)))
            .service($inner)
    };
}

#[test]
fn a_whole_call_allocates_its_context_and_its_ids_and_nothing_else() {
    for method in [Method::GET, Method::POST] {
        let request = || request(method.clone());
        let bare = allocations(request, AtOnce);
        let all = allocations(request, user_flow!(AtOnce)) - bare;
        // The extensions' box, their table, the context in it, and the text of one id.
        assert!(all <= 4, "{method} at once: {all}");

        let bare = allocations(request, AfterAWhile);
        let all = allocations(request, user_flow!(AfterAWhile)) - bare;
        assert!(all <= 4, "{method} after a while: {all}");
    }
}

#[test]
fn the_edge_of_an_integration_allocates_no_more_than_four_times() {
    for method in [Method::GET, Method::POST] {
        let request = || request(method.clone());
        let layers = allocations(request, user_flow!(AtOnce));
        let integration = Integration::user_flow("stripe").service(AtOnce).build().unwrap();
        let edge = allocations(request, integration) - layers;
        assert!(edge <= 4, "{method}: {edge}");
    }
}

#[test]
fn callers_who_leave_a_queue_leave_nothing_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let layer = RateLimitLayer::learning().queue(10);
    layer.handle().pause(Duration::from_secs(3_600));
    let mut service = layer.layer(AtOnce);
    let mut begin = || {
        let mut call = Box::pin(service.call(request(Method::GET)));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        call
    };
    let _head = begin();
    drop((0..5).map(|_| begin()).collect::<Vec<_>>());
    let info = allocation_counter::measure(|| (0..10_000).for_each(|_| drop(begin())));
    assert!(info.bytes_current < 16 * 1024, "{} bytes", info.bytes_current);
    assert_eq!(layer.handle().waiting(), 1);
}
