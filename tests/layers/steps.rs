//! Services that take more than one step for a call: what the last step came to is not what the call
//! came to.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Extensions, Method, Request, Response};
use outrigger::backoff::Backoff;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::event::{End, Event};
use outrigger::fallback::{FallbackLayer, FellBack};
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeySource};
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::outcome::{Class, Fault, GaveUp};
use outrigger::retry::RetryBudget;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::transport::SingleHop;
use outrigger::transport::rotating::Rotating;
use outrigger::{Body, Delivery, Error, ErrorKind, Integration, Ratio};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::call::{get, keyed_post, of, post, send, status};
use crate::clock::{begin, millis, secs, wait, within};
use crate::retry::plain;

const REFUSED: ErrorKind = ErrorKind::Transport(Fault::Refused);

fn refused() -> Answer {
    Answer::broken(io::ErrorKind::ConnectionRefused)
}

fn shop<S: outrigger::transport::Transport>(service: S) -> Integration {
    let builder = Integration::user_flow("shop").service(service);
    let retry = |retry: outrigger::retry::RetryLayer| {
        retry.max_attempts(3).budget(RetryBudget::unlimited())
    };
    builder.retry(retry).without_breaker().build().unwrap()
}

/// A client that isn't ours: it counts its requests, and each is refused.
fn foreign(
    counted: &Arc<AtomicU32>,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = io::Error, Future: Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    let counted = Arc::clone(counted);
    service_fn(move |_: Request<Body>| {
        counted.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err(io::ErrorKind::ConnectionRefused.into()))
    })
}

/// A request of its own for each step, which belongs to the call.
fn step(extensions: &Extensions) -> Request<Body> {
    let mut request = post("a step");
    request.extensions_mut().clone_from(extensions);
    request
}

/// Takes these steps by clients of ours, until one fails.
fn stepping(
    steps: Vec<Script>,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = io::Error, Future: Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static {
    service_fn(move |request: Request<Body>| {
        let steps = steps.clone();
        async move {
            let mut last = Response::new(Body::empty());
            for client in steps {
                last = client.oneshot(step(request.extensions())).await?;
            }
            Ok(last)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn the_kind_of_an_error_that_is_not_ours_proves_nothing() {
    let counted = Arc::default();
    let error = shop(foreign(&counted)).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
    assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotSafe)));
    assert_eq!(counted.load(Ordering::SeqCst), 1);
    // What may be repeated anyway is.
    let error = shop(foreign(&counted)).send(get()).await.unwrap_err();
    assert_eq!((error.attempts(), error.delivery()), (3, Delivery::Unknown));
    assert_eq!(counted.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn it_proves_nothing_to_a_layer_alone_either() {
    let alone = IdleTimeoutLayer::new(secs(1)).layer(foreign(&Arc::default()));
    let error = alone.oneshot(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
    // This one keeps no facts of the call.
    let alone = BulkheadLayer::new(1).layer(foreign(&Arc::default()));
    let error = alone.oneshot(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
    let alone = IdleTimeoutLayer::new(secs(1));
    let error = alone.layer(SingleHop::new(foreign(&Arc::default()))).oneshot(post("a")).await;
    assert_eq!(error.unwrap_err().delivery(), Delivery::NotSent);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_said_to_send_one_request_a_call_proves_it() {
    let counted = Arc::default();
    let error = shop(SingleHop::new(foreign(&counted))).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::NotSent));
    assert_eq!((error.attempts(), counted.load(Ordering::SeqCst)), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn what_left_a_request_alone_must_be_known_to_be_the_one_asked() {
    for answer in [421, 425] {
        let counted = Arc::new(AtomicU32::new(0));
        let answers = || {
            let counted = Arc::clone(&counted);
            service_fn(move |_: Request<Body>| {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut response = Response::new(Body::empty());
                *response.status_mut() = answer.try_into().unwrap();
                std::future::ready(Ok::<_, io::Error>(response))
            })
        };
        let response = shop(answers()).send(post("a")).await.unwrap();
        assert_eq!(response.status().as_u16(), answer);
        assert_eq!(counted.swap(0, Ordering::SeqCst), 1);
        let _ = shop(SingleHop::new(answers())).send(post("a")).await.unwrap();
        assert!(counted.swap(0, Ordering::SeqCst) > 1);
        // What is idempotent needs no proof.
        let _ = shop(answers()).send(of(Method::PUT)).await.unwrap();
        assert!(counted.load(Ordering::SeqCst) > 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_of_two_steps_says_nothing_of_the_first() {
    for last in [refused(), Answer::status(421), Answer::status(425)] {
        let steps = [Script::new([Answer::status(200)]), Script::new([last])];
        let result = shop(stepping(steps.to_vec())).send(post("a")).await;
        if let Err(error) = result {
            assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
            assert_eq!(error.gave_up(), Some(GaveUp::NotSafe));
        }
        assert_eq!([steps[0].begun(), steps[1].begun()], [1, 1]);
    }
    // Nothing of the first went out, and so nothing of the call did.
    let steps = [Script::new([refused()]), Script::new([Answer::status(200)])];
    let error = shop(stepping(steps.to_vec())).send(post("a")).await.unwrap_err();
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 3));
    assert_eq!(steps[1].begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn each_attempt_of_ours_is_judged_by_its_own_steps() {
    // The first attempt was answered, the second never left, and so the third may go.
    let provider = Script::new([Answer::status(503), refused(), Answer::status(200)]);
    assert_eq!(status(&plain().layer(provider.clone()), keyed_post("a")).await.unwrap(), 200);
    assert_eq!(provider.begun(), 3);
    let provider = Script::new([refused(), Answer::status(421), Answer::status(200)]);
    assert_eq!(status(&plain().layer(provider.clone()), post("a")).await.unwrap(), 200);
    assert_eq!(provider.begun(), 3);
}

/// These steps by a client of ours, and then one by a layer of ours.
fn and_then<S>(
    steps: Vec<Script>,
    last: S,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Error, Future: Send + 'static>
+ Clone
+ Send
+ Sync
+ 'static
where
    S: Service<Request<Body>, Error = Error, Future: Send> + Clone + Send + Sync + 'static,
{
    service_fn(move |request: Request<Body>| {
        let (steps, last) = (steps.clone(), last.clone());
        async move {
            for client in steps {
                let _ = client.oneshot(step(request.extensions())).await;
            }
            last.oneshot(step(request.extensions())).await?;
            Ok(Response::new(Body::empty()))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_second_step_that_waits_here_does_not_undo_the_first() {
    for (first, expected) in [
        (vec![], Delivery::NotSent),
        (vec![Script::new([refused()])], Delivery::NotSent),
        (vec![Script::new([Answer::status(200)])], Delivery::Unknown),
    ] {
        // The last step waits for a place that never comes free.
        let last = BulkheadLayer::new(1).queue(4).layer(Script::new([Answer::hang()]));
        let held = begin(last.clone().oneshot(post("another"))).await;
        let recorder = EventRecorder::new();
        let shop = Integration::user_flow("shop")
            .service(and_then(first, last))
            .subscriber(recorder.clone())
            .build()
            .unwrap();
        let left = within(millis(100), shop.send(post("a"))).await;
        assert!(left.is_none(), "nobody answers");
        let told = |event: Event| match event {
            Event::AttemptFinished { end: End::Abandoned { delivery }, .. }
            | Event::CallFinished { end: End::Abandoned { delivery }, .. } => Some(delivery),
            _ => None,
        };
        let told: Vec<_> = recorder.events().into_iter().filter_map(told).collect();
        assert_eq!(told, [expected; 2]);
        held.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_refused_here_is_not_waited_out_where_another_went_out() {
    for (first, expected) in [(Answer::status(200), 1), (refused(), 2)] {
        let (first, breaker) = (Script::new([first]), CircuitBreakerLayer::new());
        breaker.handle().force_open_for(secs(5));
        let last = breaker.layer(Script::new([Answer::status(200)]));
        let own_keys = IdempotencyLayer::default().key_source(KeySource::Caller);
        let jobs = Integration::background("shop").idempotency(own_keys);
        let jobs = jobs.service(and_then(vec![first.clone()], last)).build().unwrap();
        match jobs.send(post("a")).await {
            Ok(_) => assert_eq!(expected, 2),
            Err(error) => {
                assert_eq!((error.is_rejected(), error.delivery()), (true, Delivery::Unknown));
                assert_eq!(error.gave_up(), Some(GaveUp::NotSafe));
            }
        }
        assert_eq!(first.begun(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_integration_sent_for_the_call_and_may_repeat_is_not_unsent() {
    // The bank loses a request and waits for its next attempt, when the shop's limit passes.
    let lost = Script::new([Answer::broken(io::ErrorKind::ConnectionReset)]);
    let bank = Integration::background("bank").service(lost.clone());
    let bank = bank.retry(|retry| retry.backoff(Backoff::fixed(secs(5)))).build().unwrap();
    let shop = Integration::user_flow("shop")
        .without_retry()
        .timeout(|timeout| timeout.attempt(millis(200)))
        .service(service_fn(move |request: Request<Body>| {
            let (mut put, bank) =
                (Request::put("http://bank.test/").body(Body::empty()).unwrap(), bank.clone());
            *put.extensions_mut() = request.extensions().clone();
            bank.send(put)
        }))
        .build()
        .unwrap();
    let error = shop.send(post("a")).await.unwrap_err();
    assert_eq!((lost.begun(), error.delivery()), (1, Delivery::Unknown), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_got_another_calls_extensions_is_a_call_of_its_own() {
    let (charges, refunds) =
        (Script::new([Answer::status(200)]), Script::new([Answer::status(200)]));
    let refund = shop(refunds.clone());
    let paid = charges.clone();
    let charge = shop(service_fn(move |request: Request<Body>| {
        let (refund, paid) = (refund.clone(), paid.clone());
        async move {
            let mut back = post("refund");
            *back.extensions_mut() = request.extensions().clone();
            refund.send(back).await.unwrap();
            paid.oneshot(request).await
        }
    }));
    let mut request = post("charge");
    let key = outrigger::IdempotencyKey::new("charge-1").unwrap();
    request.extensions_mut().insert(key);
    charge.send(request).await.unwrap();
    let of = |script: &Script| {
        let request = &script.requests()[0];
        let context = request.extensions().get::<outrigger::context::Context>().unwrap();
        (context.call_id(), request.headers().get("idempotency-key").cloned())
    };
    let ((charge, key), (refund, other)) = (of(&charges), of(&refunds));
    assert_eq!(key.unwrap(), "charge-1");
    assert_ne!(charge, refund, "another call");
    assert!(other.is_none_or(|other| other != "charge-1"), "another key");
}

#[tokio::test(start_paused = true)]
async fn an_integration_that_is_asked_first_and_refuses_leaves_nothing_behind() {
    // A switched-off helper is passed over; what goes out after it goes out.
    let helper = Integration::user_flow("helper").service(Script::new([Answer::status(200)]));
    let helper = helper.build().unwrap();
    helper.kill_switch().set(outrigger::event::SwitchMode::Off, "ada", "");
    let sent = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&sent);
    let shop = Integration::user_flow("shop")
        .without_retry()
        .timeout(|timeout| timeout.attempt(secs(1)))
        .service(service_fn(move |request: Request<Body>| {
            let (helper, counted) = (helper.clone(), Arc::clone(&counted));
            async move {
                let mut first = get();
                *first.extensions_mut() = request.extensions().clone();
                helper.send(first).await.unwrap_err();
                counted.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<Result<Response<Body>, io::Error>>().await
            }
        }))
        .build()
        .unwrap();
    let error = shop.send(post("a")).await.unwrap_err();
    assert_eq!(sent.load(Ordering::SeqCst), 1);
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1), "{error}");
}

#[tokio::test(start_paused = true)]
async fn not_sent_of_another_integrations_call_is_not_of_this_one() {
    let bank = shop(Script::new([refused()]));
    let asks = bank.clone();
    let through = shop(service_fn(move |_: Request<Body>| asks.send(post("another"))));
    let error = through.send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
    // One that is handed the call itself takes it further.
    let error = shop(bank).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::NotSent));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_was_kept_from_another_call_is_none_of_this_one() {
    let kept = shop(Script::new([refused()])).send(post("a")).await.unwrap_err();
    assert_eq!(kept.delivery(), Delivery::NotSent);
    let kept = Arc::new(Mutex::new(Some(kept)));
    let gives = service_fn(move |_: Request<Body>| {
        let kept = kept.lock().unwrap().take();
        std::future::ready(Err::<Response<Body>, _>(kept.expect("it is given once")))
    });
    let error = shop(gives).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
    assert_eq!(error.gave_up(), Some(GaveUp::NotSafe));
}

/// What somebody's middleware makes of an error.
#[derive(Debug)]
struct Wrapped(Box<dyn StdError + Send + Sync>);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wrapped")
    }
}

impl StdError for Wrapped {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

#[tokio::test(start_paused = true)]
async fn a_cover_neither_hides_a_proof_nor_makes_one() {
    let wrap = |error: io::Error| Wrapped(error.into());
    let one = ServiceExt::<Request<Body>>::map_err(Script::new([refused()]), wrap);
    let error = shop(one).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::NotSent));

    let steps = vec![Script::new([Answer::status(200)]), Script::new([refused()])];
    let error = shop(stepping(steps).map_err(wrap)).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));

    let error = shop(foreign(&Arc::default()).map_err(wrap)).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
}

/// Repeats what failed, so many times.
#[derive(Clone)]
struct Again(u32);

impl<R> tower::retry::Policy<Request<Body>, R, io::Error> for Again {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<R, io::Error>,
    ) -> Option<Self::Future> {
        self.0 = self.0.checked_sub(u32::from(result.is_err()))?;
        result.is_err().then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(step(request.extensions()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_not_ours_is_more_than_one_step() {
    let provider = Script::new([Answer::broken(io::ErrorKind::ConnectionReset), refused()]);
    let theirs = tower::retry::Retry::new(Again(1), provider.clone());
    let error = shop(theirs).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::Unknown));
    assert_eq!((error.attempts(), provider.begun()), (1, 2));
    // Where none of them went out, nothing did.
    let provider = Script::new([refused()]);
    let theirs = tower::retry::Retry::new(Again(1), provider.clone());
    let error = shop(theirs).send(post("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.delivery()), (REFUSED, Delivery::NotSent));
    assert_eq!((error.attempts(), provider.begun()), (3, 6));
}

#[tokio::test(start_paused = true)]
async fn a_buffer_in_between_is_no_step() {
    let provider = Script::new([refused(), Answer::status(200)]);
    let buffered = tower::buffer::Buffer::new(provider.clone(), 4);
    assert_eq!(shop(buffered).send(post("a")).await.unwrap().status(), 200);
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_rotates_proves_what_the_one_inside_proves() {
    let counted = Arc::default();
    let client = foreign(&counted);
    let rotating = Rotating::new(move || Ok::<_, io::Error>(client.clone())).unwrap();
    let error = shop(rotating).send(post("a")).await.unwrap_err();
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1));
    let client = SingleHop::new(foreign(&counted));
    let rotating = Rotating::new(move || Ok::<_, io::Error>(client.clone())).unwrap();
    let error = shop(rotating).send(post("a")).await.unwrap_err();
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 3));
}

/// Is never ready.
#[derive(Clone)]
struct Unready;

impl<R> Service<R> for Unready {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = std::future::Pending<io::Result<Response<Body>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn call(&mut self, _: R) -> Self::Future {
        panic!("it was not ready")
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_could_not_become_ready_was_given_nothing() {
    let error = shop(Unready).send(post("a")).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert_eq!(error.attempts(), 0);
    // But one on the way that wasn't ready says nothing of what came before it.
    let later = service_fn(|_: Request<Body>| async {
        let mut inner = IdleTimeoutLayer::new(secs(1)).layer(Unready);
        let ready = poll_fn(|cx| Service::<Request<Body>>::poll_ready(&mut inner, cx));
        ready.await.map(|()| Response::new(Body::empty()))
    });
    let error = shop(later).send(post("a")).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
}

/// Becomes ready once.
#[derive(Clone)]
struct ReadyOnce(Script, Arc<AtomicU32>);

impl Service<Request<Body>> for ReadyOnce {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = <Script as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.1.fetch_add(1, Ordering::SeqCst) {
            0 => Poll::Ready(Ok(())),
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn who_had_queued_here_for_a_service_that_is_not_ready_was_not_sent() {
    let once = ReadyOnce(Script::new([Answer::hang()]), Arc::default());
    let queued = BulkheadLayer::new(1).queue(4).layer(once);
    let service = IdleTimeoutLayer::new(secs(1)).layer(queued);
    let first = begin(service.clone().oneshot(post("a"))).await;
    let second = begin(service.oneshot(post("a"))).await;
    first.abort();
    let error = second.await.unwrap().unwrap_err();
    let reset = ErrorKind::Transport(Fault::Reset);
    assert_eq!((error.kind(), error.delivery()), (reset, Delivery::NotSent));
}

#[tokio::test(start_paused = true)]
async fn a_copy_for_another_integration_is_no_step_of_the_call() {
    let copies = Script::new([Answer::status(200)]);
    let copy = Integration::background("copy").service(copies.clone()).build().unwrap();
    let mirror = MirrorLayer::new(copy, Ratio::percent(100)).choose(|_| true);
    let real = Integration::user_flow("shop").service(Script::new([refused()])).mirror(mirror);
    let error = real.without_retry().build().unwrap().send(post("a")).await.unwrap_err();
    wait(secs(1)).await;
    assert_eq!((error.delivery(), copies.begun()), (Delivery::NotSent, 1));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_says_of_the_call_what_was_proven() {
    let fallback = || FallbackLayer::value(Response::new("later"));
    let told = async |call: Result<Response<Body>, Error>| {
        call.unwrap().extensions().get::<FellBack>().unwrap().delivery
    };
    let foreign = Integration::user_flow("shop").service(foreign(&Arc::default()));
    let shop = foreign.fallback(fallback()).build().unwrap();
    assert_eq!(told(shop.send(post("a")).await).await, Delivery::Unknown);
    let ours = Integration::user_flow("shop").service(Script::new([refused()]));
    let shop = ours.fallback(fallback()).build().unwrap();
    assert_eq!(told(shop.send(post("a")).await).await, Delivery::NotSent);
}

#[tokio::test(start_paused = true)]
async fn of_two_requests_side_by_side_each_proves_itself() {
    // The second is refused while the first is on its way, which then breaks.
    let slow = millis(200);
    for (first, second, expected) in [
        (Answer::broken(io::ErrorKind::ConnectionReset), refused(), Delivery::Unknown),
        (refused(), refused(), Delivery::NotSent),
        (refused(), Answer::broken(io::ErrorKind::ConnectionReset), Delivery::Unknown),
    ] {
        let provider = Script::new([first.after(slow), second]);
        let layer = HedgeLayer::after(millis(50)).budget(RetryBudget::unlimited());
        let error = send(&layer.layer(provider.clone()), get()).await.unwrap_err();
        assert_eq!((error.delivery(), provider.begun()), (expected, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_asks_may_be_repeated_by_whatever_name() {
    // A search with a body (draft-ietf-httpbis-safe-method-w-body).
    let query = || of(Method::from_bytes(b"QUERY").unwrap());
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    assert_eq!(status(&plain().layer(provider), query()).await.unwrap(), 200);
    let provider = Script::new([Answer::hang(), Answer::status(200)]);
    let layer = HedgeLayer::after(millis(50)).budget(RetryBudget::unlimited());
    assert_eq!(status(&layer.layer(provider), query()).await.unwrap(), 200);
    let provider = Script::new([Answer::status(200)]);
    let jobs = Integration::background("shop").service(provider.clone()).build().unwrap();
    let _ = jobs.send(query()).await.unwrap();
    assert_eq!(provider.requests()[0].headers().get("idempotency-key"), None);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_that_nobody_followed_is_no_success() {
    use outrigger::outcome::{Classify, HttpClassifier, Redirected, ResponseHead};
    for code in 300..400 {
        let mut response = Response::new(());
        *response.status_mut() = code.try_into().unwrap();
        let class = HttpClassifier::new().response(&ResponseHead::of(&response));
        let expected = if code == 304 { Class::Success } else { Class::ClientError };
        assert_eq!(class, expected, "{code}");
    }
    assert!(!Class::ClientError.is_failure());
    // Nor is one that somebody followed with a request that was to do something.
    let mut response = Response::new(());
    response.extensions_mut().insert(Redirected);
    let class = HttpClassifier::new().response(&ResponseHead::of(&response));
    assert_eq!(class, Class::ClientError);
    // It is not repeated, and its answer is the caller's.
    let provider = Script::new([Answer::status(301).header("location", "/there")]);
    assert_eq!(shop(provider.clone()).send(keyed_post("a")).await.unwrap().status(), 301);
    assert_eq!(provider.begun(), 1);
}
