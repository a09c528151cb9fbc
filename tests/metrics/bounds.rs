//! How many series there can be.

use http::{Method, Request};
use outrigger::context::PathTemplate;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Integration};

use crate::page::Page;
use crate::trouble::Bench;

const ATTEMPTS: &str = "http_client_request_duration_seconds_count";

async fn after(calls: impl Iterator<Item = Request<Body>>, answers: Vec<Answer>) -> Page {
    let bench = Bench::new();
    let shop = Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .without_retry()
        .without_breaker()
        .service(Script::new(answers))
        .build()
        .unwrap();
    for call in calls {
        shop.send(call).await.unwrap();
    }
    bench.page()
}

fn to(uri: String) -> Request<Body> {
    Request::get(uri).body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn hosts_and_ports_beyond_the_first_sixteen_are_one() {
    let calls = (0..100).map(|n| to(format!("http://tenant-{n}.test:{}/", 8000 + n)));
    let page = after(calls, vec![Answer::status(200)]).await;
    let rest = [("server_address", "_OTHER"), ("server_port", "_OTHER")];
    assert_eq!(page.sum(ATTEMPTS, &rest), 84.0);
    assert_eq!(page.count(ATTEMPTS, &[]), 17);
    assert_eq!(page.sum("http_client_active_requests", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn templates_beyond_the_first_128_are_one_and_paths_are_none() {
    let calls = (0..200).map(|n| {
        let mut call = to(format!("http://shop.test/orders/{n}"));
        call.extensions_mut().insert(PathTemplate::new(format!("/orders/{n}")));
        call
    });
    let page = after(calls, vec![Answer::status(200)]).await;
    assert_eq!(page.sum(ATTEMPTS, &[("url_template", "_OTHER")]), 72.0);
    let calls = (0..200).map(|n| to(format!("http://shop.test/orders/{n}")));
    let page = after(calls, vec![Answer::status(200)]).await;
    assert_eq!(page.count(ATTEMPTS, &[]), 1);
}

#[tokio::test(start_paused = true)]
async fn methods_and_statuses_that_http_does_not_know_are_one() {
    let call = |n| {
        let method = Method::from_bytes(format!("BREW{n}").as_bytes()).unwrap();
        let call = Request::builder().method(method).uri("http://shop.test/");
        call.body(Body::empty()).unwrap()
    };
    let answers = (600..650).map(Answer::status).collect();
    let page = after((0..50).map(call), answers).await;
    let rest = [("http_request_method", "_OTHER"), ("http_response_status_code", "_OTHER")];
    assert_eq!(page.sum(ATTEMPTS, &rest), 50.0);
    assert_eq!(page.count(ATTEMPTS, &[]), 1);
}
