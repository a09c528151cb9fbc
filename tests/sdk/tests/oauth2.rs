//! oauth2: a function is a client.

// recipe
use oauth2::basic::BasicClient;
use oauth2::{ClientId, HttpRequest, HttpResponse, TokenResponse, TokenUrl};
use outrigger::{Error, Integration};

async fn fetch(logins: &Integration, request: HttpRequest) -> Result<HttpResponse, Error> {
    let (head, body) = logins.send(request).await?.into_parts();
    Ok(HttpResponse::from_parts(head, body.bytes().await?.into()))
}

async fn token(logins: &Integration, url: TokenUrl) -> Result<String, Box<dyn std::error::Error>> {
    let client = BasicClient::new(ClientId::new("id".into())).set_token_uri(url);
    let send = |request| fetch(logins, request);
    let token = client.exchange_client_credentials().request_async(&send).await?;
    Ok(token.access_token().secret().clone())
}
// end

use outrigger::Delivery;
use outrigger_sdk_tests::{Answer, Provider};

#[tokio::test]
async fn a_token_comes_through() {
    let token_json = r#"{"access_token":"secret","token_type":"bearer"}"#;
    let provider = Provider::start([Answer::json(token_json)]).await;
    let url = TokenUrl::new(provider.url()).unwrap();
    assert_eq!(token(&provider.integration(), url).await.unwrap(), "secret");
    assert_eq!(provider.requests(), 1);
}

#[tokio::test]
async fn a_request_that_hangs_is_sent_once_and_its_verdict_is_kept() {
    let provider = Provider::start([Answer::Hangs]).await;
    let url = TokenUrl::new(provider.url()).unwrap();
    let error = token(&provider.impatient(), url).await.unwrap_err();
    let error = outrigger::Error::find(error.as_ref()).expect("outrigger's error");
    assert!(error.is_timeout());
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert_eq!(provider.requests(), 1);
}
