//! async-stripe: its own trait for clients, over bytes.

// recipe
use bytes::Bytes;
use http::Method;
use outrigger::{BoxError, CallOptions, Integration, ResponseExt};
use stripe_client_core::{CustomizedStripeRequest, StripeClient, StripeClientErr, StripeMethod};

struct Stripe(Integration);

#[derive(Debug)]
struct StripeError(BoxError);

impl StripeClient for Stripe {
    type Err = StripeError;

    async fn execute(&self, request: CustomizedStripeRequest) -> Result<Bytes, StripeError> {
        let (request, config) = request.into_pieces();
        let method = match request.method {
            StripeMethod::Get => Method::GET,
            StripeMethod::Post => Method::POST,
            StripeMethod::Delete => Method::DELETE,
        };
        let query = request.query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut call = self.0.request(method, format!("/v1{}{query}", request.path));
        if let Some(form) = request.body {
            call = call.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        // Of the strategies, only the key counts: outrigger is what retries.
        if let Some(key) = config.request_strategy.and_then(|strategy| strategy.get_key()) {
            call = call.options(CallOptions::new().idempotency_key(key.as_str()));
        }
        let response = call.send().await.and_then(ResponseExt::error_for_status);
        Ok(response?.into_body().bytes().await?)
    }
}

impl StripeClientErr for StripeError {
    fn deserialize_err(message: impl std::fmt::Display) -> Self {
        Self(message.to_string().into())
    }
}

impl From<outrigger::Error> for StripeError {
    fn from(error: outrigger::Error) -> Self {
        Self(error.into())
    }
}
// end

use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};
use stripe_client_core::{IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_core::balance::RetrieveForMyAccountBalance;
use stripe_core::customer::CreateCustomer;

#[tokio::test]
async fn a_read_that_fails_is_repeated() {
    let balance = r#"{"object":"balance","livemode":false,"available":[],"pending":[]}"#;
    let provider = Provider::start([Answer::Closes, Answer::json(balance)]).await;
    let stripe = Stripe(provider.integration());
    let read = RetrieveForMyAccountBalance::new().customize().send(&stripe).await.unwrap();
    assert!(!read.livemode);
    assert_eq!(provider.requests(), 2);
    assert!(provider.seen()[0].path.starts_with("/v1/balance"));
}

#[tokio::test]
async fn a_post_without_a_key_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let stripe = Stripe(provider.impatient());
    let error = CreateCustomer::new().customize().send(&stripe).await.unwrap_err();
    let error = outrigger::Error::find(error.0.as_ref()).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_post_with_a_key_is_repeated() {
    let provider = Provider::start([Answer::Closes, Answer::status(402)]).await;
    let stripe = Stripe(provider.integration());
    let key = RequestStrategy::Idempotent(IdempotencyKey::new("order-1042").unwrap());
    let call = CreateCustomer::new().customize().request_strategy(key).send(&stripe);
    let error = call.await.unwrap_err();
    assert_eq!(
        outrigger::Error::find(error.0.as_ref()).expect("outrigger's error").last_status().unwrap(),
        402
    );
    let keys = provider.seen().into_iter().map(|seen| seen.headers["idempotency-key"].clone());
    assert_eq!(keys.collect::<Vec<_>>(), ["order-1042", "order-1042"]);
}
