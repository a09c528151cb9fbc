//! The provider does what its plan says.

use std::io;
use std::time::Duration;

use http::Request;
use outrigger::Body;
use tower::{Service, ServiceExt};

use crate::clock::{self, millis, secs};
use crate::provider::Provider;
use crate::provider::log::Did;
use crate::provider::plan::{Mode, Plan};

async fn ask(provider: &Provider, path: &str) -> io::Result<u16> {
    let mut provider = provider.clone();
    let request = Request::post(path).header("idempotency-key", path).body("order".into());
    let answer = provider.ready().await?.call(request.expect("a request")).await?;
    let status = answer.status().as_u16();
    answer.into_body().bytes().await.map_err(io::Error::other)?;
    Ok(status)
}

/// A plan that has one mode for ten seconds.
fn ten_seconds(mode: Mode) -> Provider {
    Provider::new(Plan::new(1).then(mode, secs(10)))
}

/// What five requests in a row come to, and how long all that takes.
async fn five(mode: Mode) -> (Vec<u16>, Duration) {
    let (provider, began) = (ten_seconds(mode), clock::now());
    let mut came = Vec::new();
    for n in 0..5 {
        came.push(ask(&provider, &format!("/{n}")).await.unwrap_or(0));
    }
    assert_eq!(provider.under_way(), 0);
    (came, clock::now() - began)
}

#[tokio::test(start_paused = true)]
async fn each_mode_answers_as_it_says() {
    let (all, none) = (vec![200; 5], vec![0; 5]);
    let after = Some(secs(7));
    for (mode, came, took) in [
        (Mode::Ok, all.clone(), millis(100)),
        (Mode::Errors { share: 1.0, slow: Some(millis(300)) }, vec![500; 5], millis(1_500)),
        (Mode::Reset, none.clone(), secs(0)),
        (Mode::Refuse, none.clone(), secs(0)),
        (Mode::Unavailable { retry_after: after }, vec![503; 5], secs(0)),
        (
            Mode::Limited { per_second: 2, retry_after: after },
            vec![200, 200, 429, 429, 429],
            millis(40),
        ),
        (Mode::OddUnavailable { share: 1.0, retry_after: secs(3) }, vec![503; 5], secs(0)),
        (Mode::Endpoint { of: 4 }, vec![500, 200, 200, 200, 500], millis(60)),
        (Mode::Warming { share: 0.0 }, vec![503; 5], secs(0)),
        (Mode::Drip { frames: 3, gap: millis(100) }, all.clone(), millis(1_600)),
        (Mode::Slow { answer: millis(500) }, all, millis(2_500)),
    ] {
        assert_eq!(five(mode).await, (came, took), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hang_ends_with_its_phase_and_a_stuck_request_never_does() {
    let provider = ten_seconds(Mode::Hang);
    let error = ask(&provider, "/1").await.expect_err("it hangs");
    assert_eq!((error.kind(), provider.elapsed()), (io::ErrorKind::ConnectionReset, secs(10)));
    let provider = ten_seconds(Mode::Stuck);
    assert!(clock::within(secs(3_600), ask(&provider, "/1")).await.is_none());
    assert_eq!(provider.under_way(), 0);
    assert_eq!(provider.log(|log| log.count(Did::DroppedAfter)), 1);
    // The phase is over.
    assert_eq!(provider.mode(), Mode::Ok);
    assert_eq!(ask(&provider, "/1").await.ok(), Some(200));
}

#[tokio::test(start_paused = true)]
async fn requests_over_its_capacity_wait_in_a_queue_that_grows() {
    let provider = Provider::new(Plan::new(1).capacity(10));
    let paths = ["/0", "/1", "/2", "/3"];
    let asked = paths.map(|path| {
        let provider = provider.clone();
        clock::spawn(async move { (ask(&provider, path).await.ok(), provider.elapsed()) })
    });
    let mut took = Vec::new();
    for asked in asked {
        took.push(asked.await.expect("it ends").1);
    }
    assert_eq!(took, [20, 120, 220, 320].map(millis));
}

#[tokio::test(start_paused = true)]
async fn work_that_was_taken_on_is_done_though_its_caller_leaves_unless_the_provider_cancels() {
    for (cancels, done) in [(false, 2), (true, 1)] {
        let provider = Provider::new(Plan::new(1).capacity(10).cancels(cancels));
        let first = ask(&provider, "/1");
        let left = clock::within(millis(50), ask(&provider, "/2"));
        let (first, left) = futures_util::future::join(first, left).await;
        assert_eq!((first.ok(), left.is_none()), (Some(200), true));
        assert_eq!(provider.log(|log| log.count(Did::Executed)), done);
        assert_eq!(provider.log(|log| log.count(Did::DroppedBefore)), 2 - done);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_it_knows_is_not_done_again_where_it_honours_keys() {
    for (honours, executed) in [(true, 1), (false, 2)] {
        let provider = Provider::new(Plan::new(1).honours_keys(honours));
        for _ in 0..2 {
            assert_eq!(ask(&provider, "/1").await.ok(), Some(200));
        }
        assert_eq!(provider.log(|log| log.count(Did::Executed)), executed);
        assert_eq!(provider.log(|log| log.count(Did::Replayed)), 2 - executed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_unpolled_never_arrives() {
    let mut provider = Provider::new(Plan::new(1));
    drop(provider.call(Request::new(Body::empty())));
    assert!(provider.log(|log| log.seen.is_empty()));
}
