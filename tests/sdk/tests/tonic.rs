//! tonic: generated clients take a tower service; errors become statuses.

// recipe
use outrigger::grpc::{Grpc, GrpcService};
use outrigger::integration::OwnClient;
use outrigger::{ConfigError, IntegrationBuilder};
use tonic::Status;
use tonic_health::pb::health_client::HealthClient;

fn health(
    builder: IntegrationBuilder<OwnClient>,
    origin: http::Uri,
) -> Result<HealthClient<GrpcService>, ConfigError> {
    let health = builder.grpc(Grpc::new().safe("/grpc.health.v1.Health/Check")).build()?;
    Ok(HealthClient::with_origin(health.grpc(), origin))
}

/// Whether the provider may have acted: `not_sent`, `answered` or `unknown`.
fn delivery(status: &Status) -> Option<&str> {
    status.metadata().get("outrigger-delivery")?.to_str().ok()
}
// end

use outrigger::Integration;
use outrigger_sdk_tests::{Answer, Provider};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;

fn client(provider: &Provider) -> HealthClient<GrpcService> {
    let builder = Integration::user_flow("health")
        .timeout(|_| Provider::short())
        .hyper(|client| client.http2_prior_knowledge());
    health(builder, provider.url().parse().unwrap()).unwrap()
}

#[tokio::test]
async fn a_safe_call_that_fails_is_repeated() {
    let unavailable = Answer::With(200, &UNAVAILABLE, "".into());
    // HealthCheckResponse { status: Serving }
    let serving = Answer::Grpc(b"\x08\x01"[..].into());
    let provider = Provider::start([unavailable, serving]).await;
    let answer = client(&provider).check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_call_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let status = client(&provider).watch(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(delivery(&status), Some("unknown"));
    assert_eq!(provider.requests(), 1);
}

const UNAVAILABLE: [(&str, &str); 2] =
    [("content-type", "application/grpc"), ("grpc-status", "14")];
