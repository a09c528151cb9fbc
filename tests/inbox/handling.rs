//! Handled once: in one transaction with its mark, again while it fails, and anew when it is sent again.

use std::time::Duration;

use outrigger::inbox::{EventLane, Inbox, Received, Stripe};
use outrigger::outbox::{
    Action, By, ClaimRequest, DeadHead, DeadReason, ExpiredKey, MemoryStore, Outbox,
    OutboxErrorKind, Schedule, Selection, State, StoredMessage, Timestamp,
};

use crate::bench::{Bench, NOW, SOURCE, duplicate, on_every_store, receive, recorded, trusting};
use crate::sign::{self, new};

const SECRET: &str = "a secret of the tests";
const DAY: Duration = Duration::from_secs(24 * 3_600);

on_every_store! {
    an_event_is_handled_once_with_all_that_is_known_of_it
    a_handler_that_fails_or_panics_is_called_again_and_holds_nothing_up
    a_dead_event_is_handled_when_the_provider_sends_it_again
    a_dead_event_is_handled_when_a_person_replays_it
    a_discarded_event_is_not_handled_when_it_is_sent_again
    of_many_at_once_one_is_recorded_and_handled
    an_update_that_came_before_its_creation_is_handled_after_it
    an_older_state_is_known_by_the_events_own_time
}

fn all(state: State) -> impl Fn(&[StoredMessage]) -> bool {
    move |rows| rows.iter().all(|row| row.progress.state == state)
}

async fn an_event_is_handled_once_with_all_that_is_known_of_it(mut bench: Bench) {
    bench.work();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    let body = r#"{"id":"evt_1","created":1614265300,"type":"invoice.paid","data":{"object":{"id":"in_7"}},"api_version":"2026-10-28"}"#;
    let id = recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, body)).await);
    bench.until("it is handled", all(State::Delivered)).await;
    let handled = bench.handler.handled.lock().unwrap().clone();
    let event = &handled[0];
    assert_eq!((handled.len(), event.message_id(), event.attempt()), (1, id, 1));
    assert_eq!((event.source(), event.id()), (SOURCE, Some("evt_1")));
    assert_eq!((event.kind(), event.order_key()), (Some("invoice.paid"), Some("in_7")));
    assert_eq!(event.time(), Some(Timestamp(1_614_265_300_000)));
    assert!(event.recorded() >= Timestamp(NOW * 1000));
    assert_eq!((event.api_version(), &event.body()[..]), (Some("2026-10-28"), body.as_bytes()));
    assert_eq!(event.header("content-type"), Some("application/json"));
    assert!(!format!("{event:?}").contains("in_7"), "{event:?}");
    // Sent once more, it is neither recorded nor handled.
    assert_eq!(duplicate(receive(&inbox, &sign::stripe(&[SECRET], NOW, body)).await), (id, false));
    recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, r#"{"id":"evt_2"}"#)).await);
    bench.until("both are handled", all(State::Delivered)).await;
    assert_eq!(bench.handler.ids(), ["evt_1", "evt_2"]);
}

async fn a_handler_that_fails_or_panics_is_called_again_and_holds_nothing_up(mut bench: Bench) {
    bench.handler.fail_at("evt_1");
    bench.work();
    let inbox = bench.inbox(trusting());
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    recorded(receive(&inbox, &new(&[], "evt_2")).await);
    let handler = bench.handler.clone();
    bench.until("three attempts", move |_| handler.attempts().len() > 3).await;
    assert_eq!(bench.handler.ids(), ["evt_2"]);
    bench.handler.panic(true);
    let (handler, before) = (bench.handler.clone(), bench.handler.attempts().len());
    bench.until("a panic", move |_| handler.attempts().len() > before).await;
    bench.handler.panic(false);
    bench.handler.fail_at(None);
    bench.until("it is handled", all(State::Delivered)).await;
    assert_eq!(bench.handler.ids(), ["evt_2", "evt_1"]);
}

/// An inbox with one event, whose handling has failed three times.
async fn dead(bench: &mut Bench) -> Inbox {
    bench.handler.fail_at("evt_1");
    bench.work();
    let inbox = bench.builder(trusting()).max_attempts(3).build().unwrap();
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
    bench.until("it is dead", all(State::Dead)).await;
    assert_eq!(bench.handler.attempts(), [1, 2, 3]);
    assert_eq!(bench.rows().await[0].progress.dead_reason, Some(DeadReason::HookFailed));
    bench.handler.fail_at(None);
    inbox
}

async fn a_dead_event_is_handled_when_the_provider_sends_it_again(mut bench: Bench) {
    let inbox = dead(&mut bench).await;
    let again = new(&[], "evt_1");
    let (id, replayed) = duplicate(receive(&inbox, &again).await);
    assert!(replayed);
    bench.until("it is handled", all(State::Delivered)).await;
    assert!(!duplicate(receive(&inbox, &again).await).1, "it is handled");
    assert_eq!(bench.handler.ids(), ["evt_1"]);
    let counts = inbox.counts();
    assert_eq!((counts.recorded, counts.duplicates, counts.replayed), (1, 2, 1));
    let history = bench.outbox.history(id).await.unwrap().unwrap();
    assert_eq!((history.acts.len(), history.acts[0].who.as_str()), (1, SOURCE));
}

async fn a_dead_event_is_handled_when_a_person_replays_it(mut bench: Bench) {
    let inbox = dead(&mut bench).await;
    let id = bench.rows().await[0].content.id;
    let by = By { who: "ada", why: "fixed" };
    bench.outbox.act(Selection::One(id), Action::Replay(ExpiredKey::Refuse), by).await.unwrap();
    bench.until("it is handled", all(State::Delivered)).await;
    assert!(!duplicate(receive(&inbox, &new(&[], "evt_1")).await).1);
    assert_eq!(bench.handler.ids(), ["evt_1"]);
}

async fn a_discarded_event_is_not_handled_when_it_is_sent_again(mut bench: Bench) {
    let inbox = dead(&mut bench).await;
    let id = bench.rows().await[0].content.id;
    let by = By { who: "ada", why: "a test of theirs" };
    bench.outbox.act(Selection::One(id), Action::Discard, by).await.unwrap();
    assert_eq!(duplicate(receive(&inbox, &new(&[], "evt_1")).await), (id, false));
    recorded(receive(&inbox, &new(&[], "evt_2")).await);
    bench.until("the other is handled", |rows| rows[1].progress.state == State::Delivered).await;
    assert_eq!(bench.handler.ids(), ["evt_2"]);
}

async fn of_many_at_once_one_is_recorded_and_handled(mut bench: Bench) {
    bench.work();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    let signed = sign::stripe(&[SECRET], NOW, r#"{"id":"evt_1"}"#);
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (inbox, signed) = (inbox.clone(), signed.clone());
            tokio::spawn(async move { receive(&inbox, &signed).await })
        })
        .collect();
    let mut is_new = 0;
    for task in tasks {
        is_new += usize::from(matches!(task.await.unwrap(), Ok(Received::Recorded(_))));
    }
    bench.until("it is handled", all(State::Delivered)).await;
    assert_eq!((is_new, bench.rows().await.len()), (1, 1));
    assert_eq!(bench.handler.attempts(), [1]);
}

async fn an_update_that_came_before_its_creation_is_handled_after_it(mut bench: Bench) {
    bench.handler.fail_at("update");
    bench.work();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    for id in ["update", "creation"] {
        let body = format!(r#"{{"id":"{id}","data":{{"object":{{"id":"in_7"}}}}}}"#);
        recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, &body)).await);
    }
    bench.until("one is handled", |rows| rows[1].progress.state == State::Delivered).await;
    bench.handler.fail_at(None);
    bench.until("both are handled", all(State::Delivered)).await;
    assert_eq!(bench.handler.ids(), ["creation", "update"]);
}

async fn an_older_state_is_known_by_the_events_own_time(mut bench: Bench) {
    bench.work();
    let inbox = bench.inbox(Stripe::new([SECRET]).unwrap());
    for (id, created) in [("a", "1614265300"), ("b", "1614265299"), ("c", "null")] {
        let body = format!(r#"{{"id":"{id}","created":{created}}}"#);
        recorded(receive(&inbox, &sign::stripe(&[SECRET], NOW, &body)).await);
        bench.until("it is handled", all(State::Delivered)).await;
    }
    let handled = bench.handler.handled.lock().unwrap();
    let applied = handled[0].time();
    let newest: Vec<_> = handled.iter().map(|event| event.is_newest_since(applied)).collect();
    assert_eq!(newest, [true, false, true]);
    assert!(handled[1].is_newest_since(None));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_fails_is_called_again_at_the_times_of_the_schedule() {
    let mut bench = Bench::new();
    bench.handler.fail_at("evt_1");
    bench.work();
    recorded(receive(&bench.inbox(trusting()), &new(&[], "evt_1")).await);
    tokio::time::sleep(DAY).await;
    bench.handler.fail_at(None);
    tokio::time::sleep(Duration::from_secs(7_200)).await;
    bench.until("it is handled", all(State::Delivered)).await;
    let attempts = bench.handler.attempts.lock().unwrap().clone();
    let numbers: Vec<_> = attempts.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=u32::try_from(attempts.len()).unwrap()).collect::<Vec<_>>());
    assert!((28..=36).contains(&attempts.len()), "{}", attempts.len());
    for (at, pair) in attempts.windows(2).enumerate() {
        let (waited, delay) = (pair[1].1 - pair[0].1, Schedule::default().delay(at as u32 + 1));
        let (least, most) = (delay * 9 / 10, delay * 11 / 10 + Duration::from_secs(1));
        assert!((least..=most).contains(&waited), "{at}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_for_days_is_handled_and_not_given_up() {
    let mut bench = Bench::new();
    recorded(receive(&bench.inbox(trusting()), &new(&[], "evt_1")).await);
    tokio::time::sleep(6 * DAY).await;
    bench.work();
    bench.until("it is handled", all(State::Delivered)).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_known_for_seven_days_after_it_was_handled_and_then_forgotten() {
    let mut bench = Bench::new();
    bench.work();
    let inbox = bench.inbox(trusting());
    let first = recorded(receive(&inbox, &new(&[], "evt_1")).await);
    tokio::time::sleep(7 * DAY - Duration::from_secs(3_600)).await;
    assert_eq!(duplicate(receive(&inbox, &new(&[], "evt_1")).await), (first, false));
    tokio::time::sleep(Duration::from_secs(7_200)).await;
    recorded(receive(&inbox, &new(&[], "evt_1")).await);
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_worker_is_gone_is_handled_by_another() {
    let mut bench = Bench::new();
    recorded(receive(&bench.inbox(trusting()), &new(&[], "evt_1")).await);
    let gone = ClaimRequest {
        lane: outrigger::inbox::lane(SOURCE),
        owner: "a process that was killed".into(),
        most: 1,
        lease: Duration::from_secs(60),
        key_lifetime: None,
        own_key_lifetime: None,
        dead_head: DeadHead::SteppedOver,
        batch: None,
        tenant_limit: None,
    };
    assert_eq!(bench.outbox.store().claim(gone).await.unwrap().messages.len(), 1);
    bench.work();
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(bench.handler.attempts(), [0; 0]);
    bench.until("it is handled", all(State::Delivered)).await;
    assert_eq!(bench.handler.ids(), ["evt_1"]);
}

#[test]
fn a_store_that_knows_no_handler_for_a_source_is_refused() {
    let outbox = Outbox::with_store(MemoryStore::new()).lane(EventLane::new("acme")).build();
    let error = outbox.unwrap_err();
    assert_eq!(error.kind(), OutboxErrorKind::Settings);
    assert!(error.to_string().contains("inbox:acme"), "{error}");
    let store = MemoryStore::new().on_delivered(outrigger::inbox::lane("acme"), |_, _| Ok(()));
    assert!(Outbox::with_store(store).lane(EventLane::new("acme")).build().is_ok());
}

#[test]
fn a_second_function_for_the_events_of_a_source_is_refused() {
    let one = || Outbox::memory().on_event("acme", |_| Ok(()));
    for twice in [
        one().on_event("acme", |_| Ok(())),
        one().on_delivered(outrigger::inbox::lane("acme"), |_, _| Ok(())),
    ] {
        let error = twice.build().unwrap_err();
        assert_eq!(error.kind(), OutboxErrorKind::Settings);
        let text = error.to_string();
        assert!(text.contains("inbox:acme") && text.contains("two functions"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_listens_is_told_of_an_event_that_is_dead() {
    let recorder = outrigger::testing::EventRecorder::new();
    let events = EventLane::new(SOURCE).subscriber(recorder.clone());
    let mut bench = Bench::scheduled(events.schedule(Schedule::new([Duration::from_secs(1)])));
    dead(&mut bench).await;
    let parked = outrigger::outbox::OutboxEvent::Parked { why: DeadReason::HookFailed };
    assert!(recorder.events().contains(&outrigger::event::Event::Outbox(parked)));
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn what_a_handler_writes_is_kept_if_and_only_if_the_event_is_handled() {
    use outrigger::outbox::rusqlite::Connection;
    use outrigger::outbox::{Dialect, Message, rusqlite::params_from_iter};

    let bench = Bench::sqlite();
    let file = bench.file().with_file_name("shop.db");
    let database = Connection::open(&file).unwrap();
    database.execute("CREATE TABLE paid (invoice TEXT NOT NULL)", []).unwrap();
    let events = EventLane::new("shop").schedule(Schedule::new([Duration::from_millis(20)]));
    let outbox = Outbox::sqlite(&file).clock(bench.clock).on_event(events, |tx, event| {
        tx.execute("INSERT INTO paid (invoice) VALUES (?1)", [event.id()])?;
        let receipt = Message::post("https://mailer.example/mails").lane("mailer").body("paid");
        let insert = receipt.insert_statement(Dialect::Sqlite)?;
        tx.execute(&insert.sql, params_from_iter(insert.params))?;
        if event.attempt() < 3 { Err("after all was written".into()) } else { Ok(()) }
    });
    let outbox = outbox.build().unwrap();
    let inbox = Inbox::builder("shop", trusting(), &outbox).clock(bench.clock);
    let inbox = inbox.time_limit(crate::bench::PATIENCE).build().unwrap();
    let worker = tokio::spawn({
        let outbox = outbox.clone();
        async move { outbox.run().await }
    });
    for _ in 0..3 {
        receive(&inbox, &new(&[], "in_7")).await.unwrap();
    }
    let id = duplicate(receive(&inbox, &new(&[], "in_7")).await).0;
    let state = outbox.wait(id, Duration::from_secs(60)).await.unwrap();
    // A ticket calls it delivered while only its function has to be repeated: look at the row.
    assert!(matches!(state, outrigger::outbox::TicketState::Delivered { .. }), "{state:?}");
    let is_done = || async {
        outbox.history(id).await.unwrap().unwrap().message.progress.state == State::Delivered
    };
    for _ in 0..6_000 {
        if is_done().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(is_done().await);
    let count = |sql| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM paid WHERE invoice = 'in_7'"), 1);
    assert_eq!(count("SELECT count(*) FROM outrigger_message WHERE lane = 'mailer'"), 1);
    assert_eq!(outbox.history(id).await.unwrap().unwrap().attempts.len(), 3);
    worker.abort();
}
