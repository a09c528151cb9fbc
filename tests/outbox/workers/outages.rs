//! A store that fails for long, or for one message.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use outrigger::event::Event;
use outrigger::outbox::{Lane, Outbox, OutboxErrorKind, OutboxEvent, TicketState};
use outrigger::testing::{Answer, EventRecorder};

use super::bench::{builder, mail, provider, secs, sleep, start};
use super::troubles::{Fate, Unreliable, clock, lane, running};

#[tokio::test(start_paused = true)]
async fn an_answer_that_waits_longer_than_its_lease_to_be_stored_is_not_asked_for_again() {
    // All of the store is away, and then only what settles, which is tried again last.
    const ALL: usize = 1;
    const SETTLE: usize = 2;
    let away = Arc::new(AtomicUsize::new(0));
    let is_away = Arc::clone(&away);
    let store = Unreliable::new(move |call| match (is_away.load(Ordering::SeqCst), call) {
        (ALL, _) | (SETTLE, "settle") => Fate::Refused,
        _ => Fate::Works,
    });
    let script = provider([Answer::status(200).after(secs(5))]);
    let running = running(&store, &script);
    let ticket = running.enqueue(mail("1")).await;
    sleep(1).await;
    away.store(ALL, Ordering::SeqCst);
    sleep(300).await;
    away.store(SETTLE, Ordering::SeqCst);
    sleep(200).await;
    away.store(0, Ordering::SeqCst);
    let state = running.outbox.wait(ticket.id, secs(60)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert_eq!(script.requests().len(), 1);
    assert_eq!(running.outcomes(ticket.id).await, ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn no_error_of_the_store_loses_what_an_attempt_came_to_and_it_is_told_once() {
    for call in ["claim", "settle", "reap"] {
        let fails = AtomicUsize::new(0);
        let store = Unreliable::new(move |now| match now == call {
            true if fails.fetch_add(1, Ordering::SeqCst) < 5 => Fate::Broken,
            _ => Fate::Works,
        });
        let (script, recorder) = (provider([Answer::status(200)]), EventRecorder::new());
        let mailer = builder("mailer").subscriber(recorder.clone()).service(script.clone());
        let lane = Lane::new(&mailer.build().unwrap());
        let running = start(Outbox::with_store(store).clock(clock()).lane(lane).build().unwrap());
        let ticket = running.enqueue(mail("1")).await;
        let state = running.outbox.wait(ticket.id, secs(600)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "{call} {state:?}");
        sleep(100).await;
        assert_eq!(script.requests().len(), 1, "{call}");
        let events = recorder.events().into_iter();
        let told: Vec<_> = events
            .filter_map(|event| match event {
                Event::Outbox(event) => Some(event),
                _ => None,
            })
            .collect();
        assert_eq!(told, [OutboxEvent::StoreFailing, OutboxEvent::StoreBack], "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_settled_holds_up_no_other() {
    let store = Unreliable::new(|_| Fate::Works);
    let script = provider([Answer::status(200)]);
    let running = running(&store, &script);
    let locked = running.enqueue(mail("locked")).await;
    *store.locked.lock().unwrap() = Some(locked.id);
    let other = running.enqueue(mail("2")).await;
    sleep(60).await;
    let later = running.enqueue(mail("3")).await;
    for ticket in [other, later] {
        let state = running.outbox.wait(ticket.id, secs(5)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    }
    sleep(200).await;
    *store.locked.lock().unwrap() = None;
    let state = running.outbox.wait(locked.id, secs(10)).await.unwrap();
    assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_outbox_whose_worker_panics_says_so() {
    for call in ["claim", "settle", "reap"] {
        let store = Unreliable::new(move |now| {
            assert_ne!(now, call, "the store panics");
            Fate::Works
        });
        let outbox = Outbox::with_store(store).clock(clock());
        let outbox = outbox.lane(lane(&provider([Answer::status(200)]))).build().unwrap();
        outbox.enqueue(mail("1")).await.unwrap();
        let ended = tokio::time::timeout(secs(60), outbox.run()).await;
        assert_eq!(ended.unwrap().unwrap_err().kind(), OutboxErrorKind::Store, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_told_once_to_an_integration_with_several_lanes() {
    let fails = AtomicUsize::new(0);
    let store = Unreliable::new(move |now| match now == "reap" {
        true if fails.fetch_add(1, Ordering::SeqCst) < 3 => Fate::Broken,
        _ => Fate::Works,
    });
    let recorder = EventRecorder::new();
    let build = |name| {
        let mailer = builder(name).subscriber(recorder.clone());
        mailer.service(provider([Answer::status(200)])).build().unwrap()
    };
    let (mailer, crm) = (build("mailer"), build("crm"));
    let outbox = Outbox::with_store(store).clock(clock()).lane(&mailer).lane(&crm);
    let bulk = Lane::new(&mailer).name("bulk");
    let _running = start(outbox.lane(bulk).build().unwrap());
    sleep(200).await;
    for told in [OutboxEvent::StoreFailing, OutboxEvent::StoreBack] {
        let count = recorder.count(|event| *event == Event::Outbox(told));
        assert_eq!(count, 2, "{told:?} is told to two integrations");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_message_is_not_woken_by_others() {
    let asked = Arc::new(AtomicUsize::new(0));
    let asks = Arc::clone(&asked);
    let store = Unreliable::new(move |call| {
        asks.fetch_add(usize::from(call == "find"), Ordering::SeqCst);
        Fate::Works
    });
    let running = running(&store, &provider([Answer::status(200)]));
    let waits = running.enqueue(mail("1").not_before(secs(3600))).await;
    let outbox = running.outbox.clone();
    let waiting = tokio::spawn(async move { outbox.wait(waits.id, secs(7_200)).await });
    sleep(1).await;
    let before = asked.load(Ordering::SeqCst);
    for _ in 0..100 {
        running.enqueue(mail("2")).await;
    }
    sleep(1).await;
    assert!(asked.load(Ordering::SeqCst) - before <= 2, "{asked:?}");
    let by = outrigger::outbox::By { who: "ada", why: "not needed" };
    let on = outrigger::outbox::Selection::One(waits.id);
    let began = tokio::time::Instant::now();
    running.outbox.act(on, outrigger::outbox::Action::Cancel, by).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), TicketState::Cancelled);
    assert!(began.elapsed() < std::time::Duration::from_millis(1), "{:?}", began.elapsed());
}
