use std::time::Duration;

use outrigger::Integration;
use outrigger::control::{ControlError, Registry, Status};
use outrigger::event::BreakerState::Open;
use outrigger::event::SwitchMode;
use outrigger::integration::{IntegrationBuilder, Service};
use outrigger::testing::{Answer, Script};

fn named(name: &'static str) -> IntegrationBuilder<Service<Script>> {
    Integration::user_flow(name).service(Script::new([Answer::status(200)]))
}

#[test]
fn it_lists_who_was_registered_in_the_order_they_came() {
    let registry = Registry::new();
    assert_eq!(registry.names(), [""; 0]);
    let _crm = named("crm").register(&registry).build().unwrap();
    let shop = named("shop").build().unwrap();
    assert_eq!(registry.names(), ["crm"]);
    shop.register(&registry);
    assert_eq!(registry.names(), ["crm", "shop"]);
    let health: Vec<_> =
        registry.health().into_iter().map(|health| (health.integration, health.status)).collect();
    assert_eq!(health, [("crm".to_owned(), Status::Up), ("shop".to_owned(), Status::Up)]);
    assert_eq!(registry.health_of("shop").map(|health| health.integration), Some("shop".into()));
    assert_eq!(registry.health_of("nobody"), None);
    assert_eq!(format!("{registry:?}"), "Registry([\"crm\", \"shop\"])");
}

#[test]
fn who_is_dropped_is_gone_and_a_clone_keeps_it() {
    let registry = Registry::new();
    let crm = named("crm").register(&registry).build().unwrap();
    let clone = crm.clone();
    drop(crm);
    assert_eq!(registry.names(), ["crm"]);
    drop(clone);
    assert_eq!(registry.names(), [""; 0]);
    let error = registry.set("crm", "kill_switch", "off", "ada", "").unwrap_err();
    assert_eq!(error, ControlError::NoIntegration("crm".into()));
}

#[test]
fn registering_twice_lists_once_and_registries_are_apart() {
    let (one, other) = (Registry::new(), Registry::new());
    let crm = named("crm").register(&one).register(&one).build().unwrap();
    crm.register(&one.clone());
    crm.clone().register(&one);
    assert_eq!((one.names().len(), other.names().len()), (1, 0));
    crm.register(&other);
    assert_eq!(other.names(), ["crm"]);
}

#[test]
fn two_of_one_name_are_both_listed_and_both_steered() {
    let registry = Registry::new();
    let builder = named("crm").register(&registry);
    let (one, other) = (builder.clone().build().unwrap(), builder.build().unwrap());
    assert_eq!(registry.names(), ["crm", "crm"]);
    registry.set("crm", "kill_switch", "off", "ada", "both").unwrap();
    assert_eq!(one.kill_switch().mode(), SwitchMode::Off);
    assert_eq!(other.kill_switch().mode(), SwitchMode::Off);
    assert_eq!(registry.controls("crm").len(), 6);
}

#[test]
fn one_that_can_not_be_moved_keeps_none_of_its_name_from_being_moved() {
    let registry = Registry::new();
    let by_path = named("crm")
        .breaker(|breaker| breaker.keyed(8, Duration::from_secs(60), |head| head.uri.path().into()))
        .register(&registry)
        .build()
        .unwrap();
    let whole = named("crm").register(&registry).build().unwrap();
    let error = registry.set("crm", "circuit_breaker", "open", "ada", "both").unwrap_err();
    assert_eq!(error, ControlError::Refused("the integration has no one breaker".into()));
    assert_eq!((by_path.breaker().forced(), whole.breaker().forced()), (None, Some(Open)));
}

#[test]
fn one_that_could_not_be_built_is_not_registered() {
    let registry = Registry::new();
    let none = named("crm").register(&registry).retry(|retry| retry.max_attempts(0)).build();
    assert!(none.is_err());
    assert_eq!(registry.names(), [""; 0]);
}
