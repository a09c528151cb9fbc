//! An integration is held, shared and called like any service.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use outrigger::integration::Call;
use outrigger::testing::{Answer, Script};
use outrigger::{Body, Error, Integration};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::call::{get, hold, read, spend};

/// What a web framework hands to each of its handlers.
#[derive(Clone)]
struct AppState {
    crm: Integration,
    shop: Arc<Shop>,
}

struct Shop {
    payments: Integration,
}

fn crm(provider: &Script) -> Integration {
    let builder = Integration::user_flow("crm").service(provider.clone());
    builder.build().expect("it works")
}

#[test]
fn it_can_be_shared_and_sent_and_so_can_its_calls() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send + 'static>() {}
    shared::<Integration>();
    shared::<AppState>();
    sent::<Call>();
    sent::<Response<Body>>();
    sent::<Error>();
    fn sync<T: Sync>() {}
    sync::<Body>();
    sync::<Error>();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_call_it_by_reference() {
    let provider = Script::new([Answer::status(200).body("fine")]);
    let crm = Arc::new(crm(&provider));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let crm = Arc::clone(&crm);
            tokio::spawn(async move { read(crm.send(get())).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().body(), "fine");
    }
    assert_eq!(provider.begun(), 50);
    assert_eq!(crm.bulkhead().in_use(), 0);
    assert_eq!(crm.breaker().counts().calls, 50);
}

#[tokio::test(start_paused = true)]
async fn it_lives_in_the_state_of_a_web_framework() {
    async fn handler(state: AppState) -> Result<String, Error> {
        let customer = state.crm.send(get()).await?.into_body().text().await?;
        let paid = state.shop.payments.send(get()).await?;
        Ok(format!("{customer} {}", paid.status()))
    }
    let provider = Script::new([Answer::status(200).body("ada")]);
    let payments = Integration::background("payments").service(provider.clone());
    let state = AppState {
        crm: crm(&provider),
        shop: Arc::new(Shop { payments: payments.build().unwrap() }),
    };
    let first = tokio::spawn(handler(state.clone()));
    let second = tokio::spawn(handler(state));
    assert_eq!(first.await.unwrap().unwrap(), "ada 200 OK");
    assert_eq!(second.await.unwrap().unwrap(), "ada 200 OK");
}

#[tokio::test(start_paused = true)]
async fn it_is_a_tower_service() {
    let provider = Script::new([Answer::status(200)]);
    let crm = crm(&provider);
    assert_eq!(crm.clone().oneshot(get()).await.unwrap().status(), 200);
    let mut boxed: BoxCloneSyncService<Request<Body>, Response<Body>, Error> =
        BoxCloneSyncService::new(crm);
    let answer = boxed.ready().await.unwrap().call(get()).await;
    assert_eq!(answer.unwrap().status(), 200);
    assert_eq!(provider.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn bodies_of_many_types_are_taken() {
    let provider = Script::new([Answer::status(200)]);
    let crm = crm(&provider);
    read(crm.send(Request::new("text"))).await.unwrap();
    read(crm.send(Request::new(String::from("text")))).await.unwrap();
    read(crm.send(Request::new(b"text".to_vec()))).await.unwrap();
    read(crm.send(Request::new(Bytes::from("text")))).await.unwrap();
    read(crm.send(Request::new(Full::new(Bytes::from("text"))))).await.unwrap();
    read(crm.send(Request::new(Empty::new()))).await.unwrap();
    read(crm.send(Request::new(()))).await.unwrap();
    let bodies: Vec<_> = provider.requests().into_iter().map(Request::into_body).collect();
    assert_eq!(bodies, ["text", "text", "text", "text", "text", "", ""]);
}

#[tokio::test(start_paused = true)]
async fn clones_share_what_they_hold() {
    let crm = crm(&Script::new([Answer::hang()]));
    let clone = crm.clone();
    let held = hold(&crm, 3);
    assert_eq!(clone.bulkhead().in_use(), 3);
    drop(held);
    assert_eq!(clone.bulkhead().in_use(), 0);
    crm.breaker().force_open();
    assert!(clone.send(get()).await.unwrap_err().is_rejected());
}

#[tokio::test(start_paused = true)]
async fn two_integrations_of_one_preset_share_nothing() {
    let provider = Script::new([Answer::hang()]);
    let (first, second) = (crm(&provider), crm(&provider));
    let _held = hold(&first, 3);
    first.breaker().force_open();
    assert_eq!(second.bulkhead().in_use(), 0);
    hold(&second, 1);
}

#[tokio::test(start_paused = true)]
async fn two_integrations_of_one_cloned_builder_share_no_places() {
    let builder = Integration::user_flow("crm").service(Script::new([Answer::hang()]));
    let (first, second) = (builder.clone().build().unwrap(), builder.build().unwrap());
    let _held = hold(&first, 3);
    assert_eq!(second.bulkhead().in_use(), 0);
}

#[tokio::test(start_paused = true)]
async fn two_integrations_of_one_cloned_builder_share_no_budget() {
    let builder = Integration::user_flow("crm").service(Script::new([Answer::status(200)]));
    let (first, second) = (builder.clone().build().unwrap(), builder.build().unwrap());
    spend(&first.retry_budget()).await;
    for _ in 0..10 {
        read(first.send(get())).await.unwrap();
    }
    assert_eq!(first.retry_budget().saved(), Some(2));
    assert_eq!(second.retry_budget().saved(), Some(20));
}

#[tokio::test(start_paused = true)]
async fn it_shows_its_name_and_its_breaker_and_nothing_secret() {
    let crm = crm(&Script::new([Answer::status(200)]));
    assert_eq!(crm.name(), "crm");
    assert_eq!(format!("{crm:?}"), "Integration { name: \"crm\", breaker: Closed, .. }");
}

#[tokio::test(start_paused = true)]
async fn a_boxed_service_is_a_transport_too() {
    let provider = Script::new([Answer::status(503), Answer::status(200)]);
    let boxed: BoxCloneSyncService<Request<Body>, Response<Body>, std::io::Error> =
        BoxCloneSyncService::new(provider.clone());
    let crm = Integration::user_flow("crm").service(boxed).build().unwrap();
    assert_eq!(read(crm.send(get())).await.unwrap().status(), 200);
    assert_eq!(provider.begun(), 2);
    assert!(crm.pool().is_none(), "its pool is its own affair");
}
