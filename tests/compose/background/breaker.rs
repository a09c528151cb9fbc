//! While nothing answers, jobs wait and one probes.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http::{Request, Response};
use outrigger::event::BreakerState;
use outrigger::outcome::GaveUp;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};

use super::preset;
use crate::call::{get, read, seconds, status};

/// Fails so often, and answers after that.
fn fails(times: usize) -> Script {
    let failures = std::iter::repeat_with(|| Answer::status(503)).take(times);
    Script::new(failures.chain([Answer::status(200)]))
}

/// An integration whose provider answers by what the switch says, and takes so long.
fn switched(takes: Duration) -> (Integration, Arc<AtomicU16>) {
    let switch = Arc::new(AtomicU16::new(503));
    let answers = Arc::clone(&switch);
    let provider = tower::service_fn(move |_: Request<Body>| {
        let status = answers.load(Ordering::Relaxed);
        async move {
            tokio::time::sleep(takes).await;
            let response = Response::builder().status(status).body(Body::empty());
            Ok::<_, Infallible>(response.expect("a status"))
        }
    });
    (preset().service(provider).build().unwrap(), switch)
}

#[tokio::test(start_paused = true)]
async fn no_job_is_lost_while_nothing_answers_and_one_a_second_probes() {
    let provider = fails(300);
    let crm = preset().service(provider.clone()).build().unwrap();
    let jobs: Vec<_> = (0..200).map(|_| tokio::spawn(status(crm.send(get())))).collect();
    tokio::time::sleep(seconds(60)).await;
    assert_eq!(crm.breaker().state(), BreakerState::Open);
    let before = provider.begun();
    tokio::time::sleep(seconds(100)).await;
    let probes = provider.begun() - before;
    assert!((80..=125).contains(&probes), "{probes} in a hundred seconds, give or take a fifth");
    let done = join_all(jobs).await;
    assert!(done.into_iter().all(|job| job.unwrap().0 == 200));
    assert_eq!(provider.begun(), 500);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_meets_an_outage_of_two_minutes_is_done_soon_after() {
    let (crm, provider) = switched(Duration::from_millis(20));
    let job = tokio::spawn(read(crm.send(get())));
    tokio::time::sleep(seconds(120)).await;
    provider.store(200, Ordering::Relaxed);
    let began = tokio::time::Instant::now();
    let response = job.await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert!(began.elapsed() <= seconds(60), "its own backoff is a minute at most");
    assert!(response.extensions().get::<Retries>().unwrap().attempts >= 5);
}

#[tokio::test(start_paused = true)]
async fn after_a_long_hang_no_more_go_at_once_than_after_a_short_one() {
    let hangs = Arc::new(AtomicU16::new(0));
    let (down, begun) = (Arc::clone(&hangs), Arc::new(AtomicU16::new(0)));
    let counted = Arc::clone(&begun);
    let provider = tower::service_fn(move |_: Request<Body>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let is_down = down.load(Ordering::Relaxed) == 0;
        async move {
            if is_down {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    let crm = preset().service(provider).build().unwrap();
    let jobs: Vec<_> = (0..2_000).map(|_| tokio::spawn(status(crm.send(get())))).collect();
    tokio::time::sleep(seconds(1_200)).await;
    hangs.store(1, Ordering::Relaxed);
    let before = begun.load(Ordering::Relaxed);
    while crm.breaker().open_for().is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(seconds(1)).await;
    let went = begun.load(Ordering::Relaxed) - before;
    assert!(went <= 70, "{went} in the first second, of fifty that one place takes");
    assert!(join_all(jobs).await.into_iter().all(|job| job.unwrap().0 == 200));
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_hour_is_over_says_since_when_nothing_answers() {
    let (crm, _) = switched(Duration::from_millis(20));
    let began = tokio::time::Instant::now();
    let jobs = (0..500).map(|_| read(crm.send(get())));
    let mut rejected = 0;
    for result in join_all(jobs).await {
        assert!(began.elapsed() <= seconds(3_600));
        if let Err(error) = result {
            assert_eq!(error.gave_up(), Some(GaveUp::Deadline));
            assert!(error.to_string().contains("nothing has answered for 3"), "{error}");
            rejected += 1;
        }
    }
    assert!(rejected > 300, "{rejected}; the others end as the 503 of their last attempt");
}

#[tokio::test(start_paused = true)]
async fn places_start_at_one_after_a_hold_and_double() {
    let (crm, provider) = switched(Duration::from_millis(500));
    for _ in 0..10 {
        let _ = read(crm.send(crate::call::once())).await;
    }
    let jobs: Vec<_> = (0..500).map(|_| tokio::spawn(status(crm.send(get())))).collect();
    tokio::time::sleep(Duration::from_millis(10)).await;
    provider.store(200, Ordering::Relaxed);
    let mut most = Vec::new();
    for _ in 0..6 {
        let mut in_use = 0;
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            in_use = in_use.max(crm.bulkhead().in_use());
        }
        most.push(in_use);
    }
    assert!(most.iter().take(2).all(|most| *most <= 2), "{most:?} places by second");
    assert!(most.is_sorted() && most.iter().all(|most| *most <= 16), "{most:?}");
    assert!(join_all(jobs).await.into_iter().all(|job| job.unwrap().0 == 200));
}

#[tokio::test(start_paused = true)]
async fn without_it_every_call_goes_out() {
    let provider = Script::new([Answer::status(500)]);
    let crm = preset().without_breaker().service(provider.clone()).build().unwrap();
    for _ in 0..100 {
        read(crm.send(crate::call::once())).await.unwrap();
    }
    assert_eq!(provider.begun(), 100);
    crm.breaker().force_open();
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
}
