//! What follows when the provider refuses a token.

use futures_util::future::join_all;
use http::{Method, Request};
use outrigger::event::{Event, SwitchMode};
use outrigger::outcome::{Class, GaveUp, HttpClassifier, ResponseHead};
use outrigger::retry::{Retries, RetryOverride};
use outrigger::testing::{Answer, Script};
use outrigger::token::{TokenError, TokenReason, TokenState};
use outrigger::{Body, IntegrationBuilder, ResponseExt};
use tower::{Layer, ServiceExt};

use crate::bench::{Bench, Issuer, by, get, millis, now, secs, send, takes_only, token_of};

/// A bench whose token, `t1`, is ten minutes old.
async fn aged(provider: Script) -> Bench {
    let bench = Bench::over(&Issuer::default(), provider, |builder| builder);
    bench.shop.token().unwrap().ready().await.unwrap();
    bench.pass(secs(600)).await;
    bench
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_and_the_call_repeated_once_whatever_its_method() {
    for method in [Method::GET, Method::POST, Method::DELETE, Method::PATCH] {
        let bench = aged(takes_only("t2")).await;
        let began = now();
        let answer = bench.shop.send(by(method)).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.extensions().get::<Retries>().unwrap().attempts, 2);
        assert_eq!((bench.tokens(), now() - began), (vec!["t1".into(), "t2".into()], millis(100)));
        assert_eq!(bench.provider.requests()[1].body(), "an order");
        assert_eq!(bench.issuer.reasons(), [TokenReason::First, TokenReason::Refused]);
        let told = Event::TokenRefused { generation: 1, may_repeat: true };
        assert_eq!(bench.events.count(|event| *event == told), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_repetition_costs_neither_an_attempt_nor_budget() {
    let provider =
        Script::by(|request| Answer::status(if token_of(request) == "t1" { 401 } else { 503 }));
    let bench = aged(provider).await;
    let saved = bench.shop.retry_budget().saved();
    assert_eq!(bench.call().await.unwrap(), (503, vec!["t1".into(), "t2".into(), "t2".into()]));
    assert_eq!(bench.shop.retry_budget().saved(), saved.map(|saved| saved - 1));

    let bench =
        Bench::over(&Issuer::default(), takes_only("t2"), IntegrationBuilder::without_retry);
    bench.shop.token().unwrap().ready().await.unwrap();
    bench.pass(secs(600)).await;
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t1".into(), "t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_refusals_makes_one_fetch() {
    let slowly = Script::by(|request| {
        Answer::status(if token_of(request) == "t2" { 200 } else { 401 }).after(millis(10))
    });
    let bench = Bench::over(&Issuer::default(), slowly, IntegrationBuilder::without_bulkhead);
    bench.shop.token().unwrap().ready().await.unwrap();
    bench.pass(secs(600)).await;
    let calls = join_all((0..1000).map(|_| send(&bench.shop))).await;
    assert!(calls.iter().all(|call| *call.as_ref().unwrap() == 200));
    let tokens = bench.tokens();
    assert_eq!(tokens.iter().filter(|token| *token == "t1").count(), 1000);
    assert_eq!((tokens.len(), bench.issuer.begun()), (2000, 2));
}

#[tokio::test(start_paused = true)]
async fn a_storm_that_no_token_ends_asks_the_issuer_ever_less_and_callers_get_the_401() {
    let bench =
        Bench::over(&Issuer::default(), takes_only("none"), IntegrationBuilder::without_bulkhead);
    bench.shop.token().unwrap().ready().await.unwrap();
    bench.pass(secs(600)).await;
    for _ in 0..600 {
        let calls = join_all((0..5).map(|_| send(&bench.shop))).await;
        assert!(calls.iter().all(|call| *call.as_ref().unwrap() == 401));
        bench.pass(secs(1)).await;
    }
    assert!((2..=8).contains(&bench.issuer.begun()), "{} fetches", bench.issuer.begun());
    let requests = bench.provider.begun();
    assert!(requests <= 3000 + 5 * 8, "{requests} requests of 3000 calls");
    let in_vain = |event: &Event| matches!(event, Event::TokenRefused { may_repeat: false, .. });
    assert!(bench.events.count(in_vain) >= 2900);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_gives_the_refused_token_again_is_not_asked_for_ever() {
    let issuer = Issuer::default();
    issuer.always("same");
    let bench = Bench::over(&issuer, takes_only("none"), |builder| builder);
    bench.shop.token().unwrap().ready().await.unwrap();
    bench.pass(secs(600)).await;
    for _ in 0..59 {
        assert_eq!(bench.call().await.unwrap().0, 401);
        bench.pass(secs(1)).await;
    }
    assert_eq!((bench.issuer.begun(), bench.shop.token().unwrap().generation()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn when_the_fetch_fails_callers_get_its_error_and_then_the_provider_again() {
    let bench = aged(takes_only("t2")).await;
    bench.issuer.fail(TokenError::transient("not now").retry_in(secs(5)));
    let error = bench.call().await.unwrap_err();
    assert!(error.to_string().ends_with("not now"), "{error}");
    assert_eq!(bench.shop.token().unwrap().state(), TokenState::Refused);
    bench.pass(secs(5)).await;
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn a_403_is_no_refusal_of_the_token() {
    let bench = aged(Script::new([Answer::status(403)])).await;
    for _ in 0..42 {
        assert_eq!(send(&bench.shop).await.unwrap(), 403);
        bench.pass(secs(60)).await;
    }
    assert_eq!(bench.events.count(|event| matches!(event, Event::TokenRefused { .. })), 0);
}

#[tokio::test(start_paused = true)]
async fn a_providers_own_way_to_refuse_counts_and_is_no_success() {
    let provider = Script::by(|request| match token_of(request).as_str() {
        "t1" => Answer::status(200).header("x-error", "token_expired"),
        _ => Answer::status(200),
    });
    let issuer = Issuer::default();
    let bench = Bench::over(&issuer, provider.clone(), |builder| {
        let layer = issuer.layer().refused_when(|head| head.headers.contains_key("x-error"));
        builder.token(layer)
    });
    bench.shop.token().unwrap().ready().await.unwrap();
    bench.pass(secs(600)).await;
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t1".into(), "t2".into()]));
    let answered =
        |event: &Event| matches!(event, Event::AttemptAnswered { class: Class::Unauthorized, .. });
    assert_eq!(bench.events.count(answered), 1);
}

#[tokio::test(start_paused = true)]
async fn a_classifier_of_the_users_decides_what_a_401_means() {
    let provider = takes_only("t2");
    let bench = Bench::over(&Issuer::default(), provider, |builder| {
        let fine = |head: &ResponseHead<'_>| (head.status == 401).then_some(Class::Success);
        builder.classifier(HttpClassifier::new().with(fine))
    });
    bench.shop.token().unwrap().ready().await.unwrap();
    bench.pass(secs(600)).await;
    assert_eq!(bench.call().await.unwrap(), (401, vec!["t1".into()]));
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn what_forbids_repetitions_forbids_this_one() {
    let gave_up =
        |answer: &http::Response<Body>| answer.extensions().get::<Retries>().unwrap().gave_up;
    let bench = aged(takes_only("t2")).await;
    let mut request = get();
    request.extensions_mut().insert(RetryOverride::Never);
    let answer = bench.shop.send(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), gave_up(&answer)), (401, Some(GaveUp::Overridden)));

    let bench = aged(takes_only("t2")).await;
    bench.shop.kill_switch().set(SwitchMode::NoRetries, "ada", "a drill");
    let answer = bench.shop.send(get()).await.unwrap();
    assert_eq!((answer.status().as_u16(), gave_up(&answer)), (401, Some(GaveUp::Stopped)));

    let bench = aged(takes_only("t2")).await;
    let large = vec![b'x'; 2 << 20];
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(large))]);
    let request = Request::post("http://shop.test/orders").body(Body::from_stream(stream)).unwrap();
    let answer = bench.shop.send(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), gave_up(&answer)), (401, Some(GaveUp::BodyNotKept)));
    // The next call has the new token.
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t2".into()]));
}

#[tokio::test(start_paused = true)]
async fn without_a_layer_that_repeats_the_answer_is_the_401() {
    let (issuer, provider) = (Issuer::default(), takes_only("t2"));
    let layer = issuer.layer();
    let service = layer.layer(provider.clone());
    layer.handle().unwrap().ready().await.unwrap();
    tokio::time::sleep(secs(600)).await;
    let answer = service.clone().oneshot(get()).await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(service.oneshot(get()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_last_401_reaches_the_caller_with_its_body() {
    let provider = Script::new([Answer::status(401).body("who are you?")]);
    let bench = aged(provider).await;
    let answer = bench.shop.send(get()).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "who are you?");
    assert_eq!(bench.provider.begun(), 2);
}
