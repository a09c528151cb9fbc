//! What is recorded of calls and attempts.

use std::collections::BTreeSet;
use std::io::ErrorKind as Io;
use std::time::Duration;

use http::{Method, Response};
use outrigger::fallback::FallbackLayer;
use outrigger::hedge::HedgeLayer;
use outrigger::telemetry::metrics::names::{self, Kind};
use outrigger::testing::{Answer, Script};
use outrigger::{Body, IdempotencyKey, Integration};

use crate::page::{Page, exported_name};
use crate::trouble::{Bench, all_of_it, call, request};

const ATTEMPTS: &str = "http_client_request_duration_seconds_count";

/// One integration's page, after its provider answered one call like this, without a retry.
async fn page_after(method: Method, answer: Answer) -> Page {
    let bench = Bench::new();
    let shop = Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .without_retry()
        .service(Script::new([answer]))
        .build()
        .unwrap();
    call(&shop, method).await;
    bench.page()
}

#[tokio::test(start_paused = true)]
async fn every_metric_is_there_after_every_kind_of_trouble_with_its_own_labels_only() {
    let page = all_of_it().await;
    for metric in names::ALL {
        let mut name = exported_name(metric);
        if metric.kind == Kind::Histogram {
            name += "_count";
        }
        let samples: Vec<_> = page.0.iter().filter(|sample| sample.name == name).collect();
        assert!(!samples.is_empty(), "{name} is not there");
        let told: BTreeSet<_> =
            samples.iter().flat_map(|sample| sample.labels.keys().cloned()).collect();
        let known = metric.labels.iter().map(|label| label.replace('.', "_"));
        assert_eq!(told, known.collect(), "the labels of {name}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_there_that_has_no_name() {
    let known: BTreeSet<_> = names::ALL.iter().map(exported_name).collect();
    for sample in all_of_it().await.0 {
        let name = ["_bucket", "_count", "_sum"]
            .iter()
            .find_map(|end| sample.name.strip_suffix(end).filter(|name| known.contains(*name)));
        let name = name.unwrap_or(&sample.name);
        assert!(known.contains(name), "{name} is not among the names");
    }
}

#[tokio::test(start_paused = true)]
async fn no_path_no_query_and_no_id_is_on_the_page() {
    for sample in all_of_it().await.0 {
        for (label, says) in &sample.labels {
            let raw = says.contains("17") || says.contains("secret") || says.contains('?');
            assert!(label == "server_port" || !raw, "{label}={says}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_opentelemetrys_labels() {
    let page = page_after(Method::GET, Answer::status(503)).await;
    let labels = [
        ("outrigger_integration", "shop"),
        ("http_request_method", "GET"),
        ("server_address", "shop.test"),
        ("server_port", "443"),
        ("http_response_status_code", "503"),
        ("error_type", "503"),
        ("url_template", "/orders/{id}"),
        ("outrigger_class", "server_error"),
    ];
    assert_eq!(page.sum(ATTEMPTS, &labels), 1.0);
    assert_eq!(page.sum(ATTEMPTS, &[]), 1.0);
    assert_eq!(page.sum("http_client_active_requests", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_well_has_no_error_type() {
    let page = page_after(Method::GET, Answer::status(200)).await;
    let answered = page.0.iter().find(|sample| sample.name == ATTEMPTS).unwrap();
    assert_eq!(answered.labels["http_response_status_code"], "200");
    assert!(!answered.labels.contains_key("error_type"));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_an_answer_says_what_failed_and_its_outcome_is_unknown() {
    for (answer, error, class, reason) in [
        (Answer::hang(), "attempt_timeout", "timeout", "attempt_timeout"),
        (Answer::broken(Io::ConnectionReset), "connection_reset", "transport", "connection_reset"),
    ] {
        let page = page_after(Method::POST, answer).await;
        assert_eq!(page.sum(ATTEMPTS, &[("error_type", error)]), 1.0, "{error}");
        let labels = [("outrigger_class", class), ("outrigger_reason", reason)];
        assert_eq!(page.sum("outrigger_calls_total", &labels), 1.0, "{error}");
        let unknown = page.sum("outrigger_calls_unknown_total", &[("http_request_method", "POST")]);
        assert_eq!(unknown, 1.0, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_provably_not_sent_is_not_unknown() {
    let page = page_after(Method::POST, Answer::broken(Io::ConnectionRefused)).await;
    assert_eq!(
        page.sum("outrigger_calls_total", &[("outrigger_reason", "connection_refused")]),
        1.0
    );
    assert_eq!(page.sum("outrigger_calls_unknown_total", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_does_not_hide_that_the_outcome_is_unknown() {
    let bench = Bench::new();
    let shop = Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .fallback(FallbackLayer::value(Response::new("later")))
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    call(&shop, Method::POST).await;
    let page = bench.page();
    let hung = [("outrigger_class", "timeout"), ("outrigger_reason", "attempt_timeout")];
    assert_eq!(page.sum("outrigger_fallback_answers_total", &hung), 1.0);
    assert_eq!(page.sum("outrigger_calls_total", &[("outrigger_class", "success")]), 1.0);
    assert_eq!(page.sum("outrigger_calls_unknown_total", &[("http_request_method", "POST")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_counted_once_with_a_fallback_and_without() {
    let unknown = |page: &Page| page.sum("outrigger_calls_unknown_total", &[]);
    for (answers, unknowns) in [
        ([Answer::hang(), Answer::status(503)], 1.0),
        ([Answer::hang(), Answer::hang()], 1.0),
        ([Answer::hang(), Answer::status(200)], 0.0),
        ([Answer::status(503), Answer::status(503)], 0.0),
    ] {
        for fallback in [None, Some(200), Some(503)] {
            let bench = Bench::new();
            let mut shop = Integration::user_flow("shop").subscriber(bench.metrics.clone());
            if let Some(status) = fallback {
                shop = shop.fallback(FallbackLayer::function(move |_| {
                    Response::builder().status(status).body(Body::empty()).ok()
                }));
            }
            let shop = shop.service(Script::new(answers.clone())).build().unwrap();
            let mut request = request(Method::POST);
            request.extensions_mut().insert(IdempotencyKey::from_business_key("order 17"));
            if let Ok(response) = shop.send(request).await {
                let _read = response.into_body().bytes().await;
            }
            assert_eq!(unknown(&bench.page()), unknowns, "{answers:?}, {fallback:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_a_call_on_its_way_leaves_an_unknown_outcome() {
    let later = FallbackLayer::async_function(|_| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        None
    });
    let unknown = |page: Page| page.sum("outrigger_calls_unknown_total", &[]);
    for (answer, unknowns) in [
        (Answer::hang(), 1.0),
        (Answer::broken(Io::ConnectionReset), 1.0),
        (Answer::broken(Io::ConnectionRefused), 0.0),
    ] {
        let bench = Bench::new();
        let shop = Integration::user_flow("shop")
            .subscriber(bench.metrics.clone())
            .without_retry()
            .fallback(later.clone())
            .service(Script::new([answer.clone()]))
            .build()
            .unwrap();
        let left = shop.send(request(Method::POST));
        tokio::time::timeout(Duration::from_millis(500), left).await.unwrap_err();
        assert_eq!(unknown(bench.page()), unknowns, "{answer:?}");
        drop(shop.send(request(Method::POST)));
        assert_eq!(unknown(bench.page()), unknowns, "nobody waited for it, so nothing was sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_a_queue_leaves_no_unknown_outcome() {
    let bench = Bench::new();
    let shop = Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .bulkhead(|places| places.concurrency(1).queue(1))
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    let mut holds = Box::pin(shop.send(request(Method::GET)));
    assert!(futures_util::poll!(holds.as_mut()).is_pending());
    let queued = shop.send(request(Method::POST));
    tokio::time::timeout(Duration::from_millis(10), queued).await.unwrap_err();
    let page = bench.page();
    assert_eq!(page.sum("outrigger_calls_total", &[("outrigger_class", "abandoned")]), 1.0);
    assert_eq!(page.sum("outrigger_calls_unknown_total", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_its_caller_leaves_is_abandoned_and_no_longer_under_way() {
    let bench = Bench::new();
    let shop = Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .service(Script::new([Answer::hang()]))
        .build()
        .unwrap();
    let left = tokio::time::timeout(Duration::from_millis(10), shop.send(request(Method::GET)));
    left.await.unwrap_err();
    let page = bench.page();
    let abandoned = [("outrigger_class", "abandoned")];
    assert_eq!(page.sum("outrigger_calls_total", &abandoned), 1.0);
    assert_eq!(page.sum(ATTEMPTS, &abandoned), 1.0);
    let attempt = page.0.iter().find(|sample| sample.name == ATTEMPTS).unwrap();
    assert!(!attempt.labels.contains_key("error_type"), "who leaves makes no error");
    assert_eq!(page.sum("http_client_active_requests", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn retries_and_attempts_are_counted() {
    let bench = Bench::new();
    let answers = [Answer::status(500), Answer::status(500), Answer::status(200)];
    let shop = Integration::background("shop")
        .subscriber(bench.metrics.clone())
        .service(Script::new(answers))
        .build()
        .unwrap();
    call(&shop, Method::GET).await;
    let page = bench.page();
    let failed = [("outrigger_class", "server_error")];
    assert_eq!(page.sum("outrigger_retries_total", &failed), 2.0);
    assert_eq!(page.sum("outrigger_call_attempts_sum", &[]), 3.0);
    assert_eq!(page.sum("outrigger_calls_total", &[("outrigger_class", "success")]), 1.0);
    assert_eq!(page.sum(ATTEMPTS, &failed), 2.0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_body_breaks_keeps_its_status_and_is_a_failure() {
    let bench = Bench::new();
    let answer = |_: http::Request<Body>| async {
        let broken = http_body_util::StreamBody::new(futures_util::stream::iter([
            Ok(http_body::Frame::data(bytes::Bytes::from_static(b"half"))),
            Err(std::io::Error::from(Io::ConnectionReset)),
        ]));
        Ok::<_, std::io::Error>(http::Response::new(Body::new(broken)))
    };
    let shop = Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .service(tower::service_fn(answer))
        .build()
        .unwrap();
    call(&shop, Method::GET).await;
    let attempt = [("http_response_status_code", "200"), ("outrigger_class", "transport")];
    assert_eq!(bench.page().sum(ATTEMPTS, &attempt), 1.0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_left_unread_after_a_timeout_within_the_call_is_an_answer() {
    let slow = Answer::status(200).body("words").after(Duration::from_secs(2));
    let fallback = FallbackLayer::value(Response::new("later"));
    let hedge = HedgeLayer::after(Duration::from_secs(2));
    let shop = || Integration::user_flow("shop").without_retry();
    for (shop, answers) in [
        (shop().fallback(fallback), [Answer::hang(), Answer::hang()]),
        // The first one's limit passes while the second is on its way.
        (shop().hedge(hedge), [Answer::hang(), slow]),
    ] {
        let bench = Bench::new();
        let shop = shop.subscriber(bench.metrics.clone());
        let shop = shop.service(Script::new(answers)).build().unwrap();
        drop(shop.send(request(Method::GET)).await.unwrap());
        let page = bench.page();
        let calls = |class| page.sum("outrigger_calls_total", &[("outrigger_class", class)]);
        assert_eq!((calls("success"), calls("timeout")), (1.0, 0.0));
        assert_eq!(page.sum(ATTEMPTS, &[("outrigger_class", "timeout")]), 1.0, "the first");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_after_a_timeout_within_the_call_has_left() {
    let later = FallbackLayer::async_function(|_| async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        None
    });
    let later = later.limit(Duration::from_secs(2));
    let hedge = HedgeLayer::after(Duration::from_secs(2));
    let shop = || Integration::user_flow("shop").without_retry();
    for shop in [shop().fallback(later), shop().hedge(hedge)] {
        let bench = Bench::new();
        let shop = shop.subscriber(bench.metrics.clone());
        let shop = shop.service(Script::new([Answer::hang()])).build().unwrap();
        // The first attempt's limit has passed by then, and the call goes on.
        let left = shop.send(request(Method::GET));
        tokio::time::timeout(Duration::from_secs(4), left).await.unwrap_err();
        let page = bench.page();
        let calls = |class| page.sum("outrigger_calls_total", &[("outrigger_class", class)]);
        assert_eq!((calls("abandoned"), calls("timeout")), (1.0, 0.0));
    }
}
