//! Answers against an OpenAPI document.

use http::{Method, Request};
use outrigger::context::PathTemplate;
use outrigger::testing::Answer;
use outrigger::validate::{FailedCheck, OpenApi, Verdict};
use outrigger::{Body, IntegrationBuilder};
use serde_json::{Value, json};

use crate::bench::{Bench, enforced, failed};

fn document(version: &str, charge: Value) -> Value {
    let of = |schema: Value| json!({ "content": { "application/json": { "schema": schema } } });
    let charge_of = || of(json!({ "$ref": "#/components/schemas/charge" }));
    json!({
        "openapi": version,
        "info": { "title": "Shop", "version": "1" },
        "servers": [{ "url": "https://api.test/v1/" }, { "url": "/sandbox" }],
        "paths": {
            "/charges/{id}": {
                "get": { "responses": { "200": { "$ref": "#/components/responses/charge" }, "404": of(json!(false)) } },
                "delete": { "responses": { "204": { "description": "gone" } } },
            },
            "/charges/latest": { "get": { "responses": { "2XX": charge_of() } } },
            "/charges": {
                "get": { "responses": { "default": of(json!({ "type": "array", "items": { "$ref": "#/components/schemas/charge" } })) } },
                "post": { "responses": { "200": of(json!({})), "201": charge_of() } },
            },
            "/files/{name}.{format}": { "get": { "responses": { "200": { "content": {
                "text/csv": {},
                "application/*": { "schema": { "type": "object" } },
            } } } } },
        },
        "components": {
            "responses": { "charge": charge_of() },
            "schemas": { "charge": charge },
        },
    })
}

fn charge() -> Value {
    json!({
        "type": "object",
        "required": ["id", "secret"],
        "properties": {
            "id": { "type": "string" },
            "amount": { "type": ["integer", "null"], "exclusiveMinimum": 0 },
            "secret": { "type": "string", "writeOnly": true },
            "parent": { "$ref": "#/components/schemas/charge" },
        },
    })
}

/// The same in the words of 3.0.
fn charge_3_0() -> Value {
    let mut charge = charge();
    charge["properties"]["amount"] =
        json!({ "type": "integer", "nullable": true, "minimum": 0, "exclusiveMinimum": true });
    charge
}

async fn found(
    api: &OpenApi,
    method: Method,
    path: &str,
    template: Option<&str>,
    answer: Answer,
) -> Option<(Verdict, String)> {
    let bench = Bench::with([answer], enforced(api.clone()), IntegrationBuilder::without_retry);
    let request = Request::builder().method(method).uri(format!("https://api.test{path}"));
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(template) = template {
        request.extensions_mut().insert(PathTemplate::new(template));
    }
    let failed = match bench.api.send(request).await {
        Err(error) => failed(&error).clone(),
        Ok(answer) => answer.extensions().get::<FailedCheck>()?.clone(),
    };
    Some((failed.verdict(), failed.pointer().unwrap_or_default().to_owned()))
}

fn json_of(status: u16, body: &'static str) -> Answer {
    Answer::status(status).header("content-type", "application/json; charset=utf-8").body(body)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_checked_by_its_operation_status_and_media_type() {
    for document in [document("3.1.1", charge()), document("3.0.3", charge_3_0())] {
        let api = OpenApi::new(&document).unwrap();
        let (good, bad) =
            (r#"{"id":"c1","amount":null}"#, r#"{"id":"c1","parent":{"id":"c0","amount":0}}"#);
        let at = Some("/parent/amount");
        for (method, path, status, body, wrong) in [
            ("GET", "/v1/charges/c1", 200, good, None),
            ("GET", "/v1/charges/c1", 200, bad, at),
            ("GET", "/v1/charges/c1?expand=a", 200, r#"{"amount":1}"#, Some("")),
            ("GET", "/sandbox/charges/c1", 200, bad, at),
            ("GET", "/charges/c1", 200, bad, at),
            ("GET", "/v1/charges/latest", 203, bad, at),
            ("GET", "/v1/charges", 200, r#"[{"id":1}]"#, Some("/0/id")),
            ("GET", "/v1/charges", 200, "[]", None),
            ("POST", "/v1/charges", 200, "1", None),
            ("POST", "/v1/charges", 201, bad, at),
            // What the document says nothing of.
            ("POST", "/v1/charges", 202, bad, None),
            ("PUT", "/v1/charges/c1", 200, bad, None),
            ("GET", "/v2/charges/c1", 200, bad, None),
            ("GET", "/v1/charges/c1/refunds", 200, bad, None),
            ("GET", "/v1/charges/", 200, bad, None),
            // The status says what happened.
            ("GET", "/v1/charges/c1", 404, bad, None),
        ] {
            let found =
                found(&api, method.parse().unwrap(), path, None, json_of(status, body)).await;
            let wrong = wrong.map(|at| (Verdict::Invalid, at.to_owned()));
            assert_eq!(found, wrong, "{method} {path} {status} {body}");
        }
        let get = |path: &'static str, answer| found(&api, Method::GET, path, None, answer);
        let of = |media: &str| Answer::status(200).header("content-type", media).body("[]");
        assert_eq!(get("/files/a.csv", of("text/csv")).await, None);
        assert_eq!(get("/files/a.csv", of("application/json")).await.unwrap().0, Verdict::Invalid);
        assert_eq!(get("/files/a.csv", of("image/png")).await.unwrap().0, Verdict::Invalid);
        assert_eq!(get("/files/csv", of("image/png")).await, None);
        let gone = Answer::status(204);
        assert_eq!(found(&api, Method::DELETE, "/v1/charges/c1", None, gone).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_template_names_the_operation() {
    let api = OpenApi::new(&document("3.1.0", charge())).unwrap();
    let named =
        |template| found(&api, Method::GET, "/internal/7", template, json_of(200, r#"{"id":7}"#));
    assert_eq!(named(None).await, None);
    assert_eq!(named(Some("/charges/{id}")).await, Some((Verdict::Invalid, "/id".to_owned())));
    // One of the host's own: the path, then.
    let other = found(
        &api,
        Method::GET,
        "/v1/charges/7",
        Some("/v1/charges/{charge}"),
        json_of(200, r#"{"id":7}"#),
    );
    assert_eq!(other.await, Some((Verdict::Invalid, "/id".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn only_the_operations_that_are_named_are_compiled_and_checked() {
    let mut document = document("3.1.0", charge());
    document["paths"]["/charges"]["get"]["responses"]["default"]["content"]["application/json"]["schema"] =
        json!({ "pattern": "(a)\\1" });
    let error = OpenApi::new(&document).unwrap_err().to_string();
    assert!(error.contains("1 setting") && error.contains("openapi: GET /charges: "), "{error}");
    assert_eq!(error.matches("can't work").count(), 1, "{error}");
    let api = OpenApi::only(&document, [(Method::GET, "/charges/{id}")]).unwrap();
    let bad = || json_of(201, r#"{"id":7}"#);
    assert_eq!(found(&api, Method::POST, "/v1/charges", None, bad()).await, None);
    let missing = OpenApi::only(&document, [(Method::GET, "/charges/{other}")]).unwrap_err();
    assert!(
        missing.to_string().contains("GET /charges/{other} isn't in the document"),
        "{missing}"
    );
    for old in [json!({ "swagger": "2.0" }), json!({}), json!([])] {
        assert!(OpenApi::new(&old).unwrap_err().to_string().contains("version 3"));
    }
}
