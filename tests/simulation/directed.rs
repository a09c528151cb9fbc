//! Worlds that once broke a promise, each with what it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Request;
use outrigger::event::SwitchMode;
use outrigger::outcome::{Class, Classify, ResponseHead};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};

use crate::clock::{millis, secs};
use crate::provider::plan::{Mode, Plan};
use crate::spec::{Act, CallSpec, Preset, Reading, Spec};
use crate::world;

/// Calls to a provider that goes by a plan.
fn spec(preset: Preset, plan: Plan, calls: Vec<CallSpec>) -> Spec {
    let (settings, acts) = (Vec::new(), Vec::new());
    Spec { seed: 0, preset, settings, fallback: false, plan, calls, acts }
}

/// A world in which all promises hold.
#[track_caller]
fn holds(spec: &Spec) {
    let report = world::run(spec, true);
    assert!(report.broken.is_none(), "{:?}\n{}", report.broken, report.trace.join("\n"));
}

#[test]
fn an_answer_that_is_kept_unread_holds_no_place_past_the_deadline() {
    let call = CallSpec { reading: Reading::Keeps(secs(12)), ..CallSpec::get(millis(0)) };
    holds(&spec(Preset::UserFlow, Plan::new(1), vec![call]));
}

#[test]
fn a_retry_that_waits_is_not_sent_once_retries_are_stopped() {
    let plan = Plan::new(1).then(Mode::Unavailable { retry_after: Some(secs(2)) }, secs(1));
    let mut spec = spec(Preset::UserFlow, plan, vec![CallSpec::get(millis(0))]);
    spec.settings.push("rate_limit.learn = 'off'".into());
    spec.acts.push((secs(1), Act::Switch(SwitchMode::NoRetries)));
    spec.acts.push((secs(5), Act::Switch(SwitchMode::On)));
    holds(&spec);
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
async fn a_classifier_is_asked_once_for_an_answer() {
    let asked = Counting::default();
    let crm = Integration::user_flow("crm").classifier(asked.clone());
    let crm = crm.service(Script::new([Answer::status(200)])).build().expect("it works");
    crm.send(get()).await.expect("an answer");
    assert_eq!(asked.0.load(Ordering::Relaxed), 1);
}

fn get() -> Request<Body> {
    Request::get("http://crm.test/calls/0").body(Body::empty()).expect("a request")
}
