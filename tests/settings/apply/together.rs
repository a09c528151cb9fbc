//! Several who change, look and are told at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, OnceLock};
use std::task::{Context, Poll};

use http::Request;
use outrigger::event::{Event, Origin, Subscriber};
use outrigger::testing::{EventRecorder, Script};
use outrigger::{Body, Integration, IntegrationConfig};
use tower::Service;

use crate::call::{answers, apply, config, get, status};

/// Looks at the integration from within its events.
#[derive(Clone, Default)]
struct Onlooker(Arc<OnceLock<Integration>>, Arc<std::sync::Mutex<Vec<bool>>>);

impl Subscriber for Onlooker {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        if let (Some(crm), Event::FaultInjectionChanged { .. } | Event::SettingsApplied) =
            (self.0.get(), event)
        {
            let _ = (crm.config(), crm.bulkhead());
            self.1.lock().unwrap().push(crm.health().is_injecting_faults);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_may_look_at_what_it_is_told_of() {
    let onlooker = Onlooker::default();
    let crm = Integration::user_flow("crm").subscriber(onlooker.clone()).service(answers(200));
    let crm = crm.build().unwrap();
    assert!(onlooker.0.set(crm.clone()).is_ok());
    // Were a lock held meanwhile, this would never end.
    apply(&crm, "fault_injection = { allow = true, plan.hang = '100%' }");
    assert_eq!(onlooker.1.lock().unwrap().last(), Some(&true));
}

/// Stops fault injection as soon as it is told of it.
#[derive(Clone, Default)]
struct Spoilsport(Arc<OnceLock<Integration>>);

impl Subscriber for Spoilsport {
    fn on_event(&self, event: &Event, _: &Origin<'_>) {
        if let (Some(crm), Event::FaultInjectionChanged { on: true }) = (self.0.get(), event) {
            crm.apply(&config("deadline = '7s'")).unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_may_apply_other_settings_to_what_it_is_told_of() {
    let (spoilsport, told) = (Spoilsport::default(), EventRecorder::new());
    let crm = Integration::user_flow("crm").subscriber(spoilsport.clone()).subscriber(told.clone());
    let crm = crm.service(answers(200)).build().unwrap();
    assert!(spoilsport.0.set(crm.clone()).is_ok());
    // Were a lock held meanwhile, this would never end.
    apply(&crm, "fault_injection = { allow = true, plan.hang = '100%' }");
    assert!(!crm.fault_injection().is_on());
    assert_eq!(serde_json::to_value(crm.config()).unwrap()["deadline"], "7s");
    assert_eq!(told.count(|event| *event == Event::SettingsApplied), 2);
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
}

/// Looks at the integration, and calls it, whenever one of its clones goes.
#[derive(Clone)]
struct Leaving(Script, Arc<OnceLock<Integration>>, Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        // Not while it does so already.
        if let (Some(crm), false) = (self.1.get(), self.2.swap(true, Ordering::SeqCst)) {
            let _ = (crm.config(), crm.send(get()));
            self.2.store(false, Ordering::SeqCst);
        }
    }
}

impl Service<Request<Body>> for Leaving {
    type Response = <Script as Service<Request<Body>>>::Response;
    type Error = <Script as Service<Request<Body>>>::Error;
    type Future = <Script as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<Body>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

#[tokio::test(start_paused = true)]
async fn what_goes_with_the_settings_before_may_look_at_those_that_are_now() {
    let known = Arc::new(OnceLock::new());
    let leaving = Leaving(answers(200), Arc::clone(&known), Arc::default());
    let crm = Integration::user_flow("crm").service(leaving).build().unwrap();
    assert!(known.set(crm.clone()).is_ok());
    // Were a lock held meanwhile, this would never end.
    apply(&crm, "deadline = '7s'");
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
}

#[test]
fn of_two_who_apply_at_once_one_wins_in_everything() {
    let crm = Integration::user_flow("crm").build().unwrap();
    let files = ["1", "2", "3"].map(|n| {
        let file = format!(
            "deadline = '1{n}s'\nbulkhead.concurrency = {n}\nhyper.max_connections_per_host = {n}"
        );
        config(&file)
    });
    let whole = files.clone().map(|file| {
        let crm = Integration::user_flow("crm").config(file).build().unwrap();
        crm.config()
    });
    // Each round, all begin at once.
    let barrier = Barrier::new(files.len() + 1);
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    barrier.wait();
                    crm.apply(file).unwrap();
                    barrier.wait();
                }
            });
        }
        let mut mixed = 0;
        for _ in 0..ROUNDS {
            barrier.wait();
            barrier.wait();
            mixed += u32::from(!whole.contains(&crm.config()));
        }
        assert_eq!(mixed, 0, "settings of two files at once");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_answered_while_two_threads_apply() {
    let crm = Integration::user_flow("crm").service(answers(200)).build().unwrap();
    let files: [IntegrationConfig; 2] =
        ["deadline = '5s'\nhedge.after = '1s'", "bulkhead.concurrency = 99"].map(config);
    let appliers = files.map(|file| {
        let crm = crm.clone();
        std::thread::spawn(move || (0..100).for_each(|_| crm.apply(&file).unwrap()))
    });
    for _ in 0..500 {
        assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    }
    for applier in appliers {
        applier.join().unwrap();
    }
    assert_eq!(crm.bulkhead().in_use(), 0);
}

const ROUNDS: u32 = 1_000;
