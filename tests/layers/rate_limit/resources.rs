//! Limits of one of a provider's resources.

use http::Request;
use outrigger::Body;
use outrigger::rate_limit::{Excess, RateLimitLayer};
use outrigger::testing::Answer;

use super::Limited;
use crate::call::status;
use crate::clock::{millis, secs, spawn, timed};

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
    let service = crm.service.clone();
    let call = async move {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        timed(async { status(&service, request).await.expect("an answer") }).await.0
    };
    spawn(call).await.expect("no panic")
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_spent_stops_calls_for_it_and_no_others() {
    for (excess, code) in [(Excess::Shape, 403), (Excess::Reject, 200), (Excess::Reject, 429)] {
        let crm = Limited::by(RateLimitLayer::learning().excess(excess));
        let core = || telling(200, "core", 5_000, 4_900, 3_600);
        took(&crm, "/api/v3/repos/1", core()).await;
        took(&crm, "/api/v3/search/issues", telling(code, "search", 30, 0, 40)).await;
        assert_eq!(crm.limit.paused_for(), None);
        assert!(took(&crm, "/api/v3/repos/2", core()).await < secs(1), "{excess:?}");
        let search = telling(200, "search", 30, 29, 60);
        assert_eq!(took(&crm, "/api/v3/search/code", search).await, secs(40), "{excess:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_pace_of_one_resource_is_not_that_of_another() {
    let crm = Limited::by(RateLimitLayer::learning().excess(Excess::Shape));
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
