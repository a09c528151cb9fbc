//! Limits that are raised and lowered under those who wait for them.

use outrigger::testing::{Answer, Script};
use outrigger::{ErrorKind, Integration};

use crate::call::{apply, failure, get, hangs, hold, poll_once, seconds, status};
use outrigger::outcome::Rejection;

#[tokio::test(start_paused = true)]
async fn more_places_admit_those_who_wait_at_once() {
    let provider = hangs();
    let crm = Integration::user_flow("crm")
        .bulkhead(|bulkhead| bulkhead.concurrency(1).queue(9))
        .service(provider.clone())
        .build()
        .unwrap();
    let mut held = hold(&crm, 6);
    assert_eq!((provider.begun(), crm.bulkhead().waiting()), (1, 5));
    apply(&crm, "bulkhead = { concurrency = 4, queue = 9 }");
    assert!(held.iter_mut().all(|call| poll_once(call).is_pending()));
    assert_eq!((provider.begun(), crm.bulkhead().waiting()), (4, 2));
    apply(&crm, "bulkhead.concurrency = 'none'");
    assert!(held.iter_mut().all(|call| poll_once(call).is_pending()));
    assert_eq!(provider.begun(), 6);
}

#[tokio::test(start_paused = true)]
async fn fewer_places_let_calls_finish_and_admit_none_until_there_is_room() {
    let provider = Script::new([Answer::status(200).after(seconds(1))]);
    let crm = Integration::user_flow("crm").service(provider.clone()).build().unwrap();
    let held = hold(&crm, 3);
    apply(&crm, "bulkhead.concurrency = 2");
    assert_eq!((crm.bulkhead().limit(), crm.bulkhead().in_use()), (Some(2), 3));
    let (error, _) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
    let ended = futures_util::future::join_all(held.into_iter().map(status)).await;
    assert!(ended.iter().all(Result::is_ok));
    assert_eq!(crm.bulkhead().in_use(), 0);
    let held = hold(&crm, 2);
    assert_eq!(failure(crm.send(get())).await.0.kind(), ErrorKind::Rejected(Rejection::Full));
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn more_jobs_in_flight_admit_those_who_wait_at_once() {
    let provider = hangs();
    let jobs = Integration::background("jobs")
        .bulkhead(|bulkhead| bulkhead.concurrency(1))
        .service(provider.clone())
        .build()
        .unwrap();
    let calls: Vec<_> = hold(&jobs, 6).into_iter().map(|call| tokio::spawn(status(call))).collect();
    tokio::task::yield_now().await;
    assert_eq!((provider.begun(), jobs.rate_limit().waiting()), (1, 5));
    // The queue for turns is as wide as the bulkhead.
    apply(&jobs, "bulkhead.concurrency = 4");
    tokio::time::sleep(seconds(1)).await;
    assert_eq!((provider.begun(), jobs.rate_limit().waiting()), (4, 2));
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_faster_pace_lets_those_who_wait_go_sooner() {
    let provider = Script::new([Answer::status(200)]);
    let jobs = Integration::background("jobs")
        .rate_limit(|limit| limit.requests(1, seconds(100)))
        .service(provider.clone())
        .build()
        .unwrap();
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(status(jobs.send(get())))).collect();
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(provider.begun(), 1);
    apply(&jobs, "rate_limit.per = '1s'");
    tokio::time::sleep(seconds(4)).await;
    assert_eq!(provider.begun(), 3);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    apply(&jobs, "rate_limit.requests = 'none'");
    assert_eq!(jobs.rate_limit().interval(), None);
}

/// Jobs at ten a second, whose provider refused one that followed on another.
async fn refused(retry_after: Option<&str>) -> (Integration, Script) {
    let answer = Answer::status(429);
    let answer = match retry_after {
        Some(seconds) => answer.header("retry-after", seconds),
        None => answer,
    };
    let provider = Script::new([Answer::status(200), answer, Answer::status(200)]);
    let jobs = Integration::background("jobs")
        .rate_limit(|limit| limit.requests(10, seconds(1)))
        .retry(|retry| retry.max_attempts(1))
        .service(provider.clone())
        .build()
        .unwrap();
    for code in [200, 429] {
        assert_eq!(status(jobs.send(get())).await.unwrap(), code);
    }
    (jobs, provider)
}

#[tokio::test(start_paused = true)]
async fn without_learning_what_was_learned_slows_nobody_any_more() {
    let (jobs, provider) = refused(None).await;
    let set = Some(std::time::Duration::from_millis(100));
    assert!(jobs.rate_limit().paused_for().is_some() && jobs.rate_limit().interval() > set);
    let calls: Vec<_> = (0..10).map(|_| tokio::spawn(status(jobs.send(get())))).collect();
    tokio::task::yield_now().await;
    apply(&jobs, "rate_limit.learn = 'off'");
    assert_eq!((jobs.rate_limit().paused_for(), jobs.rate_limit().interval()), (None, set));
    tokio::time::sleep(seconds(1)).await;
    assert!(provider.begun() >= 2 + 9, "{}", provider.begun());
    calls.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn without_learning_a_pause_that_the_provider_asked_for_lasts_as_it_said() {
    let (jobs, _) = refused(Some("7")).await;
    apply(&jobs, "rate_limit.learn = 'off'");
    let set = Some(std::time::Duration::from_millis(100));
    assert_eq!(
        (jobs.rate_limit().paused_for(), jobs.rate_limit().interval()),
        (Some(seconds(7)), set)
    );
    assert_eq!(status(jobs.send(get())).await.unwrap(), 200);
    assert_eq!(jobs.rate_limit().paused_for(), None);
}
