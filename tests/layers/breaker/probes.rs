//! Half-open: who is let through, and what comes of it.

use outrigger::Ratio;
use outrigger::event::BreakerState::{Closed, HalfOpen, Open};
use outrigger::testing::{Answer, ReadinessProbe};
use tower::Layer;

use super::{Guarded, by_rate};
use crate::call::{get, status};
use crate::clock::{begin, millis, secs, spawn, wait, within};
use crate::provider::Provider;

#[tokio::test(start_paused = true)]
async fn no_more_probes_than_allowed_are_let_through() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(3, 2));
    crm.fail_and_wait().await;
    let before = crm.provider.begun();
    crm.provider.set(Answer::status(200).after(secs(1)));
    let callers = (0..100).map(|_| {
        let service = crm.service.clone();
        spawn(async move { status(&service, get()).await.is_ok() })
    });
    let admitted = futures_util::future::join_all(callers.collect::<Vec<_>>()).await;
    let admitted = admitted.into_iter().filter(|admitted| *admitted.as_ref().unwrap());
    assert_eq!((admitted.count(), crm.provider.begun() - before), (3, 3));
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn it_closes_after_so_many_successes_and_not_before() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(3, 2));
    crm.fail_and_wait().await;
    crm.succeed(1).await;
    assert_eq!(crm.state(), HalfOpen);
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
    assert_eq!(crm.changes(), [(Closed, Open), (Open, HalfOpen), (HalfOpen, Closed)]);
}

#[tokio::test(start_paused = true)]
async fn it_opens_again_once_the_successes_can_not_be_reached() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(3, 2));
    crm.fail_and_wait().await;
    crm.fail(1).await;
    assert_eq!(crm.state(), HalfOpen, "two of three may still succeed");
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_of_three_is_forgiven() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(3, 2));
    crm.fail_and_wait().await;
    crm.succeed(1).await;
    crm.fail(1).await;
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn the_window_begins_anew_when_it_closes() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1));
    crm.fail_and_wait().await;
    crm.succeed(1).await;
    assert_eq!(crm.handle.counts().calls, 0);
    crm.fail(9).await;
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_frees_its_slot_at_once() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1));
    crm.fail_and_wait().await;
    crm.provider.set(Answer::hang());
    for _ in 0..10 {
        assert!(within(millis(100), crm.call()).await.is_none(), "admitted, and cut");
    }
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_was_waited_for_in_vain_has_failed() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1));
    crm.fail_and_wait().await;
    crm.provider.set(Answer::hang());
    assert!(within(secs(2), crm.call()).await.is_none());
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_makes_room_for_another() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1).probe_limit(secs(12)));
    crm.fail_and_wait().await;
    crm.provider.set(Answer::hang());
    let service = crm.service.clone();
    let hung = begin(async move { status(&service, get()).await }).await;
    wait(secs(11)).await;
    let turned_away = crm.call().await.unwrap_err();
    assert_eq!((crm.state(), turned_away.retry_after()), (HalfOpen, Some(secs(1))));
    wait(secs(1)).await;
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
    hung.abort();
}

#[tokio::test(start_paused = true)]
async fn a_success_closes_it_however_late_it_comes() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1).probe_limit(secs(1)));
    crm.fail_and_wait().await;
    crm.provider.set(Answer::status(200).after(secs(11)));
    let service = crm.service.clone();
    let slow = begin(async move { status(&service, get()).await }).await;
    wait(secs(10)).await;
    crm.fail(1).await;
    assert_eq!(crm.state(), Open, "another probe failed meanwhile");
    assert_eq!(slow.await.unwrap().unwrap(), 200);
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_does_not_close_one_that_opened_for_slowness() {
    let slowness = by_rate(10, 100, 4).slow_calls(secs(1), Ratio::percent(50)).probes(1, 1);
    let crm = Guarded::by(slowness);
    let slow = || Answer::status(200).after(secs(2));
    crm.calls(4, slow()).await;
    assert_eq!(crm.state(), Open);
    wait(secs(5)).await;
    crm.calls(1, slow()).await;
    assert_eq!(crm.state(), Open);
    wait(secs(10)).await;
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_closes_one_that_opened_for_failures() {
    let layer = by_rate(10, 50, 10).slow_calls(secs(1), Ratio::percent(50)).probes(1, 1);
    let crm = Guarded::by(layer);
    crm.fail_and_wait().await;
    crm.calls(1, Answer::status(200).after(secs(2))).await;
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_healthy_provider_is_let_back_however_seldom_it_is_called() {
    let crm = Guarded::by(by_rate(10, 50, 10).window(secs(10)).probes(3, 3));
    crm.fail_and_wait().await;
    for _ in 0..3 {
        crm.provider.set(Answer::status(200));
        assert_eq!(crm.call().await.unwrap(), 200, "nobody is turned away");
        wait(secs(600)).await;
    }
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_of_an_earlier_outage_does_not_count_in_a_later_one() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(2, 1).probe_limit(secs(1)));
    crm.fail_and_wait().await;
    crm.provider.set(Answer::status(200).after(secs(30)));
    let service = crm.service.clone();
    let straggler = begin(async move { status(&service, get()).await }).await;
    crm.succeed(1).await;
    assert_eq!(crm.state(), Closed);
    crm.fail(10).await;
    assert_eq!(crm.state(), Open);
    assert_eq!(straggler.await.unwrap().unwrap(), 200);
    assert_eq!(crm.handle.open_for(), Some(secs(35)), "not closed by a success of before");
}

#[tokio::test(start_paused = true)]
async fn a_probe_waits_for_the_inner_services_readiness() {
    let provider = Provider::new(Answer::status(500));
    let layer = by_rate(10, 50, 1).probes(1, 1);
    // Panics where an instance is called that was not polled ready.
    let service = layer.layer(ReadinessProbe::new(provider.clone()));
    assert_eq!(status(&service, get()).await.unwrap(), 500);
    wait(secs(5)).await;
    provider.set(Answer::status(200));
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    assert_eq!(layer.handle().state(), Closed);
}
