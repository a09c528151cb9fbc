//! What readers get.

use std::sync::Arc;

use futures_util::future::FutureExt;
use outrigger::event::LocalCopyEvent;
use outrigger::local_copy::{CopyState, LoadFailure};

use crate::bench::{Bench, noon, secs, wait};

#[tokio::test(start_paused = true)]
async fn before_the_first_load_has_ended_a_reader_gets_an_error_at_once_and_ready_waits() {
    let bench = Bench::new();
    bench.plan(|plan| plan.takes = secs(5));
    let prices = bench.copy().start().unwrap();
    let error = prices.get().unwrap_err();
    assert_eq!(error.to_string(), "there is no copy of \"prices\" yet");
    assert_eq!((error.failure(), error.expired_since()), (None, None));
    assert!(prices.ready().now_or_never().is_none());
    assert_eq!(prices.ready().await.unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn if_the_first_load_fails_ready_says_why_and_the_next_one_makes_it_good() {
    let bench = Bench::new();
    bench.plan(|plan| plan.is_down = true);
    let prices = bench.copy().start().unwrap();
    let error = prices.ready().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Failed));
    let (told, got) = (error.to_string(), prices.get().unwrap_err().to_string());
    assert!(told.starts_with("there is no copy of \"prices\" yet: ") && told.contains("503"));
    assert_eq!(told, got);
    bench.plan(|plan| plan.is_down = false);
    wait(2).await;
    assert_eq!(prices.get().unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn while_a_load_runs_readers_keep_the_old_copy_and_what_they_hold_stays() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    let held = prices.ready().await.unwrap();
    bench.plan(|plan| (plan.entries, plan.takes) = (12, secs(10)));
    let reload = tokio::spawn({
        let prices = prices.clone();
        async move { prices.reload().await }
    });
    wait(5).await;
    assert!(Arc::ptr_eq(&held, &prices.get().unwrap()));
    assert_eq!(reload.await.unwrap().unwrap().len(), 12);
    assert_eq!((held.len(), prices.get().unwrap().len()), (10, 12));
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_late_after_two_intervals_and_expires_at_its_age_and_each_is_told_once() {
    let bench = Bench::new();
    let prices = bench.copy().max_age(secs(300)).start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.is_down = true);
    wait(119).await;
    assert_eq!(prices.state(), CopyState::Current);
    wait(2).await;
    assert_eq!(prices.state(), CopyState::Late);
    assert_eq!(prices.get().unwrap().len(), 10);
    wait(178).await;
    assert_eq!(prices.get().unwrap().len(), 10);
    wait(2).await;
    assert_eq!(prices.state(), CopyState::Expired);
    let error = prices.get().unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Failed));
    let since = error.expired_since().unwrap();
    assert!(since.duration_since(noon() + secs(300)).unwrap() < secs(1));
    let text = error.to_string();
    assert!(
        text.starts_with("the copy of \"prices\" is too old since Fri, 15 Jan 2027 "),
        "{text}"
    );
    wait(2000).await;
    let told = bench.told().into_iter();
    let worse = told.filter(|event| !matches!(event, LocalCopyEvent::LoadFailed { .. }));
    assert_eq!(worse.collect::<Vec<_>>(), [LocalCopyEvent::Late, LocalCopyEvent::Expired]);

    bench.plan(|plan| plan.is_down = false);
    wait(61).await;
    assert_eq!((prices.state(), prices.get().unwrap().len()), (CopyState::Current, 10));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_lets_the_copy_become_late_in_time() {
    let bench = Bench::new();
    let prices = bench.copy().load_timeout(secs(3600)).start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.hangs = true);
    wait(121).await;
    assert_eq!(bench.told(), [LocalCopyEvent::Late]);
}
