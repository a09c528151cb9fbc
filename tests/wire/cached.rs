//! A cache above a client that follows redirects.

use http::{Method, Request};
use outrigger::cache::CacheLayer;
use outrigger::integration::OwnClient;
use outrigger::{Body, Integration, IntegrationBuilder};

use crate::calls::{answered, get, post, user_flow};
use crate::provider::{Provider, Step, answer};

fn builder() -> IntegrationBuilder<OwnClient> {
    user_flow().without_retry().without_rate_limit().cache(CacheLayer::new())
}

/// The own client, and reqwest's, which follows redirects unless it is told not to.
fn following() -> [Integration; 2] {
    let client = ::reqwest::Client::builder().no_proxy().build().unwrap();
    [builder().follow_redirects().build().unwrap(), builder().reqwest(client).build().unwrap()]
}

fn with(status: u16, headers: &str, body: &str) -> Step {
    Step::write(answer(status, body).replace("\r\n\r\n", &format!("\r\n{headers}\r\n\r\n")))
}

#[tokio::test]
async fn an_answer_that_came_by_a_redirect_is_not_that_of_the_uri_that_was_asked() {
    for shop in following() {
        let lasting = "cache-control: max-age=31536000";
        let provider = Provider::script([
            with(302, "location: /v5", ""),
            with(200, lasting, "v5"),
            with(302, "location: /v6", ""),
            with(200, lasting, "v6"),
        ])
        .await;
        for version in ["v5", "v6"] {
            assert_eq!(answered(&shop, get(provider.url("/latest"))).await.body(), version);
        }
    }
}

#[tokio::test]
async fn what_another_uri_confirms_is_not_confirmed() {
    for shop in following() {
        for method in [Method::GET, Method::HEAD] {
            let tagged = "etag: \"1\"\r\ncache-control: max-age=";
            let moved = || with(302, "location: /other", "");
            let mut steps = vec![with(200, &format!("{tagged}0"), "a"), moved()];
            match method {
                Method::GET => steps.extend([with(304, &format!("{tagged}60"), ""), moved()]),
                _ => steps.extend([with(200, &format!("{tagged}60"), "")]),
            }
            steps.push(Step::reply(200, "b"));
            let provider = Provider::script(steps).await;
            assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "a");
            if method == Method::HEAD {
                let head = Request::head(provider.url("/")).body(Body::empty()).unwrap();
                answered(&shop, head).await;
            }
            assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "b", "{method}");
        }
    }
}

#[tokio::test]
async fn a_post_that_was_redirected_outdates_whatever_its_receipt_comes_to() {
    for shop in following() {
        let provider = Provider::script([
            with(200, "cache-control: max-age=60", "one"),
            with(303, "location: /receipt", ""),
            Step::reply(404, ""),
            Step::reply(200, "two"),
        ])
        .await;
        assert_eq!(answered(&shop, get(provider.url("/orders"))).await.body(), "one");
        let receipt = answered(&shop, post(provider.url("/orders"), "")).await;
        assert_eq!(receipt.status(), 404);
        assert_eq!(answered(&shop, get(provider.url("/orders"))).await.body(), "two");
    }
}
