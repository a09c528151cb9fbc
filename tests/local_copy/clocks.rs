//! Machines that sleep, and wall clocks that people set.

use outrigger::event::LocalCopyEvent;
use outrigger::local_copy::CopyState;
use outrigger::testing::ManualClock;

use crate::bench::{Bench, noon, secs, wait};

#[tokio::test(start_paused = true)]
async fn after_a_suspension_a_copy_is_as_old_as_the_wall_clock_says_and_loaded_once() {
    let (bench, clock) = (Bench::new(), ManualClock::at(noon()));
    let prices = bench.copy().max_age(secs(3600)).clock(clock.clock()).start().unwrap();
    prices.ready().await.unwrap();
    // The monotonic clock stands still meanwhile.
    clock.advance(secs(5 * 3600));
    assert_eq!(prices.state(), CopyState::Expired);
    prices.get().unwrap_err();
    wait(31).await;
    assert_eq!((prices.state(), bench.begun()), (CopyState::Current, 2), "ticks fold into one");
    assert_eq!(bench.told(), [LocalCopyEvent::Expired]);
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_makes_nothing_younger() {
    let (bench, clock) = (Bench::new(), ManualClock::at(noon()));
    let prices = bench.copy().clock(clock.clock()).start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.is_down = true);
    clock.set(noon() - secs(24 * 3600));
    wait(121).await;
    assert_eq!(prices.state(), CopyState::Late);
    assert!(bench.begun() > 1, "loads go on");
}
