//! A client that is made anew from time to time.

use std::io::{self, ErrorKind as Io};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use outrigger::Integration;
use outrigger::event::{Emitter, Event, ReplaceCause};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::transport::rotating::Rotating;

use crate::call::{get, once, poll_once, read, seconds};

/// Makes clients that answer in this way, and counts them.
fn counted(answer: Answer) -> (Rotating<Script>, Arc<AtomicU32>, EventRecorder) {
    let (made, told) = (Arc::new(AtomicU32::new(0)), EventRecorder::new());
    let count = Arc::clone(&made);
    let make = move || {
        count.fetch_add(1, Ordering::SeqCst);
        Ok::<_, io::Error>(Script::new([answer.clone()]))
    };
    let emitter = Emitter::named("crm").with(told.clone());
    (Rotating::new(make).unwrap().emitter(emitter), made, told)
}

fn around(client: Rotating<Script>) -> Integration {
    Integration::user_flow("crm").without_breaker().service(client).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_client_is_made_anew_at_its_age_and_not_before() {
    let (client, made, told) = counted(Answer::status(200));
    let crm = around(client.time_to_live(seconds(100)));
    for _ in 0..79 {
        read(crm.send(get())).await.unwrap();
        tokio::time::sleep(seconds(1)).await;
    }
    assert_eq!(made.load(Ordering::SeqCst), 1, "a fifth younger than its age");
    tokio::time::sleep(seconds(42)).await;
    read(crm.send(get())).await.unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 2, "a fifth older than its age");
    assert_eq!(told.events(), [Event::ClientReplaced { cause: ReplaceCause::Age, replaced: true }]);
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_connections_fail_in_a_row_is_replaced_early() {
    let (client, made, told) = counted(Answer::broken(Io::ConnectionRefused));
    let crm = around(client.max_connect_failures(3));
    for _ in 0..3 {
        read(crm.send(once())).await.unwrap_err();
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
    read(crm.send(once())).await.unwrap_err();
    assert_eq!(made.load(Ordering::SeqCst), 2);
    let replaced = Event::ClientReplaced { cause: ReplaceCause::Failures, replaced: true };
    assert_eq!(told.events(), [replaced]);
}

#[tokio::test(start_paused = true)]
async fn answers_of_any_status_are_no_connection_failures() {
    let (client, made, _) = counted(Answer::status(500));
    let crm = around(client.max_connect_failures(1));
    for _ in 0..10 {
        read(crm.send(once())).await.unwrap();
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_stays_with_the_client_that_it_began_with() {
    let clients = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&clients);
    let make = move || {
        let client = Script::new([Answer::status(200).after(seconds(4))]);
        keep.lock().unwrap().push(client.clone());
        Ok::<_, io::Error>(client)
    };
    let client = Rotating::new(make).unwrap().time_to_live(seconds(1));
    let crm = Integration::user_flow("crm")
        .timeout(|timeout| timeout.attempt(seconds(8)))
        .service(client)
        .build()
        .unwrap();
    let mut first = crm.send(get());
    assert!(poll_once(&mut first).is_pending());
    tokio::time::sleep(seconds(2)).await;
    let mut second = crm.send(get());
    assert!(poll_once(&mut second).is_pending());
    assert_eq!(first.await.unwrap().status(), 200);
    assert_eq!(second.await.unwrap().status(), 200);
    let begun: Vec<_> = clients.lock().unwrap().iter().map(Script::begun).collect();
    assert_eq!(begun, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn where_no_other_client_can_be_made_the_present_one_stays() {
    let tries = AtomicU32::new(0);
    let make = move || match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Ok(Script::new([Answer::status(200)])),
        _ => Err(io::Error::other("no more file handles")),
    };
    let told = EventRecorder::new();
    let client = Rotating::new(make).unwrap().time_to_live(seconds(10));
    let crm = around(client.emitter(Emitter::named("crm").with(told.clone())));
    tokio::time::sleep(seconds(13)).await;
    assert_eq!(read(crm.send(get())).await.unwrap().status(), 200);
    let kept = Event::ClientReplaced { cause: ReplaceCause::Age, replaced: false };
    assert_eq!(told.events(), [kept]);
    assert_eq!(read(crm.send(get())).await.unwrap().status(), 200);
    assert_eq!(told.events().len(), 1, "it is not tried again at once");
}

#[test]
fn a_first_client_that_cannot_be_made_is_an_error() {
    let made = Rotating::<Script>::new(|| Err(io::Error::other("no roots")));
    assert_eq!(made.err().map(|error| error.to_string()), Some("no roots".to_owned()));
}
