//! octocrab: its builder takes a tower service.

// recipe
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use outrigger::Integration;

fn octocrab(github: &Integration) -> Octocrab {
    let builder = OctocrabBuilder::new_empty().with_service(github.tower());
    let Ok(octocrab) = builder.with_auth(AuthState::None).build();
    octocrab
}
// end

use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};

#[tokio::test]
async fn a_read_that_fails_is_repeated() {
    let closed_once = [Answer::Closes, Answer::json(r#"{"answer":42}"#)];
    let provider = Provider::start(closed_once).await;
    let octocrab = octocrab(&provider.integration());
    let answer: serde_json::Value = octocrab.get("/repos/a/b", None::<&()>).await.unwrap();
    assert_eq!(answer["answer"], 42);
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_post_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let octocrab = octocrab(&provider.impatient());
    let error = octocrab.issues("a", "b").create("a title").send().await.unwrap_err();
    let error = outrigger::Error::find(&error).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_post_that_fails_at_the_provider_is_not_repeated_by_the_sdk() {
    let provider = Provider::start([Answer::status(503)]).await;
    let octocrab = octocrab(&provider.integration());
    octocrab.issues("a", "b").create("a title").send().await.unwrap_err();
    assert_eq!(provider.requests(), 1);
}
