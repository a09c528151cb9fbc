//! Background refreshes let people go first, and end with the integration.

use std::time::Duration;

use outrigger::Integration;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::testing::{Answer, Script};

use super::origin::{RATE, ask, get, layer, send, wait};

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_goes_before_a_refresh_that_came_sooner() {
    let provider = Script::by(|seen| {
        let slow = seen.uri().path() == "/slow";
        Answer::status(200)
            .header("cache-control", "max-age=1, stale-while-revalidate=60")
            .after(Duration::from_secs(u64::from(slow)))
    });
    let rates = Integration::user_flow("rates")
        .cache(layer())
        .bulkhead(|_| BulkheadLayer::new(1).queue(10))
        .service(provider.clone())
        .build()
        .unwrap();
    ask(&rates).await;
    wait(5).await;
    let (slow, other) = ("http://rates.test/slow", "http://rates.test/other");
    let holds = tokio::spawn({
        let rates = rates.clone();
        async move { send(&rates, get(slow)).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    // It is given the stale answer, and its refresh queues.
    ask(&rates).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    send(&rates, get(other)).await.unwrap();
    holds.await.unwrap();
    wait(1).await;
    let paths: Vec<_> = provider.requests().iter().map(|seen| seen.uri().to_string()).collect();
    assert_eq!(paths, [RATE, slow, other, RATE]);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_ends_with_its_integration() {
    let provider = Script::by({
        let mut number = 0;
        move |_| {
            number += 1;
            let answer = Answer::status(200);
            let answer = answer.header("cache-control", "max-age=1, stale-while-revalidate=60");
            if number == 1 { answer } else { Answer::hang() }
        }
    });
    let rates = Integration::user_flow("rates").cache(layer()).service(provider.clone());
    let rates = rates.build().unwrap();
    ask(&rates).await;
    wait(5).await;
    ask(&rates).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(provider.begun(), 2);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks(), 1);
    drop(rates);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(tasks(), 0);
}
