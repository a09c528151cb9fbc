//! Reading it, overriding it, and letting it only report.

use outrigger::circuit_breaker::Mode;
use outrigger::event::BreakerState::{Closed, HalfOpen, Open};
use outrigger::event::Event;
use outrigger::testing::Answer;

use super::{Guarded, by_rate};
use crate::clock::{secs, wait};

#[tokio::test(start_paused = true)]
async fn a_handle_says_for_how_long_it_has_not_been_closed() {
    let crm = Guarded::by(by_rate(10, 50, 1).probes(1, 1));
    assert_eq!(crm.handle.open_for(), None);
    crm.fail(1).await;
    wait(secs(3)).await;
    assert_eq!(crm.handle.open_for(), Some(secs(3)));
    wait(secs(2)).await;
    crm.fail(1).await;
    wait(secs(4)).await;
    assert_eq!(crm.handle.open_for(), Some(secs(9)), "a failed probe is the same outage");
    wait(secs(10)).await;
    crm.succeed(1).await;
    assert_eq!(crm.handle.open_for(), None);
}

#[tokio::test(start_paused = true)]
async fn a_handle_counts_what_the_window_holds_and_what_was_refused() {
    let crm = Guarded::by(by_rate(10, 50, 4));
    crm.succeed(2).await;
    crm.fail(2).await;
    for _ in 0..3 {
        assert!(crm.call().await.is_err());
    }
    let counts = crm.handle.counts();
    assert_eq!((counts.calls, counts.failed, counts.rejected), (4, 2, 3));
    assert_eq!(crm.events.count(|event| *event == Event::BreakerRejected), 3);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_forced_open_refuses_until_it_is_released() {
    let crm = Guarded::by(by_rate(10, 50, 10));
    crm.handle.force_open();
    assert_eq!(crm.state(), Open);
    wait(secs(3_600)).await;
    let error = crm.call().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "crm: circuit breaker open for api.example:443: forced open 3600.0s ago"
    );
    assert_eq!((error.retry_after(), crm.provider.begun()), (None, 0));
    crm.handle.release();
    assert_eq!((crm.state(), crm.call().await.unwrap()), (Closed, 200));
    assert_eq!(crm.changes(), [(Closed, Open), (Open, Closed)]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_forced_open_says_for_how_long() {
    let crm = Guarded::by(by_rate(10, 50, 10));
    crm.handle.force_open();
    wait(secs(3)).await;
    assert_eq!((crm.state(), crm.handle.open_for()), (Open, Some(secs(3))));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_forced_closed_is_not_said_to_be_open() {
    let crm = Guarded::by(by_rate(10, 50, 1));
    crm.fail(1).await;
    crm.handle.force_closed();
    wait(secs(3)).await;
    assert_eq!((crm.state(), crm.handle.open_for()), (Closed, None));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_forced_closed_lets_everything_through_until_it_is_released() {
    let crm = Guarded::by(by_rate(10, 50, 1));
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
    crm.handle.force_closed();
    crm.fail(100).await;
    assert_eq!((crm.state(), crm.provider.begun()), (Closed, 101));
    crm.handle.release();
    assert_eq!(crm.state(), Open, "what the results said still holds");
    assert!(crm.call().await.unwrap_err().is_rejected());
}

#[tokio::test(start_paused = true)]
async fn in_report_only_mode_it_says_what_it_would_have_refused_and_refuses_nothing() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1).mode(Mode::ReportOnly));
    crm.fail(30).await;
    assert_eq!((crm.state(), crm.provider.begun()), (Open, 30));
    assert_eq!(crm.events.count(|event| *event == Event::BreakerWouldReject), 20);
    assert_eq!(crm.events.count(|event| *event == Event::BreakerRejected), 0);
    assert_eq!(crm.handle.counts().rejected, 20);
}

#[tokio::test(start_paused = true)]
async fn in_report_only_mode_it_goes_through_its_states_all_the_same() {
    let crm = Guarded::by(by_rate(10, 50, 10).probes(1, 1).mode(Mode::ReportOnly));
    crm.fail(10).await;
    wait(secs(4)).await;
    crm.succeed(5).await;
    assert_eq!(crm.state(), Open, "what it would have refused closes nothing");
    wait(secs(1)).await;
    crm.succeed(1).await;
    assert_eq!(crm.changes(), [(Closed, Open), (Open, HalfOpen), (HalfOpen, Closed)]);
}

#[tokio::test(start_paused = true)]
async fn clones_and_services_of_one_layer_share_one_breaker() {
    use tower::Layer;
    let layer = by_rate(10, 50, 1);
    let handle = layer.handle();
    let failing = layer.layer(crate::provider::Provider::new(Answer::status(500)));
    let healthy = layer.clone().layer(crate::provider::Provider::new(Answer::status(200)));
    let _ = crate::call::status(&failing, crate::call::get()).await;
    assert_eq!(handle.state(), Open);
    assert!(crate::call::status(&healthy, crate::call::get()).await.is_err());
}
