//! Async functions, and how long they may take.

use std::error::Error;
use std::io::ErrorKind as Io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http_body_util::BodyExt;
use outrigger::event::Event;
use outrigger::fallback::{FallbackLayer, FellBack};
use outrigger::outcome::{Class, Fault};
use outrigger::testing::Answer;
use outrigger::{Delivery, ErrorKind};

use super::{Covered, made_up};
use crate::call::{get, send, status};
use crate::clock::{millis, secs, timed, wait, within};

/// Asks a database that takes so long.
fn slow(millis_taken: u64) -> FallbackLayer {
    FallbackLayer::async_function(move |_| async move {
        wait(millis(millis_taken)).await;
        Some(made_up())
    })
}

#[tokio::test(start_paused = true)]
async fn an_async_functions_answer_is_waited_for_and_marked() {
    let crm = Covered::by(slow(400), Answer::status(500).after(secs(2)));
    let (took, response) = timed(send(&crm.service, get())).await;
    let response = response.unwrap();
    assert_eq!((took, response.status().as_u16()), (millis(2_400), 203));
    assert!(response.extensions().get::<FellBack>().is_some());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!((&body[..], crm.told()), (&b"yesterday's"[..], (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn it_may_take_the_limit_and_no_longer() {
    let (before, past) = (millis(999), millis(1_001));
    for (limit, taken, covered) in [
        (None, 1_000, true),
        (None, 1_001, false),
        (Some(before), 1_000, false),
        (Some(past), 1_001, true),
    ] {
        let layer = limit.into_iter().fold(slow(taken), FallbackLayer::limit);
        let crm = Covered::by(layer, Answer::status(500));
        let (took, code) = timed(status(&crm.service, get())).await;
        assert_eq!(code.unwrap(), if covered { 203 } else { 500 }, "{taken} in {limit:?}");
        assert_eq!(took, limit.unwrap_or(secs(1)).min(millis(taken)));
        assert_eq!(crm.told(), if covered { (1, 0) } else { (0, 1) });
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_too_late_leaves_the_failure_as_it_was() {
    let crm = Covered::by(slow(5_000), Answer::status(502).body("bad gateway"));
    let response = send(&crm.service, get()).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "bad gateway");
    crm.provider.set(Answer::broken(Io::ConnectionReset));
    let error = status(&crm.service, get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport(Fault::Reset));
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>));
    let failed = [Class::ServerError, Class::Transport(Fault::Reset)];
    assert_eq!(crm.events.events(), failed.map(|class| Event::FallbackFailed { class }));
}

#[tokio::test(start_paused = true)]
async fn one_that_has_no_answer_leaves_the_failure_as_it_was() {
    let crm = Covered::by(FallbackLayer::async_function(|_| async { None }), Answer::status(500));
    let (took, code) = timed(status(&crm.service, get())).await;
    assert_eq!((took, code.unwrap(), crm.told()), (secs(0), 500, (0, 1)));
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_only_for_failures_that_it_was_chosen_for() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let layer = FallbackLayer::async_function(move |failed| {
        count.fetch_add(1, Ordering::SeqCst);
        assert_eq!(failed.class, Class::ServerError);
        async { Some(made_up()) }
    });
    let crm = Covered::by(layer, Answer::status(404));
    for code in [200, 404, 401, 500] {
        crm.provider.set(Answer::status(code));
        status(&crm.service, get()).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// Notes that it was dropped.
struct Held(Arc<AtomicU32>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_is_asked_drops_it_and_tells_nothing() {
    let dropped = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&dropped);
    let layer = FallbackLayer::async_function(move |_| {
        let held = Held(Arc::clone(&count));
        async move {
            wait(secs(5)).await;
            drop(held);
            Some(made_up())
        }
    });
    let crm = Covered::by(layer.limit(secs(10)), Answer::status(500));
    assert!(within(secs(2), status(&crm.service, get())).await.is_none());
    assert_eq!((dropped.load(Ordering::SeqCst), crm.told()), (1, (0, 0)));
}
