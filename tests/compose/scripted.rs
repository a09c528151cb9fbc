//! What a script's failures come to: the same as those of the own client over a network (`tests/wire`).

use std::io;
use std::time::{Duration, SystemTime};

use http::{Method, Request, StatusCode};
use http_body::Body as _;
use outrigger::integration::Service;
use outrigger::outcome::{Fault, Phase};
use outrigger::retry::RetryLayer;
use outrigger::testing::{Answer, ManualClock, Script};
use outrigger::{Body, Delivery, Error, ErrorKind, Integration, IntegrationBuilder, ResponseExt};
use tower::{Layer, ServiceExt};

fn shop(script: &Script) -> IntegrationBuilder<Service<Script>> {
    Integration::user_flow("shop").service(script.clone())
}

async fn failed(shop: &Integration, method: Method) -> Error {
    shop.request(method, "http://shop.test/orders").body("an order").send().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_not_reached_was_sent_nothing() {
    for (answer, fault) in [
        (Answer::dns_failure(), Fault::Dns),
        (Answer::refused(), Fault::Refused),
        (Answer::tls_failure(), Fault::Tls),
    ] {
        let from_list = Script::new([answer.clone()]);
        let by_function = Script::by(move |_| answer.clone());
        for script in [from_list, by_function] {
            for method in [Method::GET, Method::POST] {
                let error = failed(&shop(&script).build().unwrap(), method).await;
                assert_eq!(error.kind(), ErrorKind::Transport(fault));
                assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 2));
                assert!(error.is_connect());
            }
            assert_eq!((script.begun(), script.requests().len()), (4, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_passes_while_a_connection_is_made_finds_nothing_sent() {
    let slow = Duration::from_secs(10);
    let slowly = |answer: Answer| Script::new([answer.after(slow)]);
    let shop = |script: &Script| shop(script).without_retry().build().unwrap();
    let error = failed(&shop(&slowly(Answer::refused())), Method::POST).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Attempt));
    assert_eq!(error.delivery(), Delivery::NotSent);
    let error = failed(&shop(&slowly(Answer::status(200))), Method::POST).await;
    assert_eq!(error.delivery(), Delivery::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_failure_to_connect_after_one_that_was_sent_does_not_prove_that_nothing_was() {
    let lost = Answer::broken(io::ErrorKind::ConnectionReset);
    let script = Script::new([lost, Answer::refused()]);
    let error = failed(&shop(&script).build().unwrap(), Method::PUT).await;
    assert_eq!((error.delivery(), error.attempts()), (Delivery::Unknown, 2));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_gives_what_came_and_then_the_error_of_a_closed_connection() {
    let answer = Answer::status(200).body("all my orders");
    for (at, came) in [(0, ""), (3, "all"), (13, "all my orders"), (99, "all my orders")] {
        let script = Script::new([answer.clone().breaks_after(at)]);
        let shop = shop(&script).build().unwrap();
        let mut body = shop.get("http://shop.test/").send().await.unwrap().into_body();
        assert_eq!(body.size_hint().exact(), (at < 13).then_some(13));
        let mut got = Vec::new();
        let error = loop {
            let frame = std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx));
            match frame.await.expect("the body is not complete") {
                Ok(frame) => got.extend(frame.into_data().unwrap()),
                Err(error) => break error,
            }
        };
        assert_eq!(got, came.as_bytes());
        assert_eq!(error.kind(), ErrorKind::Transport(Fault::Closed));
        assert_eq!((error.delivery(), script.begun()), (Delivery::Answered, 1));
        assert_eq!(shop.bulkhead().in_use(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up_on_in_time() {
    let script = Script::new([Answer::status(200).body("all my orders").stalls_after(3)]);
    let shop = shop(&script).build().unwrap();
    let response = shop.get("http://shop.test/").send().await.unwrap();
    let error = response.text().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Phase::BodyIdle));
    assert_eq!(error.delivery(), Delivery::Answered);
}

#[tokio::test(start_paused = true)]
async fn a_function_answers_by_all_that_a_request_has() {
    let script = Script::by(|request| {
        let key = request.headers().get("x-key").map_or("none", |key| key.to_str().unwrap());
        let (method, path) = (request.method(), request.uri().path());
        Answer::status(200).body(format!("{method} {path} {key} {:?}", request.body()))
    });
    let shop = shop(&script).build().unwrap();
    let request = shop.post("http://shop.test/orders").header("x-key", "7").body("tea");
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), r#"POST /orders 7 b"tea""#);
    let request = shop.get("http://shop.test/");
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), r#"GET / none b"""#);
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_function_may_change_its_mind_from_attempt_to_attempt() {
    let mut attempt = 0;
    let script = Script::by(move |_| {
        attempt += 1;
        Answer::status(if attempt == 1 { 503 } else { 200 })
    });
    let response = shop(&script).build().unwrap().get("http://shop.test/").send().await.unwrap();
    assert_eq!((response.status().as_u16(), script.begun()), (200, 2));
}

/// A date is far or near by the clock that the layer was given, which nothing moves but the test.
#[tokio::test(start_paused = true)]
async fn a_clock_that_a_test_moves_measures_dates() {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let clock = ManualClock::at(noon);
    let one = httpdate::fmt_http_date(noon + Duration::from_secs(3_600));
    for (passed, rest) in [(0, 3_600), (3_000, 600)] {
        clock.set(noon);
        clock.advance(Duration::from_secs(passed));
        let later = Answer::status(429).header("retry-after", &one);
        let retry = RetryLayer::new().without_retry_after_cap().clock(clock.clock());
        let shop = retry.layer(Script::new([later, Answer::status(200)]));
        let began = tokio::time::Instant::now();
        let response = shop.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        // Jitter makes it longer.
        let waited = began.elapsed().as_secs();
        assert!((rest..2 * rest).contains(&waited), "it waited {waited} s, and not {rest} s");
        assert_eq!(clock.now(), noon + Duration::from_secs(passed));
    }
}
