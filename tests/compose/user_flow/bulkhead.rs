use std::time::Duration;

use outrigger::ErrorKind;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};

use super::preset;
use crate::call::{failure, get, hold, once, status};

#[tokio::test(start_paused = true)]
async fn sixty_four_calls_are_under_way_and_the_next_is_refused_at_once() {
    let provider = Script::new([Answer::hang()]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let held = hold(&crm, 64);
    assert_eq!(crm.bulkhead().in_use(), 64);
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::Full));
    assert_eq!((took, provider.begun()), (Duration::ZERO, 64));
    drop(held);
    assert_eq!(crm.bulkhead().in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_it_any_number_of_calls_is_under_way() {
    let provider = Script::new([Answer::hang()]);
    let unbounded = preset().without_bulkhead().service(provider.clone());
    let crm = unbounded.build().unwrap();
    let _held = hold(&crm, 200);
    assert_eq!(provider.begun(), 200);
    assert_eq!(crm.bulkhead().limit(), None);
}

#[tokio::test(start_paused = true)]
async fn a_queue_can_be_added() {
    let answer = Answer::status(200).after(Duration::from_secs(1));
    let queueing = preset().bulkhead(|bulkhead| bulkhead.concurrency(1).queue(1));
    let crm = queueing.service(Script::new([answer])).build().unwrap();
    let (first, second) = tokio::join!(status(crm.send(once())), status(crm.send(once())));
    assert_eq!(first, (200, Duration::from_secs(1)));
    assert_eq!(second, (200, Duration::from_secs(2)));
}
