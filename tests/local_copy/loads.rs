//! When it is loaded, and what becomes of a load that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{FutureExt, join_all};
use outrigger::event::LocalCopyEvent;
use outrigger::local_copy::{CopyState, LoadError, LoadFailure, Loaded, LocalCopy};

use crate::bench::{Bench, Prices, secs, wait};

#[tokio::test(start_paused = true)]
async fn a_copy_is_loaded_at_the_start_and_then_every_interval_give_or_take_a_tenth() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    wait(6000).await;
    let begun = bench.begun.lock().unwrap().clone();
    assert!((92..=112).contains(&begun.len()), "{}", begun.len());
    let gaps: Vec<_> = begun.windows(2).map(|two| two[1] - two[0]).collect();
    let is_near = |gap: &Duration| *gap >= secs(54) && *gap <= secs(67);
    assert!(gaps.iter().all(is_near), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap < secs(58)) && gaps.iter().any(|gap| *gap > secs(62)));
    assert_eq!(prices.get().unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn while_the_provider_is_down_the_copy_is_served_and_loads_are_tried_less_and_less() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    wait(1).await;
    bench.plan(|plan| plan.is_down = true);
    wait(3600).await;
    assert_eq!(prices.get().unwrap().len(), 10);
    assert_eq!(prices.state(), CopyState::Late);
    let begun = bench.begun.lock().unwrap().clone();
    let gaps: Vec<_> = begun.windows(2).map(|two| two[1] - two[0]).skip(1).collect();
    for (most, gap) in [1, 2, 4, 8, 16, 32].into_iter().zip(&gaps) {
        assert!(*gap <= secs(most) + Duration::from_millis(5), "{gaps:?}");
    }
    assert!(gaps.iter().all(|gap| *gap <= secs(61)), "{gaps:?}");
    assert!(begun.len() < 250, "{}: it must not be a storm", begun.len());

    bench.plan(|plan| plan.is_down = false);
    wait(61).await;
    assert_eq!((prices.state(), prices.health().failure), (CopyState::Current, None));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_is_cut_and_the_next_one_begins() {
    let bench = Bench::new();
    bench.plan(|plan| plan.hangs = true);
    let prices = bench.copy().load_timeout(secs(20)).start().unwrap();
    let error = prices.ready().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::TimedOut));
    let text = "there is no copy of \"prices\" yet: the loader did not end within 20s";
    assert_eq!(error.to_string(), text);
    bench.plan(|plan| plan.hangs = false);
    assert_eq!(prices.reload().await.unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_loader_that_panics_is_a_failure_and_the_next_load_begins() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.panics = true);
    let error = prices.reload().await.unwrap_err();
    assert_eq!(error.failure(), Some(LoadFailure::Panicked));
    assert_eq!(prices.get().unwrap().len(), 10, "the copy stays");
    bench.plan(|plan| plan.panics = false);
    wait(2).await;
    assert_eq!(prices.health().failure, None);
}

#[tokio::test(start_paused = true)]
async fn a_value_whose_end_panics_ends_no_loading() {
    struct Fragile;
    impl Drop for Fragile {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "its end fails");
        }
    }
    let bench = Bench::new();
    let fragile =
        LocalCopy::builder("fragile", &bench.shop, |_| 1, |_| async { Ok(Loaded::new(Fragile)) });
    let fragile = fragile.start().unwrap();
    drop(fragile.ready().await);
    let _ = fragile.reload().await.map(std::mem::forget);
    let again = fragile.reload().await.map(std::mem::forget);
    assert!(again.is_ok());
    std::mem::forget(fragile.get());
}

#[tokio::test(start_paused = true)]
async fn many_who_want_a_load_at_once_share_one() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| (plan.entries, plan.takes) = (12, secs(5)));
    let loaded = join_all((0..100).map(|_| prices.reload())).await;
    assert!(loaded.iter().all(|prices| prices.as_ref().is_ok_and(|prices| prices.len() == 12)));
    assert_eq!(bench.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_ends_no_load() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| (plan.entries, plan.takes) = (12, secs(5)));
    assert!(prices.reload().now_or_never().is_none());
    wait(6).await;
    assert_eq!(prices.get().unwrap().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_load_that_is_slower_than_the_interval_is_followed_by_one_at_a_time() {
    let bench = Bench::new();
    bench.plan(|plan| plan.takes = secs(150));
    let prices = bench.copy().start().unwrap();
    wait(1400).await;
    let begun = bench.begun.lock().unwrap().clone();
    let gaps: Vec<_> = begun.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(gaps.len() >= 8 && gaps.iter().all(|gap| *gap >= secs(150)), "{gaps:?}");
    assert!(prices.age().unwrap() >= secs(150), "it is as old as the request for it");
}

#[tokio::test(start_paused = true)]
async fn when_the_last_handle_is_dropped_a_load_that_runs_is_cancelled_and_no_other_begins() {
    let (bench, is_cancelled) = (Bench::new(), Arc::new(AtomicBool::new(false)));
    struct Told(Arc<AtomicBool>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (tell, begun) = (Arc::clone(&is_cancelled), Arc::clone(&bench.begun));
    let loader = move |_| {
        let told = Told(Arc::clone(&tell));
        begun.lock().unwrap().push(tokio::time::Instant::now());
        async move {
            let _told = told;
            std::future::pending::<Result<Loaded<Prices>, LoadError>>().await
        }
    };
    let copy = LocalCopy::builder("prices", &bench.shop, Prices::len, loader).start().unwrap();
    let clone = copy.clone();
    wait(1).await;
    drop(copy);
    wait(1).await;
    assert!(!is_cancelled.load(Ordering::SeqCst), "a clone is left");
    assert_eq!(bench.shop.health().local_copies.len(), 1);
    drop(clone);
    wait(1).await;
    assert!(is_cancelled.load(Ordering::SeqCst));
    assert!(bench.shop.health().local_copies.is_empty());
    wait(10_000).await;
    assert_eq!(bench.begun(), 1);
}

#[test]
fn after_its_runtime_has_ended_a_copy_is_served_and_a_reload_says_why_not() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    let (bench, first) = (Bench::new(), runtime());
    let prices = first.block_on(async {
        let prices = bench.copy().start().unwrap();
        prices.ready().await.unwrap();
        prices
    });
    drop(first);
    let error = runtime().block_on(prices.reload()).unwrap_err();
    assert_eq!(error.to_string(), "\"prices\" is loaded no more: its runtime has ended");
    assert_eq!(prices.get().unwrap().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_has_not_changed_is_a_success_without_another_copy() {
    let bench = Bench::new();
    bench.plan(|plan| plan.etag = Some("\"v1\""));
    let prices = bench.copy().start().unwrap();
    let first = prices.ready().await.unwrap();
    wait(50).await;
    let second = prices.reload().await.unwrap();
    assert!(Arc::ptr_eq(&first, &second) && prices.age().unwrap() < secs(1));
    let asked = bench.provider.requests();
    assert_eq!(asked[0].headers().get("if-none-match"), None);
    assert_eq!(asked[1].headers()["if-none-match"], "\"v1\"");
    let changed = bench.all_told().into_iter().map(|event| match event {
        LocalCopyEvent::Loaded { changed, count, .. } => (changed, count),
        other => panic!("{other:?}"),
    });
    assert_eq!(changed.collect::<Vec<_>>(), [(true, 10), (false, 10)]);

    bench.plan(|plan| (plan.etag, plan.entries) = (Some("\"v2\""), 11));
    assert_eq!(prices.reload().await.unwrap().len(), 11);
    prices.reload().await.unwrap();
    assert_eq!(bench.provider.requests()[3].headers()["if-none-match"], "\"v2\"");
}

#[tokio::test(start_paused = true)]
async fn the_validator_of_a_copy_that_was_refused_is_not_kept() {
    let bench = Bench::new();
    bench.plan(|plan| plan.etag = Some("\"v1\""));
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| (plan.etag, plan.entries) = (Some("\"v2\""), 0));
    prices.reload().await.unwrap_err();
    assert_eq!(prices.reload().await.unwrap_err().failure(), Some(LoadFailure::Refused));
    let last = bench.provider.requests().pop().unwrap();
    assert_eq!(last.headers()["if-none-match"], "\"v1\"");
}

#[tokio::test(start_paused = true)]
async fn a_loader_that_says_unchanged_without_a_copy_has_failed() {
    let bench = Bench::new();
    let loader = |_| async { Ok(Loaded::<Prices>::unchanged()) };
    let copy = LocalCopy::builder("prices", &bench.shop, Prices::len, loader).start().unwrap();
    let error = copy.ready().await.unwrap_err().to_string();
    assert!(error.contains("nothing has changed, but there is no copy yet"), "{error}");
}
