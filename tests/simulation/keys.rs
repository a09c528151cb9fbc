//! A provider that ignores idempotency keys does each POST once, whatever becomes of its answer.

use std::time::Duration;

use http::Method;

use crate::clock::{millis, secs};
use crate::provider::plan::{Mode, Plan};
use crate::spec::{CallSpec, Preset, Spec, Upload};
use crate::world;

/// Every answer is lost in this way, though all is done.
fn losing(mode: Mode) -> Plan {
    Plan::new(1).honours_keys(false).done_unanswered(1.0).then(mode, secs(600))
}

fn post(at: Duration) -> CallSpec {
    CallSpec { method: Method::POST, body: Upload::Bytes(20), ..CallSpec::get(at) }
}

#[test]
fn a_provider_that_ignores_keys_gets_each_post_once() {
    for preset in [Preset::UserFlow, Preset::Background] {
        for mode in [
            Mode::Reset,
            Mode::Stuck,
            Mode::Slow { answer: secs(40) },
            Mode::Errors { share: 1.0, slow: None },
        ] {
            let calls = (0..5).map(|number| post(secs(number))).collect::<Vec<_>>();
            let spec = Spec {
                seed: 0,
                preset,
                settings: Vec::new(),
                fallback: false,
                plan: losing(mode),
                calls,
                acts: Vec::new(),
            };
            let report = world::run(&spec, false);
            assert!(report.broken.is_none(), "{preset:?}, {mode:?}: {:?}", report.broken);
            assert!(report.requests >= 5, "{preset:?}, {mode:?}: each was sent");
        }
    }
}

#[test]
fn where_it_is_said_to_honour_keys_it_gets_them_again() {
    let plan = Plan::new(1).done_unanswered(1.0).then(Mode::Reset, millis(100));
    let settings = vec!["idempotency.honoured = 'all'".into()];
    let (calls, acts) = (vec![post(millis(0))], Vec::new());
    let preset = Preset::Background;
    let spec = Spec { seed: 0, preset, settings, fallback: false, plan, calls, acts };
    let report = world::run(&spec, false);
    assert!(report.broken.is_none(), "{:?}", report.broken);
    assert!(report.requests > 1, "{}", report.requests);
}
