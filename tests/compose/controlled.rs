//! The one order, by what can be seen of the slots that decide: the switch, copies, second requests,
//! turns, faults and fallbacks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderValue, Method, Response};
use outrigger::backoff::Backoff;
use outrigger::event::{Event, SwitchMode};
use outrigger::fallback::{FallbackLayer, FallbackRecord, FallbackRecorder};
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::integration::OwnClient;
use outrigger::mirror::MirrorLayer;
use outrigger::outcome::{Phase, Rejection};
use outrigger::rate_limit::OnLimit;
use outrigger::retry::RetryBudget;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{ErrorKind, Integration, IntegrationBuilder, Ratio};

use crate::call::{failure, get, once, poll_once, post, read, request, seconds, spend, status};
use crate::provider::{Provider, Reply};

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<FallbackRecord>>>);

impl FallbackRecorder for Records {
    fn record(&self, record: FallbackRecord) {
        self.0.lock().unwrap().push(record);
    }
}

fn user_flow() -> IntegrationBuilder<OwnClient> {
    Integration::user_flow("crm")
}

fn background() -> IntegrationBuilder<OwnClient> {
    Integration::background("crm")
        .retry(|retry| retry.backoff(Backoff::fixed(seconds(1))).budget(RetryBudget::unlimited()))
}

fn falling_back(to: &Records) -> FallbackLayer {
    FallbackLayer::value(Response::new("{}")).record_to(to.clone())
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_a_call_that_is_late() {
    let crm = user_flow()
        .timeout(|_| TimeoutLayer::new())
        .fallback(falling_back(&Records::default()))
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    assert_eq!(status(crm.send(get())).await, (200, seconds(8)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_stopped_is_recorded_under_the_key_that_its_profile_finds() {
    let records = Records::default();
    let crm = user_flow()
        .fallback(falling_back(&records))
        .idempotency(IdempotencyLayer::new(KeyProfile::paypal()))
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    crm.kill_switch().set(SwitchMode::FallbackOnly, "ada", "");
    let mut order = post();
    order.headers_mut().insert("paypal-request-id", HeaderValue::from_static("order-7"));
    assert_eq!(status(crm.send(order)).await, (200, Duration::ZERO));
    assert_eq!(records.0.lock().unwrap()[0].idempotency_key.as_deref(), Some("order-7"));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_has_its_own_time_after_the_deadline() {
    let later = FallbackLayer::async_function(|_| async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Some(Response::new("{}".into()))
    });
    let crm = user_flow().timeout(|_| TimeoutLayer::new()).fallback(later);
    let crm = crm.service(Script::new([Answer::hang()])).build().unwrap();
    assert_eq!(status(crm.send(get())).await, (200, Duration::from_millis(8_500)));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_what_the_switch_stops_unless_it_is_off() {
    let provider = Script::new([Answer::status(200).body("real")]);
    let crm = user_flow().fallback(falling_back(&Records::default())).service(provider.clone());
    let crm = crm.build().unwrap();
    crm.kill_switch().set(SwitchMode::FallbackOnly, "ada", "");
    assert_eq!(read(crm.send(get())).await.unwrap().body(), "{}");
    crm.kill_switch().set(SwitchMode::Off, "ada", "");
    let (error, _) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
    assert_eq!(provider.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_switch_stops_gets_no_key_and_is_not_waited_for() {
    let records = Records::default();
    let provider = Script::new([Answer::status(500)]);
    let crm = background().fallback(falling_back(&records)).service(provider.clone());
    let crm = crm.build().unwrap();
    read(crm.send(post())).await.unwrap();
    let begun = provider.begun();
    crm.kill_switch().set(SwitchMode::FallbackOnly, "ada", "");
    // Were the switch inside of retry, a job would wait until it is back on.
    assert_eq!(status(crm.send(post())).await, (200, Duration::ZERO));
    assert_eq!(provider.begun(), begun);
    let records = records.0.lock().unwrap();
    assert!(records[0].idempotency_key.is_some());
    assert_eq!((&records[1].idempotency_key, records[1].attempts), (&None, 0));
}

#[tokio::test(start_paused = true)]
async fn what_the_switch_stops_saves_no_retries_and_is_nothing_to_the_breaker() {
    let crm = user_flow().service(Script::new([Answer::status(200)])).build().unwrap();
    spend(&crm.retry_budget()).await;
    crm.kill_switch().set(SwitchMode::Off, "ada", "");
    for _ in 0..50 {
        failure(crm.send(get())).await;
    }
    assert_eq!((crm.retry_budget().saved(), crm.breaker().counts().calls), (Some(0), 0));
    assert_eq!(crm.kill_switch().rejected(), 50);
}

#[tokio::test(start_paused = true)]
async fn without_retries_there_are_no_second_requests_either() {
    let provider = Script::new([Answer::status(500).after(seconds(2))]);
    let crm = user_flow().hedge(HedgeLayer::after(seconds(1))).service(provider.clone());
    let crm = crm.build().unwrap();
    crm.kill_switch().set(SwitchMode::NoRetries, "ada", "");
    assert_eq!(status(crm.send(get())).await, (500, seconds(2)));
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_copy_has_no_key_and_is_sent_once_however_often_the_real_one_is() {
    let copies = Script::new([Answer::status(500)]);
    let target = user_flow().without_retry().service(copies.clone()).build().unwrap();
    let answers = [Answer::status(500), Answer::status(500), Answer::status(200)];
    let provider = Script::new(answers);
    let crm = background()
        .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
        // Who chooses sees the call before it has a key.
        .mirror(
            MirrorLayer::new(target, Ratio::ONE)
                .choose(|head| !head.headers.contains_key("idempotency-key")),
        )
        .service(provider.clone())
        .build()
        .unwrap();
    read(crm.send(post())).await.unwrap();
    tokio::time::sleep(seconds(60)).await;
    assert_eq!((provider.begun(), copies.begun(), crm.mirror().mirrored()), (3, 1, 1));
    let (real, copy) = (&provider.requests()[0], &copies.requests()[0]);
    assert!(real.headers().contains_key("idempotency-key"));
    assert!(!copy.headers().contains_key("idempotency-key"));
    assert_eq!(copy.headers()["x-request-id"], real.headers()["x-request-id"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_has_no_key_of_its_callers_under_whatever_header_the_provider_wants_it() {
    let copies = Script::new([Answer::status(200)]);
    // It hands keys on, and makes none.
    let target = user_flow().service(copies.clone()).build().unwrap();
    let provider = Script::new([Answer::status(200)]);
    let crm = user_flow()
        .mirror(MirrorLayer::new(target, Ratio::ONE).choose(|_| true))
        .idempotency(IdempotencyLayer::new(KeyProfile::paypal()))
        .service(provider.clone())
        .build()
        .unwrap();
    let mut request = post();
    request.headers_mut().insert("paypal-request-id", HeaderValue::from_static("charge-1"));
    read(crm.send(request)).await.unwrap();
    tokio::time::sleep(seconds(60)).await;
    let (real, copy) = (&provider.requests()[0], &copies.requests()[0]);
    assert_eq!(real.headers()["paypal-request-id"], "charge-1");
    assert!(!copy.headers().contains_key("paypal-request-id"));
}

#[tokio::test(start_paused = true)]
async fn a_share_of_copies_that_have_nowhere_to_go_does_nothing() {
    let events = EventRecorder::new();
    let crm = user_flow().subscriber(events.clone());
    let crm = crm.service(Script::new([Answer::status(200)])).build().unwrap();
    crm.mirror().set_share(Ratio::ONE);
    assert_eq!(status(crm.send(get())).await.0, 200);
    tokio::time::sleep(seconds(1)).await;
    let told = |event: &Event| matches!(event, Event::Mirrored { .. } | Event::MirrorSkipped);
    assert_eq!((crm.mirror().mirrored(), crm.mirror().skipped(), events.count(told)), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_the_switch_stops_is_not_copied() {
    let copies = Script::new([Answer::status(200)]);
    let target = user_flow().service(copies.clone()).build().unwrap();
    let crm = user_flow()
        .mirror(MirrorLayer::new(target, Ratio::ONE))
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap();
    crm.kill_switch().set(SwitchMode::Off, "ada", "");
    failure(crm.send(get())).await;
    tokio::time::sleep(seconds(60)).await;
    assert_eq!((copies.begun(), crm.mirror().mirrored(), crm.mirror().skipped()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_second_request_and_a_retry_come_out_of_one_budget() {
    let hung = |budget: RetryBudget| {
        let provider = Script::new([Answer::hang()]);
        let crm = user_flow()
            .retry(|retry| retry.budget(budget))
            .hedge(HedgeLayer::after(seconds(1)))
            .service(provider.clone())
            .build()
            .unwrap();
        (crm, provider)
    };
    let (crm, provider) = hung(RetryBudget::new(Ratio::ZERO, 1).burst(0));
    failure(crm.send(get())).await;
    assert_eq!(provider.begun(), 2, "the second request took what there was");
    // With more than enough, the first attempt is doubled, and the retry is not.
    let (crm, provider) = hung(RetryBudget::unlimited());
    failure(crm.send(get())).await;
    assert_eq!((provider.begun(), crm.hedge().counts().sent), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_spends_no_quota_and_does_not_queue_for_it() {
    let provider = Script::new([Answer::status(200)]);
    let crm = user_flow()
        .rate_limit(|limit| limit.requests(1, seconds(100)).on_limit(OnLimit::Shape))
        .service(provider.clone())
        .build()
        .unwrap();
    crm.breaker().force_open();
    for _ in 0..5 {
        let (error, took) = failure(crm.send(get())).await;
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
        assert_eq!(took, Duration::ZERO);
    }
    assert_eq!((crm.rate_limit().waiting(), crm.rate_limit().rejected()), (0, 0));
    crm.breaker().release();
    assert_eq!(status(crm.send(get())).await, (200, Duration::ZERO), "its turn is there yet");
}

#[tokio::test(start_paused = true)]
async fn a_refused_turn_says_nothing_about_the_provider() {
    let crm = user_flow()
        .rate_limit(|limit| limit.requests(1, seconds(100)))
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap();
    read(crm.send(get())).await.unwrap();
    for _ in 0..30 {
        let (error, _) = failure(crm.send(get())).await;
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::RateLimited));
    }
    assert_eq!((crm.breaker().counts().calls, crm.breaker().counts().failed), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_turn_holds_no_place() {
    let provider = Script::new([Answer::status(200)]);
    let crm = user_flow()
        .bulkhead(|bulkhead| bulkhead.concurrency(1))
        .rate_limit(|limit| limit.requests(1, seconds(2)).max_wait(seconds(3)))
        .service(provider.clone())
        .build()
        .unwrap();
    read(crm.send(get())).await.unwrap();
    let mut waiting = crm.send(get());
    assert!(poll_once(&mut waiting).is_pending());
    assert_eq!((crm.rate_limit().waiting(), crm.bulkhead().in_use()), (1, 0));
    read(waiting).await.unwrap();
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_injected_fault_meets_the_limits_as_a_real_one_would() {
    let injecting = |plan: Plan| {
        let provider = Provider::new([Reply::status(200).frames(2, Duration::ZERO)]);
        let crm = user_flow().fault_injection(|fault_injection| fault_injection.allow().plan(plan));
        crm.service(provider).build().unwrap()
    };
    let late = injecting(Plan::new().latency(Ratio::ONE, seconds(5), seconds(5)));
    let (error, took) = failure(late.send(once())).await;
    assert_eq!((error.kind(), took), (ErrorKind::Timeout(Phase::Attempt), seconds(3)));
    assert_eq!(late.breaker().counts().failed, 1);
    let hung = injecting(Plan::new().hang(Ratio::ONE));
    assert_eq!(failure(hung.send(once())).await.1, seconds(3));
    let slow = injecting(Plan::new().slow_body(Ratio::ONE, seconds(4)));
    let (error, took) = failure(slow.send(once())).await;
    assert_eq!((error.kind(), took), (ErrorKind::Timeout(Phase::BodyIdle), seconds(3)));
    let failing = injecting(Plan::new().status(Ratio::ONE, http::StatusCode::BAD_GATEWAY));
    assert_eq!(read(failing.send(get())).await.unwrap().status(), 502);
    assert_eq!(failing.breaker().counts().failed, 2, "and is tried again");
}

#[tokio::test(start_paused = true)]
async fn a_fault_injection_is_not_for_what_never_goes_out() {
    let crm = user_flow()
        .fault_injection(FaultInjectionLayer::allow)
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap();
    crm.fault_injection().start(Plan::new().hang(Ratio::ONE)).unwrap();
    crm.breaker().force_open();
    assert_eq!(failure(crm.send(get())).await.1, Duration::ZERO);
    assert_eq!(crm.fault_injection().injected(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_correlation_id_is_on_attempts_second_requests_copies_and_records() {
    let (records, copies) = (Records::default(), Script::new([Answer::status(200)]));
    let target = user_flow().service(copies.clone()).build().unwrap();
    let provider = Script::new([Answer::status(500).after(seconds(2))]);
    let crm = user_flow()
        .hedge(HedgeLayer::after(seconds(1)))
        .mirror(MirrorLayer::new(target, Ratio::ONE))
        .fallback(falling_back(&records))
        .service(provider.clone())
        .build()
        .unwrap();
    let mut asked = request(Method::GET);
    asked.headers_mut().insert("x-request-id", http::HeaderValue::from_static("abc-123"));
    assert_eq!(status(crm.send(asked)).await.0, 200);
    crm.kill_switch().set(SwitchMode::Off, "ada", "");
    tokio::time::sleep(seconds(60)).await;
    let (seen, copied) = (provider.requests(), copies.requests());
    assert!(seen.len() >= 3, "an attempt, its second and a retry");
    for request in seen.iter().chain(&copied) {
        assert_eq!(request.headers()["x-request-id"], "abc-123");
    }
    assert_eq!(copied.len(), 1);
    let record = records.0.lock().unwrap()[0].correlation_id.clone();
    assert_eq!(record.map(|id| id.as_str().to_owned()), Some("abc-123".into()));
    let (stopped, _) = failure(crm.send(get())).await;
    assert!(stopped.correlation_id().is_some());
}
