use outrigger::Integration;
use outrigger::control::{ControlError, ControlState, Registry};
use outrigger::event::{BreakerState, SwitchMode};
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::testing::{Answer, Script};

use crate::call::{failure, get, status};

fn crm(registry: &Registry) -> Integration {
    Integration::user_flow("crm")
        .register(registry)
        .fault_injection(FaultInjectionLayer::allow)
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap()
}

/// The state of a control, by both ways that tell it.
fn state(crm: &Integration, registry: &Registry, name: &str) -> ControlState {
    let controls = registry.controls("crm");
    let control = controls.iter().find(|control| control.name() == name).unwrap();
    let in_health = crm.health().controls.into_iter().find(|control| control.name == name);
    assert_eq!(Some(control.state()), in_health);
    control.state()
}

#[tokio::test(start_paused = true)]
async fn the_kill_switch_is_pulled_to_each_of_its_positions() {
    let registry = Registry::new();
    let crm = crm(&registry);
    let controls = registry.controls("crm");
    let positions = controls[0].positions();
    assert_eq!(positions, ["on", "no-retries", "cache-only", "fallback-only", "off"]);
    for (position, mode) in positions.iter().zip(SwitchMode::ALL).rev() {
        registry.set("crm", "kill_switch", position, "ada", "a drill").unwrap();
        assert_eq!(crm.kill_switch().mode(), mode);
        let state = state(&crm, &registry, "kill_switch");
        assert_eq!((&state.position[..], state.is_default), (*position, *position == "on"));
        assert_eq!((state.who.as_deref(), state.why.as_deref()), (Some("ada"), Some("a drill")));
        assert_eq!(state.since, Some(crm.kill_switch().position().since()));
    }
}

#[tokio::test(start_paused = true)]
async fn the_breaker_is_forced_and_released_and_says_who_did_it() {
    let registry = Registry::new();
    let crm = crm(&registry);
    let usual = state(&crm, &registry, "circuit_breaker");
    assert_eq!((&usual.position[..], usual.is_default), ("automatic", true));
    assert_eq!((usual.who, usual.why, usual.since), (None, None, None));

    let before = std::time::SystemTime::now();
    registry.set("crm", "circuit_breaker", "open", "ada", "it lies").unwrap();
    assert!(failure(crm.send(get())).await.0.is_rejected());
    let open = state(&crm, &registry, "circuit_breaker");
    assert_eq!((&open.position[..], open.is_default), ("open", false));
    assert_eq!((open.who.as_deref(), open.why.as_deref()), (Some("ada"), Some("it lies")));
    assert!(open.since.unwrap() >= before - std::time::Duration::from_secs(1));

    registry.set("crm", "circuit_breaker", "closed", "bob", "it doesn't").unwrap();
    assert_eq!(crm.breaker().forced(), Some(BreakerState::Closed));
    assert_eq!(state(&crm, &registry, "circuit_breaker").who.as_deref(), Some("bob"));

    // A handle doesn't say who holds it, so nobody else is named for it.
    crm.breaker().force_open();
    assert_eq!(state(&crm, &registry, "circuit_breaker").who, None);

    // Nor is whoever forced it there before.
    registry.set("crm", "circuit_breaker", "open", "ada", "it lies").unwrap();
    crm.breaker().release();
    assert_eq!(state(&crm, &registry, "circuit_breaker").who, None);
    crm.breaker().force_open();
    assert_eq!(state(&crm, &registry, "circuit_breaker").who, None);

    registry.set("crm", "circuit_breaker", "automatic", "bob", "over").unwrap();
    assert_eq!(
        state(&crm, &registry, "circuit_breaker"),
        state(&crm, &registry, "circuit_breaker")
    );
    assert!(state(&crm, &registry, "circuit_breaker").is_default);
    assert_eq!(status(crm.send(get())).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_fault_injection_is_ended_and_not_begun() {
    let registry = Registry::new();
    let crm = crm(&registry);
    assert!(state(&crm, &registry, "fault_injection").is_default);
    crm.fault_injection().start(Plan::new()).unwrap();
    let on = state(&crm, &registry, "fault_injection");
    assert_eq!((&on.position[..], on.is_default), ("on", false));
    let begun = registry.set("crm", "fault_injection", "on", "ada", "").unwrap_err();
    assert_eq!(begun, ControlError::NoPosition { asked: "on".into(), positions: &["off"] });
    registry.set("crm", "fault_injection", "off", "ada", "").unwrap();
    assert!(!crm.fault_injection().is_on());
    assert_eq!(state(&crm, &registry, "fault_injection").position, "off");
}

#[test]
fn what_there_is_not_is_said_with_what_there_is() {
    let registry = Registry::new();
    let crm = crm(&registry);
    let set = |integration: &str, control: &str, to: &str| {
        registry.set(integration, control, to, "ada", "").unwrap_err()
    };
    let says = |error: ControlError, text: &str| assert_eq!(error.to_string(), text);
    says(set("erp", "kill_switch", "off"), "no integration is called \"erp\"");
    says(set("crm", "brake", "off"), "there is no control \"brake\"");
    let positions = "use one of on, no-retries, cache-only, fallback-only, off";
    says(set("crm", "kill_switch", "down"), &format!("no position \"down\": {positions}"));
    let forces = "use one of automatic, open, closed";
    says(set("crm", "circuit_breaker", "Open"), &format!("no position \"Open\": {forces}"));
    says(set("crm", "fault_injection", ""), "no position \"\": use one of off");
    assert_eq!((crm.kill_switch().mode(), crm.breaker().forced()), (SwitchMode::On, None));
    assert!(state(&crm, &registry, "circuit_breaker").is_default);
}

#[test]
fn a_breaker_that_there_is_not_is_not_forced() {
    let registry = Registry::new();
    let jobs = Integration::background("jobs")
        .without_breaker()
        .service(Script::new([Answer::status(200)]));
    let jobs = jobs.register(&registry).build().unwrap();
    let error = registry.set("jobs", "circuit_breaker", "open", "ada", "").unwrap_err();
    assert!(matches!(error, ControlError::Refused(_)), "{error:?}");
    assert_eq!(jobs.health().controls[1].position, "automatic");
}
