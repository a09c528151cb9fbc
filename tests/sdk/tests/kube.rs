//! kube: its client takes a tower service.

// recipe
use kube::Client;
use outrigger::Integration;

fn kube(cluster: &Integration) -> Client {
    Client::new(cluster.tower(), "default")
}
// end

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};

#[tokio::test]
async fn a_read_that_fails_is_repeated() {
    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}"#;
    let provider = Provider::start([Answer::Closes, Answer::json(pod)]).await;
    let pods: Api<Pod> = Api::default_namespaced(kube(&provider.integration()));
    assert_eq!(pods.get("web").await.unwrap().metadata.name.as_deref(), Some("web"));
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_post_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let pods: Api<Pod> = Api::default_namespaced(kube(&provider.impatient()));
    let error = pods.create(&Default::default(), &Pod::default()).await.unwrap_err();
    let error = outrigger::Error::find(&error).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_post_that_fails_at_the_provider_is_not_repeated_by_the_sdk() {
    let provider = Provider::start([Answer::status(503)]).await;
    let pods: Api<Pod> = Api::default_namespaced(kube(&provider.integration()));
    pods.create(&Default::default(), &Pod::default()).await.unwrap_err();
    assert_eq!(provider.requests(), 1);
}
