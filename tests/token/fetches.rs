//! When a token is fetched, who waits, and what comes of errors.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures_util::future::join_all;
use outrigger::event::{Event, TokenFailure};
use outrigger::outcome::{Phase, Rejection};
use outrigger::token::{TokenError, TokenReason, TokenState};
use outrigger::{Delivery, ErrorKind, IntegrationBuilder};

use crate::bench::{Bench, Issuer, get, millis, now, secs, send};

#[tokio::test(start_paused = true)]
async fn the_first_call_waits_for_a_token_and_the_next_ones_do_not() {
    let bench = Bench::new(&Issuer::default());
    let token = bench.shop.token().unwrap();
    assert_eq!((token.state(), token.generation()), (TokenState::Empty, 0));
    let began = now();
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t1".into()]));
    assert_eq!(now() - began, millis(100));
    assert_eq!(bench.call().await.unwrap(), (200, vec!["t1".into()]));
    assert_eq!(now() - began, millis(100));
    assert_eq!((token.state(), token.generation()), (TokenState::Fresh, 1));
    assert_eq!(bench.issuer.reasons(), [TokenReason::First]);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_at_the_soft_time_make_one_fetch_and_none_waits() {
    let bench = Bench::new(&Issuer::default());
    bench.call().await.unwrap();
    bench.issuer.takes(secs(2));
    bench.pass(secs(3000)).await;
    let began = now();
    let calls = join_all((0..1000).map(|_| send(&bench.shop))).await;
    assert!(calls.iter().all(|call| *call.as_ref().unwrap() == 200));
    assert_eq!(now(), began);
    assert!(bench.tokens().iter().all(|token| token == "t1"));
    bench.pass(secs(3)).await;
    assert_eq!(bench.call().await.unwrap().1, ["t2"]);
    assert_eq!(bench.issuer.reasons(), [TokenReason::First, TokenReason::Ahead]);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_at_the_hard_time_make_one_fetch_and_each_is_cut_at_its_own_deadline() {
    let bench = Bench::over(&Issuer::default(), ok(), IntegrationBuilder::without_bulkhead);
    bench.call().await.unwrap();
    bench.pass(secs(4000)).await;
    bench.issuer.takes(secs(2));
    let began = now();
    let calls = (0..1000).map(|number| {
        let deadline = millis(10 + number * 10);
        let call = bench.shop.get("http://shop.test/orders").deadline(deadline).send();
        async move { (deadline, call.await.map(|answer| answer.status().as_u16()), now() - began) }
    });
    for (deadline, result, took) in join_all(calls).await {
        if deadline <= secs(2) {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout(Phase::Call), "{error}");
            assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
            assert_eq!(took, deadline);
        } else {
            assert_eq!((result.unwrap(), took), (200, secs(2)));
        }
    }
    assert_eq!(bench.issuer.reasons(), [TokenReason::First, TokenReason::Expired]);
}

#[tokio::test(start_paused = true)]
async fn no_token_within_an_attempts_limit_is_no_fault_of_the_providers() {
    let issuer = Issuer::default();
    issuer.takes(secs(4));
    let bench = Bench::new(&issuer);
    let error = send(&bench.shop).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::NoToken));
    assert_eq!((error.delivery(), error.attempts()), (Delivery::NotSent, 0));
    bench.issuer.takes(secs(60));
    for _ in 0..30 {
        let _refused = send(&bench.shop).await;
        bench.pass(secs(1)).await;
    }
    assert_eq!(bench.shop.breaker().counts().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_begins_a_fetch_may_leave_at_every_poll_and_harms_nobody() {
    for polls in 0..6 {
        let bench = Bench::new(&Issuer::default());
        {
            let mut leader = pin!(bench.shop.send(get()));
            for _ in 0..polls {
                let cx = &mut Context::from_waker(Waker::noop());
                if let Poll::Ready(answer) = leader.as_mut().poll(cx) {
                    answer.unwrap();
                    break;
                }
                tokio::time::sleep(millis(30)).await;
            }
        }
        assert_eq!(bench.call().await.unwrap(), (200, vec!["t1".into()]), "after {polls} polls");
        assert_eq!(bench.issuer.begun(), 1, "after {polls} polls");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_down_the_token_serves_to_its_hard_time_and_then_calls_fail_at_once() {
    let bench = Bench::new(&Issuer::default());
    bench.call().await.unwrap();
    bench.issuer.is_down(true);
    let (began, mut failed, mut served) = (now(), 0, 0);
    for _ in 0..5000 {
        bench.pass(secs(1)).await;
        let age = (now() - began).as_secs();
        match send(&bench.shop).await {
            Ok(status) => {
                assert_eq!((status, age < 3571), (200, true), "{age} s");
                served += 1;
            }
            Err(error) => {
                assert!(age >= 3570, "{age} s");
                assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::NoToken));
                assert!(error.to_string().contains("the issuer is down"), "{error}");
                assert!(error.retry_after().is_some_and(|wait| wait <= secs(30)));
                failed += 1;
            }
        }
    }
    assert!(served >= 3500 && failed >= 1300, "{served} and {failed}");
    assert!(bench.tokens().iter().all(|token| token == "t1"));
    // From 2850 s on, of about 15 s each.
    let fetches = bench.issuer.begun();
    assert!((60..=400).contains(&fetches), "{fetches} fetches");
    assert_eq!(bench.issuer.most_at_once(), 1);
    bench.issuer.is_down(false);
    bench.pass(secs(31)).await;
    assert_eq!(bench.call().await.unwrap().0, 200);
    assert_eq!(bench.shop.token().unwrap().error().map(|error| error.to_string()), None);
}

#[tokio::test(start_paused = true)]
async fn everybody_who_waits_gets_the_same_error_and_a_back_off_lets_nobody_through() {
    let issuer = Issuer::default();
    issuer.fail(TokenError::transient("not today").retry_in(secs(20)));
    let bench = Bench::new(&issuer);
    for error in join_all((0..50).map(|_| send(&bench.shop))).await {
        let error = error.unwrap_err();
        assert_eq!(error.retry_after(), Some(secs(20)));
        assert_eq!(error.to_string(), "shop: no token for shop.test:80: not today");
    }
    bench.pass(secs(19)).await;
    assert_eq!(send(&bench.shop).await.unwrap_err().retry_after(), Some(secs(1)));
    assert_eq!(bench.issuer.begun(), 1);
    bench.pass(secs(1)).await;
    assert_eq!(send(&bench.shop).await.unwrap(), 200);
    let missing = bench.events.count(|event| *event == Event::TokenMissing);
    assert_eq!((missing, bench.issuer.begun()), (51, 2));
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_until_the_issuer_is_back() {
    let issuer = Issuer::default();
    issuer.is_down(true);
    let provider = ok();
    let jobs = outrigger::Integration::background("jobs")
        .service(provider.clone())
        .token(issuer.layer())
        .build()
        .unwrap();
    let job = tokio::spawn(async move { send(&jobs).await });
    tokio::time::sleep(secs(600)).await;
    assert_eq!(provider.begun(), 0);
    issuer.is_down(false);
    assert_eq!(job.await.unwrap().unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_settled_error_is_told_at_once_and_tried_again_about_once_a_minute() {
    let bench = Bench::new(&Issuer::default());
    bench.call().await.unwrap();
    bench.pass(secs(3000)).await;
    bench.issuer.fail(TokenError::settled("the client's secret is wrong"));
    assert_eq!(bench.call().await.unwrap().1, ["t1"]);
    bench.pass(secs(1)).await;
    let failed = |event: &Event| {
        matches!(event, Event::TokenRefreshFailed { failure: TokenFailure::Settled, retry_in, .. }
            if (30..=90).contains(&retry_in.as_secs()))
    };
    assert_eq!(bench.events.count(failed), 1);
    let health = bench.shop.health();
    assert_eq!(health.status, outrigger::control::Status::Degraded);
    let token = health.token.unwrap();
    assert_eq!((token.state, token.failure), (TokenState::Soft, Some(TokenFailure::Settled)));
    assert_eq!(token.error.as_deref(), Some("the client's secret is wrong"));
    bench.pass(secs(29)).await;
    bench.call().await.unwrap();
    assert_eq!(bench.issuer.begun(), 2);
    bench.pass(secs(61)).await;
    bench.call().await.unwrap();
    bench.pass(secs(1)).await;
    assert_eq!(bench.call().await.unwrap().1, ["t2"]);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_hangs_or_panics_is_a_transient_error() {
    let issuer = Issuer::default();
    issuer.takes(secs(3600));
    let bench = Bench::over(&issuer, ok(), IntegrationBuilder::without_timeout);
    let began = now();
    let error = send(&bench.shop).await.unwrap_err();
    assert_eq!(now() - began, secs(5));
    assert!(error.to_string().ends_with("no token came within 5s"), "{error}");

    let panics = outrigger::token::TokenLayer::new(|_| async { panic!("no issuer of mine") });
    let shop = outrigger::Integration::user_flow("shop").service(ok()).token(panics);
    let error = send(&shop.build().unwrap()).await.unwrap_err();
    assert!(error.to_string().ends_with("the issuer's code panicked"), "{error}");
}

#[test]
fn a_runtime_that_ends_during_a_fetch_leaves_the_next_one_free_to_try() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    let issuer = Issuer::default();
    let bench = runtime().block_on(async { Bench::new(&issuer) });
    runtime().block_on(async {
        let mut call = pin!(bench.shop.send(get()));
        let _pending = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        tokio::time::sleep(millis(10)).await;
    });
    runtime().block_on(async {
        tokio::time::sleep(secs(2)).await;
        assert_eq!(send(&bench.shop).await.unwrap(), 200);
    });
    assert_eq!(issuer.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_wall_clock_may_be_set() {
    for (by, tokens) in [(3600i64, ["t1", "t2"]), (-3600, ["t1", "t1"])] {
        let bench = Bench::new(&Issuer::default());
        bench.call().await.unwrap();
        let at = bench.clock.now();
        bench.clock.set(if by > 0 { at + secs(3600) } else { at - secs(3600) });
        for _ in 0..10 {
            bench.call().await.unwrap();
            bench.pass(secs(10)).await;
        }
        let seen = bench.tokens();
        assert_eq!([seen[0].as_str(), seen[9].as_str()], tokens, "{by}");
        assert!(bench.issuer.begun() <= 2);
        // Back by an hour: the other clock still says when it ends.
        bench.pass(secs(3600)).await;
        assert_ne!(bench.call().await.unwrap().1, [tokens[1]]);
    }
}

fn ok() -> outrigger::testing::Script {
    outrigger::testing::Script::new([outrigger::testing::Answer::status(200)])
}
