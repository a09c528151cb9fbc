//! How many calls get which fault.

use std::collections::HashMap;

use http::{HeaderValue, StatusCode};
use outrigger::event::{Event, InjectedFault};
use outrigger::fault_injection::{FaultInjectionLayer, Plan};
use outrigger::rt::Rng;
use outrigger::testing::EventRecorder;
use outrigger::{Error, Ratio};

use super::Injecting;
use crate::call::{get, send};
use crate::clock::{millis, timed, within};

const CALLS: u32 = 10_000;

/// What so many calls got, hanging ones cut off.
async fn counted(plan: Plan, seed: u64) -> HashMap<&'static str, u32> {
    let layer = FaultInjectionLayer::new().allow().plan(plan).rng(Rng::seeded(seed));
    let Injecting { service, events, .. } = Injecting::by(layer);
    for _ in 0..CALLS {
        let _: Option<Result<_, Error>> = within(millis(2), send(&service, get())).await;
    }
    count(&events)
}

fn count(events: &EventRecorder) -> HashMap<&'static str, u32> {
    let mut counts = HashMap::new();
    for event in events.events() {
        let Event::FaultInjected { fault } = event else { panic!("{event:?}") };
        let name = match fault {
            InjectedFault::Status(StatusCode::SERVICE_UNAVAILABLE) => "503",
            InjectedFault::Status(StatusCode::TOO_MANY_REQUESTS) => "429",
            InjectedFault::Hang => "hang",
            InjectedFault::Reset => "reset",
            InjectedFault::Answer => "answer",
            InjectedFault::Latency => "latency",
            InjectedFault::SlowBody => "slow body",
            other => panic!("{other:?}"),
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// Within four standard deviations.
#[track_caller]
fn about(counts: &HashMap<&'static str, u32>, name: &str, expected: u32) {
    let count = counts.get(name).copied().unwrap_or_default();
    let share = f64::from(expected) / f64::from(CALLS);
    let deviation = (f64::from(expected) * (1.0 - share)).sqrt();
    let off = f64::from(count.abs_diff(expected));
    assert!(off < 4.0 * deviation, "{count} of {name} for {expected}");
}

#[tokio::test(start_paused = true)]
async fn every_fault_gets_its_share_and_no_call_two_ends() {
    let plan = Plan::new()
        .status(Ratio::percent(20), StatusCode::SERVICE_UNAVAILABLE)
        .status(Ratio::percent(10), StatusCode::TOO_MANY_REQUESTS)
        .hang(Ratio::percent(5))
        .reset(Ratio::percent(15))
        .answer(Ratio::percent(30), "", HeaderValue::from_static("text/plain"))
        .slow_body(Ratio::percent(50), millis(1))
        .latency(Ratio::percent(25), millis(1), millis(1));
    let (took, counts) = timed(counted(plan, 1)).await;
    for (name, share) in [("503", 20), ("429", 10), ("hang", 5), ("reset", 15), ("answer", 30)] {
        about(&counts, name, CALLS / 100 * share);
    }
    about(&counts, "latency", CALLS / 4);
    // Only the fifth that is sent on has a body to be slow with.
    about(&counts, "slow body", CALLS / 10);
    assert!(took > millis(2_000));
}

#[tokio::test(start_paused = true)]
async fn shares_of_the_whole_leave_nothing_out_and_shares_of_nothing_take_nothing() {
    let tenths = (500..510).map(|code| StatusCode::from_u16(code).unwrap());
    let plan = tenths.fold(Plan::new().hang(Ratio::ZERO), |plan, status| {
        plan.status(Ratio::percent(10), status)
    });
    let layer = FaultInjectionLayer::new().allow().plan(plan).rng(Rng::seeded(7));
    let Injecting { service, provider, .. } = Injecting::by(layer);
    let mut seen = HashMap::new();
    for _ in 0..CALLS {
        *seen.entry(send(&service, get()).await.unwrap().status()).or_insert(0_u32) += 1;
    }
    assert_eq!((provider.begun(), seen.len()), (0, 10));
    assert!(seen.values().all(|count| count.abs_diff(CALLS / 10) < 150), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_draws_the_same_faults() {
    let plan = || Plan::new().reset(Ratio::percent(50));
    let run = async |seed| {
        let layer = FaultInjectionLayer::new().allow().plan(plan()).rng(Rng::seeded(seed));
        let Injecting { service, .. } = Injecting::by(layer);
        let mut broken = Vec::new();
        for _ in 0..50 {
            broken.push(send(&service, get()).await.is_err());
        }
        broken
    };
    assert_eq!(run(3).await, run(3).await);
    assert_ne!(run(3).await, run(4).await);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_set_again_has_its_last_share() {
    let plan = Plan::new()
        .status(Ratio::percent(90), StatusCode::SERVICE_UNAVAILABLE)
        .status(Ratio::percent(40), StatusCode::SERVICE_UNAVAILABLE);
    about(&counted(plan, 5).await, "503", 4_000);
}
