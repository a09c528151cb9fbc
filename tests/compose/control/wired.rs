//! A registry's subscribers are told of every integration that is built with it, once.

use std::sync::Arc;

use outrigger::Integration;
use outrigger::control::Registry;
use outrigger::event::Event;
use outrigger::testing::{Answer, EventRecorder, Script};

use crate::call::{get, read};

fn calls(events: &EventRecorder) -> usize {
    events.count(|event| matches!(event, Event::CallFinished { .. }))
}

#[tokio::test(start_paused = true)]
async fn who_is_given_to_a_registry_is_told_of_what_is_built_with_it() {
    let (events, others) = (EventRecorder::new(), EventRecorder::new());
    let registry = Registry::new().subscriber(events.clone()).subscriber(others.clone());
    let build = |name: &str, registry: &Registry| {
        let built = Integration::user_flow(name).register(registry);
        built.service(Script::new([Answer::status(200)])).build().unwrap()
    };
    let (crm, shop) = (build("crm", &registry), build("shop", &registry.clone()));
    for integration in [&crm, &shop] {
        read(integration.send(get())).await.unwrap();
    }
    assert_eq!((calls(&events), calls(&others)), (2, 2));
    assert_eq!(registry.names(), ["crm", "shop"]);

    let late = EventRecorder::new();
    let registry = registry.subscriber(late.clone());
    read(crm.send(get())).await.unwrap();
    assert_eq!(calls(&late), 0, "it came after the integration");
    read(build("later", &registry).send(get())).await.unwrap();
    assert_eq!(calls(&late), 1);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_is_given_twice_is_told_once() {
    let (by_clone, by_arc) = (EventRecorder::new(), Arc::new(EventRecorder::new()));
    let both = || Registry::new().subscriber(by_clone.clone()).subscriber(Arc::clone(&by_arc));
    let (first, second) = (both(), both());
    let crm = Integration::user_flow("crm")
        .subscriber(Arc::clone(&by_arc))
        .register(&first)
        .subscriber(by_clone.clone())
        .register(&second)
        .register(&second)
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap();
    read(crm.send(get())).await.unwrap();
    assert_eq!((calls(&by_clone), calls(&by_arc)), (1, 1));
    assert_eq!((first.names().len(), second.names().len()), (1, 1));
}
