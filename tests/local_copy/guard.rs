//! What may take the place of a copy.

use outrigger::event::LocalCopyEvent;
use outrigger::local_copy::{CopyState, LoadError, LoadFailure, Loaded, LocalCopy};

use crate::bench::{Bench, secs, wait};

#[tokio::test(start_paused = true)]
async fn an_empty_list_does_not_wipe_what_is_there_and_people_are_told() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.entries = 0);
    let error = prices.reload().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Refused));
    assert_eq!(error.to_string(), "\"prices\" was not loaded: refused: it has no entries");
    assert_eq!(prices.get().unwrap().len(), 10);
    assert!(matches!(
        bench.told()[..],
        [LocalCopyEvent::LoadFailed { failure: LoadFailure::Refused, .. }]
    ));
    bench.plan(|plan| plan.entries = 9);
    wait(2).await;
    assert_eq!(prices.get().unwrap().len(), 9, "it was a moment's mistake");
}

#[tokio::test(start_paused = true)]
async fn fewer_than_half_are_refused_and_half_are_not() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.entries = 4);
    let error = prices.reload().await.unwrap_err().to_string();
    assert!(error.ends_with("refused: it has 4 entries in place of 10"), "{error}");
    bench.plan(|plan| plan.entries = 5);
    assert_eq!(prices.reload().await.unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_empty_first_list_is_refused_too_and_a_guard_of_your_own_may_take_it() {
    let bench = Bench::new();
    bench.plan(|plan| plan.entries = 0);
    let error = bench.copy().start().unwrap().ready().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Refused));
    let any = bench.copy().guard(|old, _| match old {
        None => Ok(()),
        Some(_) => Err(LoadError::new("the first one is for ever")),
    });
    let any = any.start().unwrap();
    assert_eq!(any.ready().await.unwrap().len(), 0);
    let error = any.reload().await.unwrap_err();
    assert_eq!(error.to_string(), "\"prices\" was not loaded: the first one is for ever");
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_panics_refuses_and_a_person_may_accept() {
    let bench = Bench::new();
    let broken = bench.copy().guard(|_, _| panic!("the guard fails")).start().unwrap();
    let error = broken.ready().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Refused));
    assert_eq!(
        error.to_string(),
        "there is no copy of \"prices\" yet: refused: the guard panicked"
    );
    wait(100).await;
    assert!(bench.begun() > 5, "loads go on");
    assert!(broken.accept("ada", "the guard is wrong"));
    wait(1).await;
    assert_eq!(broken.get().unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_panics_is_a_failure_in_which_there_is_nothing_to_accept() {
    let bench = Bench::new();
    let copy = LocalCopy::builder(
        "list",
        &bench.shop,
        |_: &Vec<u8>| panic!("no count"),
        |_| async { Ok(Loaded::new(vec![1])) },
    );
    let copy = copy.start().unwrap();
    let error = copy.ready().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Panicked));
    assert!(error.to_string().ends_with("the count panicked"), "{error}");
    assert!(!copy.accept("ada", "why not"));
}

#[tokio::test(start_paused = true)]
async fn a_person_may_accept_what_was_refused_once() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    assert!(!prices.accept("ada", "nothing was refused"));
    bench.plan(|plan| plan.entries = 1);
    prices.reload().await.unwrap_err();
    assert!(prices.accept("ada", "they sell one thing now"));
    wait(1).await;
    assert_eq!((prices.get().unwrap().len(), prices.state()), (1, CopyState::Current));
    bench.plan(|plan| plan.entries = 0);
    prices.reload().await.unwrap_err();
    wait(secs(600).as_secs()).await;
    assert_eq!(prices.get().unwrap().len(), 1, "only one passes");
}

#[tokio::test(start_paused = true)]
async fn what_has_changed_since_it_was_refused_is_not_accepted() {
    for (now, is_accepted) in [(4, true), (3, false), (0, false)] {
        let bench = Bench::new();
        let prices = bench.copy().start().unwrap();
        prices.ready().await.unwrap();
        bench.plan(|plan| plan.entries = 4);
        prices.reload().await.unwrap_err();
        // Before he accepts those four.
        bench.plan(|plan| plan.entries = now);
        assert!(prices.accept("ada", "they sell four things now"));
        wait(1).await;
        let expected = if is_accepted { 4 } else { 10 };
        assert_eq!(prices.get().unwrap().len(), expected, "{now}");
        // What he has accepted is gone, also if it comes back.
        bench.plan(|plan| plan.entries = 4);
        assert_eq!(prices.reload().await.is_ok(), is_accepted, "{now}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_version_with_as_many_entries_is_not_accepted() {
    for (now, entries) in [("\"2\"", 4), ("\"3\"", 10)] {
        let bench = Bench::new();
        let prices = bench.copy().start().unwrap();
        prices.ready().await.unwrap();
        bench.plan(|plan| (plan.entries, plan.etag) = (4, Some("\"2\"")));
        prices.reload().await.unwrap_err();
        bench.plan(|plan| plan.etag = Some(now));
        assert!(prices.accept("ada", "they sell four things now"));
        wait(1).await;
        assert_eq!(prices.get().unwrap().len(), entries);
    }
}

#[tokio::test(start_paused = true)]
async fn an_acceptance_outlives_failures_and_ends_after_ten_minutes() {
    for (minutes, entries) in [(9, 4), (10, 10)] {
        let bench = Bench::new();
        let prices = bench.copy().start().unwrap();
        prices.ready().await.unwrap();
        bench.plan(|plan| plan.entries = 4);
        prices.reload().await.unwrap_err();
        bench.plan(|plan| plan.is_down = true);
        assert!(prices.accept("ada", "they sell four things now"));
        wait(60 * minutes).await;
        bench.plan(|plan| plan.is_down = false);
        let _ = prices.reload().await;
        assert_eq!(prices.get().unwrap().len(), entries, "after {minutes} min");
    }
}
