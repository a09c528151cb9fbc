//! A service that starts asks what is wrong with its credentials.

use std::time::SystemTime;

use outrigger::Integration;
use outrigger::control::Credential;
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenError, TokenLayer};

use crate::bench::{Bench, Issuer, get, millis, now, secs};

fn shop(layer: TokenLayer) -> Integration {
    Integration::user_flow("shop")
        .service(Script::new([Answer::status(200)]))
        .token(layer)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_right_are_right_and_the_token_is_there() {
    let bench = Bench::new(&Issuer::default());
    bench.shop.check().await.unwrap();
    assert_eq!((bench.issuer.begun(), bench.provider.begun()), (1, 0));
    let began = now();
    bench.call().await.unwrap();
    assert_eq!(now(), began);
    Integration::user_flow("plain")
        .service(Script::new([Answer::status(200)]))
        .build()
        .unwrap()
        .check()
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_said_in_words() {
    for (error, text) in [
        (TokenError::settled("invalid_client"), "shop: token: the issuer refuses: invalid_client"),
        (
            TokenError::transient("it answered 503"),
            "shop: token: the issuer gives none just now: it answered 503",
        ),
        (
            TokenError::needs_login("invalid_grant"),
            "shop: token: somebody has to log in again: invalid_grant",
        ),
    ] {
        let layer = TokenLayer::new(move |_| std::future::ready(Err(error.clone())));
        let found = shop(layer).check().await.unwrap_err();
        assert_eq!((found.to_string().as_str(), found.findings().count()), (text, 1));
    }
    let late = TokenLayer::new(|_| async {
        let time = SystemTime::now() - secs(7200);
        Ok(Token::new("t").expires_in(secs(60)).issuer_time(time))
    });
    let found = shop(late).check().await.unwrap_err().to_string();
    assert!(found.starts_with("shop: clock: this machine's is 72"), "{found}");
    assert!(found.ends_with(" s ahead of the issuer's: set it"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn it_takes_no_longer_than_a_fetch() {
    let issuer = Issuer::default();
    issuer.takes(secs(3600));
    let began = now();
    let found = shop(issuer.layer()).check().await.unwrap_err();
    assert!(found.to_string().ends_with("no token came within 5s"), "{found}");
    assert_eq!(now() - began, secs(5));
}

#[tokio::test(start_paused = true)]
async fn health_says_when_the_token_ends() {
    let bench = Bench::new(&Issuer::default());
    assert_eq!(bench.shop.health().expiries, []);
    bench.shop.send(get()).await.unwrap();
    let expiries = bench.shop.health().expiries;
    assert_eq!(expiries[0].credential, Credential::Token);
    let left = expiries[0].at.duration_since(crate::bench::noon()).unwrap();
    assert!(left >= secs(3570) && left <= secs(3570) + millis(100), "{left:?}");
}
