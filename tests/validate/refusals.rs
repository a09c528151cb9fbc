//! Answers with a 2xx that a check calls refused: what cache, local copy and token make of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Request;
use http::header::CONTENT_TYPE;
use outrigger::idempotency::{IdempotencyLayer, KeyProfile};
use outrigger::local_copy::{Load, LoadError, Loaded, LocalCopy};
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenLayer};
use outrigger::validate::graphql::GraphQl;
use outrigger::validate::{Check, FailedCheck, Finding, Prefix, StatusField, Verdict};
use outrigger::{Body, Integration};

use crate::bench::{enforced, json, secs};

#[cfg(feature = "cache")]
#[tokio::test(start_paused = true)]
async fn a_cache_neither_stores_a_refused_answer_nor_replaces_a_good_one_by_it() {
    use outrigger::cache::CacheLayer;
    let answer =
        |body: &str| json(body).header("cache-control", "max-age=5").header("etag", "\"1\"");
    let (good, refused) = (r#"{"ok":true}"#, r#"{"ok":false,"error":"account_inactive"}"#);
    let limited = r#"{"ok":false,"error":"ratelimited"}"#;
    for (bodies, stored) in
        [([refused, good], None), ([limited, good], None), ([good, refused], Some(good))]
    {
        let provider = Script::new(bodies.map(answer));
        let chat = Integration::background("chat")
            .validate(enforced(StatusField::slack()))
            .cache(CacheLayer::new())
            .without_retry()
            .service(provider.clone())
            .build()
            .unwrap();
        let get = || chat.get("http://chat.test/a").send();
        let first = get().await.unwrap();
        let is_refused = first.extensions().get::<FailedCheck>().is_some();
        assert_eq!(
            (first.into_body().text().await.unwrap().as_str(), is_refused),
            (bodies[0], bodies[0] != good)
        );
        tokio::time::sleep(secs(if stored.is_some() { 6 } else { 31 })).await;
        let second = get().await.unwrap();
        let is_refused = second.extensions().get::<FailedCheck>().is_some();
        assert_eq!(is_refused, bodies[1] != good, "{bodies:?}");
        second.into_body().text().await.unwrap();
        assert_eq!(provider.begun(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_local_copy_is_not_made_of_a_refused_answer() {
    let provider =
        Script::new([json(r#"{"ok":true}"#), json(r#"{"ok":false,"error":"missing_scope"}"#)]);
    let rates = Integration::background("rates")
        .validate(enforced(StatusField::slack()))
        .service(provider.clone())
        .build()
        .unwrap();
    let of = rates.clone();
    let loader = move |load: Load| {
        let rates = of.clone();
        async move {
            let answer = load.fetch(rates.get("http://rates.test/a")).await?.unwrap();
            Ok::<_, LoadError>(Loaded::new(answer.text().await?))
        }
    };
    let copy = LocalCopy::builder("rates", &rates, |_: &String| 1, loader).every(secs(3600));
    let copy = copy.start().unwrap();
    copy.ready().await.unwrap();
    assert!(copy.reload().await.is_err());
    assert_eq!(*copy.get().unwrap(), r#"{"ok":true}"#);
    assert_eq!(provider.begun(), 2);
}
use outrigger::ResponseExt;

type Builder = outrigger::IntegrationBuilder<outrigger::integration::Service<Script>>;

/// A provider that refuses all tokens but the second, by this body.
fn refusing(body: &'static str) -> Script {
    Script::by(move |request| match request.headers()["authorization"].to_str() {
        Ok("Bearer t2") => json(r#"{"data":{"pay":1}}"#),
        _ => json(body),
    })
}

/// An integration with this check, whose first token has been used for a while.
async fn with_tokens(provider: &Script, adjust: impl FnOnce(Builder) -> Builder) -> Integration {
    let given = Arc::new(AtomicU32::new(0));
    let tokens = TokenLayer::new(move |_| {
        let number = given.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(Token::new(format!("t{number}")).expires_in(secs(3600))) }
    });
    let builder = Integration::user_flow("api").service(provider.clone()).token(tokens);
    let api = adjust(builder).build().unwrap();
    api.token().unwrap().ready().await.unwrap();
    tokio::time::sleep(secs(600)).await;
    api
}

async fn begun(provider: &Script, document: &str) -> usize {
    let api = with_tokens(provider, |builder| builder.graphql(GraphQl::new())).await;
    let body = serde_json::json!({ "query": document }).to_string();
    let request = Request::post("http://api.test/graphql").header(CONTENT_TYPE, "application/json");
    let _ = api.send(request.body(Body::from(body)).unwrap()).await;
    provider.begun()
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_was_run_in_part_is_not_sent_again_with_another_token() {
    const AFTER: &str =
        r#"{"data":null,"errors":[{"path":["receipt"],"extensions":{"code":"UNAUTHENTICATED"}}]}"#;
    const AT_FIRST: &str = r#"{"errors":[{"extensions":{"code":"UNAUTHENTICATED"}}]}"#;
    let (mutation, query) = ("mutation { pay receipt }", "{ pay }");
    for (body, document, requests) in
        [(AFTER, mutation, 1), (AFTER, query, 2), (AT_FIRST, mutation, 2), (AT_FIRST, query, 2)]
    {
        assert_eq!(begun(&refusing(body), document).await, requests, "{body} {document}");
    }
}

#[tokio::test(start_paused = true)]
async fn graphql_is_read_and_marked_at_its_own_path_alone() {
    let provider = Script::by(|request| match request.uri().path() {
        "/repos" => json("[1]"),
        "/exports" => Answer::status(503),
        _ => json(r#"{"errors":[{"extensions":{"code":"THROTTLED"}}]}"#),
    });
    let api = Integration::user_flow("api")
        .graphql(GraphQl::new().at_path("/graphql"))
        .without_rate_limit()
        .service(provider.clone())
        .build()
        .unwrap();
    let answer = api.get("http://api.test/repos").send().await.unwrap();
    assert!(answer.extensions().get::<FailedCheck>().is_none());
    let post = |path: &str| {
        let request = api.post(format!("http://api.test{path}"));
        request.json(&serde_json::json!({ "query": "{ a }" })).send()
    };
    post("/exports").await.unwrap();
    assert_eq!(provider.begun(), 2);
    let answer = post("/graphql?a=b").await.unwrap();
    assert!(answer.extensions().get::<FailedCheck>().is_some());
    assert_eq!(provider.begun(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_persisted_query_is_safe_if_its_hash_is_known_to_only_read() {
    for (body, requests) in [
        (r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}"#, 2),
        (r#"{"documentId":"ab","variables":{}}"#, 2),
        (r#"{"documentId":"cd"}"#, 1),
        (r#"{"documentId":"ab","documentId":"cd"}"#, 1),
        (r#"{"documentId":"ab","extensions":{"persistedQuery":{"sha256Hash":"cd"}}}"#, 1),
        (r#"{"documentId":"ab","query":"mutation { a }"}"#, 1),
        (r#"{"extensions":{"persistedQuery":"ab"}}"#, 1),
    ] {
        let provider = Script::new([Answer::status(503), json(r#"{"data":{}}"#)]);
        let api = Integration::user_flow("api")
            .graphql(GraphQl::new().persisted_queries(["ab"]))
            .service(provider.clone())
            .build()
            .unwrap();
        let request =
            api.post("http://api.test/graphql").header("content-type", "application/json");
        request.body(body).send().await.unwrap();
        assert_eq!(provider.begun(), requests, "{body}");
    }
}

/// Says of every answer with this word that it refused the token.
struct Refused;

impl Check for Refused {
    fn name(&self) -> &'static str {
        "refused"
    }

    fn applies(&self, _: &outrigger::validate::Answered<'_>) -> bool {
        true
    }

    fn check(&self, _: &outrigger::validate::Answered<'_>, body: &Prefix<'_>) -> Finding {
        match body.bytes() {
            br#"{"ok":false,"code":"expired"}"# => Finding::unauthorized("expired"),
            _ => Finding::pass(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_only_a_body_refused_is_sent_again_with_another_token_if_that_is_safe() {
    let field =
        || StatusField::new("/ok", true).code_at("/code").code("expired", Verdict::Unauthorized);
    for (status, method, key, requests) in [
        (200, "POST", false, 1),
        (200, "PATCH", false, 1),
        (200, "POST", true, 2),
        (200, "GET", false, 2),
        (200, "PUT", false, 2),
        (500, "POST", false, 1),
        // By the status, nothing was done.
        (400, "POST", false, 2),
        (401, "POST", false, 2),
    ] {
        let provider =
            Script::by(move |request| match request.headers()["authorization"].to_str() {
                Ok("Bearer t2") => json(r#"{"ok":true}"#),
                _ => Answer::status(status).body(r#"{"ok":false,"code":"expired"}"#),
            });
        let api = with_tokens(&provider, |builder| {
            let builder = match key {
                true => builder.idempotency(IdempotencyLayer::new(KeyProfile::stripe())),
                false => builder,
            };
            builder.validate(enforced(field()).enforce(Refused))
        })
        .await;
        let request = Request::builder().method(method).uri("http://api.test/orders");
        let request = match key {
            true => request.header("idempotency-key", "order-77-of-ada"),
            false => request,
        };
        let answer = api.send(request.body(Body::from("an order")).unwrap()).await.unwrap();
        let is_refused = answer.extensions().get::<FailedCheck>().is_some();
        assert_eq!((provider.begun(), is_refused), (requests, requests == 1), "{status} {method}");
        // The next call has the other token, whatever became of this one.
        let next = api.get("http://api.test/orders").send().await.unwrap();
        assert!(next.status() == 200 && next.extensions().get::<FailedCheck>().is_none());
    }
}
