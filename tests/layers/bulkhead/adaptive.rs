//! Limits that find themselves.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use outrigger::bulkhead::{Adaptive, BulkheadHandle, BulkheadLayer, Limit, Priority};
use outrigger::deadline::DeadlineLayer;
use outrigger::event::{Emitter, Event};
use outrigger::outcome::{Class, HttpClassifier};
use outrigger::testing::{Answer, EventRecorder};
use outrigger::timeout::TimeoutLayer;
use outrigger::{Body, Error};
use tower::{Layer, Service, ServiceBuilder};

use super::Guarded;
use crate::call::{get, keyed_post, status};
use crate::clock::{begin, millis, secs, spawn, timed, wait, within};
use crate::provider::Provider;

/// A provider that answers in 100 ms up to so many calls at a time, and beyond that takes the square
/// of what is too much: twice as many calls, four times the time.
#[derive(Clone)]
struct Crowded {
    room: Arc<AtomicU32>,
    under_way: Arc<AtomicU32>,
}

struct Leaving(Arc<AtomicU32>);

impl Crowded {
    fn new(room: u32) -> Self {
        Self { room: Arc::new(AtomicU32::new(room)), under_way: Arc::default() }
    }

    async fn answer(self) -> Result<Response<Body>, Error> {
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        let _leaving = Leaving(Arc::clone(&self.under_way));
        let crowd = f64::from(under_way) / f64::from(self.room.load(Ordering::SeqCst));
        wait(millis(100).mul_f64(crowd.max(1.0).powi(2))).await;
        Ok(Response::new(Body::empty()))
    }
}

impl<B> Service<Request<B>> for Crowded {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        Box::pin(self.clone().answer())
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Calls one after another by so many callers, for as long as the test lasts.
fn load(layer: &BulkheadLayer, provider: &Crowded, callers: u32) -> BulkheadHandle {
    let attempt = TimeoutLayer::new().attempt(millis(150));
    let service = ServiceBuilder::new().layer(layer.clone()).layer(attempt);
    let service = service.service(provider.clone());
    for caller in 0..callers {
        let service = service.clone();
        drop(spawn(async move {
            // They didn't all begin in one instant.
            wait(millis(u64::from(caller) * 7)).await;
            loop {
                let _ = status(&service, get()).await;
            }
        }));
    }
    layer.handle()
}

/// The least and the most that the limit was, looked at often for so long.
async fn range(places: &BulkheadHandle, time: Duration) -> (u32, u32) {
    let (mut least, mut most) = (u32::MAX, 0);
    for _ in 0..time.as_millis() / 100 {
        wait(millis(100)).await;
        let limit = places.limit().unwrap();
        (least, most) = (least.min(limit), most.max(limit));
    }
    (least, most)
}

#[track_caller]
fn lies_in(range: (u32, u32), least: u32, most: u32) {
    assert!(least <= range.0 && range.1 <= most, "{range:?} should lie in {least} to {most}");
}

#[tokio::test(start_paused = true)]
async fn aimd_finds_what_the_provider_takes_from_below_and_from_above() {
    for begin in [2, 40] {
        let provider = Crowded::new(10);
        let layer = BulkheadLayer::new(begin).queue(100).adaptive(Adaptive::aimd());
        let places = load(&layer, &provider, 60);
        wait(secs(30)).await;
        // Thirteen at a time take 169 ms, which is over the attempt's limit; a tenth of that less is
        // eleven, and a few of those on their way out make it ten.
        lies_in(range(&places, secs(60)).await, 9, 13);
    }
}

#[tokio::test(start_paused = true)]
async fn aimd_follows_a_provider_that_gets_better_and_worse() {
    let provider = Crowded::new(10);
    let layer = BulkheadLayer::new(10).queue(100).adaptive(Adaptive::aimd());
    let places = load(&layer, &provider, 60);
    wait(secs(30)).await;
    provider.room.store(20, Ordering::SeqCst);
    wait(secs(30)).await;
    lies_in(range(&places, secs(30)).await, 19, 25);
    provider.room.store(5, Ordering::SeqCst);
    wait(secs(30)).await;
    lies_in(range(&places, secs(30)).await, 4, 7);
}

#[tokio::test(start_paused = true)]
async fn gradient_finds_about_what_the_provider_takes_before_anything_fails() {
    let provider = Crowded::new(10);
    let events = EventRecorder::new();
    let layer = BulkheadLayer::new(4)
        .queue(100)
        .adaptive(Adaptive::gradient())
        .emitter(Emitter::new().with(events.clone()));
    let service = layer.layer(provider.clone());
    for _ in 0..60 {
        let service = service.clone();
        drop(spawn(async move { while status(&service, get()).await.is_ok() {} }));
    }
    let places = layer.handle();
    wait(secs(60)).await;
    // Where answers take about twice as long as they might: it asks for four more than it has.
    lies_in(range(&places, secs(120)).await, 10, 16);
    provider.room.store(20, Ordering::SeqCst);
    wait(secs(60)).await;
    lies_in(range(&places, secs(60)).await, 20, 31);
    provider.room.store(5, Ordering::SeqCst);
    wait(secs(60)).await;
    lies_in(range(&places, secs(60)).await, 5, 9);
    let changes = events.count(|event| matches!(event, Event::ConcurrencyChanged { .. }));
    assert!(changes > 10, "{changes}");
}

#[tokio::test(start_paused = true)]
async fn gradient_stays_where_it_settled_through_hours_of_a_load_that_never_lets_up() {
    let provider = Crowded::new(2);
    let layer = BulkheadLayer::new(1).queue(100).adaptive(Adaptive::gradient());
    let service = layer.layer(provider);
    for _ in 0..20 {
        let service = service.clone();
        drop(spawn(async move { while status(&service, get()).await.is_ok() {} }));
    }
    let places = layer.handle();
    wait(secs(2 * 3_600)).await;
    let limit = places.limit().unwrap();
    assert!((2..=6).contains(&limit), "two at a time, and four more that are asked for: {limit}");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fills_less_than_half_of_it_moves_no_limit() {
    for adaptive in [Adaptive::aimd(), Adaptive::gradient()] {
        let provider = Crowded::new(100);
        let layer = BulkheadLayer::new(20).adaptive(adaptive);
        let places = load(&layer, &provider, 9);
        assert_eq!(range(&places, secs(60)).await, (20, 20));
    }
}

#[tokio::test(start_paused = true)]
async fn an_overload_lowers_the_limit_and_is_told() {
    for adaptive in [Adaptive::aimd(), Adaptive::gradient()] {
        for answer in [Answer::status(429), Answer::status(418)] {
            let crm = Guarded::by(BulkheadLayer::new(20).adaptive(adaptive.clone()));
            crm.provider.set(answer);
            let _ = crm.call().await;
            assert_eq!(crm.places.limit(), Some(18));
            assert_eq!(crm.events.events(), [Event::ConcurrencyChanged { from: 20, to: 18 }]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_of_the_load_moves_nothing() {
    use std::io::ErrorKind::{ConnectionRefused, ConnectionReset};
    for answer in [
        Answer::status(500),
        Answer::status(503),
        Answer::status(503).header("retry-after", "1"),
        Answer::status(401),
        Answer::broken(ConnectionRefused),
        Answer::broken(ConnectionReset),
    ] {
        // One good answer would raise a limit of one.
        let crm = Guarded::by(BulkheadLayer::new(1).adaptive(Adaptive::aimd()));
        crm.provider.set(answer);
        let _ = crm.call().await;
        assert_eq!((crm.places.limit(), crm.events.events()), (Some(1), vec![]));
        crm.provider.set(Answer::status(404));
        let _ = crm.call().await;
        assert_eq!(crm.places.limit(), Some(2), "an answer, if not the one that was hoped for");
    }
}

#[tokio::test(start_paused = true)]
async fn all_calls_that_were_under_way_are_one_overload() {
    let crm = Guarded::by(BulkheadLayer::new(20).adaptive(Adaptive::aimd()));
    crm.provider.set(Answer::status(429).after(secs(1)));
    let calls = (0..20).map(|_| spawn(crm.call()));
    futures_util::future::join_all(calls).await;
    assert_eq!(crm.places.limit(), Some(18));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_its_caller_dropped_says_nothing_and_one_that_was_cut_says_overload() {
    for adaptive in [Adaptive::aimd(), Adaptive::gradient()] {
        let crm = Guarded::by(BulkheadLayer::new(20).adaptive(adaptive));
        assert!(within(secs(5), crm.call()).await.is_none());
        assert_eq!(crm.places.limit(), Some(20));
        let cut = DeadlineLayer::new(secs(5)).layer(crm.service.clone());
        assert!(status(&cut, get()).await.unwrap_err().is_timeout());
        assert_eq!(crm.places.limit(), Some(18));
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_an_overload() {
    let layer = BulkheadLayer::new(20).adaptive(Adaptive::aimd());
    let hanging = TimeoutLayer::new().attempt(secs(1)).layer(Provider::new(Answer::hang()));
    assert!(status(&layer.layer(hanging), get()).await.unwrap_err().is_timeout());
    assert_eq!(layer.handle().limit(), Some(18));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_half_of_its_time_is_refused_and_says_nothing() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(1).adaptive(Adaptive::aimd().max(9)));
    let _held = crm.hold(1).await;
    let cut = DeadlineLayer::new(secs(5)).layer(crm.service.clone());
    let (took, result) = timed(status(&cut, get())).await;
    let error = result.unwrap_err();
    let text =
        "bulkhead queue timed out for api.example:443: no place free within 2.5s; 1 of 1 in use";
    assert_eq!((took, error.to_string().as_str()), (millis(2_500), text));
    assert_eq!(crm.places.limit(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_an_outage_lowered_is_back_once_the_outage_is_over() {
    // Cut by the deadline itself, or by the attempt's timer that looks at it.
    for attempt in [None, Some(secs(30))] {
        let provider = Provider::new(Answer::status(200).after(millis(100)));
        let layer = BulkheadLayer::new(4).queue(1_000).adaptive(Adaptive::aimd().max(4));
        let places = layer.handle();
        let timeout =
            attempt.map_or_else(TimeoutLayer::new, |limit| TimeoutLayer::new().attempt(limit));
        let service = ServiceBuilder::new().layer(DeadlineLayer::new(secs(1))).layer(layer);
        let service = service.layer(timeout).service(provider.clone());
        // Thirty a second, without a pause: who came during the outage still waits after it.
        let load = spawn(async move {
            let mut calls = Vec::new();
            for _ in 0..80 * 30 {
                let service = service.clone();
                calls.push(spawn(async move { status(&service, get()).await.is_ok() }));
                wait(millis(33)).await;
            }
            calls
        });
        wait(secs(5)).await;
        provider.set(Answer::hang());
        wait(secs(3)).await;
        assert_eq!(places.limit(), Some(1));
        provider.set(Answer::status(200).after(millis(100)));
        wait(secs(60)).await;
        assert!(places.limit().unwrap() >= 3, "{places:?}");
        let calls = load.await.unwrap();
        for call in calls.into_iter().rev().take(300) {
            assert!(call.await.unwrap(), "all is well again");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_classifier_of_ones_own_says_what_an_overload_is() {
    let enough = HttpClassifier::new()
        .with(|head| (head.status.as_u16() == 420).then_some(Class::Throttled));
    let crm = Guarded::by(BulkheadLayer::new(20).adaptive(Adaptive::aimd()).classifier(enough));
    crm.provider.set(Answer::status(420));
    let _ = crm.call().await;
    assert_eq!(crm.places.limit(), Some(18));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_grows_lets_in_who_waits() {
    let crm = Guarded::by(BulkheadLayer::new(1).queue(9).adaptive(Adaptive::aimd()));
    crm.provider.set(Answer::status(200).after(secs(1)));
    let first = begin(crm.call()).await;
    crm.provider.set(Answer::hang());
    let (_second, _third) = (begin(crm.call()).await, begin(crm.call()).await);
    assert_eq!(crm.figures(), (1, 2));
    first.await.unwrap().unwrap();
    // One has the place that came free, the other the one that is new.
    assert_eq!((crm.figures(), crm.places.limit()), ((2, 0), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_limit_keeps_to_its_bounds() {
    let crm = Guarded::by(BulkheadLayer::new(4).adaptive(Adaptive::aimd().min(3).max(5)));
    crm.provider.set(Answer::status(200).after(millis(1)));
    for _ in 0..20 {
        futures_util::future::join_all((0..4).map(|_| crm.call())).await;
    }
    assert_eq!(crm.places.limit(), Some(5));
    crm.provider.set(Answer::status(429));
    for _ in 0..20 {
        let _ = crm.call().await;
    }
    assert_eq!(crm.places.limit(), Some(3));
}

#[tokio::test(start_paused = true)]
async fn a_shared_limit_learns_from_all_who_share_it() {
    let limit = Limit::new(20).adaptive(Adaptive::aimd());
    let provider = Provider::new(Answer::status(429));
    let people = BulkheadLayer::shared(limit.clone(), Priority::High);
    let jobs = BulkheadLayer::shared(limit, Priority::Low);
    let _ = status(&people.layer(provider.clone()), get()).await;
    assert_eq!(jobs.handle().limit(), Some(18));
    let _ = status(&jobs.layer(provider), keyed_post("a")).await;
    assert_eq!((people.handle().limit(), people.handle().reserved()), (Some(16), 1));
}
