//! What subscribers are told.

use std::time::Duration;

use outrigger::event::LocalCopyEvent;
use outrigger::local_copy::LoadFailure;

use crate::bench::{Bench, secs, wait};

#[tokio::test(start_paused = true)]
async fn a_load_is_told_with_its_count_and_time_and_a_failure_with_the_next_try() {
    let bench = Bench::new();
    bench.plan(|plan| plan.takes = secs(2));
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.is_down = true);
    prices.reload().await.unwrap_err();
    let told = bench.all_told();
    let [
        LocalCopyEvent::Loaded { changed: true, count: 10, elapsed },
        LocalCopyEvent::LoadFailed { failure: LoadFailure::Failed, elapsed: in_vain, retry_in },
    ] = told[..]
    else {
        panic!("{told:?}")
    };
    let about = |time: Duration| time >= secs(2) && time < secs(3);
    assert!(about(elapsed) && about(in_vain) && retry_in <= secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_day_tells_nothing_but_loads() {
    let bench = Bench::new();
    let _prices = bench.copy().start().unwrap();
    wait(86_400).await;
    assert_eq!(bench.told(), []);
    assert!(bench.all_told().len() > 1300);
}
