//! What a call that was cut says of its attempts.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use outrigger::Delivery::{Answered, NotSent, Unknown};
use outrigger::bulkhead::BulkheadLayer;
use outrigger::context::Context;
use outrigger::deadline::DeadlineLayer;
use outrigger::outcome::{Phase, Rejection};
use outrigger::testing::{Answer, ReadinessProbe, Script};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, Error, ErrorKind};
use tower::limit::ConcurrencyLimitLayer;
use tower::{Layer, service_fn};

use super::assert_timed_out;
use crate::call::{fetch, get, send, status};
use crate::clock::{begin, millis, secs, timed, within};
use crate::provider::{Provider, piped};
use crate::retry::plain;

#[tokio::test(start_paused = true)]
async fn a_call_cut_before_the_service_was_ready_made_no_attempt() {
    let unready = ReadinessProbe::new(Script::new([Answer::status(200)]));
    unready.set_ready(false);
    let service = DeadlineLayer::new(secs(8)).layer(unready);
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!((error.delivery(), error.attempts()), (NotSent, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_in_vain_in_a_queue_of_ours_made_no_attempt() {
    let bulkhead = BulkheadLayer::new(1).queue(1).layer(Script::new([Answer::hang()]));
    let held = begin({
        let bulkhead = bulkhead.clone();
        async move { send(&bulkhead, get()).await.map(drop) }
    })
    .await;
    let bare = DeadlineLayer::new(secs(8)).layer(bulkhead.clone());
    let retried = DeadlineLayer::new(secs(8)).layer(plain().layer(bulkhead));
    let retried = status(&retried, get()).await.unwrap_err();
    let late = ErrorKind::Rejected(Rejection::QueueTimeout);
    assert_eq!((retried.kind(), retried.delivery()), (late, NotSent));
    assert_eq!(retried.attempts(), 0, "under a retry, which counts");
    let bare = status(&bare, get()).await.unwrap_err();
    assert_eq!((bare.kind(), bare.delivery()), (late, NotSent));
    assert_eq!(bare.attempts(), 0, "where nobody counts");
    held.abort();
}

#[tokio::test(start_paused = true)]
async fn a_call_cut_between_two_attempts_was_answered_by_the_first() {
    let provider = Provider::new(Answer::status(503));
    let limited = ConcurrencyLimitLayer::new(1).layer(provider.clone());
    let service = DeadlineLayer::new(secs(8)).layer(plain().layer(limited.clone()));
    let retrying = begin(async move { timed(status(&service, get())).await }).await;
    // While it waits for its second attempt, another call takes the only permit.
    provider.set(Answer::hang());
    let held = begin(async move { send(&limited, get()).await.map(drop) }).await;
    let (took, result) = retrying.await.unwrap();
    let error = result.unwrap_err();
    assert_timed_out(&error, Phase::Call, secs(8), Answered);
    assert_eq!((took, error.attempts(), provider.begun()), (secs(8), 1, 2));
    assert_eq!(error.last_status().unwrap().as_u16(), 503);
    held.abort();
}

/// Notes, when its call is dropped, whether a limit was why.
struct Dropped(Context, Arc<Mutex<Vec<bool>>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0.was_cut());
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_can_tell_a_limit_from_a_caller_who_went_away() {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let transport = service_fn({
        let noted = Arc::clone(&noted);
        move |request: Request<_>| {
            let context = request.extensions().get::<Context>().cloned().unwrap();
            let dropped = Dropped(context, Arc::clone(&noted));
            async move {
                let _dropped = dropped;
                std::future::pending::<Result<Response<Body>, Error>>().await
            }
        }
    });
    let attempts = TimeoutLayer::new().attempt(secs(2)).layer(transport);
    let service = DeadlineLayer::new(secs(3)).layer(plain().layer(attempts));
    assert!(within(secs(1), status(&service, get())).await.is_none());
    assert_eq!(*noted.lock().unwrap(), [false]);
    assert!(within(secs(60), status(&service, get())).await.unwrap().unwrap_err().is_timeout());
    assert_eq!(*noted.lock().unwrap(), [false, true, true], "the attempt's limit, the deadline's");
    assert!(within(millis(2_500), status(&service, get())).await.is_none());
    assert_eq!(noted.lock().unwrap()[3..], [true, false], "the second attempt was not cut");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_after_a_lost_attempt_leaves_the_call_unknown() {
    for (lost, expected) in [(true, Unknown), (false, Answered)] {
        let hangs = Arc::new(Mutex::new(lost));
        let provider = service_fn(move |_: Request<_>| {
            let hangs = std::mem::take(&mut *hangs.lock().unwrap());
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                let (pipe, body) = piped();
                pipe.feed("half");
                pipe.break_off();
                Ok::<_, Error>(Response::new(body))
            }
        });
        let attempts = TimeoutLayer::new().attempt(secs(1));
        let service = DeadlineLayer::new(secs(8)).layer(plain().layer(attempts.layer(provider)));
        let error = fetch(&service, get()).await.unwrap_err();
        assert_eq!((error.attempts(), error.delivery()), (1 + u32::from(lost), expected));
    }
}
