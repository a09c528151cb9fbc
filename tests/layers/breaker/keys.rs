//! One breaker for each key.

use std::borrow::Cow;
use std::time::Duration;

use http::Request;
use outrigger::Body;
use outrigger::circuit_breaker::{CircuitBreaker, KeyedBreakers};
use outrigger::event::BreakerState::{Closed, Open};
use outrigger::testing::{Answer, ReadinessProbe};
use tower::Layer;

use super::by_rate;
use crate::call::status;
use crate::clock::{secs, wait};
use crate::provider::Provider;

/// A provider behind a breaker for each path.
struct ByPath {
    provider: Provider,
    service: CircuitBreaker<ReadinessProbe<Provider>>,
    breakers: KeyedBreakers,
}

impl ByPath {
    fn keeping(most: usize, idle: Duration) -> Self {
        let layer = by_rate(10, 50, 1).keyed(most, idle, |head| Cow::Owned(head.uri.path().into()));
        let provider = Provider::new(Answer::status(200));
        let service = layer.layer(ReadinessProbe::new(provider.clone()));
        let breakers = layer.keyed_handle().unwrap();
        Self { provider, service, breakers }
    }

    async fn call(&self, path: &str, answer: u16) -> Result<u16, outrigger::Error> {
        self.provider.set(Answer::status(answer));
        let request = Request::get(format!("https://api.example{path}"));
        status(&self.service, request.body(Body::empty()).unwrap()).await
    }

    fn keys(&self) -> Vec<String> {
        let mut keys = self.breakers.keys();
        keys.sort_unstable();
        keys
    }
}

#[tokio::test(start_paused = true)]
async fn keys_open_one_by_one() {
    let crm = ByPath::keeping(10, secs(60));
    assert_eq!(crm.call("/broken", 500).await.unwrap(), 500);
    assert!(crm.call("/broken", 200).await.unwrap_err().is_rejected());
    assert_eq!(crm.call("/fine", 200).await.unwrap(), 200);
    assert_eq!(crm.keys(), ["/broken", "/fine"]);
    assert_eq!(crm.breakers.get("/broken").unwrap().state(), Open);
    assert_eq!(crm.breakers.get("/fine").unwrap().state(), Closed);
    assert!(crm.breakers.get("/unseen").is_none());
}

#[tokio::test(start_paused = true)]
async fn no_more_keys_are_kept_than_allowed() {
    let crm = ByPath::keeping(3, secs(3_600));
    for key in 0..1_000 {
        assert_eq!(crm.call(&format!("/{key}"), 200).await.unwrap(), 200);
        wait(secs(1)).await;
    }
    assert_eq!(crm.keys(), ["/997", "/998", "/999"]);
}

#[tokio::test(start_paused = true)]
async fn all_idle_keys_go_when_room_is_needed() {
    let crm = ByPath::keeping(3, secs(60));
    for path in ["/a", "/b"] {
        crm.call(path, 200).await.unwrap();
    }
    wait(secs(59)).await;
    crm.call("/c", 200).await.unwrap();
    wait(secs(1)).await;
    crm.call("/d", 200).await.unwrap();
    assert_eq!(crm.keys(), ["/c", "/d"]);
}

#[tokio::test(start_paused = true)]
async fn an_open_key_is_kept_before_a_closed_one() {
    let crm = ByPath::keeping(2, secs(3_600));
    crm.call("/broken", 500).await.unwrap();
    wait(secs(1)).await;
    crm.call("/fine", 200).await.unwrap();
    wait(secs(1)).await;
    crm.call("/new", 200).await.unwrap();
    assert_eq!(crm.keys(), ["/broken", "/new"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_used_is_not_idle() {
    let crm = ByPath::keeping(2, secs(10));
    for _ in 0..5 {
        crm.call("/busy", 200).await.unwrap();
        wait(secs(9)).await;
    }
    crm.call("/busy", 200).await.unwrap();
    crm.call("/one", 200).await.unwrap();
    crm.call("/two", 200).await.unwrap();
    assert_eq!(crm.keys().len(), 2);
    wait(secs(9)).await;
    crm.call("/busy", 200).await.unwrap();
    crm.call("/three", 200).await.unwrap();
    assert!(crm.keys().contains(&"/busy".to_owned()), "{:?}", crm.keys());
}
