//! AWS: outrigger's feature `aws` is the client.

// recipe
use aws_sdk_sts::Client;
use aws_sdk_sts::config::Builder;
use aws_sdk_sts::config::retry::RetryConfig;
use outrigger::Integration;

fn client(config: Builder, sts: &Integration) -> Client {
    let config = config.http_client(sts.aws()).retry_config(RetryConfig::disabled());
    Client::from_conf(config.build())
}
// end

use std::io::Write;
use std::sync::{Arc, Mutex};

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sts::error::SdkError;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use outrigger::{BoxError, Delivery};
use outrigger_sdk_tests::{Answer, Provider};

fn config(provider: &Provider) -> Builder {
    Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(provider.url())
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
}

fn identity() -> Answer {
    let xml = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123</Account>\
        </GetCallerIdentityResult></GetCallerIdentityResponse>";
    Answer::With(200, &[("content-type", "text/xml")], xml.into())
}

#[tokio::test]
async fn an_answer_comes_through() {
    let provider = Provider::start([identity()]).await;
    let client = client(config(&provider), &provider.integration());
    let identity = client.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("123"));
    let seen = &provider.seen()[0];
    assert_eq!(seen.body, "Action=GetCallerIdentity&Version=2011-06-15");
    assert!(seen.headers.contains_key("authorization"));
    assert!(seen.headers["x-amz-user-agent"].to_str().unwrap().contains("http#outrigger-0"));
}

#[tokio::test]
async fn a_post_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let client = client(config(&provider), &provider.impatient());
    let error = client.get_caller_identity().send().await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(failure) if failure.is_timeout()));
    let error = outrigger::Error::find(&error).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_post_that_fails_at_the_provider_is_not_repeated_by_the_sdk() {
    let provider = Provider::start([Answer::status(500)]).await;
    let client = client(config(&provider), &provider.integration());
    client.get_caller_identity().send().await.unwrap_err();
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_broken_connection_is_an_io_error() {
    let provider = Provider::start([Answer::Closes]).await;
    let client = client(config(&provider), &provider.integration());
    let error = client.get_caller_identity().send().await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(failure) if failure.is_io()));
    assert_eq!(
        outrigger::Error::find(&error).expect("outrigger's error").delivery(),
        Delivery::Unknown
    );
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn what_a_layer_refuses_is_no_io_error() {
    let provider = Provider::start([identity()]).await;
    let sts = provider.integration();
    sts.kill_switch().set(outrigger::event::SwitchMode::Off, "ada", "it is being moved");
    let error = client(config(&provider), &sts).get_caller_identity().send().await.unwrap_err();
    assert!(matches!(&error, SdkError::DispatchFailure(failure) if failure.is_other()));
    assert_eq!(
        outrigger::Error::find(&error).expect("outrigger's error").delivery(),
        Delivery::NotSent
    );
    assert_eq!(provider.requests(), 0);
}

#[tokio::test]
async fn retries_of_the_sdk_are_told_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let provider = Provider::start([identity()]).await;

    let quiet = client(config(&provider), &provider.integration());
    quiet.get_caller_identity().send().await.unwrap();
    assert_eq!(log.warnings(), 0);

    let retrying = config(&provider).http_client(provider.integration().aws());
    let retrying = Client::from_conf(retrying.retry_config(RetryConfig::standard()).build());
    retrying.get_caller_identity().send().await.unwrap();
    retrying.get_caller_identity().send().await.unwrap();
    assert_eq!(log.warnings(), 1);
}

#[tokio::test]
async fn bodies_that_stream_go_both_ways() {
    let provider = Provider::start([Answer::With(200, &[], "an object".into())]).await;
    let chunks =
        ["first ", "second"].map(|chunk| Ok::<_, BoxError>(Frame::data(Bytes::from(chunk))));
    let body = SdkBody::from_body_1_x(StreamBody::new(futures_util::stream::iter(chunks)));
    let mut request = HttpRequest::new(body);
    request.set_uri(provider.url()).unwrap();
    request.headers_mut().insert("x-amz-content-sha256", "UNSIGNED-PAYLOAD");

    let response = provider.integration().aws().call(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "an object");
    let seen = &provider.seen()[0];
    assert_eq!(seen.body, "first second");
    assert_eq!(seen.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn warnings(&self) -> usize {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.matches("the AWS SDK's own retries are on").count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
