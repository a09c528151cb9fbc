use outrigger::bulkhead::{Adaptive, Limit, Priority};
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};
use outrigger::{ErrorKind, Integration};

use super::preset;
use crate::call::{failure, get, hold, millis, once, poll_once, seconds, status};

#[tokio::test(start_paused = true)]
async fn sixteen_are_under_way_and_as_many_wait_as_come_in_an_outage() {
    let provider = Script::new([Answer::hang()]);
    let crm = preset().without_rate_limit().service(provider.clone()).build().unwrap();
    let held = hold(&crm, 16 + 5_000);
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (16, 5_000));
    assert_eq!(provider.begun(), 16);
    drop(held);
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_place_as_long_as_an_attempt_still_fits_its_deadline() {
    // No place comes free meanwhile.
    let crm = preset()
        .without_rate_limit()
        .without_breaker()
        .timeout(|timeout| timeout.attempt(seconds(3_000)))
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    let _held = hold(&crm, 16);
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::QueueTimeout));
    assert_eq!(took, seconds(1_800), "half of the time, where an attempt may take more");
}

#[tokio::test(start_paused = true)]
async fn jobs_by_the_thousand_wait_for_their_turn_in_order_and_none_is_refused() {
    let provider = Script::new([Answer::status(200).after(millis(10))]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let calls = (0..1_000).map(|number| {
        let request = http::Request::get(format!("http://crm.test/{number}")).body(());
        let mut call = crm.send(request.unwrap());
        assert!(poll_once(&mut call).is_pending());
        status(call)
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!((crm.bulkhead().in_use(), crm.bulkhead().waiting()), (16, 0));
    assert_eq!(crm.rate_limit().waiting(), 984);
    let statuses = futures_util::future::join_all(calls).await;
    assert!(statuses.iter().all(|(status, _)| *status == 200));
    let seen: Vec<u32> =
        provider.requests().iter().map(|seen| seen.uri().path()[1..].parse().unwrap()).collect();
    assert!(seen.is_sorted(), "who came first went first");
}

#[tokio::test(start_paused = true)]
async fn jobs_fill_a_limit_that_grows() {
    let provider = Script::new([Answer::status(200).after(millis(100))]);
    let adaptive = |bulkhead: outrigger::bulkhead::BulkheadLayer| {
        bulkhead.concurrency(2).adaptive(Adaptive::aimd())
    };
    let crm = preset().bulkhead(adaptive).service(provider).build().unwrap();
    let jobs: Vec<_> = (0..200).map(|_| tokio::spawn(status(crm.send(get())))).collect();
    let mut most = 0;
    while jobs.iter().any(|job| !job.is_finished()) {
        tokio::time::sleep(millis(10)).await;
        most = most.max(crm.bulkhead().in_use());
    }
    assert!(most > 10, "{most} at a time");
    for job in jobs {
        assert_eq!(job.await.unwrap().0, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn no_job_is_refused_because_others_hold_a_shared_limits_places() {
    for queue in [0, 2] {
        let limit = Limit::new(4).queue(queue);
        let provider = Script::new([Answer::status(200).after(seconds(1))]);
        let jobs = preset()
            .bulkhead(|bulkhead| bulkhead.limit(limit.clone(), Priority::Low))
            .service(provider.clone())
            .build()
            .unwrap();
        let people = Integration::user_flow("crm")
            .bulkhead(|bulkhead| bulkhead.limit(limit.clone(), Priority::High))
            .service(provider.clone())
            .build()
            .unwrap();
        let waiting: Vec<_> = (0..10).map(|_| tokio::spawn(status(jobs.send(get())))).collect();
        tokio::time::sleep(millis(500)).await;
        assert_eq!((jobs.bulkhead().in_use(), jobs.rate_limit().waiting()), (3, 7));
        // More people than there are places take them from under the jobs that have their turn.
        let crowd: Vec<_> = (0..6).map(|_| tokio::spawn(people.send(once()))).collect();
        tokio::time::sleep(millis(700)).await;
        assert_eq!(jobs.bulkhead().waiting_of(Priority::Low), 1 + queue, "more than it has spots");
        let mut refused = 0;
        for person in crowd {
            refused += u32::from(person.await.unwrap().is_err());
        }
        // One found the reserve free, and as many as it is long waited in the queue.
        assert_eq!(refused, 6 - 1 - queue);
        for job in waiting {
            assert_eq!(job.await.unwrap().0, 200);
        }
        assert_eq!((jobs.bulkhead().in_use(), jobs.bulkhead().waiting()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_alone_in_the_queue_learns_of_places_that_others_calls_made() {
    let limit = Limit::new(2).adaptive(Adaptive::aimd());
    let slow = Answer::status(200).after(seconds(20));
    let quick = Answer::status(200).after(millis(100));
    let jobs = preset()
        .bulkhead(|bulkhead| bulkhead.limit(limit.clone(), Priority::Low))
        .service(Script::new([slow, quick.clone()]))
        .build()
        .unwrap();
    let people = Integration::user_flow("crm")
        .bulkhead(|bulkhead| bulkhead.limit(limit.clone(), Priority::High))
        .service(Script::new([quick]))
        .build()
        .unwrap();
    let first = tokio::spawn(status(jobs.send(get())));
    tokio::time::sleep(millis(1)).await;
    let second = tokio::spawn(status(jobs.send(get())));
    tokio::time::sleep(millis(1)).await;
    assert_eq!((jobs.bulkhead().in_use(), jobs.rate_limit().waiting()), (1, 1));
    while people.bulkhead().limit() == Some(2) {
        people.send(once()).await.unwrap();
    }
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(jobs.rate_limit().waiting(), 0);
    assert_eq!(second.await.unwrap().0, 200);
    assert!(!first.is_finished());
    assert_eq!(first.await.unwrap().0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_gets_its_place() {
    let answer = Answer::status(200).after(seconds(20));
    let crm = preset().service(Script::new([answer])).build().unwrap();
    let others = futures_util::future::join_all(hold(&crm, 16));
    let (last, others) = tokio::join!(status(crm.send(get())), others);
    assert_eq!(last, (200, seconds(40)));
    assert!(others.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn without_it_any_number_of_calls_is_under_way() {
    let provider = Script::new([Answer::hang()]);
    let unbounded = preset().without_bulkhead().service(provider.clone());
    let crm = unbounded.build().unwrap();
    let _held = hold(&crm, 200);
    assert_eq!(provider.begun(), 200);
}
