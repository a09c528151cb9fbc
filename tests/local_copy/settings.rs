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
