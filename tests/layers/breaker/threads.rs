//! Many threads at one breaker, with callers that leave at any time.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::{Either, join_all, select};
use http::{Request, Response};
use outrigger::Body;
use outrigger::circuit_breaker::{CircuitBreakerLayer, Consecutive, WhenOpen};
use outrigger::event::BreakerState::Closed;
use tower::{Layer, service_fn};

use crate::call::{get, status};
use crate::clock::{millis, secs, spawn, wait, within};

/// So many polls, and then it is over: a caller who leaves at some point of its call.
async fn after_polls(polls: usize) {
    for _ in 0..polls {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_leaves_whenever_all_others_go_once_the_provider_is_back() {
    let fails = Arc::new(AtomicBool::new(false));
    let (down, answered) = (Arc::clone(&fails), Arc::new(AtomicUsize::new(0)));
    let provider = service_fn(move |_: Request<Body>| {
        let status = if down.load(Ordering::Relaxed) { 500 } else { 200 };
        async move {
            tokio::task::yield_now().await;
            let response = Response::builder().status(status).body(Body::empty());
            Ok::<_, Infallible>(response.expect("a status"))
        }
    });
    let layer = CircuitBreakerLayer::new()
        .consecutive(Consecutive::Always(3))
        .no_success_for(millis(0))
        .open_for(millis(2), secs(1))
        .when_open(WhenOpen::Hold);
    let (service, handle) = (layer.layer(provider), layer.handle());
    let callers = (0..64_usize).map(|caller| {
        let (service, answered) = (service.clone(), Arc::clone(&answered));
        spawn(async move {
            for call in 0..60_usize {
                let asked = Box::pin(status(&service, get()));
                if (caller + call).is_multiple_of(3) {
                    let left = Box::pin(after_polls((caller * 7 + call) % 23));
                    if let Either::Right(_) = select(asked, left).await {
                        continue;
                    }
                } else {
                    asked.await.expect("no call is refused");
                }
                answered.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let worlds = spawn({
        let fails = Arc::clone(&fails);
        async move {
            for round in 0..40 {
                fails.store(round % 2 == 0, Ordering::Relaxed);
                wait(millis(3)).await;
            }
            fails.store(false, Ordering::Relaxed);
        }
    });
    let over = within(secs(60), async {
        worlds.await.expect("it ends");
        join_all(callers).await.into_iter().for_each(|caller| caller.expect("it ends"));
    });
    over.await.expect("nobody is left behind");
    assert!(answered.load(Ordering::Relaxed) >= 64 * 40);
    status(&service, get()).await.expect("it is closed");
    assert_eq!((handle.state(), handle.counts().held), (Closed, 0));
}
