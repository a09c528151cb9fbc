//! What an error's text says: the integration, the fault and the host; and its sources say the rest.

use std::time::Duration;

use http::Request;
use outrigger::retry::RetryLayer;
use outrigger::timeout::TimeoutLayer;
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Body, Error, Integration};
use tower::{ServiceBuilder, ServiceExt};

use crate::calls::{chain, deaf, failed, get, over_each_client, quick};

/// As `{:#}` of anyhow, and a report of eyre's, join them.
fn whole(error: &Error) -> String {
    chain(error).fold(error.to_string(), |text, level| format!("{text}: {level}"))
}

#[tokio::test]
async fn an_error_names_the_integration_and_the_host_and_nothing_secret() {
    let (_taken, address) = deaf();
    for payments in over_each_client(|| quick(Integration::user_flow("payments"))) {
        let error = failed(&payments, get(format!("http://{address}/HUNTER2?key=HUNTER2"))).await;
        assert_eq!(error.to_string(), format!("payments: connection refused by {address}"));
        assert_eq!(error.host(), Some(address.to_string().as_str()));
        let whole = whole(&error);
        assert!(!whole.contains("HUNTER2") && !format!("{error:?}").contains("HUNTER2"), "{whole}");
        assert_eq!(whole.matches("payments").count(), 1, "{whole}");
        assert_eq!(whole.matches(&address.to_string()).count(), 1, "{whole}");
        let is_shown_in_a_chain = |report: String| {
            assert!(report.contains("payments: connection refused by"), "{report}");
            assert!(report.contains("onnection refused (os error"), "{report}");
            assert!(!report.contains("HUNTER2"), "{report}");
        };
        let once_more = || async {
            payments.send(get(format!("http://{address}/HUNTER2?key=HUNTER2"))).await?;
            anyhow::Ok(())
        };
        let anyhow = once_more().await.unwrap_err();
        is_shown_in_a_chain(format!("{anyhow:#}"));
        is_shown_in_a_chain(format!("{anyhow:?}"));
        assert!(anyhow.downcast_ref::<Error>().is_some());
        let again = payments.send(get(format!("http://{address}/HUNTER2"))).await.unwrap_err();
        is_shown_in_a_chain(format!("{:#}", eyre::Report::new(again)));
        let mut levels: Vec<_> = chain(&error).map(ToString::to_string).collect();
        let all = levels.len();
        levels.dedup();
        assert_eq!(levels.len(), all, "a level says what the one above it says: {whole}");
    }
}

#[tokio::test]
async fn the_credentials_of_a_uri_are_not_shown() {
    let shop = quick(Integration::user_flow("shop")).build().unwrap();
    let error = failed(&shop, get("http://ada:HUNTER2@api.example:8080/")).await;
    let text = "shop: request can't be sent to api.example:8080: its uri holds credentials: give it an authorization header";
    assert_eq!(whole(&error), text);
}

#[tokio::test]
async fn a_layer_without_a_name_names_the_host_alone() {
    let (_taken, address) = deaf();
    let url = format!("http://{address}/");
    let request = || Request::get(&url).body(Body::empty()).unwrap();
    let plain = HyperConfig::new().build().unwrap();
    let once = TimeoutLayer::new().attempt(Duration::from_secs(9));
    let once = ServiceBuilder::new().layer(once).map_request(boxed).service(plain.clone());
    let error = once.oneshot(request()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("connection refused by {address}"));

    let again = RetryLayer::new().max_attempts(2);
    let again = ServiceBuilder::new().layer(again).map_request(boxed).service(plain);
    let error = again.oneshot(request()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("connection refused by {address}"));
}

fn boxed<B>(request: Request<B>) -> Request<Body>
where
    B: http_body::Body<Data = bytes::Bytes> + Send + Sync + 'static,
    B::Error: Into<outrigger::BoxError>,
{
    request.map(Body::new)
}
