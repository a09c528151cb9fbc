//! What a change of settings leaves as it is.

use outrigger::event::{BreakerState, SwitchMode};
use outrigger::outcome::{Phase, Rejection};
use outrigger::retry::RetryBudget;
use outrigger::testing::{Answer, Script};
use outrigger::{ErrorKind, Integration, Ratio};

use crate::call::{
    answers, apply, config, failure, get, hangs, hold, once, poll_once, seconds, spend, status,
    user_flow,
};

#[tokio::test(start_paused = true)]
async fn an_open_breaker_and_what_it_counted() {
    let provider = answers(500);
    let crm = user_flow(&provider);
    for _ in 0..10 {
        status(crm.send(once())).await.unwrap();
    }
    tokio::time::sleep(seconds(2)).await;
    status(crm.send(once())).await.unwrap();
    assert_eq!(crm.breaker().state(), BreakerState::Open);
    assert!(failure(crm.send(get())).await.0.is_rejected());
    let (before, open_for) = (crm.breaker().counts(), crm.breaker().open_for());
    apply(&crm, "circuit_breaker = { minimum = 30, open_growth = 3 }");
    assert_eq!((crm.breaker().counts(), crm.breaker().open_for()), (before, open_for));
    let (error, _) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CircuitOpen));
    assert_eq!(provider.begun(), 11);
}

#[tokio::test(start_paused = true)]
async fn what_a_closed_breaker_counted_and_failures_in_a_row() {
    let crm = user_flow(&answers(500));
    for _ in 0..9 {
        status(crm.send(once())).await.unwrap();
    }
    apply(&crm, "deadline = '4s'");
    assert_eq!(crm.breaker().counts().failed, 9);
    tokio::time::sleep(seconds(2)).await;
    status(crm.send(once())).await.unwrap();
    assert_eq!(crm.breaker().state(), BreakerState::Open, "it was the tenth in a row");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_somebody_forced() {
    let crm = user_flow(&answers(200));
    crm.breaker().force_open();
    apply(&crm, "circuit_breaker.probes = 4");
    assert_eq!(crm.breaker().forced(), Some(BreakerState::Open));
    assert!(failure(crm.send(get())).await.0.is_rejected());
}

#[tokio::test(start_paused = true)]
async fn the_kill_switchs_position_and_who_moved_it() {
    let provider = answers(200);
    let crm = user_flow(&provider);
    crm.kill_switch().set(SwitchMode::Off, "ada", "wrong invoices");
    let before = crm.kill_switch().position();
    apply(&crm, "deadline = '4s'");
    let position = crm.kill_switch().position();
    assert_eq!((position.mode(), position.since()), (SwitchMode::Off, before.since()));
    assert_eq!(position.who(), Some("ada"));
    assert!(failure(crm.send(get())).await.0.is_rejected());
    assert_eq!((crm.kill_switch().rejected(), provider.begun()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_saved_in_the_retry_budget() {
    let crm = user_flow(&answers(200));
    let budget = crm.retry_budget();
    spend(&budget).await;
    for _ in 0..25 {
        status(crm.send(get())).await.unwrap();
    }
    assert_eq!(budget.saved(), Some(5));
    apply(&crm, "retry.budget.ratio = '50%'");
    assert_eq!(crm.retry_budget().saved(), Some(5));
    status(crm.send(get())).await.unwrap();
    status(crm.send(get())).await.unwrap();
    assert_eq!((crm.retry_budget().saved(), budget.saved()), (Some(6), Some(6)));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_provider_asked_for() {
    let asks = Answer::status(429).header("retry-after", "60");
    let provider = Script::new([asks, Answer::status(200)]);
    let crm = user_flow(&provider);
    status(crm.send(once())).await.unwrap();
    apply(&crm, "rate_limit.queue = 9");
    assert_eq!(crm.rate_limit().paused_for(), Some(seconds(60)));
    let (error, _) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::RateLimited));
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_order_of_those_who_wait_for_a_turn() {
    let provider = Script::new([Answer::status(200).after(seconds(1))]);
    let jobs = Integration::background("jobs")
        .bulkhead(|bulkhead| bulkhead.concurrency(1))
        .service(provider.clone())
        .build()
        .unwrap();
    let send = |number: usize| {
        let request = http::Request::get(format!("http://jobs.test/{number}")).body(());
        let mut call = jobs.send(request.unwrap());
        assert!(poll_once(&mut call).is_pending());
        call
    };
    let mut calls: Vec<_> = (0..5).map(send).collect();
    apply(&jobs, "rate_limit.queue = 100");
    calls.extend((5..9).map(send));
    assert_eq!(jobs.rate_limit().waiting(), 8);
    let ended = futures_util::future::join_all(calls.into_iter().map(status)).await;
    assert!(ended.iter().all(Result::is_ok));
    let came: Vec<usize> =
        provider.requests().iter().map(|seen| seen.uri().path()[1..].parse().unwrap()).collect();
    assert_eq!(came, (0..9).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn places_and_the_queue_for_them() {
    let crm = Integration::user_flow("crm")
        .bulkhead(|bulkhead| bulkhead.concurrency(2).queue(2))
        .service(hangs())
        .build()
        .unwrap();
    let held = hold(&crm, 4);
    apply(&crm, "deadline = '4s'");
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (2, 2));
    let (error, _) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
    drop(held);
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_counts_of_second_requests() {
    let slow = [Answer::hang(), Answer::status(200)];
    let crm = Integration::user_flow("crm")
        .hedge(outrigger::hedge::HedgeLayer::after(seconds(1)))
        .service(Script::new(slow))
        .build()
        .unwrap();
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
    let before = crm.hedge().counts();
    assert_eq!((before.sent, before.won), (1, 1));
    apply(&crm, "hedge.after = '2s'");
    assert_eq!((crm.hedge().counts(), crm.hedge().delay()), (before, Some(seconds(2))));
}

#[tokio::test(start_paused = true)]
async fn the_mirrors_share_that_a_handle_set_unless_the_file_sets_another() {
    let target = user_flow(&answers(200));
    let crm = Integration::user_flow("crm")
        .mirror(outrigger::mirror::MirrorLayer::new(target, Ratio::ZERO))
        .service(answers(200))
        .build()
        .unwrap();
    crm.mirror().set_share(Ratio::percent(50));
    apply(&crm, "mirror.concurrency = 4");
    assert_eq!(crm.mirror().share(), Ratio::percent(50));
    apply(&crm, "mirror.share = '5%'");
    assert_eq!(crm.mirror().share(), Ratio::percent(5));
    crm.mirror().set_share(Ratio::percent(7));
    apply(&crm, "mirror = { share = '5%', concurrency = 3 }");
    assert_eq!(crm.mirror().share(), Ratio::percent(7), "the file says what it said");
    apply(&crm, "");
    assert_eq!(crm.mirror().share(), Ratio::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_fault_injection_that_a_handle_began() {
    let crm = Integration::user_flow("crm")
        .fault_injection(outrigger::fault_injection::FaultInjectionLayer::allow)
        .service(answers(200))
        .build()
        .unwrap();
    let plan = outrigger::fault_injection::Plan::new().status(Ratio::ONE, http::StatusCode::GONE);
    crm.fault_injection().start(plan.clone()).unwrap();
    apply(&crm, "deadline = '4s'\nfault_injection.header = 'x-fault'");
    assert_eq!(crm.fault_injection().plan(), Some(plan));
    assert_eq!(status(crm.send(get())).await.unwrap(), 410);
    apply(&crm, "fault_injection.allow = false");
    assert!(!crm.fault_injection().is_on());
    assert_eq!(status(crm.send(get())).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_call_that_is_under_way() {
    let provider = hangs();
    let crm = Integration::user_flow("crm")
        .timeout(|_| outrigger::timeout::TimeoutLayer::new())
        .service(provider)
        .build()
        .unwrap();
    let mut old = crm.send(get());
    assert!(poll_once(&mut old).is_pending());
    apply(&crm, "deadline = '3s'");
    let new = crm.send(get());
    let ((new, soon), (old, late)) = tokio::join!(failure(new), failure(old));
    assert_eq!((soon, late), (seconds(3), seconds(8)));
    assert_eq!(new.kind(), ErrorKind::Timeout(Phase::Call));
    assert_eq!(old.kind(), ErrorKind::Timeout(Phase::Call));
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_shared_with_another_integration() {
    let shared = RetryBudget::new(Ratio::percent(10), 3);
    let build = |name: &'static str| {
        let builder = Integration::user_flow(name).retry(|retry| retry.budget(shared.clone()));
        builder.service(answers(200)).build().unwrap()
    };
    let (one, other) = (build("one"), build("other"));
    apply(&one, "deadline = '4s'");
    spend(&shared).await;
    for _ in 0..10 {
        status(one.send(get())).await.unwrap();
    }
    assert_eq!((other.retry_budget().saved(), shared.saved()), (Some(1), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_shared_budget_whose_terms_a_file_sets() {
    for built_with in ["", "retry.budget.ratio = '50%'"] {
        let shared = RetryBudget::new(Ratio::percent(10), 3);
        let builder = |name: &'static str| {
            Integration::user_flow(name)
                .retry(|retry| retry.budget(shared.clone()))
                .service(answers(200))
        };
        let one = builder("one").config(config(built_with)).build().unwrap();
        let other = builder("other").build().unwrap();
        let ten_by_one = async || {
            for _ in 0..10 {
                status(one.send(get())).await.unwrap();
            }
            (other.retry_budget().saved(), shared.saved())
        };
        apply(&one, "retry.budget.ratio = '50%'");
        spend(&shared).await;
        assert_eq!(ten_by_one().await, (Some(5), Some(5)), "{built_with:?}");
        // Who says nothing of it leaves it as it is.
        apply(&other, "deadline = '5s'");
        assert_eq!(ten_by_one().await, (Some(10), Some(10)));
        // One that isn't rationed takes no part, and changes nothing for the other.
        apply(&one, "retry.budget = 'none'");
        assert_eq!((one.retry_budget().saved(), ten_by_one().await.0), (None, Some(10)));
        apply(&one, "");
        assert_eq!(ten_by_one().await, (Some(11), Some(11)), "as it was made");
    }
}
