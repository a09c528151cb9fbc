//! Which of two answers the caller gets.

use std::io::ErrorKind as Io;

use outrigger::bulkhead::BulkheadLayer;
use outrigger::context::Context;
use outrigger::event::Event;
use outrigger::hedge::HedgeCounts;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::Fault;
use outrigger::testing::{Answer, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Delivery, ErrorKind};
use tower::Layer;

use super::{Hedged, after, fixed, heard, sent};
use crate::call::{get, keyed_post, post, send, status};
use crate::clock::{begin, millis, timed, wait, within};
use crate::retry::plain;

fn broken(how: Io, taken: u64) -> Answer {
    Answer::broken(how).after(millis(taken))
}

#[tokio::test(start_paused = true)]
async fn the_second_wins_where_the_first_hangs() {
    let crm = Hedged::fixed([Answer::hang(), after(201, 20)]);
    let (took, code) = timed(status(&crm.service, get())).await;
    assert_eq!((took, code.unwrap(), crm.provider.begun()), (millis(70), 201, 2));
    assert_eq!(crm.events.events(), [sent(), Event::HedgeFinished { won: true }]);
    let HedgeCounts { sent, won, skipped, .. } = crm.hedge.counts();
    assert_eq!((sent, won, skipped), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_first_good_answer_wins_whichever_it_is() {
    for (first, second, took, code, won) in [
        // A quick failure doesn't beat a slow success, from either side.
        (after(200, 300), after(503, 0), 300, 200, false),
        (after(503, 60), after(200, 100), 150, 200, true),
        (broken(Io::ConnectionReset, 60), after(200, 100), 150, 200, true),
        (after(200, 300), broken(Io::ConnectionReset, 0), 300, 200, false),
        (after(429, 60), after(200, 100), 150, 200, true),
        // What is our fault would be our fault again.
        (after(404, 60), after(200, 100), 60, 404, false),
        (Answer::hang(), after(401, 10), 60, 401, true),
        // Both good.
        (after(200, 60), after(201, 100), 60, 200, false),
        (after(200, 160), after(201, 100), 150, 201, true),
        // Neither: the first one's stands, once both are known.
        (after(503, 60), after(500, 100), 150, 503, false),
        (after(503, 300), after(500, 0), 300, 503, false),
    ] {
        let crm = Hedged::fixed([first, second]);
        let (taken, answered) = timed(status(&crm.service, get())).await;
        assert_eq!((taken, answered.unwrap()), (millis(took), code));
        let finished = Event::HedgeFinished { won };
        assert_eq!(crm.events.events(), [sent(), finished], "{code} after {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_requests_change_something_one_may_be_refused_for_the_other() {
    for (first, second, took, code, won) in [
        (after(201, 200), after(409, 5), 200, 201, false),
        (after(409, 60), after(201, 100), 150, 201, true),
        (after(201, 200), after(401, 5), 200, 201, false),
        // Neither did it: the first one's stands.
        (after(409, 60), after(422, 100), 150, 409, false),
        (after(422, 200), after(409, 5), 200, 422, false),
        (after(503, 60), after(409, 100), 150, 503, false),
    ] {
        let crm = Hedged::fixed([first, second]);
        let (taken, answered) = timed(status(&crm.service, keyed_post("amount=1"))).await;
        assert_eq!((taken, answered.unwrap()), (millis(took), code));
        let finished = Event::HedgeFinished { won };
        assert_eq!(crm.events.events(), [sent(), finished], "{code} after {took}");
    }
    let alone = Hedged::fixed([after(409, 40)]);
    let (took, code) = timed(status(&alone.service, keyed_post("amount=1"))).await;
    assert_eq!((took, code.unwrap()), (millis(40), 409));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_of_two_requests_is_tried_again() {
    // The first came second; the other broke off.
    let provider = Script::new([after(409, 100), broken(Io::ConnectionReset, 10), after(201, 0)]);
    let service = plain().layer(fixed().layer(provider.clone()));
    let service = IdempotencyLayer::new(KeyProfile::stripe()).layer(service);
    assert_eq!(status(&service, post("amount=1")).await.unwrap(), 201);
    assert_eq!(provider.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn if_neither_is_answered_the_firsts_error_stands_with_the_worst_delivery_of_both() {
    use Delivery::{Answered, NotSent, Unknown};
    let (refused, reset) = (Io::ConnectionRefused, Io::ConnectionReset);
    for (first, second, delivery, fault) in [
        (broken(refused, 60), broken(reset, 100), Unknown, Fault::Refused),
        (broken(refused, 300), broken(reset, 0), Unknown, Fault::Refused),
        (broken(refused, 60), broken(refused, 100), NotSent, Fault::Refused),
        (broken(refused, 300), broken(refused, 0), NotSent, Fault::Refused),
        (broken(refused, 60), after(503, 100), Answered, Fault::Refused),
        (broken(refused, 300), after(503, 0), Answered, Fault::Refused),
        (broken(reset, 300), broken(refused, 0), Unknown, Fault::Reset),
    ] {
        let crm = Hedged::fixed([first, second]);
        let error = status(&crm.service, get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport(fault));
        assert_eq!((error.delivery(), error.attempts()), (delivery, 2));
        assert_eq!(crm.events.events(), [sent(), Event::HedgeFinished { won: false }]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_only_the_second_was_answered_is_the_last_one() {
    let provider = Script::new([Answer::hang(), after(503, 10)]);
    let service = fixed().layer(TimeoutLayer::new().attempt(millis(200)).layer(provider));
    let error = status(&service, get()).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.last_status().map(|status| status.as_u16()), Some(503));
    assert_eq!((error.attempts(), error.delivery()), (2, Delivery::Unknown));
}

#[tokio::test(start_paused = true)]
async fn each_request_has_its_own_time() {
    let provider = Script::new([Answer::hang(), after(200, 150)]);
    let service = fixed().layer(TimeoutLayer::new().attempt(millis(180)).layer(provider));
    let (took, code) = timed(status(&service, get())).await;
    assert_eq!((took, code.unwrap()), (millis(200), 200));
}

#[tokio::test(start_paused = true)]
async fn both_requests_are_of_one_call_under_one_key_and_numbered() {
    let crm = Hedged::fixed([after(200, 400)]);
    let mut request = keyed_post("amount=1");
    request.headers_mut().append("x-tag", http::HeaderValue::from_static("a"));
    request.headers_mut().append("x-tag", http::HeaderValue::from_static("b"));
    status(&crm.service, request).await.unwrap();
    let seen = crm.provider.requests();
    let [first, second] = &seen[..] else { panic!("two requests: {seen:?}") };
    let context = |of: usize| seen[of].extensions().get::<Context>().unwrap();
    assert_eq!((context(0).attempt(), context(1).attempt()), (1, 2));
    assert_eq!(context(0).call_id(), context(1).call_id());
    assert_eq!(
        (context(1).integration(), context(1).started()),
        (Some("crm"), context(0).started())
    );
    assert_eq!(first.headers(), second.headers());
    assert_eq!(second.headers()["idempotency-key"], "charge-1");
    assert_eq!((first.method(), first.uri()), (second.method(), second.uri()));
    assert_eq!(first.body(), second.body());
}

#[tokio::test(start_paused = true)]
async fn the_loser_is_cancelled_at_once_and_gives_its_place_back() {
    for (first, second) in [(Answer::hang(), after(200, 10)), (after(200, 100), Answer::hang())] {
        let places = BulkheadLayer::new(2);
        let (layer, _) = heard(fixed());
        let service = layer.layer(places.layer(Script::new([first, second])));
        let response = send(&service, get()).await.unwrap();
        assert_eq!(places.handle().in_use(), 1, "the winner's, with its body");
        drop(response);
        assert_eq!(places.handle().in_use(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_first_answer_gives_its_place_back_when_the_second_wins() {
    use tower::Service as _;
    let places = BulkheadLayer::new(2);
    let mut service = fixed().layer(places.layer(Script::new([after(503, 60), after(200, 100)])));
    let service = crate::call::ready(&mut service).await;
    let mut call = Box::pin(service.call(get()));
    let response = call.as_mut().await.unwrap();
    assert_eq!((response.status().as_u16(), places.handle().in_use()), (200, 1));
    drop(call);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_cancels_both() {
    let places = BulkheadLayer::new(2);
    let provider = Script::new([Answer::hang()]);
    let service = fixed().layer(places.layer(provider.clone()));
    assert!(within(millis(60), status(&service, get())).await.is_none());
    assert_eq!((provider.begun(), places.handle().in_use()), (2, 0));
    let service = service.clone();
    let call = begin(async move { status(&service, get()).await }).await;
    wait(millis(60)).await;
    assert_eq!(places.handle().in_use(), 2);
    call.abort();
    wait(millis(1)).await;
    assert_eq!(places.handle().in_use(), 0);
}
