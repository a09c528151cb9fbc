//! What becomes of calls that had begun when somebody moved the switch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use outrigger::bulkhead::BulkheadLayer;
use outrigger::event::{Emitter, Event, SwitchMode};
use outrigger::hedge::HedgeLayer;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::outcome::{GaveUp, Rejection};
use outrigger::rate_limit::RateLimitLayer;
use outrigger::retry::Retries;
use outrigger::testing::{Answer, EventRecorder};
use outrigger::{Body, BoxError, Delivery, Error, ErrorKind};
use tower::{Layer, Service, service_fn};

use super::Switched;
use crate::call::{get, send, status};
use crate::clock::{begin, millis, secs, timed, wait};
use crate::provider::Provider;
use crate::retry::plain;

#[tokio::test(start_paused = true)]
async fn requests_that_are_under_way_finish() {
    let crm = Switched::new();
    crm.provider.set(Answer::status(201).after(secs(2)));
    let under_way = begin(crm.call()).await;
    crm.set(SwitchMode::Off);
    assert!(crm.call().await.is_err());
    let (took, result) = timed(under_way).await;
    assert_eq!((took, result.unwrap().unwrap()), (secs(2), 201));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_next_attempt_sends_nothing_more() {
    let layer = KillSwitchLayer::new();
    let provider = Provider::new(Answer::status(503));
    let service = layer.layer(plain().layer(provider.clone()));
    let waiting = begin(async move { status(&service, get()).await }).await;
    layer.handle().set(SwitchMode::Off, "ada", "invoices are wrong");
    let (took, result) = timed(waiting).await;
    let error = result.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped));
    assert_eq!((error.gave_up(), error.attempts()), (Some(GaveUp::Stopped), 1));
    assert_eq!(error.delivery(), Delivery::Answered, "the first attempt was");
    assert!(error.to_string().ends_with("by ada: invoices are wrong"), "{error}");
    assert_eq!((provider.begun(), took), (1, millis(100)));
}

#[tokio::test(start_paused = true)]
async fn where_retries_are_stopped_a_failure_is_final() {
    let layer = KillSwitchLayer::new();
    layer.handle().set(SwitchMode::NoRetries, "ada", "");
    let provider = Provider::new(Answer::status(503));
    let service = layer.layer(plain().layer(provider.clone()));
    let response = send(&service, get()).await.unwrap();
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((response.status().as_u16(), provider.begun()), (503, 1));
    assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::Stopped)));
    provider.set(Answer::broken(std::io::ErrorKind::ConnectionReset));
    let error = status(&service, get()).await.unwrap_err();
    assert_eq!((error.gave_up(), provider.begun()), (Some(GaveUp::Stopped), 2));
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_queues_under_a_rate_limit_is_refused_when_its_turn_comes() {
    let layer = KillSwitchLayer::new();
    let provider = Provider::new(Answer::status(200));
    let limit = RateLimitLayer::new(1, secs(1));
    let service = layer.layer(limit.layer(provider.clone()));
    assert_eq!(status(&service, get()).await.unwrap(), 200);
    let queued = begin(async move { status(&service, get()).await }).await;
    assert_eq!(limit.handle().waiting(), 1);
    layer.handle().set(SwitchMode::FallbackOnly, "ada", "");
    let error = queued.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::FallbackOnly));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert_eq!((provider.begun(), limit.handle().waiting()), (1, 0));
    assert_eq!(layer.handle().rejected(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_queues_for_a_place_is_refused_when_its_turn_comes() {
    let provider = Provider::new(Answer::status(200).after(secs(1)));
    let layer = KillSwitchLayer::new();
    let switch = layer.handle();
    let service = layer.layer(BulkheadLayer::new(1).queue(1).layer(provider.clone()));
    let stop = async {
        wait(millis(500)).await;
        switch.set(SwitchMode::Off, "ada", "a drill");
    };
    let (first, second, ()) = tokio::join!(status(&service, get()), status(&service, get()), stop);
    assert_eq!(first.unwrap(), 200, "what is under way finishes");
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Rejected(Rejection::Stopped));
    assert_eq!(provider.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_while_it_is_off_and_on_again_goes_on() {
    let layer = KillSwitchLayer::new();
    let provider = Provider::new(Answer::status(503));
    let service = layer.layer(plain().layer(provider.clone()));
    let waiting = begin(async move { status(&service, get()).await }).await;
    layer.handle().set(SwitchMode::Off, "ada", "");
    provider.set(Answer::status(200));
    wait(millis(50)).await;
    layer.handle().set(SwitchMode::On, "ada", "");
    assert_eq!(waiting.await.unwrap().unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn of_two_switches_each_stops_a_call_that_waits() {
    for stopped_by in [0, 1] {
        let layers = [KillSwitchLayer::new(), KillSwitchLayer::new()];
        let provider = Provider::new(Answer::status(503));
        let service = layers[1].layer(plain().layer(provider.clone()));
        let service = layers[0].layer(service);
        let waiting = begin(async move { status(&service, get()).await }).await;
        layers[stopped_by].handle().set(SwitchMode::Off, "ada", "");
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Stopped), "{stopped_by}");
        assert_eq!((provider.begun(), layers[stopped_by].handle().rejected()), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_switches_each_stops_retries() {
    for stopped_by in [0, 1] {
        let layers = [KillSwitchLayer::new(), KillSwitchLayer::new()];
        layers[stopped_by].handle().set(SwitchMode::NoRetries, "ada", "");
        let provider = Provider::new(Answer::status(503));
        let service = layers[1].layer(plain().layer(provider.clone()));
        assert_eq!(status(&layers[0].layer(service), get()).await.unwrap(), 503);
        assert_eq!(provider.begun(), 1, "{stopped_by}");
    }
}

/// Threads, and so no paused time; whatever the threads do, the order of things is certain.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn once_it_is_off_no_call_that_begins_later_gets_through() {
    let layer = KillSwitchLayer::new();
    let (stopped, through) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let service = layer.layer(service_fn({
        let through = Arc::clone(&through);
        move |request: Request<Body>| {
            let late = request.extensions().get::<Late>().is_some();
            through.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(!late, "it began after the switch was off");
                Ok::<_, Error>(Response::new(Body::empty()))
            }
        }
    }));
    let calls = (0..1_000).map(|_| {
        let (service, stopped) = (service.clone(), Arc::clone(&stopped));
        crate::clock::spawn(async move {
            for _ in 0..20 {
                let mut request = get();
                let late = stopped.load(Ordering::SeqCst);
                if late {
                    request.extensions_mut().insert(Late);
                }
                let result = status(&service, request).await;
                assert!(!late || result.is_err());
                tokio::task::yield_now().await;
            }
        })
    });
    let calls: Vec<_> = calls.collect();
    let switch = layer.handle();
    for _ in 0..200 {
        switch.set(SwitchMode::Off, "ada", "");
        switch.set(SwitchMode::On, "ada", "");
        tokio::task::yield_now().await;
    }
    switch.set(SwitchMode::Off, "ada", "for good");
    stopped.store(true, Ordering::SeqCst);
    for call in calls {
        call.await.unwrap();
    }
    let before = through.load(Ordering::SeqCst);
    assert!(status(&service, get()).await.is_err());
    assert_eq!(through.load(Ordering::SeqCst), before);
    assert_eq!(before as u64 + switch.rejected(), 20_001);
}

/// On a request that was made when the switch was off for good.
#[derive(Clone)]
struct Late;

#[tokio::test(start_paused = true)]
async fn a_call_that_was_stopped_between_two_attempts_is_counted_with_the_refused() {
    let layer = KillSwitchLayer::new();
    let service = layer.layer(plain().layer(Provider::new(Answer::status(503))));
    let waiting = begin(async move { status(&service, get()).await }).await;
    layer.handle().set(SwitchMode::CacheOnly, "ada", "");
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::CacheOnly));
    assert_eq!(layer.handle().rejected(), 1);
}

/// How often it was told that calls were refused, once `service` was stopped with its calls waiting.
async fn told_of<S, R>(inner: S, calls: usize) -> usize
where
    S: Service<Request<Body>, Response = Response<R>, Error = Error>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
    R: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let told = EventRecorder::new();
    let layer = KillSwitchLayer::new().emitter(Emitter::named("crm").with(told.clone()));
    let service = layer.layer(inner);
    let mut waiting = Vec::new();
    for _ in 0..calls {
        let service = service.clone();
        waiting.push(begin(async move { status(&service, get()).await }).await);
    }
    wait(millis(50)).await;
    layer.handle().set(SwitchMode::FallbackOnly, "ada", "");
    for call in waiting {
        let _ = call.await.unwrap();
    }
    let refused = Event::KillSwitchRejected { mode: SwitchMode::FallbackOnly };
    let times = told.count(|event| *event == refused);
    assert_eq!(times as u64, layer.handle().rejected());
    times
}

#[tokio::test(start_paused = true)]
async fn whoever_is_stopped_while_it_waits_is_told_of_once_as_is_who_is_refused_at_once() {
    let failing = || Provider::new(Answer::status(503));
    assert_eq!(told_of(plain().layer(failing()), 3).await, 3, "between attempts");
    assert_eq!(told_of(RateLimitLayer::new(1, secs(1)).layer(failing()), 3).await, 2, "for a turn");
    let slow = Provider::new(Answer::status(200).after(secs(1)));
    assert_eq!(told_of(BulkheadLayer::new(1).queue(2).layer(slow), 3).await, 2, "for a place");
    let slow = Provider::new(Answer::status(200).after(secs(2)));
    let queued = RateLimitLayer::new(1, secs(1)).layer(slow);
    let doubled = HedgeLayer::after(millis(10)).layer(queued);
    assert_eq!(told_of(doubled, 1).await, 0, "the second request: the call goes on");
    let retried = plain().layer(RateLimitLayer::new(1, secs(1)).layer(failing()));
    assert_eq!(told_of(retried, 2).await, 2, "for a turn, and between attempts");
}

/// Threads, and so no paused time; whatever the threads do, the order of things is certain.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_is_of_one_setting_however_fast_the_switch_is_moved() {
    let layer = KillSwitchLayer::new();
    let service = layer.layer(Provider::new(Answer::status(200)));
    layer.handle().set(SwitchMode::Off, "", "off");
    let done = Arc::new(AtomicBool::new(false));
    let movers = (0..2).map(|_| {
        let (switch, done) = (layer.handle(), Arc::clone(&done));
        std::thread::spawn(move || {
            while !done.load(Ordering::SeqCst) {
                switch.set(SwitchMode::CacheOnly, "", "cache");
                switch.set(SwitchMode::Off, "", "off");
            }
        })
    });
    let movers: Vec<_> = movers.collect();
    let mut mixed = 0;
    for _ in 0..20_000 {
        let error = status(&service, get()).await.unwrap_err();
        let why = match error.kind() {
            ErrorKind::Rejected(Rejection::CacheOnly) => ": cache",
            _ => ": off",
        };
        mixed += usize::from(!error.to_string().ends_with(why));
    }
    done.store(true, Ordering::SeqCst);
    movers.into_iter().for_each(|mover| mover.join().unwrap());
    assert_eq!(mixed, 0);
}
