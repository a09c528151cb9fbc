//! A refusal stops everybody.

use std::time::{Duration, SystemTime};

use outrigger::event::Event;
use outrigger::rate_limit::{Learning, OnLimit, RateLimitLayer};
use outrigger::rt::Clock;
use outrigger::testing::Answer;
use tower::Layer;

use super::{Limited, calling};
use crate::clock::{begin, millis, secs, settle, timed, wait};

fn refused(after: &str) -> Answer {
    Answer::status(429).header("retry-after", after)
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_stops_everybody_until_it_is_over() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.set(refused("5"));
    assert_eq!(crm.call(0).await.unwrap(), 429);
    assert_eq!(crm.limit.paused_for(), Some(secs(5)));
    crm.set(Answer::status(200));
    wait(secs(1)).await;
    // A clone of the service, and a service of its own from a clone of the layer.
    let other = crm.layer.clone().layer(crm.provider.clone());
    let (own, other) = (begin(crm.call(1)).await, begin(calling(other, 2)).await);
    assert_eq!((crm.limit.waiting(), crm.limit.paused_for()), (2, Some(secs(4))));
    assert_eq!((own.await.unwrap().unwrap(), other.await.unwrap().unwrap()), (200, 200));
    let seen = crm.seen();
    assert_eq!(seen[1], (5_000, 1));
    assert!(seen[2].0 >= 5_000, "{seen:?}");
    assert_eq!((crm.limit.paused_for(), crm.pauses()), (None, vec![secs(5)]));
}

#[tokio::test(start_paused = true)]
async fn it_stops_those_who_queue_already() {
    let crm = Limited::by(RateLimitLayer::new(10, secs(1)).on_limit(OnLimit::Shape));
    crm.set(refused("3").after(millis(50)));
    let queue = crm.begin(0..2).await;
    wait(millis(60)).await;
    crm.set(Answer::status(200));
    for call in queue {
        call.await.unwrap().unwrap();
    }
    assert_eq!(crm.seen(), [(0, 0), (3_050, 1)]);
}

#[tokio::test(start_paused = true)]
async fn those_who_waited_for_the_end_of_a_pause_go_at_a_pace_and_not_all_at_once() {
    for on_limit in [OnLimit::Shape, OnLimit::Reject] {
        let crm = Limited::by(RateLimitLayer::learning().on_limit(on_limit));
        crm.set(refused("30"));
        crm.call(0).await.unwrap();
        crm.set(Answer::status(200));
        let times = crm.times(300).await;
        let in_a_tenth =
            |from: &u64| times.iter().filter(|at| (*from..from + 100).contains(at)).count();
        let worst = times.iter().map(in_a_tenth).max().unwrap();
        assert!(worst <= 3, "{on_limit:?}: {worst}");
        assert!(times[0] == 30_000 && times[299] <= 46_000, "{on_limit:?}: {:?}", times[299]);
        assert_eq!(crm.times(50).await.iter().max(), Some(&times[299]), "{on_limit:?}: it is over");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_nobody_goes_slower_than_before_it_and_ten_a_second_are_no_burst() {
    let crm = Limited::by(RateLimitLayer::learning());
    for _ in 0..500 {
        crm.call(0).await.unwrap();
        wait(millis(2)).await;
    }
    crm.limit.pause(secs(600));
    let times = crm.times(100).await;
    assert!(times[99] - times[0] <= 220, "{times:?}");
    let quiet = Limited::by(RateLimitLayer::learning());
    quiet.limit.pause(secs(600));
    assert_eq!(quiet.times(3).await, [600_000, 600_100, 600_200]);
}

#[tokio::test(start_paused = true)]
async fn who_came_after_those_who_waited_makes_the_pace_no_slower_for_long() {
    let crm = Limited::by(RateLimitLayer::learning().on_limit(OnLimit::Shape));
    crm.set(refused("10"));
    crm.call(0).await.unwrap();
    crm.set(Answer::status(200));
    // Forty a second, for half a minute.
    let mut calls = Vec::new();
    for number in 0..1_200 {
        calls.push(begin(crm.call(number)).await);
        wait(millis(25)).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let (last, _) = crm.seen().pop().unwrap();
    assert!(last <= 30_500, "the queue is over: {last}");
}

#[tokio::test(start_paused = true)]
async fn without_a_word_of_for_how_long_it_is_a_second_and_then_twice_that() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.set(Answer::status(429));
    for _ in 0..7 {
        assert_eq!(crm.call(0).await.unwrap(), 429);
    }
    assert_eq!(crm.pauses(), [1, 2, 4, 8, 16, 32, 32].map(secs));
    let at: Vec<_> = crm.seen().into_iter().map(|(at, _)| at / 1_000).collect();
    assert_eq!(at, [0, 1, 3, 7, 15, 31, 63]);
    crm.set(Answer::status(200));
    crm.call(0).await.unwrap();
    crm.set(Answer::status(429));
    crm.call(0).await.unwrap();
    assert_eq!(crm.pauses().last(), Some(&secs(1)), "a success in between begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_no_time_is_no_word_of_for_how_long() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.set(refused("0"));
    for _ in 0..4 {
        assert_eq!(crm.call(0).await.unwrap(), 429);
    }
    assert_eq!(crm.pauses(), [1, 2, 4, 8].map(secs));
    crm.limit.forget();
}

#[tokio::test(start_paused = true)]
async fn nothing_left_until_a_reset_in_no_time_is_the_rest_of_a_second() {
    for on_limit in [OnLimit::Shape, OnLimit::Reject] {
        let crm = Limited::by(RateLimitLayer::learning().on_limit(on_limit));
        for code in [200, 429, 403] {
            let spent = Answer::status(code).header("x-ratelimit-remaining", "0");
            crm.set(spent.header("x-ratelimit-reset", "0"));
            assert_eq!(crm.call(0).await.unwrap(), code);
        }
        crm.call(0).await.unwrap();
        let at: Vec<_> = crm.seen().into_iter().map(|(at, _)| at).collect();
        assert_eq!((at, crm.pauses()), (vec![0, 1_000, 2_000, 3_000], vec![secs(1); 3]));
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_of_what_was_under_way_are_one() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.set(Answer::status(429).after(millis(100)));
    for call in crm.begin(0..10).await {
        assert_eq!(call.await.unwrap().unwrap(), 429);
    }
    assert_eq!(crm.pauses(), [secs(1); 10]);
    assert_eq!(crm.limit.paused_for(), Some(secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_403_and_a_400_stop_everybody_if_they_say_for_how_long() {
    for code in [403, 400] {
        let crm = Limited::by(RateLimitLayer::learning());
        crm.set(Answer::status(code));
        crm.call(0).await.unwrap();
        assert_eq!(crm.limit.paused_for(), None, "{code}");
        crm.set(Answer::status(code).header("retry-after", "7"));
        crm.call(0).await.unwrap();
        assert_eq!(crm.limit.paused_for(), Some(secs(7)), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn other_statuses_stop_nobody_whatever_they_say() {
    let crm = Limited::by(RateLimitLayer::learning());
    for code in [200, 202, 301, 404, 500, 502, 503, 504] {
        let spent = Answer::status(code).header("retry-after", "7");
        let spent = match code >= 500 {
            true => spent.header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "7"),
            false => spent,
        };
        crm.set(spent);
        crm.call(0).await.unwrap();
    }
    assert_eq!((crm.limit.paused_for(), crm.events.events()), (None, vec![]));
    assert_eq!(crm.times(3).await, [0; 3], "a provider that fails is a breaker's matter");
}

#[tokio::test(start_paused = true)]
async fn a_date_is_measured_by_the_answers_own_and_else_by_the_clock() {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let crm = Limited::by(RateLimitLayer::learning().clock(Clock::anchored(wall)));
    crm.set(refused("Sun, 06 Nov 1994 08:50:00 GMT"));
    crm.call(0).await.unwrap();
    assert_eq!(crm.limit.paused_for(), Some(secs(23)));
    crm.limit.forget();
    crm.set(
        refused("Sun, 06 Nov 2044 08:50:00 GMT").header("date", "Sun, 06 Nov 2044 08:49:55 GMT"),
    );
    crm.call(0).await.unwrap();
    assert_eq!(crm.limit.paused_for(), Some(secs(5)));
}

#[tokio::test(start_paused = true)]
async fn a_429_that_tells_only_of_a_reset_stops_everybody_until_that() {
    let crm = Limited::by(RateLimitLayer::learning());
    let told = Answer::status(429).header("x-ratelimit-remaining", "0");
    crm.set(told.header("x-ratelimit-reset", "12"));
    crm.call(0).await.unwrap();
    assert_eq!(crm.pauses(), [secs(12)]);
}

#[tokio::test(start_paused = true)]
async fn a_403_with_nothing_left_is_a_refusal_until_the_reset_and_another_one_is_not() {
    for (left, pauses) in [("0", vec![secs(12)]), ("1", vec![]), ("00", vec![])] {
        let crm = Limited::by(RateLimitLayer::learning());
        let told = Answer::status(403).header("x-ratelimit-remaining", left);
        crm.set(told.header("x-ratelimit-reset", "12"));
        assert_eq!(crm.call(0).await.unwrap(), 403);
        assert_eq!(crm.pauses(), pauses, "{left}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_header_does_not_stop_an_integration_for_good() {
    let all_spent = |told: &str| Answer::status(200).header("ratelimit", told);
    for answer in [
        refused("99999999999999999999"),
        refused("Fri, 31 Dec 9999 23:59:59 GMT"),
        all_spent("\"default\";r=0;t=999999999999999"),
        all_spent("\"default\";r=1;t=999999999999999"),
    ] {
        for on_limit in [OnLimit::Shape, OnLimit::Reject] {
            let crm =
                Limited::by(RateLimitLayer::learning().pause_cap(secs(60)).on_limit(on_limit));
            crm.set(answer.clone());
            crm.call(0).await.unwrap();
            crm.set(Answer::status(200));
            let (took, code) = timed(async { (crm.call(1).await, crm.call(2).await) }).await;
            assert!(code.0.is_ok() && code.1.is_ok() && took <= secs(121), "{answer:?}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_learning_is_off_only_what_was_set_counts() {
    let layer = RateLimitLayer::new(10, secs(1)).learn(Learning::Off);
    let crm = Limited::by(layer);
    crm.set(refused("60").header("ratelimit", "\"default\";r=0;t=60"));
    assert_eq!(crm.times(4).await, [0, 100, 200, 300]);
    assert_eq!((crm.limit.paused_for(), crm.limit.interval()), (None, Some(millis(100))));
    assert!(crm.pauses().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_concurrency_is_no_matter_of_the_rate() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.set(Answer::status(429).header("stripe-rate-limited-reason", "global-concurrency"));
    crm.call(0).await.unwrap();
    assert_eq!((crm.limit.paused_for(), crm.limit.interval()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_handle_stops_everybody_and_lets_them_go_again() {
    let crm = Limited::by(RateLimitLayer::learning());
    crm.limit.pause(secs(600));
    let waiting = begin(crm.call(1)).await;
    wait(secs(5)).await;
    assert_eq!((crm.limit.paused_for(), crm.limit.waiting()), (Some(secs(595)), 1));
    crm.limit.pause(secs(1));
    assert_eq!(crm.limit.paused_for(), Some(secs(595)), "at least so long");
    crm.limit.forget();
    settle().await;
    assert_eq!(crm.seen(), [(5_000, 1)]);
    assert_eq!(waiting.await.unwrap().unwrap(), 200);
    assert_eq!((crm.limit.paused_for(), crm.limit.waiting()), (None, 0));
    assert_eq!(crm.pauses(), [secs(600), secs(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_handle_stops_everybody_where_nothing_else_limits_them() {
    let crm = Limited::by(RateLimitLayer::unlimited());
    crm.limit.pause(secs(5));
    assert_eq!(crm.times(3).await, [5_000, 5_100, 5_200]);
    assert_eq!(crm.times(3).await, [5_200; 3]);
}

#[tokio::test(start_paused = true)]
async fn what_was_found_out_is_told_and_forgotten_on_request() {
    let crm = Limited::by(RateLimitLayer::learning());
    for _ in 0..10 {
        crm.call(0).await.unwrap();
    }
    crm.set(refused("2"));
    crm.call(0).await.unwrap();
    let found = crm.limit.interval().expect("it feels its way from here");
    crm.limit.forget();
    assert_eq!((crm.limit.interval(), crm.limit.paused_for()), (None, None));
    let events = [
        Event::RateLimitPaused { pause: secs(2) },
        Event::RateLimitChanged { interval: Some(found) },
        Event::RateLimitChanged { interval: None },
    ];
    assert_eq!(crm.events.events(), events);
}
