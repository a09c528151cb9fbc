//! When it opens.

use outrigger::Ratio;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive};
use outrigger::event::BreakerState::{Closed, Open};
use outrigger::testing::Answer;

use super::{Guarded, by_rate};
use crate::clock::{millis, secs, wait};

#[tokio::test(start_paused = true)]
async fn a_window_of_calls_forgets_old_successes() {
    let crm = Guarded::by(by_rate(100, 50, 10));
    crm.succeed(10_000).await;
    crm.fail(49).await;
    assert_eq!(crm.state(), Closed);
    crm.fail(9_000).await;
    assert_eq!(crm.state(), Open);
    assert_eq!(crm.provider.begun(), 10_050, "the 50th failure is the last one let through");
}

#[tokio::test(start_paused = true)]
async fn a_window_of_calls_forgets_old_failures() {
    let crm = Guarded::by(by_rate(10, 50, 10));
    crm.fail(4).await;
    crm.succeed(10).await;
    crm.fail(4).await;
    assert_eq!((crm.state(), crm.handle.counts().failed), (Closed, 4));
}

#[tokio::test(start_paused = true)]
async fn a_window_of_time_forgets_old_successes() {
    let crm = Guarded::by(by_rate(1, 50, 4).window(secs(10)));
    crm.succeed(1_000).await;
    wait(secs(11)).await;
    crm.fail(4).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_time_forgets_old_failures() {
    let crm = Guarded::by(by_rate(1, 50, 4).window(secs(10)));
    crm.fail(3).await;
    assert_eq!(crm.handle.counts().failed, 3);
    wait(secs(11)).await;
    assert_eq!(crm.handle.counts().calls, 0);
    crm.fail(3).await;
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn the_window_of_time_slides_and_does_not_tumble() {
    let crm = Guarded::by(by_rate(1, 100, 4).window(secs(10)));
    crm.fail(2).await;
    wait(secs(9)).await;
    // Past where windows that tumble at 10 s would have begun anew, and still within 10 s.
    crm.fail(1).await;
    wait(millis(500)).await;
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn the_minimum_counts_long_before_the_window_is_full() {
    let crm = Guarded::by(by_rate(100, 50, 10));
    crm.fail(9).await;
    assert_eq!(crm.state(), Closed);
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
    assert_eq!(crm.changes(), [(Closed, Open)]);
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_exact() {
    let crm = Guarded::by(by_rate(100, 50, 10));
    crm.succeed(51).await;
    crm.fail(50).await;
    assert_eq!(crm.state(), Open, "50 of the last 100");
    let crm = Guarded::by(by_rate(1_000, 50, 10));
    crm.succeed(51).await;
    crm.fail(50).await;
    assert_eq!(crm.state(), Closed, "50 of 101");
    crm.fail(1).await;
    assert_eq!(crm.state(), Open, "51 of 102");
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_open_it_whatever_the_window_holds() {
    let layer = by_rate(1_000, 50, 10).no_success_for(secs(0));
    let crm = Guarded::by(layer.consecutive(Consecutive::Always(5)));
    crm.succeed(900).await;
    crm.fail(4).await;
    crm.succeed(1).await;
    crm.fail(4).await;
    assert_eq!(crm.state(), Closed, "a success between them breaks the row");
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn failures_in_a_row_below_the_minimum_open_it_at_low_volume_only() {
    let layer = || {
        let layer = by_rate(100, 80, 20).no_success_for(secs(0));
        layer.consecutive(Consecutive::BelowMinimum(5))
    };
    let quiet = Guarded::by(layer());
    quiet.succeed(10).await;
    quiet.fail(5).await;
    assert_eq!(quiet.state(), Open);
    let busy = Guarded::by(layer());
    busy.succeed(20).await;
    busy.fail(15).await;
    assert_eq!(busy.state(), Closed, "15 of 35 is no 80 %");
}

#[tokio::test(start_paused = true)]
async fn a_row_needs_no_rate_beside_it() {
    let layer = CircuitBreakerLayer::new().without_failure_rate().no_success_for(secs(0));
    let crm = Guarded::by(layer.consecutive(Consecutive::Always(2)));
    crm.fail(2).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn so_many_failures_of_the_last_calls_open_it() {
    let layer = CircuitBreakerLayer::new().without_consecutive().window_of_calls(8).failures(3);
    let crm = Guarded::by(layer.clone());
    for _ in 0..10 {
        crm.fail(2).await;
        crm.succeed(6).await;
    }
    assert_eq!(crm.state(), Closed, "two of each eight");
    crm.fail(3).await;
    assert_eq!(crm.state(), Open);
    let young = Guarded::by(layer);
    young.fail(3).await;
    assert_eq!(young.state(), Open, "the window need not be full");
}

#[tokio::test(start_paused = true)]
async fn so_many_failures_within_a_time_open_it() {
    let layer = CircuitBreakerLayer::new().without_consecutive().window(secs(32)).failures(5);
    let crm = Guarded::by(layer);
    crm.fail(4).await;
    wait(secs(33)).await;
    crm.succeed(10_000).await;
    crm.fail(4).await;
    assert_eq!(crm.state(), Closed);
    wait(secs(10)).await;
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn a_success_never_opens_it() {
    let crm = Guarded::by(by_rate(10, 50, 4));
    crm.fail(3).await;
    crm.succeed(1).await;
    assert_eq!((crm.state(), crm.handle.counts().calls), (Closed, 4), "three of four failed");
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_it_though_they_succeed() {
    let crm = Guarded::by(by_rate(100, 100, 4).slow_calls(secs(1), Ratio::percent(50)));
    crm.succeed(2).await;
    crm.calls(1, Answer::status(200).after(millis(1_001))).await;
    assert_eq!((crm.state(), crm.handle.counts().slow), (Closed, 1));
    crm.calls(1, Answer::status(200).after(millis(1_001))).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn once_it_is_closed_no_slow_call_of_before_counts() {
    let slowness = by_rate(10, 100, 4).slow_calls(secs(1), Ratio::percent(50)).probes(1, 1);
    let crm = Guarded::by(slowness);
    crm.calls(4, Answer::status(200).after(secs(2))).await;
    assert_eq!(crm.state(), Open);
    wait(secs(5)).await;
    crm.succeed(1).await;
    assert_eq!((crm.state(), crm.handle.counts().slow), (Closed, 0));
    crm.succeed(4).await;
    assert_eq!((crm.state(), crm.handle.counts().slow), (Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_as_long_as_the_limit_is_not_slow() {
    let crm = Guarded::by(by_rate(100, 100, 4).slow_calls(secs(1), Ratio::percent(50)));
    crm.calls(20, Answer::status(200).after(secs(1))).await;
    assert_eq!((crm.state(), crm.handle.counts().slow), (Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_disabled_one_never_opens() {
    let crm = Guarded::by(CircuitBreakerLayer::disabled());
    crm.fail(1_000).await;
    assert_eq!((crm.state(), crm.provider.begun()), (Closed, 1_000));
    crm.handle.force_open();
    assert!(crm.call().await.is_ok());
}
