//! Handles that were taken from a layer before an integration was built with it.

use std::borrow::Cow;

use http::StatusCode;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::context::RequestHead;
use outrigger::event::{BreakerState, Event, SwitchMode};
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::hedge::HedgeLayer;
use outrigger::integration::Service;
use outrigger::kill_switch::{KillSwitchHandle, KillSwitchLayer};
use outrigger::mirror::MirrorLayer;
use outrigger::rate_limit::RateLimitLayer;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Integration, IntegrationBuilder, Ratio};

use crate::call::{get, millis, read, seconds};

fn crm() -> IntegrationBuilder<Service<Script>> {
    Integration::user_flow("crm").service(Script::new([Answer::status(200)]))
}

fn host<'a>(head: &RequestHead<'a>) -> Cow<'a, str> {
    head.uri.host().unwrap_or_default().into()
}

async fn is_refused(integration: &Integration) -> bool {
    read(integration.send(get())).await.is_err_and(|error| error.is_rejected())
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_a_switch_that_was_given_moves_the_integrations() {
    let layer = KillSwitchLayer::new();
    let switch = layer.handle();
    let crm = crm().kill_switch(|_| layer.clone()).build().unwrap();
    switch.set(SwitchMode::Off, "ada", "wrong invoices");
    assert!(is_refused(&crm).await);
    assert_eq!((crm.kill_switch().position().who(), switch.rejected()), (Some("ada"), 1));
    crm.kill_switch().set(SwitchMode::On, "bob", "mended");
    assert_eq!(switch.position().who(), Some("bob"));
    layer.handle().set(SwitchMode::Off, "ada", "not quite");
    assert!(is_refused(&crm).await, "a handle that is taken later is one of the same switch");
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_was_taken_while_it_was_built_moves_the_integrations() {
    let mut taken = None::<KillSwitchHandle>;
    let builder = crm().kill_switch(|switch| {
        taken = Some(switch.handle());
        switch
    });
    let crm = builder.build().unwrap();
    taken.unwrap().set(SwitchMode::Off, "ada", "wrong invoices");
    assert!(is_refused(&crm).await);
}

#[tokio::test(start_paused = true)]
async fn one_switch_of_several_integrations_moves_them_all_and_all_their_listeners_are_told() {
    let layer = KillSwitchLayer::new();
    let switch = layer.handle();
    let listeners = [EventRecorder::new(), EventRecorder::new()];
    let built = listeners
        .clone()
        .map(|listener| crm().kill_switch(|_| layer.clone()).subscriber(listener).build().unwrap());
    switch.set(SwitchMode::Off, "ada", "wrong invoices");
    for (integration, listener) in built.iter().zip(&listeners) {
        assert_eq!(integration.kill_switch().mode(), SwitchMode::Off);
        let changed = Event::KillSwitchChanged { from: SwitchMode::On, to: SwitchMode::Off };
        assert_eq!(listener.events(), [changed]);
    }
    built[0].kill_switch().set(SwitchMode::On, "ada", "mended");
    assert_eq!(listeners.map(|listener| listener.events().len()), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn two_of_one_builder_have_a_switch_each_unless_a_handle_of_it_was_taken() {
    let builder = crm().kill_switch(|_| KillSwitchLayer::new());
    let (first, second) = (builder.clone().build().unwrap(), builder.clone().build().unwrap());
    first.kill_switch().set(SwitchMode::Off, "ada", "");
    assert_eq!(second.kill_switch().mode(), SwitchMode::On);
    assert_eq!(builder.build().unwrap().kill_switch().mode(), SwitchMode::On);
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_a_breaker_that_was_given_forces_the_integrations() {
    let (layer, listener) = (CircuitBreakerLayer::new(), EventRecorder::new());
    let breaker = layer.handle();
    let crm = crm().breaker(|_| layer).subscriber(listener.clone()).build().unwrap();
    breaker.force_open();
    assert!(is_refused(&crm).await);
    let opened = Event::BreakerChanged { from: BreakerState::Closed, to: BreakerState::Open };
    assert_eq!(listener.events()[0], opened);
    assert_eq!((crm.breaker().forced(), breaker.counts().rejected), (breaker.forced(), 1));
    crm.breaker().release();
    assert_eq!(breaker.forced(), None);
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_keyed_breakers_that_were_given_knows_the_integrations_keys() {
    let layer = CircuitBreakerLayer::new().keyed(8, seconds(60), host);
    let breakers = layer.keyed_handle().unwrap();
    let crm = crm().breaker(|_| layer).build().unwrap();
    assert!(!is_refused(&crm).await);
    breakers.get("crm.test").unwrap().force_open();
    assert!(is_refused(&crm).await);
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_a_rate_limit_that_was_given_stops_the_integrations_calls() {
    let (layer, listener) = (RateLimitLayer::new(100, seconds(1)), EventRecorder::new());
    let limit = layer.handle();
    let crm = crm().rate_limit(|_| layer.clone()).subscriber(listener.clone()).build().unwrap();
    limit.pause(seconds(60));
    assert!(is_refused(&crm).await);
    assert_eq!(listener.events()[0], Event::RateLimitPaused { pause: seconds(60) });
    assert_eq!((limit.rejected(), crm.rate_limit().paused_for()), (1, Some(seconds(60))));
    layer.handle().forget();
    assert!(!is_refused(&crm).await);
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_a_fault_injection_that_was_given_ends_the_integrations() {
    let (layer, listener) = (FaultInjectionLayer::new().allow(), EventRecorder::new());
    let fault_injection = layer.handle();
    let broken = || Plan::new().status(Ratio::ONE, StatusCode::GONE);
    fault_injection.start(broken()).unwrap();
    let crm = crm().fault_injection(|_| layer).subscriber(listener.clone()).build().unwrap();
    assert_eq!(read(crm.send(get())).await.unwrap().status(), StatusCode::GONE);
    fault_injection.stop();
    assert_eq!(listener.events().last(), Some(&Event::FaultInjectionChanged { on: false }));
    assert_eq!(read(crm.send(get())).await.unwrap().status(), StatusCode::OK);
    crm.fault_injection().start(broken()).unwrap();
    assert!(fault_injection.is_on() && fault_injection.injected() == 1);
}

#[tokio::test(start_paused = true)]
async fn handles_that_only_read_and_a_mirrors_share_are_the_integrations_too() {
    let bulkhead = BulkheadLayer::new(2);
    let hedge = HedgeLayer::after(millis(100));
    let mirror = MirrorLayer::new(crm().build().unwrap(), Ratio::ONE);
    let (places, seconds, copies) = (bulkhead.handle(), hedge.handle(), mirror.handle());
    copies.set_share(Ratio::ZERO);
    let slow = Script::new([Answer::status(200).after(millis(300))]);
    let crm = Integration::user_flow("crm").service(slow);
    let crm = crm.bulkhead(|_| bulkhead).hedge(hedge).mirror(mirror).build().unwrap();
    let call = tokio::spawn(read(crm.send(get())));
    tokio::time::sleep(millis(50)).await;
    assert_eq!(places.in_use(), 1);
    call.await.unwrap().unwrap();
    assert_eq!((seconds.counts().sent, crm.mirror().share()), (1, Ratio::ZERO));
    copies.set_share(Ratio::ONE);
    assert_eq!(crm.mirror().share(), Ratio::ONE);
}

#[tokio::test(start_paused = true)]
async fn two_of_one_builder_share_nothing_of_what_nobody_has_a_handle_of() {
    let builder = crm()
        .breaker(|_| CircuitBreakerLayer::new())
        .rate_limit(|_| RateLimitLayer::new(100, seconds(1)))
        .bulkhead(|_| BulkheadLayer::new(2))
        .fault_injection(FaultInjectionLayer::allow);
    let first = builder.clone().build().unwrap();
    first.breaker().force_open();
    first.rate_limit().pause(seconds(60));
    first.fault_injection().start(Plan::new().status(Ratio::ONE, StatusCode::GONE)).unwrap();
    let second = builder.build().unwrap();
    assert_eq!(read(second.send(get())).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_build_that_failed_leaves_a_layer_to_the_next_one() {
    let layers = (KillSwitchLayer::new(), FaultInjectionLayer::new().allow());
    let builder = crm().kill_switch(|_| layers.0.clone()).fault_injection(|_| layers.1.clone());
    let failed = builder.clone().retry(|retry| retry.max_attempts(0)).build();
    assert!(failed.is_err());
    let (switch, fault_injection) = (layers.0.handle(), layers.1.handle());
    let crm = builder.build().unwrap();
    fault_injection.start(Plan::new().status(Ratio::ONE, StatusCode::GONE)).unwrap();
    assert_eq!(read(crm.send(get())).await.unwrap().status(), StatusCode::GONE);
    switch.set(SwitchMode::Off, "ada", "wrong invoices");
    assert!(is_refused(&crm).await);
}
