//! The provider's word on its limits.

use outrigger::event::Event;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::testing::Answer;

use super::Limited;
use crate::clock::{millis, now, secs, wait};

/// An answer that tells of a limit in the draft's fields.
fn telling(policy: &str, state: &str) -> Answer {
    Answer::status(200).header("ratelimit-policy", policy).header("ratelimit", state)
}

/// Tells once, and is silent from then on.
async fn told(layer: RateLimitLayer, policy: &str, state: &str) -> Limited {
    let crm = Limited::by(layer);
    crm.set(telling(policy, state));
    crm.call(0).await.unwrap();
    crm.set(Answer::status(200));
    crm
}

/// An answer that tells, at this second, of a limit with a reset at that one, as Unix times.
fn stamped(at: u64, limit: u64, left: u64, reset: u64) -> Answer {
    let began = 1_800_000_000;
    let date = std::time::UNIX_EPOCH + secs(began + at);
    Answer::status(200)
        .header("date", &httpdate::fmt_http_date(date))
        .header("x-ratelimit-limit", &limit.to_string())
        .header("x-ratelimit-remaining", &left.to_string())
        .header("x-ratelimit-reset", &(began + reset).to_string())
}

#[tokio::test(start_paused = true)]
async fn what_is_told_lowers_what_was_set_and_never_raises_it() {
    let set = || RateLimitLayer::new(10, secs(1)).on_limit(OnLimit::Shape);
    let slower = told(set(), r#""a";q=5;w=1"#, r#""a";r=4;t=1"#).await;
    assert_eq!(slower.limit.interval(), Some(millis(206)), "three per cent slower than told");
    let faster = told(set(), r#""a";q=100;w=1"#, r#""a";r=99;t=1"#).await;
    assert_eq!(faster.limit.interval(), Some(millis(100)));
    assert_eq!(faster.events.events(), []);
    let times = faster.times(3).await;
    assert_eq!((times[1] - times[0], times[2] - times[1]), (100, 100));
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_what_was_told_and_the_change_is_an_event() {
    let crm =
        told(RateLimitLayer::learning().on_limit(OnLimit::Shape), r#""a";q=100;w=10"#, "").await;
    let interval = Some(millis(103));
    assert_eq!(crm.limit.interval(), interval);
    assert_eq!(crm.events.events(), [Event::RateLimitChanged { interval }]);
    // The first was before anything was known.
    assert_eq!(crm.times(4).await, [0, 103, 206, 309]);
}

#[tokio::test(start_paused = true)]
async fn it_is_forgotten_when_the_provider_does_not_speak_of_it_any_more() {
    let set = RateLimitLayer::new(10, secs(1)).on_limit(OnLimit::Shape);
    let crm = told(set, r#""a";q=1;w=40"#, r#""a";r=0;t=40"#).await;
    assert_eq!(crm.limit.interval(), Some(millis(41_200)));
    wait(millis(79_999)).await;
    assert_eq!(crm.limit.interval(), Some(millis(41_200)), "two of its windows");
    wait(millis(1)).await;
    assert_eq!(crm.limit.interval(), Some(millis(100)));
    assert_eq!(crm.times(3).await, [80_000, 80_100, 80_200]);
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_spent_is_waited_for_until_its_reset() {
    for on_limit in [OnLimit::Shape, OnLimit::Reject] {
        let layer = RateLimitLayer::learning().on_limit(on_limit);
        let crm = told(layer, r#""a";q=100;w=60"#, r#""a";r=0;t=30"#).await;
        assert_eq!(crm.times(1).await, [30_000], "{on_limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn that_nothing_is_left_for_long_is_not_heeded_once_a_call_was_answered_in_spite_of_it() {
    // A person's call goes to see at once, a job's when it would have waited for long enough.
    for (on_limit, at) in [(OnLimit::Reject, 0), (OnLimit::Shape, 60_000)] {
        let layer = RateLimitLayer::learning().on_limit(on_limit).pause_cap(secs(60));
        let spent = || telling(r#""d";q=100;w=86400"#, r#""d";r=0;t=86400"#);
        let crm = told(layer, r#""d";q=100;w=86400"#, r#""d";r=0;t=86400"#).await;
        assert_eq!(crm.times(3).await, [at; 3], "{on_limit:?}");
        crm.set(spent());
        assert_eq!(crm.times(5).await, [at; 5], "{on_limit:?}: it says so all the time");
        crm.set(telling(r#""d";q=100;w=86400"#, r#""d";r=2;t=30"#));
        assert_eq!(crm.times(1).await, [at], "{on_limit:?}");
        crm.set(telling(r#""d";q=100;w=86400"#, r#""d";r=0;t=30"#));
        crm.call(0).await.unwrap();
        let times = crm.times(1).await;
        assert!(times[0] >= at + 30_000, "{on_limit:?}: heeded again: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_header_that_is_wrong_costs_people_no_calls() {
    let crm = Limited::by(RateLimitLayer::learning().max_wait(millis(500)));
    let answer = Answer::status(200).after(millis(20));
    let wrong = answer.clone().header("x-ratelimit-remaining", "0");
    crm.set(wrong.header("x-ratelimit-reset", "86400"));
    crm.call(0).await.unwrap();
    crm.set(answer);
    let mut answered = 0;
    for _ in 0..600 {
        answered += u32::from(crm.call(0).await.is_ok());
        wait(secs(1)).await;
    }
    assert_eq!(answered, 600);
}

#[tokio::test(start_paused = true)]
async fn that_nothing_is_left_for_long_holds_once_a_call_was_refused() {
    for (on_limit, first) in [(OnLimit::Reject, 0), (OnLimit::Shape, 60_000)] {
        let layer = RateLimitLayer::learning().on_limit(on_limit).pause_cap(secs(60));
        let crm = told(layer, r#""d";q=100;w=86400"#, r#""d";r=0;t=86400"#).await;
        let refusal = Answer::status(429).header("ratelimit-policy", r#""d";q=100;w=86400"#);
        crm.set(refusal.header("ratelimit", r#""d";r=0;t=86340"#));
        assert_eq!(crm.times(1).await, [first], "{on_limit:?}");
        let error = crm.call(0).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(secs(86_340)), "{on_limit:?}: nobody waits so long");
        wait(secs(86_300)).await;
        let times = crm.times(1).await;
        assert_eq!(times, [first + 86_340_000], "{on_limit:?}: and nobody goes before that");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_left_without_a_reset_is_a_short_pause_and_no_stop() {
    let alone = Answer::status(200).header("x-ratelimit-remaining", "0");
    let full = Answer::status(200).header("x-shopify-shop-api-call-limit", "40/40");
    let cases = [
        (alone, millis(1_000)),
        (telling(r#""a";q=10;w=3600"#, r#""a";r=0"#), secs(360)),
        (full, millis(500)),
    ];
    for (answer, pause) in cases {
        for on_limit in [OnLimit::Shape, OnLimit::Reject] {
            let crm = Limited::by(RateLimitLayer::learning().on_limit(on_limit));
            crm.set(answer.clone());
            let times = crm.times(3).await;
            let gaps = times.windows(2).map(|pair| millis(pair[1] - pair[0]));
            for gap in gaps {
                let range = pause..=pause.mul_f64(1.04);
                assert!(range.contains(&gap), "{on_limit:?}: {answer:?}: {times:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn once_more_is_left_the_short_pause_is_over() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.set(Answer::status(200).header("x-ratelimit-remaining", "0"));
    crm.call(0).await.unwrap();
    crm.set(Answer::status(200).header("x-ratelimit-remaining", "9"));
    assert_eq!(crm.times(4).await, [1_000; 4]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_goes_as_it_comes_for_people_and_then_they_wait() {
    let layer = RateLimitLayer::learning();
    let crm = told(layer, r#""a";q=10;w=60"#, r#""a";r=3;t=30"#).await;
    assert_eq!(crm.times(4).await, [0, 0, 0, 30_000]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_late_does_not_give_back_what_is_spent() {
    for on_limit in [OnLimit::Shape, OnLimit::Reject] {
        let policy = r#""a";q=10;w=3600"#;
        let layer = RateLimitLayer::learning().on_limit(on_limit);
        let crm = told(layer, policy, r#""a";r=8;t=30"#).await;
        crm.set(telling(policy, r#""a";r=7;t=30"#).after(secs(5)));
        let first = crm.begin(1..2).await;
        wait(secs(4)).await;
        // It came after the first, and overtakes it.
        crm.set(telling(policy, r#""a";r=0;t=26"#));
        crm.call(2).await.unwrap();
        crm.set(Answer::status(200));
        for call in first {
            call.await.unwrap().unwrap();
        }
        assert_eq!(crm.times(1).await, [30_000], "{on_limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_go_than_a_new_window_has_before_it_is_told_of() {
    let policy = r#""h";q=10;w=3600"#;
    let crm = told(RateLimitLayer::learning(), policy, r#""h";r=0;t=30"#).await;
    crm.set(telling(policy, r#""h";r=9;t=3600"#).after(secs(1)));
    let _calls = crm.begin(0..30).await;
    wait(millis(30_500)).await;
    assert_eq!(crm.seen().len(), 1 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_long_window_is_a_stock_of_which_jobs_may_use_a_tenth_ahead() {
    let (policy, state) = (r#""h";q=3600;w=3600"#, r#""h";r=3600;t=3600"#);
    let crm = told(RateLimitLayer::learning().on_limit(OnLimit::Shape), policy, state).await;
    assert_eq!(crm.limit.interval(), Some(millis(1_030)));
    let times = crm.times(360).await;
    let at_once = times.iter().filter(|at| **at == 0).count();
    assert_eq!(at_once, 350, "360 s, at one in 1.03 s, and the one that is due");
    assert_eq!(times[359] - times[358], 1_030);
}

#[tokio::test(start_paused = true)]
async fn a_long_window_is_a_stock_that_people_use_as_they_come() {
    let (policy, state) = (r#""h";q=3600;w=3600"#, r#""h";r=1000;t=3600"#);
    let patient = RateLimitLayer::learning().pause_cap(secs(3_600));
    let crm = told(patient, policy, state).await;
    for left in (0..1_000).rev() {
        crm.set(telling(policy, &format!(r#""h";r={left};t=3600"#)));
        crm.call(0).await.unwrap();
    }
    assert!(crm.seen().iter().all(|(at, _)| *at == 0));
    let refusal = Answer::status(429).header("ratelimit-policy", policy);
    crm.set(refusal.header("ratelimit", r#""h";r=0;t=3600"#));
    assert_eq!(crm.times(1).await, [0], "one goes to see");
    assert_eq!(crm.times(1).await, [3_600_000]);
}

#[tokio::test(start_paused = true)]
async fn the_strictest_of_several_limits_holds() {
    let policy = r#""burst";q=10;w=1, "daily";q=1000;w=86400"#;
    let state = r#""burst";r=9;t=1, "daily";r=0;t=600"#;
    let crm = told(RateLimitLayer::learning().on_limit(OnLimit::Shape), policy, state).await;
    assert_eq!(crm.limit.interval(), Some(millis(103)));
    assert_eq!(crm.times(1).await, [600_000]);
}

#[tokio::test(start_paused = true)]
async fn the_strictest_of_several_policies_without_names_holds() {
    let telling = |limit: &str, left: &str, reset: &str| {
        Answer::status(200)
            .header("ratelimit-policy", "60;w=60, 3600;w=3600")
            .header("ratelimit-limit", limit)
            .header("ratelimit-remaining", left)
            .header("ratelimit-reset", reset)
    };
    let crm = Limited::by(RateLimitLayer::learning().on_limit(OnLimit::Shape));
    crm.set(telling("3600", "0", "500"));
    crm.call(0).await.unwrap();
    assert_eq!(crm.limit.interval(), Some(millis(1_030)));
    crm.set(telling("60", "59", "60"));
    let times = crm.times(3).await;
    assert!(times[0] == 500_000 && times[2] <= 502_060, "the other one is full again: {times:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_stock_sets_no_pace_after_its_reset() {
    let policies = r#""m";q=60;w=60, "h";q=3600;w=3600"#;
    let crm = told(
        RateLimitLayer::learning().on_limit(OnLimit::Shape),
        policies,
        r#""m";r=59;t=60, "h";r=1;t=500"#,
    );
    let crm = crm.await;
    // From here on, only of the one that comes closest.
    crm.set(telling(policies, r#""m";r=59;t=60"#));
    let times = crm.times(6).await;
    assert!(times[1] > 400_000 && times[5] < 510_000, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_moves_by_a_second_is_no_window_of_a_second() {
    let layer = RateLimitLayer::learning().on_limit(OnLimit::Shape).pause_cap(secs(7_200));
    let crm = Limited::by(layer);
    for (left, reset) in [(4_999, 3_000), (4_998, 3_001), (4_997, 3_000), (4_996, 3_001)] {
        crm.set(stamped(0, 5_000, left, reset));
        crm.call(0).await.unwrap();
        let interval = crm.limit.interval().expect("a pace");
        assert!(interval > millis(500), "{left}: {interval:?}");
    }
    crm.set(stamped(0, 5_000, 0, 3_000));
    crm.call(0).await.unwrap();
    assert_eq!(crm.times(1).await, [3_000_000]);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_slides_is_not_measured_by_its_resets() {
    let crm = Limited::by(RateLimitLayer::learning().on_limit(OnLimit::Shape));
    let began = now();
    // A hundred in 60 s, of which the first goes out, and another at the second 1.
    for (at, left, reset) in [(0, 1, 60), (1, 0, 60), (60, 98, 61), (61, 50, 101)] {
        wait(secs(at).saturating_sub(now() - began)).await;
        crm.set(stamped(at, 100, left, reset));
        crm.call(0).await.unwrap();
    }
    let interval = crm.limit.interval().expect("a pace");
    assert!(interval > millis(500), "50 in 40 s: {interval:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_something_else_than_requests_stops_nobody() {
    let policy = r#""bytes";q=1000000;w=60;qu="content-bytes""#;
    let crm = told(RateLimitLayer::learning(), policy, r#""bytes";r=0;t=60"#).await;
    assert_eq!(crm.times(5).await, [0; 5]);
}

#[tokio::test(start_paused = true)]
async fn numbers_of_any_size_are_taken_in() {
    for reset in ["18446744073709550000s", "10000000000000000000000", "1e300", "-1", "nan"] {
        for left in ["0", "1", "18446744073709551615"] {
            for on_limit in [OnLimit::Shape, OnLimit::Reject] {
                let crm = Limited::by(RateLimitLayer::learning().on_limit(on_limit));
                let answer = Answer::status(200).header("x-ratelimit-reset", reset);
                crm.set(answer.header("x-ratelimit-remaining", left));
                // The second is compared with the first.
                for _ in 0..2 {
                    assert_eq!(crm.call(0).await.unwrap(), 200, "{reset} {left}");
                }
                crm.limit.forget();
                assert_eq!(crm.call(0).await.unwrap(), 200, "{reset} {left}");
            }
        }
    }
}
