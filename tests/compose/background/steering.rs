use std::time::Duration;

use outrigger::ErrorKind;
use outrigger::event::SwitchMode;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};

use super::preset;
use crate::call::{failure, get, once, read, seconds, status};

#[tokio::test(start_paused = true)]
async fn jobs_wait_for_the_end_of_a_pause_that_one_of_them_was_asked_for() {
    let asks = Answer::status(429).header("retry-after", "20");
    let provider = Script::new([asks, Answer::status(200)]);
    let jobs = preset().service(provider.clone()).build().unwrap();
    assert_eq!(read(jobs.send(once())).await.unwrap().status(), 429);
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(status(jobs.send(get())))).collect();
    tokio::time::sleep(seconds(19)).await;
    assert_eq!((provider.begun(), jobs.rate_limit().waiting()), (1, 3));
    for job in waiting {
        let (status, took) = job.await.unwrap();
        assert_eq!(status, 200);
        assert!(took >= seconds(20), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_are_shaped_to_the_rate_that_the_provider_names() {
    let names = Answer::status(200)
        .header("ratelimit-policy", "\"default\";q=60;w=60")
        .header("ratelimit", "\"default\";r=30;t=60");
    let provider = Script::new([names]);
    let jobs = preset().service(provider.clone()).build().unwrap();
    read(jobs.send(get())).await.unwrap();
    assert!(jobs.rate_limit().interval().is_some(), "it was told");
    let waiting: Vec<_> = (0..10).map(|_| tokio::spawn(status(jobs.send(get())))).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(provider.begun() < 11, "they don't go all at once");
    for job in waiting {
        assert_eq!(job.await.unwrap().0, 200);
    }
    assert_eq!(provider.begun(), 11);
}

#[tokio::test(start_paused = true)]
async fn they_can_be_stopped_and_started() {
    let provider = Script::new([Answer::status(200)]);
    let jobs = preset().service(provider.clone()).build().unwrap();
    jobs.kill_switch().set(SwitchMode::Off, "ada", "");
    let (error, took) = failure(jobs.send(get())).await;
    assert_eq!((error.kind(), took), (ErrorKind::Rejected(Rejection::Stopped), Duration::ZERO));
    jobs.kill_switch().set(SwitchMode::On, "ada", "");
    assert_eq!(status(jobs.send(get())).await.0, 200);
    assert_eq!(provider.begun(), 1);
}
