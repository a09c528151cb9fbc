//! Shutdowns, crashes, and several workers on one store.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use outrigger::event::{Event, Origin, Subscriber};
use outrigger::outbox::{
    By, DeadReason, Filter, Lane, MemoryStore, Outbox, OutboxErrorKind, OutboxEvent, Page, State,
    TicketState, UnknownOutcome,
};
use outrigger::rt::Clock;
use outrigger::testing::{Answer, EventRecorder, Script};

use super::bench::{bodies, builder, integration, mail, memory, provider, run, secs, sleep, start};

/// A store that several outboxes have.
fn shared() -> MemoryStore {
    MemoryStore::new().clock(clock())
}

fn clock() -> Clock {
    Clock::anchored(SystemTime::UNIX_EPOCH + secs(1_800_000_000))
}

fn outbox(store: &MemoryStore, script: &Script) -> Outbox {
    let lane = Lane::new(&integration("mailer", script)).unknown_outcome(UnknownOutcome::Resend);
    Outbox::with_store(store.clone()).clock(clock()).lane(lane).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_at_a_shutdown_has_its_grace_and_nothing_more_begins() {
    let script = provider([Answer::status(200).after(secs(10))]);
    let running = run(Lane::new(&integration("mailer", &script)).concurrency(1));
    let (first, second) = (running.enqueue(mail("1")).await, running.enqueue(mail("2")).await);
    sleep(2).await;
    let outbox = running.outbox.clone();
    running.shut_down(secs(30)).await;
    assert!(matches!(outbox.ticket(first.id).await.unwrap(), TicketState::Delivered { .. }));
    let state = outbox.ticket(second.id).await.unwrap();
    assert!(matches!(state, TicketState::Accepted { attempts: 0, .. }), "{state:?}");
    assert_eq!(script.begun(), 1);
    assert_eq!(outbox.run().await.unwrap_err().kind(), OutboxErrorKind::Taken);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_when_its_grace_is_over() {
    let script = provider([Answer::hang()]);
    let running = run(&integration("mailer", &script));
    let ticket = running.enqueue(mail("1")).await;
    sleep(1).await;
    let (outbox, began) = (running.outbox.clone(), tokio::time::Instant::now());
    running.shut_down(secs(5)).await;
    assert!(began.elapsed() < secs(6));
    assert_eq!(outbox.ticket(ticket.id).await.unwrap(), TicketState::Sending);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_place_at_the_end_of_the_grace_is_given_back_unsent() {
    let script = provider([Answer::hang()]);
    let mailer = builder("mailer").bulkhead(|bulkhead| bulkhead.concurrency(1));
    let mailer = mailer.service(script.clone()).build().unwrap();
    // Both see the place, and one gets it.
    let bulk = Lane::new(&mailer).name("bulk");
    let running = start(memory().lane(&mailer).lane(bulk).build().unwrap());
    let tickets = [
        running.enqueue(mail("1").lane("mailer")).await,
        running.enqueue(mail("2").lane("bulk")).await,
    ];
    sleep(1).await;
    assert_eq!(script.begun(), 1);
    let outbox = running.outbox.clone();
    running.shut_down(secs(2)).await;
    let mut states = Vec::new();
    for ticket in tickets {
        let progress = outbox.history(ticket.id).await.unwrap().unwrap().message.progress;
        states.push((progress.state, progress.attempt, progress.unknown));
    }
    states.sort_by_key(|(state, ..)| state.name());
    assert_eq!(states, [(State::Leased, 1, 0), (State::Ready, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn the_work_of_a_lost_worker_is_done_by_another_with_the_same_key() {
    let (store, lost, works) =
        (shared(), provider([Answer::hang()]), provider([Answer::status(200)]));
    let first = start(outbox(&store, &lost));
    let ticket = first.enqueue(mail("1")).await;
    sleep(1).await;
    first.kill().await;
    let second = start(outbox(&store, &works));
    sleep(60).await;
    assert!(works.requests().is_empty(), "the lease is still the first one's");
    sleep(60).await;
    let key = |script: &Script| script.requests()[0].headers()["idempotency-key"].clone();
    assert_eq!(key(&works), key(&lost));
    assert_eq!(second.outcomes(ticket.id).await, ["unknown", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_takes_long_keeps_its_message() {
    let store = shared();
    let slow = provider([Answer::status(200).after(secs(55))]);
    let lane = |script: &Script| {
        let mailer = builder("mailer").timeout(|limits| limits.attempt(secs(90)));
        let mailer = mailer.service(script.clone()).build().unwrap();
        let lane = Lane::new(&mailer).call_limit(secs(59)).lease(secs(60));
        let outbox = Outbox::with_store(store.clone()).clock(clock()).lane(lane);
        start(outbox.build().unwrap())
    };
    let (one, other) = (lane(&slow), lane(&slow));
    let ticket = one.enqueue(mail("1")).await;
    sleep(45).await;
    let lease = one.history(ticket.id).await.message.progress.lease.unwrap();
    let now = one.outbox.store().now().await.unwrap();
    assert!(lease.until.since(now) > secs(50), "it was extended at 40 s");
    sleep(60).await;
    assert_eq!(slow.begun(), 1);
    assert_eq!(other.outcomes(ticket.id).await, ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn two_workers_on_one_store_deliver_each_message_once() {
    let store = shared();
    let script = provider([Answer::status(200).after(Duration::from_millis(30))]);
    let (one, other) = (start(outbox(&store, &script)), start(outbox(&store, &script)));
    let mut tickets = Vec::new();
    for nth in 0..200_u32 {
        let from = if nth % 2 == 0 { &one } else { &other };
        tickets.push(from.enqueue(mail("1")).await);
    }
    for ticket in tickets {
        let state = one.outbox.wait(ticket.id, secs(60)).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "{state:?}");
    }
    assert_eq!(script.requests().len(), 200);
    let owners = one.outbox.browse(Filter::all(), Page::first(999)).await.unwrap();
    assert!(owners.iter().all(|message| message.progress.attempt == 1));
}

#[tokio::test(start_paused = true)]
async fn what_a_worker_tells_after_it_was_given_up_counts_if_it_is_a_success() {
    // Its process was stopped for longer than its lease, so another worker has taken the message.
    let store = shared();
    let script = provider([Answer::status(200).after(secs(30))]);
    let first = start(outbox(&store, &script));
    let ticket = first.enqueue(mail("1")).await;
    sleep(1).await;
    let claimed = first.history(ticket.id).await.message;
    let stopped = first.kill().await;
    sleep(100).await;
    stopped.store().reap(10).await.unwrap();
    let second = start(outbox(&store, &script));
    sleep(1).await;
    assert_eq!(second.history(ticket.id).await.message.progress.state, State::Leased);
    let settlement = outrigger::outbox::Settlement {
        lease: outrigger::outbox::LeaseRef { id: ticket.id, token: claimed.progress.token },
        outcome: outrigger::outbox::Outcome::Delivered {
            hook_again: outrigger::outbox::Timestamp(0),
        },
        report: outrigger::outbox::Report::default(),
        answer: None,
        unkept: None,
    };
    stopped.store().settle(vec![settlement]).await.unwrap();
    sleep(60).await;
    assert_eq!(second.outcomes(ticket.id).await, ["late", "stale"]);
    assert_eq!(second.history(ticket.id).await.message.progress.state, State::Delivered);
}

#[tokio::test(start_paused = true)]
async fn old_messages_are_removed_and_dead_ones_stay() {
    let script =
        Script::by(|request| Answer::status(if request.body() == "bad" { 400 } else { 200 }));
    let outbox = memory().lane(&integration("mailer", &script)).retention(secs(7_200));
    let running = start(outbox.build().unwrap());
    let (good, bad) = (running.enqueue(mail("good")).await, running.enqueue(mail("bad")).await);
    sleep(7_000).await;
    assert!(matches!(running.outbox.ticket(good.id).await.unwrap(), TicketState::Delivered { .. }));
    sleep(300).await;
    assert_eq!(running.outbox.ticket(good.id).await.unwrap(), TicketState::Unknown);
    let parked = TicketState::Parked { why: DeadReason::Rejected, replaced_by: None };
    assert_eq!(running.outbox.ticket(bad.id).await.unwrap(), parked);
    let by = By { who: "ada", why: "typo" };
    let edited = running.outbox.edit(bad.id, mail("good again"), by).await.unwrap();
    running.outbox.wait(edited, secs(60)).await.unwrap();
    assert_eq!(bodies(&script), ["good", "bad", "good again"]);
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_told_to_the_integrations_subscribers() {
    let store = shared();
    let script = provider([Answer::hang(), Answer::status(500), Answer::status(400)]);
    let recorder = EventRecorder::new();
    let mailer = builder("mailer").subscriber(recorder.clone()).service(script).build().unwrap();
    let lane = || Lane::new(&mailer).unknown_outcome(UnknownOutcome::Resend);
    let outbox = || Outbox::with_store(store.clone()).clock(clock()).lane(lane()).build().unwrap();
    let first = start(outbox());
    first.enqueue(mail("1").max_attempts(5)).await;
    sleep(1).await;
    first.kill().await;
    let second = start(outbox());
    sleep(300).await;
    let told: Vec<_> = recorder
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Outbox(event) => Some(event),
            _ => None,
        })
        .collect();
    let parked = OutboxEvent::Parked { why: DeadReason::Rejected };
    assert_eq!(told, [OutboxEvent::Recovered, OutboxEvent::RunningOut, parked]);
    drop(second);
}

#[test]
fn a_settling_function_for_no_lane_is_refused() {
    let mailer = integration("mailer", &provider([Answer::status(200)]));
    let outbox = || memory().on_delivered("mailr", |_, _| Ok(()));
    let error = outbox().lane(&mailer).build().unwrap_err();
    assert_eq!(error.kind(), OutboxErrorKind::Settings);
    assert!(error.to_string().contains("mailr"), "{error}");
    // Its messages are delivered elsewhere.
    outbox().build().unwrap();
}

#[test]
fn a_second_settling_function_for_a_lane_is_refused() {
    let mailer = integration("mailer", &provider([Answer::status(200)]));
    let twice =
        memory().on_delivered("mailer", |_, _| Ok(())).on_delivered("mailer", |_, _| Ok(()));
    let error = twice.lane(&mailer).build().unwrap_err();
    assert_eq!(error.kind(), OutboxErrorKind::Settings);
    assert!(error.to_string().contains("\"mailer\" has two functions"), "{error}");
    #[cfg(feature = "sqlite")]
    {
        let folder = crate::sqlite::Folder::new();
        let twice = Outbox::sqlite(folder.file()).on_delivered("mailer", |_, _, _| Ok(()));
        let twice = twice.on_delivered("mailer", |_, _, _| Ok(())).lane(&mailer).build();
        assert!(twice.unwrap_err().to_string().contains("two functions"));
    }
    #[cfg(feature = "postgres")]
    {
        let store = outrigger::outbox::postgres::PostgresStore::no_tls("host=localhost").unwrap();
        let store = store.on_delivered("mailer", |_, _, _| Box::pin(async { Ok(()) }));
        let twice =
            Outbox::postgres(store).on_delivered("mailer", |_, _, _| Box::pin(async { Ok(()) }));
        assert!(twice.lane(&mailer).build().unwrap_err().to_string().contains("two functions"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_may_be_made_to_come_sooner() {
    let running = run(&integration("mailer", &provider([Answer::hang()])));
    running.enqueue(mail("1")).await;
    sleep(1).await;
    let began = tokio::time::Instant::now();
    running.outbox.shut_down(secs(3600));
    sleep(1).await;
    running.shut_down(secs(2)).await;
    assert!(began.elapsed() < secs(5), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_another_process_enqueues_all_the_time_is_found_within_a_second() {
    let (store, script) = (shared(), provider([Answer::status(200)]));
    let other = Outbox::with_store(store.clone()).clock(clock()).build().unwrap();
    let _running = start(outbox(&store, &script));
    // After an hour with nothing to do, a lane looks every five seconds.
    sleep(3600).await;
    for number in 0..10 {
        let ticket = other.enqueue(mail("1").lane("mailer")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(if number == 0 { 5100 } else { 1100 })).await;
        let state = other.ticket(ticket.id).await.unwrap();
        assert!(matches!(state, TicketState::Delivered { .. }), "message {number}: {state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_another_process_that_dies_is_told_by_who_finds_it() {
    let store = shared();
    let plain = Outbox::with_store(store.clone()).clock(clock()).build().unwrap();
    plain.enqueue(mail("1").lane("crm").deadline(secs(60))).await.unwrap();
    let (recorder, told_of) = (EventRecorder::new(), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&told_of);
    let mailer = builder("mailer").subscriber(recorder.clone()).subscriber(Names(heard));
    let mailer = mailer.service(provider([Answer::status(200)])).build().unwrap();
    let _running = start(Outbox::with_store(store).clock(clock()).lane(&mailer).build().unwrap());
    sleep(100).await;
    let expired = OutboxEvent::Parked { why: DeadReason::Expired };
    let told = recorder.events().into_iter();
    assert_eq!(told.filter(|event| *event == Event::Outbox(expired)).count(), 1);
    assert_eq!(*told_of.lock().unwrap(), [Some("crm".to_owned())], "as of its own lane");
}

/// Of which integrations outboxes tell something.
struct Names(Arc<Mutex<Vec<Option<String>>>>);

impl Subscriber for Names {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        if matches!(event, Event::Outbox(_)) {
            self.0.lock().unwrap().push(origin.integration().map(str::to_owned));
        }
    }
}
