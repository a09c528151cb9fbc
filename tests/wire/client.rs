//! The request builder over the own client, and over a reqwest client.

use outrigger::{Integration, ResponseExt};

use crate::provider::{Provider, Step};

#[tokio::test]
async fn the_own_client_names_itself_unless_it_is_told_otherwise() {
    let provider = Provider::script((0..3).map(|_| Step::reply(200, "42"))).await;
    let build = || Integration::user_flow("crm").base_url(provider.url("/v1"));
    let crm = build().build().unwrap();
    let answer: u32 =
        crm.get("answer").query(&[("of", "life")]).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer, 42);
    crm.get("answer").header("user-agent", "own/1").send().await.unwrap();
    let named = build().user_agent("shop/2").build().unwrap();
    named.get("/answer").send().await.unwrap();
    let seen = provider.seen();
    let agents: Vec<_> = seen.iter().map(|seen| seen.header("user-agent").unwrap()).collect();
    let own = concat!("outrigger/", env!("CARGO_PKG_VERSION"));
    assert_eq!(agents, [own, "own/1", "shop/2"]);
    assert_eq!(seen[0].target, "/v1/answer?of=life");
    assert_eq!(seen[2].target, "/v1/answer");
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn a_reqwest_client_keeps_its_user_agent_and_its_requests_can_have_options() {
    use outrigger::CallOptions;
    use outrigger::idempotency::{IdempotencyLayer, KeyProfile};

    let provider = Provider::script([Step::reply(503, ""), Step::reply(200, "done")]).await;
    let client = reqwest::Client::builder().user_agent("theirs/1").build().unwrap();
    let stripe = Integration::user_flow("stripe")
        .base_url(provider.url("/"))
        .idempotency(IdempotencyLayer::new(KeyProfile::stripe()))
        .reqwest(client.clone())
        .build()
        .unwrap();
    let request = client.post(provider.url("/charges")).body("amount=1000").build().unwrap();
    let options = CallOptions::new().idempotency_key("order-1042").business_key("order 1042");
    let response = stripe.execute_with(request, options).await.unwrap();
    assert_eq!(response.text().await.unwrap(), "done");
    for seen in provider.seen() {
        assert_eq!(seen.header("user-agent"), Some("theirs/1"));
        assert_eq!(seen.header("idempotency-key"), Some("order-1042"));
        assert_eq!(seen.body, b"amount=1000");
    }
    let elsewhere = client.get("https://elsewhere.example/").build().unwrap();
    let error = stripe.execute(elsewhere).await.unwrap_err();
    assert!(error.to_string().contains("allow_origin"), "{error}");
}
