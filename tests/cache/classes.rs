//! Answers that aren't what their status says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger::cache::CacheOutcome;
use outrigger::outcome::{Class, HttpClassifier, ResponseHead};
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};
use outrigger::{Integration, IntegrationBuilder};

use super::origin::{ask, cached, fresh, is, layer, wait};

fn over(provider: &Script, change: impl FnOnce(Builder) -> Builder) -> Integration {
    let builder = Integration::user_flow("rates").without_retry().without_breaker();
    let builder = builder.without_rate_limit().cache(layer()).service(provider.clone());
    change(builder).build().unwrap()
}

type Builder = IntegrationBuilder<outrigger::integration::Service<Script>>;

/// Gives tokens `t1`, `t2` and so on. A token is refused by a header, too.
fn with_tokens(builder: Builder) -> Builder {
    let given = Arc::new(AtomicUsize::new(0));
    let tokens = TokenLayer::new(move |_| {
        let number = given.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(Token::new(format!("t{number}")).expires_in(Duration::from_secs(3_600))) }
    });
    builder.token(tokens.refused_when(|head| head.headers.contains_key("x-error")))
}

/// 200, and an error by the classifier's word.
fn with_classifier(builder: Builder) -> Builder {
    let own = |head: &ResponseHead<'_>| {
        let text = head.headers.get("x-error")?;
        Some(if text == "down" { Class::ServerError } else { Class::ClientError })
    };
    builder.classifier(HttpClassifier::new().with(own))
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_token_is_not_stored_whatever_its_status() {
    let said = |status: u16| Answer::status(status).header("cache-control", "max-age=60");
    for refusal in [said(200).header("x-error", "token_expired"), said(401)] {
        // With nothing stored, and with an answer that is stale.
        for stored in [0, 1] {
            let first = (0..stored).map(|_| cached("old", "max-age=10"));
            let provider = Script::new(first.chain([refusal.clone(), fresh("a")]));
            let rates = over(&provider, with_tokens);
            for _ in 0..stored {
                is(&ask(&rates).await, CacheOutcome::Miss, "old");
                wait(11).await;
            }
            assert_eq!(ask(&rates).await.outcome(), CacheOutcome::Miss);
            is(&ask(&rates).await, CacheOutcome::Miss, "a");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_200_that_a_classifier_calls_an_error_is_not_stored() {
    for text in ["down", "no such rate"] {
        let provider = Script::new([fresh("").header("x-error", text), fresh("a")]);
        let rates = over(&provider, with_classifier);
        assert_eq!(ask(&rates).await.outcome(), CacheOutcome::Miss);
        is(&ask(&rates).await, CacheOutcome::Miss, "a");
        is(&ask(&rates).await, CacheOutcome::Hit, "a");
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_that_nobody_follows_and_answers_that_are_not_there_are_stored_as_ever() {
    for status in [301, 308, 404, 410] {
        let lasting = Answer::status(status).header("cache-control", "max-age=60");
        let provider = Script::new([lasting, fresh("a")]);
        let rates = over(&provider, with_classifier);
        assert_eq!(ask(&rates).await.outcome(), CacheOutcome::Miss);
        assert_eq!(ask(&rates).await.outcome(), CacheOutcome::Hit, "{status}");
    }
}
