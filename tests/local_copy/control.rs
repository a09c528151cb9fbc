//! What people see and do, by the registry.

use outrigger::control::{ControlError, Status};
use outrigger::local_copy::LocalCopy;

use crate::bench::{Bench, Prices, wait};

#[tokio::test(start_paused = true)]
async fn a_copy_is_a_control_of_its_integration_that_loads_it_now() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    bench.plan(|plan| plan.entries = 12);
    bench.registry.set("shop", "prices", "reload", "ada", "they changed a price").unwrap();
    wait(1).await;
    assert_eq!(prices.get().unwrap().len(), 12);
    let refused = bench.registry.set("shop", "prices", "sideways", "ada", "").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "no position \"sideways\": use one of automatic, reload, accept"
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_guard_refused_is_accepted_with_a_name_and_a_reason() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    let accept = || bench.registry.set("shop", "prices", "accept", "ada", "a sale is over");
    assert!(matches!(accept(), Err(ControlError::Refused(_))));
    bench.plan(|plan| plan.entries = 2);
    prices.reload().await.unwrap_err();
    bench.plan(|plan| plan.is_down = true);
    accept().unwrap();
    wait(1).await;
    let state = || bench.shop.health().controls.into_iter().find(|it| it.name == "prices").unwrap();
    assert_eq!((state().position.as_str(), state().who.as_deref()), ("accept", Some("ada")));
    bench.registry.set("shop", "prices", "automatic", "ada", "a mistake").unwrap();
    assert!(state().is_default);
    bench.plan(|plan| plan.is_down = false);
    prices.reload().await.unwrap_err();
    accept().unwrap();
    wait(1).await;
    assert_eq!(prices.get().unwrap().len(), 2);
    assert!(state().is_default && state().who.is_none());
}

#[tokio::test(start_paused = true)]
async fn health_says_how_each_copy_is_and_an_outdated_one_degrades_the_integration() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    let stock = LocalCopy::builder("stock", &bench.shop, Prices::len, |_| {
        std::future::pending::<Result<_, _>>()
    });
    let _stock = stock.start().unwrap();
    prices.ready().await.unwrap();
    let health = bench.shop.health();
    assert_eq!(health.status, Status::Up);
    let shown: Vec<_> = health
        .local_copies
        .iter()
        .map(|copy| (copy.name, copy.state.name(), copy.count, copy.error.is_some()))
        .collect();
    assert_eq!(shown, [("prices", "current", Some(10), false), ("stock", "empty", None, false)]);
    bench.plan(|plan| plan.is_down = true);
    wait(200).await;
    let health = bench.shop.health();
    assert_eq!(health.status, Status::Degraded);
    let prices = &health.local_copies[0];
    assert_eq!(
        (prices.state.name(), prices.failure.map(outrigger::event::LoadFailure::name)),
        ("late", Some("failed"))
    );
    assert!(prices.error.as_ref().is_some_and(|text| text.contains("503")));
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn health_as_json_has_the_copies() {
    let bench = Bench::new();
    let prices = bench.copy().start().unwrap();
    prices.ready().await.unwrap();
    let json = serde_json::to_value(bench.shop.health()).unwrap();
    let copy = &json["local_copies"][0];
    assert_eq!((&copy["name"], &copy["state"]), (&"prices".into(), &"current".into()));
    assert_eq!(copy["last_success"], "2027-01-15T08:00:00.000Z");
    assert_eq!((&copy["count"], &copy["is_from_snapshot"]), (&10.into(), &false.into()));
}
