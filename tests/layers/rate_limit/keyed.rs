//! A limit for each key.

use std::borrow::Cow;

use http::Request;
use outrigger::context::RequestHead;
use outrigger::outcome::Rejection;
use outrigger::rate_limit::{KeyedRateLimits, OnLimit, RateLimitLayer};
use outrigger::testing::Answer;
use outrigger::{Body, Error, ErrorKind};
use tokio::task::JoinHandle;

use super::Limited;
use crate::call::status;
use crate::clock::{begin, millis, now, secs, timed, wait};

fn tenant<'a>(head: &RequestHead<'a>) -> Cow<'a, str> {
    let tenant = head.headers.get("authorization").and_then(|tenant| tenant.to_str().ok());
    tenant.unwrap_or_default().into()
}

fn keyed(layer: RateLimitLayer) -> (Limited, KeyedRateLimits) {
    let crm = Limited::by(layer.keyed(100, secs(3_600), tenant));
    let limits = crm.layer.keyed_handle().expect("there are keys");
    (crm, limits)
}

fn call(
    crm: &Limited,
    tenant: &str,
) -> impl Future<Output = Result<u16, Error>> + Send + 'static + use<> {
    let request = Request::get("/").header("authorization", tenant).body(Body::empty());
    let (service, request) = (crm.service.clone(), request.expect("a request"));
    async move { status(&service, request).await }
}

async fn begun(crm: &Limited, tenant: &str, calls: u32) -> Vec<JoinHandle<(u16, u64)>> {
    let mut begun = Vec::new();
    for _ in 0..calls {
        let (call, from) = (call(crm, tenant), crm.provider.began);
        let call = async move { (call.await.unwrap(), (now() - from).as_millis() as u64) };
        begun.push(begin(call).await);
    }
    begun
}

async fn ends(calls: Vec<JoinHandle<(u16, u64)>>) -> Vec<u64> {
    let mut ends = Vec::new();
    for call in calls {
        ends.push(call.await.unwrap().1);
    }
    ends
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_one_tenant_stops_that_one_and_no_other() {
    for on_limit in [OnLimit::Reject, OnLimit::Shape] {
        let (crm, limits) = keyed(RateLimitLayer::learning().on_limit(on_limit));
        crm.set(Answer::status(429).header("retry-after", "60"));
        call(&crm, "Bearer tenant-a").await.unwrap();
        crm.set(Answer::status(200));
        let (took, result) = timed(call(&crm, "Bearer tenant-b")).await;
        assert_eq!((took, result.unwrap()), (secs(0), 200), "{on_limit:?}");
        let left = |key: &str| limits.get(key).and_then(|limit| limit.paused_for());
        assert_eq!(left("Bearer tenant-a"), Some(secs(60)));
        assert_eq!(left("Bearer tenant-b"), None);
        assert_eq!(timed(call(&crm, "Bearer tenant-a")).await.0, secs(60), "{on_limit:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_pace_and_a_queue_of_its_own() {
    let (crm, limits) = keyed(RateLimitLayer::new(10, secs(1)).on_limit(OnLimit::Shape));
    let (first, second) = (begun(&crm, "a", 4).await, begun(&crm, "b", 4).await);
    let waiting = |key: &str| limits.get(key).map(|limit| limit.waiting());
    assert_eq!((waiting("a"), waiting("b"), waiting("c")), (Some(3), Some(3), None));
    assert_eq!(crm.limit.waiting(), 6);
    assert_eq!(ends(first).await, [0, 100, 200, 300]);
    assert_eq!(ends(second).await, [0, 100, 200, 300]);
    let mut keys = limits.keys();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_is_bounded_for_all_keys_together_and_each_has_its_turn() {
    let (crm, limits) = keyed(RateLimitLayer::learning().on_limit(OnLimit::Shape).in_flight(2));
    crm.set(Answer::status(200).after(millis(100)));
    let first = begun(&crm, "a", 20).await;
    let second = begun(&crm, "b", 3).await;
    assert_eq!((crm.limit.in_flight(), crm.seen().len()), (2, 2));
    assert_eq!(limits.get("b").map(|limit| limit.in_flight()), Some(0));
    let second = ends(second).await;
    assert!(second[2] <= 500, "not after the twenty: {second:?}");
    let first = ends(first).await;
    assert_eq!(first[19], 1_200, "no place is empty: {first:?}");
    assert_eq!((crm.limit.in_flight(), crm.limit.waiting()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_it_waits_for_room_leaves_it_to_another_key() {
    let (crm, _) = keyed(RateLimitLayer::learning().on_limit(OnLimit::Shape).in_flight(1));
    crm.set(Answer::status(200).after(secs(1)));
    let held = begun(&crm, "a", 1).await;
    let gone = begun(&crm, "b", 1).await;
    let kept = begun(&crm, "c", 1).await;
    gone[0].abort();
    wait(millis(10)).await;
    assert_eq!(ends(held).await, [1_000]);
    assert_eq!(ends(kept).await, [2_000]);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_the_handle_stops_all_keys_and_those_to_come() {
    let (crm, limits) = keyed(RateLimitLayer::learning().max_wait(secs(1)));
    call(&crm, "a").await.unwrap();
    crm.limit.pause(secs(60));
    for key in ["a", "b"] {
        let error = call(&crm, key).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::RateLimited));
        assert_eq!(error.retry_after(), Some(secs(60)));
    }
    assert_eq!((crm.limit.paused_for(), crm.limit.rejected()), (Some(secs(60)), 2));
    limits.get("a").expect("seen").forget();
    assert!(call(&crm, "a").await.is_ok() && call(&crm, "b").await.is_err());
    crm.limit.forget();
    assert!(call(&crm, "b").await.is_ok() && call(&crm, "c").await.is_ok());
    assert_eq!(crm.limit.paused_for(), None);
}

#[tokio::test(start_paused = true)]
async fn no_more_keys_are_kept_than_were_set_and_none_that_is_stopped_while_another_is_not() {
    let layer = RateLimitLayer::learning().keyed(2, secs(3_600), tenant);
    let limits = layer.keyed_handle().expect("there are keys");
    let crm = Limited::by(layer.clone());
    let limits_of_crm = crm.layer.keyed_handle().expect("there are keys");
    assert!(limits.keys().is_empty());
    crm.set(Answer::status(429).header("retry-after", "60"));
    call(&crm, "a").await.unwrap();
    crm.set(Answer::status(200));
    for key in ["b", "c", "d"] {
        call(&crm, key).await.unwrap();
        wait(millis(10)).await;
    }
    let mut keys = limits_of_crm.keys();
    keys.sort_unstable();
    assert_eq!(keys, ["a", "d"]);
    assert!(layer.keyed(0, secs(1), tenant).check().is_err());
}
