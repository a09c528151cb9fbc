//! Requests that the peer refused by the protocol: HTTP/2 streams and connections.

use std::time::Duration;

use http::Request;
use outrigger::circuit_breaker::Consecutive;
use outrigger::event::BreakerState;
use outrigger::integration::OwnClient;
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Body, Integration, IntegrationBuilder};

use crate::frames::{Do, Framed, NO_ERROR, REFUSED_STREAM, Turn};

/// The preset as it is, its budget included.
fn http2() -> IntegrationBuilder<OwnClient> {
    Integration::user_flow("shop").hyper(HyperConfig::http2_prior_knowledge)
}

fn refusals() -> [Turn; 2] {
    let away = Do::GoAway { processed: false, reason: NO_ERROR };
    [Turn::of([Do::Reset(REFUSED_STREAM)]), Turn::of([away])]
}

/// So many calls, one after the other; how many were answered.
async fn calls(shop: &Integration, provider: &Framed, count: usize) -> usize {
    let mut answered = 0;
    for _ in 0..count {
        let request = Request::get(provider.url()).body(Body::empty()).unwrap();
        answered += usize::from(shop.send(request).await.is_ok());
    }
    answered
}

#[tokio::test]
async fn a_provider_that_refuses_everything_gets_little_more_than_its_usual_load() {
    for refusal in refusals() {
        let provider = Framed::script([refusal]).await;
        let shop = http2().without_breaker().build().unwrap();
        assert_eq!(calls(&shop, &provider, 100).await, 0);
        // Ten moved for nothing; the others' repetitions are what the budget has: 20 saved up, 20 % of
        // the calls, and its floor.
        let requests = provider.tally().requests;
        assert!(requests <= 100 + 10 + 20 + 20 + 10, "{requests} requests");
    }
}

#[tokio::test]
async fn a_provider_that_refuses_everything_opens_the_breaker() {
    for refusal in refusals() {
        let provider = Framed::script([refusal]).await;
        let shop = http2().breaker(|breaker| breaker.no_success_for(Duration::ZERO));
        let shop = shop.build().unwrap();
        calls(&shop, &provider, 30).await;
        assert_ne!(shop.breaker().state(), BreakerState::Closed);
        let requests = provider.tally().requests;
        assert!(requests < 20, "{requests} requests");
    }
}

#[tokio::test]
async fn a_provider_that_is_back_after_it_refused_everything_is_noticed() {
    let refused = Turn::of([Do::Reset(REFUSED_STREAM)]);
    let script = std::iter::repeat_n(refused, 14).chain([Turn::reply(200, "well")]);
    let provider = Framed::script(script).await;
    let shop = http2().breaker(|breaker| {
        let soon = Duration::from_millis(5);
        breaker.no_success_for(Duration::ZERO).open_for(soon, soon)
    });
    let shop = shop.build().unwrap();
    let back = async {
        while calls(&shop, &provider, 1).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), back).await.expect("it is noticed");
    assert_eq!(shop.breaker().state(), BreakerState::Closed);
}

#[tokio::test]
async fn connections_that_end_after_every_few_requests_cost_nothing_and_open_nothing() {
    for refusal in refusals() {
        let answers = std::iter::repeat_n(Turn::reply(200, "well"), 4).chain([refusal]);
        let script: Vec<_> = std::iter::repeat_n(answers, 30).flatten().collect();
        let provider = Framed::script(script).await;
        // One failure would open it, and hardly a retry is paid for.
        let shop = http2()
            .breaker(|breaker| {
                breaker.consecutive(Consecutive::Always(1)).no_success_for(Duration::ZERO)
            })
            .retry(|retry| {
                let none = outrigger::retry::RetryBudget::new(outrigger::Ratio::percent(1), 0);
                retry.max_attempts(2).budget(none.burst(1))
            })
            .build()
            .unwrap();
        assert_eq!(calls(&shop, &provider, 100).await, 100);
        assert_eq!(shop.breaker().state(), BreakerState::Closed);
        assert!(provider.tally().requests >= 120);
    }
}
