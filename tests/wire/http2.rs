//! HTTP/2 by prior knowledge.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use outrigger::circuit_breaker::Consecutive;
use outrigger::event::BreakerState;
use outrigger::integration::OwnClient;
use outrigger::outcome::{Fault, GaveUp, Phase};
use outrigger::retry::{Retries, RetryBudget};
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Delivery, ErrorKind, IntegrationBuilder, Ratio};
use tokio::net::TcpListener;

use crate::calls::{answered, broken, failed, get, impatient, post, said, user_flow};
use crate::frames::{
    Do, ENHANCE_YOUR_CALM, Framed, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM, Turn,
};

fn http2(builder: IntegrationBuilder<OwnClient>) -> IntegrationBuilder<OwnClient> {
    builder.hyper(HyperConfig::http2_prior_knowledge)
}

/// A turn that left the request alone: even a POST without a key is sent again.
async fn is_not_processed(turn: Turn) {
    let once = http2(user_flow()).without_retry().build().unwrap();
    let twice = http2(user_flow()).build().unwrap();
    for order in ["", "an order"] {
        let request = |provider: &Framed| match order {
            "" => get(provider.url()),
            order => post(provider.url(), order),
        };
        let provider = Framed::script([turn.clone(), Turn::reply(200, "well")]).await;
        let error = failed(&once, request(&provider)).await;
        let not_processed = ErrorKind::Transport(Fault::NotProcessed);
        assert_eq!(said(&error), (not_processed, Delivery::NotSent), "{error:?}");
        assert_eq!(provider.tally().requests, 1);

        let provider = Framed::script([turn.clone(), Turn::reply(200, "well")]).await;
        let response = answered(&twice, request(&provider)).await;
        assert_eq!(response.body(), "well");
        assert_eq!(response.extensions().get::<Retries>().unwrap().attempts, 2);
        let seen = provider.seen();
        assert_eq!(seen.len(), 2);
        assert!(seen.iter().all(|seen| seen.is_post != order.is_empty()));
        assert_eq!(seen[1].body, order.as_bytes());
    }
}

/// A turn after which nobody knows: a GET is sent again, a POST without a key isn't.
async fn is_unknown(turn: Turn, faults: &[Fault]) {
    let faults: Vec<_> = faults.iter().copied().map(ErrorKind::Transport).collect();
    let once = http2(user_flow()).without_retry().build().unwrap();
    let twice = http2(user_flow()).build().unwrap();
    let script = || Framed::script([turn.clone(), Turn::reply(200, "well")]);

    let provider = script().await;
    let error = failed(&once, get(provider.url())).await;
    assert!(faults.contains(&error.kind()), "{error:?}");
    assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");

    let provider = script().await;
    assert_eq!(answered(&twice, get(provider.url())).await.body(), "well");
    assert_eq!(provider.tally().requests, 2);

    let provider = script().await;
    let error = failed(&twice, post(provider.url(), "an order")).await;
    assert!(faults.contains(&error.kind()), "{error:?}");
    assert_eq!(error.delivery(), Delivery::Unknown, "{error:?}");
    assert_eq!(error.gave_up(), Some(GaveUp::NotSafe));
    assert_eq!(provider.tally().requests, 1);
}

#[tokio::test]
async fn credentials_in_a_uri_are_refused_in_words_that_hold_none() {
    let provider = Framed::script([Turn::reply(200, "well")]).await;
    for shop in [user_flow(), http2(user_flow())] {
        let shop = shop.build().unwrap();
        let url = provider.url().replace("http://", "http://ada:SECRET@");
        let error = failed(&shop, get(&url)).await;
        assert_eq!(said(&error), (ErrorKind::Request, Delivery::NotSent));
        assert!(error.to_string().contains("give it an authorization header"), "{error}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
        let warm = shop.pool().unwrap().warm_up(url.parse().unwrap(), 1).await.unwrap_err();
        assert_eq!(warm.kind(), ErrorKind::Request);
    }
    assert_eq!(provider.tally().requests, 0);
}

#[tokio::test]
async fn a_refused_stream_is_not_sent_and_repeated_even_without_a_key() {
    is_not_processed(Turn::of([Do::Reset(REFUSED_STREAM)])).await;
}

#[tokio::test]
async fn a_stream_above_the_last_of_a_goaway_is_unknown() {
    // The peer did not process it. But clients say the same of streams that the peer did process.
    let away = Do::GoAway { processed: false, reason: NO_ERROR };
    is_unknown(Turn::of([away.clone()]), &[Fault::GoneAway]).await;
    is_unknown(Turn::of([away, Do::Close]), &[Fault::GoneAway]).await;
}

#[tokio::test]
async fn a_graceful_goaway_neither_opens_a_breaker_nor_spends_the_budget() {
    let away = Turn::of([Do::GoAway { processed: false, reason: NO_ERROR }]);
    let provider = Framed::script([away, Turn::reply(200, "well")]).await;
    let shop = http2(user_flow())
        .breaker(|breaker| {
            breaker.consecutive(Consecutive::Always(1)).no_success_for(Duration::ZERO)
        })
        .retry(|retry| retry.budget(RetryBudget::new(Ratio::percent(10), 0).burst(1)))
        .build()
        .unwrap();
    assert_eq!(answered(&shop, get(provider.url())).await.body(), "well");
    assert_eq!(shop.breaker().state(), BreakerState::Closed);
    assert_eq!(provider.tally().requests, 2);
}

#[tokio::test]
async fn a_goaway_for_an_error_is_a_failed_attempt_also_where_it_left_the_stream_alone() {
    let away = || Turn::of([Do::GoAway { processed: false, reason: ENHANCE_YOUR_CALM }]);
    is_unknown(away(), &[Fault::Closed, Fault::Reset, Fault::Protocol]).await;
    // It costs one of two attempts, and speaks against the provider.
    let script = [away(), Turn::reply(503, "busy"), Turn::reply(200, "well")];
    let provider = Framed::script(script).await;
    let shop = http2(user_flow()).build().unwrap();
    assert_eq!(answered(&shop, get(provider.url())).await.status(), 503);
    assert_eq!(provider.tally().requests, 2);
}

#[tokio::test]
async fn the_first_move_to_another_connection_costs_no_attempt_and_the_second_does() {
    let away = || Turn::of([Do::GoAway { processed: false, reason: NO_ERROR }]);
    let script = [away(), Turn::reply(503, "busy"), Turn::reply(200, "well")];
    let provider = Framed::script(script).await;
    let shop = http2(user_flow()).build().unwrap();
    assert_eq!(answered(&shop, get(provider.url())).await.body(), "well");
    assert_eq!(provider.tally().requests, 3);

    let provider = Framed::script([away(), away(), away(), Turn::reply(200, "well")]).await;
    let error = failed(&shop, get(provider.url())).await;
    assert_eq!((error.gave_up(), error.attempts()), (Some(GaveUp::Attempts), 3));
}

#[tokio::test]
async fn a_stream_that_a_goaway_counts_as_processed_is_unknown() {
    let away = Do::GoAway { processed: true, reason: NO_ERROR };
    let faults = [Fault::Closed, Fault::Reset, Fault::Protocol];
    is_unknown(Turn::of([away, Do::Close]), &faults).await;
}

#[tokio::test]
async fn a_goaway_for_an_error_is_unknown_where_it_counts_the_stream_as_processed() {
    let away = Do::GoAway { processed: true, reason: ENHANCE_YOUR_CALM };
    let faults = [Fault::Closed, Fault::Reset, Fault::Protocol];
    is_unknown(Turn::of([away, Do::Close]), &faults).await;
}

#[tokio::test]
async fn a_stream_that_is_reset_for_an_error_is_unknown() {
    is_unknown(Turn::of([Do::Reset(INTERNAL_ERROR)]), &[Fault::Reset]).await;
}

#[tokio::test]
async fn a_connection_that_closes_under_a_stream_is_unknown() {
    is_unknown(Turn::of([Do::Close]), &[Fault::Closed, Fault::Reset]).await;
}

#[tokio::test]
async fn an_answer_after_a_graceful_goaway_is_an_answer() {
    let away = Do::GoAway { processed: true, reason: NO_ERROR };
    let last = Turn::of([away, Do::Head(200), Do::Body("the last"), Do::Close]);
    let provider = Framed::script([last, Turn::reply(200, "well")]).await;
    let shop = http2(user_flow()).build().unwrap();
    assert_eq!(answered(&shop, get(provider.url())).await.body(), "the last");
    assert_eq!(answered(&shop, post(provider.url(), "an order")).await.body(), "well");
    let on: Vec<_> = provider.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(on, [0, 1]);
}

#[tokio::test]
async fn an_answer_that_does_not_wait_for_the_upload_is_an_answer() {
    // RFC 9113, 8.1: "not an error", it says of this reset.
    let early = Turn::of([Do::Head(413), Do::Body("too much"), Do::Reset(NO_ERROR)]).early();
    let provider = Framed::script([early]).await;
    let shop = http2(user_flow()).build().unwrap();
    let body = outrigger::Body::from(vec![b'x'; 1 << 18]);
    let response = answered(&shop, post(provider.url(), body)).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.body(), "too much");
}

#[tokio::test]
async fn a_body_that_is_reset_is_an_answer_whose_body_broke() {
    let half = Turn::of([Do::Head(200), Do::Part("half"), Do::Reset(INTERNAL_ERROR)]);
    for shop in [user_flow().without_retry(), user_flow()] {
        let provider = Framed::script([half.clone()]).await;
        let shop = http2(shop).build().unwrap();
        let error = broken(&shop, get(provider.url())).await;
        let reset = ErrorKind::Transport(Fault::Reset);
        assert_eq!(said(&error), (reset, Delivery::Answered));
        assert_eq!(provider.tally().requests, 1);
    }
}

#[tokio::test]
async fn a_body_that_falls_silent_is_given_up_on_and_its_stream_too() {
    let half = Turn::of([Do::Head(200), Do::Part("half")]);
    let provider = Framed::script([half]).await;
    let shop = http2(user_flow()).idle_timeout(Duration::from_millis(100)).build().unwrap();
    let error = broken(&shop, get(provider.url())).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::BodyIdle), Delivery::Answered));
    provider.until(|tally| tally.given_up == 1).await;
}

#[tokio::test]
async fn failed_answers_with_bodies_use_one_connection() {
    let sorry = Turn::reply(503, "sorry");
    let script = [sorry.clone(), sorry.clone(), sorry, Turn::reply(200, "well")];
    let provider = Framed::script(script).await;
    let shop = http2(user_flow()).retry(|retry| retry.max_attempts(4)).build().unwrap();
    assert_eq!(answered(&shop, get(provider.url())).await.body(), "well");
    assert_eq!((provider.tally().connections, provider.tally().requests), (1, 4));
}

#[tokio::test]
async fn a_dropped_call_gives_up_its_stream_and_keeps_the_connection() {
    let provider = Framed::script([Turn::of([]), Turn::reply(200, "well")]).await;
    let shop = http2(user_flow()).build().unwrap();
    let mut call = Box::pin(shop.send(get(provider.url())));
    tokio::select! {
        _ = &mut call => panic!("nobody answers"),
        () = provider.until(|tally| tally.requests == 1) => {}
    }
    drop(call);
    assert_eq!(shop.bulkhead().in_use(), 0);
    provider.until(|tally| tally.given_up == 1).await;
    assert_eq!(answered(&shop, get(provider.url())).await.body(), "well");
    assert_eq!(provider.tally().connections, 1);
}

#[tokio::test]
async fn a_connection_that_went_dead_is_not_used_again_after_a_timeout() {
    // It answers once, and then takes no more notice of anything.
    let script = [Turn::reply(200, "one"), Turn::of([Do::Sit]), Turn::reply(200, "two")];
    let provider = Framed::script(script).await;
    let shop = http2(impatient()).build().unwrap();
    assert_eq!(answered(&shop, get(provider.url())).await.body(), "one");
    let second = answered(&shop, get(provider.url())).await;
    assert_eq!((second.body().as_str(), provider.tally().connections), ("two", 2));
}

/// Echoes each request's body.
async fn echo(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(Response::new(String::from_utf8(body.to_vec()).unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_share_one_connection_to_a_real_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (count, mut counted) = tokio::sync::mpsc::unbounded_channel();
    let server = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            count.send(()).unwrap();
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            connections.spawn(http.serve_connection(TokioIo::new(stream), service_fn(echo)));
        }
    });
    let shop = http2(user_flow()).build().unwrap();
    let calls = (0..50).map(|n| {
        let (shop, request) = (shop.clone(), post(&url, format!("order {n}").repeat(5_000)));
        tokio::spawn(async move {
            let response = shop.send(request).await.unwrap();
            assert_eq!(response.version(), http::Version::HTTP_2);
            response.into_body().text().await.unwrap()
        })
    });
    for (n, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), format!("order {n}").repeat(5_000));
    }
    assert_eq!(shop.bulkhead().in_use(), 0);
    assert!(counted.recv().await.is_some());
    assert!(counted.try_recv().is_err(), "one connection is enough");
    server.abort();
}

#[tokio::test]
async fn a_connection_that_went_dead_under_a_request_is_found_out_by_a_ping() {
    let provider = Framed::script([Turn::of([Do::Sit])]).await;
    let soon = Duration::from_millis(50);
    let shop = http2(user_flow().without_retry())
        .hyper(|client| client.http2_ping(soon, soon))
        .timeout(|timeout| timeout.attempt(Duration::from_secs(7)))
        .build()
        .unwrap();
    let error = failed(&shop, get(provider.url())).await;
    assert_eq!(said(&error), (ErrorKind::Timeout(Phase::Transport), Delivery::Unknown));
}
