//! Each fault looks like the real thing.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use outrigger::event::InjectedFault;
use outrigger::fault_injection::{FaultInjectionLayer, Injected, Plan};
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::outcome::{Fault, Phase};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Delivery, ErrorKind};
use tower::Layer;

use super::{ALL, Injecting, told};
use crate::call::{fetch, get, send, status};
use crate::clock::{millis, secs, timed};
use crate::provider::{Streaming, streamed};

#[tokio::test(start_paused = true)]
async fn a_status_is_answered_at_once_and_nothing_is_sent() {
    let plan = Plan::new().status(ALL, StatusCode::SERVICE_UNAVAILABLE);
    let Injecting { provider, service, handle, events } = Injecting::plan(plan);
    let (took, response) = timed(send(&service, get())).await;
    let response = response.unwrap();
    let fault = InjectedFault::Status(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((response.status().as_u16(), took), (503, millis(0)));
    assert_eq!(response.extensions().get::<Injected>().unwrap().fault(), fault);
    assert!(response.body().is_end_stream());
    assert_eq!((provider.begun(), handle.injected()), (0, 1));
    assert_eq!(events.events(), told(&[fault]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_a_success_with_a_body_of_ours() {
    let json = HeaderValue::from_static("application/json");
    let plan = Plan::new().answer(ALL, r#"{"ok":false}"#, json);
    let Injecting { provider, service, events, .. } = Injecting::plan(plan);
    let response = send(&service, get()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(response.extensions().get::<Injected>().unwrap().fault(), InjectedFault::Answer);
    assert_eq!(response.body().size_hint().exact(), Some(12));
    assert!(!response.body().is_end_stream());
    assert_eq!(fetch(&service, get()).await.unwrap(), r#"{"ok":false}"#);
    assert_eq!(provider.begun(), 0);
    assert_eq!(events.events(), told(&[InjectedFault::Answer, InjectedFault::Answer]));
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_a_transport_fault_after_which_nobody_knows() {
    let Injecting { provider, service, events, .. } = Injecting::plan(Plan::new().reset(ALL));
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 1));
    assert_eq!(error.to_string(), "crm: connection reset by api.example:443: injected");
    assert_eq!((error.integration(), error.call_id().is_some()), (Some("crm"), true));
    assert_eq!(provider.begun(), 0);
    assert_eq!(events.events(), told(&[InjectedFault::Reset]));
}

#[tokio::test(start_paused = true)]
async fn a_hang_is_cut_by_the_limit_further_out() {
    let Injecting { provider, service, events, .. } = Injecting::plan(Plan::new().hang(ALL));
    let service = TimeoutLayer::new().attempt(secs(2)).layer(service);
    let (took, result) = timed(status(&service, get())).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!((took, provider.begun()), (secs(2), 0));
    assert_eq!(events.events(), told(&[InjectedFault::Hang]));
}

#[tokio::test(start_paused = true)]
async fn latency_sends_late_and_gives_the_real_answer() {
    let plan = Plan::new().latency(ALL, millis(200), secs(4));
    let Injecting { provider, service, handle, events } = Injecting::plan(plan);
    let mut times = Vec::new();
    for sent in 1..=20 {
        let (took, response) = timed(send(&service, get())).await;
        assert!((millis(200)..=millis(4_001)).contains(&took), "{took:?}");
        assert!(response.unwrap().extensions().get::<Injected>().is_none());
        assert_eq!(provider.begun(), sent);
        times.push(took);
    }
    times.sort();
    assert!(times[19] - times[0] > secs(1), "they are drawn: {times:?}");
    assert_eq!(handle.injected(), 20);
    assert_eq!(events.events(), told(&[InjectedFault::Latency; 20]));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_is_late_is_never_sent() {
    let plan = Plan::new().latency(ALL, secs(1), secs(1));
    let Injecting { provider, service, .. } = Injecting::plan(plan);
    assert!(crate::clock::within(millis(999), status(&service, get())).await.is_none());
    crate::clock::wait(secs(5)).await;
    assert_eq!(provider.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_pauses_before_each_frame_and_keeps_what_is_in_it() {
    let layer = FaultInjectionLayer::new().allow().plan(Plan::new().slow_body(ALL, millis(100)));
    let service = layer.layer(Streaming::new([streamed(&["one ", "two ", "three"])]));
    let (took, head) = timed(send(&service, get())).await;
    assert_eq!(took, millis(0), "only the body is slow");
    let whole = http_body_util::BodyExt::collect(head.unwrap().into_body());
    let (took, body) = timed(whole).await;
    assert_eq!((took, &body.unwrap().to_bytes()[..]), (millis(400), &b"one two three"[..]));
    assert_eq!(layer.handle().injected(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_of_a_known_length_has_one_pause_and_no_body_has_none() {
    let plan = Plan::new().slow_body(ALL, secs(1));
    let Injecting { provider, service, events, .. } = Injecting::plan(plan);
    assert_eq!(timed(fetch(&service, get())).await.0, secs(1));
    assert_eq!(events.events(), told(&[InjectedFault::SlowBody]));
    provider.set(outrigger::testing::Answer::status(204));
    assert_eq!(timed(fetch(&service, get())).await.0, secs(0));
    assert_eq!(events.events().len(), 1, "there was nothing to be slow with");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_slow_falls_silent_for_the_limit_further_out() {
    let Injecting { service, .. } = Injecting::plan(Plan::new().slow_body(ALL, secs(4)));
    let service = IdleTimeoutLayer::new(secs(3)).layer(service);
    let (took, result) = timed(fetch(&service, get())).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout(Phase::BodyIdle));
    assert_eq!(took, secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_that_breaks_breaks_as_it_would_have() {
    let layer = FaultInjectionLayer::new().allow().plan(Plan::new().slow_body(ALL, millis(1)));
    let (pipe, body) = crate::provider::piped();
    pipe.break_off();
    let service = layer.layer(Streaming::new([body]));
    let error = fetch(&service, get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset));
    assert_eq!(error.delivery(), Delivery::Answered);
}
