//! What the default does: it opens only when nothing answers, keeps trying, and costs no answers.

use std::time::Duration;

use http::{Method, Request};
use outrigger::Body;
use outrigger::Ratio;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::event::BreakerState::{Closed, HalfOpen, Open};
use outrigger::testing::Answer;

use super::Guarded;
use crate::call::{get, status};
use crate::clock::{begin, millis, secs, wait, within};

/// The default, with a round open time and without chance.
fn unspread() -> CircuitBreakerLayer {
    CircuitBreakerLayer::new().open_for(millis(500), secs(60)).open_jitter(Ratio::ZERO)
}

fn exact() -> Guarded {
    Guarded::by(unspread())
}

fn post() -> Request<Body> {
    Request::builder().method(Method::POST).body(Body::empty()).unwrap()
}

impl Guarded {
    /// A failure each so often, until it is open; after how long that is.
    async fn fail_each(&self, gap: Duration) -> Duration {
        let mut lasted = Duration::ZERO;
        while self.state() == Closed {
            self.fail(1).await;
            wait(gap).await;
            lasted += gap;
        }
        lasted - gap
    }

    /// Opens by twenty failures a second.
    async fn go_down(&self) {
        self.fail_each(millis(100)).await;
    }

    async fn post(&self) -> Result<u16, outrigger::Error> {
        status(&self.service, post()).await
    }
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_ten_failures_in_a_row_and_two_seconds_without_a_success() {
    let crm = exact();
    crm.succeed(1_000).await;
    assert_eq!(crm.fail_each(millis(100)).await, secs(2));
    assert_eq!(crm.provider.begun(), 1_021);
    let rare = exact();
    assert_eq!(rare.fail_each(secs(1)).await, secs(9), "ten failures, a second apart");
}

#[tokio::test(start_paused = true)]
async fn ten_failures_of_one_instant_are_no_outage_yet_after_an_idle_hour() {
    let crm = exact();
    crm.succeed(1).await;
    wait(secs(3_600)).await;
    crm.fail(1_000).await;
    assert_eq!(crm.state(), Closed);
    wait(secs(2)).await;
    crm.fail(1).await;
    assert_eq!(crm.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn a_success_among_slow_failures_keeps_it_closed() {
    let crm = exact();
    // Sent before the success, and failed after it: nothing says that nothing answers now.
    crm.provider.set(Answer::status(500).after(secs(3)));
    let mut slow = Vec::new();
    for _ in 0..20 {
        let service = crm.service.clone();
        slow.push(begin(async move { status(&service, get()).await }).await);
    }
    wait(millis(2_900)).await;
    crm.succeed(1).await;
    for call in slow {
        assert_eq!(call.await.unwrap().unwrap(), 500);
    }
    assert_eq!(crm.state(), Closed);
}

#[tokio::test(start_paused = true)]
async fn a_brownout_never_opens_it_however_busy_it_is() {
    let crm = exact();
    for _ in 0..600 {
        crm.fail(9).await;
        crm.succeed(1).await;
        crm.fail(12).await;
        crm.succeed(1).await;
        wait(millis(100)).await;
    }
    assert_eq!(crm.changes(), []);
}

#[tokio::test(start_paused = true)]
async fn where_few_calls_succeed_it_waits_for_twice_as_long() {
    let crm = exact();
    // Silent for long, and still there.
    for silence in [15, 35, 35] {
        for _ in 0..silence {
            crm.fail(2).await;
            wait(millis(100)).await;
        }
        crm.succeed(1).await;
    }
    assert_eq!(crm.changes(), []);
    assert_eq!(crm.fail_each(millis(100)).await, secs(4));
    crm.handle.reset();
    assert_eq!(crm.fail_each(millis(100)).await, secs(2), "nothing is remembered");
}

#[tokio::test(start_paused = true)]
async fn what_it_learned_of_silence_is_forgotten_after_a_minute() {
    let crm = exact();
    for _ in 0..15 {
        crm.fail(2).await;
        wait(millis(100)).await;
    }
    crm.succeed(1).await;
    wait(secs(60)).await;
    crm.succeed(1).await;
    assert_eq!(crm.fail_each(millis(100)).await, secs(2));
}

#[tokio::test(start_paused = true)]
async fn while_open_one_call_each_half_second_tries_the_provider() {
    let crm = exact();
    crm.go_down().await;
    let before = crm.provider.begun();
    for _ in 0..1_000 {
        crm.fail(1).await;
        wait(millis(20)).await;
    }
    assert_eq!(crm.provider.begun() - before, 40, "in twenty seconds");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_gets_one_probe_a_second() {
    let crm = exact();
    crm.go_down().await;
    crm.provider.set(Answer::hang());
    let before = crm.provider.begun();
    let mut held = Vec::new();
    for _ in 0..200 {
        let service = crm.service.clone();
        held.push(begin(async move { within(secs(3), status(&service, get())).await }).await);
        wait(millis(50)).await;
    }
    assert_eq!(crm.provider.begun() - before, 10, "in ten seconds");
    held.into_iter().for_each(|call| call.abort());
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_was_given_back_long_ago_lets_no_two_try_at_once() {
    let crm = exact();
    crm.go_down().await;
    wait(secs(1)).await;
    crm.provider.set(Answer::hang());
    assert!(within(millis(100), crm.call()).await.is_none(), "it tried, and left");
    wait(secs(10)).await;
    let before = crm.provider.begun();
    crm.fail(10).await;
    assert_eq!(crm.provider.begun() - before, 1);
}

#[tokio::test(start_paused = true)]
async fn the_first_success_closes_it() {
    let crm = exact();
    crm.go_down().await;
    wait(millis(500)).await;
    crm.succeed(1).await;
    assert_eq!(crm.changes(), [(Closed, Open), (Open, HalfOpen), (HalfOpen, Closed)]);
    crm.succeed(100).await;
    assert_eq!(crm.handle.counts().rejected, 0);
}

#[tokio::test(start_paused = true)]
async fn a_safe_call_tries_the_provider_before_one_that_must_not_be_repeated() {
    let crm = exact();
    crm.go_down().await;
    crm.provider.set(Answer::status(500));
    assert!(crm.call().await.is_err(), "a safe one was here");
    wait(millis(500)).await;
    let before = crm.provider.begun();
    let refused = crm.post().await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(millis(900)), "two intervals more");
    assert_eq!((crm.call().await.unwrap(), crm.provider.begun() - before), (500, 1));
    wait(millis(1_499)).await;
    assert!(crm.post().await.is_err());
    wait(millis(1)).await;
    assert_eq!(crm.post().await.unwrap(), 500, "no safe one has come");
}

#[tokio::test(start_paused = true)]
async fn calls_that_must_not_be_repeated_are_tried_though_all_others_fail_for_ever() {
    let crm = exact();
    crm.go_down().await;
    let (mut posts, mut answered) = (0, 0);
    for tenth in 0..1_200 {
        crm.fail(1).await;
        wait(millis(100)).await;
        if tenth % 10 == 0 {
            crm.provider.set(Answer::status(200));
            posts += 1;
            answered += u32::from(crm.post().await.is_ok());
        }
    }
    assert!(answered * 4 >= posts, "{answered} of {posts}");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_was_opened_for_a_time_keeps_no_call_out_for_longer() {
    let crm = exact();
    crm.handle.force_open_for(secs(60));
    wait(secs(59)).await;
    assert!(crm.call().await.is_err());
    wait(secs(3)).await;
    assert_eq!(crm.post().await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn where_no_call_is_safe_the_next_one_tries_the_provider() {
    let crm = exact();
    crm.provider.set(Answer::status(500));
    for _ in 0..21 {
        assert_eq!(crm.post().await.unwrap(), 500);
        wait(millis(100)).await;
    }
    assert_eq!(crm.state(), Open);
    wait(millis(400)).await;
    crm.provider.set(Answer::status(200));
    assert_eq!((crm.post().await.unwrap(), crm.state()), (200, Closed));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_since_when_nothing_answers_and_when_the_next_try_is() {
    let crm = exact();
    crm.go_down().await;
    for _ in 0..20 {
        wait(millis(500)).await;
        crm.fail(1).await;
    }
    wait(millis(100)).await;
    let error = crm.call().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "crm: circuit breaker open for api.example:443: nothing has answered for 12.2s (41 attempts failed); \
         the next try is in 0.4s"
    );
    assert_eq!(error.retry_after(), Some(millis(400)));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_puts_the_next_probe_off_by_ten_seconds_at_most() {
    for (asked, seconds) in [("4", 4), ("120", 10)] {
        let crm = exact();
        crm.go_down().await;
        wait(millis(500)).await;
        crm.calls(1, Answer::status(503).header("retry-after", asked)).await;
        assert_eq!(crm.call().await.unwrap_err().retry_after(), Some(secs(seconds)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_flaps_is_in_one_outage() {
    let crm = exact();
    crm.go_down().await;
    wait(secs(3)).await;
    crm.succeed(1).await;
    assert_eq!(crm.handle.open_for(), None);
    wait(secs(5)).await;
    crm.go_down().await;
    let open_for = crm.handle.open_for().unwrap();
    assert!(open_for > secs(10), "{open_for:?} since it first opened");
    wait(secs(1)).await;
    crm.succeed(1).await;
    wait(secs(10)).await;
    crm.go_down().await;
    assert!(crm.handle.open_for().unwrap() < secs(1), "ten good seconds end an outage");
}

#[tokio::test(start_paused = true)]
async fn a_second_outage_begins_like_the_first() {
    let layer = unspread;
    let rules = [
        layer(),
        layer().without_consecutive().window_of_calls(20).failure_rate(Ratio::percent(50), 10),
        layer().without_consecutive().window(secs(30)).failures(12),
    ];
    for rule in rules {
        let crm = Guarded::by(rule);
        let mut lasted = Vec::new();
        for _ in 0..2 {
            let before = crm.provider.begun();
            crm.go_down().await;
            lasted.push(crm.provider.begun() - before);
            wait(millis(500)).await;
            crm.succeed(1).await;
            assert_eq!((crm.state(), crm.handle.counts().calls), (Closed, 0));
        }
        assert_eq!(lasted[0], lasted[1], "nothing of the first outage counts in the second");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_it_is_true_by_the_clock_and_not_by_the_last_call() {
    let crm = exact();
    crm.go_down().await;
    assert_eq!(crm.state(), Open);
    wait(millis(500)).await;
    assert_eq!(crm.state(), HalfOpen, "the next call would be let through");
}

#[tokio::test(start_paused = true)]
async fn a_429_is_an_answer_and_ends_a_row() {
    let crm = exact();
    for _ in 0..40 {
        crm.fail(5).await;
        wait(millis(200)).await;
        crm.calls(1, Answer::status(429)).await;
    }
    assert_eq!(crm.state(), Closed);
}
