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

/// What a server sees of the same request, by reqwest itself and by the request builder here.
#[cfg(feature = "reqwest")]
#[tokio::test]
async fn a_request_looks_like_reqwests_own() {
    use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
    use http::{HeaderMap, HeaderValue};
    use outrigger::Body;

    // A macro, because the two builders have no trait in common, and that is what is compared.
    macro_rules! requests {
        ($client:expr, $url:expr, $streamed:expr) => {{
            let (client, url) = ($client, |path: &str| $url(path));
            let mut more = HeaderMap::new();
            more.append("x-a", HeaderValue::from_static("1"));
            more.append("x-a", HeaderValue::from_static("2"));
            let parts = || futures_util::stream::iter(["an ", "order"].map(Ok::<_, std::io::Error>));
            [
                client.get(url("a?b=c%20d")).header("x-b", "1").header("x-b", "2"),
                client.get(url("a")).header("x-a", "0").headers(more),
                client.post(url("a")),
                client.post(url("a")).body("text"),
                client.post(url("a")).body(vec![0_u8, 255]),
                client.put(url("a")).json(&serde_json::json!({ "name": "ü & Co" })),
                client.patch(url("a")).header(CONTENT_TYPE, "application/x").json(&1),
                client.delete(url("a")).bearer_auth("to.ken"),
                client.head(url("a")).basic_auth("ada", Some("pa:ss")),
                client.request(http::Method::OPTIONS, url("a")).basic_auth("ada", None::<&str>),
                client.post(url("a")).body($streamed(parts())),
            ]
        }};
    }
    let provider = Provider::script((0..22).map(|_| Step::reply(200, ""))).await;
    let theirs = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    for request in requests!(
        theirs,
        |path: &str| provider.url(&format!("/{path}")),
        reqwest::Body::wrap_stream
    ) {
        request.send().await.unwrap().text().await.unwrap();
    }
    let ours = Integration::user_flow("crm").base_url(provider.url("/")).build().unwrap();
    for request in requests!(ours, str::to_owned, Body::from_stream) {
        request.send().await.unwrap().text().await.unwrap();
    }
    let seen = provider.seen();
    let (theirs, ours) = seen.split_at(11);
    // Each names itself; `accept: */*` and its absence mean the same (RFC 9110, 12.5.1); the layers write
    // ids of their own. That a POST has no body, reqwest leaves to be guessed (RFC 9110, 8.6).
    assert_eq!(
        (ours[2].header("content-length"), theirs[2].header("content-length")),
        (Some("0"), None)
    );
    let own = ["x-request-id", "traceparent", "idempotency-key"];
    let headers = |seen: &crate::provider::Seen| {
        let mut headers = seen.headers.clone();
        [USER_AGENT, ACCEPT, HOST].into_iter().for_each(|name| drop(headers.remove(name)));
        own.into_iter().for_each(|name| drop(headers.remove(name)));
        if seen.body.is_empty() {
            headers.remove(CONTENT_LENGTH);
        }
        headers
    };
    for (theirs, ours) in theirs.iter().zip(ours) {
        let line = |seen: &crate::provider::Seen| (seen.method.clone(), seen.target.clone());
        assert_eq!(line(ours), line(theirs));
        assert_eq!(
            (headers(ours), &ours.body),
            (headers(theirs), &theirs.body),
            "{:?}",
            line(ours)
        );
    }
}
