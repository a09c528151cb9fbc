//! No secret of a request gets into the text of an error, at any level.

use std::error::Error as StdError;
use std::time::Duration;

use http::Request;
use http::header::{AUTHORIZATION, COOKIE};
use outrigger::{Body, Integration};

use crate::calls::{ATTEMPT, chain, deaf, impatient};
use crate::provider::{Act, Provider, Step};

const IN_QUERY: &str = "QUERY-SECRET";
const IN_HEADER: &str = "HEADER-SECRET";
const IN_COOKIE: &str = "COOKIE-SECRET";
const IN_BODY: &str = "BODY-SECRET";

fn secretive(url: &str) -> Request<Body> {
    Request::post(format!("{url}?api_key={IN_QUERY}"))
        .header(AUTHORIZATION, format!("Bearer {IN_HEADER}"))
        .header(COOKIE, format!("session={IN_COOKIE}"))
        .body(format!("card={IN_BODY}").into())
        .unwrap()
}

fn keeps_secrets(error: &outrigger::Error) {
    let texts = |error: &(dyn StdError + 'static)| {
        [error.to_string(), format!("{error:?}"), format!("{error:#?}")]
    };
    let all: Vec<_> = texts(error).into_iter().chain(chain(error).flat_map(texts)).collect();
    for secret in [IN_QUERY, "api_key", IN_HEADER, IN_COOKIE, IN_BODY] {
        assert!(!all.iter().any(|text| text.contains(secret)), "{secret} in {all:#?}");
    }
}

/// Lets an integration fail in many ways.
async fn keeps_them_in_all_ways(shop: &Integration) {
    let (_taken, address) = deaf();
    let unknown = format!("http://{}.invalid/", "x".repeat(64));
    for url in [format!("http://{address}/"), unknown] {
        keeps_secrets(&shop.send(secretive(&url)).await.unwrap_err());
    }
    let steps = [
        Step::of([Act::Reset]),
        Step::read_then(Act::Reset),
        Step::read_then(Act::Fin),
        Step::read_then(Act::Hang),
        Step::write("not http at all\r\n\r\n").then(Act::Fin),
        Step::write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").then(Act::Fin),
        Step::write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").then(Act::Hang),
    ];
    for step in steps {
        let provider = Provider::script([step]).await;
        let error = match shop.send(secretive(&provider.url("/"))).await {
            Ok(response) => response.into_body().bytes().await.unwrap_err(),
            Err(error) => error,
        };
        keeps_secrets(&error);
    }
}

#[tokio::test]
async fn errors_of_the_own_client_hold_no_secret() {
    let shop = impatient().idle_timeout(Duration::from_millis(100));
    keeps_them_in_all_ways(&shop.build().unwrap()).await;
}

#[tokio::test]
async fn an_error_about_the_requests_uri_holds_no_secret() {
    let shop = impatient().build().unwrap();
    let relative = shop.send(secretive("/orders")).await.unwrap_err();
    keeps_secrets(&relative);
    let other_scheme = shop.send(secretive("ftp://shop.test/")).await.unwrap_err();
    keeps_secrets(&other_scheme);
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn errors_of_reqwest_hold_no_secret() {
    let client = ::reqwest::Client::builder().no_proxy().build().unwrap();
    let shop = Integration::user_flow("shop")
        .without_breaker()
        .reqwest(client)
        .timeout(|timeout| timeout.attempt(ATTEMPT))
        .idle_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    keeps_them_in_all_ways(&shop).await;
    let moved =
        "HTTP/1.1 302 Moved\r\ncontent-length: 0\r\nlocation: ?api_key=QUERY-SECRET\r\n\r\n";
    let provider = Provider::script([Step::write(moved)]).await;
    keeps_secrets(&shop.send(secretive(&provider.url("/"))).await.unwrap_err());
    keeps_secrets(&shop.send(secretive("/orders")).await.unwrap_err());
    keeps_secrets(&shop.send(secretive("ftp://shop.test/")).await.unwrap_err());
}
