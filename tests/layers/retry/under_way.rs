//! A budget by what is under way.

use outrigger::Ratio;
use outrigger::hedge::HedgeLayer;
use outrigger::retry::{EmptyBudget, RetryBudget};
use outrigger::testing::{Answer, Script};
use tower::Layer;

use super::plain;
use crate::call::{get, status};
use crate::clock::{begin, millis, secs, settle, timed, wait};

/// So many calls at once, each of two attempts, of a provider that fails after a second: how many
/// requests it sees.
async fn requests(budget: RetryBudget, calls: usize) -> usize {
    let provider = Script::new([Answer::status(503).after(secs(1))]);
    let service = plain().max_attempts(2).budget(budget.clone()).layer(provider.clone());
    let calls = (0..calls).map(|_| status(&service, get()));
    for result in futures_util::future::join_all(calls).await {
        assert_eq!(result.unwrap(), 503);
    }
    provider.begun()
}

#[tokio::test(start_paused = true)]
async fn retries_are_a_share_of_the_calls_under_way_or_the_least_number() {
    for (percent, least, calls, retries) in [
        (20, 1, 20, 4),
        (20, 3, 20, 4),
        (20, 5, 20, 5),
        (20, 0, 4, 0),
        (100, 0, 7, 7),
        (0, 2, 9, 2),
    ] {
        let budget = RetryBudget::under_way(Ratio::percent(percent), least);
        let seen = requests(budget.clone(), calls).await;
        assert_eq!(seen, calls + retries, "{percent} % of {calls}, at least {least}");
        // All is given back, and no call counts any more.
        assert_eq!(budget.saved(), Some(least));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_alone_has_all_its_attempts_one_after_the_other() {
    let budget = RetryBudget::under_way(Ratio::ZERO, 1);
    let provider = Script::new([Answer::status(503)]);
    let layer = plain().max_attempts(5).budget(budget);
    assert_eq!(status(&layer.layer(provider.clone()), get()).await.unwrap(), 503);
    assert_eq!(provider.begun(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_under_way_from_its_wait_on_and_is_given_back_wherever_it_is_dropped() {
    // While it waits, and while it is answered.
    for elapsed in [millis(50), millis(1_000)] {
        let budget = RetryBudget::under_way(Ratio::ZERO, 1);
        let answers = [Answer::status(503), Answer::status(503).after(secs(60))];
        let service = plain().budget(budget.clone()).layer(Script::new(answers));
        let call = begin(async move { status(&service, get()).await }).await;
        wait(elapsed).await;
        assert_eq!(budget.saved(), Some(0), "{elapsed:?}");
        call.abort();
        settle().await;
        assert_eq!(budget.saved(), Some(1), "{elapsed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_over_counts_no_more_though_its_future_is_kept() {
    let budget = RetryBudget::under_way(Ratio::ONE, 0);
    let service = plain().budget(budget.clone()).layer(Script::new([Answer::status(200)]));
    let mut call = Box::pin(status(&service, get()));
    assert_eq!(budget.saved(), Some(0));
    assert_eq!((&mut call).await.unwrap(), 200);
    assert_eq!(budget.saved(), Some(0), "nor does its future, which is still there");
    drop(call);
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_until_another_retry_is_over() {
    let budget = RetryBudget::under_way(Ratio::ZERO, 1);
    let (failed, slow) = (|| Answer::status(503), || Answer::status(200).after(secs(7)));
    let provider = Script::new([failed(), failed(), slow()]);
    let layer = plain().budget(budget.clone()).when_budget_is_empty(EmptyBudget::Wait);
    let service = layer.layer(provider.clone());
    let first = begin({
        let service = service.clone();
        async move { timed(status(&service, get())).await }
    });
    let first = first.await;
    let (took, result) = timed(status(&service, get())).await;
    // The first's retry lasts from 0.1 to 7.1 s, and the second's begins then.
    assert_eq!((took, result.unwrap()), (millis(14_100), 200));
    assert_eq!(first.await.unwrap().0, millis(7_100));
    assert_eq!((budget.saved(), provider.begun()), (Some(1), 4));
}

#[tokio::test(start_paused = true)]
async fn second_requests_draw_on_it_too() {
    let budget = RetryBudget::under_way(Ratio::ZERO, 1);
    let provider = Script::new([Answer::status(200).after(secs(1))]);
    let hedge = HedgeLayer::after(millis(100)).budget(budget.clone());
    let service = hedge.layer(provider.clone());
    for round in 1..=2 {
        let calls = [(); 3].map(|()| status(&service, get()));
        futures_util::future::join_all(calls).await;
        assert_eq!(provider.begun(), round * 4, "one of three is doubled");
        assert_eq!(budget.saved(), Some(1));
    }
    // Without a retry layer, the calls are counted here.
    let budget = RetryBudget::under_way(Ratio::percent(50), 0);
    let provider = Script::new([Answer::status(200).after(secs(1))]);
    let service = HedgeLayer::after(millis(100)).budget(budget.clone()).layer(provider.clone());
    futures_util::future::join_all([(); 4].map(|()| status(&service, get()))).await;
    assert_eq!((provider.begun(), budget.saved()), (6, Some(0)));
}
