//! Deadlines from outside the stack.

use std::time::Duration;

use outrigger::Delivery::{Answered, Unknown};
use outrigger::context::{CallDeadline, Context, Scope};
use outrigger::deadline::DeadlineLayer;
use outrigger::outcome::Phase;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use tower::Layer;

use super::{assert_timed_out, bringing, trickle};
use crate::call::{fetch, get, status};
use crate::clock::{now, secs, timed, within};
use crate::provider::Streaming;

/// When a call that hangs is over, under these deadlines.
async fn over(
    layer: DeadlineLayer,
    request: Option<Duration>,
    scope: Option<Duration>,
) -> Option<Duration> {
    let service = layer.layer(Script::new([Answer::hang()]));
    let request = match request {
        Some(limit) => bringing(CallDeadline::after(limit), get()),
        None => get(),
    };
    let scope = scope.map_or(Scope::new(), |limit| Scope::new().deadline_in(limit));
    let call = timed(scope.run(status(&service, request)));
    let (took, result) = within(secs(86_400), call).await?;
    assert_timed_out(&result.unwrap_err(), Phase::Call, took, Unknown);
    Some(took)
}

#[tokio::test(start_paused = true)]
async fn the_sooner_of_all_deadlines_wins() {
    for (layer, request, scope) in [(3, 6, 9), (6, 3, 9), (9, 6, 3)] {
        let layer = DeadlineLayer::new(secs(layer)).may_be_lengthened(false);
        assert_eq!(over(layer, Some(secs(request)), Some(secs(scope))).await, Some(secs(3)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_requests_own_deadline_stands_in_the_place_of_the_layers() {
    for own in [1, 3, 6, 3_600] {
        let own = secs(own);
        assert_eq!(over(DeadlineLayer::new(secs(3)), Some(own), None).await, Some(own));
    }
}

#[tokio::test(start_paused = true)]
async fn a_requests_own_deadline_is_cut_short_by_what_it_inherits() {
    for (layer, request, scope, expected) in [(3, 6, 9, 6), (3, 9, 6, 6), (9, 6, 3, 3)] {
        let layer = DeadlineLayer::new(secs(layer));
        let over = over(layer, Some(secs(request)), Some(secs(scope))).await;
        assert_eq!(over, Some(secs(expected)));
    }
    let both = DeadlineLayer::new(secs(3));
    let inner = both.clone().layer(Script::new([Answer::hang()]));
    let fixed = both.may_be_lengthened(false).layer(inner.clone());
    let (twice, own) = (DeadlineLayer::new(secs(3)).layer(inner), CallDeadline::after(secs(6)));
    assert_eq!(timed(status(&twice, bringing(own, get()))).await.0, secs(6));
    let own = CallDeadline::after(secs(6));
    assert_eq!(timed(status(&fixed, bringing(own, get()))).await.0, secs(3), "by the outer one");
}

#[tokio::test(start_paused = true)]
async fn a_stream_may_be_given_more_time_than_other_answers() {
    let events = || Streaming::new([trickle(10, secs(5))]);
    let layer = DeadlineLayer::new(secs(8));
    let long = bringing(CallDeadline::after(secs(60)), get());
    assert_eq!(fetch(&layer.layer(events()), long).await.unwrap().len(), 50);
    let (took, cut) = timed(fetch(&layer.layer(events()), get())).await;
    assert_timed_out(&cut.unwrap_err(), Phase::Call, secs(8), Answered);
    assert_eq!(took, secs(8));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_may_last_as_long_as_the_requests_own_deadline() {
    let attempts = TimeoutLayer::new().layer(Script::new([Answer::hang()]));
    let service = DeadlineLayer::new(secs(3)).layer(attempts);
    let (took, result) =
        timed(status(&service, bringing(CallDeadline::after(secs(6)), get()))).await;
    assert_timed_out(&result.unwrap_err(), Phase::Call, secs(6), Unknown);
    assert_eq!(took, secs(6));
}

#[tokio::test(start_paused = true)]
async fn each_deadline_counts_where_there_is_no_other() {
    let only = |request, scope| over(DeadlineLayer::inherited(), request, scope);
    assert_eq!(only(Some(secs(3)), None).await, Some(secs(3)));
    assert_eq!(only(None, Some(secs(3))).await, Some(secs(3)));
    assert_eq!(over(DeadlineLayer::new(secs(3)), None, None).await, Some(secs(3)));
    assert_eq!(only(None, None).await, None, "a day later it still waits");
}

#[tokio::test(start_paused = true)]
async fn an_inner_scope_can_not_put_off_the_outer_ones_deadline() {
    for (outer, inner) in [(3, 6), (6, 3)] {
        let nested = async {
            let service = DeadlineLayer::inherited().layer(Script::new([Answer::hang()]));
            let call = async { timed(status(&service, get())).await.0 };
            Scope::new().deadline_in(secs(inner)).run(call).await
        };
        assert_eq!(Scope::new().deadline_in(secs(outer)).run(nested).await, secs(3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_a_deadline_ends_with_the_sooner() {
    for (outer, inner) in [(3, 6), (6, 3)] {
        let service = DeadlineLayer::new(secs(inner)).layer(Script::new([Answer::hang()]));
        let service = DeadlineLayer::new(secs(outer)).layer(service);
        let (took, result) = timed(status(&service, get())).await;
        assert_timed_out(&result.unwrap_err(), Phase::Call, secs(3), Unknown);
        assert_eq!(took, secs(3));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_passed_ends_the_call_at_once() {
    let service = DeadlineLayer::new(secs(8)).layer(Script::new([Answer::hang()]));
    let passed = bringing(CallDeadline(now() - secs(1)), get());
    let (took, result) = timed(status(&service, passed)).await;
    assert_eq!((took, result.unwrap_err().is_timeout()), (secs(0), true));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_beyond_every_clock_is_none() {
    let request = bringing(CallDeadline::after(Duration::MAX), get());
    let service =
        DeadlineLayer::new(Duration::MAX).layer(Script::new([Answer::status(200).after(secs(60))]));
    assert_eq!(status(&service, request).await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn whoever_is_further_in_can_read_it() {
    let provider = Script::new([Answer::status(200)]);
    let service = DeadlineLayer::new(secs(8)).layer(provider.clone());
    let request = bringing(CallDeadline::after(secs(5)), get());
    let due = now() + secs(5);
    assert_eq!(status(&service, request).await.unwrap(), 200);
    let context = provider.requests()[0].extensions().get::<Context>().cloned().unwrap();
    assert_eq!(context.deadline(), Some(due));
}
