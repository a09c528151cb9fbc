//! Makes a world that breaks a promise smaller, as long as it breaks the same one.

use std::time::Duration;

use crate::promises::Promise;
use crate::provider::plan::Mode;
use crate::spec::{CallSpec, Patience, Reading, Spec, Upload};
use crate::world;

/// The smallest world that is found by leaving things out, one after the other.
pub(crate) fn shrunk(spec: &Spec, promise: Promise) -> Spec {
    let mut smallest = spec.clone();
    loop {
        let before = size(&smallest);
        let candidates: [fn(&Spec) -> Vec<Spec>; 4] =
            [with_fewer_calls, without_acts, without_settings, with_a_simpler_plan];
        for of in candidates {
            smallest = first_that_breaks(smallest, of, promise);
        }
        smallest = first_that_breaks(smallest, with_simpler_calls, promise);
        if size(&smallest) == before {
            return smallest;
        }
    }
}

/// Goes on from each candidate that still breaks the promise.
fn first_that_breaks(from: Spec, of: fn(&Spec) -> Vec<Spec>, promise: Promise) -> Spec {
    let mut smallest = from;
    let breaks = |spec: &Spec| {
        let broken = world::run(spec, false).broken;
        broken.is_some_and(|broken| broken.promise == promise)
    };
    while let Some(smaller) = of(&smallest).into_iter().find(breaks) {
        smallest = smaller;
    }
    smallest
}

fn size(spec: &Spec) -> usize {
    format!("{spec:?}").len()
}

fn with_fewer_calls(spec: &Spec) -> Vec<Spec> {
    let number = spec.calls.len();
    let mut candidates = Vec::new();
    let mut chunk = number / 2;
    while chunk > 0 {
        for from in (0..number).step_by(chunk) {
            let mut smaller = spec.clone();
            smaller.calls.drain(from..number.min(from + chunk));
            candidates.push(smaller);
        }
        chunk /= 2;
    }
    candidates
}

fn without_acts(spec: &Spec) -> Vec<Spec> {
    let without = |at| {
        let mut smaller = spec.clone();
        smaller.acts.remove(at);
        smaller
    };
    (0..spec.acts.len()).map(without).collect()
}

fn without_settings(spec: &Spec) -> Vec<Spec> {
    let without = |at| {
        let mut smaller = spec.clone();
        smaller.settings.remove(at);
        smaller
    };
    let mut candidates: Vec<_> = (0..spec.settings.len()).map(without).collect();
    if spec.fallback {
        candidates.push(Spec { fallback: false, ..spec.clone() });
    }
    candidates
}

fn with_a_simpler_plan(spec: &Spec) -> Vec<Spec> {
    let phases = spec.plan.phases();
    let with = |phases| Spec { plan: spec.plan.clone().with_phases(phases), ..spec.clone() };
    let mut candidates = Vec::new();
    for at in 0..phases.len() {
        let mut fewer = phases.to_vec();
        fewer.remove(at);
        candidates.push(with(fewer));
        if phases[at].mode != Mode::Ok {
            let mut milder = phases.to_vec();
            milder[at].mode = Mode::Ok;
            candidates.push(with(milder));
        }
    }
    candidates
}

fn with_simpler_calls(spec: &Spec) -> Vec<Spec> {
    let mut candidates = Vec::new();
    for (at, call) in spec.calls.iter().enumerate() {
        let plain = CallSpec::get(call.at);
        let simpler = [
            CallSpec { patience: Patience::Endless, ..call.clone() },
            CallSpec { reading: Reading::All, ..call.clone() },
            CallSpec { body: Upload::Nothing, ..call.clone() },
            CallSpec { limit: None, ..call.clone() },
            CallSpec { retry_override: None, ..call.clone() },
            CallSpec { method: plain.method, ..call.clone() },
            CallSpec { at: Duration::from_secs(call.at.as_secs()), ..call.clone() },
        ];
        for simpler in simpler {
            let smaller = format!("{simpler:?}").len() < format!("{call:?}").len();
            if smaller {
                let mut spec = spec.clone();
                spec.calls[at] = simpler;
                candidates.push(spec);
            }
        }
    }
    candidates
}
