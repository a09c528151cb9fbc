//! What is not kept yet, and why; each with a world that shows it.
//!
//! These tests fail as soon as a promise of the list holds: then it comes off the list, so that every
//! world looks at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Request;
use outrigger::event::SwitchMode;
use outrigger::outcome::{Class, Classify, ResponseHead};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};

use crate::clock::{millis, secs};
use crate::promises::Promise;
use crate::provider::plan::{Mode, Plan};
use crate::spec::{Act, CallSpec, Preset, Reading, Spec};
use crate::world;

/// Promises that only a later design can keep, each with what stands in its way.
pub(crate) const LATER: [(Promise, &str); 2] = [
    (
        Promise::NothingHeldPastDeadline,
        "an answer's body holds its place until somebody reads or drops it",
    ),
    (Promise::RetriesStopped, "a retry that waits already goes out when its time has come"),
];

/// Calls to a provider that goes by a plan.
fn spec(preset: Preset, plan: Plan, calls: Vec<CallSpec>) -> Spec {
    let (settings, acts) = (Vec::new(), Vec::new());
    Spec { seed: 0, preset, settings, fallback: false, plan, calls, acts }
}

/// A world in which a promise is broken still.
#[track_caller]
fn is_broken(promise: Promise, spec: &Spec) {
    let report = world::run(spec, true);
    assert!(report.broken.is_none(), "{:?}\n{}", report.broken, report.trace.join("\n"));
    let broken = report.later.iter().any(|broken| broken.promise == promise);
    not_yet(promise, !broken);
}

#[track_caller]
fn not_yet(what: impl std::fmt::Debug, holds: bool) {
    assert!(!holds, "{what:?} is kept: take it off the list of what is kept later");
}

#[test]
fn each_promise_of_the_list_is_there_once() {
    let mut promises: Vec<_> = LATER.iter().map(|(promise, _)| promise).collect();
    promises.sort();
    promises.dedup();
    assert_eq!(promises.len(), LATER.len());
    assert!(LATER.iter().all(|(_, why)| !why.is_empty()));
}

#[test]
fn an_answer_that_is_kept_unread_holds_its_place_past_the_deadline() {
    let call = CallSpec { reading: Reading::Keeps(secs(12)), ..CallSpec::get(millis(0)) };
    is_broken(Promise::NothingHeldPastDeadline, &spec(Preset::UserFlow, Plan::new(1), vec![call]));
}

#[test]
fn a_retry_that_waits_is_sent_though_retries_were_stopped() {
    let plan = Plan::new(1).then(Mode::Unavailable { retry_after: Some(secs(2)) }, secs(1));
    let mut spec = spec(Preset::UserFlow, plan, vec![CallSpec::get(millis(0))]);
    spec.settings.push("rate_limit.learn = 'off'".into());
    spec.acts.push((secs(1), Act::Switch(SwitchMode::NoRetries)));
    spec.acts.push((secs(5), Act::Switch(SwitchMode::On)));
    is_broken(Promise::RetriesStopped, &spec);
}

/// Counts how often it is asked.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicU32>);

impl Classify for Counting {
    fn response(&self, _: &ResponseHead<'_>) -> Class {
        self.0.fetch_add(1, Ordering::Relaxed);
        Class::Success
    }
}

#[tokio::test(start_paused = true)]
async fn a_classifier_is_asked_several_times_for_one_answer() {
    let asked = Counting::default();
    let crm = Integration::user_flow("crm").classifier(asked.clone());
    let crm = crm.service(Script::new([Answer::status(200)])).build().expect("it works");
    crm.send(get()).await.expect("an answer");
    not_yet("it is asked once", asked.0.load(Ordering::Relaxed) <= 1);
}

fn get() -> Request<Body> {
    Request::get("http://crm.test/calls/0").body(Body::empty()).expect("a request")
}
