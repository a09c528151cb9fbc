//! Limits of one of a provider's resources.

use http::Request;
use outrigger::rate_limit::{OnLimit, RateLimitLayer};
use outrigger::testing::Answer;
use outrigger::{Body, Error};

use super::Limited;
use crate::call::status;
use crate::clock::{millis, secs, spawn, timed, within};

/// An answer as GitHub's are.
fn telling(code: u16, resource: &str, limit: u32, left: u32, reset: u32) -> Answer {
    Answer::status(code)
        .header("x-ratelimit-resource", resource)
        .header("x-ratelimit-limit", &limit.to_string())
        .header("x-ratelimit-remaining", &left.to_string())
        .header("x-ratelimit-reset", &reset.to_string())
}

/// How long a call for this path took, whose answer is this one.
async fn took(crm: &Limited, path: &'static str, answer: Answer) -> std::time::Duration {
    crm.set(answer);
    tried(crm, path).await.expect("an answer")
}

/// How long a call for this path took, if it was not refused.
async fn tried(crm: &Limited, path: &str) -> Result<std::time::Duration, Error> {
    let service = crm.service.clone();
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let call = async move { timed(async { status(&service, request).await }).await };
    let (took, result) = spawn(call).await.expect("no panic");
    result.map(|_| took)
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_spent_stops_calls_for_it_and_no_others() {
    for (on_limit, code) in [(OnLimit::Shape, 403), (OnLimit::Reject, 200), (OnLimit::Reject, 429)]
    {
        let crm = Limited::by(RateLimitLayer::learning().on_limit(on_limit));
        let core = || telling(200, "core", 5_000, 4_900, 3_600);
        took(&crm, "/api/v3/repos/1", core()).await;
        took(&crm, "/api/v3/search/issues", telling(code, "search", 30, 0, 40)).await;
        assert_eq!(crm.limit.paused_for(), None);
        assert!(took(&crm, "/api/v3/repos/2", core()).await < secs(1), "{on_limit:?}");
        let search = telling(200, "search", 30, 29, 60);
        assert_eq!(took(&crm, "/api/v3/search/code", search).await, secs(40), "{on_limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_pace_of_one_resource_is_not_that_of_another() {
    let crm = Limited::by(RateLimitLayer::learning().on_limit(OnLimit::Shape));
    // The first of each is before anything is known of it, the second opens its pace.
    for _ in 0..2 {
        took(&crm, "/search/code", telling(200, "search", 30, 29, 60)).await;
        took(&crm, "/repos/1", telling(200, "core", 5_000, 4_900, 3_600)).await;
    }
    assert!(crm.limit.interval().is_some_and(|interval| interval < secs(1)), "{:?}", crm.limit);
    for _ in 0..3 {
        let core = took(&crm, "/repos/1", telling(200, "core", 5_000, 4_900, 3_600)).await;
        assert!(core < millis(800), "{core:?}");
    }
    let search = took(&crm, "/search/code", telling(200, "search", 30, 28, 58)).await;
    assert!(search > secs(1), "{search:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_stops_calls_for_all_resources() {
    let crm = Limited::by(RateLimitLayer::learning());
    let refused = telling(403, "search", 30, 0, 40).header("retry-after", "7");
    took(&crm, "/search/code", refused).await;
    assert_eq!(crm.limit.paused_for(), Some(secs(7)));
}

/// An answer as Discord's are.
fn bucket(code: u16, name: &str, left: u32, reset_after: &str) -> Answer {
    Answer::status(code)
        .header("x-ratelimit-limit", "5")
        .header("x-ratelimit-remaining", &left.to_string())
        .header("x-ratelimit-reset-after", reset_after)
        .header("x-ratelimit-bucket", name)
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_spent_stops_calls_of_its_shape_and_channel_and_no_others() {
    for on_limit in [OnLimit::Shape, OnLimit::Reject] {
        let crm = Limited::by(RateLimitLayer::learning().on_limit(on_limit));
        took(&crm, "/api/v10/channels/1/messages/7", bucket(200, "abcd1234", 0, "50.5")).await;
        crm.set(Answer::status(200));
        for other in ["/api/v10/users/@me", "/api/v10/channels/2/messages/7", "/channels/1/pins"] {
            assert_eq!(tried(&crm, other).await.unwrap(), secs(0), "{on_limit:?} {other}");
        }
        let same = tried(&crm, "/api/v10/channels/1/messages/8").await.unwrap();
        assert_eq!(same, millis(50_500), "{on_limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_bucket_is_of_it_alone_unless_it_says_that_it_is_of_all() {
    for (scope, is_global) in [("user", false), ("shared", false), ("global", true)] {
        let crm = Limited::by(RateLimitLayer::learning());
        let refused = bucket(429, "abcd1234", 0, "50.5").header("retry-after", "51");
        took(&crm, "/channels/1/messages", refused.header("x-ratelimit-scope", scope)).await;
        assert_eq!(crm.limit.paused_for(), is_global.then_some(secs(51)), "{scope}");
        crm.set(Answer::status(200));
        let other = tried(&crm, "/users/@me").await.unwrap();
        assert_eq!(other, secs(if is_global { 51 } else { 0 }), "{scope}");
        let same = tried(&crm, "/channels/1/messages").await.unwrap();
        assert_eq!(same, secs(if is_global { 0 } else { 51 }), "{scope}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_refused_for_longer_than_anybody_waits_refuses_its_own_calls_at_once() {
    let crm = Limited::by(RateLimitLayer::learning().pause_cap(secs(60)));
    let refused = bucket(429, "abcd1234", 0, "3600").header("retry-after", "3600");
    took(&crm, "/channels/1/messages", refused).await;
    crm.set(Answer::status(200));
    let error = tried(&crm, "/channels/1/messages").await.unwrap_err();
    assert_eq!(error.retry_after(), Some(secs(3_600)));
    assert_eq!(tried(&crm, "/users/@me").await.unwrap(), secs(0));
    crm.limit.forget();
    assert_eq!(tried(&crm, "/channels/1/messages").await.unwrap(), secs(0));
}

#[tokio::test(start_paused = true)]
async fn which_route_has_which_resource_is_forgotten_with_all_the_rest() {
    let crm = Limited::by(RateLimitLayer::learning());
    took(&crm, "/search/1", telling(200, "search", 30, 29, 40)).await;
    crm.limit.forget();
    // Told of the resource by another route, it doesn't concern this one, of which nothing is known.
    took(&crm, "/code/1", telling(200, "search", 30, 0, 40)).await;
    crm.set(Answer::status(200));
    assert_eq!(tried(&crm, "/search/2").await.unwrap(), secs(0));
    assert_eq!(tried(&crm, "/code/2").await.unwrap(), secs(40));
}

#[tokio::test(start_paused = true)]
async fn names_that_a_provider_makes_up_are_kept_up_to_a_bound() {
    let crm = Limited::by(RateLimitLayer::learning());
    let name = |number: u32| format!("r{number}");
    took(&crm, "/first", telling(200, &name(0), 30, 0, 40)).await;
    for number in 1..200 {
        crm.set(telling(200, &name(number), 30, 0, 40));
        tried(&crm, &format!("/route{number}")).await.unwrap();
    }
    crm.set(Answer::status(200));
    // Those that came first are known, and so is the last; those between are not.
    let mut waits = 0;
    for number in 1..200 {
        waits += u32::from(!would_go(&crm, &format!("/route{number}")).await);
    }
    assert!((1..=32).contains(&waits), "{waits}");
    assert!(!would_go(&crm, "/first").await);
}

#[tokio::test(start_paused = true)]
async fn routes_are_kept_up_to_a_bound_also_where_all_are_of_one_resource() {
    let crm = Limited::by(RateLimitLayer::learning());
    for number in 1..200 {
        let left = if number < 199 { 1_000_000 } else { 0 };
        crm.set(telling(200, "all", 1_000_000, left, 40));
        tried(&crm, &format!("/route{number}")).await.unwrap();
    }
    crm.set(Answer::status(200));
    let mut waits = 0;
    for number in 1..200 {
        waits += u32::from(!would_go(&crm, &format!("/route{number}")).await);
    }
    assert_eq!(waits, 32, "of the others nobody knows that they are of this resource");
}

#[tokio::test(start_paused = true)]
async fn names_of_limits_are_kept_up_to_a_bound_too_and_the_last_takes_the_place_of_the_one_before()
{
    let crm = Limited::by(RateLimitLayer::learning());
    let named = |name: &str, left: u32| {
        Answer::status(200).header("ratelimit", &format!(r#""{name}";r={left};t=50"#))
    };
    for number in 0..31 {
        crm.set(named(&format!("limit{number}"), 1_000));
        tried(&crm, "/").await.unwrap();
    }
    // Both are under way when the first is answered.
    crm.set(named("spent", 0).after(millis(10)));
    let first = crm.begin(0..1).await;
    crm.set(named("other", 1_000).after(millis(20)));
    let second = crm.begin(1..2).await;
    for call in first.into_iter().chain(second) {
        call.await.unwrap().unwrap();
    }
    crm.set(Answer::status(200));
    assert!(would_go(&crm, "/").await);
}

/// Whether a call for this path goes at once; it is dropped if it must wait.
async fn would_go(crm: &Limited, path: &str) -> bool {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    within(millis(1), status(&crm.service, request)).await.is_some()
}
