//! Faults that come together.

use http::{HeaderValue, StatusCode};
use outrigger::event::InjectedFault;
use outrigger::fault_injection::Plan;
use outrigger::retry::RetryBudget;
use outrigger::timeout::TimeoutLayer;
use tower::Layer;

use super::{ALL, Injecting, told};
use crate::call::{fetch, get, status};
use crate::clock::{secs, timed};
use crate::retry::plain;

#[tokio::test(start_paused = true)]
async fn a_late_answer_may_have_a_slow_body_too() {
    let plan = Plan::new().latency(ALL, secs(2), secs(2)).slow_body(ALL, secs(1));
    let Injecting { service, events, provider, .. } = Injecting::plan(plan);
    let (took, body) = timed(fetch(&service, get())).await;
    assert_eq!((took, &body.unwrap()[..]), (secs(3), &b"the real one"[..]));
    assert_eq!(events.events(), told(&[InjectedFault::Latency, InjectedFault::SlowBody]));
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_ours_may_be_late_and_slow() {
    let plan = Plan::new()
        .latency(ALL, secs(2), secs(2))
        .answer(ALL, "no", HeaderValue::from_static("text/plain"))
        .slow_body(ALL, secs(1));
    let Injecting { service, events, provider, .. } = Injecting::plan(plan);
    let (took, body) = timed(fetch(&service, get())).await;
    assert_eq!((took, &body.unwrap()[..]), (secs(3), &b"no"[..]));
    let faults = [InjectedFault::Latency, InjectedFault::Answer, InjectedFault::SlowBody];
    assert_eq!((events.events(), provider.begun()), (told(&faults), 0));
}

#[tokio::test(start_paused = true)]
async fn a_reset_comes_late_where_latency_is_drawn_too() {
    let plan = Plan::new().latency(ALL, secs(2), secs(2)).reset(ALL).slow_body(ALL, secs(1));
    let Injecting { service, events, handle, .. } = Injecting::plan(plan);
    let (took, result) = timed(status(&service, get())).await;
    assert!(result.is_err());
    assert_eq!((took, handle.injected()), (secs(2), 2));
    assert_eq!(events.events(), told(&[InjectedFault::Latency, InjectedFault::Reset]));
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_its_call_did_not_live_to_see_is_not_told() {
    let plan = Plan::new().latency(ALL, secs(2), secs(2)).reset(ALL);
    let Injecting { service, events, .. } = Injecting::plan(plan);
    let service = TimeoutLayer::new().attempt(secs(1)).layer(service);
    assert!(status(&service, get()).await.unwrap_err().is_timeout());
    assert_eq!(events.events(), told(&[InjectedFault::Latency]));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_of_a_call_is_injected() {
    let plan = Plan::new().status(ALL, StatusCode::BAD_GATEWAY);
    let Injecting { service, handle, provider, .. } = Injecting::plan(plan);
    let retry = plain().max_attempts(3).budget(RetryBudget::unlimited());
    assert_eq!(status(&retry.layer(service), get()).await.unwrap(), 502);
    assert_eq!((handle.injected(), provider.begun()), (3, 0));
}
