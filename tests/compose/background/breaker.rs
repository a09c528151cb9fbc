use outrigger::circuit_breaker::Consecutive;
use outrigger::event::BreakerState;
use outrigger::testing::{Answer, Script};

use super::preset;
use crate::call::{get, once, read, seconds, status};

#[tokio::test(start_paused = true)]
async fn there_is_none_however_often_the_provider_fails() {
    let provider = Script::new([Answer::status(500)]);
    let crm = preset().service(provider.clone()).build().unwrap();
    for _ in 0..100 {
        read(crm.send(once())).await.unwrap();
    }
    assert_eq!(provider.begun(), 100);
    crm.breaker().force_open();
    assert_eq!(crm.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn where_it_is_switched_on_a_job_waits_for_it() {
    let failures = [(); 5].map(|()| Answer::status(500));
    let provider = Script::new(failures.into_iter().chain([Answer::status(200)]));
    let crm = preset()
        .breaker(|breaker| breaker.window(seconds(60)).consecutive(Consecutive::Always(5)))
        .service(provider.clone())
        .build()
        .unwrap();
    for _ in 0..5 {
        read(crm.send(once())).await.unwrap();
    }
    assert_eq!(crm.breaker().state(), BreakerState::Open);
    let (status, took) = status(crm.send(get())).await;
    assert_eq!((status, provider.begun()), (200, 6));
    // Five seconds by half to either side, and half of that once more for coming back.
    assert!((seconds(2)..=seconds(12)).contains(&took), "{took:?}");
}
