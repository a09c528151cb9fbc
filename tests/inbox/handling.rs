//! Handled once: in one transaction with its mark, again while it fails, and anew when it is sent again.

use std::sync::Arc;
use std::time::Duration;

use outrigger::inbox::{Inbox, InboxErrorKind, Stripe};
use outrigger::outbox::{
    Action, ClaimRequest, DeadHead, DeadReason, ExpiredKey, MemoryStore, Schedule, Selection,
    State, Timestamp,
};
use tokio::sync::oneshot;

use crate::away::Away;
use crate::bench::{Bench, NOW, SOURCE, duplicate, receive, recorded, trusting};
use crate::sign::{self, new};

const SECRET: &str = "a secret of the tests";
const HOUR: u64 = 3_600;

#[tokio::test]
async fn an_event_is_handled_once_with_all_that_is_known_of_it() {
    let bench = Bench::new();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    let body = r#"{"id":"evt_1","created":1614265300,"type":"invoice.paid","data":{"object":{"id":"in_7"}},"api_version":"2026-10-28"}"#;
    let id = recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, body)).await);
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    assert_eq!(inbox.handle_due().await.unwrap(), 0);
    let handled = bench.handler.handled.lock().unwrap().clone();
    let event = &handled[0];
    assert_eq!((handled.len(), event.message_id(), event.attempt()), (1, id, 1));
    assert_eq!((event.source(), event.id()), (SOURCE, Some("evt_1")));
    assert_eq!((event.kind(), event.order_key()), (Some("invoice.paid"), Some("in_7")));
    assert_eq!(event.time(), Some(Timestamp(1_614_265_300_000)));
    assert_eq!(event.recorded(), Timestamp(NOW * 1000));
    assert_eq!((event.api_version(), &event.body()[..]), (Some("2026-10-28"), body.as_bytes()));
    assert_eq!(event.header("content-type"), Some("application/json"));
    assert!(!format!("{event:?}").contains("in_7"), "{event:?}");
    let row = &bench.rows().await[0];
    assert_eq!((row.progress.state, inbox.counts().handled), (State::Delivered, 1));
    // Sent once more, it is neither recorded nor handled.
    assert!(!duplicate(receive(&inbox, &sign::stripe(&[SECRET], NOW, body)).await).1);
    assert_eq!(inbox.handle_due().await.unwrap(), 0);
}

#[tokio::test]
async fn a_handler_that_fails_is_called_again_by_the_schedule() {
    let bench = Bench::new();
    let inbox = bench.inbox(trusting());
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    bench.handler.fail(true);
    for (wait, tried) in [(0, 1), (0, 0), (2, 1), (3, 0), (3, 1)] {
        bench.advance(wait);
        assert_eq!(inbox.handle_due().await.unwrap(), tried, "after {wait} s");
    }
    bench.handler.fail(false);
    bench.advance(HOUR);
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    assert_eq!(*bench.handler.attempts.lock().unwrap(), [1, 2, 3, 4]);
    assert_eq!((bench.handler.handled(), inbox.counts().failed), (1, 3));
}

#[tokio::test]
async fn a_handler_that_panics_has_failed_and_holds_nothing_up() {
    let bench = Bench::new();
    let inbox = bench.inbox(trusting());
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    bench.handler.panic(true);
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    bench.handler.panic(false);
    recorded(receive(&inbox, &new(&[], "evt_2")).await);
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    bench.advance(HOUR);
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    assert_eq!(bench.handler.handled(), 2);
}

async fn dead(bench: &Bench) -> Inbox {
    let schedule = Schedule::new([Duration::from_secs(1)]);
    let inbox = bench.builder(trusting()).max_attempts(3).schedule(schedule).build().unwrap();
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    bench.handler.fail(true);
    for _ in 0..3 {
        assert_eq!(inbox.handle_due().await.unwrap(), 1);
        bench.advance(2);
    }
    assert_eq!(inbox.handle_due().await.unwrap(), 0);
    let row = &bench.rows().await[0].progress;
    assert_eq!((row.state, row.dead_reason), (State::Dead, Some(DeadReason::HookFailed)));
    assert_eq!((inbox.counts().failed, inbox.counts().dead), (3, 1));
    bench.handler.fail(false);
    inbox
}

#[tokio::test]
async fn a_dead_event_is_handled_when_the_provider_sends_it_again() {
    let bench = Bench::new();
    let inbox = dead(&bench).await;
    let again = new(&[], "evt_1");
    assert!(duplicate(receive(&inbox, &again).await).1);
    assert!(!duplicate(receive(&inbox, &again).await).1, "one replay is enough");
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    assert_eq!(bench.handler.handled(), 1);
    assert!(!duplicate(receive(&inbox, &again).await).1, "it is handled");
    assert_eq!(inbox.handle_due().await.unwrap(), 0);
    let counts = inbox.counts();
    assert_eq!((counts.recorded, counts.duplicates, counts.replayed), (1, 3, 1));
    let history = bench.store.get(bench.rows().await[0].content.id).await.unwrap().unwrap();
    assert_eq!((history.acts.len(), history.acts[0].who.as_str()), (1, SOURCE));
}

#[tokio::test]
async fn a_dead_event_is_handled_when_a_person_replays_it_and_not_after_it_was_discarded() {
    for (action, handled) in [(Action::Replay(ExpiredKey::Refuse), 1), (Action::Discard, 0)] {
        let bench = Bench::new();
        let inbox = dead(&bench).await;
        let id = bench.rows().await[0].content.id;
        bench.store.act(Selection::One(id), action, "ada".into(), "fixed".into()).await.unwrap();
        assert!(!duplicate(receive(&inbox, &new(&[], "evt_1")).await).1);
        inbox.handle_due().await.unwrap();
        assert_eq!(bench.handler.handled(), handled, "{action:?}");
    }
}

#[tokio::test]
async fn an_event_that_waits_for_days_is_handled_and_not_given_up() {
    let bench = Bench::new();
    let inbox = bench.inbox(trusting());
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    bench.advance(6 * 24 * HOUR);
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    assert_eq!(bench.handler.handled(), 1);
}

#[tokio::test]
async fn an_event_whose_worker_is_gone_is_handled_by_another() {
    let bench = Bench::new();
    let inbox = bench.inbox(trusting());
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    let gone = ClaimRequest {
        lane: outrigger::inbox::lane(SOURCE),
        owner: "a process that was killed".into(),
        most: 1,
        lease: Duration::from_secs(60),
        key_lifetime: None,
        dead_head: DeadHead::SteppedOver,
    };
    assert_eq!(bench.store.claim(gone).await.unwrap().messages.len(), 1);
    assert_eq!(inbox.handle_due().await.unwrap(), 0);
    bench.advance(61);
    assert_eq!(inbox.handle_due().await.unwrap(), 1);
    assert_eq!(bench.handler.handled(), 1);
}

#[tokio::test]
async fn events_of_one_object_are_handled_in_order_and_a_dead_one_holds_none_up() {
    let bench = Bench::new();
    let scheme = Stripe::new([SECRET]).unwrap();
    let schedule = Schedule::new([Duration::from_secs(1)]);
    let inbox = bench.builder(scheme).max_attempts(2).schedule(schedule).build().unwrap();
    for id in 1..=3 {
        let body = format!(r#"{{"id":"evt_{id}","data":{{"object":{{"id":"in_7"}}}}}}"#);
        recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, &body)).await);
    }
    bench.handler.fail_at("evt_1");
    assert_eq!(inbox.handle_due().await.unwrap(), 1, "the others wait for the first");
    bench.advance(2);
    inbox.handle_due().await.unwrap();
    assert_eq!(bench.rows().await[0].progress.state, State::Dead);
    assert_eq!(bench.handler.ids(), ["evt_2", "evt_3"]);
}

#[tokio::test]
async fn an_older_state_is_known_by_the_events_own_time() {
    let bench = Bench::new();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    for (id, created) in [("a", "1614265300"), ("b", "1614265299"), ("c", "null")] {
        let body = format!(r#"{{"id":"{id}","created":{created}}}"#);
        recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, &body)).await);
    }
    inbox.handle_due().await.unwrap();
    let handled = bench.handler.handled.lock().unwrap();
    let applied = handled[0].time();
    let newest: Vec<_> = handled.iter().map(|event| event.is_newest_since(applied)).collect();
    assert_eq!(newest, [true, false, true]);
    assert!(handled[1].is_newest_since(None));
}

#[tokio::test]
async fn without_a_handler_events_are_recorded_and_nothing_is_handled() {
    let store = Arc::new(MemoryStore::new());
    let inbox = Inbox::new("acme", trusting(), store).build().unwrap();
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    for error in [
        inbox.handle_due().await.unwrap_err(),
        inbox.run(std::future::pending()).await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("`on_event`"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_inbox_handles_what_is_recorded_survives_its_store_and_stops_when_asked() {
    let (told, mut handled) = tokio::sync::mpsc::unbounded_channel();
    let store = MemoryStore::new().on_event("acme", move |event| {
        told.send(event.id().unwrap_or_default().to_owned())?;
        Ok(())
    });
    let store = Arc::new(Away::new(store));
    let inbox = Inbox::new("acme", trusting(), store.clone()).build().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = {
        let inbox = inbox.clone();
        tokio::spawn(async move { inbox.run(async { _ = stopped.await }).await })
    };
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    assert_eq!(handled.recv().await.unwrap(), "evt_1");
    store.fail();
    let refused = receive(&inbox, &new(&[], "evt_2")).await;
    assert_eq!(refused, Err(InboxErrorKind::Store));
    tokio::time::sleep(Duration::from_secs(60)).await;
    store.come_back();
    recorded(receive(&inbox, &new(&[], "evt_2")).await);
    assert_eq!(handled.recv().await.unwrap(), "evt_2");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
