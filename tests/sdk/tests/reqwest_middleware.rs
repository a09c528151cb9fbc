//! reqwest-middleware: the last middleware sends, in place of the client.

// recipe
use http::Extensions;
use outrigger::Integration;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, Result};

struct Sends(Integration);

#[async_trait::async_trait]
impl Middleware for Sends {
    async fn handle(
        &self,
        request: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> Result<reqwest::Response> {
        self.0.execute(request).await.map_err(Error::middleware)
    }
}

fn client(client: reqwest::Client, crm: Integration) -> ClientWithMiddleware {
    ClientBuilder::new(client).with(Sends(crm)).build()
}

/// outrigger's error. It isn't among the sources: `Middleware` stands for it.
fn verdict(error: &Error) -> Option<&outrigger::Error> {
    match error {
        Error::Middleware(error) => error.downcast_ref(),
        Error::Reqwest(_) => None,
    }
}
// end

use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};

#[tokio::test]
async fn a_read_that_fails_is_repeated() {
    let provider = Provider::start([Answer::Closes, Answer::json("42")]).await;
    let client = client(reqwest::Client::new(), provider.integration());
    let response = client.get(provider.url()).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "42");
    assert_eq!(provider.requests(), 2);
}

#[tokio::test]
async fn a_post_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let client = client(reqwest::Client::new(), provider.impatient());
    let error = client.post(provider.url()).body("order").send().await.unwrap_err();
    let error = verdict(&error).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}
