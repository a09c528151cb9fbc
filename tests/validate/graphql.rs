//! GraphQL over HTTP: what its answers say, and which requests only read.

use std::time::Duration;

use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use outrigger::context::Scope;
use outrigger::event::{End, Event};
use outrigger::outcome::Class;
use outrigger::retry::RetryOverride;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::validate::graphql::GraphQl;
use outrigger::validate::{FailedCheck, ValidateLayer, Verdict};
use outrigger::{Body, CallOptions, Integration};
use serde_json::json;

use crate::bench::{Bench, enforced, failed};

const OWN: &str = "application/graphql-response+json; charset=utf-8";
const JSON: &str = "application/json";

fn answer(status: u16, media: &str, body: &str) -> Answer {
    Answer::status(status).header("content-type", media).body(body.to_owned())
}

/// What becomes of one answer: the verdict of a failed check, and the attempt's class.
async fn found(answer: Answer, graphql: GraphQl) -> (Option<Verdict>, Class) {
    let bench =
        Bench::with([answer], enforced(graphql), outrigger::IntegrationBuilder::without_retry);
    let verdict = match bench.get().await {
        Err(error) => Some(failed(&error).verdict()),
        Ok(answer) => {
            let found = answer.extensions().get::<FailedCheck>().map(FailedCheck::verdict);
            answer.into_body().bytes().await.unwrap();
            found
        }
    };
    let class = bench.events.events().into_iter().find_map(|event| match event {
        Event::AttemptFinished {
            end: End::Answered { class, .. } | End::Failed { class, .. },
            ..
        } => Some(class),
        _ => None,
    });
    (verdict, class.unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_body_speaks_by_its_media_type_status_data_and_errors() {
    let data = r#"{"data":{"a":1}}"#;
    let partial = r#"{"data":{"a":null},"errors":[{"message":"no"}]}"#;
    let null = r#"{"data":null,"errors":[{"message":"no"}]}"#;
    let refused = r#"{"errors":[{"message":"syntax"}]}"#;
    for (status, media, body, verdict, class) in [
        (200, OWN, data, None, Class::Success),
        (200, JSON, data, None, Class::Success),
        (294, OWN, partial, None, Class::Partial),
        (200, OWN, partial, None, Class::Partial),
        (200, JSON, partial, None, Class::Partial),
        (200, OWN, null, Some(Verdict::Transient), Class::ServerError),
        (200, JSON, null, Some(Verdict::Transient), Class::ServerError),
        (400, OWN, refused, Some(Verdict::Permanent), Class::ClientError),
        (500, OWN, refused, None, Class::ServerError),
        (429, OWN, refused, None, Class::Throttled),
        (401, OWN, refused, None, Class::Unauthorized),
        (422, OWN, refused, Some(Verdict::Permanent), Class::ClientError),
        (200, JSON, refused, Some(Verdict::Permanent), Class::ClientError),
        // Somebody between may have answered: the status counts.
        (400, JSON, null, None, Class::ClientError),
        (502, JSON, data, None, Class::ServerError),
        (503, "text/html", "<h1>", None, Class::ServerError),
        (502, OWN, "<h1>", None, Class::ServerError),
        (400, OWN, data, None, Class::ClientError),
        (200, "text/html", "<h1>", Some(Verdict::Transient), Class::ServerError),
        (200, JSON, "", Some(Verdict::Transient), Class::ServerError),
        (200, JSON, "[]", Some(Verdict::Invalid), Class::Invalid),
        (200, JSON, "{}", Some(Verdict::Invalid), Class::Invalid),
        (200, JSON, r#"{"data":{},"errors":[]}"#, None, Class::Success),
        (200, JSON, r#"{"data":{},"errors":null}"#, None, Class::Success),
        (200, JSON, r#"{"data":null,"errors":[]}"#, Some(Verdict::Invalid), Class::Invalid),
        (200, JSON, r#"{"data":{},"errors":{}}"#, Some(Verdict::Invalid), Class::Invalid),
    ] {
        let found = found(answer(status, media, body), GraphQl::new()).await;
        assert_eq!(found, (verdict, class), "{status} {media} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn codes_say_what_failed_and_the_worst_of_them_counts() {
    let of = |codes: &[&str]| {
        let errors: Vec<_> =
            codes.iter().map(|code| json!({"extensions": {"code": code}})).collect();
        answer(200, JSON, &json!({"data": null, "errors": errors}).to_string())
    };
    let own =
        || GraphQl::new().code("BUSY", Verdict::Transient).code("FORBIDDEN", Verdict::Unauthorized);
    for (codes, verdict) in [
        (&["UNAUTHENTICATED"][..], Verdict::Unauthorized),
        (&["FORBIDDEN"], Verdict::Unauthorized),
        (&["BAD_USER_INPUT"], Verdict::Permanent),
        (&["GRAPHQL_VALIDATION_FAILED"], Verdict::Permanent),
        (&["INTERNAL_SERVER_ERROR"], Verdict::Transient),
        (&["DOWNSTREAM_TIMEOUT"], Verdict::Transient),
        (&["BUSY"], Verdict::Transient),
        (&["RATE_LIMITED"], Verdict::Throttled),
        (&["CARD_DECLINED"], Verdict::Permanent),
        (&["INTERNAL_SERVER_ERROR", "THROTTLED"], Verdict::Throttled),
        (&["INTERNAL_SERVER_ERROR", "BAD_USER_INPUT"], Verdict::Permanent),
    ] {
        assert_eq!(found(of(codes), own()).await.0, Some(verdict), "{codes:?}");
    }
    let github = r#"{"data":null,"errors":[{"type":"RATE_LIMITED"}]}"#;
    assert_eq!(found(answer(200, JSON, github), own()).await.0, Some(Verdict::Throttled));
}

#[tokio::test(start_paused = true)]
async fn shopifys_cost_says_how_long_to_wait_and_its_user_errors_are_refusals() {
    let throttled = json!({
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {
            "requestedQueryCost": 202.0, "actualQueryCost": null,
            "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": 118.0, "restoreRate": 50.0},
        }},
    });
    let body = throttled.to_string();
    let bench = Bench::new([answer(200, JSON, &body)], enforced(GraphQl::shopify()));
    bench.get().await.unwrap();
    let pause = Duration::from_millis(1_680);
    let paused =
        |event: &Event| matches!(event, Event::RateLimitPaused { pause: found } if *found == pause);
    // The first answer's, and the repeated call's.
    assert_eq!(bench.events.count(paused), 2, "{:?}", bench.events.events());

    let refused = r#"{"data":{"productCreate":{"product":null,"userErrors":[{"field":["title"],"message":"no"}]}}}"#;
    let fine = r#"{"data":{"productCreate":{"product":{},"userErrors":[]}}}"#;
    let shopify = |body| found(answer(200, JSON, body), GraphQl::shopify());
    assert_eq!(shopify(refused).await.0, Some(Verdict::Permanent));
    assert_eq!(shopify(fine).await.0, None);
    assert_eq!(found(answer(200, JSON, refused), GraphQl::new()).await.0, None);
}

fn post(body: impl Into<Body>, media: &str) -> Request<Body> {
    let request = Request::post("http://api.test/graphql").header(CONTENT_TYPE, media);
    request.body(body.into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_query_is_repeated_though_it_is_a_post_and_nothing_else_is() {
    let query =
        json!({"query": "query Me { me }", "variables": {"query": "mutation { x }"}}).to_string();
    let named =
        json!({"query": "query Me { me } mutation Pay { pay }", "operationName": "Me"}).to_string();
    let mutation = json!({"query": "mutation Pay { pay }"}).to_string();
    let write = json!({"query": "query Me { me } mutation Pay { pay }", "operationName": "Pay"})
        .to_string();
    let batch = format!("[{query}]");
    for (body, requests) in [
        (query.as_str(), 2),
        (&named, 2),
        (&mutation, 1),
        (&write, 1),
        (&batch, 1),
        (r#"{"query":"{ a }","query":"mutation { a }"}"#, 1),
        (r#"{"query":"mutation { a }","query":"{ a }"}"#, 1),
        (r#"{"query":"{ a }","operationName":null}"#, 2),
        (r#"{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ab"}}}"#, 1),
        (r#"{"query":null}"#, 1),
        ("{ me }", 1),
        ("", 1),
    ] {
        let answers = [answer(503, JSON, ""), answer(200, JSON, r#"{"data":{}}"#)];
        let provider = Script::new(answers);
        let api = Integration::user_flow("api")
            .graphql(GraphQl::new())
            .service(provider.clone())
            .build()
            .unwrap();
        api.send(post(body.to_owned(), JSON)).await.unwrap();
        assert_eq!(provider.begun(), requests, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scope_says_how_often_a_query_is_tried() {
    for (retries, requests) in [(RetryOverride::Never, 1), (RetryOverride::Once, 2)] {
        let provider = Script::new([answer(503, JSON, "")]);
        let api = Integration::user_flow("api")
            .graphql(GraphQl::new())
            .retry(|retry| retry.max_attempts(3))
            .service(provider.clone())
            .build()
            .unwrap();
        let scope = Scope::new().options(CallOptions::new().retries(retries)).unwrap();
        scope.run(api.send(post(r#"{"query":"{ me }"}"#, JSON))).await.unwrap();
        assert_eq!(provider.begun(), requests, "{retries:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_another_media_type_and_a_callers_word_stay_what_they_are() {
    let query = r#"{"query":"{ me }"}"#;
    let stream = || {
        let parts = futures_util::stream::iter([Ok::<_, std::io::Error>(query)]);
        post(Body::from_stream(parts), JSON)
    };
    let mut never = post(query, JSON);
    never.extensions_mut().insert(RetryOverride::Never);
    let mut safe = post(r#"{"query":"mutation { a }"}"#, JSON);
    safe.extensions_mut().insert(RetryOverride::Safe);
    for (request, requests) in [
        (stream(), 1),
        (post(query, "text/plain"), 1),
        (never, 1),
        (safe, 2),
        (post(query, "Application/JSON;a=b"), 2),
    ] {
        let provider = Script::new([answer(503, JSON, ""), answer(200, JSON, r#"{"data":{}}"#)]);
        let api = Integration::user_flow("api")
            .graphql(GraphQl::new())
            .service(provider.clone())
            .build()
            .unwrap();
        api.send(request).await.unwrap();
        assert_eq!(provider.begun(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_mutation_that_fails_in_its_body_is_sent_once_unless_it_has_a_key() {
    let lied = || {
        answer(
            200,
            JSON,
            r#"{"data":null,"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#,
        )
    };
    let fine = || answer(200, JSON, r#"{"data":{"pay":1}}"#);
    let mutation = r#"{"query":"mutation { pay }"}"#;
    for (key, requests) in [(None, 1), (Some("k1"), 2)] {
        let provider = Script::new([lied(), fine()]);
        let events = EventRecorder::new();
        let api = Integration::user_flow("api")
            .validate(ValidateLayer::new())
            .graphql(GraphQl::new())
            .subscriber(events.clone())
            .service(provider.clone())
            .build()
            .unwrap();
        let mut request = post(mutation, JSON);
        if let Some(key) = key {
            request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        }
        assert_eq!(api.send(request).await.is_ok(), key.is_some());
        assert_eq!(provider.begun(), requests);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_asks_for_graphqls_own_type_unless_it_asks_for_another() {
    let provider = Script::new([answer(200, JSON, r#"{"data":{}}"#)]);
    let api = Integration::user_flow("api")
        .graphql(GraphQl::new())
        .service(provider.clone())
        .build()
        .unwrap();
    api.send(post(r#"{"query":"{ me }"}"#, JSON)).await.unwrap();
    let mut other = post(r#"{"query":"{ me }"}"#, JSON);
    other.headers_mut().insert(ACCEPT, "application/json".parse().unwrap());
    api.send(other).await.unwrap();
    let accepted: Vec<_> =
        provider.requests().iter().map(|request| request.headers()[ACCEPT].clone()).collect();
    assert_eq!(
        accepted,
        ["application/graphql-response+json, application/json;q=0.9", "application/json"]
    );
}
