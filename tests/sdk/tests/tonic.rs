//! tonic: generated clients take a tower service.

use outrigger::{Delivery, Integration};
use outrigger_sdk_tests::{Answer, Provider, verdict};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

// recipe
type Health = HealthClient<outrigger::integration::AnyBodyService>;

fn health(greeter: &Integration, origin: http::Uri) -> Health {
    HealthClient::with_origin(greeter.tower(), origin)
}
// end

fn client(provider: &Provider) -> Health {
    let greeter = Integration::user_flow("greeter")
        // A server without TLS; with it, HTTP/2 is agreed on.
        .hyper(|client| client.http2_prior_knowledge())
        .timeout(|_| Provider::short())
        .build()
        .unwrap();
    health(&greeter, provider.url().parse().unwrap())
}

#[tokio::test]
async fn a_call_gets_its_answer() {
    // HealthCheckResponse { status: Serving }
    let provider = Provider::start([Answer::Grpc(b"\x08\x01"[..].into())]).await;
    let answer = client(&provider).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_call_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let status = client(&provider).check(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unknown);
    let error = verdict(&status).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}
