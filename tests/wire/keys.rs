//! A provider that ignores idempotency keys, as most do: it does what it is asked to, and the answer is
//! lost.

use std::time::Duration;

use http::StatusCode;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::GaveUp;
use outrigger::retry::Retries;
use outrigger::{Delivery, Integration};

use crate::calls::{brief_jobs, over_each_client, post};
use crate::provider::{Act, Provider, Step, answer};

/// Integrations of the preset as it is, but for how long a test can wait.
fn clients(keys: Option<IdempotencyLayer>) -> Vec<Integration> {
    over_each_client(|| match &keys {
        Some(layer) => brief_jobs().idempotency(layer.clone()),
        None => brief_jobs(),
    })
}

/// A provider that does it, and then this.
async fn after(lost: Act) -> Provider {
    Provider::script([Step::read_then(lost), Step::reply(200, "sent again")]).await
}

#[tokio::test]
async fn a_mail_is_sent_once_though_the_provider_says_bad_gateway() {
    let lost = Act::Write(answer(502, "bad gateway").into());
    for mail in clients(None) {
        let provider = after(lost.clone()).await;
        let response = mail.send(post(provider.url("/mails"), "to=ada")).await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        let retries = *response.extensions().get::<Retries>().unwrap();
        assert_eq!((retries.attempts, retries.gave_up), (1, Some(GaveUp::NotSafe)));
        assert_eq!(provider.counts().requests, 1);
        assert!(provider.seen()[0].header("idempotency-key").is_some(), "it costs nothing");
    }
}

#[tokio::test]
async fn a_mail_is_sent_once_though_the_provider_breaks_off_or_is_slow() {
    let late = Act::Pause(Duration::from_secs(40));
    for lost in [Act::Reset, Act::Fin, Act::Hang, late] {
        for mail in clients(None) {
            let provider = after(lost.clone()).await;
            let error = mail.send(post(provider.url("/mails"), "to=ada")).await.unwrap_err();
            assert_eq!(error.delivery(), Delivery::Unknown, "{lost:?}: {error}");
            assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotSafe)), "{lost:?}");
            assert_eq!(provider.counts().requests, 1, "{lost:?}");
        }
    }
}

#[tokio::test]
async fn it_is_sent_again_where_the_integration_says_that_its_provider_honours_keys() {
    let header = http::HeaderName::from_static("idempotency-key");
    for profile in [KeyProfile::stripe(), KeyProfile::header(header).honours_keys()] {
        for lost in [Act::Write(answer(502, "bad gateway").into()), Act::Fin, Act::Hang] {
            for mail in clients(Some(IdempotencyLayer::new(profile.clone()))) {
                let provider = after(lost.clone()).await;
                let response = mail.send(post(provider.url("/mails"), "to=ada")).await.unwrap();
                assert_eq!(response.status(), StatusCode::OK);
                let seen = provider.seen();
                assert_eq!(seen.len(), 2, "{lost:?}");
                let key = |at: usize| seen[at].header("idempotency-key");
                assert!(key(0).is_some() && key(0) == key(1));
            }
        }
    }
}
