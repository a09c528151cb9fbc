//! opendal: its own trait for clients, over `http`.

// recipe
use futures_util::TryStreamExt;
use http_body_util::BodyExt;
use opendal::layers::HttpClientLayer;
use opendal::raw::{HttpBody, HttpClient, HttpFetch};
use opendal::{Buffer, Error, ErrorKind, Operator, Result};
use outrigger::Integration;

struct Fetch(Integration);

impl HttpFetch for Fetch {
    async fn fetch(&self, request: http::Request<Buffer>) -> Result<http::Response<HttpBody>> {
        let failed = |error| Error::new(ErrorKind::Unexpected, "no answer").set_source(error);
        let request = request.map(|body| body.to_bytes());
        let response = self.0.send(request).await.map_err(failed)?;
        Ok(response.map(|body| {
            let stream = body.into_data_stream().map_ok(Buffer::from).map_err(failed);
            HttpBody::new(stream, None)
        }))
    }
}

fn operator(service: impl opendal::Builder, storage: &Integration) -> Result<Operator> {
    let client = HttpClient::with(Fetch(storage.clone()));
    Ok(Operator::new(service)?.layer(HttpClientLayer::new(client)).finish())
}
// end

use opendal::services::S3;
use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};

fn s3(provider: &Provider, storage: &Integration) -> Operator {
    let service = S3::default()
        .endpoint(&provider.url())
        .bucket("bucket")
        .region("eu-central-1")
        .access_key_id("id")
        .secret_access_key("secret")
        .disable_config_load()
        .disable_ec2_metadata();
    operator(service, storage).unwrap()
}

#[tokio::test]
async fn a_read_that_fails_is_repeated() {
    let object = Answer::With(200, &[("etag", "\"1\"")], "contents".into());
    let provider = Provider::start([Answer::Closes, object]).await;
    let read = s3(&provider, &provider.integration()).read("file").await.unwrap();
    assert_eq!(read.to_vec(), b"contents");
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_post_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let s3 = s3(&provider, &provider.impatient());
    // Several at once are one POST.
    let error = s3.delete_iter(["a", "b"]).await.unwrap_err();
    let error = outrigger::Error::find(&error).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_post_that_fails_at_the_provider_is_not_repeated_by_the_sdk() {
    let provider = Provider::start([Answer::status(503)]).await;
    let s3 = s3(&provider, &provider.integration());
    s3.delete_iter(["a", "b"]).await.unwrap_err();
    assert_eq!(provider.requests(), 1);
}
