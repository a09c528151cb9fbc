//! Settings that can't work are named.

use std::time::Duration;

use outrigger::local_copy::LocalCopy;

use crate::bench::{Bench, Prices, secs};

#[tokio::test(start_paused = true)]
async fn every_setting_that_can_not_work_is_named_at_once() {
    let bench = Bench::new();
    let pending = |_| std::future::pending::<Result<_, _>>();
    let wrong = LocalCopy::builder("our prices", &bench.shop, Prices::len, pending)
        .every(Duration::from_millis(99))
        .max_age(Duration::from_millis(99))
        .load_timeout(Duration::ZERO);
    let error = wrong.start().unwrap_err();
    let fields: Vec<_> = error.errors().iter().map(|error| error.field().to_owned()).collect();
    let all = ["name", "every", "max_age", "load_timeout"].map(|it| format!("local_copy.{it}"));
    assert_eq!(fields, all, "{error}");
    assert!(bench.shop.health().local_copies.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_copy_is_in_its_debug() {
    let bench = Bench::new();
    let builder = bench.copy().max_age(secs(100));
    let shown = format!("{builder:?}");
    let prices = builder.start().unwrap();
    prices.ready().await.unwrap();
    let shown = format!("{shown} {prices:?}");
    assert!(shown.contains("prices") && !shown.contains("price 1"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn two_copies_of_one_name_and_a_copy_with_a_controls_name_are_refused() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    let clone = prices.clone();
    drop(prices);
    let error = bench.copy().start().unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 setting of integration \"shop\" can't work: local_copy.name: the integration's local copy \
         \"prices\" has this name, and one of its handles still exists: use a clone of it, drop it before, or \
         give this copy another name"
    );
    clone.ready().await.unwrap();
    assert_eq!((bench.begun(), bench.shop.health().local_copies.len()), (1, 1));
    drop(clone);
    let again = bench.copy().start().unwrap();
    again.ready().await.unwrap();
    for control in bench.registry.controls("shop") {
        let pending = |_| std::future::pending::<Result<_, _>>();
        let copy = LocalCopy::builder(control.name(), &bench.shop, Prices::len, pending);
        assert_eq!(copy.start().unwrap_err().errors()[0].field(), "local_copy.name");
    }
    // Another integration may have a copy of this name.
    let other = Bench::new();
    let _other = other.copy().start().unwrap();
}
