//! One limit that several bulkheads share, and who goes first.

use std::sync::{Arc, Mutex};

use outrigger::bulkhead::{Bulkhead, BulkheadLayer, Limit, Priority};
use outrigger::event::{Emitter, Event};
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, EventRecorder};
use outrigger::{Body, Delivery, Error, ErrorKind, Integration, Ratio};
use tokio::task::JoinHandle;
use tower::{Layer, service_fn};

use super::calling;
use crate::call::{get, send, status};
use crate::clock::{begin, millis, secs, settle, spawn, timed, wait, within};
use crate::provider::Provider;

/// A person's calls and a job's, to one provider under one limit.
struct Shared {
    provider: Provider,
    person: Side,
    job: Side,
}

struct Side {
    layer: BulkheadLayer,
    service: Bulkhead<Provider>,
    events: EventRecorder,
}

type Call = JoinHandle<Result<u16, Error>>;

impl Shared {
    fn by(limit: Limit) -> Self {
        let provider = Provider::new(Answer::hang());
        let side = |name, priority| {
            let events = EventRecorder::new();
            let emitter = Emitter::named(name).with(events.clone());
            let layer = BulkheadLayer::shared(limit.clone(), priority).emitter(emitter);
            Side { service: layer.layer(provider.clone()), layer, events }
        };
        let (person, job) = (side("person", Priority::High), side("job", Priority::Low));
        Self { provider, person, job }
    }

    /// How many calls are under way, and how many wait, of both.
    fn figures(&self) -> (u32, u32) {
        let places = self.person.layer.handle();
        assert_eq!(places.waiting(), self.job.layer.handle().waiting());
        (places.in_use(), places.waiting())
    }
}

impl Side {
    async fn call(&self) -> Call {
        begin(calling(&self.service, get())).await
    }

    async fn calls(&self, number: usize) -> Vec<Call> {
        let mut calls = Vec::new();
        for _ in 0..number {
            calls.push(self.call().await);
        }
        calls
    }

    async fn refused(&self) -> Error {
        let (took, result) = timed(calling(&self.service, get())).await;
        assert_eq!(took, secs(0));
        result.unwrap_err()
    }
}

#[tokio::test(start_paused = true)]
async fn bulkheads_with_one_limit_fill_it_together() {
    let both = Shared::by(Limit::new(4).reserve(Ratio::ZERO));
    let _jobs = both.job.calls(3).await;
    let _people = both.person.calls(1).await;
    assert_eq!((both.figures(), both.provider.begun()), ((4, 0), 4));
    let full = ErrorKind::Rejected(Rejection::Full);
    assert_eq!(both.job.refused().await.kind(), full);
    assert_eq!(
        both.person.refused().await.to_string(),
        "person: bulkhead full for api.example:443: 4 of 4 in use, 0 may wait"
    );
}

#[tokio::test(start_paused = true)]
async fn the_reserve_is_for_people_alone() {
    let both = Shared::by(Limit::new(20));
    assert_eq!(both.job.layer.handle().reserved(), 2);
    let _jobs = both.job.calls(18).await;
    let error = both.job.refused().await;
    let text = "job: bulkhead full for api.example:443: 18 of 20 in use, 2 kept for high priority, 0 may wait";
    assert_eq!((error.to_string().as_str(), error.delivery()), (text, Delivery::NotSent));
    let _people = both.person.calls(2).await;
    assert_eq!((both.figures(), both.provider.begun()), ((20, 0), 20));
}

#[tokio::test(start_paused = true)]
async fn two_places_are_enough_for_a_reserve_and_one_is_not() {
    for (places, for_jobs) in [(1, 1), (2, 1), (3, 2)] {
        let both = Shared::by(Limit::new(places));
        let _jobs = both.job.calls(3).await;
        assert_eq!(both.figures().0, for_jobs, "of {places}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_while_only_the_reserve_is_free() {
    let both = Shared::by(Limit::new(2).queue(2));
    let mut jobs = both.job.calls(2).await;
    assert_eq!(both.figures(), (1, 1));
    let person = both.person.call().await;
    assert_eq!(both.figures(), (2, 1), "a person passes the job that waits");
    person.abort();
    settle().await;
    assert_eq!(both.figures(), (1, 1), "that place is none for a job");
    both.provider.set(Answer::status(200));
    jobs.remove(0).abort();
    assert_eq!(jobs.remove(0).await.unwrap().unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn people_go_before_jobs_and_each_in_the_order_they_came() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let limit = Limit::new(1).queue(100);
    let call = |name: &str, priority| {
        let (order, name) = (Arc::clone(&order), name.to_owned());
        let provider = service_fn(move |_| {
            order.lock().unwrap().push(name.clone());
            async {
                wait(secs(1)).await;
                Ok::<_, Error>(http::Response::new(Body::empty()))
            }
        });
        let service = BulkheadLayer::shared(limit.clone(), priority).layer(provider);
        async move { send(&service, get()).await.map(drop).unwrap() }
    };
    let mut calls = Vec::new();
    for (name, priority) in [
        ("first", Priority::Low),
        ("job 1", Priority::Low),
        ("person 1", Priority::High),
        ("job 2", Priority::Low),
        ("person 2", Priority::High),
        ("person 3", Priority::High),
        ("job 3", Priority::Low),
    ] {
        calls.push(begin(call(name, priority)).await);
    }
    futures_util::future::join_all(calls).await;
    let expected = ["first", "person 1", "person 2", "person 3", "job 1", "job 2", "job 3"];
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_finds_the_queue_full_takes_the_youngest_jobs_place_in_it() {
    let both = Shared::by(Limit::new(2).queue(2));
    let _held = both.person.calls(2).await;
    let (older, younger) = (both.job.call().await, both.job.call().await);
    let _person = both.person.call().await;
    assert!(younger.is_finished() && !older.is_finished());
    let (took, shed) = timed(younger).await;
    let error = shed.unwrap().unwrap_err();
    assert_eq!((took, error.kind()), (secs(0), ErrorKind::Rejected(Rejection::Full)));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    assert_eq!(error.integration(), Some("job"));
    let text = "job: bulkhead full for api.example:443: a call of high priority took its place in the queue; 2 of 2 in use, 2 may wait";
    assert_eq!(error.to_string(), text);
    assert_eq!(both.figures(), (2, 2));
    let rejected = Event::BulkheadRejected { why: Rejection::Full };
    assert_eq!(both.job.events.events(), [Event::BulkheadQueued, Event::BulkheadQueued, rejected]);
    assert_eq!(both.person.events.events(), [Event::BulkheadQueued]);
    let places = both.person.layer.handle();
    let waiting = [Priority::High, Priority::Low].map(|of| places.waiting_of(of));
    assert_eq!(waiting, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_full_of_people_refuses_everybody() {
    let both = Shared::by(Limit::new(1).queue(2));
    let _held = both.person.calls(1).await;
    let mut waiting = both.person.calls(2).await;
    for side in [&both.person, &both.job] {
        assert_eq!(side.refused().await.kind(), ErrorKind::Rejected(Rejection::Full));
    }
    assert_eq!(both.figures(), (1, 2));
    both.provider.set(Answer::status(200));
    waiting.remove(1).abort();
    settle().await;
    assert_eq!(both.figures(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_job_never_takes_anybodys_place_in_the_queue() {
    let both = Shared::by(Limit::new(1).queue(1));
    let _held = both.person.call().await;
    let waiting = both.job.call().await;
    assert_eq!(both.job.refused().await.kind(), ErrorKind::Rejected(Rejection::Full));
    assert!(!waiting.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_jobs_keeps_no_person_waiting() {
    let both = Shared::by(Limit::new(10).queue(50));
    both.provider.set(Answer::status(200).after(secs(1)));
    let flood = spawn({
        let service = both.job.service.clone();
        async move {
            loop {
                drop(spawn(calling(&service, get())));
                wait(millis(1)).await;
            }
        }
    });
    wait(secs(2)).await;
    assert_eq!(both.figures(), (9, 50));
    for _ in 0..20 {
        let (took, result) = timed(calling(&both.person.service, get())).await;
        assert_eq!((took, result.unwrap()), (secs(1), 200), "one at a time, the reserve is theirs");
    }
    // More at a time than the reserve wait for a place of the jobs', and for nothing else.
    let people: Vec<_> = (0..5).map(|_| spawn(calling(&both.person.service, get()))).collect();
    let (took, results) = timed(futures_util::future::join_all(people)).await;
    assert!(results.into_iter().all(|result| result.unwrap().unwrap() == 200));
    assert!(took <= secs(2) + millis(10), "{took:?}");
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn how_long_a_call_may_wait_is_each_bulkheads_own() {
    let both = Shared::by(Limit::new(1).queue(9));
    let _held = both.person.call().await;
    let person = both.person.layer.clone().queue_wait(secs(1)).layer(both.provider.clone());
    let job = both.job.layer.clone().queue_wait(secs(30)).layer(both.provider.clone());
    for (service, limit) in [(person, secs(1)), (job, secs(30))] {
        let (took, result) = timed(status(&service, get())).await;
        let late = ErrorKind::Rejected(Rejection::QueueTimeout);
        assert_eq!((took, result.unwrap_err().kind()), (limit, late));
    }
}

#[tokio::test(start_paused = true)]
async fn integrations_share_what_they_were_given_and_nothing_else() {
    let limit = Limit::new(2).queue(4).reserve(Ratio::ZERO);
    let provider = Provider::new(Answer::hang());
    let shared = Integration::background("crm jobs")
        .bulkhead(|bulkhead| bulkhead.limit(limit.clone(), Priority::Low))
        .service(provider.clone());
    // Cloned builders make integrations of their own, under the one limit all the same.
    let (jobs, more) = (shared.clone().build().unwrap(), shared.build().unwrap());
    let people = Integration::user_flow("crm")
        .bulkhead(|bulkhead| bulkhead.limit(limit, Priority::High).queue_wait(secs(1)))
        .service(provider.clone())
        .build()
        .unwrap();
    let call = |crm: &Integration| {
        let crm = crm.clone();
        async move { within(secs(60), crm.send(get())).await.map(drop) }
    };
    let _held = (begin(call(&jobs)).await, begin(call(&more)).await);
    for crm in [&jobs, &more, &people] {
        assert_eq!((crm.bulkhead().limit(), crm.bulkhead().in_use()), (Some(2), 2));
    }
    let (took, result) = timed(people.send(get())).await;
    assert_eq!((took, result.unwrap_err().is_rejected()), (secs(1), true));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_after_it_was_shared_is_another_one() {
    let limit = Limit::new(1);
    let (first, second) = (limit.clone(), limit.queue(3));
    let _held = begin(calling(&shared_by(&first), get())).await;
    let places = BulkheadLayer::shared(second, Priority::High).handle();
    assert_eq!((places.limit(), places.in_use()), (Some(1), 0));
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_of_its_own_takes_the_place_of_a_shared_limit() {
    let limit = Limit::new(1);
    let _held = begin(calling(&shared_by(&limit), get())).await;
    let own = BulkheadLayer::shared(limit, Priority::Low).concurrency(5).queue(1);
    assert_eq!(own.check(), Ok(()));
    let places = own.handle();
    assert_eq!((places.limit(), places.in_use(), places.reserved()), (Some(5), 0, 0));
}

fn shared_by(limit: &Limit) -> Bulkhead<Provider> {
    let layer = BulkheadLayer::shared(limit.clone(), Priority::High);
    layer.layer(Provider::new(Answer::hang()))
}
