//! What an SDK's typed methods have no place for comes from a scope, which tells what became of the calls.

// recipe
use std::time::Duration;

use octocrab::Octocrab;
use outrigger::Delivery;
use outrigger::context::{Report, Scope};

async fn open_issue(octocrab: &Octocrab, title: &str) -> octocrab::Result<()> {
    let report = Report::new();
    let scope = Scope::new().deadline_in(Duration::from_secs(5)).report_to(&report);
    let opened = scope.run(octocrab.issues("owner", "repo").create(title).send()).await;
    let may_be = report.delivery().is_none_or(|delivery| delivery == Delivery::Unknown);
    if opened.is_err() && may_be {
        println!("ask GitHub whether there is such an issue: {:?}", report.calls());
    }
    opened.map(drop)
}
// end

use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use octocrab::{AuthState, OctocrabBuilder};
use outrigger::outcome::Phase;
use outrigger::retry::RetryOverride;
use outrigger::{CallOptions, ErrorKind, Integration};
use outrigger_sdk_tests::{Answer, Provider};

fn octocrab(github: &Integration) -> Octocrab {
    let builder = OctocrabBuilder::new_empty().with_service(github.tower());
    let Ok(octocrab) = builder.with_auth(AuthState::None).build();
    octocrab
}

#[tokio::test]
async fn without_a_key_a_post_is_sent_once() {
    let provider = Provider::start([Answer::Closes]).await;
    open_issue(&octocrab(&provider.integration()), "one").await.unwrap_err();
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_scope_gives_the_key_with_which_a_post_is_repeated() {
    let provider = Provider::start([Answer::Closes, Answer::status(422)]).await;
    let octocrab = octocrab(&provider.integration());
    let scope = Scope::new().options(CallOptions::new().idempotency_key("order-1042")).unwrap();
    scope.run(open_issue(&octocrab, "one")).await.unwrap_err();
    let keys = provider.seen().into_iter().map(|seen| seen.headers["idempotency-key"].clone());
    assert_eq!(keys.collect::<Vec<_>>(), ["order-1042", "order-1042"]);
}

#[tokio::test]
async fn a_scope_ends_calls_that_an_sdk_sends_from_a_task_of_its_own() {
    let provider = Provider::start([Answer::Hangs]).await;
    let octocrab = octocrab(&provider.integration());
    let scope = Scope::new().deadline_in(Duration::from_millis(300));
    let call = octocrab.get::<serde_json::Value, _, ()>("/repos/a/b", None);
    let error = scope.run(call).await.unwrap_err();
    let error = outrigger::Error::find(&error).expect("outrigger's error");
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call));
}

fn sts(provider: &Provider, sts: &Integration, retries: RetryConfig) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(provider.url())
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .http_client(sts.aws())
        .retry_config(retries);
    aws_sdk_sts::Client::from_conf(config.build())
}

#[tokio::test]
async fn a_scope_says_that_an_operation_by_post_only_reads() {
    let provider = Provider::start([Answer::Closes, Answer::status(400)]).await;
    let sts = sts(&provider, &provider.integration(), RetryConfig::disabled());
    let scope = Scope::new().options(CallOptions::new().retries(RetryOverride::Safe)).unwrap();
    scope.run(sts.get_caller_identity().send()).await.unwrap_err();
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_report_knows_of_each_call_of_a_retry_loop_above() {
    let provider = Provider::start([Answer::Closes]).await;
    let integration =
        Integration::user_flow("sts").breaker(|breaker| breaker.failures(1)).build().unwrap();
    let sts = sts(
        &provider,
        &integration,
        RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)),
    );
    let report = Report::new();
    let scope = Scope::new().report_to(&report);
    let error = scope.run(sts.get_caller_identity().send()).await.unwrap_err();
    let last = outrigger::Error::find(&error).expect("outrigger's error");
    assert_eq!(last.delivery(), Delivery::NotSent, "the last call was refused");
    assert_eq!(report.delivery(), Some(Delivery::Unknown));
    assert_eq!(provider.requests(), 1);
}
