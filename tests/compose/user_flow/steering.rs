use std::time::Duration;

use outrigger::ErrorKind;
use outrigger::control::Status;
use outrigger::event::SwitchMode;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};

use super::preset;
use crate::call::{failure, get, millis, once, read, seconds, status};

#[tokio::test(start_paused = true)]
async fn a_provider_that_refuses_one_caller_is_left_alone_by_all() {
    let asks = Answer::status(429).header("retry-after", "20");
    let provider = Script::new([asks, Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    assert_eq!(read(crm.send(once())).await.unwrap().status(), 429);
    for caller in [crm.clone(), crm.clone(), crm.clone()] {
        let (error, took) = failure(caller.send(get())).await;
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::RateLimited));
        // The turn would come too late for a person, who is told at once.
        assert_eq!(took, Duration::ZERO);
    }
    assert_eq!(provider.begun(), 1);
    tokio::time::sleep(seconds(21)).await;
    assert_eq!(status(crm.send(get())).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn a_turn_is_waited_for_for_half_a_second() {
    let asks = Answer::status(429).header("retry-after", "2");
    let provider = Script::new([asks, Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    read(crm.send(once())).await.unwrap();
    tokio::time::sleep(millis(1_490)).await;
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!((error.retry_after(), took), (Some(millis(510)), Duration::ZERO));
    tokio::time::sleep(millis(20)).await;
    assert_eq!(status(crm.send(get())).await, (200, millis(490)));
}

#[tokio::test(start_paused = true)]
async fn the_call_that_was_refused_waits_as_long_as_it_was_asked_itself() {
    let asks = Answer::status(429).header("retry-after", "2");
    let provider = Script::new([asks, Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    let (status, took) = status(crm.send(get())).await;
    assert_eq!(status, 200);
    assert!((seconds(2)..=seconds(3)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn it_can_be_stopped_and_started() {
    let provider = Script::new([Answer::status(200)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    crm.kill_switch().set(SwitchMode::Off, "ada", "wrong invoices");
    let (error, took) = failure(crm.send(get())).await;
    assert_eq!((error.kind(), took), (ErrorKind::Rejected(Rejection::Stopped), Duration::ZERO));
    let text = error.to_string();
    assert!(text.contains("ada") && text.contains("wrong invoices"), "{text}");
    assert_eq!((provider.begun(), crm.health().status), (0, Status::Stopped));
    crm.kill_switch().set(SwitchMode::On, "ada", "");
    assert_eq!(status(crm.send(get())).await.0, 200);
}
