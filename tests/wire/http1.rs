//! HTTP/1.1: connections that are kept, that die while they are kept, and that are let go.

use std::time::Duration;

use http::{Request, StatusCode};
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::outcome::{Fault, GaveUp};
use outrigger::retry::Retries;
use outrigger::{Body, Delivery, ErrorKind};
use tower::{Service, ServiceExt};

use crate::calls::{answered, background, failed, get, post, user_flow};
use crate::provider::{Act, Provider, Step, answer};

#[tokio::test]
async fn one_connection_serves_call_after_call() {
    let provider = Provider::script([Step::reply(200, "well")]).await;
    let shop = user_flow().build().unwrap();
    for _ in 0..20 {
        assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "well");
    }
    assert_eq!((provider.counts().connections, provider.counts().requests), (1, 20));
}

#[tokio::test]
async fn failed_answers_are_read_off_so_that_four_attempts_use_one_connection() {
    let sorry = "sorry, ".repeat(1_000);
    let chunked = format!(
        "HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{sorry}\r\n0\r\n\r\n",
        sorry.len(),
    );
    let plain = Step::reply(503, &sorry);
    let script = [plain.clone(), Step::write(chunked), plain, Step::reply(200, "well")];
    let provider = Provider::script(script).await;
    let shop = user_flow().retry(|retry| retry.max_attempts(4)).build().unwrap();
    let response = answered(&shop, get(provider.url("/"))).await;
    assert_eq!(response.body(), "well");
    assert_eq!((provider.counts().connections, provider.counts().requests), (1, 4));
}

#[tokio::test]
async fn the_last_failed_answer_is_given_to_the_caller_with_its_body() {
    let provider = Provider::script([Step::reply(503, "first"), Step::reply(502, "last")]).await;
    let shop = user_flow().build().unwrap();
    let response = answered(&shop, get(provider.url("/"))).await;
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::BAD_GATEWAY, "last"));
    let retries = response.extensions().get::<Retries>().unwrap();
    assert_eq!((retries.attempts, retries.gave_up), (2, Some(GaveUp::Attempts)));
}

#[tokio::test]
async fn a_get_survives_a_kept_connection_that_dies_when_it_is_used_again() {
    for death in [Act::Fin, Act::Reset] {
        let dies = Step::read_then(death);
        let script = [Step::reply(200, "one"), dies, Step::reply(200, "two")];
        let provider = Provider::script(script).await;
        let shop = user_flow().build().unwrap();
        assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "one");
        assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "two");
        let on: Vec<_> = provider.seen().iter().map(|seen| seen.connection).collect();
        assert_eq!(on, [0, 0, 1]);
    }
}

#[tokio::test]
async fn gets_survive_connections_that_are_closed_behind_their_backs_many_in_a_row() {
    let provider = Provider::script([Step::reply(200, "well").then(Act::Fin)]).await;
    let shop = user_flow().build().unwrap();
    for _ in 0..200 {
        assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "well");
    }
    assert_eq!((provider.counts().connections, provider.counts().requests), (200, 200));
}

#[tokio::test]
async fn a_post_without_a_key_on_a_connection_that_dies_is_sent_exactly_once() {
    for death in [Act::Fin, Act::Reset] {
        let dies = Step::read_then(death);
        let script = [Step::reply(200, "one"), dies, Step::reply(200, "two")];
        let provider = Provider::script(script).await;
        let shop = user_flow().build().unwrap();
        answered(&shop, post(provider.url("/"), "first")).await;
        let error = failed(&shop, post(provider.url("/"), "second")).await;
        assert_eq!(error.delivery(), Delivery::Unknown);
        let kind = error.kind();
        assert!(
            [Fault::Closed, Fault::Reset].map(ErrorKind::Transport).contains(&kind),
            "{error:?}"
        );
        assert_eq!((error.attempts(), error.gave_up()), (1, Some(GaveUp::NotSafe)));
        let seen = provider.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!((&seen[1].body[..], seen[1].connection), (&b"second"[..], 0));
    }
}

#[tokio::test]
async fn a_post_with_a_key_on_a_connection_that_dies_is_sent_again_in_full() {
    let dies = Step::read_then(Act::Reset);
    let script = [Step::reply(200, "one"), dies, Step::reply(200, "two")];
    let provider = Provider::script(script).await;
    let stripe = IdempotencyLayer::new(KeyProfile::stripe());
    let jobs = background().idempotency(stripe).build().unwrap();
    let order = "an order ".repeat(5_000);
    answered(&jobs, post(provider.url("/"), "first")).await;
    let response = answered(&jobs, post(provider.url("/"), order.clone())).await;
    assert_eq!(response.body(), "two");
    let seen = provider.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[1..].iter().all(|seen| seen.body == order.as_bytes()));
    let key = |at: usize| seen[at].header("idempotency-key");
    assert!(key(1).is_some());
    assert_eq!(key(1), key(2), "one call, one key");
    assert_ne!(key(0), key(1), "two calls, two keys");
}

#[tokio::test]
async fn attempts_of_one_call_carry_one_correlation_id() {
    let provider = Provider::script([Step::reply(503, ""), Step::reply(200, "")]).await;
    let shop = user_flow().build().unwrap();
    answered(&shop, get(provider.url("/"))).await;
    let seen = provider.seen();
    let id = |at: usize| seen[at].header("x-request-id");
    assert!(id(0).is_some(), "{:?}", seen[0]);
    assert_eq!(id(0), id(1));
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let last = answer(200, "well");
    let interim = [
        format!("HTTP/1.1 100 Continue\r\n\r\n{last}"),
        format!("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n{last}"),
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n{last}"),
    ];
    let provider = Provider::script(interim.map(Step::write)).await;
    let shop = user_flow().build().unwrap();
    for _ in 0..3 {
        let mut request = post(provider.url("/"), "an order");
        let expect = http::HeaderValue::from_static("100-continue");
        request.headers_mut().insert(http::header::EXPECT, expect);
        let response = answered(&shop, request).await;
        assert_eq!((response.status(), response.body().as_str()), (StatusCode::OK, "well"));
    }
    assert!(provider.seen().iter().all(|seen| seen.body == b"an order"));
    assert_eq!(provider.counts().connections, 1);
}

#[tokio::test]
async fn a_connection_on_which_more_came_than_was_asked_for_is_not_used_again() {
    let too_much = format!("{}{}", answer(200, "mine"), answer(200, "somebody else's"));
    let provider = Provider::script([Step::write(too_much), Step::reply(200, "mine too")]).await;
    let shop = user_flow().build().unwrap();
    assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "mine");
    assert_eq!(answered(&shop, get(provider.url("/"))).await.body(), "mine too");
    assert_eq!(provider.seen()[1].connection, 1);
}

#[tokio::test]
async fn a_misdirected_request_is_sent_again_over_another_connection() {
    // RFC 9110, 15.5.20: "over a different connection".
    let provider =
        Provider::script([Step::reply(421, "wrong door"), Step::reply(200, "well")]).await;
    let shop = user_flow().build().unwrap();
    let response = answered(&shop, post(provider.url("/"), "an order")).await;
    assert_eq!(response.body(), "well");
    assert_eq!(provider.counts().requests, 2);
    assert_eq!(provider.seen()[1].connection, 1);
}

#[tokio::test]
async fn a_call_dropped_before_the_head_frees_its_place_and_its_connection() {
    let provider = Provider::script([Step::read_then(Act::Hang)]).await;
    let shop = user_flow().build().unwrap();
    let mut call = Box::pin(shop.send(get(provider.url("/"))));
    tokio::select! {
        _ = &mut call => panic!("nobody answers"),
        () = provider.until(|counts| counts.requests == 1) => {}
    }
    assert_eq!(shop.bulkhead().in_use(), 1);
    drop(call);
    assert_eq!(shop.bulkhead().in_use(), 0);
    provider.until(|counts| counts.hung_up == 1).await;
}

#[tokio::test]
async fn a_body_dropped_half_read_frees_its_place_and_its_connection() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let provider = Provider::script([Step::write(half).then(Act::Hang)]).await;
    let shop = user_flow().build().unwrap();
    let response = shop.send(get(provider.url("/"))).await.unwrap();
    assert_eq!(shop.bulkhead().in_use(), 1, "the body is part of the call");
    drop(response);
    assert_eq!(shop.bulkhead().in_use(), 0);
    provider.until(|counts| counts.hung_up == 1).await;
}

#[tokio::test]
async fn a_call_dropped_between_two_attempts_holds_nothing() {
    let provider = Provider::script([Step::reply(503, "busy")]).await;
    let long = outrigger::backoff::Backoff::fixed(Duration::from_secs(5))
        .jitter(outrigger::backoff::Jitter::None);
    let shop = user_flow().retry(|retry| retry.backoff(long)).build().unwrap();
    let mut call = Box::pin(shop.send(get(provider.url("/"))));
    tokio::select! {
        _ = &mut call => panic!("it waits for the second attempt"),
        () = async {
            provider.until(|counts| counts.requests == 1).await;
            while shop.bulkhead().in_use() > 0 {
                tokio::task::yield_now().await;
            }
        } => {}
    }
    drop(call);
    assert_eq!(provider.counts().requests, 1);
    // The connection was read off, and serves the next call.
    let next = shop.send(get(provider.url("/")));
    let _ = tokio::time::timeout(Duration::from_millis(300), next).await;
    assert_eq!(provider.counts().connections, 1);
    assert_eq!(shop.bulkhead().in_use(), 0);
}

#[tokio::test]
async fn an_integration_is_a_tower_service() {
    let provider = Provider::script([Step::reply(200, "well")]).await;
    let mut shop = user_flow().build().unwrap();
    let ready = ServiceExt::<Request<Body>>::ready(&mut shop).await.unwrap();
    let response = ready.call(get(provider.url("/"))).await.unwrap();
    assert_eq!(response.into_body().text().await.unwrap(), "well");
    // Bodies of other kinds need no conversion.
    let request = Request::post(provider.url("/")).body("text").unwrap();
    let response = shop.clone().oneshot(request).await.unwrap();
    assert_eq!(response.into_body().text().await.unwrap(), "well");
    assert_eq!(provider.seen()[1].body, b"text");
    assert_eq!(shop.bulkhead().in_use(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_in_many_tasks_share_one_pool_and_one_bulkhead() {
    let provider = Provider::script([Step::reply(200, "well")]).await;
    let shop =
        user_flow().bulkhead(|bulkhead| bulkhead.concurrency(4).queue(1_000)).build().unwrap();
    let calls = (0..50).map(|_| {
        let (shop, url) = (shop.clone(), provider.url("/"));
        tokio::spawn(async move {
            let response = shop.send(get(url)).await.unwrap();
            response.into_body().text().await.unwrap()
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), "well");
    }
    assert_eq!(provider.counts().requests, 50);
    assert_eq!((shop.bulkhead().in_use(), shop.bulkhead().waiting()), (0, 0));
}

#[tokio::test]
async fn who_sends_no_body_where_one_is_expected_says_so() {
    let provider = Provider::script([Step::reply(200, "well")]).await;
    let shop = user_flow().build().unwrap();
    for (method, length) in
        [("POST", Some("0")), ("PUT", Some("0")), ("GET", None), ("DELETE", None)]
    {
        let request = Request::builder().method(method).uri(provider.url("/"));
        answered(&shop, request.body(Body::empty()).unwrap()).await;
        let seen = provider.seen();
        assert_eq!(seen.last().unwrap().header("content-length"), length, "{method}");
    }
}

#[tokio::test]
async fn a_length_that_no_body_has_is_the_providers_fault() {
    for length in ["18446744073709551614", "18446744073709551616"] {
        let raw = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\nwell");
        let provider = Provider::script([Step::write(raw).then(Act::Fin)]).await;
        let shop = user_flow().without_retry().build().unwrap();
        let error = failed(&shop, get(provider.url("/"))).await;
        let kind = ErrorKind::Transport(Fault::Protocol);
        assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Unknown), "{length}");
    }
}

#[tokio::test]
async fn quotes_around_nothing_are_no_key() {
    let provider = Provider::script([Step::reply(502, "")]).await;
    let shop = user_flow().build().unwrap();
    let mut order = post(provider.url("/"), "an order");
    order.headers_mut().insert("idempotency-key", "\"\"".parse().unwrap());
    assert_eq!(answered(&shop, order).await.status(), StatusCode::BAD_GATEWAY);
    assert_eq!(provider.counts().requests, 1);
}
