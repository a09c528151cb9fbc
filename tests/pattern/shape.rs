//! What the shape promises a pattern.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use outrigger::bulkhead::BulkheadLayer;
use outrigger::context::CallDeadline;
use outrigger::deadline::DeadlineLayer;
use outrigger::event::{Emitter, Event, SwitchMode};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::observe::ObserveLayer;
use outrigger::pattern::{self, Attempt, Call, Flow, Next, Pattern, Wire, layers};
use outrigger::retry::RetryLayer;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, BoxError, Delivery, Error, ErrorKind, Integration};
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::provider::{Inside, Provider, Scene};

fn get() -> Request<Full<Bytes>> {
    Request::get("http://crm.test/").body(Full::default()).unwrap()
}

fn slow(parts: &[u64]) -> Scene {
    Scene { parts: parts.to_vec(), ..Scene::good() }
}

/// Ends a call by a limit of its own.
struct Limit(Duration);

impl Pattern for Limit {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let due = call.now() + self.0;
        match call.until(due, next.run(call, attempt)).await {
            Some(flow) => flow,
            None => {
                attempt
                    .play(Response::builder().status(504).body(Full::<W::Data>::default()).unwrap())
                    .await
            }
        }
    }
}

/// Answers 500 with another answer.
struct Instead;

impl Pattern for Instead {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        {
            let mut running = pin!(next.run(call, attempt));
            let held = attempt.head(running.as_mut()).await;
            let is_bad = held.answer(|head| head.status.is_server_error()).unwrap_or(true);
            if !is_bad {
                return held.hand_up().await;
            }
        }
        let body = Full::new(W::Data::from(Bytes::from_static(b"instead")));
        attempt.play(Response::new(body)).await
    }
}

/// Panics where it is asked to.
struct Panics;

impl Pattern for Panics {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        let asked = attempt.request(|request| request.headers().contains_key("x-panic"));
        assert_ne!(asked, Some(true), "as asked");
        next.run(call, attempt).await
    }
}

async fn read<S, R>(service: S, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Error>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>, Error = Error>,
    R: http_body::Body<Data = Bytes, Error = Error>,
{
    let (head, body) = service.oneshot(request).await?.into_parts();
    Ok((head.status, body.collect().await?.to_bytes()))
}

#[tokio::test(start_paused = true)]
async fn a_local_lives_to_the_end_of_the_body() {
    let count = Arc::new(AtomicI64::new(0));
    let provider = Provider::answering([slow(&[10, 10])]);
    let service =
        ServiceBuilder::new().layer(pattern::layer(Inside(Arc::clone(&count)))).service(provider);
    let response = service.oneshot(get()).await.unwrap();
    let mut body = response.into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(count.load(SeqCst), 1, "a part of the body is still to come");
    body.frame().await.unwrap().unwrap();
    assert_eq!(count.load(SeqCst), 0, "the body is over");
}

#[tokio::test(start_paused = true)]
async fn two_limits_share_a_timer_and_the_sooner_one_acts() {
    for (outer, inner, took) in [(30, 80, 30), (80, 30, 30)] {
        let hanging = Scene { head: 1_000, ..Scene::good() };
        let ours = (Limit(Duration::from_millis(outer)), Limit(Duration::from_millis(inner)));
        let service = ServiceBuilder::new()
            .layer(pattern::layer(ours))
            .service(Provider::answering([hanging]));
        let began = Instant::now();
        assert_eq!(read(service, get()).await.unwrap().0, 504);
        assert_eq!(began.elapsed(), Duration::from_millis(took));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_handed_up_is_seen_by_nobody() {
    let bad = Scene { status: Some(500), ..slow(&[10]) };
    let provider = Provider::answering([bad]);
    let service = ServiceBuilder::new().layer(pattern::layer(Instead)).service(provider.clone());
    assert_eq!(read(service.clone(), get()).await.unwrap(), (StatusCode::OK, "instead".into()));
    assert_eq!(provider.open.load(SeqCst), 0, "it is let go of");
    assert_eq!(read(service, get()).await.unwrap(), (StatusCode::OK, "".into()));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_its_callers_and_costs_no_other_call() {
    let count = Arc::new(AtomicI64::new(0));
    let ours = (Inside(Arc::clone(&count)), Panics);
    let service = ServiceBuilder::new().layer(pattern::layer(ours)).service(Provider::default());
    read(service.clone(), get()).await.unwrap();
    let mut request = get();
    request.headers_mut().insert("x-panic", "1".parse().unwrap());
    let call = tokio::spawn(read(service.clone(), request));
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(count.load(SeqCst), 0);
    read(service, get()).await.unwrap();
}

#[test]
fn a_service_outlives_a_runtime() {
    let hanging = || Scene { head: 50, ..Scene::good() };
    let service = ServiceBuilder::new()
        .layer(pattern::layer(Limit(Duration::from_millis(10))))
        .service(Provider::answering([hanging(), hanging()]));
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let status = runtime.block_on(read(service.clone(), get())).unwrap().0;
        assert_eq!(status, 504);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_kept_unread_holds_nothing_past_the_deadline() {
    let count = Arc::new(AtomicI64::new(0));
    let provider = Provider::answering([slow(&[10, 60_000])]);
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(2)))
        .layer(pattern::layer(Inside(Arc::clone(&count))))
        .service(provider.clone());
    let response = service.oneshot(get()).await.unwrap();
    sleep(Duration::from_millis(1_900)).await;
    assert_eq!(count.load(SeqCst), 1);
    sleep(Duration::from_millis(200)).await;
    assert_eq!((count.load(SeqCst), provider.open.load(SeqCst)), (0, 0));
    let error = response.into_body().collect().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_all_here_is_read_late() {
    let provider = Provider::answering([slow(&[0])]);
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(2)))
        .layer(pattern::layer(Inside::default()))
        .service(provider.clone());
    let response = service.oneshot(get()).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(provider.open.load(SeqCst), 0, "nothing is held");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "part");
}

/// Counts how often it is run.
struct Counts(Arc<AtomicI64>);

impl Pattern for Counts {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        self.0.fetch_add(1, SeqCst);
        next.run(call, attempt).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_users_pattern_stands_around_each_call_or_around_each_attempt() {
    let (calls, attempts) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let crm = Integration::user_flow("crm")
        .around_call(Counts(Arc::clone(&calls)))
        .around_attempt(Counts(Arc::clone(&attempts)))
        .service(Script::new([Answer::status(503), Answer::status(200)]))
        .build()
        .unwrap();
    let request = Request::get("http://crm.test/").body(outrigger::Body::empty()).unwrap();
    assert_eq!(crm.send(request).await.unwrap().status(), 200);
    assert_eq!((calls.load(SeqCst), attempts.load(SeqCst)), (1, 2));
}

/// Echoes a request's body, after answers that a script has.
fn echo(
    script: Script,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone + Send
{
    tower::service_fn(move |request: Request<Body>| {
        let script = script.clone();
        async move {
            let (head, body) = request.into_parts();
            let sent = body.bytes().await?;
            let answer = script.oneshot(Request::from_parts(head, Body::empty())).await?;
            Ok(answer.map(|_| Body::from(sent)))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn layers_as_one_stand_in_the_order_of_their_tuple() {
    let script = Script::new([Answer::status(503), Answer::status(200)]);
    let recorder = EventRecorder::new();
    let emitter = Emitter::named("crm").with(recorder.clone());
    let service = ServiceBuilder::new()
        .layer(layers((
            ObserveLayer::call(emitter.clone()),
            DeadlineLayer::new(Duration::from_secs(8)),
            IdempotencyLayer::new(KeyProfile::stripe()),
            RetryLayer::new().max_attempts(2),
            ObserveLayer::attempt(emitter),
            TimeoutLayer::new().attempt(Duration::from_secs(3)),
        )))
        .service(echo(script.clone()));
    let request = Request::post("http://crm.test/").body(Body::from("order 1042")).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    // Retry stands outside the attempt's observer and inside the call's; the key inside neither, so
    // the POST was repeated, and its body sent again.
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "order 1042");
    let calls = recorder.count(|event| matches!(event, Event::CallStarted));
    let attempts = recorder.count(|event| matches!(event, Event::AttemptStarted));
    assert_eq!((calls, attempts, script.begun()), (1, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn layers_as_one_have_one_deadline_and_free_what_they_hold() {
    let script = Script::new([Answer::hang(), Answer::status(200)]);
    let bulkhead = BulkheadLayer::new(1);
    let handle = bulkhead.handle();
    let service = ServiceBuilder::new()
        .layer(layers((DeadlineLayer::new(Duration::from_secs(2)), bulkhead)))
        .service(echo(script));
    let began = Instant::now();
    let error = service.clone().oneshot(Request::new(Body::empty())).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!((began.elapsed(), handle.in_use()), (Duration::from_secs(2), 0));
    let again = service.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
}

/// Waits before it sends.
struct Waits(Duration);

impl Pattern for Waits {
    async fn around<W: Wire>(
        &self,
        call: &Call,
        attempt: &Attempt<W>,
        next: &impl Next<W>,
    ) -> Flow {
        call.sleep(self.0).await;
        next.run(call, attempt).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_stopped_while_a_pattern_waits_is_not_sent() {
    let script = Script::new([Answer::status(200)]);
    let crm = Integration::user_flow("crm")
        .around_attempt(Waits(Duration::from_secs(2)))
        .service(script.clone())
        .build()
        .unwrap();
    let request = Request::get("http://crm.test/").body(Body::empty()).unwrap();
    let call = tokio::spawn(crm.send(request));
    sleep(Duration::from_secs(1)).await;
    crm.kill_switch().set(SwitchMode::Off, "ada", "they charge twice");
    let error = call.await.unwrap().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Rejected(_)), "{error}");
    assert_eq!((error.delivery(), script.begun()), (Delivery::NotSent, 0));
}

/// A body that counts how often it is asked for a frame.
struct Asked(Arc<AtomicI64>);

impl http_body::Body for Asked {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        self.0.fetch_add(1, SeqCst);
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(b"x")))))
    }
}

#[tokio::test(start_paused = true)]
async fn an_unread_answer_is_read_at_its_own_deadline_and_at_no_other() {
    let asked = Arc::new(AtomicI64::new(0));
    let provider = tower::service_fn({
        let asked = Arc::clone(&asked);
        move |_: Request<Full<Bytes>>| {
            std::future::ready(Ok::<_, Error>(Response::new(Asked(Arc::clone(&asked)))))
        }
    });
    let mut service = ServiceBuilder::new().layer(DeadlineLayer::inherited()).service(provider);
    let mut send = async |deadline: Option<u64>| {
        let mut request = get();
        if let Some(seconds) = deadline {
            request.extensions_mut().insert(CallDeadline::after(Duration::from_secs(seconds)));
        }
        service.ready().await.unwrap().call(request).await.unwrap()
    };
    // One after the other, in the same memory.
    drop(send(Some(1)).await);
    let no_deadline = send(None).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(asked.load(SeqCst), 0, "nobody read it, and it has no deadline");
    drop(no_deadline);
    drop(send(Some(3_600)).await);
    let short = send(Some(2)).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(asked.load(SeqCst), 0, "its deadline has not come");
    sleep(Duration::from_secs(2)).await;
    assert!(asked.load(SeqCst) > 0, "an unread answer is ended at its deadline");
    drop(short);
}
