//! Tokens that are sent after their end, where that is set.

use outrigger::ErrorKind;
use outrigger::control::Status;
use outrigger::event::Event;
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};
use outrigger::token::{TokenError, TokenState};

use crate::bench::{Bench, Issuer, get, now, secs, send, token_of};

/// Ten minutes after the end are allowed.
async fn bench(provider: Script) -> Bench {
    let issuer = Issuer::default();
    let layer = issuer.layer().serve_expired(secs(600));
    let bench = Bench::by(&issuer, layer, provider, |builder| builder);
    bench.call().await.unwrap();
    bench
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_down_an_ended_token_serves_for_so_long_and_each_attempt_is_told() {
    let bench = bench(Script::new([Answer::status(200)])).await;
    bench.issuer.is_down(true);
    let (began, mut served) = (now(), 0);
    for _ in 0..4300 {
        bench.pass(secs(1)).await;
        let age = (now() - began).as_secs();
        match send(&bench.shop).await {
            Ok(status) => {
                assert_eq!((status, age <= 4170), (200, true), "{age} s");
                let health = bench.shop.health();
                let state = health.token.unwrap().state;
                if age > 3570 {
                    assert_eq!((state, health.status), (TokenState::Expired, Status::Degraded));
                    served += 1;
                } else if age < 3569 {
                    assert_ne!(state, TokenState::Expired);
                }
            }
            Err(error) => {
                assert!(age >= 4170, "{age} s: {error}");
                assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::NoToken));
            }
        }
    }
    let told = bench.events.count(|event| matches!(event, Event::TokenServedExpired { generation: 1, ended_for } if *ended_for < secs(600)));
    assert!((served..=served + 1).contains(&told) && served > 590, "{told} of {served}");
    let failures = bench.events.events().into_iter().filter_map(|event| match event {
        Event::TokenRefreshFailed { served_for, .. } => served_for,
        _ => None,
    });
    // What is told counts until the token isn't sent any more.
    assert!(failures.max().is_some_and(|left| left > secs(1150)));
    assert!(bench.shop.check().await.is_err());
    bench.issuer.is_down(false);
    bench.pass(secs(31)).await;
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn after_a_quiet_night_the_first_call_waits_for_another_token() {
    let bench = bench(Script::new([Answer::status(200)])).await;
    bench.pass(secs(3700)).await;
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t2".into()]));
    bench.pass(secs(3700)).await;
    // Only if none comes, it goes with the old one.
    bench.issuer.is_down(true);
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_refuses_and_a_provider_that_does_end_it() {
    let bench = bench(Script::new([Answer::status(200)])).await;
    bench.pass(secs(3700)).await;
    bench.issuer.fail(TokenError::settled("the client was removed"));
    let error = bench.call().await.unwrap_err();
    assert!(error.to_string().ends_with("the client was removed"), "{error}");

    let bench = self::bench(Script::by(|request| {
        Answer::status(if token_of(request) == "t2" { 401 } else { 200 })
    }))
    .await;
    bench.pass(secs(3700)).await;
    bench.call().await.unwrap();
    assert_eq!(bench.shop.token().unwrap().generation(), 2);
    bench.pass(secs(3700)).await;
    bench.issuer.fail(TokenError::transient("away").retry_in(secs(20)));
    assert_eq!(bench.call().await.unwrap(), (401, vec!["t2".into()]));
    // The provider doesn't take it: nothing more is sent with it.
    let requests = bench.provider.begun();
    let error = bench.shop.send(get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::NoToken));
    assert_eq!(bench.provider.begun(), requests);
}
