//! Handles that were taken before a change still read and control what runs.

use outrigger::event::{BreakerState, Event, SwitchMode};
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::hedge::HedgeLayer;
use outrigger::mirror::MirrorLayer;
use outrigger::testing::{EventRecorder, Script};
use outrigger::{Integration, Ratio};

use crate::call::{answers, apply, failure, get, hangs, hold, once, seconds, status, user_flow};

const OTHERWISE: &str = "
    deadline = '4s'
    circuit_breaker = { window = '1m', minimum = 30 }
    rate_limit = { queue = 5, pause_cap = '1m' }
    bulkhead = { concurrency = 9, queue = 2 }
    mirror = { concurrency = 2 }
    fault_injection = { allow = true, header = 'x-fault' }
    hedge = { at_least = '5ms' }
";

fn crm(provider: &Script) -> Integration {
    Integration::user_flow("crm")
        .fault_injection(FaultInjectionLayer::allow)
        .hedge(HedgeLayer::after(seconds(2)))
        .mirror(MirrorLayer::new(user_flow(&answers(200)), Ratio::ZERO))
        .service(provider.clone())
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_kill_switchs() {
    let crm = crm(&answers(200));
    let switch = crm.kill_switch();
    apply(&crm, OTHERWISE);
    switch.set(SwitchMode::Off, "ada", "");
    assert!(failure(crm.send(get())).await.0.is_rejected());
    switch.set(SwitchMode::On, "ada", "");
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    assert_eq!(switch.rejected(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_breakers() {
    let crm = crm(&answers(500));
    let breaker = crm.breaker();
    apply(&crm, OTHERWISE);
    breaker.force_open();
    assert!(failure(crm.send(get())).await.0.is_rejected());
    breaker.release();
    status(crm.send(once())).await.unwrap();
    assert_eq!((breaker.counts().failed, breaker.counts().rejected), (1, 1));
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_rate_limits_and_the_bulkheads() {
    let crm = crm(&hangs());
    let (rate, bulkhead) = (crm.rate_limit(), crm.bulkhead());
    apply(&crm, OTHERWISE);
    let held = hold(&crm, 11);
    assert_eq!((bulkhead.limit(), bulkhead.in_use(), bulkhead.waiting()), (Some(9), 9, 2));
    drop(held);
    rate.pause(seconds(60));
    assert_eq!(crm.rate_limit().paused_for(), Some(seconds(60)));
    assert!(failure(crm.send(get())).await.0.is_rejected());
    rate.forget();
    assert_eq!(crm.rate_limit().paused_for(), None);
    hold(&crm, 1);
}

#[tokio::test(start_paused = true)]
async fn the_mirrors_and_the_hedges() {
    let crm = crm(&hangs());
    let (mirror, hedge, budget) = (crm.mirror(), crm.hedge(), crm.retry_budget());
    apply(&crm, OTHERWISE);
    mirror.set_share(Ratio::ONE);
    assert_eq!(crm.mirror().share(), Ratio::ONE);
    failure(crm.send(get())).await;
    tokio::time::sleep(seconds(60)).await;
    assert_eq!((mirror.mirrored(), hedge.counts().sent), (1, 1));
    assert_eq!(hedge.counts(), crm.hedge().counts());
    assert_eq!(budget.saved(), crm.retry_budget().saved());
}

#[tokio::test(start_paused = true)]
async fn the_fault_injections() {
    let crm = crm(&answers(200));
    let fault_injection = crm.fault_injection();
    apply(&crm, OTHERWISE);
    fault_injection.start(Plan::new().status(Ratio::ONE, http::StatusCode::GONE)).unwrap();
    assert_eq!(status(crm.send(get())).await.unwrap(), 410);
    assert_eq!(crm.fault_injection().injected(), 1);
    fault_injection.stop();
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_fault_injections_where_they_are_forbidden_and_allowed_again() {
    let events = EventRecorder::new();
    let crm = Integration::user_flow("crm")
        .fault_injection(FaultInjectionLayer::allow)
        .subscriber(events.clone())
        .service(answers(200))
        .build()
        .unwrap();
    let (fault_injection, plan) = (crm.fault_injection(), Plan::new().hang(Ratio::ONE));
    apply(&crm, "fault_injection.allow = false");
    assert!(!fault_injection.is_allowed() && fault_injection.start(plan.clone()).is_err());
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    assert!(!crm.health().is_injecting_faults && fault_injection.plan().is_none());
    assert_eq!(events.count(|event| matches!(event, Event::FaultInjectionChanged { .. })), 0);
    apply(&crm, "fault_injection.allow = true");
    fault_injection.start(plan).unwrap();
    assert!(failure(crm.send(get())).await.0.is_timeout());
    apply(&crm, "fault_injection.allow = false");
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    assert!(!fault_injection.is_on());
}

#[tokio::test(start_paused = true)]
async fn the_fault_injections_that_were_forbidden_at_first() {
    let crm = user_flow(&answers(200));
    let fault_injection = crm.fault_injection();
    assert!(fault_injection.start(Plan::new().hang(Ratio::ONE)).is_err());
    apply(&crm, "fault_injection.allow = true");
    fault_injection.start(Plan::new().hang(Ratio::ONE)).unwrap();
    assert!(failure(crm.send(get())).await.0.is_timeout());
}

#[tokio::test(start_paused = true)]
async fn all_whose_fault_injection_it_is_are_told_of_one_from_a_file() {
    let layer = FaultInjectionLayer::new().allow();
    let _held = layer.handle();
    let listeners = [EventRecorder::new(), EventRecorder::new()];
    let built = listeners.clone().map(|listener| {
        let crm =
            Integration::user_flow("crm").fault_injection(|_| layer.clone()).subscriber(listener);
        crm.service(answers(200)).build().unwrap()
    });
    apply(&built[0], "fault_injection.plan.status = [{ share = '100%', code = 410 }]");
    assert_eq!(status(built[1].send(get())).await.unwrap(), 410);
    let begun = Event::FaultInjectionChanged { on: true };
    assert_eq!(listeners.map(|told| told.count(|event| *event == begun)), [1, 1]);
}
